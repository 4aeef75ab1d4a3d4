//! The tokens of all registries of a client, and how much memory they may take.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::Token;

/// The most bytes that the tokens of a client take: more than a thousand of the usual size, and 64
/// of the longest.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Holds the tokens. The sessions refer to them, so that each finds its own; a token that was
/// dropped from here is gone.
#[derive(Debug, Default)]
pub(crate) struct TokenStore {
    /// The newest comes last.
    tokens: Mutex<VecDeque<Arc<Token>>>,
}

impl TokenStore {
    /// Keeps a token that a session refers to. Drops those that no session refers to any more, and
    /// then the oldest ones while there are too many.
    pub(super) fn keep(&self, token: Arc<Token>) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.push_back(token);
        tokens.retain(|token| Arc::weak_count(token) > 0);
        let mut bytes: usize = tokens.iter().map(|token| token.size()).sum();
        while bytes > MAX_BYTES {
            let Some(oldest) = tokens.pop_front() else {
                break;
            };
            bytes -= oldest.size();
        }
    }
}
