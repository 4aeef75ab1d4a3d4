//! Rate limits.

use std::ffi::{CString, c_char};
use std::ptr;
use std::time::Duration;

use super::output::{self, c_string};
use crate::RateLimit;

/// The rate limit that a registry last reported, such as Docker Hub's
/// `RateLimit-Remaining: 76;w=21600`.
#[derive(Clone)]
pub struct ocireg_rate_limit {
    limit: i64,
    remaining: i64,
    window_ms: i64,
    source: Option<CString>,
}

impl From<&RateLimit> for ocireg_rate_limit {
    fn from(given: &RateLimit) -> ocireg_rate_limit {
        let number =
            |value: Option<u64>| value.map_or(-1, |value| i64::try_from(value).unwrap_or(i64::MAX));
        let milliseconds = |window: Duration| output::milliseconds(window);
        ocireg_rate_limit {
            limit: number(given.limit),
            remaining: number(given.remaining),
            window_ms: number(given.window.map(milliseconds)),
            source: given.source.as_deref().map(c_string),
        }
    }
}

/// Returns how many requests a window allows, or -1 if the registry did not report it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_rate_limit_limit(limit: *const ocireg_rate_limit) -> i64 {
    // SAFETY: NULL or a rate limit that is alive, as the header demands.
    unsafe { limit.as_ref() }.map_or(-1, |limit| limit.limit)
}

/// Returns how many requests are left in the current window, or -1 if the registry did not report
/// it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_rate_limit_remaining(limit: *const ocireg_rate_limit) -> i64 {
    // SAFETY: NULL or a rate limit that is alive, as the header demands.
    unsafe { limit.as_ref() }.map_or(-1, |limit| limit.remaining)
}

/// Returns the length of a window in milliseconds, or -1 if the registry did not report it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_rate_limit_window_ms(limit: *const ocireg_rate_limit) -> i64 {
    // SAFETY: NULL or a rate limit that is alive, as the header demands.
    unsafe { limit.as_ref() }.map_or(-1, |limit| limit.window_ms)
}

/// Returns whose requests the registry counts: an address or an account, in the words of the
/// registry. Returns NULL if the registry did not report it. The string is borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_rate_limit_source(
    limit: *const ocireg_rate_limit,
) -> *const c_char {
    // SAFETY: NULL or a rate limit that is alive, as the header demands.
    let source = unsafe { limit.as_ref() }.and_then(|limit| limit.source.as_ref());
    source.map_or(ptr::null(), |source| source.as_ptr())
}

/// Frees a rate limit that ocireg_client_rate_limit() gave you. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_rate_limit_free(limit: *mut ocireg_rate_limit) {
    // SAFETY: NULL or given by this library and not used again, as the header demands.
    unsafe { output::free(limit) }
}
