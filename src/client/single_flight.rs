//! Single flight: of several threads that need the same thing, one fetches it for all.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::caller_thread::CallerThread;
use crate::interrupt::{Interrupt, Stopped};

/// The fetches under way, by what they fetch. `T` is what the others learn of a fetch that is done.
#[derive(Debug)]
pub(crate) struct SingleFlight<T>(Mutex<HashMap<String, Arc<Flight<T>>>>);

impl<T> Default for SingleFlight<T> {
    fn default() -> SingleFlight<T> {
        SingleFlight(Mutex::default())
    }
}

#[derive(Debug)]
struct Flight<T> {
    leader: CallerThread,
    end: Mutex<Option<End<T>>>,
    ended: Condvar,
}

/// How a fetch has ended, for those that waited for it.
#[derive(Debug, Clone)]
pub(crate) enum End<T> {
    /// The leader has what it was sent for, or knows why nobody gets it.
    Done(T),
    /// The leader was stopped, or lost its connection. Another thread should try.
    Abandoned,
}

/// One thread's part in a fetch.
pub(crate) enum Part<'a, T: Clone> {
    /// This thread fetches.
    Leader(Leader<'a, T>),
    /// Another thread fetches, and this one waits for it.
    Follower(Follower<T>),
    /// This thread fetches for itself. It has made this call in a callback of a call that leads a
    /// fetch, this one or another, and somebody may be waiting for that.
    Alone,
}

/// Ends its fetch when it is dropped, whatever happens: nobody waits for a thread that is gone.
pub(crate) struct Leader<'a, T: Clone> {
    flights: &'a SingleFlight<T>,
    key: String,
    flight: Arc<Flight<T>>,
    end: End<T>,
}

/// Waits for another thread's fetch.
pub(crate) struct Follower<T>(Arc<Flight<T>>);

impl<T: Clone> SingleFlight<T> {
    /// Joins the fetch of `key`, or begins it. This thread may be a worker of `caller`.
    pub(crate) fn join(&self, key: &str, caller: CallerThread) -> Part<'_, T> {
        let mut flights = lock(&self.0);
        if let Some(flight) = flights.get(key) {
            return match leads(&flights, caller) {
                true => Part::Alone,
                false => Part::Follower(Follower(flight.clone())),
            };
        }
        let flight = Arc::new(Flight {
            leader: CallerThread::here(),
            end: Mutex::default(),
            ended: Condvar::new(),
        });
        flights.insert(key.to_owned(), flight.clone());
        Part::Leader(Leader {
            flights: self,
            key: key.to_owned(),
            flight,
            end: End::Abandoned,
        })
    }

    /// Whether others may be waiting for this thread.
    pub(crate) fn is_leader(&self, caller: CallerThread) -> bool {
        leads(&lock(&self.0), caller)
    }
}

fn leads<T>(flights: &HashMap<String, Arc<Flight<T>>>, caller: CallerThread) -> bool {
    flights.values().any(|flight| flight.leader == caller)
}

impl<T: Clone> Follower<T> {
    /// Waits until the fetch has ended, or the call is stopped.
    pub(crate) fn wait(&self, interrupt: &Interrupt) -> Result<End<T>, Stopped> {
        let mut end = lock(&self.0.end);
        loop {
            if let Some(end) = &*end {
                return Ok(end.clone());
            }
            end = self
                .0
                .ended
                .wait_timeout(end, interrupt.slice())
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            if end.is_none() {
                // The callback may take its time, and the leader has to be able to end meanwhile.
                drop(end);
                interrupt.tick()?;
                end = lock(&self.0.end);
            }
        }
    }
}

impl<T: Clone> Leader<'_, T> {
    /// Tells the followers.
    pub(crate) fn ends(mut self, end: End<T>) {
        self.end = end;
    }
}

impl<T: Clone> Drop for Leader<'_, T> {
    fn drop(&mut self) {
        lock(&self.flights.0).remove(&self.key);
        *lock(&self.flight.end) = Some(self.end.clone());
        self.flight.ended.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
