//! One client, many threads, and callbacks that use the client (R28).

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use fake_registry::{Config, FakeRegistry, Quirk, Script, ScriptServer};
use ocireg::{CallOptions, Client, Presence};

use super::faults_support::{Ask, MANIFEST, MANIFEST_TYPE, hasty, image, once};

#[test]
fn r28_sixteen_threads_and_two_registries() {
    const THREADS: usize = 16;
    let registries = [1, 4].map(|delay| {
        let registry = FakeRegistry::start(Config::new().delay(Duration::from_millis(delay)));
        for tag in ["v1", "v2"] {
            registry.put_manifest("t/a", tag, MANIFEST_TYPE, MANIFEST);
        }
        // Each answer has a warning, which the client has to keep once.
        registry.add_quirk(Quirk::Warning("mind the gap".into()));
        registry
    });
    let client = once();
    let authorities = registries.each_ref().map(FakeRegistry::authority);
    let asked = AtomicU64::new(0);
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (client, authorities, asked) = (client.clone(), &authorities, &asked);
            scope.spawn(move || {
                for round in 0..20 {
                    let authority = &authorities[(number + round) % 2];
                    let ask = [Ask::Head, Ask::Tags, Ask::Ping][(number * 7 + round) % 3];
                    assert_eq!(ask.run(&client, authority).unwrap(), ask.expected());
                    let missing = image(authority).with_tag(format!("m{number}").parse().unwrap());
                    assert_eq!(client.exists(&missing).unwrap(), Presence::Absent);
                    asked.fetch_add(2, Ordering::Relaxed);
                }
            });
        }
    });
    let requests: usize = registries.iter().map(FakeRegistry::request_count).sum();
    assert_eq!(requests as u64, asked.load(Ordering::Relaxed));
    for registry in &registries {
        assert!(registry.connection_count() <= THREADS as u64);
        let warnings = client.warnings(&registry.authority().parse().unwrap());
        assert_eq!(warnings.len(), 1, "{warnings:?}");
    }
}

#[test]
fn r28_a_silent_registry_does_not_hold_up_others() {
    let silent = ScriptServer::start(vec![Script::new().read_request().stall()]);
    let registry = FakeRegistry::start(Config::new());
    let client = hasty().build().unwrap();
    thread::scope(|scope| {
        let cancel = ocireg::Cancel::new();
        let held = client.with(CallOptions::new().cancel(&cancel));
        let waits = scope.spawn(move || Ask::Head.run(&held, &silent.authority()));
        for _ in 0..50 {
            Ask::Ping.run(&client, &registry.authority()).unwrap();
        }
        assert!(!waits.is_finished());
        cancel.trigger();
        assert!(waits.join().unwrap().is_err());
    });
}

#[test]
fn r28_a_progress_callback_may_use_the_client() {
    let slow = FakeRegistry::start(Config::new().delay(Duration::from_millis(400)));
    slow.put_manifest("t/a", "v1", MANIFEST_TYPE, MANIFEST);
    let quick = FakeRegistry::start(Config::new());
    quick.put_manifest("t/a", "v1", MANIFEST_TYPE, MANIFEST);
    let client = once();
    // The same client alternately asks the registry that it waits for, and another one.
    let answers = Arc::new(Mutex::new(Vec::new()));
    let (inner, seen) = (client.clone(), answers.clone());
    let authorities = [quick.authority(), slow.authority()];
    let watching = CallOptions::new().progress(move |_| {
        let number = seen.lock().unwrap().len();
        let answer = Ask::Head.run(&inner, &authorities[number % 2]);
        seen.lock()
            .unwrap()
            .push(answer.map_err(|error| error.to_string()));
        ControlFlow::Continue(())
    });
    let watched = client.with(watching);
    for _ in 0..2 {
        assert_eq!(
            Ask::Head.run(&watched, &slow.authority()).unwrap(),
            Ask::Head.expected()
        );
    }
    let answers = answers.lock().unwrap();
    assert!(answers.len() >= 2, "{answers:?}");
    assert!(
        answers
            .iter()
            .all(|answer| *answer == Ok(Ask::Head.expected())),
        "{answers:?}"
    );
}

/// The request that goes first after a 429 waits for its callback, so the callback must not wait
/// for that request.
#[test]
fn r28_a_progress_callback_may_ask_a_registry_that_has_said_429() {
    let delay = Quirk::Delay(Duration::from_millis(600));
    let config = Config::new().quirk(Quirk::TooManyRequests(1, "0".into()));
    let registry = Arc::new(FakeRegistry::start(config.quirk(delay)));
    registry.put_manifest("t/a", "v1", MANIFEST_TYPE, MANIFEST);
    let client = hasty().build().unwrap();
    let inner = client.with(CallOptions::new().timeout(Duration::from_secs(5)));
    let answers = Arc::new(Mutex::new(Vec::new()));
    let (asked, seen) = (registry.clone(), answers.clone());
    let watching = CallOptions::new().progress(move |_| {
        if asked.request_count() == 2 && seen.lock().unwrap().is_empty() {
            let answer = Ask::Head.run(&inner, &asked.authority());
            seen.lock()
                .unwrap()
                .push(answer.map_err(|error| error.to_string()));
        }
        ControlFlow::Continue(())
    });
    let answer = Ask::Head.run(&client.with(watching), &registry.authority());
    assert_eq!(answer.unwrap(), Ask::Head.expected());
    assert_eq!(*answers.lock().unwrap(), [Ok(Ask::Head.expected())]);
}

#[test]
fn r28_public_types_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Client>();
    shared::<ocireg::ClientBuilder>();
    shared::<CallOptions>();
    shared::<ocireg::Cancel>();
    shared::<ocireg::Progress>();
    shared::<ocireg::TagPages>();
    shared::<ocireg::CatalogPages>();
    shared::<ocireg::Page<ocireg::Tag>>();
    shared::<ocireg::Ping>();
    shared::<ocireg::AuthScheme>();
    shared::<ocireg::Error>();
    shared::<ocireg::ErrorKind>();
    shared::<ocireg::RegistryError>();
    shared::<ocireg::RateLimit>();
    shared::<Presence>();
    shared::<ocireg::Resolved>();
    shared::<ocireg::DigestSource>();
    shared::<ocireg::MediaType>();
    shared::<ocireg::Digest>();
    shared::<ocireg::Algorithm>();
    shared::<ocireg::Hasher>();
    shared::<ocireg::Verifier>();
    shared::<ocireg::Reference>();
    shared::<ocireg::Registry>();
    shared::<ocireg::Repository>();
    shared::<ocireg::RepositoryName>();
    shared::<ocireg::Tag>();
    shared::<Box<dyn ocireg::Resolver>>();
}
