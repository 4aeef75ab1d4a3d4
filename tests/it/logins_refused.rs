//! A refusal of a password: it is wrong, or it is good and this repository is not its owner's. The
//! tests look at the answer, and at how often the password was sent.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use fake_registry::Recorded;
use ocireg::{Client, ErrorKind, Presence, Reference};
use raw_http::{Answer, Server};

use crate::auth_support::*;

const MARK: &str = "Docker-Distribution-Api-Version: registry/2.0";
const TOKEN: &str = "Content-Type: application/json";

fn refusal(status: u16, head: &str, body: &str) -> Answer {
    Answer::new(status, &format!("{MARK}\n{TOKEN}{head}"), body)
}

fn denied(status: u16) -> Answer {
    let body = r#"{"errors":[{"code":"DENIED","message":"no"}]}"#;
    refusal(status, "", body)
}

/// An image that is there.
fn found() -> Answer {
    let digest = format!("sha256:{}", "a".repeat(64));
    let head = format!("{MARK}\nContent-Type: {OCI}\nDocker-Content-Digest: {digest}");
    Answer::new(200, &head, "{}")
}

fn shows_login(request: &Recorded) -> bool {
    request.header("authorization").as_deref() == Some(BASIC)
}

/// Who gets a token without a scope, or may ask for `/v2/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Nobody,
    Logins,
    All,
}

impl Open {
    fn to(self, has_login: bool) -> bool {
        self == Open::All || self == Open::Logins && has_login
    }
}

/// A registry with a token service of its own. For the repository `mine` and below it refuses every
/// token with this status; for others the login gets one.
#[derive(Debug, Clone, Copy)]
struct Bearer {
    status: u16,
    tokens: Open,
    ping: Open,
    body: &'static str,
}

impl Bearer {
    fn start(self) -> Server {
        says(None, move |request| self.answer(request))
    }

    fn answer(self, request: &Recorded) -> Answer {
        let has_login = shows_login(request);
        if request.path() == "/token" {
            let name = if has_login { "login" } else { "anybody" };
            let token = Answer::new(200, TOKEN, format!(r#"{{"token":"{name}"}}"#));
            return match request.query("scope") {
                None if self.tokens.to(has_login) => token,
                Some(scope) if has_login && !scope.contains(":mine") => token,
                _ => refusal(self.status, "", self.body),
            };
        }
        let shown = request.header("authorization");
        let is_login = shown.as_deref() == Some("Bearer login");
        match request.path().as_str() {
            "/v2/" if shown.is_some() && self.ping.to(is_login) => Answer::new(200, MARK, "{}"),
            path if path != "/v2/" && is_login => found(),
            _ => {
                let host = request.header("host").unwrap_or_default();
                let head = format!("\nWWW-Authenticate: Bearer realm=\"http://{host}/token\"");
                refusal(401, &head, "{}")
            }
        }
    }
}

/// A registry of user name and password, which refuses `mine` and below with this status.
fn basic(status: u16, ping: Open) -> Server {
    says(None, move |request| {
        let has_login = shows_login(request);
        let challenge = "\nWWW-Authenticate: Basic realm=\"x\"";
        match request.path().as_str() {
            "/v2/" if ping.to(has_login) => Answer::new(200, MARK, "{}"),
            path if path.starts_with("/v2/mine") && has_login => {
                let body = r#"{"errors":[{"code":"UNAUTHORIZED","message":"no"}]}"#;
                refusal(status, challenge, body)
            }
            path if path != "/v2/" && has_login && ping != Open::Nobody => found(),
            _ => refusal(401, challenge, "{}"),
        }
    })
}

fn client(server: &Server, password: &str) -> Client {
    let host = server.address().to_string();
    builder().basic(&host, USER, password).build().unwrap()
}

fn image(server: &Server, name: &str) -> Reference {
    reference(&format!("{}/{name}:1", server.address()))
}

/// How the lookups of these repositories went, one after the other, and the requests of each.
fn look(server: &Server, client: &Client, names: &[&str]) -> Vec<(String, Vec<String>)> {
    let look = |name: &&str| {
        let answer = outcome(&client.exists(&image(server, name)));
        (answer, lines(&server.take_requests()))
    };
    names.iter().map(look).collect()
}

const NO_CODE: &str = r#"{"errors":[{"status":401,"message":"Bad Credentials"}]}"#;
const CODE: &str = r#"{"errors":[{"code":"UNAUTHORIZED","message":"no"}]}"#;
const DENIED: &str = r#"{"errors":[{"code":"DENIED","message":"no"}]}"#;
const HEAD: &str = "HEAD /v2/mine/manifests/1 -";
const TOKEN_BASIC: &str = "GET /token basic";
const TOKEN_NONE: &str = "GET /token -";

/// Who gets a token without a scope, who may ask for `/v2/`, the body of a refusal, the answer, and
/// the requests after the first refusal.
type TokenCase = (
    Open,
    Open,
    &'static str,
    &'static str,
    &'static [&'static str],
);

const WITHOUT_SCOPE: [&str; 2] = [TOKEN_BASIC, TOKEN_NONE];
const ALL_FOUR: [&str; 4] = [
    TOKEN_BASIC,
    TOKEN_NONE,
    "GET /v2/ bearer",
    "GET /v2/ bearer",
];
const TOKEN_CASES: [TokenCase; 6] = [
    (
        Open::Nobody,
        Open::Nobody,
        CODE,
        "Unauthorized",
        &[TOKEN_BASIC],
    ),
    (Open::Nobody, Open::Nobody, NO_CODE, "Unauthorized", &[]),
    (Open::Logins, Open::Nobody, CODE, "denied", &WITHOUT_SCOPE),
    (Open::All, Open::Logins, DENIED, "denied", &ALL_FOUR),
    (Open::All, Open::Nobody, DENIED, "Unauthorized", &ALL_FOUR),
    // What is open to anybody tells nothing: a wrong password must not read as "denied".
    (
        Open::All,
        Open::All,
        DENIED,
        "Unauthorized",
        &[TOKEN_BASIC, TOKEN_NONE, "GET /v2/ bearer"],
    ),
];

#[test]
fn a_token_service_that_refuses_a_repository_is_asked_for_a_token_without_a_scope() {
    for (tokens, ping, body, expected, asked) in TOKEN_CASES {
        for status in [401, 403] {
            let case = format!("{tokens:?} {ping:?} {body} {status}");
            let server = Bearer {
                status,
                tokens,
                ping,
                body,
            }
            .start();
            let client = client(&server, PASSWORD);
            let answers = look(&server, &client, &["mine", "mine"]);
            let first = [&[HEAD, TOKEN_BASIC], asked].concat();
            assert_eq!(answers[0], (expected.to_owned(), strings(&first)), "{case}");
            // What was found out is not asked again; a refused password rests.
            let again: &[&str] = match expected {
                "denied" => &[HEAD, TOKEN_BASIC],
                _ => &[HEAD],
            };
            assert_eq!(answers[1], (expected.to_owned(), strings(again)), "{case}");
        }
    }
}

fn strings(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

#[test]
fn get_v2_tells_whether_a_password_of_basic_is_wrong() {
    let pings = ["GET /v2/ -", "GET /v2/ basic"];
    let cases: [(Open, u16, &str, &[&str]); 4] = [
        (Open::Logins, 401, "denied", &pings),
        (Open::Nobody, 401, "Unauthorized", &pings),
        (Open::All, 401, "Unauthorized", &pings[..1]),
        // Artifactory and Nexus answer 403 with this code to a login that may not.
        (Open::Logins, 403, "denied", &[]),
    ];
    for (ping, status, expected, asked) in cases {
        let server = basic(status, ping);
        let answers = look(&server, &client(&server, PASSWORD), &["mine"]);
        let basic = HEAD.replace('-', "basic");
        let first = [&[HEAD, &basic], asked].concat();
        let expected = (expected.to_owned(), strings(&first));
        assert_eq!(answers, [expected], "{ping:?} {status}");
    }
}

#[test]
fn a_batch_goes_on_after_a_repository_that_a_good_login_may_not_have() {
    let bearer = Bearer {
        status: 401,
        tokens: Open::Logins,
        ping: Open::Nobody,
        body: CODE,
    };
    for server in [bearer.start(), basic(401, Open::Logins)] {
        let names = ["mine", "a", "mine/b", "c"];
        let references = names.map(|name| image(&server, name));
        let answers = client(&server, PASSWORD).lookup_all(&references);
        let answers: Vec<String> = answers.iter().map(outcome).collect();
        assert_eq!(answers, ["denied", "exists", "denied", "exists"]);
        let pings = lines(&server.requests());
        let asked = |line: &str| pings.iter().filter(|it| *it == line).count();
        assert!(
            asked("GET /v2/ basic") <= 1 && asked(TOKEN_NONE) <= 1,
            "{pings:?}"
        );
    }
}

/// Some registries lock an account after a few failures.
#[test]
fn a_refused_password_rests_for_all_lookups() {
    let bearer = Bearer {
        status: 401,
        tokens: Open::Logins,
        ping: Open::Nobody,
        body: CODE,
    };
    for server in [bearer.start(), basic(401, Open::Logins)] {
        let (wrong, host) = (client(&server, "wrong"), server.address().to_string());
        for number in 0..133 {
            let error = wrong
                .exists(&image(&server, &format!("r{number}")))
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthorized);
            assert_eq!(error.http_status(), Some(401), "{error}");
        }
        let sent = || {
            let requests = server.take_requests();
            let sent = requests.iter().filter_map(|it| it.header("authorization"));
            sent.filter(|value| value.starts_with("Basic ")).count()
        };
        assert_eq!(sent(), 2);
        // A check of the login is worth a request, and so is another password.
        let error = wrong.check_login(&registry(&host)).unwrap_err();
        assert_eq!((error.kind(), sent()), (ErrorKind::Unauthorized, 1));
        let right = client(&server, PASSWORD);
        assert!(matches!(
            right.exists(&image(&server, "a")),
            Ok(Presence::Exists(_))
        ));
        assert!(sent() >= 1);
    }
}

#[test]
fn a_failure_while_a_login_is_checked_is_that_failure() {
    // The token service limits requests after its refusal.
    let server = says(None, |request| {
        let host = request.header("host").unwrap_or_default();
        let head = format!("\nWWW-Authenticate: Bearer realm=\"http://{host}/token\"");
        match (request.path().as_str(), request.query("scope")) {
            ("/token", Some(_)) => denied(401),
            ("/token", None) => refusal(429, "\nRetry-After: 3600", "{}"),
            _ => refusal(401, &head, "{}"),
        }
    });
    let error = client(&server, PASSWORD)
        .exists(&image(&server, "mine"))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited, "{error}");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
}

/// A ping that fails for a moment says nothing of the password: the lookup is repeated.
#[test]
fn a_failing_ping_is_asked_again_and_is_no_verdict() {
    let failures = AtomicUsize::new(2);
    let server = says(None, move |request| {
        let challenge = "\nWWW-Authenticate: Basic realm=\"x\"";
        let fails = || failures.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        match (request.path().as_str(), shows_login(request)) {
            ("/v2/", _) if fails().is_ok() => refusal(503, "", "{}"),
            ("/v2/", true) => Answer::new(200, MARK, "{}"),
            _ => refusal(401, challenge, "{}"),
        }
    });
    let answers = look(&server, &client(&server, PASSWORD), &["mine", "mine"]);
    let answers: Vec<&str> = answers.iter().map(|(answer, _)| answer.as_str()).collect();
    assert_eq!(answers, ["denied", "denied"]);
}
