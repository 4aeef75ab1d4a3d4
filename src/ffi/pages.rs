//! Pagers.

use std::ffi::c_char;
use std::fmt::Display;
use std::sync::Arc;

use super::active_call::{ActiveCall, unless_stopped};
use super::call::ocireg_call;
use super::callbacks::CallbackStatus;
use super::client::ocireg_client;
use super::error::ocireg_error;
use super::output::{self, Out, boxed};
use super::query::query;
use super::status::ocireg_status;
use super::strings::ocireg_strings;
use super::{argument, boundary};
use crate::{CatalogPages, Page, Registry, Repository, Result, TagPages};

/// A pager reads a list page by page. You own it: free it with ocireg_pages_free(). Only one
/// thread may use it at a time. It keeps what it needs of the client, so you may free the client
/// first. It uses the callbacks of the call that made it until you free it.
pub struct ocireg_pages {
    pages: Pages,
    callback_status: Option<Arc<CallbackStatus>>,
    /// A page could not be read, so there are no more pages.
    failed: bool,
}

impl ocireg_pages {
    fn new(pages: Pages, active: ActiveCall<'_>) -> ocireg_pages {
        ocireg_pages {
            pages,
            callback_status: active.into_callback_status(),
            failed: false,
        }
    }
}

enum Pages {
    Tags(TagPages),
    Catalog(CatalogPages),
}

impl Pages {
    fn next(&mut self) -> Option<Result<ocireg_strings>> {
        fn strings<T: Display>(page: Page<T>) -> ocireg_strings {
            ocireg_strings::new(page.entries, page.skipped)
        }
        match self {
            Pages::Tags(pages) => pages.next().map(|page| page.map(strings)),
            Pages::Catalog(pages) => pages.next().map(|page| page.map(strings)),
        }
    }
}

/// Makes a pager for the tags of a repository. This function sends no request. ocireg_pages_next()
/// sends the requests, with the settings of `call`. The timeout of `call` applies to each page.
/// You may free the client, the call settings and the cancel token before the pager. Free the
/// pager with ocireg_pages_free().
///
/// ```c
/// ocireg_pages *pages;
/// ocireg_strings *page;
/// const char *repository = "localhost:5000/team/app";
/// if (ocireg_client_tag_pages(client, repository, NULL, &pages, NULL) == OCIREG_OK) {
///     while (ocireg_pages_next(pages, &page, NULL) == OCIREG_OK && page != NULL) {
///         printf("%zu more tags\n", ocireg_strings_len(page));
///         ocireg_strings_free(page);
///     }
/// }
/// ocireg_pages_free(pages);
/// ```
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_client_tag_pages(
    client: *const ocireg_client,
    repository: *const c_char,
    call: *const ocireg_call,
    out: *mut *mut ocireg_pages,
    error: *mut *mut ocireg_error,
) -> ocireg_status {
    let ask = |active: ActiveCall<'_>, repository: Repository| {
        let pages = Pages::Tags(active.client().tag_pages(&repository));
        Ok(boxed(ocireg_pages::new(pages, active)))
    };
    // SAFETY: each is NULL or what the header demands of it.
    unsafe { query(client, (repository, "repository"), call, out, error, ask) }
}

/// Makes a pager for the repositories of a registry. Otherwise the function works like
/// ocireg_client_tag_pages().
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_client_catalog_pages(
    client: *const ocireg_client,
    registry: *const c_char,
    call: *const ocireg_call,
    out: *mut *mut ocireg_pages,
    error: *mut *mut ocireg_error,
) -> ocireg_status {
    let ask = |active: ActiveCall<'_>, registry: Registry| {
        let pages = Pages::Catalog(active.client().catalog_pages(&registry));
        Ok(boxed(ocireg_pages::new(pages, active)))
    };
    // SAFETY: each is NULL or what the header demands of it.
    unsafe { query(client, (registry, "registry"), call, out, error, ask) }
}

/// Reads the next page. At the end of the list the function returns OCIREG_OK and sets `out` to
/// NULL. After a failure the pager is at its end, and the pages before the failure stay valid.
/// Free the page with ocireg_strings_free(). ocireg_strings_skipped() says how many entries the
/// page leaves out.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_pages_next(
    pages: *mut ocireg_pages,
    out: *mut *mut ocireg_strings,
    error: *mut *mut ocireg_error,
) -> ocireg_status {
    let body = || {
        // SAFETY: NULL or what the header demands, for each.
        let (out, pages) = unsafe {
            let out = Out::cleared(out)?;
            (out, argument::object_mut(pages, "pages")?)
        };
        if pages.failed {
            return Ok(());
        }
        let page = unless_stopped(
            pages.callback_status.as_deref(),
            pages.pages.next().transpose(),
        );
        pages.failed = page.is_err();
        if let Some(page) = page? {
            out.set(boxed(page));
        }
        Ok(())
    };
    // SAFETY: NULL or writable, as the header demands.
    unsafe { boundary::run(error, body) }
}

/// Frees a pager. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_pages_free(pages: *mut ocireg_pages) {
    // SAFETY: NULL or given by this library and not used again, as the header demands.
    unsafe { output::free(pages) }
}
