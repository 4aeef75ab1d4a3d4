//! Clients.

use std::ptr;

use super::boundary;
use super::error::ocireg_error;
use super::options::ocireg_options;
use super::output::{self, Out, boxed};
use super::status::ocireg_status;
use crate::Client;

/// A client asks registries. You own it: free it with ocireg_client_free().
///
/// Make one client and keep it. It keeps connections open, and remembers tokens and what it has
/// learned about each registry. Any number of threads may use it at the same time.
///
/// After fork() the child process has to make a client of its own. In the child, a function that
/// would ask a registry with the old client fails with OCIREG_E_STATE. Functions that only return
/// what is known return nothing. The child may free the old client.
pub struct ocireg_client(Client);

impl ocireg_client {
    pub(super) fn client(&self) -> &Client {
        &self.0
    }
}

/// Makes a client with `options`. NULL means default settings: no credentials, and the root
/// certificates of the platform. The client reads no settings from the environment or from
/// docker's files. The function asks no server, unless ocireg_options_add_verify() demands it.
///
/// Fails with OCIREG_E_CONFIG, OCIREG_E_INVALID_REFERENCE or OCIREG_E_INVALID_ARGUMENT for the
/// first unusable setting. The error says which setting it is.
///
/// ```c
/// ocireg_client *client;
/// ocireg_error *error;
/// if (ocireg_client_new(NULL, &client, &error) != OCIREG_OK) {
///     fprintf(stderr, "%s\n", ocireg_error_message(error));
///     ocireg_error_free(error);
/// }
/// ocireg_client_free(client);
/// ```
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_client_new(
    options: *const ocireg_options,
    out: *mut *mut ocireg_client,
    error: *mut *mut ocireg_error,
) -> ocireg_status {
    let body = || {
        // SAFETY: NULL or what the header demands, for each.
        let (out, options) = unsafe { (Out::cleared(out)?, options.as_ref()) };
        let client = match options {
            Some(options) => options.build()?,
            None => Client::new()?,
        };
        out.set(boxed(ocireg_client(client)));
        Ok(())
    };
    // SAFETY: NULL or writable, as the header demands.
    unsafe { boundary::run(error, body) }
}

/// Makes a second handle to the same client, for a second owner. Both handles share connections,
/// tokens and everything that the client has learned. Free each handle. Returns NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_client_clone(client: *const ocireg_client) -> *mut ocireg_client {
    // SAFETY: NULL or a client that is alive, as the header demands.
    let client = unsafe { client.as_ref() };
    client.map_or(ptr::null_mut(), |client| {
        boxed(ocireg_client(client.0.clone()))
    })
}

/// Shuts down the client and all its clones. Any thread may call this function. Running calls end
/// within half a second with OCIREG_E_CANCELLED. Later calls fail with OCIREG_E_STATE. Idle
/// connections are closed. You still have to free the client.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_client_shutdown(client: *const ocireg_client) {
    // SAFETY: NULL or a client that is alive, as the header demands.
    if let Some(client) = unsafe { client.as_ref() } {
        boundary::run_quietly(|| {
            client.0.shutdown();
            Ok(())
        });
    }
}

/// Closes the connections that are not in use, for example before a long pause. The client keeps
/// its tokens and everything that it has learned. The next call makes a new connection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_client_close_idle(client: *const ocireg_client) {
    // SAFETY: NULL or a client that is alive, as the header demands.
    if let Some(client) = unsafe { client.as_ref() } {
        boundary::run_quietly(|| {
            client.0.close_idle();
            Ok(())
        });
    }
}

/// Frees a client. No call may use this handle at the time. Clones stay usable. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_client_free(client: *mut ocireg_client) {
    // SAFETY: NULL or given by this library and not used again, as the header demands.
    unsafe { output::free(client) }
}
