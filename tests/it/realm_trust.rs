//! S4: which token services get the password of a registry. What counts is what the token service
//! received.

use fake_registry::{Ca, Config};
use ocireg::ErrorKind;

use crate::auth_support::*;

/// Asks the registry at `host`, whose challenge names the token service at `realm`. Returns whether
/// the token service received the password.
fn gets_password(host: &str, realm: &str) -> bool {
    let ca = Ca::new();
    let identity = ca.identity(&[host, realm]);
    let service = asks_for_login(Some(&identity));
    let config = Config::new().bearer(&format!("https://{realm}:444/t"), "lab");
    let lab = filled(config.tls(identity));
    let names = Names::default()
        .with(host, 443, lab.address())
        .with(realm, 444, service.address());
    let client = builder()
        .retries(0)
        .resolver(names)
        .ca_pem(host, ca.pem().as_bytes())
        .ca_pem(realm, ca.pem().as_bytes())
        .basic(host, USER, PASSWORD)
        .build()
        .unwrap();
    let error = client
        .exists(&reference(&format!("{host}/mine:1")))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    let requests = service.take_requests();
    let gets = requests[0]
        .header("authorization")
        .is_some_and(|it| it == BASIC);
    // A password that is refused is tried once more, without a scope.
    let expected = 1 + usize::from(gets);
    assert_eq!(requests.len(), expected, "{host} {realm}: {error}");
    if !gets {
        assert_saw_nothing(realm, &requests, &["dXNlcjpwYXNz"]);
    }
    let setting = format!("--trust-realm {host}={realm}, or trusted_realm");
    assert_eq!(error.to_string().contains(&setting), !gets, "{error}");
    gets
}

#[test]
fn s4_a_stranger_below_a_shared_domain_gets_no_password() {
    for parent in [
        "co.uk",
        "com.au",
        "gob.mx",
        "uk.com",
        "eu.org",
        "github.io",
        "pages.dev",
        "herokuapp.com",
        "fly.dev",
        "us-east-1.elb.amazonaws.com",
        "eu.run.app",
        "azurewebsites.net",
        "duckdns.org",
        "ngrok.io",
        "synology.me",
        "aliyuncs.com",
        "nip.io",
        "10.0.0.1.sslip.io",
    ] {
        for stranger in ["evil", "auth"] {
            let (good, stranger) = (format!("good.{parent}"), format!("{stranger}.{parent}"));
            assert!(!gets_password(&good, &stranger), "{good} {stranger}");
        }
    }
}

#[test]
fn s4_below_a_domain_of_one_owner_only_the_labels_of_token_services_do() {
    for (host, realm, expected) in [
        ("registry.example.com", "auth.example.com", true),
        ("images.example.co.uk", "gitlab.example.co.uk", true),
        ("registry.me.duckdns.org", "sso.me.duckdns.org", true),
        ("registry.example.com", "auth.registry.example.com", true),
        ("registry.gitlab.com", "gitlab.com", true),
        ("nvcr.io", "authn.nvidia.com", true),
        ("registry.example.com", "shop.example.com", false),
        ("registry.example.com", "api.example.com", false),
        ("registry.eu.example.com", "auth.example.com", false),
    ] {
        assert_eq!(gets_password(host, realm), expected, "{host} {realm}");
    }
}
