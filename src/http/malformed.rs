//! The error of the header parsers.

use std::fmt;

use super::shown_url;
use crate::redact::Redactor;

/// Says that a header value does not follow its grammar: which header, what is wrong, and where.
///
/// ```text
/// malformed Link header: no "<" at "/v2/_catalog"
/// ```
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Malformed {
    header: &'static str,
    problem: &'static str,
    /// The text that begins at the problem, as it was sent.
    near: String,
}

impl Malformed {
    /// `near` is the text that begins at the problem.
    pub(crate) fn new(header: &'static str, problem: &'static str, near: &str) -> Malformed {
        Malformed {
            header,
            problem,
            near: near.to_owned(),
        }
    }

    /// What is wrong, and where, without secrets.
    pub(crate) fn shown(&self, redactor: &Redactor<'_>) -> String {
        let problem = format!("malformed {} header: {}", self.header, self.problem);
        let near = redactor.shown(shown_url(&redactor.hide(&self.near)), MAX_SHOWN);
        match near.is_empty() {
            true => problem,
            false => format!("{problem} at \"{near}\""),
        }
    }
}

/// The text at the problem may hold a secret.
impl fmt::Debug for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed {} header: {}", self.header, self.problem)
    }
}

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
            assert_eq!(error.shown(&Redactor::without_secrets()), expected);
        }
    }

    #[test]
    fn b10_a_long_header_is_capped() {
        let error = Malformed::new("WWW-Authenticate", "no end", &"x".repeat(60_000));
        let shown = error.shown(&Redactor::without_secrets());
        assert_eq!(shown.matches('x').count(), MAX_SHOWN);
    }
}
