//! Challenges (B1 to B13) and answers of token services (C1 to C9) from end to end.

use std::sync::Arc;

use fake_registry::{Config, FakeRegistry, Quirk, Recorded};
use ocireg::{AuthScheme, ErrorKind};
use raw_http::{Answer, Server, Service, Stop};
use serde_json::json;
use token_service::{Quirk as Odd, TokenService};

use crate::auth_support::*;

/// A registry that answers requests without credentials with these challenges, and accepts any
/// credentials. Its `/token` issues a token.
struct Challenging {
    challenges: Vec<String>,
    /// The challenges of `/v2/`, if they are others.
    ping: Option<Vec<String>>,
}

impl Service for Challenging {
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
            for challenge in ping.unwrap_or(&self.challenges) {
                answer.add(&format!("WWW-Authenticate: {challenge}"));
            }
            return Some(answer);
        }
        let mut answer = Answer::new(200, MARK, "{}");
        answer.add(&format!("Content-Type: {OCI}"));
        answer.add(&format!("Docker-Content-Digest: sha256:{}", "a".repeat(64)));
        Some(answer)
    }
}

/// Starts a registry with these challenges. `@` in them stands for its address.
fn challenging(challenges: &[&str], ping: Option<&[&str]>) -> Server {
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
        Arc::new(Challenging {
            challenges: own(challenges),
            ping: ping.map(own),
        }),
    )
}

/// Looks up an image with a password: the outcome, and the requests.
fn look_up(registry: &Server) -> (String, Vec<Recorded>) {
    let authority = registry.address().to_string();
    let client = builder().basic(&authority, USER, PASSWORD).build().unwrap();
    let result = client.exists(&reference(&format!("{authority}/mine:1")));
    (outcome(&result), registry.take_requests())
}

const BEARER: &str = r#"Bearer realm="http://@/token",service="s",scope="repository:mine:pull""#;

/// What a client with a password does after a challenge.
#[derive(Clone, Copy)]
enum Answers<'a> {
    /// Nothing: the lookup ends with the challenge.
    Nothing,
    /// It sends the password.
    Basic,
    /// It sends the password to the token service, with this target, and then the token.
    Token(&'a str),
}

/// The code of a row, the challenges, and what the client does.
type Case<'a> = (&'a str, &'a [&'a str], Answers<'a>);

#[track_caller]
fn check_challenges(cases: &[Case]) {
    for (row, challenges, expected) in cases {
        let case = format!("{row} {challenges:?}");
        let (outcome, requests) = look_up(&challenging(challenges, None));
        let sent = |number: usize| requests.get(number)?.header("authorization");
        let (expected_outcome, count) = match expected {
            Answers::Nothing => ("denied", 1),
            Answers::Basic => ("exists", 2),
            Answers::Token(_) => ("exists", 3),
        };
        assert_eq!(
            (&*outcome, requests.len()),
            (expected_outcome, count),
            "{case}"
        );
        if count > 1 {
            assert_eq!(sent(1).as_deref(), Some(BASIC), "{case}");
        }
        if let Answers::Token(target) = expected {
            assert_eq!(requests[1].target, *target, "{case}");
            assert_eq!(sent(2).as_deref(), Some("Bearer t0ken"), "{case}");
        }
    }
}

#[test]
fn b1_b2_b3_b4_b11_c7_what_the_token_request_asks_for() {
    use Answers::Token;
    const PULL: &str = "/token?service=s&scope=repository%3Amine%3Apull";
    const NO_SERVICE: &str = "/token?scope=repository%3Amine%3Apull";
    check_challenges(&[
        ("B1", &[BEARER], Token(PULL)),
        (
            "B2",
            &[r#"Bearer realm="http://@/token""#, "Basic"],
            Token(NO_SERVICE),
        ),
        (
            "B2",
            &[r#"Bearer realm="http://@/token",service="container_registry",scope="*""#],
            Token("/token?service=container_registry&scope=repository%3Amine%3Apull&scope=%2A"),
        ),
        (
            "B3",
            &[r#"Bearer realm="http://@/token",scope="repository:mine:pull""#],
            Token(NO_SERVICE),
        ),
        (
            "B4",
            &[r#"Bearer realm="http://@/token",service="s""#],
            Token(PULL),
        ),
        (
            "B11",
            &[r#"Bearer realm="/token",service="s""#],
            Token(PULL),
        ),
        (
            "C7",
            &[r#"Bearer realm="http://@/token?x=1&y=%2F",service="s""#],
            Token("/token?x=1&y=%2F&service=s&scope=repository%3Amine%3Apull"),
        ),
    ]);
}

#[test]
fn b8_b9_b10_which_of_several_challenges_is_answered() {
    use Answers::{Basic, Nothing, Token};
    const PULL: &str = "/token?service=s&scope=repository%3Amine%3Apull";
    check_challenges(&[
        (
            "B8",
            &[r#"Basic realm="Lab Realm", charset="UTF-8""#],
            Basic,
        ),
        (
            "B8",
            &[r#"Basic realm="https://1234.ecr/",service="ecr.amazonaws.com""#],
            Basic,
        ),
        ("B9", &["Negotiate, Basic realm=x"], Basic),
        ("B9", &["Negotiate", "Basic realm=x"], Basic),
        (
            "B9",
            &[r#"bEARER REALM="http://@/token",SERVICE="s""#],
            Token(PULL),
        ),
        (
            "B9",
            &[r#"Bearer realm=http://@/token,service=s"#],
            Token(PULL),
        ),
        (
            "B9",
            &["Bearer  realm=\"http:\\/\\/@/token\" ,\tservice = \"s\" , \
               scope=\"repository:mine:pull\""],
            Token(PULL),
        ),
        (
            "B9",
            &[&format!("Basic realm=\"x\", {BEARER}")],
            Token(PULL),
        ),
        ("B9", &["Basic realm=\"x\"", BEARER], Token(PULL)),
        (
            "B9",
            &[r#"NTLM TlRMTVNTUAAC==, Basic realm="x", Digest realm="y", nonce="z""#],
            Basic,
        ),
        ("B9", &["Negotiate"], Nothing),
        (
            "B10",
            &[
                r#"Bearer realm="http://@/token" service="s""#,
                "Basic realm=x",
            ],
            Basic,
        ),
        (
            "B10",
            &[r#"Basic realm="unterminated"#, BEARER],
            Token(PULL),
        ),
    ]);
}

#[test]
fn b5_b6_a_401_without_a_challenge_costs_one_ping() {
    const BEARER: &[&str] = &[r#"Bearer realm="http://@/token",service="s""#];
    for challenges in [&[][..], &[""], &["", ""]] {
        let with_ping = challenging(challenges, Some(BEARER));
        let (outcome, requests) = look_up(&with_ping);
        assert_eq!(outcome, "exists", "{challenges:?}");
        assert_eq!(
            lines(&requests),
            [
                "HEAD /v2/mine/manifests/1 -",
                "GET /v2/ -",
                "GET /token basic",
                "HEAD /v2/mine/manifests/1 bearer"
            ]
        );
        // The ping has no challenge either.
        let silent = challenging(challenges, None);
        let (outcome, requests) = look_up(&silent);
        assert_eq!(outcome, "denied", "{challenges:?}");
        assert_eq!(
            lines(&requests),
            ["HEAD /v2/mine/manifests/1 -", "GET /v2/ -"]
        );
    }
}

#[test]
fn b10_an_unreadable_challenge_is_no_denial() {
    for line in [
        r#"Bearer realm="http://x/token"#,
        r#"Bearer realm="http://x/token" service="s""#,
        r#"Bearer realm="a\"#,
    ] {
        let registry = challenging(&[line], None);
        let authority = registry.address().to_string();
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
fn b1_b9_a_realm_that_is_no_url_is_a_protocol_error() {
    for realm in [
        "file:///etc/passwd",
        "gopher://@/x",
        "http://user:pw@127.0.0.1/t",
        "http://2130706433/t",
        "http://[::1/t",
        "http://a b/t",
    ] {
        let challenge = format!("Bearer realm=\"{realm}\",service=\"s\"");
        let (outcome, requests) = look_up(&challenging(&[&challenge], None));
        assert_eq!((&*outcome, requests.len()), ("Protocol", 1), "{realm}");
    }
}

/// Harbor: the token service, the registry, and the registry's address. Tokens last a second.
fn harbor() -> (TokenService, FakeRegistry, String) {
    let service = TokenService::start(service_config().lifetime(std::time::Duration::from_secs(1)));
    let registry = filled(
        Config::new()
            .bearer(&service.realm(), "harbor-registry")
            .quirk(Quirk::Harbor)
            .basic(USER, PASSWORD),
    );
    let authority = registry.authority();
    (service, registry, authority)
}

#[test]
fn b6_harbors_change_to_basic_does_not_replace_a_known_bearer() {
    let (_service, registry, authority) = harbor();
    let client = builder().basic(&authority, USER, PASSWORD).build().unwrap();
    let exists = |name: &str| outcome(&client.exists(&reference(&format!("{authority}/{name}"))));
    // A public repository wants a token too.
    assert_eq!(exists("open:1"), "exists");
    assert_eq!(
        lines(&registry.take_requests()),
        [
            "HEAD /v2/open/manifests/1 -",
            "HEAD /v2/open/manifests/1 bearer"
        ]
    );
    // An expired token is answered with Basic. The known Bearer challenge stays in force.
    std::thread::sleep(std::time::Duration::from_millis(2100));
    assert_eq!(exists("open:1"), "exists");
    assert_eq!(
        lines(&registry.take_requests()),
        [
            "HEAD /v2/open/manifests/1 bearer",
            "HEAD /v2/open/manifests/1 bearer"
        ]
    );
    // The catalog takes Basic alone.
    let host = crate::auth_support::registry(&authority);
    let repositories = client.catalog(&host).unwrap();
    assert_eq!(repositories.len(), 5);
    assert_eq!(
        lines(&registry.take_requests()),
        ["GET /v2/_catalog bearer", "GET /v2/_catalog basic"]
    );
    // A user who may log in gets a 404 for an unknown project.
    assert_eq!(exists("unknown/x:1"), "absent");
    // What the catalog wanted does not turn lookups into Basic.
    registry.take_requests();
    assert_eq!(exists("mine:1"), "exists");
    assert_eq!(
        lines(&registry.take_requests()),
        ["HEAD /v2/mine/manifests/1 bearer"]
    );
}

#[test]
fn b6_harbors_empty_challenge_is_looked_up_in_the_ping() {
    let (_service, registry, authority) = harbor();
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
fn b7_a_ping_with_the_body_true_is_a_registry() {
    let registry = filled(Config::new().quirk(Quirk::PingBody("true".to_owned())));
    let ping = builder()
        .build()
        .unwrap()
        .ping(&crate::auth_support::registry(&registry.authority()));
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
fn b13_the_challenge_may_change_within_a_session() {
    let service = service();
    let registry = bearer_registry(&service);
    let authority = registry.authority();
    let client = builder().basic(&authority, USER, PASSWORD).build().unwrap();
    let image = reference(&format!("{authority}/mine:1"));
    assert_eq!(outcome(&client.exists(&image)), "exists");
    registry.set_quirks([Quirk::Basic(format!("{USER}:{PASSWORD}"))]);
    registry.take_requests();
    assert_eq!(outcome(&client.exists(&image)), "exists");
    // The token, a new token, the password: each once.
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

/// Looks up an image with a token service of this quirk: the outcome, and the text of an error.
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
fn c1_c2_c6_r13_odd_answers_with_a_usable_token() {
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
fn c1_c9_answers_without_a_usable_token() {
    let answer = |kind, body: &[u8]| Odd::Answer(u64::MAX, 200, kind, body.to_vec());
    let cases = [
        (Odd::OddToken(json!(null)), "neither"),
        (Odd::OddToken(json!(12)), "neither"),
        (Odd::OddToken(json!("")), "neither"),
        (Odd::OddToken(json!("a b")), "characters"),
        (Odd::OddToken(json!("a\r\nHost: evil")), "characters"),
        (
            answer("text/html", b"<html>Log in, please.</html>"),
            "a page and no token (28 bytes)",
        ),
        (answer("application/json", b""), "no JSON"),
        (answer("application/json", b"[]"), "no JSON"),
        (answer("application/json", b"{\"token\":"), "no JSON"),
        (
            answer("text/html", "<p>\u{1b}[31m\u{202e}".as_bytes()),
            "a page and no token",
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
    // Quay refuses an anonymous request without a scope. A lookup always has one.
    let service = TokenService::start(service_config().quirk(Odd::ScopeWanted));
    let registry = bearer_registry(&service);
    let open = reference(&format!("{}/open:1", registry.authority()));
    let client = builder().build().unwrap();
    assert_eq!(
        crate::auth_support::outcome(&client.exists(&open)),
        "exists"
    );
}
