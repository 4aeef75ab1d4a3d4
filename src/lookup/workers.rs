//! Many requests at once, on a limited number of threads that end with the call.
//!
//! Each registry has its own queue. The first item of a registry that the client does not know yet
//! runs alone, as the leader. What it learns, above all how to log in, the other items then use.
//! Results go to the calling thread, because only that one may run the caller's callbacks.

use std::collections::VecDeque;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// The most threads of one call, for any number of registries. A connection pool has this size too.
const MAX_THREADS: usize = 64;

/// The items that one registry is asked for.
#[derive(Debug)]
pub(super) struct RegistryQueue {
    /// Positions in the caller's list, in order.
    pub(super) items: VecDeque<usize>,
    /// Whether the first item has to run alone.
    pub(super) needs_leader: bool,
}

/// The queues of all registries of a call.
#[derive(Debug)]
struct Queues {
    states: Vec<QueueState>,
}

#[derive(Debug)]
struct QueueState {
    waiting: VecDeque<usize>,
    /// How many of its items run now.
    running: usize,
    /// Whether its leader is done, or it needs none.
    led: bool,
}

/// What a thread does next.
enum Task {
    /// Runs this item of this queue.
    Item { queue: usize, item: usize },
    /// Waits until another item is done.
    Wait,
    /// Ends, because no item waits.
    End,
}

impl Queues {
    fn next(&self, width: usize) -> Task {
        let mut waiting = false;
        // The queue with the fewest running items, so that one slow registry does not use all
        // threads.
        let mut best: Option<(usize, usize, usize)> = None;
        for (queue, state) in self.states.iter().enumerate() {
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
                best = Some((state.running, queue, item));
            }
        }
        match best {
            Some((_, queue, item)) => Task::Item { queue, item },
            None if waiting => Task::Wait,
            None => Task::End,
        }
    }
}

/// Runs `work` for every item of `queues`, at most `width` items of a queue at once, and gives each
/// result to `done` on the calling thread. While there is no result, it calls `idle` at least every
/// `slice`. Neither of them can stop the work: `work` itself must check whether it should.
///
/// If no thread can be started, the calling thread does the work itself.
pub(super) fn run<R: Send>(
    queues: Vec<RegistryQueue>,
    width: usize,
    slice: Duration,
    work: impl Fn(usize) -> R + Sync,
    mut done: impl FnMut(usize, R),
    mut idle: impl FnMut(),
) {
    let items: usize = queues.iter().map(|queue| queue.items.len()).sum();
    let threads = items
        .min(width.saturating_mul(queues.len()))
        .min(MAX_THREADS);
    let states = queues
        .into_iter()
        .map(|queue| QueueState {
            waiting: queue.items,
            running: 0,
            led: !queue.needs_leader,
        })
        .collect();
    let pool = Pool {
        queues: Mutex::new(Queues { states }),
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
        // The scope waits until their work is done, but a thread ends a moment later. After the
        // call a program may unload this library, so no thread may still run its code.
        for helper in helpers {
            if let Err(panic) = helper.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}

struct Pool<'a, W> {
    queues: Mutex<Queues>,
    changed: Condvar,
    width: usize,
    work: &'a W,
}

impl<R: Send, W: Fn(usize) -> R + Sync> Pool<'_, W> {
    fn serve(&self, sender: &Sender<(usize, R)>) {
        while let Some((queue, item)) = self.take() {
            let _running = RunningItem { pool: self, queue };
            // This only fails if the calling thread has panicked. Then nobody needs results.
            if sender.send((item, (self.work)(item))).is_err() {
                return;
            }
        }
    }

    fn take(&self) -> Option<(usize, usize)> {
        let mut queues = self.lock();
        loop {
            match queues.next(self.width) {
                Task::Item { queue, item } => {
                    let state = &mut queues.states[queue];
                    state.waiting.pop_front();
                    state.running += 1;
                    return Some((queue, item));
                }
                Task::Wait => {
                    queues = self
                        .changed
                        .wait(queues)
                        .unwrap_or_else(PoisonError::into_inner)
                }
                Task::End => return None,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An item that runs. When it is dropped, the item is done, also if its work panicked; otherwise
/// the other threads would wait for it for ever.
struct RunningItem<'a, 'b, R: Send, W: Fn(usize) -> R + Sync> {
    pool: &'a Pool<'b, W>,
    queue: usize,
}

impl<R: Send, W: Fn(usize) -> R + Sync> Drop for RunningItem<'_, '_, R, W> {
    fn drop(&mut self) {
        let mut queues = self.pool.lock();
        let state = &mut queues.states[self.queue];
        state.running -= 1;
        state.led = true;
        drop(queues);
        self.pool.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn all_at_once(items: impl IntoIterator<Item = usize>) -> RegistryQueue {
        RegistryQueue {
            items: items.into_iter().collect(),
            needs_leader: false,
        }
    }

    fn leader_first(items: impl IntoIterator<Item = usize>) -> RegistryQueue {
        RegistryQueue {
            needs_leader: true,
            ..all_at_once(items)
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
            run(
                vec![all_at_once(0..100)],
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
    fn the_leader_of_a_queue_runs_alone_and_other_queues_do_not_wait() {
        let order = Mutex::new(Vec::new());
        let work = |item: usize| {
            order.lock().unwrap().push(("start", item));
            if item == 0 {
                thread::sleep(Duration::from_millis(100));
            }
            order.lock().unwrap().push(("end", item));
        };
        run(
            vec![leader_first(0..5), all_at_once(5..10)],
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
            vec![all_at_once(0..2)],
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
