//! A server's answer, and the one place where a status becomes an error.

use std::time::{Duration, SystemTime};

use super::call::Call;
use crate::auth::challenge::parse_challenges;
use crate::auth::{Authorization, Service, TokenLogin};
use crate::error::{Error, ErrorKind, RegistryError, printable};
use crate::http::error_body::{looks_like_registry_error, parse_error_body};
use crate::http::retry_after::parse_retry_after;
use crate::http::{Headers, RateLimit};
use crate::transport::{Body, Failure, WireError};
use crate::url::{Scheme, Url};

/// The most that is read of an error's body, whose text is only shown, and of a ping's, which is
/// `{}`.
const MAX_SMALL_BODY: u64 = 64 * 1024;

/// What was answered, and by which URL. The body is still to be read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) url: Url,
    /// Whether a redirect has led to another server on the way: then the answer is not the word of
    /// the one that was asked.
    pub(crate) strayed: bool,
    /// What the request had to show for itself.
    pub(crate) shown: Authorization,
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: Body,
}

/// An answer read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Complete {
    pub(crate) url: Url,
    /// As for [`Answer`].
    pub(crate) strayed: bool,
    pub(crate) shown: Authorization,
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
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
            result => result.unwrap_or_default(),
        };
        Ok(Complete {
            url: self.url,
            strayed: self.strayed,
            shown: self.shown,
            status: self.status,
            headers: self.headers,
            body,
        })
    }

    pub(crate) fn read_to_limit(self, limit: u64) -> Result<Vec<u8>, WireError> {
        self.body.read_to_limit(limit)
    }
}

/// Whether the headers show that a registry answered: only registries send this one, and only they
/// challenge (decision 2).
pub(crate) fn shows_registry(status: u16, headers: &Headers) -> bool {
    headers
        .get("docker-distribution-api-version")
        .is_some_and(|version| version.contains("registry/2"))
        || status == 401
            && !parse_challenges(headers.get_all("www-authenticate"))
                .list
                .is_empty()
}

/// Whether a Content-Type is that of a web server's page, which no registry endpoint answers with.
pub(crate) fn is_page(headers: &Headers) -> bool {
    let content_type = headers.get("content-type").unwrap_or_default();
    content_type.to_ascii_lowercase().contains("html")
}

/// What the server itself says is wrong, as the end of a message.
pub(super) fn words_of(errors: &[RegistryError]) -> String {
    let mut words = String::new();
    for error in errors.iter().take(3) {
        words.push_str(&format!("; it says {}", error.code));
        if !error.message.is_empty() {
            words.push_str(&format!(": {}", printable(&error.message, 200)));
        }
    }
    words
}

impl Complete {
    pub(crate) fn shows_registry(&self) -> bool {
        shows_registry(self.status, &self.headers) || looks_like_registry_error(&self.body)
    }

    /// What the registry itself says is wrong.
    pub(crate) fn registry_errors(&self) -> Vec<RegistryError> {
        parse_error_body(&self.body)
    }

    /// How long the server asks to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.headers
            .get("retry-after")
            .and_then(|value| parse_retry_after(value, SystemTime::now()))
    }

    /// The error that this answer is, for a call about `call.subject`.
    pub(crate) fn into_error(self, call: &Call<'_>) -> Error {
        if self.is_tls_port() {
            let message = "asked over http, but the server speaks TLS here";
            return Error::new(ErrorKind::Tls, message)
                .with_hint("use https for this registry (--https, or https)")
                .with_http_status(self.status)
                .about(call.subject);
        }
        // Some registries hide behind a 404 what they would show to a login.
        if let (401 | 403 | 404, Some(service)) = (self.status, self.withheld_from()) {
            return call.withheld(service).with_http_status(self.status);
        }
        let (kind, what, hint) = self.verdict();
        let mut message = format!("{} {what} (HTTP {})", self.url.authority(), self.status);
        if self.status == 401 {
            message.push_str(&self.challenge_text());
        }
        let registry_errors = self.registry_errors();
        message.push_str(&words_of(&registry_errors));
        let retry_after = self.retry_after();
        let mut error = Error::new(kind, message)
            .with_http_status(self.status)
            .with_registry_errors(registry_errors)
            .with_retry_after(retry_after)
            .with_rate_limit(RateLimit::from_headers(&self.headers))
            .about(call.subject);
        if let Some(hint) = hint {
            error = error.with_hint(hint);
        } else if let Some(wait) = retry_after {
            error = error.with_hint(format!("try again in {} s", wait.as_secs_f64().ceil()));
        }
        error
    }

    /// Kind, what the host does, and what the caller can do.
    fn verdict(&self) -> (ErrorKind, &'static str, Option<&'static str>) {
        const IN_BETWEEN: Option<&str> =
            Some("something in front of the registry answers, or something else than one");
        const CREDENTIALS: Option<&str> = Some("check the credentials given for this registry");
        const LATER: Option<&str> = Some("try again later");
        const HIDDEN: Option<&str> =
            Some("private, hidden or missing: a registry does not say which");
        match (self.status, &self.shown) {
            (401 | 403, _) if self.strayed => (
                ErrorKind::Protocol,
                "refuses; the registry redirects there, and credentials do not follow",
                None,
            ),
            (401 | 403, _) if is_page(&self.headers) && !self.shows_registry() => (
                ErrorKind::Protocol,
                "refuses with a page that no registry sends",
                IN_BETWEEN,
            ),
            (401, Authorization::Basic(_)) => (
                ErrorKind::Unauthorized,
                "refuses the user name and password",
                CREDENTIALS,
            ),
            (401, Authorization::Bearer(_)) if !self.lacks_scope() => {
                (ErrorKind::Unauthorized, "refuses the token", CREDENTIALS)
            }
            (401, Authorization::None) => {
                (ErrorKind::Denied, "refuses, and asks for a login", None)
            }
            (401 | 403, _) => (ErrorKind::Denied, "refuses this", HIDDEN),
            (404, _) => (ErrorKind::NotFound, "answers: not found", None),
            (405 | 501, _) => (
                ErrorKind::Unsupported,
                "does not support this request",
                None,
            ),
            (408 | 499, _) => (ErrorKind::Server, "gave up waiting", LATER),
            (429, _) => (
                ErrorKind::RateLimited,
                "limits requests, and the limit is reached",
                None,
            ),
            (300..=399, _) => (
                ErrorKind::Protocol,
                "answers with a redirect that is not one",
                None,
            ),
            (400..=499, _) => (ErrorKind::Rejected, "rejects the request", None),
            (500..=599, _) => (ErrorKind::Server, "failed", LATER),
            _ => (
                ErrorKind::Protocol,
                "answers with a status that means nothing here",
                None,
            ),
        }
    }

    /// The token service that was not trusted with the credentials, if that is why the request had
    /// none.
    fn withheld_from(&self) -> Option<&Service> {
        self.shown
            .token()
            .filter(|token| token.login() == TokenLogin::Withheld)
            .map(|token| token.service())
    }

    /// Whether the registry says that the token is good, and not enough (RFC 6750, 3.1).
    fn lacks_scope(&self) -> bool {
        let challenges = parse_challenges(self.headers.get_all("www-authenticate")).list;
        challenges
            .iter()
            .any(|challenge| challenge.error() == Some("insufficient_scope"))
    }

    fn challenge_text(&self) -> String {
        let challenges = parse_challenges(self.headers.get_all("www-authenticate"));
        let named: Vec<String> = challenges
            .list
            .iter()
            .map(|challenge| challenge.summary())
            .collect();
        if named.is_empty() {
            return ", without saying how".to_owned();
        }
        format!(": {}", printable(&named.join(", "), 300))
    }

    /// Go's server and nginx say it in an answer in clear (B12).
    fn is_tls_port(&self) -> bool {
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
