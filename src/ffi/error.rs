//! Why a call gave no answer.

use std::ffi::{CString, c_char};
use std::ptr;

use super::boundary::{self, c_string};
use super::rate_limit::ocireg_rate_limit;
use super::status::ocireg_status;
use crate::Error;

/// Why a call gave no answer. Yours; free it with ocireg_error_free(). Any thread may read it.
#[derive(Clone)]
pub struct ocireg_error {
    code: ocireg_status,
    message: CString,
    http_status: u16,
    registry_code: Option<CString>,
    os_code: i32,
    callback_code: i32,
    is_transient: bool,
    retry_after_ms: u64,
    rate_limit: Option<ocireg_rate_limit>,
}

impl From<&Error> for ocireg_error {
    fn from(error: &Error) -> ocireg_error {
        ocireg_error {
            // With what its causes add: C has no way to ask them.
            message: c_string(&format!("{error:#}")),
            http_status: error.http_status().unwrap_or_default(),
            registry_code: error
                .registry_errors()
                .iter()
                .find(|error| !error.code.is_empty())
                .map(|first| c_string(&first.code)),
            os_code: error.os_code().unwrap_or_default(),
            is_transient: error.is_transient(),
            retry_after_ms: error
                .retry_after()
                .map(boundary::milliseconds)
                .unwrap_or_default(),
            rate_limit: error.rate_limit().map(ocireg_rate_limit::from),
            ..ocireg_error::new(error.kind().into(), "")
        }
    }
}

impl From<Error> for ocireg_error {
    fn from(error: Error) -> ocireg_error {
        ocireg_error::from(&error)
    }
}

impl ocireg_error {
    fn new(code: ocireg_status, message: &str) -> ocireg_error {
        ocireg_error {
            code,
            message: c_string(message),
            http_status: 0,
            registry_code: None,
            os_code: 0,
            callback_code: 0,
            is_transient: false,
            retry_after_ms: 0,
            rate_limit: None,
        }
    }

    /// An argument that the caller got wrong; `name` is the header's.
    pub(super) fn argument(name: &str, problem: &str) -> ocireg_error {
        let message = format!("the argument {name} {problem}");
        ocireg_error::new(ocireg_status::OCIREG_E_INVALID_ARGUMENT, &message)
    }

    /// The same, told by a later call than the `setter` that was given the argument.
    pub(super) fn of(&self, setter: &str) -> ocireg_error {
        let message = format!("{setter}(): {}", self.message.to_string_lossy());
        ocireg_error {
            message: c_string(&message),
            ..self.clone()
        }
    }

    pub(super) fn state(message: &str) -> ocireg_error {
        ocireg_error::new(ocireg_status::OCIREG_E_STATE, message)
    }

    /// A callback has stopped the call with `code`.
    pub(super) fn stopped_by_callback(code: i32) -> ocireg_error {
        let message = format!("a callback stopped the call: it returned {code}");
        ocireg_error {
            callback_code: code,
            ..ocireg_error::new(ocireg_status::OCIREG_E_CALLBACK, &message)
        }
    }

    /// What the panic said stays out: it may quote what it stumbled over, a secret even.
    pub(super) fn panicked() -> ocireg_error {
        let message = "a bug in ocireg: it panicked (please report it, with what it has written to standard error)";
        ocireg_error::new(ocireg_status::OCIREG_E_PANIC, message)
    }

    pub(super) fn code(&self) -> ocireg_status {
        self.code
    }

    #[cfg(test)]
    pub(super) fn text(&self) -> String {
        self.message.to_string_lossy().into_owned()
    }
}

/// The status that the call returned, or that an item of a batch ended with. OCIREG_OK for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_code(error: *const ocireg_error) -> ocireg_status {
    // SAFETY: NULL or an error that is alive, as the header demands.
    unsafe { error.as_ref() }.map_or(ocireg_status::OCIREG_OK, |error| error.code)
}

/// What happened, for people: one line of UTF-8 that names the registry and the reference, says
/// what can be done about it, and never shows a secret. Its words may change. Borrowed; NULL for
/// NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_message(error: *const ocireg_error) -> *const c_char {
    // SAFETY: NULL or an error that is alive, as the header demands.
    unsafe { error.as_ref() }.map_or(ptr::null(), |error| error.message.as_ptr())
}

/// The HTTP status that decided, such as 401, or 0 if no answer came.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_http_status(error: *const ocireg_error) -> u16 {
    // SAFETY: NULL or an error that is alive, as the header demands.
    unsafe { error.as_ref() }.map_or(0, |error| error.http_status)
}

/// The registry's own first error code, such as `"MANIFEST_UNKNOWN"` (distribution specification,
/// "Error Codes"), or NULL if it sent none. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_registry_code(error: *const ocireg_error) -> *const c_char {
    // SAFETY: NULL or an error that is alive, as the header demands.
    let code = unsafe { error.as_ref() }.and_then(|error| error.registry_code.as_ref());
    code.map_or(ptr::null(), |code| code.as_ptr())
}

/// The errno value that is behind it, such as ECONNREFUSED, or 0 if none is known.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_os_code(error: *const ocireg_error) -> i32 {
    // SAFETY: NULL or an error that is alive, as the header demands.
    unsafe { error.as_ref() }.map_or(0, |error| error.os_code)
}

/// What your callback returned to stop the call (OCIREG_E_CALLBACK), else 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_callback_code(error: *const ocireg_error) -> i32 {
    // SAFETY: NULL or an error that is alive, as the header demands.
    unsafe { error.as_ref() }.map_or(0, |error| error.callback_code)
}

/// 1 if the same call may succeed later without a change (a network failure, a timeout, HTTP 429 or
/// 5xx), else 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_is_transient(error: *const ocireg_error) -> i32 {
    // SAFETY: NULL or an error that is alive, as the header demands.
    unsafe { error.as_ref() }.map_or(0, |error| i32::from(error.is_transient))
}

/// How long the registry asked to wait (Retry-After), in milliseconds, or 0 if it did not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_retry_after_ms(error: *const ocireg_error) -> u64 {
    // SAFETY: NULL or an error that is alive, as the header demands.
    unsafe { error.as_ref() }.map_or(0, |error| error.retry_after_ms)
}

/// The rate limit that the failing answer reported, or NULL. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_rate_limit(
    error: *const ocireg_error,
) -> *const ocireg_rate_limit {
    // SAFETY: NULL or an error that is alive, as the header demands.
    let limit = unsafe { error.as_ref() }.and_then(|error| error.rate_limit.as_ref());
    limit.map_or(ptr::null(), ptr::from_ref)
}

/// Frees an error. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_free(error: *mut ocireg_error) {
    // SAFETY: NULL or given by this library and not used again, as the header demands.
    unsafe { boundary::free(error) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, RegistryError};

    #[test]
    fn the_registry_code_is_the_first_that_there_is() {
        let entry = |code: &str| RegistryError {
            code: code.to_owned(),
            message: "denied".to_owned(),
            detail: None,
        };
        let code = |entries: Vec<RegistryError>| {
            let error = Error::new(ErrorKind::Denied, "no").with_registry_errors(entries);
            ocireg_error::from(&error).registry_code
        };
        assert_eq!(code(vec![entry("")]), None);
        assert_eq!(
            code(vec![entry(""), entry("DENIED")]),
            Some(c_string("DENIED"))
        );
    }
}
