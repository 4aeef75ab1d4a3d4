//! The idle connections of a client: those to all servers together are bounded.
//!
//! ureq keeps a pool for each origin, and looks at it only when that origin is asked again. So its
//! pools hold [`Pooled`](super::pooled::Pooled) shells, and the connections themselves are here
//! while they are idle.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The most idle connections of a client: the largest concurrency of a batch.
pub(super) const MAX_IDLE: usize = 64;
/// How long an idle connection is kept. Most servers close after 60 to 75 s; one that closes
/// earlier costs nothing but a silent retry.
pub(super) const MAX_IDLE_AGE: Duration = Duration::from_secs(60);

/// A connection that is idle.
pub(super) trait Idle: Send {
    /// Whether it can't be used again: the other side has closed it, or has sent something.
    fn is_spoilt(&mut self) -> bool;

    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

/// Names an idle connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket(u64);

/// Names the time between two calls of [`IdleConnections::retire`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Era(u64);

/// The idle connections of a client.
#[derive(Default)]
pub(super) struct IdleConnections(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    era: Era,
    next: u64,
    /// The latest last.
    connections: VecDeque<(Ticket, Instant, Box<dyn Idle>)>,
}

impl IdleConnections {
    pub(super) fn era(&self) -> Era {
        self.kept().era
    }

    /// Keeps a connection that was made or taken in this era, and closes those that are too many or
    /// too old. `None` if the era is over: then it is closed.
    pub(super) fn keep(&self, connection: Box<dyn Idle>, era: Era) -> Option<Ticket> {
        let now = Instant::now();
        // Closed when they are dropped, which is not under the lock.
        let mut closed = Vec::new();
        let mut kept = self.kept();
        if kept.era != era {
            closed.push(connection);
            return None;
        }
        let ticket = Ticket(kept.next);
        kept.next += 1;
        kept.connections.push_back((ticket, now, connection));
        while kept.must_close_first(now) {
            closed.extend(kept.connections.pop_front().map(|(.., first)| first));
        }
        drop(kept);
        Some(ticket)
    }

    /// Takes a connection back; `None` if it was closed.
    pub(super) fn take(&self, ticket: Ticket) -> Option<Box<dyn Idle>> {
        let mut kept = self.kept();
        let at = kept
            .connections
            .iter()
            .rposition(|(kept, ..)| *kept == ticket)?;
        kept.connections
            .remove(at)
            .map(|(.., connection)| connection)
    }

    /// Closes those that can't be used again. Reads from each.
    pub(super) fn close_spoilt(&self) {
        let mut kept = self.kept();
        kept.connections
            .retain_mut(|(.., connection)| !connection.is_spoilt());
    }

    /// Closes all.
    pub(super) fn close_all(&self) {
        let _closed = std::mem::take(&mut self.kept().connections);
    }

    /// Closes all, and those that are in use now when they are no longer.
    pub(super) fn retire(&self) {
        let mut kept = self.kept();
        kept.era.0 += 1;
        let closed = std::mem::take(&mut kept.connections);
        drop(kept);
        drop(closed);
    }

    /// Never held across a wait.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn must_close_first(&self, now: Instant) -> bool {
        let first = self.connections.front();
        let age = first.map(|(_, since, _)| now.saturating_duration_since(*since));
        self.connections.len() > MAX_IDLE || age.is_some_and(|age| age > MAX_IDLE_AGE)
    }
}

impl fmt::Debug for IdleConnections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdleConnections")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Counts how many of it are open.
    struct Open(Arc<AtomicUsize>);

    impl Open {
        fn new(count: &Arc<AtomicUsize>) -> Box<Open> {
            count.fetch_add(1, Ordering::Relaxed);
            Box::new(Open(count.clone()))
        }
    }

    impl Drop for Open {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }

    impl Idle for Open {
        fn is_spoilt(&mut self) -> bool {
            false
        }

        fn into_any(self: Box<Self>) -> Box<dyn Any> {
            self
        }
    }

    #[test]
    fn the_oldest_are_closed_when_one_more_is_kept() {
        let (idle, open) = (IdleConnections::default(), Arc::default());
        let tickets: Vec<Ticket> = (0..MAX_IDLE + 6)
            .map(|_| idle.keep(Open::new(&open), idle.era()).unwrap())
            .collect();
        assert_eq!(open.load(Ordering::Relaxed), MAX_IDLE);
        assert!(idle.take(tickets[5]).is_none());
        assert!(idle.take(tickets[6]).is_some());
        assert!(idle.take(tickets[6]).is_none(), "taken twice");
    }

    #[test]
    fn those_idle_for_a_minute_are_closed_when_another_is_kept() {
        let (idle, open) = (IdleConnections::default(), Arc::default());
        for _ in 0..3 {
            idle.keep(Open::new(&open), idle.era()).unwrap();
        }
        for age in [61, 59] {
            let since = Instant::now().checked_sub(Duration::from_secs(age));
            let mut kept = idle.kept();
            for (_, kept_since, _) in kept.connections.iter_mut().take(3) {
                *kept_since = since.unwrap();
            }
            drop(kept);
            idle.keep(Open::new(&open), idle.era()).unwrap();
        }
        // The three of the first round, and none of the second.
        assert_eq!(open.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn one_of_an_era_that_is_over_is_closed() {
        let (idle, open) = (IdleConnections::default(), Arc::default());
        let era = idle.era();
        let kept = idle.keep(Open::new(&open), era).unwrap();
        idle.retire();
        assert!(idle.take(kept).is_none());
        assert!(idle.keep(Open::new(&open), era).is_none());
        assert_eq!(open.load(Ordering::Relaxed), 0);
        assert!(idle.keep(Open::new(&open), idle.era()).is_some());
        idle.close_all();
        assert_eq!(open.load(Ordering::Relaxed), 0);
        assert!(idle.keep(Open::new(&open), idle.era()).is_some());
    }
}
