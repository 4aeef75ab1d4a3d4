//! Is it there, and what is it.

use std::ffi::c_char;
use std::ptr;

use super::boundary::{self, c_string};
use super::call::ocireg_call;
use super::client::ocireg_client;
use super::descriptor::{ocireg_descriptor, ocireg_presence};
use super::error::ocireg_error;
use super::question::Question;
use super::status::ocireg_status;
use crate::Reference;

/// Whether an image is there: `"alpine:3.20"`, `"localhost:5000/team/app@sha256:…"`. One request,
/// if the registry is open or its token is there.
///
/// "Absent" and "denied" are answers: OCIREG_OK. A status other than OCIREG_OK is no answer. Asks
/// with HEAD (distribution specification, "Checking if content exists in the registry"), and with
/// GET only where HEAD can't answer.
///
/// ```c
/// ocireg_presence presence;
/// ocireg_error *error;
/// if (ocireg_client_exists(client, "localhost:5000/team/app:1.2", NULL, &presence, &error) == OCIREG_OK)
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
    let about = (reference, "reference");
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
            ocireg_presence::OCIREG_PRESENCE_UNKNOWN,
            |running, image: Reference| {
                let presence = running.ask(|client| client.exists(&image))?;
                Ok((&presence).into())
            },
        )
    }
}

/// The media type, digest and size of an image. Costs what ocireg_client_exists() does. An image
/// that is not there is an error here: OCIREG_E_NOT_FOUND, OCIREG_E_DENIED. Free the descriptor
/// with ocireg_descriptor_free().
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_client_head(
    client: *const ocireg_client,
    reference: *const c_char,
    call: *const ocireg_call,
    out: *mut *mut ocireg_descriptor,
    error: *mut *mut ocireg_error,
) -> ocireg_status {
    let about = (reference, "reference");
    let question = Question {
        client,
        about,
        call,
        error,
    };
    // SAFETY: each is NULL or what the header demands of it.
    unsafe {
        question.ask(out, ptr::null_mut(), |running, image: Reference| {
            let descriptor = running.ask(|client| client.head(&image))?;
            Ok(boundary::boxed((&descriptor).into()))
        })
    }
}

/// The digest of an image, as text: `"sha256:…"`. As ocireg_client_head(). Free the string with
/// ocireg_string_free().
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
    let about = (reference, "reference");
    let question = Question {
        client,
        about,
        call,
        error,
    };
    // SAFETY: each is NULL or what the header demands of it.
    unsafe {
        question.ask(out, ptr::null_mut(), |running, image: Reference| {
            let digest = running.ask(|client| client.digest(&image))?;
            Ok(c_string(digest.as_ref()).into_raw())
        })
    }
}
