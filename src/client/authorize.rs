//! Which Authorization a request carries, and what a refusal leads to. The session decides, and
//! what it decides is done here: a token is fetched, the registry's challenge is sought.

use std::time::Instant;

use super::answer::{Answer, Complete, challenges};
use super::call::Call;
use super::failure::{Attempt, AttemptError};
use super::request::{Access, Request};
use super::tokens::TokenNeed;
use crate::auth::challenge::parse_challenges;
use crate::auth::{AuthAttempts, Authorization, FirstStep, NextStep, Scope, Service};
use crate::http::Headers;

impl Call<'_> {
    /// Sends a request with what the registry wants to see. A 401 is answered, once for each way
    /// that there is.
    pub(super) fn authorized(&self, request: &Request<'_>) -> Attempt<Answer> {
        let Access::Scopes(scopes) = &request.access else {
            return self.hop(request, &Authorization::None);
        };
        let mut login = Login {
            call: self,
            request,
            scopes,
            sent: Authorization::None,
            attempts: AuthAttempts::new(Instant::now()),
        };
        login.begin()?;
        login.run()
    }
}

/// A request that may have to show who asks.
struct Login<'a> {
    call: &'a Call<'a>,
    request: &'a Request<'a>,
    scopes: &'a [Scope],
    /// What the request carries now.
    sent: Authorization,
    attempts: AuthAttempts,
}

impl Login<'_> {
    /// Makes ready what the first attempt carries.
    fn begin(&mut self) -> Attempt<()> {
        let session = &self.call.state.session;
        let first = match session.first_step(self.scopes, Instant::now()) {
            FirstStep::Send(authorization) => authorization,
            FirstStep::FetchToken(service, scopes) => self.token(&service, &scopes)?,
        };
        self.carry(first);
        Ok(())
    }

    /// A token of `service`, other than the one that is carried now.
    fn token(&mut self, service: &Service, scopes: &[Scope]) -> Attempt<Authorization> {
        self.call.shared_token(TokenNeed {
            service,
            scopes,
            refused: self.sent.token(),
            attempts: &mut self.attempts,
        })
    }

    fn carry(&mut self, authorization: Authorization) {
        self.attempts.note(&authorization);
        self.sent = authorization;
    }

    fn run(mut self) -> Attempt<Answer> {
        let mut refused = None;
        loop {
            let mut answer = match (self.call.hop(self.request, &self.sent), refused) {
                (Ok(answer), _) => answer,
                (Err(failure), refused) => return Err(self.without_payload(*failure, refused)),
            };
            let next = match self.step_after(&answer)? {
                NextStep::Send(authorization) => authorization,
                NextStep::FetchToken(service, scopes) => self.token(&service, &scopes)?,
                NextStep::FindChallenge | NextStep::GiveUp => {
                    if self.attempts.narrow_token && matches!(answer.status, 200..=299 | 404) {
                        self.call.state.session.tokens_take_one_scope();
                    }
                    // Another server was shown nothing, so its refusal says nothing of the
                    // credentials.
                    if !answer.cross_origin {
                        answer.shown = self.attempts.best_of(self.sent);
                    }
                    return Ok(answer);
                }
            };
            // It gives the connection back; the next answer tells more.
            refused = answer.complete().ok();
            self.carry(next);
        }
    }

    /// The failure of the request. Where its payload can be read only once, it is what the registry
    /// has refused before.
    fn without_payload(
        &self,
        failure: AttemptError,
        refused: Option<Complete>,
    ) -> Box<AttemptError> {
        let (AttemptError::Source(_), Some(refused)) = (&failure, refused) else {
            return Box::new(failure);
        };
        let hint =
            "the data to send can be read only once; the registry wants it again, with a login";
        let error = self.call.subject().refusal(refused);
        AttemptError::fatal(error.with_hint(hint))
    }

    /// What to do next after this answer.
    fn step_after(&mut self, answer: &Answer) -> Attempt<NextStep> {
        // What a redirect leads to may ask for anything; our credentials it does not get.
        if answer.cross_origin {
            return Ok(NextStep::GiveUp);
        }
        match answer.status {
            400 | 401 | 403 | 431 if self.wants_narrow_token(answer) => {
                Ok(self.step_to_fresh_token())
            }
            401 => match self.step_after_challenge(answer)? {
                NextStep::FindChallenge => self.step_after_ping(),
                step => Ok(step),
            },
            403 => Ok(self.step_after_403()),
            404 if self.should_seek_challenge() => self.step_after_ping(),
            _ => Ok(NextStep::GiveUp),
        }
    }

    fn should_seek_challenge(&mut self) -> bool {
        let session = &self.call.state.session;
        session.should_seek_challenge(&self.sent, &mut self.attempts)
    }

    /// Finds out from the registry's ping how it wants to be asked: some send no challenge with
    /// other answers.
    fn step_after_ping(&mut self) -> Attempt<NextStep> {
        let ping = Request::ping(Access::Unasked);
        let answer = self.call.hop(&ping, &Authorization::None)?;
        let step = match answer.status {
            401 if !answer.cross_origin => self.step_after_challenge(&answer)?,
            200 if !answer.cross_origin => {
                self.call.state.session.asks_for_nothing();
                NextStep::GiveUp
            }
            _ => NextStep::GiveUp,
        };
        let _ = answer.complete();
        Ok(step)
    }

    /// What the session makes of an answer's challenges.
    fn step_after_challenge(&mut self, answer: &Answer) -> Attempt<NextStep> {
        let subject = self.call.subject();
        let challenges = parse_challenges(answer.headers.get_all("www-authenticate"));
        if challenges.list.is_empty() {
            if let Some(malformed) = challenges.malformed.into_iter().next() {
                return Err(AttemptError::fatal(
                    subject.bad_challenge(answer, malformed),
                ));
            }
        }
        let session = &self.call.state.session;
        session
            .next_step(
                &self.sent,
                &challenges.list,
                self.scopes,
                &answer.url,
                &mut self.attempts,
            )
            .map_err(|bad| AttemptError::fatal(subject.bad_realm(answer, bad)))
    }

    /// Some registries answer 403 to a token that has ended: an old one is renewed once.
    fn step_after_403(&self) -> NextStep {
        let is_old = |now| self.sent.token().is_some_and(|token| token.is_old(now));
        if self.attempts.fresh_token || !is_old(Instant::now()) {
            return NextStep::GiveUp;
        }
        self.step_to_fresh_token()
    }

    fn step_to_fresh_token(&self) -> NextStep {
        match self.sent.token() {
            Some(token) => NextStep::FetchToken(token.service().clone(), self.scopes.to_vec()),
            None => NextStep::GiveUp,
        }
    }

    /// Whether a token for several scopes should be replaced by one for this request's alone, as
    /// some registries refuse the former. Not where it has just come to its end.
    fn wants_narrow_token(&mut self, answer: &Answer) -> bool {
        let Some(token) = self.sent.token() else {
            return false;
        };
        let ended = !self.attempts.fresh_token
            && (token.is_old(Instant::now()) || says_invalid(&answer.headers));
        if self.attempts.narrow_token || !token.is_wide() || ended {
            return false;
        }
        self.attempts.narrow_token = true;
        true
    }
}

/// Whether a challenge calls the token itself bad, as it does of one that has ended (RFC 6750
/// section 3.1).
fn says_invalid(headers: &Headers) -> bool {
    challenges(headers)
        .iter()
        .any(|challenge| challenge.error() == Some("invalid_token"))
}
