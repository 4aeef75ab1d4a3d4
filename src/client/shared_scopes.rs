//! The scopes that requests of a batch share: one token may serve them all.

use std::collections::HashSet;
use std::sync::Arc;

use crate::auth::{MAX_SCOPES, Scope};
use crate::reference::RepositoryName;

/// The most bytes of the scopes in one token request. Its whole URL has at most 4 KiB; 256 bytes
/// are for the realm and the service.
const MAX_SCOPE_BYTES: usize = 4 * 1024 - 256;

/// The scopes of a request and of others that will follow. Empty for a request that is alone.
#[derive(Debug, Clone, Default)]
pub(crate) struct SharedScopes(Option<Arc<[Scope]>>);

impl SharedScopes {
    pub(super) fn as_slice(&self) -> &[Scope] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Divides repositories, in order, into parts that one token can serve. Gives each item the
    /// scopes of its part.
    pub(crate) fn divide<'a>(
        items: impl Iterator<Item = (usize, &'a RepositoryName)>,
    ) -> Vec<(usize, SharedScopes)> {
        let mut divided = Vec::new();
        let mut part: Vec<(usize, Scope)> = Vec::new();
        let mut names: HashSet<&RepositoryName> = HashSet::new();
        let mut bytes = 0;
        for (item, name) in items {
            let scope = Scope::pull(name);
            // As it stands in a URL: `&scope=` and two characters more for each `:` and `/`.
            let length = scope.as_str().len() + 7 + 2 * scope.as_str().matches([':', '/']).count();
            if !names.contains(name)
                && (names.len() == MAX_SCOPES || bytes + length > MAX_SCOPE_BYTES)
            {
                divided.extend(SharedScopes::of(std::mem::take(&mut part)));
                names.clear();
                bytes = 0;
            }
            if names.insert(name) {
                bytes += length;
            }
            part.push((item, scope));
        }
        divided.extend(SharedScopes::of(part));
        divided
    }

    fn of(part: Vec<(usize, Scope)>) -> impl Iterator<Item = (usize, SharedScopes)> {
        let mut seen = HashSet::new();
        let scopes: Arc<[Scope]> = part
            .iter()
            .map(|(_, scope)| scope.clone())
            .filter(|scope| seen.insert(scope.clone()))
            .collect();
        part.into_iter()
            .map(move |(item, _)| (item, SharedScopes(Some(scopes.clone()))))
    }
}
