//! A request as a plain value.

use std::borrow::Cow;

use crate::url::Url;

/// The methods that registry endpoints use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Head,
}

impl Method {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
        }
    }
}

/// One request to one server.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// Field names in lower case, in the order to send them.
    pub(crate) headers: Vec<(&'static str, Cow<'static, str>)>,
}

impl Request {
    /// No fewer bytes than the head takes on the wire.
    pub(crate) fn head_bytes(&self) -> usize {
        // The request line, the Host field and separators, generously.
        const FIXED: usize = 512;
        let target = self.url.to_request_string().len();
        self.headers
            .iter()
            .fold(FIXED + target, |sum, (name, value)| {
                sum + name.len() + value.len() + 4
            })
    }
}
