//! How one call is to go, and the callbacks of the caller.

use std::ffi::{c_char, c_void};
use std::num::NonZeroU32;
use std::ptr;
use std::sync::Arc;

use super::batch::Item;
use super::boundary::{self, limit};
use super::cancel::ocireg_cancel;
use super::descriptor::{OCIREG_SIZE_UNKNOWN, ocireg_descriptor, ocireg_presence};
use super::error::ocireg_error;
use super::running::StopCode;
use super::status::ocireg_status;
use crate::{CallOptions, MediaType, Progress};

/// Told how far a call has come: entries or items `done`, of `total` or OCIREG_SIZE_UNKNOWN. Of a
/// pager each page counts anew. Called on the thread that made the call, also without progress at
/// least every 200 ms while the call waits. Return 0 to go on; anything else stops the call with
/// OCIREG_E_CALLBACK.
pub type ocireg_progress_cb =
    Option<unsafe extern "C" fn(userdata: *mut c_void, done: u64, total: u64) -> i32>;

/// Given each result of ocireg_client_lookup_all() as it comes, on the thread that made the call:
/// the position among the references, and what the accessors of the batch would say of it.
/// `descriptor` and `error` end with the callback. Return 0 to go on; anything else stops the call
/// with OCIREG_E_CALLBACK.
pub type ocireg_item_cb = Option<
    unsafe extern "C" fn(
        userdata: *mut c_void,
        index: usize,
        presence: ocireg_presence,
        descriptor: *const ocireg_descriptor,
        error: *const ocireg_error,
    ) -> i32,
>;

/// How a call is to go. Yours; free it with ocireg_call_free(). Every function that asks a registry
/// takes one, or NULL for the client's settings. It can be used for any number of calls, on any
/// number of threads at once while no setter runs.
///
/// A setter's status need not be looked at: a call with a setting that was unusable fails, and says
/// which.
pub struct ocireg_call {
    options: CallOptions,
    progress: Option<Callback<ProgressFn>>,
    item: Option<Callback<ItemFn>>,
    /// The first argument that was unusable.
    problem: Option<ocireg_error>,
}

type ProgressFn = unsafe extern "C" fn(*mut c_void, u64, u64) -> i32;
type ItemFn = unsafe extern "C" fn(
    *mut c_void,
    usize,
    ocireg_presence,
    *const ocireg_descriptor,
    *const ocireg_error,
) -> i32;

/// A function of the caller's, and what it is called with.
#[derive(Clone, Copy)]
struct Callback<F> {
    function: F,
    userdata: *mut c_void,
}

// SAFETY: the pointer is only handed back to the caller's function, on the thread that made the
// call. A caller who uses one `ocireg_call` on several threads gives a `userdata` that bears it;
// the header says so.
unsafe impl<F> Send for Callback<F> {}
// SAFETY: as above.
unsafe impl<F> Sync for Callback<F> {}

impl<F: Copy> Callback<F> {
    fn new(function: Option<F>, userdata: *mut c_void) -> Option<Callback<F>> {
        function.map(|function| Callback { function, userdata })
    }
}

impl ocireg_call {
    /// Whether a call can be made with it.
    pub(super) fn check(&self) -> Result<(), ocireg_error> {
        self.problem.clone().map_or(Ok(()), Err)
    }

    /// The settings for one call, whose callbacks tell `stop`. `before` items were done already.
    pub(super) fn options(&self, stop: &Arc<StopCode>, before: u64) -> CallOptions {
        let options = self.options.clone();
        let Some(callback) = self.progress else {
            return options;
        };
        let stop = stop.clone();
        options.progress(move |progress: Progress| {
            // The whole value, since that is what may be shared between threads.
            let Callback { function, userdata } = { callback };
            let done = progress.done.saturating_add(before);
            let total = match progress.total {
                Some(total) => total.saturating_add(before),
                None => OCIREG_SIZE_UNKNOWN,
            };
            // SAFETY: the caller's function, called with what it was given for it, on the thread of
            // the call.
            stop.ask(|| unsafe { function(userdata, done, total) })
        })
    }

    /// Gives a result to the item callback, if there is one; tells `stop`.
    pub(super) fn item_callback(
        &self,
        stop: &Arc<StopCode>,
    ) -> Option<impl Fn(usize, &Item) -> std::ops::ControlFlow<()> + Send + Sync + 'static> {
        let callback = self.item?;
        let stop = stop.clone();
        Some(move |index: usize, item: &Item| {
            let Callback { function, userdata } = { callback };
            let descriptor = item.descriptor.as_ref().map_or(ptr::null(), ptr::from_ref);
            let error = item.error.as_ref().map_or(ptr::null(), ptr::from_ref);
            // SAFETY: as in `options`; what the pointers lead to lives until the function returns.
            stop.ask(|| unsafe { function(userdata, index, item.presence, descriptor, error) })
        })
    }
}

/// Changes the settings of a call.
///
/// # Safety
///
/// `call` is NULL or alive, and nobody else uses it.
unsafe fn change(
    call: *mut ocireg_call,
    setter: &str,
    setting: impl FnOnce(&mut ocireg_call) -> Result<(), ocireg_error>,
) -> ocireg_status {
    boundary::run_quietly(|| {
        // SAFETY: NULL or alive and not shared, as the caller of this function promises.
        let call = unsafe { boundary::object_mut(call, "call") }?;
        let changed = setting(call);
        if let Err(problem) = &changed {
            call.problem.get_or_insert_with(|| problem.of(setter));
        }
        changed
    })
}

/// As [`change`], for one of the settings that the Rust API has.
///
/// # Safety
///
/// As of [`change`].
unsafe fn change_options(
    call: *mut ocireg_call,
    setter: &str,
    setting: impl FnOnce(CallOptions) -> Result<CallOptions, ocireg_error>,
) -> ocireg_status {
    // SAFETY: the caller of this function promises the same.
    unsafe {
        change(call, setter, |call| {
            call.options = setting(call.options.clone())?;
            Ok(())
        })
    }
}

/// Settings of a call that are all the client's. Never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ocireg_call_new() -> *mut ocireg_call {
    boundary::boxed(ocireg_call {
        options: CallOptions::new(),
        progress: None,
        item: None,
        problem: None,
    })
}

/// Frees the settings of a call. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_call_free(call: *mut ocireg_call) {
    // SAFETY: NULL or given by this library and not used again, as the header demands.
    unsafe { boundary::free(call) }
}

/// The most time that the call may take in all, in milliseconds, retries and waits included. 0 is
/// no limit. Defaults to the client's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_call_set_timeout_ms(
    call: *mut ocireg_call,
    milliseconds: u64,
) -> ocireg_status {
    let setting = |options: CallOptions| Ok(options.timeout(limit(milliseconds)));
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change_options(call, "ocireg_call_set_timeout_ms", setting) }
}

/// Lets `cancel` stop the call. The token may be freed before the call is made, but then nobody can
/// trigger it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_call_set_cancel(
    call: *mut ocireg_call,
    cancel: *const ocireg_cancel,
) -> ocireg_status {
    // SAFETY: NULL or what the header demands.
    let setting = |options: CallOptions| unsafe {
        Ok(options.cancel(&boundary::object(cancel, "cancel")?.0))
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change_options(call, "ocireg_call_set_cancel", setting) }
}

/// Has `callback` told how far the call has come, with `userdata` as its first argument. NULL takes
/// it back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_call_set_progress(
    call: *mut ocireg_call,
    callback: ocireg_progress_cb,
    userdata: *mut c_void,
) -> ocireg_status {
    let callback = Callback::new(callback, userdata);
    let setting = |call: &mut ocireg_call| {
        call.progress = callback;
        Ok(())
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(call, "ocireg_call_set_progress", setting) }
}

/// Gives `callback` each result of ocireg_client_lookup_all() as it comes, with `userdata` as its
/// first argument. NULL takes it back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_call_set_item_callback(
    call: *mut ocireg_call,
    callback: ocireg_item_cb,
    userdata: *mut c_void,
) -> ocireg_status {
    let callback = Callback::new(callback, userdata);
    let setting = |call: &mut ocireg_call| {
        call.item = callback;
        Ok(())
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(call, "ocireg_call_set_item_callback", setting) }
}

/// How many requests a call that makes many (ocireg_client_lookup_all(),
/// ocireg_client_tags_sharing(), ocireg_client_tags_of_digest()) may have under way at once for
/// each registry, from 1 to 64; more counts as 64. OCIREG_E_INVALID_ARGUMENT for 0. Defaults to 8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_call_set_concurrency(
    call: *mut ocireg_call,
    requests: u32,
) -> ocireg_status {
    let setting = |options: CallOptions| match usize::try_from(requests) {
        Ok(0) => Err(ocireg_error::argument("requests", "is 0")),
        Ok(requests) => Ok(options.concurrency(requests)),
        Err(_) => Ok(options.concurrency(usize::MAX)),
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change_options(call, "ocireg_call_set_concurrency", setting) }
}

/// Asks for lists in pages of this many entries; the registry may choose another size.
/// OCIREG_E_INVALID_ARGUMENT for 0. Defaults to the registry's choice, since some cut a list off at
/// the size asked for without saying so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_call_set_page_size(
    call: *mut ocireg_call,
    entries: u32,
) -> ocireg_status {
    let setting = |options: CallOptions| match NonZeroU32::new(entries) {
        None => Err(ocireg_error::argument("entries", "is 0")),
        Some(entries) => Ok(options.page_size(entries)),
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change_options(call, "ocireg_call_set_page_size", setting) }
}

/// Accepts manifests of one more media type. The six types of images and their lists are always
/// accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_call_add_accept(
    call: *mut ocireg_call,
    media_type: *const c_char,
) -> ocireg_status {
    // SAFETY: NULL or what the header demands.
    let setting = |options: CallOptions| unsafe {
        let media_type: MediaType = boundary::text(media_type, "media_type")?.parse()?;
        Ok(options.accept(media_type))
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change_options(call, "ocireg_call_add_accept", setting) }
}
