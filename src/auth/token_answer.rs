//! The JSON of a token service's answer: read as a stream, of which only the token is kept.

use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess};

use super::Secret;
use crate::json::{Any, Lenient};

/// What matters of a token service's answer. Services add other fields; they are skipped, not kept.
/// Of a field that is there twice, the last one counts.
#[derive(Default)]
pub(super) struct TokenAnswer {
    /// distribution calls it `token`, OAuth2 `access_token`. Some services send one, some both.
    pub(super) token: Option<Secret>,
    pub(super) access_token: Option<Secret>,
    /// In seconds.
    pub(super) expires_in: Option<f64>,
}

impl TokenAnswer {
    pub(super) fn parse(body: &[u8]) -> serde_json::Result<TokenAnswer> {
        let mut json = serde_json::Deserializer::from_slice(body);
        let answer = Any(AnswerObject).deserialize(&mut json)?;
        json.end()?;
        answer.ok_or_else(|| de::Error::custom("no object"))
    }
}

/// Reads the answer; `None` for what is no object.
struct AnswerObject;

impl<'de> Lenient<'de> for AnswerObject {
    type Value = Option<TokenAnswer>;

    fn other(self) -> Option<TokenAnswer> {
        None
    }

    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<Option<TokenAnswer>, A::Error> {
        let mut answer = TokenAnswer::default();
        while let Some(field) = object.next_key_seed(Any(FieldName))? {
            match field {
                Field::Token => answer.token = object.next_value_seed(Any(TokenText))?,
                Field::AccessToken => {
                    answer.access_token = object.next_value_seed(Any(TokenText))?
                }
                Field::ExpiresIn => answer.expires_in = object.next_value_seed(Any(Seconds))?,
                Field::Other => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Some(answer))
    }
}

enum Field {
    Token,
    AccessToken,
    ExpiresIn,
    Other,
}

struct FieldName;

impl Lenient<'_> for FieldName {
    type Value = Field;

    fn other(self) -> Field {
        Field::Other
    }

    fn text<E: de::Error>(self, name: &str) -> Result<Field, E> {
        Ok(match name {
            "token" => Field::Token,
            "access_token" => Field::AccessToken,
            "expires_in" => Field::ExpiresIn,
            _ => Field::Other,
        })
    }
}

/// A token; `None` for an empty text and for what is no text.
struct TokenText;

impl Lenient<'_> for TokenText {
    type Value = Option<Secret>;

    fn other(self) -> Option<Secret> {
        None
    }

    fn text<E: de::Error>(self, text: &str) -> Result<Option<Secret>, E> {
        Ok((!text.is_empty()).then(|| Secret::new(text)))
    }
}

/// A number of seconds, which some services send as text.
struct Seconds;

impl Lenient<'_> for Seconds {
    type Value = Option<f64>;

    fn other(self) -> Option<f64> {
        None
    }

    fn number(self, number: f64) -> Option<f64> {
        Some(number)
    }

    fn text<E: de::Error>(self, text: &str) -> Result<Option<f64>, E> {
        Ok(text.trim().parse().ok())
    }
}
