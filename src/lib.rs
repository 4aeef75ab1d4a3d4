//! Ask container registries: does this image exist, what is its digest, which tags does it have.

mod error;
mod http;

pub use error::{Error, ErrorKind, RegistryError, Result};
pub use http::RateLimit;
