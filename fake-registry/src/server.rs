//! The registry as a listening server: settings, contents, and what it answers.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use raw_http::{Answer, Identity, Recorded, Server, Service, Stop, lock};

use crate::effects::Quirks;
use crate::quirk::{Quirk, value};
use crate::routes::{Call, Endpoint};
use crate::store::{Manifest, Store, sha256};

/// How a registry starts. By default: plain HTTP, a free port, empty, without quirks.
#[derive(Clone, Debug, Default)]
pub struct Config {
    port: u16,
    quirks: Vec<Quirk>,
    identity: Option<Identity>,
    echo: bool,
}

impl Config {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The port on 127.0.0.1. Defaults to 0, a free one.
    pub fn port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// Switches a quirk on, beside those that are on. If several answer in place of the registry,
    /// the first one does, refusals before redirects. All that change answers do. Defaults to none.
    pub fn quirk(mut self, quirk: Quirk) -> Self {
        self.quirks.push(quirk);
        self
    }

    /// Speaks TLS with this certificate. Defaults to plain HTTP.
    pub fn tls(self, identity: Identity) -> Self {
        let identity = Some(identity);
        Self { identity, ..self }
    }

    /// [`Quirk::PageSize`]. Defaults to everything on one page.
    pub fn page_size(self, names: u64) -> Self {
        self.quirk(Quirk::PageSize(names))
    }

    /// [`Quirk::Delay`]. Defaults to none.
    pub fn delay(self, time: Duration) -> Self {
        self.quirk(Quirk::Delay(time))
    }

    /// [`Quirk::Bearer`]. Defaults to a registry that is open to all.
    pub fn bearer(self, realm: &str, service: &str) -> Self {
        self.quirk(Quirk::Bearer(format!(
            "realm=\"{realm}\",service=\"{service}\""
        )))
    }

    /// [`Quirk::Basic`]. Defaults to a registry that is open to all.
    pub fn basic(self, user: &str, password: &str) -> Self {
        self.quirk(Quirk::Basic(format!("{user}:{password}")))
    }

    /// Writes a line for every request to standard error. Defaults to silence.
    pub fn echo(self) -> Self {
        Self { echo: true, ..self }
    }
}

/// A running registry. All methods may be called from any thread; dropping it ends every connection
/// and thread.
#[derive(Debug)]
pub struct FakeRegistry {
    server: Server,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    store: Mutex<Store>,
    quirks: Mutex<Quirks>,
    scheme: &'static str,
    echo: bool,
}

impl FakeRegistry {
    /// Starts a registry.
    ///
    /// # Panics
    /// If the port is taken.
    pub fn start(config: Config) -> Self {
        let quirks = config.quirks.into_iter().map(|quirk| (quirk, 0)).collect();
        let state = Arc::new(State {
            store: Mutex::default(),
            quirks: Mutex::new(Quirks(quirks)),
            scheme: config.identity.as_ref().map_or("http", |_| "https"),
            echo: config.echo,
        });
        let server = Server::start(config.port, config.identity.as_ref(), state.clone());
        Self { server, state }
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        lock(&self.state.store)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// `127.0.0.1:PORT`, as the registry part of a reference.
    pub fn authority(&self) -> String {
        self.address().to_string()
    }

    /// `http://127.0.0.1:PORT`, or `https://…` with TLS.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Stores a manifest under its digest, which it returns, and under `tag` unless that is empty.
    /// The digest of a signed schema1 manifest is that of its payload (E7).
    pub fn put_manifest<B>(&self, repo: &str, tag: &str, media_type: &str, bytes: B) -> String
    where
        B: Into<Vec<u8>>,
    {
        let (media_type, bytes) = (media_type.to_owned(), bytes.into());
        let manifest = Manifest { media_type, bytes };
        self.store().put_manifest(repo, tag, manifest)
    }

    /// Makes a tag point to a digest. If no such manifest is stored, the tag is listed and answers
    /// 404, like a tag that was deleted after the list was made.
    pub fn put_tag(&self, repo: &str, tag: &str, digest: &str) {
        let (tag, digest) = (tag.to_owned(), digest.to_owned());
        self.store().repository(repo).tags.insert(tag, digest);
    }

    /// R15: adds the tags `PREFIX000000`, `PREFIX000001`, … for one small OCI manifest, whose
    /// digest it returns.
    pub fn put_tags(&self, repo: &str, prefix: &str, count: usize) -> String {
        const OCI: &str = "application/vnd.oci.image.manifest.v1+json";
        let config = serde_json::json!({"mediaType": "application/vnd.oci.empty.v1+json",
            "digest": sha256(b"{}"), "size": 2});
        let manifest = serde_json::json!({"schemaVersion": 2, "mediaType": OCI, "config": config,
            "layers": []});
        let digest = self.put_manifest(repo, "", OCI, manifest.to_string());
        let tags = (0..count).map(|number| (format!("{prefix}{number:06}"), digest.clone()));
        self.store().repository(repo).tags.extend(tags);
        digest
    }

    /// Stores a blob and returns its sha256 digest.
    pub fn put_blob(&self, repo: &str, bytes: impl Into<Vec<u8>>) -> String {
        let bytes = bytes.into();
        let digest = sha256(&bytes);
        self.store().put_blob(repo, &digest, bytes);
        digest
    }

    /// Everything received so far, in the order in which it was complete.
    pub fn requests(&self) -> Vec<Recorded> {
        self.server.requests()
    }

    /// The same, and empties the log.
    pub fn take_requests(&self) -> Vec<Recorded> {
        self.server.take_requests()
    }

    /// How many entries the log has.
    pub fn request_count(&self) -> usize {
        self.server.request_count()
    }

    /// How many connections were accepted since the start, those without a request included.
    pub fn connection_count(&self) -> u64 {
        self.server.connection_count()
    }

    /// Replaces all quirks; those that count requests start from here.
    pub fn set_quirks(&self, quirks: impl IntoIterator<Item = Quirk>) {
        lock(&self.state.quirks).0 = quirks.into_iter().map(|quirk| (quirk, 0)).collect();
    }

    /// Switches one more quirk on.
    pub fn add_quirk(&self, quirk: Quirk) {
        lock(&self.state.quirks).0.push((quirk, 0));
    }
}

impl Service for State {
    fn answer(&self, request: &Recorded, stop: &Stop) -> Option<Answer> {
        let mut quirks = lock(&self.quirks);
        quirks.0.iter_mut().for_each(|(_, count)| *count += 1);
        let current = quirks.clone();
        drop(quirks);
        let mut answer = self.respond(request, &current);
        if value!(current, Delay).is_some_and(|time| stop.sleep(time)) {
            return None;
        }
        answer.http10 = current.has(Quirk::Http10);
        answer.close = current.has(Quirk::CloseAfterAnswer) || current.has(Quirk::ConnectionClose);
        Some(answer)
    }

    fn received(&self, request: &Recorded) {
        if self.echo {
            let (method, target) = (&request.method, &request.target);
            eprintln!("connection {}: {method} {target}", request.connection);
        }
    }

    fn idle_timeout(&self) -> Option<Duration> {
        value!(lock(&self.quirks), IdleClose)
    }
}

impl State {
    fn respond(&self, request: &Recorded, quirks: &Quirks) -> Answer {
        let endpoint = Endpoint::of(&request.path());
        let host = request.header("host").unwrap_or_default();
        let url = &format!("{}://{host}", self.scheme);
        let call = Call {
            request,
            quirks,
            url,
        };
        let instead = quirks.instead(request, &endpoint);
        let mut answer = instead.unwrap_or_else(|| call.answer(&endpoint, &mut lock(&self.store)));
        quirks.change(&endpoint, &mut answer);
        answer
    }
}
