//! JSON values read as a stream: what is expected is kept, and everything else is skipped.
//!
//! A server may send many megabytes of JSON. A document built of them takes tens of times their
//! memory, so a reader keeps only the values that it needs.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Reads one JSON value of any type. The reader overrides the types that it can use.
pub(crate) trait Lenient<'de>: Sized {
    type Value;

    /// The result for a value of a type that the reader can't use.
    fn other(self) -> Self::Value;

    fn text<E: de::Error>(self, _: &str) -> Result<Self::Value, E> {
        Ok(self.other())
    }

    fn number(self, _: f64) -> Self::Value {
        self.other()
    }

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(self.other())
    }

    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(self.other())
    }
}

/// Makes a reader of a [`Lenient`].
pub(crate) struct Any<L>(pub(crate) L);

impl<'de, L: Lenient<'de>> DeserializeSeed<'de> for Any<L> {
    type Value = L::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<L::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, L: Lenient<'de>> Visitor<'de> for Any<L> {
    type Value = L::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<L::Value, E> {
        self.0.text(text)
    }

    fn visit_unit<E: de::Error>(self) -> Result<L::Value, E> {
        Ok(self.0.other())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<L::Value, E> {
        Ok(self.0.other())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<L::Value, E> {
        Ok(self.0.number(number as f64))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<L::Value, E> {
        Ok(self.0.number(number as f64))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<L::Value, E> {
        Ok(self.0.number(number))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<L::Value, A::Error> {
        self.0.list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<L::Value, A::Error> {
        self.0.object(object)
    }
}
