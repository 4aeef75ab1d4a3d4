//! What the quirk tests share: a registry with an image in it, a client without retries, and short
//! names for requests.

use std::collections::HashMap;
use std::error::Error as _;
use std::io;
use std::net::SocketAddr;

use fake_registry::{Config, FakeRegistry, Quirk, Script, ScriptServer};
use ocireg::{
    Algorithm, Client, ClientBuilder, Digest, Error, ErrorKind, Presence, Reference, Registry,
    Repository, Resolver,
};

pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The index under `t/a:v1` of every registry started here.
pub(crate) const IMAGE: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;

/// A registry that holds [`IMAGE`] as `t/a:v1`, with these quirks from its first request on.
pub(crate) fn registry(quirks: impl IntoIterator<Item = Quirk>) -> FakeRegistry {
    start(Config::new(), quirks)
}

/// The same with other settings, TLS for one.
pub(crate) fn start(config: Config, quirks: impl IntoIterator<Item = Quirk>) -> FakeRegistry {
    let config = quirks.into_iter().fold(config, Config::quirk);
    let registry = FakeRegistry::start(config);
    registry.put_manifest("t/a", "v1", INDEX, IMAGE);
    registry
}

/// A client without retries: these tests are about the meaning of the first answer.
pub(crate) fn client() -> Client {
    builder().build().unwrap()
}

pub(crate) fn builder() -> ClientBuilder {
    Client::builder().retries(0)
}

/// `HOST:PORT/rest`.
#[track_caller]
pub(crate) fn image(registry: &FakeRegistry, rest: &str) -> Reference {
    parse(&format!("{}/{rest}", registry.authority()))
}

#[track_caller]
pub(crate) fn repository(registry: &FakeRegistry, name: &str) -> Repository {
    image(registry, name).repository().clone()
}

#[track_caller]
pub(crate) fn name(registry: &FakeRegistry) -> Registry {
    registry.authority().parse().unwrap()
}

#[track_caller]
pub(crate) fn parse(text: &str) -> Reference {
    text.parse().unwrap()
}

/// A digest that no content in these tests has.
pub(crate) const SHA512: &str = concat!(
    "sha512:",
    "ee26b0dd4af7e749aa1a8ee3c10ae9923f618980772e473f8819a5d4940e0db2",
    "7ac185f8a0e1d5f84f88bc887fd67b143732c304cc5fa9ad8e6f57f50028a8ff"
);

/// The digest of [`IMAGE`].
pub(crate) fn sha256_of_image() -> Digest {
    Digest::of(Algorithm::Sha256, IMAGE.as_bytes())
}

pub(crate) fn presence(
    client: &Client,
    registry: &FakeRegistry,
    rest: &str,
) -> Result<Presence, Error> {
    client.exists(&image(registry, rest))
}

#[track_caller]
pub(crate) fn assert_exists(client: &Client, registry: &FakeRegistry, what: &dyn std::fmt::Debug) {
    match presence(client, registry, "t/a:v1") {
        Ok(Presence::Exists(found)) => assert_eq!(found.digest, sha256_of_image(), "{what:?}"),
        other => panic!("{what:?}: {other:?}"),
    }
}

/// The requests since the last call, such as `HEAD v1`: the method and the end of the path.
pub(crate) fn asked(registry: &FakeRegistry) -> Vec<String> {
    let requests = registry.take_requests();
    let short = |request: &fake_registry::Recorded| {
        let end = match request.target.rsplit_once('/') {
            Some((_, "")) => "ping",
            Some((_, end)) => end,
            None => "",
        };
        format!("{} {end}", request.method)
    };
    requests.iter().map(short).collect()
}

/// The header fields of a request, names in lower case, in alphabetical order.
pub(crate) fn fields(request: &fake_registry::Recorded) -> Vec<(String, String)> {
    let lower = |(name, value): &(String, String)| (name.to_ascii_lowercase(), value.clone());
    let mut fields: Vec<_> = request.headers.iter().map(lower).collect();
    fields.sort();
    fields
}

/// The text of an error with its causes.
pub(crate) fn story(error: &Error) -> String {
    let mut story = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        story.push_str(&format!(": {error}"));
        cause = error.source();
    }
    story
}

#[track_caller]
pub(crate) fn assert_tells(error: &Error, part: &str) {
    let story = story(error);
    assert!(story.contains(part), "{part:?} is not in {story:?}");
}

/// A text for a terminal must not control it.
#[track_caller]
pub(crate) fn assert_shown(text: &str) {
    let steers = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!text.chars().any(steers), "{text:?}");
}

/// A server that gives these answers in order, on each connection from the start.
pub(crate) fn canned(answers: &[&str]) -> ScriptServer {
    let script = answers.iter().fold(Script::new(), |script, answer| {
        script.read_request().send(answer)
    });
    ScriptServer::start(vec![script])
}

/// An answer of a registry as bytes. The answer to HEAD has no body.
pub(crate) fn answer(method: &str, status: u16, fields: &str, body: &str) -> String {
    let marked = "Docker-Distribution-Api-Version: registry/2.0\r\n";
    let length = body.len();
    let body = if method == "HEAD" { "" } else { body };
    format!("HTTP/1.1 {status} X\r\n{marked}{fields}Content-Length: {length}\r\n\r\n{body}")
}

/// A resolver of these names. Other names have no address.
#[derive(Default)]
pub(crate) struct Names(HashMap<&'static str, Vec<SocketAddr>>);

impl Names {
    pub(crate) fn with(mut self, name: &'static str, addresses: &[SocketAddr]) -> Names {
        self.0.insert(name, addresses.to_vec());
        self
    }
}

impl Resolver for Names {
    fn resolve(&self, host: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(self.0.get(host).cloned().unwrap_or_default())
    }
}

/// A redirect of manifests to this base URL.
pub(crate) fn redirect(status: u16, base: impl Into<String>) -> Quirk {
    Quirk::RedirectManifests(status, base.into())
}

/// Fails unless a lookup is a protocol error that says why.
#[track_caller]
pub(crate) fn assert_refused(client: &Client, registry: &FakeRegistry, why: &str) -> Error {
    let reference = image(registry, "t/a:v1");
    let error = client.exists(&reference).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{}", story(&error));
    assert_tells(&error, why);
    assert_tells(&error, &reference.to_string());
    error
}
