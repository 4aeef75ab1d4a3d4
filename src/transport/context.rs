//! The exchange context: what a pooled connection knows about the call that is using it.
//!
//! ureq passes a timeout to our transport and nothing else. So the current call's deadline, cancel
//! token and address policy are in a thread-local variable, the only one of this crate. It is set
//! around every exchange and every read of a body.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::error::{Failure, Phase, WireError};
use super::framing::{Framing, Stage, Upload};
use crate::address::{AddressClass, may_follow, may_follow_to_own_host};
use crate::interrupt::Interrupt;

/// Whether an exchange may use a pooled connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pooling {
    /// Take a pooled connection if there is one.
    Reuse,
    /// Make a new connection, and close it after the exchange. The pool keeps its connections.
    Fresh,
    /// Make a new connection, and drop those in the pool: one of them was stale, and the server has
    /// probably closed the others too.
    Replace,
}

/// The address policy: which addresses an exchange may go to. A URL from a server must not lead
/// into networks that only the client can reach. The resolved address is checked when the
/// connection is made and when it is taken out of the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddressPolicy {
    /// To the registry that the caller named, wherever it is.
    Registry,
    /// To the registry's own host, but to another origin, because the registry's answer named it.
    OwnHost { registry: AddressClass },
    /// To another host, because the registry's answer named it.
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

/// The limits of one exchange, and what the connection learned during it.
#[derive(Debug)]
pub(crate) struct ExchangeContext {
    pub(crate) interrupt: Arc<Interrupt>,
    pub(crate) connect_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) address_policy: AddressPolicy,
    pub(crate) pooling: Pooling,
    /// At least the size of the request's head in bytes. ureq needs room for a whole header line.
    pub(crate) head_bytes: usize,
    seen: Mutex<Seen>,
    upload: Mutex<Upload>,
}

/// What the connection reports to the caller of the exchange.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    /// The connection came from the pool.
    pub(crate) reused: bool,
    /// At least one byte of the request was written.
    pub(crate) sent: bool,
    /// At least one byte of an answer was read.
    pub(crate) answered: bool,
    /// More has arrived than the answer.
    pub(crate) surplus: bool,
    /// The class of the address that the connection leads to.
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

    /// The state of the request that is being sent.
    pub(super) fn upload(&self) -> Upload {
        *lock(&self.upload)
    }

    /// Starts a new request, whose body has this framing.
    pub(super) fn begin_upload(&self, framing: Framing) {
        let stage = Stage::Head;
        *lock(&self.upload) = Upload { framing, stage };
    }

    /// The next bytes that ureq writes belong to the body.
    pub(super) fn begin_body(&self) {
        lock(&self.upload).stage = Stage::Body;
    }

    /// The server has answered before the request was complete. Nothing more is sent.
    pub(super) fn stop_upload(&self) {
        lock(&self.upload).stage = Stage::Answered;
    }

    /// Checks whether the call may go on, and tells its progress callback that it is waiting.
    pub(super) fn tick(&self, phase: Phase) -> Result<(), WireError> {
        self.interrupt
            .tick()
            .map_err(|stopped| WireError::stopped(stopped, phase))
    }

    /// Sleeps, unless the call should stop.
    pub(super) fn sleep(&self, duration: Duration, phase: Phase) -> Result<(), WireError> {
        self.interrupt
            .sleep(duration)
            .map_err(|stopped| WireError::stopped(stopped, phase))
    }

    /// Makes this the context of the current thread until the guard is dropped. The guard then
    /// restores the previous context, since a callback may use the library too.
    pub(super) fn enter(self: &Arc<ExchangeContext>) -> Entered {
        Entered {
            previous: CURRENT.with(|current| current.replace(Some(self.clone()))),
        }
    }

    pub(super) fn current() -> Result<Arc<ExchangeContext>, WireError> {
        // A program may drop a client when a thread ends, after this thread's variables.
        CURRENT
            .try_with(|current| current.borrow().clone())
            .unwrap_or_default()
            .ok_or_else(|| {
                WireError::new(
                    Failure::Local,
                    Phase::Connect,
                    "a connection was used outside of a call",
                )
            })
    }
}

/// Only assignments happen under these locks, so a panic can't leave a value half changed.
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

/// A wait of a call: its phase and its limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait<'a> {
    pub(super) context: &'a ExchangeContext,
    pub(super) phase: Phase,
    pub(super) limit: WaitLimit,
}

impl<'a> Wait<'a> {
    /// A wait for bytes that may last as long as bytes keep coming or going.
    pub(super) fn idle(context: &'a ExchangeContext, phase: Phase) -> Wait<'a> {
        let limit = WaitLimit::Idle(context.idle_timeout);
        Wait {
            context,
            phase,
            limit,
        }
    }

    /// Checks between two slices whether the wait may go on. `since` is the time of the last byte.
    pub(super) fn check(self, since: Instant) -> Result<(), WireError> {
        self.context.tick(self.phase)?;
        self.limit.check(since, self.phase)
    }
}

/// The wait limit: when a wait ends although the call was not stopped.
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
