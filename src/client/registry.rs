//! What is known of one registry: its connections, and what its answers have taught.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::answer::Complete;
use super::gate::Gate;
use super::known_login::{KnownLogin, LoginVerdict};
use super::settings::RegistrySettings;
use super::single_flight::SingleFlight;
use super::vouching::{Partner, RegistryVouching};
use crate::address::AddressClass;
use crate::auth::{Credentials, Secret, Session, TokenStore, may_have_password};
use crate::error::Error;
use crate::http::RateLimit;
use crate::policy::lesson::Lesson;
use crate::redact::Secrets;
use crate::transport::{Connections, Resolver, TlsTrust, WireConfig};
use crate::url::Origin;

/// How long a server that does not answer like a registry is not asked again whether it is one: a
/// registry may be about to come up behind its proxy.
const NO_REGISTRY: Duration = Duration::from_secs(60);
/// The most servers beside its own whose connections and limits a registry keeps: a redirect may
/// lead to ever new names.
const MAX_ORIGINS: usize = 16;
/// The most warnings kept for a registry.
const MAX_WARNINGS: usize = 32;

/// One registry: its own server, and the others that its answers have led to.
#[derive(Debug)]
pub(crate) struct RegistryState {
    pub(crate) origin: Origin,
    pub(crate) session: Session,
    pub(crate) token_fetches: SingleFlight<TokenFetch>,
    /// The gate to the registry's own server.
    pub(crate) gate: Arc<Gate>,
    /// The tokens of servers that redirects lead to. No credentials are ever in it.
    pub(crate) guest: Session,
    pub(super) login_checks: SingleFlight<LoginVerdict>,
    pub(crate) trusted_realms: Vec<String>,
    pub(crate) headers: Vec<(String, Secret)>,
    wiring: Wiring,
    /// The latest last.
    connections: Mutex<Vec<(Origin, Arc<Connections>)>>,
    own: Arc<Connections>,
    /// The gates to other servers, once they have limited requests. The latest last.
    gates: Mutex<Vec<(Origin, Arc<Gate>)>>,
    learned: Mutex<Learned>,
}

/// How a token request has ended, for the threads that waited for it.
#[derive(Debug, Clone)]
pub(crate) enum TokenFetch {
    /// The token is in the session.
    Kept,
    /// The service refused, and would refuse the waiting threads too.
    Refused(Arc<Complete>),
    /// The service answered with a status that may be different next time, for all alike.
    Failed(Arc<Complete>),
}

/// What all connections on behalf of a registry have in common.
#[derive(Debug)]
pub(super) struct Wiring {
    pub(super) config: WireConfig,
    pub(super) resolver: Arc<dyn Resolver>,
    pub(super) vouching: RegistryVouching,
}

impl Wiring {
    /// The connections to the registry's own server.
    fn own(&self, origin: &Origin) -> Arc<Connections> {
        self.connections(origin, self.vouching.own())
    }

    fn connections(&self, origin: &Origin, trust: Arc<TlsTrust>) -> Arc<Connections> {
        let resolver = self.resolver.clone();
        Arc::new(Connections::new(origin, &self.config, resolver, trust))
    }
}

/// What a registry's answers have taught.
#[derive(Debug, Default)]
struct Learned {
    /// It has answered like a registry.
    is_registry: bool,
    /// Its 404s say what they are about, so that one which does not is another server's.
    marks_its_404s: bool,
    /// When something else answered in its place.
    no_registry_since: Option<Instant>,
    /// Its HEAD does not answer where its GET does. A lesson that is forgotten: Docker Hub bills
    /// GETs, and a proxy may have been mended.
    head_unreliable: Lesson,
    /// What is known of the credentials given for it.
    login: KnownLogin,
    /// The class of the address where it was reached.
    reached: Option<AddressClass>,
    rate_limit: Option<RateLimit>,
    warnings: Vec<String>,
}

/// What the headers of one answer of the registry itself tell.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) reached: Option<AddressClass>,
    pub(super) shows_registry: bool,
    pub(super) rate_limit: Option<RateLimit>,
    pub(super) warnings: Vec<String>,
}

impl RegistryState {
    pub(super) fn new(
        origin: Origin,
        given: RegistrySettings,
        wiring: Wiring,
        tokens: Arc<TokenStore>,
    ) -> RegistryState {
        RegistryState {
            session: Session::new(given.credentials, tokens.clone()),
            token_fetches: SingleFlight::default(),
            gate: Arc::default(),
            guest: Session::new(Credentials::default(), tokens),
            login_checks: SingleFlight::default(),
            trusted_realms: given.trusted_realms,
            headers: given.headers,
            own: wiring.own(&origin),
            wiring,
            origin,
            connections: Mutex::default(),
            gates: Mutex::default(),
            learned: Mutex::default(),
        }
    }

    /// The connections to `origin` made on behalf of this registry. Another registry has its own to
    /// the same place: it does not trust what this registry's settings trust.
    pub(crate) fn connections(&self, origin: &Origin) -> Arc<Connections> {
        if *origin == self.origin {
            return self.own.clone();
        }
        let mut connections = lock(&self.connections);
        of_origin(&mut connections, origin, || {
            let trust = self.wiring.vouching.other(origin, self.partner(origin));
            self.wiring.connections(origin, trust)
        })
    }

    /// The gate to the server at `origin`.
    pub(crate) fn gate_to(&self, origin: &Origin) -> Arc<Gate> {
        if *origin == self.origin {
            return self.gate.clone();
        }
        of_origin(&mut lock(&self.gates), origin, Arc::default)
    }

    /// The gate to another server than the registry's own, if that has limited requests.
    pub(super) fn foreign_gate(&self, origin: &Origin) -> Option<Arc<Gate>> {
        if *origin == self.origin {
            return None;
        }
        let gates = lock(&self.gates);
        let known = gates.iter().find(|(known, _)| known == origin);
        known.map(|(_, gate)| gate.clone())
    }

    fn partner(&self, other: &Origin) -> Partner {
        match may_have_password(&self.origin, other.host(), &self.trusted_realms) {
            true => Partner::Yes,
            false => Partner::No,
        }
    }

    /// Notes what the registry itself has answered.
    pub(super) fn saw_answer(&self, told: Told) {
        let mut learned = self.learned();
        learned.reached = told.reached.or(learned.reached);
        learned.is_registry |= told.shows_registry;
        if told.rate_limit.is_some() {
            learned.rate_limit = told.rate_limit;
        }
        for warning in told.warnings {
            learned.warn(warning);
        }
    }

    /// Notes that it has answered like a registry.
    pub(crate) fn saw_registry(&self) {
        self.learned().is_registry = true;
    }

    /// Notes that something else has answered in its place.
    pub(crate) fn saw_no_registry(&self) {
        self.learned().no_registry_since = Some(Instant::now());
    }

    /// Whether it has answered like a registry.
    pub(crate) fn is_registry(&self) -> bool {
        self.learned().is_registry
    }

    /// Whether something else has just answered in its place, so that the question need not be
    /// asked again yet.
    pub(crate) fn was_no_registry_lately(&self) -> bool {
        let since = self.learned().no_registry_since;
        since.is_some_and(|since| since.elapsed() < NO_REGISTRY)
    }

    /// Notes a 404 about a manifest with a registry's mark: the API-version header, or an error
    /// body that says what is missing. Other answers teach nothing here: Harbor and Nexus mark a
    /// 200 and not a 404.
    pub(crate) fn saw_marked_404(&self) {
        self.learned().marks_its_404s = true;
    }

    /// Whether its 404s carry a registry's mark.
    pub(crate) fn marks_its_404s(&self) -> bool {
        self.learned().marks_its_404s
    }

    /// Notes that its HEAD did not answer what its GET did.
    pub(crate) fn head_failed_where_get_worked(&self) {
        self.learned().head_unreliable.seen(Instant::now());
    }

    /// Notes that its HEAD answers.
    pub(crate) fn head_worked(&self) {
        self.learned().head_unreliable.refuted();
    }

    /// Whether GET should be asked at once.
    pub(crate) fn head_is_unreliable(&self) -> bool {
        self.learned().head_unreliable.holds(Instant::now())
    }

    /// Whether the credentials given for it are good, if that was found out lately.
    pub(super) fn login_verdict(&self) -> Option<LoginVerdict> {
        self.learned().login.verdict(Instant::now())
    }

    /// Why the credentials given for it are not sent now, if they rest.
    pub(super) fn login_refusal(&self) -> Option<Error> {
        self.learned().login.refusal(Instant::now()).cloned()
    }

    /// Notes whether the credentials given for it are good.
    pub(super) fn saw_login(&self, verdict: LoginVerdict) {
        self.learned().login = KnownLogin::Settled(verdict, Instant::now());
    }

    /// Notes that the credentials given for it are refused, and lets them rest.
    pub(super) fn saw_login_refused(&self, error: &Error) {
        self.learned().login = KnownLogin::Refused(Box::new(error.clone()), Instant::now());
    }

    /// Forgets what is known of the credentials, so that they are sent at once.
    pub(super) fn forget_login(&self) {
        self.session.forget_logins();
        self.learned().login = KnownLogin::Unknown;
    }

    /// The class of the address where it was reached, once it was.
    pub(crate) fn reached(&self) -> Option<AddressClass> {
        self.learned().reached
    }

    /// Keeps a warning for the caller.
    pub(crate) fn warn(&self, warning: String) {
        self.learned().warn(warning);
    }

    /// The warnings that it has sent or caused, each once.
    pub(super) fn warnings(&self) -> Vec<String> {
        self.learned().warnings.clone()
    }

    /// The rate limit that it has reported last.
    pub(super) fn rate_limit(&self) -> Option<RateLimit> {
        self.learned().rate_limit.clone()
    }

    /// Never held across I/O.
    fn learned(&self) -> MutexGuard<'_, Learned> {
        lock(&self.learned)
    }
}

impl Secrets for RegistryState {
    fn secrets(&self) -> Vec<Secret> {
        let mut secrets = self.session.secrets();
        secrets.extend(self.guest.secrets());
        secrets.extend(self.headers.iter().map(|(_, value)| value.clone()));
        secrets
    }
}

impl Learned {
    fn warn(&mut self, warning: String) {
        if self.warnings.len() < MAX_WARNINGS && !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}

/// What is kept for `origin` in `list`, made where there is nothing yet. The oldest goes when there
/// are too many.
fn of_origin<T: Clone>(
    list: &mut Vec<(Origin, T)>,
    origin: &Origin,
    make: impl FnOnce() -> T,
) -> T {
    if let Some((_, known)) = list.iter().find(|(known, _)| known == origin) {
        return known.clone();
    }
    if list.len() == MAX_ORIGINS {
        list.remove(0);
    }
    let new = make();
    list.push((origin.clone(), new.clone()));
    new
}

/// Every change under these locks is one assignment or push, so a panic elsewhere leaves nothing
/// half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
