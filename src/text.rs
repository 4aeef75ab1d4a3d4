//! What all types that are parsed from text share: the error of a text that does not parse, and
//! their traits.
//!
//! The check of a part knows what is wrong and where, but only the outermost parser knows the whole
//! text. So a check returns a [`Fault`], and the parser makes it an error that quotes the text.

use crate::algorithm::Algorithm;
use crate::error::{Error, ErrorKind, printable};

/// Why a text is refused, without the text that the caller gave.
#[derive(Debug)]
pub(crate) struct Fault {
    kind: ErrorKind,
    what: String,
    hint: Option<String>,
}

impl Fault {
    pub(crate) fn new(what: impl Into<String>) -> Fault {
        Fault {
            kind: ErrorKind::InvalidReference,
            what: what.into(),
            hint: None,
        }
    }

    /// For a well-formed text that this library does not support.
    pub(crate) fn unsupported(what: impl Into<String>) -> Fault {
        Fault {
            kind: ErrorKind::Unsupported,
            ..Fault::new(what)
        }
    }

    /// For a character that is not allowed in `part`.
    pub(crate) fn character(c: char, part: &str, at: usize) -> Fault {
        Fault::new(format!("{} in {part} at byte {at}", describe(c)))
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Fault {
        Fault {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// The error about the whole `text`, which should have been a `noun`.
    pub(crate) fn in_text(self, noun: &str, text: &str) -> Error {
        let verdict = match self.kind {
            ErrorKind::Unsupported => "unsupported",
            _ => "invalid",
        };
        let message = format!("{verdict} {noun} \"{}\": {}", quotable(text), self.what);
        let error = Error::new(self.kind, message);
        match self.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

/// The text before and after the first `byte`, which is ASCII. For short texts this is faster than
/// `str::split_once`.
pub(crate) fn cut_at(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|found| found == byte)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Whether `matches` holds for all bytes. It never stops early, so the compiler can check many
/// bytes at once.
pub(crate) fn all_bytes(text: &str, matches: impl Fn(u8) -> bool) -> bool {
    text.bytes().fold(true, |all, byte| all & matches(byte))
}

/// The scheme at the start of `text`, if it is a URL.
pub(crate) fn scheme_of(text: &str) -> Option<&str> {
    // A scheme has no ':', so only the first one can end it.
    let (scheme, rest) = cut_at(text, b':')?;
    if !rest.starts_with("//") {
        return None;
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    (!scheme.is_empty() && scheme.bytes().all(plain)).then_some(scheme)
}

/// Refuses what no text here may be: a URL, or a text with blanks or control characters.
pub(crate) fn check_plain(text: &str) -> Result<(), Fault> {
    if let Some(scheme) = scheme_of(text) {
        let drop_it = format!("drop the \"{}://\"", printable(scheme, 20));
        return Err(Fault::new("a URL").hint(drop_it));
    }
    // This holds for nearly all texts, and is the fastest check.
    if all_bytes(text, |byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    let blank = |c: char| c.is_whitespace() || c.is_control();
    let Some((at, c)) = text.char_indices().find(|(_, c)| blank(*c)) else {
        return Ok(());
    };
    // The error shows the text without the blanks around it, so it has to say where they are.
    let place = match at {
        _ if text.trim().is_empty() => "",
        0 if c.is_whitespace() => " at the start,",
        at if at >= text.trim_end().len() => " at the end,",
        _ => "",
    };
    let what = format!("{}{place} at byte {at}", describe(c));
    Err(Fault::new(what))
}

/// Whether this was meant as a digest: it has a known algorithm, or a value as long as a hash.
pub(crate) fn looks_like_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(algorithm, value)| {
        Algorithm::named(algorithm).is_some() || (value.len() >= 32 && !value.contains('/'))
    })
}

fn describe(c: char) -> String {
    match c {
        'A'..='Z' => format!("upper-case letter '{c}'"),
        ' ' => "a space".to_owned(),
        '!'..='~' => format!("character '{c}'"),
        c if printable(&c.to_string(), 1).starts_with(c) => {
            // Both, because it may look like an ASCII letter.
            format!("character '{c}' (U+{:04X})", u32::from(c))
        }
        c => format!("character U+{:04X}", u32::from(c)),
    }
}

/// The caller's text as an error shows it: capped and on one line. A pasted URL may hold a secret,
/// so what precedes an '@' is hidden if it may be a password, and all that follows a '?' or '#'.
fn quotable(text: &str) -> String {
    let scheme_end = scheme_of(text).map_or(0, |scheme| scheme.len() + "://".len());
    let (scheme, body) = text.split_at(scheme_end);
    let (hidden, body) = match body.rfind('@').map(|at| body.split_at(at)) {
        Some((before, after)) if may_be_password(before, after) => ("…", after),
        _ => ("", body),
    };
    let (body, cut) = match body.find(['?', '#']) {
        Some(at) => (&body[..=at], "…"),
        None => (body, ""),
    };
    let shown = printable(&format!("{scheme}{hidden}{body}"), QUOTED_CHARACTERS);
    format!("{shown}{cut}")
}

/// Whether the text `before` an '@' may have a password. `after` starts with that '@'.
fn may_be_password(before: &str, after: &str) -> bool {
    let digest = looks_like_digest(after.trim_start_matches('@'));
    if digest {
        // A digest follows `name:tag`. Only another '@' makes that a password.
        return before.contains('@');
    }
    before.contains(':') && after != "@"
}

/// How much of a text an error shows: enough to find it in a file, not a whole megabyte.
const QUOTED_CHARACTERS: usize = 200;

/// Implements `FromStr` and `TryFrom<&str>` with the type's own function `parse`, which returns a
/// [`Fault`]. Errors call the type `$noun`. `Debug` shows its text.
macro_rules! parsed_from_text {
    ($type:ty, $noun:literal) => {
        impl std::str::FromStr for $type {
            type Err = crate::Error;

            fn from_str(text: &str) -> crate::Result<Self> {
                Self::parse(text).map_err(|fault| fault.in_text($noun, text))
            }
        }

        impl TryFrom<&str> for $type {
            type Error = crate::Error;

            fn try_from(text: &str) -> crate::Result<Self> {
                text.parse()
            }
        }

        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
    };
}

/// Implements `Display` and `AsRef<str>` with the type's own `as_str`.
macro_rules! shown_as_str {
    ($type:ty) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }
    };
}

pub(crate) use {parsed_from_text, shown_as_str};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s15_a_quoted_text_is_capped_and_holds_no_password_or_query() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let cases = [
            ("alpine:3.20", "alpine:3.20"),
            ("alpine@latest", "alpine@latest"),
            ("alpine:3@", "alpine:3@"),
            ("https://user:hunter2@host/app", "https://…@host/app"),
            ("https://user:hunter2@host", "https://…@host"),
            ("https://user:hun?er#2@host/a", "https://…@host/a"),
            ("https://host/a?sig=hunter2", "https://host/a?…"),
            ("host/a#hunter2", "host/a#…"),
            ("user:hunter2@host/app", "…@host/app"),
            ("user:hunter2@host:5000", "…@host:5000"),
            ("user:hunt@er2@host", "…@host"),
            (&format!("a:1@{digest}"), &format!("a:1@{digest}")),
            (&format!("u:hunter2@h/a@{digest}"), &format!("…@{digest}")),
        ];
        for (text, expected) in cases {
            assert_eq!(quotable(text), expected);
        }
        assert_eq!(
            quotable(&"a".repeat(1_000_000)).chars().count(),
            QUOTED_CHARACTERS + 1
        );
    }

    #[test]
    fn a_character_is_named_so_that_it_can_be_found() {
        let cases = [
            ('F', "upper-case letter 'F'"),
            ('%', "character '%'"),
            (' ', "a space"),
            ('\u{430}', "character '\u{430}' (U+0430)"),
            ('\n', "character U+000A"),
            ('\u{202e}', "character U+202E"),
        ];
        for (c, expected) in cases {
            assert_eq!(describe(c), expected);
        }
    }
}
