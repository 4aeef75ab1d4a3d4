//! Servers that are no registry, and registries that do not say that they are one (R32, E2).

use fake_registry::{Page, Quirk};
use ocireg::{ErrorKind, Presence};

use crate::quirks_support::*;

/// A server that is no registry: the answer is never "absent".
#[test]
fn r32_what_is_no_registry_is_a_protocol_error() {
    let cases = [
        // A captive portal, and other servers that have a page for everything.
        (200, Page::Html),
        (200, Page::Xml),
        (200, Page::Text),
        // nginx, Amazon S3 and other servers, for a path that they do not have.
        (404, Page::Html),
        (404, Page::Xml),
        (404, Page::Text),
        (404, Page::Empty),
        // JSON, but not a registry's.
        (404, Page::Object),
    ];
    for (status, page) in cases {
        let what = format!("{status} {page:?}");
        let registry = registry([Quirk::NotARegistry(status, page)]);
        let (reference, host) = (image(&registry, "t/a:v1"), name(&registry));
        let by_digest = image(&registry, &format!("t/a@{}", sha256_of_image()));
        // Each with a new client, which has learned nothing from another call.
        let results = [
            ("exists", client().exists(&reference).map(drop)),
            ("exists by digest", client().exists(&by_digest).map(drop)),
            ("digest", client().digest(&reference).map(drop)),
            ("head", client().head(&reference).map(drop)),
            ("tags", client().tags(reference.repository()).map(drop)),
            ("catalog", client().catalog(&host).map(drop)),
            ("ping", client().ping(&host).map(drop)),
        ];
        for (call, result) in results {
            let error = result.expect_err(&what);
            assert_eq!(error.kind(), ErrorKind::Protocol, "{what} {call}: {error}");
            assert_tells(&error, &registry.authority());
        }
        assert!(registry.request_count() <= 3 * 4 + 3 + 2 + 2 + 1, "{what}");
    }
}

/// An empty body with status 200: a ping may have it, a manifest or a list may not.
#[test]
fn r32_an_empty_200_is_no_manifest_and_no_list() {
    let registry = registry([Quirk::NotARegistry(200, Page::Empty)]);
    let reference = image(&registry, "t/a:v1");
    for error in [
        client().exists(&reference).map(drop).unwrap_err(),
        client().tags(reference.repository()).map(drop).unwrap_err(),
        client().catalog(&name(&registry)).map(drop).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    }
}

/// A 404 without the API-version header costs a GET, each time. JSON errors identify a registry
/// too, also as text/plain, as go-containerregistry's registry sends them. A page does not,
/// although `/v2/` is a registry's. For an empty body and other JSON the tag list decides.
#[test]
fn r32_e2_a_404_that_does_not_identify_a_registry_is_asked_again() {
    let get: &[&str] = &["HEAD none", "GET none"];
    let list: &[&str] = &["HEAD none", "GET none", "GET list"];
    let cases = [
        (Page::Json, get, Some(Presence::Absent)),
        (Page::JsonText, get, Some(Presence::Absent)),
        (Page::Empty, list, Some(Presence::Absent)),
        (Page::Object, list, Some(Presence::Absent)),
        (Page::Text, get, None),
        (Page::Xml, get, None),
        (Page::Html, get, None),
    ];
    for (page, requests, expected) in cases {
        let registry = registry([Quirk::UnmarkedNotFound(page.clone())]);
        let client = client();
        for _ in 0..3 {
            match presence(&client, &registry, "t/a:none") {
                Ok(presence) => assert_eq!(Some(presence), expected, "{page:?}"),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Protocol, "{page:?}");
                    assert_eq!(expected, None, "{page:?}: {error}");
                }
            }
            assert_eq!(asked(&registry), requests, "{page:?}");
        }
        assert_exists(&client, &registry, &page);
        assert_eq!(asked(&registry), ["HEAD v1"], "{page:?}");
    }
}

/// The 404 of docker-registry 2.8.2 has the API-version header, so no second request is needed.
#[test]
fn r32_a_404_that_identifies_a_registry_costs_one_request() {
    for quirk in [None, Some(Quirk::HeadStatus(404, Page::Empty))] {
        let registry = registry(quirk);
        for missing in ["t/a:none", "t/none:v1", &format!("t/a@{SHA512}")] {
            let result = presence(&client(), &registry, missing).unwrap();
            assert_eq!(result, Presence::Absent);
            assert_eq!(registry.take_requests().len(), 1, "{missing}");
        }
    }
}

/// What `/v2/` answers does not matter, so it is not asked.
#[test]
fn r32_a_server_that_is_no_registry_is_not_pinged() {
    let registry = registry([Quirk::NotARegistry(404, Page::Html)]);
    let client = client();
    for _ in 0..2 {
        let error = presence(&client, &registry, "t/a:v1").unwrap_err();
        assert_tells(&error, "does not answer like a registry");
        assert_tells(&error, "check the host and port");
        assert_eq!(asked(&registry), ["HEAD v1", "GET v1"]);
    }
}
