//! A 404 is absence only if that very answer says so: what real registries and others send, and
//! what each costs.

use ocireg::ErrorKind;

use crate::absence_support::*;
use crate::quirks_support::{assert_tells, client, parse};

const HEAD: &[&str] = &["HEAD none"];
const BOTH: &[&str] = &["HEAD none", "GET none"];

/// Each row: the fields and the body of the 404 to HEAD and GET, what the lookup says, and what was
/// asked. Each of these servers answers `/v2/` as a registry does, and lists with a page.
#[track_caller]
fn expect(rows: &[(&[&str], &str, &str, &[&str])]) {
    for (fields, body, says, requests) in rows {
        let site = Site::start(Script::new(404, fields, body));
        let client = client();
        for _ in 0..2 {
            assert_eq!(
                site.look(&client, "lib/app:none"),
                *says,
                "{fields:?} {body}"
            );
            assert_eq!(site.asked(), *requests, "{fields:?} {body}");
        }
    }
}

/// What registries send for a tag that is not there: with the version header one request, without
/// it two, each time.
#[test]
fn real_registries_say_that_a_tag_is_absent() {
    let harbor = errors("NOT_FOUND", "artifact lib/app:none not found");
    let proxied = errors(
        "NOT_FOUND",
        "resource not found: repo lib/app, tag none not found",
    );
    let project = errors("NOT_FOUND", "project lib not found");
    let expired = errors("TAG_EXPIRED", "Tag none was deleted or has expired");
    let name = errors("NAME_UNKNOWN", "repository name not known to registry");
    let red_hat = errors("404", "Not Found");
    expect(&[
        // distribution, Docker Hub, olareg.
        (&[MARK, JSON], MISSING, "absent", HEAD),
        (&[MARK], "", "absent", HEAD),
        // zot, Quay, go-containerregistry's registry, serverless-registry.
        (&[JSON], MISSING, "absent", BOTH),
        (&[JSON], &name, "absent", BOTH),
        (&[JSON], &expired, "absent", BOTH),
        (&[TEXT], MISSING, "absent", BOTH),
        // Harbor.
        (&[JSON], &harbor, "absent", BOTH),
        (&[JSON], &proxied, "absent", BOTH),
        (&[JSON], &project, "absent", BOTH),
        // Red Hat.
        (&["X-Docker-Size: -1"], "Not found", "absent", BOTH),
        (
            &["X-Hostname: crane-1.x.redhat.com", JSON],
            &red_hat,
            "absent",
            BOTH,
        ),
        // Nexus signs a 404 to HEAD for what it has.
        (&[MARK, JSON, NEXUS], MISSING, "absent", BOTH),
        (
            &[
                MARK,
                JSON,
                "Content-Security-Policy: sandbox allow-forms allow-modals",
            ],
            MISSING,
            "absent",
            BOTH,
        ),
    ]);
}

/// What gateways, default backends and registries with another problem send: never absence,
/// although `/v2/` is a registry's.
#[test]
fn a_404_that_does_not_say_so_is_a_protocol_error() {
    let foreign = errors("NOT_FOUND", "404 page not found");
    let digits = errors("404", "Not Found");
    let ours = errors("METHOD_UNKNOWN", "We don't understand your method + url");
    let mixed = r#"{"errors":[{"code":"MANIFEST_UNKNOWN"},{"code":"UNAVAILABLE"}]}"#;
    expect(&[
        (&[HTML], PAGE, "Protocol", BOTH),
        (&[MARK, HTML], PAGE, "Protocol", BOTH),
        (&["Content-Type: application/xml"], XML, "Protocol", BOTH),
        (&[TEXT], "default backend - 404", "Protocol", BOTH),
        (&[MARK, TEXT], "404 page not found\n", "Protocol", BOTH),
        (&[TEXT], "Not found.\n", "Protocol", BOTH),
        (&[JSON], &foreign, "Protocol", BOTH),
        (&[JSON], &digits, "Protocol", BOTH),
        (&[JSON], &ours, "Protocol", BOTH),
        (&[JSON], mixed, "Protocol", BOTH),
    ]);
}

/// The code decides, marked or not. A HEAD has none, so it has to be left open here.
#[test]
fn a_404_with_another_code_is_what_the_code_says() {
    let rows = [
        (errors("DENIED", "no"), "denied"),
        (errors("UNAUTHORIZED", "no"), "denied"),
        (
            r#"{"code":"UNAUTHORIZED","message":"no"}"#.to_owned(),
            "denied",
        ),
        (errors("METHOD_UNKNOWN", "which?"), "Protocol"),
        (errors("UNSUPPORTED", "no"), "Protocol"),
        (errors("TOOMANYREQUESTS", "slow down"), "Protocol"),
        (
            errors(
                "MANIFEST_UNKNOWN",
                "OCI manifest found, but accept header does not support it",
            ),
            "Unsupported",
        ),
        (
            errors(
                "MANIFEST_UNKNOWN",
                "it has media type x/y, but client accepts a/b",
            ),
            "Unsupported",
        ),
        (
            r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown",
                "detail":"requested media type not found, available media type is x/y"}]}"#
                .to_owned(),
            "Unsupported",
        ),
    ];
    for (body, says) in rows {
        for fields in [&[JSON][..], &[MARK, JSON]] {
            let site = Site::start(Script::new(404, fields, &body).head(405, &[]));
            assert_eq!(site.first_look("lib/app:none"), says, "{body}");
            assert_eq!(site.asked(), BOTH, "{body}");
        }
    }
}

/// A body that is too large or breaks off is not "no body".
#[test]
fn a_body_that_can_not_be_read_is_no_absence() {
    let large = " ".repeat(70 * 1024);
    let site = Site::start(Script::new(404, &[MARK, JSON], &large).head(405, &[]));
    assert_eq!(site.first_look("lib/app:none"), "Protocol");
}

/// Nexus: a signed 404 to HEAD for an image that GET has, and nothing is learned from it.
#[test]
fn a_head_404_of_a_nexus_is_settled_by_get_each_time() {
    let policy = "Content-Security-Policy: sandbox allow-forms allow-modals allow-popups";
    for field in [NEXUS, policy] {
        let site = Site::start(found().head(404, &[MARK, JSON, field]));
        let client = client();
        for _ in 0..3 {
            assert_eq!(site.look(&client, "lib/app:v1"), "exists");
            assert_eq!(site.asked(), ["HEAD v1", "GET v1"], "{field}");
        }
    }
}

/// A proxy that adds the version header to its own pages, as distribution's recipe for nginx does.
#[test]
fn a_marked_page_to_head_is_settled_by_get() {
    let site = Site::start(found().head(404, &[MARK, HTML]));
    assert_eq!(site.first_look("lib/app:v1"), "exists");
    assert_eq!(site.asked(), ["HEAD v1", "GET v1"]);
}

/// The registry restarts behind its ingress, or one of its backends is another service: what it
/// answered before, and what `/v2/` says, makes nothing absent.
#[test]
fn a_page_between_two_good_answers_is_no_absence() {
    let good = [
        found(),
        Script::new(404, &[JSON], MISSING),
        Script::new(404, &[MARK, JSON], MISSING),
    ];
    let pages = [
        Script::new(404, &[HTML], PAGE),
        Script::new(404, &[TEXT], "default backend - 404"),
        Script::new(404, &[JSON], r#"{"message":"no route"}"#),
        Script::new(404, &[], ""),
    ];
    for before in &good {
        for page in &pages {
            let site = Site::start(before.clone());
            let client = client();
            site.look(&client, "lib/app:none");
            client.ping(&site.authority().parse().unwrap()).unwrap();
            site.play(page.clone());
            assert_eq!(
                site.look(&client, "lib/app:none"),
                "Protocol",
                "{before:?} {page:?}"
            );
            site.play(before.clone());
            let after = site.look(&client, "lib/app:none");
            assert!(["exists", "absent"].contains(&&*after), "{after}");
        }
    }
}

/// `/v2/` is not asked, and would change nothing.
#[test]
fn what_the_ping_says_does_not_matter() {
    let pings = [
        (200, &[MARK][..], "{}"),
        (404, &[HTML], PAGE),
        (403, &[HTML], PAGE),
        (503, &[], ""),
    ];
    for (status, fields, body) in pings {
        let absent = Script::new(404, &[JSON], MISSING).ping(status, fields, body);
        assert_eq!(Site::start(absent).first_look("lib/app:none"), "absent");
        let page = Script::new(404, &[HTML], PAGE).ping(status, fields, body);
        let site = Site::start(page);
        assert_eq!(site.first_look("lib/app:none"), "Protocol");
        assert_eq!(site.asked(), BOTH);
    }
}

/// A registry whose 404s say what they are about is not asked for a list when one does not. What it
/// says beside a 200 teaches nothing of that: Harbor marks those alone.
#[test]
fn marks_are_learned_from_404s_alone() {
    let bare = || Script::new(404, &[], "").list(404, &[JSON], &errors("NAME_UNKNOWN", "no"));
    let cases = [
        (Script::new(404, &[MARK, JSON], MISSING), "Protocol", BOTH),
        (Script::new(404, &[JSON], MISSING), "Protocol", BOTH),
        (found(), "absent", &["HEAD none", "GET none", "GET list"]),
    ];
    for (before, says, requests) in cases {
        let site = Site::start(before);
        let client = client();
        site.look(&client, "lib/app:v1");
        site.play(bare());
        site.asked();
        assert_eq!(site.look(&client, "lib/app:none"), says);
        assert_eq!(site.asked(), requests);
    }
}

/// The error says what to do.
#[test]
fn the_error_names_the_host_and_what_to_check() {
    let site = Site::start(Script::new(404, &[HTML], PAGE));
    let reference = parse(&format!("{}/lib/app:none", site.authority()));
    let error = client().digest(&reference).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert_eq!(error.http_status(), Some(404));
    assert_tells(
        &error,
        &format!("{} does not answer like a registry", site.authority()),
    );
    assert_tells(&error, "check the host and port");
    site.play(Script::new(
        404,
        &[JSON],
        &errors("UNSUPPORTED", "not here"),
    ));
    let error = client().digest(&reference).unwrap_err();
    assert_tells(
        &error,
        "does not say that this is missing (HTTP 404); it says UNSUPPORTED",
    );
}
