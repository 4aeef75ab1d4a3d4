//! nginx in front of a registry, which changes answers as proxies do; and nginx without a registry.

use std::sync::Arc;

use ocireg::{Client, DigestSource, ErrorKind};
use test_support::http;
use test_support::{Nginx, Recipe, Server};

use crate::contract::Contract;
use crate::counting::Counter;
use crate::real_servers::{Filled, client, plain, reference, refusals};

/// A filled registry, nginx in front of it, and a counter in front of nginx.
#[track_caller]
fn behind(recipe: &Recipe) -> Option<(Arc<Filled>, Server, Counter)> {
    let plain = plain()?;
    let nginx = Nginx::start(plain.server.authority(), recipe)?;
    let counter = Counter::before(nginx.authority());
    Some((plain, nginx, counter))
}

/// The requests of each of these lookups by tag.
#[track_caller]
fn costs(client: &Client, counter: &Counter, tags: &[&str]) -> Vec<Vec<String>> {
    let lookup = |tag: &&str| {
        client
            .exists(&reference(counter.authority(), &format!(":{tag}")))
            .unwrap();
        counter.requests()
    };
    tags.iter().map(lookup).collect()
}

#[test]
fn contract_behind_nginx_that_answers_405_to_head() {
    let Some((plain, _nginx, counter)) = behind(&Recipe::HeadNotAllowed) else {
        return;
    };
    let client = client();
    let contract = Contract {
        digest_source: DigestSource::Computed,
        ..plain.contract(&client, counter.authority())
    };
    contract.holds();
    contract.agrees_with_curl("http", None);
}

#[test]
fn contract_behind_nginx_that_strips_the_digest() {
    let Some((plain, _nginx, counter)) = behind(&Recipe::StripDigest) else {
        return;
    };
    let client = client();
    let contract = Contract {
        digest_source: DigestSource::Computed,
        ..plain.contract(&client, counter.authority())
    };
    contract.holds();
    contract.agrees_with_curl("http", None);
}

/// It compresses for clients that accept it. The client asks for identity, so nothing changes.
#[test]
fn e11_contract_behind_nginx_that_compresses() {
    let Some((plain, nginx, counter)) = behind(&Recipe::Gzip) else {
        return;
    };
    let compressed = http::request(
        "GET",
        nginx.authority(),
        "/v2/t/a/tags/list",
        &[("Accept-Encoding", "gzip")],
        b"",
    );
    assert_eq!(compressed.unwrap().header("Content-Encoding"), Some("gzip"));
    let client = client();
    let contract = plain.contract(&client, counter.authority());
    contract.holds();
    contract.agrees_with_curl("http", None);
}

#[test]
fn e1_a_stripped_digest_costs_one_get_and_only_the_first_two_lookups_a_head() {
    let Some((plain, _nginx, counter)) = behind(&Recipe::StripDigest) else {
        return;
    };
    let costs = costs(
        &client(),
        &counter,
        &["docker", "docker", "docker", "schema1"],
    );
    assert_eq!(
        costs,
        [
            vec![
                "HEAD /v2/t/a/manifests/docker",
                "GET /v2/t/a/manifests/docker"
            ],
            vec![
                "HEAD /v2/t/a/manifests/docker",
                "GET /v2/t/a/manifests/docker"
            ],
            vec!["GET /v2/t/a/manifests/docker"],
            vec!["GET /v2/t/a/manifests/schema1"],
        ]
    );
    assert_eq!(counter.connections(), 1);

    // A lookup by digest needs no header.
    let digest = &plain.image("docker").digest;
    let found = client().head(&reference(counter.authority(), &format!("@{digest}")));
    assert_eq!(found.unwrap().digest_source, DigestSource::Requested);
    assert_eq!(
        counter.requests(),
        [format!("HEAD /v2/t/a/manifests/{digest}")]
    );
}

#[test]
fn e3_a_405_to_head_costs_one_get_and_only_the_first_two_lookups_a_head() {
    let Some((_plain, _nginx, counter)) = behind(&Recipe::HeadNotAllowed) else {
        return;
    };
    let client = client();
    let costs = costs(
        &client,
        &counter,
        &["nosuch", "docker", "docker", "docker", "nosuch"],
    );
    assert_eq!(
        costs,
        [
            // A GET that fails too does not make HEAD unreliable.
            vec![
                "HEAD /v2/t/a/manifests/nosuch",
                "GET /v2/t/a/manifests/nosuch"
            ],
            vec![
                "HEAD /v2/t/a/manifests/docker",
                "GET /v2/t/a/manifests/docker"
            ],
            vec![
                "HEAD /v2/t/a/manifests/docker",
                "GET /v2/t/a/manifests/docker"
            ],
            vec!["GET /v2/t/a/manifests/docker"],
            vec!["GET /v2/t/a/manifests/nosuch"],
        ]
    );
    assert_eq!(counter.connections(), 1);
}

/// A mistyped host: nginx's welcome page, and its 404 page for all other paths.
#[test]
fn r32_a_web_server_is_no_registry_and_never_absent() {
    let Some(site) = Nginx::start("", &Recipe::StaticSite) else {
        return;
    };
    let counter = Counter::before(site.authority());
    let welcome = http::request("GET", site.authority(), "/", &[], b"").unwrap();
    assert!(welcome.text().contains("Welcome to nginx!"));
    // With new clients, and with one client that learns from each answer.
    let learning = client();
    let errors = [
        refusals(client, counter.authority()),
        refusals(|| learning.clone(), counter.authority()),
        refusals(|| learning.clone(), counter.authority()),
    ];
    for error in errors.iter().flatten() {
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error:?}");
        assert_eq!(error.http_status(), Some(404), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("does not answer like a registry"), "{text}");
        assert!(text.contains(counter.authority()), "{text}");
    }
    let client = client();
    counter.requests();
    let costs = [(); 2].map(|()| {
        client
            .exists(&reference(counter.authority(), ":x"))
            .unwrap_err();
        counter.requests()
    });
    let twice = ["HEAD /v2/t/a/manifests/x", "GET /v2/t/a/manifests/x"];
    assert_eq!(costs, [twice, twice]);
}
