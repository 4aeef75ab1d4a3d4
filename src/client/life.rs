//! When a client can no longer be used: after it was shut down, and in a child process that `fork`
//! made.

use crate::error::{Error, ErrorKind, Result};
use crate::interrupt::Cancel;

/// How long a client may be used, shared by its clones.
#[derive(Debug)]
pub(super) struct Life {
    /// The process that made the client.
    process: u32,
    /// Every call of the client looks at it.
    pub(super) shutdown: Cancel,
}

impl Life {
    pub(super) fn begin() -> Life {
        Life {
            process: std::process::id(),
            shutdown: Cancel::new(),
        }
    }

    /// Whether a call may begin.
    pub(super) fn check(&self) -> Result<()> {
        if self.is_of_another_process() {
            let message = "this client was made before fork(), by another process";
            return Err(Error::new(ErrorKind::State, message)
                .with_hint("make a client of its own in the child process"));
        }
        if self.shutdown.is_triggered() {
            let message = "this client has been shut down";
            return Err(Error::new(ErrorKind::State, message));
        }
        Ok(())
    }

    /// A child process has the parent's connections, whose bytes would mix, and its locks, which a
    /// thread may have held that the child does not have.
    pub(super) fn is_of_another_process(&self) -> bool {
        self.process != std::process::id()
    }
}
