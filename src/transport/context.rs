//! The exchange context: how a pooled connection finds the call that is using it now.
//!
//! ureq calls our transport with a timeout and nothing else. The current call's deadline, cancel
//! token and address policy are found through the one thread-local of this crate. It is set around
//! every exchange and every read of a body.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::error::{Failure, Phase, WireError};
use super::upload::{Framing, Stage, Upload};
use crate::address::{AddressClass, may_follow, may_follow_to_own_host};
use crate::interrupt::Interrupt;

/// Whether an exchange may use a pooled connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pooling {
    /// Take a pooled connection where there is one.
    Reuse,
    /// Make a new connection, and close it after the exchange: a pooled one has just proved stale.
    /// The others stay in the pool. Each is looked at when it is taken.
    Fresh,
}

/// The address policy: where an exchange may go. A URL that came from a server must not lead into
/// networks that only the client can reach. Checked on the resolved address, when the connection is
/// made or taken out of the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddressPolicy {
    /// To the registry that the caller named, wherever it is.
    Registry,
    /// Back to the registry's own host, but not to the same origin, because its answer said so.
    OwnHost { registry: AddressClass },
    /// To another host, because the registry's answer said so.
    Elsewhere { registry: AddressClass },
}

impl AddressPolicy {
    pub(super) fn permits(self, class: AddressClass) -> bool {
        match self {
            AddressPolicy::Registry => true,
            AddressPolicy::OwnHost { registry } => may_follow_to_own_host(class, registry),
            AddressPolicy::Elsewhere { registry } => may_follow(class, registry),
        }
    }
}

/// The limits that one exchange keeps, and what the connection learned during it.
#[derive(Debug)]
pub(crate) struct ExchangeContext {
    pub(crate) interrupt: Arc<Interrupt>,
    pub(crate) connect_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) address_policy: AddressPolicy,
    pub(crate) pooling: Pooling,
    /// At least as many bytes as the request's head has: header lines must fit the output buffer
    /// whole.
    pub(crate) head_bytes: usize,
    seen: Mutex<Seen>,
    upload: Mutex<Upload>,
}

/// What the connection tells the caller of the exchange.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    /// The connection came from the pool.
    pub(crate) reused: bool,
    /// At least one byte of the request was written.
    pub(crate) sent: bool,
    /// At least one byte of the answer came.
    pub(crate) answered: bool,
    /// Where the connection leads.
    pub(crate) peer: Option<AddressClass>,
}

impl ExchangeContext {
    pub(crate) fn new(
        interrupt: Arc<Interrupt>,
        connect_timeout: Duration,
        idle_timeout: Duration,
    ) -> ExchangeContext {
        ExchangeContext {
            interrupt,
            connect_timeout,
            idle_timeout,
            address_policy: AddressPolicy::Registry,
            pooling: Pooling::Reuse,
            head_bytes: 0,
            seen: Mutex::default(),
            upload: Mutex::default(),
        }
    }

    pub(crate) fn seen(&self) -> Seen {
        *lock(&self.seen)
    }

    pub(super) fn saw(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut lock(&self.seen));
    }

    /// How far the sending of the request has come.
    pub(super) fn upload(&self) -> Upload {
        *lock(&self.upload)
    }

    /// A request begins whose body has this framing.
    pub(super) fn begin_upload(&self, framing: Framing) {
        let stage = Stage::Head;
        *lock(&self.upload) = Upload { framing, stage };
    }

    /// The next bytes are of the body.
    pub(super) fn begin_body(&self) {
        lock(&self.upload).stage = Stage::Body;
    }

    /// The server has answered before the request was complete: nothing more is sent.
    pub(super) fn stop_upload(&self) {
        lock(&self.upload).stage = Stage::Answered;
    }

    /// Whether the call may go on; lets its progress callback know that it waits.
    pub(super) fn tick(&self, phase: Phase) -> Result<(), WireError> {
        self.interrupt
            .tick()
            .map_err(|stopped| WireError::stopped(stopped, phase))
    }

    /// Makes this the context of the current thread's connections until the guard is dropped.
    /// Nested use (a callback that calls the library again) gives the outer one back.
    pub(super) fn enter(self: &Arc<ExchangeContext>) -> Entered {
        Entered {
            previous: CURRENT.with(|current| current.replace(Some(self.clone()))),
        }
    }

    pub(super) fn current() -> Result<Arc<ExchangeContext>, WireError> {
        CURRENT
            .with(|current| current.borrow().clone())
            .ok_or_else(|| {
                WireError::new(
                    Failure::Local,
                    Phase::Connect,
                    "a connection was used outside of a call",
                )
            })
    }
}

/// Nothing but assignments happens under these locks, so a panic leaves nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<ExchangeContext>>> = const { RefCell::new(None) };
}

pub(super) struct Entered {
    previous: Option<Arc<ExchangeContext>>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let previous = self.previous.take();
        CURRENT.with(|current| *current.borrow_mut() = previous);
    }
}

/// A wait on behalf of a call: during what, and how long at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait<'a> {
    pub(super) context: &'a ExchangeContext,
    pub(super) phase: Phase,
    pub(super) limit: WaitLimit,
}

impl<'a> Wait<'a> {
    /// For bytes on a connection, as long as they keep coming or going.
    pub(super) fn idle(context: &'a ExchangeContext, phase: Phase) -> Wait<'a> {
        let limit = WaitLimit::Idle(context.idle_timeout);
        Wait {
            context,
            phase,
            limit,
        }
    }

    /// Between two slices of the wait: whether it may go on. `since` is when the last byte came or
    /// went.
    pub(super) fn check(self, since: Instant) -> Result<(), WireError> {
        self.context.tick(self.phase)?;
        self.limit.check(since, self.phase)
    }
}

/// The wait limit: when a wait ends although nobody stopped the call.
#[derive(Debug, Clone, Copy)]
pub(super) enum WaitLimit {
    /// No byte for this long.
    Idle(Duration),
    /// At this time, whatever comes.
    At(Instant, Duration),
}

impl WaitLimit {
    /// After this long, counted from now.
    pub(super) fn after(limit: Duration) -> WaitLimit {
        // Past the end of the clock is never.
        Instant::now()
            .checked_add(limit)
            .map_or(WaitLimit::Idle(Duration::MAX), |end| {
                WaitLimit::At(end, limit)
            })
    }

    /// Fails once the wait, begun at `since`, has lasted long enough.
    pub(super) fn check(self, since: Instant, phase: Phase) -> Result<(), WireError> {
        let (over, allowed) = match self {
            WaitLimit::Idle(limit) => (since.elapsed() >= limit, limit),
            WaitLimit::At(end, allowed) => (Instant::now() >= end, allowed),
        };
        if !over {
            return Ok(());
        }
        let message = match self {
            WaitLimit::Idle(_) => format!(
                "no byte for {} s while {}",
                allowed.as_secs_f32(),
                phase.doing()
            ),
            WaitLimit::At(..) => format!(
                "no connection within {} s: stopped while {}",
                allowed.as_secs_f32(),
                phase.doing()
            ),
        };
        Err(WireError::new(Failure::TimedOut, phase, message))
    }
}
