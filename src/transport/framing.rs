//! How the body of a request is framed, and how far it was sent.

use ureq::http::header::{CONTENT_LENGTH, HeaderName, HeaderValue, TRANSFER_ENCODING};

use crate::http::{Content, Method, WireRequest};

/// How a request says where its body ends (RFC 9112, section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Framing {
    /// There is no body, and no header field about one.
    #[default]
    None,
    /// `Content-Length`.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

impl Framing {
    pub(super) fn of(request: &WireRequest<'_>) -> Framing {
        match (&request.content, request.method) {
            (Content::Bytes(bytes), _) => Framing::Length(bytes.len() as u64),
            (Content::Stream { length, .. }, _) => length.map_or(Framing::Chunked, Framing::Length),
            // These methods usually have a body, so a request without one should say so (RFC 9110,
            // section 8.6). Some servers answer 411 otherwise.
            (Content::Nothing, Method::Post | Method::Put | Method::Patch) => Framing::Length(0),
            (Content::Nothing, Method::Get | Method::Head | Method::Delete) => Framing::None,
        }
    }

    /// The header field for it.
    pub(super) fn field(self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Framing::None => None,
            Framing::Length(length) => Some((CONTENT_LENGTH, length.into())),
            Framing::Chunked => Some((TRANSFER_ENCODING, HeaderValue::from_static("chunked"))),
        }
    }
}

/// The state of a request that is being sent. The payload reader and the connection share it
/// through the exchange context, because ureq calls both and passes nothing between them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Upload {
    pub(super) framing: Framing,
    pub(super) stage: Stage,
}

/// The part of the request that ureq writes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Stage {
    /// The head.
    #[default]
    Head,
    /// The body.
    Body,
    /// The rest of the body, which is not sent because the server has already answered.
    Answered,
}
