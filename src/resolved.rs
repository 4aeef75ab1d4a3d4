//! What a reference resolves to.

use crate::digest::Digest;
use crate::manifest::MediaType;

/// The manifest that a registry has for a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resolved {
    /// The media type of the manifest.
    pub media_type: MediaType,
    /// The digest of the manifest in this registry.
    pub digest: Digest,
    /// The size of the manifest in bytes, if the registry said it or the manifest was read.
    pub size: Option<u64>,
    /// Where the digest comes from, and so how far it can be trusted.
    pub digest_source: DigestSource,
}

/// Where a digest comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DigestSource {
    /// From the registry's header `Docker-Content-Digest`. The manifest was not read.
    Header,
    /// Computed from the manifest.
    Computed,
    /// From the caller, who asked for this digest. The registry has it; the manifest was not read.
    Requested,
}
