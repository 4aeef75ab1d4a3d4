//! The error of the header parsers.

use std::error::Error as StdError;
use std::fmt;

use super::shown_url;
use crate::error::printable;

/// Says that a header value does not follow its grammar: which header, what is wrong, and where.
///
/// ```text
/// malformed Link header: no "<" at "/v2/_catalog"
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Malformed {
    header: &'static str,
    problem: &'static str,
    near: String,
}

impl Malformed {
    /// `near` is the text that begins at the problem. What may be secret in it is not kept.
    pub(crate) fn new(header: &'static str, problem: &'static str, near: &str) -> Malformed {
        Malformed {
            header,
            problem,
            near: printable(shown_url(near), MAX_SHOWN),
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed {} header: {}", self.header, self.problem)?;
        if self.near.is_empty() {
            return Ok(());
        }
        write!(f, " at \"{}\"", self.near)
    }
}

impl StdError for Malformed {}

/// How much of the text is shown: enough to find the place. A header may have 64 KiB.
const MAX_SHOWN: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s15_the_text_names_header_problem_and_place_without_secrets() {
        let cases = [
            (
                "/v2/_catalog",
                r#"malformed Link header: no "<" at "/v2/_catalog""#,
            ),
            ("", r#"malformed Link header: no "<""#),
            (
                "https://s3/x?X-Sig=secret",
                r#"malformed Link header: no "<" at "https://s3/x""#,
            ),
            (
                "https://me:secret@host/",
                r#"malformed Link header: no "<" at "REDACTED""#,
            ),
            (
                "a\u{1b}[2J",
                "malformed Link header: no \"<\" at \"a\u{fffd}[2J\"",
            ),
        ];
        for (near, expected) in cases {
            let error = Malformed::new("Link", "no \"<\"", near);
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn b10_a_long_header_is_capped() {
        let error = Malformed::new("WWW-Authenticate", "no end", &"x".repeat(60_000));
        assert_eq!(error.to_string().matches('x').count(), MAX_SHOWN);
    }
}
