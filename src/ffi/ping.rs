//! Is there a registry, and does it take this login.

use std::ffi::c_char;

use super::call::ocireg_call;
use super::client::ocireg_client;
use super::error::ocireg_error;
use super::question::Question;
use super::status::ocireg_status;
use crate::{AuthScheme, Registry};

/// How a registry wants its users to identify themselves.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ocireg_auth_scheme {
    /// There is no answer: the call has failed.
    OCIREG_AUTH_SCHEME_UNKNOWN = 0,
    /// Not at all.
    OCIREG_AUTH_SCHEME_ANONYMOUS = 1,
    /// With user and password (RFC 7617).
    OCIREG_AUTH_SCHEME_BASIC = 2,
    /// With a token from its token service (RFC 6750).
    OCIREG_AUTH_SCHEME_BEARER = 3,
    /// In a way that this library does not know.
    OCIREG_AUTH_SCHEME_OTHER = 4,
}

impl From<AuthScheme> for ocireg_auth_scheme {
    fn from(scheme: AuthScheme) -> ocireg_auth_scheme {
        match scheme {
            AuthScheme::Anonymous => ocireg_auth_scheme::OCIREG_AUTH_SCHEME_ANONYMOUS,
            AuthScheme::Basic => ocireg_auth_scheme::OCIREG_AUTH_SCHEME_BASIC,
            AuthScheme::Bearer => ocireg_auth_scheme::OCIREG_AUTH_SCHEME_BEARER,
            AuthScheme::Other(_) => ocireg_auth_scheme::OCIREG_AUTH_SCHEME_OTHER,
        }
    }
}

/// Whether there is a registry (`"localhost:5000"`), and how it wants to be asked. One request, GET
/// /v2/ (distribution specification, "Determining Support"). Nothing else needs a ping.
///
/// OCIREG_E_PROTOCOL where something answers that is no registry.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_client_ping(
    client: *const ocireg_client,
    registry: *const c_char,
    call: *const ocireg_call,
    out: *mut ocireg_auth_scheme,
    error: *mut *mut ocireg_error,
) -> ocireg_status {
    let about = (registry, "registry");
    let question = Question {
        client,
        about,
        call,
        error,
    };
    // SAFETY: each is NULL or what the header demands of it.
    unsafe {
        question.ask(
            out,
            ocireg_auth_scheme::OCIREG_AUTH_SCHEME_UNKNOWN,
            |running, registry: Registry| {
                let ping = running.ask(|client| client.ping(&registry))?;
                Ok(ping.auth.into())
            },
        )
    }
}

/// Checks that the registry accepts the credentials given for it. One to three requests. A registry
/// that asks for no login accepts any.
///
/// OCIREG_E_UNAUTHORIZED where they are refused, or none were given and the registry asks for some.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_client_check_login(
    client: *const ocireg_client,
    registry: *const c_char,
    call: *const ocireg_call,
    error: *mut *mut ocireg_error,
) -> ocireg_status {
    // There is no output but the status.
    let mut nothing = ();
    let about = (registry, "registry");
    let question = Question {
        client,
        about,
        call,
        error,
    };
    // SAFETY: each is NULL or what the header demands of it.
    unsafe {
        question.ask(&raw mut nothing, (), |running, registry: Registry| {
            running.ask(|client| client.check_login(&registry))
        })
    }
}
