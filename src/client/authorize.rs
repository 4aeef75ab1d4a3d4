//! Which Authorization a request carries, and what a refusal leads to. The session decides, and
//! what it decides is done here: a token is fetched, the registry's challenge is sought.

use std::time::Instant;

use super::answer::{Answer, Complete, challenges, is_page};
use super::call::Call;
use super::failure::{Attempt, AttemptError};
use super::request::{Access, Request};
use super::tokens::TokenNeed;
use crate::auth::challenge::{Challenge, ChallengeScheme, parse_challenges};
use crate::auth::{AuthAttempts, Authorization, FirstStep, NextStep, Scope, Service};
use crate::http::Headers;
use crate::policy::retry::is_retryable_status;

impl Call<'_> {
    /// Sends a request with what the registry wants to see. A 401 is answered, once for each way
    /// that there is.
    pub(super) fn authorized(&self, request: &Request<'_>) -> Attempt<Answer> {
        let Some(scopes) = request.access.scopes() else {
            return self.hop(request, &Authorization::None);
        };
        let mut login = Login {
            call: self,
            request,
            scopes,
            sent: Authorization::None,
            attempts: AuthAttempts::new(Instant::now()),
            failed_opening: None,
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
    failed_opening: Option<FailedOpening>,
}

/// Why a request goes without the token that it should have begun with.
struct FailedOpening {
    service: Service,
    scopes: Vec<Scope>,
    failure: Box<AttemptError>,
}

impl Login<'_> {
    /// Makes ready what the first attempt carries. If no token can be got, the request goes without
    /// one, and what the registry then asks for counts: the service may be one that a bad backend
    /// has named.
    fn begin(&mut self) -> Attempt<()> {
        let session = &self.call.state.session;
        let named = || self.call.service_named_in_group();
        let first = match session.first_step(self.scopes, named, Instant::now()) {
            FirstStep::Send(authorization) => {
                self.check_rest(&authorization)?;
                authorization
            }
            FirstStep::FetchToken(service, scopes) => match self.token(&service, &scopes) {
                Ok(token) => token,
                Err(failure) if self.call.interrupt.check().is_err() => return Err(failure),
                Err(failure) => {
                    self.failed_opening = Some(FailedOpening {
                        service,
                        scopes,
                        failure,
                    });
                    Authorization::None
                }
            },
        };
        self.carry(first);
        Ok(())
    }

    /// A token of `service`, other than the one that is carried now.
    fn token(&mut self, service: &Service, scopes: &[Scope]) -> Attempt<Authorization> {
        let same = |it: &mut FailedOpening| it.service == *service && it.scopes == scopes;
        if let Some(opening) = self.failed_opening.take_if(same) {
            return Err(opening.failure);
        }
        let result = self.call.shared_token(TokenNeed {
            service,
            scopes,
            refused: self.sent.token(),
            attempts: &mut self.attempts,
        });
        if let Err(failure) = &result {
            self.call.rest_after(failure, service);
        }
        result
    }

    /// Fails if this is the password, and the registry has just refused it.
    fn check_rest(&self, next: &Authorization) -> Attempt<()> {
        let refusal = match next {
            Authorization::Basic(_) => self.call.state.login_refusal(),
            _ => None,
        };
        match refusal {
            Some(error) => Err(AttemptError::fatal(self.call.subject().resting(&error))),
            None => Ok(()),
        }
    }

    fn carry(&mut self, authorization: Authorization) {
        self.attempts.note(&authorization);
        self.sent = authorization;
    }

    fn run(mut self) -> Attempt<Answer> {
        let mut refused = None;
        loop {
            let answer = match (self.call.hop(self.request, &self.sent), refused) {
                (Ok(answer), _) => answer,
                (Err(failure), refused) => return Err(self.without_payload(*failure, refused)),
            };
            let next = match self.step_after(&answer)? {
                NextStep::Send(authorization) => {
                    self.check_rest(&authorization)?;
                    authorization
                }
                NextStep::FetchToken(service, scopes) => self.token(&service, &scopes)?,
                NextStep::FindChallenge | NextStep::GiveUp => return self.end(answer),
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

    /// The answer that stands, and what it teaches.
    fn end(mut self, mut answer: Answer) -> Attempt<Answer> {
        let session = &self.call.state.session;
        if answer.is_success() || answer.status == 404 && !answer.cross_origin {
            session.accepted(&self.sent, &self.attempts, Instant::now());
        }
        // Another server was shown nothing, so its refusal says nothing of the credentials.
        if answer.cross_origin {
            // The registry might have led elsewhere with the token that could not be got.
            if matches!(answer.status, 401 | 403 | 404) && self.has_login() {
                if let Some(opening) = self.failed_opening.take() {
                    return Err(opening.failure);
                }
            }
            let guest = self.call.ask_as_guest(self.request, &answer)?;
            return Ok(guest.unwrap_or(answer));
        }
        if let Some(opening) = self.failed_opening.take() {
            if self.opening_decides(&answer) {
                return Err(opening.failure);
            }
            self.call.keep_to_limit_of(&opening.failure);
            if answer.is_success() && matches!(self.sent, Authorization::None) {
                session.needs_no_token();
            }
        }
        answer.shown = self.attempts.best_of(self.sent);
        self.call.judge_basic_login(&mut answer, self.scopes)?;
        Ok(answer)
    }

    /// Whether an answer to a request without a login is no answer, since a token was wanted for
    /// it and could not be got.
    fn opening_decides(&self, answer: &Answer) -> bool {
        let is_anonymous = matches!(self.sent, Authorization::None);
        let has_login = self.has_login();
        is_anonymous
            && match answer.status {
                401 | 403 => true,
                404 => has_login,
                200..=299 => has_login && matches!(self.request.access, Access::Offered(_)),
                _ => false,
            }
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
                NextStep::FindChallenge => Ok(self.step_after_ping()?.0),
                step => Ok(step),
            },
            // A login may change these answers, and the registry says how it takes one.
            200 | 403 | 404 if self.may_show_login(answer) => self.step_after_challenge(answer),
            403 => Ok(self.step_after_403()),
            // A ping is its own challenge.
            200 if !self.asks_offered() || self.scopes.is_empty() => Ok(NextStep::GiveUp),
            200 | 404 if self.should_seek_challenge() => match self.step_after_ping()? {
                // With the login there might be something: nobody has said how it is taken. A page
                // is no absence anyway.
                (NextStep::GiveUp, PingSays::Nothing) if may_be_absence(answer) => Err(
                    AttemptError::fatal(self.call.subject().untold_login(answer)),
                ),
                (step, _) => Ok(step),
            },
            _ => Ok(NextStep::GiveUp),
        }
    }

    /// Whether an answer to a request without a login has a challenge, and there is a login.
    fn may_show_login(&self, answer: &Answer) -> bool {
        matches!(self.sent, Authorization::None)
            && self.has_login()
            && (matches!(answer.status, 403 | 404) || self.asks_offered())
            && !challenges(&answer.headers).is_empty()
    }

    /// Whether there are credentials to answer a challenge with.
    fn has_login(&self) -> bool {
        let credentials = self.call.state.session.credentials();
        credentials.are_for_token_service()
    }

    /// Whether the answer may depend on who asks, although everybody gets one.
    fn asks_offered(&self) -> bool {
        matches!(self.request.access, Access::Offered(_))
    }

    fn should_seek_challenge(&mut self) -> bool {
        let session = &self.call.state.session;
        session.should_seek_challenge(&self.sent, &mut self.attempts)
    }

    /// Finds out from the registry's ping how it wants to be asked: some send no challenge with
    /// other answers.
    fn step_after_ping(&mut self) -> Attempt<(NextStep, PingSays)> {
        let ping = Request::ping(Access::Unasked);
        let answer = self.call.hop(&ping, &Authorization::None)?;
        if is_retryable_status(answer.status) {
            return Err(Box::new(AttemptError::after(&ping, answer)));
        }
        // zot answers everybody where a part is open to all, and says that it takes logins.
        let is_challenge = !challenges(&answer.headers).is_empty();
        if matches!(answer.status, 200 | 401) && is_challenge && !answer.cross_origin {
            let step = self.step_after_challenge(&answer)?;
            // It gives the connection back.
            let _ = answer.complete();
            return Ok((step, PingSays::HowToAsk));
        }
        if !answer.complete().is_ok_and(|answer| answer.is_open_ping()) {
            return Ok((NextStep::GiveUp, PingSays::Nothing));
        }
        self.call.state.session.asks_for_nothing(Instant::now());
        Ok((NextStep::GiveUp, PingSays::HowToAsk))
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
        let step = session
            .next_step(
                &self.sent,
                &challenges.list,
                self.scopes,
                &answer.url,
                &mut self.attempts,
            )
            .map_err(|bad| AttemptError::fatal(subject.bad_realm(answer, bad)))?;
        self.call.note_service_in_group(&self.attempts);
        let wants_basic = |it: &Challenge| it.scheme == ChallengeScheme::Basic;
        if matches!(step, NextStep::GiveUp)
            && matches!(self.sent, Authorization::None)
            && session.credentials().are_identity_alone()
            && challenges.list.iter().any(wants_basic)
        {
            return Err(AttemptError::fatal(subject.identity_not_taken(answer)));
        }
        Ok(step)
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

fn may_be_absence(answer: &Answer) -> bool {
    answer.status == 404 && !is_page(&answer.headers)
}

/// What the registry's ping tells about logins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PingSays {
    /// That none is wanted, or how one is taken.
    HowToAsk,
    /// Nothing: it is refused without a challenge, or the answer of another server.
    Nothing,
}

/// Whether a challenge calls the token itself bad, as it does of one that has ended (RFC 6750
/// section 3.1).
fn says_invalid(headers: &Headers) -> bool {
    challenges(headers)
        .iter()
        .any(|challenge| challenge.error() == Some("invalid_token"))
}
