//! Authentication: what a request sends to show who asks, and what it does when that is refused.
//!
//! This module only decides. The client sends the requests that a decision asks for.

mod attempts;
mod authorization;
pub(crate) mod challenge;
mod credentials;
mod product;
mod realm;
mod scope;
mod session;
#[cfg(test)]
mod session_tests;
mod shared_parents;
mod token;
mod token_answer;
mod token_store;

pub(crate) use self::attempts::AuthAttempts;
pub(crate) use self::authorization::Authorization;
pub(crate) use self::credentials::Credentials;
pub(crate) use self::product::Product;
pub(crate) use self::realm::{Downgrade, Trust, may_have_password, trust};
pub(crate) use self::scope::Scope;
pub(crate) use self::session::{FirstStep, NextStep, Session};
pub(crate) use self::token::{BadService, MAX_SCOPES, Service, Token, TokenLogin};
pub(crate) use self::token_store::TokenStore;
pub(crate) use crate::secret::Secret;
