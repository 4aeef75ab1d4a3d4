//! An in-memory OCI registry for tests, with a switch for each way in which real registries differ or fail.
//!
//! Without switches it behaves like a modern `docker-registry`. A [`Quirk`] bends that; faults below HTTP (half an
//! answer, a reset, a stall) are played by a [`ScriptServer`]. Every listener records what it received, so that a test
//! can assert on what a client said and not only on what it returned. Row names such as E1 or R17 are those of the
//! project's list of registry quirks, security rules and failures.

mod http;
mod listener;
mod script;
mod tls;

pub use script::{Script, ScriptServer};
pub use tls::{Ca, Identity};
