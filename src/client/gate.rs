//! The gate: keeps requests back while a server wants to be left alone (HTTP 429).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::caller_thread::CallerThread;

/// One for each server that limits requests: the registry itself, a token service, the target of a
/// redirect.
///
/// When the time that the server asked for is over, one request goes first, and the others see
/// what becomes of it: a crowd that comes back at once is what the limit is against.
#[derive(Debug, Default)]
pub(crate) struct Gate(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    closed_until: Option<Instant>,
    /// The thread whose request goes first.
    first: Option<CallerThread>,
    /// How often the server has refused so far. It is the generation of the gate too: an answer
    /// opens the gate only if its request was sent after the latest refusal.
    refusals: u32,
}

/// What a request finds at the gate.
pub(crate) enum AtGate<'a> {
    /// It may go.
    Pass(Passage<'a>),
    Closed(Duration),
    /// Another request has gone first.
    OtherGoesFirst,
}

/// The permission to send one request. It is held until the request has ended.
pub(crate) struct Passage<'a> {
    gate: &'a Gate,
    /// How often the server had refused when the request passed.
    refusals: u32,
    /// Set if the others wait for this request.
    _first: Option<First<'a>>,
}

/// The request that goes first. However it ends, the others do not wait for it for ever.
struct First<'a> {
    gate: &'a Gate,
    first: CallerThread,
    /// The thread that went first before, in whose callback this request was made.
    outer: Option<CallerThread>,
}

impl Passage<'_> {
    /// Notes that the server has answered this request. If it has refused another one since this
    /// one was sent, the gate stays closed.
    pub(crate) fn answered(&self) {
        let mut state = self.gate.state();
        if state.refusals == self.refusals {
            state.closed_until = None;
            state.first = None;
        }
    }
}

impl Gate {
    /// Notes that the server wants to be left alone for this long. Never shortens what it has said
    /// before.
    pub(crate) fn close_for(&self, wait: Duration) {
        let now = Instant::now();
        let mut state = self.state();
        // Several refusals at once are one.
        if state.closed_until.is_none_or(|until| until <= now) {
            state.refusals = state.refusals.wrapping_add(1);
        }
        state.closed_until = state.closed_until.max(now.checked_add(wait));
        state.first = None;
    }

    /// How often the server has refused so far.
    pub(crate) fn refusals(&self) -> u32 {
        self.state().refusals
    }

    /// A request of `caller` arrives, on this thread.
    pub(crate) fn arrive(&self, caller: CallerThread) -> AtGate<'_> {
        let mut state = self.state();
        let Some(until) = state.closed_until else {
            return AtGate::Pass(self.passage(&state, None));
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
                let first = First {
                    gate: self,
                    first,
                    outer,
                };
                AtGate::Pass(self.passage(&state, Some(first)))
            }
        }
    }

    /// Lets a request go beside the one that goes first.
    pub(crate) fn pass_beside(&self) -> Passage<'_> {
        self.passage(&self.state(), None)
    }

    fn passage<'a>(&'a self, state: &State, first: Option<First<'a>>) -> Passage<'a> {
        Passage {
            gate: self,
            refusals: state.refusals,
            _first: first,
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
