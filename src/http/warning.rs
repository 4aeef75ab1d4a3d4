//! `Warning` (distribution spec, "Warnings"): messages of a registry for a person.

use super::Headers;
use super::syntax::Cursor;
use crate::redact::Redactor;

/// The texts of the answer's warnings in their order. Each is printable, has no secret in it, and
/// comes once.
///
/// Together they are at most [`MAX_WARNINGS`] and have at most [`MAX_BYTES`]; the first one that
/// does not fit ends the list. Only `299 - "text"` is a registry's warning. Others, and malformed
/// ones, are skipped.
pub(crate) fn warnings(headers: &Headers, redactor: &Redactor<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let mut bytes_left = MAX_BYTES;
    for value in headers.get_all("warning") {
        let mut cursor = Cursor::new(value);
        cursor.separators();
        while !cursor.is_at_end() {
            if let Some(text) = warning(&mut cursor) {
                let text = redactor.shown(&text, MAX_BYTES);
                if found.len() == MAX_WARNINGS || text.len() > bytes_left {
                    return found;
                }
                if !text.is_empty() && !found.contains(&text) {
                    bytes_left -= text.len();
                    found.push(text);
                }
            }
            // A date may follow the text, and a malformed warning has more.
            cursor.skip_element();
            cursor.separators();
        }
    }
    found
}

/// Reads `299 - "text"`. The syntax is that of RFC 7234 section 5.5; the distribution spec requires
/// this code and this agent.
fn warning(cursor: &mut Cursor<'_>) -> Option<String> {
    let code = cursor.token()?;
    cursor.whitespace();
    let agent = cursor.token()?;
    cursor.whitespace();
    let text = cursor.quoted()?;
    (code == "299" && agent == "-").then_some(text)
}

/// The limit of the spec for all warnings of an answer.
const MAX_BYTES: usize = 4096;
const MAX_WARNINGS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(values: &[&str]) -> Vec<String> {
        let mut headers = Headers::default();
        for value in values {
            headers.push("Warning", value.as_bytes());
        }
        warnings(&headers, &Redactor::without_secrets())
    }

    #[test]
    fn j3_warnings_as_they_come() {
        let cases: [(&[&str], &[&str]); 15] = [
            (&[r#"299 - "moving soon""#], &["moving soon"]),
            (&[r#"299 - "a \"b\" \\ c""#], &[r#"a "b" \ c"#]),
            (&[r#"299 - "one", 299 - "two, too""#], &["one", "two, too"]),
            (&[r#"299 - "one""#, r#"299 - "two""#], &["one", "two"]),
            (&[r#"299 - "same""#, r#"299 - "same""#], &["same"]),
            (&[r#"299   -   "odd spacing" , ,"#], &["odd spacing"]),
            (
                &[r#"299 - "dated" "Sun, 06 Nov 1994 08:49:37 GMT", 299 - "b""#],
                &["dated", "b"],
            ),
            (&[r#"110 - "stale""#], &[]),
            (&[r#"299 proxy.example.com "not a registry's""#], &[]),
            (&[r#"299 example.com:80 "x", 299 - "kept""#], &["kept"]),
            (&[r#"299 - open", 299 - "kept""#], &[]),
            (&["299 - unquoted, 299 - \"kept\""], &["kept"]),
            (&[r#"299 - "never closed"#], &[]),
            (&["", ",", "299", "299 -", r#"299 - """#], &[]),
            (&["299 - \"\u{1b}[2Jx\ty\""], &["\u{fffd}[2Jx y"]),
        ];
        for (values, expected) in cases {
            assert_eq!(read(values), expected, "{values:?}");
        }
    }

    #[test]
    fn j3_count_and_size_are_bounded() {
        let many: Vec<String> = (0..100).map(|n| format!("299 - \"w{n}\"")).collect();
        assert_eq!(read(&[&many.join(",")]).len(), MAX_WARNINGS);

        let long = |c: &str| format!("299 - \"{}\"", c.repeat(1500));
        let texts = read(&[&long("a"), &long("b"), &long("c")]);
        assert_eq!(texts.len(), 2);
    }

    proptest! {
        #[test]
        fn any_text_never_panics_and_is_bounded(
            values in prop::collection::vec(any::<String>(), 0..4),
        ) {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let size: usize = read(&values).iter().map(String::len).sum();
            prop_assert!(size <= MAX_BYTES);
        }

        #[test]
        fn texts_are_read_back(
            texts in prop::collection::hash_set("[!-~é]([ -~é]{0,30}[!-~é])?", 0..9),
        ) {
            let texts: Vec<String> = texts.into_iter().collect();
            let quote = |text: &String| {
                let text = text.replace('\\', "\\\\").replace('"', "\\\"");
                format!("299 - \"{text}\"")
            };
            let line = texts.iter().map(quote).collect::<Vec<_>>().join(", ");
            prop_assert_eq!(read(&[&line]), texts);
        }
    }
}
