//! S18: a challenge does not choose what a token may do, nor how long its request gets. What counts
//! is what the token service was asked.

use ocireg::{Client, ErrorKind};
use raw_http::{Answer, Server};

use crate::auth_support::*;

const PULL: &str = "scope=repository%3Amine%3Apull";

/// A registry whose challenge has these parameters, and whose token service is at its own host or
/// at `elsewhere`. It accepts every token.
fn challenging(parameters: String, elsewhere: Option<&Server>) -> Server {
    let other = elsewhere.map(|server| server.address().to_string());
    says(None, move |request| {
        if request.path().starts_with("/token") {
            return token();
        }
        if request.header("authorization").is_some() {
            let mut answer = Answer::new(200, "Content-Type: application/json", r#"{"tags":[]}"#);
            answer.add("Docker-Distribution-Api-Version: registry/2.0");
            return answer;
        }
        let own = request.header("host").unwrap_or_default();
        let host = other.as_deref().unwrap_or(&own);
        let challenge = format!("Bearer realm=\"http://{host}/token\",{parameters}");
        Answer::new(401, &format!("WWW-Authenticate: {challenge}"), "")
    })
}

fn token() -> Answer {
    Answer::new(200, "Content-Type: application/json", r#"{"token":"t"}"#)
}

/// The targets of the token requests that a listener received.
fn asked(server: &Server) -> Vec<String> {
    let requests = server.take_requests();
    let tokens = requests.iter().filter(|it| it.path() == "/token");
    tokens.map(|it| it.target.clone()).collect()
}

fn client_for(server: &Server) -> Client {
    let authority = server.address().to_string();
    let builder = builder().retries(0).basic(&authority, USER, PASSWORD);
    builder.build().unwrap()
}

fn tags(server: &Server) -> Result<Vec<ocireg::Tag>, ocireg::Error> {
    let repository = format!("{}/mine", server.address()).parse().unwrap();
    client_for(server).tags(&repository)
}

#[test]
fn s18_scopes_come_from_the_request_alone() {
    for scope in [
        "repository:mine:pull,push,delete",
        "repository:mine:*",
        "repository:other:pull,push",
        "registry:catalog:*",
        "repository:mine:pull repository:secret:delete",
        "aws",
        "* registry:catalog:*",
    ] {
        let star = scope.starts_with("* ");
        let expected = match star {
            true => format!("/token?service=s&{PULL}&scope=%2A"),
            false => format!("/token?service=s&{PULL}"),
        };
        let registry = challenging(format!("service=\"s\",scope=\"{scope}\""), None);
        tags(&registry).unwrap();
        assert_eq!(asked(&registry), [expected], "{scope}");
    }
}

#[test]
fn s18_b2_a_bare_star_counts_where_the_registry_is_its_own_token_service() {
    let gitea = challenging(r#"service="s",scope="*""#.to_owned(), None);
    tags(&gitea).unwrap();
    let expected = format!("/token?service=s&{PULL}&scope=%2A");
    assert_eq!(asked(&gitea), [expected]);

    let elsewhere = says(None, |_| token());
    let registry = challenging(r#"service="s",scope="*""#.to_owned(), Some(&elsewhere));
    tags(&registry).unwrap();
    assert_eq!(asked(&elsewhere), [format!("/token?service=s&{PULL}")]);
}

#[test]
fn s18_the_service_is_one_value_of_at_most_256_bytes() {
    let fits = "s".repeat(256);
    for (service, expected) in [
        (fits.as_str(), fits.as_str()),
        (
            "s&scope=repository:x:push",
            "s%26scope%3Drepository%3Ax%3Apush",
        ),
    ] {
        let registry = challenging(format!("service=\"{service}\""), None);
        tags(&registry).unwrap();
        let expected = format!("/token?service={expected}&{PULL}");
        assert_eq!(asked(&registry), [expected]);
    }
    // 100 characters that take three bytes each in a URL.
    for service in ["s".repeat(257), "&".repeat(100)] {
        let registry = challenging(format!("service=\"{service}\""), None);
        let error = tags(&registry).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        assert!(
            format!("{error:#}").contains("more than 256 bytes"),
            "{error:#}"
        );
        assert_eq!(asked(&registry), [""; 0]);
    }
}

#[test]
fn s18_a_token_request_has_at_most_4_kib_of_url() {
    let elsewhere = says(None, |_| token());
    let address = elsewhere.address();
    let registry = says(None, move |_| {
        let realm = format!("http://{address}/token?{}", "x".repeat(4_096));
        Answer::new(
            401,
            &format!("WWW-Authenticate: Bearer realm=\"{realm}\""),
            "",
        )
    });
    let error = tags(&registry).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    assert!(format!("{error:#}").contains("4096 bytes"), "{error:#}");
    assert_eq!(elsewhere.take_requests().len(), 0);
}

#[test]
fn s18_a_batch_asks_for_at_most_32_scopes_in_4_kib() {
    let registry = challenging("service=\"s\"".to_owned(), None);
    let authority = registry.address().to_string();
    let name = |n: usize| format!("{}{n}", "long-name/".repeat(12));
    let references: Vec<ocireg::Reference> = (0..70)
        .map(|n| reference(&format!("{authority}/{}:1", name(n))))
        .collect();
    client_for(&registry).lookup_all(&references);
    let asked = asked(&registry);
    assert!(asked.len() > 2, "{}", asked.len());
    for target in asked {
        let url = format!("http://{authority}{target}");
        assert!(url.len() <= 4_096, "{} bytes", url.len());
        assert!(target.matches("&scope=").count() <= 32, "{target}");
    }
}
