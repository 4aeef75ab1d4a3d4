//! Errors as objects.

use std::ffi::{CString, c_char};
use std::ptr;

use super::argument::ArgumentError;
use super::output::{self, c_string};
use super::rate_limit::ocireg_rate_limit;
use super::status::ocireg_status;
use crate::Error;

/// An error says why a call failed. You own it: free it with ocireg_error_free(). Any thread may
/// read it.
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
            // With the messages of its causes, since C has no function for them.
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
                .map(output::milliseconds)
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

impl From<ArgumentError> for ocireg_error {
    fn from(error: ArgumentError) -> ocireg_error {
        ocireg_error::new(ocireg_status::OCIREG_E_INVALID_ARGUMENT, &error.message())
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

    /// The error of a `setter`, for a later call that fails because of it.
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

    /// A callback has stopped the call by returning `code`.
    pub(super) fn stopped_by_callback(code: i32) -> ocireg_error {
        let message = format!("a callback stopped the call: it returned {code}");
        ocireg_error {
            callback_code: code,
            ..ocireg_error::new(ocireg_status::OCIREG_E_CALLBACK, &message)
        }
    }

    /// Without the panic message: it may quote a value, and the value may be a secret.
    pub(super) fn panicked() -> ocireg_error {
        let message = "a bug in ocireg: it panicked \
            (please report it, with what it has written to standard error)";
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

/// Returns the status of the call that failed, or of the item of a batch that failed. Returns
/// OCIREG_OK for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_code(error: *const ocireg_error) -> ocireg_status {
    // SAFETY: NULL or an error that is alive, as the header demands.
    unsafe { error.as_ref() }.map_or(ocireg_status::OCIREG_OK, |error| error.code)
}

/// Returns a message for people, in one line of UTF-8. It says what happened, names the registry
/// and the reference, says what the user can do, and never shows a secret. Its wording may change.
/// The string is borrowed. Returns NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_message(error: *const ocireg_error) -> *const c_char {
    // SAFETY: NULL or an error that is alive, as the header demands.
    unsafe { error.as_ref() }.map_or(ptr::null(), |error| error.message.as_ptr())
}

/// Returns the HTTP status that caused the error, such as 401. Returns 0 if there was no answer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_http_status(error: *const ocireg_error) -> u16 {
    // SAFETY: NULL or an error that is alive, as the header demands.
    unsafe { error.as_ref() }.map_or(0, |error| error.http_status)
}

/// Returns the first error code that the registry sent, such as `"MANIFEST_UNKNOWN"` (distribution
/// specification, "Error Codes"). Returns NULL if it sent none. The string is borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_registry_code(error: *const ocireg_error) -> *const c_char {
    // SAFETY: NULL or an error that is alive, as the header demands.
    let code = unsafe { error.as_ref() }.and_then(|error| error.registry_code.as_ref());
    code.map_or(ptr::null(), |code| code.as_ptr())
}

/// Returns the errno value of the cause, such as ECONNREFUSED. Returns 0 if none is known.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_os_code(error: *const ocireg_error) -> i32 {
    // SAFETY: NULL or an error that is alive, as the header demands.
    unsafe { error.as_ref() }.map_or(0, |error| error.os_code)
}

/// Returns the value with which your callback stopped the call (OCIREG_E_CALLBACK). Returns 0 for
/// every other error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_callback_code(error: *const ocireg_error) -> i32 {
    // SAFETY: NULL or an error that is alive, as the header demands.
    unsafe { error.as_ref() }.map_or(0, |error| error.callback_code)
}

/// Returns 1 if the same call may succeed later without a change, else 0. Network failures,
/// timeouts, HTTP 429 and HTTP 5xx are transient.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_is_transient(error: *const ocireg_error) -> i32 {
    // SAFETY: NULL or an error that is alive, as the header demands.
    unsafe { error.as_ref() }.map_or(0, |error| i32::from(error.is_transient))
}

/// Returns how long the registry asks the client to wait (Retry-After), in milliseconds. Returns 0
/// if the registry did not ask.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_retry_after_ms(error: *const ocireg_error) -> u64 {
    // SAFETY: NULL or an error that is alive, as the header demands.
    unsafe { error.as_ref() }.map_or(0, |error| error.retry_after_ms)
}

/// Returns the rate limit that the failed answer reported, or NULL if it reported none. The object
/// is borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_rate_limit(
    error: *const ocireg_error,
) -> *const ocireg_rate_limit {
    // SAFETY: NULL or an error that is alive, as the header demands.
    let limit = unsafe { error.as_ref() }.and_then(|error| error.rate_limit.as_ref());
    limit.map_or(ptr::null(), ptr::from_ref)
}

/// Frees an error. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_free(error: *mut ocireg_error) {
    // SAFETY: NULL or given by this library and not used again, as the header demands.
    unsafe { output::free(error) }
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
