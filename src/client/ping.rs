//! Is there a registry (distribution spec, "Determining support"): `GET /v2/`.

use super::answer::Complete;
use super::call::Call;
use super::handle::Client;
use super::meaning::{About, Meaning};
use super::request::{Access, Repeat, Request};
use crate::auth::challenge::{ChallengeScheme, parse_challenges};
use crate::error::{Error, Result};
use crate::http::{Headers, Method};
use crate::redact::Redactor;
use crate::reference::Registry;

/// A registry's answer to [`Client::ping`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ping {
    /// How the registry wants to be asked.
    pub auth: AuthScheme,
}

/// How a registry wants its users to identify themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthScheme {
    /// Not at all.
    Anonymous,
    /// With user and password (RFC 7617).
    Basic,
    /// With a token from its token service (RFC 6750, distribution's token specification).
    Bearer,
    /// In a way that this library does not know; holds the scheme's name.
    Other(String),
}

impl Client {
    /// Asks whether there is a registry, and how it wants to be asked. One request.
    ///
    /// Nothing else needs a ping: every call sends its real request at once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) where something answers that is no
    /// registry, and the failures of any request.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), ocireg::Error> {
    /// let ping = ocireg::Client::new()?.ping(&"localhost:5000".parse()?)?;
    /// println!("{:?}", ping.auth);
    /// # Ok(())
    /// # }
    /// ```
    pub fn ping(&self, registry: &Registry) -> Result<Ping> {
        let call = self.call(registry, registry);
        let answer = call.ping()?;
        let verdict = Verdict::of(&answer, &call.subject().redactor());
        call.note_verdict(&verdict);
        match verdict {
            Verdict::Open => Ok(Ping {
                auth: AuthScheme::Anonymous,
            }),
            Verdict::Challenges(auth) => Ok(Ping { auth }),
            Verdict::Other if matches!(answer.status, 200..=299 | 404) => {
                Err(call.no_registry_here(answer.status))
            }
            Verdict::Other => Err(call.refusal(answer)),
        }
    }
}

/// What an answer to `GET /v2/` says.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Open,
    Challenges(AuthScheme),
    /// Nothing that a registry says.
    Other,
}

impl Verdict {
    fn of(answer: &Complete, redactor: &Redactor<'_>) -> Verdict {
        match answer.status {
            // Where a redirect has led elsewhere, it is not this registry that answers.
            _ if answer.cross_origin => Verdict::Other,
            200 if answer.is_open_ping() => Verdict::Open,
            401 => offered(&answer.headers, redactor).map_or(Verdict::Other, Verdict::Challenges),
            _ => Verdict::Other,
        }
    }
}

/// How much of an unknown scheme's name is kept.
const MAX_SCHEME: usize = 40;

/// The scheme that the library would use: Bearer before Basic.
fn offered(headers: &Headers, redactor: &Redactor<'_>) -> Option<AuthScheme> {
    let challenges = parse_challenges(headers.get_all("www-authenticate")).list;
    let has = |scheme: &ChallengeScheme| {
        challenges
            .iter()
            .any(|challenge| challenge.scheme == *scheme)
    };
    if has(&ChallengeScheme::Bearer) {
        return Some(AuthScheme::Bearer);
    }
    if has(&ChallengeScheme::Basic) {
        return Some(AuthScheme::Basic);
    }
    match &challenges.first()?.scheme {
        scheme @ ChallengeScheme::Other(_) => {
            Some(AuthScheme::Other(scheme.shown(redactor, MAX_SCHEME)))
        }
        ChallengeScheme::Bearer | ChallengeScheme::Basic => None,
    }
}

impl Call<'_> {
    fn ping(&self) -> Result<Complete> {
        let request = Request::ping(Access::Unasked);
        self.send(&request, |answer| Ok(answer.complete()?))
    }

    /// One request, to see whether the registry's server answers at the moment: an answer of any
    /// meaning, but not that it has failed.
    pub(super) fn ping_once(&self) -> Result<()> {
        let request = Request {
            repeat: Repeat::Never,
            ..Request::ping(Access::Unasked)
        };
        let answer = self.send(&request, |answer| Ok(answer.complete()?))?;
        match answer.status {
            500.. => Err(self.refusal(answer)),
            _ => Ok(()),
        }
    }

    /// Whether this is a registry, as far as is known now. What has shown to be one stays one,
    /// whatever a proxy in front of it says to a ping.
    fn note_verdict(&self, verdict: &Verdict) {
        match verdict {
            Verdict::Other => self.state().saw_no_registry(),
            _ => self.state().saw_registry(),
        }
    }

    /// The error of a "not found" about the registry itself: that there is no registry, where
    /// `GET /v2/` shows so. One request where that is not known yet, and the answer is remembered.
    /// What a registry has is never decided so: a default backend may answer for the one path and a
    /// registry for the other.
    pub(crate) fn confirm_registry(&self, not_found: Error) -> Error {
        if self.state().is_registry() {
            return not_found;
        }
        let status = not_found.http_status().unwrap_or_default();
        if self.state().was_no_registry_lately() {
            return self.no_registry_here(status);
        }
        let answer = match self.ping() {
            Ok(answer) => answer,
            Err(error) => return error,
        };
        let verdict = Verdict::of(&answer, &self.subject().redactor());
        self.note_verdict(&verdict);
        match verdict {
            Verdict::Other => self.no_registry_here(status),
            _ => not_found,
        }
    }

    /// The error of an answer about the registry itself.
    pub(super) fn refusal(&self, answer: Complete) -> Error {
        let meaning = Meaning::of(&answer, &self.asked(Method::Get, About::Registry));
        self.subject().refusal_as(answer, meaning)
    }

    /// The error of a registry's own server that does not answer like one.
    fn no_registry_here(&self, status: u16) -> Error {
        self.subject().no_registry(&self.state().origin, status)
    }

    /// Fails where a 200 to a ping is not a registry's.
    pub(super) fn expect_registry(&self, answer: &Complete) -> Result<()> {
        match Verdict::of(answer, &self.subject().redactor()) {
            Verdict::Open => Ok(()),
            _ => Err(self.no_registry_here(answer.status)),
        }
    }
}
