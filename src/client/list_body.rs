//! The JSON of a list: read as a stream, of which only the names are kept.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::digest::Digest;

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
    /// The digests of tags, where the list has them (Google's registries).
    pub(super) digests: Vec<(T, Digest)>,
}

/// The JSON object of a list, of which one field matters. Registries add others; they are
/// skipped, not kept.
pub(super) struct ListBody<T> {
    list: &'static str,
    entries: PhantomData<T>,
}

impl<T> ListBody<T> {
    /// `list` is the field that holds the entries.
    pub(super) fn named(list: &'static str) -> ListBody<T> {
        let entries = PhantomData;
        ListBody { list, entries }
    }
}

impl<'de, T: FromStr> DeserializeSeed<'de> for ListBody<T> {
    type Value = Listed<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Listed<T>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: FromStr> Visitor<'de> for ListBody<T> {
    type Value = Listed<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with a list `{}`", self.list)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Listed<T>, A::Error> {
        let mut page = None;
        let mut manifests: HashMap<String, Manifest> = HashMap::new();
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            if key == self.list && page.is_none() {
                page = Some(map.next_value_seed(Entries(PhantomData::<T>))?);
            } else if key == "manifest" && self.list == "tags" {
                // Another registry's field of this name may be anything.
                manifests = map.next_value::<Lenient<HashMap<String, Manifest>>>()?.0;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        let page = page.ok_or_else(|| de::Error::missing_field(self.list))?;
        let digests = manifests.into_iter().filter_map(|(digest, manifest)| {
            let digest: Digest = digest.parse().ok()?;
            Some(
                manifest
                    .tag
                    .into_iter()
                    .filter_map(move |tag| Some((tag.parse().ok()?, digest.clone()))),
            )
        });
        Ok(Listed {
            page,
            digests: digests.flatten().collect(),
        })
    }
}

/// What Google's registries list of a manifest.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Manifest {
    tag: Vec<String>,
}

/// A value of the expected shape, or the default.
struct Lenient<T>(T);

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Lenient<T>, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either<T> {
            Expected(T),
            Other(IgnoredAny),
        }
        Ok(Lenient(match Either::deserialize(deserializer)? {
            Either::Expected(value) => value,
            Either::Other(_) => T::default(),
        }))
    }
}

/// The list itself; null stands for an empty one.
struct Entries<T>(PhantomData<T>);

impl<'de, T: FromStr> DeserializeSeed<'de> for Entries<T> {
    type Value = Page<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Page<T>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: FromStr> Visitor<'de> for Entries<T> {
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
        while let Some(entry) = seq.next_element_seed(Entry(PhantomData::<T>))? {
            match entry {
                Some(entry) => page.entries.push(entry),
                None => page.skipped += 1,
            }
        }
        Ok(page)
    }
}

/// One entry: `None` for what is no valid name.
struct Entry<T>(PhantomData<T>);

impl<'de, T: FromStr> DeserializeSeed<'de> for Entry<T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: FromStr> Visitor<'de> for Entry<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Option<T>, E> {
        Ok(text.parse().ok())
    }

    fn visit_unit<E: de::Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<T>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<T>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}
