//! A connection as ureq uses it, with or without TLS.

use std::fmt::Debug;

use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};

use super::buffers::WireBuffers;
use super::context::{ExchangeContext, WaitLimit};
use super::error::{Failure, Phase, WireError};
use super::tcp::Socket;

/// A stream of bytes whose waits can be stopped.
pub(super) trait Stream: Debug + Send + Sync + 'static {
    const IS_TLS: bool;

    /// Waits for bytes; 0 means that the other side has closed.
    fn read(
        &mut self,
        buffer: &mut [u8],
        context: &ExchangeContext,
        phase: Phase,
        limit: WaitLimit,
    ) -> Result<usize, WireError>;

    fn write_all(
        &mut self,
        bytes: &[u8],
        context: &ExchangeContext,
        phase: Phase,
        limit: WaitLimit,
    ) -> Result<(), WireError>;

    /// Whether the other side has neither closed nor sent anything since the last answer. Does not
    /// wait.
    fn is_quiet(&mut self) -> bool;

    fn socket(&self) -> &Socket;
}

/// A stream and its buffers.
#[derive(Debug)]
pub(super) struct Connection<S> {
    stream: S,
    buffers: WireBuffers,
    /// Bytes have come since the pool last asked; see [`Transport::is_open`].
    used: bool,
}

impl<S: Stream> Connection<S> {
    pub(super) fn new(stream: S, context: &ExchangeContext) -> Connection<S> {
        let mut buffers = WireBuffers::default();
        buffers.reserve_output(context.head_bytes);
        Connection {
            stream,
            buffers,
            used: false,
        }
    }

    /// Takes in what a read brought. `Ok(false)` is the end of a body that ends with the
    /// connection.
    fn arrived(&mut self, amount: usize, context: &ExchangeContext) -> Result<bool, WireError> {
        if amount == 0 {
            if self.buffers.in_head() {
                let message = "the connection ended before the answer was complete";
                return Err(WireError::new(
                    Failure::Disconnected { partial: false },
                    Phase::Wait,
                    message,
                ));
            }
            return Ok(false);
        }
        context.saw(|seen| seen.answered = true);
        self.buffers.input_appended(amount);
        self.buffers.inspect()?;
        Ok(true)
    }
}

impl<S: Stream> Transport for Connection<S> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        let context = ExchangeContext::current()?;
        context.saw(|seen| seen.sent = true);
        self.buffers.expect_head();
        let bytes = &self.buffers.output()[..amount];
        Ok(self.stream.write_all(
            bytes,
            &context,
            Phase::Send,
            WaitLimit::Idle(context.idle_timeout),
        )?)
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        let context = ExchangeContext::current()?;
        let phase = if self.buffers.in_head() {
            Phase::Wait
        } else {
            Phase::Body
        };
        let free = self.buffers.input_append_buf();
        if free.is_empty() {
            let message = match phase {
                Phase::Body => "a line between the chunks of the answer is too large",
                _ => "the answer's header is too large",
            };
            return Err(WireError::new(Failure::TooLarge, phase, message).into());
        }
        let amount =
            self.stream
                .read(free, &context, phase, WaitLimit::Idle(context.idle_timeout))?;
        self.used = true;
        Ok(self.arrived(amount, &context)?)
    }

    fn is_open(&mut self) -> bool {
        let Ok(context) = ExchangeContext::current() else {
            return false;
        };
        // The pool asks twice: when the connection is given back and when it is taken out. Bytes
        // that come after an answer (R8) are found at the latter, so the former need not cost its
        // system calls.
        if std::mem::take(&mut self.used) {
            return !self.buffers.has_input();
        }
        if !self.stream.socket().is_permitted(&context) || !self.stream.is_quiet() {
            return false;
        }
        self.buffers.reserve_output(context.head_bytes);
        self.stream.socket().note_reuse(&context);
        true
    }

    fn is_tls(&self) -> bool {
        S::IS_TLS
    }
}
