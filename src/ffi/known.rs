//! What a client has learned about a registry. These functions send no request.

use std::ffi::c_char;
use std::ptr;

use super::active_call::ActiveCall;
use super::client::ocireg_client;
use super::error::ocireg_error;
use super::output::boxed;
use super::query::query;
use super::rate_limit::ocireg_rate_limit;
use super::status::ocireg_status;
use super::strings::ocireg_strings;
use crate::Registry;

/// Lists the warnings that the registry has sent to this client or has caused, such as a
/// deprecated API or a digest header that does not match the document. Each warning is listed
/// once. The list has at most 32 warnings. This function sends no request. Free the list with
/// ocireg_strings_free().
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_client_warnings(
    client: *const ocireg_client,
    registry: *const c_char,
    out: *mut *mut ocireg_strings,
    error: *mut *mut ocireg_error,
) -> ocireg_status {
    let ask = |active: ActiveCall<'_>, registry: Registry| {
        let warnings = active.client().warnings(&registry);
        Ok(boxed(ocireg_strings::new(warnings, 0)))
    };
    // SAFETY: each is NULL or what the header demands of it.
    unsafe { query(client, (registry, "registry"), ptr::null(), out, error, ask) }
}

/// Gives the rate limit that the registry last reported to this client. Sets `out` to NULL if the
/// registry never reported one. This function sends no request. Free the object with
/// ocireg_rate_limit_free().
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_client_rate_limit(
    client: *const ocireg_client,
    registry: *const c_char,
    out: *mut *mut ocireg_rate_limit,
    error: *mut *mut ocireg_error,
) -> ocireg_status {
    let ask = |active: ActiveCall<'_>, registry: Registry| {
        let limit = active.client().rate_limit(&registry);
        Ok(limit.map_or(ptr::null_mut(), |limit| boxed((&limit).into())))
    };
    // SAFETY: each is NULL or what the header demands of it.
    unsafe { query(client, (registry, "registry"), ptr::null(), out, error, ask) }
}
