//! The C interface, which `include/ocireg.h` declares. It uses the public Rust API alone.
//!
//! The header is the manual, so the comments on public items address C programmers. The first page
//! of the header is `header.h`.
//!
//! A function clears its outputs, reads its arguments, calls the Rust API and fills its outputs. An
//! object is a `Box` whose pointer C holds. A function takes it as a pointer to const if the Rust
//! type is `Sync` and the function does not change it.
//!
//! The names are those of C (`ocireg_client_exists`), so that a search finds both sides. cbindgen
//! reads these files without expanding macros, so no macro makes a C function.
//!
//! Files use each other in one direction only; `tests/capi/layers.rs` checks it. From the bottom to
//! the top:
//!
//! - [`argument`] and [`output`] read pointers of the caller and give results. They know no C type.
//! - [`status`], [`rate_limit`] and [`error`] say how a call ended. [`boundary`] turns the failure
//!   or panic of a function into an error.
//! - [`strings`], [`descriptor`], [`cancel`], [`options`], [`client`] and [`call`] are the types of
//!   their names. `item` is one result of a batch, [`callbacks`] are the functions of the caller.
//! - `active_call` is a client with the settings of a call. `query` is the common part of the
//!   functions that ask a registry.
//! - [`ping`], [`lookups`], [`tags`], [`pages`], [`batch`] and [`known`] are these functions.

#![allow(unsafe_code, unreachable_pub, non_camel_case_types)]
#![deny(unsafe_op_in_unsafe_fn)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![deny(clippy::indexing_slicing, clippy::as_conversions)]
// The top of the header says what a function demands of its caller.
#![allow(clippy::missing_safety_doc)]

mod active_call;
mod argument;
mod boundary;
mod item;
mod output;
mod query;

// The header declares the functions in the order of these modules. Each stands alone, since rustfmt
// sorts the modules of a group.
pub mod version;

pub mod status;

pub mod error;

pub mod strings;

pub mod options;

pub mod client;

pub mod cancel;

pub mod callbacks;

pub mod call;

pub mod ping;

pub mod lookups;

pub mod tags;

pub mod pages;

pub mod batch;

pub mod descriptor;

pub mod known;

pub mod rate_limit;

pub mod log;

#[cfg(feature = "_panic")]
mod panic;

/// The header promises that several threads may use these types at the same time.
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
