//! The few keys of a manifest that tell its type. They are read without building the document.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The part of a manifest that tells its type. A key with the value `null` counts as present,
/// because programs differ about that.
#[derive(Default)]
pub(super) struct Shape {
    pub(super) media_type: Option<String>,
    pub(super) schema_version: Option<u64>,
    /// The family of the config's media type.
    pub(super) config: Option<Family>,
    pub(super) layers: Option<Present>,
    /// The family of all entries' media types.
    pub(super) manifests: Option<Family>,
    pub(super) fs_layers: Option<Present>,
    pub(super) signatures: Option<Present>,
}

/// Whose media types a config or a list of manifests has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// None are given.
    Unstated,
    /// Those of OCI.
    Oci,
    /// Those of Docker.
    Docker,
    /// Others, or those of more than one family.
    Other,
}

/// Says that a key is there, whatever its value.
#[derive(Clone, Copy)]
pub(super) struct Present;

impl Family {
    fn of(media_type: &str) -> Family {
        if media_type.starts_with("application/vnd.oci.") {
            Family::Oci
        } else if media_type.starts_with("application/vnd.docker.") {
            Family::Docker
        } else {
            Family::Other
        }
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Shape, D::Error> {
        deserializer.deserialize_map(ShapeVisitor)
    }
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
        let mut shape = Shape::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "mediaType" => once(&key, &mut shape.media_type, map.next_value()?)?,
                "schemaVersion" => once(&key, &mut shape.schema_version, map.next_value()?)?,
                "config" => {
                    let Descriptor(family) = map.next_value()?;
                    once(&key, &mut shape.config, family)?;
                }
                "layers" => once(&key, &mut shape.layers, map.next_value()?)?,
                "manifests" => {
                    let Descriptors(family) = map.next_value()?;
                    once(&key, &mut shape.manifests, family)?;
                }
                "fsLayers" => once(&key, &mut shape.fs_layers, map.next_value()?)?,
                "signatures" => once(&key, &mut shape.signatures, map.next_value()?)?,
                _ => {
                    refuse_lookalike(&key)?;
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(shape)
    }
}

fn once<T, E: Error>(key: &str, slot: &mut Option<T>, value: T) -> Result<(), E> {
    match slot.replace(value) {
        Some(_) => Err(E::custom(format_args!("two keys \"{key}\""))),
        None => Ok(()),
    }
}

/// Refuses a key that differs from a known one only in case. Most registries use Go's
/// `encoding/json`, which takes `Manifests`, and even `manife\u{17f}ts`, for `manifests`.
fn refuse_lookalike<E: Error>(key: &str) -> Result<(), E> {
    match KEYS.iter().find(|known| folded(key).eq(folded(known))) {
        Some(known) => Err(E::custom(format_args!(
            "a key that some readers take for \"{known}\""
        ))),
        None => Ok(()),
    }
}

/// Folds the case of characters that fold to ASCII letters (Unicode's simple case folding).
fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().map(|c| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    })
}

const KEYS: [&str; 7] = [
    "mediaType",
    "schemaVersion",
    "config",
    "layers",
    "manifests",
    "fsLayers",
    "signatures",
];

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Present, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Present)
    }
}

/// The family of a config, or of an entry of an index.
struct Descriptor(Family);

impl<'de> Deserialize<'de> for Descriptor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Descriptor, D::Error> {
        deserializer.deserialize_any(DescriptorVisitor)
    }
}

struct DescriptorVisitor;

impl<'de> Visitor<'de> for DescriptorVisitor {
    type Value = Descriptor;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a descriptor")
    }

    fn visit_unit<E>(self) -> Result<Descriptor, E> {
        Ok(Descriptor(Family::Unstated))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Descriptor, A::Error> {
        let mut media_type: Option<String> = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == "mediaType" {
                once(&key, &mut media_type, map.next_value()?)?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        let family = media_type.map_or(Family::Unstated, |text| Family::of(&text));
        Ok(Descriptor(family))
    }
}

/// The family that all entries of an index have.
struct Descriptors(Family);

impl<'de> Deserialize<'de> for Descriptors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Descriptors, D::Error> {
        deserializer.deserialize_any(DescriptorsVisitor)
    }
}

struct DescriptorsVisitor;

impl<'de> Visitor<'de> for DescriptorsVisitor {
    type Value = Descriptors;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of descriptors")
    }

    fn visit_unit<E>(self) -> Result<Descriptors, E> {
        Ok(Descriptors(Family::Unstated))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Descriptors, A::Error> {
        let mut all: Option<Family> = None;
        while let Some(Descriptor(entry)) = list.next_element()? {
            all = match all {
                Some(all) if all != entry => Some(Family::Other),
                _ => Some(entry),
            };
        }
        Ok(Descriptors(all.unwrap_or(Family::Unstated)))
    }
}
