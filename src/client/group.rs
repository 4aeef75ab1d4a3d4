//! Calls that belong together: one deadline, one way to stop them all, callbacks on the calling
//! thread only.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Inner;
use super::call::{Call, CallOptions};
use super::flights::Asker;
use super::send::stopped_error;
use crate::auth::Scope;
use crate::error::{Error, ErrorKind, Result};
use crate::interrupt::{Cancel, Interrupt, SLICE, Stopped};
use crate::reference::{Registry, RepositoryName};

/// The most scopes of one token request, and the most bytes of its scopes: larger tokens no longer
/// fit the header line of the nginx in front of a registry (8 KiB by default).
const MAX_SCOPES: usize = 32;
const MAX_SCOPE_BYTES: usize = 4 * 1024;

/// The scopes of other requests that will follow: one token may serve them all (decision 7).
#[derive(Debug, Clone, Default)]
pub(crate) struct Company(Option<Arc<[Scope]>>);

impl Company {
    pub(super) fn scopes(&self) -> &[Scope] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Divides repositories into companies, in order. Yields each item with its own.
    pub(crate) fn divide<'a>(
        items: impl Iterator<Item = (usize, &'a RepositoryName)>,
    ) -> Vec<(usize, Company)> {
        let mut divided = Vec::new();
        let mut chunk: Vec<(usize, Scope)> = Vec::new();
        let mut names: HashSet<&RepositoryName> = HashSet::new();
        let mut bytes = 0;
        for (item, name) in items {
            let scope = Scope::pull(name);
            // As it stands in a URL: `&scope=` and two characters more for each `:` and `/`.
            let length = scope.as_str().len() + 7 + 2 * scope.as_str().matches([':', '/']).count();
            if !names.contains(name)
                && (names.len() == MAX_SCOPES || bytes + length > MAX_SCOPE_BYTES)
            {
                divided.extend(Company::of(std::mem::take(&mut chunk)));
                names.clear();
                bytes = 0;
            }
            if names.insert(name) {
                bytes += length;
            }
            chunk.push((item, scope));
        }
        divided.extend(Company::of(chunk));
        divided
    }

    fn of(chunk: Vec<(usize, Scope)>) -> impl Iterator<Item = (usize, Company)> {
        let mut seen = HashSet::new();
        let scopes: Arc<[Scope]> = chunk
            .iter()
            .map(|(_, scope)| scope.clone())
            .filter(|scope| seen.insert(scope.clone()))
            .collect();
        chunk
            .into_iter()
            .map(move |(item, _)| (item, Company(Some(scopes.clone()))))
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
    asker: Asker,
    /// Why the client could not be used when the group began.
    unusable: Option<Error>,
    /// Registries that the rest of the group need not ask: their request limit is reached, or they
    /// refuse the credentials.
    hopeless: Mutex<HashMap<Registry, Error>>,
    /// Registries that have answered a question of the group.
    answered: Mutex<HashSet<Registry>>,
}

impl<'a> Group<'a> {
    pub(super) fn new(client: &'a Inner, options: &'a CallOptions) -> Group<'a> {
        let own = options.interrupt(client);
        let own = Arc::new(own);
        let stop = Cancel::new();
        let workers = Arc::new(own.for_workers(&stop));
        Group {
            client,
            options,
            own,
            workers,
            stop,
            asker: Asker::here(),
            unusable: client.life.check().err(),
            hopeless: Mutex::default(),
            answered: Mutex::default(),
        }
    }

    /// One call of the group, to be made on any thread.
    pub(crate) fn call<'c>(
        &'c self,
        registry: &'c Registry,
        subject: &'c dyn fmt::Display,
        company: Company,
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
            subject,
            interrupt,
            unusable,
        );
        Call {
            asker: self.asker,
            company,
            group: Some(self),
            ..call
        }
    }

    /// One call of the group, to be made on the calling thread.
    pub(super) fn own_call<'c>(
        &'c self,
        registry: &'c Registry,
        subject: &'c dyn fmt::Display,
    ) -> Call<'c> {
        let interrupt = self.own.clone();
        Call {
            interrupt,
            ..self.call(registry, subject, Company::default())
        }
    }

    /// How long the calling thread may wait without looking up.
    pub(crate) fn slice(&self) -> Duration {
        SLICE
    }

    /// Lets the progress callback know that the call still waits.
    pub(crate) fn tick(&self) {
        if let Err(Stopped::Callback) = self.own.tick() {
            self.stop();
        }
    }

    /// Lets the progress callback know how many items are still to come.
    pub(crate) fn expect(&self, items: usize) {
        self.own.expect(items as u64);
    }

    /// Tells the progress callback that one more is done.
    pub(crate) fn advanced(&self) {
        if let Err(Stopped::Callback) = self.own.advance(1) {
            self.stop();
        }
    }

    /// Ends the calls that are still under way.
    pub(crate) fn stop(&self) {
        self.stop.trigger();
    }

    /// The error that has stopped the group, if one has.
    pub(crate) fn check(&self, subject: &dyn fmt::Display) -> Result<()> {
        self.workers
            .check()
            .map_err(|stopped| stopped_error(stopped, "asking").about(subject))
    }

    /// Notes how a call has ended, for those that would end in the same way: every lookup would be
    /// wrong with refused credentials, and sending them on may lock an account. Once they have been
    /// good for anything, a refusal is about one repository.
    pub(super) fn note<T>(&self, registry: &Registry, result: &Result<T>) {
        match result {
            Ok(_) => {
                lock(&self.answered).insert(registry.clone());
            }
            Err(error) => {
                let hopeless = match error.kind() {
                    ErrorKind::RateLimited => true,
                    ErrorKind::Unauthorized => !lock(&self.answered).contains(registry),
                    _ => false,
                };
                if hopeless {
                    lock(&self.hopeless)
                        .entry(registry.clone())
                        .or_insert_with(|| error.clone());
                }
            }
        }
    }

    /// The error of a call to this registry that need not be made.
    pub(super) fn hopeless(&self, registry: &Registry) -> Option<Error> {
        lock(&self.hopeless).get(registry).cloned()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
