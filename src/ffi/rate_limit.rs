//! What a registry said of its rate limit.

use std::ffi::{CString, c_char};
use std::ptr;
use std::time::Duration;

use super::boundary::{self, c_string};
use super::client::ocireg_client;
use super::error::ocireg_error;
use super::question::Question;
use super::status::ocireg_status;
use crate::{RateLimit, Registry};

/// What a registry last said of its rate limit, such as Docker Hub's
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
        let milliseconds = |window: Duration| boundary::milliseconds(window);
        ocireg_rate_limit {
            limit: number(given.limit),
            remaining: number(given.remaining),
            window_ms: number(given.window.map(milliseconds)),
            source: given.source.as_deref().map(c_string),
        }
    }
}

/// The rate limit that the registry reported last to this client, or NULL in `out` if it never did.
/// No request is made. Free it with ocireg_rate_limit_free().
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_client_rate_limit(
    client: *const ocireg_client,
    registry: *const c_char,
    out: *mut *mut ocireg_rate_limit,
    error: *mut *mut ocireg_error,
) -> ocireg_status {
    let about = (registry, "registry");
    let question = Question {
        client,
        about,
        call: ptr::null(),
        error,
    };
    // SAFETY: each is NULL or what the header demands of it.
    unsafe {
        question.ask(out, ptr::null_mut(), |running, registry: Registry| {
            let limit = running.client().rate_limit(&registry);
            Ok(limit.map_or(ptr::null_mut(), |limit| boundary::boxed((&limit).into())))
        })
    }
}

/// How many requests a window allows, or -1 where the registry did not say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_rate_limit_limit(limit: *const ocireg_rate_limit) -> i64 {
    // SAFETY: NULL or a rate limit that is alive, as the header demands.
    unsafe { limit.as_ref() }.map_or(-1, |limit| limit.limit)
}

/// How many requests are left in the present window, or -1 where the registry did not say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_rate_limit_remaining(limit: *const ocireg_rate_limit) -> i64 {
    // SAFETY: NULL or a rate limit that is alive, as the header demands.
    unsafe { limit.as_ref() }.map_or(-1, |limit| limit.remaining)
}

/// How long a window is, in milliseconds, or -1 where the registry did not say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_rate_limit_window_ms(limit: *const ocireg_rate_limit) -> i64 {
    // SAFETY: NULL or a rate limit that is alive, as the header demands.
    unsafe { limit.as_ref() }.map_or(-1, |limit| limit.window_ms)
}

/// What the registry counts by, an address or an account in its own words, or NULL. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_rate_limit_source(
    limit: *const ocireg_rate_limit,
) -> *const c_char {
    // SAFETY: NULL or a rate limit that is alive, as the header demands.
    let source = unsafe { limit.as_ref() }.and_then(|limit| limit.source.as_ref());
    source.map_or(ptr::null(), |source| source.as_ptr())
}

/// Frees a rate limit that ocireg_client_rate_limit() gave. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_rate_limit_free(limit: *mut ocireg_rate_limit) {
    // SAFETY: NULL or given by this library and not used again, as the header demands.
    unsafe { boundary::free(limit) }
}
