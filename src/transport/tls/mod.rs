//! TLS: our own connector over rustls.
//!
//! ureq's own panics on a client key that does not fit its certificate and can't add a CA to the
//! platform's. This one keeps a set of trusted roots per registry, and drives the session by hand
//! so that every wait is one that can be stopped.

mod stream;
mod trust;
mod verifier;

pub(super) use self::stream::TlsStream;
pub(crate) use self::trust::{Authorities, PlatformRoots, TlsTrust};
