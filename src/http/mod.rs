//! HTTP as plain values: no sockets, no I/O.

mod rate_limit;

pub use rate_limit::RateLimit;
