//! Strings that C owns, and lists of them.

use std::ffi::c_char;
use std::fmt::Display;
use std::ptr;

use super::output::{self, c_string};

/// A list of strings: tags, repositories or warnings. You own it: free it with
/// ocireg_strings_free(). Any thread may read it.
pub struct ocireg_strings {
    /// All strings one after another, each with its NUL, so that a list of any length is one
    /// allocation. Never changed, since `pointers` points into it.
    _text: Vec<u8>,
    /// Ends with NULL.
    pointers: Vec<*const c_char>,
    skipped: usize,
}

// SAFETY: the pointers point into `_text`, which the value owns and nobody changes.
unsafe impl Send for ocireg_strings {}
// SAFETY: as above.
unsafe impl Sync for ocireg_strings {}

impl ocireg_strings {
    /// `skipped` is how many entries were left out.
    pub(super) fn new<T: Display>(
        entries: impl IntoIterator<Item = T>,
        skipped: usize,
    ) -> ocireg_strings {
        let mut text = Vec::new();
        let mut starts = Vec::new();
        for entry in entries {
            starts.push(text.len());
            text.extend_from_slice(c_string(&entry.to_string()).as_bytes_with_nul());
        }
        let mut pointers: Vec<*const c_char> = starts
            .into_iter()
            .map(|start| text.as_ptr().wrapping_add(start).cast())
            .collect();
        pointers.push(ptr::null());
        ocireg_strings {
            _text: text,
            pointers,
            skipped,
        }
    }

    fn len(&self) -> usize {
        self.pointers.len().saturating_sub(1)
    }
}

/// Frees a string that a function gave you through a `char **`. NULL is allowed. Do not use
/// free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_string_free(string: *mut c_char) {
    // SAFETY: NULL or given by this library and not used again, as the header demands.
    unsafe { output::free_string(string) }
}

/// Returns the number of strings in the list. Returns 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_strings_len(strings: *const ocireg_strings) -> usize {
    // SAFETY: NULL or a list that is alive, as the header demands.
    unsafe { strings.as_ref() }.map_or(0, ocireg_strings::len)
}

/// Returns the string at `index`, counted from 0. Returns NULL past the end. The string is
/// borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_strings_get(
    strings: *const ocireg_strings,
    index: usize,
) -> *const c_char {
    // SAFETY: NULL or a list that is alive, as the header demands.
    let strings = unsafe { strings.as_ref() };
    let string = strings.and_then(|strings| strings.pointers.get(index));
    string.copied().unwrap_or(ptr::null())
}

/// Returns all strings as an array that ends with NULL, so that one call reads a list of any
/// length. The array is borrowed. Returns NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_strings_data(
    strings: *const ocireg_strings,
) -> *const *const c_char {
    // SAFETY: NULL or a list that is alive, as the header demands.
    unsafe { strings.as_ref() }.map_or(ptr::null(), |strings| strings.pointers.as_ptr())
}

/// Returns how many entries of a page were left out because they are not valid names. Some
/// registries list nulls or digests among their tags. Returns 0 for every list that is not a page.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_strings_skipped(strings: *const ocireg_strings) -> usize {
    // SAFETY: NULL or a list that is alive, as the header demands.
    unsafe { strings.as_ref() }.map_or(0, |strings| strings.skipped)
}

/// Frees a list and its strings. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_strings_free(strings: *mut ocireg_strings) {
    // SAFETY: NULL or given by this library and not used again, as the header demands.
    unsafe { output::free(strings) }
}
