//! S17: a CA that was given for a registry vouches for the registry's host, for the token services
//! that get its password, and for the hosts that it was given for as well. For any other host only
//! the platform's roots count.

use fake_registry::{Ca, Config, FakeRegistry, Quirk};
use ocireg::{ClientBuilder, Error, ErrorKind, Presence};
use token_service::TokenService;

use crate::auth_support::*;

const HOST: &str = "registry.example.com";
const STORAGE: &str = "storage.other.net";
const SERVICE: &str = "tokens.other.net";

/// A registry that redirects to a storage server. One private CA has signed for both of them.
struct Lab {
    ca: Ca,
    registry: FakeRegistry,
    storage: FakeRegistry,
}

impl Lab {
    fn new(storage: &str) -> Lab {
        let ca = Ca::new();
        let tls = |host: &str| filled(Config::new().tls(ca.identity(&[host])));
        let registry = tls(HOST);
        registry.set_quirks([Quirk::RedirectManifests(307, format!("https://{storage}"))]);
        Lab {
            registry,
            storage: tls(storage.split(':').next().unwrap_or_default()),
            ca,
        }
    }

    /// Looks an image up with a CA for each of these hosts.
    fn look_up(&self, storage: &str, hosts: &[&str]) -> Result<Presence, Error> {
        let (host, port) = storage.split_once(':').unwrap_or((storage, "443"));
        let names = Names::default()
            .with(HOST, 443, self.registry.address())
            .with(host, port.parse().unwrap(), self.storage.address());
        let client = with_ca(builder().retries(0).resolver(names), hosts, &self.ca);
        let client = client.build().unwrap();
        client.exists(&reference(&format!("{HOST}/mine:1")))
    }
}

fn with_ca(builder: ClientBuilder, hosts: &[&str], ca: &Ca) -> ClientBuilder {
    let add = |builder: ClientBuilder, host: &&str| builder.ca_pem(host, ca.pem().as_bytes());
    hosts.iter().fold(builder, add)
}

#[test]
fn s17_a_redirect_leads_only_to_hosts_that_the_ca_was_given_for() {
    let other_port = "storage.other.net:8443";
    for (storage, hosts, trusted) in [
        (STORAGE, &[HOST][..], false),
        (STORAGE, &[HOST, "other.net"], false),
        (STORAGE, &[HOST, "storage.other.net:8443"], false),
        (STORAGE, &[HOST, STORAGE], true),
        (other_port, &[HOST, other_port], true),
        // A host without a port counts for every port.
        (other_port, &[HOST, STORAGE], true),
        // These may have the registry's password.
        ("auth.example.com", &[HOST], true),
        ("example.com", &[HOST], true),
        ("registry.example.com:8443", &[HOST], true),
    ] {
        let lab = Lab::new(storage);
        let result = lab.look_up(storage, hosts);
        assert_eq!(lab.registry.request_count(), 1, "{storage} {hosts:?}");
        if trusted {
            assert_eq!(
                outcome(&result),
                "exists",
                "{storage} {hosts:?}: {result:?}"
            );
            continue;
        }
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
        assert!(error.to_string().contains("--ca-file HOST=FILE"), "{error}");
        assert_eq!(lab.storage.take_requests(), [], "{storage} {hosts:?}");
    }
}

#[test]
fn s17_a_ca_of_another_host_does_not_vouch_for_the_registry() {
    let lab = Lab::new(STORAGE);
    let error = lab.look_up(STORAGE, &[STORAGE]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert_eq!(lab.registry.take_requests(), []);
}

#[test]
fn s17_the_ca_vouches_for_a_token_service_that_gets_the_password() {
    for (trusted, hosts, expected) in [
        (true, &[HOST][..], "exists"),
        (false, &[HOST], "Tls"),
        // Without the password there is no token for this repository.
        (false, &[HOST, SERVICE], "Unauthorized"),
    ] {
        let ca = Ca::new();
        let service = TokenService::start(service_config().tls(ca.identity(&[SERVICE])));
        let config = Config::new().bearer(&format!("https://{SERVICE}/token"), "lab");
        let registry = filled(config.tls(ca.identity(&[HOST])));
        let names = Names::default().with(HOST, 443, registry.address()).with(
            SERVICE,
            443,
            service.address(),
        );
        let mut client =
            with_ca(builder().retries(0).resolver(names), hosts, &ca).basic(HOST, USER, PASSWORD);
        if trusted {
            client = client.trusted_realm(HOST, SERVICE);
        }
        let client = client.build().unwrap();
        let result = client.exists(&reference(&format!("{HOST}/mine:1")));
        assert_eq!(outcome(&result), expected, "{hosts:?}: {result:?}");
        assert_eq!(service.request_count() > 0, expected != "Tls", "{hosts:?}");
    }
}
