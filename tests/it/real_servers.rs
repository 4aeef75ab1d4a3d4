//! What the tests on real registries share: a filled registry that nobody writes to, and clients
//! that do not wait long.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use ocireg::{Client, ClientBuilder, DigestSource, Error, ErrorKind, Reference};
use test_support::seed::{self, Seeded};
use test_support::{DockerRegistry, RegistryConfig, Server};

use crate::contract::Contract;

/// The repository that holds an image in every form.
pub(crate) const REPOSITORY: &str = "t/a";

/// A registry and what was put into it.
pub(crate) struct Filled {
    pub(crate) server: Server,
    pub(crate) seeded: Vec<Seeded>,
}

/// Docker's registry 2.8.2 over plain http, with [`REPOSITORY`] alone, schema1 included. It is
/// shared by the tests that run at the same time: they only read, and start registries of other
/// configurations on its content. `None` is a counted skip.
#[track_caller]
pub(crate) fn plain() -> Option<Arc<Filled>> {
    static PLAIN: Shared<Filled> = Shared::new();
    PLAIN.get(|| Some(fill(DockerRegistry::start(&RegistryConfig::new())?)))
}

/// Something that tests which run at the same time share. It ends with the last of them: a value in
/// a `OnceLock` is never dropped, and would leave its directory behind.
pub(crate) struct Shared<T>(Mutex<Weak<T>>);

impl<T> Shared<T> {
    pub(crate) const fn new() -> Shared<T> {
        Shared(Mutex::new(Weak::new()))
    }

    /// What is there, or what `start` makes.
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

/// Puts an image in every form that the registry takes into [`REPOSITORY`].
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

    /// What `client` must be told at `authority`, which leads to this registry.
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

/// A client whose calls end soon, whatever happens.
pub(crate) fn builder() -> ClientBuilder {
    Client::builder()
        .timeout(Duration::from_secs(10))
        .retry_delay(Duration::from_millis(10))
}

pub(crate) fn client() -> Client {
    builder().build().unwrap()
}

/// `HOST:PORT/t/a` with `:TAG` or `@DIGEST` behind it.
#[track_caller]
pub(crate) fn reference(authority: &str, name: &str) -> Reference {
    format!("{authority}/{REPOSITORY}{name}").parse().unwrap()
}

/// The errors of every question, none of which may have an answer there. `asker` makes the client
/// for each.
#[track_caller]
pub(crate) fn refusals(asker: impl Fn() -> Client, authority: &str) -> Vec<Error> {
    let registry = authority.parse().unwrap();
    let image = reference(authority, ":docker");
    let by_digest = reference(authority, &format!("@sha256:{}", "0".repeat(64)));
    vec![
        asker().exists(&image).unwrap_err(),
        asker().head(&image).unwrap_err(),
        asker().digest(&image).unwrap_err(),
        asker().exists(&by_digest).unwrap_err(),
        asker().tags(image.repository()).unwrap_err(),
        asker().catalog(&registry).unwrap_err(),
        asker().ping(&registry).unwrap_err(),
    ]
}
