//! The requests and connections of each call, and what happens when the registry is restarted.

use std::thread;
use std::time::{Duration, Instant};

use ocireg::{ErrorKind, Presence};
use test_support::seed;
use test_support::{CraneRegistry, DockerRegistry, RegistryConfig};

use crate::counting::Counter;
use crate::real_servers::{REPOSITORY, builder, client, fill, plain, reference};

#[test]
fn each_call_is_one_request_and_all_use_one_connection() {
    let Some(plain) = plain() else { return };
    let counter = Counter::before(plain.server.authority());
    let authority = counter.authority();
    let client = client();
    let image = reference(authority, ":docker");
    let digest = &plain.image("docker").digest;
    for _ in 0..3 {
        client.exists(&image).unwrap();
        client.head(&image).unwrap();
        client
            .digest(&reference(authority, &format!("@{digest}")))
            .unwrap();
        client.tags(image.repository()).unwrap();
        client.catalog(image.registry()).unwrap();
        client.ping(image.registry()).unwrap();
        assert_eq!(
            counter.requests(),
            [
                "HEAD /v2/t/a/manifests/docker",
                "HEAD /v2/t/a/manifests/docker",
                &format!("HEAD /v2/t/a/manifests/{digest}"),
                "GET /v2/t/a/tags/list",
                "GET /v2/_catalog",
                "GET /v2/",
            ]
        );
    }
    assert_eq!(counter.connections(), 1);
}

/// The 404 of docker-registry 2.8.2 has the API-version header.
#[test]
fn r32_an_absent_image_of_docker_registry_costs_one_request() {
    let Some(plain) = plain() else { return };
    let counter = Counter::before(plain.server.authority());
    let client = client();
    for _ in 0..2 {
        let presence = client.exists(&reference(counter.authority(), ":nosuch"));
        assert_eq!(presence.unwrap(), Presence::Absent);
        assert_eq!(counter.requests(), ["HEAD /v2/t/a/manifests/nosuch"]);
    }
}

/// The 404 has a length of 91 bytes, and an answer to HEAD has no body.
#[test]
fn j6_a_404_to_head_leaves_the_connection_usable() {
    let Some(plain) = plain() else { return };
    let counter = Counter::before(plain.server.authority());
    let client = client();
    let image = plain.image("docker");
    for _ in 0..5 {
        let absent = client.exists(&reference(counter.authority(), ":nosuch"));
        assert_eq!(absent.unwrap(), Presence::Absent);
        let digest = client.digest(&reference(counter.authority(), ":docker"));
        assert_eq!(digest.unwrap().to_string(), image.digest);
    }
    assert_eq!(counter.requests().len(), 10);
    assert_eq!(counter.connections(), 1);
}

/// The 404 of go-containerregistry to HEAD does not identify a registry. The JSON of its 404 to GET
/// does.
#[test]
fn r32_a_404_that_does_not_identify_a_registry_costs_one_get() {
    let Some(server) = CraneRegistry::start() else {
        return;
    };
    let counter = Counter::before(server.authority());
    let client = client();
    let both = [
        "HEAD /v2/t/a/manifests/nosuch",
        "GET /v2/t/a/manifests/nosuch",
    ];
    for _ in 0..2 {
        let presence = client.exists(&reference(counter.authority(), ":nosuch"));
        assert_eq!(presence.unwrap(), Presence::Absent);
        assert_eq!(counter.requests(), both);
    }
}

/// A manifest that is there does not make a later 404 count.
#[test]
fn r32_a_manifest_that_head_found_does_not_identify_a_registry() {
    let Some(server) = CraneRegistry::start() else {
        return;
    };
    let filled = fill(server);
    let counter = Counter::before(filled.server.authority());
    let client = client();
    for tag in ["docker", "nosuch"] {
        let presence = client.exists(&reference(counter.authority(), &format!(":{tag}")));
        let absent = presence.unwrap() == Presence::Absent;
        assert_eq!(absent, tag == "nosuch");
        let mut expected = vec![format!("HEAD /v2/t/a/manifests/{tag}")];
        expected.extend(absent.then(|| format!("GET /v2/t/a/manifests/{tag}")));
        assert_eq!(counter.requests(), expected);
    }
}

/// The restart closes the connection in the pool.
#[test]
fn r5_a_restart_between_two_lookups_fails_none() {
    let Some(mut server) = DockerRegistry::start(&RegistryConfig::new()) else {
        return;
    };
    let image = seed::push_tags(server.authority(), REPOSITORY, &["v1"]).remove(0);
    // Not even a retry is needed.
    let client = builder().retries(0).build().unwrap();
    for _ in 0..3 {
        let digest = client.digest(&reference(server.authority(), ":v1"));
        assert_eq!(digest.unwrap().to_string(), image.digest);
        server.restart();
    }
    let absent = client.exists(&reference(server.authority(), ":nosuch"));
    assert_eq!(absent.unwrap(), Presence::Absent);
}

/// The lookup begins while nothing listens.
#[test]
fn r1_a_registry_that_starts_during_a_lookup_answers_it() {
    let Some(mut server) = DockerRegistry::start(&RegistryConfig::new()) else {
        return;
    };
    let image = seed::push_tags(server.authority(), REPOSITORY, &["v1"]).remove(0);
    let name = reference(server.authority(), ":v1");
    let patient = builder()
        .retries(20)
        .retry_delay(Duration::from_millis(100))
        .build()
        .unwrap();
    patient.digest(&name).unwrap();
    server.kill();

    let error = client().digest(&name).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error:?}");
    assert!(error.is_transient());

    let lookup = thread::spawn(move || patient.digest(&name));
    thread::sleep(Duration::from_millis(150));
    assert!(!lookup.is_finished());
    server.restart();
    let back = Instant::now();
    let digest = lookup.join().unwrap();
    assert_eq!(digest.unwrap().to_string(), image.digest);
    // The waits double, up to 8 s.
    assert!(back.elapsed() < Duration::from_secs(10));
}
