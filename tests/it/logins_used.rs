//! Credentials that were given are used where the answer depends on them, and `check_login` speaks
//! only of credentials that it sent.

use fake_registry::{Config, Quirk, Recorded};
use ocireg::{ClientBuilder, ErrorKind};
use raw_http::{Answer, Server};
use token_service::{Quirk as Odd, TokenService};

use crate::auth_support::*;

const MARK: &str = "Docker-Distribution-Api-Version: registry/2.0";
const DENIED: &str = r#"{"errors":[{"code":"DENIED","message":"no"}]}"#;
const JSON: &str = "Content-Type: application/json";

/// A registry like zot with a part that is open to all: `/v2/` and the lists answer everybody, and
/// a login sees more. A wrong login is refused everywhere.
fn partly_open(list_status: u16) -> Server {
    says(None, move |request| {
        let challenge = "WWW-Authenticate: Basic realm=\"zot\"";
        let shown = request.header("authorization");
        if shown.as_deref().is_some_and(|value| value != BASIC) {
            return Answer::new(401, challenge, "{}");
        }
        let list = |names| Answer::new(200, JSON, format!(r#"{{"repositories":[{names}]}}"#));
        match (request.path().as_str(), shown) {
            ("/v2/", _) => Answer::new(200, &format!("{MARK}\n{challenge}"), "{}"),
            ("/v2/_catalog", Some(_)) => list(r#""mine","open""#),
            ("/v2/_catalog", None) if list_status == 200 => list(r#""open""#),
            ("/v2/_catalog", None) => Answer::new(list_status, challenge, DENIED),
            _ => Answer::new(404, MARK, ""),
        }
    })
}

fn with(server: &Server, password: &str) -> ocireg::Client {
    let host = server.address().to_string();
    builder().basic(&host, USER, password).build().unwrap()
}

#[test]
fn check_login_sends_the_login_to_a_registry_that_answers_everybody() {
    for (password, expected) in [(PASSWORD, None), ("wrong", Some(ErrorKind::Unauthorized))] {
        let server = partly_open(200);
        let host = registry(&server.address().to_string());
        let result = with(&server, password).check_login(&host);
        assert_eq!(result.err().map(|error| error.kind()), expected);
        assert_eq!(lines(&server.requests()), ["GET /v2/ -", "GET /v2/ basic"]);
    }
}

#[test]
fn a_catalog_is_read_with_the_login_that_was_given() {
    let ping_first: &[&str] = &["GET /v2/_catalog -", "GET /v2/ -", "GET /v2/_catalog basic"];
    let cases = [
        // The catalog answers everybody, and only the ping tells that there are logins.
        (200, ping_first),
        (403, &["GET /v2/_catalog -", "GET /v2/_catalog basic"]),
    ];
    for (status, asked) in cases {
        let server = partly_open(status);
        let host = registry(&server.address().to_string());
        let client = with(&server, PASSWORD);
        assert_eq!(client.catalog(&host).unwrap().len(), 2);
        assert_eq!(lines(&server.take_requests()), asked);
        assert_eq!(client.catalog(&host).unwrap().len(), 2);
        assert_eq!(lines(&server.take_requests()), ["GET /v2/_catalog basic"]);
        // Without a login the answer for everybody is the answer.
        let anonymous = builder().build().unwrap().catalog(&host);
        let expected = if status == 200 {
            Ok(1)
        } else {
            Err(ErrorKind::Denied)
        };
        let anonymous = anonymous.map(|names| names.len());
        assert_eq!(anonymous.map_err(|error| error.kind()), expected);
        assert_eq!(server.take_requests().len(), 1);
    }
}

#[test]
fn a_registry_without_logins_is_asked_for_its_challenge_once() {
    let open = filled(Config::new());
    let (host, authority) = (registry(&open.authority()), open.authority());
    let client = builder().basic(&authority, USER, PASSWORD).build().unwrap();
    for asked in [
        &["GET /v2/_catalog -", "GET /v2/ -"][..],
        &["GET /v2/_catalog -"],
    ] {
        assert_eq!(client.catalog(&host).unwrap().len(), 5);
        assert_eq!(lines(&open.take_requests()), asked);
    }
}

/// Neither "refused" nor "ok" is said of a login that was not sent.
#[test]
fn check_login_says_that_a_login_was_not_sent_and_which_setting_lets_it_be() {
    let stranger = says(None, |_| Answer::new(401, JSON, "{}"));
    let realm = format!("http://localhost:{}/token", stranger.address().port());
    let bearer = Config::new().bearer(&realm, "lab");
    let password = |host: &str| builder().basic(host, USER, PASSWORD);
    let identity = |host: &str| builder().identity_token(host, "identity-1");
    type Given<'a> = &'a dyn Fn(&str) -> ClientBuilder;
    let cases: [(Config, Given<'_>, ErrorKind, &str, &str); 4] = [
        (
            Config::new(),
            &password,
            ErrorKind::Unsupported,
            "were not sent",
            "only a token of the registry itself is sent unasked",
        ),
        (
            Config::new(),
            &identity,
            ErrorKind::Unsupported,
            "were not sent",
            "only a token of the registry itself is sent unasked",
        ),
        (
            bearer,
            &password,
            ErrorKind::Config,
            "were not sent to the token service localhost",
            "=localhost",
        ),
        (
            Config::new().basic(USER, PASSWORD),
            &identity,
            ErrorKind::Config,
            "takes no identity token",
            "give a user name and a password",
        ),
    ];
    for (config, given, kind, what, hint) in cases {
        let server = filled(config);
        let client = given(&server.authority()).build().unwrap();
        let error = client
            .check_login(&registry(&server.authority()))
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(what), "{error}");
        assert!(error.hint().unwrap_or_default().contains(hint), "{error}");
        assert_eq!(lines(&server.requests()), ["GET /v2/ -"], "{error}");
        assert_saw_nothing(
            "registry",
            &server.requests(),
            &["identity-1", "dXNlcjpwYXNz"],
        );
    }
    assert_saw_nothing("service", &stranger.requests(), &["dXNlcjpwYXNz"]);
}

#[test]
fn an_identity_token_at_a_registry_of_basic_is_no_denial() {
    let server = filled(Config::new().basic(USER, PASSWORD));
    let authority = server.authority();
    let client = builder()
        .identity_token(&authority, "identity-1")
        .build()
        .unwrap();
    let error = client
        .exists(&reference(&format!("{authority}/mine:1")))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    assert!(
        error.message().contains("takes no identity token"),
        "{error}"
    );
    assert_eq!(lines(&server.requests()), ["HEAD /v2/mine/manifests/1 -"]);
}

#[test]
fn a_token_service_that_does_not_look_at_the_identity_token_proves_nothing() {
    let token = br#"{"token":"for-everybody"}"#.to_vec();
    let ignores = Odd::Answer(u64::MAX, 200, "application/json", token);
    let looks = service_config().identity_token("identity-1").no_anonymous();
    for (config, expected) in [
        (looks, None),
        (
            service_config().quirk(ignores),
            Some(ErrorKind::Unsupported),
        ),
    ] {
        let service = TokenService::start(config);
        let realm = format!("Bearer realm=\"{}\"", service.realm());
        let registry = says(None, move |request: &Recorded| {
            match request.header("authorization") {
                Some(_) => Answer::new(200, MARK, "{}"),
                None => Answer::new(401, &format!("{MARK}\nWWW-Authenticate: {realm}"), "{}"),
            }
        });
        let host = registry.address().to_string();
        let client = builder()
            .identity_token(&host, "identity-1")
            .build()
            .unwrap();
        let error = client.check_login(&host.parse().unwrap()).err();
        assert_eq!(error.map(|error| error.kind()), expected);
        let asked = service.requests();
        assert_eq!(lines(&asked), ["POST /token -", "POST /token -"]);
        // The second request is the first without the identity token.
        let tokens: Vec<_> = asked
            .iter()
            .map(|it| it.parameters("refresh_token"))
            .collect();
        assert_eq!(tokens, [vec!["identity-1".to_owned()], vec![]]);
    }
}

/// registry.k8s.io redirects to servers where a repository has another name, and where anybody gets
/// a token.
#[test]
fn the_target_of_a_redirect_gets_the_token_that_anybody_gets() {
    let service = service();
    let target = bearer_registry(&service);
    let base = target.url();
    let front = says(None, move |request| {
        let path = request.target.replace("/v2/", "/v2/images/");
        Answer::new(307, &format!("Location: {base}{path}"), "")
    });
    target.put_manifest("images/app", "1", OCI, "{}");
    target.put_manifest("images/hidden", "1", OCI, "{}");
    let open = TokenService::start(token_service::Config::new().anonymous(&["images/app"]));
    let challenge = format!("realm=\"{}\",service=\"lab\"", open.realm());
    target.set_quirks([Quirk::Bearer(challenge)]);
    let host = front.address().to_string();
    let client = builder()
        .basic(&host, USER, PASSWORD)
        .add_header(&host, "X-Lab", "s3cr3t");
    let client = client.build().unwrap();
    let exists = |name: &str| outcome(&client.exists(&reference(&format!("{host}/{name}:1"))));
    let (plain, token) = ("HEAD /v2/images/app/manifests/1 -", "GET /token -");
    let shown = plain.replace('-', "bearer");
    for tokens in [&[token][..], &[]] {
        assert_eq!(exists("app"), "exists");
        assert_eq!(lines(&target.take_requests()), [plain, &shown]);
        let asked = open.take_requests();
        assert_eq!(lines(&asked), tokens);
        assert_saw_nothing("token service", &asked, &["s3cr3t", "dXNlcjpwYXNz"]);
        assert!(
            asked
                .iter()
                .all(|it| it.parameters("scope") == ["repository:images/app:pull"])
        );
    }
    // What nobody may see is no denial of the registry's.
    assert_eq!(exists("hidden"), "Protocol");
    let secrets = |it: &Recorded| String::from_utf8_lossy(&it.raw_head).contains("s3cr3t");
    assert!(!target.requests().iter().any(secrets));
    assert!(target.requests().iter().all(|it| !shows_basic(it)));
}

fn shows_basic(request: &Recorded) -> bool {
    let shown = request.header("authorization").unwrap_or_default();
    shown.starts_with("Basic")
}
