//! Manifests: what type a document is, and which digest it has.

#[cfg_attr(not(test), expect(dead_code, reason = "the client reads it at merge"))]
mod identify;
mod media_type;
mod shape;

use crate::digest::Digest;
use crate::error::{Error, ErrorKind, printable};

#[expect(unused_imports, reason = "the client reads it at merge")]
pub(crate) use identify::identify;
pub use media_type::MediaType;
#[expect(unused_imports, reason = "the client reads it at merge")]
pub(crate) use media_type::accept_header;

/// What a registry holds under a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Descriptor {
    /// What kind of manifest it is.
    pub media_type: MediaType,
    /// The digest the registry knows it by.
    pub digest: Digest,
    /// The size of the document in bytes, where the registry said it or the document was read.
    pub size: Option<u64>,
    /// Where the digest comes from, which is how far it can be trusted.
    pub digest_source: DigestSource,
}

/// Where a digest comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DigestSource {
    /// The registry said so in `Docker-Content-Digest`; the document was not read.
    Header,
    /// Computed from the document.
    Computed,
    /// The caller asked for this digest and the registry has it; the document was not read.
    Requested,
    /// The registry said so in a tag list that carries digests.
    TagList,
}

/// The parser's error is told in our words and not kept as a cause: it may quote the document (S15).
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
