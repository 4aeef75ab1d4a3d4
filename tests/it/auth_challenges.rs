//! Rows B1 to B13, C1 to C9: challenges and token answers from end to end.

use std::sync::Arc;

use fake_registry::{Config, FakeRegistry, Quirk, Recorded};
use ocireg::{AuthScheme, ErrorKind};
use raw_http::{Answer, Server, Service, Stop};
use serde_json::json;
use token_service::{Quirk as Odd, TokenService};

use crate::auth_lab::*;

/// A registry that challenges with `lines` whoever shows nothing, and lets everyone else in. Its
/// own `/token` gives a token.
struct Door {
    lines: Vec<String>,
    /// The same for `/v2/`, where it is another.
    ping: Option<Vec<String>>,
}

impl Service for Door {
    fn answer(&self, request: &Recorded, _: &Stop) -> Option<Answer> {
        const MARK: &str = "Docker-Distribution-Api-Version: registry/2.0";
        if request.path().starts_with("/token") {
            return Some(Answer::new(
                200,
                "Content-Type: application/json",
                r#"{"token":"t0ken"}"#,
            ));
        }
        if request.header("authorization").is_none() {
            let mut answer = Answer::new(401, MARK, "");
            let ping = self.ping.as_ref().filter(|_| request.path() == "/v2/");
            let lines = ping.unwrap_or(&self.lines);
            lines
                .iter()
                .for_each(|line| answer.add(&format!("WWW-Authenticate: {line}")));
            return Some(answer);
        }
        let mut answer = Answer::new(200, MARK, "{}");
        answer.add(&format!("Content-Type: {OCI}"));
        answer.add(&format!("Docker-Content-Digest: sha256:{}", "a".repeat(64)));
        Some(answer)
    }
}

/// Starts one; `@` in the lines is its own address.
fn door(lines: &[&str], ping: Option<&[&str]>) -> Server {
    let port = test_support::free_port();
    let own = |lines: &[&str]| {
        let address = format!("127.0.0.1:{port}");
        lines
            .iter()
            .map(|line| line.replace('@', &address))
            .collect()
    };
    Server::start(
        port,
        None,
        Arc::new(Door {
            lines: own(lines),
            ping: ping.map(own),
        }),
    )
}

/// Asks the door for an image: how that went, and what the door saw.
fn knock(door: &Server, credentials: bool) -> (String, Vec<Recorded>) {
    let authority = door.address().to_string();
    let builder = if credentials {
        builder().basic(&authority, USER, PASSWORD)
    } else {
        builder()
    };
    let result = builder
        .build()
        .unwrap()
        .exists(&reference(&format!("{authority}/mine:1")));
    (outcome(&result), door.take_requests())
}

#[test]
fn b1_to_b11_which_way_in_is_taken() {
    const BEARER: &str =
        r#"Bearer realm="http://@/token",service="s",scope="repository:mine:pull""#;
    const PULL: &str = "/token?service=s&scope=repository%3Amine%3Apull";
    // The row, the lines, and how it is asked after them: the token request's target, "basic", or
    // "" for not at all.
    let cases: &[(&str, &[&str], &str)] = &[
        ("B1", &[BEARER], PULL),
        (
            "B2",
            &[r#"Bearer realm="http://@/token""#, "Basic"],
            "/token?scope=repository%3Amine%3Apull",
        ),
        (
            "B2",
            &[r#"Bearer realm="http://@/token",service="container_registry",scope="*""#],
            "/token?service=container_registry&scope=repository%3Amine%3Apull&scope=%2A",
        ),
        (
            "B3",
            &[r#"Bearer realm="http://@/token",scope="repository:mine:pull""#],
            "/token?scope=repository%3Amine%3Apull",
        ),
        (
            "B4",
            &[r#"Bearer realm="http://@/token",service="s""#],
            PULL,
        ),
        (
            "B8",
            &[r#"Basic realm="Lab Realm", charset="UTF-8""#],
            "basic",
        ),
        (
            "B8",
            &[r#"Basic realm="https://1234.ecr/",service="ecr.amazonaws.com""#],
            "basic",
        ),
        ("B9", &["Negotiate, Basic realm=x"], "basic"),
        ("B9", &["Negotiate", "Basic realm=x"], "basic"),
        (
            "B9",
            &[r#"bEARER REALM="http://@/token",SERVICE="s""#],
            PULL,
        ),
        ("B9", &[r#"Bearer realm=http://@/token,service=s"#], PULL),
        (
            "B9",
            &[r#"Bearer  realm="http:\/\/@/token" ,	service = "s" , scope="repository:mine:pull""#],
            PULL,
        ),
        ("B9", &[&format!("Basic realm=\"x\", {BEARER}")], PULL),
        ("B9", &["Basic realm=\"x\"", BEARER], PULL),
        (
            "B9",
            &[r#"NTLM TlRMTVNTUAAC==, Basic realm="x", Digest realm="y", nonce="z""#],
            "basic",
        ),
        (
            "B10",
            &[
                r#"Bearer realm="http://@/token" service="s""#,
                "Basic realm=x",
            ],
            "basic",
        ),
        ("B10", &[r#"Basic realm="unterminated"#, BEARER], PULL),
        ("B11", &[r#"Bearer realm="/token",service="s""#], PULL),
        (
            "C7",
            &[r#"Bearer realm="http://@/token?x=1&y=%2F",service="s""#],
            "/token?x=1&y=%2F&service=s&scope=repository%3Amine%3Apull",
        ),
        ("B9", &["Negotiate"], ""),
    ];
    for (row, lines, expected) in cases {
        let door = door(lines, None);
        let (outcome, requests) = knock(&door, true);
        let second = requests.get(1);
        let basic = second.and_then(|it| it.header("authorization"));
        match *expected {
            "" => assert_eq!(
                (&*outcome, requests.len()),
                ("denied", 1),
                "{row} {lines:?}"
            ),
            "basic" => {
                assert_eq!(
                    (&*outcome, requests.len()),
                    ("exists", 2),
                    "{row} {lines:?}"
                );
                assert_eq!(basic.as_deref(), Some(BASIC), "{row} {lines:?}");
            }
            target => {
                assert_eq!(
                    (&*outcome, requests.len()),
                    ("exists", 3),
                    "{row} {lines:?}"
                );
                assert_eq!(requests[1].target, target, "{row} {lines:?}");
                assert_eq!(basic.as_deref(), Some(BASIC), "{row} {lines:?}");
                let token = requests[2].header("authorization");
                assert_eq!(token.as_deref(), Some("Bearer t0ken"), "{row} {lines:?}");
            }
        }
    }
}

#[test]
fn b5_b6d_a_401_without_a_challenge_costs_one_ping() {
    const BEARER: &[&str] = &[r#"Bearer realm="http://@/token",service="s""#];
    for lines in [&[][..], &[""], &["", ""]] {
        let with_ping = door(lines, Some(BEARER));
        let (outcome, requests) = knock(&with_ping, true);
        assert_eq!(outcome, "exists", "{lines:?}");
        assert_eq!(
            lines_of(&requests),
            [
                "HEAD /v2/mine/manifests/1 -",
                "GET /v2/ -",
                "GET /token basic",
                "HEAD /v2/mine/manifests/1 bearer"
            ]
        );
        // A ping that does not say either: no way in.
        let silent = door(lines, None);
        let (outcome, requests) = knock(&silent, true);
        assert_eq!(outcome, "denied", "{lines:?}");
        assert_eq!(
            lines_of(&requests),
            ["HEAD /v2/mine/manifests/1 -", "GET /v2/ -"]
        );
    }
}

fn lines_of(requests: &[Recorded]) -> Vec<String> {
    lines(requests)
}

#[test]
fn b10_a_challenge_that_cannot_be_read_is_no_refusal() {
    for line in [
        r#"Bearer realm="http://x/token"#,
        r#"Bearer realm="http://x/token" service="s""#,
        r#"Bearer realm="a\"#,
    ] {
        let door = door(&[line], None);
        let authority = door.address().to_string();
        let client = builder().build().unwrap();
        let error = client
            .exists(&reference(&format!("{authority}/mine:1")))
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.http_status()),
            (ErrorKind::Protocol, Some(401)),
            "{line}"
        );
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("WWW-Authenticate"), "{source}");
    }
}

#[test]
fn b1_b9_a_realm_that_is_no_url_is_an_error() {
    for realm in [
        "file:///etc/passwd",
        "gopher://@/x",
        "http://user:pw@127.0.0.1/t",
        "http://2130706433/t",
        "http://[::1/t",
        "http://a b/t",
    ] {
        let door = door(&[&format!("Bearer realm=\"{realm}\",service=\"s\"")], None);
        let (outcome, requests) = knock(&door, true);
        assert_eq!((&*outcome, requests.len()), ("Protocol", 1), "{realm}");
    }
}

#[test]
fn b6_harbor_switches_to_basic_and_is_not_followed() {
    let service = TokenService::start(service_config().lifetime(std::time::Duration::from_secs(1)));
    let registry = filled(
        Config::new()
            .bearer(&service.realm(), "harbor-registry")
            .quirk(Quirk::Harbor)
            .basic(USER, PASSWORD),
    );
    let authority = registry.authority();
    let client = builder().basic(&authority, USER, PASSWORD).build().unwrap();
    let exists = |name: &str| outcome(&client.exists(&reference(&format!("{authority}/{name}"))));
    // (c) Also a public repository wants a token.
    assert_eq!(exists("open:1"), "exists");
    assert_eq!(
        lines(&registry.take_requests()),
        [
            "HEAD /v2/open/manifests/1 -",
            "HEAD /v2/open/manifests/1 bearer"
        ]
    );
    // (a) An ended token is answered with Basic; the remembered Bearer wins.
    std::thread::sleep(std::time::Duration::from_millis(2100));
    assert_eq!(exists("open:1"), "exists");
    assert_eq!(
        lines(&registry.take_requests()),
        [
            "HEAD /v2/open/manifests/1 bearer",
            "HEAD /v2/open/manifests/1 bearer"
        ]
    );
    // (b) The catalog takes Basic alone.
    let host = crate::auth_lab::registry(&authority);
    let repositories = client.catalog(&host).unwrap();
    assert_eq!(repositories.len(), 5);
    assert_eq!(
        lines(&registry.take_requests()),
        ["GET /v2/_catalog bearer", "GET /v2/_catalog basic"]
    );
    // A user who may log in is told of an unknown project.
    assert_eq!(exists("unknown/x:1"), "absent");
    // And what was learned from the catalog does not turn lookups into Basic.
    registry.take_requests();
    assert_eq!(exists("mine:1"), "exists");
    assert_eq!(
        lines(&registry.take_requests()),
        ["HEAD /v2/mine/manifests/1 bearer"]
    );

    // (d) with a cold client: the challenge is looked up.
    let cold = builder().build().unwrap();
    let unknown = reference(&format!("{authority}/unknown/x:1"));
    assert_eq!(outcome(&cold.exists(&unknown)), "denied");
    assert_eq!(
        lines(&registry.take_requests()),
        [
            "HEAD /v2/unknown/x/manifests/1 -",
            "GET /v2/ -",
            "HEAD /v2/unknown/x/manifests/1 bearer"
        ]
    );
}

#[test]
fn b7_quays_ping_says_true() {
    let registry = filled(Config::new().quirk(Quirk::PingBody("true".to_owned())));
    let ping = builder()
        .build()
        .unwrap()
        .ping(&crate::auth_lab::registry(&registry.authority()));
    assert_eq!(ping.unwrap().auth, AuthScheme::Anonymous);
}

#[test]
fn b12_http_to_a_tls_port_names_the_setting() {
    let identity = fake_registry::Ca::new().identity(&["127.0.0.1"]);
    let registry = filled(Config::new().basic(USER, PASSWORD).tls(identity));
    let authority = registry.authority();
    let client = builder().basic(&authority, USER, PASSWORD).build().unwrap();
    let error = client
        .exists(&reference(&format!("{authority}/mine:1")))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls);
    assert!(
        error.hint().unwrap_or_default().contains("--https"),
        "{error}"
    );
    assert!(
        registry
            .requests()
            .iter()
            .all(|it| it.header("authorization").is_none())
    );
}

#[test]
fn b13_bearer_may_become_basic_within_a_session() {
    let service = service();
    let registry = bearer_registry(&service);
    let authority = registry.authority();
    let client = builder().basic(&authority, USER, PASSWORD).build().unwrap();
    let image = reference(&format!("{authority}/mine:1"));
    assert_eq!(outcome(&client.exists(&image)), "exists");
    registry.set_quirks([Quirk::Basic(format!("{USER}:{PASSWORD}"))]);
    registry.take_requests();
    assert_eq!(outcome(&client.exists(&image)), "exists");
    // The token, one more token, the password: each once.
    let requests = lines(&registry.take_requests());
    assert_eq!(
        requests.last().map(String::as_str),
        Some("HEAD /v2/mine/manifests/1 basic")
    );
    assert!(requests.len() <= 3, "{requests:?}");
    // And back.
    registry.set_quirks([Quirk::Bearer(format!(
        "realm=\"{}\",service=\"lab\"",
        service.realm()
    ))]);
    assert_eq!(outcome(&client.exists(&image)), "exists");
}

fn with(quirk: Odd) -> (TokenService, FakeRegistry, String, Option<String>) {
    let service = TokenService::start(service_config().quirk(quirk));
    let registry = bearer_registry(&service);
    let authority = registry.authority();
    let client = builder().basic(&authority, USER, PASSWORD).build().unwrap();
    let result = client.exists(&reference(&format!("{authority}/mine:1")));
    let text = result.as_ref().err().map(ToString::to_string);
    (service, registry, outcome(&result), text)
}

#[test]
fn c1_c2_r13_answers_that_are_good_enough() {
    let cases = [
        Odd::TokenOnly,
        Odd::AccessTokenOnly,
        Odd::ExpiresIn(json!(null)),
        Odd::ExpiresIn(json!("900")),
        Odd::ExpiresIn(json!(-1)),
        Odd::ExpiresIn(json!(0)),
        Odd::ExpiresIn(json!(1e300)),
        Odd::ExpiresIn(json!({"seconds": 3})),
        Odd::IssuedAt("1970-01-01T00:00:00Z"),
        Odd::IssuedAt("2999-01-01T00:00:00Z"),
        Odd::IssuedAt("yesterday"),
        Odd::FirstScopeOnly,
        Odd::LastScopeOnly,
        Odd::OneScopeOnly(400),
    ];
    for quirk in cases {
        let (service, registry, outcome, error) = with(quirk.clone());
        assert_eq!(outcome, "exists", "{quirk:?}: {error:?}");
        assert_eq!(
            (registry.request_count(), service.request_count()),
            (2, 1),
            "{quirk:?}"
        );
    }
}

#[test]
fn c1_c9_answers_that_are_none() {
    let answer = |kind, body: &[u8]| Odd::Answer(u64::MAX, 200, kind, body.to_vec());
    let cases = [
        (Odd::OddToken(json!(null)), "neither"),
        (Odd::OddToken(json!(12)), "neither"),
        (Odd::OddToken(json!("")), "neither"),
        (Odd::OddToken(json!("a b")), "characters"),
        (Odd::OddToken(json!("a\r\nHost: evil")), "characters"),
        (
            answer("text/html", b"<html>Log in, please.</html>"),
            "<html>Log in, please.</html>",
        ),
        (answer("application/json", b""), "no JSON"),
        (answer("application/json", b"[]"), "no JSON"),
        (answer("application/json", b"{\"token\":"), "no JSON"),
        (
            answer("text/html", "<p>\u{1b}[31m\u{202e}".as_bytes()),
            "<p>",
        ),
    ];
    for (quirk, expected) in cases {
        let (service, registry, outcome, error) = with(quirk.clone());
        let error = error.unwrap_or_default();
        assert_eq!(outcome, "Protocol", "{quirk:?}: {error}");
        assert!(error.contains(expected), "{quirk:?}: {error}");
        assert!(
            error.contains(&service.address().to_string()),
            "{quirk:?}: {error}"
        );
        assert!(
            !error.chars().any(|c| c.is_control() || c == '\u{202e}'),
            "{quirk:?}: {error}"
        );
        assert_eq!(
            (registry.request_count(), service.request_count()),
            (1, 1),
            "{quirk:?}"
        );
    }
}

#[test]
fn c9_an_endless_answer_is_cut_off() {
    let huge = [b"{\"token\":\"".as_slice(), &vec![b'a'; 2 << 20], b"\"}"].concat();
    let (service, _, outcome, error) = with(Odd::Answer(u64::MAX, 200, "application/json", huge));
    assert_eq!(outcome, "TooLarge", "{error:?}");
    assert_eq!(service.request_count(), 1);
}

#[test]
fn c4_a_bad_scope_is_named_and_no_scope_is_not_asked_for() {
    let (_, _, outcome, error) = with(Odd::BadScope("mine".to_owned()));
    assert_eq!(outcome, "Rejected", "{error:?}");
    assert!(error.unwrap_or_default().contains("unknown scope"));
    // Quay refuses to anonymous clients a token for nothing: never asked, since a lookup has a
    // scope.
    let service = TokenService::start(service_config().quirk(Odd::ScopeWanted));
    let registry = bearer_registry(&service);
    let open = reference(&format!("{}/open:1", registry.authority()));
    let client = builder().build().unwrap();
    assert_eq!(crate::auth_lab::outcome(&client.exists(&open)), "exists");
}
