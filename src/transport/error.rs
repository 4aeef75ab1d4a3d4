//! What can go wrong on the wire, before it is known which call it goes wrong for.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use crate::address::AddressClass;
use crate::interrupt::Stopped;

/// Where an exchange stood when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Resolve,
    Connect,
    Tls,
    Send,
    Wait,
    Body,
}

impl Phase {
    /// As in "time ran out while …".
    pub(crate) fn doing(self) -> &'static str {
        match self {
            Phase::Resolve => "resolving the host name",
            Phase::Connect => "connecting",
            Phase::Tls => "negotiating TLS",
            Phase::Send => "sending the request",
            Phase::Wait => "waiting for the answer",
            Phase::Body => "reading the answer",
        }
    }
}

/// The kinds of failure that callers tell apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The name does not resolve. `transient` where the resolver itself was in trouble.
    Resolve { transient: bool },
    /// No address accepted a connection.
    Connect,
    /// Every address of the host is of a class that a server's word may not lead to.
    AddressRefused(AddressClass),
    /// TLS failed; `hint` says what the caller can do.
    Tls { hint: Option<&'static str> },
    /// No byte for the idle time, or no connection in the connect time.
    TimedOut,
    /// The connection ended or was reset before the answer was complete. `partial` once a part of
    /// it had come.
    Disconnected { partial: bool },
    /// The bytes are no HTTP answer.
    Protocol,
    /// Header or body past its limit.
    TooLarge,
    /// What the caller gave as the request's body failed, or has another length than was promised.
    Source,
    /// The call was told to stop.
    Stopped(Stopped),
    /// This machine failed: no thread, no descriptor.
    Local,
}

/// A failed exchange.
#[derive(Debug)]
pub(crate) struct WireError {
    pub(crate) failure: Failure,
    pub(crate) phase: Phase,
    /// What happened, without host or reference.
    pub(crate) message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl WireError {
    pub(crate) fn new(failure: Failure, phase: Phase, message: impl Into<String>) -> WireError {
        WireError {
            failure,
            phase,
            message: message.into(),
            source: None,
        }
    }

    pub(crate) fn caused_by(
        mut self,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> WireError {
        self.source = Some(source.into());
        self
    }

    pub(crate) fn stopped(stopped: Stopped, phase: Phase) -> WireError {
        WireError::new(
            Failure::Stopped(stopped),
            phase,
            format!("stopped while {}", phase.doing()),
        )
    }

    /// Whether the server may have received the request.
    pub(crate) fn may_have_been_sent(&self) -> bool {
        !matches!(self.phase, Phase::Resolve | Phase::Connect | Phase::Tls)
    }

    /// What is behind it, for an error that says the rest itself.
    pub(crate) fn into_source(self) -> Option<Box<dyn StdError + Send + Sync>> {
        self.source
    }

    /// A socket call failed.
    pub(crate) fn from_io(error: io::Error, phase: Phase) -> WireError {
        let failure = match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Failure::TimedOut,
            io::ErrorKind::InvalidData => Failure::Protocol,
            _ if matches!(phase, Phase::Resolve | Phase::Connect) => Failure::Connect,
            _ => Failure::Disconnected {
                partial: phase == Phase::Body,
            },
        };
        WireError::new(failure, phase, format!("failed while {}", phase.doing())).caused_by(error)
    }

    /// Takes our own error out of ureq's, or translates what ureq found.
    pub(super) fn from_ureq(error: ureq::Error, phase: Phase) -> WireError {
        match error {
            ureq::Error::Other(inner) => match inner.downcast::<WireError>() {
                Ok(ours) => *ours,
                Err(other) => {
                    WireError::new(Failure::Protocol, phase, "the exchange failed").caused_by(other)
                }
            },
            ureq::Error::Io(inner) => match inner.downcast::<WireError>() {
                Ok(ours) => ours,
                Err(inner) if inner.kind() == io::ErrorKind::UnexpectedEof => {
                    let partial = phase == Phase::Body;
                    WireError::new(
                        Failure::Disconnected { partial },
                        phase,
                        "the connection ended too early",
                    )
                }
                Err(inner) => WireError::from_io(inner, phase),
            },
            // The connection ended in the middle of a chunk's framing: bytes are left that no body
            // can be made of.
            ureq::Error::BodyStalled => WireError::new(
                Failure::Disconnected { partial: true },
                phase,
                "the connection ended too early",
            ),
            ureq::Error::LargeResponseHeader(_, limit) => WireError::new(
                Failure::TooLarge,
                phase,
                format!("the answer's header is larger than {limit} bytes"),
            ),
            ureq::Error::Protocol(inner) if inner.to_string().contains("too many headers") => {
                WireError::new(
                    Failure::TooLarge,
                    phase,
                    "the answer has too many header lines",
                )
                .caused_by(inner)
            }
            other => WireError::new(Failure::Protocol, phase, "the answer is not valid HTTP/1.1")
                .caused_by(other),
        }
    }

    /// As [`from_ureq`](WireError::from_ureq), for an error that came through `io::Read`.
    pub(crate) fn from_body_read(error: io::Error) -> WireError {
        match error.downcast::<ureq::Error>() {
            Ok(inner) => WireError::from_ureq(inner, Phase::Body),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                let failure = Failure::Disconnected { partial: true };
                WireError::new(failure, Phase::Body, "the connection ended too early")
            }
            Err(error) => WireError::from_io(error, Phase::Body),
        }
    }
}

/// For an error on its way through ureq.
impl From<WireError> for io::Error {
    fn from(error: WireError) -> io::Error {
        io::Error::other(error)
    }
}

impl From<WireError> for ureq::Error {
    fn from(error: WireError) -> ureq::Error {
        ureq::Error::Other(Box::new(error))
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for WireError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
