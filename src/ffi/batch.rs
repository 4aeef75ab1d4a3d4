//! Many images at once.

use std::borrow::Cow;
use std::ffi::c_char;
use std::ops::ControlFlow;
use std::ptr;
use std::sync::Arc;

use super::boundary::{self, Out};
use super::call::ocireg_call;
use super::client::ocireg_client;
use super::descriptor::{ocireg_descriptor, ocireg_presence};
use super::error::ocireg_error;
use super::running::StopCode;
use super::status::ocireg_status;
use crate::{Client, ErrorKind, Reference, Resolved, Result};

/// The results of ocireg_client_lookup_all(), in the order of the references. Yours; free it with
/// ocireg_batch_free(). Any thread may read it.
pub struct ocireg_batch {
    items: Vec<Item>,
}

/// What became of one reference.
pub(super) struct Item {
    pub(super) presence: ocireg_presence,
    pub(super) descriptor: Option<ocireg_descriptor>,
    pub(super) error: Option<ocireg_error>,
}

impl From<ocireg_error> for Item {
    fn from(error: ocireg_error) -> Item {
        Item {
            presence: ocireg_presence::OCIREG_PRESENCE_UNKNOWN,
            descriptor: None,
            error: Some(error),
        }
    }
}

impl From<Result<Resolved>> for Item {
    fn from(result: Result<Resolved>) -> Item {
        let (presence, descriptor) = match result {
            Ok(resolved) => (
                ocireg_presence::OCIREG_PRESENCE_EXISTS,
                Some((&resolved).into()),
            ),
            Err(error) => match error.kind() {
                ErrorKind::NotFound => (ocireg_presence::OCIREG_PRESENCE_ABSENT, None),
                ErrorKind::Denied => (ocireg_presence::OCIREG_PRESENCE_DENIED, None),
                _ => return Item::from(ocireg_error::from(error)),
            },
        };
        Item {
            presence,
            descriptor,
            error: None,
        }
    }
}

/// A batch whose unusable references are sorted out.
struct Batch {
    /// For each position, the result or nothing yet.
    items: Vec<Option<Item>>,
    good: Vec<Reference>,
    /// Where each of `good` stands.
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
        let stop = Arc::<StopCode>::default();
        let mut client = Cow::Borrowed(client);
        let mut callback = None;
        if let Some(call) = call {
            call.check()?;
            let unusable = self.items.iter().flatten().count();
            let before = u64::try_from(unusable).unwrap_or(u64::MAX);
            client = Cow::Owned(client.with(call.options(&stop, before)));
            callback = call.item_callback(&stop);
        }
        let tell = |position: usize, item: &Item| match &callback {
            Some(callback) => callback(position, item),
            None => ControlFlow::Continue(()),
        };
        for (position, item) in self.items.iter().enumerate() {
            if item
                .as_ref()
                .is_some_and(|item| tell(position, item).is_break())
            {
                stop.check()?;
            }
        }
        client.lookup_each(&self.good, |index, result| {
            let item = Item::from(result);
            let position = self.positions.get(index).copied().unwrap_or(usize::MAX);
            let told = tell(position, &item);
            if let Some(slot) = self.items.get_mut(position) {
                *slot = Some(item);
            }
            told
        });
        stop.check()?;
        // Every position is either unusable or one of `good`.
        let items = self.items.into_iter().flatten().collect();
        Ok(ocireg_batch { items })
    }
}

/// Looks up `count` references at once, in any number of registries. One token serves up to 32
/// repositories, and a reference that is there twice is asked once; ocireg_call_set_concurrency()
/// says how many requests go out at once.
///
/// Fails only if an argument is unusable or a callback stops it; a client that can no longer be
/// used is OCIREG_E_STATE at each reference. Each reference has a result of its own, in the order
/// given: one that can't be used (NULL among them) or has no answer has an error. A timeout counts
/// for all together; when it ends, or the call is cancelled or the client shut down, what is
/// finished keeps its result, and the rest have OCIREG_E_TIMEOUT or OCIREG_E_CANCELLED.
///
/// `count` may be 0, and `references` NULL with it. Free the batch with ocireg_batch_free().
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
            let out = Out::cleared(out, ptr::null_mut())?;
            let client = boundary::object(client, "client")?;
            let references = boundary::slice(references, count, "references")?;
            (out, client, references, call.as_ref())
        };
        let parse = |(index, text): (usize, &*const c_char)| -> Result<Reference, ocireg_error> {
            let name = format!("references[{index}]");
            // SAFETY: NULL or what the header demands, for each reference.
            Ok(unsafe { boundary::text(*text, &name) }?.parse()?)
        };
        let batch = Batch::new(references.iter().enumerate().map(parse));
        out.give(batch.run(client.client(), call)?);
        Ok(())
    };
    // SAFETY: NULL or writable, as the header demands.
    unsafe { boundary::run(error, body) }
}

/// How many results there are: as many as references. 0 for NULL.
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

/// Whether the reference at `index` is there. OCIREG_PRESENCE_UNKNOWN if it has no answer, and past
/// the end.
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

/// What the registry has under the reference at `index`. Borrowed; NULL unless it is there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_batch_descriptor(
    batch: *const ocireg_batch,
    index: usize,
) -> *const ocireg_descriptor {
    // SAFETY: NULL or a batch that is alive, as the header demands.
    let descriptor = unsafe { item(batch, index) }.and_then(|item| item.descriptor.as_ref());
    descriptor.map_or(ptr::null(), ptr::from_ref)
}

/// Why there is no answer for the reference at `index`. Borrowed; NULL if there is one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_batch_error(
    batch: *const ocireg_batch,
    index: usize,
) -> *const ocireg_error {
    // SAFETY: NULL or a batch that is alive, as the header demands.
    let error = unsafe { item(batch, index) }.and_then(|item| item.error.as_ref());
    error.map_or(ptr::null(), ptr::from_ref)
}

/// Frees a batch and all that was borrowed from it. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_batch_free(batch: *mut ocireg_batch) {
    // SAFETY: NULL or given by this library and not used again, as the header demands.
    unsafe { boundary::free(batch) }
}
