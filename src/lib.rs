//! Ask container registries: does this image exist, what is its digest, which tags does its
//! repository have.
//!
//! One blocking library without an async runtime, a Docker daemon or a pull. It speaks the [OCI
//! distribution
//! specification](https://github.com/opencontainers/distribution-spec/blob/main/spec.md) and
//! Docker's Registry HTTP API V2, and knows how real registries differ from them.
//!
//! ```no_run
//! use ocireg::{Client, Presence, Reference};
//!
//! # fn main() -> Result<(), ocireg::Error> {
//! let client = Client::new()?;
//! let image: Reference = "localhost:5000/team/app:1.2".parse()?;
//! match client.exists(&image)? {
//!     Presence::Exists(manifest) => println!("{image} is {}", manifest.digest),
//!     Presence::Absent => println!("{image} is not there"),
//!     Presence::Denied => println!("{image} is private, hidden or missing"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The three types that matter:
//! - [`Client`] asks. Build one and keep it: it holds connections and remembers what it learned of
//!   each registry. It can be cloned cheaply and used by any number of threads.
//! - [`Reference`] names an image, such as `alpine:3.20` or `localhost:5000/team/app@sha256:…`.
//!   Only parsing makes one, so none can be invalid.
//! - [`Error`] says why there is no answer, by [`ErrorKind`], and what to do about it. "Absent" and
//!   "denied" are answers ([`Presence`]), not errors.
//!
//! # Many at once
//!
//! [`Client::lookup_all`] asks for any number of images in any number of registries, with one token
//! for many repositories, and gives the answers in order; [`Client::lookup_each`] gives them as
//! they come. [`Client::find`], [`Client::tags_sharing`] and [`Client::tags_of_digest`] find the
//! tags that are the same image.
//!
//! # What it promises
//!
//! - **No wrong "absent"**: a 404 counts only from what has shown to be a registry; a typo in the
//!   host name is an error. What a registry itself has wrong, such as a cache whose upstream is
//!   down, nobody can see from outside.
//! - **Digests are true**: what is fetched is hashed; a registry's header is believed for a lookup
//!   by tag, and [`DigestSource`] says so.
//! - **Few requests**: one for a lookup. No ping before it, and a GET only where HEAD can't answer.
//! - **Secrets stay where they belong**: a login is given for one registry, and reaches that
//!   registry and its token service alone.
//! - **A call ends**: by its timeout (5 minutes unless set), or within half a second of
//!   [`Cancel::trigger`].
//! - **Nothing behind your back**: no signal handler, no output, no global state, no thread that
//!   outlives its resolution or connect.
//!
//! https is spoken unless the host is loopback or [`ClientBuilder::plain_http`] says otherwise;
//! there is no fallback from one to the other.
//!
//! # From C
//!
//! The feature `capi` exports the same calls as C functions, `ocireg_client_exists` and so on;
//! `include/ocireg.h` is their manual. A Rust program does not need it.
//!
//! # Logging
//!
//! Requests are logged at level *debug* under targets that begin with `ocireg`, without secrets. A
//! program that installs a logger for everything should leave out the targets `ureq` and
//! `ureq_proto`: at level *trace* they show whole requests.

mod address;
mod algorithm;
mod auth;
mod client;
mod digest;
mod error;
#[cfg(feature = "capi")]
mod ffi;
#[cfg(feature = "_fuzz")]
#[doc(hidden)]
pub mod fuzz;
mod http;
mod interrupt;
mod json;
mod lookup;
mod manifest;
mod policy;
mod presence;
mod redact;
mod reference;
mod resolved;
mod secret;
mod text;
mod transport;
mod url;

pub use algorithm::Algorithm;
pub use client::{
    AuthScheme, CallOptions, CatalogPages, Client, ClientBuilder, Page, Ping, TagPages,
};
pub use digest::{Digest, Hasher, Verifier};
#[doc(hidden)]
pub use error::is_unprintable;
pub use error::{Error, ErrorKind, RegistryError, Result};
pub use http::RateLimit;

pub use interrupt::{Cancel, Progress};
pub use lookup::Found;
pub use manifest::MediaType;
pub use presence::Presence;
pub use reference::{Reference, Registry, Repository, RepositoryName, Tag};
pub use resolved::{DigestSource, Resolved};
pub use transport::Resolver;

/// The README's programs are compiled with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
