//! Text that must not be shown.

use std::fmt;

use zeroize::Zeroizing;

/// A password, a token, or text that holds one, such as a header value or a form.
///
/// `Debug` does not show it. Its memory is wiped on drop, as far as this crate can do that: it
/// can't wipe the copies in ureq and in network buffers.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Secret {
        Secret(Zeroizing::new(text.into()))
    }

    /// The text itself. Only what is sent to a server may use it, and what hides it in text of a
    /// server.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("REDACTED")
    }
}
