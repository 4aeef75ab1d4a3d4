//! The authentication of one registry, across all requests of a client.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use super::challenge::{Challenge, ChallengeScheme};
use super::token_store::TokenStore;
use super::{
    AuthAttempts, Authorization, BadService, Credentials, Product, Scope, Secret, Service, Token,
    TokenLogin,
};
use crate::policy::lesson::{LESSON, Lesson};
use crate::url::Url;

/// The most tokens kept for a registry. When there are more, the oldest is dropped.
const MAX_TOKENS: usize = 256;

/// How to begin a request.
#[derive(Debug)]
pub(crate) enum FirstStep {
    Send(Authorization),
    /// Fetch a token first: the registry is known to want one.
    FetchToken(Service, Vec<Scope>),
}

/// How to go on after a 401.
#[derive(Debug)]
pub(crate) enum NextStep {
    Send(Authorization),
    FetchToken(Service, Vec<Scope>),
    /// Ask for the registry's ping, because the answer has no challenge. Google's registries send
    /// one for the ping only.
    FindChallenge,
    /// Report the refusal: there is nothing else to try.
    GiveUp,
}

/// The authentication of one registry: the credentials that the caller gave for it, and what its
/// answers have taught.
#[derive(Debug)]
pub(crate) struct Session {
    credentials: Credentials,
    /// Holds the tokens, together with those of the client's other registries.
    store: Arc<TokenStore>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    mechanism: Mechanism,
    /// Whether a request was accepted that carried the credentials, or a token got with them.
    login_has_worked: bool,
    /// The newest comes first. One that the store has dropped is gone.
    tokens: Vec<Weak<Token>>,
    /// All that came lately, whether they are still used or not: a server may repeat them.
    received: Vec<Weak<Token>>,
    /// A token for several scopes is refused where one for a single scope is accepted.
    single_scope_tokens: Lesson,
    /// Whether the registry has asked for a login.
    has_challenged: bool,
    /// The software that the challenge in force belongs to.
    product: Option<Product>,
}

/// How a registry wants requests to authenticate. A challenge alone does not set it: it may come
/// from one bad backend of several, and would then spoil every later request.
#[derive(Debug, Default)]
enum Mechanism {
    #[default]
    Unknown,
    /// Not at all: it answered the ping without a login, at this time.
    Open(Instant),
    /// A request with user name and password was accepted.
    Basic,
    /// A request with a token of this service was accepted.
    Bearer(Service),
}

impl Session {
    pub(crate) fn new(credentials: Credentials, store: Arc<TokenStore>) -> Session {
        Session {
            credentials,
            store,
            state: Mutex::default(),
        }
    }

    pub(crate) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// How a request that needs `scopes` begins. `named` gives the token service that the registry
    /// has just named to another request of the same batch.
    ///
    /// It never begins with a ping, which would cost a request. Credentials are sent only once the
    /// registry has asked for them; a token that the caller gave for it is sent at once.
    pub(crate) fn first_step(
        &self,
        scopes: &[Scope],
        named: impl FnOnce() -> Option<Service>,
        now: Instant,
    ) -> FirstStep {
        if let Some(header) = self.credentials.bearer() {
            return FirstStep::Send(Authorization::Bearer(header.clone()));
        }
        let state = self.state();
        let named_service;
        let service = match &state.mechanism {
            Mechanism::Unknown | Mechanism::Open(_) => {
                named_service = named();
                named_service.as_ref()
            }
            Mechanism::Basic => {
                let basic = self.credentials.basic().cloned();
                return FirstStep::Send(basic.map_or(Authorization::None, Authorization::Basic));
            }
            Mechanism::Bearer(service) => Some(service),
        };
        let Some(service) = service else {
            return FirstStep::Send(Authorization::None);
        };
        match state.token(|token| token.serves(service, scopes, now)) {
            Some(token) => FirstStep::Send(Authorization::Token(token)),
            None => FirstStep::FetchToken(service.clone(), scopes.to_vec()),
        }
    }

    /// How a request that needs `scopes` goes on, after `url` answered 401 with `challenges` to
    /// what it `sent`.
    ///
    /// # Errors
    ///
    /// The Bearer challenge names a token service that can't be asked.
    pub(crate) fn next_step(
        &self,
        sent: &Authorization,
        challenges: &[Challenge],
        scopes: &[Scope],
        url: &Url,
        attempts: &mut AuthAttempts,
    ) -> Result<NextStep, BadService> {
        if matches!(sent, Authorization::Bearer(_)) {
            return Ok(NextStep::GiveUp);
        }
        let bearer = challenges.iter().find(|challenge| {
            challenge.scheme == ChallengeScheme::Bearer && challenge.realm().is_some()
        });
        let mut state = self.state();
        state.has_challenged |= !challenges.is_empty();
        // A challenge of another kind says nothing: Harbor sends one after any Authorization.
        let product = Product::of(challenges);
        if product.is_some() || bearer.is_some() {
            state.product = product;
        }
        if let Some(challenge) = bearer {
            attempts.named = Some(Service::named_by(challenge, url)?);
        }
        if let Some(service) = state.service_in_force(attempts) {
            let wanted = scopes_to_ask_for(scopes, bearer, &service, url);
            if let Some(fetch) = token_to_fetch(sent, bearer, service, wanted, attempts) {
                return Ok(fetch);
            }
        }
        if let Some(header) = self.basic_to_send(sent, challenges, attempts) {
            attempts.basic = true;
            return Ok(NextStep::Send(Authorization::Basic(header.clone())));
        }
        if challenges.is_empty()
            && matches!(sent, Authorization::None)
            && state.is_unknown(attempts)
            && !attempts.challenge_sought
        {
            attempts.challenge_sought = true;
            return Ok(NextStep::FindChallenge);
        }
        Ok(NextStep::GiveUp)
    }

    /// User name and password, if the registry asks for them and this request has not sent them.
    fn basic_to_send(
        &self,
        sent: &Authorization,
        challenges: &[Challenge],
        attempts: &AuthAttempts,
    ) -> Option<&Secret> {
        let asked_for = challenges
            .iter()
            .any(|challenge| challenge.scheme == ChallengeScheme::Basic);
        let already_sent = attempts.basic || matches!(sent, Authorization::Basic(_));
        self.credentials
            .basic()
            .filter(|_| asked_for && !already_sent)
    }

    /// Whether to look for a challenge after an anonymous request got an answer that may be another
    /// with a login, and there is one to show. Some registries hide from anonymous requests what
    /// they have.
    pub(crate) fn should_seek_challenge(
        &self,
        sent: &Authorization,
        attempts: &mut AuthAttempts,
    ) -> bool {
        let seek = self.state().is_unknown(attempts)
            && matches!(sent, Authorization::None)
            && self.credentials.are_for_token_service()
            && !attempts.challenge_sought;
        attempts.challenge_sought |= seek;
        seek
    }

    /// Whether the registry has asked for a login, with this answer or another.
    pub(crate) fn has_challenged(&self) -> bool {
        self.state().has_challenged
    }

    /// The software that the challenge in force belongs to, where that tells.
    pub(crate) fn product(&self) -> Option<Product> {
        self.state().product
    }

    /// Records that the registry's ping needs no login.
    pub(crate) fn asks_for_nothing(&self, now: Instant) {
        let mut state = self.state();
        if matches!(state.mechanism, Mechanism::Unknown | Mechanism::Open(_)) {
            state.mechanism = Mechanism::Open(now);
        }
    }

    /// Records that a request without a login was answered, after no token could be got for it.
    pub(crate) fn needs_no_token(&self) {
        self.state().mechanism = Mechanism::Unknown;
    }

    /// Records that the registry has accepted what a request carried.
    pub(crate) fn accepted(&self, sent: &Authorization, attempts: &AuthAttempts, now: Instant) {
        let mut state = self.state();
        match sent {
            Authorization::None | Authorization::Bearer(_) => {}
            Authorization::Basic(_) => {
                state.login_has_worked = true;
                // Harbor's catalog takes Basic, and its manifests want tokens.
                if !matches!(state.mechanism, Mechanism::Bearer(_)) {
                    state.mechanism = Mechanism::Basic;
                }
            }
            Authorization::Token(token) => state.accepted(token, attempts, now),
        }
    }

    /// Whether a request was accepted that carried the credentials, or a token got with them.
    pub(crate) fn login_has_worked(&self) -> bool {
        self.state().login_has_worked
    }

    /// Whether the registry has asked for a login and none has been accepted yet, or its tokens are
    /// gone. The login may still turn out to be refused.
    pub(crate) fn awaits_login(&self) -> bool {
        let state = self.state();
        match state.mechanism {
            Mechanism::Unknown | Mechanism::Open(_) => state.has_challenged,
            Mechanism::Basic => false,
            Mechanism::Bearer(_) => state.tokens.is_empty(),
        }
    }

    /// Drops tokens without a scope, so that the next login sends the credentials again.
    pub(crate) fn forget_logins(&self) {
        let mut state = self.state();
        state.keep_tokens(|token| !token.is_scopeless());
        state.login_has_worked = false;
    }

    /// A kept token that serves `scopes`. `refused` is the token that the registry has just
    /// refused; only one that may do better comes back.
    pub(crate) fn cached(
        &self,
        service: &Service,
        scopes: &[Scope],
        refused: Option<&Arc<Token>>,
        attempts: &AuthAttempts,
        now: Instant,
    ) -> Option<Arc<Token>> {
        let fits = |token: &Token| {
            token.serves(service, scopes, now)
                && refused.is_none_or(|refused| token.may_replace(refused))
                && !(attempts.narrow_token && token.is_wide())
        };
        self.state().token(fits)
    }

    /// The scopes to ask for when a token is needed for `scopes` and other requests of the same
    /// batch need `shared`.
    pub(crate) fn widen(&self, scopes: &[Scope], shared: &[Scope], now: Instant) -> Vec<Scope> {
        if self.state().single_scope_tokens.holds(now) {
            return scopes.to_vec();
        }
        if scopes.iter().all(|need| shared.contains(need)) {
            // All requests of the batch ask in the same order, so they can wait for one token.
            return shared.to_vec();
        }
        scopes.to_vec()
    }

    /// Keeps a token for later requests.
    pub(crate) fn keep(&self, token: &Arc<Token>, now: Instant) {
        let mut state = self.state();
        state.keep_tokens(|kept| !kept.is_spent(now) && !kept.is_same_as(token));
        state.tokens.insert(0, Arc::downgrade(token));
        state.tokens.truncate(MAX_TOKENS);
        state.receive(token);
        drop(state);
        self.store.keep(token.clone());
    }

    /// Notes a token that is not kept for later requests: a server may repeat it all the same.
    pub(crate) fn receive(&self, token: &Arc<Token>) {
        self.state().receive(token);
        self.store.keep(token.clone());
    }

    /// All that is secret in what its requests have carried.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let mut secrets = self.credentials.secrets();
        let state = self.state();
        let received = state.received.iter().filter_map(Weak::upgrade);
        secrets.extend(received.map(|token| token.bare()));
        secrets
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The newest token that fits.
    fn token(&self, fits: impl Fn(&Token) -> bool) -> Option<Arc<Token>> {
        let mut tokens = self.tokens.iter().filter_map(Weak::upgrade);
        tokens.find(|token| fits(token))
    }

    /// Drops the tokens that are gone or do not fit.
    fn keep_tokens(&mut self, fits: impl Fn(&Token) -> bool) {
        let fits = |token: &Weak<Token>| token.upgrade().is_some_and(|token| fits(&token));
        self.tokens.retain(fits);
    }

    fn receive(&mut self, token: &Arc<Token>) {
        self.received.insert(0, Arc::downgrade(token));
        self.received.truncate(MAX_TOKENS);
    }

    /// Whether it is not known whether the registry wants a login. That it wants none is forgotten
    /// again.
    fn is_unknown(&self, attempts: &AuthAttempts) -> bool {
        match self.mechanism {
            Mechanism::Unknown => true,
            Mechanism::Open(since) => attempts.started.saturating_duration_since(since) >= LESSON,
            Mechanism::Basic | Mechanism::Bearer(_) => false,
        }
    }

    fn accepted(&mut self, token: &Token, attempts: &AuthAttempts, now: Instant) {
        self.login_has_worked |= token.login() == TokenLogin::Known;
        if !matches!(&self.mechanism, Mechanism::Bearer(service) if service == token.service()) {
            self.mechanism = Mechanism::Bearer(token.service().clone());
        }
        if token.is_wide() {
            self.single_scope_tokens.refuted();
        } else if attempts.narrow_token && self.single_scope_tokens.seen(now) {
            self.keep_tokens(|token| !token.is_wide());
        }
    }

    /// The token service to ask: the one that this request was told of, or the one that has proven
    /// good. Harbor answers every request that carried an Authorization field with a Basic
    /// challenge; the Bearer challenge before it still holds.
    fn service_in_force(&self, attempts: &AuthAttempts) -> Option<Service> {
        match (&attempts.named, &self.mechanism) {
            (Some(named), _) => Some(named.clone()),
            (None, Mechanism::Bearer(service)) => Some(service.clone()),
            (None, _) => None,
        }
    }
}

/// The scopes of a token for a request that needs `needed`. The registry at `url` may add a bare
/// `*`, as Gitea does, where it is its own token service. Anything else that its challenge names
/// would let it choose what its token may do.
fn scopes_to_ask_for(
    needed: &[Scope],
    bearer: Option<&Challenge>,
    service: &Service,
    url: &Url,
) -> Vec<Scope> {
    let mut scopes = needed.to_vec();
    let star = Scope::star();
    let names_star = |challenge: &Challenge| challenge.scopes().any(|name| name == star.as_str());
    if service.realm.origin() == url.origin() && bearer.is_some_and(names_star) {
        scopes.push(star);
    }
    scopes
}

/// The token of `service` for `wanted` to fetch after a 401, if another token may help. `bearer` is
/// the Bearer challenge of that answer.
fn token_to_fetch(
    sent: &Authorization,
    bearer: Option<&Challenge>,
    service: Service,
    wanted: Vec<Scope>,
    attempts: &mut AuthAttempts,
) -> Option<NextStep> {
    // After a fresh token another one only helps if the registry now names a scope, or a service,
    // that the fresh one is not for.
    let names_another = bearer.is_some()
        && !attempts.other_token
        && !sent
            .token()
            .is_some_and(|token| token.is_for(&service, &wanted));
    if attempts.fresh_token && !names_another {
        return None;
    }
    attempts.other_token = attempts.fresh_token;
    Some(NextStep::FetchToken(service, wanted))
}
