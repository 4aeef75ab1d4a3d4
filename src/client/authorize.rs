//! Requests that show who asks: what the session decides, done.

use std::sync::Arc;
use std::time::Instant;

use super::answer::{Answer, Complete, is_page, words_of};
use super::call::Call;
use super::flights::{Outcome, Seat};
use super::mission::Mission;
use super::origins::RegistryState;
use super::send::{Access, Ask, Trouble};
use crate::auth::challenge::parse_challenges;
use crate::auth::{
    AuthAttempts, Authorization, FirstStep, NextStep, Scope, Service, Token, TokenLogin, Trust,
    trust,
};
use crate::error::{Error, ErrorKind};
use crate::http::Headers;
use crate::policy::retry::is_retryable_status;

/// The most bytes of a token service's answer: a token with hundreds of scopes has some tens of
/// KiB.
const MAX_TOKEN_ANSWER: u64 = 1024 * 1024;

impl Call<'_> {
    /// Sends a request to the registry, with what it wants to see; a 401 is answered, once for each
    /// way there is.
    pub(super) fn authorized(
        &self,
        state: &RegistryState,
        ask: &Ask<'_>,
    ) -> Result<Answer, Box<Trouble>> {
        let Access::Scopes(scopes) = &ask.access else {
            return self.travel(
                state,
                Mission::to_registry(self, state, ask, &Authorization::None)?,
            );
        };
        let mut attempts = AuthAttempts::new(Instant::now());
        let mut sent = match state.session.first_step(scopes, Instant::now()) {
            FirstStep::Send(authorization) => authorization,
            FirstStep::FetchToken(service, scopes) => {
                self.shared_token(state, &service, &scopes, None, &mut attempts)?
            }
        };
        attempts.note(&sent);
        loop {
            let mut answer = self.travel(state, Mission::to_registry(self, state, ask, &sent)?)?;
            let step = match answer.status {
                // What a redirect leads to may ask for anything; ours it does not get (S1, S2).
                _ if answer.strayed => NextStep::GiveUp,
                400 | 401 | 403 | 431 if wants_narrow_token(&sent, &answer, &mut attempts) => {
                    step_to_fresh_token(&sent, scopes)
                }
                401 => self.step_after_401(state, scopes, &sent, &answer, &mut attempts)?,
                403 => step_after_403(&sent, scopes, &mut attempts),
                404 if state.session.should_seek_challenge(&sent, &mut attempts) => {
                    self.step_after_ping(state, scopes, &sent, &mut attempts)?
                }
                _ => NextStep::GiveUp,
            };
            let next = match step {
                NextStep::Send(authorization) => authorization,
                NextStep::FetchToken(service, scopes) => {
                    self.shared_token(state, &service, &scopes, sent.token(), &mut attempts)?
                }
                NextStep::FindChallenge | NextStep::GiveUp => {
                    if attempts.narrow_token && matches!(answer.status, 200..=299 | 404) {
                        state.session.tokens_take_one_scope();
                    }
                    // Another server was shown nothing, so its refusal says nothing of the
                    // credentials.
                    if !answer.strayed {
                        answer.shown = attempts.best_of(sent);
                    }
                    return Ok(answer);
                }
            };
            // Only to give the connection back: the next answer tells more.
            let _ = answer.complete();
            attempts.note(&next);
            sent = next;
        }
    }

    /// A token for this request, and for those that will follow where one may serve them all. Where
    /// the service refuses that, one for this request alone: some refuse the whole for one bad part
    /// (Quay, GitLab).
    fn shared_token(
        &self,
        state: &RegistryState,
        service: &Service,
        scopes: &[Scope],
        refused: Option<&Arc<Token>>,
        attempts: &mut AuthAttempts,
    ) -> Result<Authorization, Box<Trouble>> {
        let wide = match attempts.narrow_token {
            true => scopes.to_vec(),
            false => state.session.widen(scopes, self.company.scopes()),
        };
        let token = match self.token(state, service, &wide, refused, attempts) {
            Err(trouble) if wide != scopes && matches!(*trouble, Trouble::TokenRefused(_)) => {
                attempts.narrow_token = true;
                self.token(state, service, scopes, refused, attempts)
            }
            result => result,
        };
        token.map(Authorization::Token)
    }

    fn step_after_401(
        &self,
        state: &RegistryState,
        scopes: &[Scope],
        sent: &Authorization,
        answer: &Answer,
        attempts: &mut AuthAttempts,
    ) -> Result<NextStep, Box<Trouble>> {
        match self.next_step(state, scopes, sent, answer, attempts)? {
            NextStep::FindChallenge => self.step_after_ping(state, scopes, sent, attempts),
            step => Ok(step),
        }
    }

    /// Finds out from the registry's ping how it wants to be asked (B5).
    fn step_after_ping(
        &self,
        state: &RegistryState,
        scopes: &[Scope],
        sent: &Authorization,
        attempts: &mut AuthAttempts,
    ) -> Result<NextStep, Box<Trouble>> {
        let ping = Ask::ping(Access::Unasked);
        let answer = self.travel(
            state,
            Mission::to_registry(self, state, &ping, &Authorization::None)?,
        )?;
        let step = match answer.status {
            401 if !answer.strayed => self.next_step(state, scopes, sent, &answer, attempts)?,
            200 if !answer.strayed => {
                state.session.asks_for_nothing();
                NextStep::GiveUp
            }
            _ => NextStep::GiveUp,
        };
        let _ = answer.complete();
        Ok(step)
    }

    /// What the session makes of an answer's challenges.
    fn next_step(
        &self,
        state: &RegistryState,
        scopes: &[Scope],
        sent: &Authorization,
        answer: &Answer,
        attempts: &mut AuthAttempts,
    ) -> Result<NextStep, Box<Trouble>> {
        let host = answer.url.authority();
        let fail = |error: Error| {
            Trouble::fatal(error.with_http_status(answer.status).about(self.subject))
        };
        let challenges = parse_challenges(answer.headers.get_all("www-authenticate"));
        if let (true, Some(malformed)) = (
            challenges.list.is_empty(),
            challenges.malformed.into_iter().next(),
        ) {
            let message = format!("{host} asks for a login in a way that can't be read");
            return Err(fail(
                Error::new(ErrorKind::Protocol, message).caused_by(malformed),
            ));
        }
        state
            .session
            .next_step(sent, &challenges.list, scopes, &answer.url, attempts)
            .map_err(|bad| {
                let message = format!("{host} names a token service that is no URL");
                fail(Error::new(ErrorKind::Protocol, message).caused_by(bad))
            })
    }

    /// A token for `scopes`: from the cache, or from the service. `refused` is one that the
    /// registry has just turned down.
    fn token(
        &self,
        state: &RegistryState,
        service: &Service,
        scopes: &[Scope],
        refused: Option<&Arc<Token>>,
        attempts: &AuthAttempts,
    ) -> Result<Arc<Token>, Box<Trouble>> {
        let key = service
            .url_for(scopes)
            .map_err(|bad| self.unusable(service, bad))?
            .to_request_string();
        loop {
            if let Some(token) =
                state
                    .session
                    .cached(service, scopes, refused, attempts, Instant::now())
            {
                return Ok(token);
            }
            match state.flights.board(&key, self.asker) {
                Seat::Pilot(pilot) => {
                    // Another thread may have fetched it between the look into the cache and
                    // boarding.
                    if let Some(token) =
                        state
                            .session
                            .cached(service, scopes, refused, attempts, Instant::now())
                    {
                        pilot.ends_with(Outcome::Landed);
                        return Ok(token);
                    }
                    let (outcome, result) = self.fetch(state, service, scopes);
                    pilot.ends_with(outcome);
                    return result;
                }
                // A callback on the fetching thread has made this call: it can't wait for itself.
                Seat::Alone => return self.fetch(state, service, scopes).1,
                Seat::Passenger(flight) => {
                    let outcome = flight.wait(&self.interrupt).map_err(|stopped| {
                        Trouble::fatal(self.stopped(stopped, "waiting for another thread's token"))
                    })?;
                    match outcome {
                        Outcome::Landed | Outcome::Abandoned => {}
                        Outcome::Troubled(answer) => {
                            return Err(Box::new(Trouble::Status(Complete::clone(&answer))));
                        }
                        Outcome::Refused(answer) => {
                            let login = self.login(state, service)?;
                            return Err(Trouble::token_refused(
                                self.token_refused(service, &answer, login),
                            ));
                        }
                    }
                }
            }
        }
    }

    fn fetch(
        &self,
        state: &RegistryState,
        service: &Service,
        scopes: &[Scope],
    ) -> (Outcome, Result<Arc<Token>, Box<Trouble>>) {
        let login = match self.login(state, service) {
            Ok(login) => login,
            Err(trouble) => return (Outcome::Abandoned, Err(trouble)),
        };
        let answer = match self.ask_service(state, service, scopes, login) {
            Ok(answer) => answer,
            Err(trouble) => {
                let outcome = match &*trouble {
                    Trouble::Status(answer) => Outcome::Troubled(Arc::new(answer.clone())),
                    _ => Outcome::Abandoned,
                };
                return (outcome, Err(trouble));
            }
        };
        if answer.status != 200 {
            let answer = Arc::new(answer);
            let error = self.token_refused(service, &answer, login);
            return (Outcome::Refused(answer), Err(Trouble::token_refused(error)));
        }
        let now = Instant::now();
        match Token::from_answer(&answer.body, service, scopes, login, now) {
            Ok(token) => {
                let token = Arc::new(token);
                state.session.keep(&token, now);
                (Outcome::Landed, Ok(token))
            }
            Err(problem) => {
                let message = format!("the token service {}: {problem}", service.realm.authority());
                let error = Error::new(ErrorKind::Protocol, message).about(self.subject);
                (Outcome::Abandoned, Err(Trouble::fatal(error)))
            }
        }
    }

    /// Decides what the service may be given.
    fn login(&self, state: &RegistryState, service: &Service) -> Result<TokenLogin, Box<Trouble>> {
        let trust =
            trust(&state.origin, &service.realm, &state.trusted_realms).map_err(|downgrade| {
                let message = format!("the token service {} is not asked", service.realm.origin());
                Trouble::fatal(
                    Error::new(ErrorKind::Protocol, message)
                        .caused_by(downgrade)
                        .about(self.subject),
                )
            })?;
        Ok(match trust {
            _ if !state.session.credentials().are_for_token_service() => TokenLogin::Anonymous,
            Trust::Credentials => TokenLogin::Known,
            Trust::Nothing => TokenLogin::Withheld,
        })
    }

    /// The service's answer, of a status that is not worth a retry.
    fn ask_service(
        &self,
        state: &RegistryState,
        service: &Service,
        scopes: &[Scope],
        login: TokenLogin,
    ) -> Result<Complete, Box<Trouble>> {
        let credentials = state.session.credentials();
        let known = login == TokenLogin::Known;
        if let Some(identity) = credentials.identity().filter(|_| known) {
            let form = service.form_for(scopes, identity);
            let answer =
                self.answer_of_service(state, Mission::to_service(service, None, Some(&form)))?;
            // Some services know no POST (C3); a password is another way in.
            let unknown = matches!(answer.status, 400 | 401 | 404 | 405);
            if !unknown || credentials.basic().is_none() {
                return Ok(answer);
            }
        }
        let url = service
            .url_for(scopes)
            .map_err(|bad| self.unusable(service, bad))?;
        let mut mission = Mission::to_service(service, credentials.basic().filter(|_| known), None);
        mission.url = url;
        self.answer_of_service(state, mission)
    }

    /// The answer, unless it is worth a retry. A form is given once: a service that rotates
    /// identity tokens may take a second for theft.
    fn answer_of_service(
        &self,
        state: &RegistryState,
        mission: Mission<'_>,
    ) -> Result<Complete, Box<Trouble>> {
        let is_form = mission.is_form();
        let answer = self
            .travel(state, mission)
            .map_err(|trouble| match *trouble {
                Trouble::Wire(url, error) if is_form && error.may_have_been_sent() => {
                    Trouble::fatal(self.wire_error(&url, error))
                }
                trouble => Box::new(trouble),
            })?;
        let url = answer.url.clone();
        let complete = answer
            .complete_to(MAX_TOKEN_ANSWER)
            .map_err(|error| Trouble::Wire(url, error))?;
        if is_retryable_status(complete.status) {
            let certain = matches!(complete.status, 429 | 503);
            return Err(if is_form && !certain {
                Trouble::fatal(complete.into_error(self))
            } else {
                Box::new(Trouble::Status(complete))
            });
        }
        Ok(complete)
    }

    /// Decision 1: refused credentials are an error of their own, since every lookup would be
    /// wrong.
    fn token_refused(&self, service: &Service, answer: &Complete, login: TokenLogin) -> Error {
        let host = service.realm.authority();
        let status = answer.status;
        // What a form of OAuth2 is wrong about is its token; a GET's is its scope or service.
        let by_form = self.state().session.credentials().identity().is_some();
        let (kind, what) = match (status, login) {
            (401 | 403, TokenLogin::Withheld) => {
                return self.withheld(service).with_http_status(status);
            }
            (403, _) if is_page(&answer.headers) => (
                ErrorKind::Protocol,
                "refuses with a page that no token service sends",
            ),
            (401, TokenLogin::Known) => (ErrorKind::Unauthorized, "refuses the credentials"),
            (404 | 405, TokenLogin::Known) if by_form => {
                (ErrorKind::Unauthorized, "takes no identity tokens")
            }
            (400, TokenLogin::Known) if by_form => {
                (ErrorKind::Unauthorized, "refuses the credentials")
            }
            (401 | 403, _) => (ErrorKind::Denied, "gives no token for this"),
            (400, _) => (ErrorKind::Rejected, "rejects the request"),
            _ => (ErrorKind::Protocol, "does not answer like one"),
        };
        let registry_errors = answer.registry_errors();
        let message = format!(
            "the token service {host} {what} (HTTP {status}){}",
            words_of(&registry_errors)
        );
        let mut error = Error::new(kind, message)
            .with_http_status(status)
            .with_registry_errors(registry_errors);
        if kind == ErrorKind::Unauthorized {
            error = error.with_hint("check the user name and password or token for this registry");
        }
        error.about(self.subject)
    }

    /// The registry named a token service that its credentials were not sent to.
    pub(super) fn withheld(&self, service: &Service) -> Error {
        let (registry, host) = (self.registry, service.realm.host());
        let message = format!(
            "refused without the credentials, which were not sent to the token service {host}: \
             it is of another domain than the registry"
        );
        Error::new(ErrorKind::Unauthorized, message)
            .with_hint(format!(
                "if {host} is right, trust it: --trust-realm {registry}={host}, or trusted_realm"
            ))
            .about(self.subject)
    }

    fn unusable(&self, service: &Service, bad: crate::url::BadUrl) -> Box<Trouble> {
        let message = format!(
            "the token service {} can't be asked",
            service.realm.authority()
        );
        Trouble::fatal(
            Error::new(ErrorKind::Protocol, message)
                .caused_by(bad)
                .about(self.subject),
        )
    }
}

/// Whether a token for several scopes should be replaced by one for this request's alone (decision
/// 7): not where it has just come to its end.
fn wants_narrow_token(sent: &Authorization, answer: &Answer, attempts: &mut AuthAttempts) -> bool {
    let Some(token) = sent.token() else {
        return false;
    };
    let ended =
        !attempts.fresh_token && (token.is_old(Instant::now()) || says_invalid(&answer.headers));
    if attempts.narrow_token || !token.is_wide() || ended {
        return false;
    }
    attempts.narrow_token = true;
    true
}

/// Whether a challenge calls the token itself bad, which one that has ended is (RFC 6750, 3.1).
fn says_invalid(headers: &Headers) -> bool {
    let challenges = parse_challenges(headers.get_all("www-authenticate")).list;
    challenges
        .iter()
        .any(|challenge| challenge.error() == Some("invalid_token"))
}

/// Some registries answer 403 to a token that has ended: an old one is renewed once.
fn step_after_403(sent: &Authorization, scopes: &[Scope], attempts: &mut AuthAttempts) -> NextStep {
    if attempts.fresh_token
        || !sent
            .token()
            .is_some_and(|token| token.is_old(Instant::now()))
    {
        return NextStep::GiveUp;
    }
    step_to_fresh_token(sent, scopes)
}

fn step_to_fresh_token(sent: &Authorization, scopes: &[Scope]) -> NextStep {
    match sent.token() {
        Some(token) => NextStep::FetchToken(token.service().clone(), scopes.to_vec()),
        None => NextStep::GiveUp,
    }
}
