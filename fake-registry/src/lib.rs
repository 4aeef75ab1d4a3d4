//! An in-memory OCI registry for tests, with a switch for each way in which real registries differ
//! or fail.
//!
//! Without switches it behaves like a modern `docker-registry`. A [`Quirk`] changes that. A
//! [`ScriptServer`] plays faults below HTTP (half an answer, a reset, a stall). Every listener
//! records what it received, so that a test can assert on what a client sent and not only on what
//! it returned. Codes such as E1 or R17 are rows of docs/registries.md.
//!
//! ```
//! use fake_registry::{Config, FakeRegistry, Quirk};
//! let registry = FakeRegistry::start(Config::new().quirk(Quirk::NoDigestHeader));
//! let manifest = "application/vnd.oci.image.manifest.v1+json";
//! let digest = registry.put_manifest("t/a", "v1", manifest, "{}");
//! assert!(registry.url().starts_with("http://127.0.0.1:") && digest.starts_with("sha256:"));
//! assert_eq!(registry.request_count(), 0);
//! ```

mod answer;
mod auth;
mod effects;
mod lists;
mod quirk;
mod routes;
mod server;
mod store;

pub use quirk::{LinkLoop, LinkSyntax, Page, Quirk};
pub use raw_http::{Ca, Identity, Recorded, Script, ScriptServer};
pub use server::{Config, FakeRegistry};
