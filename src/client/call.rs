//! One call in progress: whom it asks, what it is about, and what can stop it.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::caller_thread::CallerThread;
use super::failure::Subject;
use super::handle::{Client, Inner};
use super::known_failures::KnownFailures;
use super::meaning::{About, Asked};
use super::options::CallOptions;
use super::registry::RegistryState;
use super::shared_scopes::SharedScopes;
use crate::auth::{AuthAttempts, Service};
use crate::error::Error;
use crate::http::Method;
use crate::interrupt::Interrupt;
use crate::manifest::MediaType;
use crate::reference::Registry;

/// One call in progress.
pub(crate) struct Call<'a> {
    pub(super) client: &'a Inner,
    pub(super) options: &'a CallOptions,
    pub(super) registry: &'a Registry,
    pub(super) state: Arc<RegistryState>,
    /// What errors name.
    pub(super) about: &'a dyn fmt::Display,
    pub(super) interrupt: Arc<Interrupt>,
    /// The thread that made the call; the thread that runs it may be a worker.
    pub(super) caller: CallerThread,
    /// Why the client could not be used when the call began.
    pub(super) unusable: Option<Error>,
    /// What a token may as well be for.
    pub(super) shared_scopes: SharedScopes,
    /// What other calls of its group have found out.
    pub(super) known_failures: Option<&'a KnownFailures>,
}

impl Client {
    /// Begins a call to `registry` about `about`.
    pub(crate) fn call<'a>(
        &'a self,
        registry: &'a Registry,
        about: &'a dyn fmt::Display,
    ) -> Call<'a> {
        let interrupt = Arc::new(interrupt(&self.inner, &self.options));
        let unusable = self.inner.life.check().err();
        Call::part_of(
            &self.inner,
            &self.options,
            registry,
            about,
            interrupt,
            unusable,
        )
    }
}

/// What can stop a call that starts now.
pub(super) fn interrupt(client: &Inner, options: &CallOptions) -> Interrupt {
    let timeout = options.timeout.unwrap_or(client.settings.timeout);
    // A timeout too long for the clock is as good as none.
    let deadline = Instant::now().checked_add(timeout);
    let shutdown = client.life.shutdown.clone();
    let progress = options.progress.clone();
    Interrupt::new(shutdown, options.cancel.clone(), deadline, progress)
}

impl<'a> Call<'a> {
    /// A call whose time is already running.
    pub(super) fn part_of(
        client: &'a Inner,
        options: &'a CallOptions,
        registry: &'a Registry,
        about: &'a dyn fmt::Display,
        interrupt: Arc<Interrupt>,
        unusable: Option<Error>,
    ) -> Call<'a> {
        let state = match unusable {
            None => client.registries.state(registry, &client.settings),
            // Locks that a fork has copied may be held for ever.
            Some(_) => client.registries.unshared(registry, &client.settings),
        };
        Call {
            client,
            options,
            registry,
            state,
            about,
            interrupt,
            caller: CallerThread::here(),
            unusable,
            shared_scopes: SharedScopes::default(),
            known_failures: None,
        }
    }

    /// What is known of the registry.
    pub(crate) fn state(&self) -> &RegistryState {
        &self.state
    }

    /// The media types that are accepted beside the usual ones.
    pub(crate) fn accepted(&self) -> &'a [MediaType] {
        &self.options.accept
    }

    /// What its errors are about.
    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            registry: self.registry,
            origin: &self.state.origin,
            secrets: &*self.state,
            about: self.about,
            has_login: !self.state.session.credentials().is_empty(),
        }
    }

    /// What a question to the registry is about, for the meaning of a refusal.
    pub(crate) fn asked<'q>(&self, method: Method, about: About<'q>) -> Asked<'q> {
        let session = &self.state.session;
        Asked {
            method,
            about,
            has_challenged: session.has_challenged(),
            product: session.product(),
        }
    }

    /// Lets the other calls of its group know how this one has ended.
    pub(crate) fn note_in_group<T>(&self, result: &Result<T, Error>) {
        if let Some(known) = self.known_failures {
            known.note(self.registry, result);
        }
    }

    /// Lets the other calls of its group know that no connection to the registry can be made.
    pub(super) fn note_unreachable(&self, error: &Error) {
        if let Some(known) = self.known_failures {
            known.note_unreachable(self.registry, error);
        }
    }

    /// Lets the other calls of its group know where tokens come from.
    pub(super) fn note_service_in_group(&self, attempts: &AuthAttempts) {
        if let (Some(known), Some(service)) = (self.known_failures, &attempts.named) {
            known.note_service(self.registry, service);
        }
    }

    /// The token service that the registry has named to another call of its group.
    pub(super) fn service_named_in_group(&self) -> Option<Service> {
        self.known_failures?.service_of(self.registry)
    }

    /// What another call of its group has found out in the meantime.
    pub(super) fn known_failure(&self) -> Option<Error> {
        let error = self.known_failures?.of(self.registry)?;
        Some(error.about_instead(self.about))
    }
}
