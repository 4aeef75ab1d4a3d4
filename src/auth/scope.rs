//! Scopes: what a token allows (distribution's documentation of token scopes).

use std::fmt;

/// One scope, such as `repository:team/app:pull`. It is made from the request alone: a challenge
/// does not choose what a token may do.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Scope(String);

impl Scope {
    /// Reading from a repository.
    pub(crate) fn pull(repository: &impl fmt::Display) -> Scope {
        Scope(format!("repository:{repository}:pull"))
    }

    /// Listing a registry's repositories.
    pub(crate) fn catalog() -> Scope {
        Scope("registry:catalog:*".to_owned())
    }

    /// The bare word that Gitea names in its challenge, and asks for in every token.
    pub(crate) fn star() -> Scope {
        Scope("*".to_owned())
    }

    #[cfg(test)]
    pub(crate) fn named(text: &str) -> Scope {
        Scope(text.to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a token with this scope allows all that `other` asks for.
    pub(crate) fn covers(&self, other: &Scope) -> bool {
        if self == other {
            return true;
        }
        match (self.parts(), other.parts()) {
            (Some((resource, granted)), Some((other_resource, asked))) => {
                resource == other_resource
                    && asked
                        .split(',')
                        .all(|action| granted.split(',').any(|have| have == action || have == "*"))
            }
            _ => false,
        }
    }

    /// The resource (its type and name), and the actions. A name with a port has a colon, so the
    /// last colon is the one that separates.
    fn parts(&self) -> Option<(&str, &str)> {
        self.0
            .rsplit_once(':')
            .filter(|(resource, _)| resource.contains(':'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b1_a_scope_covers_what_it_allows() {
        let cases = [
            ("repository:a:pull", "repository:a:pull", true),
            ("repository:a:pull,push", "repository:a:pull", true),
            ("repository:a:*", "repository:a:delete", true),
            ("repository:a:pull", "repository:a:pull,push", false),
            ("repository:a:pull", "repository:b:pull", false),
            ("repository:a/b:pull", "repository:a:pull", false),
            (
                "repository:host:5000/a:pull,push",
                "repository:host:5000/a:push",
                true,
            ),
            ("registry:catalog:*", "registry:catalog:*", true),
            ("registry:catalog:*", "repository:catalog:pull", false),
            ("*", "repository:a:pull", false),
            ("", "repository:a:pull", false),
        ];
        for (have, want, expected) in cases {
            assert_eq!(
                Scope::named(have).covers(&Scope::named(want)),
                expected,
                "{have} {want}"
            );
        }
    }
}
