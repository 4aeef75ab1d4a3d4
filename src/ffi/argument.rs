//! Reads the arguments of C functions. No other file turns a caller's pointer into a Rust value.
//! An unusable argument becomes an [`ArgumentError`]; this file knows no type of the C interface.

use std::ffi::{CStr, c_char};
use std::time::Duration;

/// An unusable argument: its name in the header, and the problem.
#[derive(Debug)]
pub(super) struct ArgumentError {
    name: String,
    problem: String,
}

impl ArgumentError {
    pub(super) fn new(name: &str, problem: &str) -> ArgumentError {
        ArgumentError {
            name: name.to_owned(),
            problem: problem.to_owned(),
        }
    }

    pub(super) fn null(name: &str) -> ArgumentError {
        ArgumentError::new(name, "is NULL")
    }

    pub(super) fn message(&self) -> String {
        format!("the argument {} {}", self.name, self.problem)
    }
}

/// A required object.
///
/// # Safety
///
/// `object` is NULL or an object of this library that is not freed while the result is in use.
pub(super) unsafe fn object<'a, T>(object: *const T, name: &str) -> Result<&'a T, ArgumentError> {
    // SAFETY: NULL or valid, as the caller of this function promises.
    unsafe { object.as_ref() }.ok_or_else(|| ArgumentError::null(name))
}

/// As [`object`], for an object that nobody else uses at the same time.
///
/// # Safety
///
/// As for [`object`], and no other thread uses the object.
pub(super) unsafe fn object_mut<'a, T>(
    object: *mut T,
    name: &str,
) -> Result<&'a mut T, ArgumentError> {
    // SAFETY: NULL or valid and not shared, as the caller of this function promises.
    unsafe { object.as_mut() }.ok_or_else(|| ArgumentError::null(name))
}

/// A required string, without its NUL.
///
/// # Safety
///
/// `text` is NULL, or ends with NUL and does not change while the result is in use.
pub(super) unsafe fn bytes<'a>(text: *const c_char, name: &str) -> Result<&'a [u8], ArgumentError> {
    if text.is_null() {
        return Err(ArgumentError::null(name));
    }
    // SAFETY: not NULL, so it ends with NUL, as the caller of this function promises.
    Ok(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// As [`bytes`], in UTF-8.
///
/// # Safety
///
/// As for [`bytes`].
pub(super) unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str, ArgumentError> {
    // SAFETY: the caller of this function promises the same.
    let bytes = unsafe { bytes(text, name) }?;
    std::str::from_utf8(bytes).map_err(|bad| {
        let position = bad.valid_up_to();
        ArgumentError::new(name, &format!("is not UTF-8 (byte {position})"))
    })
}

/// A path in the bytes of the file system, which need not be UTF-8.
///
/// # Safety
///
/// As for [`bytes`].
#[cfg(unix)]
pub(super) unsafe fn path<'a>(
    path: *const c_char,
    name: &str,
) -> Result<&'a std::path::Path, ArgumentError> {
    use std::os::unix::ffi::OsStrExt;
    // SAFETY: the caller of this function promises the same.
    let bytes = unsafe { bytes(path, name) }?;
    Ok(std::path::Path::new(std::ffi::OsStr::from_bytes(bytes)))
}

/// As [`text`].
///
/// # Safety
///
/// As for [`bytes`].
#[cfg(not(unix))]
pub(super) unsafe fn path<'a>(
    path: *const c_char,
    name: &str,
) -> Result<&'a std::path::Path, ArgumentError> {
    // SAFETY: the caller of this function promises the same.
    Ok(std::path::Path::new(unsafe { text(path, name) }?))
}

/// An array of the caller: `length` elements from `first` on. `first` may be NULL if there are
/// none.
///
/// # Safety
///
/// `first` is NULL, or `length` elements can be read from it and do not change while the result is
/// in use.
pub(super) unsafe fn slice<'a, T>(
    first: *const T,
    length: usize,
    name: &str,
) -> Result<&'a [T], ArgumentError> {
    if length == 0 {
        return Ok(&[]);
    }
    if first.is_null() {
        return Err(ArgumentError::null(name));
    }
    // No object is larger than `isize::MAX` bytes.
    let most = usize::MAX / 2 / size_of::<T>().max(1);
    if length > most {
        return Err(ArgumentError::new(name, "is longer than memory can be"));
    }
    // SAFETY: not NULL, within the size that an object can have, and readable, as the caller of
    // this function promises.
    Ok(unsafe { std::slice::from_raw_parts(first, length) })
}

/// A time limit in milliseconds; 0 is no limit.
pub(super) fn limit(milliseconds: u64) -> Duration {
    match milliseconds {
        0 => Duration::MAX,
        some => Duration::from_millis(some),
    }
}
