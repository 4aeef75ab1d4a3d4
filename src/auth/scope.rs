//! Scopes: what a token allows (distribution's documentation of token scopes).

use std::fmt;

/// One scope, such as `repository:team/app:pull`. It stays as it was sent; only a comparison reads
/// its parts.
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

    /// A scope that a challenge names. It may be any word: Gitea sends `*`.
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

/// The needed scopes, then what the challenge names beyond them, each once. A needed scope that a
/// named one covers is left out. The needed ones come first, because some token services, such as
/// GitLab's, honour only one of several.
pub(crate) fn union<'a>(needed: &[Scope], named: impl Iterator<Item = &'a str>) -> Vec<Scope> {
    let named: Vec<Scope> = named.map(Scope::named).collect();
    let mut all: Vec<Scope> = needed
        .iter()
        .filter(|need| !named.iter().any(|name| name.covers(need)))
        .cloned()
        .collect();
    for name in named {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
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

    #[test]
    fn b2_b4_c6_the_needed_scope_comes_first_and_none_twice() {
        let need = [Scope::named("repository:a:pull")];
        let cases: [(&[&str], &[&str]); 6] = [
            (&[], &["repository:a:pull"]),
            (&["repository:a:pull"], &["repository:a:pull"]),
            (&["repository:a:pull,push"], &["repository:a:pull,push"]),
            (&["*"], &["repository:a:pull", "*"]),
            (
                &["repository:b:pull", "repository:b:pull"],
                &["repository:a:pull", "repository:b:pull"],
            ),
            (
                &["repository:b:pull,push", "repository:a:pull"],
                &["repository:b:pull,push", "repository:a:pull"],
            ),
        ];
        for (named, expected) in cases {
            let all = union(&need, named.iter().copied());
            let all: Vec<&str> = all.iter().map(Scope::as_str).collect();
            assert_eq!(all, expected, "{named:?}");
        }
    }
}
