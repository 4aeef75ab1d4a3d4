//! A connection in ureq's pool.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};

use super::buffers::WireBuffers;
use super::connection::{Connection, Stream};
use super::context::{ExchangeContext, Pooling};
use super::error::{Failure, Phase, WireError};
use super::idle::{Era, Idle, IdleConnections, Ticket};

/// What ureq has of a connection. While the connection is idle, it is among the
/// [`IdleConnections`], so that the client can close it, and this is an empty shell.
pub(super) struct Pooled<S: Stream> {
    state: State<S>,
    idle: Arc<IdleConnections>,
    era: Era,
    pooling: Pooling,
    /// What ureq sees of a shell.
    nothing: WireBuffers,
}

enum State<S> {
    InUse(Box<Connection<S>>),
    Idle(Ticket),
    Closed,
}

impl<S: Stream> Pooled<S> {
    pub(super) fn new(
        connection: Connection<S>,
        idle: Arc<IdleConnections>,
        pooling: Pooling,
    ) -> Pooled<S> {
        Pooled {
            state: State::InUse(Box::new(connection)),
            era: idle.era(),
            idle,
            pooling,
            nothing: WireBuffers::default(),
        }
    }

    /// The answer was read to its end: keeps the connection for the next request.
    fn keep(&mut self, mut connection: Box<Connection<S>>) -> bool {
        if self.pooling == Pooling::Fresh || !connection.rest() {
            return false;
        }
        let ticket = self.idle.keep(connection, self.era);
        self.state = ticket.map_or(State::Closed, State::Idle);
        ticket.is_some()
    }

    /// Takes the connection back for a request.
    fn take(&mut self, ticket: Ticket) -> bool {
        let Ok(context) = ExchangeContext::current() else {
            return false;
        };
        let kept = self.idle.take(ticket).map(Idle::into_any);
        let Some(Ok(mut connection)) = kept.map(<Box<dyn Any>>::downcast::<Connection<S>>) else {
            return false;
        };
        if !connection.wake(&context) {
            return false;
        }
        self.state = State::InUse(connection);
        true
    }

    fn connection(&mut self) -> Result<&mut Connection<S>, WireError> {
        match &mut self.state {
            State::InUse(connection) => Ok(connection),
            State::Idle(_) | State::Closed => Err(WireError::new(
                Failure::Local,
                Phase::Send,
                "an idle connection was used",
            )),
        }
    }
}

impl<S: Stream> Transport for Pooled<S> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        match &mut self.state {
            State::InUse(connection) => connection.buffers(),
            State::Idle(_) | State::Closed => &mut self.nothing,
        }
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        let context = ExchangeContext::current()?;
        Ok(self.connection()?.send(amount, &context)?)
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        let context = ExchangeContext::current()?;
        Ok(self.connection()?.await_input(&context)?)
    }

    /// ureq's pool calls this twice: when it gets the connection back and when it takes it out.
    fn is_open(&mut self) -> bool {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::InUse(connection) => self.keep(connection),
            State::Idle(ticket) => self.take(ticket),
            State::Closed => false,
        }
    }

    fn is_tls(&self) -> bool {
        S::IS_TLS
    }
}

impl<S: Stream> Drop for Pooled<S> {
    fn drop(&mut self) {
        match &self.state {
            State::Idle(ticket) => drop(self.idle.take(*ticket)),
            // ureq closes a connection without a word if there is input behind the answer.
            State::InUse(connection) if connection.has_surplus() => {
                if let Ok(context) = ExchangeContext::current() {
                    context.saw(|seen| seen.surplus = true);
                }
            }
            State::InUse(_) | State::Closed => {}
        }
    }
}

impl<S: Stream> fmt::Debug for Pooled<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            State::InUse(connection) => connection.fmt(f),
            State::Idle(_) => f.write_str("Idle"),
            State::Closed => f.write_str("Closed"),
        }
    }
}
