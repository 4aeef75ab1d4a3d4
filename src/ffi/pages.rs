//! Lists page by page.

use std::ffi::c_char;
use std::fmt::Display;
use std::ptr;
use std::sync::Arc;

use super::boundary::{self, Out};
use super::call::ocireg_call;
use super::client::ocireg_client;
use super::error::ocireg_error;
use super::question::Question;
use super::running::{self, Running, StopCode};
use super::status::ocireg_status;
use super::strings::ocireg_strings;
use crate::{CatalogPages, Page, Registry, Repository, Result, TagPages};

/// A list that is read page by page. Yours; free it with ocireg_pages_free(). One thread at a time
/// may use it. It holds what it needs of the client, which may be freed before. The callbacks of
/// the call that it was made with are used until it is freed.
pub struct ocireg_pages {
    pages: Pages,
    stop: Option<Arc<StopCode>>,
    /// A page could not be read: there are no more.
    failed: bool,
}

impl ocireg_pages {
    fn new(pages: Pages, running: Running<'_>) -> ocireg_pages {
        let stop = running.into_stop();
        ocireg_pages {
            pages,
            stop,
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

/// The tags of a repository, page by page as the registry sends them. No request is made yet:
/// ocireg_pages_next() makes them, with the settings of `call`, whose timeout counts for each page;
/// client, call and cancel token may be freed before. Free it with ocireg_pages_free().
///
/// ```c
/// ocireg_pages *pages;
/// ocireg_strings *page;
/// if (ocireg_client_tag_pages(client, "localhost:5000/team/app", NULL, &pages, NULL) == OCIREG_OK) {
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
            let pages = Pages::Tags(running.client().tag_pages(&repository));
            Ok(boundary::boxed(ocireg_pages::new(pages, running)))
        })
    }
}

/// The repositories of a registry, page by page. As ocireg_client_tag_pages().
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_client_catalog_pages(
    client: *const ocireg_client,
    registry: *const c_char,
    call: *const ocireg_call,
    out: *mut *mut ocireg_pages,
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
            let pages = Pages::Catalog(running.client().catalog_pages(&registry));
            Ok(boundary::boxed(ocireg_pages::new(pages, running)))
        })
    }
}

/// Reads the next page; the end is OCIREG_OK with NULL in `out`. After a failure the list is at its
/// end: what came before is what there is. Free the page with ocireg_strings_free();
/// ocireg_strings_skipped() says what it leaves out.
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
            let out = Out::cleared(out, ptr::null_mut())?;
            (out, boundary::object_mut(pages, "pages")?)
        };
        if pages.failed {
            return Ok(());
        }
        let page = running::end(&pages.stop, pages.pages.next().transpose());
        pages.failed = page.is_err();
        if let Some(page) = page? {
            out.give(page);
        }
        Ok(())
    };
    // SAFETY: NULL or writable, as the header demands.
    unsafe { boundary::run(error, body) }
}

/// Frees a list that is read page by page. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_pages_free(pages: *mut ocireg_pages) {
    // SAFETY: NULL or given by this library and not used again, as the header demands.
    unsafe { boundary::free(pages) }
}
