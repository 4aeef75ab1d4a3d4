//! Absence behind a login: what it costs, the registries that only their challenge identifies, and
//! that a challenge alone makes nothing absent.

use crate::absence_support::*;
use crate::quirks_support::{client, parse};

const BEARER: &str = r#"Bearer realm="/v2/token",service="registry""#;
const HARBOR: &str = r#"Bearer realm="/v2/token",service="harbor-registry""#;
const GITEA: &str = r#"Bearer realm="/v2/token",service="container_registry",scope="*""#;
const OLD_GITEA: &str = r#"Bearer realm="/v2/token""#;

const MARKED_COLD: &[&str] = &["HEAD none", "GET token", "HEAD none"];
const COLD: &[&str] = &["HEAD none", "GET token", "HEAD none", "GET none"];

/// Three requests cold with the version header and four without; one and two warm.
#[test]
fn a_missing_tag_costs_three_requests_cold_or_four() {
    let rows: &[(&[&str], &[&str])] = &[
        (&[MARK, JSON], MARKED_COLD),
        (&[JSON], COLD),
        (&[MARK, JSON, NEXUS], COLD),
    ];
    for (fields, cold) in rows {
        let site = Site::start(Script::new(404, fields, MISSING).challenges(&[BEARER]));
        let client = client();
        assert_eq!(site.look(&client, "lib/app:none"), "absent");
        assert_eq!(site.asked(), *cold, "{fields:?}");
        assert_eq!(site.look(&client, "lib/app:none"), "absent");
        assert_eq!(site.asked(), cold[2..], "{fields:?}");
    }
}

/// Harbor's and Gitea's own words for what is not there, which others use too.
#[test]
fn a_challenge_tells_whose_words_they_are() {
    let harbor = errors("NOT_FOUND", "resource not found");
    let rows: &[(&[&str], &[&str], &str, &str)] = &[
        (&[HARBOR], &[JSON], &harbor, "absent"),
        (&[BEARER], &[JSON], &harbor, "Protocol"),
        (&[GITEA, "Basic"], &[JSON], &harbor, "Protocol"),
        (&[GITEA, "Basic"], &[TEXT], "Not found.\n", "absent"),
        (&[OLD_GITEA, "Basic"], &[TEXT], "Not found.\n", "absent"),
        (&[OLD_GITEA], &[TEXT], "Not found.\n", "Protocol"),
        (&[HARBOR], &[TEXT], "Not found.\n", "Protocol"),
        (
            &[GITEA, "Basic"],
            &[TEXT],
            "404 page not found\n",
            "Protocol",
        ),
        (&[GITEA, "Basic"], &[HTML], PAGE, "Protocol"),
    ];
    for (challenges, fields, body, says) in rows {
        let site = Site::start(Script::new(404, fields, body).challenges(challenges));
        assert_eq!(
            site.first_look("lib/app:none"),
            *says,
            "{challenges:?} {body}"
        );
        assert_eq!(site.asked(), COLD, "{challenges:?} {body}");
    }
}

/// A gateway or an ingress that asks for a login is no registry yet.
#[test]
fn a_challenge_makes_no_later_404_an_absence() {
    let pages = [
        Script::new(404, &[HTML], PAGE),
        Script::new(404, &[TEXT], "404 page not found\n"),
        Script::new(404, &[], ""),
        Script::new(404, &[JSON], r#"{"message":"no"}"#),
    ];
    for page in pages {
        for challenge in [BEARER, HARBOR] {
            let what = format!("{challenge} {page:?}");
            let site = Site::start(page.clone().challenges(&[challenge]));
            assert_eq!(site.first_look("lib/app:none"), "Protocol", "{what}");
        }
    }
}

/// A redirect's target is not the registry that sent the challenge.
#[test]
fn a_challenge_does_not_speak_for_the_target_of_a_redirect() {
    let harbor = errors("NOT_FOUND", "resource not found");
    for (body, says) in [
        (harbor.as_str(), "Protocol"),
        (MISSING, "absent"),
        ("", "Protocol"),
    ] {
        let target = Site::start(Script::new(404, &[JSON], body));
        let location = format!("Location: {}/v2/lib/app/manifests/none", target.url());
        let script = Script::new(307, &[MARK, &location], "").challenges(&[HARBOR]);
        let site = Site::start(script);
        assert_eq!(site.first_look("lib/app:none"), says, "{body}");
        assert_eq!(target.asked(), ["HEAD none", "GET none"], "{body}");
    }
}

/// Nothing is told to whoever shows no login where there is one: the 404 is not the last word.
#[test]
fn a_login_that_was_withheld_is_no_absence() {
    let site = Site::start(Script::new(404, &[MARK, JSON], MISSING).challenges(&[BEARER]));
    // The token service is elsewhere, and gives a token to anybody.
    let other = Site::start(found());
    let realm = other.url().replace("127.0.0.1", "localhost");
    let challenge = format!(r#"Bearer realm="{realm}/v2/token",service="x""#);
    site.play(Script::new(404, &[MARK, JSON], MISSING).challenges(&[&challenge]));
    let client = ocireg::Client::builder()
        .retries(0)
        .basic(&site.authority(), "user", "password")
        .build()
        .unwrap();
    let error = client
        .exists(&parse(&format!("{}/lib/app:none", site.authority())))
        .unwrap_err();
    assert_eq!(error.kind(), ocireg::ErrorKind::Unauthorized, "{error}");
}
