//! The client that a caller holds: a handle on what its clones share.

use std::fmt;
use std::sync::Arc;

use super::life::Life;
use super::options::CallOptions;
use super::registries::Registries;
use super::registry::RegistryState;
use super::settings::Settings;
use crate::http::RateLimit;
use crate::reference::Registry;

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
    pub(super) inner: Arc<Inner>,
    pub(super) options: Arc<CallOptions>,
}

/// What clones share.
pub(crate) struct Inner {
    pub(super) settings: Settings,
    pub(super) life: Life,
    /// Counted for [`Inner::drop`] alone.
    pub(super) registries: Arc<Registries>,
}

/// In a child process nothing of the parent's connections is touched: another thread may have been
/// changing them when `fork` copied them. What they hold stays until the child ends.
impl Drop for Inner {
    fn drop(&mut self) {
        if self.life.is_of_another_process() {
            std::mem::forget(self.registries.clone());
        }
    }
}

impl Client {
    /// The same client with settings for some calls. They replace those of an earlier `with`.
    #[must_use]
    pub fn with(&self, options: CallOptions) -> Client {
        Client {
            inner: self.inner.clone(),
            options: Arc::new(options),
        }
    }

    /// The rate limit that the registry reported last, if it ever did. Of registries without
    /// settings, the client remembers the 1,024 that it used last.
    pub fn rate_limit(&self, registry: &Registry) -> Option<RateLimit> {
        self.known(registry)?.rate_limit()
    }

    /// The warnings that the registry has sent or caused, each once, at most 32.
    pub fn warnings(&self, registry: &Registry) -> Vec<String> {
        self.known(registry)
            .map(|state| state.warnings())
            .unwrap_or_default()
    }

    /// Closes the connections that are not in use, as before a long pause or a `fork`. What was
    /// learned stays, tokens too; the next call connects anew.
    pub fn close_idle(&self) {
        if !self.inner.life.is_of_another_process() {
            self.inner.registries.close_idle();
        }
    }

    /// Ends the client, its clones included, from any thread. Calls under way end within half a
    /// second with [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled), and calls made from now
    /// on fail with [`ErrorKind::State`](crate::ErrorKind::State). Idle connections are closed.
    ///
    /// ```
    /// # fn main() -> Result<(), ocireg::Error> {
    /// let client = ocireg::Client::new()?;
    /// client.shutdown();
    /// let error = client.ping(&"localhost:5000".parse()?).unwrap_err();
    /// assert_eq!(error.kind(), ocireg::ErrorKind::State);
    /// # Ok(())
    /// # }
    /// ```
    pub fn shutdown(&self) {
        self.inner.life.shutdown.trigger();
        self.close_idle();
    }

    /// What is known of a registry, in the process that knows it.
    fn known(&self, registry: &Registry) -> Option<Arc<RegistryState>> {
        if self.inner.life.is_of_another_process() {
            return None;
        }
        self.inner.registries.known(registry)
    }

    pub(super) fn from_settings(settings: Settings) -> Client {
        let registries = Arc::new(Registries::new(&settings));
        Client {
            inner: Arc::new(Inner {
                settings,
                life: Life::begin(),
                registries,
            }),
            options: Arc::default(),
        }
    }

    /// How many requests may be under way at once for each registry.
    pub(crate) fn concurrency(&self) -> usize {
        self.options.width()
    }

    /// Whether it is not known yet how the registry wants to be asked, or whether it will answer at
    /// all.
    pub(crate) fn is_new_to(&self, registry: &Registry) -> bool {
        self.known(registry)
            .is_none_or(|state| state.reached().is_none() || state.session.awaits_login())
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
