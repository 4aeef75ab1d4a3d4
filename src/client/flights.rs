//! Single flight: of several threads that need the same token, one fetches it (decision 7).

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use super::answer::Complete;
use crate::interrupt::{Interrupt, Stopped};

/// The thread that a caller made a call on, perhaps in a callback of another call that it has under
/// way: this one must not wait for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asker(ThreadId);

impl Asker {
    /// This thread.
    pub(crate) fn here() -> Asker {
        Asker(thread::current().id())
    }
}

/// The fetches under way, by what they fetch.
#[derive(Debug, Default)]
pub(crate) struct Flights(Mutex<HashMap<String, Arc<Flight>>>);

#[derive(Debug)]
pub(crate) struct Flight {
    pilot: Asker,
    outcome: Mutex<Option<Outcome>>,
    over: Condvar,
}

/// How a fetch ended, for those who waited for it.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// There is a token.
    Landed,
    /// The service refused. It would refuse the waiting ones too.
    Refused(Arc<Complete>),
    /// The service answered with a status that may be different next time, to all of them alike.
    Troubled(Arc<Complete>),
    /// The fetching thread was stopped or lost its connection: somebody else should try.
    Abandoned,
}

/// One thread's part in a fetch.
pub(crate) enum Seat<'a> {
    Pilot(Pilot<'a>),
    Passenger(Arc<Flight>),
    /// The asking thread has a flight of its own, this one or another that somebody may wait for,
    /// which waits for this call in a callback.
    Alone,
}

/// Ends its flight when dropped, whatever happens: nobody waits for a thread that is gone.
pub(crate) struct Pilot<'a> {
    flights: &'a Flights,
    key: String,
    flight: Arc<Flight>,
    outcome: Outcome,
}

impl Flights {
    /// This thread may be a worker of the asking one.
    pub(crate) fn board(&self, key: &str, asker: Asker) -> Seat<'_> {
        let mut flights = lock(&self.0);
        if let Some(flight) = flights.get(key) {
            return match is_pilot(&flights, asker) {
                true => Seat::Alone,
                false => Seat::Passenger(flight.clone()),
            };
        }
        let pilot = Asker::here();
        let flight = Arc::new(Flight {
            pilot,
            outcome: Mutex::default(),
            over: Condvar::new(),
        });
        flights.insert(key.to_owned(), flight.clone());
        Seat::Pilot(Pilot {
            flights: self,
            key: key.to_owned(),
            flight,
            outcome: Outcome::Abandoned,
        })
    }

    /// Whether others may be waiting for this thread.
    pub(crate) fn has_pilot(&self, asker: Asker) -> bool {
        is_pilot(&lock(&self.0), asker)
    }
}

fn is_pilot(flights: &HashMap<String, Arc<Flight>>, asker: Asker) -> bool {
    flights.values().any(|flight| flight.pilot == asker)
}

impl Flight {
    /// Waits until the fetch has ended, or the call is stopped.
    pub(crate) fn wait(&self, interrupt: &Interrupt) -> Result<Outcome, Stopped> {
        let mut outcome = lock(&self.outcome);
        loop {
            if let Some(outcome) = &*outcome {
                return Ok(outcome.clone());
            }
            let slice = interrupt.slice();
            outcome = self
                .over
                .wait_timeout(outcome, slice)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            if outcome.is_none() {
                // The callback may take its time, and others want to end the flight meanwhile.
                drop(outcome);
                interrupt.tick()?;
                outcome = lock(&self.outcome);
            }
        }
    }
}

impl Pilot<'_> {
    pub(crate) fn ends_with(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Pilot<'_> {
    fn drop(&mut self) {
        lock(&self.flights.0).remove(&self.key);
        *lock(&self.flight.outcome) = Some(self.outcome.clone());
        self.flight.over.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
