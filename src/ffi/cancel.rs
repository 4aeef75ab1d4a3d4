//! Stopping calls.

use super::boundary;
use crate::Cancel;

/// Stops calls from another thread or from a signal handler. Yours; free it with
/// ocireg_cancel_free().
pub struct ocireg_cancel(pub(super) Cancel);

/// A token that is not triggered. Never NULL. Give it to calls with ocireg_call_set_cancel().
#[unsafe(no_mangle)]
pub extern "C" fn ocireg_cancel_new() -> *mut ocireg_cancel {
    boundary::boxed(ocireg_cancel(Cancel::new()))
}

/// Stops every call that has the token, now and later: each ends within half a second with
/// OCIREG_E_CANCELLED, whatever it is waiting for. From any thread, and from a signal handler (it
/// is async-signal-safe: one atomic store). It can't be taken back; make a new token for new calls.
/// NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_cancel_trigger(cancel: *const ocireg_cancel) {
    // SAFETY: NULL or a token that is alive, as the header demands.
    if let Some(cancel) = unsafe { cancel.as_ref() } {
        cancel.0.trigger();
    }
}

/// 1 if the token was triggered, else 0. Async-signal-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_cancel_is_triggered(cancel: *const ocireg_cancel) -> i32 {
    // SAFETY: NULL or a token that is alive, as the header demands.
    unsafe { cancel.as_ref() }.map_or(0, |cancel| i32::from(cancel.0.is_triggered()))
}

/// Frees a token. Calls that were given it keep what they need of it. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_cancel_free(cancel: *mut ocireg_cancel) {
    // SAFETY: NULL or given by this library and not used again, as the header demands.
    unsafe { boundary::free(cancel) }
}
