//! "Denied" is an answer of a registry too: a 401 with a challenge, the version header or a code, a
//! 403 with the header or a code. What a firewall, a bucket or a gateway says is none.

use crate::absence_support::*;
use crate::quirks_support::{assert_tells, client, parse};

const BASIC: &str = r#"WWW-Authenticate: Basic realm="zot""#;
const HEAD: &[&str] = &["HEAD v1"];
const BOTH: &[&str] = &["HEAD v1", "GET v1"];

/// Status, fields and body, what the lookup says, and what was asked of manifests.
type Row<'a> = (u16, &'a [&'a str], &'a str, &'a str, &'a [&'a str]);

#[track_caller]
fn expect(rows: &[Row<'_>]) {
    for (status, fields, body, says, requests) in rows {
        let site = Site::start(Script::new(*status, fields, body));
        assert_eq!(
            site.first_look("lib/app:v1"),
            *says,
            "{status} {fields:?} {body}"
        );
        let asked: Vec<String> = site.asked();
        let of_manifests: Vec<_> = asked.iter().filter(|line| line.ends_with("v1")).collect();
        assert_eq!(of_manifests, *requests, "{status} {fields:?} {body}");
    }
}

#[test]
fn real_registries_deny() {
    let unauthorized = errors("UNAUTHORIZED", "authentication required");
    let denied = errors("DENIED", "requested access to the resource is denied");
    let forbidden = errors("FORBIDDEN", "forbidden");
    let artifactory = r#"{"errors":[{"status":401,"message":"Bad Credentials"}]}"#;
    let zot = r#"{"code":"UNAUTHORIZED","message":"authentication required"}"#;
    expect(&[
        (401, &[MARK, BASIC], &unauthorized, "denied", HEAD),
        (401, &[BASIC, JSON], zot, "denied", HEAD),
        // Gitea, Traefik, Caddy.
        (401, &[BASIC, TEXT], "reqPackageAccess\n", "denied", HEAD),
        (401, &[r#"WWW-Authenticate: Negotiate"#], "", "denied", HEAD),
        // Harbor's unknown project.
        (
            401,
            &[MARK, JSON, "WWW-Authenticate: "],
            &unauthorized,
            "denied",
            HEAD,
        ),
        // Spegel: only the body shows it.
        (401, &[JSON], &unauthorized, "denied", BOTH),
        (401, &[JFROG, JSON], artifactory, "denied", HEAD),
        (403, &[MARK], "", "denied", HEAD),
        // GHCR.
        (403, &[JSON], &denied, "denied", BOTH),
        (403, &[TEXT], &denied, "denied", BOTH),
        (403, &[JSON], &forbidden, "denied", BOTH),
        // Artifactory, Nexus.
        (403, &[JFROG, JSON], &unauthorized, "denied", HEAD),
        (
            403,
            &["X-Artifactory-Id: a:b", JSON],
            &unauthorized,
            "denied",
            HEAD,
        ),
        (403, &[NEXUS, JSON], &unauthorized, "denied", BOTH),
    ]);
}

#[test]
fn what_something_in_between_refuses_is_a_protocol_error() {
    let gateway = r#"{"message":"Forbidden"}"#;
    let limited = errors("TooManyRequests", "x");
    expect(&[
        (401, &[HTML], PAGE, "Protocol", BOTH),
        (
            401,
            &[JSON],
            r#"{"message":"Unauthorized"}"#,
            "Protocol",
            BOTH,
        ),
        (401, &[], "", "Protocol", BOTH),
        (403, &[HTML], PAGE, "Protocol", BOTH),
        (
            403,
            &["Content-Type: application/xml"],
            XML,
            "Protocol",
            BOTH,
        ),
        (403, &[TEXT], "blocked by policy 7", "Protocol", BOTH),
        (403, &[JSON], gateway, "Protocol", BOTH),
        (403, &[JSON], &limited, "Protocol", BOTH),
        (403, &[BASIC, HTML], PAGE, "Protocol", BOTH),
        (403, &[], "", "Protocol", BOTH),
    ]);
}

/// A registry that challenges at `/v2/` alone, and refuses the rest with an empty 401. A password
/// that HEAD has shown is not shown again by GET.
#[test]
fn an_empty_401_counts_where_the_ping_asks_for_a_login() {
    let script = Script::new(401, &[], "").ping(401, &[BASIC], "");
    let site = Site::start(script.clone());
    assert_eq!(site.first_look("lib/app:v1"), "denied");
    let client = ocireg::Client::builder()
        .retries(0)
        .basic(&site.authority(), "user", "wrong")
        .build()
        .unwrap();
    site.asked();
    assert_eq!(site.look(&client, "lib/app:v1"), "Unauthorized");
    // The last two tell whether it is the password that is refused.
    let asked = ["HEAD v1", "GET ping", "HEAD v1", "GET ping", "GET ping"];
    assert_eq!(site.asked(), asked);
    site.play(Script::new(401, &[JSON], r#"{"message":"no"}"#).ping(401, &[BASIC], ""));
    assert_eq!(site.first_look("lib/app:v1"), "Protocol");
}

/// The same of a login that `/v2/` itself refuses without a word.
#[test]
fn an_empty_401_to_a_login_refuses_it() {
    let script = found().ping(401, &[], "");
    let site = Site::start(script.challenges(&[r#"Basic realm="zot""#]));
    let client = ocireg::Client::builder()
        .retries(0)
        .basic(&site.authority(), "user", "wrong")
        .build()
        .unwrap();
    let registry = site.authority().parse().unwrap();
    let error = client.check_login(&registry).unwrap_err();
    assert_eq!(error.kind(), ocireg::ErrorKind::Unauthorized, "{error}");
    assert_eq!(site.asked(), ["GET ping", "GET ping"]);
}

/// HEAD is refused on the way, GET is not.
#[test]
fn a_refused_head_without_a_mark_is_asked_again_by_get() {
    for status in [401, 403] {
        let site = Site::start(found().head(status, &[JSON]));
        let client = client();
        for _ in 0..2 {
            assert_eq!(site.look(&client, "lib/app:v1"), "exists");
            let asked = site.asked();
            let head_and_get = ["HEAD v1", "GET v1"].map(str::to_owned);
            assert!(
                head_and_get.iter().all(|line| asked.contains(line)),
                "{asked:?}"
            );
        }
    }
}

#[test]
fn the_hints_say_what_is_missing_and_what_artifactory_does() {
    let login = Site::start(Script::new(401, &[BASIC], ""));
    let host = login.authority();
    let error = client()
        .digest(&parse(&format!("{host}/lib/app:v1")))
        .unwrap_err();
    let hint = format!("asks for a login; none is given for {host}");
    assert_eq!(error.hint(), Some(hint.as_str()));
    let with_login = ocireg::Client::builder()
        .retries(0)
        .bearer(&host, "a-token")
        .build()
        .unwrap();
    let error = with_login
        .digest(&parse(&format!("{host}/lib/app:v1")))
        .unwrap_err();
    assert!(
        !error.hint().unwrap_or_default().contains("none is given"),
        "{error}"
    );

    let unauthorized = errors("UNAUTHORIZED", "x");
    let artifactory = Site::start(Script::new(403, &[JFROG, JSON], &unauthorized));
    let reference = parse(&format!("{}/lib/app:v1", artifactory.authority()));
    let error = client().digest(&reference).unwrap_err();
    assert_tells(&error, "a tag that a virtual repository does not have");
}
