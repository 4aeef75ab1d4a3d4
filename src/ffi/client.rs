//! The client.

use std::ffi::c_char;
use std::ptr;

use super::boundary::{self, Out};
use super::error::ocireg_error;
use super::options::ocireg_options;
use super::question::Question;
use super::status::ocireg_status;
use super::strings::ocireg_strings;
use crate::{Client, Registry};

/// Asks registries. Yours; free it with ocireg_client_free().
///
/// Make one and keep it: it holds connections, and remembers tokens and what it learned of each
/// registry. Any number of threads may use it at once. After fork() the child process has to make
/// its own: what would ask a registry with this one fails with OCIREG_E_STATE there, what only
/// tells what is known knows nothing, and freeing it is fine.
pub struct ocireg_client(Client);

impl ocireg_client {
    pub(super) fn client(&self) -> &Client {
        &self.0
    }
}

/// Makes a client with `options`, or with the defaults where they are NULL: anonymous, the
/// platform's root certificates. Nothing is read from the environment or from docker's files. No
/// server is asked, unless ocireg_options_add_verify() says so.
///
/// Fails with OCIREG_E_CONFIG, OCIREG_E_INVALID_REFERENCE or OCIREG_E_INVALID_ARGUMENT for the
/// first setting that is unusable, and says which.
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
        let (out, options) = unsafe { (Out::cleared(out, ptr::null_mut())?, options.as_ref()) };
        let client = match options {
            Some(options) => options.build()?,
            None => Client::new()?,
        };
        out.give(ocireg_client(client));
        Ok(())
    };
    // SAFETY: NULL or writable, as the header demands.
    unsafe { boundary::run(error, body) }
}

/// A second handle on the same client, for a second owner: connections, tokens and all that was
/// learned are shared. Free each. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_client_clone(client: *const ocireg_client) -> *mut ocireg_client {
    // SAFETY: NULL or a client that is alive, as the header demands.
    let client = unsafe { client.as_ref() };
    client.map_or(ptr::null_mut(), |client| {
        boundary::boxed(ocireg_client(client.0.clone()))
    })
}

/// Ends the client, its clones included, from any thread: calls under way end within half a second
/// with OCIREG_E_CANCELLED, those made from now on fail with OCIREG_E_STATE. Idle connections are
/// closed. It still has to be freed.
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

/// Closes the connections that are not in use, as before a long pause. What was learned stays,
/// tokens too; the next call connects anew.
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

/// Frees a client. No call may be using this handle; clones stay usable. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_client_free(client: *mut ocireg_client) {
    // SAFETY: NULL or given by this library and not used again, as the header demands.
    unsafe { boundary::free(client) }
}

/// The warnings that the registry has sent to this client or caused, each once, at most 32: a
/// deprecated API, a digest in a header that does not fit the document. No request is made. Free
/// the list with ocireg_strings_free().
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_client_warnings(
    client: *const ocireg_client,
    registry: *const c_char,
    out: *mut *mut ocireg_strings,
    error: *mut *mut ocireg_error,
) -> ocireg_status {
    let about = (registry, "registry");
    let question = Question {
        client,
        about,
        call: ptr::null(),
        error,
    };
    // SAFETY: each is NULL or what the header demands of it.
    unsafe {
        question.ask(out, ptr::null_mut(), |running, registry: Registry| {
            let warnings = running.client().warnings(&registry);
            Ok(boundary::boxed(ocireg_strings::new(warnings, 0)))
        })
    }
}
