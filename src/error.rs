//! The one error type.
//!
//! Every failure says which registry and reference it is about, what happened, and what the caller
//! can do, if anything. It keeps its cause and never shows a secret.

use std::error::Error as StdError;
use std::fmt::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use crate::http::RateLimit;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call gave no answer.
///
/// The text (`Display`) is one line: what the call was about, what happened, what to do. It never
/// holds a password, a token or the query of a signed URL. It has at most 4 KiB. Text from a server
/// is capped and has no control characters. The cause, if there is one, is the
/// [`source`](StdError::source); `{:#}` adds the causes, still in one line.
///
/// ```
/// let error = "registry.example.com/Team/app".parse::<ocireg::Reference>().unwrap_err();
/// assert_eq!(error.kind(), ocireg::ErrorKind::InvalidReference);
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    subject: Option<String>,
    message: String,
    hint: Option<String>,
    http_status: Option<u16>,
    registry_errors: Vec<RegistryError>,
    retry_after: Option<Duration>,
    rate_limit: Option<RateLimit>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// What went wrong, in terms that a caller can act on.
///
/// No kind changes its meaning, but new ones may come, so match with a `_` arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument other than a reference is unusable.
    InvalidArgument,
    /// A reference, registry, repository name, tag or digest does not follow its grammar.
    InvalidReference,
    /// A setting is unusable, such as a file that can't be read or a certificate that can't be
    /// parsed.
    Config,
    /// The client can't be used in its present state.
    State,
    /// The registry or this library does not support what was asked.
    Unsupported,
    /// The host name could not be resolved.
    Resolve,
    /// No connection could be made.
    Connect,
    /// TLS failed: the certificate authority is unknown, the certificate has another name or has
    /// expired, or the server does not speak TLS.
    Tls,
    /// A time limit ran out.
    Timeout,
    /// The connection broke.
    Transport,
    /// The registry refused the credentials themselves.
    Unauthorized,
    /// The registry refused this repository (HTTP 401 or 403): it is private, hidden or missing.
    Denied,
    /// The registry says that it does not have it (HTTP 404).
    NotFound,
    /// The registry got too many requests (HTTP 429). [`Error::retry_after`] says when to try
    /// again.
    RateLimited,
    /// The registry failed (HTTP 5xx).
    Server,
    /// The registry rejected the request (another HTTP 4xx).
    Rejected,
    /// The answer is not that of a registry.
    Protocol,
    /// The content does not have the digest it should have.
    DigestMismatch,
    /// An answer is larger than its limit.
    TooLarge,
    /// Reading or writing on this machine failed.
    Io,
    /// The call was cancelled.
    Cancelled,
    /// A callback of the caller stopped the call.
    Callback,
}

/// One entry of the `errors` list in a registry's answer (distribution spec, "Error Codes").
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistryError {
    /// The code as sent, such as `MANIFEST_UNKNOWN`. Registries also have codes of their own.
    pub code: String,
    /// The message as sent, but printable and capped. It may be empty.
    pub message: String,
    /// The `detail` as JSON text, capped. It may be any JSON value.
    pub detail: Option<String>,
}

impl Error {
    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The registry, repository or reference that the call was about.
    pub fn subject(&self) -> Option<&str> {
        self.0.subject.as_deref()
    }

    /// What happened, without the subject and the hint.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What the caller can do about it, if anything.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The HTTP status that decided, if an answer came. It tells 401 from 403 if the kind is
    /// [`ErrorKind::Denied`].
    pub fn http_status(&self) -> Option<u16> {
        self.0.http_status
    }

    /// What the registry itself said, in its order. Empty if its answer could not be read.
    pub fn registry_errors(&self) -> &[RegistryError] {
        &self.0.registry_errors
    }

    /// How long the registry asked to wait (`Retry-After`), uncapped.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The rate limit that the failed answer reported.
    pub fn rate_limit(&self) -> Option<&RateLimit> {
        self.0.rate_limit.as_ref()
    }

    /// The error number of the operating system (`errno`) that caused it, if there is one.
    pub fn os_code(&self) -> Option<i32> {
        self.causes()
            .find_map(|cause| cause.downcast_ref::<std::io::Error>()?.raw_os_error())
    }

    /// Whether the same call may succeed later: after a network failure, a timeout, HTTP 429 or
    /// 5xx.
    pub fn is_transient(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Resolve
                | ErrorKind::Connect
                | ErrorKind::Timeout
                | ErrorKind::Transport
                | ErrorKind::RateLimited
                | ErrorKind::Server
        )
    }

    /// The chain of its causes, the direct one first.
    fn causes(&self) -> impl Iterator<Item = &(dyn StdError + 'static)> {
        let mut next = self.source();
        std::iter::from_fn(move || {
            let cause = next?;
            next = cause.source();
            Some(cause)
        })
    }

    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error(Box::new(Inner {
            kind,
            subject: None,
            message: message.into(),
            hint: None,
            http_status: None,
            registry_errors: Vec::new(),
            retry_after: None,
            rate_limit: None,
            source: None,
        }))
    }

    /// Says what the call was about. If that is already said, it stays, because the innermost
    /// subject is the most exact one.
    pub(crate) fn about(mut self, subject: impl fmt::Display) -> Error {
        if self.0.subject.is_none() {
            self.0.subject = Some(subject.to_string());
        }
        self
    }

    /// The same error for another call that failed in the same way.
    pub(crate) fn about_instead(mut self, subject: impl fmt::Display) -> Error {
        self.0.subject = Some(subject.to_string());
        self
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Error {
        self.0.hint = Some(hint.into());
        self
    }

    pub(crate) fn with_http_status(mut self, status: u16) -> Error {
        self.0.http_status = Some(status);
        self
    }

    pub(crate) fn with_registry_errors(mut self, errors: Vec<RegistryError>) -> Error {
        self.0.registry_errors = errors;
        self
    }

    pub(crate) fn with_retry_after(mut self, retry_after: Option<Duration>) -> Error {
        self.0.retry_after = retry_after;
        self
    }

    pub(crate) fn with_rate_limit(mut self, rate_limit: Option<RateLimit>) -> Error {
        self.0.rate_limit = rate_limit;
        self
    }

    pub(crate) fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        self.0.source = Some(source.into().into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        let with_causes = f.alternate();
        let (out, left) = (f, MAX_TEXT - MAX_HINT);
        let mut text = Capped { out, left };
        if let Some(subject) = &inner.subject {
            write!(text, "{subject}: ")?;
        }
        text.write_str(&inner.message)?;
        if with_causes {
            let mut shown = inner.message.clone();
            for cause in self.causes() {
                let cause = printable(&cause.to_string(), MAX_CAUSE);
                if !shown.contains(&cause) {
                    write!(text, ": {cause}")?;
                    shown.push_str(&cause);
                }
            }
        }
        if let Some(hint) = &inner.hint {
            text.left = MAX_HINT;
            write!(text, " ({hint})")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        let mut debug = f.debug_struct("Error");
        debug
            .field("kind", &inner.kind)
            .field("text", &self.to_string());
        if let Some(status) = inner.http_status {
            debug.field("http_status", &status);
        }
        if !inner.registry_errors.is_empty() {
            debug.field("registry_errors", &inner.registry_errors);
        }
        if let Some(source) = &inner.source {
            debug.field("source", source);
        }
        debug.finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// The most bytes of an error's text, and those of them that are kept for the hint. The command
/// puts a few words in front of it, and the line then has at most 4 KiB.
const MAX_TEXT: usize = 4000;
const MAX_HINT: usize = 1000;
/// The longest cause that `{:#}` shows. Most are a sentence, but some quote a server.
const MAX_CAUSE: usize = 400;

/// Makes text from outside safe to show: one line, no control, bidirectional or escape characters,
/// at most `limit` characters. A registry's message must not be able to rewrite a terminal.
pub(crate) fn printable(text: &str, limit: usize) -> String {
    let mut out = String::new();
    for (count, c) in text.trim().chars().enumerate() {
        if count == limit {
            out.push('…');
            break;
        }
        out.push(match c {
            '\n' | '\r' | '\t' => ' ',
            c if is_unprintable(c) => '\u{fffd}',
            c => c,
        });
    }
    out
}

/// Whether a character controls how text around it is shown, or can't be seen itself: control
/// characters, line separators, marks of direction, and what Unicode calls default ignorable.
/// Blanks are printable. Public for the command, and no part of the API.
#[doc(hidden)]
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{13430}'..='\u{1343f}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Writes at most so many bytes of text, and `…` for the rest.
struct Capped<'a, 'f> {
    out: &'a mut fmt::Formatter<'f>,
    left: usize,
}

impl Write for Capped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() <= self.left {
            self.left -= text.len();
            return self.out.write_str(text);
        }
        let mut end = std::mem::take(&mut self.left);
        if end == 0 {
            return Ok(());
        }
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.out.write_str(&text[..end])?;
        self.out.write_str("…")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s15_foreign_text_is_one_printable_capped_line() {
        let cases = [
            ("  plain text ", 100, "plain text"),
            ("two\nlines\r\n", 100, "two lines"),
            ("\u{1b}[31mred\u{1b}[0m", 100, "\u{fffd}[31mred\u{fffd}[0m"),
            ("a\u{0}b", 100, "a\u{fffd}b"),
            ("user\u{202e}gpj.exe", 100, "user\u{fffd}gpj.exe"),
            ("0123456789abc", 10, "0123456789…"),
            ("soft\u{ad}hyphen", 100, "soft\u{fffd}hyphen"),
            ("a\u{61c}b\u{180e}c", 100, "a\u{fffd}b\u{fffd}c"),
            ("a\u{3164}b\u{fff9}c", 100, "a\u{fffd}b\u{fffd}c"),
            ("a\u{e0000}b\u{e0041}", 100, "a\u{fffd}b\u{fffd}"),
            ("a\u{fe0f}b\u{2800}c", 100, "a\u{fffd}b\u{fffd}c"),
            ("grüße 漢字 \u{1f980}", 100, "grüße 漢字 \u{1f980}"),
        ];
        for (input, limit, expected) in cases {
            assert_eq!(printable(input, limit), expected, "{input:?}");
        }
    }

    #[test]
    fn the_text_names_subject_message_and_hint_and_the_source_stays() {
        let error = Error::new(ErrorKind::Tls, "certificate not trusted")
            .with_hint("give its CA with --ca-file")
            .caused_by("UnknownIssuer")
            .about("registry.example.com")
            .about("an outer subject that must not win");
        assert_eq!(
            error.to_string(),
            "registry.example.com: certificate not trusted (give its CA with --ca-file)"
        );
        assert_eq!(
            error.source().map(ToString::to_string).as_deref(),
            Some("UnknownIssuer")
        );
    }

    #[test]
    fn the_alternate_text_adds_what_the_causes_add() {
        let refused = std::io::Error::from_raw_os_error(111);
        let words = refused.to_string();
        let inner = Error::new(ErrorKind::Connect, "no answer\n").caused_by(refused);
        let outer = Error::new(ErrorKind::Connect, "can't connect")
            .with_hint("is it running?")
            .caused_by(inner)
            .about("localhost:5000");
        assert_eq!(
            format!("{outer:#}"),
            format!("localhost:5000: can't connect: no answer: {words} (is it running?)")
        );
        assert_eq!(outer.os_code(), Some(111));
        let silent = Error::new(ErrorKind::Tls, "no certificate: expired").caused_by("expired");
        assert_eq!(format!("{silent:#}"), "no certificate: expired");
        assert_eq!(silent.os_code(), None);
    }

    #[test]
    fn s15_no_text_has_more_than_four_kib_and_the_hint_stays_readable() {
        let long = "ä".repeat(10_000);
        let error = Error::new(ErrorKind::Protocol, long.clone())
            .about(&long)
            .caused_by(long.clone());
        for text in [error.to_string(), format!("{error:#}")] {
            assert!(text.len() <= 4096 && text.ends_with('…'), "{}", text.len());
        }
        let helpful = error.clone().with_hint("do this");
        assert!(format!("{helpful:#}").ends_with("… (do this)"));
        let text = format!("{:#}", error.with_hint(long));
        assert!(text.len() <= 4096, "{}", text.len());
    }

    #[test]
    fn an_error_is_one_word_and_can_move_between_threads() {
        fn shared<T: Send + Sync + 'static>() {}
        shared::<Error>();
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
