//! Authentication: what to send, and what an answer asks for.

#[cfg_attr(not(test), expect(dead_code, reason = "the session reads it at merge"))]
pub(crate) mod challenge;
