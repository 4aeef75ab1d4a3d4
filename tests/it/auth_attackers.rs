//! Rows S2, S4, S5, S11, S14, S18: whatever a registry says, its credentials go nowhere else. What
//! counts is what the attacker's listener received.

use fake_registry::{Ca, Config, FakeRegistry, Identity, Quirk};
use ocireg::{Client, ClientBuilder, ErrorKind};
use raw_http::{Answer, Server};
use token_service::{Quirk as Odd, TokenService};

use crate::auth_lab::*;

const HOST: &str = "registry.example.com";
const IMAGE: &str = "registry.example.com/mine:1";
/// What nobody but the registry and its token service may see.
const SECRETS: [&str; 4] = ["dXNlcjpwYXNz", "s3cr3t-header", "x-lab", "eyJ"];
const MARK: &str = "Docker-Distribution-Api-Version: registry/2.0";

/// An https registry under a made-up name with a token service on its own host, and two listeners
/// of an attacker's under any other name: one speaks TLS with a good certificate, one does not.
struct Lab {
    ca: Ca,
    service: TokenService,
    registry: FakeRegistry,
    attacker: Server,
    plain: Server,
    names: Names,
}

const ATTACKED: [&str; 9] = [
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
    fn new() -> Lab {
        let ca = Ca::new();
        let identity = ca.identity(&[&[HOST, "127.0.0.1"], &ATTACKED[..]].concat());
        let attacker = trap(Some(&identity));
        Lab::with(ca, &identity, attacker)
    }

    fn with(ca: Ca, identity: &Identity, attacker: Server) -> Lab {
        let service = TokenService::start(service_config().tls(identity.clone()));
        let realm = format!("https://{HOST}:444/token");
        let registry = filled(Config::new().bearer(&realm, "lab").tls(identity.clone()));
        let plain = trap(None);
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
    fn builder(&self) -> ClientBuilder {
        let builder = builder().retries(0).resolver(self.names.clone());
        builder.ca_pem(HOST, self.ca.pem().as_bytes())
    }

    fn client(&self) -> Client {
        let builder = self.builder().basic(HOST, USER, PASSWORD);
        builder
            .add_header(HOST, "X-Lab", "s3cr3t-header")
            .build()
            .unwrap()
    }

    /// Sends clients for tokens to `realm` from now on.
    fn set_realm(&self, realm: &str) {
        self.registry
            .set_quirks([Quirk::Bearer(format!("realm=\"{realm}\",service=\"lab\""))]);
    }

    #[track_caller]
    fn assert_nothing_leaked(&self, case: &str) {
        assert_saw_nothing(case, &self.attacker.requests(), &SECRETS);
        assert_saw_nothing(case, &self.plain.requests(), &SECRETS);
    }
}

#[test]
fn s2_a_redirect_takes_nothing_along_and_its_401_is_not_answered() {
    // Where to, how many requests the attacker gets, and how the lookup ends.
    let cases = [
        ("https://registry.example.com:8443", 1, "Protocol"),
        ("https://evil.net", 1, "Protocol"),
        ("https://sub.registry.example.com", 1, "Protocol"),
        ("https://example.com", 1, "Protocol"),
        ("https://auth.example.com", 1, "Protocol"),
        ("//evil.net", 1, "Protocol"),
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
            // The registry's own listener did see a login, so there was something to lose.
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
fn s2_the_callers_own_token_and_headers_stay_too() {
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
    assert_eq!(lab.attacker.request_count(), 1);
    lab.assert_nothing_leaked("own token");
}

#[test]
fn s2_there_and_back_again_gets_nothing_back() {
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
    // A→B→A: the registry is asked a third time, without a login, and its 401 ends it.
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
    let (service, attacker) = (service(), trap(None));
    let registry = bearer_registry(&service);
    registry.add_quirk(Quirk::RedirectManifests(307, attacker.url()));
    let authority = registry.authority();
    let client = builder().basic(&authority, USER, PASSWORD).build().unwrap();
    let result = client.exists(&reference(&format!("{authority}/mine:1")));
    assert_eq!(outcome(&result), "Protocol");
    assert_eq!(lines(&attacker.requests()), ["HEAD /v2/mine/manifests/1 -"]);
    assert_saw_nothing("attacker", &attacker.requests(), &SECRETS);
}

#[test]
fn s1_s2_a_redirected_ping_finds_no_challenge() {
    // The registry's 401 says nothing, and its ping leads elsewhere (B5): to where the credentials
    // would be trusted by their host.
    let attacker = trap(None);
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
            assert_eq!(error.kind(), ErrorKind::Unauthorized, "{host}: {error}");
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
    // The realm gives everyone a token; the registry takes it for what is open, and for nothing
    // else.
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
    for result in [
        client.exists(&reference(IMAGE)).map(|_| ()),
        client.check_login(&registry(HOST)),
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
        assert!(error.to_string().contains("--trust-realm"), "{error}");
    }
    assert_saw_nothing("realm", &lab.service.requests(), &["dXNlcjpwYXNz"]);
}

#[test]
fn s4_s11_realms_that_are_not_asked_at_all() {
    let lab = Lab::new();
    let port = lab.plain.address().port();
    let realms = [
        // https is not given up, not even for the registry's own name.
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
        // No service of anybody's: the address class decides, at connect time.
        "https://169.254.169.254/t".to_owned(),
        "https://[::ffff:169.254.169.254]/t".to_owned(),
        "https://[::ffff:a9fe:a9fe]/t".to_owned(),
        "https://[fe80::1]/t".to_owned(),
        "https://0.0.0.0/t".to_owned(),
        "https://[::]/t".to_owned(),
        "https://224.0.0.1/t".to_owned(),
        // No URLs of a token service.
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
        assert_eq!(
            (
                lab.attacker.connection_count(),
                lab.plain.connection_count()
            ),
            (0, 0),
            "{realm}"
        );
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
    // The registry is on loopback, so its word may lead there; but not with credentials, which
    // belong to its name.
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
fn s4_trusted_realms() {
    for (host, trusted, expected) in [
        // The registry's own host, a parent, a sibling.
        ("registry.example.com:8443", None, true),
        ("auth.example.com", None, true),
        ("example.com", None, true),
        // By the caller's word, for that host alone.
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
        // The service refuses everyone; what it was shown is what counts.
        let error = builder
            .build()
            .unwrap()
            .exists(&reference(IMAGE))
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{host}");
        let asked = lab.attacker.take_requests();
        assert_eq!(asked.len(), 1, "{host}");
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
        assert_eq!(
            (
                lab.attacker.connection_count(),
                lab.plain.connection_count()
            ),
            (0, 0),
            "{base}"
        );
        assert_eq!(
            lines(&lab.service.requests()),
            ["GET /token basic", "POST /token -"],
            "{base}"
        );
    }
}

#[test]
fn s5_what_a_name_leads_to_is_checked_at_connect_time() {
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
        (vec![metadata], 0),
        (vec![metadata, lab.attacker.address()], 1),
    ];
    for (addresses, seen) in cases {
        for quirk in [
            Quirk::Bearer("realm=\"https://evil.net/t\",service=\"lab\"".to_owned()),
            Quirk::RedirectManifests(307, "https://evil.net".to_owned()),
        ] {
            lab.registry.set_quirks([quirk]);
            let builder = lab
                .builder()
                .resolver(Rebinding(lab.names.clone(), addresses.clone()));
            let result = builder.build().unwrap().exists(&reference(IMAGE));
            // Where it is let through, the lookup ends with what that server says: as a token
            // service "no", as a target nothing.
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
        assert_eq!(
            (
                lab.attacker.connection_count(),
                lab.plain.connection_count()
            ),
            (0, 0),
            "{base}"
        );
    }
}

#[test]
fn s11_a_link_to_itself_over_http_is_followed_over_https() {
    // A proxy that ends TLS and does not tell the registry (G3): the Link says http.
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
fn s11_an_https_registry_that_speaks_http_hears_no_http() {
    let lab = Lab::new();
    let names = lab.names.clone().with(HOST, 443, lab.plain.address());
    let builder = lab
        .builder()
        .resolver(names)
        .basic(HOST, USER, PASSWORD)
        .bearer(HOST, "eyJ-own");
    let result = builder.build().unwrap().exists(&reference(IMAGE));
    assert_eq!(outcome(&result), "Tls");
    let heard = lab.plain.requests();
    // A TLS hello, which is no HTTP.
    assert!(heard.iter().all(|it| it.method.is_empty()), "{heard:?}");
    lab.assert_nothing_leaked("plain");
}

#[test]
fn s14_one_password_two_registries() {
    let lab = Lab::new();
    let own = trap(None);
    let other = own.address().to_string();
    let client = lab.client();
    assert_eq!(outcome(&client.exists(&reference(IMAGE))), "exists");
    let sent = lab.registry.requests().pop().unwrap();
    assert_eq!(sent.header("x-lab").as_deref(), Some("s3cr3t-header"));
    assert!(
        lab.service
            .requests()
            .iter()
            .all(|it| it.header("x-lab").is_none())
    );
    // Names that begin, end or look like the registry's, its other ports, and a stranger.
    let hosts = [
        "registry.example.com:8443",
        "registry.example.com.evil.net",
        "sub.registry.example.com",
        "example.com",
        "auth.example.com",
        &other,
    ];
    for host in hosts {
        let result = client.exists(&reference(&format!("{host}/mine:1")));
        assert!(
            !matches!(&result, Ok(ocireg::Presence::Exists(_))),
            "{host}"
        );
    }
    lab.assert_nothing_leaked("another registry");
    assert_saw_nothing("a stranger", &own.requests(), &SECRETS);
    assert!(!own.requests().is_empty());
}

#[test]
fn s14_a_registry_that_names_anothers_token_service_gets_nothing_by_it() {
    let lab = Lab::new();
    // Plain http on loopback; it names the good registry's service as its own.
    let realm = format!("https://{HOST}:444/token");
    let evil = filled(Config::new().bearer(&realm, "lab"));
    let client = lab.client();
    assert_eq!(outcome(&client.exists(&reference(IMAGE))), "exists");
    lab.service.take_requests();
    let _ = client.exists(&reference(&format!("{}/mine:1", evil.authority())));
    let token = lab
        .registry
        .requests()
        .pop()
        .unwrap()
        .header("authorization")
        .unwrap();
    for request in evil.requests() {
        assert_ne!(request.header("authorization").as_ref(), Some(&token));
        assert_eq!(request.header("x-lab"), None);
    }
    assert!(
        lab.service
            .requests()
            .iter()
            .all(|it| it.header("authorization").is_none())
    );
}

#[test]
fn s18_two_accounts_share_no_token() {
    let service = TokenService::start(
        token_service::Config::new()
            .user("alice", "a", &["mine"])
            .user("bob", "b", &["also"]),
    );
    let registry = bearer_registry(&service);
    let authority = registry.authority();
    let clients: Vec<Client> = [("alice", "a"), ("bob", "b")]
        .map(|(user, password)| builder().basic(&authority, user, password).build().unwrap())
        .into();
    let may = |client: &Client, name: &str| {
        outcome(&client.exists(&reference(&format!("{authority}/{name}:1"))))
    };
    std::thread::scope(|scope| {
        for (client, own, other) in [(&clients[0], "mine", "also"), (&clients[1], "also", "mine")] {
            scope.spawn(move || {
                for _ in 0..20 {
                    assert_eq!(
                        (may(client, own).as_str(), may(client, other).as_str()),
                        ("exists", "denied")
                    );
                }
            });
        }
    });
    // A registry beside it with the same service: other clients' tokens are not shown there, nor
    // those of the same client.
    let beside = bearer_registry(&service);
    let client = builder().basic(&authority, "alice", "a").build().unwrap();
    assert_eq!(may(&client, "mine"), "exists");
    let token = registry.requests().pop().unwrap().header("authorization");
    assert_eq!(
        outcome(&client.exists(&reference(&format!("{}/mine:1", beside.authority())))),
        "denied"
    );
    assert!(
        beside
            .requests()
            .iter()
            .all(|it| it.header("authorization") != token)
    );
}
