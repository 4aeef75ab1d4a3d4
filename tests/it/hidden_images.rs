//! Images that are there for a login alone: no odd answer on the way to it makes them absent, and
//! none brings a secret to light.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use raw_http::{Answer, Server};

use crate::auth_support::*;

const MARK: &str = "Docker-Distribution-Api-Version: registry/2.0";
const HTML: &str = "Content-Type: text/html";
const UNKNOWN: &str = r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#;

fn found() -> Answer {
    let digest = format!("sha256:{}", "a".repeat(64));
    let head = format!("{MARK}\nContent-Type: {OCI}\nDocker-Content-Digest: {digest}");
    Answer::new(200, &head, "{}")
}

fn unknown(field: &str) -> Answer {
    let head = format!("{MARK}\nContent-Type: application/json{field}");
    Answer::new(404, &head, UNKNOWN)
}

fn asks_for_basic() -> Answer {
    let head = format!("{MARK}\nWWW-Authenticate: Basic realm=\"x\"");
    Answer::new(401, &head, "{}")
}

/// Hides its image behind a 404 from whoever shows no login. Its first answer to a ping is `odd`.
fn hides(odd: Answer) -> Server {
    let pings = AtomicUsize::new(0);
    says(None, move |request| {
        let is_known = request.header("authorization").as_deref() == Some(BASIC);
        match request.path().as_str() {
            "/v2/" if pings.fetch_add(1, Ordering::SeqCst) == 0 => odd.clone(),
            "/v2/" => asks_for_basic(),
            _ if is_known => found(),
            _ => unknown(""),
        }
    })
}

#[test]
fn an_odd_ping_makes_no_hidden_image_absent() {
    let odd = [
        ("503", Answer::new(503, HTML, "<html>"), "exists"),
        ("429", Answer::new(429, MARK, ""), "exists"),
        ("500", Answer::new(500, MARK, ""), "exists"),
        ("403 page", Answer::new(403, HTML, "<html>"), "Protocol"),
        ("404 page", Answer::new(404, HTML, "<html>"), "Protocol"),
        ("200 page", Answer::new(200, HTML, "<html>"), "Protocol"),
        ("bare 401", Answer::new(401, "", ""), "Protocol"),
    ];
    for (what, odd, expected) in odd {
        let server = hides(odd);
        let authority = server.address().to_string();
        let builder = builder().basic(&authority, USER, PASSWORD);
        let client = builder.build().unwrap();
        let image = reference(&format!("{authority}/mine:1"));
        assert_eq!(outcome(&client.exists(&image)), expected, "{what}");
        // It teaches nothing.
        assert_eq!(outcome(&client.exists(&image)), "exists", "{what}");
    }
}

#[test]
fn a_404_with_a_challenge_is_asked_again_with_the_login() {
    let server = says(None, |request| {
        let is_known = request.header("authorization").as_deref() == Some(BASIC);
        match request.path().as_str() {
            "/v2/" => Answer::new(200, MARK, "{}"),
            _ if is_known => found(),
            _ => unknown("\nWWW-Authenticate: Basic realm=\"x\""),
        }
    });
    let authority = server.address().to_string();
    let builder = builder().basic(&authority, USER, PASSWORD);
    let image = reference(&format!("{authority}/mine:1"));
    let client = builder.build().unwrap();
    assert_eq!(outcome(&client.exists(&image)), "exists");
    assert_eq!(server.request_count(), 2);
}

/// Without its token the request is led to another server, whose 404 is not about the image.
#[test]
fn a_token_that_can_not_be_got_is_no_absence_of_another_server() {
    let is_down = Arc::new(AtomicBool::new(false));
    let other = says(None, |_| unknown(""));
    let location = format!("Location: {}", other.url());
    let down = is_down.clone();
    let server = says(None, move |request| {
        let is_down = down.load(Ordering::SeqCst);
        let host = request.header("host").unwrap_or_default();
        let has_token = request
            .header("authorization")
            .is_some_and(|it| it.contains("Bearer"));
        match request.path().as_str() {
            "/token" if is_down => Answer::new(503, "", ""),
            "/token" => Answer::new(200, "", r#"{"token":"abcdefgh"}"#),
            _ if has_token => found(),
            path if is_down => Answer::new(307, &format!("{location}{path}"), ""),
            _ => {
                let realm = format!("WWW-Authenticate: Bearer realm=\"http://{host}/token\"");
                Answer::new(401, &format!("{MARK}\n{realm}"), "{}")
            }
        }
    });
    let authority = server.address().to_string();
    let builder = builder().basic(&authority, USER, PASSWORD);
    let client = builder.build().unwrap();
    let image = |name| reference(&format!("{authority}/{name}:1"));
    assert_eq!(outcome(&client.exists(&image("mine"))), "exists");
    is_down.store(true, Ordering::SeqCst);
    assert_eq!(outcome(&client.exists(&image("other"))), "Server");
}

/// The last resort for an empty 404 is the registry's own list.
#[test]
fn a_list_of_another_server_is_no_absence() {
    let other = says(None, |_| Answer::new(200, "", r#"{"tags":[]}"#));
    let location = format!("Location: {}/v2/other/tags/list", other.url());
    let server = says(None, move |request| match request.path().as_str() {
        path if path.ends_with("/tags/list") => Answer::new(307, &location, ""),
        _ => Answer::new(404, "", ""),
    });
    let image = reference(&format!("{}/mine:1", server.address()));
    let client = builder().build().unwrap();
    assert_eq!(outcome(&client.exists(&image)), "Protocol");
}

/// A registry may put a secret that it was given into the name of a host.
#[test]
fn s15_the_limit_of_a_redirects_target_is_told_without_a_secret() {
    const SECRET: &str = "pw7kdxq8mmzr4tqa";
    let target = says(None, |_| Answer::new(429, "Retry-After: 3000", ""));
    let at = target.address();
    let named = format!("{SECRET}.example.test");
    let location = format!("Location: http://{named}:{}/v2/mine/manifests/1", at.port());
    let server = says(None, move |request| match request.header("authorization") {
        None => asks_for_basic(),
        Some(_) => Answer::new(307, &location, ""),
    });
    let authority = server.address().to_string();
    let names = Names::default().with(&named, at.port(), at);
    let names = names.with("127.0.0.1", server.address().port(), server.address());
    let builder = builder().resolver(names).basic(&authority, USER, SECRET);
    let client = builder.build().unwrap();
    let image = reference(&format!("{authority}/mine:1"));
    for round in 0..2 {
        let error = client.exists(&image).unwrap_err();
        let shown = format!("{error:#} {error:?}");
        assert!(!shown.contains(SECRET), "{round}: {shown}");
    }
}
