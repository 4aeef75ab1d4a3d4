//! The common part of all functions that ask one registry about one reference, repository or
//! registry.

use std::ffi::c_char;
use std::str::FromStr;

use super::active_call::ActiveCall;
use super::call::ocireg_call;
use super::client::ocireg_client;
use super::error::ocireg_error;
use super::output::{Out, Output};
use super::status::ocireg_status;
use super::{argument, boundary};
use crate::Error;

/// Clears `out`, reads the other arguments, and stores the result of `ask` in `out`. `subject` is
/// what the function asks about, with the argument's name in the header.
///
/// # Safety
///
/// Each pointer is NULL or what the header demands of it.
pub(super) unsafe fn query<S: FromStr<Err = Error>, T: Output>(
    client: *const ocireg_client,
    subject: (*const c_char, &str),
    call: *const ocireg_call,
    out: *mut T,
    error: *mut *mut ocireg_error,
    ask: impl FnOnce(ActiveCall<'_>, S) -> Result<T, ocireg_error>,
) -> ocireg_status {
    let body = || {
        // SAFETY: NULL or what the header demands, for each, as the caller of this function
        // promises.
        let (out, client, subject, call) = unsafe {
            let out = Out::cleared(out)?;
            let client = argument::object(client, "client")?;
            let subject = argument::text(subject.0, subject.1)?;
            (out, client, subject, call.as_ref())
        };
        let subject: S = subject.parse()?;
        out.set(ask(ActiveCall::new(client, call)?, subject)?);
        Ok(())
    };
    // SAFETY: NULL or writable, as the caller of this function promises.
    unsafe { boundary::run(error, body) }
}
