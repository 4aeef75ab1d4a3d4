//! Calls that belong together: one deadline, one way to stop them all, callbacks on the calling
//! thread only.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::call::{self, Call};
use super::caller_thread::CallerThread;
use super::failure::stopped_error;
use super::handle::{Client, Inner};
use super::known_failures::KnownFailures;
use super::options::CallOptions;
use super::shared_scopes::SharedScopes;
use crate::error::{Error, Result};
use crate::interrupt::{Cancel, Interrupt, SLICE, Stopped};
use crate::reference::Registry;

/// Stops the calls of a group, unless it is forgotten.
struct StopOnDrop<'a>(&'a Cancel);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.trigger();
    }
}

/// Calls that belong together.
pub(crate) struct Group<'a> {
    client: &'a Inner,
    options: &'a CallOptions,
    /// The calling thread's, with the progress callback.
    own: Arc<Interrupt>,
    workers: Arc<Interrupt>,
    stop: Cancel,
    /// The calling thread.
    caller: CallerThread,
    /// Why the client could not be used when the group began.
    unusable: Option<Error>,
    known_failures: KnownFailures,
}

impl Client {
    /// Begins calls that belong together.
    pub(crate) fn group(&self) -> Group<'_> {
        let own = Arc::new(call::interrupt(&self.inner, &self.options));
        let stop = Cancel::new();
        let workers = Arc::new(own.for_workers(&stop));
        Group {
            client: &self.inner,
            options: &self.options,
            own,
            workers,
            stop,
            caller: CallerThread::here(),
            unusable: self.inner.life.check().err(),
            known_failures: KnownFailures::default(),
        }
    }
}

impl Group<'_> {
    /// One call of the group, to be made on any thread.
    pub(crate) fn call<'c>(
        &'c self,
        registry: &'c Registry,
        about: &'c dyn fmt::Display,
        shared_scopes: SharedScopes,
    ) -> Call<'c> {
        let interrupt = match self.options.item_timeout {
            Some(timeout) => Arc::new(self.workers.with_timeout(timeout)),
            None => self.workers.clone(),
        };
        let unusable = self.unusable.clone();
        let call = Call::part_of(
            self.client,
            self.options,
            registry,
            about,
            interrupt,
            unusable,
        );
        Call {
            caller: self.caller,
            shared_scopes,
            known_failures: Some(&self.known_failures),
            ..call
        }
    }

    /// One call of the group, to be made on the calling thread.
    pub(crate) fn own_call<'c>(
        &'c self,
        registry: &'c Registry,
        about: &'c dyn fmt::Display,
    ) -> Call<'c> {
        let interrupt = self.own.clone();
        Call {
            interrupt,
            ..self.call(registry, about, SharedScopes::default())
        }
    }

    /// Notes how a lookup has ended. Where several in a row got no answer, it asks the registry's
    /// ping: if that gets none either, the rest of the lookups fail without a request.
    pub(crate) fn finished<T>(&self, call: &Call<'_>, result: &Result<T>) {
        let Err(error) = result else { return };
        let registry = call.registry;
        let needs_ping = self.known_failures.needs_ping_after(registry, error);
        if !needs_ping || self.workers.check().is_err() {
            return;
        }
        // A new connection may lead to another server, if the registry has several. Those to other
        // registries go too: this is rare.
        self.client.registries.close_idle();
        let call = self.call(registry, registry, SharedScopes::default());
        let ping = call.ping_once();
        self.known_failures.settle(registry, error, &ping);
    }

    /// How long the calling thread may wait without looking up.
    pub(crate) fn slice(&self) -> Duration {
        SLICE
    }

    /// Lets the progress callback know that the call still waits.
    pub(crate) fn tick(&self) {
        if let Err(Stopped::Callback) = self.run_callback(|| self.own.tick()) {
            self.stop();
        }
    }

    /// Lets the progress callback know how many items are still to come.
    pub(crate) fn expect(&self, items: usize) {
        self.own.expect(items as u64);
    }

    /// Tells the progress callback that one more is done.
    pub(crate) fn advanced(&self) {
        if let Err(Stopped::Callback) = self.run_callback(|| self.own.advance(1)) {
            self.stop();
        }
    }

    /// Runs a callback of the caller's. If it panics, the calls under way end, as when it stops
    /// them: the panic goes on only when all threads have ended.
    pub(crate) fn run_callback<T>(&self, callback: impl FnOnce() -> T) -> T {
        let stop = StopOnDrop(&self.stop);
        let returned = callback();
        std::mem::forget(stop);
        returned
    }

    /// Ends the calls that are still under way.
    pub(crate) fn stop(&self) {
        self.stop.trigger();
    }

    /// The error that has stopped the group, if one has.
    pub(crate) fn check(&self, about: &dyn fmt::Display) -> Result<()> {
        self.workers
            .check()
            .map_err(|stopped| stopped_error(stopped, "asking").about(about))
    }
}
