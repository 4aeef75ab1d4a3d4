//! The thread that has made a call.

use std::thread::{self, ThreadId};

/// The thread that a caller made a call on; a thread that runs a part of the call may be another.
///
/// A caller may make a call in a callback of another call. That call must not wait for what its own
/// thread has under way, which would be itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CallerThread(ThreadId);

impl CallerThread {
    /// This thread.
    pub(crate) fn here() -> CallerThread {
        CallerThread(thread::current().id())
    }
}
