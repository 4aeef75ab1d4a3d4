//! What a registry holds under a reference.

use std::ffi::{CString, c_char};
use std::ptr;

use super::boundary::{self, c_string};
use crate::{DigestSource, Presence, Resolved};

/// A size or a total that nobody has said.
pub const OCIREG_SIZE_UNKNOWN: u64 = u64::MAX;

/// Whether something is there. Not an error: an error is no answer.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ocireg_presence {
    /// There is no answer: the call has failed. Never the value of a call that returned OCIREG_OK.
    OCIREG_PRESENCE_UNKNOWN = 0,
    /// The registry has it.
    OCIREG_PRESENCE_EXISTS = 1,
    /// The registry says that it is not there (HTTP 404). A registry that hides private
    /// repositories behind a 404 can't be told from this.
    OCIREG_PRESENCE_ABSENT = 2,
    /// The registry refuses this repository (HTTP 401 or 403): private, hidden or missing. Docker
    /// Hub answers so for repositories that do not exist.
    OCIREG_PRESENCE_DENIED = 3,
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

/// Where a digest comes from, which is how far it can be trusted.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ocireg_digest_source {
    /// Not known to this library; of NULL.
    OCIREG_DIGEST_SOURCE_UNKNOWN = 0,
    /// The registry said so in the header Docker-Content-Digest; the document was not read.
    OCIREG_DIGEST_SOURCE_HEADER = 1,
    /// Computed from the document.
    OCIREG_DIGEST_SOURCE_COMPUTED = 2,
    /// You asked for this digest and the registry has it; the document was not read.
    OCIREG_DIGEST_SOURCE_REQUESTED = 3,
}

/// What a registry holds under a reference: media type, digest, size. Yours where a function gave
/// it through `out`; then free it with ocireg_descriptor_free(). Any thread may read it.
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

/// What kind of manifest it is, such as `"application/vnd.oci.image.index.v1+json"`. Borrowed; NULL
/// for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_media_type(
    descriptor: *const ocireg_descriptor,
) -> *const c_char {
    // SAFETY: NULL or a descriptor that is alive, as the header demands.
    let descriptor = unsafe { descriptor.as_ref() };
    descriptor.map_or(ptr::null(), |descriptor| descriptor.media_type.as_ptr())
}

/// The digest that the registry knows it by, such as `"sha256:…"`. Borrowed; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_digest(
    descriptor: *const ocireg_descriptor,
) -> *const c_char {
    // SAFETY: NULL or a descriptor that is alive, as the header demands.
    let descriptor = unsafe { descriptor.as_ref() };
    descriptor.map_or(ptr::null(), |descriptor| descriptor.digest.as_ptr())
}

/// The size of the document in bytes, or OCIREG_SIZE_UNKNOWN where the registry did not say it. 0
/// for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_size(descriptor: *const ocireg_descriptor) -> u64 {
    // SAFETY: NULL or a descriptor that is alive, as the header demands.
    unsafe { descriptor.as_ref() }.map_or(0, |descriptor| descriptor.size)
}

/// Where the digest comes from.
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

/// Frees a descriptor that is yours. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_free(descriptor: *mut ocireg_descriptor) {
    // SAFETY: NULL or given by this library and not used again, as the header demands.
    unsafe { boundary::free(descriptor) }
}
