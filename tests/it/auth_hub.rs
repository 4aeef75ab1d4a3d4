//! Docker Hub: its names, hosts and token service, on this machine through a resolver.

use fake_registry::{Ca, Config, FakeRegistry, Page, Quirk};
use ocireg::ClientBuilder;
use token_service::TokenService;

use crate::auth_support::*;

/// registry-1.docker.io and auth.docker.io, both on this machine.
struct Hub {
    service: TokenService,
    registry: FakeRegistry,
    builder: Box<dyn Fn() -> ClientBuilder>,
}

fn hub() -> Hub {
    let ca = Ca::new();
    let identity = ca.identity(&["registry-1.docker.io", "auth.docker.io"]);
    let config = token_service::Config::new()
        .user(USER, PASSWORD, &["*"])
        .anonymous(&["library/*"]);
    let service = TokenService::start(config.tls(identity.clone()));
    let config = Config::new().bearer("https://auth.docker.io/token", "registry.docker.io");
    let registry = filled(
        config
            .tls(identity)
            .quirk(Quirk::RateLimit("76;w=21600".to_owned())),
    );
    let names = Names::default()
        .with("registry-1.docker.io", 443, registry.address())
        .with("auth.docker.io", 443, service.address());
    Hub {
        service,
        registry,
        builder: Box::new(move || {
            builder()
                .resolver(names.clone())
                .ca_pem("docker.io", ca.pem().as_bytes())
        }),
    }
}

#[test]
fn a1_d1_j1_docker_hub_is_one_registry_with_one_token_service() {
    let hub = hub();
    let anonymous = (hub.builder)().build().unwrap();
    assert_eq!(outcome(&anonymous.exists(&reference("alpine:1"))), "exists");
    let asked = hub.service.take_requests();
    assert_eq!(lines(&asked), ["GET /token -"]);
    assert_eq!(
        asked[0].target,
        "/token?service=registry.docker.io&scope=repository%3Alibrary%2Falpine%3Apull"
    );
    let requests = hub.registry.take_requests();
    assert_eq!(
        lines(&requests),
        [
            "HEAD /v2/library/alpine/manifests/1 -",
            "HEAD /v2/library/alpine/manifests/1 bearer"
        ]
    );
    assert_eq!(
        requests[0].header("host").as_deref(),
        Some("registry-1.docker.io")
    );
    // All names are one registry.
    for name in [
        "docker.io/library/alpine:1",
        "index.docker.io/alpine:1",
        "registry-1.docker.io/library/alpine:1",
    ] {
        assert_eq!(
            outcome(&anonymous.exists(&reference(name))),
            "exists",
            "{name}"
        );
    }
    assert_eq!(hub.service.take_requests().len(), 0);
    assert_eq!(
        outcome(&anonymous.exists(&reference("alpine:none"))),
        "absent"
    );
    // Missing and private look alike.
    for name in ["mine:1", "hidden/secret:1"] {
        let name = format!("docker.io/{}", name.replace("mine", "someone/mine"));
        assert_eq!(
            outcome(&anonymous.exists(&reference(&name))),
            "denied",
            "{name}"
        );
    }
    let limit = anonymous.rate_limit(&registry("docker.io")).unwrap();
    assert!(format!("{limit:?}").contains("76"), "{limit:?}");
}

#[test]
fn s4_a1_docker_hubs_token_service_gets_the_password() {
    for name in ["docker.io", "index.docker.io", "registry-1.docker.io"] {
        let hub = hub();
        let client = (hub.builder)().basic(name, USER, PASSWORD).build().unwrap();
        assert_eq!(
            outcome(&client.exists(&reference("alpine:1"))),
            "exists",
            "{name}"
        );
        assert_eq!(
            lines(&hub.service.requests()),
            ["GET /token basic"],
            "{name}"
        );
        client.check_login(&registry("docker.io")).unwrap();
    }
    // A web page with 403 is from a proxy, and says nothing about the repository.
    let hub = hub();
    hub.registry.set_quirks([Quirk::Deny(403, Page::Html)]);
    let client = (hub.builder)().build().unwrap();
    assert_eq!(outcome(&client.exists(&reference("alpine:1"))), "Protocol");
}
