//! Makes the head of an answer mean the same to ureq whatever features a program's other crates
//! switch on in it.
//!
//! Cargo unifies features: when any crate in a program enables ureq's `gzip` or `brotli`, ureq
//! decodes bodies and hides that it did, and with `cookies` it stores cookies of one registry and
//! sends them with later requests. Both would change which bytes we hash and what we tell a server.
//! So the two header names that trigger it are renamed, in place and at the same length, before
//! ureq sees them.

use std::io::BufRead;

/// The name under which an answer's Content-Encoding arrives behind ureq.
pub(super) const CONTENT_ENCODING_ALIAS: &str = "ocireg-encodings";

const RENAMED: [(&[u8], &[u8]); 2] = [
    (b"content-encoding", CONTENT_ENCODING_ALIAS.as_bytes()),
    (b"set-cookie", b"not-cookie"),
];

/// Where the head that starts `bytes` ends: behind its empty line. `from` is how far an earlier
/// call has looked.
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

/// The length of the line at the start of `bytes`, with its line feed; `None` where there is none.
fn line_length(mut bytes: &[u8]) -> Option<usize> {
    let before = bytes;
    // std's only search for a byte that looks at many at once; reading from memory does not fail.
    let length = bytes.skip_until(b'\n').ok()?;
    (before.get(..length)?.last() == Some(&b'\n')).then_some(length)
}

/// Whether this is an interim answer (1xx), behind which another head follows.
pub(super) fn is_interim(head: &[u8]) -> bool {
    head.split(|byte| *byte == b' ')
        .nth(1)
        .is_some_and(|status| status.first() == Some(&b'1'))
}

/// Whether this is the begin of a final answer, and not of an interim one. `false` as long as too
/// few bytes have come to tell.
pub(super) fn begins_final(bytes: &[u8]) -> bool {
    const VERSION: &[u8] = b"HTTP/1.";
    let known = bytes.len().min(VERSION.len());
    // Anything else is no interim answer, whatever it is.
    if bytes[..known] != VERSION[..known] {
        return true;
    }
    match bytes.iter().position(|byte| *byte == b' ') {
        Some(space) => bytes.get(space + 1).is_some_and(|digit| *digit != b'1'),
        None => bytes.len() > VERSION.len() + 1,
    }
}

/// Whether these first bytes of an "answer" are a TLS alert or handshake record (RFC 8446, 5.1):
/// the other side speaks TLS.
pub(super) fn is_tls_record(bytes: &[u8]) -> bool {
    // No answer begins with the first byte either, should it come alone.
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
