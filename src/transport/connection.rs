//! A connection as ureq uses it, with or without TLS.

use std::fmt::Debug;
use std::time::Instant;

use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};

use super::buffers::WireBuffers;
use super::context::{ExchangeContext, Wait};
use super::error::{Failure, Phase, WireError};
use super::upload::Stage;
use crate::address::AddressClass;

/// A stream of bytes whose waits can be stopped, and what the pool needs to know of it.
pub(super) trait Stream: Debug + Send + Sync + 'static {
    const IS_TLS: bool;

    /// Waits for bytes; 0 means that the other side has closed.
    fn read(&mut self, buffer: &mut [u8], wait: Wait<'_>) -> Result<usize, WireError>;

    /// Reads what has come, without waiting.
    fn read_now(&mut self, buffer: &mut [u8], wait: Wait<'_>) -> Result<Found, WireError>;

    /// Sends some of `bytes`, and waits no longer than a slice. Says how many need not be given
    /// again; `None` if nothing could be sent. The next write, if there is one, has to go on where
    /// this one has stopped.
    fn write_slice(&mut self, bytes: &[u8], wait: Wait<'_>) -> Result<Option<usize>, WireError>;

    fn write_all(&mut self, bytes: &[u8], wait: Wait<'_>) -> Result<(), WireError> {
        let mut left = bytes;
        let mut since = Instant::now();
        while !left.is_empty() {
            if let Some(taken) = self.write_slice(left, wait)? {
                left = &left[taken..];
                since = Instant::now();
            }
            wait.check(since)?;
        }
        Ok(())
    }

    /// Where it leads.
    fn peer(&self) -> AddressClass;

    /// Whether the current call may use it. The call that made it may have been allowed to go where
    /// this one is not.
    fn is_permitted(&self, context: &ExchangeContext) -> bool {
        context.address_policy.permits(self.peer())
    }

    /// Nobody uses it for now: gives back the memory that only bodies need.
    fn rest(&mut self) {}
}

/// What a look at a stream has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing has come yet.
    Nothing,
    Bytes(usize),
    /// The other side has closed.
    End,
}

/// A stream and its buffers.
#[derive(Debug)]
pub(super) struct Connection<S> {
    stream: S,
    buffers: WireBuffers,
    reuse: Reuse,
}

/// What stands in the way of another request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reuse {
    /// Nothing has come since the pool last asked; see [`Transport::is_open`].
    Idle,
    /// Bytes have come.
    Used,
    /// The last request was not sent to its end: the server would take the next one for the rest.
    Never,
}

impl<S: Stream> Connection<S> {
    pub(super) fn new(stream: S, context: &ExchangeContext) -> Connection<S> {
        context.saw(|seen| seen.peer = Some(stream.peer()));
        let mut buffers = WireBuffers::default();
        buffers.reserve_output(context.head_bytes);
        Connection {
            stream,
            buffers,
            reuse: Reuse::Idle,
        }
    }

    /// Whether the other side has neither closed nor sent anything since the last answer.
    fn is_quiet(&mut self, context: &ExchangeContext) -> bool {
        let wait = Wait::idle(context, Phase::Wait);
        let found = self.stream.read_now(&mut [0], wait);
        matches!(found, Ok(Found::Nothing))
    }

    fn send_head(&mut self, amount: usize, context: &ExchangeContext) -> Result<(), WireError> {
        self.buffers.expect_head();
        let wait = Wait::idle(context, Phase::Send);
        let mut since = Instant::now();
        let mut sent = 0;
        while sent < amount {
            sent += self.send_slice(sent, amount, &mut since, wait)?;
        }
        self.buffers.reserve_body(context.upload().framing);
        Ok(())
    }

    /// Sends a part of the body, unless the server has answered. Looks before each write: a server
    /// that refuses an upload may close the connection, or go on reading and wait for all of it.
    fn send_body(&mut self, amount: usize, context: &ExchangeContext) -> Result<(), WireError> {
        let wait = Wait::idle(context, Phase::Send);
        let mut since = Instant::now();
        let mut sent = 0;
        while sent < amount {
            let found = self.look(wait)?;
            if self.buffers.answer_began() {
                self.stop_sending(context);
                return Ok(());
            }
            if found == Found::End {
                let message = "the server closed the connection while the request was sent";
                let failure = Failure::Disconnected { partial: false };
                return Err(WireError::new(failure, Phase::Send, message));
            }
            match self.send_slice(sent, amount, &mut since, wait) {
                Ok(taken) => sent += taken,
                Err(error) => return self.answer_before(error, wait),
            }
        }
        Ok(())
    }

    /// Sends some of the output between `from` and `to`; how much of it is done with.
    fn send_slice(
        &mut self,
        from: usize,
        to: usize,
        since: &mut Instant,
        wait: Wait<'_>,
    ) -> Result<usize, WireError> {
        let bytes = &self.buffers.to_send(to)[from..];
        let written = self.stream.write_slice(bytes, wait)?;
        if written.is_some() {
            *since = Instant::now();
            wait.context.saw(|seen| seen.sent = true);
        }
        wait.check(*since)?;
        Ok(written.unwrap_or(0))
    }

    /// Takes in what has come, without waiting.
    fn look(&mut self, wait: Wait<'_>) -> Result<Found, WireError> {
        let free = self.buffers.room_for_input(wait.phase)?;
        let found = self.stream.read_now(free, wait)?;
        if let Found::Bytes(amount) = found {
            self.buffers.received_early(amount);
            self.inspect(wait.context)?;
        }
        Ok(found)
    }

    /// A write has failed. A server that closes after an answer causes that too, and then the
    /// answer counts, if the reset that followed it has not discarded it.
    fn answer_before(&mut self, error: WireError, wait: Wait<'_>) -> Result<(), WireError> {
        if matches!(error.failure, Failure::Disconnected { .. }) {
            while let Ok(Found::Bytes(_)) = self.look(wait) {
                if self.buffers.answer_began() {
                    self.stop_sending(wait.context);
                    return Ok(());
                }
            }
        }
        Err(error)
    }

    /// The server has answered: it gets no more of this request, and no other one here.
    fn stop_sending(&mut self, context: &ExchangeContext) {
        context.stop_upload();
        self.reuse = Reuse::Never;
        self.buffers.clear_output();
    }

    /// Takes in what a read brought. `Ok(false)` is the end of a body that ends with the
    /// connection.
    fn arrived(&mut self, amount: usize, context: &ExchangeContext) -> Result<bool, WireError> {
        if amount > 0 {
            self.buffers.input_appended(amount);
            self.inspect(context)?;
            return Ok(true);
        }
        if self.buffers.in_head() {
            let message = "the connection ended before the answer was complete";
            let failure = Failure::Disconnected { partial: false };
            return Err(WireError::new(failure, Phase::Wait, message));
        }
        Ok(false)
    }

    /// Looks at bytes that have come before ureq does.
    fn inspect(&mut self, context: &ExchangeContext) -> Result<(), WireError> {
        context.saw(|seen| seen.answered = true);
        if self.reuse == Reuse::Idle {
            self.reuse = Reuse::Used;
        }
        self.buffers.inspect()
    }
}

impl<S: Stream> Transport for Connection<S> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        let context = ExchangeContext::current()?;
        match context.upload().stage {
            Stage::Head => self.send_head(amount, &context)?,
            Stage::Body => self.send_body(amount, &context)?,
            // The rest of a long body takes a while even if it goes nowhere.
            Stage::Answered => context.tick(Phase::Wait)?,
        }
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        let context = ExchangeContext::current()?;
        let phase = if self.buffers.in_head() {
            Phase::Wait
        } else {
            Phase::Body
        };
        let free = self.buffers.room_for_input(phase)?;
        let amount = self.stream.read(free, Wait::idle(&context, phase))?;
        Ok(self.arrived(amount, &context)?)
    }

    fn is_open(&mut self) -> bool {
        let Ok(context) = ExchangeContext::current() else {
            return false;
        };
        match self.reuse {
            Reuse::Never => false,
            // The pool asks twice: when the connection is given back and when it is taken out.
            // Bytes that come after an answer (R8) are found at the latter, so the former need not
            // cost its system calls.
            Reuse::Used => {
                self.reuse = Reuse::Idle;
                self.buffers.release_body();
                self.stream.rest();
                !self.buffers.has_input()
            }
            Reuse::Idle => {
                if !self.stream.is_permitted(&context) || !self.is_quiet(&context) {
                    return false;
                }
                self.buffers.reserve_output(context.head_bytes);
                context.saw(|seen| {
                    seen.reused = true;
                    seen.peer = Some(self.stream.peer());
                });
                true
            }
        }
    }

    fn is_tls(&self) -> bool {
        S::IS_TLS
    }
}
