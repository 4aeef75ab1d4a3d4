//! Token requests: who sends them, what they ask for, and what is granted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use raw_http::Recorded;
use serde_json::{Value, json};

/// A user.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) name: String,
    password: String,
    pub(crate) identity: Option<String>,
    pub(crate) repositories: Vec<String>,
}

impl Account {
    pub(crate) fn new(name: &str, password: &str, repositories: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            password: password.to_owned(),
            identity: None,
            repositories: repositories.iter().map(|name| (*name).to_owned()).collect(),
        }
    }
}

/// A token request, of either kind.
pub(crate) struct Request {
    pub(crate) service: String,
    pub(crate) scopes: Vec<String>,
    basic: Option<String>,
    identity: Option<String>,
}

/// Who a request is from.
pub(crate) enum Requester<'a> {
    Anonymous,
    Known(&'a Account),
    /// Its credentials are those of no account.
    Unknown,
}

impl Request {
    /// GET with a query, or POST of an OAuth2 form with a refresh token; `None` if it is neither.
    pub(crate) fn of(request: &Recorded) -> Option<Self> {
        let value = |name| request.parameters(name).pop();
        match request.method.as_str() {
            "GET" => {}
            "POST" if value("grant_type")? == "refresh_token" => {}
            _ => return None,
        }
        let scopes = request.parameters("scope");
        Some(Self {
            service: value("service").unwrap_or_default(),
            scopes: scopes
                .iter()
                .flat_map(|scope| scope.split(' '))
                .map(str::to_owned)
                .collect(),
            basic: request.header("authorization"),
            identity: value("refresh_token"),
        })
    }

    pub(crate) fn requester<'a>(&self, accounts: &'a [Account]) -> Requester<'a> {
        let found = match (&self.identity, &self.basic) {
            (Some(identity), _) => accounts
                .iter()
                .find(|account| account.identity.as_ref() == Some(identity)),
            (None, Some(sent)) => accounts.iter().find(|account| {
                let pair = format!("{}:{}", account.name, account.password);
                *sent == format!("Basic {}", STANDARD.encode(pair))
            }),
            (None, None) => return Requester::Anonymous,
        };
        found.map_or(Requester::Unknown, Requester::Known)
    }
}

/// The `access` claim: the allowed actions of each scope, which may be none, as distribution's own
/// service does it.
pub(crate) fn access(scopes: &[String], allowed: &[String]) -> Value {
    let grants = scopes.iter().filter_map(|scope| {
        let (kind, rest) = scope.split_once(':')?;
        let (name, actions) = rest.rsplit_once(':')?;
        let granted = allowed
            .iter()
            .any(|pattern| match pattern.strip_suffix('*') {
                Some(start) => {
                    name.starts_with(start) && (kind == "repository" || start.is_empty())
                }
                None => name == pattern && kind == "repository",
            });
        let actions: Vec<&str> = match granted {
            true => actions
                .split(',')
                .filter(|it| ["pull", "*"].contains(it))
                .collect(),
            false => Vec::new(),
        };
        Some(json!({"type": kind, "name": name, "actions": actions}))
    });
    grants.collect()
}
