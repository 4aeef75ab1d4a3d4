//! The Authorization field of one request.

use std::sync::Arc;

use super::{Secret, Token};

/// What a request sends to authenticate.
#[derive(Debug, Clone)]
pub(crate) enum Authorization {
    /// Nothing: the request is anonymous.
    None,
    /// User name and password.
    Basic(Secret),
    /// The caller's own token.
    Bearer(Secret),
    /// A token that the registry's token service issued.
    Token(Arc<Token>),
}

impl Authorization {
    /// The token of the registry's token service, if it is one.
    pub(crate) fn token(&self) -> Option<&Arc<Token>> {
        match self {
            Authorization::Token(token) => Some(token),
            _ => None,
        }
    }

    /// The value of the Authorization field.
    pub(crate) fn header(&self) -> Option<&Secret> {
        match self {
            Authorization::None => None,
            Authorization::Basic(header) | Authorization::Bearer(header) => Some(header),
            Authorization::Token(token) => Some(token.header()),
        }
    }
}
