//! Registries that want a login, and what registries add to their answers.

use std::time::Duration;

use ocireg::{AuthScheme, ErrorKind, Presence, Registry};
use test_support::certificates::Authority;
use test_support::{DistributionV3, DockerRegistry, HTPASSWD, Server, TokenAuth};

use crate::counting::Counter;
use crate::real_servers::{client, plain, reference};

/// A denial is an answer of `exists` and an error of all other calls, with one request each.
#[track_caller]
fn denied(server: &Server, says: &[&str]) {
    let counter = Counter::before(server.authority());
    let registry: Registry = counter.authority().parse().unwrap();
    let client = client();
    for tag in [":docker", ":nosuch"] {
        let image = reference(counter.authority(), tag);
        assert_eq!(client.exists(&image).unwrap(), Presence::Denied);
        assert_eq!(counter.requests().len(), 1);
        for error in [
            client.head(&image).unwrap_err(),
            client.digest(&image).unwrap_err(),
            client.tags(image.repository()).unwrap_err(),
            client.catalog(&registry).unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Denied, "{error:?}");
            assert_eq!(error.http_status(), Some(401), "{error:?}");
            for words in says {
                assert!(error.to_string().contains(words), "{error:?}");
            }
        }
        assert_eq!(counter.requests().len(), 4);
    }
}

#[track_caller]
fn scheme(server: &Server) -> AuthScheme {
    let registry = server.authority().parse().unwrap();
    client().ping(&registry).unwrap().auth
}

#[test]
fn b8_a_registry_with_passwords_denies_and_names_basic() {
    let Some(plain) = plain() else { return };
    let directory = tempfile::tempdir().unwrap();
    let passwords = directory.path().join("htpasswd");
    std::fs::write(&passwords, HTPASSWD).unwrap();
    let server = DockerRegistry::start(&plain.same_content().htpasswd(&passwords)).unwrap();
    denied(&server, &["asks for a login", "Basic", "Lab Realm"]);
    assert_eq!(scheme(&server), AuthScheme::Basic);
}

#[test]
fn b1_a_token_service_that_is_down_is_named() {
    let Some(plain) = plain() else { return };
    let directory = tempfile::tempdir().unwrap();
    let Some(signer) = Authority::create(directory.path(), "tok") else {
        return;
    };
    let token = TokenAuth {
        realm: "http://127.0.0.1:1/token".to_owned(),
        service: "lab-service".to_owned(),
        issuer: "lab-issuer".to_owned(),
        bundle: signer.certificate,
    };
    let config = plain.same_content().token(&token);
    let servers = [
        DockerRegistry::start(&config),
        DistributionV3::start(&config),
    ];
    for server in servers.into_iter().flatten() {
        assert_eq!(scheme(&server), AuthScheme::Bearer);
        let error = client()
            .exists(&reference(server.authority(), ":docker"))
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect, "{error:?}");
        assert!(
            error
                .to_string()
                .contains("127.0.0.1:1, which the registry named: "),
            "{error}"
        );
    }
}

/// docker-registry 2.8.2 sends the headers of its configuration with every answer.
#[test]
fn j1_j3_a_registrys_warnings_and_rate_limit_are_kept() {
    let Some(plain) = plain() else { return };
    let config = plain
        .same_content()
        .header("Warning", "299 - \"this registry moves on Monday\"")
        .header("RateLimit-Limit", "100;w=21600")
        .header("RateLimit-Remaining", "76;w=21600")
        .header("Docker-RateLimit-Source", "192.0.2.7");
    let server = DockerRegistry::start(&config).unwrap();
    let client = client();
    let registry: Registry = server.authority().parse().unwrap();
    assert_eq!(client.rate_limit(&registry), None);
    assert_eq!(client.warnings(&registry), [""; 0]);
    for tag in [":docker", ":nosuch"] {
        client.exists(&reference(server.authority(), tag)).unwrap();
        assert_eq!(
            client.warnings(&registry),
            ["this registry moves on Monday"]
        );
        let limit = client.rate_limit(&registry).unwrap();
        assert_eq!((limit.limit, limit.remaining), (Some(100), Some(76)));
        assert_eq!(limit.window, Some(Duration::from_secs(6 * 60 * 60)));
        assert_eq!(limit.source.as_deref(), Some("192.0.2.7"));
    }
    let error = client
        .digest(&reference(server.authority(), ":nosuch"))
        .unwrap_err();
    assert_eq!(error.rate_limit(), client.rate_limit(&registry).as_ref());
    // Another registry has its own.
    let other: Registry = plain.server.authority().parse().unwrap();
    client
        .exists(&reference(plain.server.authority(), ":docker"))
        .unwrap();
    assert_eq!(client.rate_limit(&other), None);
    assert_eq!(client.warnings(&other), [""; 0]);
}
