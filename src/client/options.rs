//! Settings of calls, over those of the client.

use std::fmt;
use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use crate::interrupt::{Cancel, Progress, ProgressCallback};
use crate::manifest::MediaType;

/// The most requests of one call under way at once for a registry: the size of its connection pool.
const MAX_CONCURRENCY: usize = 64;
/// What registries and their proxies take from one client without complaint.
const CONCURRENCY: usize = 8;

/// Settings of one call, or of several: give them to [`Client::with`](crate::Client::with).
///
/// ```
/// use std::time::Duration;
/// # fn main() -> Result<(), ocireg::Error> {
/// let stop = ocireg::Cancel::new();
/// let client = ocireg::Client::new()?;
/// let two_seconds = ocireg::CallOptions::new().timeout(Duration::from_secs(2));
/// let quick = client.with(two_seconds.cancel(&stop));
/// # let _ = quick;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct CallOptions {
    pub(super) timeout: Option<Duration>,
    pub(super) cancel: Option<Cancel>,
    pub(super) progress: Option<ProgressCallback>,
    pub(super) accept: Vec<MediaType>,
    pub(super) item_timeout: Option<Duration>,
    pub(super) page_size: Option<NonZeroU32>,
    pub(super) concurrency: Option<usize>,
}

impl CallOptions {
    /// No settings of its own: the client's count.
    pub fn new() -> CallOptions {
        CallOptions::default()
    }

    /// The most time that each call may take in all, retries and waits included. Defaults to the
    /// client's ([`ClientBuilder::timeout`](crate::ClientBuilder::timeout)).
    pub fn timeout(mut self, timeout: Duration) -> CallOptions {
        self.timeout = Some(timeout);
        self
    }

    /// The most time that each image of a batch ([`Client::lookup_all`](crate::Client::lookup_all),
    /// [`Client::lookup_each`](crate::Client::lookup_each)) and each tag that is compared with an
    /// image ([`Client::tags_sharing`](crate::Client::tags_sharing)) may take, from the moment when
    /// its turn comes. The whole batch has the [`timeout`](CallOptions::timeout). Defaults to none.
    pub fn item_timeout(mut self, timeout: Duration) -> CallOptions {
        self.item_timeout = Some(timeout);
        self
    }

    /// Lets `cancel` stop the call from another thread or a signal handler, within half a second.
    /// Defaults to none.
    pub fn cancel(mut self, cancel: &Cancel) -> CallOptions {
        self.cancel = Some(cancel.clone());
        self
    }

    /// Calls `callback` on the calling thread as the call makes progress, and at least every 200 ms
    /// while it waits. [`ControlFlow::Break`] stops the call with
    /// [`ErrorKind::Callback`](crate::ErrorKind::Callback). Defaults to none.
    pub fn progress(
        mut self,
        callback: impl Fn(Progress) -> ControlFlow<()> + Send + Sync + 'static,
    ) -> CallOptions {
        self.progress = Some(Arc::new(callback));
        self
    }

    /// Accepts manifests of one more media type. The six types of images and their lists are always
    /// accepted: asking for fewer gets another digest, or a false "absent", from real
    /// registries.
    pub fn accept(mut self, media_type: MediaType) -> CallOptions {
        self.accept.push(media_type);
        self
    }

    /// Asks for lists in pages of this many entries; the registry may choose another size. Defaults
    /// to the registry's choice.
    ///
    /// Some registries cut a list off at this size without saying so. So after a page of exactly
    /// this size that names no next page, one request more asks for what follows. If the registry
    /// refuses it or sends the same entries again, the list ends with
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol).
    pub fn page_size(mut self, entries: NonZeroU32) -> CallOptions {
        self.page_size = Some(entries);
        self
    }

    /// How many requests a call that makes many may have under way at once for each registry, from
    /// 1 to 64. Defaults to 8.
    pub fn concurrency(mut self, requests: usize) -> CallOptions {
        self.concurrency = Some(requests.clamp(1, MAX_CONCURRENCY));
        self
    }

    pub(super) fn width(&self) -> usize {
        self.concurrency.unwrap_or(CONCURRENCY)
    }
}

impl fmt::Debug for CallOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallOptions")
            .field("timeout", &self.timeout)
            .field("item_timeout", &self.item_timeout)
            .field("cancel", &self.cancel)
            .field("progress", &self.progress.is_some())
            .field("accept", &self.accept)
            .field("page_size", &self.page_size)
            .field("concurrency", &self.concurrency)
            .finish()
    }
}
