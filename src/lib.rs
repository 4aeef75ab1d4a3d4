//! Ask container registries: does this image exist, what is its digest, which tags does it have.

#[cfg_attr(
    not(test),
    expect(dead_code, reason = "used by the transport, next commit")
)]
mod address;
mod auth;
mod digest;
#[expect(dead_code, reason = "used by the transport, next commit")]
mod error;
mod http;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "used by the transport, next commit")
)]
mod origin;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "used by the client, next commit")
)]
mod reference;
mod text;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "used by the transport, next commit")
)]
mod url;
mod manifest;

pub use digest::{Algorithm, Digest, Hasher, Verifier};
pub use error::{Error, ErrorKind, RegistryError, Result};
pub use http::RateLimit;
pub use reference::{Reference, Registry, Repository, RepositoryName, Tag};
pub use manifest::{Descriptor, DigestSource, MediaType};
