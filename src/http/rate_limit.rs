//! Rate-limit headers (registries.md J1).

/// What a registry last said about its rate limit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {}
