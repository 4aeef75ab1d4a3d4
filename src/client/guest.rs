//! A server that a registry redirects to and that asks for a token, as the servers behind
//! registry.k8s.io may. The client gets the token that anybody gets: nothing of the registry's
//! credentials goes there.

use std::time::Instant;

use super::answer::{Answer, challenges};
use super::call::Call;
use super::failure::Attempt;
use super::request::{Repeat, Request};
use crate::auth::challenge::ChallengeScheme;
use crate::auth::{AuthAttempts, Authorization, Scope, Service, TokenLogin, trust};
use crate::policy::redirect::{RedirectPolicy, repository_in};
use crate::reference::RepositoryName;
use crate::url::Url;

impl Call<'_> {
    /// What the server that `refusal` came from answers to an anonymous token. `None` if there is
    /// no way to get one.
    pub(super) fn ask_as_guest(
        &self,
        request: &Request<'_>,
        refusal: &Answer,
    ) -> Attempt<Option<Answer>> {
        if refusal.status != 401
            || request.repeat != Repeat::Always
            || request.redirects != RedirectPolicy::CrossOrigin
            || refusal.url.origin() == self.state.origin
        {
            return Ok(None);
        }
        let Some(service) = service_of(refusal) else {
            return Ok(None);
        };
        // The redirect's URL says which repository this server is asked for.
        let Some(repository) = repository_of(&refusal.url) else {
            return Ok(None);
        };
        let scopes = [Scope::pull(&repository)];
        for kept in [Kept::Used, Kept::Passed] {
            let Some(token) = self.guest_token(&service, &scopes, kept)? else {
                continue;
            };
            let answer = self.hop_as_guest(request, refusal.url.clone(), &token)?;
            // A token that was kept may have ended.
            if kept == Kept::Passed || answer.status != 401 {
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }

    fn guest_token(
        &self,
        service: &Service,
        scopes: &[Scope],
        kept: Kept,
    ) -> Attempt<Option<Authorization>> {
        let (guest, now) = (&self.state.guest, Instant::now());
        if kept == Kept::Used {
            let attempts = AuthAttempts::new(now);
            let token = guest.cached(service, scopes, None, &attempts, now);
            return Ok(token.map(Authorization::Token));
        }
        let answer = self.ask_service(service, scopes, TokenLogin::Anonymous)?;
        if answer.status != 200 {
            return Ok(None);
        }
        let token = self.read_token(&answer, service, scopes, TokenLogin::Anonymous)?;
        guest.keep(&token, now);
        Ok(Some(Authorization::Token(token)))
    }
}

/// What is done with a token that was got before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Used,
    Passed,
}

fn repository_of(url: &Url) -> Option<RepositoryName> {
    let rest = url.path().strip_prefix("/v2/")?;
    repository_in(rest)?.parse().ok()
}

/// The token service that a Bearer challenge names, if it may be asked.
fn service_of(refusal: &Answer) -> Option<Service> {
    let challenges = challenges(&refusal.headers);
    let mut bearers = challenges
        .iter()
        .filter(|challenge| challenge.scheme == ChallengeScheme::Bearer);
    let challenge = bearers.find(|challenge| challenge.realm().is_some())?;
    let service = Service::named_by(challenge, &refusal.url).ok()?;
    // A server of https may not lead to http.
    trust(&refusal.url.origin(), &service.realm, &[]).ok()?;
    Some(service)
}
