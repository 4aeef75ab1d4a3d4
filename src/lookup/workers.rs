//! Many requests at once, on a bounded number of threads that end with the call.
//!
//! Work is queued by registry. The first item of a registry that is still unknown goes alone (the
//! leader rule, decision 7): what it learns, how to log in above all, the others need not find out
//! again. Results come to the calling thread, which alone runs the caller's callbacks.

use std::collections::VecDeque;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// The most threads of one call, however many registries it asks: the size of a connection pool.
const MAX_THREADS: usize = 64;

/// One registry's part of the work.
#[derive(Debug)]
pub(super) struct Lane {
    /// Positions in the caller's list, in order.
    pub(super) items: VecDeque<usize>,
    /// Whether the first item has to go alone.
    pub(super) needs_leader: bool,
}

#[derive(Debug)]
struct Queue {
    lanes: Vec<LaneState>,
}

#[derive(Debug)]
struct LaneState {
    waiting: VecDeque<usize>,
    running: usize,
    led: bool,
}

/// What a thread is to do next.
enum Task {
    Item { lane: usize, item: usize },
    Wait,
    Nothing,
}

impl Queue {
    fn next(&self, width: usize) -> Task {
        let mut waiting = false;
        // The emptiest lane first, so that one slow registry does not take all threads.
        let mut best: Option<(usize, usize, usize)> = None;
        for (lane, state) in self.lanes.iter().enumerate() {
            let Some(&item) = state.waiting.front() else {
                continue;
            };
            waiting = true;
            let free = if state.led {
                state.running < width
            } else {
                state.running == 0
            };
            if free && best.is_none_or(|(running, ..)| state.running < running) {
                best = Some((state.running, lane, item));
            }
        }
        match best {
            Some((_, lane, item)) => Task::Item { lane, item },
            None if waiting => Task::Wait,
            None => Task::Nothing,
        }
    }
}

/// Runs `work` for every item of `lanes`, at most `width` at once for each lane, and gives each
/// result to `done` on the calling thread. While nothing comes, `idle` is called at least every
/// `slice`. Neither can end the work: `work` has to see for itself whether it should stop.
///
/// Where no thread can be started the calling thread does the work itself.
pub(super) fn run<R: Send>(
    lanes: Vec<Lane>,
    width: usize,
    slice: Duration,
    work: impl Fn(usize) -> R + Sync,
    mut done: impl FnMut(usize, R),
    mut idle: impl FnMut(),
) {
    let items: usize = lanes.iter().map(|lane| lane.items.len()).sum();
    let threads = items
        .min(width.saturating_mul(lanes.len()))
        .min(MAX_THREADS);
    let lanes = lanes
        .into_iter()
        .map(|lane| LaneState {
            waiting: lane.items,
            running: 0,
            led: !lane.needs_leader,
        })
        .collect();
    let pool = Pool {
        queue: Mutex::new(Queue { lanes }),
        changed: Condvar::new(),
        width,
        work: &work,
    };
    let (sender, results) = mpsc::channel();
    thread::scope(|scope| {
        let mut helpers = Vec::new();
        for _ in 0..threads {
            let (pool, sender) = (&pool, sender.clone());
            let builder = thread::Builder::new().name("ocireg-lookup".to_owned());
            helpers.extend(builder.spawn_scoped(scope, move || pool.serve(&sender)));
        }
        if helpers.is_empty() {
            pool.serve(&sender);
        }
        drop(sender);
        loop {
            match results.recv_timeout(slice) {
                Ok((item, result)) => done(item, result),
                Err(RecvTimeoutError::Timeout) => idle(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        // The scope waits for their work, not for their end: a host may unload this library, or
        // itself, after the call.
        for helper in helpers {
            if let Err(panic) = helper.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}

struct Pool<'a, W> {
    queue: Mutex<Queue>,
    changed: Condvar,
    width: usize,
    work: &'a W,
}

impl<R: Send, W: Fn(usize) -> R + Sync> Pool<'_, W> {
    fn serve(&self, sender: &Sender<(usize, R)>) {
        while let Some((lane, item)) = self.take() {
            let _seat = Seat { pool: self, lane };
            // The calling thread is gone only if it panicked; then nobody wants results.
            if sender.send((item, (self.work)(item))).is_err() {
                return;
            }
        }
    }

    fn take(&self) -> Option<(usize, usize)> {
        let mut queue = self.lock();
        loop {
            match queue.next(self.width) {
                Task::Item { lane, item } => {
                    let state = &mut queue.lanes[lane];
                    state.waiting.pop_front();
                    state.running += 1;
                    return Some((lane, item));
                }
                Task::Wait => {
                    queue = self
                        .changed
                        .wait(queue)
                        .unwrap_or_else(PoisonError::into_inner)
                }
                Task::Nothing => return None,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives a lane's place back, also when the work panics: the others would wait for it for ever.
struct Seat<'a, 'b, R: Send, W: Fn(usize) -> R + Sync> {
    pool: &'a Pool<'b, W>,
    lane: usize,
}

impl<R: Send, W: Fn(usize) -> R + Sync> Drop for Seat<'_, '_, R, W> {
    fn drop(&mut self) {
        let mut queue = self.pool.lock();
        let state = &mut queue.lanes[self.lane];
        state.running -= 1;
        state.led = true;
        drop(queue);
        self.pool.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn lane(items: impl IntoIterator<Item = usize>, needs_leader: bool) -> Lane {
        Lane {
            items: items.into_iter().collect(),
            needs_leader,
        }
    }

    #[test]
    fn every_item_is_done_once_and_never_too_many_at_once() {
        for width in [1, 3, 200] {
            let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let work = |item: usize| {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(1));
                running.fetch_sub(1, Ordering::SeqCst);
                item * 2
            };
            let mut seen = HashSet::new();
            let lanes = vec![lane(0..100, false)];
            run(
                lanes,
                width,
                Duration::from_millis(5),
                work,
                |item, twice| assert!(twice == item * 2 && seen.insert(item)),
                || {},
            );
            assert_eq!(seen.len(), 100);
            assert!(
                most.load(Ordering::SeqCst) <= width.min(MAX_THREADS),
                "width {width}"
            );
        }
    }

    #[test]
    fn the_leader_of_a_lane_goes_alone_and_other_lanes_do_not_wait() {
        let order = Mutex::new(Vec::new());
        let work = |item: usize| {
            order.lock().unwrap().push(("start", item));
            if item == 0 {
                thread::sleep(Duration::from_millis(100));
            }
            order.lock().unwrap().push(("end", item));
        };
        run(
            vec![lane(0..5, true), lane(5..10, false)],
            4,
            Duration::from_millis(5),
            work,
            |_, ()| {},
            || {},
        );
        let order = order.into_inner().unwrap();
        let at = |event| order.iter().position(|seen| *seen == event).unwrap();
        for follower in 1..5 {
            assert!(at(("start", follower)) > at(("end", 0)), "{follower}");
        }
        assert!(at(("end", 9)) < at(("end", 0)));
    }

    #[test]
    fn the_calling_thread_is_called_while_it_waits() {
        let mut idle = 0;
        let work = |_| thread::sleep(Duration::from_millis(60));
        run(
            vec![lane(0..2, false)],
            1,
            Duration::from_millis(10),
            work,
            |_, ()| {},
            || idle += 1,
        );
        assert!(idle >= 4, "{idle}");
    }

    #[test]
    fn no_work_ends_at_once() {
        run(
            Vec::new(),
            8,
            Duration::from_millis(5),
            |_| (),
            |_, ()| unreachable!(),
            || unreachable!(),
        );
    }
}
