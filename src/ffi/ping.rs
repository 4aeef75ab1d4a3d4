//! Asks whether there is a registry, and whether it accepts a login.

use std::ffi::c_char;

use super::active_call::ActiveCall;
use super::call::ocireg_call;
use super::client::ocireg_client;
use super::error::ocireg_error;
use super::output::Output;
use super::query::query;
use super::status::ocireg_status;
use crate::{AuthScheme, Registry};

/// How a registry authenticates its users.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ocireg_auth_scheme {
    /// There is no answer: the call has failed.
    OCIREG_AUTH_SCHEME_UNKNOWN = 0,
    /// The registry asks for no login.
    OCIREG_AUTH_SCHEME_ANONYMOUS = 1,
    /// The registry asks for user and password (RFC 7617).
    OCIREG_AUTH_SCHEME_BASIC = 2,
    /// The registry asks for a token of its token service (RFC 6750).
    OCIREG_AUTH_SCHEME_BEARER = 3,
    /// The registry uses a scheme that this library does not know.
    OCIREG_AUTH_SCHEME_OTHER = 4,
}

impl Output for ocireg_auth_scheme {
    fn empty() -> ocireg_auth_scheme {
        ocireg_auth_scheme::OCIREG_AUTH_SCHEME_UNKNOWN
    }
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

/// Checks that there is a registry at this address (`"localhost:5000"`), and gives the
/// authentication scheme of the registry. Costs one request, GET /v2/ (distribution specification,
/// "Determining Support"). No other function needs a ping first.
///
/// Fails with OCIREG_E_PROTOCOL if a server answers that is not a registry.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_client_ping(
    client: *const ocireg_client,
    registry: *const c_char,
    call: *const ocireg_call,
    out: *mut ocireg_auth_scheme,
    error: *mut *mut ocireg_error,
) -> ocireg_status {
    let ask = |active: ActiveCall<'_>, registry: Registry| {
        let ping = active.ask(|client| client.ping(&registry))?;
        Ok(ping.auth.into())
    };
    // SAFETY: each is NULL or what the header demands of it.
    unsafe { query(client, (registry, "registry"), call, out, error, ask) }
}

/// Checks that the registry accepts the credentials that the client has for it. Costs one to four
/// requests. Credentials that the registry has just refused are sent again.
///
/// Fails with OCIREG_E_UNAUTHORIZED if the registry refuses the credentials, or if it asks for
/// credentials and the client has none. Fails with OCIREG_E_CONFIG if the credentials were not sent
/// and another setting lets them be sent, such as a trusted realm. Fails with OCIREG_E_UNSUPPORTED
/// if nothing tells: the registry asks for no login, so the credentials were not sent, or its token
/// service does not look at them. If the client has no credentials, a registry that asks for none
/// is a success.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_client_check_login(
    client: *const ocireg_client,
    registry: *const c_char,
    call: *const ocireg_call,
    error: *mut *mut ocireg_error,
) -> ocireg_status {
    // The only output is the status.
    let mut nothing = ();
    let out = &raw mut nothing;
    let ask = |active: ActiveCall<'_>, registry: Registry| {
        active.ask(|client| client.check_login(&registry))
    };
    // SAFETY: each is NULL or what the header demands of it.
    unsafe { query(client, (registry, "registry"), call, out, error, ask) }
}
