//! The gate: keeps requests back while a registry wants to be left alone (HTTP 429).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::caller_thread::CallerThread;

/// One for each registry.
///
/// When the time that the registry asked for is over, one request goes first, and the others see
/// what becomes of it: a crowd that comes back at once is what the limit is against.
#[derive(Debug, Default)]
pub(crate) struct Gate(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    closed_until: Option<Instant>,
    /// The thread whose request goes first.
    first: Option<CallerThread>,
    /// How often in a row the registry has said so. A refusal of the request that went first counts
    /// for all that waited for it.
    refusals: u32,
}

/// What a request finds at the gate.
pub(crate) enum AtGate<'a> {
    Open,
    /// This request goes first, and the others wait for it.
    GoesFirst(First<'a>),
    Closed(Duration),
    /// Another request has gone first.
    OtherGoesFirst,
}

/// The request that goes first. However it ends, the others do not wait for it for ever.
pub(crate) struct First<'a> {
    gate: &'a Gate,
    first: CallerThread,
    /// The thread that went first before, in whose callback this request was made.
    outer: Option<CallerThread>,
}

impl Gate {
    /// Notes that the registry wants to be left alone for this long. Never shortens what it has
    /// said before.
    pub(crate) fn close_for(&self, wait: Duration) {
        let now = Instant::now();
        let mut state = self.state();
        // Several refusals at once are one.
        if state.closed_until.is_none_or(|until| until <= now) {
            state.refusals = state.refusals.saturating_add(1);
        }
        state.closed_until = state.closed_until.max(now.checked_add(wait));
        state.first = None;
    }

    /// Notes that the registry answers again.
    pub(crate) fn open(&self) {
        *self.state() = State::default();
    }

    /// How often in a row the registry has refused.
    pub(crate) fn refusals(&self) -> u32 {
        self.state().refusals
    }

    /// A request of `caller` arrives, on this thread.
    pub(crate) fn arrive(&self, caller: CallerThread) -> AtGate<'_> {
        let mut state = self.state();
        let Some(until) = state.closed_until else {
            return AtGate::Open;
        };
        let wait = until.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            return AtGate::Closed(wait);
        }
        match state.first {
            Some(first) if first != caller => AtGate::OtherGoesFirst,
            // The caller goes first itself, and has made this call in a callback: it can't wait
            // for itself.
            outer => {
                let first = CallerThread::here();
                state.first = Some(first);
                AtGate::GoesFirst(First {
                    gate: self,
                    first,
                    outer,
                })
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for First<'_> {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        if state.first == Some(self.first) {
            state.first = self.outer;
        }
    }
}
