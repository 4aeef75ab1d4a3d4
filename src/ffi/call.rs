//! Settings of a call.

use std::ffi::{c_char, c_void};
use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::argument::{self, ArgumentError, limit};
use super::boundary;
use super::callbacks::{Callback, CallbackStatus, ItemFn, ProgressFn};
use super::callbacks::{ocireg_item_cb, ocireg_progress_cb};
use super::cancel::ocireg_cancel;
use super::descriptor::OCIREG_SIZE_UNKNOWN;
use super::error::ocireg_error;
use super::item::Item;
use super::output;
use super::status::ocireg_status;
use crate::{CallOptions, MediaType, Progress};

/// Settings of a call. You own them: free them with ocireg_call_free(). Every function that asks a
/// registry takes such settings, or NULL for the settings of the client. You may use the same
/// settings for any number of calls. Any number of threads may use them at the same time, as long
/// as no setter runs.
///
/// You need not check the status of a setter. If a setting is unusable, every call with these
/// settings fails, and the error says which setting it is.
pub struct ocireg_call {
    options: CallOptions,
    progress: Option<Callback<ProgressFn>>,
    item: Option<Callback<ItemFn>>,
    /// The first argument that was unusable.
    problem: Option<ocireg_error>,
}

impl ocireg_call {
    /// Fails if a setting is unusable.
    pub(super) fn check(&self) -> Result<(), ocireg_error> {
        self.problem.clone().map_or(Ok(()), Err)
    }

    /// The settings for one call. The progress callback, which may stop the call through `status`,
    /// counts `before` items as done from the start.
    pub(super) fn options(&self, status: &Arc<CallbackStatus>, before: u64) -> CallOptions {
        let options = self.options.clone();
        let Some(callback) = self.progress else {
            return options;
        };
        let status = status.clone();
        options.progress(move |progress: Progress| {
            let done = progress.done.saturating_add(before);
            let total = match progress.total {
                Some(total) => total.saturating_add(before),
                None => OCIREG_SIZE_UNKNOWN,
            };
            callback.report(&status, done, total)
        })
    }

    /// Passes a result to the item callback, if there is one. The callback may stop the call
    /// through `status`.
    pub(super) fn item_callback(
        &self,
        status: &Arc<CallbackStatus>,
    ) -> Option<impl Fn(usize, &Item) -> ControlFlow<()> + Send + Sync + 'static> {
        let callback = self.item?;
        let status = status.clone();
        Some(move |index: usize, item: &Item| callback.report(&status, index, item))
    }
}

/// Changes the settings of a call. Keeps the error of an unusable argument, with which the call
/// then fails.
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
        let call = unsafe { argument::object_mut(call, "call") }?;
        let changed = setting(call);
        if let Err(problem) = &changed {
            call.problem.get_or_insert_with(|| problem.of(setter));
        }
        changed
    })
}

/// As [`change`], for a setting of [`CallOptions`].
///
/// # Safety
///
/// As for [`change`].
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

/// Makes settings that change nothing: the settings of the client apply. Never returns NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ocireg_call_new() -> *mut ocireg_call {
    output::boxed(ocireg_call {
        options: CallOptions::new(),
        progress: None,
        item: None,
        problem: None,
    })
}

/// Frees the settings of a call. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_call_free(call: *mut ocireg_call) {
    // SAFETY: NULL or given by this library and not used again, as the header demands.
    unsafe { output::free(call) }
}

/// Limits the total time of the call, in milliseconds. Retries and waits count too. 0 means no
/// limit. Defaults to the limit of the client.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_call_set_timeout_ms(
    call: *mut ocireg_call,
    milliseconds: u64,
) -> ocireg_status {
    let setting = |options: CallOptions| Ok(options.timeout(limit(milliseconds)));
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change_options(call, "ocireg_call_set_timeout_ms", setting) }
}

/// Allows `cancel` to stop the call. You may free the token before you make the call, but then
/// nobody can trigger it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_call_set_cancel(
    call: *mut ocireg_call,
    cancel: *const ocireg_cancel,
) -> ocireg_status {
    // SAFETY: NULL or what the header demands.
    let setting = |options: CallOptions| unsafe {
        Ok(options.cancel(&argument::object(cancel, "cancel")?.0))
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change_options(call, "ocireg_call_set_cancel", setting) }
}

/// Makes the library report the progress of the call to `callback`, with `userdata` as its first
/// argument. NULL removes the callback.
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

/// Makes the library pass each result of ocireg_client_lookup_all() to `callback` as soon as it is
/// known, with `userdata` as its first argument. NULL removes the callback.
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

/// Sets how many requests a call may send at the same time to each registry, from 1 to 64. A
/// larger number counts as 64. It applies to the calls that make many requests:
/// ocireg_client_lookup_all(), ocireg_client_tags_sharing() and ocireg_client_tags_of_digest().
/// Fails with OCIREG_E_INVALID_ARGUMENT for 0. Defaults to 8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_call_set_concurrency(
    call: *mut ocireg_call,
    requests: u32,
) -> ocireg_status {
    let setting = |options: CallOptions| match usize::try_from(requests) {
        Ok(0) => Err(ArgumentError::new("requests", "is 0").into()),
        Ok(requests) => Ok(options.concurrency(requests)),
        Err(_) => Ok(options.concurrency(usize::MAX)),
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change_options(call, "ocireg_call_set_concurrency", setting) }
}

/// Asks the registry for pages of this many entries. The registry may choose another size. Fails
/// with OCIREG_E_INVALID_ARGUMENT for 0. By default the registry chooses the size. Some registries
/// cut a list off at the requested size without saying so. After a page of exactly this size that
/// names no next page, one request more asks for what follows. If the registry refuses it or sends
/// the same entries again, the list ends with OCIREG_E_PROTOCOL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_call_set_page_size(
    call: *mut ocireg_call,
    entries: u32,
) -> ocireg_status {
    let setting = |options: CallOptions| match NonZeroU32::new(entries) {
        None => Err(ArgumentError::new("entries", "is 0").into()),
        Some(entries) => Ok(options.page_size(entries)),
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change_options(call, "ocireg_call_set_page_size", setting) }
}

/// Accepts manifests of one more media type. The six media types of images and image indexes are
/// always accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_call_add_accept(
    call: *mut ocireg_call,
    media_type: *const c_char,
) -> ocireg_status {
    // SAFETY: NULL or what the header demands.
    let setting = |options: CallOptions| unsafe {
        let media_type: MediaType = argument::text(media_type, "media_type")?.parse()?;
        Ok(options.accept(media_type))
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change_options(call, "ocireg_call_add_accept", setting) }
}
