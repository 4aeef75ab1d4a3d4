//! Decisions about an answer: follow its redirect, send the request again, or stop. All are pure
//! functions without sockets, clock and sleep.

pub(crate) mod lesson;
pub(crate) mod redirect;
pub(crate) mod retry;
