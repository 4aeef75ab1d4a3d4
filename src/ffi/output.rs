//! Gives results to C: through an output argument, as an object that C owns, as text or as a
//! number. This file knows no type of the C interface.

use std::ffi::{CString, c_char};
use std::ptr;
use std::time::Duration;

use super::argument::ArgumentError;

/// A value that a function gives through its argument `out`.
pub(super) trait Output {
    /// The value of an output that is not filled.
    fn empty() -> Self;
}

impl<T> Output for *mut T {
    fn empty() -> *mut T {
        ptr::null_mut()
    }
}

/// For functions whose only result is their status.
impl Output for () {
    fn empty() {}
}

/// An output argument.
pub(super) struct Out<T>(*mut T);

impl<T: Output> Out<T> {
    /// Clears the output, which the caller need not have initialised.
    ///
    /// # Safety
    ///
    /// `out` is NULL or can be written to until the call ends.
    pub(super) unsafe fn cleared(out: *mut T) -> Result<Out<T>, ArgumentError> {
        if out.is_null() {
            return Err(ArgumentError::null("out"));
        }
        // SAFETY: not NULL, so it can be written to, as the caller of this function promises.
        unsafe { out.write(T::empty()) };
        Ok(Out(out))
    }

    pub(super) fn set(self, value: T) {
        // SAFETY: `cleared` has checked it, and its caller keeps it until the call ends.
        unsafe { self.0.write(value) };
    }
}

/// Makes an object that C owns, and frees with [`free`].
pub(super) fn boxed<T>(value: T) -> *mut T {
    Box::into_raw(Box::new(value))
}

/// Takes an object back and drops it. NULL is fine.
///
/// # Safety
///
/// `object` is NULL, or [`boxed`] has made it and it is not used again.
pub(super) unsafe fn free<T>(object: *mut T) {
    if !object.is_null() {
        // SAFETY: made by `Box::into_raw`, and given back once, as the caller of this function
        // promises.
        drop(unsafe { Box::from_raw(object) });
    }
}

/// Text for C. A NUL inside, which a server may have sent, would end it early.
pub(super) fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default()
}

/// A string that C owns, and frees with [`free_string`].
pub(super) fn boxed_string(text: &str) -> *mut c_char {
    c_string(text).into_raw()
}

/// Takes a string back and drops it. NULL is fine.
///
/// # Safety
///
/// `string` is NULL, or [`boxed_string`] has made it and it is not used again.
pub(super) unsafe fn free_string(string: *mut c_char) {
    if !string.is_null() {
        // SAFETY: made by `CString::into_raw`, and given back once, as the caller of this function
        // promises.
        drop(unsafe { CString::from_raw(string) });
    }
}

/// A duration in milliseconds.
pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_for_c_has_no_nul_inside() {
        assert_eq!(c_string("a\0b").to_str(), Ok("a\u{fffd}b"));
    }
}
