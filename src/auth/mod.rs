//! Which header to send, and what to do when it is refused. Decisions only: what has to be asked
//! for, the client asks for.

pub(crate) mod challenge;
mod credentials;
mod realm;
mod scope;
mod token;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use self::challenge::{Challenge, ChallengeScheme};
use crate::url::{BadUrl, Url};

pub(crate) use self::credentials::Credentials;
pub(crate) use self::realm::{Downgrade, Trust, trust};
pub(crate) use self::scope::Scope;
pub(crate) use self::token::{Service, Token, TokenLogin};
pub(crate) use crate::secret::Secret;

/// The most tokens that one request tries, however short they live.
const MAX_TOKENS_TRIED: u32 = 4;
/// The most tokens kept for a registry; the oldest goes first.
const MAX_TOKENS: usize = 256;

/// What a request carries to show who asks.
#[derive(Debug, Clone)]
pub(crate) enum Authorization {
    /// Nothing.
    None,
    /// User and password.
    Basic(Secret),
    /// The caller's own token.
    Bearer(Secret),
    /// A token of the registry's token service.
    Token(Arc<Token>),
}

impl Authorization {
    /// The token of the registry's token service, if it is one.
    pub(crate) fn token(&self) -> Option<&Arc<Token>> {
        match self {
            Authorization::Token(token) => Some(token),
            _ => None,
        }
    }

    /// The value of the Authorization field.
    pub(crate) fn header(&self) -> Option<&Secret> {
        match self {
            Authorization::None => None,
            Authorization::Basic(header) | Authorization::Bearer(header) => Some(header),
            Authorization::Token(token) => Some(token.header()),
        }
    }
}

/// How to begin a request.
#[derive(Debug)]
pub(crate) enum FirstStep {
    Send(Authorization),
    /// A token has to be fetched first: the registry is known to want one.
    FetchToken(Service, Vec<Scope>),
}

/// How to go on after a 401.
#[derive(Debug)]
pub(crate) enum NextStep {
    Send(Authorization),
    FetchToken(Service, Vec<Scope>),
    /// The answer does not say how; the registry's ping may (B5).
    FindChallenge,
    /// There is nothing else to try: the refusal stands.
    GiveUp,
}

/// What one request has attempts already: each way at most once, so that no answer can make it go in
/// circles.
#[derive(Debug)]
pub(crate) struct AuthAttempts {
    started: Instant,
    /// A token that was fetched since then. One that another thread had fetched may just have come
    /// to its end.
    pub(crate) fresh_token: bool,
    tokens: u32,
    /// The token service has taken the credentials for this one.
    accepted: Option<Arc<Token>>,
    other_token: bool,
    /// A token for just what this request needs, after one that was for others too did not do.
    pub(crate) narrow_token: bool,
    basic: bool,
    challenge_sought: bool,
}

impl AuthAttempts {
    /// For a request that begins at `now`.
    pub(crate) fn new(now: Instant) -> AuthAttempts {
        AuthAttempts {
            started: now,
            fresh_token: false,
            tokens: 0,
            accepted: None,
            other_token: false,
            narrow_token: false,
            basic: false,
            challenge_sought: false,
        }
    }

    /// Notes what is about to be sent.
    pub(crate) fn note(&mut self, sent: &Authorization) {
        if let Some(token) = sent.token() {
            self.tokens += 1;
            self.fresh_token |=
                token.was_received_since(self.started) || self.tokens >= MAX_TOKENS_TRIED;
        }
        if let Some(token) = sent
            .token()
            .filter(|token| token.login() == TokenLogin::Known)
        {
            self.accepted = Some(token.clone());
        }
    }

    /// What a refusal is to be judged by: credentials that the token service has taken are good,
    /// whatever the registry says to them in another form (Harbor, B6).
    pub(crate) fn best_of(self, sent: Authorization) -> Authorization {
        match (sent, self.accepted) {
            (Authorization::Basic(_), Some(token)) => Authorization::Token(token),
            (sent, _) => sent,
        }
    }
}

/// One registry's authentication: what the caller gave for it, and what its answers have taught.
#[derive(Debug)]
pub(crate) struct Session {
    credentials: Credentials,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    mechanism: Mechanism,
    tokens: Vec<Arc<Token>>,
    /// A token for several scopes has not worked where one for a single scope did.
    one_scope_a_token: bool,
}

/// How a registry wants to be asked, as far as its answers have said.
#[derive(Debug, Default)]
enum Mechanism {
    #[default]
    Unknown,
    /// Its ping was answered without a login.
    Open,
    Basic,
    Bearer(Service),
}

impl Session {
    pub(crate) fn new(credentials: Credentials) -> Session {
        Session {
            credentials,
            state: Mutex::default(),
        }
    }

    pub(crate) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// How a request that needs `scopes` begins. Never with a ping: until the registry has asked
    /// for something, nothing is sent (decision 6), except a token that the caller gave for it.
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
            Mechanism::Bearer(service) => match state.token_for(service, scopes, now) {
                Some(token) => FirstStep::Send(Authorization::Token(token)),
                None => FirstStep::FetchToken(service.clone(), scopes.to_vec()),
            },
        }
    }

    /// How to go on after `url` answered 401 with `challenges` to a request that carried `sent` and
    /// needs `scopes`.
    ///
    /// # Errors
    ///
    /// A realm that is no URL.
    pub(crate) fn next_step(
        &self,
        sent: &Authorization,
        challenges: &[Challenge],
        scopes: &[Scope],
        url: &Url,
        attempts: &mut AuthAttempts,
    ) -> Result<NextStep, BadUrl> {
        if matches!(sent, Authorization::Bearer(_)) {
            return Ok(NextStep::GiveUp);
        }
        let bearer = challenges.iter().find(|challenge| {
            challenge.scheme == ChallengeScheme::Bearer && challenge.realm().is_some()
        });
        let mut state = self.state();
        if let Some(challenge) = bearer {
            // A realm may be relative (B11).
            let realm = url.join(challenge.realm().unwrap_or_default())?;
            let name = challenge.service().map(str::to_owned);
            state.mechanism = Mechanism::Bearer(Service { realm, name });
        }
        // Harbor answers "Basic" to whatever carried an Authorization header; the Bearer challenge
        // that it sent before still holds (B6).
        if let Mechanism::Bearer(service) = &state.mechanism {
            let wanted = scope::union(scopes, bearer.into_iter().flat_map(Challenge::scopes));
            // A fresh token is only worth another if it was for something else than the registry
            // now names.
            let other = bearer.is_some()
                && !attempts.other_token
                && !sent
                    .token()
                    .is_some_and(|token| token.is_for(service, &wanted));
            if !attempts.fresh_token || other {
                attempts.other_token = attempts.fresh_token;
                return Ok(NextStep::FetchToken(service.clone(), wanted));
            }
        }
        let asks_for_basic = challenges
            .iter()
            .any(|challenge| challenge.scheme == ChallengeScheme::Basic);
        let basic = self
            .credentials
            .basic()
            .filter(|_| asks_for_basic && !attempts.basic);
        if let Some(header) = basic.filter(|_| !matches!(sent, Authorization::Basic(_))) {
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

    /// Whether a 404 to a request that carried nothing should be looked into: some registries hide
    /// from strangers what they have, and there is something to show.
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

    /// Notes that the registry's ping wants no login.
    pub(crate) fn asks_for_nothing(&self) {
        let mut state = self.state();
        if matches!(state.mechanism, Mechanism::Unknown) {
            state.mechanism = Mechanism::Open;
        }
    }

    /// Whether tokens are wanted and none was given yet: whoever asks next may find that none will
    /// be.
    pub(crate) fn awaits_first_token(&self) -> bool {
        let state = self.state();
        matches!(state.mechanism, Mechanism::Bearer(_)) && state.tokens.is_empty()
    }

    /// Drops tokens that were for no scope, so that the credentials themselves are attempts again.
    pub(crate) fn forget_logins(&self) {
        self.state().tokens.retain(|token| !token.is_scopeless());
    }

    /// A token from the cache that serves `scopes` and is not `refused`, which the registry has
    /// just turned down.
    pub(crate) fn cached(
        &self,
        service: &Service,
        scopes: &[Scope],
        refused: Option<&Arc<Token>>,
        attempts: &AuthAttempts,
        now: Instant,
    ) -> Option<Arc<Token>> {
        let fits = |token: &&Arc<Token>| {
            token.serves(service, scopes, now)
                && refused.is_none_or(|refused| token.may_replace(refused))
                && !(attempts.narrow_token && token.is_wide())
        };
        self.state().tokens.iter().find(fits).cloned()
    }

    /// What a token that is needed for `scopes` should be asked for, where requests of `company`
    /// will follow.
    pub(crate) fn widen(&self, scopes: &[Scope], company: &[Scope]) -> Vec<Scope> {
        if self.state().one_scope_a_token {
            return scopes.to_vec();
        }
        if scopes.iter().all(|need| company.contains(need)) {
            // In one order for all of the company: they wait for one and the same token.
            return company.to_vec();
        }
        scopes.to_vec()
    }

    /// Notes that this registry's tokens are good for one scope only, and drops the others.
    pub(crate) fn tokens_take_one_scope(&self) {
        let mut state = self.state();
        state.one_scope_a_token = true;
        state.tokens.retain(|token| !token.is_wide());
    }

    /// Keeps a token for later requests. The newest is found first.
    pub(crate) fn keep(&self, token: &Arc<Token>, now: Instant) {
        let mut state = self.state();
        state
            .tokens
            .retain(|kept| !kept.is_spent(now) && !kept.is_same_as(token));
        state.tokens.insert(0, token.clone());
        state.tokens.truncate(MAX_TOKENS);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn token_for(&self, service: &Service, scopes: &[Scope], now: Instant) -> Option<Arc<Token>> {
        self.tokens
            .iter()
            .find(|token| token.serves(service, scopes, now))
            .cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::challenge::parse_challenges;

    const URL: &str = "https://registry.example.com/v2/a/manifests/1";
    const BEARER: &str = r#"Bearer realm="https://registry.example.com/token",service="s""#;

    fn session() -> Session {
        let mut credentials = Credentials::default();
        credentials.set_basic("user", "pass").unwrap();
        Session::new(credentials)
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
        let session = Session::new(credentials);
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
        // It is fetched, and refused too.
        attempts.note(&sent);
        assert!(matches!(
            next_step(&session, &sent, &[basic], &mut attempts),
            NextStep::Send(Authorization::Basic(_))
        ));
        assert!(matches!(
            next_step(&session, &sent, &[basic], &mut attempts),
            NextStep::GiveUp
        ));
        // The Bearer challenge is what the next request goes by.
        assert!(matches!(
            session.first_step(&[Scope::named("repository:b:pull")], Instant::now()),
            FirstStep::FetchToken(..)
        ));
    }

    #[test]
    fn b5_a_401_without_a_challenge_is_looked_up_once() {
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
        // Another service of the same registry.
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
