//! One odd answer, as of one bad backend of several, teaches nothing for long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fake_registry::{Config, Page, Quirk};
use ocireg::{Client, ErrorKind};
use raw_http::Answer;
use token_service::{Quirk as Odd, TokenService};

use crate::auth_support::*;
use crate::faults_support::{MANIFEST, MANIFEST_TYPE};

const MARK: &str = "Docker-Distribution-Api-Version: registry/2.0";

fn challenge(realm: &str) -> Quirk {
    let line = format!("Bearer realm=\"{realm}\",service=\"odd\"");
    Quirk::Challenge(Page::Json, vec![line])
}

fn exists(client: &Client, authority: &str, name: &str) -> String {
    outcome(&client.exists(&reference(&format!("{authority}/{name}:1"))))
}

/// Token services that a bad backend may name: all of them fail in another way.
fn bad_services() -> Vec<(&'static str, TokenService)> {
    let start = |quirk| TokenService::start(service_config().quirk(quirk));
    let page = b"<html></html>".to_vec();
    vec![
        ("refuses", start(Odd::Fail(u64::MAX, 403))),
        ("is none", start(Odd::Fail(u64::MAX, 404))),
        ("is down", start(Odd::Fail(u64::MAX, 500))),
        ("limits", start(Odd::Limit(u64::MAX, "3600"))),
        (
            "has a page",
            start(Odd::Answer(u64::MAX, 200, "text/html", page)),
        ),
        ("gives useless tokens", start(Odd::LastScopeOnly)),
    ]
}

#[test]
fn a_challenge_of_one_bad_backend_is_forgotten() {
    for (what, service) in bad_services() {
        for password in [None, Some(PASSWORD)] {
            let registry = filled(Config::new());
            let authority = registry.authority();
            let builder = match password {
                Some(password) => builder().retries(0).basic(&authority, USER, password),
                None => builder().retries(0),
            };
            let client = builder.build().unwrap();
            registry.set_quirks([challenge(&service.realm())]);
            assert_ne!(exists(&client, &authority, "open"), "exists", "{what}");
            registry.set_quirks([]);
            registry.take_requests();
            service.take_requests();
            assert_eq!(exists(&client, &authority, "open"), "exists", "{what}");
            assert_eq!(
                lines(&registry.requests()),
                ["HEAD /v2/open/manifests/1 -"],
                "{what}"
            );
            assert_eq!(service.request_count(), 0, "{what}");
        }
    }
}

#[test]
fn a_token_service_that_has_proven_good_outlives_a_bad_backend() {
    for (what, bad) in bad_services() {
        let service = service();
        let registry = bearer_registry(&service);
        let authority = registry.authority();
        let client = builder()
            .retries(0)
            .basic(&authority, USER, PASSWORD)
            .build()
            .unwrap();
        assert_eq!(exists(&client, &authority, "mine"), "exists");
        let good = format!("realm=\"{}\",service=\"lab\"", service.realm());
        registry.set_quirks([challenge(&bad.realm())]);
        assert_ne!(exists(&client, &authority, "mine"), "exists", "{what}");
        registry.set_quirks([Quirk::Bearer(good)]);
        registry.take_requests();
        service.take_requests();
        bad.take_requests();
        assert_eq!(exists(&client, &authority, "mine"), "exists", "{what}");
        assert_eq!(
            lines(&registry.requests()),
            ["HEAD /v2/mine/manifests/1 bearer"],
            "{what}"
        );
        assert_eq!(
            (service.request_count(), bad.request_count()),
            (0, 0),
            "{what}"
        );
    }
}

/// Within one batch a bad backend's token service does not fail the other images either.
#[test]
fn a_request_for_which_no_token_can_be_got_goes_without_one() {
    for (what, bad) in bad_services().into_iter().take(4) {
        let once = Arc::new(AtomicBool::new(true));
        let line = format!("{MARK}\nWWW-Authenticate: Bearer realm=\"{}\"", bad.realm());
        let registry = says(None, move |_| {
            if once.swap(false, Ordering::SeqCst) {
                return Answer::new(401, &line, "{}");
            }
            let digest = format!("Docker-Content-Digest: sha256:{}", "a".repeat(64));
            Answer::new(200, &format!("{MARK}\nContent-Type: {OCI}\n{digest}"), "{}")
        });
        let authority = registry.address().to_string();
        let images: Vec<_> = (0..10)
            .map(|number| reference(&format!("{authority}/r{number}:1")))
            .collect();
        let client = builder().retries(0).build().unwrap();
        let answers: Vec<String> = client.lookup_all(&images).iter().map(outcome).collect();
        assert_ne!(answers[0], "exists", "{what}");
        assert_eq!(answers[1..], vec!["exists"; 9], "{what}");
    }
}

#[test]
fn a_token_service_that_dies_does_not_close_what_is_open() {
    for (what, quirk, kind) in [
        ("down", Odd::Fail(u64::MAX, 500), ErrorKind::Server),
        (
            "limits",
            Odd::Limit(u64::MAX, "3600"),
            ErrorKind::RateLimited,
        ),
    ] {
        let service = service();
        let registry = bearer_registry(&service);
        let authority = registry.authority();
        let client = builder()
            .retries(0)
            .basic(&authority, USER, PASSWORD)
            .build()
            .unwrap();
        assert_eq!(exists(&client, &authority, "mine"), "exists");
        service.set_quirks([quirk]);
        // Where a token is still wanted, the failure is the answer.
        let image = reference(&format!("{authority}/also:1"));
        assert_eq!(client.exists(&image).unwrap_err().kind(), kind, "{what}");
        registry.set_quirks([]);
        registry.take_requests();
        assert_eq!(exists(&client, &authority, "also"), "exists", "{what}");
        assert_eq!(
            lines(&registry.requests()),
            ["HEAD /v2/also/manifests/1 -"],
            "{what}"
        );
    }
}

#[test]
fn a_head_that_fails_is_learned_only_twice_in_a_row() {
    let registry = filled(Config::new());
    registry.put_manifest("open", "1", MANIFEST_TYPE, MANIFEST);
    let authority = registry.authority();
    let client = builder().build().unwrap();
    let broken = || Quirk::HeadStatus(405, Page::Text);
    let both: &[&str] = &["HEAD /v2/open/manifests/1 -", "GET /v2/open/manifests/1 -"];
    let steps: [(Option<Quirk>, &[&str]); 6] = [
        (Some(broken()), both),
        (None, &both[..1]),
        (Some(broken()), both),
        (Some(broken()), both),
        (Some(broken()), &both[1..]),
        (None, &both[1..]),
    ];
    for (quirk, asked) in steps {
        registry.set_quirks(quirk);
        assert_eq!(exists(&client, &authority, "open"), "exists");
        assert_eq!(lines(&registry.take_requests()), asked);
    }
}
