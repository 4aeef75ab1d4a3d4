//! Why a question has no good answer: a line on standard error, an object in JSON.

use std::time::Duration;

use ocireg::{Error, ErrorKind};
use serde::Serialize;

use crate::status::Status;
use crate::text::one_line;

/// The fields are those of `error` in `--json`; they stay, and stay in this order.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Reason {
    #[serde(skip)]
    pub(crate) status: Status,
    kind: String,
    http_status: Option<u16>,
    /// The first error code of the registry.
    code: Option<String>,
    message: String,
    retry_after_ms: Option<u64>,
    /// Whether the same question may have an answer later.
    #[serde(skip)]
    pub(crate) may_pass: bool,
}

impl Reason {
    /// An input that can't be meant as a reference at all.
    pub(crate) fn unusable_input(message: String) -> Reason {
        Reason {
            status: Status::Failed,
            kind: snake_case(ErrorKind::InvalidReference),
            http_status: None,
            code: None,
            message,
            retry_after_ms: None,
            may_pass: false,
        }
    }

    /// There is nothing, and the registry has said so.
    pub(crate) fn nothing_found(message: String) -> Reason {
        Reason {
            status: Status::Absent,
            kind: snake_case(ErrorKind::NotFound),
            ..Reason::unusable_input(message)
        }
    }

    /// What to tell on standard error.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// How long the registry asked to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.retry_after_ms.map(Duration::from_millis)
    }

    /// Says first where the question stood.
    pub(crate) fn found_in(self, place: Option<&str>) -> Reason {
        match place {
            Some(place) => Reason {
                message: format!("{place}: {}", self.message),
                ..self
            },
            None => self,
        }
    }
}

impl From<Error> for Reason {
    fn from(error: Error) -> Reason {
        Reason {
            status: Status::of(error.kind()),
            kind: snake_case(error.kind()),
            http_status: error.http_status(),
            code: error
                .registry_errors()
                .first()
                .map(|first| one_line(&first.code)),
            message: one_line(&format!("{error:#}")),
            retry_after_ms: error
                .retry_after()
                .map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
            may_pass: error.kind() == ErrorKind::NotFound || error.is_transient(),
        }
    }
}

/// `NotFound` as `not_found`: the words of `--json` are those of the library.
pub(crate) fn snake_case(name: impl std::fmt::Debug) -> String {
    let mut out = String::new();
    for c in format!("{name:?}").chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use ocireg::DigestSource;

    #[test]
    fn words_of_json() {
        let kinds = [
            (ErrorKind::InvalidReference, "invalid_reference"),
            (ErrorKind::Config, "config"),
            (ErrorKind::NotFound, "not_found"),
            (ErrorKind::RateLimited, "rate_limited"),
            (ErrorKind::DigestMismatch, "digest_mismatch"),
            (ErrorKind::Tls, "tls"),
        ];
        for (kind, word) in kinds {
            assert_eq!(snake_case(kind), word);
        }
        assert_eq!(snake_case(DigestSource::Header), "header");
    }
}
