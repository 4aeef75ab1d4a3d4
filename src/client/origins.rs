//! What is known of each server: its connections, and what its answers have taught.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::builder::Settings;
use super::flights::{Asker, Flights};
use crate::address::AddressClass;
use crate::auth::{Credentials, Secret, Session};
use crate::http::RateLimit;
use crate::reference::Registry;
use crate::transport::{Authorities, Connections, PlatformRoots, Resolver, TlsTrust, WireConfig};
use crate::url::Origin;
use crate::url::Scheme;

/// How long a registry whose HEAD did not answer is asked with GET at once. After that HEAD gets
/// another chance: GETs are billed by some (J1), and a proxy may have been mended.
const HEAD_REST: Duration = Duration::from_secs(10 * 60);
/// How long what is no registry is not asked again whether it is: a registry may be about to come
/// up behind its proxy.
const NO_REGISTRY: Duration = Duration::from_secs(60);
/// The most servers beside its own that a registry's connections are kept to: a redirect may lead
/// to ever new names.
const MAX_ORIGINS: usize = 16;
/// The most warnings kept for a registry.
const MAX_WARNINGS: usize = 32;

/// The caller's settings for one registry.
#[derive(Debug, Clone, Default)]
pub(crate) struct RegistrySettings {
    pub(crate) plain_http: bool,
    pub(crate) https: bool,
    pub(crate) authorities: Authorities,
    pub(crate) credentials: Credentials,
    /// Hosts that may have the credentials although their names do not show why.
    pub(crate) trusted_realms: Vec<String>,
    /// Header fields of the caller's, as secret as credentials.
    pub(crate) headers: Vec<(String, Secret)>,
}

impl RegistrySettings {
    /// Never a fallback from one to the other (S11): the choice is made here, once.
    fn scheme(&self, registry: &Registry) -> Scheme {
        if self.plain_http {
            Scheme::Http
        } else if self.https || !self.authorities.is_empty() || !registry.is_loopback() {
            Scheme::Https
        } else {
            Scheme::Http
        }
    }
}

/// All servers that a client has talked to.
#[derive(Debug)]
pub(crate) struct Origins {
    config: WireConfig,
    resolver: Arc<dyn Resolver>,
    platform_roots: Arc<PlatformRoots>,
    registries: Mutex<HashMap<Registry, Arc<RegistryState>>>,
}

/// One registry: its own server, and the others that its answers have led to.
#[derive(Debug)]
pub(crate) struct RegistryState {
    pub(crate) origin: Origin,
    pub(crate) session: Session,
    pub(crate) flights: Flights,
    pub(crate) trusted_realms: Vec<String>,
    pub(crate) headers: Vec<(String, Secret)>,
    wiring: Wiring,
    /// The latest last.
    connections: Mutex<Vec<(Origin, Arc<Connections>)>>,
    own: Mutex<Arc<Connections>>,
    learned: Mutex<Learned>,
}

/// What all connections on behalf of a registry have in common.
#[derive(Debug)]
struct Wiring {
    config: WireConfig,
    resolver: Arc<dyn Resolver>,
    trust: Arc<TlsTrust>,
}

impl Wiring {
    fn connections(&self, origin: &Origin) -> Arc<Connections> {
        let (resolver, trust) = (self.resolver.clone(), self.trust.clone());
        Arc::new(Connections::new(origin, &self.config, resolver, trust))
    }
}

/// What a registry's answers have taught.
#[derive(Debug, Clone, Default)]
pub(crate) struct Learned {
    /// Whether it has answered like a registry.
    pub(crate) is_registry: bool,
    /// Whether its answers about manifests carry a registry's header, so that one without is
    /// somebody else's.
    pub(crate) signs_answers: bool,
    /// When something else answered in its place.
    no_registry_since: Option<Instant>,
    /// Since when its HEAD is known not to answer where its GET does.
    head_rests_since: Option<Instant>,
    /// Where it was reached.
    pub(crate) reached: Option<AddressClass>,
    pub(crate) gate: Gate,
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) warnings: Vec<String>,
}

/// Keeps requests back while a registry wants to be left alone (429). When its time is over one
/// goes first, and the others see what becomes of it: a crowd that comes back at once is what the
/// limit is against.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gate {
    closed_until: Option<Instant>,
    /// The thread that has gone first.
    probing: Option<Asker>,
    /// How often in a row the registry has said so. A refusal of the one that went first is one of
    /// all that waited for it.
    refusals: u32,
}

/// What a request finds at the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AtGate {
    Open,
    /// It goes first, and the others wait for it: in place of this one, in whose callback it was
    /// made.
    GoesFirst(Option<Asker>),
    Closed(Duration),
    /// Another has gone first.
    OtherWentFirst,
}

impl Gate {
    /// Notes that the registry wants to be left alone for this long. Never shortens what it said
    /// before.
    pub(crate) fn close_for(&mut self, wait: Duration) {
        let now = Instant::now();
        // Several at once are one refusal.
        if self.closed_until.is_none_or(|until| until <= now) {
            self.refusals = self.refusals.saturating_add(1);
        }
        self.closed_until = self.closed_until.max(now.checked_add(wait));
        self.probing = None;
    }

    pub(crate) fn open(&mut self) {
        *self = Gate::default();
    }

    pub(crate) fn refusals(&self) -> u32 {
        self.refusals
    }

    pub(crate) fn arrive(&mut self, asker: Asker) -> AtGate {
        let Some(until) = self.closed_until else {
            return AtGate::Open;
        };
        let wait = until.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            return AtGate::Closed(wait);
        }
        match self.probing {
            Some(first) if first != asker => AtGate::OtherWentFirst,
            // A callback on that thread has made this call: it can't wait for itself.
            outer => {
                self.probing = Some(Asker::here());
                AtGate::GoesFirst(outer)
            }
        }
    }

    /// `first` no longer goes first: another may, unless it took the place of `outer`.
    pub(crate) fn give_up_first(&mut self, first: Asker, outer: Option<Asker>) {
        if self.probing == Some(first) {
            self.probing = outer;
        }
    }
}

impl Learned {
    pub(crate) fn is_no_registry_now(&mut self) {
        self.no_registry_since = Some(Instant::now());
    }

    /// Whether the question need not be asked again yet.
    pub(crate) fn was_no_registry_lately(&self) -> bool {
        self.no_registry_since
            .is_some_and(|since| since.elapsed() < NO_REGISTRY)
    }

    pub(crate) fn head_rests(&self) -> bool {
        self.head_rests_since
            .is_some_and(|since| since.elapsed() < HEAD_REST)
    }

    pub(crate) fn head_failed_where_get_worked(&mut self) {
        self.head_rests_since = Some(Instant::now());
    }

    pub(crate) fn head_worked(&mut self) {
        self.head_rests_since = None;
    }

    pub(crate) fn warn(&mut self, warning: String) {
        if self.warnings.len() < MAX_WARNINGS && !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}

impl Origins {
    pub(crate) fn new(resolver: Arc<dyn Resolver>) -> Origins {
        Origins {
            config: WireConfig::new(),
            resolver,
            platform_roots: Arc::default(),
            registries: Mutex::default(),
        }
    }

    /// The state of a registry, made at its first use.
    pub(crate) fn registry(&self, registry: &Registry, settings: &Settings) -> Arc<RegistryState> {
        let mut registries = lock(&self.registries);
        if let Some(state) = registries.get(registry) {
            return state.clone();
        }
        let state = self.unshared(registry, settings);
        registries.insert(registry.clone(), state.clone());
        state
    }

    /// A state that nobody else has, and that nothing is known in.
    pub(crate) fn unshared(&self, registry: &Registry, settings: &Settings) -> Arc<RegistryState> {
        let given = settings
            .registries
            .get(registry)
            .cloned()
            .unwrap_or_default();
        let scheme = given.scheme(registry);
        let origin = Origin::of_registry(registry, scheme);
        let wiring = Wiring {
            config: self.config.clone(),
            resolver: self.resolver.clone(),
            trust: Arc::new(TlsTrust::new(
                self.platform_roots.clone(),
                given.authorities,
            )),
        };
        Arc::new(RegistryState {
            session: Session::new(given.credentials),
            flights: Flights::default(),
            trusted_realms: given.trusted_realms,
            headers: given.headers,
            own: Mutex::new(wiring.connections(&origin)),
            wiring,
            origin,
            connections: Mutex::default(),
            learned: Mutex::default(),
        })
    }

    pub(crate) fn close_idle(&self) {
        let states: Vec<Arc<RegistryState>> = lock(&self.registries).values().cloned().collect();
        for state in states {
            state.close_idle();
        }
    }

    /// The state of a registry that has been used.
    pub(crate) fn known(&self, registry: &Registry) -> Option<Arc<RegistryState>> {
        lock(&self.registries).get(registry).cloned()
    }
}

impl RegistryState {
    /// The connections to `origin` made on behalf of this registry. Another origin has its own:
    /// what one registry's settings trust, a connection of another registry to the same place must
    /// not.
    pub(crate) fn connections(&self, origin: &Origin) -> Arc<Connections> {
        if *origin == self.origin {
            return lock(&self.own).clone();
        }
        let mut connections = lock(&self.connections);
        if let Some((_, known)) = connections.iter().find(|(known, _)| known == origin) {
            return known.clone();
        }
        if connections.len() == MAX_ORIGINS {
            connections.remove(0);
        }
        let new = self.wiring.connections(origin);
        connections.push((origin.clone(), new.clone()));
        new
    }

    /// Closes the connections that nobody is using. Those in use are closed when their exchange is
    /// over.
    fn close_idle(&self) {
        let new = self.wiring.connections(&self.origin);
        // The old ones close when they are dropped, which is not under the lock.
        let _own = std::mem::replace(&mut *lock(&self.own), new);
        let _others = std::mem::take(&mut *lock(&self.connections));
    }

    /// What is known. Never held across I/O.
    pub(crate) fn learned(&self) -> MutexGuard<'_, Learned> {
        lock(&self.learned)
    }
}

/// Every change under these locks is one assignment or push, so a panic elsewhere leaves nothing
/// half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
