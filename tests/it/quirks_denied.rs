//! Refusals of a client without credentials (B1 to B13, D1, D3, J5): the answer is "denied", and
//! the error says why.

use fake_registry::{FakeRegistry, Page, Quirk};
use ocireg::{AuthScheme, Error, ErrorKind, Presence};

use crate::quirks_support::*;

/// The errors of all calls, each by a new client.
fn refusals(registry: &FakeRegistry) -> Vec<(&'static str, Error)> {
    let (reference, host) = (image(registry, "t/a:v1"), name(registry));
    let repository = reference.repository();
    vec![
        ("digest", client().digest(&reference).unwrap_err()),
        ("head", client().head(&reference).unwrap_err()),
        ("tags", client().tags(repository).unwrap_err()),
        ("catalog", client().catalog(&host).unwrap_err()),
    ]
}

/// What happens after the challenges, and how the error names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    /// Nothing: there are no credentials. The error names these challenges.
    Named(&'static str),
    /// There is no challenge, so the ping is asked for one (B5).
    Ping,
    /// A token is asked for, and refused.
    TokenService,
    /// The same, and the registry itself is the token service.
    OwnTokenService,
}

/// A description, the challenges, and what happens after them. `{}` stands for the URL of a token
/// service that refuses everything.
type ChallengeCase<'a> = (&'a str, &'a [&'a str], After);

#[track_caller]
fn check_challenges(cases: &[ChallengeCase]) {
    let service = registry([Quirk::NotARegistry(401, Page::Json)]);
    for (what, challenges, after) in cases {
        let lines = challenges
            .iter()
            .map(|line| line.replace("{}", &service.url()));
        let registry = registry([Quirk::Challenge(Page::Json, lines.collect())]);
        let reference = image(&registry, "t/a:v1");
        assert_eq!(
            client().exists(&reference).expect(what),
            Presence::Denied,
            "{what}"
        );
        let no_token =
            |service: &str| format!("the token service {service} gives no token for this");
        let expected = match after {
            After::Named(challenge) => format!("asks for a login (HTTP 401){challenge}"),
            After::Ping => "asks for a login (HTTP 401), without saying how".to_owned(),
            After::TokenService => no_token(&service.authority()),
            After::OwnTokenService => no_token(&registry.authority()),
        };
        for (call, error) in refusals(&registry) {
            let case = format!("{what} {call}");
            check_refusal(&case, &error, &registry.authority(), &expected);
        }
        check_requests(what, &registry, &service, *after);
    }
}

#[track_caller]
fn check_refusal(case: &str, error: &Error, authority: &str, expected: &str) {
    let text = error.to_string();
    assert_eq!(error.kind(), ErrorKind::Denied, "{case}: {text}");
    assert_eq!(error.http_status(), Some(401), "{case}");
    assert!(text.contains(expected), "{case}: {text}");
    assert!(text.starts_with(authority), "{case}: {text}");
    let all = format!("{} {error:?}", story(error));
    assert!(!all.contains("hunter2"), "{case}: {all}");
    assert_shown(&all);
}

/// Five calls. None of them sends credentials, since there are none.
#[track_caller]
fn check_requests(what: &str, registry: &FakeRegistry, service: &FakeRegistry, after: After) {
    let (here, there) = (registry.take_requests(), service.take_requests());
    let expected = match after {
        After::Named(_) => (5, 0),
        After::Ping | After::OwnTokenService => (10, 0),
        After::TokenService => (5, 5),
    };
    assert_eq!((here.len(), there.len()), expected, "{what}");
    let has_login = |request: &fake_registry::Recorded| request.header("authorization").is_some();
    assert!(!here.iter().chain(&there).any(has_login), "{what}");
    let is_token_request = |request: &fake_registry::Recorded| request.path() == "/token";
    assert!(there.iter().all(is_token_request), "{what}");
}

#[test]
fn b1_b2_b11_a_token_service_without_a_token_is_a_denial() {
    use After::{OwnTokenService, TokenService};
    check_challenges(&[
        (
            "B1: distribution",
            &[r#"Bearer realm="{}/token",service="s",scope="repository:t/a:pull""#],
            TokenService,
        ),
        (
            "B1: with an error",
            &[concat!(
                r#"Bearer realm="{}/token",service="s",error="invalid_token","#,
                r#"error_description="expired, sorry""#
            )],
            TokenService,
        ),
        (
            "B2: old Gitea",
            &[r#"Bearer realm="{}/token""#, "Basic"],
            TokenService,
        ),
        (
            "B2: new Gitea",
            &[r#"Bearer realm="{}/token",service="container_registry",scope="*""#],
            TokenService,
        ),
        (
            "B9: any case, unquoted, relative",
            &["bearer Realm=/token , SERVICE=x"],
            OwnTokenService,
        ),
        (
            "B11: relative",
            &[r#"Bearer realm="/token",service="x""#],
            OwnTokenService,
        ),
        (
            "S15: with a secret",
            &[r#"Bearer realm="{}/token?key=hunter2""#],
            TokenService,
        ),
    ]);
}

#[test]
fn b5_b6_b8_b9_b10_a_denial_names_the_challenges() {
    use After::{Named, Ping};
    check_challenges(&[
        ("B5: no challenge", &[], Ping),
        ("B6: Harbor, unknown project", &[""], Ping),
        (
            "B6: Harbor, catalog",
            &[r#"Basic realm="harbor""#],
            Named(r#": Basic realm="harbor""#),
        ),
        (
            "B8: ECR",
            &[r#"Basic realm="https://ecr.example.com/",service="ecr.amazonaws.com""#],
            Named(r#": Basic realm="https://ecr.example.com/""#),
        ),
        (
            "B9: an unknown scheme first",
            &["Negotiate, Basic realm=\"x\""],
            Named(r#": Negotiate, Basic realm="x""#),
        ),
        (
            "B9: a token68",
            &["Negotiate TlRMTVNTUAAC, NTLM", "Basic realm=x"],
            Named(r#": Negotiate, NTLM, Basic realm="x""#),
        ),
        (
            "B9: only an unknown scheme",
            &["Negotiate"],
            Named(": Negotiate"),
        ),
        (
            "B9: escaped quotes",
            &[r#"Basic realm="a \"b\"", charset="UTF-8""#],
            Named(r#": Basic realm="a "b"""#),
        ),
        (
            "B10: another line is good",
            &[r#"Bearer realm="oh"#, "Basic realm=\"good\""],
            Named(r#": Basic realm="good""#),
        ),
        (
            "S15: control characters",
            &["Basic realm=\"\u{9b}31m\u{202e}red\""],
            Named(": Basic realm=\"\u{fffd}31m\u{fffd}red\""),
        ),
    ]);
}

/// The body of a 401 or 403 in all its shapes. An answer to HEAD has none.
#[test]
fn d3_j5_bodies_of_refusals() {
    let cases = [
        (Page::Json, Some("said the fake registry")),
        (Page::JsonText, Some("said the fake registry")),
        (Page::Object, Some("")),
        (Page::Html, None),
        (Page::Xml, None),
        (Page::Text, None),
        (Page::Empty, None),
    ];
    for (page, message) in cases {
        let basic = vec!["Basic realm=\"x\"".to_owned()];
        for (quirk, status, code) in [
            (Quirk::Challenge(page.clone(), basic), 401, "UNAUTHORIZED"),
            (Quirk::Deny(403, page.clone()), 403, "DENIED"),
        ] {
            if status == 403 && matches!(page, Page::Html | Page::Xml) {
                continue; // See d1_e3_which_403_is_a_denial.
            }
            let registry = registry([quirk.clone()]);
            let error = client().tags(&repository(&registry, "t/a")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Denied, "{quirk:?}");
            assert_eq!(error.http_status(), Some(status), "{quirk:?}");
            let said = error.registry_errors();
            assert_eq!(said.len(), usize::from(message.is_some()), "{quirk:?}");
            if let Some(message) = message {
                assert_eq!(
                    (said[0].code.as_str(), said[0].message.as_str()),
                    (code, message)
                );
                assert_tells(&error, &format!("it says {code}"));
            }
            assert_eq!(asked(&registry), ["GET list"], "{quirk:?}");
            let reference = image(&registry, "t/a:v1");
            assert_eq!(
                client().exists(&reference).unwrap(),
                Presence::Denied,
                "{quirk:?}"
            );
        }
    }
}

#[test]
fn b10_a_challenge_that_cannot_be_read_is_no_denial() {
    for challenge in [
        r#"Bearer realm="https://x.example.com/token"#,
        r#"Bearer realm="a" service="b""#,
    ] {
        let registry = registry([Quirk::Challenge(Page::Json, vec![challenge.to_owned()])]);
        let error = client().exists(&image(&registry, "t/a:v1")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{challenge}");
        assert_tells(&error, "asks for a login in a way that can't be read");
        assert_eq!(asked(&registry), ["HEAD v1"], "{challenge}");
    }
}

/// The 403 of a registry is final. A page of a proxy is followed by one GET.
#[test]
fn d1_e3_which_403_is_a_denial() {
    let cases: [(Page, &[&str]); 5] = [
        (Page::Json, &["HEAD v1"]),
        (Page::JsonText, &["HEAD v1"]),
        // With the API-version header.
        (Page::Empty, &["HEAD v1"]),
        (Page::Html, &["HEAD v1", "GET v1"]),
        (Page::Xml, &["HEAD v1", "GET v1"]),
    ];
    for (page, requests) in cases {
        let registry = registry([Quirk::Deny(403, page.clone())]);
        let error = client().digest(&image(&registry, "t/a:v1")).unwrap_err();
        // A web page is from a proxy, which knows nothing about repositories.
        let (kind, text) = match page {
            Page::Html => (ErrorKind::Protocol, "a page that no registry sends"),
            Page::Xml => (ErrorKind::Protocol, "in a way in which no registry does"),
            _ => (ErrorKind::Denied, "private, hidden or missing"),
        };
        assert_eq!(error.kind(), kind, "{page:?}");
        assert_eq!(error.http_status(), Some(403), "{page:?}");
        assert_tells(&error, text);
        assert_eq!(asked(&registry), requests, "{page:?}");
    }
}

#[test]
fn d1_one_hidden_repository_among_open_ones() {
    let registry = registry([Quirk::Hidden("t/hidden".to_owned())]);
    registry.put_manifest("t/hidden", "v1", INDEX, IMAGE);
    let client = client();
    let ask = |rest: &str| client.exists(&image(&registry, rest)).unwrap();
    assert_eq!(ask("t/hidden:v1"), Presence::Denied);
    assert!(matches!(ask("t/a:v1"), Presence::Exists(_)));
    assert_eq!(ask("t/hidden:none"), Presence::Denied);
    assert_eq!(ask("t/a:none"), Presence::Absent);
    assert_eq!(
        asked(&registry),
        ["HEAD v1", "HEAD v1", "HEAD none", "HEAD none"]
    );
    let error = client.tags(&repository(&registry, "t/hidden")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert_eq!(client.tags(&repository(&registry, "t/a")).unwrap().len(), 1);
}

#[test]
fn d1_the_error_names_registry_and_reference() {
    let registry = registry([Quirk::Hidden("t/a".to_owned())]);
    let host = registry.authority();
    let client = client();
    let lookup = client.digest(&image(&registry, "t/a:v1")).unwrap_err();
    assert_eq!(
        lookup.to_string(),
        format!(
            "{host}/t/a:v1: {host} refuses, and asks for a login (HTTP 401): \
             Basic realm=\"fake-registry\" (asks for a login; none is given for {host})"
        )
    );
    assert_eq!(lookup.subject(), Some(format!("{host}/t/a:v1").as_str()));
    let list = client.tags(&repository(&registry, "t/a")).unwrap_err();
    assert_eq!(
        list.to_string(),
        format!(
            "{host}/t/a: {host} refuses, and asks for a login (HTTP 401): \
             Basic realm=\"fake-registry\"; it says UNAUTHORIZED: said the fake registry \
             (asks for a login; none is given for {host})"
        )
    );
    assert!(!lookup.is_transient() && !list.is_transient());
}

/// A text of a registry can neither control a terminal nor fill it.
#[test]
fn s15_texts_of_a_registry_are_made_printable() {
    let long = "x".repeat(5000);
    let message = format!(r"a\u001b]0;owned\u0007\r\nb\u0000\u202ec\u009b {long}");
    let detail = r#"{"k\n":"\u001b"}"#;
    let body = format!(
        r#"{{"errors":[{{"code":"DE\u001b[2JNIED","message":"{message}","detail":{detail}}}]}}"#
    );
    let server = canned(&[&answer(
        "GET",
        403,
        "Content-Type: application/json\r\n",
        &body,
    )]);
    let reference = parse(&format!("{}/t/a", server.authority()));
    let error = client().tags(reference.repository()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    let said = &error.registry_errors()[0];
    for text in [
        &error.to_string(),
        &format!("{error:?}"),
        &said.code,
        &said.message,
        said.detail.as_ref().unwrap(),
    ] {
        assert_shown(text);
        assert!(text.len() < 4096, "{} bytes", text.len());
    }
    assert!(error.to_string().len() < 512);
    assert!(
        said.message.starts_with("a\u{fffd}]0;owned\u{fffd}"),
        "{}",
        said.message
    );
}

#[test]
fn b1_b7_b9_the_scheme_of_a_ping() {
    let bearer = r#"Bearer realm="https://auth.example.com/token",service="x""#;
    let cases: &[(&[&str], AuthScheme)] = &[
        (&[bearer], AuthScheme::Bearer),
        (&["Basic realm=\"x\"", bearer], AuthScheme::Bearer),
        (&["Negotiate, Basic realm=\"x\""], AuthScheme::Basic),
        (&["Negotiate"], AuthScheme::Other("Negotiate".to_owned())),
    ];
    for (challenges, expected) in cases {
        let lines = challenges.iter().map(|line| (*line).to_owned()).collect();
        let registry = registry([Quirk::Challenge(Page::Object, lines)]);
        let ping = client().ping(&name(&registry)).unwrap();
        assert_eq!(ping.auth, *expected, "{challenges:?}");
        assert_eq!(asked(&registry), ["GET ping"]);
    }
    // B7: the bodies of an open registry with status 200.
    for body in ["{}", "true", ""] {
        let registry = registry([Quirk::PingBody(body.to_owned())]);
        assert_eq!(
            client().ping(&name(&registry)).unwrap().auth,
            AuthScheme::Anonymous
        );
    }
    let refused = registry([Quirk::Challenge(Page::Json, vec![String::new()])]);
    let error = client().ping(&name(&refused)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
}

#[test]
fn b12_http_to_a_tls_port_is_no_denial_and_no_absence() {
    let identity = fake_registry::Ca::new().identity(&["127.0.0.1"]);
    let registry = start(fake_registry::Config::new().tls(identity), []);
    let error = client().exists(&image(&registry, "t/a:v1")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls);
    assert_tells(&error, "--https");
}
