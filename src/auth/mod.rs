//! Authentication: what to send, and what an answer asks for.

pub(crate) mod challenge;
