//! Settings of a client.

use std::ffi::c_char;

use super::argument::{self, limit};
use super::boundary;
use super::error::ocireg_error;
use super::output;
use super::status::ocireg_status;
use crate::{Client, ClientBuilder};

/// Settings for ocireg_client_new(). You own them: free them with ocireg_options_free(). You may
/// do so right after ocireg_client_new().
///
/// A setting for a registry (`"registry.example.com:5000"`) applies to that registry alone. This
/// matters most for passwords.
///
/// A setter copies the strings that you pass. It returns OCIREG_E_INVALID_ARGUMENT for NULL and
/// for text that is not UTF-8. You need not check this status: ocireg_client_new() fails with the
/// first unusable setting, whatever is wrong with it. Its error names the setter and the argument,
/// or the registry and the problem.
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

/// Changes the builder. Keeps the error of an unusable argument, with which [`build`] then fails: a
/// caller who does not check the status of a setter must not get a client without the setting.
///
/// [`build`]: ocireg_options::build
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
        let options = unsafe { argument::object_mut(options, "options") }?;
        match setting(options.builder.clone()) {
            Ok(builder) => options.builder = builder,
            Err(problem) => {
                // The first problem counts. An earlier one may be in the builder, which reports it
                // when it makes the client.
                if !options.builder.has_problem() {
                    options.problem.get_or_insert_with(|| problem.of(setter));
                }
                return Err(problem);
            }
        }
        Ok(())
    })
}

/// Makes settings with default values. Never returns NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ocireg_options_new() -> *mut ocireg_options {
    output::boxed(ocireg_options {
        builder: Client::builder(),
        problem: None,
    })
}

/// Frees settings. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_free(options: *mut ocireg_options) {
    // SAFETY: NULL or given by this library and not used again, as the header demands.
    unsafe { output::free(options) }
}

/// Sets the User-Agent header field, which tells the registry who asks. Only printable ASCII is
/// allowed. Defaults to `ocireg/VERSION`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_set_user_agent(
    options: *mut ocireg_options,
    user_agent: *const c_char,
) -> ocireg_status {
    // SAFETY: NULL or what the header demands, for each.
    let setting = |builder: ClientBuilder| unsafe {
        Ok(builder.user_agent(argument::text(user_agent, "user_agent")?))
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_set_user_agent", setting) }
}

/// Limits the time to get a connection, in milliseconds. It covers name resolution, connecting and
/// the TLS handshake together. 0 means no limit. Defaults to 10,000.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_set_connect_timeout_ms(
    options: *mut ocireg_options,
    milliseconds: u64,
) -> ocireg_status {
    let setting = |builder: ClientBuilder| Ok(builder.connect_timeout(limit(milliseconds)));
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_set_connect_timeout_ms", setting) }
}

/// Limits the wait for the next byte in either direction, in milliseconds. 0 means no limit.
/// Defaults to 30,000.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_set_idle_timeout_ms(
    options: *mut ocireg_options,
    milliseconds: u64,
) -> ocireg_status {
    let setting = |builder: ClientBuilder| Ok(builder.idle_timeout(limit(milliseconds)));
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_set_idle_timeout_ms", setting) }
}

/// Limits the total time of a call, in milliseconds. Retries and waits count too. 0 means no
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

/// Sets how often the client retries a failed request. It retries only where that may help: after
/// a connection failure, HTTP 408, 429, 499, 500, 502, 503, 504 and 522. Defaults to 3.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_set_retries(
    options: *mut ocireg_options,
    retries: u32,
) -> ocireg_status {
    let setting = |builder: ClientBuilder| Ok(builder.retries(retries));
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_set_retries", setting) }
}

/// Sets the wait before the first retry, in milliseconds. The wait doubles with each retry, up to
/// 8 s, and varies at random. If the registry sends a Retry-After of up to 60 s, the client waits
/// that long. A longer Retry-After ends the call at once. Defaults to 250.
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

/// Limits the size of a manifest, in bytes. A larger manifest fails with OCIREG_E_TOO_LARGE.
/// Defaults to 8 MiB.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_set_max_manifest_bytes(
    options: *mut ocireg_options,
    bytes: u64,
) -> ocireg_status {
    let setting = |builder: ClientBuilder| Ok(builder.max_manifest_bytes(bytes));
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_set_max_manifest_bytes", setting) }
}

/// Sets the user and password for `registry`. The client sends them when the registry asks for a
/// login, to the registry and its token service, and to nobody else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_add_basic_auth(
    options: *mut ocireg_options,
    registry: *const c_char,
    user: *const c_char,
    password: *const c_char,
) -> ocireg_status {
    // SAFETY: NULL or what the header demands, for each.
    let setting = |builder: ClientBuilder| unsafe {
        let registry = argument::text(registry, "registry")?;
        let user = argument::text(user, "user")?;
        Ok(builder.basic(registry, user, argument::text(password, "password")?))
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_add_basic_auth", setting) }
}

/// Sets the registry token for `registry`. The client sends it with every request to that
/// registry. The client does not renew it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_add_bearer_token(
    options: *mut ocireg_options,
    registry: *const c_char,
    token: *const c_char,
) -> ocireg_status {
    // SAFETY: NULL or what the header demands, for each.
    let setting = |builder: ClientBuilder| unsafe {
        let registry = argument::text(registry, "registry")?;
        Ok(builder.bearer(registry, argument::text(token, "token")?))
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_add_bearer_token", setting) }
}

/// Sets the OAuth2 refresh token for `registry`, which docker calls `identitytoken`. The client
/// exchanges it for registry tokens at the token service of that registry.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_add_identity_token(
    options: *mut ocireg_options,
    registry: *const c_char,
    token: *const c_char,
) -> ocireg_status {
    // SAFETY: NULL or what the header demands, for each.
    let setting = |builder: ClientBuilder| unsafe {
        let registry = argument::text(registry, "registry")?;
        Ok(builder.identity_token(registry, argument::text(token, "token")?))
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_add_identity_token", setting) }
}

/// Allows the client to send the credentials of `registry` to the token service at `host`. By
/// default a token service gets them only if its host is the registry's own host, a parent domain
/// of it, a known one such as Docker Hub's, or a host beside or below the registry with a usual
/// first label, such as "auth". Under a domain whose names have many owners, such as github.io,
/// only the registry's own host gets them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_add_trusted_realm(
    options: *mut ocireg_options,
    registry: *const c_char,
    host: *const c_char,
) -> ocireg_status {
    // SAFETY: NULL or what the header demands, for each.
    let setting = |builder: ClientBuilder| unsafe {
        let registry = argument::text(registry, "registry")?;
        Ok(builder.trusted_realm(registry, argument::text(host, "host")?))
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_add_trusted_realm", setting) }
}

/// Adds a header field to every request to `registry`. The client sends it to nobody else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_add_header(
    options: *mut ocireg_options,
    registry: *const c_char,
    name: *const c_char,
    value: *const c_char,
) -> ocireg_status {
    // SAFETY: NULL or what the header demands, for each.
    let setting = |builder: ClientBuilder| unsafe {
        let registry = argument::text(registry, "registry")?;
        let name = argument::text(name, "name")?;
        Ok(builder.add_header(registry, name, argument::text(value, "value")?))
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_add_header", setting) }
}

/// Makes the client use http with `registry`, without encryption. Use it only for a registry in a
/// network that you trust. It has priority over ocireg_options_add_https(). Defaults to https,
/// except for loopback registries (localhost, 127.0.0.0/8, [::1]).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_add_plain_http(
    options: *mut ocireg_options,
    registry: *const c_char,
) -> ocireg_status {
    // SAFETY: NULL or what the header demands, for each.
    let setting = |builder: ClientBuilder| unsafe {
        Ok(builder.plain_http(argument::text(registry, "registry")?))
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_add_plain_http", setting) }
}

/// Makes the client use https with `registry`. Only a loopback registry needs this setting.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_add_https(
    options: *mut ocireg_options,
    registry: *const c_char,
) -> ocireg_status {
    // SAFETY: NULL or what the header demands, for each.
    let setting = |builder: ClientBuilder| unsafe {
        Ok(builder.https(argument::text(registry, "registry")?))
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_add_https", setting) }
}

/// Trusts the certificates in a PEM file for `registry`, in addition to those of the platform. If
/// the file holds the certificate of the server itself, that certificate is trusted too, provided
/// that the name matches. With this setting, the client also uses https with a loopback registry.
/// The certificates also count for the token services that get the registry's password. `registry`
/// may be another host that requests lead to, such as a storage server that a registry redirects
/// to. The function reads the file at once. `path` need not be UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_add_ca_file(
    options: *mut ocireg_options,
    registry: *const c_char,
    path: *const c_char,
) -> ocireg_status {
    // SAFETY: NULL or what the header demands, for each.
    let setting = |builder: ClientBuilder| unsafe {
        let registry = argument::text(registry, "registry")?;
        Ok(builder.ca_file(registry, argument::path(path, "path")?))
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_add_ca_file", setting) }
}

/// Does the same as ocireg_options_add_ca_file() with `length` bytes of PEM text in memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_add_ca_pem(
    options: *mut ocireg_options,
    registry: *const c_char,
    pem: *const u8,
    length: usize,
) -> ocireg_status {
    // SAFETY: NULL or what the header demands, for each.
    let setting = |builder: ClientBuilder| unsafe {
        let registry = argument::text(registry, "registry")?;
        Ok(builder.ca_pem(registry, argument::slice(pem, length, "pem")?))
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_add_ca_pem", setting) }
}

/// Makes ocireg_client_new() ping `registry`, so that it fails at once if the address is wrong.
/// This costs one request.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_options_add_verify(
    options: *mut ocireg_options,
    registry: *const c_char,
) -> ocireg_status {
    // SAFETY: NULL or what the header demands, for each.
    let setting = |builder: ClientBuilder| unsafe {
        Ok(builder.verify(argument::text(registry, "registry")?))
    };
    // SAFETY: NULL or alive and not shared, as the header demands.
    unsafe { change(options, "ocireg_options_add_verify", setting) }
}
