//! Limits of servers (HTTP 429): a request waits at the gate of the server that it is for, and a
//! refusal closes that gate.

use std::time::Duration;

use super::call::Call;
use super::failure::AttemptError;
use super::gate::{AtGate, Gate, Passage};
use crate::error::Error;
use crate::policy::retry::MAX_RETRY_AFTER;
use crate::url::Origin;

/// How often a request looks whether the one that went first through the gate has come back.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// The longest that a server is left alone for one answer: a slip of its clock should not end a
/// long-lived client.
const LONGEST_BELIEVED: Duration = Duration::from_secs(60 * 60);

impl Call<'_> {
    /// Waits while the server at `origin` has asked to be left alone (429): no other call of this
    /// client disturbs it meanwhile.
    pub(super) fn pass_gate<'g>(
        &self,
        gate: &'g Gate,
        origin: &Origin,
    ) -> Result<Passage<'g>, Error> {
        loop {
            if let Some(error) = self.known_failure() {
                return Err(error);
            }
            let wait = match gate.arrive(self.caller) {
                AtGate::Pass(passage) => return Ok(passage),
                // Others, the first one among them perhaps, may be waiting for a token that the
                // caller's thread fetches.
                AtGate::OtherGoesFirst if self.state.token_fetches.is_leader(self.caller) => {
                    return Ok(gate.pass_beside());
                }
                AtGate::OtherGoesFirst => LOOK_AGAIN,
                AtGate::Closed(wait) => wait,
            };
            let left = self.interrupt.remaining();
            if wait > MAX_RETRY_AFTER || left.is_some_and(|left| left <= wait) {
                let error = self.subject().limited_for(origin, wait);
                self.note_limit(origin, &error);
                return Err(error);
            }
            self.sleep(wait)?;
        }
    }

    /// Closes the gate of the server that has answered 429.
    pub(super) fn keep_to_limit(&self, failure: &AttemptError, wait: Duration) {
        if let Some(origin) = failure.limiting_origin() {
            self.state.gate_to(&origin).close_for(wait);
        }
    }

    /// As [`keep_to_limit`](Call::keep_to_limit), of a failure that does not end the attempt.
    pub(super) fn keep_to_limit_of(&self, failure: &AttemptError) {
        let wait = failure.retry_after().unwrap_or_default();
        self.keep_to_limit(failure, wait.min(LONGEST_BELIEVED));
    }

    /// Lets the other calls of the group know that the registry's own limit is reached. The limit
    /// of another server is not the registry's.
    pub(super) fn note_limit(&self, origin: &Origin, error: &Error) {
        if let Some(known) = self.known_failures.filter(|_| *origin == self.state.origin) {
            known.note_limit(self.registry, error);
        }
    }

    /// Waits before the next attempt.
    pub(super) fn sleep(&self, duration: Duration) -> Result<(), Error> {
        self.interrupt
            .sleep(duration)
            .map_err(|stopped| self.subject().stopped(stopped, "waiting to ask again"))
    }
}
