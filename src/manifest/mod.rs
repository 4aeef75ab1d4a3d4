//! Manifests: the media type of a document, and its digest.

mod identify;
mod jws;
mod media_type;
mod shape;

use crate::algorithm::Algorithm;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::redact::Redactor;

pub(crate) use identify::identify;
pub use media_type::MediaType;
pub(crate) use media_type::accept_header;

/// The digest by which a registry identifies this document. It is the hash of its bytes, except for
/// schema1: registries sign that anew for each answer, and hash what was signed.
///
/// # Errors
///
/// [`Protocol`](crate::ErrorKind::Protocol) if the signatures of a schema1 manifest are unusable.
pub(crate) fn manifest_digest(
    media_type: &MediaType,
    algorithm: Algorithm,
    body: &[u8],
    redactor: &Redactor<'_>,
) -> Result<Digest> {
    if media_type.is_schema1() {
        return Ok(Digest::of(algorithm, &jws::payload(body, redactor)?));
    }
    Ok(Digest::of(algorithm, body))
}

/// The error for a document that can't be parsed. The parser's own error is not kept as its cause,
/// because it may quote the document.
fn unreadable(error: &serde_json::Error, redactor: &Redactor<'_>) -> Error {
    let message = if error.is_data() {
        let problem = redactor.shown(&error.to_string(), MAX_SHOWN);
        format!("the answer is no manifest: {problem}")
    } else {
        let (line, column) = (error.line(), error.column());
        format!("the answer is no manifest: it is not JSON (line {line} column {column})")
    };
    Error::new(ErrorKind::Protocol, message)
}

/// How much of the parser's text an error shows.
const MAX_SHOWN: usize = 160;

#[cfg(test)]
mod tests {
    use super::*;

    /// Two answers of Debian's docker-registry 2.8.2 to the same request. Their signatures differ.
    const SIGNED: [&[u8]; 2] = [
        include_bytes!("../../tests/fixtures/schema1-signed.json"),
        include_bytes!("../../tests/fixtures/schema1-signed-again.json"),
    ];
    /// The `Docker-Content-Digest` of both answers.
    const DIGEST: &str = include_str!("../../tests/fixtures/schema1-signed.digest");

    #[test]
    fn e7_a_signed_schema1_has_the_digest_of_what_was_signed() {
        assert_ne!(SIGNED[0], SIGNED[1]);
        for body in SIGNED {
            let digest = manifest_digest(
                &MediaType::SCHEMA1_SIGNED,
                Algorithm::Sha256,
                body,
                &Redactor::without_secrets(),
            );
            assert_eq!(digest.unwrap().to_string(), DIGEST.trim());
            let of_bytes = manifest_digest(
                &MediaType::OCI_MANIFEST,
                Algorithm::Sha256,
                body,
                &Redactor::without_secrets(),
            );
            assert_ne!(of_bytes.unwrap().to_string(), DIGEST.trim());
        }
    }

    #[test]
    fn e7_an_unsigned_schema1_has_the_digest_of_its_bytes() {
        let body = br#"{"schemaVersion":1,"fsLayers":[]}"#;
        let digest = manifest_digest(
            &MediaType::SCHEMA1,
            Algorithm::Sha256,
            body,
            &Redactor::without_secrets(),
        );
        assert_eq!(digest.unwrap(), Digest::of(Algorithm::Sha256, body));
    }
}
