//! The settings of a client.

use std::ffi::c_char;

use super::boundary::{self, limit};
use super::error::ocireg_error;
use super::status::ocireg_status;
use crate::{Client, ClientBuilder};

/// Settings for ocireg_client_new(). Yours; free it with ocireg_options_free(), also right after
/// ocireg_client_new().
///
/// A setting for a registry (`"registry.example.com:5000"`) counts for that registry alone, its
/// password above all.
///
/// A setter only reads its arguments. It returns OCIREG_E_INVALID_ARGUMENT for NULL and what is not
/// UTF-8, which need not be looked at: ocireg_client_new() fails with the first setting that is
/// unusable, whatever is wrong with it, and says which: by the setter and its argument, or by the
/// registry and what is wrong. Strings are copied.
pub struct ocireg_options {
    builder: ClientBuilder,
    /// The first argument that was unusable.
    problem: Option<ocireg_error>,
}

impl ocireg_options {
    pub(super) fn build(&self) -> Result<Client, ocireg_error> {
        match &self.problem {
            Some(problem) => Err(problem.clone()),
            None => Ok(self.builder.clone().build()?),
        }
    }
}

/// Changes the builder, or keeps what was wrong for the day when a client is made: a caller who
/// does not look at a setter's status must not get a client without the setting.
///
/// # Safety
///
/// `options` is NULL or alive, and nobody else uses it.
unsafe fn change(
    options: *mut ocireg_options,
    setter: &str,
    setting: impl FnOnce(ClientBuilder) -> Result<ClientBuilder, ocireg_error>,
) -> ocireg_status {
    boundary::run_quietly(|| {
        // SAFETY: NULL or alive and not shared, as the caller of this function promises.
        let options = unsafe { boundary::object_mut(options, "options") }?;
        match setting(options.builder.clone()) {
            Ok(builder) => options.builder = builder,
            Err(problem) => {
                // Not if an earlier setting was refused by the builder, which tells when a client
                // is made.
                if !options.builder.has_problem() {
                    options.problem.get_or_insert_with(|| problem.of(setter));
                }
                return Err(problem);
            }
        }
        Ok(())
    })
}

/// Settings that are all at their defaults. Never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ocireg_options_new() -> *mut ocireg_options {
    boundary::boxed(ocireg_options {
        builder: Client::builder(),
        problem: None,
    })
}

/// Frees settings. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_free(options: *mut ocireg_options) {
    // SAFETY: NULL or given by this library and not used again, as the header demands.
    unsafe { boundary::free(options) }
}

/// Says who asks, in the User-Agent header: printable ASCII. Defaults to `ocireg/VERSION`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_set_user_agent(
    options: *mut ocireg_options,
    user_agent: *const c_char,
) -> ocireg_status {
    // SAFETY: NULL or what the header demands, for each.
    let setting = |builder: ClientBuilder| unsafe {
        Ok(builder.user_agent(boundary::text(user_agent, "user_agent")?))
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_set_user_agent", setting) }
}

/// The most time to get a connection, in milliseconds: resolving, connecting and negotiating TLS
/// together. 0 is no limit. Defaults to 10,000.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_set_connect_timeout_ms(
    options: *mut ocireg_options,
    milliseconds: u64,
) -> ocireg_status {
    let setting = |builder: ClientBuilder| Ok(builder.connect_timeout(limit(milliseconds)));
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_set_connect_timeout_ms", setting) }
}

/// The longest wait for the next byte in either direction, in milliseconds. 0 is no limit. Defaults
/// to 30,000.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_set_idle_timeout_ms(
    options: *mut ocireg_options,
    milliseconds: u64,
) -> ocireg_status {
    let setting = |builder: ClientBuilder| Ok(builder.idle_timeout(limit(milliseconds)));
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_set_idle_timeout_ms", setting) }
}

/// The most time that a call may take in all, in milliseconds, retries and waits included. 0 is no
/// limit. Defaults to 300,000 (5 minutes).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_set_call_timeout_ms(
    options: *mut ocireg_options,
    milliseconds: u64,
) -> ocireg_status {
    let setting = |builder: ClientBuilder| Ok(builder.timeout(limit(milliseconds)));
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_set_call_timeout_ms", setting) }
}

/// How often a failed request is repeated where that may help: connection failures, HTTP 408, 429
/// and 5xx. Defaults to 3.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_set_retries(
    options: *mut ocireg_options,
    retries: u32,
) -> ocireg_status {
    let setting = |builder: ClientBuilder| Ok(builder.retries(retries));
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_set_retries", setting) }
}

/// The first wait before a repeat, in milliseconds; it doubles each time, up to 8 s, and is spread
/// at random. A Retry-After of up to 60 s is kept; a longer one ends the call at once. Defaults to
/// 250.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_set_retry_delay_ms(
    options: *mut ocireg_options,
    milliseconds: u64,
) -> ocireg_status {
    let delay = std::time::Duration::from_millis(milliseconds);
    let setting = |builder: ClientBuilder| Ok(builder.retry_delay(delay));
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_set_retry_delay_ms", setting) }
}

/// The largest manifest that is read, in bytes; OCIREG_E_TOO_LARGE beyond. Defaults to 8 MiB.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_set_max_manifest_bytes(
    options: *mut ocireg_options,
    bytes: u64,
) -> ocireg_status {
    let setting = |builder: ClientBuilder| Ok(builder.max_manifest_bytes(bytes));
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_set_max_manifest_bytes", setting) }
}

/// Shows `user` and `password` to `registry` and its token service, once it asks for a login, and
/// to nobody else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_add_basic_auth(
    options: *mut ocireg_options,
    registry: *const c_char,
    user: *const c_char,
    password: *const c_char,
) -> ocireg_status {
    // SAFETY: NULL or what the header demands, for each.
    let setting = |builder: ClientBuilder| unsafe {
        let registry = boundary::text(registry, "registry")?;
        let user = boundary::text(user, "user")?;
        Ok(builder.basic(registry, user, boundary::text(password, "password")?))
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_add_basic_auth", setting) }
}

/// Shows `token` to `registry` with every request, as the registry's own token. It is not renewed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_add_bearer_token(
    options: *mut ocireg_options,
    registry: *const c_char,
    token: *const c_char,
) -> ocireg_status {
    // SAFETY: NULL or what the header demands, for each.
    let setting = |builder: ClientBuilder| unsafe {
        let registry = boundary::text(registry, "registry")?;
        Ok(builder.bearer(registry, boundary::text(token, "token")?))
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_add_bearer_token", setting) }
}

/// Trades `token` for the tokens of `registry` at its token service: an OAuth2 refresh token, what
/// docker calls `identitytoken`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_add_identity_token(
    options: *mut ocireg_options,
    registry: *const c_char,
    token: *const c_char,
) -> ocireg_status {
    // SAFETY: NULL or what the header demands, for each.
    let setting = |builder: ClientBuilder| unsafe {
        let registry = boundary::text(registry, "registry")?;
        Ok(builder.identity_token(registry, boundary::text(token, "token")?))
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_add_identity_token", setting) }
}

/// Lets the token service at `host` have the credentials of `registry`. Without it they go to the
/// registry's own host, a parent domain of it, a sibling below the same parent, and from Docker Hub
/// to auth.docker.io.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_add_trusted_realm(
    options: *mut ocireg_options,
    registry: *const c_char,
    host: *const c_char,
) -> ocireg_status {
    // SAFETY: NULL or what the header demands, for each.
    let setting = |builder: ClientBuilder| unsafe {
        let registry = boundary::text(registry, "registry")?;
        Ok(builder.trusted_realm(registry, boundary::text(host, "host")?))
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_add_trusted_realm", setting) }
}

/// Sends a header field to `registry` with every request, and to nobody else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_add_header(
    options: *mut ocireg_options,
    registry: *const c_char,
    name: *const c_char,
    value: *const c_char,
) -> ocireg_status {
    // SAFETY: NULL or what the header demands, for each.
    let setting = |builder: ClientBuilder| unsafe {
        let registry = boundary::text(registry, "registry")?;
        let name = boundary::text(name, "name")?;
        Ok(builder.add_header(registry, name, boundary::text(value, "value")?))
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_add_header", setting) }
}

/// Speaks http with `registry`, without encryption: for a registry in a network that you trust.
/// Wins over ocireg_options_add_https(). Defaults to https, except for loopback registries
/// (localhost, 127.0.0.0/8, [::1]).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_add_plain_http(
    options: *mut ocireg_options,
    registry: *const c_char,
) -> ocireg_status {
    // SAFETY: NULL or what the header demands, for each.
    let setting = |builder: ClientBuilder| unsafe {
        Ok(builder.plain_http(boundary::text(registry, "registry")?))
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_add_plain_http", setting) }
}

/// Speaks https with `registry`: only needed for a loopback registry.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_add_https(
    options: *mut ocireg_options,
    registry: *const c_char,
) -> ocireg_status {
    // SAFETY: NULL or what the header demands, for each.
    let setting = |builder: ClientBuilder| unsafe {
        Ok(builder.https(boundary::text(registry, "registry")?))
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_add_https", setting) }
}

/// Trusts the certificates of a PEM file for `registry`, beside the platform's. A server
/// certificate that is itself in the file is trusted too, if the name matches. Speaks https with a
/// loopback registry. The file is read at once; `path` need not be UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_add_ca_file(
    options: *mut ocireg_options,
    registry: *const c_char,
    path: *const c_char,
) -> ocireg_status {
    // SAFETY: NULL or what the header demands, for each.
    let setting = |builder: ClientBuilder| unsafe {
        let registry = boundary::text(registry, "registry")?;
        Ok(builder.ca_file(registry, boundary::path(path, "path")?))
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_add_ca_file", setting) }
}

/// As ocireg_options_add_ca_file(), from `length` bytes of memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_add_ca_pem(
    options: *mut ocireg_options,
    registry: *const c_char,
    pem: *const u8,
    length: usize,
) -> ocireg_status {
    // SAFETY: NULL or what the header demands, for each.
    let setting = |builder: ClientBuilder| unsafe {
        let registry = boundary::text(registry, "registry")?;
        Ok(builder.ca_pem(registry, boundary::slice(pem, length, "pem")?))
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_add_ca_pem", setting) }
}

/// Has ocireg_client_new() ping `registry`, so that a wrong address is found at once. Costs a
/// request.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_add_verify(
    options: *mut ocireg_options,
    registry: *const c_char,
) -> ocireg_status {
    // SAFETY: NULL or what the header demands, for each.
    let setting = |builder: ClientBuilder| unsafe {
        Ok(builder.verify(boundary::text(registry, "registry")?))
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_add_verify", setting) }
}
