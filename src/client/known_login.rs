//! What is known of the credentials that the caller gave for a registry.

use std::time::{Duration, Instant};

use crate::error::Error;

/// How long refused credentials are not sent again: registries lock accounts after some failures.
const REST: Duration = Duration::from_secs(30);

/// What is known of the credentials that were given for a registry.
#[derive(Debug, Clone, Default)]
pub(super) enum KnownLogin {
    #[default]
    Unknown,
    /// A refusal has made the client ask whether they are good.
    Settled(LoginVerdict, Instant),
    /// They are refused.
    Refused(Box<Error>, Instant),
}

/// Whether credentials are good that were refused for one repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum LoginVerdict {
    /// They are: the refusal is about this repository.
    Good,
    /// They are not.
    Refused,
    /// Nothing that the registry answers tells.
    #[default]
    Untold,
}

impl KnownLogin {
    /// What was found out, as long as it holds: a password that is revoked in the meantime must not
    /// be shown again and again as a good one.
    pub(super) fn verdict(&self, now: Instant) -> Option<LoginVerdict> {
        match self {
            KnownLogin::Settled(verdict, at) if now.duration_since(*at) < REST => Some(*verdict),
            _ => None,
        }
    }

    /// The refusal, as long as the credentials rest.
    pub(super) fn refusal(&self, now: Instant) -> Option<&Error> {
        match self {
            KnownLogin::Refused(error, at) if now.duration_since(*at) < REST => Some(error),
            _ => None,
        }
    }
}
