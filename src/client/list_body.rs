//! The JSON of a list: read as a stream, of which only the names are kept.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::meaning::About;
use super::tag_digests::TagDigests;
use crate::digest::Digest;
use crate::json::{Any, Lenient};
use crate::reference::{RepositoryName, Tag};

/// The most entries of a list that is kept.
pub(super) const MAX_ENTRIES: usize = 1_000_000;
/// The most bytes of text of a list that is kept: its names, and the digests beside them.
pub(super) const MAX_TEXT: usize = 32 * 1024 * 1024;
/// The longest of all names: that of a repository.
const LONGEST_NAME: usize = 255;

/// A part of a list, as the registry cut it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The entries, in the registry's order.
    pub entries: Vec<T>,
    /// How many entries were left out because they are no valid names: some registries list nulls
    /// or digests among their tags.
    pub skipped: usize,
}

/// A page, and what some registries say beside it.
#[derive(Debug)]
pub(super) struct Listed<T> {
    pub(super) page: Page<T>,
    pub(super) digests: TagDigests,
    /// Another server has sent it.
    pub(super) cross_origin: bool,
}

/// What is read of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted<'a> {
    Repositories,
    /// The tags of this repository.
    Tags(&'a RepositoryName),
    /// The digests of tags too, where the list has them.
    TagsAndDigests(&'a RepositoryName),
}

impl<'a> Wanted<'a> {
    /// The JSON field that holds the entries.
    pub(super) fn field(self) -> &'static str {
        match self {
            Wanted::Repositories => "repositories",
            Wanted::Tags(_) | Wanted::TagsAndDigests(_) => "tags",
        }
    }

    /// What the list is about.
    pub(super) fn about(self) -> About<'a> {
        match self {
            Wanted::Repositories => About::Registry,
            Wanted::Tags(name) | Wanted::TagsAndDigests(name) => About::Tags(name.as_str()),
        }
    }
}

/// How much more of a list may be kept.
#[derive(Debug, Clone)]
pub(super) struct Room {
    entries: usize,
    text: usize,
    /// Whether something did not fit.
    full: bool,
}

impl Default for Room {
    fn default() -> Room {
        Room {
            entries: MAX_ENTRIES,
            text: MAX_TEXT,
            full: false,
        }
    }
}

impl Room {
    /// Whether reading has ended because something did not fit.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    fn take_entry<E: de::Error>(&mut self, length: usize) -> Result<(), E> {
        let left = self.entries.checked_sub(1);
        self.entries = left.ok_or_else(|| self.overflow())?;
        self.take_text(length)
    }

    fn take_text<E: de::Error>(&mut self, length: usize) -> Result<(), E> {
        let left = self.text.checked_sub(length);
        self.text = left.ok_or_else(|| self.overflow())?;
        Ok(())
    }

    fn overflow<E: de::Error>(&mut self) -> E {
        self.full = true;
        E::custom("the list is too large")
    }
}

/// The JSON object of a list, of which few fields matter. Registries add others; they are skipped,
/// not kept.
pub(super) struct ListBody<'r, T> {
    wanted: Wanted<'r>,
    room: &'r mut Room,
    entries: PhantomData<T>,
}

impl<'r, T> ListBody<'r, T> {
    pub(super) fn new(wanted: Wanted<'r>, room: &'r mut Room) -> ListBody<'r, T> {
        let entries = PhantomData;
        ListBody {
            wanted,
            room,
            entries,
        }
    }
}

impl<'de, T: FromStr + AsRef<str>> DeserializeSeed<'de> for ListBody<'_, T> {
    type Value = Listed<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Listed<T>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: FromStr + AsRef<str>> Visitor<'de> for ListBody<'_, T> {
    type Value = Listed<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with a list `{}`", self.wanted.field())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Listed<T>, A::Error> {
        let list = self.wanted.field();
        let mut page = None;
        let mut digests = TagDigests::default();
        while let Some(field) = map.next_key_seed(Any(FieldName(self.wanted)))? {
            match field {
                // Programs differ about which of the two counts.
                Field::Entries if page.is_some() => return Err(de::Error::duplicate_field(list)),
                Field::Entries => {
                    let entries = Entries {
                        room: self.room,
                        entries: PhantomData::<T>,
                    };
                    page = Some(map.next_value_seed(entries)?);
                }
                Field::Digests => map.next_value_seed(Any(Manifests {
                    digests: &mut digests,
                    room: self.room,
                }))?,
                // What such an answer lists is not all that there is.
                Field::Errors => return Err(de::Error::custom("`errors` beside the list")),
                Field::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let page = page.ok_or_else(|| de::Error::missing_field(list))?;
        Ok(Listed {
            page,
            digests,
            cross_origin: false,
        })
    }
}

/// A field of the object.
enum Field {
    Entries,
    /// Google's registries list the tags of each digest.
    Digests,
    Errors,
    Other,
}

struct FieldName<'a>(Wanted<'a>);

impl Lenient<'_> for FieldName<'_> {
    type Value = Field;

    fn other(self) -> Field {
        Field::Other
    }

    fn text<E: de::Error>(self, name: &str) -> Result<Field, E> {
        Ok(match name {
            _ if name == self.0.field() => Field::Entries,
            "manifest" if matches!(self.0, Wanted::TagsAndDigests(_)) => Field::Digests,
            "errors" => Field::Errors,
            _ => Field::Other,
        })
    }
}

/// The list itself; null stands for an empty one.
struct Entries<'r, T> {
    room: &'r mut Room,
    entries: PhantomData<T>,
}

impl<'de, T: FromStr + AsRef<str>> DeserializeSeed<'de> for Entries<'_, T> {
    type Value = Page<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Page<T>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: FromStr + AsRef<str>> Visitor<'de> for Entries<'_, T> {
    type Value = Page<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of names, or null")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Page<T>, E> {
        Ok(Page {
            entries: Vec::new(),
            skipped: 0,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Page<T>, A::Error> {
        let mut page = Page {
            entries: Vec::new(),
            skipped: 0,
        };
        while let Some(entry) = seq.next_element_seed(Any(Name(PhantomData::<T>)))? {
            match entry {
                Some(entry) => {
                    self.room.take_entry(entry.as_ref().len())?;
                    page.entries.push(entry);
                }
                None => page.skipped += 1,
            }
        }
        Ok(page)
    }
}

/// A name; `None` for what is no valid one.
struct Name<T>(PhantomData<T>);

impl<T: FromStr> Lenient<'_> for Name<T> {
    type Value = Option<T>;

    fn other(self) -> Option<T> {
        None
    }

    fn text<E: de::Error>(self, text: &str) -> Result<Option<T>, E> {
        // The error of a long text would hold a copy of it.
        Ok(match text.len() {
            ..=LONGEST_NAME => text.parse().ok(),
            _ => None,
        })
    }
}

/// What Google's registries list: the tags of each digest. Another registry's field of this name
/// may be anything.
struct Manifests<'r> {
    digests: &'r mut TagDigests,
    room: &'r mut Room,
}

impl<'de> Lenient<'de> for Manifests<'_> {
    type Value = ();

    fn other(self) {}

    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while let Some(digest) = object.next_key_seed(Any(Name(PhantomData::<Digest>)))? {
            match digest {
                Some(digest) => object.next_value_seed(Any(Manifest {
                    digest: &digest,
                    digests: self.digests,
                    room: self.room,
                }))?,
                None => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// What Google's registries list of one manifest.
struct Manifest<'r> {
    digest: &'r Digest,
    digests: &'r mut TagDigests,
    room: &'r mut Room,
}

impl<'de> Lenient<'de> for Manifest<'_> {
    type Value = ();

    fn other(self) {}

    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while let Some(is_tags) = object.next_key_seed(Any(IsTags))? {
            match is_tags {
                true => object.next_value_seed(Any(Tags(Manifest {
                    digest: self.digest,
                    digests: self.digests,
                    room: self.room,
                })))?,
                false => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// Whether a field of a manifest holds its tags.
struct IsTags;

impl Lenient<'_> for IsTags {
    type Value = bool;

    fn other(self) -> bool {
        false
    }

    fn text<E: de::Error>(self, name: &str) -> Result<bool, E> {
        Ok(name == "tag")
    }
}

/// The tags of a manifest.
struct Tags<'r>(Manifest<'r>);

impl<'de> Lenient<'de> for Tags<'_> {
    type Value = ();

    fn other(self) {}

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Tags(Manifest {
            digest,
            digests,
            room,
        }) = self;
        while let Some(tag) = list.next_element_seed(Any(Name(PhantomData::<Tag>)))? {
            let Some(tag) = tag else { continue };
            if !digests.has(&tag) {
                room.take_text(tag.as_str().len() + digest.as_str().len())?;
            }
            digests.note(tag, digest);
        }
        Ok(())
    }
}
