//! A request as a plain value: what an endpoint asks for.
//!
//! Whoever adds an endpoint says here *what* is asked. How it is sent, with which login, how often
//! and where redirects may lead it, follows from these values.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read};

use crate::auth::{Scope, Secret};
use crate::http::Method;
use crate::policy::redirect::RedirectPolicy;
use crate::transport::Pooling;
use crate::url::Url;

/// What is asked.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    pub(crate) target: Target<'a>,
    /// The value of Accept.
    pub(crate) accept: Cow<'a, str>,
    /// Further fields, their names in lower case: `range`, `content-range`, `content-type`.
    pub(crate) fields: Vec<(&'static str, Cow<'a, str>)>,
    pub(crate) payload: Payload<'a>,
    pub(crate) access: Access<'a>,
    pub(crate) redirects: RedirectPolicy,
    pub(crate) repeat: Repeat,
}

/// Whom a request is sent to.
#[derive(Debug)]
pub(crate) enum Target<'a> {
    /// Path and query on the registry.
    Path(Cow<'a, str>),
    /// A URL that an answer of the registry gave, as for the next page of a list. Where it is of
    /// another server, that one sees no login and no field of the caller's.
    Answered(Url),
    /// The registry's token service.
    TokenService(Url),
}

/// What a request does about authentication.
#[derive(Debug, Clone)]
pub(crate) enum Access<'a> {
    /// Nothing: a 401 is an answer like any other.
    Unasked,
    /// Whatever the registry wants; a token has to allow these scopes.
    Scopes(Vec<Scope>),
    /// The same, and the credentials are used even if the registry answers without them, where it
    /// says that it takes some: then its answer may be another.
    Offered(Vec<Scope>),
    /// This value of Authorization, whatever the answer.
    Given(&'a Secret),
}

/// When a request may be sent again after it has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Whenever that may help: it does the same however often it is sent.
    Always,
    /// As long as no byte of it was sent, or the server says that it did not look at it (HTTP 429
    /// and 503): a second time might do more than the first.
    IfNothingSent,
    /// Not at all.
    Never,
}

/// What a request carries.
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "for uploads, which no endpoint makes yet")
)]
pub(crate) enum Payload<'a> {
    /// Nothing.
    Nothing,
    /// Bytes in memory.
    Bytes(&'a [u8]),
    /// A form with a secret in it, for a token service.
    Secret(&'a Secret),
    /// Bytes that are read as they are sent.
    Source(&'a dyn Source),
}

/// Where the bytes of an upload come from. It is opened for each attempt.
pub(crate) trait Source {
    /// How many bytes there are in all, if that is known.
    fn size(&self) -> Option<u64>;

    /// Reads from this offset on.
    ///
    /// # Errors
    ///
    /// The data can't be read; a source that can be read only once says so the second time.
    fn open(&self, from: u64) -> io::Result<Box<dyn Read + '_>>;
}

impl Request<'_> {
    /// A request to the registry without a body.
    ///
    /// GET and HEAD only read: they are repeated as often as may help, and led anywhere by
    /// redirects. Any other method changes something: it goes to exactly one URL, and is not sent
    /// again once a byte of it was sent.
    pub(crate) fn new<'a>(
        method: Method,
        path: impl Into<Cow<'a, str>>,
        accept: impl Into<Cow<'a, str>>,
        access: Access<'a>,
    ) -> Request<'a> {
        let (redirects, repeat) = match method {
            Method::Get | Method::Head => (RedirectPolicy::CrossOrigin, Repeat::Always),
            Method::Post | Method::Put | Method::Patch | Method::Delete => {
                (RedirectPolicy::None, Repeat::IfNothingSent)
            }
        };
        Request {
            method,
            target: Target::Path(path.into()),
            accept: accept.into(),
            fields: Vec::new(),
            payload: Payload::Nothing,
            access,
            redirects,
            repeat,
        }
    }

    /// `GET /v2/`.
    pub(crate) fn ping(access: Access<'_>) -> Request<'_> {
        Request::new(Method::Get, "/v2/", "application/json", access)
    }
}

impl Access<'_> {
    /// The scopes of the token that the registry may want.
    pub(super) fn scopes(&self) -> Option<&[Scope]> {
        match self {
            Access::Scopes(scopes) | Access::Offered(scopes) => Some(scopes),
            Access::Unasked | Access::Given(_) => None,
        }
    }
}

impl Payload<'_> {
    /// Which connection may carry it. To look at a pooled connection is no proof that it lives, and
    /// a form with a secret must not be sent twice: a service that renews the secret with each use
    /// may take the second use for theft.
    pub(super) fn pooling(&self) -> Pooling {
        match self {
            Payload::Secret(_) => Pooling::Fresh,
            Payload::Nothing | Payload::Bytes(_) | Payload::Source(_) => Pooling::Reuse,
        }
    }
}

impl Repeat {
    /// Whether it may be sent again after it got no answer.
    pub(super) fn allows(self, sent: bool) -> bool {
        match self {
            Repeat::Always => true,
            Repeat::IfNothingSent => !sent,
            Repeat::Never => false,
        }
    }

    /// Whether it may be sent again after an answer of this status.
    pub(super) fn allows_after(self, status: u16) -> bool {
        match self {
            Repeat::Always => true,
            Repeat::IfNothingSent => matches!(status, 429 | 503),
            Repeat::Never => false,
        }
    }
}

/// A payload may be a secret.
impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Payload::Nothing => "Nothing",
            Payload::Bytes(_) => "Bytes",
            Payload::Secret(_) => "Secret",
            Payload::Source(_) => "Source",
        })
    }
}
