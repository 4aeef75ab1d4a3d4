//! What the tests with real registries share: a filled registry that is only read, and clients with
//! short waits.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use ocireg::{Client, ClientBuilder, DigestSource, Error, ErrorKind, Reference};
use test_support::seed::{self, Seeded};
use test_support::{DockerRegistry, RegistryConfig, Server};

use crate::contract::Contract;

/// The repository that holds an image in every form.
pub(crate) const REPOSITORY: &str = "t/a";

/// A registry and what was pushed to it.
pub(crate) struct Filled {
    pub(crate) server: Server,
    pub(crate) seeded: Vec<Seeded>,
}

/// Docker's registry 2.8.2 over plain http, with [`REPOSITORY`] alone, schema1 included. It is
/// shared by the tests that run at the same time. They only read, and start registries of other
/// configurations with its content. `None` is a counted skip.
#[track_caller]
pub(crate) fn plain() -> Option<Arc<Filled>> {
    static PLAIN: Shared<Filled> = Shared::new();
    PLAIN.get(|| Some(fill(DockerRegistry::start(&RegistryConfig::new())?)))
}

/// A value that tests share which run at the same time. It is dropped with the last of them: a
/// value in a `OnceLock` is never dropped, so its directory would stay.
pub(crate) struct Shared<T>(Mutex<Weak<T>>);

impl<T> Shared<T> {
    pub(crate) const fn new() -> Shared<T> {
        Shared(Mutex::new(Weak::new()))
    }

    /// The value, or a new one of `start`.
    pub(crate) fn get(&self, start: impl FnOnce() -> Option<T>) -> Option<Arc<T>> {
        // A start that panicked changed nothing.
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = shared.upgrade() {
            return Some(running);
        }
        let started = Arc::new(start()?);
        *shared = Arc::downgrade(&started);
        Some(started)
    }
}

/// Pushes an image to [`REPOSITORY`] in every form that the registry accepts.
#[track_caller]
pub(crate) fn fill(server: Server) -> Filled {
    let seeded = seed::push_all(server.authority(), REPOSITORY);
    Filled { server, seeded }
}

impl Filled {
    /// Settings for another registry of the same kind with the same content, which must not outlive
    /// this one.
    pub(crate) fn same_content(&self) -> RegistryConfig {
        RegistryConfig::new().data_dir(self.server.data_dir())
    }

    /// What `client` must find at `authority`, which leads to this registry.
    pub(crate) fn contract<'a>(&'a self, client: &'a Client, authority: &'a str) -> Contract<'a> {
        Contract {
            client,
            authority,
            repository: REPOSITORY,
            seeded: &self.seeded,
            catalog: &[REPOSITORY],
            digest_source: DigestSource::Header,
            absent_digest: ErrorKind::NotFound,
        }
    }

    /// The image under this tag.
    #[track_caller]
    pub(crate) fn image(&self, tag: &str) -> &Seeded {
        let found = self.seeded.iter().find(|image| image.tag == tag);
        found.unwrap_or_else(|| panic!("{tag} was not seeded"))
    }
}

/// A client with short timeouts.
pub(crate) fn builder() -> ClientBuilder {
    Client::builder()
        .timeout(Duration::from_secs(10))
        .retry_delay(Duration::from_millis(10))
}

pub(crate) fn client() -> Client {
    builder().build().unwrap()
}

/// `HOST:PORT/t/a` with `:TAG` or `@DIGEST` after it.
#[track_caller]
pub(crate) fn reference(authority: &str, name: &str) -> Reference {
    format!("{authority}/{REPOSITORY}{name}").parse().unwrap()
}

/// The errors of all calls, each of which has to fail. `client` makes the client of each call.
#[track_caller]
pub(crate) fn refusals(client: impl Fn() -> Client, authority: &str) -> Vec<Error> {
    let registry = authority.parse().unwrap();
    let image = reference(authority, ":docker");
    let by_digest = reference(authority, &format!("@sha256:{}", "0".repeat(64)));
    vec![
        client().exists(&image).unwrap_err(),
        client().head(&image).unwrap_err(),
        client().digest(&image).unwrap_err(),
        client().exists(&by_digest).unwrap_err(),
        client().tags(image.repository()).unwrap_err(),
        client().catalog(&registry).unwrap_err(),
        client().ping(&registry).unwrap_err(),
    ]
}
