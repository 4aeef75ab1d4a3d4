//! The panic boundary: every C function that can fail runs its body here.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use super::error::ocireg_error;
use super::output::boxed;
use super::status::ocireg_status;

/// Runs the body of a function. Stores its failure in `error` if the caller wants it. A panic is a
/// failure too.
///
/// # Safety
///
/// `error` is NULL or can be written to.
pub(super) unsafe fn run(
    error: *mut *mut ocireg_error,
    body: impl FnOnce() -> Result<(), ocireg_error>,
) -> ocireg_status {
    // A failure is dropped if `error` is NULL.
    let give = |failure: Option<ocireg_error>| {
        if !error.is_null() {
            let object = failure.map_or(ptr::null_mut(), boxed);
            // SAFETY: not NULL, so it can be written to, as the caller of this function promises.
            unsafe { error.write(object) };
        }
    };
    give(None);
    // Unwind safe: a panic can interrupt changes of maps behind mutexes only, and every such change
    // is one step.
    let failure = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => return ocireg_status::OCIREG_OK,
        Ok(Err(failure)) => failure,
        Err(_) => ocireg_error::panicked(),
    };
    let status = failure.code();
    give(Some(failure));
    status
}

/// As [`run`], for functions without an error object.
pub(super) fn run_quietly(body: impl FnOnce() -> Result<(), ocireg_error>) -> ocireg_status {
    // SAFETY: NULL.
    unsafe { run(ptr::null_mut(), body) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_status_and_an_error() {
        let mut error = ptr::null_mut();
        // SAFETY: `error` can be written to.
        let status = unsafe {
            run(&raw mut error, || {
                std::panic::resume_unwind(Box::new("password"))
            })
        };
        assert_eq!(status, ocireg_status::OCIREG_E_PANIC);
        // SAFETY: `run` has made it.
        let error = unsafe { Box::from_raw(error) };
        assert_eq!(error.code(), ocireg_status::OCIREG_E_PANIC);
        // A panic message may quote the value that the panic is about.
        assert!(!error.text().contains("password"));
    }
}
