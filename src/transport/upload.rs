//! The body of a request on its way out: how its end is shown, where its bytes come from, and how
//! it stops when the server answers before it was sent.

use std::io::{self, Read};

use ureq::http::header::{CONTENT_LENGTH, HeaderName, HeaderValue, TRANSFER_ENCODING};

use super::context::ExchangeContext;
use super::error::{Failure, Phase, WireError};
use crate::http::{Content, Method, Request};

/// How a request shows where its body ends (RFC 9112, section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Framing {
    /// There is no body, and no field that speaks of one.
    #[default]
    None,
    /// `Content-Length`.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

impl Framing {
    pub(super) fn of(request: &Request<'_>) -> Framing {
        match (&request.content, request.method) {
            (Content::Bytes(bytes), _) => Framing::Length(bytes.len() as u64),
            (Content::Stream { length, .. }, _) => length.map_or(Framing::Chunked, Framing::Length),
            // These methods are expected to have a body, so that there is none has to be said (RFC
            // 9110, section 8.6). Some servers answer 411 otherwise.
            (Content::Nothing, Method::Post | Method::Put | Method::Patch) => Framing::Length(0),
            (Content::Nothing, Method::Get | Method::Head | Method::Delete) => Framing::None,
        }
    }

    /// The header field that says it.
    pub(super) fn field(self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Framing::None => None,
            Framing::Length(length) => Some((CONTENT_LENGTH, length.into())),
            Framing::Chunked => Some((TRANSFER_ENCODING, HeaderValue::from_static("chunked"))),
        }
    }
}

/// How far the sending of a request has come. The [`Source`] and the connection share it through
/// the exchange context, because ureq stands between them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Upload {
    pub(super) framing: Framing,
    pub(super) stage: Stage,
}

/// What ureq writes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Stage {
    /// The head.
    #[default]
    Head,
    /// The body.
    Body,
    /// The rest of a body that is not sent, because the server has answered.
    Answered,
}

/// What ureq reads a body from. It ends a request whose body is shorter or longer than was said:
/// ureq asks a source that has ended for ever.
pub(super) struct Source<'a> {
    reader: &'a mut dyn Read,
    length: Option<u64>,
    /// How many bytes ureq has got.
    given: u64,
    context: &'a ExchangeContext,
}

impl<'a> Source<'a> {
    /// `length` is what the head of the request says; `None` in chunks.
    pub(super) fn new(
        reader: &'a mut dyn Read,
        length: Option<u64>,
        context: &'a ExchangeContext,
    ) -> Source<'a> {
        Source {
            reader,
            length,
            given: 0,
            context,
        }
    }

    /// Fails if there is another byte.
    pub(super) fn expect_end(&mut self) -> Result<(), WireError> {
        if self.ask(&mut [0])? == 0 {
            return Ok(());
        }
        Err(failed(format!(
            "the source gave more than the {} bytes that were promised",
            self.given
        )))
    }

    /// Never 0 before `length` bytes were given.
    fn read_of(&mut self, length: u64, buffer: &mut [u8]) -> Result<usize, WireError> {
        let wanted = limit(buffer.len(), length - self.given);
        let amount = self.ask(&mut buffer[..wanted])?;
        if amount == 0 {
            return Err(failed(format!(
                "the source gave {} of {length} bytes",
                self.given
            )));
        }
        self.given += amount as u64;
        if self.given == length {
            // The last bytes go out only when nothing follows them: with them the server would take
            // a part of the body for all of it.
            self.expect_end()?;
        }
        Ok(amount)
    }

    fn ask(&mut self, buffer: &mut [u8]) -> Result<usize, WireError> {
        loop {
            match self.reader.read(buffer) {
                Ok(amount) if amount <= buffer.len() => return Ok(amount),
                Ok(_) => {
                    let message = "the source claims more bytes than it was asked for";
                    return Err(failed(message.to_owned()));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    self.context.tick(Phase::Send)?;
                }
                Err(error) => {
                    let message = format!("the source failed after {} bytes", self.given);
                    return Err(failed(message).caused_by(error));
                }
            }
        }
    }

    /// What stands for the rest of a body that is not sent. The connection has overwritten the
    /// buffer with zeros, so they need not be written again.
    fn filler(&mut self, buffer: &[u8]) -> usize {
        // A body in chunks may end anywhere.
        let left = self.length.map_or(0, |length| length - self.given);
        let amount = limit(buffer.len(), left);
        self.given += amount as u64;
        amount
    }
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.context.upload().stage == Stage::Answered {
            return Ok(self.filler(buffer));
        }
        // ureq would take the 0 that comes of it for the end.
        if buffer.is_empty() {
            return Err(failed("there is no room for the body".to_owned()).into());
        }
        self.context.begin_body();
        let amount = match self.length {
            Some(length) => self.read_of(length, buffer)?,
            None => {
                let amount = self.ask(buffer)?;
                self.given += amount as u64;
                amount
            }
        };
        Ok(amount)
    }
}

/// The smaller of the two.
fn limit(room: usize, left: u64) -> usize {
    usize::try_from(left).map_or(room, |left| room.min(left))
}

fn failed(message: String) -> WireError {
    WireError::new(Failure::Source, Phase::Send, message)
}
