//! The client: one loop that sends requests, and an endpoint a file.

mod answer;
mod authorize;
mod builder;
mod call;
mod catalog;
mod flights;
mod group;
mod life;
mod login;
mod manifests;
mod mission;
mod origins;
mod pages;
mod ping;
mod send;
mod tags;

use std::fmt;
use std::sync::Arc;

use self::builder::Settings;
use self::life::Life;
use self::origins::{Origins, RegistryState};
use crate::error::Result;
use crate::http::RateLimit;
use crate::reference::Registry;

pub(crate) use self::answer::{Complete, is_page};
pub(crate) use self::call::Call;
pub(crate) use self::group::{Company, Group};
pub(crate) use self::manifests::Fetched;

pub use self::builder::ClientBuilder;
pub use self::call::CallOptions;
pub use self::catalog::CatalogPages;
pub use self::pages::Page;
pub use self::ping::{AuthScheme, Ping};
pub use self::tags::TagPages;

/// Asks registries.
///
/// Clones, and clients made by [`with`](Client::with), share connections and what was learned about
/// each registry. All methods take `&self` and may be called from any number of threads at once. A
/// client keeps no thread; only an attempt to resolve or to connect that was given up may go on in
/// one of its own, until the resolver's or the connect timeout. A child process that `fork` made
/// can't use it, and has to make its own.
///
/// ```no_run
/// use ocireg::{Client, Presence};
///
/// # fn main() -> Result<(), ocireg::Error> {
/// let client = Client::new()?;
/// match client.exists(&"localhost:5000/team/app:1.2".parse()?)? {
///     Presence::Exists(manifest) => println!("{} {}", manifest.digest, manifest.media_type),
///     Presence::Absent => println!("not there"),
///     Presence::Denied => println!("private, hidden or missing"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    options: Arc<CallOptions>,
}

/// What clones share.
pub(crate) struct Inner {
    settings: Settings,
    life: Life,
    /// Counted for [`Inner::drop`] alone.
    origins: Arc<Origins>,
}

/// In a child process nothing of the parent's connections is touched: another thread may have been
/// changing them when `fork` copied them. What they hold stays until the child ends.
impl Drop for Inner {
    fn drop(&mut self) {
        if self.life.is_of_another_process() {
            std::mem::forget(self.origins.clone());
        }
    }
}

impl Client {
    /// A client with the default settings: anonymous, the platform's root certificates.
    ///
    /// # Errors
    ///
    /// None at present.
    pub fn new() -> Result<Client> {
        Client::builder().build()
    }

    /// A client with other settings.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// The same client with settings for some calls. They replace those of an earlier `with`.
    #[must_use]
    pub fn with(&self, options: CallOptions) -> Client {
        Client {
            inner: self.inner.clone(),
            options: Arc::new(options),
        }
    }

    /// The rate limit that the registry reported last, if it ever did (J1).
    pub fn rate_limit(&self, registry: &Registry) -> Option<RateLimit> {
        self.known(registry)?.learned().rate_limit.clone()
    }

    /// The warnings that the registry has sent (J3) or caused, each once, at most 32.
    pub fn warnings(&self, registry: &Registry) -> Vec<String> {
        self.known(registry)
            .map(|state| state.learned().warnings.clone())
            .unwrap_or_default()
    }

    /// Closes the connections that are not in use, as before a long pause or a `fork`. What was
    /// learned stays, tokens too; the next call connects anew.
    pub fn close_idle(&self) {
        if !self.inner.life.is_of_another_process() {
            self.inner.origins.close_idle();
        }
    }

    /// What is known of a registry, in the process that knows it.
    fn known(&self, registry: &Registry) -> Option<Arc<RegistryState>> {
        if self.inner.life.is_of_another_process() {
            return None;
        }
        self.inner.origins.known(registry)
    }

    fn from_settings(settings: Settings) -> Client {
        let origins = Arc::new(Origins::new(settings.resolver.clone()));
        Client {
            inner: Arc::new(Inner {
                settings,
                life: Life::begin(),
                origins,
            }),
            options: Arc::default(),
        }
    }

    /// Begins calls that belong together.
    pub(crate) fn group(&self) -> Group<'_> {
        Group::new(&self.inner, &self.options)
    }

    /// How many requests may be under way at once for each registry.
    pub(crate) fn concurrency(&self) -> usize {
        self.options.width()
    }

    /// Whether it is not known yet how the registry wants to be asked, or whether it will answer at
    /// all.
    pub(crate) fn is_new_to(&self, registry: &Registry) -> bool {
        self.known(registry).is_none_or(|state| {
            state.learned().reached.is_none() || state.session.awaits_first_token()
        })
    }

    /// Begins a call to `registry` about `subject`.
    pub(crate) fn call<'a>(
        &'a self,
        registry: &'a Registry,
        subject: &'a dyn fmt::Display,
    ) -> Call<'a> {
        Call::new(&self.inner, &self.options, registry, subject)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("settings", &self.inner.settings)
            .field("options", &self.options)
            .finish()
    }
}
