//! The ways in which token services differ from the specification and fail.

use std::time::Duration;

use raw_http::{Answer, Recorded};
use serde_json::{Value, json};

use crate::error;

/// One way in which the service differs from the specification.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Quirk {
    /// Waits this long before every answer.
    Delay(Duration),
    /// This answer to this many requests: status, Content-Type, body; `u64::MAX` for all of them.
    Answer(u64, u16, &'static str, Vec<u8>),
    /// A JSON refusal with this status to this many requests.
    Fail(u64, u16),
    /// 429 with this `Retry-After` to this many requests.
    Limit(u64, &'static str),
    /// C3: this status to every POST.
    NoPost(u16),
    /// S4: this status with a Location of the same target under this base URL.
    Redirect(u16, String),
    /// C1: `token` alone.
    TokenOnly,
    /// C1: `access_token` alone.
    AccessTokenOnly,
    /// C1: this value as `token`, and no `access_token`.
    OddToken(Value),
    /// C2: this value as `expires_in`; null leaves it out.
    ExpiresIn(Value),
    /// R13: this `issued_at`.
    IssuedAt(&'static str),
    /// C6: of several scopes the first is granted.
    FirstScopeOnly,
    /// C6: of several scopes the last is granted.
    LastScopeOnly,
    /// C6: this status to several scopes at once.
    OneScopeOnly(u16),
    /// C4: 400 to a request with this text in one of its scopes.
    BadScope(String),
    /// C4: 401 to a request without a scope and credentials, as Quay answers.
    ScopeWanted,
}

impl Quirk {
    pub(crate) fn delay(&self) -> Option<Duration> {
        match self {
            Quirk::Delay(time) => Some(*time),
            _ => None,
        }
    }

    /// The answer of this quirk in place of the service.
    pub(crate) fn instead(&self, count: u64, request: &Recorded) -> Option<Answer> {
        let bare = || request.query("scope").is_none() && request.header("authorization").is_none();
        Some(match self {
            Quirk::Answer(times, status, kind, body) if count <= *times => {
                Answer::new(*status, &format!("Content-Type: {kind}"), body.clone())
            }
            Quirk::Fail(times, status) if count <= *times => {
                error(*status, "UNKNOWN", "said the token service")
            }
            Quirk::Limit(times, after) if count <= *times => {
                let mut answer = error(429, "TOOMANYREQUESTS", "said the token service");
                answer.add(&format!("Retry-After: {after}"));
                answer
            }
            Quirk::NoPost(status) if request.method == "POST" => {
                error(*status, "UNSUPPORTED", "no POST here")
            }
            Quirk::Redirect(status, base) => {
                let location = format!("Location: {base}{}", request.target);
                Answer::new(*status, &location, "")
            }
            Quirk::ScopeWanted if request.method == "GET" && bare() => {
                error(401, "UNAUTHORIZED", "a scope is wanted")
            }
            _ => return None,
        })
    }

    /// Selects the scopes that are granted; `Some` refuses the request.
    pub(crate) fn choose(&self, scopes: &mut Vec<String>) -> Option<Answer> {
        match self {
            Quirk::FirstScopeOnly => scopes.truncate(1),
            Quirk::LastScopeOnly => *scopes = scopes.pop().into_iter().collect(),
            Quirk::OneScopeOnly(status) if scopes.len() > 1 => {
                return Some(error(*status, "INVALID_REQUEST", "several scopes"));
            }
            Quirk::BadScope(text) if scopes.iter().any(|scope| scope.contains(text)) => {
                return Some(error(400, "INVALID_REQUEST", "unknown scope"));
            }
            _ => {}
        }
        None
    }

    /// Changes a good answer.
    pub(crate) fn change(&self, body: &mut Value) {
        let fields = body.as_object_mut().expect("answers are objects");
        let mut change = |name: &str, value: &Value| match value {
            Value::Null if name == "expires_in" => fields.remove(name),
            value => fields.insert(name.to_owned(), value.clone()),
        };
        match self {
            Quirk::ExpiresIn(value) => drop(change("expires_in", value)),
            Quirk::IssuedAt(time) => drop(change("issued_at", &json!(time))),
            Quirk::TokenOnly => drop(fields.remove("access_token")),
            Quirk::AccessTokenOnly => drop(fields.remove("token")),
            Quirk::OddToken(value) => {
                change("token", value);
                fields.remove("access_token");
            }
            _ => {}
        }
    }
}
