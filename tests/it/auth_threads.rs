//! Many threads and few token requests (R12): single flight, with a leader that fetches and
//! followers that wait.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ocireg::{CallOptions, Cancel, ErrorKind};
use token_service::{Quirk as Odd, TokenService};

use crate::auth_support::*;

const THREADS: usize = 32;

#[test]
fn r12_ten_thousand_lookups_with_tokens_of_a_second() {
    const LOOKUPS: usize = 10_000;
    let service = TokenService::start(service_config().lifetime(Duration::from_secs(1)));
    let registry = bearer_registry(&service);
    let authority = registry.authority();
    let client = builder().basic(&authority, USER, PASSWORD).build().unwrap();
    let image = reference(&format!("{authority}/mine:1"));
    let started = Instant::now();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (client, image) = (&client, &image);
            scope.spawn(move || {
                for lookup in (thread..LOOKUPS).step_by(THREADS) {
                    let result = client.exists(image);
                    assert_eq!(outcome(&result), "exists", "lookup {lookup}: {result:?}");
                }
            });
        }
    });
    let lifetimes = usize::try_from(started.elapsed().as_secs()).unwrap();
    // One for each lifetime that began, one more for the first, and one for a token that expired on
    // its way.
    let fetched = service.request_count();
    assert!(
        fetched <= lifetimes + 2,
        "{fetched} token requests in {lifetimes} s"
    );
    // Each thread may have been refused once for each token that expired.
    let extra = registry.request_count() - LOOKUPS;
    assert!(extra <= fetched * THREADS, "{extra} requests refused");
}

#[test]
fn when_the_leader_stops_one_follower_takes_over() {
    for kind in [ErrorKind::Cancelled, ErrorKind::Timeout] {
        let service =
            TokenService::start(service_config().quirk(Odd::Delay(Duration::from_secs(20))));
        let registry = bearer_registry(&service);
        let authority = registry.authority();
        let client = builder().basic(&authority, USER, PASSWORD).build().unwrap();
        let image = reference(&format!("{authority}/mine:1"));
        let stop = Cancel::new();
        let options = match kind {
            ErrorKind::Timeout => CallOptions::new().timeout(Duration::from_millis(1500)),
            _ => CallOptions::new().cancel(&stop),
        };
        let leader = client.with(options);
        thread::scope(|scope| {
            let leading = scope.spawn(|| leader.exists(&image));
            until(|| service.request_count() == 1);
            let following: Vec<_> = (0..THREADS)
                .map(|_| scope.spawn(|| client.exists(&image)))
                .collect();
            // A realm counts for others once its token was accepted, so each gets the challenge.
            // The followers wait for the leader's token and send no token request.
            until(|| registry.request_count() == THREADS + 1);
            thread::sleep(Duration::from_millis(300));
            assert_eq!(service.request_count(), 1);
            service.set_quirks([]);
            stop.trigger();
            assert_eq!(leading.join().unwrap().unwrap_err().kind(), kind);
            for follower in following {
                assert_eq!(outcome(&follower.join().unwrap()), "exists");
            }
        });
        assert_eq!(service.request_count(), 2, "{kind:?}");
        assert_eq!(registry.request_count(), 2 * THREADS + 1, "{kind:?}");
    }
}

#[test]
fn a_follower_can_be_stopped() {
    let service = TokenService::start(service_config().quirk(Odd::Delay(Duration::from_secs(20))));
    let registry = bearer_registry(&service);
    let authority = registry.authority();
    let client = builder().basic(&authority, USER, PASSWORD).build().unwrap();
    let image = reference(&format!("{authority}/mine:1"));
    let (stop, end) = (Cancel::new(), Cancel::new());
    let (leader, follower) = (
        client.with(CallOptions::new().cancel(&end)),
        client.with(CallOptions::new().cancel(&stop)),
    );
    thread::scope(|scope| {
        scope.spawn(|| leader.exists(&image));
        until(|| service.request_count() == 1);
        let waiting = scope.spawn(|| follower.exists(&image));
        thread::sleep(Duration::from_millis(300));
        let asked = Instant::now();
        stop.trigger();
        let error = waiting.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert!(
            asked.elapsed() < Duration::from_secs(1),
            "{:?}",
            asked.elapsed()
        );
        end.trigger();
    });
    assert_eq!(service.request_count(), 1);
}

#[test]
fn followers_get_the_refusal_of_their_leader() {
    let service =
        TokenService::start(service_config().quirk(Odd::Delay(Duration::from_millis(500))));
    let registry = bearer_registry(&service);
    let authority = registry.authority();
    let client = builder().basic(&authority, USER, "wrong").build().unwrap();
    let image = reference(&format!("{authority}/mine:1"));
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                start.wait();
                assert_eq!(outcome(&client.exists(&image)), "Unauthorized");
            });
        }
    });
    // One, unless the registry delayed a thread for half a second.
    assert!(service.request_count() <= 3, "{}", service.request_count());
    assert!(registry.request_count() <= THREADS);
}

/// A callback of the leader may start a batch, whose threads need the token that the leader
/// fetches.
#[test]
fn a_callback_of_the_leader_may_start_a_batch() {
    let delay = Odd::Delay(Duration::from_millis(600));
    let service = Arc::new(TokenService::start(service_config().quirk(delay)));
    let registry = bearer_registry(&service);
    let authority = registry.authority();
    let client = builder().basic(&authority, USER, PASSWORD).build().unwrap();
    let image = reference(&format!("{authority}/mine:1"));
    let inner = client.with(CallOptions::new().timeout(Duration::from_secs(5)));
    let outcomes = Arc::new(Mutex::new(Vec::new()));
    let (fetching, wanted, seen) = (service.clone(), image.clone(), outcomes.clone());
    let watching = CallOptions::new().progress(move |_| {
        let mut seen = seen.lock().unwrap();
        if fetching.request_count() == 1 && seen.is_empty() {
            let results = inner.lookup_all(std::slice::from_ref(&wanted));
            seen.extend(results.iter().map(outcome));
        }
        ControlFlow::Continue(())
    });
    assert_eq!(outcome(&client.with(watching).exists(&image)), "exists");
    assert_eq!(*outcomes.lock().unwrap(), ["exists"]);
}

/// Two threads fetch a token each, and a callback of each asks for what the other is fetching.
#[test]
fn callbacks_of_two_leaders_do_not_wait_for_each_other() {
    let service = Arc::new(TokenService::start(service_config()));
    let registry = bearer_registry(&service);
    let authority = registry.authority();
    let client = builder().basic(&authority, USER, PASSWORD).build().unwrap();
    let image = |name: &str| reference(&format!("{authority}/{name}:1"));
    // From now on the challenge is known.
    assert_eq!(outcome(&client.exists(&image("open"))), "exists");
    service.set_quirks([Odd::Delay(Duration::from_millis(800))]);
    let inner = client.with(CallOptions::new().timeout(Duration::from_secs(5)));
    let outcomes = Arc::new(Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for (own, other) in [("mine", "also"), ("also", "mine")] {
            let (fetching, inner, seen) = (service.clone(), inner.clone(), outcomes.clone());
            let (own, other) = (image(own), image(other));
            let asked = AtomicBool::new(false);
            let watching = CallOptions::new().progress(move |_| {
                if fetching.request_count() >= 3 && !asked.swap(true, Ordering::Relaxed) {
                    let result = inner.exists(&other);
                    seen.lock().unwrap().push(outcome(&result));
                }
                ControlFlow::Continue(())
            });
            let watched = client.with(watching);
            scope.spawn(move || assert_eq!(outcome(&watched.exists(&own)), "exists"));
        }
    });
    assert_eq!(*outcomes.lock().unwrap(), ["exists", "exists"]);
}

/// Waits until a condition holds, but not without end.
#[track_caller]
fn until(holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "it never held");
        thread::sleep(Duration::from_millis(5));
    }
}
