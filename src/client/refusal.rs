//! What a server's refusal means: its status, its challenges and its own words become an [`Error`].

use super::answer::{Answer, Complete, challenges, is_page};
use super::failure::{AttemptError, Subject};
use super::known_login::LoginVerdict;
use super::meaning::{Asked, Meaning, is_artifactory};
use crate::auth::{Authorization, BadService, Downgrade, Service, TokenLogin};
use crate::error::{Error, ErrorKind, RegistryError, printable};
use crate::http::{Malformed, RateLimit};
use crate::redact::Redactor;

/// Refusals: what a registry's answer means.
impl Subject<'_> {
    /// The error of a failed attempt after which there is no other.
    pub(super) fn attempt(self, failure: AttemptError) -> Error {
        match failure {
            AttemptError::Final(error) | AttemptError::TokenRefused(error) => error,
            AttemptError::Wire { url, error, .. } => self.wire(&url, error),
            AttemptError::Status { answer, .. } => self.refusal(answer),
            AttemptError::Source(error) => self
                .error(ErrorKind::Io, "the data to send can't be read")
                .caused_by(error),
        }
    }

    /// The error that this answer is, to a question about the registry itself.
    pub(crate) fn refusal(self, answer: Complete) -> Error {
        let meaning = Meaning::of(&answer, &Asked::registry());
        self.refusal_as(answer, meaning)
    }

    /// The error that this answer is. The one place where a registry's status becomes an error.
    /// `meaning` is what a 401, 403 or 404 says.
    pub(crate) fn refusal_as(self, answer: Complete, meaning: Meaning) -> Error {
        if answer.is_tls_port() {
            let message = "asked over http, but the server speaks TLS here";
            return self
                .error(ErrorKind::Tls, message)
                .with_hint("use https for this registry (--https, or https)")
                .with_http_status(answer.status);
        }
        // Some registries hide behind a 404 what they would show to a login.
        if let (401 | 403 | 404, Some(service)) = (answer.status, answer.withheld_from()) {
            return self.withheld(service).with_http_status(answer.status);
        }
        let (kind, what, hint) = self.verdict(&answer, meaning);
        let (host, redactor) = (self.host(&answer.url.origin()), self.redactor());
        let mut message = format!("{host} {what} (HTTP {})", answer.status);
        if answer.status == 401 {
            message.push_str(&challenge_text(&answer, &redactor));
        }
        let registry_errors = answer.registry_errors(&redactor);
        message.push_str(&words_of(&registry_errors));
        let retry_after = answer.retry_after();
        let error = self
            .error(kind, message)
            .with_http_status(answer.status)
            .with_registry_errors(registry_errors)
            .with_retry_after(retry_after)
            .with_rate_limit(RateLimit::from_headers(&answer.headers, &redactor));
        match (hint, retry_after) {
            (Some(hint), _) => error.with_hint(hint),
            (None, Some(wait)) => {
                error.with_hint(format!("try again in {} s", wait.as_secs_f64().ceil()))
            }
            (None, None) => error,
        }
    }

    /// Kind, what the host does, and what the caller can do.
    fn verdict(self, answer: &Complete, meaning: Meaning) -> Verdict {
        match answer.status {
            401 | 403 => self.verdict_of_refusal(answer, meaning),
            404 => self.verdict_of_404(answer, meaning),
            status => verdict_of_status(status),
        }
    }

    fn verdict_of_404(self, answer: &Complete, meaning: Meaning) -> Verdict {
        let (kind, what, hint) = match meaning {
            Meaning::Absent => (ErrorKind::NotFound, "answers: not found", None),
            Meaning::Denied => (
                ErrorKind::Denied,
                "answers that it refuses this",
                Some(HIDDEN),
            ),
            Meaning::OtherType => (
                ErrorKind::Unsupported,
                "has it in a media type that was not asked for",
                Some("add the media type to those accepted"),
            ),
            Meaning::Open | Meaning::Nothing if answer.is_marked() => (
                ErrorKind::Protocol,
                "does not say that this is missing",
                Some(IN_BETWEEN),
            ),
            Meaning::Open | Meaning::Nothing => (
                ErrorKind::Protocol,
                "does not answer like a registry",
                Some(self.hint_about_page(answer)),
            ),
        };
        (kind, what, hint.map(str::to_owned))
    }

    /// What to do where something answers 404 in the place of a registry.
    fn hint_about_page(self, answer: &Complete) -> &'static str {
        let about = self.about.to_string();
        let is_one_part = about
            .strip_prefix("quay.io/")
            .is_some_and(|name| !name.contains('/'));
        match answer.cross_origin {
            true => "the registry redirects there",
            false if is_one_part => "quay.io needs namespace/name",
            false => {
                "check the host and port: something else answers there, or in front of the registry"
            }
        }
    }

    /// As [`verdict`](Subject::verdict), of a 401 or 403.
    fn verdict_of_refusal(self, answer: &Complete, meaning: Meaning) -> Verdict {
        if answer.cross_origin {
            let what = "refuses; the registry redirects there, and credentials do not follow";
            return (ErrorKind::Protocol, what, None);
        }
        let (kind, what, hint) = match (answer.status, &answer.shown) {
            _ if meaning != Meaning::Denied && is_page(&answer.headers) => (
                ErrorKind::Protocol,
                "refuses with a page that no registry sends",
                Some(IN_BETWEEN),
            ),
            _ if meaning != Meaning::Denied => (
                ErrorKind::Protocol,
                "refuses in a way in which no registry does",
                Some(IN_BETWEEN),
            ),
            (401, Authorization::Basic(_)) if answer.login != LoginVerdict::Good => (
                ErrorKind::Unauthorized,
                "refuses the user name and password",
                Some(CREDENTIALS),
            ),
            (401, Authorization::Bearer(_)) if !answer.lacks_scope() => (
                ErrorKind::Unauthorized,
                "refuses the token",
                Some(CREDENTIALS),
            ),
            (401, Authorization::None) => {
                let hint = self.hint_about_login();
                return (ErrorKind::Denied, "refuses, and asks for a login", hint);
            }
            (403, _) if is_artifactory(&answer.headers) => {
                (ErrorKind::Denied, "refuses this", Some(VIRTUAL))
            }
            _ => (ErrorKind::Denied, "refuses this", Some(HIDDEN)),
        };
        (kind, what, hint.map(str::to_owned))
    }

    fn hint_about_login(self) -> Option<String> {
        let registry = self.registry;
        (!self.has_login).then(|| format!("asks for a login; none is given for {registry}"))
    }
}

/// Logins: what a challenge or a token service's answer means.
impl Subject<'_> {
    /// The error of an answer whose challenges can't be read.
    pub(super) fn bad_challenge(self, answer: &Answer, malformed: Malformed) -> Error {
        let host = self.host(&answer.url.origin());
        let message = format!("{host} asks for a login in a way that can't be read");
        self.error(ErrorKind::Protocol, message)
            .caused_by(malformed.shown(&self.redactor()))
            .with_http_status(answer.status)
    }

    /// The error of a challenge whose token service can't be asked.
    pub(super) fn bad_realm(self, answer: &Answer, bad: BadService) -> Error {
        let host = self.host(&answer.url.origin());
        let what = match bad {
            BadService::Realm(_) => "is no URL",
            BadService::Name | BadService::Request => "can't be asked",
        };
        let message = format!("{host} names a token service that {what}");
        self.error(ErrorKind::Protocol, message)
            .caused_by(bad)
            .with_http_status(answer.status)
    }

    /// The error of a token service that would be asked over http for a registry of https.
    pub(super) fn downgraded(self, service: &Service, downgrade: Downgrade) -> Error {
        let origin = service.realm.origin();
        let (scheme, host) = (origin.scheme(), self.host(&origin));
        let message = format!("the token service {scheme}://{host} is not asked");
        self.error(ErrorKind::Protocol, message)
            .caused_by(downgrade)
    }

    /// The error of a token service for which no URL can be made.
    pub(super) fn unusable_service(self, service: &Service, bad: BadService) -> Error {
        let authority = self.host(&service.realm.origin());
        let message = format!("the token service {authority} can't be asked");
        self.error(ErrorKind::Protocol, message).caused_by(bad)
    }

    /// The error of a token service whose answer has no token that can be used.
    pub(super) fn bad_token(self, service: &Service, problem: &str) -> Error {
        let authority = self.host(&service.realm.origin());
        let message = format!("the token service {authority}: {problem}");
        self.error(ErrorKind::Protocol, message)
    }

    /// The registry named a token service that its credentials were not sent to.
    pub(crate) fn withheld(self, service: &Service) -> Error {
        let host = self.realm_host(service);
        let message = format!(
            "refused without the credentials, which were not sent to the token service {host}: \
             its name does not show that it belongs to the registry"
        );
        self.error(ErrorKind::Unauthorized, message)
            .with_hint(self.how_to_trust(&host))
    }

    /// The error of a login whose credentials were not sent to the token service.
    pub(super) fn withheld_login(self, service: &Service) -> Error {
        let host = self.realm_host(service);
        let message = format!(
            "the credentials were not sent to the token service {host}: its name does not show \
             that it belongs to the registry"
        );
        self.error(ErrorKind::Config, message)
            .with_hint(self.how_to_trust(&host))
    }

    /// The error of a login that the registry did not ask for.
    pub(super) fn login_unasked(self) -> Error {
        let message = "the registry answers everybody and asks for no login, so the credentials \
                       were not sent";
        let hint = "only a token of the registry itself is sent unasked (bearer, --token-stdin)";
        self.error(ErrorKind::Unsupported, message).with_hint(hint)
    }

    /// The error of a token service that gives tokens without a look at the identity token.
    pub(super) fn identity_unread(self, service: &Service) -> Error {
        let host = self.host(&service.realm.origin());
        let message = format!(
            "the token service {host} gives a token without the identity token too, so nothing \
             says that it accepts that"
        );
        self.error(ErrorKind::Unsupported, message)
            .with_hint(GIVE_PASSWORD)
    }

    fn realm_host(self, service: &Service) -> String {
        self.redactor().hide(service.realm.host()).into_owned()
    }

    fn how_to_trust(self, host: &str) -> String {
        let registry = self.registry;
        format!("if {host} is right, trust it: --trust-realm {registry}={host}, or trusted_realm")
    }

    /// The error of a registry that refuses user name and password.
    pub(super) fn basic_refused(self, answer: &Answer) -> Error {
        let (host, status) = (self.host(&answer.url.origin()), answer.status);
        let message = format!("{host} refuses the user name and password (HTTP {status})");
        self.error(ErrorKind::Unauthorized, message)
            .with_http_status(status)
            .with_hint(CREDENTIALS)
    }

    /// The error of credentials that are not sent again, after the refusal `before`.
    pub(super) fn resting(self, before: &Error) -> Error {
        let message = format!(
            "{}; the credentials are not sent again for 30 s after that",
            before.message()
        );
        let error = self
            .error(ErrorKind::Unauthorized, message)
            .with_registry_errors(before.registry_errors().to_vec());
        let error = match before.http_status() {
            Some(status) => error.with_http_status(status),
            None => error,
        };
        match before.hint() {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }

    /// The error of a registry that wants user name and password, where only an identity token was
    /// given.
    pub(super) fn identity_not_taken(self, answer: &Answer) -> Error {
        let host = self.host(&answer.url.origin());
        let message = format!(
            "{host} asks for a user name and a password (Basic), and takes no identity token, \
             which is all that was given for it"
        );
        self.error(ErrorKind::Config, message)
            .with_hint(GIVE_PASSWORD)
            .with_http_status(answer.status)
    }

    /// The error of a 404 to a request without a login, where nothing tells how a login is taken.
    pub(super) fn untold_login(self, answer: &Answer) -> Error {
        let host = self.host(&answer.url.origin());
        let message = format!(
            "{host} answers without a login: not found, and its /v2/ does not say how it takes one \
             (HTTP {})",
            answer.status
        );
        let hint = "something in front of the registry answers, or it is not quite up; try again";
        self.error(ErrorKind::Protocol, message)
            .with_hint(hint)
            .with_http_status(answer.status)
    }

    /// The error of a token service's refusal. Refused credentials are an error of their own, since
    /// every lookup would be wrong. `asked` is how the service was asked.
    pub(super) fn token_refused(
        self,
        service: &Service,
        answer: &Complete,
        asked: TokenRequest,
    ) -> Error {
        let host = self.host(&service.realm.origin());
        let status = answer.status;
        let (kind, what) = match (status, asked.login) {
            (401 | 403, TokenLogin::Withheld) => {
                return self.withheld(service).with_http_status(status);
            }
            (403, _) if is_page(&answer.headers) => (
                ErrorKind::Protocol,
                "refuses with a page that no token service sends",
            ),
            (401 | 403, TokenLogin::Known) if asked.finds_credentials_bad(status) => {
                (ErrorKind::Unauthorized, "refuses the credentials")
            }
            // What a form of OAuth2 is wrong about is its token; a GET's is its scope or service.
            (404 | 405, TokenLogin::Known) if asked.has_identity => {
                (ErrorKind::Unauthorized, "takes no identity tokens")
            }
            (400, TokenLogin::Known) if asked.has_identity => {
                (ErrorKind::Unauthorized, "refuses the credentials")
            }
            (401 | 403, _) => (ErrorKind::Denied, "gives no token for this"),
            (400, _) => (ErrorKind::Rejected, "rejects the request"),
            _ => (ErrorKind::Protocol, "does not answer like one"),
        };
        let registry_errors = answer.registry_errors(&self.redactor());
        let words = words_of(&registry_errors);
        let message = format!("the token service {host} {what} (HTTP {status}){words}");
        let error = self
            .error(kind, message)
            .with_http_status(status)
            .with_registry_errors(registry_errors);
        match kind {
            ErrorKind::Unauthorized => {
                error.with_hint("check the user name and password or token for this registry")
            }
            _ => error,
        }
    }
}

/// How a token service was asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct TokenRequest {
    pub(super) login: TokenLogin,
    /// Whether the credentials hold an identity token.
    pub(super) has_identity: bool,
    /// Whether the credentials are good, if that was asked.
    pub(super) verdict: Option<LoginVerdict>,
}

impl TokenRequest {
    /// Whether a 401 or 403 is about the credentials. Where nothing tells, it is: a wrong password
    /// must not read as a repository that is denied.
    fn finds_credentials_bad(self, status: u16) -> bool {
        match self.verdict {
            Some(verdict) => verdict != LoginVerdict::Good,
            None => status == 401,
        }
    }
}

/// Kind, what the host does, and what the caller can do.
type Verdict = (ErrorKind, &'static str, Option<String>);

const LATER: &str = "try again later";
const IN_BETWEEN: &str = "something in front of the registry answers, or something else than one";
const CREDENTIALS: &str = "check the credentials given for this registry";
const GIVE_PASSWORD: &str = "give a user name and a password for this registry";
const HIDDEN: &str = "private, hidden or missing: a registry does not say which";
const VIRTUAL: &str = "private, hidden or missing: Artifactory also answers so for a tag that a \
                       virtual repository does not have";

fn verdict_of_status(status: u16) -> Verdict {
    let (kind, what, hint) = match status {
        405 | 501 => (
            ErrorKind::Unsupported,
            "does not support this request",
            None,
        ),
        408 | 499 => (ErrorKind::Server, "gave up waiting", Some(LATER)),
        429 => (
            ErrorKind::RateLimited,
            "limits requests, and the limit is reached",
            None,
        ),
        300..=399 => (
            ErrorKind::Protocol,
            "answers with a redirect that is not one",
            None,
        ),
        400..=499 => (ErrorKind::Rejected, "rejects the request", None),
        500..=599 => (ErrorKind::Server, "failed", Some(LATER)),
        _ => (
            ErrorKind::Protocol,
            "answers with a status that means nothing here",
            None,
        ),
    };
    (kind, what, hint.map(str::to_owned))
}

/// How the server wants to be asked, as a part of a message.
fn challenge_text(answer: &Complete, redactor: &Redactor<'_>) -> String {
    let named: Vec<String> = challenges(&answer.headers)
        .iter()
        .map(|challenge| challenge.summary(redactor))
        .collect();
    if named.is_empty() {
        return ", without saying how".to_owned();
    }
    format!(": {}", printable(&named.join(", "), 300))
}

/// What the server itself says is wrong, as the end of a message.
fn words_of(errors: &[RegistryError]) -> String {
    let mut words = String::new();
    for error in errors.iter().take(3) {
        words.push_str(&format!("; it says {}", error.code));
        if !error.message.is_empty() {
            words.push_str(&format!(": {}", printable(&error.message, 200)));
        }
    }
    words
}
