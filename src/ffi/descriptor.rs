//! What a registry has under a reference.

use std::ffi::{CString, c_char};
use std::ptr;

use super::output::{self, Output, c_string};
use crate::{DigestSource, Presence, Resolved};

/// A size or a total that is not known.
pub const OCIREG_SIZE_UNKNOWN: u64 = u64::MAX;

/// Whether an image exists. An error is never a presence: it means that there is no answer.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ocireg_presence {
    /// There is no answer: the call has failed. A call that returned OCIREG_OK never gives this
    /// value.
    OCIREG_PRESENCE_UNKNOWN = 0,
    /// The registry has the image.
    OCIREG_PRESENCE_EXISTS = 1,
    /// The registry says that the image does not exist: an HTTP 404 with the registry's own words
    /// or mark. Some registries also answer 404 for a private repository, to hide it. The client
    /// can't tell the difference. Of a pull-through cache, this is the cache's word: a cache may
    /// also answer so when it can't reach the registry behind it, or while it remembers an earlier
    /// answer.
    OCIREG_PRESENCE_ABSENT = 2,
    /// The registry refuses access to this repository (HTTP 401 or 403). The repository is
    /// private, hidden or missing: Docker Hub gives the same answer for repositories that do not
    /// exist.
    OCIREG_PRESENCE_DENIED = 3,
}

impl Output for ocireg_presence {
    fn empty() -> ocireg_presence {
        ocireg_presence::OCIREG_PRESENCE_UNKNOWN
    }
}

impl From<&Presence> for ocireg_presence {
    fn from(presence: &Presence) -> ocireg_presence {
        match presence {
            Presence::Exists(_) => ocireg_presence::OCIREG_PRESENCE_EXISTS,
            Presence::Absent => ocireg_presence::OCIREG_PRESENCE_ABSENT,
            Presence::Denied => ocireg_presence::OCIREG_PRESENCE_DENIED,
        }
    }
}

/// Where a digest comes from. This tells how far you can trust it.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ocireg_digest_source {
    /// This library does not know the source. Also the source for NULL.
    OCIREG_DIGEST_SOURCE_UNKNOWN = 0,
    /// The registry sent the digest in the header field Docker-Content-Digest. The client did not
    /// read the document.
    OCIREG_DIGEST_SOURCE_HEADER = 1,
    /// The client computed the digest from the document.
    OCIREG_DIGEST_SOURCE_COMPUTED = 2,
    /// You asked for this digest and the registry has it. The client did not read the document.
    OCIREG_DIGEST_SOURCE_REQUESTED = 3,
}

/// A descriptor says what a registry has under a reference: media type, digest and size. You own a
/// descriptor that a function gave you through `out`: free it with ocireg_descriptor_free(). Any
/// thread may read it.
pub struct ocireg_descriptor {
    media_type: CString,
    digest: CString,
    size: u64,
    digest_source: ocireg_digest_source,
}

impl From<&Resolved> for ocireg_descriptor {
    fn from(given: &Resolved) -> ocireg_descriptor {
        ocireg_descriptor {
            media_type: c_string(given.media_type.as_str()),
            digest: c_string(given.digest.as_ref()),
            size: given.size.unwrap_or(OCIREG_SIZE_UNKNOWN),
            digest_source: match given.digest_source {
                DigestSource::Header => ocireg_digest_source::OCIREG_DIGEST_SOURCE_HEADER,
                DigestSource::Computed => ocireg_digest_source::OCIREG_DIGEST_SOURCE_COMPUTED,
                DigestSource::Requested => ocireg_digest_source::OCIREG_DIGEST_SOURCE_REQUESTED,
            },
        }
    }
}

/// Returns the media type of the manifest, such as `"application/vnd.oci.image.index.v1+json"`.
/// The string is borrowed. Returns NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_media_type(
    descriptor: *const ocireg_descriptor,
) -> *const c_char {
    // SAFETY: NULL or a descriptor that is alive, as the header demands.
    let descriptor = unsafe { descriptor.as_ref() };
    descriptor.map_or(ptr::null(), |descriptor| descriptor.media_type.as_ptr())
}

/// Returns the digest of the manifest in the registry, such as `"sha256:…"`. The string is
/// borrowed. Returns NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_digest(
    descriptor: *const ocireg_descriptor,
) -> *const c_char {
    // SAFETY: NULL or a descriptor that is alive, as the header demands.
    let descriptor = unsafe { descriptor.as_ref() };
    descriptor.map_or(ptr::null(), |descriptor| descriptor.digest.as_ptr())
}

/// Returns the size of the document in bytes, or OCIREG_SIZE_UNKNOWN if the registry did not
/// report it. Returns 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_size(descriptor: *const ocireg_descriptor) -> u64 {
    // SAFETY: NULL or a descriptor that is alive, as the header demands.
    unsafe { descriptor.as_ref() }.map_or(0, |descriptor| descriptor.size)
}

/// Returns where the digest comes from.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_digest_source(
    descriptor: *const ocireg_descriptor,
) -> ocireg_digest_source {
    // SAFETY: NULL or a descriptor that is alive, as the header demands.
    let descriptor = unsafe { descriptor.as_ref() };
    descriptor.map_or(
        ocireg_digest_source::OCIREG_DIGEST_SOURCE_UNKNOWN,
        |descriptor| descriptor.digest_source,
    )
}

/// Frees a descriptor that you own. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_free(descriptor: *mut ocireg_descriptor) {
    // SAFETY: NULL or given by this library and not used again, as the header demands.
    unsafe { output::free(descriptor) }
}
