//! Manifests: what type a document is, and which digest it has.

mod identify;
mod jws;
mod media_type;
mod shape;

use crate::algorithm::Algorithm;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result, printable};

pub(crate) use identify::identify;
pub use media_type::MediaType;
pub(crate) use media_type::accept_header;

/// The digest a registry knows this document by: of its bytes, for schema1 of what was signed (E7).
///
/// # Errors
///
/// [`Protocol`](crate::ErrorKind::Protocol) where the signatures of a schema1 manifest are
/// unusable.
pub(crate) fn manifest_digest(
    media_type: &MediaType,
    algorithm: Algorithm,
    body: &[u8],
) -> Result<Digest> {
    if media_type.is_schema1() {
        return Ok(Digest::of(algorithm, &jws::payload(body)?));
    }
    Ok(Digest::of(algorithm, body))
}

/// The parser's error is told in our words and not kept as a cause: it may quote the document
/// (S15).
fn unreadable(error: &serde_json::Error) -> Error {
    let message = if error.is_data() {
        let problem = printable(&error.to_string(), MAX_SHOWN);
        format!("the answer is no manifest: {problem}")
    } else {
        let (line, column) = (error.line(), error.column());
        format!("the answer is no manifest: it is not JSON (line {line} column {column})")
    };
    Error::new(ErrorKind::Protocol, message)
}

const MAX_SHOWN: usize = 160;

#[cfg(test)]
mod tests {
    use super::*;

    /// Two answers of Debian's docker-registry 2.8.2 to the same request, with different
    /// signatures.
    const SIGNED: [&[u8]; 2] = [
        include_bytes!("../../tests/fixtures/schema1-signed.json"),
        include_bytes!("../../tests/fixtures/schema1-signed-again.json"),
    ];
    /// Its `Docker-Content-Digest` on both.
    const DIGEST: &str = include_str!("../../tests/fixtures/schema1-signed.digest");

    #[test]
    fn e7_a_signed_schema1_has_the_digest_of_what_was_signed() {
        assert_ne!(SIGNED[0], SIGNED[1]);
        for body in SIGNED {
            let digest = manifest_digest(&MediaType::SCHEMA1_SIGNED, Algorithm::Sha256, body);
            assert_eq!(digest.unwrap().to_string(), DIGEST.trim());
            let of_bytes = manifest_digest(&MediaType::OCI_MANIFEST, Algorithm::Sha256, body);
            assert_ne!(of_bytes.unwrap().to_string(), DIGEST.trim());
        }
    }

    #[test]
    fn e7_an_unsigned_schema1_has_the_digest_of_its_bytes() {
        let body = br#"{"schemaVersion":1,"fsLayers":[]}"#;
        let digest = manifest_digest(&MediaType::SCHEMA1, Algorithm::Sha256, body);
        assert_eq!(digest.unwrap(), Digest::of(Algorithm::Sha256, body));
    }
}
