//! The result of a run, and its exit code.

use std::process::ExitCode;

use ocireg::ErrorKind;

/// The result of a question. Of several results the largest one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    /// The image exists.
    Yes,
    /// A registry says that the image does not exist.
    Absent,
    /// The registry refuses to answer.
    Denied,
    /// There is no answer.
    Failed,
}

impl Status {
    /// The status that an error of this kind means.
    pub(crate) fn of(kind: ErrorKind) -> Status {
        match kind {
            ErrorKind::NotFound => Status::Absent,
            ErrorKind::Denied => Status::Denied,
            _ => Status::Failed,
        }
    }

    /// The word that `exists` prints.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Status::Yes => "exists",
            Status::Absent => "absent",
            Status::Denied => "denied",
            Status::Failed => "error",
        }
    }

    pub(crate) fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Status::Yes => 0,
            Status::Absent => 1,
            Status::Denied => 3,
            Status::Failed => 2,
        })
    }
}

/// The exit code if the reader of the output closed the pipe, as `head -n 1` does. Shells report
/// the same code for a program that SIGPIPE ended. It is not 0, because not everything was asked.
pub(crate) const READER_GONE: u8 = 141;
