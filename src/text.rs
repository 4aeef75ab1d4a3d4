//! What the types made from text share: how a refusal is worded, and the traits that only repeat
//! the text.
//!
//! A part's check knows what is wrong and where; only the outermost parser knows the whole text. So
//! a check answers a [`Fault`], and the parser turns it into the error that quotes what the caller
//! gave.

use crate::algorithm::Algorithm;
use crate::error::{Error, ErrorKind, printable};

/// Why a text is refused, before it is known which text the caller gave.
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

    /// The text is well-formed, but this library can't do what it asks for.
    pub(crate) fn unsupported(what: impl Into<String>) -> Fault {
        Fault {
            kind: ErrorKind::Unsupported,
            ..Fault::new(what)
        }
    }

    /// A character that may not stand in `part`.
    pub(crate) fn character(c: char, part: &str, at: usize) -> Fault {
        Fault::new(format!("{} in {part} at byte {at}", describe(c)))
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Fault {
        Fault {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// The error about the whole `text`, which was meant as a `noun`.
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

/// What is before and behind the first `byte`, which is an ASCII one. The texts here are short, and
/// for those it is quicker than `str::split_once`.
pub(crate) fn cut_at(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|found| found == byte)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Whether all bytes are such ones. It looks at all, also where one would do, and so at many at
/// once.
pub(crate) fn all_bytes(text: &str, such: impl Fn(u8) -> bool) -> bool {
    text.bytes().fold(true, |all, byte| all & such(byte))
}

/// The scheme in front of `text`, if it is a URL.
pub(crate) fn scheme_of(text: &str) -> Option<&str> {
    // A scheme has no ':' in it, so only the first can end one.
    let (scheme, rest) = cut_at(text, b':')?;
    if !rest.starts_with("//") {
        return None;
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    (!scheme.is_empty() && scheme.bytes().all(plain)).then_some(scheme)
}

/// The refusal of `text` for what no text here may be: a URL, or something with blanks or control
/// characters in it.
pub(crate) fn check_plain(text: &str) -> Result<(), Fault> {
    if let Some(scheme) = scheme_of(text) {
        let drop_it = format!("drop the \"{}://\"", printable(scheme, 20));
        return Err(Fault::new("a URL").hint(drop_it));
    }
    // Nearly all texts, and the digest of every answer among them, need no closer look.
    if all_bytes(text, |byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    let blank = |c: char| c.is_whitespace() || c.is_control();
    let Some((at, c)) = text.char_indices().find(|(_, c)| blank(*c)) else {
        return Ok(());
    };
    // The quoted text is trimmed, so blanks around it don't show.
    let place = match at {
        _ if text.trim().is_empty() => "",
        0 if c.is_whitespace() => " at the start,",
        at if at >= text.trim_end().len() => " at the end,",
        _ => "",
    };
    let what = format!("{}{place} at byte {at}", describe(c));
    Err(Fault::new(what))
}

/// Whether this is meant as a digest: a known algorithm, or a value about as long as a hash.
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
            // Both, for the letter that looks like another one.
            format!("character '{c}' (U+{:04X})", u32::from(c))
        }
        c => format!("character U+{:04X}", u32::from(c)),
    }
}

/// The caller's text as an error may show it: capped, on one line, and without what may be a secret
/// in a pasted URL (S15), which is what stands before an '@' and is no name, and what follows a '?'
/// or '#'.
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

/// `after` starts with the '@'.
fn may_be_password(before: &str, after: &str) -> bool {
    let digest = looks_like_digest(after.trim_start_matches('@'));
    if digest {
        // Before a digest stands `name:tag`; only a second '@' makes it a password.
        return before.contains('@');
    }
    before.contains(':') && after != "@"
}

/// Enough to find the text in a file; a reference of a megabyte must not become a message of a
/// megabyte.
const QUOTED_CHARACTERS: usize = 200;

/// The traits of a type whose `parse(&str) -> Result<Self, Fault>` is its only door: parsing as
/// `$noun`, and a `Debug` that is the text.
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

/// The traits of a type that holds its own text and has `as_str`.
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
