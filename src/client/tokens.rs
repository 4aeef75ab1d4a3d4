//! Tokens: from the session's cache, from another thread's request, or from the token service.

use std::sync::Arc;
use std::time::Instant;

use super::answer::{Complete, is_page};
use super::call::Call;
use super::failure::{Attempt, AttemptError, MayRepeat};
use super::known_login::LoginVerdict;
use super::refusal::TokenRequest;
use super::registry::TokenFetch;
use super::request::{Access, Payload, Repeat, Request, Target};
use super::single_flight::{End, Part};
use crate::auth::{
    AuthAttempts, Authorization, Scope, Secret, Service, Token, TokenLogin, Trust, trust,
};
use crate::error::ErrorKind;
use crate::http::Method;
use crate::policy::redirect::RedirectPolicy;
use crate::policy::retry::is_retryable_status;
use crate::url::Url;

/// The most bytes of a token service's answer: a token with hundreds of scopes has some tens of
/// KiB.
const MAX_TOKEN_ANSWER: u64 = 1024 * 1024;

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

    fn token_url(&self, service: &Service, scopes: &[Scope]) -> Attempt<Url> {
        let url = service.url_for(scopes);
        url.map_err(|bad| AttemptError::fatal(self.subject().unusable_service(service, bad)))
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

    /// The token in a service's answer.
    pub(super) fn read_token(
        &self,
        answer: &Complete,
        service: &Service,
        scopes: &[Scope],
        login: TokenLogin,
    ) -> Attempt<Arc<Token>> {
        Token::from_answer(&answer.body, service, scopes, login, Instant::now())
            .map(Arc::new)
            .map_err(|problem| AttemptError::fatal(self.subject().bad_token(service, &problem)))
    }

    /// Why the credentials are not sent, if they were to be and have just been refused.
    fn resting_login(&self, login: TokenLogin) -> Option<Box<AttemptError>> {
        let error = self.state.login_refusal();
        let error = error.filter(|_| login == TokenLogin::Known)?;
        let error = self.subject().resting(&error);
        Some(AttemptError::token_refused(error))
    }

    /// Decides what the service may be given.
    pub(super) fn token_login(&self, service: &Service) -> Attempt<TokenLogin> {
        let state = &self.state;
        let trust =
            trust(&state.origin, &service.realm, &state.trusted_realms).map_err(|downgrade| {
                AttemptError::fatal(self.subject().downgraded(service, downgrade))
            })?;
        Ok(match trust {
            _ if !state.session.credentials().are_for_token_service() => TokenLogin::Anonymous,
            Trust::Credentials => TokenLogin::Known,
            Trust::Nothing => TokenLogin::Withheld,
        })
    }

    /// The service's answer, of a status that is not worth a retry.
    pub(super) fn ask_service(
        &self,
        service: &Service,
        scopes: &[Scope],
        login: TokenLogin,
    ) -> Attempt<Complete> {
        let credentials = self.state.session.credentials();
        let known = login == TokenLogin::Known;
        if let Some(identity) = credentials.identity().filter(|_| known) {
            let form = service.form_for(scopes, Some(identity));
            let answer = self.answer_of_service(&by_form(service, &form))?;
            // Some services know no POST; a password is another way in.
            let unknown = matches!(answer.status, 400 | 401 | 404 | 405);
            if !unknown || credentials.basic().is_none() {
                return Ok(answer);
            }
        }
        let url = self.token_url(service, scopes)?;
        self.answer_of_service(&by_query(url, credentials.basic().filter(|_| known)))
    }

    /// Whether the service answers a form of OAuth2 with a token that has no identity token in it.
    pub(super) fn gives_token_to_nobody(&self, service: &Service) -> Attempt<bool> {
        let form = service.form_for(&[], None);
        let answer = self.answer_of_service(&by_form(service, &form))?;
        let token = self.read_token(&answer, service, &[], TokenLogin::Anonymous);
        let token = token.ok().filter(|_| answer.status == 200);
        // It is sent nowhere, but the service may repeat it.
        if let Some(token) = &token {
            self.state.session.receive(token);
        }
        Ok(token.is_some())
    }

    fn answer_of_service(&self, request: &Request<'_>) -> Attempt<Complete> {
        let result = self.hop(request, &Authorization::None).and_then(|answer| {
            let url = answer.url.clone();
            let answer = answer.complete_to(MAX_TOKEN_ANSWER).map_err(|error| {
                let repeat = request.repeat.allows(true).into();
                AttemptError::Wire { url, error, repeat }
            })?;
            if !is_retryable_status(answer.status) {
                return Ok(answer);
            }
            let repeat = request.repeat.allows_after(answer.status).into();
            Err(Box::new(AttemptError::Status { answer, repeat }))
        });
        // What may not be sent again is not sent again by a retry of the request that needs the
        // token, either.
        result.map_err(|failure| match failure.is_final() {
            true => AttemptError::fatal(self.subject().attempt(*failure)),
            false => failure,
        })
    }
}

/// A token request as distribution specifies it, with user and password where there are any. A
/// token must come from the service that was asked.
fn by_query(url: Url, basic: Option<&Secret>) -> Request<'_> {
    Request {
        method: Method::Get,
        target: Target::TokenService(url),
        accept: "application/json".into(),
        fields: Vec::new(),
        payload: Payload::Nothing,
        access: basic.map_or(Access::Unasked, Access::Given),
        redirects: RedirectPolicy::SameOrigin,
        repeat: Repeat::Always,
    }
}

/// A token request of OAuth2 with an identity token. It is given once: a service that renews such
/// tokens may take a second use for theft.
fn by_form<'a>(service: &Service, form: &'a Secret) -> Request<'a> {
    Request {
        method: Method::Post,
        target: Target::TokenService(service.realm.clone()),
        accept: "application/json".into(),
        fields: Vec::new(),
        payload: Payload::Secret(form),
        access: Access::Unasked,
        redirects: RedirectPolicy::None,
        repeat: Repeat::IfNothingSent,
    }
}
