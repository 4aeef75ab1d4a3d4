//! Refusals (rows B, D1, D3, J5) of a client without credentials: "denied", why, and what is asked
//! before that is said.

use fake_registry::{FakeRegistry, Page, Quirk};
use ocireg::{AuthScheme, Error, ErrorKind, Presence};

use crate::quirks_support::*;

/// All that can be asked, each by a client that knows nothing yet, and how it is refused.
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

/// Whom a client without credentials asks after a 401, and what it says at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    /// Nobody: there is nothing to answer with. The challenge is named.
    Named(&'static str),
    /// Nothing was said, so the ping is asked how (B5).
    Unsaid,
    /// A token is asked for, and refused.
    Service,
    /// The same, of the registry itself.
    OwnService,
}

#[test]
fn b1_b13_every_form_of_challenge_is_a_denial_that_names_it() {
    use After::{Named, OwnService, Service, Unsaid};
    let cases: &[(&str, &[&str], After)] = &[
        (
            "b1 distribution",
            &[r#"Bearer realm="{}/token",service="s",scope="repository:t/a:pull""#],
            Service,
        ),
        (
            "b1 an error in it",
            &[
                r#"Bearer realm="{}/token",service="s",error="invalid_token",error_description="expired, sorry""#,
            ],
            Service,
        ),
        (
            "b2 old Gitea",
            &[r#"Bearer realm="{}/token""#, "Basic"],
            Service,
        ),
        (
            "b2 new Gitea",
            &[r#"Bearer realm="{}/token",service="container_registry",scope="*""#],
            Service,
        ),
        ("b5 no challenge", &[], Unsaid),
        ("b6 Harbor, unknown project", &[""], Unsaid),
        (
            "b6 Harbor, catalog",
            &[r#"Basic realm="harbor""#],
            Named(r#": Basic realm="harbor""#),
        ),
        (
            "b8 ECR",
            &[r#"Basic realm="https://ecr.example.com/",service="ecr.amazonaws.com""#],
            Named(r#": Basic realm="https://ecr.example.com/""#),
        ),
        (
            "b9 unknown ones first",
            &["Negotiate, Basic realm=\"x\""],
            Named(r#": Negotiate, Basic realm="x""#),
        ),
        (
            "b9 a token68",
            &["Negotiate TlRMTVNTUAAC, NTLM", "Basic realm=x"],
            Named(r#": Negotiate, NTLM, Basic realm="x""#),
        ),
        (
            "b9 none that is known",
            &["Negotiate"],
            Named(": Negotiate"),
        ),
        (
            "b9 any case, unquoted, relative",
            &["bearer Realm=/token , SERVICE=x"],
            OwnService,
        ),
        (
            "b9 escaped quotes",
            &[r#"Basic realm="a \"b\"", charset="UTF-8""#],
            Named(r#": Basic realm="a "b"""#),
        ),
        (
            "b10 another line is good",
            &[r#"Bearer realm="oh"#, "Basic realm=\"good\""],
            Named(r#": Basic realm="good""#),
        ),
        (
            "b11 relative",
            &[r#"Bearer realm="/token",service="x""#],
            OwnService,
        ),
        (
            "s15 a secret in it",
            &[r#"Bearer realm="{}/token?key=hunter2""#],
            Service,
        ),
        (
            "s15 a terminal's words",
            &["Basic realm=\"\u{9b}31m\u{202e}red\""],
            Named(": Basic realm=\"\u{fffd}31m\u{fffd}red\""),
        ),
    ];
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
        for (call, error) in refusals(&registry) {
            let text = error.to_string();
            assert_eq!(error.kind(), ErrorKind::Denied, "{what} {call}: {text}");
            assert_eq!(error.http_status(), Some(401), "{what} {call}");
            let expected = match after {
                Named(challenge) => format!("asks for a login (HTTP 401){challenge}"),
                Unsaid => "asks for a login (HTTP 401), without saying how".to_owned(),
                Service => format!(
                    "the token service {} gives no token for this",
                    service.authority()
                ),
                OwnService => format!(
                    "the token service {} gives no token for this",
                    registry.authority()
                ),
            };
            assert!(text.contains(&expected), "{what} {call}: {text}");
            assert!(
                text.starts_with(&registry.authority()),
                "{what} {call}: {text}"
            );
            let all = format!("{} {error:?}", story(&error));
            assert!(!all.contains("hunter2"), "{what} {call}: {all}");
            assert_shown(&all);
        }
        // Five calls. None of them sends credentials: there are none.
        let (here, there) = (registry.take_requests(), service.take_requests());
        let expected = match after {
            Named(_) => (5, 0),
            Unsaid | OwnService => (10, 0),
            Service => (5, 5),
        };
        assert_eq!((here.len(), there.len()), expected, "{what}");
        let identified =
            |request: &fake_registry::Recorded| request.header("authorization").is_some();
        assert!(!here.iter().chain(&there).any(identified), "{what}");
        assert!(
            there.iter().all(|request| request.path() == "/token"),
            "{what}"
        );
    }
}

/// J5 and others: the body of a 401 or 403, where there is one (a HEAD has none), in all its
/// shapes.
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
            if status == 403 && page == Page::Html {
                continue; // See d1_e3_a_403_and_its_requests.
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

/// B10: what can't be read is not taken for a refusal of this repository.
#[test]
fn b10_a_challenge_that_can_not_be_read_is_no_denial() {
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

/// A registry's 403 is final; the page of something in front of it is worth a GET, and then final
/// too.
#[test]
fn d1_e3_a_403_and_its_requests() {
    let cases: [(Page, &[&str]); 5] = [
        (Page::Json, &["HEAD v1"]),
        (Page::JsonText, &["HEAD v1"]),
        // Marked as a registry's.
        (Page::Empty, &["HEAD v1"]),
        (Page::Html, &["HEAD v1", "GET v1"]),
        (Page::Xml, &["HEAD v1", "GET v1"]),
    ];
    for (page, requests) in cases {
        let registry = registry([Quirk::Deny(403, page.clone())]);
        let error = client().digest(&image(&registry, "t/a:v1")).unwrap_err();
        // A web page comes from something in between, which knows nothing of repositories.
        let (kind, text) = match page {
            Page::Html => (ErrorKind::Protocol, "a page that no registry sends"),
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

/// Which of many references it was, and where: the error says it, whole.
#[test]
fn d1_the_text_names_registry_and_reference() {
    let registry = registry([Quirk::Hidden("t/a".to_owned())]);
    let host = registry.authority();
    let client = client();
    let lookup = client.digest(&image(&registry, "t/a:v1")).unwrap_err();
    assert_eq!(
        lookup.to_string(),
        format!(
            "{host}/t/a:v1: {host} refuses, and asks for a login (HTTP 401): Basic realm=\"fake-registry\""
        )
    );
    assert_eq!(lookup.subject(), Some(format!("{host}/t/a:v1").as_str()));
    let list = client.tags(&repository(&registry, "t/a")).unwrap_err();
    assert_eq!(
        list.to_string(),
        format!(
            "{host}/t/a: {host} refuses, and asks for a login (HTTP 401): Basic realm=\"fake-registry\"; \
             it says UNAUTHORIZED: said the fake registry"
        )
    );
    assert!(!lookup.is_transient() && !list.is_transient());
}

/// S15: what a registry says can't steer a terminal, nor fill it.
#[test]
fn s15_words_of_a_registry_are_made_printable() {
    let long = "x".repeat(5000);
    let body = format!(
        r#"{{"errors":[{{"code":"DE\u001b[2JNIED","message":"a\u001b]0;owned\u0007\r\nb\u0000\u202ec\u009b {long}","detail":{{"k\n":"\u001b"}}}}]}}"#
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
fn b1_b9_what_a_ping_says_of_the_login() {
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
    // B7: what an open registry says beside 200 does not matter.
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

/// B12: http spoken to a TLS port is no refusal and no absence; the error says what to change.
#[test]
fn b12_http_spoken_to_a_tls_port() {
    let identity = fake_registry::Ca::new().identity(&["127.0.0.1"]);
    let registry = start(fake_registry::Config::new().tls(identity), []);
    let error = client().exists(&image(&registry, "t/a:v1")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls);
    assert_tells(&error, "--https");
}
