//! A call that is under way, and what its callbacks have said.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use super::call::ocireg_call;
use super::client::ocireg_client;
use super::error::ocireg_error;
use crate::{Client, Result};

/// Whether a callback has stopped a call, and with which value.
#[derive(Default)]
pub(super) struct StopCode(AtomicI32);

impl StopCode {
    /// Runs a callback, unless one has stopped the call already: no other is called then.
    pub(super) fn ask(&self, callback: impl FnOnce() -> i32) -> ControlFlow<()> {
        if self.check().is_err() {
            return ControlFlow::Break(());
        }
        match callback() {
            0 => ControlFlow::Continue(()),
            code => {
                self.0.store(code, Ordering::Relaxed);
                ControlFlow::Break(())
            }
        }
    }

    /// The error of a call that a callback has stopped.
    pub(super) fn check(&self) -> Result<(), ocireg_error> {
        match self.0.load(Ordering::Relaxed) {
            0 => Ok(()),
            code => Err(ocireg_error::stopped_by_callback(code)),
        }
    }
}

/// A call that is under way: the client with the call's settings.
pub(super) struct Running<'a> {
    client: Cow<'a, Client>,
    stop: Option<Arc<StopCode>>,
}

impl<'a> Running<'a> {
    pub(super) fn new(
        client: &'a ocireg_client,
        call: Option<&ocireg_call>,
    ) -> Result<Running<'a>, ocireg_error> {
        let Some(call) = call else {
            // The commonest call has nothing to set up.
            return Ok(Running {
                client: Cow::Borrowed(client.client()),
                stop: None,
            });
        };
        call.check()?;
        let stop = Arc::<StopCode>::default();
        Ok(Running {
            client: Cow::Owned(client.client().with(call.options(&stop, 0))),
            stop: Some(stop),
        })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Makes the call. Its result is for C, which is told what a callback has returned.
    pub(super) fn ask<T>(&self, ask: impl FnOnce(&Client) -> Result<T>) -> Result<T, ocireg_error> {
        end(&self.stop, ask(&self.client))
    }

    /// What the callbacks tell, for calls that are made later.
    pub(super) fn into_stop(self) -> Option<Arc<StopCode>> {
        self.stop
    }
}

/// A call's result, unless a callback has stopped it.
pub(super) fn end<T>(stop: &Option<Arc<StopCode>>, result: Result<T>) -> Result<T, ocireg_error> {
    if let Some(stop) = stop {
        stop.check()?;
    }
    Ok(result?)
}
