//! The callbacks of a call, and how they stop it.

use std::ffi::c_void;
use std::ops::ControlFlow;
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};

use super::descriptor::{ocireg_descriptor, ocireg_presence};
use super::error::ocireg_error;
use super::item::Item;

/// Reports the progress of a call: `done` of `total` entries or items. `total` is
/// OCIREG_SIZE_UNKNOWN if it is not known. With a pager, `done` starts at 0 again for each page.
/// The callback runs on the thread that made the call. While the call waits, the callback runs at
/// least every 200 ms, even without progress. Return 0 to continue. Any other value stops the call
/// with OCIREG_E_CALLBACK.
pub type ocireg_progress_cb =
    Option<unsafe extern "C" fn(userdata: *mut c_void, done: u64, total: u64) -> i32>;

/// Receives each result of ocireg_client_lookup_all() as soon as it is known, on the thread that
/// made the call. `index` is the position of the reference. The other arguments are what the
/// accessors of the batch return for this position. `descriptor` and `error` are valid until the
/// callback returns. Return 0 to continue. Any other value stops the call with OCIREG_E_CALLBACK.
pub type ocireg_item_cb = Option<
    unsafe extern "C" fn(
        userdata: *mut c_void,
        index: usize,
        presence: ocireg_presence,
        descriptor: *const ocireg_descriptor,
        error: *const ocireg_error,
    ) -> i32,
>;

// The callback types without `Option`. cbindgen would write these names into the header, so the
// types above spell them out.
pub(super) type ProgressFn = unsafe extern "C" fn(*mut c_void, u64, u64) -> i32;
pub(super) type ItemFn = unsafe extern "C" fn(
    *mut c_void,
    usize,
    ocireg_presence,
    *const ocireg_descriptor,
    *const ocireg_error,
) -> i32;

/// A function of the caller and its first argument.
#[derive(Clone, Copy)]
pub(super) struct Callback<F> {
    function: F,
    userdata: *mut c_void,
}

// SAFETY: the pointer is only passed back to the caller's function, on the thread that made the
// call. A caller who uses one `ocireg_call` on several threads has to give a `userdata` that
// several threads may use; the header says so.
unsafe impl<F> Send for Callback<F> {}
// SAFETY: as above.
unsafe impl<F> Sync for Callback<F> {}

impl<F: Copy> Callback<F> {
    pub(super) fn new(function: Option<F>, userdata: *mut c_void) -> Option<Callback<F>> {
        function.map(|function| Callback { function, userdata })
    }
}

impl Callback<ProgressFn> {
    pub(super) fn report(self, status: &CallbackStatus, done: u64, total: u64) -> ControlFlow<()> {
        let Callback { function, userdata } = self;
        // SAFETY: the caller's function with the caller's argument, on the thread of the call.
        status.run(|| unsafe { function(userdata, done, total) })
    }
}

impl Callback<ItemFn> {
    pub(super) fn report(
        self,
        status: &CallbackStatus,
        index: usize,
        item: &Item,
    ) -> ControlFlow<()> {
        let Callback { function, userdata } = self;
        let descriptor = item.descriptor.as_ref().map_or(ptr::null(), ptr::from_ref);
        let error = item.error.as_ref().map_or(ptr::null(), ptr::from_ref);
        // SAFETY: the caller's function with the caller's argument, on the thread of the call. The
        // descriptor and the error live until the function returns.
        status.run(|| unsafe { function(userdata, index, item.presence, descriptor, error) })
    }
}

/// 0, or the value with which a callback has stopped the call.
#[derive(Default)]
pub(super) struct CallbackStatus(AtomicI32);

impl CallbackStatus {
    /// Runs a callback. Does not run it if a callback has stopped the call before.
    fn run(&self, callback: impl FnOnce() -> i32) -> ControlFlow<()> {
        if self.check().is_err() {
            return ControlFlow::Break(());
        }
        match callback() {
            0 => ControlFlow::Continue(()),
            code => {
                self.0.store(code, Ordering::Relaxed);
                ControlFlow::Break(())
            }
        }
    }

    /// Fails if a callback has stopped the call.
    pub(super) fn check(&self) -> Result<(), ocireg_error> {
        match self.0.load(Ordering::Relaxed) {
            0 => Ok(()),
            code => Err(ocireg_error::stopped_by_callback(code)),
        }
    }
}
