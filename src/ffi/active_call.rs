//! A call that is under way.

use std::borrow::Cow;
use std::sync::Arc;

use super::call::ocireg_call;
use super::callbacks::CallbackStatus;
use super::client::ocireg_client;
use super::error::ocireg_error;
use crate::{Client, Result};

/// A call that is under way: the client with the settings of the call.
pub(super) struct ActiveCall<'a> {
    client: Cow<'a, Client>,
    callback_status: Option<Arc<CallbackStatus>>,
}

impl<'a> ActiveCall<'a> {
    pub(super) fn new(
        client: &'a ocireg_client,
        call: Option<&ocireg_call>,
    ) -> Result<ActiveCall<'a>, ocireg_error> {
        let Some(call) = call else {
            // Most calls have no settings of their own, so this path allocates nothing.
            return Ok(ActiveCall {
                client: Cow::Borrowed(client.client()),
                callback_status: None,
            });
        };
        call.check()?;
        let callback_status = Arc::<CallbackStatus>::default();
        Ok(ActiveCall {
            client: Cow::Owned(client.client().with(call.options(&callback_status, 0))),
            callback_status: Some(callback_status),
        })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Makes the call and returns its result for C.
    pub(super) fn ask<T>(&self, ask: impl FnOnce(&Client) -> Result<T>) -> Result<T, ocireg_error> {
        unless_stopped(self.callback_status.as_deref(), ask(&self.client))
    }

    /// For requests that are made later with the same callbacks.
    pub(super) fn into_callback_status(self) -> Option<Arc<CallbackStatus>> {
        self.callback_status
    }
}

/// The result of a call, unless a callback has stopped it. C then gets the callback's value.
pub(super) fn unless_stopped<T>(
    callback_status: Option<&CallbackStatus>,
    result: Result<T>,
) -> Result<T, ocireg_error> {
    if let Some(status) = callback_status {
        status.check()?;
    }
    Ok(result?)
}
