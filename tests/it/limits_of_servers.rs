//! A limit (HTTP 429) holds for the server that has set it, until its time is over. What ends a
//! request is told as it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fake_registry::{Config, Page, Quirk};
use ocireg::{CallOptions, Cancel, Client, ErrorKind};
use raw_http::{Answer, Server};
use token_service::Quirk as Odd;

use crate::auth_support::*;

const MARK: &str = "Docker-Distribution-Api-Version: registry/2.0";

fn exists(client: &Client, authority: &str, name: &str) -> String {
    outcome(&client.exists(&reference(&format!("{authority}/{name}:1"))))
}

fn found() -> Answer {
    let digest = format!("Docker-Content-Digest: sha256:{}", "a".repeat(64));
    Answer::new(200, &format!("{MARK}\nContent-Type: {OCI}\n{digest}"), "{}")
}

#[test]
fn a_limit_of_a_redirects_target_is_not_the_registrys() {
    let target = filled(Config::new().quirk(Quirk::TooManyRequests(1, "3600".to_owned())));
    let registry = filled(Config::new());
    let authority = registry.authority();
    let client = builder().build().unwrap();
    registry.set_quirks([Quirk::RedirectManifests(307, target.url())]);
    assert_eq!(exists(&client, &authority, "open"), "RateLimited");
    // The target is left alone. Its error names it.
    let image = reference(&format!("{authority}/mine:1"));
    let error = client.exists(&image).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(error.message().contains(&target.authority()), "{error}");
    assert!(
        error
            .retry_after()
            .is_some_and(|wait| wait > Duration::from_secs(3000))
    );
    assert_eq!(target.request_count(), 1);
    // The registry itself answers on.
    let tags = client.tags(image.repository()).unwrap();
    assert_eq!(tags.len(), 1);
    registry.set_quirks([]);
    assert_eq!(exists(&client, &authority, "mine"), "exists");
}

#[test]
fn a_limit_of_a_token_service_is_not_the_registrys() {
    for batch in [false, true] {
        let service = service();
        let registry = bearer_registry(&service);
        let authority = registry.authority();
        let client = builder().basic(&authority, USER, PASSWORD).build().unwrap();
        assert_eq!(exists(&client, &authority, "mine"), "exists");
        service.set_quirks([Odd::Limit(u64::MAX, "3600")]);
        service.take_requests();
        let images = ["also", "mine", "open", "mine"]
            .map(|name| reference(&format!("{authority}/{name}:1")));
        let answers: Vec<String> = match batch {
            true => client.lookup_all(&images).iter().map(outcome).collect(),
            false => images
                .iter()
                .map(|it| outcome(&client.exists(it)))
                .collect(),
        };
        assert_eq!(answers, ["RateLimited", "exists", "RateLimited", "exists"]);
        // In a batch two token requests may be under way at once.
        let most = 1 + usize::from(batch);
        assert!(
            (1..=most).contains(&service.request_count()),
            "batch: {batch}"
        );
    }
}

#[test]
fn an_answer_to_an_older_request_does_not_end_a_limit() {
    let server = says(None, |request| {
        if request.path().contains("/slow/") {
            thread::sleep(Duration::from_millis(800));
            return found();
        }
        match request.path().contains("/limited/") {
            true => Answer::new(429, &format!("{MARK}\nRetry-After: 20"), ""),
            false => found(),
        }
    });
    let authority = server.address().to_string();
    let client = builder().retries(0).build().unwrap();
    thread::scope(|scope| {
        let slow = scope.spawn(|| exists(&client, &authority, "slow"));
        until(|| server.request_count() == 1);
        assert_eq!(exists(&client, &authority, "limited"), "RateLimited");
        assert_eq!(slow.join().unwrap(), "exists");
    });
    let short = client.with(CallOptions::new().timeout(Duration::from_secs(2)));
    assert_eq!(exists(&short, &authority, "other"), "RateLimited");
    assert_eq!(server.request_count(), 2);
}

#[track_caller]
fn until(so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !so() {
        assert!(Instant::now() < deadline, "it never was so");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn after_a_limit_a_call_has_all_of_its_attempts() {
    let registry = filled(Config::new());
    let authority = registry.authority();
    let client = builder().retries(3).build().unwrap();
    registry.set_quirks([Quirk::TooManyRequests(4, "0".to_owned())]);
    assert_eq!(exists(&client, &authority, "open"), "RateLimited");
    assert_eq!(registry.take_requests().len(), 4);
    registry.set_quirks([Quirk::FailFirst(503, 3)]);
    assert_eq!(exists(&client, &authority, "open"), "exists");
    assert_eq!(registry.take_requests().len(), 4);
}

/// A registry whose catalog is not there, and whose ping does this.
fn no_catalog(ping: impl Fn() -> Answer + Send + Sync + 'static) -> Server {
    says(None, move |request| match request.path().as_str() {
        "/v2/" => ping(),
        _ => Answer::new(404, "Content-Type: text/plain", "nothing"),
    })
}

/// Whether there is a registry at all is asked first. That this fails does not mean that there is
/// no catalog.
#[test]
fn a_catalog_that_can_not_be_asked_for_is_not_missing() {
    let slow = || {
        thread::sleep(Duration::from_secs(2));
        Answer::new(200, MARK, "{}")
    };
    let limited = || Answer::new(429, &format!("{MARK}\nRetry-After: 3600"), "");
    let (client, soon) = (
        builder().retries(0).build().unwrap(),
        Duration::from_millis(500),
    );
    let ask = |server: &Server, options: CallOptions| {
        let host = registry(&server.address().to_string());
        let error = client.with(options).catalog(&host).unwrap_err();
        assert_eq!(
            lines(&server.requests()),
            ["GET /v2/_catalog -", "GET /v2/ -"]
        );
        error.kind()
    };
    let kind = ask(&no_catalog(limited), CallOptions::new());
    assert_eq!(kind, ErrorKind::RateLimited);
    let kind = ask(&no_catalog(slow), CallOptions::new().timeout(soon));
    assert_eq!(kind, ErrorKind::Timeout);
    let (cancel, pings) = (Cancel::new(), Arc::new(AtomicUsize::new(0)));
    let (stop, seen) = (cancel.clone(), pings.clone());
    let server = no_catalog(move || {
        seen.fetch_add(1, Ordering::SeqCst);
        stop.trigger();
        slow()
    });
    let kind = ask(&server, CallOptions::new().cancel(&cancel));
    assert_eq!(
        (kind, pings.load(Ordering::SeqCst)),
        (ErrorKind::Cancelled, 1)
    );
    // A registry says that there is none.
    let open = filled(Config::new().quirk(Quirk::NotARegistry(404, Page::Json)));
    let error = client.catalog(&registry(&open.authority())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}
