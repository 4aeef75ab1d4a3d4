//! Tokens: from the session's cache, from another thread's request, or from the token service.

use std::sync::Arc;
use std::time::Instant;

use super::answer::{Complete, is_page};
use super::call::Call;
use super::failure::{Attempt, AttemptError, MayRepeat};
use super::known_login::LoginVerdict;
use super::refusal::TokenRequest;
use super::registry::TokenFetch;
use super::single_flight::{End, Part};
use crate::auth::{AuthAttempts, Authorization, Scope, Service, Token, TokenLogin};
use crate::error::ErrorKind;

/// What a token is needed for.
pub(super) struct TokenNeed<'a> {
    pub(super) service: &'a Service,
    pub(super) scopes: &'a [Scope],
    /// One that the registry has just turned down.
    pub(super) refused: Option<&'a Arc<Token>>,
    pub(super) attempts: &'a mut AuthAttempts,
}

impl Call<'_> {
    /// A token for this request, and for those that will follow where one may serve them all. Where
    /// the service refuses that, one for this request alone: some refuse the whole for one bad part
    /// (Quay, GitLab).
    pub(super) fn shared_token(&self, need: TokenNeed<'_>) -> Attempt<Authorization> {
        let wide = match need.attempts.narrow_token {
            true => need.scopes.to_vec(),
            false => {
                let shared = self.shared_scopes.as_slice();
                let session = &self.state.session;
                let wide = session.widen(need.scopes, shared, Instant::now());
                // A realm may be so long that only one scope fits beside it.
                match need.service.url_for(&wide) {
                    Ok(_) => wide,
                    Err(_) => need.scopes.to_vec(),
                }
            }
        };
        let token = match self.token(&need, &wide) {
            // Credentials that are refused are not sent once more.
            Err(failure)
                if wide != need.scopes
                    && matches!(*failure, AttemptError::TokenRefused(_))
                    && self.state.login_refusal().is_none() =>
            {
                need.attempts.narrow_token = true;
                self.token(&need, need.scopes)
            }
            result => result,
        };
        token.map(Authorization::Token)
    }

    /// A token for `scopes`: from the cache, from another thread, or from the service.
    fn token(&self, need: &TokenNeed<'_>, scopes: &[Scope]) -> Attempt<Arc<Token>> {
        let key = self.token_url(need.service, scopes)?.to_request_string();
        loop {
            if let Some(token) = self.cached_token(need, scopes) {
                return Ok(token);
            }
            let follower = match self.state.token_fetches.join(&key, self.caller) {
                Part::Leader(leader) => {
                    // Another thread may have fetched it between the look into the cache and now.
                    if let Some(token) = self.cached_token(need, scopes) {
                        leader.ends(End::Done(TokenFetch::Kept));
                        return Ok(token);
                    }
                    let (end, result) = self.fetch_token(need.service, scopes);
                    leader.ends(end);
                    return result;
                }
                Part::Alone => return self.fetch_token(need.service, scopes).1,
                Part::Follower(follower) => follower,
            };
            let end = follower.wait(&self.interrupt).map_err(|stopped| {
                let doing = "waiting for another thread's token";
                AttemptError::fatal(self.subject().stopped(stopped, doing))
            })?;
            match end {
                End::Done(TokenFetch::Kept) | End::Abandoned => {}
                End::Done(TokenFetch::Failed(answer)) => {
                    let answer = Complete::clone(&answer);
                    let repeat = MayRepeat::Yes;
                    return Err(Box::new(AttemptError::Status { answer, repeat }));
                }
                End::Done(TokenFetch::Refused(answer)) => {
                    let login = self.token_login(need.service)?;
                    return Err(self.token_refused(need.service, scopes, &answer, login));
                }
            }
        }
    }

    fn cached_token(&self, need: &TokenNeed<'_>, scopes: &[Scope]) -> Option<Arc<Token>> {
        let (session, now) = (&self.state.session, Instant::now());
        session.cached(need.service, scopes, need.refused, need.attempts, now)
    }

    fn token_refused(
        &self,
        service: &Service,
        scopes: &[Scope],
        answer: &Complete,
        login: TokenLogin,
    ) -> Box<AttemptError> {
        let credentials = self.state.session.credentials();
        // A password may be wrong, or this repository is not its owner's. A page says neither.
        let is_open = login == TokenLogin::Known
            && matches!(answer.status, 401 | 403)
            && credentials.basic().is_some()
            && !is_page(&answer.headers);
        let verdict = match is_open {
            true => match self.verdict_on_token_login(service, scopes, answer) {
                Ok(verdict) => Some(verdict),
                Err(failure) => return failure,
            },
            false => None,
        };
        let asked = TokenRequest {
            login,
            has_identity: credentials.identity().is_some(),
            verdict,
        };
        let error = self.subject().token_refused(service, answer, asked);
        if verdict == Some(LoginVerdict::Refused) {
            self.state.saw_login_refused(&error);
        }
        AttemptError::token_refused(error)
    }

    /// Lets the credentials rest that `service` has refused in the end.
    pub(super) fn rest_after(&self, failure: &AttemptError, service: &Service) {
        let is_known = || matches!(self.token_login(service), Ok(TokenLogin::Known));
        match failure {
            AttemptError::TokenRefused(error)
                if error.kind() == ErrorKind::Unauthorized
                    && self.state.login_refusal().is_none()
                    && is_known() =>
            {
                self.let_login_rest(LoginVerdict::Untold, error);
            }
            _ => {}
        }
    }

    /// Asks the service. The first of the results is for the threads that wait.
    fn fetch_token(
        &self,
        service: &Service,
        scopes: &[Scope],
    ) -> (End<TokenFetch>, Attempt<Arc<Token>>) {
        let login = match self.token_login(service) {
            Ok(login) => login,
            Err(failure) => return (End::Abandoned, Err(failure)),
        };
        if let Some(error) = self.resting_login(login) {
            return (End::Abandoned, Err(error));
        }
        let answer = match self.ask_service(service, scopes, login) {
            Ok(answer) => answer,
            Err(failure) => {
                let end = match &*failure {
                    AttemptError::Status { answer, .. } => {
                        End::Done(TokenFetch::Failed(Arc::new(answer.clone())))
                    }
                    _ => End::Abandoned,
                };
                return (end, Err(failure));
            }
        };
        if answer.status != 200 {
            let failure = self.token_refused(service, scopes, &answer, login);
            let end = End::Done(TokenFetch::Refused(Arc::new(answer)));
            return (end, Err(failure));
        }
        match self.read_token(&answer, service, scopes, login) {
            Ok(token) => {
                self.state.session.keep(&token, Instant::now());
                (End::Done(TokenFetch::Kept), Ok(token))
            }
            Err(failure) => (End::Abandoned, Err(failure)),
        }
    }

    /// Why the credentials are not sent, if they were to be and have just been refused.
    fn resting_login(&self, login: TokenLogin) -> Option<Box<AttemptError>> {
        let error = self.state.login_refusal();
        let error = error.filter(|_| login == TokenLogin::Known)?;
        let error = self.subject().resting(&error);
        Some(AttemptError::token_refused(error))
    }
}
