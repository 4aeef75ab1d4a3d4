//! Real registries and proxies, started on free loopback ports.
//!
//! Tests that only ever met a fake prove what its author believed about registries. This crate
//! starts the real ones: Debian's `docker-registry` 2.8.2 and distribution v3 ([`RegistryConfig`]),
//! go-containerregistry's ([`CraneRegistry`]), and nginx in front of them ([`Nginx`]). It fills
//! them ([`seed`]) and asks them ([`http`]) without a line of `ocireg`, so that an expectation
//! never comes from the code under test.
//!
//! ```no_run
//! use test_support::{DockerRegistry, HTPASSWD, RegistryConfig, seed};
//!
//! // None: the program is not installed. A counted skip on a person's machine, a failure in CI.
//! let Some(registry) = DockerRegistry::start(&RegistryConfig::new()) else { return };
//! for image in seed::push_all(registry.authority(), "library/demo") {
//!     println!("{}/library/demo:{} {}", registry.authority(), image.tag, image.digest);
//! }
//! ```
//!
//! Everything listens on 127.0.0.1 only, waits a bounded time, and ends with the value that stands
//! for it; a server kept in a `static` ends with the test program.

pub mod certificates;
pub mod http;
mod logins;
mod nginx;
mod registries;
pub mod seed;
mod server;
mod tools;

pub use logins::{ContainerRegistry, TokenServer};
pub use nginx::{Nginx, Recipe};
pub use registries::{
    CraneRegistry, DistributionV3, DockerRegistry, HTPASSWD, RegistryConfig, TokenAuth,
};
pub use server::{Server, free_port};
pub use tools::{require, skip, tool};
