//! A server's answer, and what it shows.

use std::time::{Duration, SystemTime};

use super::known_login::LoginVerdict;
use crate::auth::challenge::{Challenge, parse_challenges};
use crate::auth::{Authorization, Service, TokenLogin};
use crate::error::RegistryError;
use crate::http::Headers;
use crate::http::error_body::parse_error_body;
use crate::http::error_codes::ErrorBody;
use crate::http::retry_after::parse_retry_after;
use crate::redact::Redactor;
use crate::transport::{Body, Failure, WireError};
use crate::url::{Scheme, Url};

/// The most that is read of an error's body, whose text is only shown, and of a ping's, which is
/// `{}`.
const MAX_SMALL_BODY: u64 = 64 * 1024;

/// What was answered, and by which URL. The body is still to be read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) url: Url,
    /// Whether another server answers than the one that was asked: then the answer is not that
    /// one's word.
    pub(crate) cross_origin: bool,
    /// What the request had to show for itself.
    pub(crate) shown: Authorization,
    /// Whether the credentials are known to be good that it refuses.
    pub(super) login: LoginVerdict,
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: Body,
}

/// An answer read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Complete {
    pub(crate) url: Url,
    /// As for [`Answer`].
    pub(crate) cross_origin: bool,
    /// As for [`Answer`].
    pub(crate) shown: Authorization,
    /// As for [`Answer`].
    pub(super) login: LoginVerdict,
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
    /// Whether the body of an error was too large or broke off. Then `body` is empty.
    pub(crate) body_is_lost: bool,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Reads a small answer to its end, so that the connection can go on.
    pub(crate) fn complete(self) -> Result<Complete, WireError> {
        self.complete_to(MAX_SMALL_BODY)
    }

    /// Reads an answer of at most `limit` bytes to its end. An error's body that is too large or
    /// broken says nothing; the status still does.
    pub(crate) fn complete_to(self, limit: u64) -> Result<Complete, WireError> {
        let success = self.is_success();
        let body = match self.body.read_to_limit(limit) {
            Err(error) if success || matches!(error.failure, Failure::Stopped(_)) => {
                return Err(error);
            }
            result => result.ok(),
        };
        Ok(Complete {
            url: self.url,
            cross_origin: self.cross_origin,
            shown: self.shown,
            login: self.login,
            status: self.status,
            headers: self.headers,
            body_is_lost: body.is_none(),
            body: body.unwrap_or_default(),
        })
    }

    pub(crate) fn read_to_limit(self, limit: u64) -> Result<Vec<u8>, WireError> {
        self.body.read_to_limit(limit)
    }
}

impl Complete {
    pub(crate) fn shows_registry(&self) -> bool {
        shows_registry(self.status, &self.headers) || self.is_marked()
    }

    /// Whether a registry has marked it: with its version header, or with an error body of the
    /// specification's form.
    pub(crate) fn is_marked(&self) -> bool {
        has_api_version(&self.headers) || !ErrorBody::of(&self.body).errors().is_empty()
    }

    /// Whether this answer to `GET /v2/` is a registry's that wants no login. Some send no version
    /// header; then the body has to be what registries send: `{}`, Quay's `true`, nothing.
    pub(super) fn is_open_ping(&self) -> bool {
        let usual = [&b""[..], b"{}", b"true"];
        !self.cross_origin
            && self.status == 200
            && (shows_registry(200, &self.headers) || usual.contains(&self.body.trim_ascii()))
    }

    /// What the registry itself says is wrong, as it may be shown.
    pub(crate) fn registry_errors(&self, redactor: &Redactor<'_>) -> Vec<RegistryError> {
        parse_error_body(&self.body, redactor)
    }

    /// How long the server asks to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.headers
            .get("retry-after")
            .and_then(|value| parse_retry_after(value, SystemTime::now()))
    }

    /// The token service that was not trusted with the credentials, if that is why the request had
    /// none.
    pub(crate) fn withheld_from(&self) -> Option<&Service> {
        self.shown
            .token()
            .filter(|token| token.login() == TokenLogin::Withheld)
            .map(|token| token.service())
    }

    /// Whether the registry says that the token is good, and not enough (RFC 6750 section 3.1).
    pub(super) fn lacks_scope(&self) -> bool {
        challenges(&self.headers)
            .iter()
            .any(|challenge| challenge.error() == Some("insufficient_scope"))
    }

    /// Go's server and nginx say so in an answer in clear.
    pub(super) fn is_tls_port(&self) -> bool {
        let says = |words: &[u8]| {
            self.body
                .windows(words.len())
                .any(|window| window.eq_ignore_ascii_case(words))
        };
        self.url.scheme() == Scheme::Http
            && self.status == 400
            && (says(b"HTTP request to an HTTPS server")
                || says(b"HTTP request was sent to HTTPS port"))
    }
}

/// The challenges that can be read.
pub(super) fn challenges(headers: &Headers) -> Vec<Challenge> {
    parse_challenges(headers.get_all("www-authenticate")).list
}

/// Whether the headers show that a registry answered: only registries send this field, and only
/// they challenge.
pub(crate) fn shows_registry(status: u16, headers: &Headers) -> bool {
    has_api_version(headers) || status == 401 && !challenges(headers).is_empty()
}

/// Whether a registry has marked its answer with the version of its API.
pub(super) fn has_api_version(headers: &Headers) -> bool {
    headers
        .get("docker-distribution-api-version")
        .is_some_and(|version| version.contains("registry/2"))
}

/// Whether a Content-Type is that of a web server's page, which no registry endpoint answers with.
pub(crate) fn is_page(headers: &Headers) -> bool {
    let content_type = headers.get("content-type").unwrap_or_default();
    content_type.to_ascii_lowercase().contains("html")
}
