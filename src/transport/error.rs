//! Errors of an exchange. The client makes errors of a call out of them.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, UdpSocket};

use crate::address::AddressClass;
use crate::interrupt::Stopped;

/// The numbers that all Unix systems have for "this process has no file descriptor left" and "this
/// machine has none".
const EMFILE: i32 = 24;
const ENFILE: i32 = 23;

/// The phase of an exchange in which it failed.
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
    /// The words behind "while" in an error message.
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
    /// The name does not resolve. `transient` if the resolver itself failed.
    Resolve { transient: bool },
    /// No address accepted a connection.
    Connect,
    /// The address policy permits none of the host's addresses.
    AddressRefused(AddressClass),
    /// TLS failed. `hint` says what the caller can do.
    Tls { hint: Option<&'static str> },
    /// No byte within the idle timeout, or no connection within the connect timeout.
    TimedOut,
    /// The connection ended or was reset before the answer was complete. `partial` if a part of the
    /// answer had arrived.
    Disconnected { partial: bool },
    /// The bytes are not a valid HTTP answer.
    Protocol,
    /// The header or the body is larger than its limit.
    TooLarge,
    /// The caller's source of a request body failed, or has another length than promised.
    Source,
    /// The call was told to stop.
    Stopped(Stopped),
    /// This machine failed: it has no thread or no file descriptor left.
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

    /// The cause, for an error that says the rest in its own words.
    pub(crate) fn into_source(self) -> Option<Box<dyn StdError + Send + Sync>> {
        self.source
    }

    /// Whether bytes came that can't be read as the head of an answer.
    pub(crate) fn is_unreadable_answer(&self) -> bool {
        self.phase == Phase::Wait && matches!(self.failure, Failure::Protocol | Failure::TooLarge)
    }

    /// Whether it may be because this process, or the machine, has no file descriptor left.
    pub(super) fn lacks_descriptors(&self) -> bool {
        let is_shortage = |error: &io::Error| matches!(error.raw_os_error(), Some(EMFILE | ENFILE));
        match self.failure {
            // The system's resolver does not say why it failed. It needs a socket, as this does.
            Failure::Resolve { .. } => {
                UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).is_err_and(|error| is_shortage(&error))
            }
            Failure::Connect => {
                let source = self.source.as_deref();
                source
                    .and_then(|source| source.downcast_ref())
                    .is_some_and(is_shortage)
            }
            _ => false,
        }
    }

    /// The error of a failed call on a socket.
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

    /// Takes our own error out of ureq's error, or translates an error of ureq itself.
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
            // The connection ended in the middle of a chunk's framing.
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

/// For an error that a reader returns to ureq.
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
