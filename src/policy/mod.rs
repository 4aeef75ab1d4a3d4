//! Decisions about an answer: what next? Pure functions, no sockets, no clock, no sleep.

pub(crate) mod redirect;
pub(crate) mod retry;
