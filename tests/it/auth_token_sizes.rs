//! How large a token may be, and how much memory the tokens of a client may take.

use std::sync::Arc;

use fake_registry::Recorded;
use ocireg::{Client, ErrorKind, Presence, Reference};
use raw_http::{Answer, Server, Service, Stop};

use crate::quirks_support::{INDEX, assert_tells, builder, story};

const MARK: &str = "Docker-Distribution-Api-Version: registry/2.0";
const KIB: usize = 1024;

/// A registry that has every image, and its token service under `/token`. The first part of a
/// repository's name is the length of its tokens.
struct Sized;

impl Sized {
    fn start() -> Server {
        Server::start(0, None, Arc::new(Sized))
    }
}

impl Service for Sized {
    fn answer(&self, request: &Recorded, _: &Stop) -> Option<Answer> {
        if request.path() == "/token" {
            let scope = request.query("scope").unwrap();
            let length = scope.split([':', '/']).nth(1).unwrap().parse().unwrap();
            let token = "t".repeat(length);
            let body =
                format!(r#"{{"junk":[{{"a":0}}],"access_token":"{token}","expires_in":900}}"#);
            return Some(Answer::new(200, "", body));
        }
        if request.header("authorization").is_none() {
            let host = request.header("host").unwrap();
            let challenge = format!(r#"Bearer realm="http://{host}/token",service="s""#);
            let head = format!("{MARK}\nWWW-Authenticate: {challenge}");
            return Some(Answer::new(401, &head, ""));
        }
        let digest = format!("sha256:{}", "1".repeat(64));
        let head = format!("{MARK}\nContent-Type: {INDEX}\nDocker-Content-Digest: {digest}");
        Some(Answer::new(200, &head, "{}"))
    }
}

fn image(server: &Server, length: usize, name: usize) -> Reference {
    let text = format!("{}/{length}/r{name}:1", server.address());
    text.parse().unwrap()
}

#[track_caller]
fn expect_there(client: &Client, image: &Reference) {
    let presence = client.exists(image).unwrap();
    assert!(matches!(presence, Presence::Exists(_)), "{presence:?}");
}

/// How many tokens were asked for since the last look.
fn tokens_asked(server: &Server) -> usize {
    let requests = server.take_requests();
    requests
        .iter()
        .filter(|request| request.path() == "/token")
        .count()
}

#[test]
fn a_token_of_64_kib_is_taken_and_a_longer_one_is_not_sent() {
    let server = Sized::start();
    let client = builder().build().unwrap();
    expect_there(&client, &image(&server, 64 * KIB, 1));
    let sent = server.take_requests().pop().unwrap();
    assert_eq!(
        sent.header("authorization").unwrap().len(),
        "Bearer ".len() + 64 * KIB
    );

    let error = client.exists(&image(&server, 64 * KIB + 1, 1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    assert_tells(&error, "longer than 64 KiB");
    assert!(!story(&error).contains("ttt"));
    let sent = server.take_requests();
    let shown = sent.iter().any(|it| it.header("authorization").is_some());
    assert!(!shown, "it was not sent to the registry");
}

/// The tokens of all registries together: the oldest make room.
#[test]
fn all_tokens_of_a_client_take_4_mib() {
    let (first, second) = (Sized::start(), Sized::start());
    let client = builder().build().unwrap();
    let old = [image(&first, 100, 1), image(&first, 100, 2)];
    let large: Vec<Reference> = (0..70).map(|name| image(&second, 60 * KIB, name)).collect();
    old.iter().for_each(|image| expect_there(&client, image));
    large[..60]
        .iter()
        .for_each(|image| expect_there(&client, image));
    assert_eq!((tokens_asked(&first), tokens_asked(&second)), (2, 60));
    // There is room for all of them.
    old.iter().for_each(|image| expect_there(&client, image));
    large[..60]
        .iter()
        .for_each(|image| expect_there(&client, image));
    assert_eq!((tokens_asked(&first), tokens_asked(&second)), (0, 0));
    // Now there is not.
    large[60..]
        .iter()
        .for_each(|image| expect_there(&client, image));
    assert_eq!(tokens_asked(&second), 10);
    old.iter().for_each(|image| expect_there(&client, image));
    assert_eq!(tokens_asked(&first), 2, "they were the oldest");
    large[10..]
        .iter()
        .for_each(|image| expect_there(&client, image));
    assert_eq!(tokens_asked(&second), 0, "the newest are still there");
}
