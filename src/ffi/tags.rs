//! Lists of tags and repositories.

use std::ffi::c_char;

use super::active_call::ActiveCall;
use super::argument;
use super::call::ocireg_call;
use super::client::ocireg_client;
use super::error::ocireg_error;
use super::output::boxed;
use super::query::query;
use super::status::ocireg_status;
use super::strings::ocireg_strings;
use crate::{Digest, Reference, Registry, Repository};

/// Lists all tags of a repository (`"localhost:5000/team/app"`), in the order of the registry
/// (distribution specification, "Listing tags"). Costs one request for each page. Fails with
/// OCIREG_E_NOT_FOUND if the repository does not exist. The function also fails if the list breaks
/// off in the middle. Use ocireg_client_tag_pages() to keep the pages before the failure. Free the
/// list with ocireg_strings_free().
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_client_tags(
    client: *const ocireg_client,
    repository: *const c_char,
    call: *const ocireg_call,
    out: *mut *mut ocireg_strings,
    error: *mut *mut ocireg_error,
) -> ocireg_status {
    let ask = |active: ActiveCall<'_>, repository: Repository| {
        let list = active.ask(|client| client.tags(&repository))?;
        Ok(boxed(ocireg_strings::new(list, 0)))
    };
    // SAFETY: each is NULL or what the header demands of it.
    unsafe { query(client, (repository, "repository"), call, out, error, ask) }
}

/// Lists all repositories of a registry (`"localhost:5000"`), in the order of the registry (Docker
/// Registry HTTP API V2, "Listing Repositories"). The names do not contain the name of the
/// registry. Many registries have no catalog (OCIREG_E_UNSUPPORTED), or list only a part of it.
/// Costs one request for each page. Free the list with ocireg_strings_free().
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_client_catalog(
    client: *const ocireg_client,
    registry: *const c_char,
    call: *const ocireg_call,
    out: *mut *mut ocireg_strings,
    error: *mut *mut ocireg_error,
) -> ocireg_status {
    let ask = |active: ActiveCall<'_>, registry: Registry| {
        let list = active.ask(|client| client.catalog(&registry))?;
        Ok(boxed(ocireg_strings::new(list, 0)))
    };
    // SAFETY: each is NULL or what the header demands of it.
    unsafe { query(client, (registry, "registry"), call, out, error, ask) }
}

/// Lists all tags of the same repository that have the same digest as this image, its own tag
/// included. It answers, for example, which version "latest" is. The list is empty if the
/// reference has a digest and no tag has that digest. Fails with OCIREG_E_NOT_FOUND if the
/// reference has a tag that does not exist.
///
/// Costs one request for each page of the tag list and one request for each tag.
/// ocireg_call_set_concurrency() says how many of them are sent at the same time. The function
/// compares the digests to which the tags themselves resolve: for a multi-platform image, that of
/// its index. It leaves out a tag that is deleted meanwhile. Any other failure ends the call,
/// since an incomplete list would look complete. Free the list with ocireg_strings_free().
///
/// ```c
/// ocireg_strings *tags;
/// const char *image = "localhost:5000/team/app:latest";
/// if (ocireg_client_tags_sharing(client, image, NULL, &tags, NULL) == OCIREG_OK) {
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
    let ask = |active: ActiveCall<'_>, image: Reference| {
        let list = active.ask(|client| client.tags_sharing(&image))?;
        Ok(boxed(ocireg_strings::new(list, 0)))
    };
    // SAFETY: each is NULL or what the header demands of it.
    unsafe { query(client, (reference, "reference"), call, out, error, ask) }
}

/// Lists all tags of a repository that have this digest. An empty list is an answer too. If the
/// tags have digests of another algorithm, the registry is asked for the manifest with this digest,
/// and its content is compared. Fails with OCIREG_E_UNSUPPORTED if the registry does not serve it.
/// Otherwise the function works like ocireg_client_tags_sharing().
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
    let ask = |active: ActiveCall<'_>, repository: Repository| {
        // SAFETY: NULL or what the header demands.
        let digest: Digest = unsafe { argument::text(digest, "digest") }?.parse()?;
        let list = active.ask(|client| client.tags_of_digest(&repository, &digest))?;
        Ok(boxed(ocireg_strings::new(list, 0)))
    };
    // SAFETY: each is NULL or what the header demands of it.
    unsafe { query(client, (repository, "repository"), call, out, error, ask) }
}
