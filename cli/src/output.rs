//! Prints answers on standard output, and reasons on standard error.

use std::collections::HashSet;
use std::io::{self, BufWriter, Write};

use ocireg::{Client, Registry};
use serde::Serialize;

use crate::options::Options;
use crate::reason::Reason;
use crate::stdout::StandardOutput;
use crate::text::{one_line, shortened};

/// Why the program ends early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The reader of the answers has closed the pipe.
    ReaderGone,
    /// It can't go on, for this reason.
    Failed(String),
}

/// The buffered standard output. A [`flush`](Output::flush) or a reason writes the buffer out.
#[derive(Debug)]
pub(crate) struct Output {
    out: BufWriter<StandardOutput>,
    json: bool,
    /// Warnings printed so far. `None` with `-v`, which prints them as log records.
    warned: Option<HashSet<String>>,
}

impl Output {
    pub(crate) fn new(options: &Options) -> Output {
        Output {
            out: BufWriter::new(StandardOutput::new()),
            json: options.json,
            warned: (options.verbose == 0).then(HashSet::new),
        }
    }

    /// Prints an answer: with `--json` as an object on one line, otherwise as `line` if there is
    /// one.
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

    /// Writes out what was printed so far.
    pub(crate) fn flush(&mut self) -> Result<(), Stop> {
        self.out.flush().map_err(|error| Stop::from_write(&error))
    }

    /// Prints why, after the answers so far.
    pub(crate) fn reason(&mut self, reason: &Reason) -> Result<(), Stop> {
        self.flush()?;
        tell(reason.message());
        Ok(())
    }

    /// Prints the client's warnings about a registry, each of them once.
    pub(crate) fn warnings(&mut self, client: &Client, registry: &Registry) {
        let Some(warned) = &mut self.warned else {
            return;
        };
        for warning in client.warnings(registry) {
            // The library's warnings name the registry. Those that a registry sent don't.
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

/// The most warnings that are printed. Nobody reads more.
const MAX_WARNINGS: usize = 100;

/// Prints help on standard output.
pub(crate) fn help(text: &str) -> Result<(), Stop> {
    let written = StandardOutput::new().write_all(text.as_bytes());
    written.map_err(|error| Stop::from_write(&error))
}

/// Prints one line on standard error.
pub(crate) fn tell(text: &str) {
    let line = format!("ocireg: {}", one_line(text));
    complain(&format!("{}\n", shortened(&line)));
}

/// Prints on standard error. A closed standard error is ignored.
pub(crate) fn complain(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

impl Stop {
    fn from_write(error: &io::Error) -> Stop {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Stop::ReaderGone,
            _ => Stop::Failed(format!("can't write the answers: {error}")),
        }
    }
}
