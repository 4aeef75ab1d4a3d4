//! What the tests of attackers share: an https registry with its token service, and listeners of an
//! attacker. What counts is what those listeners received.

use fake_registry::{Ca, Config, FakeRegistry, Identity, Quirk};
use ocireg::{Client, ClientBuilder};
use raw_http::Server;
use token_service::TokenService;

use crate::auth_support::*;

pub(crate) const HOST: &str = "registry.example.com";
pub(crate) const IMAGE: &str = "registry.example.com/mine:1";
/// Parts of secrets that only the registry and its token service may receive.
pub(crate) const SECRETS: [&str; 4] = ["dXNlcjpwYXNz", "s3cr3t-header", "x-lab", "eyJ"];
pub(crate) const MARK: &str = "Docker-Distribution-Api-Version: registry/2.0";

/// An https registry under a made-up name with a token service on its own host, and two listeners
/// of an attacker under all other names: one speaks TLS with a good certificate, one speaks http.
pub(crate) struct Lab {
    pub(crate) ca: Ca,
    pub(crate) service: TokenService,
    pub(crate) registry: FakeRegistry,
    pub(crate) attacker: Server,
    pub(crate) plain: Server,
    pub(crate) names: Names,
}

pub(crate) const ATTACKED: [&str; 9] = [
    "evil.net",
    "registry.example.com.evil.net",
    "registry-example.com",
    "sub.registry.example.com",
    "a.b.example.com",
    "example.com",
    "auth.example.com",
    "auth.other.net",
    "evil.auth.other.net",
];

impl Lab {
    pub(crate) fn new() -> Lab {
        let ca = Ca::new();
        let identity = ca.identity(&[&[HOST, "127.0.0.1"], &ATTACKED[..]].concat());
        let attacker = asks_for_login(Some(&identity));
        Lab::with(ca, &identity, attacker)
    }

    pub(crate) fn with(ca: Ca, identity: &Identity, attacker: Server) -> Lab {
        let service = TokenService::start(service_config().tls(identity.clone()));
        let realm = format!("https://{HOST}:444/token");
        let registry = filled(Config::new().bearer(&realm, "lab").tls(identity.clone()));
        let plain = asks_for_login(None);
        let mut names = Names::default()
            .with(HOST, 443, registry.address())
            .with(HOST, 444, service.address())
            .with(HOST, 8443, attacker.address())
            .with(HOST, 80, plain.address());
        for host in ATTACKED {
            names = names
                .with(host, 443, attacker.address())
                .with(host, 80, plain.address());
        }
        Lab {
            ca,
            service,
            registry,
            attacker,
            plain,
            names,
        }
    }

    /// A client without credentials.
    pub(crate) fn builder(&self) -> ClientBuilder {
        let mut builder = builder().retries(0).resolver(self.names.clone());
        for host in [&[HOST], &ATTACKED[..]].concat() {
            builder = builder.ca_pem(host, self.ca.pem().as_bytes());
        }
        builder
    }

    pub(crate) fn client(&self) -> Client {
        let builder = self.builder().basic(HOST, USER, PASSWORD);
        builder
            .add_header(HOST, "X-Lab", "s3cr3t-header")
            .build()
            .unwrap()
    }

    /// Makes the registry name this token service from now on.
    pub(crate) fn set_realm(&self, realm: &str) {
        self.registry
            .set_quirks([Quirk::Bearer(format!("realm=\"{realm}\",service=\"lab\""))]);
    }

    /// Fails if one of the attacker's listeners was connected to.
    #[track_caller]
    pub(crate) fn assert_not_contacted(&self, case: &str) {
        let attacker = self.attacker.connection_count();
        assert_eq!((attacker, self.plain.connection_count()), (0, 0), "{case}");
    }

    /// Fails if one of the attacker's listeners received a secret.
    #[track_caller]
    pub(crate) fn assert_nothing_leaked(&self, case: &str) {
        assert_saw_nothing(case, &self.attacker.requests(), &SECRETS);
        assert_saw_nothing(case, &self.plain.requests(), &SECRETS);
    }
}
