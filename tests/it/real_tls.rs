//! Common TLS setups of registries: a private authority, the self-signed certificate of Docker's
//! registry guide, a proxy that ends TLS; and what goes wrong with them.

use std::sync::Arc;

use ocireg::{Error, ErrorKind};
use tempfile::TempDir;
use test_support::certificates::{Authority, Certificate, self_signed};
use test_support::{DockerRegistry, Nginx, Recipe, Server, free_port};

use crate::counting::Counter;
use crate::real_servers::{Filled, Shared, builder, client, plain, reference, refusals};

/// Certificates and their directory.
struct Certificates {
    authority: Authority,
    issued: Certificate,
    self_signed: Certificate,
    /// An authority that signed none of these.
    other: Authority,
    _directory: TempDir,
}

/// `None` is a counted skip.
#[track_caller]
fn certificates() -> Option<Arc<Certificates>> {
    static CERTIFICATES: Shared<Certificates> = Shared::new();
    CERTIFICATES.get(|| {
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::create(directory.path(), "ca")?;
        Some(Certificates {
            issued: authority.issue("server"),
            authority,
            self_signed: self_signed(directory.path())?,
            other: Authority::create(directory.path(), "other")?,
            _directory: directory,
        })
    })
}

#[track_caller]
fn over_tls(filled: &Filled, certificate: &Certificate) -> Server {
    let Certificate { certificate, key } = certificate;
    DockerRegistry::start(&filled.same_content().tls(certificate, key)).unwrap()
}

#[test]
fn contract_over_tls_with_a_private_authority() {
    let (Some(plain), Some(certificates)) = (plain(), certificates()) else {
        return;
    };
    let ca = &certificates.authority.certificate;
    let server = over_tls(&plain, &certificates.issued);
    let by_name = format!("localhost:{}", server.port());
    for authority in [server.authority(), &by_name] {
        let client = builder().ca_file(authority, ca).build().unwrap();
        let contract = plain.contract(&client, authority);
        contract.holds();
        contract.agrees_with_curl("https", Some(ca));
    }
}

/// rustls alone refuses a certificate that is its own authority.
#[test]
fn contract_over_tls_with_the_certificate_of_dockers_registry_guide() {
    let (Some(plain), Some(certificates)) = (plain(), certificates()) else {
        return;
    };
    let own = &certificates.self_signed;
    let server = over_tls(&plain, own);
    let authority = server.authority();
    let pem = std::fs::read(&own.certificate).unwrap();
    for client in [
        builder().ca_file(authority, &own.certificate),
        builder().ca_pem(authority, &pem),
    ] {
        let client = client.build().unwrap();
        let contract = plain.contract(&client, authority);
        contract.holds();
        contract.agrees_with_curl("https", Some(&own.certificate));
    }
}

/// The registry takes http for its own scheme, and its URLs say so (G3).
#[test]
fn contract_behind_nginx_that_ends_tls() {
    let (Some(plain), Some(certificates)) = (plain(), certificates()) else {
        return;
    };
    let ca = &certificates.authority.certificate;
    let Some(server) = behind_nginx(&plain, &certificates) else {
        return;
    };
    let client = builder().ca_file(server.authority(), ca).build().unwrap();
    let contract = plain.contract(&client, server.authority());
    contract.holds();
    contract.agrees_with_curl("https", Some(ca));
}

#[track_caller]
fn behind_nginx(filled: &Filled, certificates: &Certificates) -> Option<Server> {
    let Certificate { certificate, key } = certificates.issued.clone();
    let recipe = Recipe::Tls { certificate, key };
    Nginx::start(filled.server.authority(), &recipe)
}

#[test]
fn tls_is_refused_without_the_right_authority_and_the_error_names_the_setting() {
    let (Some(plain), Some(certificates)) = (plain(), certificates()) else {
        return;
    };
    let foreign = &certificates.other.certificate;
    for certificate in [&certificates.issued, &certificates.self_signed] {
        let server = over_tls(&plain, certificate);
        let authority = server.authority();
        for client in [
            builder().https(authority),
            builder().ca_file(authority, foreign),
        ] {
            let client = client.build().unwrap();
            for error in refusals(|| client.clone(), authority) {
                tls(&error, "ca_file");
                tls(&error, "--ca-file");
            }
        }
    }
}

#[test]
fn tls_is_refused_for_another_name() {
    let (Some(plain), Some(certificates)) = (plain(), certificates()) else {
        return;
    };
    let authority = &certificates.authority;
    let elsewhere = authority.issue_for("elsewhere", "subjectAltName = DNS:registry.example.com");
    let server = over_tls(&plain, &elsewhere);
    let client = builder().ca_file(server.authority(), &authority.certificate);
    let client = client.build().unwrap();
    for error in refusals(|| client.clone(), server.authority()) {
        tls(&error, "another host name");
    }
}

#[test]
fn s17_an_authority_counts_for_its_registry_alone() {
    let (Some(plain), Some(certificates)) = (plain(), certificates()) else {
        return;
    };
    let servers = [0, 1].map(|_| over_tls(&plain, &certificates.issued));
    let [trusted, other] = servers.each_ref().map(Server::authority);
    let client = builder()
        .ca_file(trusted, &certificates.authority.certificate)
        .https(other)
        .build()
        .unwrap();
    client.digest(&reference(trusted, ":docker")).unwrap();
    for error in refusals(|| client.clone(), other) {
        tls(&error, "ca_file");
    }
    client.digest(&reference(trusted, ":docker")).unwrap();
}

#[test]
fn s11_a_tls_failure_is_not_repeated_and_does_not_fall_back_to_http() {
    let (Some(plain), Some(certificates)) = (plain(), certificates()) else {
        return;
    };
    let server = over_tls(&plain, &certificates.issued);
    let counter = Counter::before(server.authority());
    let client = builder().https(counter.authority()).build().unwrap();
    let error = client.exists(&reference(counter.authority(), ":docker"));
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Tls);
    assert_eq!(counter.connections(), 1);
    assert_eq!(counter.requests(), [""; 0]);
}

#[test]
fn b12_http_to_a_tls_port_is_a_tls_error_that_says_https() {
    let (Some(plain), Some(certificates)) = (plain(), certificates()) else {
        return;
    };
    // Loopback is asked over http unless told otherwise.
    let servers = [
        Some(over_tls(&plain, &certificates.issued)),
        behind_nginx(&plain, &certificates),
    ];
    for server in servers.into_iter().flatten() {
        for error in refusals(client, server.authority()) {
            tls(&error, "--https");
        }
        // Go and nginx say it in a body, and an answer to HEAD has none. There is no retry.
        let counter = Counter::before(server.authority());
        let image = reference(counter.authority(), ":docker");
        tls(&client().exists(&image).unwrap_err(), "--https");
        let target = "/v2/t/a/manifests/docker";
        let both = [format!("HEAD {target}"), format!("GET {target}")];
        assert_eq!(counter.requests(), both);
    }
}

#[test]
fn b12_https_to_a_plain_port_is_a_tls_error_that_says_plain_http() {
    let Some(plain) = plain() else { return };
    let nginx = Nginx::start(plain.server.authority(), &Recipe::StripDigest);
    for server in [Some(&plain.server), nginx.as_ref()].into_iter().flatten() {
        let authority = server.authority();
        let client = builder().https(authority).build().unwrap();
        for error in refusals(|| client.clone(), authority) {
            tls(&error, "plain_http");
            tls(&error, "--plain-http");
        }
    }
}

#[test]
fn r1_nothing_that_listens_is_a_connect_error() {
    let authority = format!("127.0.0.1:{}", free_port());
    let over_http = builder().retries(1);
    let over_https = builder().retries(1).https(&authority);
    for client in [over_http, over_https].map(|builder| builder.build().unwrap()) {
        for error in refusals(|| client.clone(), &authority) {
            assert_eq!(error.kind(), ErrorKind::Connect, "{error:?}");
            let hint = error.hint().unwrap_or_default();
            assert!(hint.contains("host and port"), "{error:?}");
            assert!(error.to_string().contains(&authority), "{error:?}");
        }
    }
}

#[track_caller]
fn tls(error: &Error, says: &str) {
    assert_eq!(error.kind(), ErrorKind::Tls, "{error:?}");
    assert!(error.to_string().contains(says), "{error:?}");
}
