//! A function that panics, for the C tests. It exists only with the internal feature `_panic`, and
//! the header leaves it out.

use super::boundary;
use super::error::ocireg_error;
use super::status::ocireg_status;

/// Panics.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_panic_for_test(error: *mut *mut ocireg_error) -> ocireg_status {
    #[allow(clippy::panic)]
    let body = || panic!("the test's panic");
    // SAFETY: NULL or writable, as the test promises.
    unsafe { boundary::run(error, body) }
}
