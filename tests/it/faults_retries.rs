//! Which requests are repeated, how often and when (R10, R11).

use std::thread;
use std::time::{Duration, Instant};

use fake_registry::{Config, FakeRegistry, Page, Quirk, Script, ScriptServer};
use ocireg::{CallOptions, Client, ErrorKind, Presence};

use super::faults_support::{Ask, MANIFEST, MANIFEST_TYPE, PATIENCE, hasty, image, once};

fn registry(quirk: Quirk) -> FakeRegistry {
    let registry = FakeRegistry::start(Config::new().quirk(quirk));
    registry.put_manifest("t/a", "v1", MANIFEST_TYPE, MANIFEST);
    registry.put_manifest("t/a", "v2", MANIFEST_TYPE, MANIFEST);
    registry
}

#[test]
fn r11_each_retryable_status_is_repeated_up_to_three_times() {
    for status in [408, 429, 499, 500, 502, 503, 504, 522] {
        for ask in [Ask::Head, Ask::Tags, Ask::Ping] {
            let kind = if status == 429 {
                ErrorKind::RateLimited
            } else {
                ErrorKind::Server
            };
            // There are four attempts, so a burst of three ends well.
            for burst in 0..=4 {
                let registry = registry(Quirk::FailFirst(status, burst));
                let client = hasty().build().unwrap();
                let result = ask.run(&client, &registry.authority());
                let what = format!("{ask:?}, {status} × {burst}");
                let asked = registry.request_count() as u64;
                assert_eq!(asked, (burst + 1).min(4), "{what}");
                if burst < 4 {
                    assert_eq!(result.unwrap(), ask.expected(), "{what}");
                    continue;
                }
                let error = result.unwrap_err();
                assert_eq!(
                    (error.kind(), error.http_status()),
                    (kind, Some(status)),
                    "{what}"
                );
                assert!(error.is_transient(), "{what}");
                // An answer to HEAD has no body with an error.
                let said = if ask == Ask::Head { 0 } else { 1 };
                assert_eq!(error.registry_errors().len(), said, "{what}: {error}");
            }
        }
    }
}

#[test]
fn r11_the_number_of_retries_can_be_set() {
    for (retries, asked) in [(0, 1), (1, 2), (7, 8), (u32::MAX, 10)] {
        let registry = registry(Quirk::FailFirst(503, 9));
        let client = hasty().retries(retries).build().unwrap();
        let result = client.exists(&image(&registry.authority()));
        assert_eq!(result.is_ok(), retries > 8, "{result:?}");
        assert_eq!(registry.request_count(), asked);
    }
}

#[test]
fn r11_other_statuses_are_final() {
    use ErrorKind::{Denied, Protocol, Rejected, Server, Unsupported};
    // The status of all answers, the kind of the error, and the requests of a lookup: HEAD, and GET
    // where GET may help.
    let cases = [
        (400, Rejected, 2),
        (402, Rejected, 1),
        (403, Denied, 1),
        (405, Unsupported, 2),
        (406, Rejected, 1),
        (410, Rejected, 1),
        (416, Rejected, 1),
        (418, Rejected, 1),
        (431, Rejected, 1),
        (451, Rejected, 1),
        (501, Unsupported, 2),
        (505, Server, 1),
        (507, Server, 1),
        (511, Server, 1),
        (520, Server, 1),
        (599, Server, 1),
        (304, Protocol, 1),
        (600, Protocol, 1),
        (999, Protocol, 1),
    ];
    for (status, kind, requests) in cases {
        let registry = registry(Quirk::FailFirst(status, u64::MAX));
        let client = hasty().build().unwrap();
        let image = image(&registry.authority());
        let error = client.tags(image.repository()).unwrap_err();
        assert_eq!(
            (error.kind(), error.http_status()),
            (kind, Some(status)),
            "{error}"
        );
        assert_eq!(registry.take_requests().len(), 1, "{status} for a list");
        let error = client.head(&image).unwrap_err();
        assert_eq!(
            (error.kind(), error.http_status()),
            (kind, Some(status)),
            "{error}"
        );
        let methods: Vec<_> = registry
            .requests()
            .into_iter()
            .map(|request| request.method)
            .collect();
        assert_eq!(methods, ["HEAD", "GET"][..requests], "{status}");
    }
}

#[test]
fn r10_a_wait_that_the_registry_asks_for_is_kept() {
    // Without a usable wait the back-off of the client counts, which is a millisecond.
    for (said, at_least, at_most) in [
        ("1", 1000, 4000),
        ("nonsense", 0, 3000),
        ("-5", 0, 3000),
        ("", 0, 3000),
    ] {
        let registry = registry(Quirk::TooManyRequests(1, said.into()));
        let client = hasty().build().unwrap();
        let started = Instant::now();
        assert!(matches!(
            client.exists(&image(&registry.authority())),
            Ok(Presence::Exists(_))
        ));
        let took = started.elapsed().as_millis();
        assert!((at_least..at_most).contains(&took), "{said:?}: {took} ms");
        assert_eq!(registry.request_count(), 2);
    }
}

#[test]
fn r10_a_wait_of_a_past_date_is_over() {
    let past = "Sun, 06 Nov 1994 08:49:37 GMT";
    let registry = registry(Quirk::TooManyRequests(2, past.into()));
    let client = hasty().build().unwrap();
    let started = Instant::now();
    client.exists(&image(&registry.authority())).unwrap();
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[test]
fn r10_a_wait_that_is_too_long_is_an_error_at_once() {
    // Longer than 60 s, or than the timeout of the call, which is 20 s.
    for (said, seconds) in [
        ("61", 61),
        ("3600", 3600),
        ("30", 30),
        ("99999999999999999999", 1 << 33),
    ] {
        let registry = registry(Quirk::TooManyRequests(9, said.into()));
        let client = hasty().build().unwrap();
        let started = Instant::now();
        let error = client.exists(&image(&registry.authority())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited);
        let asked = error.retry_after().expect(said).as_secs();
        assert!(
            if seconds > 1 << 30 {
                asked >= 3600
            } else {
                asked == seconds
            },
            "{said}: {asked}"
        );
        assert!(error.to_string().contains("try again in"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(5));
        assert_eq!(registry.request_count(), 1, "{said}");
    }
}

#[test]
fn r10_other_statuses_may_ask_for_a_wait_too() {
    let busy =
        "HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let busy = Script::new().read_request().send(busy);
    let server = ScriptServer::start(vec![busy, Ask::Head.good()]);
    let client = hasty().build().unwrap();
    let started = Instant::now();
    assert_eq!(
        Ask::Head.run(&client, &server.authority()).unwrap(),
        Ask::Head.expected()
    );
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[test]
fn r10_no_call_of_a_client_asks_a_registry_during_its_retry_after() {
    let limited = registry(Quirk::TooManyRequests(1, "2".into()));
    let other = registry(Quirk::PingBody("true".into()));
    let client = hasty().build().unwrap();
    let (limited_image, other_image) = (image(&limited.authority()), image(&other.authority()));
    let started = Instant::now();
    thread::scope(|scope| {
        let first = scope.spawn(|| (client.exists(&limited_image), started.elapsed()));
        while limited.request_count() == 0 {
            thread::sleep(Duration::from_millis(1));
        }
        // The answer is on its way to the first call.
        thread::sleep(Duration::from_millis(200));
        let second = scope.spawn(|| (client.tags(limited_image.repository()), started.elapsed()));
        // Another registry is asked as usual.
        client.exists(&other_image).unwrap();
        assert!(
            started.elapsed() < Duration::from_millis(1900),
            "too busy a machine to tell"
        );
        assert_eq!(limited.request_count(), 1);
        // A call whose timeout is shorter fails at once.
        let hurried = client.with(CallOptions::new().timeout(Duration::from_millis(100)));
        let error = hurried.exists(&limited_image).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited, "{error}");
        assert!(
            error.retry_after() <= Some(Duration::from_secs(2)),
            "{error:?}"
        );
        let ((first, first_at), (second, second_at)) =
            (first.join().unwrap(), second.join().unwrap());
        assert!(matches!(first, Ok(Presence::Exists(_))) && second.unwrap().len() == 2);
        assert!(first_at.min(second_at) >= Duration::from_secs(2));
    });
    assert_eq!(limited.request_count(), 3);
}

/// Answers the first two connections with 429, the first one earlier. Returns when each of three
/// calls had its good answer, and the server.
fn two_limits(first: &str, second: &str, client: &Client) -> (Vec<Duration>, ScriptServer) {
    let limit = |after: &str| {
        format!("HTTP/1.1 429 Slow Down\r\n{after}Connection: close\r\nContent-Length: 0\r\n\r\n")
    };
    let at_once = Script::new()
        .read_request()
        .sleep(Duration::from_millis(300))
        .send(limit(first));
    let later = Script::new()
        .read_request()
        .sleep(Duration::from_millis(700))
        .send(limit(second));
    let server = ScriptServer::start(vec![at_once, later, Ask::Head.good()]);
    let (authority, started) = (server.authority(), Instant::now());
    let answered = thread::scope(|scope| {
        let ask = || {
            Ask::Head.run(client, &authority).unwrap();
            started.elapsed()
        };
        let calls = [scope.spawn(ask), scope.spawn(ask)];
        // Starts after the first 429 and before the second.
        thread::sleep(Duration::from_millis(500));
        let third = scope.spawn(ask);
        let calls = calls.into_iter().chain([third]);
        calls.map(|call| call.join().unwrap()).collect()
    });
    (answered, server)
}

#[test]
fn r10_a_longer_wait_counts_for_calls_that_wait_already() {
    let client = hasty().timeout(PATIENCE).build().unwrap();
    // The first 429 asks for a wait until 1.3 s, the second until 1.7 s.
    let (answered, server) = two_limits("Retry-After: 1\r\n", "Retry-After: 1\r\n", &client);
    assert!(
        answered.iter().all(|at| *at >= Duration::from_millis(1690)),
        "{answered:?}"
    );
    assert_eq!(server.connection_count(), 5);
}

#[test]
fn r10_a_refusal_without_a_wait_does_not_shorten_one() {
    let client = hasty().timeout(PATIENCE).build().unwrap();
    let (answered, server) = two_limits("Retry-After: 1\r\n", "", &client);
    assert!(
        answered.iter().all(|at| *at >= Duration::from_millis(1290)),
        "{answered:?}"
    );
    assert_eq!(server.connection_count(), 5);
}

#[test]
fn e3_a_head_that_is_refused_is_followed_by_get_without_a_retry() {
    for status in [400, 405, 501] {
        let registry = registry(Quirk::HeadStatus(status, Page::Json));
        let found = once().head(&image(&registry.authority())).unwrap();
        assert_eq!(found.size, Some(MANIFEST.len() as u64));
        assert_eq!(registry.request_count(), 2, "{status}");
    }
}
