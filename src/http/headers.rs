//! The headers of one answer.

use std::borrow::Cow;
use std::fmt;

use super::link::links;
use super::shown_url;

/// The header fields of an answer in their order. A name may come more than once (RFC 9110 section
/// 5.2).
///
/// One string holds them all, because every lookup builds such a value, and an answer has about a
/// dozen fields.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Headers {
    /// All names, in lower case, and values, without anything between them.
    text: String,
    fields: Vec<Field>,
}

/// Where a field is in the text. Its name begins at `name` and ends at `value`, where its value
/// begins, which ends at `end`.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Field {
    name: usize,
    value: usize,
    end: usize,
}

impl Headers {
    /// With space for this number of fields.
    pub(crate) fn with_capacity(fields: usize) -> Headers {
        Headers {
            // Most fields are shorter than 64 bytes. The longest that registries send hold a
            // digest.
            text: String::with_capacity(fields * 64),
            fields: Vec::with_capacity(fields),
        }
    }

    /// Adds a field. Bytes that are not UTF-8 become U+FFFD. No field that this library reads may
    /// have any.
    pub(crate) fn push(&mut self, name: &str, value: &[u8]) {
        let start = self.text.len();
        self.text.push_str(name);
        self.text[start..].make_ascii_lowercase();
        let behind_name = self.text.len();
        // Whitespace around a value is not part of it (RFC 9110 section 5.5).
        let value = value.trim_ascii();
        // For valid UTF-8 this is several times as fast as `from_utf8_lossy` alone.
        match std::str::from_utf8(value) {
            Ok(value) => self.text.push_str(value),
            Err(_) => self.text.push_str(&String::from_utf8_lossy(value)),
        }
        self.fields.push(Field {
            name: start,
            value: behind_name,
            end: self.text.len(),
        });
    }

    /// The first value of this name, whose case does not matter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).next()
    }

    /// All values of this name, whose case does not matter.
    pub(crate) fn get_all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields
            .iter()
            // Most names already differ in length, and a lookup reads about twenty fields.
            .filter(move |field| field.value - field.name == name.len())
            .filter(move |field| self.name(field).eq_ignore_ascii_case(name))
            .map(|field| self.value(field))
    }

    /// The value of this name, if all its fields have the same.
    pub(crate) fn get_agreed(&self, name: &str) -> Option<&str> {
        let mut values = self.get_all(name);
        let first = values.next()?;
        values.all(|other| other == first).then_some(first)
    }

    fn name(&self, field: &Field) -> &str {
        &self.text[field.name..field.value]
    }

    fn value(&self, field: &Field) -> &str {
        &self.text[field.value..field.end]
    }
}

/// Shows only values that hold no secret. It hides `Set-Cookie`, the query of a signed `Location`,
/// and all fields that it does not know.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.fields.iter().map(|field| {
                let name = self.name(field);
                (name, shown(name, self.value(field)))
            }))
            .finish()
    }
}

fn shown<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    match name {
        "content-type"
        | "content-length"
        | "docker-content-digest"
        | "docker-distribution-api-version"
        | "retry-after"
        | "warning" => Cow::Borrowed(value),
        name if name.starts_with("ratelimit-") => Cow::Borrowed(value),
        "location" => Cow::Borrowed(shown_url(value)),
        "link" => shown_links(value),
        _ => Cow::Borrowed("REDACTED"),
    }
}

fn shown_links(value: &str) -> Cow<'_, str> {
    let Ok(links) = links(value) else {
        return Cow::Borrowed("REDACTED");
    };
    let shown = links.iter().map(|link| {
        let target = shown_url(link.target);
        let query = if link.target.contains('?') {
            "?REDACTED"
        } else {
            ""
        };
        let rel = if link.is_next { r#"; rel="next""# } else { "" };
        format!("<{target}{query}>{rel}")
    });
    Cow::Owned(shown.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn headers(lines: &[(&str, &str)]) -> Headers {
        let mut headers = Headers::default();
        for (name, value) in lines {
            headers.push(name, value.as_bytes());
        }
        headers
    }

    #[test]
    fn rfc9110_5_1_names_have_no_case_and_lines_keep_their_order() {
        let headers = headers(&[("Link", "a"), ("X", "b"), ("LINK", " c\t")]);
        assert_eq!(headers.get("link"), Some("a"));
        assert_eq!(headers.get("LiNk"), Some("a"));
        assert_eq!(headers.get_all("Link").collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!(headers.get("y"), None);
    }

    #[test]
    fn fields_that_differ_agree_on_nothing() {
        let headers = headers(&[("A", "1"), ("B", "1"), ("a", "1"), ("b", "2")]);
        assert_eq!(headers.get_agreed("a"), Some("1"));
        assert_eq!(headers.get_agreed("b"), None);
        assert_eq!(headers.get_agreed("c"), None);
    }

    #[test]
    fn rfc9110_5_5_bytes_that_are_no_text_do_not_fail() {
        let mut headers = Headers::default();
        headers.push("Warning", b"299 - \"caf\xe9\"");
        assert_eq!(headers.get("warning"), Some("299 - \"caf\u{fffd}\""));
    }

    #[test]
    fn s15_debug_shows_an_allow_list_of_values() {
        let cases = [
            ("Content-Type", "text/html", "text/html"),
            ("Docker-Content-Digest", "sha256:00", "sha256:00"),
            ("RateLimit-Limit", "100;w=21600", "100;w=21600"),
            ("Retry-After", "7", "7"),
            ("Set-Cookie", "sid=secret", "REDACTED"),
            ("Authorization", "Bearer secret", "REDACTED"),
            ("Www-Authenticate", "Bearer realm=x", "REDACTED"),
            ("X-Amz-Id", "secret", "REDACTED"),
            ("Location", "https://h/p?sig=secret", "https://h/p"),
            ("Location", "https://u:secret@h/p", "REDACTED"),
            (
                "Link",
                "</v2/_catalog?last=secret>; rel=next",
                r#"</v2/_catalog?REDACTED>; rel=\"next\""#,
            ),
            ("Link", "</a>; title=secret", "</a>"),
            ("Link", "secret", "REDACTED"),
            ("Warning", "299 - \u{1b}[2J", "299 - \\u{1b}[2J"),
        ];
        for (name, value, expected) in cases {
            let text = format!("{:?}", headers(&[(name, value)]));
            let name = name.to_ascii_lowercase();
            assert_eq!(text, format!("{{\"{name}\": \"{expected}\"}}"));
        }
    }

    proptest! {
        #[test]
        fn any_line_is_kept_and_never_panics(name in "[!-~]{1,20}", value in any::<Vec<u8>>()) {
            let mut headers = Headers::default();
            headers.push(&name, &value);
            prop_assert!(headers.get(&name).is_some());
            let _ = format!("{headers:?}");
        }
    }
}
