//! One request on its way: the redirects it is sent on, one exchange with each server, and what
//! each answer teaches.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use super::answer::{Answer, shows_registry};
use super::call::Call;
use super::failure::{Attempt, AttemptError, MayRepeat};
use super::known_login::LoginVerdict;
use super::registry::{RegistryState, Told};
use super::request::{Access, Payload, Request, Target};
use crate::address::AddressClass;
use crate::auth::Authorization;
use crate::http::warning::warnings;
use crate::http::{Content, RateLimit, WireRequest};
use crate::policy::redirect;
use crate::policy::retry::is_retryable_status;
use crate::transport::{
    AddressPolicy, ExchangeContext, Failure, Pooling, Response, Seen, WireError,
};
use crate::url::{Origin, Scheme, Url};

/// How much of a redirect's body is read to keep its connection.
const MAX_REDIRECT_BODY: u64 = 64 * 1024;

impl Call<'_> {
    /// Sends a request with this authorization, and follows the redirects it is sent on.
    pub(super) fn hop(&self, request: &Request<'_>, shown: &Authorization) -> Attempt<Answer> {
        let (url, home) = self.start_of(request)?;
        let private = self.private_fields(request, shown);
        self.follow(request, url, &home, &private)
    }

    /// Sends a request to a server that the registry has redirected it to, with a token that
    /// anybody gets there.
    pub(super) fn hop_as_guest(
        &self,
        request: &Request<'_>,
        url: Url,
        shown: &Authorization,
    ) -> Attempt<Answer> {
        let home = url.origin();
        let header = shown.header();
        let private: Vec<_> = header
            .map(|value| ("authorization", value.expose()))
            .into_iter()
            .collect();
        let answer = self.follow(request, url, &home, &private)?;
        // It is another server than the registry, whatever it answers.
        Ok(Answer {
            cross_origin: true,
            ..answer
        })
    }

    /// Sends a request to `url` and follows the redirects. `private` are the fields that only
    /// `home` may see: what has been elsewhere does not get them back.
    fn follow(
        &self,
        request: &Request<'_>,
        mut url: Url,
        home: &Origin,
        private: &[(&str, &str)],
    ) -> Attempt<Answer> {
        let mut visited = Vec::new();
        let mut cross_origin = false;
        loop {
            let origin = url.origin();
            cross_origin |= origin != *home;
            let fields = if cross_origin { &[] } else { private };
            let mut answer = self.exchange_in_turn(request, url, &origin, fields)?;
            answer.cross_origin = cross_origin;
            if !redirect::is_redirect(answer.status) {
                return Ok(answer);
            }
            let (status, here) = (answer.status, answer.url.clone());
            visited.push(here.clone());
            let next = self.next_url(request, &visited, answer.headers.get("location"));
            // Only to give the connection back; what it says does not matter.
            let _ = answer.read_to_limit(MAX_REDIRECT_BODY);
            url = next.map_err(|refused| {
                AttemptError::fatal(self.subject().bad_redirect(&here, status, refused))
            })?;
        }
    }

    /// The first URL, and the origin whose word the answer should be.
    fn start_of(&self, request: &Request<'_>) -> Attempt<(Url, Origin)> {
        let own = &self.state.origin;
        match &request.target {
            Target::Path(path) => match Url::on(own, path) {
                Ok(url) => Ok((url, own.clone())),
                Err(bad) => Err(AttemptError::fatal(self.subject().bad_target(bad))),
            },
            Target::Answered(url)
                if own.scheme() == Scheme::Https && url.scheme() == Scheme::Http =>
            {
                Err(AttemptError::fatal(self.subject().downgraded_target(url)))
            }
            Target::Answered(url) => Ok((url.clone(), own.clone())),
            Target::TokenService(url) => Ok((url.clone(), url.origin())),
        }
    }

    /// The fields that nobody but the origin that is asked may see.
    fn private_fields<'r>(
        &'r self,
        request: &'r Request<'_>,
        shown: &'r Authorization,
    ) -> Vec<(&'r str, &'r str)> {
        let mut fields = Vec::new();
        if !matches!(request.target, Target::TokenService(_)) {
            let own = self.state.headers.iter();
            fields.extend(own.map(|(name, value)| (name.as_str(), value.expose())));
        }
        let authorization = match &request.access {
            Access::Given(value) => Some(*value),
            Access::Unasked | Access::Scopes(_) | Access::Offered(_) => shown.header(),
        };
        fields.extend(authorization.map(|value| ("authorization", value.expose())));
        fields
    }

    /// One exchange, when its server takes requests. The registry's own gate was passed already,
    /// but a redirect or a token request may lead to another server that has limited requests.
    fn exchange_in_turn(
        &self,
        request: &Request<'_>,
        url: Url,
        origin: &Origin,
        private: &[(&str, &str)],
    ) -> Attempt<Answer> {
        let Some(gate) = self.state.foreign_gate(origin) else {
            return self.exchange(request, url, origin, private);
        };
        let passage = self.pass_gate(&gate, origin).map_err(AttemptError::fatal)?;
        let answer = self.exchange(request, url, origin, private)?;
        if !is_retryable_status(answer.status) {
            passage.answered();
        }
        Ok(answer)
    }

    /// One exchange. A pooled connection that is no good any more costs one silent repeat.
    fn exchange(
        &self,
        request: &Request<'_>,
        url: Url,
        origin: &Origin,
        private: &[(&str, &str)],
    ) -> Attempt<Answer> {
        let connections = self.state.connections(origin);
        let started = Instant::now();
        let mut pooling = request.payload.pooling();
        let mut message = self.message(request, url, private)?;
        let (result, seen) = loop {
            let context = self.context(&message, pooling);
            let result = connections.exchange(&mut message, &context);
            let seen = context.seen();
            match &result {
                Err(error) if is_stale(error, &seen) && request.repeat.allows(seen.sent) => {
                    // The old reader ends first: a source may have but one.
                    message.content = Content::Nothing;
                    match content(&request.payload) {
                        Ok(again) => message.content = again,
                        Err(_) => break (result, seen),
                    }
                    pooling = Pooling::Replace;
                }
                _ => break (result, seen),
            }
        };
        let WireRequest { method, url, .. } = message;
        let took = started.elapsed().as_millis();
        match result {
            Ok(response) => {
                let status = response.status;
                log::debug!(
                    "{} {} -> {status} in {took} ms",
                    method.as_str(),
                    self.shown_url(request, &url)
                );
                if *origin == self.state.origin {
                    self.learn(&response, &seen);
                }
                self.refuse_encoding(answer(url, response))
            }
            Err(error) => {
                log::debug!(
                    "{} {} -> {error} after {took} ms",
                    method.as_str(),
                    self.shown_url(request, &url)
                );
                let repeat = MayRepeat::from(request.repeat.allows(seen.sent));
                Err(Box::new(AttemptError::Wire { url, error, repeat }))
            }
        }
    }

    /// The request as it goes over the wire.
    fn message<'r>(
        &'r self,
        request: &'r Request<'_>,
        url: Url,
        private: &[(&'r str, &'r str)],
    ) -> Attempt<WireRequest<'r>> {
        let mut headers: Vec<(&str, Cow<'_, str>)> = vec![
            (
                "user-agent",
                Cow::Borrowed(&self.client.settings.user_agent),
            ),
            ("accept", Cow::Borrowed(&request.accept)),
            // A digest is over the bytes as they are stored.
            ("accept-encoding", Cow::Borrowed("identity")),
        ];
        let borrowed = private.iter();
        headers.extend(borrowed.map(|(name, value)| (*name, Cow::Borrowed(*value))));
        let fields = request.fields.iter();
        headers.extend(fields.map(|(name, value)| (*name, Cow::Borrowed(value.as_ref()))));
        if let Payload::Secret(_) = request.payload {
            let form = Cow::Borrowed("application/x-www-form-urlencoded");
            headers.push(("content-type", form));
        }
        Ok(WireRequest {
            method: request.method,
            url,
            headers,
            content: content(&request.payload)?,
        })
    }

    fn context(&self, message: &WireRequest<'_>, pooling: Pooling) -> Arc<ExchangeContext> {
        let settings = &self.client.settings;
        let mut context = ExchangeContext::new(
            self.interrupt.clone(),
            settings.connect_timeout,
            settings.idle_timeout,
        );
        context.pooling = pooling;
        context.head_bytes = message.head_bytes();
        context.address_policy = address_policy(&self.state, &message.url);
        Arc::new(context)
    }

    /// Where a redirect leads from the last of `visited`, by the rules of `policy/redirect.rs` and
    /// by the request's own policy.
    fn next_url(
        &self,
        request: &Request<'_>,
        visited: &[Url],
        location: Option<&str>,
    ) -> Result<Url, redirect::Refused> {
        let next = redirect::follow(visited, location)?;
        match visited.first() {
            Some(first) if !request.redirects.allows(first, &next) => {
                let host = self.subject().host(&next.origin());
                let origin = format!("{}://{host}", next.scheme());
                Err(redirect::Refused::elsewhere(&origin))
            }
            _ => Ok(next),
        }
    }

    /// A URL for a record. What the request itself asks for is the caller's word; all other URLs
    /// come from servers.
    fn shown_url(&self, request: &Request<'_>, url: &Url) -> String {
        let text = url.to_string();
        let is_own = url.origin() == self.state.origin
            && matches!(&request.target, Target::Path(path) if *path == url.target());
        match is_own {
            true => text,
            false => self.subject().redactor().hide(&text).into_owned(),
        }
    }

    /// Takes down what an answer of the registry itself teaches.
    fn learn(&self, response: &Response, seen: &Seen) {
        let (state, redactor) = (&self.state, self.subject().redactor());
        let warnings = warnings(&response.headers, &redactor);
        // Before the lock: a program's logger may ask what is known of the registry.
        for warning in &warnings {
            log::warn!("{} warns: {warning}", state.origin);
        }
        state.saw_answer(Told {
            reached: seen.peer,
            shows_registry: shows_registry(response.status, &response.headers),
            rate_limit: RateLimit::from_headers(&response.headers, &redactor),
            warnings,
        });
    }

    /// Nothing encoded is accepted, since identity was asked for and a digest is over the bytes as
    /// they are stored. The body of an error is only shown, and may be anything.
    fn refuse_encoding(&self, answer: Answer) -> Attempt<Answer> {
        let encoding = answer.headers.get("content-encoding").unwrap_or_default();
        let encoding = encoding.trim();
        if !answer.is_success() || encoding.is_empty() || encoding.eq_ignore_ascii_case("identity")
        {
            return Ok(answer);
        }
        Err(AttemptError::fatal(
            self.subject().encoded(&answer, encoding),
        ))
    }
}

/// Opens the payload for one exchange.
fn content<'r>(payload: &'r Payload<'_>) -> Attempt<Content<'r>> {
    Ok(match payload {
        Payload::Nothing => Content::Nothing,
        Payload::Bytes(bytes) => Content::Bytes(bytes),
        Payload::Secret(form) => Content::Bytes(form.expose().as_bytes()),
        Payload::Source(source) => Content::Stream {
            reader: source
                .open(0)
                .map_err(|error| Box::new(AttemptError::Source(error)))?,
            length: source.size(),
        },
    })
}

/// Whether a pooled connection was no good: the server has closed it before this request reached
/// it, or something else than an answer was in it.
fn is_stale(error: &WireError, seen: &Seen) -> bool {
    let closed = !seen.answered && matches!(error.failure, Failure::Disconnected { .. });
    seen.reused && (closed || error.is_unreadable_answer())
}

fn answer(url: Url, response: Response) -> Answer {
    Answer {
        url,
        cross_origin: false,
        shown: Authorization::None,
        login: LoginVerdict::default(),
        status: response.status,
        headers: response.headers,
        body: response.body,
    }
}

/// Where a request may go: anywhere that the caller has named, and elsewhere no further inside than
/// the registry's own class of address. Else a registry could have its client ask hosts that only
/// the client can reach.
fn address_policy(state: &RegistryState, url: &Url) -> AddressPolicy {
    let mut trusted = state.trusted_realms.iter();
    let vouched = trusted.any(|host| host.eq_ignore_ascii_case(url.host()));
    if vouched || url.origin() == state.origin {
        return AddressPolicy::Registry;
    }
    // Before the registry was ever reached nothing can have named another place; Public is the
    // strictest.
    let registry = state.reached().unwrap_or(AddressClass::Public);
    if url.host() == state.origin.host() {
        AddressPolicy::OwnHost { registry }
    } else {
        AddressPolicy::Elsewhere { registry }
    }
}
