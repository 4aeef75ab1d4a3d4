//! What is printed: answers on standard output, reasons on standard error.

use std::collections::HashSet;
use std::io::{self, BufWriter, StdoutLock, Write};

use ocireg::{Client, Registry};
use serde::Serialize;

use crate::args::Options;
use crate::reason::Reason;
use crate::text::one_line;

/// Why the program ends before all was asked.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Whoever read the answers has closed the pipe.
    ReaderGone,
    /// Nothing more can be done, for this reason.
    Failed(String),
}

/// The answers' way out. What was printed is shown at the latest with the next
/// [`flush`](Output::flush) or reason.
#[derive(Debug)]
pub(crate) struct Output {
    out: BufWriter<StdoutLock<'static>>,
    json: bool,
    /// Warnings told so far; `None` where `-v` shows them as they come.
    warned: Option<HashSet<String>>,
}

impl Output {
    pub(crate) fn new(options: &Options) -> Output {
        Output {
            out: BufWriter::new(io::stdout().lock()),
            json: options.json,
            warned: (options.verbose == 0).then(HashSet::new),
        }
    }

    /// Prints an answer: as `line`, if it has one, or as an object on one line.
    pub(crate) fn answer(
        &mut self,
        line: Option<&str>,
        object: &impl Serialize,
    ) -> Result<(), Stop> {
        let written = match line {
            _ if self.json => serde_json::to_writer(&mut self.out, object)
                .map_err(io::Error::from)
                .and_then(|()| self.out.write_all(b"\n")),
            Some(line) => writeln!(self.out, "{line}"),
            None => Ok(()),
        };
        written.map_err(|error| Stop::from_write(&error))
    }

    /// Shows what was printed so far.
    pub(crate) fn flush(&mut self) -> Result<(), Stop> {
        self.out.flush().map_err(|error| Stop::from_write(&error))
    }

    /// Tells why, after what was printed so far.
    pub(crate) fn reason(&mut self, reason: &Reason) -> Result<(), Stop> {
        self.flush()?;
        tell(reason.message());
        Ok(())
    }

    /// Tells what the client has to warn about, each once.
    pub(crate) fn warnings(&mut self, client: &Client, registry: &Registry) {
        let Some(warned) = &mut self.warned else {
            return;
        };
        for warning in client.warnings(registry) {
            // Some name what they are about; a registry's own words don't.
            let warning = match warning.contains(registry.as_str()) {
                true => warning,
                false => format!("{registry} warns: {warning}"),
            };
            if warned.len() < MAX_WARNINGS && !warned.contains(&warning) {
                tell(&format!("warning: {warning}"));
                warned.insert(warning);
            }
        }
    }
}

/// Beyond these nobody reads them.
const MAX_WARNINGS: usize = 100;

/// One line on standard error. Where that is closed there is nobody to tell.
pub(crate) fn tell(text: &str) {
    let line = format!("ocireg: {}\n", one_line(text));
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

impl Stop {
    fn from_write(error: &io::Error) -> Stop {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Stop::ReaderGone,
            _ => Stop::Failed(format!("can't write the answers: {error}")),
        }
    }
}
