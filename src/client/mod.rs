//! The client: an endpoint says *what* it asks, in a file of its own, and every request goes one
//! way.
//!
//! - An endpoint (`manifests`, `tags`, `catalog`, `ping`) makes a `request` and hands it to `send`.
//! - `send` repeats it where that may help.
//! - `authorize` decides which Authorization it carries; `tokens` gets a token where one is wanted,
//!   from the `token_service`; `login_check` finds out what a refusal of the credentials means.
//! - `limits` keeps to the `gate` that a server's 429 closes.
//! - `hop` follows redirects and exchanges it with one server after the other through `transport`.
//! - What becomes of it is an `answer`, or a `failure` that turns into an error (`refusal`).
//!
//! `registry` holds what is known of one registry, `call` one call in progress, `group` calls that
//! belong together.

mod answer;
mod authorize;
mod builder;
mod call;
mod caller_thread;
mod catalog;
mod failure;
mod gate;
mod group;
mod guest;
mod handle;
mod hop;
mod known_failures;
mod known_login;
mod life;
mod limits;
mod list_body;
mod login;
mod login_check;
mod manifests;
mod meaning;
#[cfg(test)]
mod meaning_tests;
mod options;
mod pages;
mod ping;
mod refusal;
mod registries;
mod registry;
mod request;
mod send;
mod settings;
mod shared_scopes;
mod single_flight;
mod tag_digests;
mod tags;
mod token_service;
mod tokens;
#[cfg(test)]
mod upload_source_tests;
#[cfg(test)]
mod upload_tests;
mod vouching;

pub(crate) use self::answer::Complete;
pub(crate) use self::call::Call;
pub(crate) use self::group::Group;
pub(crate) use self::manifests::Fetched;
pub(crate) use self::meaning::{About, Meaning, is_nexus};
pub(crate) use self::shared_scopes::SharedScopes;
pub(crate) use self::tags::ListSays;

pub use self::builder::ClientBuilder;
pub use self::catalog::CatalogPages;
pub use self::handle::Client;
pub use self::list_body::Page;
pub use self::options::CallOptions;
pub use self::ping::{AuthScheme, Ping};
pub use self::tags::TagPages;
