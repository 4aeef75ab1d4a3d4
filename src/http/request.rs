//! A request as a plain value.

use std::borrow::Cow;
use std::fmt;
use std::io::Read;

use crate::url::Url;

/// The methods that registry endpoints and token services use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }
}

/// One request to one server.
pub(crate) struct WireRequest<'a> {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// Field names in lower case, in the order to send them.
    pub(crate) headers: Vec<(&'a str, Cow<'a, str>)>,
    pub(crate) content: Content<'a>,
}

/// What follows the head of a request (RFC 9110 section 6.4).
pub(crate) enum Content<'a> {
    /// Nothing at all.
    Nothing,
    /// All of it, in memory.
    Bytes(&'a [u8]),
    /// Read as it is sent, once. The length in bytes, where it is known; without one it is sent in
    /// chunks.
    Stream {
        reader: Box<dyn Read + 'a>,
        length: Option<u64>,
    },
}

impl WireRequest<'_> {
    /// No fewer bytes than the head takes on the wire.
    pub(crate) fn head_bytes(&self) -> usize {
        // The request line, the Host field and separators, generously.
        const FIXED: usize = 512;
        let target = self.url.target().len() + self.url.host().len();
        self.headers
            .iter()
            .fold(FIXED + target, |sum, (name, value)| {
                sum + name.len() + value.len() + 4
            })
    }
}

/// Header values and bodies may be secret.
impl fmt::Debug for WireRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.as_str(), self.url)
    }
}
