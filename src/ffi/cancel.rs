//! Cancel tokens.

use super::output;
use crate::Cancel;

/// A cancel token stops calls from another thread or from a signal handler. You own it: free it
/// with ocireg_cancel_free().
pub struct ocireg_cancel(pub(super) Cancel);

/// Makes a token that is not triggered. Never returns NULL. Pass the token to calls with
/// ocireg_call_set_cancel().
#[unsafe(no_mangle)]
pub extern "C" fn ocireg_cancel_new() -> *mut ocireg_cancel {
    output::boxed(ocireg_cancel(Cancel::new()))
}

/// Stops every call that has the token, now and later. Each call ends within half a second with
/// OCIREG_E_CANCELLED, whatever it waits for. Any thread and any signal handler may call this
/// function: it is async-signal-safe, since it is one atomic store. A token stays triggered: make
/// a new token for new calls. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_cancel_trigger(cancel: *const ocireg_cancel) {
    // SAFETY: NULL or a token that is alive, as the header demands.
    if let Some(cancel) = unsafe { cancel.as_ref() } {
        cancel.0.trigger();
    }
}

/// Returns 1 if the token was triggered, else 0. This function is async-signal-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_cancel_is_triggered(cancel: *const ocireg_cancel) -> i32 {
    // SAFETY: NULL or a token that is alive, as the header demands.
    unsafe { cancel.as_ref() }.map_or(0, |cancel| i32::from(cancel.0.is_triggered()))
}

/// Frees a token. Calls that were given the token keep what they need of it. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_cancel_free(cancel: *mut ocireg_cancel) {
    // SAFETY: NULL or given by this library and not used again, as the header demands.
    unsafe { output::free(cancel) }
}
