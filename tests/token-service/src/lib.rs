//! A token service for tests, as distribution's documentation describes one ("Token
//! Authentication", "OAuth2").
//!
//! It issues JWTs that a real `docker-registry` accepts if [`Config::signed_by`] has a key;
//! `fake-registry` accepts them without one. [`Config`] has the users, what they may pull and how
//! long a token lasts. [`Quirk`]s are its differences from the specification, and can be changed
//! while it runs. Codes such as C1 are rows of docs/registries.md.
//!
//! ```
//! use token_service::{Config, Quirk, TokenService};
//! let config = Config::new().user("user", "pass", &["team/app"]);
//! let service = TokenService::start(config.anonymous(&["public/*"]));
//! service.set_quirks([Quirk::AccessTokenOnly]);
//! assert!(service.realm().ends_with("/token"));
//! assert_eq!(service.request_count(), 0);
//! ```

mod grant;
mod jwt;
mod quirk;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use raw_http::{Answer, Identity, Recorded, Server, Service, Stop, lock};
use serde_json::json;

use crate::grant::{Account, Request, Requester};
use crate::jwt::Signer;

pub use crate::quirk::Quirk;
pub use raw_http;

/// How a service starts. By default: plain HTTP, no users, an empty token for anonymous requests,
/// tokens for 300 s with `expires_in`, and no valid signature.
#[derive(Debug)]
pub struct Config {
    port: u16,
    identity: Option<Identity>,
    signer: Option<Signer>,
    issuer: String,
    lifetime: Duration,
    accounts: Vec<Account>,
    anonymous: Option<Vec<String>>,
    quirks: Vec<Quirk>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: 0,
            identity: None,
            signer: None,
            issuer: "lab-issuer".to_owned(),
            lifetime: Duration::from_secs(300),
            accounts: Vec::new(),
            anonymous: Some(Vec::new()),
            quirks: Vec::new(),
        }
    }
}

impl Config {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The port on 127.0.0.1. Defaults to 0, a free one.
    pub fn port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// Speaks TLS with this certificate. Defaults to plain HTTP.
    pub fn tls(self, identity: Identity) -> Self {
        let identity = Some(identity);
        Self { identity, ..self }
    }

    /// Signs with this RSA key (PEM, PKCS#8). Its certificate (PEM) is in every token. Defaults to
    /// a text that is no signature.
    ///
    /// # Panics
    /// If the key is not RSA in PKCS#8.
    pub fn signed_by(self, certificate_pem: &str, key_pem: &str) -> Self {
        let signer = Some(Signer::new(certificate_pem, key_pem));
        Self { signer, ..self }
    }

    /// The issuer of the tokens. Defaults to `lab-issuer`.
    pub fn issuer(self, issuer: &str) -> Self {
        let issuer = issuer.to_owned();
        Self { issuer, ..self }
    }

    /// How long a token lasts, rounded up to the end of a second (`exp` has no fractions) unless it
    /// is zero. The answer says the same unless a quirk changes it. Defaults to 300 s.
    pub fn lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime, ..self }
    }

    /// Adds a user, who may pull from these repositories. `team/*` stands for all repositories
    /// below `team`, `*` for all repositories and the catalog.
    pub fn user(mut self, name: &str, password: &str, repositories: &[&str]) -> Self {
        self.accounts
            .push(Account::new(name, password, repositories));
        self
    }

    /// Accepts this identity token instead of the password of the last [`user`](Self::user).
    pub fn identity_token(mut self, token: &str) -> Self {
        if let Some(account) = self.accounts.last_mut() {
            account.identity = Some(token.to_owned());
        }
        self
    }

    /// What requests without credentials may pull.
    pub fn anonymous(self, repositories: &[&str]) -> Self {
        let names = repositories.iter().map(|name| (*name).to_owned());
        let anonymous = Some(names.collect());
        Self { anonymous, ..self }
    }

    /// C4, C5: 401 to requests without credentials.
    pub fn no_anonymous(self) -> Self {
        let anonymous = None;
        Self { anonymous, ..self }
    }

    /// Switches a quirk on. Defaults to none.
    pub fn quirk(mut self, quirk: Quirk) -> Self {
        self.quirks.push(quirk);
        self
    }
}

/// A running token service. All methods may be called from any thread; dropping it ends every
/// connection and thread.
#[derive(Debug)]
pub struct TokenService {
    server: Server,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    signer: Option<Signer>,
    issuer: String,
    accounts: Vec<Account>,
    anonymous: Option<Vec<String>>,
    lifetime: Mutex<Duration>,
    /// Each with the number of requests since it was switched on.
    quirks: Mutex<Vec<(Quirk, u64)>>,
}

impl TokenService {
    /// Starts a service.
    ///
    /// # Panics
    /// If the port is taken.
    pub fn start(config: Config) -> Self {
        let state = Arc::new(State {
            signer: config.signer,
            issuer: config.issuer,
            accounts: config.accounts,
            anonymous: config.anonymous,
            lifetime: Mutex::new(config.lifetime),
            quirks: Mutex::new(config.quirks.into_iter().map(|quirk| (quirk, 0)).collect()),
        });
        let server = Server::start(config.port, config.identity.as_ref(), state.clone());
        Self { server, state }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// `http://127.0.0.1:PORT/token`, or `https://…` with TLS: the realm of a challenge. The
    /// service answers at any path.
    pub fn realm(&self) -> String {
        format!("{}/token", self.server.url())
    }

    /// Replaces all quirks; those that count requests start from here.
    pub fn set_quirks(&self, quirks: impl IntoIterator<Item = Quirk>) {
        *lock(&self.state.quirks) = quirks.into_iter().map(|quirk| (quirk, 0)).collect();
    }

    /// Changes how long tokens last from now on.
    pub fn set_lifetime(&self, lifetime: Duration) {
        *lock(&self.state.lifetime) = lifetime;
    }

    /// Everything received so far, in the order in which it was complete.
    pub fn requests(&self) -> Vec<Recorded> {
        self.server.requests()
    }

    /// The same, and empties the log.
    pub fn take_requests(&self) -> Vec<Recorded> {
        self.server.take_requests()
    }

    /// How many entries the log has.
    pub fn request_count(&self) -> usize {
        self.server.request_count()
    }
}

impl Service for State {
    fn answer(&self, request: &Recorded, stop: &Stop) -> Option<Answer> {
        let mut quirks = lock(&self.quirks);
        quirks.iter_mut().for_each(|(_, count)| *count += 1);
        let current = quirks.clone();
        drop(quirks);
        let delays = current.iter().filter_map(|(quirk, _)| quirk.delay());
        if stop.sleep(delays.sum()) {
            return None;
        }
        let mut instead = current
            .iter()
            .filter_map(|(quirk, count)| quirk.instead(*count, request));
        let instead = instead.next();
        Some(instead.unwrap_or_else(|| self.respond(request, &current)))
    }
}

impl State {
    fn respond(&self, request: &Recorded, quirks: &[(Quirk, u64)]) -> Answer {
        let Some(mut asked) = Request::of(request) else {
            return error(400, "unsupported_grant_type", "no token request");
        };
        let requester = asked.requester(&self.accounts);
        let (subject, allowed) = match (&requester, &self.anonymous) {
            (Requester::Known(account), _) => (account.name.as_str(), &account.repositories),
            (Requester::Anonymous, Some(repositories)) => ("", repositories),
            (Requester::Anonymous, None) => {
                return error(401, "UNAUTHORIZED", "authentication required");
            }
            (Requester::Unknown, _) => {
                return error(401, "UNAUTHORIZED", "incorrect user or password");
            }
        };
        for (quirk, _) in quirks {
            if let Some(refusal) = quirk.choose(&mut asked.scopes) {
                return refusal;
            }
        }
        let lifetime = *lock(&self.lifetime);
        let access = grant::access(&asked.scopes, allowed);
        let claims = jwt::claims(&self.issuer, &asked.service, subject, lifetime, &access);
        let token = jwt::token(self.signer.as_ref(), &claims);
        let mut body =
            json!({"token": token, "access_token": token, "expires_in": lifetime.as_secs()});
        quirks.iter().for_each(|(quirk, _)| quirk.change(&mut body));
        Answer::new(200, JSON, body.to_string())
    }
}

const JSON: &str = "Content-Type: application/json";

/// A refusal, with the body of token services and registries.
pub(crate) fn error(status: u16, code: &str, message: &str) -> Answer {
    let body = json!({"errors": [{"code": code, "message": message}]});
    Answer::new(status, JSON, body.to_string())
}
