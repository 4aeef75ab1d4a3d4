//! Batches on registries without a login: which requests are sent, in which order answers come, and
//! what stops a batch.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use fake_registry::{Config, FakeRegistry, Quirk};
use ocireg::{CallOptions, Cancel, Client, ErrorKind, Presence, Reference};

use crate::quirks_support::{IMAGE, INDEX, builder, client, image, registry, repository, start};

const WIDTHS: [usize; 2] = [1, 8];

fn wide(client: &Client, width: usize) -> Client {
    client.with(CallOptions::new().concurrency(width))
}

/// `count` repositories with one image each: `t/r0:v000000` and so on.
fn filled(registry: &FakeRegistry, count: usize) -> Vec<Reference> {
    for number in 0..count {
        registry.put_tags(&format!("t/r{number}"), "v", 1);
    }
    (0..count)
        .map(|number| image(registry, &format!("t/r{number}:v000000")))
        .collect()
}

#[test]
fn a_batch_asks_each_reference_once_and_keeps_the_order() {
    for width in WIDTHS {
        let (one, two) = (registry([]), registry([]));
        let mut references = filled(&one, 15);
        references.extend(filled(&two, 15));
        let absent = image(&one, "t/r3:nosuch");
        references.insert(7, absent.clone());
        references.push(references[0].clone());
        references.push(absent);
        let answers = wide(&client(), width).lookup_all(&references);
        assert_eq!(answers.len(), references.len());
        for (reference, answer) in references.iter().zip(&answers) {
            let missing = reference.to_string().ends_with("nosuch");
            let answer = answer.as_ref().unwrap();
            assert_eq!(matches!(answer, Presence::Absent), missing, "{reference}");
        }
        assert_eq!(
            (one.request_count(), two.request_count()),
            (16, 15),
            "width {width}"
        );
    }
}

#[test]
fn an_empty_batch_asks_nothing() {
    assert_eq!(client().lookup_all(&[]).len(), 0);
}

#[test]
fn each_result_is_reported_on_the_calling_thread_when_it_is_there() {
    let registry = registry([]);
    let references = filled(&registry, 10);
    let mut seen = Vec::new();
    let calling = std::thread::current().id();
    client().lookup_each(&references, |position, answer| {
        assert_eq!(std::thread::current().id(), calling);
        seen.push((position, answer.is_ok()));
        ControlFlow::Continue(())
    });
    seen.sort_unstable();
    assert_eq!(
        seen,
        (0..10).map(|position| (position, true)).collect::<Vec<_>>()
    );
}

#[test]
fn a_callback_that_stops_ends_the_batch() {
    let registry = start(Config::new().delay(Duration::from_millis(20)), []);
    let references = filled(&registry, 40);
    let client = client().with(CallOptions::new().concurrency(2));
    let mut seen = Vec::new();
    client.lookup_each(&references, |position, answer| {
        seen.push((position, answer.is_ok()));
        match position {
            5 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    });
    // Two run at a time, so the item that stopped the batch may have overtaken the one before it.
    assert!(
        seen.iter().all(|(_, ok)| *ok) && seen.len() <= 7,
        "{seen:?}"
    );
    assert_eq!(seen.last(), Some(&(5, true)));
    assert!(registry.request_count() < 20);
}

#[test]
fn cancel_and_deadline_keep_what_is_finished() {
    let registry = start(Config::new().delay(Duration::from_millis(20)), []);
    let references = filled(&registry, 200);
    let cancel = Cancel::new();
    let cases = [
        (
            CallOptions::new().concurrency(2).cancel(&cancel),
            ErrorKind::Cancelled,
        ),
        (
            CallOptions::new()
                .concurrency(2)
                .timeout(Duration::from_millis(300)),
            ErrorKind::Timeout,
        ),
    ];
    for (options, kind) in cases {
        let trigger = cancel.clone();
        let started = Instant::now();
        let answers = std::thread::scope(|scope| {
            scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(300));
                trigger.trigger();
            });
            client().with(options).lookup_all(&references)
        });
        assert!(
            started.elapsed() < Duration::from_millis(800 + 500),
            "{kind:?}: {:?}",
            started.elapsed()
        );
        assert!(answers[0].is_ok(), "{kind:?}: {:?}", answers[0]);
        let last = answers.last().unwrap().as_ref().unwrap_err();
        assert_eq!(last.kind(), kind);
        assert!(last.to_string().contains("t/r199"), "{last}");
    }
}

#[test]
fn j2_a_registry_that_always_answers_429_is_asked_a_few_times_for_thirty_images() {
    for width in WIDTHS {
        for (after, known) in [("0", false), ("0", true), ("", false), ("", true)] {
            let registry = registry([]);
            let references = filled(&registry, 30);
            let client = builder()
                .retries(3)
                .retry_delay(Duration::from_millis(5))
                .build()
                .unwrap();
            if known {
                client.exists(&references[0]).unwrap();
            }
            registry.take_requests();
            registry.add_quirk(Quirk::TooManyRequests(u64::MAX, after.to_owned()));
            let answers = wide(&client, width).lookup_all(&references);
            for (reference, answer) in references.iter().zip(&answers) {
                let error = answer.as_ref().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::RateLimited, "{error}");
                assert!(
                    error.to_string().contains(&reference.to_string()),
                    "{error}"
                );
            }
            let requests = registry.request_count();
            assert!(
                requests <= 12,
                "width {width}, Retry-After {after:?}, known {known}: {requests} requests"
            );
        }
    }
}

#[test]
fn tags_sharing_counts_and_finds() {
    for width in WIDTHS {
        let registry = registry([]);
        let digest = registry.put_tags("t/find", "same", 12);
        for number in 0..8 {
            registry.put_tag("t/find", &format!("other{number}"), &other(&registry));
        }
        let client = wide(&client(), width);
        let same = client
            .tags_sharing(&image(&registry, "t/find:same000003"))
            .unwrap();
        let names: Vec<String> = same.iter().map(ToString::to_string).collect();
        assert_eq!(
            names,
            (0..12)
                .map(|number| format!("same{number:06}"))
                .collect::<Vec<_>>()
        );
        assert_eq!(registry.take_requests().len(), 21, "width {width}");
        let of_digest = client
            .tags_of_digest(&repository(&registry, "t/find"), &digest.parse().unwrap())
            .unwrap();
        assert_eq!(of_digest, same);
        assert_eq!(registry.take_requests().len(), 21, "width {width}");
        let none = format!("sha256:{}", "0".repeat(64));
        let none = client
            .tags_of_digest(&repository(&registry, "t/find"), &none.parse().unwrap())
            .unwrap();
        assert_eq!(none, []);
    }
}

/// A manifest of another digest.
fn other(registry: &FakeRegistry) -> String {
    let manifest = IMAGE.replacen("[]", r#"[],"annotations":{"a":"b"}"#, 1);
    registry.put_manifest("t/find", "", INDEX, manifest)
}

/// Google's lists have the digests of the tags.
#[test]
fn h11_a_list_with_digests_needs_no_further_request() {
    let registry = registry([Quirk::GcrLists]);
    registry.put_tags("t/find", "same", 20);
    let same = client()
        .tags_sharing(&image(&registry, "t/find:same000003"))
        .unwrap();
    assert_eq!(same.len(), 20);
    assert_eq!(registry.request_count(), 1);
}

#[test]
fn a_deleted_tag_is_left_out_and_another_failure_ends_the_call() {
    let registry = registry([]);
    let digest = registry.put_tags("t/find", "same", 3);
    let gone = format!("sha256:{}", "1".repeat(64));
    registry.put_tag("t/find", "gone", &gone);
    let repository = repository(&registry, "t/find");
    let digest = digest.parse().unwrap();
    assert_eq!(
        client().tags_of_digest(&repository, &digest).unwrap().len(),
        3
    );
    let missing = client()
        .tags_sharing(&image(&registry, "t/find:nosuch"))
        .unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    registry.add_quirk(Quirk::HeadStatus(500, fake_registry::Page::Json));
    let failed = client().tags_of_digest(&repository, &digest).unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::Server);
}

#[test]
fn lookup_each_gives_reasons_with_the_answers_and_asks_each_once() {
    let registry = registry([]);
    let mut references = filled(&registry, 10);
    let absent = image(&registry, "t/r3:nosuch");
    references.insert(4, absent.clone());
    references.push(absent);
    let mut kinds: Vec<Option<Result<(), ErrorKind>>> = vec![None; references.len()];
    client().lookup_each(&references, |position, answer| {
        let kind = answer.map(|_| ()).map_err(|error| error.kind());
        assert_eq!(kinds[position].replace(kind), None);
        ControlFlow::Continue(())
    });
    for (position, kind) in kinds.iter().enumerate() {
        let missing = position == 4 || position == 11;
        let expected = if missing {
            Err(ErrorKind::NotFound)
        } else {
            Ok(())
        };
        assert_eq!(*kind, Some(expected), "{position}");
    }
    assert_eq!(registry.request_count(), 11);
    let mut calls = 0;
    client().lookup_each(&references, |_, _| {
        calls += 1;
        ControlFlow::Break(())
    });
    assert_eq!(calls, 1);
}

#[test]
fn the_item_timeout_counts_for_each_image() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = silent.local_addr().unwrap();
    let references: Vec<Reference> = (0..3)
        .map(|n| format!("{at}/r{n}").parse().unwrap())
        .collect();
    let options = CallOptions::new()
        .concurrency(1)
        .item_timeout(Duration::from_millis(200));
    let begin = Instant::now();
    let mut answers = 0;
    client()
        .with(options)
        .lookup_each(&references, |_, answer| {
            assert_eq!(answer.unwrap_err().kind(), ErrorKind::Timeout);
            answers += 1;
            ControlFlow::Continue(())
        });
    assert_eq!(answers, 3);
    assert!(begin.elapsed() >= Duration::from_millis(600));
}

/// With refused credentials every lookup would be wrong, and many attempts may lock an account.
#[test]
fn a_refused_password_is_sent_twice_for_a_batch() {
    for width in WIDTHS {
        let registry = registry([Quirk::Basic("user:right".to_owned())]);
        let references = filled(&registry, 30);
        let client = builder()
            .basic(&registry.authority(), "user", "wrong")
            .build()
            .unwrap();
        for answer in wide(&client, width).lookup_all(&references) {
            assert_eq!(answer.unwrap_err().kind(), ErrorKind::Unauthorized);
        }
        let requests = registry.take_requests();
        let sent = requests
            .iter()
            .filter(|request| request.header("authorization").is_some());
        // The second time with `GET /v2/`, which tells whether it is the password that is refused.
        assert_eq!((requests.len(), sent.count()), (4, 2), "width {width}");
        // The right password works for all images.
        let client = builder()
            .basic(&registry.authority(), "user", "right")
            .build()
            .unwrap();
        assert!(
            wide(&client, width)
                .lookup_all(&references)
                .iter()
                .all(Result::is_ok)
        );
        assert_eq!(registry.take_requests().len(), 31, "width {width}");
    }
}
