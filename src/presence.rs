//! The answer to "is it there?".

use crate::resolved::Resolved;

/// Whether an image is there. A failure to find out is an [`Error`](crate::Error), never one of
/// these.
// Exhaustive: these three are all the answers there are, and a match without a wildcard is what
// callers should write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// The registry has it.
    Exists(Resolved),
    /// The registry says that it is not there (HTTP 404 from what has shown to be a registry). A
    /// registry that hides private repositories behind a 404 can't be told from this.
    Absent,
    /// The registry refuses this repository (HTTP 401 or 403): private, hidden or missing. Docker
    /// Hub answers so for repositories that do not exist.
    Denied,
}
