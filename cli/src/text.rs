//! Makes text from outside safe to print in a line.

use std::borrow::Cow;

use ocireg::is_unprintable;

/// Replaces line ends and control characters. An error may quote a server, and the server's text
/// must not control the terminal.
pub(crate) fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' => ' ',
            c if is_unprintable(c) => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// As [`one_line`], for a text that has lines of its own.
pub(crate) fn lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(one_line).collect();
    lines.join("\n")
}

/// The start of a text that is longer than anybody reads.
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_BYTES {
        return text.into();
    }
    let mut end = MAX_BYTES;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end]).into()
}

/// With `…` and a line end a text that was cut has less than 4 KiB.
const MAX_BYTES: usize = 4090;

/// Makes one column of a line from a reference that the user typed.
///
/// A valid reference stays as it is. In an invalid one, white space and control characters become
/// `?`, which keeps the number of columns. What looks like the password or token of a pasted URL
/// becomes `…`, because output often ends up in logs.
pub(crate) fn as_column(typed: &str) -> String {
    let mut column = String::new();
    let text = match typed.rsplit_once('@') {
        Some((before, after)) if before.contains(':') && !is_name(before, after) => {
            let scheme = before.find("://").map_or("", |at| &before[..at + 3]);
            column.push_str(scheme);
            column.push('…');
            &typed[before.len()..]
        }
        _ => typed,
    };
    let (kept, cut) = match text.find(['?', '#']) {
        Some(at) => (&text[..=at], true),
        None => (text, false),
    };
    for (count, c) in kept.chars().enumerate() {
        if count == MAX_COLUMN {
            column.push('…');
            break;
        }
        let fits = !c.is_whitespace() && !is_unprintable(c);
        column.push(if fits { c } else { '?' });
    }
    if cut {
        column.push('…');
    }
    if column.is_empty() {
        column.push_str("\"\"");
    }
    column
}

/// Longer than any reference: 253 bytes of host, 255 of name, 128 of tag, 135 of digest.
const MAX_COLUMN: usize = 1024;

/// Whether the text around an '@' looks like a name and its digest, and not like a password and a
/// host.
fn is_name(before: &str, after: &str) -> bool {
    let is_digest = after.split_once(':').is_some_and(|(algorithm, value)| {
        matches!(algorithm, "sha256" | "sha384" | "sha512")
            || (value.len() >= 32 && !value.contains('/'))
    });
    is_digest && !before.contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_reference_is_one_column() {
        let digest = format!("host:5000/app:1@sha256:{}", "a".repeat(64));
        let cases = [
            ("alpine:3.20", "alpine:3.20"),
            (&digest, &digest),
            ("app@sha256:abc", "app@sha256:abc"),
            ("host:5000/App@sha256:abc", "host:5000/App@sha256:abc"),
            (
                "host:5000/app@md5:0123456789abcdef0123456789abcdef",
                "host:5000/app@md5:0123456789abcdef0123456789abcdef",
            ),
            ("user:secret@shahost:5000", "…@shahost:5000"),
            ("", "\"\""),
            ("a b\nc\td", "a?b?c?d"),
            ("\u{1b}[31mred", "?[31mred"),
            ("user\u{202e}gpj", "user?gpj"),
            ("https://user:secret@host/app", "https://…@host/app"),
            ("user:secret@host/app:1", "…@host/app:1"),
            ("user:se@cret@host/app", "…@host/app"),
            ("user:secret@host/app@sha256:abc", "…@sha256:abc"),
            ("https://host/app?token=secret", "https://host/app?…"),
            ("host/app#secret", "host/app#…"),
        ];
        for (typed, expected) in cases {
            assert_eq!(as_column(typed), expected, "{typed:?}");
        }
        let long = as_column(&"ä".repeat(5000));
        assert_eq!(long.chars().count(), MAX_COLUMN + 1);
    }

    #[test]
    fn a_reason_is_one_line() {
        assert_eq!(one_line("a\nb\r\u{1b}[2J"), "a b \u{fffd}[2J");
        assert_eq!(lines("a\nb\u{ad}\u{1b}[2J"), "a\nb\u{fffd}\u{fffd}[2J");
    }

    #[test]
    fn a_text_has_at_most_four_kib() {
        let fits = "a".repeat(MAX_BYTES);
        assert_eq!(shortened(&fits), fits);
        for longer in [
            format!("{fits}ä"),
            "ä".repeat(MAX_BYTES),
            "\u{1f980}".repeat(5000),
        ] {
            let shown = shortened(&longer);
            assert!(
                shown.len() < 4096 && shown.ends_with('…'),
                "{}",
                shown.len()
            );
        }
    }
}
