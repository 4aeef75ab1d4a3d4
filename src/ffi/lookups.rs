//! Asks about one image.

use std::ffi::c_char;

use super::active_call::ActiveCall;
use super::call::ocireg_call;
use super::client::ocireg_client;
use super::descriptor::{ocireg_descriptor, ocireg_presence};
use super::error::ocireg_error;
use super::output::{boxed, boxed_string};
use super::query::query;
use super::status::ocireg_status;
use crate::Reference;

/// Checks whether an image exists. A reference is text such as `"alpine:3.20"` or
/// `"localhost:5000/team/app@sha256:…"`. Costs one request if the registry is open or the client
/// already has a token.
///
/// "Absent" and "denied" are answers, so the function returns OCIREG_OK for them. Any other status
/// than OCIREG_OK means that there is no answer. The client asks with HEAD (distribution
/// specification, "Checking if content exists in the registry"). It asks with GET only where HEAD
/// can't answer.
///
/// ```c
/// ocireg_presence presence;
/// ocireg_error *error;
/// const char *image = "localhost:5000/team/app:1.2";
/// if (ocireg_client_exists(client, image, NULL, &presence, &error) == OCIREG_OK)
///     printf("%s\n", presence == OCIREG_PRESENCE_EXISTS ? "there" : "not there");
/// else
///     fprintf(stderr, "%s\n", ocireg_error_message(error));
/// ocireg_error_free(error);
/// ```
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_client_exists(
    client: *const ocireg_client,
    reference: *const c_char,
    call: *const ocireg_call,
    out: *mut ocireg_presence,
    error: *mut *mut ocireg_error,
) -> ocireg_status {
    let ask = |active: ActiveCall<'_>, image: Reference| {
        let presence = active.ask(|client| client.exists(&image))?;
        Ok((&presence).into())
    };
    // SAFETY: each is NULL or what the header demands of it.
    unsafe { query(client, (reference, "reference"), call, out, error, ask) }
}

/// Gives the media type, digest and size of an image. Costs as many requests as
/// ocireg_client_exists(). But an image that is absent or denied is an error here:
/// OCIREG_E_NOT_FOUND or OCIREG_E_DENIED. Free the descriptor with ocireg_descriptor_free().
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_client_head(
    client: *const ocireg_client,
    reference: *const c_char,
    call: *const ocireg_call,
    out: *mut *mut ocireg_descriptor,
    error: *mut *mut ocireg_error,
) -> ocireg_status {
    let ask = |active: ActiveCall<'_>, image: Reference| {
        let descriptor = active.ask(|client| client.head(&image))?;
        Ok(boxed((&descriptor).into()))
    };
    // SAFETY: each is NULL or what the header demands of it.
    unsafe { query(client, (reference, "reference"), call, out, error, ask) }
}

/// Gives the digest of an image as text: `"sha256:…"`. Costs and errors are those of
/// ocireg_client_head(). Free the string with ocireg_string_free().
///
/// ```c
/// char *digest;
/// if (ocireg_client_digest(client, "alpine:3.20", NULL, &digest, NULL) == OCIREG_OK)
///     printf("%s\n", digest);
/// ocireg_string_free(digest);
/// ```
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_client_digest(
    client: *const ocireg_client,
    reference: *const c_char,
    call: *const ocireg_call,
    out: *mut *mut c_char,
    error: *mut *mut ocireg_error,
) -> ocireg_status {
    let ask = |active: ActiveCall<'_>, image: Reference| {
        let digest = active.ask(|client| client.digest(&image))?;
        Ok(boxed_string(digest.as_ref()))
    };
    // SAFETY: each is NULL or what the header demands of it.
    unsafe { query(client, (reference, "reference"), call, out, error, ask) }
}
