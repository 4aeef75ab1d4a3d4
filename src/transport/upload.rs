//! The body of a request: where its bytes come from, and that they are as many as promised.

use std::io::{self, Read};

use super::context::ExchangeContext;
use super::error::{Failure, Phase, WireError};
use super::framing::Stage;

/// The reader from which ureq gets a body. It fails when the body is shorter or longer than
/// promised. ureq itself does not notice: it reads a source that has ended again and again.
pub(super) struct PayloadReader<'a> {
    reader: &'a mut dyn Read,
    length: Option<u64>,
    /// The number of bytes that ureq has got.
    given: u64,
    context: &'a ExchangeContext,
}

impl<'a> PayloadReader<'a> {
    /// `length` is the Content-Length of the request; `None` if it is chunked.
    pub(super) fn new(
        reader: &'a mut dyn Read,
        length: Option<u64>,
        context: &'a ExchangeContext,
    ) -> PayloadReader<'a> {
        PayloadReader {
            reader,
            length,
            given: 0,
            context,
        }
    }

    /// Fails if the source has another byte.
    pub(super) fn expect_end(&mut self) -> Result<(), WireError> {
        if self.ask(&mut [0])? == 0 {
            return Ok(());
        }
        Err(failed(format!(
            "the source gave more than the {} bytes that were promised",
            self.given
        )))
    }

    /// Reads a part of a body of `length` bytes. Never returns 0, which ureq could not handle.
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
            // The last bytes are sent only if the source ends behind them. Otherwise the server
            // would accept a truncated body as a complete one.
            self.expect_end()?;
        }
        Ok(amount)
    }

    /// Reads from the caller's source.
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
                    // A source that belongs to the same call fails too when the call is stopped.
                    self.context.tick(Phase::Send)?;
                    let message = format!("the source failed after {} bytes", self.given);
                    return Err(failed(message).caused_by(error));
                }
            }
        }
    }

    /// Stands in for the rest of a body that is not sent: says that all of it was read. ureq only
    /// counts what a read returns, and the connection sends none of it. To go through the length
    /// in pieces would take for ever where it is wrong.
    fn filler(&mut self) -> usize {
        // A chunked body may end anywhere.
        let left = self.length.map_or(0, |length| length - self.given);
        let amount = usize::try_from(left).unwrap_or(usize::MAX);
        self.given += amount as u64;
        amount
    }
}

impl Read for PayloadReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.context.upload().stage == Stage::Answered {
            return Ok(self.filler());
        }
        // The read would return 0, and ureq would take that for the end of the body.
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

/// The number of bytes that fit into `room` when `left` are left.
fn limit(room: usize, left: u64) -> usize {
    usize::try_from(left).map_or(room, |left| room.min(left))
}

fn failed(message: String) -> WireError {
    WireError::new(Failure::Source, Phase::Send, message)
}
