//! What the calls of a group need not find out again: registries that would refuse the rest too, or
//! that do not answer at all, and where tokens come from.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::auth::Service;
use crate::error::{Error, ErrorKind};
use crate::reference::Registry;

/// How many lookups in a row get no answer before the registry's ping is asked. One broken server
/// of several must not fail the rest.
const UNANSWERED: u32 = 3;

/// What is known of each registry of a group.
#[derive(Debug, Default)]
pub(crate) struct KnownFailures(Mutex<HashMap<Registry, Known>>);

#[derive(Debug, Default)]
struct Known {
    /// The failure that the rest of the calls share.
    failure: Option<Error>,
    /// A call has succeeded, so the credentials are good for something.
    has_succeeded: bool,
    /// It has answered, whatever it said.
    has_answered: bool,
    /// How many lookups in a row have got no answer.
    unanswered: u32,
    /// The token service that it has named.
    service: Option<Service>,
}

/// What a failure says about whether the registry answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Answer,
    NoAnswer,
    /// The failure is of this side.
    Nothing,
}

impl KnownFailures {
    /// Notes how a call has ended, for those that would end in the same way. With refused
    /// credentials every lookup would be wrong, and to send them on may lock an account. Once they
    /// have been good for anything, a refusal is about one repository.
    pub(crate) fn note<T>(&self, registry: &Registry, result: &Result<T, Error>) {
        self.change(registry, |known| match result {
            Ok(_) => {
                known.has_succeeded = true;
                known.saw_answer();
            }
            Err(error) => {
                if Sign::of(error) == Sign::Answer {
                    known.saw_answer();
                }
                if error.kind() == ErrorKind::Unauthorized && !known.has_succeeded {
                    known.fails_with(error);
                }
            }
        });
    }

    /// Notes that the registry's own request limit is reached.
    pub(super) fn note_limit(&self, registry: &Registry, error: &Error) {
        self.change(registry, |known| known.fails_with(error));
    }

    /// Notes the token service that the registry has named. Within the group it counts at once.
    pub(super) fn note_service(&self, registry: &Registry, service: &Service) {
        self.change(registry, |known| {
            if known.service.as_ref() != Some(service) {
                known.service = Some(service.clone());
            }
        });
    }

    /// The token service that the registry has named to another call of the group.
    pub(super) fn service_of(&self, registry: &Registry) -> Option<Service> {
        self.lock().get(registry)?.service.clone()
    }

    /// Notes that no connection could be made, after all retries. Once the registry has answered
    /// this counts like any other lookup without an answer: one of its servers may be broken.
    pub(super) fn note_unreachable(&self, registry: &Registry, error: &Error) {
        self.change(registry, |known| {
            if !known.has_answered {
                known.fails_with(error);
            }
        });
    }

    /// Notes that a lookup has ended with this error. Returns whether it is time to find out, with
    /// a ping, if the registry answers at all.
    #[must_use]
    pub(super) fn needs_ping_after(&self, registry: &Registry, error: &Error) -> bool {
        let mut needs_ping = false;
        self.change(registry, |known| {
            if Sign::of(error) == Sign::NoAnswer && known.failure.is_none() {
                known.unanswered += 1;
                needs_ping = known.unanswered == UNANSWERED;
            }
        });
        needs_ping
    }

    /// Notes what the ping has shown after lookups that ended like `error`.
    pub(super) fn settle(&self, registry: &Registry, error: &Error, ping: &Result<(), Error>) {
        self.change(registry, |known| match ping {
            Err(why) if Sign::of(why) == Sign::NoAnswer => {
                // An answer may have come to another lookup in the meantime.
                if known.unanswered >= UNANSWERED {
                    log::debug!("{registry}: does not answer; the rest of the batch is not sent");
                    known.fails_with(error);
                }
            }
            _ => known.saw_answer(),
        });
    }

    /// The error of a call to this registry that need not be made.
    pub(crate) fn of(&self, registry: &Registry) -> Option<Error> {
        self.lock().get(registry)?.failure.clone()
    }

    fn change(&self, registry: &Registry, change: impl FnOnce(&mut Known)) {
        let mut known = self.lock();
        // `entry` needs a copy of the name, which most calls can do without.
        match known.get_mut(registry) {
            Some(known) => change(known),
            None => change(known.entry(registry.clone()).or_default()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Registry, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn saw_answer(&mut self) {
        self.has_answered = true;
        self.unanswered = 0;
    }

    fn fails_with(&mut self, error: &Error) {
        self.failure.get_or_insert_with(|| error.clone());
    }
}

impl Sign {
    fn of(error: &Error) -> Sign {
        match error.kind() {
            ErrorKind::Resolve
            | ErrorKind::Connect
            | ErrorKind::Tls
            | ErrorKind::Timeout
            | ErrorKind::Transport
            | ErrorKind::Server => Sign::NoAnswer,
            ErrorKind::Cancelled
            | ErrorKind::Callback
            | ErrorKind::Config
            | ErrorKind::InvalidArgument
            | ErrorKind::InvalidReference
            | ErrorKind::Io
            | ErrorKind::State => Sign::Nothing,
            ErrorKind::Denied
            | ErrorKind::DigestMismatch
            | ErrorKind::NotFound
            | ErrorKind::Protocol
            | ErrorKind::RateLimited
            | ErrorKind::Rejected
            | ErrorKind::TooLarge
            | ErrorKind::Unauthorized
            | ErrorKind::Unsupported => Sign::Answer,
        }
    }
}
