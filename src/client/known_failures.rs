//! What the calls of a group need not find out again: registries that would refuse the rest too.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, ErrorKind};
use crate::reference::Registry;

/// The registries of a group that have answered, and those that are known to refuse.
#[derive(Debug, Default)]
pub(crate) struct KnownFailures(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Their request limit is reached, or they refuse the credentials.
    failures: HashMap<Registry, Error>,
    /// They have answered a question of the group.
    answered: HashSet<Registry>,
}

impl KnownFailures {
    /// Notes how a call has ended, for those that would end in the same way. With refused
    /// credentials every lookup would be wrong, and to send them on may lock an account. Once they
    /// have been good for anything, a refusal is about one repository.
    pub(crate) fn note<T>(&self, registry: &Registry, result: &Result<T, Error>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let error = match result {
            Ok(_) => {
                if !state.answered.contains(registry) {
                    state.answered.insert(registry.clone());
                }
                return;
            }
            Err(error) => error,
        };
        let counts_for_all = match error.kind() {
            ErrorKind::RateLimited => true,
            ErrorKind::Unauthorized => !state.answered.contains(registry),
            _ => false,
        };
        if counts_for_all {
            let known = state.failures.entry(registry.clone());
            known.or_insert_with(|| error.clone());
        }
    }

    /// The error of a call to this registry that need not be made.
    pub(crate) fn of(&self, registry: &Registry) -> Option<Error> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures.get(registry).cloned()
    }
}
