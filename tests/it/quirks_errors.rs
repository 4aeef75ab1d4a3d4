//! Error codes and bodies that the specification does not have (D2, D4).

use ocireg::{ErrorKind, Presence};

use crate::quirks_support::*;

/// The status decides, but of a 404: there the code does. The code is kept as it is.
#[test]
fn d2_odd_codes() {
    use ErrorKind::{Denied, NotFound, Protocol, Rejected, Server, Unsupported};
    let cases = [
        (404, "TAG_EXPIRED", NotFound),
        (404, "UNAUTHORIZED", Denied),
        // Public ECR sends it for a list that it does not support.
        (404, "NOT_FOUND", Protocol),
        (405, "METHOD NOT ALLOWED", Unsupported),
        (405, "DENIED", Unsupported),
        (409, "TAG_IMMUTABLE", Rejected),
        (403, "QUOTA_EXCEEDED", Denied),
        (413, "TOO_MANY_TAGS_REQUESTED", Rejected),
        (500, "MANIFEST_UNKNOWN", Server),
        (400, "naïve ☃", Rejected),
    ];
    for (status, code, kind) in cases {
        let body =
            format!(r#"{{"errors":[{{"code":"{code}","message":"","detail":{{"a":[1]}}}}]}}"#);
        let server = canned(&[&answer("GET", status, "", &body)]);
        let reference = parse(&format!("{}/t/a", server.authority()));
        let error = client().tags(reference.repository()).unwrap_err();
        assert_eq!(error.kind(), kind, "{code}");
        assert_eq!(error.http_status(), Some(status), "{code}");
        let said = &error.registry_errors()[0];
        assert_eq!((said.code.as_str(), said.message.as_str()), (code, ""));
        assert_eq!(said.detail.as_deref(), Some(r#"{"a":[1]}"#), "{code}");
        assert_tells(&error, &format!("it says {code}"));
    }
}

/// Numbers and other shapes instead of a list of errors.
#[test]
fn d2_d4_odd_shapes_of_errors() {
    let cases = [
        (
            r#"{"errors":[{"status":404,"message":"Not Found"}]}"#,
            "404",
            "Not Found",
        ),
        (r#"{"errors":[{"code":17}]}"#, "17", ""),
        (r#"{"errors":["plain words"]}"#, "", "plain words"),
        (r#"{"errors":{"code":"ONE"}}"#, "ONE", ""),
        (r#"{"details":"slow down"}"#, "", "slow down"),
        (
            r#"{"code":"UNAUTHORIZED","message":"no","detail":null}"#,
            "UNAUTHORIZED",
            "no",
        ),
        (
            r#"{"error":"invalid_scope","error_description":"which?"}"#,
            "invalid_scope",
            "which?",
        ),
    ];
    for (body, code, message) in cases {
        let server = canned(&[&answer("GET", 400, "", body)]);
        let reference = parse(&format!("{}/t/a", server.authority()));
        let error = client().tags(reference.repository()).unwrap_err();
        let said = &error.registry_errors()[0];
        assert_eq!(
            (said.code.as_str(), said.message.as_str()),
            (code, message),
            "{body}"
        );
    }
}

/// Quay's answer for a deleted tag: to HEAD without a body, to GET with one.
#[test]
fn d2_an_expired_tag_is_absent() {
    let body =
        r#"{"errors":[{"code":"TAG_EXPIRED","message":"Tag x was deleted or has expired"}]}"#;
    let unmarked = |method| {
        answer(method, 404, "", body).replacen("Docker-Distribution-Api-Version", "X-Quay", 1)
    };
    let server = canned(&[&unmarked("HEAD"), &unmarked("GET")]);
    let reference = parse(&format!("{}/t/a:x", server.authority()));
    assert_eq!(client().exists(&reference).unwrap(), Presence::Absent);
    assert_eq!(server.connection_count(), 1);
}
