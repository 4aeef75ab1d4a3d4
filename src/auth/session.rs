//! The authentication of one registry, across all requests of a client.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use super::challenge::{Challenge, ChallengeScheme};
use super::token_store::TokenStore;
use super::{AuthAttempts, Authorization, Credentials, Product, Scope, Secret, Token};
use super::{BadService, Service};
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
    /// The newest comes first. One that the store has dropped is gone.
    tokens: Vec<Weak<Token>>,
    /// All that came lately, whether they are still used or not: a server may repeat them.
    received: Vec<Weak<Token>>,
    /// Whether a token for several scopes was refused where one for a single scope was accepted.
    single_scope_tokens: bool,
    /// Whether the registry has asked for a login.
    has_challenged: bool,
    /// The software that the challenge in force belongs to.
    product: Option<Product>,
}

/// How a registry wants requests to authenticate, as far as its answers have said.
#[derive(Debug, Default)]
enum Mechanism {
    #[default]
    Unknown,
    /// Not at all: it answered the ping without a login.
    Open,
    Basic,
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

    /// How a request that needs `scopes` begins.
    ///
    /// It never begins with a ping, which would cost a request. Credentials are sent only once the
    /// registry has asked for them; a token that the caller gave for it is sent at once.
    pub(crate) fn first_step(&self, scopes: &[Scope], now: Instant) -> FirstStep {
        if let Some(header) = self.credentials.bearer() {
            return FirstStep::Send(Authorization::Bearer(header.clone()));
        }
        let state = self.state();
        match &state.mechanism {
            Mechanism::Unknown | Mechanism::Open => FirstStep::Send(Authorization::None),
            Mechanism::Basic => match self.credentials.basic() {
                Some(header) => FirstStep::Send(Authorization::Basic(header.clone())),
                None => FirstStep::Send(Authorization::None),
            },
            Mechanism::Bearer(service) => {
                match state.token(|token| token.serves(service, scopes, now)) {
                    Some(token) => FirstStep::Send(Authorization::Token(token)),
                    None => FirstStep::FetchToken(service.clone(), scopes.to_vec()),
                }
            }
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
            state.mechanism = Mechanism::Bearer(Service::named_by(challenge, url)?);
        }
        let wanted = state.scopes_to_ask_for(scopes, bearer, url);
        if let Some(fetch) = state.token_to_fetch(sent, bearer, wanted, attempts) {
            return Ok(fetch);
        }
        if let Some(header) = self.basic_to_send(sent, challenges, attempts) {
            attempts.basic = true;
            if matches!(state.mechanism, Mechanism::Unknown | Mechanism::Open) {
                state.mechanism = Mechanism::Basic;
            }
            return Ok(NextStep::Send(Authorization::Basic(header.clone())));
        }
        if challenges.is_empty()
            && matches!(state.mechanism, Mechanism::Unknown)
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

    /// Whether to look for a challenge after an anonymous request got a 404. Some registries hide
    /// from anonymous requests what they have, and here there are credentials that may show it.
    pub(crate) fn should_seek_challenge(
        &self,
        sent: &Authorization,
        attempts: &mut AuthAttempts,
    ) -> bool {
        let unknown = matches!(self.state().mechanism, Mechanism::Unknown);
        let seek = unknown
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
    pub(crate) fn asks_for_nothing(&self) {
        let mut state = self.state();
        if matches!(state.mechanism, Mechanism::Unknown) {
            state.mechanism = Mechanism::Open;
        }
    }

    /// Whether the registry wants tokens and none has been fetched yet. The token service may
    /// still turn out to refuse them.
    pub(crate) fn awaits_first_token(&self) -> bool {
        let state = self.state();
        matches!(state.mechanism, Mechanism::Bearer(_)) && state.tokens.is_empty()
    }

    /// Drops tokens without a scope, so that the next login sends the credentials again.
    pub(crate) fn forget_logins(&self) {
        self.state().keep_tokens(|token| !token.is_scopeless());
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
    pub(crate) fn widen(&self, scopes: &[Scope], shared: &[Scope]) -> Vec<Scope> {
        if self.state().single_scope_tokens {
            return scopes.to_vec();
        }
        if scopes.iter().all(|need| shared.contains(need)) {
            // All requests of the batch ask in the same order, so they can wait for one token.
            return shared.to_vec();
        }
        scopes.to_vec()
    }

    /// Records that this registry's tokens work for one scope only, and drops the others.
    pub(crate) fn tokens_take_one_scope(&self) {
        let mut state = self.state();
        state.single_scope_tokens = true;
        state.keep_tokens(|token| !token.is_wide());
    }

    /// Keeps a token for later requests.
    pub(crate) fn keep(&self, token: &Arc<Token>, now: Instant) {
        let mut state = self.state();
        state.keep_tokens(|kept| !kept.is_spent(now) && !kept.is_same_as(token));
        state.tokens.insert(0, Arc::downgrade(token));
        state.tokens.truncate(MAX_TOKENS);
        state.received.insert(0, Arc::downgrade(token));
        state.received.truncate(MAX_TOKENS);
        drop(state);
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

    /// The scopes of a token for a request that needs `needed`. The registry at `url` may add a
    /// bare `*`, as Gitea does, where it is its own token service. Anything else that its challenge
    /// names would let it choose what its token may do.
    fn scopes_to_ask_for(
        &self,
        needed: &[Scope],
        bearer: Option<&Challenge>,
        url: &Url,
    ) -> Vec<Scope> {
        let mut scopes = needed.to_vec();
        let star = Scope::star();
        let names_star =
            |challenge: &Challenge| challenge.scopes().any(|name| name == star.as_str());
        let is_own = |service: &Service| service.realm.origin() == url.origin();
        if matches!(&self.mechanism, Mechanism::Bearer(service) if is_own(service))
            && bearer.is_some_and(names_star)
        {
            scopes.push(star);
        }
        scopes
    }

    /// The token for `wanted` to fetch after a 401, if another token may help. `bearer` is the
    /// Bearer challenge of that answer. Without one the last Bearer challenge still holds: Harbor
    /// answers every request that carried an Authorization field with a Basic challenge.
    fn token_to_fetch(
        &self,
        sent: &Authorization,
        bearer: Option<&Challenge>,
        wanted: Vec<Scope>,
        attempts: &mut AuthAttempts,
    ) -> Option<NextStep> {
        let Mechanism::Bearer(service) = &self.mechanism else {
            return None;
        };
        // After a fresh token another one only helps if the registry now names a scope, or a
        // service, that the fresh one is not for.
        let names_another = bearer.is_some()
            && !attempts.other_token
            && !sent
                .token()
                .is_some_and(|token| token.is_for(service, &wanted));
        if attempts.fresh_token && !names_another {
            return None;
        }
        attempts.other_token = attempts.fresh_token;
        Some(NextStep::FetchToken(service.clone(), wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::TokenLogin;
    use crate::auth::challenge::parse_challenges;

    const URL: &str = "https://registry.example.com/v2/a/manifests/1";
    const BEARER: &str = r#"Bearer realm="https://registry.example.com/token",service="s""#;

    fn session() -> Session {
        let mut credentials = Credentials::default();
        credentials.set_basic("user", "pass").unwrap();
        Session::new(credentials, Arc::default())
    }

    fn next_step(
        session: &Session,
        sent: &Authorization,
        challenge: &[&str],
        attempts: &mut AuthAttempts,
    ) -> NextStep {
        let challenges = parse_challenges(challenge.iter().copied()).list;
        let scopes = [Scope::named("repository:a:pull")];
        session
            .next_step(
                sent,
                &challenges,
                &scopes,
                &Url::parse(URL).unwrap(),
                attempts,
            )
            .unwrap()
    }

    fn token(session: &Session) -> Arc<Token> {
        let FirstStep::FetchToken(service, scopes) =
            session.first_step(&[Scope::named("repository:a:pull")], Instant::now())
        else {
            panic!("a token is wanted");
        };
        Arc::new(
            Token::from_answer(
                br#"{"token":"t"}"#,
                &service,
                &scopes,
                TokenLogin::Known,
                Instant::now(),
            )
            .unwrap(),
        )
    }

    #[test]
    fn nothing_is_sent_before_it_is_asked_for() {
        assert!(matches!(
            session().first_step(&[], Instant::now()),
            FirstStep::Send(Authorization::None)
        ));
    }

    #[test]
    fn the_callers_own_token_is_sent_at_once_and_its_refusal_stands() {
        let mut credentials = Credentials::default();
        credentials.set_bearer("t").unwrap();
        let session = Session::new(credentials, Arc::default());
        let FirstStep::Send(sent) = session.first_step(&[], Instant::now()) else {
            panic!("it is sent")
        };
        assert_eq!(sent.header().map(Secret::expose), Some("Bearer t"));
        assert!(matches!(
            next_step(
                &session,
                &sent,
                &[BEARER],
                &mut AuthAttempts::new(Instant::now())
            ),
            NextStep::GiveUp
        ));
    }

    #[test]
    fn basic_is_remembered() {
        let session = session();
        let first = next_step(
            &session,
            &Authorization::None,
            &[r#"Basic realm="r""#],
            &mut AuthAttempts::new(Instant::now()),
        );
        assert!(matches!(first, NextStep::Send(Authorization::Basic(_))));
        assert!(matches!(
            session.first_step(&[], Instant::now()),
            FirstStep::Send(Authorization::Basic(_))
        ));
    }

    #[test]
    fn b6_a_remembered_bearer_wins_over_basic_until_its_token_is_refused() {
        let session = session();
        next_step(
            &session,
            &Authorization::None,
            &[BEARER],
            &mut AuthAttempts::new(Instant::now()),
        );
        let mut attempts = AuthAttempts::new(Instant::now());
        let token = token(&session);
        session.keep(&token, Instant::now());
        let sent = Authorization::Token(token);
        let basic = r#"Basic realm="harbor""#;
        assert!(matches!(
            next_step(&session, &sent, &[basic], &mut attempts),
            NextStep::FetchToken(..)
        ));
        // The new token is refused too.
        attempts.note(&sent);
        assert!(matches!(
            next_step(&session, &sent, &[basic], &mut attempts),
            NextStep::Send(Authorization::Basic(_))
        ));
        assert!(matches!(
            next_step(&session, &sent, &[basic], &mut attempts),
            NextStep::GiveUp
        ));
        // The next request still follows the Bearer challenge.
        assert!(matches!(
            session.first_step(&[Scope::named("repository:b:pull")], Instant::now()),
            FirstStep::FetchToken(..)
        ));
    }

    #[test]
    fn b5_a_401_without_a_challenge_asks_the_ping_once() {
        let session = session();
        let mut attempts = AuthAttempts::new(Instant::now());
        assert!(matches!(
            next_step(&session, &Authorization::None, &[""], &mut attempts),
            NextStep::FindChallenge
        ));
        assert!(matches!(
            next_step(&session, &Authorization::None, &[""], &mut attempts),
            NextStep::GiveUp
        ));
    }

    #[test]
    fn r12_a_fresh_token_is_refused_once_and_for_all() {
        let session = session();
        let mut attempts = AuthAttempts::new(Instant::now());
        assert!(matches!(
            next_step(&session, &Authorization::None, &[BEARER], &mut attempts),
            NextStep::FetchToken(..)
        ));
        let sent = Authorization::Token(token(&session));
        attempts.note(&sent);
        assert!(matches!(
            next_step(&session, &sent, &[BEARER], &mut attempts),
            NextStep::GiveUp
        ));
    }

    #[test]
    fn r12_what_replaces_a_refused_token_is_newer() {
        let session = session();
        next_step(
            &session,
            &Authorization::None,
            &[BEARER],
            &mut AuthAttempts::new(Instant::now()),
        );
        let (old, new) = (token(&session), token(&session));
        let attempts = AuthAttempts::new(Instant::now());
        let scopes = [Scope::named("repository:a:pull")];
        let cached = |refused: &Arc<Token>| {
            session
                .cached(
                    old.service(),
                    &scopes,
                    Some(refused),
                    &attempts,
                    Instant::now(),
                )
                .is_some()
        };
        session.keep(&old, Instant::now());
        assert!(!cached(&new), "an older one ends even earlier");
        session.keep(&new, Instant::now());
        assert!(cached(&old) && !cached(&new));
    }

    #[test]
    fn s18_a_token_is_used_for_what_it_was_given_for_only() {
        let session = session();
        next_step(
            &session,
            &Authorization::None,
            &[BEARER],
            &mut AuthAttempts::new(Instant::now()),
        );
        let token = token(&session);
        session.keep(&token, Instant::now());
        let now = Instant::now();
        assert!(matches!(
            session.first_step(&[Scope::named("repository:a:pull")], now),
            FirstStep::Send(Authorization::Token(_))
        ));
        assert!(matches!(
            session.first_step(&[Scope::named("repository:a:pull,push")], now),
            FirstStep::FetchToken(..)
        ));
        assert!(matches!(
            session.first_step(&[Scope::named("repository:b:pull")], now),
            FirstStep::FetchToken(..)
        ));
        // Now the registry names another service.
        let other = r#"Bearer realm="https://registry.example.com/other",service="s""#;
        next_step(
            &session,
            &Authorization::None,
            &[other],
            &mut AuthAttempts::new(Instant::now()),
        );
        assert!(matches!(
            session.first_step(&[Scope::named("repository:a:pull")], now),
            FirstStep::FetchToken(..)
        ));
    }
}
