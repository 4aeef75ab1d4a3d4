//! The answer to "is it there?".

use crate::resolved::Resolved;

/// Whether a registry has an image. If that could not be found out, the call fails with an
/// [`Error`](crate::Error) instead.
// Exhaustive on purpose: there is no other answer, and callers should match without a wildcard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// The registry has it.
    Exists(Resolved),
    /// The registry says that it does not have it: an HTTP 404 with the registry's own words or
    /// mark. Some registries also answer so for private repositories.
    ///
    /// Of a pull-through cache, this is the cache's word. A cache may also answer so when it can't
    /// reach the registry behind it, or while it remembers an earlier answer.
    Absent,
    /// The registry refuses this repository (HTTP 401 or 403): it is private, hidden or missing.
    /// Docker Hub also answers so for repositories that do not exist.
    Denied,
}
