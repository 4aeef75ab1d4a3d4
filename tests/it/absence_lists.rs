//! The tag list as the last resort for a 404 that says nothing, and what a 404 of a list itself
//! means.

use ocireg::ErrorKind;

use crate::absence_support::*;
use crate::quirks_support::{builder, client, parse};

const DIGEST: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

/// Each row: the answer to the list beside a 404 that says nothing, and what a lookup makes of it.
#[test]
fn the_list_decides_only_where_it_can_tell() {
    let name = errors("NAME_UNKNOWN", "no such repository");
    let harbor = errors("NOT_FOUND", "repository lib/app not found");
    let ecr = errors("NOT_FOUND", "404 page not found");
    let denied = errors("DENIED", "not authorized");
    let refused = errors("UNAUTHORIZED", "authentication required");
    let rows: &[(u16, &[&str], &str, &str)] = &[
        (
            200,
            &[JSON],
            r#"{"name":"lib/app","tags":["a","b"]}"#,
            "absent",
        ),
        (200, &[JSON], r#"{"name":"lib/app","tags":null}"#, "absent"),
        (
            200,
            &[JSON],
            r#"{"name":"lib/app","tags":["a","none"]}"#,
            "Protocol",
        ),
        (404, &[JSON], &name, "absent"),
        (404, &[JSON], &harbor, "absent"),
        // Not the header alone: public ECR.
        (404, &[MARK, JSON], &ecr, "Protocol"),
        (404, &[MARK], "", "Protocol"),
        (404, &[JSON], MISSING, "Protocol"),
        (404, &[], "", "Protocol"),
        (404, &[HTML], PAGE, "Protocol"),
        // ACR and ECR want another right for the list.
        (401, &[MARK, JSON], &refused, "Protocol"),
        (403, &[MARK, JSON], &denied, "Protocol"),
        (405, &[MARK, JSON], "{}", "Protocol"),
        (200, &[HTML], PAGE, "Protocol"),
        // No answer is none, and stays what it is.
        (429, &[MARK], "", "RateLimited"),
        (503, &[MARK], "", "Server"),
    ];
    for (fields, body) in [(&[][..], ""), (&[JSON], r#"{"message":"Not Found"}"#)] {
        for (status, list_fields, list, says) in rows {
            let script = Script::new(404, fields, body).list(*status, list_fields, list);
            let site = Site::start(script);
            assert_eq!(
                site.first_look("lib/app:none"),
                *says,
                "{body} {status} {list}"
            );
            // A 401 without a challenge is followed by a look at `/v2/` for one.
            assert_eq!(site.asked()[..3], ["HEAD none", "GET none", "GET list"]);
        }
    }
}

/// A list has no digests, so it can't tell that one is absent.
#[test]
fn the_list_says_nothing_about_a_digest() {
    let list = r#"{"name":"lib/app","tags":["a"]}"#;
    let site = Site::start(Script::new(404, &[], "").list(200, &[JSON], list));
    assert_eq!(site.first_look(&format!("lib/app@{DIGEST}")), "Protocol");
    let name = errors("NAME_UNKNOWN", "no such repository");
    site.play(Script::new(404, &[], "").list(404, &[JSON], &name));
    assert_eq!(site.first_look(&format!("lib/app@{DIGEST}")), "absent");
}

/// Only the whole list can lack a tag.
#[test]
fn a_list_of_which_a_page_is_missing_shows_no_absence() {
    let link = "Link: </v2/lib/app/tags/list?last=a>; rel=\"next\"";
    let list = r#"{"name":"lib/app","tags":["a"]}"#;
    let site = Site::start(Script::new(404, &[], "").list(200, &[JSON, link], list));
    assert_eq!(site.first_look("lib/app:none"), "Protocol");
}

/// A refused list says nothing about the other items of a batch.
#[test]
fn a_refused_list_does_not_end_a_batch() {
    let refused = errors("UNAUTHORIZED", "authentication required");
    let basic = "WWW-Authenticate: Basic realm=\"lists\"";
    let script = Script::new(404, &[], "").list(401, &[MARK, JSON, basic], &refused);
    let site = Site::start(script);
    let client = builder()
        .basic(&site.authority(), "user", "password")
        .build()
        .unwrap();
    let references: Vec<_> = ["none", "other"]
        .map(|tag| parse(&format!("{}/lib/app:{tag}", site.authority())))
        .into();
    for result in client.lookup_all(&references) {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Protocol);
    }
    let asked = site.asked();
    assert!(asked.contains(&"GET other".to_owned()), "{asked:?}");
}

/// What a 404 of a list means where the list itself was asked for.
#[test]
fn a_repository_is_missing_only_if_the_registry_says_so() {
    use ErrorKind::{Denied, NotFound, Protocol};
    let rows: &[(&[&str], &str, ErrorKind)] = &[
        (&[JSON], &errors("NAME_UNKNOWN", "x"), NotFound),
        (&[TEXT], &errors("NAME_UNKNOWN", "x"), NotFound),
        (&[MARK], "", NotFound),
        (
            &[JSON],
            &errors("NOT_FOUND", "repository lib/app not found"),
            NotFound,
        ),
        (
            &[MARK, JSON],
            &errors("NOT_FOUND", "404 page not found"),
            Protocol,
        ),
        (&[MARK, JSON], &errors("METHOD_UNKNOWN", "x"), Protocol),
        (&[JSON], &errors("DENIED", "x"), Denied),
        (&[HTML], PAGE, Protocol),
        (&[MARK, HTML], PAGE, Protocol),
        (&[TEXT], "404 page not found\n", Protocol),
        (&[], "", Protocol),
        (&[JSON], r#"{"message":"Not Found"}"#, Protocol),
    ];
    for (fields, body, kind) in rows {
        let site = Site::start(found().list(404, fields, body));
        let reference = parse(&format!("{}/lib/app", site.authority()));
        let error = client().tags(reference.repository()).unwrap_err();
        assert_eq!(error.kind(), *kind, "{fields:?} {body}: {error}");
        assert_eq!(site.asked(), ["GET list"], "{fields:?} {body}");
    }
}

/// `tags_sharing` leaves a tag out if the registry says that it is gone. Else the list would look
/// whole and is not.
#[test]
fn a_tag_is_left_out_of_the_tags_that_share_a_digest_only_if_it_is_absent() {
    let list = r#"{"name":"lib/app","tags":["a","b"]}"#;
    let digest = DIGEST.parse().unwrap();
    let rows: &[(&[&str], &str, Option<ErrorKind>)] = &[
        (&[MARK, JSON], MISSING, None),
        (&[JSON], MISSING, None),
        (&[HTML], PAGE, Some(ErrorKind::Protocol)),
        (&[], "", Some(ErrorKind::Protocol)),
        (&[JSON], &errors("DENIED", "x"), Some(ErrorKind::Denied)),
        (&[JSON], &errors("UNKNOWN", "x"), Some(ErrorKind::Protocol)),
    ];
    for (fields, body, kind) in rows {
        let site = Site::start(Script::new(404, fields, body).list(200, &[JSON], list));
        let reference = parse(&format!("{}/lib/app", site.authority()));
        match client().tags_of_digest(reference.repository(), &digest) {
            Ok(tags) => assert_eq!((tags.len(), *kind), (0, None), "{fields:?} {body}"),
            Err(error) => assert_eq!(Some(error.kind()), *kind, "{fields:?} {body}: {error}"),
        }
    }
}
