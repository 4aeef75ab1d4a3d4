//! What a reference resolves to.

use crate::digest::Digest;
use crate::manifest::MediaType;

/// What a registry holds under a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resolved {
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
}
