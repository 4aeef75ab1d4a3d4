//! Why one attempt failed, and how a failure becomes an [`Error`].
//!
//! Every error of a request is made by a [`Subject`], so that each names its registry and what it
//! was about, keeps its cause and says what the caller can do. What a server refuses becomes an
//! error in `refusal.rs`.

use std::fmt;
use std::io;
use std::time::Duration;

use super::answer::{Answer, Complete};
use super::request::Request;
use crate::error::{Error, ErrorKind};
use crate::interrupt::Stopped;
use crate::policy::redirect;
use crate::redact::{Redactor, Secrets};
use crate::reference::Registry;
use crate::transport::{Failure, Phase, WireError};
use crate::url::{BadUrl, Origin, Url};

/// Why one attempt got no answer that counts.
#[derive(Debug)]
pub(super) enum AttemptError {
    /// No answer came, or not all of it.
    Wire {
        url: Url,
        error: WireError,
        repeat: MayRepeat,
    },
    /// An answer that may be different next time.
    Status { answer: Complete, repeat: MayRepeat },
    /// The payload could not be opened.
    Source(io::Error),
    /// An attempt more would end in the same way.
    Final(Error),
    /// The token service has refused what was asked of it.
    TokenRefused(Error),
}

/// What came of one attempt.
pub(super) type Attempt<T> = Result<T, Box<AttemptError>>;

/// Whether the request that failed may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MayRepeat {
    Yes,
    No,
}

impl From<bool> for MayRepeat {
    fn from(may: bool) -> MayRepeat {
        match may {
            true => MayRepeat::Yes,
            false => MayRepeat::No,
        }
    }
}

impl AttemptError {
    pub(super) fn token_refused(error: Error) -> Box<AttemptError> {
        Box::new(AttemptError::TokenRefused(error))
    }

    /// An answer that may be different next time, read to its end.
    pub(super) fn after(request: &Request<'_>, answer: Answer) -> AttemptError {
        let (url, status) = (answer.url.clone(), answer.status);
        let repeat = MayRepeat::from(request.repeat.allows_after(status));
        match answer.complete() {
            Ok(answer) => AttemptError::Status { answer, repeat },
            Err(error) => AttemptError::Wire { url, error, repeat },
        }
    }

    pub(super) fn fatal(error: Error) -> Box<AttemptError> {
        Box::new(AttemptError::Final(error))
    }

    /// Whether the request must not be sent again.
    pub(super) fn is_final(&self) -> bool {
        match self {
            AttemptError::Wire { repeat, .. } | AttemptError::Status { repeat, .. } => {
                *repeat == MayRepeat::No
            }
            AttemptError::Source(_) | AttemptError::Final(_) | AttemptError::TokenRefused(_) => {
                true
            }
        }
    }

    /// Whether another attempt may help, and may be made.
    pub(super) fn is_worth_repeating(&self) -> bool {
        match self {
            AttemptError::Wire { error, repeat, .. } => {
                *repeat == MayRepeat::Yes && may_pass(error)
            }
            AttemptError::Status { repeat, .. } => *repeat == MayRepeat::Yes,
            AttemptError::Source(_) | AttemptError::Final(_) | AttemptError::TokenRefused(_) => {
                false
            }
        }
    }

    /// How long the server asks to wait.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            AttemptError::Status { answer, .. } => answer.retry_after(),
            _ => None,
        }
    }

    /// Whether no connection to `origin` could be made.
    pub(super) fn is_no_connection_to(&self, origin: &Origin) -> bool {
        let AttemptError::Wire { url, error, .. } = self else {
            return false;
        };
        let no_connection = matches!(
            error.failure,
            Failure::Resolve { .. } | Failure::Connect | Failure::Tls { .. }
        );
        no_connection && url.origin() == *origin
    }

    /// The server that limits requests, if that is why.
    pub(super) fn limiting_origin(&self) -> Option<Origin> {
        match self {
            AttemptError::Status { answer, .. } if answer.status == 429 => {
                Some(answer.url.origin())
            }
            _ => None,
        }
    }
}

/// No connection, or one that broke: nothing was decided.
fn may_pass(error: &WireError) -> bool {
    match error.failure {
        Failure::Resolve { transient } => transient,
        Failure::Connect | Failure::Disconnected { .. } => true,
        Failure::TimedOut => matches!(error.phase, Phase::Resolve | Phase::Connect | Phase::Tls),
        _ => false,
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

/// The error of a call that was told to stop.
pub(super) fn stopped_error(stopped: Stopped, doing: &str) -> Error {
    let (kind, message) = match stopped {
        Stopped::Cancelled => (ErrorKind::Cancelled, format!("cancelled while {doing}")),
        Stopped::ShutDown => (
            ErrorKind::Cancelled,
            format!("the client was shut down while {doing}"),
        ),
        Stopped::Callback => (
            ErrorKind::Callback,
            format!("stopped by a callback while {doing}"),
        ),
        Stopped::Deadline => (
            ErrorKind::Timeout,
            format!("the call's time ran out while {doing}"),
        ),
    };
    let error = Error::new(kind, message);
    match stopped {
        Stopped::Deadline => {
            error.with_hint("allow it more time, or see whether the registry is slow")
        }
        _ => error,
    }
}

/// What the errors of a call are about.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(super) registry: &'a Registry,
    /// The registry's own server.
    pub(super) origin: &'a Origin,
    /// Who knows what must not be shown, whichever server repeats it.
    pub(super) secrets: &'a dyn Secrets,
    /// What errors name: a registry, repository or reference.
    pub(super) about: &'a dyn fmt::Display,
    /// Whether the caller has given a login for the registry.
    pub(super) has_login: bool,
}

impl<'a> Subject<'a> {
    /// What text of its servers is shown through.
    pub(crate) fn redactor(self) -> Redactor<'a> {
        Redactor::new(self.secrets)
    }

    /// The host of a server, and its port. The registry's own host is a word of the caller's;
    /// others were named by a server.
    pub(super) fn host(self, origin: &Origin) -> String {
        let authority = origin.authority().to_string();
        match origin.host() == self.origin.host() {
            true => authority,
            false => self.redactor().hide(&authority).into_owned(),
        }
    }

    pub(super) fn error(self, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::new(kind, message).about(self.about)
    }

    pub(crate) fn stopped(self, stopped: Stopped, doing: &str) -> Error {
        stopped_error(stopped, doing).about(self.about)
    }

    /// The error of an exchange with `url` that failed.
    pub(super) fn wire(self, url: &Url, error: WireError) -> Error {
        if let Failure::Stopped(stopped) = error.failure {
            return self.stopped(stopped, error.phase.doing());
        }
        let (kind, hint) = kind_of(&error);
        // The subject begins with the registry; another host, such as Docker Hub's API or where a
        // redirect led, has to be named.
        let (about, authority) = (self.about.to_string(), self.host(&url.origin()));
        let message = match about.strip_prefix(&authority) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => error.message.clone(),
            _ if url.origin() == *self.origin => format!("{authority}: {}", error.message),
            _ => format!("{authority}, which the registry named: {}", error.message),
        };
        let mut result = self.error(kind, message);
        if let Some(hint) = hint {
            result = result.with_hint(hint);
        }
        match error.into_source() {
            Some(source) => result.caused_by(self.redactor().cause(source)),
            None => result,
        }
    }

    /// The error of a target that is no URL.
    pub(super) fn bad_target(self, bad: BadUrl) -> Error {
        self.error(ErrorKind::Protocol, "the request can't be put into a URL")
            .caused_by(bad)
    }

    /// The error of an answer that leads from https to http, where others could read what is sent.
    pub(super) fn downgraded_target(self, url: &Url) -> Error {
        let host = self.host(&url.origin());
        let message = format!("the registry leads to {host} by http, which is not followed");
        self.error(ErrorKind::Protocol, message)
    }

    /// The error of a redirect that is not followed, which came from `here`.
    pub(super) fn bad_redirect(self, here: &Url, status: u16, refused: redirect::Refused) -> Error {
        let host = self.host(&here.origin());
        let message =
            format!("{host} answers with a redirect that is not followed (HTTP {status})");
        self.error(ErrorKind::Protocol, message)
            .with_http_status(status)
            .caused_by(refused)
    }

    /// The error of an answer whose body is encoded.
    pub(super) fn encoded(self, answer: &Answer, encoding: &str) -> Error {
        let message = format!(
            "{} answers with Content-Encoding {} although identity was asked for",
            self.host(&answer.url.origin()),
            self.redactor().shown(encoding, 40)
        );
        self.error(ErrorKind::Protocol, message)
            .with_hint("a proxy in between compresses; have it pass registry answers as they are")
            .with_http_status(answer.status)
    }

    /// The error of a server that wants to be left alone for longer than a call waits.
    pub(super) fn limited_for(self, origin: &Origin, wait: Duration) -> Error {
        let who = match origin == self.origin {
            true => "the registry".to_owned(),
            false => format!("{}, which the registry named,", self.host(origin)),
        };
        let message = format!(
            "{who} limits requests, and has asked to be left alone for longer than a call waits"
        );
        self.error(ErrorKind::RateLimited, message)
            .with_retry_after(Some(wait))
            .with_hint(format!("try again in {} s", wait.as_secs_f64().ceil()))
    }

    /// The error of a server at `origin` that does not answer like a registry.
    pub(crate) fn no_registry(self, origin: &Origin, status: u16) -> Error {
        let authority = self.host(origin);
        let message = format!("{authority} does not answer like a registry (HTTP {status})");
        self.error(ErrorKind::Protocol, message)
            .with_http_status(status)
            .with_hint("check the host and port: something else answers there")
    }
}

/// The kind of a wire failure, and what the caller can do.
fn kind_of(error: &WireError) -> (ErrorKind, Option<&'static str>) {
    match &error.failure {
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
    }
}
