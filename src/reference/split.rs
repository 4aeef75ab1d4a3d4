//! Where the parts of a reference begin and end.
//!
//! This module only cuts the text. Whether a part is valid, its own parser decides.

use crate::text::{Fault, cut_at, looks_like_digest};

/// A piece of a text, and the byte where it begins, which errors name.
#[derive(Clone, Copy)]
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

/// The pieces of a reference, not yet checked.
pub(super) struct Pieces<'a> {
    /// `None` means Docker Hub.
    pub(super) registry: Option<Piece<'a>>,
    pub(super) name: Piece<'a>,
    pub(super) tag: Option<Piece<'a>>,
    pub(super) digest: Option<Piece<'a>>,
}

pub(super) fn split(text: &str) -> Result<Pieces<'_>, Fault> {
    check_whole(text)?;
    let (before, digest) = cut_at_first(b'@', Piece { text, at: 0 });
    let (registry, rest) = match cut_at(before.text, b'/') {
        Some((first, rest)) if is_host(first) => {
            let at = first.len() + 1;
            (Some(Piece { text: first, at: 0 }), Piece { text: rest, at })
        }
        _ => (None, before),
    };
    // A ':' before the last '/' does not begin a tag. The name's parser will refuse it.
    let last_part_at = rest
        .text
        .bytes()
        .rposition(|byte| byte == b'/')
        .map_or(0, |slash| slash + 1);
    let (folders, last_part) = rest.text.split_at(last_part_at);
    let (last_part, tag) = cut_at_first(
        b':',
        Piece {
            text: last_part,
            at: rest.at + last_part_at,
        },
    );
    let (name, _) = rest.text.split_at(folders.len() + last_part.text.len());
    Ok(Pieces {
        registry,
        name: Piece {
            text: name,
            at: rest.at,
        },
        tag,
        digest,
    })
}

/// Refuses a text that is no reference as a whole, before any part of it is parsed.
fn check_whole(text: &str) -> Result<(), Fault> {
    if text.is_empty() {
        return Err(Fault::new("empty"));
    }
    if let Some((before, after)) = cut_at(text, b'@') {
        if after.contains('/') && !looks_like_digest(after) {
            let what = format!("'@' before a '/' at byte {}", before.len());
            return Err(Fault::new(what)
                .hint("user name and password do not belong here; a digest comes last"));
        }
    }
    // For Docker and distribution/reference this is the ID of a local image, never a name.
    let identifier = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    if text.len() == 64 && text.bytes().all(identifier) {
        return Err(Fault::new("an image ID, not a name").hint("for a digest write NAME@sha256:…"));
    }
    Ok(())
}

/// Whether the part before the first '/' is a registry. The rule is that of distribution/reference.
fn is_host(first: &str) -> bool {
    first == "localhost"
        || first
            .bytes()
            .any(|byte| matches!(byte, b'.' | b':' | b'A'..=b'Z'))
}

fn cut_at_first(separator: u8, piece: Piece<'_>) -> (Piece<'_>, Option<Piece<'_>>) {
    match cut_at(piece.text, separator) {
        None => (piece, None),
        Some((before, after)) => {
            let at = piece.at + before.len() + 1;
            let before = Piece {
                text: before,
                at: piece.at,
            };
            (before, Some(Piece { text: after, at }))
        }
    }
}
