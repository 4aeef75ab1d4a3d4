//! What each answer of 401, 403 and 404 means that registries and others are known to send.

use Meaning::{Absent, Denied, Nothing, Open, OtherType};

use super::answer::Complete;
use super::failure::Subject;
use super::meaning::{About, Asked, Meaning};
use crate::auth::{Authorization, Product, Secret};
use crate::http::{Headers, Method};
use crate::reference::Registry;
use crate::url::Url;

const REPOSITORY: &str = "lib/app";
const MARK: &str = "Docker-Distribution-Api-Version: registry/2.0";
const NEXUS: &str = "Server: Nexus/3.80.0-06 (COMMUNITY)";
const NEXUS_POLICY: &str = "Content-Security-Policy: sandbox allow-forms allow-modals allow-popups";
const JFROG: &str = "X-Jfrog-Version: Artifactory/7.161.0 78000900";
const JSON: &str = "Content-Type: application/json";
const HTML: &str = "Content-Type: text/html";
const TEXT: &str = "Content-Type: text/plain; charset=utf-8";

const MISSING: &str = r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#;
const NO_ACCESS: &str = r#"{"errors":[{"code":"DENIED","message":"denied"}]}"#;
const PAGE: &str = "<html><h1>404 Not Found</h1></html>";

fn answer(status: u16, fields: &[&str], body: &str) -> Complete {
    let mut headers = Headers::default();
    for field in fields {
        let (name, value) = field.split_once(':').unwrap();
        headers.push(name, value.as_bytes());
    }
    Complete {
        url: Url::parse("https://registry.example.com/v2/lib/app/manifests/1").unwrap(),
        cross_origin: false,
        shown: Authorization::None,
        login: Default::default(),
        status,
        headers,
        body: body.as_bytes().to_vec(),
        body_is_lost: false,
    }
}

fn asked(method: Method, product: Option<Product>) -> Asked<'static> {
    Asked {
        method,
        about: About::Manifest(REPOSITORY),
        has_challenged: false,
        product,
    }
}

fn errors(code: &str, message: &str) -> String {
    format!(r#"{{"errors":[{{"code":"{code}","message":"{message}"}}]}}"#)
}

#[track_caller]
fn expect(method: Method, status: u16, cases: &[(&[&str], &str, Meaning)]) {
    for (fields, body, expected) in cases {
        let meaning = Meaning::of(&answer(status, fields, body), &asked(method, None));
        assert_eq!(meaning, *expected, "{status} {fields:?} {body}");
    }
}

#[test]
fn a_head_404_is_absence_with_the_version_header_alone() {
    expect(
        Method::Head,
        404,
        &[
            (&[MARK], "", Absent),
            (&[MARK, JSON], "", Absent),
            (&[], "", Open),
            (&[JSON], "", Open),
            (&[HTML], "", Open),
            // A proxy that adds the mark to its own pages.
            (&[MARK, HTML], "", Open),
            (&[MARK, TEXT], "", Open),
            // Nexus answers so for images that it has.
            (&[MARK, JSON, NEXUS], "", Open),
            (&[MARK, JSON, "Server: nginx", NEXUS_POLICY], "", Open),
            (&["Docker-Distribution-Api-Version: registry/1.0"], "", Open),
            (&[JFROG], "", Open),
        ],
    );
}

#[test]
fn a_get_404_is_absence_if_every_code_says_so() {
    let of = |code| errors(code, "x");
    let both = r#"{"errors":[{"code":"NAME_UNKNOWN"},{"code":"TAG_EXPIRED"}]}"#;
    let mixed = r#"{"errors":[{"code":"MANIFEST_UNKNOWN"},{"code":"UNSUPPORTED"}]}"#;
    let refused_too = r#"{"errors":[{"code":"MANIFEST_UNKNOWN"},{"code":"UNAUTHORIZED"}]}"#;
    for fields in [&[JSON][..], &[TEXT], &[HTML], &[MARK, JSON], &[]] {
        for code in [
            "MANIFEST_UNKNOWN",
            "NAME_UNKNOWN",
            "MANIFEST_BLOB_UNKNOWN",
            "TAG_EXPIRED",
        ] {
            expect(Method::Get, 404, &[(fields, &of(code), Absent)]);
        }
        for code in [
            "UNSUPPORTED",
            "METHOD_UNKNOWN",
            "UNKNOWN",
            "TOOMANYREQUESTS",
            "UNAVAILABLE",
            "NAME_INVALID",
            "MANIFEST_INVALID",
            "BLOB_UNKNOWN",
            "404",
        ] {
            expect(Method::Get, 404, &[(fields, &of(code), Nothing)]);
        }
        for code in ["UNAUTHORIZED", "DENIED", "FORBIDDEN"] {
            expect(Method::Get, 404, &[(fields, &of(code), Denied)]);
        }
        let cases = [(both, Absent), (mixed, Nothing), (refused_too, Denied)];
        for (body, meaning) in cases {
            expect(Method::Get, 404, &[(fields, body, meaning)]);
        }
    }
}

#[test]
fn a_get_404_without_such_a_body() {
    let zot = r#"{"code":"UNAUTHORIZED","message":"authentication required"}"#;
    let artifactory = r#"{"errors":[{"status":403,"message":"Forbidden"}]}"#;
    let artifactory_404 = r#"{"errors":[{"status":404,"message":"Not found"}]}"#;
    let azure = r#"{"errors":[{"code":"NotFound","message":"x"}]}"#;
    expect(
        Method::Get,
        404,
        &[
            (&[MARK], "", Absent),
            (&[], "", Open),
            (&[JSON], "{}", Open),
            (&[MARK, JSON], r#"{"message":"Not Found"}"#, Open),
            (&[JSON], r#"{"code":"MANIFEST_UNKNOWN"}"#, Open),
            (&[JSON], azure, Open),
            (&[HTML], PAGE, Nothing),
            (&[MARK, HTML], PAGE, Nothing),
            (&[TEXT], "404 page not found\n", Nothing),
            (&[MARK, TEXT], "404 page not found\n", Nothing),
            (&[], "<Error><Code>NoSuchKey</Code></Error>", Nothing),
            (&[JSON], zot, Denied),
            (&[JSON, JFROG], artifactory, Denied),
            (&[JSON], artifactory, Open),
            (&[JSON, JFROG], artifactory_404, Open),
        ],
    );
    let mut lost = answer(404, &[MARK], "");
    lost.body_is_lost = true;
    assert_eq!(Meaning::of(&lost, &asked(Method::Get, None)), Nothing);
}

#[test]
fn words_about_accept_are_no_absence() {
    let gcr = "Manifest with tag 'v1' has media type 'x/y', but client accepts 'a/b'";
    let distribution = "OCI manifest found, but accept header does not support OCI manifests";
    let olareg = r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown",
        "detail":"requested media type not found, available media type is x/y"}]}"#;
    for fields in [&[JSON][..], &[MARK, JSON]] {
        expect(
            Method::Get,
            404,
            &[
                (fields, &errors("MANIFEST_UNKNOWN", gcr), OtherType),
                (fields, &errors("MANIFEST_UNKNOWN", distribution), OtherType),
                (fields, olareg, OtherType),
                (fields, MISSING, Absent),
            ],
        );
    }
}

#[test]
fn harbors_code_counts_where_it_shows_that_it_is_harbors() {
    let named = "artifact lib/app:1 not found";
    let foreign = "404 page not found";
    let tags = About::Tags(REPOSITORY);
    let manifest = About::Manifest(REPOSITORY);
    let harbor = Some(Product::Harbor);
    let cases = [
        (manifest, None, &[JSON][..], named, Absent),
        (manifest, None, &[JSON], "project lib not found", Absent),
        (
            manifest,
            None,
            &[JSON],
            "artifact lib/other:1 not found",
            Nothing,
        ),
        (manifest, None, &[JSON], foreign, Nothing),
        (manifest, None, &[MARK, JSON], foreign, Absent),
        (manifest, harbor, &[JSON], foreign, Absent),
        (manifest, Some(Product::Gitea), &[JSON], foreign, Nothing),
        (tags, None, &[JSON], "repository lib/app not found", Absent),
        (tags, harbor, &[JSON], foreign, Absent),
        // Public ECR for the tags of a repository that exists.
        (tags, None, &[MARK, JSON], foreign, Nothing),
    ];
    for (about, product, fields, message, expected) in cases {
        let answer = answer(404, fields, &errors("NOT_FOUND", message));
        let asked = Asked {
            about,
            ..asked(Method::Get, product)
        };
        assert_eq!(
            Meaning::of(&answer, &asked),
            expected,
            "{asked:?} {message}"
        );
    }
    // The challenge is of the registry's own server, not of the one that a redirect led to.
    let mut elsewhere = answer(404, &[JSON], &errors("NOT_FOUND", foreign));
    elsewhere.cross_origin = true;
    assert_eq!(
        Meaning::of(&elsewhere, &asked(Method::Get, harbor)),
        Nothing
    );
}

#[test]
fn products_whose_404_only_their_fingerprint_tells() {
    let gitea = Some(Product::Gitea);
    let (size, crane) = (
        "X-Docker-Size: -1",
        "X-Hostname: crane-1.example.redhat.com",
    );
    let stranger = "X-Hostname: crane.redhat.com.example.com";
    let not_found = errors("404", "Not Found");
    let cases: &[(Option<Product>, &[&str], &str, Meaning)] = &[
        (gitea, &[TEXT], "Not found.\n", Absent),
        (gitea, &[TEXT], "Not found.", Nothing),
        (gitea, &[HTML], "Not found.\n", Nothing),
        (gitea, &[], "Not found.\n", Nothing),
        (None, &[TEXT], "Not found.\n", Nothing),
        (Some(Product::Harbor), &[TEXT], "Not found.\n", Nothing),
        (None, &[size], "Not found", Absent),
        (None, &[size, HTML], PAGE, Nothing),
        (None, &["X-Docker-Size: 7"], "Not found", Nothing),
        (None, &[crane, JSON], &not_found, Absent),
        (None, &[stranger, JSON], &not_found, Nothing),
        (None, &[crane, JSON], &errors("404", "Gone"), Nothing),
    ];
    for (product, fields, body, expected) in cases {
        let meaning = Meaning::of(&answer(404, fields, body), &asked(Method::Get, *product));
        assert_eq!(meaning, *expected, "{product:?} {fields:?} {body}");
    }
}

#[test]
fn a_401_is_an_answer_with_a_challenge_a_mark_or_a_code() {
    let basic = r#"WWW-Authenticate: Basic realm="x""#;
    let other = "WWW-Authenticate: Negotiate";
    let (empty, broken) = ("WWW-Authenticate: ", r#"WWW-Authenticate: Basic realm="x"#);
    let bad_login = r#"{"errors":[{"status":401,"message":"Bad Credentials"}]}"#;
    let cases: &[(&[&str], &str, Meaning)] = &[
        (&[basic, TEXT], "reqPackageAccess\n", Denied),
        (&[other], "", Denied),
        (&[MARK, empty], NO_ACCESS, Denied),
        (&[MARK], "", Denied),
        (&[JFROG, JSON], bad_login, Denied),
        (&[JSON], NO_ACCESS, Denied),
        (&[JSON], r#"{"code":"UNAUTHORIZED"}"#, Denied),
        (&[empty], "", Nothing),
        (&[broken], "", Nothing),
        (&[HTML], PAGE, Nothing),
        (&[JSON], bad_login, Nothing),
        (&[JSON], MISSING, Nothing),
    ];
    expect(Method::Get, 401, cases);
    let head: &[(&[&str], &str, Meaning)] = &[
        (&[basic], "", Denied),
        (&[MARK], "", Denied),
        (&[JFROG], "", Denied),
        (&[empty], "", Open),
        (&[JSON], "", Open),
    ];
    expect(Method::Head, 401, head);
}

/// Some registries challenge at `/v2/` alone, and refuse all else with an empty 401.
#[test]
fn an_empty_401_is_an_answer_of_a_registry_that_has_asked_for_a_login() {
    let password = Authorization::Basic(Secret::new("Basic x".to_owned()));
    let cases = [
        (Method::Get, "", Authorization::None, true, Denied),
        (Method::Get, "", Authorization::None, false, Nothing),
        (
            Method::Get,
            r#"{"message":"no"}"#,
            Authorization::None,
            true,
            Nothing,
        ),
        (Method::Head, "", Authorization::None, true, Open),
        // A GET would show the password once more.
        (Method::Head, "", password.clone(), true, Denied),
        (Method::Head, "", password, false, Open),
    ];
    for (method, body, shown, has_challenged, expected) in cases {
        let answer = Complete {
            shown,
            ..answer(401, &[], body)
        };
        let asked = Asked {
            has_challenged,
            ..asked(method, None)
        };
        assert_eq!(Meaning::of(&answer, &asked), expected, "{asked:?} {body}");
    }
}

#[test]
fn a_403_is_an_answer_with_a_mark_or_a_code() {
    let basic = r#"WWW-Authenticate: Basic realm="x""#;
    let cases: &[(&[&str], &str, Meaning)] = &[
        (&[MARK], "", Denied),
        (&[MARK, HTML], PAGE, Denied),
        (&[JSON], NO_ACCESS, Denied),
        (&[TEXT], &errors("UNAUTHORIZED", "x"), Denied),
        (&[JFROG], "", Denied),
        (&["X-Artifactory-Id: a:b"], "", Denied),
        (&[basic, JSON], NO_ACCESS, Denied),
        (&[basic, HTML], PAGE, Nothing),
        (&[HTML], PAGE, Nothing),
        (&[], "<Error><Code>AccessDenied</Code></Error>", Nothing),
        (&[TEXT], "blocked by policy", Nothing),
        (&[JSON], r#"{"message":"Forbidden"}"#, Nothing),
        (&[JSON], &errors("TOOMANYREQUESTS", "x"), Nothing),
        (&[JSON], "", Nothing),
    ];
    expect(Method::Get, 403, cases);
    let head: &[(&[&str], &str, Meaning)] = &[
        (&[MARK], "", Denied),
        (&[JFROG], "", Denied),
        (&[JSON], "", Open),
        (&[], "", Open),
    ];
    expect(Method::Head, 403, head);
}

/// The page is the same for a name of one part and for a name that is not there.
#[test]
fn the_hint_of_a_page_names_the_form_of_names_on_quay() {
    let registry: Registry = "quay.io".parse().unwrap();
    let origin = Url::parse("https://quay.io/v2/").unwrap().origin();
    let cases = [
        ("quay.io/debian:latest", "quay.io needs namespace/name"),
        ("quay.io/a/debian:latest", "check the host and port"),
        ("example.com/debian:latest", "check the host and port"),
    ];
    for (about, hint) in cases {
        let subject = Subject {
            secrets: &(),
            registry: &registry,
            origin: &origin,
            about: &about,
            has_login: false,
        };
        let error = subject.refusal_as(answer(404, &[HTML], PAGE), Nothing);
        assert!(error.hint().unwrap().starts_with(hint), "{about}: {error}");
    }
}
