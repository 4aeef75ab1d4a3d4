//! Why an image was not found: a line on standard error, and an object in JSON.

use std::time::Duration;

use ocireg::{Error, ErrorKind};
use serde::Serialize;

use crate::status::Status;
use crate::text::one_line;

/// The fields are those of `error` in `--json`. They and their order are part of the interface.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Reason {
    #[serde(skip)]
    pub(crate) status: Status,
    kind: String,
    http_status: Option<u16>,
    /// The registry's first error code.
    code: Option<String>,
    message: String,
    retry_after_ms: Option<u64>,
    /// Whether the same question may be answered with yes later.
    #[serde(skip)]
    pub(crate) may_pass: bool,
}

impl Reason {
    /// The input can't be a reference.
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

    /// The registry says that there is nothing.
    pub(crate) fn nothing_found(message: String) -> Reason {
        Reason {
            status: Status::Absent,
            kind: snake_case(ErrorKind::NotFound),
            ..Reason::unusable_input(message)
        }
    }

    /// The text for standard error.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// How long the registry wants us to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.retry_after_ms.map(Duration::from_millis)
    }

    /// Adds the place of the reference in the input before the message.
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

/// Turns `NotFound` into `not_found`: `--json` uses the words of the library.
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
