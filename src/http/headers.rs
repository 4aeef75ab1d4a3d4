//! The headers of one answer.

use std::borrow::Cow;
use std::fmt;

use super::link::links;
use super::shown_url;

/// Headers in the order they came; a name may come more than once (RFC 9110 section 5.2).
///
/// All in one text: an answer has a dozen headers, and every lookup makes these anew.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Headers {
    /// Names, in lower case, and values, one behind the other.
    text: String,
    fields: Vec<Field>,
}

/// Where a header is in the text: from `name` its name, from `value` to `end` its value.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Field {
    name: usize,
    value: usize,
    end: usize,
}

impl Headers {
    /// With room for so many headers.
    pub(crate) fn with_capacity(fields: usize) -> Headers {
        Headers {
            // Most are shorter; a registry's longest hold a digest.
            text: String::with_capacity(fields * 64),
            fields: Vec::with_capacity(fields),
        }
    }

    /// Adds a header line. Bytes that are no UTF-8 become U+FFFD: no header we read may hold any.
    pub(crate) fn push(&mut self, name: &str, value: &[u8]) {
        let start = self.text.len();
        self.text.push_str(name);
        self.text[start..].make_ascii_lowercase();
        let behind_name = self.text.len();
        // Optional whitespace around a value does not belong to it (RFC 9110 section 5.5).
        let value = value.trim_ascii();
        // `from_utf8_lossy` alone takes several times as long for what is UTF-8, as all headers we
        // read are.
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

    /// The first value of this name, in any case.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).next()
    }

    /// All values of this name, in any case.
    pub(crate) fn get_all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields
            .iter()
            // Most differ in length already, and a lookup asks for twenty names.
            .filter(move |field| field.value - field.name == name.len())
            .filter(move |field| self.name(field).eq_ignore_ascii_case(name))
            .map(|field| self.value(field))
    }

    fn name(&self, field: &Field) -> &str {
        &self.text[field.name..field.value]
    }

    fn value(&self, field: &Field) -> &str {
        &self.text[field.value..field.end]
    }
}

/// Shows only values known to hold no secret (S15): `Set-Cookie`, a signed `Location` and whatever
/// a proxy adds stay hidden.
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
