//! An in-memory OCI registry for tests.
