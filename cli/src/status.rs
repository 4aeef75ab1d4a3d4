//! What came of it all, as the exit code tells it.

use std::process::ExitCode;

use ocireg::ErrorKind;

/// What came of a question; of several the worst counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    /// It is there.
    Yes,
    /// A registry says that it is not there.
    Absent,
    /// The registry refuses to say.
    Denied,
    /// There is no answer.
    Failed,
}

impl Status {
    /// What a failure of this kind means.
    pub(crate) fn of(kind: ErrorKind) -> Status {
        match kind {
            ErrorKind::NotFound => Status::Absent,
            ErrorKind::Denied => Status::Denied,
            _ => Status::Failed,
        }
    }

    /// The word for it, as `exists` prints it.
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

/// The exit code where the reader of the output went away (`ocireg tags REPOSITORY | head -n 1`):
/// what a shell reports of a program that SIGPIPE ended. Not 0, since not everything was asked.
pub(crate) const READER_GONE: u8 = 141;
