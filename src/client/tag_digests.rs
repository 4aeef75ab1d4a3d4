//! The digests that some tag lists have beside the tags (Google's registries).

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::digest::Digest;
use crate::reference::Tag;

/// The digests of tags, as lists give them.
#[derive(Debug, Default)]
pub(crate) struct TagDigests(HashMap<Tag, Listed>);

/// What the lists say of one tag.
#[derive(Debug)]
enum Listed {
    Under(Digest),
    /// Under more than one digest, so only the tag's manifest can tell.
    Contradictory,
}

impl TagDigests {
    /// Whether the lists name this tag.
    pub(super) fn has(&self, tag: &Tag) -> bool {
        self.0.contains_key(tag)
    }

    /// Notes that a list gives `tag` this digest.
    pub(super) fn note(&mut self, tag: Tag, digest: &Digest) {
        match self.0.entry(tag) {
            Entry::Vacant(new) => {
                new.insert(Listed::Under(digest.clone()));
            }
            Entry::Occupied(mut known) => {
                if !matches!(known.get(), Listed::Under(before) if before == digest) {
                    known.insert(Listed::Contradictory);
                }
            }
        }
    }

    /// Adds what another page says.
    pub(super) fn merge(&mut self, page: TagDigests) {
        if self.0.is_empty() {
            *self = page;
            return;
        }
        for (tag, listed) in page.0 {
            match listed {
                Listed::Under(digest) => self.note(tag, &digest),
                Listed::Contradictory => {
                    self.0.insert(tag, Listed::Contradictory);
                }
            }
        }
    }

    /// Takes out the digest of a tag, if the lists agree on one.
    pub(crate) fn take(&mut self, tag: &Tag) -> Option<Digest> {
        match self.0.remove(tag)? {
            Listed::Under(digest) => Some(digest),
            Listed::Contradictory => None,
        }
    }
}
