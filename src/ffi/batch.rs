//! Lookups of many images in one call.

use std::borrow::Cow;
use std::ffi::c_char;
use std::ops::ControlFlow;
use std::ptr;
use std::sync::Arc;

use super::call::ocireg_call;
use super::callbacks::CallbackStatus;
use super::client::ocireg_client;
use super::descriptor::{ocireg_descriptor, ocireg_presence};
use super::error::ocireg_error;
use super::item::Item;
use super::output::{self, Out, boxed};
use super::status::ocireg_status;
use super::{argument, boundary};
use crate::{Client, Reference, Result};

/// A batch holds the results of ocireg_client_lookup_all(), in the order of the references. You
/// own it: free it with ocireg_batch_free(). Any thread may read it.
pub struct ocireg_batch {
    items: Vec<Item>,
}

/// A batch that is not looked up yet. Its unusable references are sorted out.
struct Batch {
    /// The result at each position, as far as it is known.
    items: Vec<Option<Item>>,
    good: Vec<Reference>,
    /// The position of each of `good`.
    positions: Vec<usize>,
}

impl Batch {
    fn new(texts: impl Iterator<Item = Result<Reference, ocireg_error>>) -> Batch {
        let (mut items, mut good, mut positions) = (Vec::new(), Vec::new(), Vec::new());
        for (position, parsed) in texts.enumerate() {
            match parsed {
                Ok(reference) => {
                    good.push(reference);
                    positions.push(position);
                    items.push(None);
                }
                Err(error) => items.push(Some(Item::from(error))),
            }
        }
        Batch {
            items,
            good,
            positions,
        }
    }

    fn run(
        mut self,
        client: &Client,
        call: Option<&ocireg_call>,
    ) -> Result<ocireg_batch, ocireg_error> {
        let callback_status = Arc::<CallbackStatus>::default();
        let mut client = Cow::Borrowed(client);
        let mut callback = None;
        if let Some(call) = call {
            call.check()?;
            let unusable = self.items.iter().flatten().count();
            let before = u64::try_from(unusable).unwrap_or(u64::MAX);
            client = Cow::Owned(client.with(call.options(&callback_status, before)));
            callback = call.item_callback(&callback_status);
        }
        let report = |position: usize, item: &Item| match &callback {
            Some(callback) => callback(position, item),
            None => ControlFlow::Continue(()),
        };
        for (position, item) in self.items.iter().enumerate() {
            if item
                .as_ref()
                .is_some_and(|item| report(position, item).is_break())
            {
                callback_status.check()?;
            }
        }
        client.lookup_each(&self.good, |index, result| {
            let item = Item::from(result);
            let position = self.positions.get(index).copied().unwrap_or(usize::MAX);
            let flow = report(position, &item);
            if let Some(slot) = self.items.get_mut(position) {
                *slot = Some(item);
            }
            flow
        });
        callback_status.check()?;
        // Every position is either unusable or one of `good`.
        let items = self.items.into_iter().flatten().collect();
        Ok(ocireg_batch { items })
    }
}

/// Looks up `count` references, in any number of registries. It sends several requests at the same
/// time: ocireg_call_set_concurrency() says how many. One token serves up to 32 repositories. A
/// reference that occurs twice is looked up once.
///
/// The function fails only if an argument is unusable or if a callback stops it. Each reference
/// has a result of its own, in the given order. A reference that is unusable (such as NULL) or
/// that has no answer has an error. If the client can't be used any more, each reference has the
/// error OCIREG_E_STATE. A timeout applies to all references together. When the timeout ends, the
/// call is cancelled or the client is shut down, finished results stay. The other references then
/// have the error OCIREG_E_TIMEOUT or OCIREG_E_CANCELLED.
///
/// `count` may be 0, and then `references` may be NULL. Free the batch with ocireg_batch_free().
///
/// ```c
/// const char *images[] = {"localhost:5000/app:1", "localhost:5000/db:7"};
/// ocireg_batch *batch;
/// if (ocireg_client_lookup_all(client, images, 2, NULL, &batch, NULL) == OCIREG_OK) {
///     for (size_t i = 0; i < ocireg_batch_len(batch); i++)
///         printf("%s: %d\n", images[i], (int)ocireg_batch_presence(batch, i));
/// }
/// ocireg_batch_free(batch);
/// ```
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_client_lookup_all(
    client: *const ocireg_client,
    references: *const *const c_char,
    count: usize,
    call: *const ocireg_call,
    out: *mut *mut ocireg_batch,
    error: *mut *mut ocireg_error,
) -> ocireg_status {
    let body = || {
        // SAFETY: NULL or what the header demands, for each.
        let (out, client, references, call) = unsafe {
            let out = Out::cleared(out)?;
            let client = argument::object(client, "client")?;
            let references = argument::slice(references, count, "references")?;
            (out, client, references, call.as_ref())
        };
        let parse = |(index, text): (usize, &*const c_char)| -> Result<Reference, ocireg_error> {
            let name = format!("references[{index}]");
            // SAFETY: NULL or what the header demands, for each reference.
            Ok(unsafe { argument::text(*text, &name) }?.parse()?)
        };
        let batch = Batch::new(references.iter().enumerate().map(parse));
        out.set(boxed(batch.run(client.client(), call)?));
        Ok(())
    };
    // SAFETY: NULL or writable, as the header demands.
    unsafe { boundary::run(error, body) }
}

/// Returns the number of results, which is the number of references. Returns 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_batch_len(batch: *const ocireg_batch) -> usize {
    // SAFETY: NULL or a batch that is alive, as the header demands.
    unsafe { batch.as_ref() }.map_or(0, |batch| batch.items.len())
}

/// # Safety
///
/// `batch` is NULL or alive.
unsafe fn item<'a>(batch: *const ocireg_batch, index: usize) -> Option<&'a Item> {
    // SAFETY: NULL or alive, as the caller of this function promises.
    unsafe { batch.as_ref() }?.items.get(index)
}

/// Returns whether the image at `index` exists. Returns OCIREG_PRESENCE_UNKNOWN if there is no
/// answer for it, and past the end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_batch_presence(
    batch: *const ocireg_batch,
    index: usize,
) -> ocireg_presence {
    // SAFETY: NULL or a batch that is alive, as the header demands.
    let item = unsafe { item(batch, index) };
    item.map_or(ocireg_presence::OCIREG_PRESENCE_UNKNOWN, |item| {
        item.presence
    })
}

/// Returns what the registry has under the reference at `index`, or NULL unless the image exists.
/// The descriptor is borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_batch_descriptor(
    batch: *const ocireg_batch,
    index: usize,
) -> *const ocireg_descriptor {
    // SAFETY: NULL or a batch that is alive, as the header demands.
    let descriptor = unsafe { item(batch, index) }.and_then(|item| item.descriptor.as_ref());
    descriptor.map_or(ptr::null(), ptr::from_ref)
}

/// Returns why there is no answer for the reference at `index`, or NULL if there is an answer. The
/// error is borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_batch_error(
    batch: *const ocireg_batch,
    index: usize,
) -> *const ocireg_error {
    // SAFETY: NULL or a batch that is alive, as the header demands.
    let error = unsafe { item(batch, index) }.and_then(|item| item.error.as_ref());
    error.map_or(ptr::null(), ptr::from_ref)
}

/// Frees a batch and everything that was borrowed from it. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_batch_free(batch: *mut ocireg_batch) {
    // SAFETY: NULL or given by this library and not used again, as the header demands.
    unsafe { output::free(batch) }
}
