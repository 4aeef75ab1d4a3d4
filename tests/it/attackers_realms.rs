//! Token services of an attacker (S4, S11, S18): a challenge of a registry does not decide alone
//! where a password goes.

use ocireg::ErrorKind;
use token_service::Quirk as Odd;

use crate::attackers_support::*;
use crate::auth_support::*;

#[test]
fn s4_an_untrusted_realm_is_asked_without_credentials_and_named() {
    let lab = Lab::new();
    for host in [
        "evil.net",
        "registry.example.com.evil.net",
        "registry-example.com",
        "a.b.example.com",
        "sub.registry.example.com",
        "auth.other.net",
    ] {
        lab.set_realm(&format!("https://{host}/t?x=1"));
        let identity = lab
            .builder()
            .identity_token(HOST, "eyJ-identity")
            .build()
            .unwrap();
        for client in [lab.client(), identity] {
            let error = client.exists(&reference(IMAGE)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthorized, "{host}: {error}");
            let text = error.to_string();
            assert!(
                text.contains(&format!("--trust-realm {HOST}={host}")),
                "{text}"
            );
            let error = client.check_login(&registry(HOST)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{host}: {error}");
        }
        lab.assert_nothing_leaked(host);
        assert_eq!(
            lines(&lab.attacker.take_requests()),
            ["GET /t -"; 4],
            "{host}"
        );
    }
}

#[test]
fn s4_a_token_of_an_untrusted_realm_proves_no_login() {
    // The realm gives everyone a token, which the registry accepts only for what is open.
    let lab = Lab::new();
    let names = lab
        .names
        .clone()
        .with("evil.net", 443, lab.service.address());
    lab.set_realm("https://evil.net/token");
    let builder = lab.builder().resolver(names).basic(HOST, USER, PASSWORD);
    let client = builder.build().unwrap();
    assert_eq!(
        outcome(&client.exists(&reference("registry.example.com/open:1"))),
        "exists"
    );
    let lookup = client.exists(&reference(IMAGE)).map(|_| ());
    for (result, kind) in [
        (lookup, ErrorKind::Unauthorized),
        (client.check_login(&registry(HOST)), ErrorKind::Config),
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains("--trust-realm"), "{error}");
    }
    assert_saw_nothing("realm", &lab.service.requests(), &["dXNlcjpwYXNz"]);
}

#[test]
fn s4_s11_realms_that_are_not_asked_at_all() {
    let lab = Lab::new();
    let port = lab.plain.address().port();
    let realms = [
        // There is no fallback from https, not even for the registry's own name.
        "http://registry.example.com/t".to_owned(),
        "http://evil.net/t".to_owned(),
        "http://example.com/t".to_owned(),
        format!("http://127.0.0.1:{port}/t"),
        format!("http://localhost:{port}/t"),
        "http://169.254.169.254/t".to_owned(),
        // Spellings of addresses.
        "https://2130706433/t".to_owned(),
        "https://0x7f000001/t".to_owned(),
        "https://0x7f.1/t".to_owned(),
        "https://0177.0.0.1/t".to_owned(),
        "https://127.1/t".to_owned(),
        "https://0/t".to_owned(),
        // The class of the address decides at connect time.
        "https://169.254.169.254/t".to_owned(),
        "https://[::ffff:169.254.169.254]/t".to_owned(),
        "https://[::ffff:a9fe:a9fe]/t".to_owned(),
        "https://[fe80::1]/t".to_owned(),
        "https://0.0.0.0/t".to_owned(),
        "https://[::]/t".to_owned(),
        "https://224.0.0.1/t".to_owned(),
        // Not URLs of a token service.
        "https://user:pass@registry.example.com/t".to_owned(),
        "https://registry.example.com@evil.net/t".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://evil.net/t".to_owned(),
        "https://".to_owned(),
        "https://evil.net:0/t".to_owned(),
    ];
    for realm in realms {
        lab.set_realm(&realm);
        let started = std::time::Instant::now();
        let error = lab.client().exists(&reference(IMAGE)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{realm}: {error}");
        assert!(started.elapsed().as_secs() < 2, "{realm}");
        lab.assert_not_contacted(&realm);
    }
    assert!(
        lab.registry
            .requests()
            .iter()
            .all(|it| it.header("authorization").is_none())
    );
}

#[test]
fn s4_an_address_as_realm_gets_no_password() {
    // The registry is on loopback, so its realm may be there too. But credentials belong to its
    // name.
    let lab = Lab::new();
    let port = lab.attacker.address().port();
    for host in [
        "127.0.0.1",
        "127.0.0.2",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "localhost",
    ] {
        lab.set_realm(&format!("https://{host}:{port}/t"));
        assert!(lab.client().exists(&reference(IMAGE)).is_err(), "{host}");
        lab.assert_nothing_leaked(host);
    }
}

#[test]
fn s4_only_trusted_realms_get_the_password() {
    for (host, trusted, expected) in [
        // The registry's own host, a parent, a sibling.
        ("registry.example.com:8443", None, true),
        ("auth.example.com", None, true),
        ("example.com", None, true),
        // Trusted by the caller, for that host alone.
        ("auth.other.net", Some("auth.other.net"), true),
        ("evil.auth.other.net", Some("auth.other.net"), false),
        ("auth.other.net", Some("other.net"), false),
        ("evil.net", Some("auth.other.net"), false),
    ] {
        let lab = Lab::new();
        lab.set_realm(&format!("https://{host}/t"));
        let mut builder = lab.builder().basic(HOST, USER, PASSWORD);
        if let Some(trusted) = trusted {
            builder = builder.trusted_realm(HOST, trusted);
        }
        // The service refuses everyone. What it received is what counts.
        let error = builder
            .build()
            .unwrap()
            .exists(&reference(IMAGE))
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{host}");
        let asked = lab.attacker.take_requests();
        // A password that is refused is tried once more, without a scope.
        assert_eq!(asked.len(), 1 + usize::from(expected), "{host}");
        let shown = asked[0]
            .header("authorization")
            .is_some_and(|it| it == BASIC);
        assert_eq!(shown, expected, "{host} {trusted:?}");
    }
}

#[test]
fn s4_s18_a_redirecting_realm_is_not_followed() {
    for (base, status) in [
        ("https://evil.net", 302),
        ("https://registry.example.com:8443", 307),
        ("http://registry.example.com", 308),
    ] {
        let lab = Lab::new();
        lab.service
            .set_quirks([Odd::Redirect(status, base.to_owned())]);
        let identity = lab
            .builder()
            .identity_token(HOST, "eyJ-identity")
            .build()
            .unwrap();
        for client in [lab.client(), identity] {
            assert_eq!(
                outcome(&client.exists(&reference(IMAGE))),
                "Protocol",
                "{base}"
            );
        }
        lab.assert_not_contacted(base);
        assert_eq!(
            lines(&lab.service.requests()),
            ["GET /token basic", "POST /token -"],
            "{base}"
        );
    }
}
