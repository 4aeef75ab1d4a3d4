//! Redirects and Links of an attacker (S1, S2, S5, S11): they carry no secret, and none leads to an
//! address that the registry may not name.

use fake_registry::{Ca, Quirk};
use ocireg::ErrorKind;
use raw_http::Answer;

use crate::attackers_support::*;
use crate::auth_support::*;

#[test]
fn s2_a_redirect_carries_no_secret_and_its_401_is_not_answered() {
    // Where the redirect leads, how many requests the attacker gets, and how the lookup ends.
    let cases = [
        // The second one asks for the token that anybody gets.
        ("https://registry.example.com:8443", 2, "Protocol"),
        ("https://evil.net", 2, "Protocol"),
        ("https://sub.registry.example.com", 2, "Protocol"),
        ("https://example.com", 2, "Protocol"),
        ("https://auth.example.com", 2, "Protocol"),
        ("//evil.net", 2, "Protocol"),
        ("http://evil.net", 0, "Protocol"),
        ("http://registry.example.com", 0, "Protocol"),
        ("https://user:pass@evil.net", 0, "Protocol"),
        ("https://registry.example.com@evil.net", 0, "Protocol"),
        ("https:\\\\evil.net", 0, "Protocol"),
    ];
    let logins: [(&str, Vec<Quirk>); 2] = [
        ("bearer", vec![]),
        ("basic", vec![Quirk::Basic(format!("{USER}:{PASSWORD}"))]),
    ];
    for (login, quirks) in logins {
        let lab = Lab::new();
        for (base, seen, expected) in cases {
            if login == "bearer" {
                lab.set_realm("https://registry.example.com:444/token");
            } else {
                lab.registry.set_quirks(quirks.clone());
            }
            lab.registry
                .add_quirk(Quirk::RedirectManifests(307, base.to_owned()));
            let result = lab.client().exists(&reference(IMAGE));
            assert_eq!(outcome(&result), expected, "{login} {base}");
            // The registry itself received the login, so there was a secret to lose.
            let last = lab
                .registry
                .take_requests()
                .pop()
                .and_then(|it| it.header("authorization"));
            assert!(
                last.is_some_and(|it| it.to_lowercase().starts_with(login)),
                "{login} {base}"
            );
            lab.assert_nothing_leaked(base);
            let count = lab.attacker.take_requests().len() + lab.plain.take_requests().len();
            assert_eq!(count, seen, "{login} {base}");
        }
    }
}

#[test]
fn s2_a_redirect_carries_no_token_and_no_header_of_the_caller() {
    let lab = Lab::new();
    lab.registry
        .set_quirks([Quirk::RedirectManifests(302, "https://evil.net".to_owned())]);
    let builder =
        lab.builder()
            .bearer(HOST, "eyJ-own-token")
            .add_header(HOST, "X-Lab", "s3cr3t-header");
    assert_eq!(
        outcome(&builder.build().unwrap().exists(&reference(IMAGE))),
        "Protocol"
    );
    let sent = lab.registry.take_requests().remove(0);
    assert_eq!(
        sent.header("authorization").as_deref(),
        Some("Bearer eyJ-own-token")
    );
    assert_eq!(sent.header("x-lab").as_deref(), Some("s3cr3t-header"));
    assert_eq!(lab.attacker.request_count(), 2);
    lab.assert_nothing_leaked("own token");
}

#[test]
fn s2_a_redirect_back_to_the_registry_carries_no_secret() {
    let ca = Ca::new();
    let identity = ca.identity(&[&[HOST], &ATTACKED[..]].concat());
    let back = says(Some(&identity), |request| {
        let location = format!("Location: https://{HOST}{}?back=1", request.path());
        Answer::new(307, &location, "")
    });
    let lab = Lab::with(ca, &identity, back);
    lab.registry
        .add_quirk(Quirk::RedirectManifests(307, "https://evil.net".to_owned()));
    let result = lab.client().exists(&reference(IMAGE));
    // Registry, attacker, registry: the last request has no login, and its 401 ends the lookup.
    assert_eq!(outcome(&result), "Protocol");
    assert_eq!(
        lines(&lab.registry.requests()),
        [
            "HEAD /v2/mine/manifests/1 -",
            "HEAD /v2/mine/manifests/1 bearer",
            "HEAD /v2/mine/manifests/1 -"
        ]
    );
    let last = lab.registry.requests().pop().unwrap();
    assert_eq!(
        (last.query("back").as_deref(), last.header("x-lab")),
        (Some("1"), None)
    );
    assert_eq!(lab.service.request_count(), 1);
    lab.assert_nothing_leaked("back");
}

#[test]
fn s2_on_loopback_another_port_is_another_origin() {
    let (service, attacker) = (service(), asks_for_login(None));
    let registry = bearer_registry(&service);
    registry.add_quirk(Quirk::RedirectManifests(307, attacker.url()));
    let authority = registry.authority();
    let client = builder().basic(&authority, USER, PASSWORD).build().unwrap();
    let result = client.exists(&reference(&format!("{authority}/mine:1")));
    assert_eq!(outcome(&result), "Protocol");
    assert_eq!(
        lines(&attacker.requests()),
        ["HEAD /v2/mine/manifests/1 -", "GET /t -"]
    );
    assert_saw_nothing("attacker", &attacker.requests(), &SECRETS);
}

#[test]
fn s1_s2_a_redirected_ping_finds_no_challenge() {
    // The registry's 401 has no challenge, and its ping redirects (B5) to another port of the same
    // host, which a realm could be trusted for.
    let attacker = asks_for_login(None);
    let url = attacker.url();
    let registry = says(None, move |request| match request.path().as_str() {
        "/v2/" => Answer::new(307, &format!("{MARK}\nLocation: {url}/v2/"), ""),
        _ => Answer::new(401, MARK, ""),
    });
    let authority = registry.address().to_string();
    let client = builder().basic(&authority, USER, PASSWORD).build().unwrap();
    let result = client.exists(&reference(&format!("{authority}/mine:1")));
    assert_eq!(outcome(&result), "denied");
    assert_saw_nothing("attacker", &attacker.requests(), &SECRETS);
    assert_eq!(lines(&attacker.requests()), ["GET /v2/ -"]);
    assert!(
        registry
            .requests()
            .iter()
            .all(|it| it.header("authorization").is_none())
    );
}

#[test]
fn s5_resolved_addresses_are_checked_at_connect_time() {
    use std::net::SocketAddr;
    #[derive(Clone)]
    struct Rebinding(Names, Vec<SocketAddr>);
    impl ocireg::Resolver for Rebinding {
        fn resolve(&self, host: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
            match host {
                "evil.net" => Ok(self.1.clone()),
                _ => self.0.resolve(host, port),
            }
        }
    }
    let lab = Lab::new();
    let metadata: SocketAddr = "169.254.169.254:443".parse().unwrap();
    let cases = [
        (vec![metadata], [0, 0]),
        // The target of a redirect is asked for its token too.
        (vec![metadata, lab.attacker.address()], [1, 2]),
    ];
    let quirks = [
        Quirk::Bearer("realm=\"https://evil.net/t\",service=\"lab\"".to_owned()),
        Quirk::RedirectManifests(307, "https://evil.net".to_owned()),
    ];
    for (addresses, seen) in cases {
        for (quirk, seen) in quirks.iter().cloned().zip(seen) {
            lab.registry.set_quirks([quirk]);
            let builder = lab
                .builder()
                .resolver(Rebinding(lab.names.clone(), addresses.clone()));
            let result = builder.build().unwrap().exists(&reference(IMAGE));
            // Where an address is allowed, the attacker's listener answers 401.
            assert_ne!(outcome(&result), "exists", "{addresses:?}");
            assert_eq!(lab.attacker.take_requests().len(), seen);
        }
    }
}

#[test]
fn s5_a_link_to_another_origin_is_not_followed() {
    for base in [
        "https://evil.net",
        "https://registry.example.com:8443",
        "//evil.net",
        "http://registry.example.com:8443",
        "http://evil.net",
    ] {
        let lab = Lab::new();
        lab.registry.put_tags("mine", "v", 3);
        lab.registry.add_quirk(Quirk::PageSize(2));
        lab.registry.add_quirk(Quirk::LinkOrigin(base.to_owned()));
        let repository = "registry.example.com/mine".parse().unwrap();
        let pages: Vec<_> = lab.client().tag_pages(&repository).collect();
        assert_eq!(pages.len(), 2, "{base}");
        assert!(pages[0].is_ok(), "{base}");
        assert_eq!(
            pages[1].as_ref().unwrap_err().kind(),
            ErrorKind::Protocol,
            "{base}"
        );
        lab.assert_not_contacted(base);
    }
}

#[test]
fn s11_a_link_to_the_own_host_over_http_is_followed_over_https() {
    // The registry does not know that a proxy ends TLS (G3), so the Link says http.
    let lab = Lab::new();
    lab.registry.put_tags("mine", "v", 3);
    lab.registry.add_quirk(Quirk::PageSize(2));
    lab.registry
        .add_quirk(Quirk::LinkOrigin("http://registry.example.com".to_owned()));
    let repository = "registry.example.com/mine".parse().unwrap();
    assert_eq!(lab.client().tags(&repository).unwrap().len(), 4);
    assert_eq!(lab.plain.connection_count(), 0);
}

#[test]
fn s11_an_https_registry_that_speaks_http_receives_no_http() {
    let lab = Lab::new();
    let names = lab.names.clone().with(HOST, 443, lab.plain.address());
    let builder = lab
        .builder()
        .resolver(names)
        .basic(HOST, USER, PASSWORD)
        .bearer(HOST, "eyJ-own");
    let result = builder.build().unwrap().exists(&reference(IMAGE));
    assert_eq!(outcome(&result), "Tls");
    let received = lab.plain.requests();
    // A TLS hello, which is no HTTP.
    assert!(
        received.iter().all(|it| it.method.is_empty()),
        "{received:?}"
    );
    lab.assert_nothing_leaked("plain");
}
