//! What can end a wait: the caller's cancel token, the deadline, the caller's progress callback.
//!
//! Every wait in this library is cut into slices: on a socket, for a helper thread, and before a
//! retry. Between two slices it checks here whether it should end.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The longest time between two checks of a wait. The API promises that a cancel works within 0.5 s
/// and that the progress callback is called every 200 ms. Half of that leaves room for a busy
/// machine.
pub(crate) const SLICE: Duration = Duration::from_millis(100);

/// Stops calls from another thread or from a signal handler.
///
/// Clones share one state; triggering is one atomic store. A call that was given the token with
/// [`CallOptions::cancel`](crate::CallOptions::cancel) ends within half a second with
/// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled), whatever it is waiting for. A triggered
/// token stays triggered.
///
/// ```
/// let stop = ocireg::Cancel::new();
/// let seen_by_the_call = stop.clone();
/// std::thread::spawn(move || stop.trigger()).join().unwrap();
/// assert!(seen_by_the_call.is_triggered());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// A token that is not triggered.
    pub fn new() -> Cancel {
        Cancel::default()
    }

    /// Stops every call that uses this token, now and later.
    pub fn trigger(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether [`trigger`](Cancel::trigger) was called.
    pub fn is_triggered(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How far a call has come, as its progress callback sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Entries or items so far.
    pub done: u64,
    /// How many there will be, if that is known.
    pub total: Option<u64>,
}

/// A progress callback: [`ControlFlow::Break`] stops the call.
pub(crate) type ProgressCallback = Arc<dyn Fn(Progress) -> ControlFlow<()> + Send + Sync>;

/// Why a wait ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    Cancelled,
    ShutDown,
    Deadline,
    Callback,
}

/// The ways one call can be stopped.
pub(crate) struct Interrupt {
    /// Stops all calls of the client.
    shutdown: Cancel,
    cancel: Option<Cancel>,
    /// Stops the threads of a call whose callback has stopped it.
    stop: Option<Cancel>,
    deadline: Option<Instant>,
    progress: Option<ProgressCallback>,
    done: AtomicU64,
    /// `u64::MAX` if it is not known.
    total: AtomicU64,
    last_tick: Mutex<Instant>,
}

impl Interrupt {
    pub(crate) fn new(
        shutdown: Cancel,
        cancel: Option<Cancel>,
        deadline: Option<Instant>,
        progress: Option<ProgressCallback>,
    ) -> Interrupt {
        Interrupt {
            shutdown,
            cancel,
            stop: None,
            deadline,
            progress,
            done: AtomicU64::new(0),
            total: AtomicU64::new(u64::MAX),
            last_tick: Mutex::new(Instant::now()),
        }
    }

    /// For the other threads of the same call: the same things stop them, and `stop` too. They do
    /// not call the progress callback, which runs only on the calling thread.
    pub(crate) fn for_workers(&self, stop: &Cancel) -> Interrupt {
        let mut workers = self.part(self.deadline);
        workers.stop = Some(stop.clone());
        workers
    }

    /// For a part of the call that has a time limit of its own, which begins now.
    pub(crate) fn with_timeout(&self, timeout: Duration) -> Interrupt {
        let limit = Instant::now().checked_add(timeout);
        // `None` means no deadline.
        let deadline = match (self.deadline, limit) {
            (Some(deadline), Some(limit)) => Some(deadline.min(limit)),
            (deadline, limit) => deadline.or(limit),
        };
        let mut part = self.part(deadline);
        part.stop.clone_from(&self.stop);
        part
    }

    fn part(&self, deadline: Option<Instant>) -> Interrupt {
        Interrupt::new(self.shutdown.clone(), self.cancel.clone(), deadline, None)
    }

    /// Checks whether the call should stop. Cheap: a few atomic loads and a clock read.
    pub(crate) fn check(&self) -> Result<(), Stopped> {
        if self.cancel.as_ref().is_some_and(Cancel::is_triggered) {
            return Err(Stopped::Cancelled);
        }
        if self.shutdown.is_triggered() {
            return Err(Stopped::ShutDown);
        }
        if self.stop.as_ref().is_some_and(Cancel::is_triggered) {
            return Err(Stopped::Callback);
        }
        if self
            .deadline
            .is_some_and(|deadline| Instant::now() >= deadline)
        {
            return Err(Stopped::Deadline);
        }
        Ok(())
    }

    /// As [`check`](Interrupt::check), and tells the progress callback that the call is still
    /// waiting. The callback is not called more often than twice per slice, since signals may
    /// interrupt a wait far more often.
    pub(crate) fn tick(&self) -> Result<(), Stopped> {
        self.check()?;
        if self.progress.is_none() {
            return Ok(());
        }
        {
            let mut last = self
                .last_tick
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if last.elapsed() < SLICE / 2 {
                return Ok(());
            }
            *last = Instant::now();
        }
        self.report()
    }

    /// Adds to the total: so much more has to be done.
    pub(crate) fn expect(&self, more: u64) {
        let total = self.done.load(Ordering::Relaxed).saturating_add(more);
        self.total.store(total, Ordering::Relaxed);
    }

    /// Adds to what is done and tells the progress callback.
    pub(crate) fn advance(&self, more: u64) -> Result<(), Stopped> {
        self.done.fetch_add(more, Ordering::Relaxed);
        self.report()
    }

    fn report(&self) -> Result<(), Stopped> {
        let Some(callback) = &self.progress else {
            return Ok(());
        };
        let total = self.total.load(Ordering::Relaxed);
        match callback(Progress {
            done: self.done.load(Ordering::Relaxed),
            total: (total != u64::MAX).then_some(total),
        }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Stopped::Callback),
        }
    }

    /// How long the next slice of a wait may last: [`SLICE`], or less where the deadline is nearer.
    pub(crate) fn slice(&self) -> Duration {
        match self.remaining() {
            // For calls on a socket, a timeout of zero means no timeout.
            Some(left) => left.clamp(Duration::from_millis(1), SLICE),
            None => SLICE,
        }
    }

    /// The time left until the deadline.
    pub(crate) fn remaining(&self) -> Option<Duration> {
        self.deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Sleeps, unless the call should stop.
    pub(crate) fn sleep(&self, duration: Duration) -> Result<(), Stopped> {
        let end = Instant::now() + duration;
        loop {
            self.tick()?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(self.slice()));
        }
    }
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupt")
            .field("cancel", &self.cancel)
            .field("deadline", &self.deadline)
            .field("progress", &self.progress.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn a_sleep_ends_when_cancelled() {
        let cancel = Cancel::new();
        let interrupt = Interrupt::new(Cancel::new(), Some(cancel.clone()), None, None);
        let started = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(50));
                cancel.trigger();
            });
            assert_eq!(
                interrupt.sleep(Duration::from_secs(30)),
                Err(Stopped::Cancelled)
            );
        });
        assert!(started.elapsed() < Duration::from_millis(500));
    }

    #[test]
    fn a_sleep_ends_at_the_deadline() {
        let interrupt = Interrupt::new(
            Cancel::new(),
            None,
            Some(Instant::now() + Duration::from_millis(30)),
            None,
        );
        assert_eq!(
            interrupt.sleep(Duration::from_secs(30)),
            Err(Stopped::Deadline)
        );
    }

    #[test]
    fn a_wait_ticks_the_callback_which_can_stop_it() {
        let ticks = Arc::new(AtomicUsize::new(0));
        let seen = ticks.clone();
        let callback: ProgressCallback = Arc::new(move |_| {
            if seen.fetch_add(1, Ordering::Relaxed) == 2 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        let interrupt = Interrupt::new(Cancel::new(), None, None, Some(callback));
        assert_eq!(
            interrupt.sleep(Duration::from_secs(30)),
            Err(Stopped::Callback)
        );
        assert_eq!(ticks.load(Ordering::Relaxed), 3);
    }
}
