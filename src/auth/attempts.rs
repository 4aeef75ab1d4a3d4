//! What one request has already tried to authenticate.

use std::sync::Arc;
use std::time::Instant;

use super::{Authorization, Service, Token, TokenLogin};

/// The most tokens that one request sends, even if each of them expires at once.
const MAX_TOKENS_TRIED: u32 = 4;

/// What one request has already tried to authenticate. It tries each way at most once, so no answer
/// can send it in circles.
#[derive(Debug)]
pub(crate) struct AuthAttempts {
    pub(super) started: Instant,
    /// The token service that the newest Bearer challenge to this request has named.
    pub(crate) named: Option<Service>,
    /// Whether a token was sent that was fetched since the request began. The refusal of an older
    /// token decides nothing: that token may just have expired.
    pub(crate) fresh_token: bool,
    /// How many tokens were sent.
    tokens: u32,
    /// The last token that was sent and that the token service gave for the credentials.
    accepted: Option<Arc<Token>>,
    /// Whether a fresh token was already replaced by one for other scopes.
    pub(super) other_token: bool,
    /// Whether only a token for this request's own scopes will do, because a token for several
    /// repositories was refused.
    pub(crate) narrow_token: bool,
    /// Whether user name and password were sent.
    pub(super) basic: bool,
    /// Whether the registry's ping was asked for a challenge.
    pub(super) challenge_sought: bool,
}

impl AuthAttempts {
    /// For a request that begins at `now`.
    pub(crate) fn new(now: Instant) -> AuthAttempts {
        AuthAttempts {
            started: now,
            named: None,
            fresh_token: false,
            tokens: 0,
            accepted: None,
            other_token: false,
            narrow_token: false,
            basic: false,
            challenge_sought: false,
        }
    }

    /// Records what is about to be sent.
    pub(crate) fn note(&mut self, sent: &Authorization) {
        let Some(token) = sent.token() else {
            return;
        };
        self.tokens += 1;
        self.fresh_token |=
            token.was_received_since(self.started) || self.tokens >= MAX_TOKENS_TRIED;
        if token.login() == TokenLogin::Known {
            self.accepted = Some(token.clone());
        }
    }

    /// What decides whether a refusal means bad credentials or no access. Once the token service
    /// has accepted the credentials, they are good. Harbor then asks for Basic and refuses that
    /// too, which says nothing about the credentials.
    pub(crate) fn best_of(self, sent: Authorization) -> Authorization {
        match (sent, self.accepted) {
            (Authorization::Basic(_), Some(token)) => Authorization::Token(token),
            (sent, _) => sent,
        }
    }
}
