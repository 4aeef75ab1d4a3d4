//! Text that must not be seen.

use std::fmt;

use zeroize::Zeroizing;

/// A password, a token, or a header value that holds one. Not shown by `Debug`, and wiped from
/// memory on drop as far as that can be promised: copies in buffers and in ureq are not ours to
/// wipe.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Secret {
        Secret(Zeroizing::new(text.into()))
    }

    /// The text itself: for the wire, and nothing else.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("REDACTED")
    }
}
