//! TLS: our own connector over rustls.
//!
//! ureq has a connector too. But it panics on a client key that does not match its certificate, and
//! it can't add a CA to the platform's. Ours keeps a set of trusted roots per registry. It does the
//! session's reads and writes itself, so that every wait can be stopped.

mod platform;
mod stream;
mod trust;
mod verifier;

pub(super) use self::stream::TlsStream;
pub(crate) use self::trust::{Authorities, PlatformRoots, TlsTrust};
