//! What the tests of authentication share: registries and token services under made-up names, and
//! the requests that each received.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use fake_registry::{Config, FakeRegistry, Identity, Recorded};
use ocireg::{ClientBuilder, Error, Presence, Reference, Registry, Resolver};
use raw_http::{Answer, Server, Service, Stop};
use token_service::TokenService;

pub(crate) const OCI: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const USER: &str = "user";
pub(crate) const PASSWORD: &str = "pass";
/// `user:pass` in Base64.
pub(crate) const BASIC: &str = "Basic dXNlcjpwYXNz";

/// Names and ports of made-up hosts, all on this machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(HashMap<(String, u16), SocketAddr>);

impl Names {
    pub(crate) fn with(mut self, host: &str, port: u16, address: SocketAddr) -> Names {
        self.0.insert((host.to_owned(), port), address);
        self
    }
}

impl Resolver for Names {
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let found = self.0.get(&(host.to_owned(), port));
        found
            .map(|address| vec![*address])
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// A registry on http://127.0.0.1 that wants tokens of `service`, with tag 1 in the repositories
/// `open`, `mine`, `also`, `hidden` and `library/alpine`.
pub(crate) fn bearer_registry(service: &TokenService) -> FakeRegistry {
    filled(Config::new().bearer(&service.realm(), "lab"))
}

/// A registry of these settings with the same repositories.
pub(crate) fn filled(config: Config) -> FakeRegistry {
    let registry = FakeRegistry::start(config);
    for repository in ["open", "mine", "also", "hidden", "library/alpine"] {
        registry.put_manifest(repository, "1", OCI, "{}");
    }
    registry
}

/// A token service on http://127.0.0.1. Everyone may pull `open`, the user also `mine` and `also`,
/// nobody `hidden`.
pub(crate) fn service() -> TokenService {
    TokenService::start(service_config())
}

pub(crate) fn service_config() -> token_service::Config {
    token_service::Config::new()
        .user(USER, PASSWORD, &["open", "mine", "also"])
        .anonymous(&["open"])
}

pub(crate) fn builder() -> ClientBuilder {
    ocireg::Client::builder().retry_delay(std::time::Duration::from_millis(1))
}

#[track_caller]
pub(crate) fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

#[track_caller]
pub(crate) fn registry(text: &str) -> Registry {
    text.parse().unwrap()
}

/// The result of a lookup as a word: `exists`, `absent`, `denied`, or the kind of the error.
pub(crate) fn outcome(result: &Result<Presence, Error>) -> String {
    match result {
        Ok(Presence::Exists(_)) => "exists".to_owned(),
        Ok(Presence::Absent) => "absent".to_owned(),
        Ok(Presence::Denied) => "denied".to_owned(),
        Err(error) => format!("{:?}", error.kind()),
    }
}

/// Requests as one line each: method, path, and the scheme of the credentials (`-`, `basic`,
/// `bearer`).
pub(crate) fn lines(requests: &[Recorded]) -> Vec<String> {
    requests
        .iter()
        .map(|request| {
            let shown = request.header("authorization").map_or_else(
                || "-".to_owned(),
                |value| value.split(' ').next().unwrap_or_default().to_lowercase(),
            );
            format!("{} {} {shown}", request.method, request.path())
        })
        .collect()
}

/// A listener whose answers come from a function.
pub(crate) struct Says<F>(F);

impl<F: Fn(&Recorded) -> Answer + Send + Sync + 'static> Service for Says<F> {
    fn answer(&self, request: &Recorded, _: &Stop) -> Option<Answer> {
        Some(self.0(request))
    }
}

pub(crate) fn says(
    identity: Option<&Identity>,
    answer: impl Fn(&Recorded) -> Answer + Send + Sync + 'static,
) -> Server {
    Server::start(0, identity, Arc::new(Says(answer)))
}

/// A listener of an attacker. It answers every request with challenges: Bearer with itself as the
/// realm, and Basic.
pub(crate) fn asks_for_login(identity: Option<&Identity>) -> Server {
    let scheme = if identity.is_some() { "https" } else { "http" };
    says(identity, move |request| {
        let host = request.header("host").unwrap_or_default();
        let mut answer = Answer::new(401, "Docker-Distribution-Api-Version: registry/2.0", "");
        for challenge in [
            format!("Bearer realm=\"{scheme}://{host}/t\",service=\"x\""),
            "Basic realm=\"give it to me\"".to_owned(),
        ] {
            answer.add(&format!("WWW-Authenticate: {challenge}"));
        }
        answer
    })
}

/// Fails if a listener received credentials, a cookie or one of these secrets.
#[track_caller]
pub(crate) fn assert_saw_nothing(who: &str, requests: &[Recorded], secrets: &[&str]) {
    for request in requests {
        let head = String::from_utf8_lossy(&request.raw_head).to_lowercase();
        assert!(!head.contains("\r\nauthorization:"), "{who} saw {head}");
        assert!(!head.contains("\r\ncookie:"), "{who} saw {head}");
        let all = [request.raw_head.as_slice(), &request.body].concat();
        let all = String::from_utf8_lossy(&all).into_owned();
        for secret in secrets {
            assert!(!all.contains(secret), "{who} saw {secret} in {all}");
        }
    }
}
