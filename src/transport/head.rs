//! Makes ureq treat the head of an answer in the same way whatever features other crates enable in
//! it.
//!
//! Cargo unifies features. When any crate in a program enables ureq's `gzip` or `brotli`, ureq
//! decodes bodies without telling us. With `cookies` it stores the cookies of one registry and
//! sends them with later requests. Both would change the bytes that we hash or send. So the two
//! header names that trigger this are renamed before ureq sees them. The new names have the same
//! length.

use std::io::BufRead;

/// The new name of an answer's Content-Encoding.
pub(super) const CONTENT_ENCODING_ALIAS: &str = "ocireg-encodings";

const RENAMED: [(&[u8], &[u8]); 2] = [
    (b"content-encoding", CONTENT_ENCODING_ALIAS.as_bytes()),
    (b"set-cookie", b"not-cookie"),
];

/// The length of the head at the start of `bytes`, with its empty line; `None` if it is incomplete.
/// `from` is how many bytes an earlier call has searched.
pub(super) fn end_of_head(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from.saturating_sub(3);
    while let Some(length) = line_length(bytes.get(at..)?) {
        at += length;
        let rest = &bytes[at..];
        if rest.starts_with(b"\n") {
            return Some(at + 1);
        }
        if rest.starts_with(b"\r\n") {
            return Some(at + 2);
        }
    }
    None
}

/// Renames the header fields that would change ureq's behaviour.
pub(super) fn neutralise(mut head: &mut [u8]) {
    while let Some(length) = line_length(head) {
        let (line, rest) = head.split_at_mut(length);
        for (name, alias) in RENAMED {
            let is_field = line.get(name.len()) == Some(&b':')
                && line[..name.len()].eq_ignore_ascii_case(name);
            if is_field {
                line[..name.len()].copy_from_slice(alias);
            }
        }
        head = rest;
    }
}

/// The length of the line at the start of `bytes`, with its line feed; `None` if there is none.
fn line_length(mut bytes: &[u8]) -> Option<usize> {
    let before = bytes;
    // The only search for a byte in std that compares many bytes at once. Reading from memory does
    // not fail.
    let length = bytes.skip_until(b'\n').ok()?;
    (before.get(..length)?.last() == Some(&b'\n')).then_some(length)
}

/// Whether this is the head of an interim answer (1xx), which another head follows.
pub(super) fn is_interim(head: &[u8]) -> bool {
    head.split(|byte| *byte == b' ')
        .nth(1)
        .is_some_and(|status| status.first() == Some(&b'1'))
}

/// Whether a final answer begins with these bytes. `false` if an interim one does, or if they are
/// too few to tell.
pub(super) fn begins_final(bytes: &[u8]) -> bool {
    const VERSION: &[u8] = b"HTTP/1.";
    let known = bytes.len().min(VERSION.len());
    // Anything else is not an interim answer.
    if bytes[..known] != VERSION[..known] {
        return true;
    }
    match bytes.iter().position(|byte| *byte == b' ') {
        Some(space) => bytes.get(space + 1).is_some_and(|digit| *digit != b'1'),
        None => bytes.len() > VERSION.len() + 1,
    }
}

/// Whether the other side speaks TLS: whether its first bytes are those of an alert or handshake
/// record (RFC 8446, section 5.1).
pub(super) fn is_tls_record(bytes: &[u8]) -> bool {
    // One byte is enough: no answer begins with it.
    matches!(bytes, [0x15 | 0x16] | [0x15 | 0x16, 0x03, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_length_are_swapped() {
        for (name, alias) in RENAMED {
            assert_eq!(name.len(), alias.len());
        }
    }

    #[test]
    fn only_whole_field_names_at_line_starts_are_renamed() {
        let cases = [
            (
                "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
                "HTTP/1.1 200 OK\r\nocireg-encodings: gzip\r\n\r\n",
            ),
            (
                "HTTP/1.1 200 OK\nSET-COOKIE:a=b\n\n",
                "HTTP/1.1 200 OK\nnot-cookie:a=b\n\n",
            ),
            (
                "HTTP/1.1 200 OK\r\nX-Content-Encoding: a\r\n\r\n",
                "HTTP/1.1 200 OK\r\nX-Content-Encoding: a\r\n\r\n",
            ),
            (
                "HTTP/1.1 200 OK\r\nVia: content-encoding: x\r\n\r\n",
                "HTTP/1.1 200 OK\r\nVia: content-encoding: x\r\n\r\n",
            ),
            ("Set-Cookie", "Set-Cookie"),
        ];
        for (input, expected) in cases {
            let mut bytes = input.as_bytes().to_vec();
            neutralise(&mut bytes);
            assert_eq!(String::from_utf8_lossy(&bytes), expected);
        }
    }

    #[test]
    fn the_end_of_a_head_is_found_however_it_arrives() {
        for head in [
            "HTTP/1.1 200 OK\r\nA: b\r\n\r\n",
            "HTTP/1.1 200 OK\nA: b\n\n",
            "HTTP/1.1 200 OK\r\nA: b\n\r\n",
        ] {
            let bytes = [head.as_bytes(), b"body\n\nbody"].concat();
            assert_eq!(end_of_head(&bytes, 0), Some(head.len()), "{head:?}");
            let mut looked = 0;
            for have in 0..head.len() {
                assert_eq!(
                    end_of_head(&bytes[..have], looked),
                    None,
                    "{head:?} cut at {have}"
                );
                looked = have;
            }
            assert_eq!(
                end_of_head(&bytes[..head.len()], looked),
                Some(head.len()),
                "{head:?} in pieces"
            );
        }
    }

    #[test]
    fn interim_answers_and_tls_records_are_recognised() {
        assert!(is_interim(b"HTTP/1.1 103 Early Hints\r\n\r\n"));
        assert!(!is_interim(b"HTTP/1.1 200 OK\r\n\r\n"));
        for (bytes, is_final) in [
            ("", false),
            ("HTTP/1", false),
            ("HTTP/1.1", false),
            ("HTTP/1.1 ", false),
            ("HTTP/1.1 1", false),
            ("HTTP/1.1 4", true),
            ("HTTP/1.0 200", true),
            ("HTTP/1.15", true),
            ("HTTP/2", true),
            ("<html>", true),
        ] {
            assert_eq!(begins_final(bytes.as_bytes()), is_final, "{bytes:?}");
        }
        assert!(is_tls_record(&[0x15, 0x03, 0x01, 0x00, 0x02]));
        assert!(is_tls_record(&[0x16]) && !is_tls_record(b"") && !is_tls_record(b"H"));
        assert!(!is_tls_record(b"HTTP/1.1"));
    }
}
