//! The retry loop. Every request of an endpoint goes through here.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use super::answer::Answer;
use super::call::Call;
use super::failure::{AttemptError, MayRepeat, ReadError};
use super::request::Request;
use crate::error::Error;
use crate::policy::retry::is_retryable_status;

impl Call<'_> {
    /// Sends `request` until an answer was read, or to ask again is of no use. Any status but those
    /// worth a retry reaches `read`.
    pub(crate) fn send<T>(
        &self,
        request: &Request<'_>,
        read: impl FnMut(Answer) -> Result<T, ReadError>,
    ) -> Result<T, Error> {
        if let Some(error) = &self.unusable {
            return Err(error.clone().about(self.about));
        }
        let result = self.send_until_read(request, read);
        if result.is_err() {
            self.note_in_group(&result);
        }
        result
    }

    fn send_until_read<T>(
        &self,
        request: &Request<'_>,
        mut read: impl FnMut(Answer) -> Result<T, ReadError>,
    ) -> Result<T, Error> {
        let gate = &self.state.gate;
        // Only a refusal since the call began counts as an attempt of it: after a limit that ended
        // other calls it has all of its own.
        let refused_before = gate.refusals();
        let mut made = 0;
        let mut before: Option<AttemptError> = None;
        loop {
            let passage = self.pass_gate(gate, &self.state.origin)?;
            made = made.max(gate.refusals().wrapping_sub(refused_before)) + 1;
            let failure = match self.authorized(request) {
                Ok(answer) if is_retryable_status(answer.status) => {
                    AttemptError::after(request, answer)
                }
                Ok(answer) => {
                    passage.answered();
                    let url = answer.url.clone();
                    match read(answer) {
                        Ok(value) => return Ok(value),
                        Err(ReadError::Answer(error)) => return Err(error),
                        Err(ReadError::Wire(error)) => {
                            let repeat = MayRepeat::from(request.repeat.allows(true));
                            AttemptError::Wire { url, error, repeat }
                        }
                    }
                }
                Err(failure) => *failure,
            };
            // What can't be read again can't be sent again: the failure before tells why it should.
            let failure = match (failure, before.take()) {
                (AttemptError::Source(_), Some(before)) => return Err(self.last_error(before)),
                (failure, _) => failure,
            };
            let Some(delay) = self.delay_after(&failure, made) else {
                return Err(self.last_error(failure));
            };
            self.keep_to_limit(&failure, delay);
            log::debug!(
                "{}: attempt {made} failed, the next in {} ms",
                self.registry,
                delay.as_millis()
            );
            before = Some(failure);
            drop(passage);
            self.sleep(delay)?;
        }
    }

    /// How long to wait before the next attempt; `None` where this one was the last.
    fn delay_after(&self, failure: &AttemptError, made: u32) -> Option<Duration> {
        if !failure.is_worth_repeating() {
            return None;
        }
        let (retry_after, left) = (failure.retry_after(), self.interrupt.remaining());
        let retry = &self.client.settings.retry;
        retry.next_delay(made, retry_after, left, random())
    }

    /// The error of the last attempt. Where a limit ended it, other calls keep to that limit.
    fn last_error(&self, failure: AttemptError) -> Error {
        let limiting = failure.limiting_origin();
        let unreachable = failure.is_no_connection_to(&self.state.origin);
        self.keep_to_limit_of(&failure);
        let error = self.subject().attempt(failure);
        if let Some(origin) = limiting {
            self.note_limit(&origin, &error);
        }
        if unreachable {
            self.note_unreachable(&error);
        }
        error
    }
}

/// Spreads retries; not for anything that has to be unpredictable.
fn random() -> f64 {
    let bits = RandomState::new().hash_one(0u8) >> 11;
    bits as f64 / (1u64 << 53) as f64
}
