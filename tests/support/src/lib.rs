//! Real registries and proxies, started on free loopback ports.
//!
//! A test against a fake proves only what the author of the fake believed. This crate starts real
//! registries: Debian's `docker-registry` 2.8.2 and distribution v3 ([`RegistryConfig`]),
//! go-containerregistry's ([`CraneRegistry`]), and nginx in front of them ([`Nginx`]). It fills
//! them ([`seed`]) and asks them ([`http`]) without `ocireg`, so that an expectation never comes
//! from the code under test.
//!
//! ```no_run
//! use test_support::{DockerRegistry, HTPASSWD, RegistryConfig, seed};
//!
//! // None: the program is not installed. Outside CI that is a counted skip, in CI a failure.
//! let Some(registry) = DockerRegistry::start(&RegistryConfig::new()) else { return };
//! for image in seed::push_all(registry.authority(), "library/demo") {
//!     println!("{}/library/demo:{} {}", registry.authority(), image.tag, image.digest);
//! }
//! ```
//!
//! All servers listen on 127.0.0.1 only. Each wait is bounded. A server ends when its value is
//! dropped; a server in a `static` ends with the test program.

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
