//! The C interface: what `include/ocireg.h` declares, over the public Rust API alone.
//!
//! The header is the manual, so the comments here are written for C; its first page is `header.h`.
//! A file a C type:
//!
//! - [`boundary`]: panics stop here, and pointers of the caller become Rust values; everything else
//!   is safe code that says which pointer is what.
//! - Names are C's (`ocireg_client_exists`), found by grep on both sides. cbindgen reads these
//!   files without expanding macros, so functions stand as they are.
//! - A function: clear the outputs, read the arguments, call the Rust API, fill the outputs.
//!
//! An object is a `Box` whose pointer the caller holds. Its functions take it by `const` where the
//! Rust type is `Sync`.

#![allow(unsafe_code, unreachable_pub, non_camel_case_types)]
#![deny(unsafe_op_in_unsafe_fn)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![deny(clippy::indexing_slicing, clippy::as_conversions)]
// What a function asks of its caller stands at the top of the header, once for all.
#![allow(clippy::missing_safety_doc)]

mod boundary;
mod question;
mod running;

pub mod version;

pub mod status;

pub mod error;

pub mod strings;

pub mod options;

pub mod client;

pub mod cancel;

pub mod call;

pub mod ping;

pub mod lookups;

pub mod tags;

pub mod pages;

pub mod batch;

pub mod descriptor;

pub mod rate_limit;

pub mod log;

#[cfg(feature = "_panic")]
mod panic;

/// Two threads may use them at once; the header says so.
const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<client::ocireg_client>();
    shared::<call::ocireg_call>();
    shared::<cancel::ocireg_cancel>();
    shared::<error::ocireg_error>();
    shared::<strings::ocireg_strings>();
    shared::<descriptor::ocireg_descriptor>();
    shared::<rate_limit::ocireg_rate_limit>();
    shared::<batch::ocireg_batch>();
    const fn movable<T: Send>() {}
    movable::<options::ocireg_options>();
    movable::<pages::ocireg_pages>();
};
