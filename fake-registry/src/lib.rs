//! An in-memory OCI registry for tests, with a switch for each way in which real registries differ
//! or fail.
//!
//! Without switches it behaves like a modern `docker-registry`. A [`Quirk`] bends that; faults
//! below HTTP (half an answer, a reset, a stall) are played by a [`ScriptServer`]. Every listener
//! records what it received, so that a test can assert on what a client said and not only on what
//! it returned. Row names such as E1 or R17 are those of the project's list of registry quirks,
//! security rules and failures.
//!
//! ```
//! use fake_registry::{Config, FakeRegistry, Quirk};
//! let registry = FakeRegistry::start(Config::new().quirk(Quirk::NoDigestHeader));
//! let digest = registry.put_manifest("t/a", "v1", "application/vnd.oci.image.manifest.v1+json", "{}");
//! assert!(registry.url().starts_with("http://127.0.0.1:") && digest.starts_with("sha256:"));
//! assert_eq!(registry.request_count(), 0);
//! ```

mod answer;
mod auth;
mod bend;
mod lists;
mod quirk;
mod routes;
mod server;
mod store;

pub use quirk::{LinkLoop, LinkSyntax, Page, Quirk};
pub use raw_http::{Ca, Identity, Recorded, Script, ScriptServer};
pub use server::{Config, FakeRegistry};
