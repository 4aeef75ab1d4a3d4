//! A connection and its buffers, with or without TLS.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Instant;

use ureq::unversioned::transport::Buffers;

use super::buffers::WireBuffers;
use super::context::{ExchangeContext, Wait};
use super::error::{Failure, Phase, WireError};
use super::framing::Stage;
use super::idle::Idle;
use super::reuse::ReuseBan;
use crate::address::AddressClass;

/// A stream of bytes whose waits can be stopped, and what the pool needs to know about it.
pub(super) trait Stream: Debug + Send + Sync + 'static {
    const IS_TLS: bool;

    /// Waits for bytes. 0 means that the other side has closed.
    fn read(&mut self, buffer: &mut [u8], wait: Wait<'_>) -> Result<usize, WireError>;

    /// Reads what has arrived, without waiting.
    fn read_now(&mut self, buffer: &mut [u8], phase: Phase) -> Result<Found, WireError>;

    /// Sends some of `bytes`, and waits for at most a slice. Returns how many bytes are done;
    /// `None` if nothing could be sent. The next write has to begin with the first byte that is not
    /// done.
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

    /// The class of the address that it is connected to.
    fn peer(&self) -> AddressClass;

    /// Whether the current call may use it. The call that made the connection may have had a wider
    /// address policy.
    fn is_permitted(&self, context: &ExchangeContext) -> bool {
        context.address_policy.permits(self.peer())
    }

    /// Frees the memory that only bodies need. Called when the connection becomes idle.
    fn release_memory(&mut self) {}
}

/// The result of a read that does not wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing has arrived yet.
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
    ban: Arc<ReuseBan>,
}

/// Whether the connection can be used for another request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reuse {
    /// It can, if the answer that has arrived was read to its end.
    Possible,
    /// It can't. The last request is incomplete, and the server would take the next one for the
    /// rest of it.
    Never,
}

impl<S: Stream> Connection<S> {
    pub(super) fn new(stream: S, context: &ExchangeContext, ban: Arc<ReuseBan>) -> Connection<S> {
        context.saw(|seen| seen.peer = Some(stream.peer()));
        let mut buffers = WireBuffers::default();
        buffers.reserve_output(context.head_bytes);
        Connection {
            stream,
            buffers,
            reuse: Reuse::Possible,
            ban,
        }
    }

    pub(super) fn buffers(&mut self) -> &mut WireBuffers {
        &mut self.buffers
    }

    /// Whether more has arrived than the answer.
    pub(super) fn has_surplus(&self) -> bool {
        self.reuse == Reuse::Possible && self.buffers.has_input()
    }

    /// Makes it idle; `false` if it can't be used again. Bytes behind an answer that are still
    /// in the socket are found when it is used again, so this needs no system call.
    pub(super) fn rest(&mut self) -> bool {
        self.buffers.release_body();
        self.stream.release_memory();
        self.reuse == Reuse::Possible && !self.buffers.has_input() && !self.ban.holds()
    }

    /// Makes it ready for another request; `false` if it can't be used for one.
    pub(super) fn wake(&mut self, context: &ExchangeContext) -> bool {
        if !self.stream.is_permitted(context) || self.is_spoilt() {
            return false;
        }
        self.buffers.reserve_output(context.head_bytes);
        context.saw(|seen| {
            seen.reused = true;
            seen.peer = Some(self.stream.peer());
        });
        true
    }

    /// Sends the first bytes of the output.
    pub(super) fn send(
        &mut self,
        amount: usize,
        context: &ExchangeContext,
    ) -> Result<(), WireError> {
        match context.upload().stage {
            Stage::Head => self.send_head(amount, context),
            Stage::Body => self.send_body(amount, context),
            // Even if nothing is sent, a long body takes a while.
            Stage::Answered => context.tick(Phase::Wait),
        }
    }

    /// Waits for input. `Ok(false)` is the end of a body that ends with the connection.
    pub(super) fn await_input(&mut self, context: &ExchangeContext) -> Result<bool, WireError> {
        let phase = if self.buffers.in_head() {
            Phase::Wait
        } else {
            Phase::Body
        };
        let free = self.buffers.room_for_input(phase)?;
        let amount = self.stream.read(free, Wait::idle(context, phase))?;
        self.arrived(amount, context)
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

    /// Sends a part of the body, unless the server has already answered. Checks for an answer
    /// before each write: a server that refuses an upload may close the connection, or go on
    /// reading until the upload ends.
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

    /// Sends some of the output between `from` and `to`. Returns how many bytes are done.
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

    /// Adds what has arrived to the input, without waiting.
    fn look(&mut self, wait: Wait<'_>) -> Result<Found, WireError> {
        let free = self.buffers.room_for_input(wait.phase)?;
        let found = self.stream.read_now(free, wait.phase)?;
        if let Found::Bytes(amount) = found {
            self.buffers.received_early(amount);
            self.inspect(wait.context)?;
        }
        Ok(found)
    }

    /// Returns the error of a write that failed, unless the server has answered. A server that
    /// closes the connection after its answer makes the write fail too. The answer can then be
    /// read, unless the TCP reset has discarded it.
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

    /// The server has already answered. It gets no more of this request, and no other request on
    /// this connection.
    fn stop_sending(&mut self, context: &ExchangeContext) {
        context.stop_upload();
        self.reuse = Reuse::Never;
        self.buffers.clear_output();
    }

    /// Adds what was read to the input. `Ok(false)` is the end of a body that ends with the
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

    /// Checks bytes that have arrived before ureq parses them.
    fn inspect(&mut self, context: &ExchangeContext) -> Result<(), WireError> {
        context.saw(|seen| seen.answered = true);
        self.buffers.inspect()
    }
}

impl<S: Stream> Idle for Connection<S> {
    fn is_spoilt(&mut self) -> bool {
        match self.stream.read_now(&mut [0], Phase::Wait) {
            Ok(Found::Nothing) => self.ban.holds(),
            Ok(Found::Bytes(_)) => {
                self.ban.begin();
                true
            }
            Ok(Found::End) | Err(_) => true,
        }
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::io;
    use std::time::Duration;

    use super::*;
    use crate::interrupt::{Cancel, Interrupt};
    use crate::transport::framing::Framing;
    use crate::url::Url;

    const REFUSAL: &str = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n";
    const INTERIM: &str = "HTTP/1.1 100 Continue\r\n\r\n";

    /// The text that each read finds, and how many bytes each write sends. A write of 0 is a reset.
    #[derive(Debug)]
    struct Scripted {
        looks: VecDeque<Option<&'static str>>,
        writes: VecDeque<usize>,
    }

    impl Stream for Scripted {
        const IS_TLS: bool = false;

        fn read(&mut self, _: &mut [u8], _: Wait<'_>) -> Result<usize, WireError> {
            unreachable!("an upload never waits for the answer")
        }

        fn read_now(&mut self, buffer: &mut [u8], _: Phase) -> Result<Found, WireError> {
            Ok(match self.looks.pop_front() {
                Some(Some(text)) => {
                    buffer[..text.len()].copy_from_slice(text.as_bytes());
                    Found::Bytes(text.len())
                }
                Some(None) => Found::Nothing,
                None => Found::End,
            })
        }

        fn write_slice(&mut self, _: &[u8], wait: Wait<'_>) -> Result<Option<usize>, WireError> {
            match self.writes.pop_front().unwrap() {
                0 => {
                    let reset = io::ErrorKind::ConnectionReset.into();
                    Err(WireError::from_io(reset, wait.phase))
                }
                taken => Ok(Some(taken)),
            }
        }

        fn peer(&self) -> AddressClass {
            AddressClass::Loopback
        }
    }

    fn ban() -> Arc<ReuseBan> {
        Arc::new(ReuseBan::new(Url::parse("http://r/").unwrap().origin()))
    }

    /// Sends a head of 4 bytes and a body of 10.
    fn upload(
        looks: &[Option<&'static str>],
        writes: &[usize],
    ) -> (Result<(), WireError>, Stage, String) {
        let interrupt = Arc::new(Interrupt::new(Cancel::new(), None, None, None));
        let limit = Duration::from_secs(5);
        let context = ExchangeContext::new(interrupt, limit, limit);
        let stream = Scripted {
            looks: looks.iter().copied().collect(),
            writes: [4].into_iter().chain(writes.iter().copied()).collect(),
        };
        let mut connection = Connection::new(stream, &context, ban());
        context.begin_upload(Framing::Length(10));
        connection.send_head(4, &context).unwrap();
        context.begin_body();
        let sent = connection.send_body(10, &context);
        let stopped = context.upload().stage == Stage::Answered;
        assert_eq!(connection.reuse == Reuse::Never, stopped);
        let input = String::from_utf8_lossy(connection.buffers.input()).into_owned();
        (sent, context.upload().stage, input)
    }

    #[test]
    fn a_body_is_sent_as_long_as_nothing_comes() {
        for writes in [&[10][..], &[3, 3, 4], &[1, 9]] {
            let (sent, stage, _) = upload(&[None; 3], writes);
            assert!(sent.is_ok() && stage == Stage::Body, "{writes:?}");
        }
    }

    #[test]
    fn an_answer_is_seen_before_any_of_the_writes() {
        for (looks, writes) in [
            (&[Some(REFUSAL)][..], &[][..]),
            (&[None, Some(REFUSAL)], &[3]),
            (&[Some(INTERIM), None, Some(REFUSAL)], &[3, 3]),
        ] {
            let (sent, stage, input) = upload(looks, writes);
            assert!(sent.is_ok() && stage == Stage::Answered, "{looks:?}");
            assert!(input.ends_with(REFUSAL));
        }
    }

    #[test]
    fn an_answer_counts_more_than_the_write_that_failed_behind_it() {
        for looks in [
            &[None, Some(REFUSAL)][..],
            &[None, Some(INTERIM), Some("HTTP/1.1 "), Some("413 No\r\n")],
        ] {
            let (sent, stage, _) = upload(looks, &[0]);
            assert!(sent.is_ok() && stage == Stage::Answered, "{looks:?}");
        }
        // Nothing was left to read, or only an interim answer.
        for looks in [&[None][..], &[None, None], &[None, Some(INTERIM)]] {
            let (sent, _, _) = upload(looks, &[0]);
            let error = sent.unwrap_err();
            assert_eq!(error.failure, Failure::Disconnected { partial: false });
            assert_eq!(error.message, "failed while sending the request");
        }
    }

    #[test]
    fn an_end_without_an_answer_ends_the_upload() {
        for looks in [&[][..], &[Some(INTERIM)]] {
            let (sent, _, _) = upload(looks, &[5]);
            let error = sent.unwrap_err();
            assert_eq!(error.failure, Failure::Disconnected { partial: false });
        }
    }
}
