//! Registries where HEAD has no usable answer (E1, E2, E3): when GET is sent, and what is learned.

use std::thread;
use std::time::Duration;

use fake_registry::{Page, Quirk};
use ocireg::{ErrorKind, Presence};

use crate::quirks_support::*;

/// The requests where HEAD has no usable answer: of the first lookup, of the second one, and of one
/// for an image that does not exist.
#[test]
fn e1_e2_e3_requests_counted_and_what_is_learned() {
    let get: &[&str] = &["GET v1"];
    let both: &[&str] = &["HEAD v1", "GET v1"];
    let absent: &[&str] = &["GET none"];
    let absent_both: &[&str] = &["HEAD none", "GET none"];
    let cases = [
        (Quirk::NoDigestHeader, both, get, absent),
        (Quirk::UpperCaseDigestHeader, both, get, absent),
        (Quirk::HeadStatus(405, Page::Json), both, get, absent),
        (Quirk::HeadStatus(405, Page::Text), both, get, absent),
        (Quirk::HeadStatus(405, Page::Html), both, get, absent),
        (Quirk::HeadStatus(405, Page::Empty), both, get, absent),
        (Quirk::HeadStatus(501, Page::Html), both, get, absent),
        (Quirk::HeadStatus(404, Page::Html), both, get, absent),
        // Never learned, since a proxy may answer so for a moment only.
        (Quirk::HeadStatus(400, Page::Json), both, both, absent_both),
        (Quirk::HeadStatus(400, Page::Html), both, both, absent_both),
        (Quirk::HeadStatus(403, Page::Html), both, both, absent_both),
        (Quirk::HeadStatus(403, Page::Xml), both, both, absent_both),
    ];
    for (quirk, first, second, missing) in cases {
        let registry = registry([quirk.clone()]);
        let client = client();
        // Twice in a row teaches.
        for _ in 0..2 {
            assert_exists(&client, &registry, &quirk);
            assert_eq!(asked(&registry), first, "{quirk:?}");
        }
        assert_exists(&client, &registry, &quirk);
        assert_eq!(asked(&registry), second, "{quirk:?}");
        // A clone has learned it too.
        assert_exists(&client.clone(), &registry, &quirk);
        assert_eq!(asked(&registry), second, "{quirk:?}");
        let result = presence(&client, &registry, "t/a:none").unwrap();
        assert_eq!(result, Presence::Absent, "{quirk:?}");
        assert_eq!(asked(&registry), missing, "{quirk:?}");
    }
}

/// Where GET can't help, none is sent. (What follows a 401 is in `quirks_denied`.)
#[test]
fn e3_refusals_and_failures_of_head_are_final() {
    let cases = [
        (403, Page::Json, None),
        (403, Page::JsonText, None),
        (408, Page::Html, Some(ErrorKind::Server)),
        (409, Page::Json, Some(ErrorKind::Rejected)),
        (429, Page::Json, Some(ErrorKind::RateLimited)),
        (500, Page::Json, Some(ErrorKind::Server)),
        (503, Page::Html, Some(ErrorKind::Server)),
        (304, Page::Empty, Some(ErrorKind::Protocol)),
    ];
    for (status, page, expected) in cases {
        let what = format!("{status} {page:?}");
        let registry = registry([Quirk::HeadStatus(status, page)]);
        match (presence(&client(), &registry, "t/a:v1"), expected) {
            (Ok(Presence::Denied), None) => {}
            (Err(error), Some(kind)) => {
                assert_eq!(error.kind(), kind, "{what}");
                assert_eq!(error.http_status(), Some(status), "{what}");
            }
            (other, _) => panic!("{what}: {other:?}"),
        }
        assert_eq!(asked(&registry), ["HEAD v1"], "{what}");
    }
}

#[test]
fn e3_head_becomes_unreliable_only_when_get_succeeds() {
    let registry = registry([Quirk::Deny(405, Page::Json)]);
    let client = client();
    for _ in 0..2 {
        let error = presence(&client, &registry, "t/a:v1").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(asked(&registry), ["HEAD v1", "GET v1"]);
    }
    registry.set_quirks([]);
    assert_exists(&client, &registry, &"mended");
    assert_eq!(asked(&registry), ["HEAD v1"]);
}

/// Such a HEAD was on its way while another lookup learned that HEAD is unreliable.
#[test]
fn e3_a_head_that_works_later_clears_the_mark() {
    let registry = registry([Quirk::Delay(Duration::from_millis(1500))]);
    let client = client();
    thread::scope(|scope| {
        let slow = scope.spawn(|| presence(&client, &registry, "t/a:v1").unwrap());
        while registry.request_count() == 0 {
            thread::sleep(Duration::from_millis(2));
        }
        registry.set_quirks([Quirk::HeadStatus(405, Page::Text)]);
        assert_exists(&client, &registry, &"meanwhile");
        assert_exists(&client, &registry, &"meanwhile again");
        assert_exists(&client, &registry, &"marked");
        let so_far = asked(&registry);
        let both = ["HEAD v1", "GET v1"];
        let expected = [&["HEAD v1"][..], &both, &both, &["GET v1"]].concat();
        assert_eq!(so_far, expected);
        assert!(matches!(slow.join().unwrap(), Presence::Exists(_)));
    });
    registry.set_quirks([]);
    assert_exists(&client, &registry, &"cleared");
    assert_eq!(asked(&registry), ["HEAD v1"]);
}
