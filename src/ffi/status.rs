//! What a call came to, as a number.

use std::ffi::{CStr, c_char};

use crate::ErrorKind;

/// The result of a call. The numbers never change. New numbers may be added: treat a number that
/// you do not know as a failure.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ocireg_status {
    /// The call succeeded. The outputs are filled.
    OCIREG_OK = 0,
    /// An argument other than a reference is unusable: NULL, not UTF-8, or out of range.
    OCIREG_E_INVALID_ARGUMENT = 1,
    /// A reference, registry, repository, tag or digest does not follow its grammar.
    OCIREG_E_INVALID_REFERENCE = 2,
    /// A setting is unusable, such as a file that can't be read or a certificate that can't be
    /// parsed.
    OCIREG_E_CONFIG = 3,
    /// The client can't be used any more: it was shut down, or it was made before fork().
    OCIREG_E_STATE = 4,
    /// The registry or this library does not support the request.
    OCIREG_E_UNSUPPORTED = 5,
    /// The host name could not be resolved.
    OCIREG_E_RESOLVE = 10,
    /// The connection could not be made.
    OCIREG_E_CONNECT = 11,
    /// TLS failed: unknown authority, wrong name, expired certificate, or a server that does not
    /// speak TLS.
    OCIREG_E_TLS = 12,
    /// A time limit ended.
    OCIREG_E_TIMEOUT = 13,
    /// The connection broke.
    OCIREG_E_TRANSPORT = 14,
    /// The registry refused the credentials themselves. It gives no correct answer with them.
    OCIREG_E_UNAUTHORIZED = 20,
    /// The registry refused access to this repository (HTTP 401 or 403). The repository is
    /// private, hidden or missing.
    OCIREG_E_DENIED = 21,
    /// The registry says that the requested object does not exist (HTTP 404).
    OCIREG_E_NOT_FOUND = 22,
    /// The client has sent too many requests (HTTP 429).
    OCIREG_E_RATE_LIMITED = 23,
    /// The registry failed (HTTP 5xx).
    OCIREG_E_SERVER = 24,
    /// The registry rejected the request (another HTTP 4xx).
    OCIREG_E_REJECTED = 25,
    /// The answer is not one that a registry gives.
    OCIREG_E_PROTOCOL = 26,
    /// The content does not have the expected digest.
    OCIREG_E_DIGEST_MISMATCH = 30,
    /// An answer is larger than the limit for its kind.
    OCIREG_E_TOO_LARGE = 31,
    /// Reading or writing on this machine failed.
    OCIREG_E_IO = 32,
    /// A cancel token or ocireg_client_shutdown() stopped the call.
    OCIREG_E_CANCELLED = 40,
    /// One of your callbacks stopped the call.
    OCIREG_E_CALLBACK = 41,
    /// A bug in this library caused a panic, and the library caught it. Please report it.
    OCIREG_E_PANIC = 99,
}

use ocireg_status::*;

/// All there are, for the way from a number to its name.
const ALL: [ocireg_status; 24] = [
    OCIREG_OK,
    OCIREG_E_INVALID_ARGUMENT,
    OCIREG_E_INVALID_REFERENCE,
    OCIREG_E_CONFIG,
    OCIREG_E_STATE,
    OCIREG_E_UNSUPPORTED,
    OCIREG_E_RESOLVE,
    OCIREG_E_CONNECT,
    OCIREG_E_TLS,
    OCIREG_E_TIMEOUT,
    OCIREG_E_TRANSPORT,
    OCIREG_E_UNAUTHORIZED,
    OCIREG_E_DENIED,
    OCIREG_E_NOT_FOUND,
    OCIREG_E_RATE_LIMITED,
    OCIREG_E_SERVER,
    OCIREG_E_REJECTED,
    OCIREG_E_PROTOCOL,
    OCIREG_E_DIGEST_MISMATCH,
    OCIREG_E_TOO_LARGE,
    OCIREG_E_IO,
    OCIREG_E_CANCELLED,
    OCIREG_E_CALLBACK,
    OCIREG_E_PANIC,
];

impl From<ErrorKind> for ocireg_status {
    // Without a wildcard: a new kind does not compile before it has its number.
    fn from(kind: ErrorKind) -> ocireg_status {
        match kind {
            ErrorKind::InvalidArgument => OCIREG_E_INVALID_ARGUMENT,
            ErrorKind::InvalidReference => OCIREG_E_INVALID_REFERENCE,
            ErrorKind::Config => OCIREG_E_CONFIG,
            ErrorKind::State => OCIREG_E_STATE,
            ErrorKind::Unsupported => OCIREG_E_UNSUPPORTED,
            ErrorKind::Resolve => OCIREG_E_RESOLVE,
            ErrorKind::Connect => OCIREG_E_CONNECT,
            ErrorKind::Tls => OCIREG_E_TLS,
            ErrorKind::Timeout => OCIREG_E_TIMEOUT,
            ErrorKind::Transport => OCIREG_E_TRANSPORT,
            ErrorKind::Unauthorized => OCIREG_E_UNAUTHORIZED,
            ErrorKind::Denied => OCIREG_E_DENIED,
            ErrorKind::NotFound => OCIREG_E_NOT_FOUND,
            ErrorKind::RateLimited => OCIREG_E_RATE_LIMITED,
            ErrorKind::Server => OCIREG_E_SERVER,
            ErrorKind::Rejected => OCIREG_E_REJECTED,
            ErrorKind::Protocol => OCIREG_E_PROTOCOL,
            ErrorKind::DigestMismatch => OCIREG_E_DIGEST_MISMATCH,
            ErrorKind::TooLarge => OCIREG_E_TOO_LARGE,
            ErrorKind::Io => OCIREG_E_IO,
            ErrorKind::Cancelled => OCIREG_E_CANCELLED,
            ErrorKind::Callback => OCIREG_E_CALLBACK,
        }
    }
}

fn name(status: ocireg_status) -> &'static CStr {
    match status {
        OCIREG_OK => c"OCIREG_OK",
        OCIREG_E_INVALID_ARGUMENT => c"OCIREG_E_INVALID_ARGUMENT",
        OCIREG_E_INVALID_REFERENCE => c"OCIREG_E_INVALID_REFERENCE",
        OCIREG_E_CONFIG => c"OCIREG_E_CONFIG",
        OCIREG_E_STATE => c"OCIREG_E_STATE",
        OCIREG_E_UNSUPPORTED => c"OCIREG_E_UNSUPPORTED",
        OCIREG_E_RESOLVE => c"OCIREG_E_RESOLVE",
        OCIREG_E_CONNECT => c"OCIREG_E_CONNECT",
        OCIREG_E_TLS => c"OCIREG_E_TLS",
        OCIREG_E_TIMEOUT => c"OCIREG_E_TIMEOUT",
        OCIREG_E_TRANSPORT => c"OCIREG_E_TRANSPORT",
        OCIREG_E_UNAUTHORIZED => c"OCIREG_E_UNAUTHORIZED",
        OCIREG_E_DENIED => c"OCIREG_E_DENIED",
        OCIREG_E_NOT_FOUND => c"OCIREG_E_NOT_FOUND",
        OCIREG_E_RATE_LIMITED => c"OCIREG_E_RATE_LIMITED",
        OCIREG_E_SERVER => c"OCIREG_E_SERVER",
        OCIREG_E_REJECTED => c"OCIREG_E_REJECTED",
        OCIREG_E_PROTOCOL => c"OCIREG_E_PROTOCOL",
        OCIREG_E_DIGEST_MISMATCH => c"OCIREG_E_DIGEST_MISMATCH",
        OCIREG_E_TOO_LARGE => c"OCIREG_E_TOO_LARGE",
        OCIREG_E_IO => c"OCIREG_E_IO",
        OCIREG_E_CANCELLED => c"OCIREG_E_CANCELLED",
        OCIREG_E_CALLBACK => c"OCIREG_E_CALLBACK",
        OCIREG_E_PANIC => c"OCIREG_E_PANIC",
    }
}

impl ocireg_status {
    // `repr(i32)`: the one conversion that can't lose anything.
    #[allow(clippy::as_conversions)]
    const fn number(self) -> i32 {
        self as i32
    }
}

/// Returns the name of a status, such as `"OCIREG_E_TIMEOUT"`, or `"unknown status"`. The string
/// is static and never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ocireg_status_name(status: i32) -> *const c_char {
    let known = ALL.iter().find(|known| known.number() == status);
    known
        .map_or(c"unknown status", |known| name(*known))
        .as_ptr()
}
