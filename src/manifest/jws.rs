//! The signed bytes of a schema1 manifest, which are the payload of its JSON Web Signature (JWS).
//!
//! A registry signs schema1 anew for every GET. So the document differs each time, but the payload
//! stays. The document is the payload with the key `signatures` inserted before its closing brace.
//! The `protected` header of each signature says where (`formatLength`) and what followed
//! (`formatTail`).

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::unreadable;
use crate::error::{Error, ErrorKind, Result};
use crate::redact::Redactor;

/// The payload, or the whole document if it has no signatures. It does not check whether a
/// signature is valid.
///
/// The document must be the payload plus its signatures and nothing else. Otherwise the digest of
/// the payload would say nothing about the rest: with `formatLength` 1 and a whole good manifest as
/// `formatTail`, any document would have the digest of the good one.
///
/// # Errors
///
/// [`Protocol`](ErrorKind::Protocol) if the signatures are unusable or name different payloads.
pub(super) fn payload<'b>(body: &'b [u8], redactor: &Redactor<'_>) -> Result<Cow<'b, [u8]>> {
    let signed: Signed =
        serde_json::from_slice(body).map_err(|error| unreadable(&error, redactor))?;
    let Some((first, others)) = signed.protected.split_first() else {
        return Ok(Cow::Borrowed(body));
    };
    let cut = Cut::read(first)?;
    for other in others {
        if Cut::read(other)? != cut {
            return Err(unusable("signatures disagree about what was signed"));
        }
    }
    if signed.has_more_after {
        return Err(unusable("something follows the signatures"));
    }
    cut.apply(body).map(Cow::Owned)
}

/// Where the signatures were inserted, and what followed.
#[derive(PartialEq, Eq)]
struct Cut {
    /// The length of the payload before that place.
    length: usize,
    /// The rest of the payload.
    tail: Vec<u8>,
}

impl Cut {
    fn read(protected: &str) -> Result<Cut> {
        let header = URL_SAFE_NO_PAD.decode(protected).ok();
        let header: Protected = header
            .and_then(|json| serde_json::from_slice(&json).ok())
            .ok_or_else(|| unusable("unreadable protected header"))?;
        let tail = URL_SAFE_NO_PAD.decode(&header.format_tail);
        Ok(Cut {
            length: usize::try_from(header.format_length).unwrap_or(usize::MAX),
            tail: tail.map_err(|_| unusable("formatTail is no base64url"))?,
        })
    }

    fn apply(&self, body: &[u8]) -> Result<Vec<u8>> {
        let (signed, rest) = body
            .split_at_checked(self.length)
            .ok_or_else(|| unusable("formatLength is beyond the end"))?;
        if self.tail.trim_ascii() != b"}" {
            return Err(unusable("formatTail is more than the end of an object"));
        }
        let inserted = rest.trim_ascii_start().strip_prefix(b",");
        if !inserted.is_some_and(|rest| rest.trim_ascii_start().starts_with(b"\"signatures\"")) {
            return Err(unusable("formatLength is not where the signatures begin"));
        }
        Ok([signed, &self.tail].concat())
    }
}

#[derive(Deserialize)]
struct Protected {
    #[serde(rename = "formatLength")]
    format_length: u64,
    #[serde(rename = "formatTail")]
    format_tail: String,
}

/// The part of the document that is needed to find the payload.
#[derive(Default)]
struct Signed {
    /// The `protected` of each signature.
    protected: Vec<String>,
    /// Whether another key follows `signatures`.
    has_more_after: bool,
}

impl<'de> Deserialize<'de> for Signed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Signed, D::Error> {
        deserializer.deserialize_map(SignedVisitor)
    }
}

struct SignedVisitor;

impl<'de> Visitor<'de> for SignedVisitor {
    type Value = Signed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Signed, A::Error> {
        let mut signed = Signed::default();
        let mut seen = false;
        while let Some(key) = map.next_key::<String>()? {
            signed.has_more_after = seen;
            if key != "signatures" {
                map.next_value::<IgnoredAny>()?;
            } else if seen {
                return Err(A::Error::custom("two keys \"signatures\""));
            } else {
                seen = true;
                let list: Option<Signatures> = map.next_value()?;
                signed.protected = list.map_or_else(Vec::new, |list| list.0);
            }
        }
        Ok(signed)
    }
}

struct Signatures(Vec<String>);

#[derive(Deserialize)]
struct Signature {
    protected: String,
}

impl<'de> Deserialize<'de> for Signatures {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Signatures, D::Error> {
        deserializer.deserialize_seq(SignaturesVisitor)
    }
}

struct SignaturesVisitor;

impl<'de> Visitor<'de> for SignaturesVisitor {
    type Value = Signatures;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of signatures")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Signatures, A::Error> {
        let mut protected = Vec::new();
        while let Some(signature) = list.next_element::<Signature>()? {
            if protected.len() == MAX_SIGNATURES {
                return Err(A::Error::custom("too many signatures"));
            }
            protected.push(signature.protected);
        }
        Ok(Signatures(protected))
    }
}

fn unusable(problem: &str) -> Error {
    let message = format!("the signatures of the schema1 manifest are unusable: {problem}");
    Error::new(ErrorKind::Protocol, message)
}

/// The most signatures that are read. Registries send one; each more costs a decode.
const MAX_SIGNATURES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PAYLOAD: &str = "{\n   \"schemaVersion\": 1,\n   \"fsLayers\": []\n}";

    fn protected(length: u64, tail: &str) -> String {
        let tail = URL_SAFE_NO_PAD.encode(tail);
        let header = format!(r#"{{"formatLength":{length},"formatTail":"{tail}"}}"#);
        URL_SAFE_NO_PAD.encode(header)
    }

    fn signature(protected: &str) -> String {
        format!(r#"{{"header":{{}},"signature":"xx","protected":"{protected}"}}"#)
    }

    /// Inserts signatures into a payload that ends in whitespace and a brace, as libtrust does.
    fn sign(payload: &str, signatures: &[String]) -> String {
        let inside = payload.strip_suffix('}').unwrap().trim_end();
        let tail = &payload[inside.len()..];
        format!(
            "{inside},\n   \"signatures\": [{}]{tail}",
            signatures.join(",")
        )
    }

    fn good() -> String {
        let length = PAYLOAD.len() as u64 - 2;
        signature(&protected(length, "\n}"))
    }

    #[test]
    fn e7_the_payload_comes_back() {
        for signatures in [vec![good()], vec![good(), good()]] {
            let body = sign(PAYLOAD, &signatures);
            assert_eq!(
                payload(body.as_bytes(), &Redactor::without_secrets()).unwrap(),
                PAYLOAD.as_bytes()
            );
        }
    }

    #[test]
    fn e7_without_signatures_the_document_is_the_payload() {
        for body in [
            PAYLOAD,
            r#"{"signatures":[]}"#,
            r#"{"signatures":null,"a":1}"#,
        ] {
            assert_eq!(
                payload(body.as_bytes(), &Redactor::without_secrets()).unwrap(),
                body.as_bytes()
            );
        }
    }

    #[test]
    fn e7_unusable_signatures() {
        let length = PAYLOAD.len() as u64 - 2;
        let with = |protected: &str| sign(PAYLOAD, &[signature(protected)]);
        let beyond = "formatLength is beyond the end";
        let elsewhere = "formatLength is not where the signatures begin";
        let more = "formatTail is more than the end of an object";
        let cases = [
            (
                sign(PAYLOAD, &[good(), signature(&protected(length - 1, "\n}"))]),
                "signatures disagree about what was signed",
            ),
            (with(&protected(u64::MAX, "\n}")), beyond),
            (with(&protected(100_000, "\n}")), beyond),
            (with(&protected(length - 1, "\n}")), elsewhere),
            (with(&protected(0, "\n}")), elsewhere),
            // The document would have the digest of another one (S6).
            (with(&protected(1, &PAYLOAD[1..])), more),
            (with(&protected(length, ",\"tag\":\"x\"}")), more),
            (with(&protected(length, "")), more),
            (with("***"), "unreadable protected header"),
            (with(""), "unreadable protected header"),
            (
                with(&URL_SAFE_NO_PAD.encode(r#"{"formatLength":-1,"formatTail":""}"#)),
                "unreadable protected header",
            ),
            (
                with(&URL_SAFE_NO_PAD.encode(r#"{"formatLength":1,"formatTail":"="}"#)),
                "formatTail is no base64url",
            ),
            (
                sign(PAYLOAD, &[good()]).replace("]\n}", "],\"tag\":\"evil\"\n}"),
                "something follows the signatures",
            ),
        ];
        for (body, expected) in cases {
            let error = payload(body.as_bytes(), &Redactor::without_secrets()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol);
            assert_eq!(
                error.to_string(),
                format!("the signatures of the schema1 manifest are unusable: {expected}"),
                "{body}"
            );
        }
    }

    #[test]
    fn e7_documents_that_are_no_signed_manifest() {
        let many = sign(PAYLOAD, &vec![good(); MAX_SIGNATURES + 1]);
        let cases = [
            ("[]", "expected a JSON object"),
            (r#"{"signatures":[{}]}"#, "missing field `protected`"),
            (r#"{"signatures":{}}"#, "expected a list of signatures"),
            (
                r#"{"signatures":[],"signatures":[]}"#,
                "two keys \"signatures\"",
            ),
            (&many, "too many signatures"),
            (r#"{"signatures":["#, "it is not JSON"),
        ];
        for (body, expected) in cases {
            let error = payload(body.as_bytes(), &Redactor::without_secrets()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol);
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(
            body in any::<Vec<u8>>(),
            length in any::<u64>(),
            tail in any::<String>(),
        ) {
            let _ = payload(&body, &Redactor::without_secrets());
            let body = sign(PAYLOAD, &[signature(&protected(length, &tail))]);
            let _ = payload(body.as_bytes(), &Redactor::without_secrets());
        }

        #[test]
        fn a_signed_payload_is_read_back(
            name in "[ -!#-\\[\\]-~é]{0,20}",
            space in "[ \n\t]{0,4}",
        ) {
            let inside = format!(r#"{{"name":"{name}""#);
            let text = format!("{inside}{space}}}");
            let tail = format!("{space}}}");
            let body = sign(&text, &[signature(&protected(inside.len() as u64, &tail))]);
            let payload = payload(body.as_bytes(), &Redactor::without_secrets()).unwrap();
            prop_assert_eq!(payload, text.as_bytes());
        }
    }
}
