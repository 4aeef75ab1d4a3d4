//! A refusal of credentials: are they no good, or are they good and this repository is not theirs?

use super::answer::{Answer, Complete};
use super::call::Call;
use super::failure::{Attempt, AttemptError};
use super::known_login::LoginVerdict;
use super::request::{Access, Request};
use super::single_flight::{End, Part};
use crate::auth::{Authorization, Scope, Service, TokenLogin};
use crate::error::{Error, RegistryError};
use crate::policy::retry::is_retryable_status;

/// Artifactory's word for a wrong password. It has no code.
const BAD_CREDENTIALS: &str = "bad credentials";

impl Call<'_> {
    /// Whether the credentials are good of which `service` has refused `scopes` with `refusal`.
    pub(super) fn verdict_on_token_login(
        &self,
        service: &Service,
        scopes: &[Scope],
        refusal: &Complete,
    ) -> Attempt<LoginVerdict> {
        let said = refusal.registry_errors(&self.subject().redactor());
        // Without a scope nothing else than the credentials can be refused.
        if scopes.is_empty() || says_bad_credentials(&said) {
            return Ok(LoginVerdict::Refused);
        }
        self.verdict_on_login(|| self.ask_service_about_login(service))
    }

    /// Finds out what `answer` means, if it refuses user name and password.
    pub(super) fn judge_basic_login(&self, answer: &mut Answer, scopes: &[Scope]) -> Attempt<()> {
        if answer.status != 401 || !matches!(answer.shown, Authorization::Basic(_)) {
            return Ok(());
        }
        // A request without a scope is `GET /v2/` itself.
        answer.login = match scopes.is_empty() {
            true => LoginVerdict::Refused,
            false => {
                self.verdict_on_login(|| self.compare_pings(&Authorization::None, &answer.shown))?
            }
        };
        self.let_login_rest(answer.login, &self.subject().basic_refused(answer));
        Ok(())
    }

    /// Lets the credentials rest after a refusal, unless they are good. Where nothing tells, they
    /// are good if they have worked.
    pub(super) fn let_login_rest(&self, verdict: LoginVerdict, error: &Error) {
        let has_worked = self.state.session.login_has_worked();
        if verdict == LoginVerdict::Refused || verdict == LoginVerdict::Untold && !has_worked {
            self.state.saw_login_refused(error);
        }
    }

    /// Fails if `service` gives a token to the same form without an identity token: then it has not
    /// looked at the one that it was given.
    pub(super) fn expect_identity_was_read(&self, service: &Service) -> Result<(), Error> {
        let read = self.gives_token_to_nobody(service);
        match read.map_err(|failure| self.subject().attempt(*failure))? {
            true => Err(self.subject().identity_unread(service)),
            false => Ok(()),
        }
    }

    /// What was found out before, by this thread or another, or what `ask` finds out. A refusal is
    /// not kept here: the credentials rest after it.
    fn verdict_on_login(&self, ask: impl Fn() -> Attempt<LoginVerdict>) -> Attempt<LoginVerdict> {
        let find_out = || {
            let verdict = ask()?;
            if verdict != LoginVerdict::Refused {
                self.state.saw_login(verdict);
            }
            Ok(verdict)
        };
        loop {
            if let Some(verdict) = self.state.login_verdict() {
                return Ok(verdict);
            }
            // Another thread has just found out that they are refused.
            if self.state.login_refusal().is_some() {
                return Ok(LoginVerdict::Refused);
            }
            let follower = match self.state.login_checks.join("", self.caller) {
                Part::Leader(leader) => {
                    let verdict = find_out()?;
                    leader.ends(End::Done(verdict));
                    return Ok(verdict);
                }
                Part::Alone => return find_out(),
                Part::Follower(follower) => follower,
            };
            let end = follower.wait(&self.interrupt).map_err(|stopped| {
                let doing = "waiting for another thread's check of the login";
                AttemptError::fatal(self.subject().stopped(stopped, doing))
            })?;
            if let End::Done(verdict) = end {
                return Ok(verdict);
            }
        }
    }

    /// Asks for a token without a scope. If anybody gets one, `GET /v2/` may tell.
    fn ask_service_about_login(&self, service: &Service) -> Attempt<LoginVerdict> {
        let known = self.ask_service(service, &[], TokenLogin::Known)?;
        match known.status {
            200 => {}
            401 | 403 => return Ok(LoginVerdict::Refused),
            _ => return Ok(LoginVerdict::Untold),
        }
        let anybody = self.ask_service(service, &[], TokenLogin::Anonymous)?;
        if anybody.status != 200 {
            return Ok(LoginVerdict::Good);
        }
        let token = |answer, login| {
            let token = self.read_token(answer, service, &[], login)?;
            self.state.session.receive(&token);
            Ok::<_, Box<AttemptError>>(token)
        };
        let anybody = token(&anybody, TokenLogin::Anonymous)?;
        let known = token(&known, TokenLogin::Known)?;
        self.compare_pings(&Authorization::Token(anybody), &Authorization::Token(known))
    }

    /// Whether `GET /v2/` with the login is accepted where it is refused without one. What is open
    /// to anybody tells nothing.
    fn compare_pings(
        &self,
        without: &Authorization,
        with: &Authorization,
    ) -> Attempt<LoginVerdict> {
        if self.ping_as(without)? != Reply::Refused {
            return Ok(LoginVerdict::Untold);
        }
        Ok(match self.ping_as(with)? {
            Reply::Accepted => LoginVerdict::Good,
            Reply::Refused => LoginVerdict::Refused,
            Reply::Other => LoginVerdict::Untold,
        })
    }

    fn ping_as(&self, shown: &Authorization) -> Attempt<Reply> {
        let request = Request::ping(Access::Scopes(Vec::new()));
        let answer = self.hop(&request, shown)?;
        if is_retryable_status(answer.status) {
            return Err(Box::new(AttemptError::after(&request, answer)));
        }
        let reply = Reply::of(&answer);
        // Only to give the connection back.
        let _ = answer.complete();
        Ok(reply)
    }
}

/// What an answer to `GET /v2/` says of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reply {
    Accepted,
    Refused,
    /// Nothing: another server answers, or none that is a registry.
    Other,
}

impl Reply {
    fn of(answer: &Answer) -> Reply {
        match answer.status {
            _ if answer.cross_origin => Reply::Other,
            200 => Reply::Accepted,
            401 | 403 => Reply::Refused,
            _ => Reply::Other,
        }
    }
}

fn says_bad_credentials(errors: &[RegistryError]) -> bool {
    let mut messages = errors.iter().map(|error| error.message.trim());
    messages.any(|message| message.eq_ignore_ascii_case(BAD_CREDENTIALS))
}
