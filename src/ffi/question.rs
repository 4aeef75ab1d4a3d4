//! What all functions that ask a registry have in common: a client, what is asked about, the
//! settings of the call.

use std::ffi::c_char;
use std::str::FromStr;

use super::boundary::{self, Out};
use super::call::ocireg_call;
use super::client::ocireg_client;
use super::error::ocireg_error;
use super::running::Running;
use super::status::ocireg_status;
use crate::Error;

/// The arguments of such a function, as C gave them.
pub(super) struct Question {
    pub(super) client: *const ocireg_client,
    /// A reference, repository or registry, and the header's name for the argument.
    pub(super) about: (*const c_char, &'static str),
    pub(super) call: *const ocireg_call,
    pub(super) error: *mut *mut ocireg_error,
}

impl Question {
    /// Clears `out`, reads the arguments, and fills `out` with what `ask` comes to.
    ///
    /// # Safety
    ///
    /// Each pointer is NULL or what the header demands of it.
    pub(super) unsafe fn ask<S: FromStr<Err = Error>, T>(
        self,
        out: *mut T,
        empty: T,
        ask: impl FnOnce(Running<'_>, S) -> Result<T, ocireg_error>,
    ) -> ocireg_status {
        let body = || {
            // SAFETY: NULL or what the header demands, for each, as the caller of this function
            // promises.
            let (out, client, about, call) = unsafe {
                let out = Out::cleared(out, empty)?;
                let client = boundary::object(self.client, "client")?;
                let about = boundary::text(self.about.0, self.about.1)?;
                (out, client, about, self.call.as_ref())
            };
            let about: S = about.parse()?;
            out.set(ask(Running::new(client, call)?, about)?);
            Ok(())
        };
        // SAFETY: NULL or writable, as the caller of this function promises.
        unsafe { boundary::run(self.error, body) }
    }
}
