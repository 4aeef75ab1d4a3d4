//! Asking a token service: with the credentials that it may have, by query or by form.

use std::sync::Arc;
use std::time::Instant;

use super::answer::Complete;
use super::call::Call;
use super::failure::{Attempt, AttemptError};
use super::request::{Access, Payload, Repeat, Request, Target};
use crate::auth::{Authorization, Scope, Secret, Service, Token, TokenLogin, Trust, trust};
use crate::http::Method;
use crate::policy::redirect::RedirectPolicy;
use crate::policy::retry::is_retryable_status;
use crate::url::Url;

/// The most bytes of a token service's answer: a token with hundreds of scopes has some tens of
/// KiB.
const MAX_TOKEN_ANSWER: u64 = 1024 * 1024;

impl Call<'_> {
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

    pub(super) fn token_url(&self, service: &Service, scopes: &[Scope]) -> Attempt<Url> {
        let url = service.url_for(scopes);
        url.map_err(|bad| AttemptError::fatal(self.subject().unusable_service(service, bad)))
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
