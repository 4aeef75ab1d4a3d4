//! The only loop that sends requests: exchange, redirect, retry.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::answer::{Answer, Complete, shows_registry};
use super::call::Call;
use super::flights::Asker;
use super::mission::Mission;
use super::origins::{AtGate, RegistryState};
use crate::address::AddressClass;
use crate::auth::{Authorization, Scope};
use crate::error::{Error, ErrorKind, printable};
use crate::http::warning::warnings;
use crate::http::{Content, Method, RateLimit, Request};
use crate::interrupt::Stopped;
use crate::policy::redirect;
use crate::policy::retry::{MAX_RETRY_AFTER, is_retryable_status};
use crate::transport::{
    AddressPolicy, ExchangeContext, Failure, Phase, Pooling, Response, WireError,
};
use crate::url::Url;

/// How often a request looks whether the one that went first through the gate has come back.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// The longest that a registry is left alone for one answer of its: a slip of its clock should not
/// end a long-lived client.
const LONGEST_BELIEVED: Duration = Duration::from_secs(60 * 60);
/// How much of a redirect's body is read to keep its connection.
const MAX_REDIRECT_BODY: u64 = 64 * 1024;

/// What an endpoint asks of its registry.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) target: Cow<'a, str>,
    pub(crate) accept: Cow<'static, str>,
    pub(crate) access: Access,
}

/// What a request does about authentication.
#[derive(Debug)]
pub(crate) enum Access {
    /// Nothing: a 401 is an answer like any other.
    Unasked,
    /// Whatever the registry wants; a token has to allow these.
    Scopes(Vec<Scope>),
}

impl Ask<'_> {
    /// `GET /v2/`.
    pub(crate) fn ping(access: Access) -> Ask<'static> {
        Ask {
            method: Method::Get,
            target: Cow::Borrowed("/v2/"),
            accept: Cow::Borrowed("application/json"),
            access,
        }
    }
}

/// Why an answer could not be read.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// The connection failed: the request may be repeated.
    Wire(WireError),
    /// The answer is no good, and would not be the next time.
    Answer(Error),
}

impl From<WireError> for ReadError {
    fn from(error: WireError) -> ReadError {
        ReadError::Wire(error)
    }
}

impl From<Error> for ReadError {
    fn from(error: Error) -> ReadError {
        ReadError::Answer(error)
    }
}

/// What stands in the way of an answer.
pub(super) enum Trouble {
    Wire(Url, WireError),
    Status(Complete),
    Final(Error),
    /// The token service said no to what was asked of it.
    TokenRefused(Error),
}

impl Trouble {
    pub(super) fn token_refused(error: Error) -> Box<Trouble> {
        Box::new(Trouble::TokenRefused(error))
    }

    /// One that asking again would not help.
    pub(super) fn fatal(error: Error) -> Box<Trouble> {
        Box::new(Trouble::Final(error))
    }
}

impl Call<'_> {
    /// Sends `ask` until an answer was read, or asking again is of no use. Any status but those
    /// worth a retry reaches `read`.
    pub(crate) fn send<T>(
        &self,
        ask: &Ask<'_>,
        read: impl FnMut(Answer) -> Result<T, ReadError>,
    ) -> Result<T, Error> {
        if let Some(error) = &self.unusable {
            return Err(error.clone().about(self.subject));
        }
        let result = self.send_until_read(ask, read);
        if result.is_err() {
            self.note_in_group(&result);
        }
        result
    }

    /// Lets the other calls of the group know how this one has ended.
    pub(crate) fn note_in_group<T>(&self, result: &Result<T, Error>) {
        if let Some(group) = self.group {
            group.note(self.registry, result);
        }
    }

    /// What another call of the group has found out in the meantime.
    fn hopeless(&self) -> Option<Error> {
        self.group?
            .hopeless(self.registry)
            .map(|error| error.about_instead(self.subject))
    }

    fn send_until_read<T>(
        &self,
        ask: &Ask<'_>,
        mut read: impl FnMut(Answer) -> Result<T, ReadError>,
    ) -> Result<T, Error> {
        let state = self.state();
        let mut made = 0;
        loop {
            let first = self.pass_gate(state)?;
            made = made.max(state.learned().gate.refusals()) + 1;
            let trouble = match self.authorized(state, ask) {
                Ok(answer) if is_retryable_status(answer.status) => *completed(answer),
                Ok(answer) => {
                    state.learned().gate.open();
                    let url = answer.url.clone();
                    match read(answer) {
                        Ok(value) => return Ok(value),
                        Err(ReadError::Answer(error)) => return Err(error),
                        Err(ReadError::Wire(error)) => Trouble::Wire(url, error),
                    }
                }
                Err(trouble) => *trouble,
            };
            let Some(delay) = self.delay_after(&trouble, made) else {
                return Err(self.error_from(trouble));
            };
            if matches!(&trouble, Trouble::Status(answer) if answer.status == 429) {
                state.learned().gate.close_for(delay);
            }
            log::debug!(
                "{}: attempt {made} failed, the next in {} ms",
                self.registry,
                delay.as_millis()
            );
            drop(first);
            self.sleep(delay)?;
        }
    }

    /// Waits while the registry has asked to be left alone (429): no other call of this client
    /// disturbs it meanwhile.
    fn pass_gate<'s>(&self, state: &'s RegistryState) -> Result<Option<First<'s>>, Error> {
        loop {
            if let Some(error) = self.hopeless() {
                return Err(error);
            }
            let found = state.learned().gate.arrive(self.asker);
            let wait = match found {
                AtGate::Open => return Ok(None),
                AtGate::GoesFirst(outer) => {
                    let first = Asker::here();
                    return Ok(Some(First {
                        state,
                        first,
                        outer,
                    }));
                }
                // Others, the first one among them perhaps, may be waiting for what the asking
                // thread has under way.
                AtGate::OtherWentFirst if state.flights.has_pilot(self.asker) => return Ok(None),
                AtGate::OtherWentFirst => LOOK_AGAIN,
                AtGate::Closed(wait) => wait,
            };
            if wait > MAX_RETRY_AFTER || self.interrupt.remaining().is_some_and(|left| left <= wait)
            {
                let message = "the registry limits requests, and has asked to be left alone for longer than a call waits";
                return Err(Error::new(ErrorKind::RateLimited, message)
                    .with_retry_after(Some(wait))
                    .with_hint(format!("try again in {} s", wait.as_secs_f64().ceil()))
                    .about(self.subject));
            }
            self.sleep(wait)?;
        }
    }

    fn sleep(&self, duration: Duration) -> Result<(), Error> {
        self.interrupt
            .sleep(duration)
            .map_err(|stopped| self.stopped(stopped, "waiting to ask again"))
    }

    /// Sends a request, and follows the redirects it is sent on.
    pub(super) fn travel(
        &self,
        state: &RegistryState,
        mission: Mission<'_>,
    ) -> Result<Answer, Box<Trouble>> {
        let mut visited = Vec::new();
        let mut url = mission.url.clone();
        let mut strayed = false;
        loop {
            strayed |= url.origin() != mission.url.origin();
            let request = mission.request(self, url, strayed);
            let mut answer = self.exchange(state, request)?;
            answer.strayed = strayed;
            if !redirect::is_redirect(answer.status) {
                return Ok(answer);
            }
            let (status, here) = (answer.status, answer.url.clone());
            visited.push(here.clone());
            let next = mission.next(&visited, answer.headers.get("location"));
            // Only to give the connection back; what it says does not matter.
            let _ = answer.read_to_limit(MAX_REDIRECT_BODY);
            url = next.map_err(|refused| {
                let host = here.authority();
                let message =
                    format!("{host} answers with a redirect that is not followed (HTTP {status})");
                let error = Error::new(ErrorKind::Protocol, message).with_http_status(status);
                Trouble::fatal(error.caused_by(refused).about(self.subject))
            })?;
        }
    }

    /// One exchange. A pooled connection that the server closed in the meantime costs one silent
    /// repeat (R5).
    fn exchange(
        &self,
        state: &RegistryState,
        mut request: Request<'_>,
    ) -> Result<Answer, Box<Trouble>> {
        let origin = request.url.origin();
        let connections = state.connections(&origin);
        let started = Instant::now();
        // What is to be given once goes over a connection that can't have gone stale.
        let pooling = if !matches!(request.content, Content::Nothing) {
            Pooling::Fresh
        } else {
            Pooling::Reuse
        };
        let mut watch = self.watch(state, &request, pooling);
        let mut result = connections.exchange(&mut request, &watch);
        let stale = |error: &WireError, watch: &ExchangeContext| {
            let seen = watch.seen();
            seen.reused && !seen.answered && matches!(error.failure, Failure::Disconnected { .. })
        };
        if matches!(&result, Err(error) if stale(error, &watch)) {
            watch = self.watch(state, &request, Pooling::Fresh);
            result = connections.exchange(&mut request, &watch);
        }
        let Request { method, url, .. } = request;
        let took = started.elapsed().as_millis();
        match result {
            Ok(Response {
                status,
                headers,
                body,
            }) => {
                log::debug!("{} {url} -> {status} in {took} ms", method.as_str());
                let shown = Authorization::None;
                let answer = Answer {
                    url,
                    strayed: false,
                    shown,
                    status,
                    headers,
                    body,
                };
                if origin == state.origin {
                    note(state, &answer, &watch);
                }
                refuse_encoding(self, answer)
            }
            Err(error) => {
                log::debug!("{} {url} -> {error} after {took} ms", method.as_str());
                Err(Box::new(Trouble::Wire(url, error)))
            }
        }
    }

    fn watch(
        &self,
        state: &RegistryState,
        request: &Request<'_>,
        pooling: Pooling,
    ) -> Arc<ExchangeContext> {
        let settings = &self.client.settings;
        let mut watch = ExchangeContext::new(
            self.interrupt.clone(),
            settings.connect_timeout,
            settings.idle_timeout,
        );
        watch.pooling = pooling;
        watch.head_bytes = request.head_bytes();
        watch.address_policy = reach(state, &request.url);
        Arc::new(watch)
    }

    fn delay_after(&self, trouble: &Trouble, made: u32) -> Option<Duration> {
        let retry_after = match trouble {
            Trouble::Final(_) | Trouble::TokenRefused(_) => return None,
            Trouble::Wire(_, error) if !is_worth_repeating(error) => return None,
            Trouble::Wire(..) => None,
            Trouble::Status(refusal) => refusal.retry_after(),
        };
        self.client.settings.retry.next_delay(
            made,
            retry_after,
            self.interrupt.remaining(),
            random(),
        )
    }

    fn error_from(&self, trouble: Trouble) -> Error {
        match trouble {
            Trouble::Final(error) | Trouble::TokenRefused(error) => error,
            Trouble::Wire(url, error) => self.wire_error(&url, error),
            Trouble::Status(refusal) => {
                if refusal.status == 429 {
                    let wait = refusal
                        .retry_after()
                        .unwrap_or_default()
                        .min(LONGEST_BELIEVED);
                    self.state().learned().gate.close_for(wait);
                }
                refusal.into_error(self)
            }
        }
    }

    pub(crate) fn stopped(&self, stopped: Stopped, doing: &str) -> Error {
        stopped_error(stopped, doing).about(self.subject)
    }

    pub(super) fn wire_error(&self, url: &Url, error: WireError) -> Error {
        if let Failure::Stopped(stopped) = error.failure {
            return self.stopped(stopped, error.phase.doing());
        }
        let (kind, hint) = match &error.failure {
            Failure::Resolve { .. } => (
                ErrorKind::Resolve,
                Some("check the spelling of the host, and the network"),
            ),
            Failure::Connect if error.phase == Phase::Resolve => (ErrorKind::Resolve, None),
            Failure::Connect => (
                ErrorKind::Connect,
                Some("check the host and port, and that the registry is running"),
            ),
            Failure::AddressRefused(_) => (ErrorKind::Protocol, None),
            Failure::Tls { hint } => (ErrorKind::Tls, *hint),
            Failure::TimedOut => (
                ErrorKind::Timeout,
                Some("the registry or the network is slow or down"),
            ),
            Failure::Disconnected { .. } => (ErrorKind::Transport, Some("try again")),
            Failure::Protocol => (ErrorKind::Protocol, None),
            Failure::TooLarge => (ErrorKind::TooLarge, None),
            Failure::Source | Failure::Local => (ErrorKind::Io, None),
            Failure::Stopped(_) => (ErrorKind::Cancelled, None),
        };
        // The subject begins with the registry; another host, such as Docker Hub's API or where a
        // redirect led, has to be named.
        let (subject, authority) = (self.subject.to_string(), url.authority().to_string());
        let own = url.origin() == self.state().origin;
        let message = match subject.strip_prefix(&authority) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => error.message.clone(),
            _ if own => format!("{authority}: {}", error.message),
            _ => format!("{authority}, which the registry named: {}", error.message),
        };
        let mut result = Error::new(kind, message);
        if let Some(hint) = hint {
            result = result.with_hint(hint);
        }
        if let Some(source) = error.into_source() {
            result = result.caused_by(source);
        }
        result.about(self.subject)
    }
}

/// The request that goes first when the gate opens again. However it ends, the others do not wait
/// for it for ever.
struct First<'a> {
    state: &'a RegistryState,
    first: Asker,
    outer: Option<Asker>,
}

impl Drop for First<'_> {
    fn drop(&mut self) {
        let mut learned = self.state.learned();
        learned.gate.give_up_first(self.first, self.outer);
    }
}

/// Reads an answer that may be different next time.
fn completed(answer: Answer) -> Box<Trouble> {
    let url = answer.url.clone();
    Box::new(match answer.complete() {
        Ok(complete) => Trouble::Status(complete),
        Err(error) => Trouble::Wire(url, error),
    })
}

/// Where a request may go: anywhere that the caller named, elsewhere by the registry's own class of
/// address (S5).
fn reach(state: &RegistryState, url: &Url) -> AddressPolicy {
    let vouched = state
        .trusted_realms
        .iter()
        .any(|host| host.eq_ignore_ascii_case(url.host()));
    if vouched || url.origin() == state.origin {
        return AddressPolicy::Registry;
    }
    // Before the registry was ever reached nothing can have named another place; Public is the
    // strictest.
    let registry = state.learned().reached.unwrap_or(AddressClass::Public);
    if url.host() == state.origin.host() {
        AddressPolicy::OwnHost { registry }
    } else {
        AddressPolicy::Elsewhere { registry }
    }
}

/// The error of a call that was told to stop.
pub(super) fn stopped_error(stopped: Stopped, doing: &str) -> Error {
    match stopped {
        Stopped::Cancelled => Error::new(ErrorKind::Cancelled, format!("cancelled while {doing}")),
        Stopped::ShutDown => {
            let message = format!("the client was shut down while {doing}");
            Error::new(ErrorKind::Cancelled, message)
        }
        Stopped::Callback => Error::new(
            ErrorKind::Callback,
            format!("stopped by a callback while {doing}"),
        ),
        Stopped::Deadline => Error::new(
            ErrorKind::Timeout,
            format!("the call's time ran out while {doing}"),
        )
        .with_hint("allow it more time, or see whether the registry is slow"),
    }
}

/// Takes down what an answer of the registry itself teaches.
fn note(state: &RegistryState, answer: &Answer, watch: &ExchangeContext) {
    let rate_limit = RateLimit::from_headers(&answer.headers);
    let warnings = warnings(&answer.headers);
    // Before the lock: a program's logger may ask what is known of the registry.
    for warning in &warnings {
        log::warn!("{} warns: {warning}", state.origin);
    }
    let mut learned = state.learned();
    learned.reached = watch.seen().peer.or(learned.reached);
    if shows_registry(answer.status, &answer.headers) {
        learned.is_registry = true;
    }
    if rate_limit.is_some() {
        learned.rate_limit = rate_limit;
    }
    for warning in warnings {
        learned.warn(warning);
    }
}

/// Nothing encoded is accepted, since identity was asked for and a digest is over the bytes as
/// stored (decision 17). The body of an error is only shown, and may be anything.
fn refuse_encoding(call: &Call<'_>, answer: Answer) -> Result<Answer, Box<Trouble>> {
    let encoding = answer
        .headers
        .get("content-encoding")
        .unwrap_or("identity")
        .trim();
    if !answer.is_success() || encoding.is_empty() || encoding.eq_ignore_ascii_case("identity") {
        return Ok(answer);
    }
    let host = answer.url.authority();
    let message = format!(
        "{host} answers with Content-Encoding {} although identity was asked for",
        printable(encoding, 40)
    );
    let error = Error::new(ErrorKind::Protocol, message)
        .with_hint("a proxy in between compresses; have it pass registry answers as they are")
        .with_http_status(answer.status);
    Err(Box::new(Trouble::Final(error.about(call.subject))))
}

/// Reads and lookups can be repeated as long as nothing was decided: no connection, or one that
/// broke.
fn is_worth_repeating(error: &WireError) -> bool {
    match error.failure {
        Failure::Resolve { transient } => transient,
        Failure::Connect | Failure::Disconnected { .. } => true,
        Failure::TimedOut => matches!(error.phase, Phase::Resolve | Phase::Connect | Phase::Tls),
        _ => false,
    }
}

/// Spreads retries; not for anything that has to be unpredictable.
fn random() -> f64 {
    let bits = RandomState::new().hash_one(0u8) >> 11;
    bits as f64 / (1u64 << 53) as f64
}
