//! A request as a plain value.

use std::borrow::Cow;
use std::fmt;
use std::io::Read;

use crate::url::Url;

/// The methods that registry endpoints and token services use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "for uploads, which no endpoint makes yet")
)]
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
    /// Field names in lower case, in the order in which they are sent. `content-length` and
    /// `transfer-encoding` are not among them: the transport derives them from the content.
    pub(crate) headers: Vec<(&'a str, Cow<'a, str>)>,
    pub(crate) content: Content<'a>,
}

/// The content of a request (RFC 9110, section 6.4). The transport adds the header field that says
/// how long it is.
pub(crate) enum Content<'a> {
    /// No content. A method that usually has some is sent with `Content-Length: 0`.
    Nothing,
    /// All of it, in memory.
    Bytes(&'a [u8]),
    /// It is read while it is sent, once. A reader that gives more or fewer bytes than `length`
    /// makes the request fail. Without a length it is sent in chunks.
    Stream {
        reader: Box<dyn Read + 'a>,
        length: Option<u64>,
    },
}

impl WireRequest<'_> {
    /// An upper bound of the head's size in bytes.
    pub(crate) fn head_bytes(&self) -> usize {
        // More than the request line, the fields that the transport adds, and the separators.
        const FIXED: usize = 512;
        let target = self.url.target().len() + self.url.host().len();
        self.headers
            .iter()
            .fold(FIXED + target, |sum, (name, value)| {
                sum + name.len() + value.len() + 4
            })
    }
}

/// Shows no header value and no content, because they may be secret.
impl fmt::Debug for WireRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.as_str(), self.url)
    }
}
