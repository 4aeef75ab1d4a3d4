//! Between C and Rust: no panic goes out, and no pointer comes in unread.

use std::ffi::{CStr, CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use super::error::ocireg_error;
use super::status::ocireg_status;

/// Runs a function's body. Its failure, a panic among them, goes to `error` where the caller wants
/// it.
///
/// # Safety
///
/// `error` is NULL or can be written to.
pub(super) unsafe fn run(
    error: *mut *mut ocireg_error,
    body: impl FnOnce() -> Result<(), ocireg_error>,
) -> ocireg_status {
    // A failure that nobody wants to see is dropped.
    let give = |failure: Option<ocireg_error>| {
        if !error.is_null() {
            let object = failure.map_or(ptr::null_mut(), boxed);
            // SAFETY: not NULL, so it can be written to, as the caller of this function promises.
            unsafe { error.write(object) };
        }
    };
    give(None);
    // Unwind safe: what a panic may leave half done are maps behind mutexes, whose every change is
    // one step.
    let failure = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => return ocireg_status::OCIREG_OK,
        Ok(Err(failure)) => failure,
        Err(_) => ocireg_error::panicked(),
    };
    let status = failure.code();
    give(Some(failure));
    status
}

/// As [`run`], for functions without an error object.
pub(super) fn run_quietly(body: impl FnOnce() -> Result<(), ocireg_error>) -> ocireg_status {
    // SAFETY: NULL.
    unsafe { run(ptr::null_mut(), body) }
}

/// Where a result goes.
pub(super) struct Out<T>(*mut T);

impl<T> Out<T> {
    /// Clears the output, which the caller need not have initialised.
    ///
    /// # Safety
    ///
    /// `out` is NULL or can be written to until the call ends.
    pub(super) unsafe fn cleared(out: *mut T, empty: T) -> Result<Out<T>, ocireg_error> {
        if out.is_null() {
            return Err(ocireg_error::argument("out", "is NULL"));
        }
        // SAFETY: not NULL, so it can be written to, as the caller of this function promises.
        unsafe { out.write(empty) };
        Ok(Out(out))
    }

    pub(super) fn set(self, value: T) {
        // SAFETY: `cleared` has checked it, and its caller keeps it until the call ends.
        unsafe { self.0.write(value) };
    }
}

impl<T> Out<*mut T> {
    /// Gives an object away.
    pub(super) fn give(self, value: T) {
        self.set(Box::into_raw(Box::new(value)));
    }
}

/// An object that must be there.
///
/// # Safety
///
/// `object` is NULL or an object of this library that is not freed while the result is in use.
pub(super) unsafe fn object<'a, T>(object: *const T, name: &str) -> Result<&'a T, ocireg_error> {
    // SAFETY: NULL or valid, as the caller of this function promises.
    unsafe { object.as_ref() }.ok_or_else(|| ocireg_error::argument(name, "is NULL"))
}

/// As [`object`], for one that nobody else uses at the time.
///
/// # Safety
///
/// As of [`object`], and no other thread uses it.
pub(super) unsafe fn object_mut<'a, T>(
    object: *mut T,
    name: &str,
) -> Result<&'a mut T, ocireg_error> {
    // SAFETY: NULL or valid and not shared, as the caller of this function promises.
    unsafe { object.as_mut() }.ok_or_else(|| ocireg_error::argument(name, "is NULL"))
}

/// Takes an object back to drop it; NULL is fine.
///
/// # Safety
///
/// `object` is NULL or came out of [`Out::give`] or [`boxed`] and is not used again.
pub(super) unsafe fn free<T>(object: *mut T) {
    if !object.is_null() {
        // SAFETY: made by `Box::into_raw`, and given back once, as the caller of this function
        // promises.
        drop(unsafe { Box::from_raw(object) });
    }
}

/// Gives an object away as a return value.
pub(super) fn boxed<T>(value: T) -> *mut T {
    Box::into_raw(Box::new(value))
}

/// A string that must be there, without its end.
///
/// # Safety
///
/// `text` is NULL or ends in NUL and does not change while the result is in use.
pub(super) unsafe fn bytes<'a>(text: *const c_char, name: &str) -> Result<&'a [u8], ocireg_error> {
    if text.is_null() {
        return Err(ocireg_error::argument(name, "is NULL"));
    }
    // SAFETY: not NULL, so it ends in NUL, as the caller of this function promises.
    Ok(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// As [`bytes`], in UTF-8.
///
/// # Safety
///
/// As of [`bytes`].
pub(super) unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str, ocireg_error> {
    // SAFETY: the caller of this function promises the same.
    let bytes = unsafe { bytes(text, name) }?;
    std::str::from_utf8(bytes).map_err(|bad| {
        let at = bad.valid_up_to();
        ocireg_error::argument(name, &format!("is not UTF-8 (byte {at})"))
    })
}

/// A path in the bytes of the file system, which need not be UTF-8.
///
/// # Safety
///
/// As of [`bytes`].
#[cfg(unix)]
pub(super) unsafe fn path<'a>(
    path: *const c_char,
    name: &str,
) -> Result<&'a std::path::Path, ocireg_error> {
    use std::os::unix::ffi::OsStrExt;
    // SAFETY: the caller of this function promises the same.
    let bytes = unsafe { bytes(path, name) }?;
    Ok(std::path::Path::new(std::ffi::OsStr::from_bytes(bytes)))
}

/// As [`text`].
///
/// # Safety
///
/// As of [`bytes`].
#[cfg(not(unix))]
pub(super) unsafe fn path<'a>(
    path: *const c_char,
    name: &str,
) -> Result<&'a std::path::Path, ocireg_error> {
    // SAFETY: the caller of this function promises the same.
    Ok(std::path::Path::new(unsafe { text(path, name) }?))
}

/// Memory of the caller's: `length` items from `first` on, which may be NULL where there is none.
///
/// # Safety
///
/// As many items can be read from `first`, unless it is NULL, and do not change while the result is
/// in use.
pub(super) unsafe fn slice<'a, T>(
    first: *const T,
    length: usize,
    name: &str,
) -> Result<&'a [T], ocireg_error> {
    if length == 0 {
        return Ok(&[]);
    }
    if first.is_null() {
        return Err(ocireg_error::argument(name, "is NULL"));
    }
    // No object is larger than that.
    let most = usize::MAX / 2 / size_of::<T>().max(1);
    if length > most {
        return Err(ocireg_error::argument(name, "is longer than memory can be"));
    }
    // SAFETY: not NULL, within what an object can be, and readable, as the caller of this function
    // promises.
    Ok(unsafe { std::slice::from_raw_parts(first, length) })
}

/// Text for C. A NUL inside, which a server may have sent, would end it early.
pub(super) fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default()
}

/// Milliseconds as C gives them; 0 is no limit.
pub(super) fn limit(milliseconds: u64) -> std::time::Duration {
    match milliseconds {
        0 => std::time::Duration::MAX,
        some => std::time::Duration::from_millis(some),
    }
}

/// Milliseconds as C has them.
pub(super) fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_status_and_an_error() {
        let mut error = ptr::null_mut();
        // SAFETY: `error` can be written to.
        let status = unsafe {
            run(&raw mut error, || {
                std::panic::resume_unwind(Box::new("password"))
            })
        };
        assert_eq!(status, ocireg_status::OCIREG_E_PANIC);
        // SAFETY: `run` has made it.
        let error = unsafe { Box::from_raw(error) };
        assert_eq!(error.code(), ocireg_status::OCIREG_E_PANIC);
        // What a panic says may quote what it was about.
        assert!(!error.text().contains("password"));
    }

    #[test]
    fn text_for_c_has_no_nul_inside() {
        assert_eq!(c_string("a\0b").to_str(), Ok("a\u{fffd}b"));
    }
}
