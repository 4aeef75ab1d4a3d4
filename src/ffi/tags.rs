//! Lists: tags, repositories, the tags of an image.

use std::ffi::c_char;
use std::ptr;

use super::boundary;
use super::call::ocireg_call;
use super::client::ocireg_client;
use super::error::ocireg_error;
use super::question::Question;
use super::status::ocireg_status;
use super::strings::ocireg_strings;
use crate::{Digest, Reference, Registry, Repository};

/// All tags of a repository (`"localhost:5000/team/app"`), in the registry's order (distribution
/// specification, "Listing tags"). One request a page. OCIREG_E_NOT_FOUND where there is no such
/// repository. A list that breaks off is an error too; ocireg_client_tag_pages() keeps what came.
/// Free the list with ocireg_strings_free().
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_client_tags(
    client: *const ocireg_client,
    repository: *const c_char,
    call: *const ocireg_call,
    out: *mut *mut ocireg_strings,
    error: *mut *mut ocireg_error,
) -> ocireg_status {
    let about = (repository, "repository");
    let question = Question {
        client,
        about,
        call,
        error,
    };
    // SAFETY: each is NULL or what the header demands of it.
    unsafe {
        question.ask(out, ptr::null_mut(), |running, repository: Repository| {
            let list = running.ask(|client| client.tags(&repository))?;
            Ok(boundary::boxed(ocireg_strings::new(list, 0)))
        })
    }
}

/// All repositories of a registry (`"localhost:5000"`), without its name, in its order (Docker
/// Registry HTTP API V2, "Listing repositories"). Many registries have no catalog
/// (OCIREG_E_UNSUPPORTED), or show only a part of it. One request a page. Free the list with
/// ocireg_strings_free().
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_client_catalog(
    client: *const ocireg_client,
    registry: *const c_char,
    call: *const ocireg_call,
    out: *mut *mut ocireg_strings,
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
        question.ask(out, ptr::null_mut(), |running, registry: Registry| {
            let list = running.ask(|client| client.catalog(&registry))?;
            Ok(boundary::boxed(ocireg_strings::new(list, 0)))
        })
    }
}

/// All tags of the same repository that have this image's digest, its own tag among them: which
/// version is "latest"? None for a reference with a digest that no tag has; OCIREG_E_NOT_FOUND for
/// one with a tag that is absent. Costs a request for each page of the tag list and one for each
/// tag, up to ocireg_call_set_concurrency() at once. Compared is what a tag itself resolves to: for
/// a multi-platform image its index. A tag that has vanished meanwhile is left out; any other
/// failure ends the call, since a list with gaps would look complete. Free the list with
/// ocireg_strings_free().
///
/// ```c
/// ocireg_strings *tags;
/// if (ocireg_client_tags_sharing(client, "localhost:5000/team/app:latest", NULL, &tags, NULL) == OCIREG_OK) {
///     for (size_t i = 0; i < ocireg_strings_len(tags); i++)
///         puts(ocireg_strings_get(tags, i));
/// }
/// ocireg_strings_free(tags);
/// ```
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_client_tags_sharing(
    client: *const ocireg_client,
    reference: *const c_char,
    call: *const ocireg_call,
    out: *mut *mut ocireg_strings,
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
            let list = running.ask(|client| client.tags_sharing(&image))?;
            Ok(boundary::boxed(ocireg_strings::new(list, 0)))
        })
    }
}

/// All tags of a repository that have this digest; none is an answer too. As
/// ocireg_client_tags_sharing().
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_client_tags_of_digest(
    client: *const ocireg_client,
    repository: *const c_char,
    digest: *const c_char,
    call: *const ocireg_call,
    out: *mut *mut ocireg_strings,
    error: *mut *mut ocireg_error,
) -> ocireg_status {
    let about = (repository, "repository");
    let question = Question {
        client,
        about,
        call,
        error,
    };
    // SAFETY: each is NULL or what the header demands of it.
    unsafe {
        question.ask(out, ptr::null_mut(), |running, repository: Repository| {
            let digest: Digest = boundary::text(digest, "digest")?.parse()?;
            let list = running.ask(|client| client.tags_of_digest(&repository, &digest))?;
            Ok(boundary::boxed(ocireg_strings::new(list, 0)))
        })
    }
}
