//! Whom to trust with a password (S4).
//!
//! A registry names its token service in a challenge, and the token service is then given the
//! user's password. So the challenge decides where a password goes, and it has to be checked.

use std::fmt;

use crate::url::Origin;
use crate::url::{Scheme, Url};

/// Token services on another domain than their registry, each with its source.
const PAIRS: [(&str, &str); 1] = [
    // Docker's documentation, "Registry authentication": registry-1.docker.io names auth.docker.io.
    ("registry-1.docker.io", "auth.docker.io"),
];

/// Second levels below which countries' registries sell names: `example.co.uk` is somebody's,
/// `co.uk` is nobody's. Not a public-suffix list, which would cost 0.7 MB: a name that is missing
/// here is one that a caller has to trust by hand only if it is missing below.
const SECOND_LEVELS: [&str; 10] = [
    "ac", "co", "com", "edu", "gob", "gov", "mil", "net", "ne", "org",
];

/// What a token service may be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// The credentials of the registry.
    Credentials,
    /// A request without them.
    Nothing,
}

/// A realm that is not asked at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Downgrade;

impl fmt::Display for Downgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a registry that speaks https names a token service that does not")
    }
}

impl std::error::Error for Downgrade {}

/// What the token service at `realm` may be given by clients of the registry at `registry`.
/// `trusted` are the hosts that the caller vouched for.
pub(crate) fn trust(
    registry: &Origin,
    realm: &Url,
    trusted: &[String],
) -> Result<Trust, Downgrade> {
    if registry.scheme() == Scheme::Https && realm.scheme() != Scheme::Https {
        return Err(Downgrade);
    }
    let host = realm.host();
    let trustworthy = host == registry.host()
        || PAIRS.contains(&(registry.host(), host))
        || is_parent(host, registry.host())
        || registry.scheme() == Scheme::Https && is_sibling(host, registry.host())
        || trusted.iter().any(|name| name.eq_ignore_ascii_case(host));
    Ok(if trustworthy {
        Trust::Credentials
    } else {
        Trust::Nothing
    })
}

/// registry.gitlab.com and gitlab.com.
fn is_parent(realm: &str, registry: &str) -> bool {
    registry
        .strip_suffix(realm)
        .is_some_and(|rest| rest.ends_with('.'))
        && is_somebodys(realm)
}

/// registry.example.com and gitlab.example.com.
fn is_sibling(realm: &str, registry: &str) -> bool {
    match (realm.split_once('.'), registry.split_once('.')) {
        (Some((_, realm_parent)), Some((_, parent))) => {
            realm_parent == parent && is_somebodys(parent)
        }
        _ => false,
    }
}

/// Whether a domain belongs to one owner, as far as its labels tell: two of them, or three under a
/// country's second level.
fn is_somebodys(domain: &str) -> bool {
    let labels: Vec<&str> = domain.split('.').collect();
    // An address has no parents.
    if labels
        .iter()
        .all(|label| label.bytes().all(|byte| byte.is_ascii_digit()))
        || domain.contains(':')
    {
        return false;
    }
    match labels.as_slice() {
        [] | [_] => false,
        [second, country] => !(country.len() == 2 && SECOND_LEVELS.contains(second)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(registry: &str, realm: &str, trusted: &[&str]) -> Result<Trust, Downgrade> {
        let trusted: Vec<String> = trusted.iter().map(|name| (*name).to_owned()).collect();
        trust(
            &Url::parse(registry).unwrap().origin(),
            &Url::parse(realm).unwrap(),
            &trusted,
        )
    }

    #[test]
    fn s4_who_gets_the_password() {
        let yes = [
            (
                "https://registry.example.com/",
                "https://registry.example.com/token",
            ),
            (
                "https://registry.example.com/",
                "https://registry.example.com:8443/token",
            ),
            (
                "https://registry.example.com:5000/",
                "https://registry.example.com/token",
            ),
            (
                "https://REGISTRY.example.com/",
                "https://registry.EXAMPLE.com/token",
            ),
            (
                "https://registry.gitlab.com/",
                "https://gitlab.com/jwt/auth",
            ),
            (
                "https://registry.example.com/",
                "https://gitlab.example.com/jwt/auth",
            ),
            (
                "https://registry.example.co.uk/",
                "https://auth.example.co.uk/token",
            ),
            ("https://a.b.example.com/", "https://example.com/token"),
            (
                "https://registry-1.docker.io/",
                "https://auth.docker.io/token",
            ),
            ("http://localhost:5000/", "http://localhost:5001/token"),
            ("http://127.0.0.1:5000/", "http://127.0.0.1:5001/token"),
            ("https://[::1]:5000/", "https://[::1]:5001/token"),
            (
                "http://registry.gitlab.internal/",
                "http://gitlab.internal/jwt",
            ),
        ];
        for (registry, realm) in yes {
            assert_eq!(
                judge(registry, realm, &[]),
                Ok(Trust::Credentials),
                "{registry} {realm}"
            );
        }
        let no = [
            ("https://registry.example.com/", "https://evil.net/token"),
            (
                "https://registry.example.com/",
                "https://registry.example.com.evil.net/token",
            ),
            (
                "https://registry.example.com/",
                "https://evil-registry.example.net/token",
            ),
            (
                "https://registry.example.com/",
                "https://xregistry.example.com.evil/token",
            ),
            ("https://example.com/", "https://com/token"),
            ("https://example.com/", "https://evil.com/token"),
            ("https://example.co.uk/", "https://evil.co.uk/token"),
            ("https://shop.co.uk/", "https://co.uk/token"),
            ("https://example.com.au/", "https://evil.com.au/token"),
            (
                "https://registry.example.com/",
                "https://a.b.example.com/token",
            ),
            ("https://example.com/", "https://auth.example.com/token"),
            (
                "http://registry.example.com/",
                "http://gitlab.example.com/jwt",
            ),
            ("https://10.0.0.1/", "https://9.0.0.1/token"),
            (
                "https://registry-1.docker.io/",
                "https://auth.docker.io.evil.net/token",
            ),
            (
                "https://registry.example.com/",
                "https://auth.docker.io/token",
            ),
        ];
        for (registry, realm) in no {
            assert_eq!(
                judge(registry, realm, &[]),
                Ok(Trust::Nothing),
                "{registry} {realm}"
            );
        }
    }

    #[test]
    fn s4_the_caller_can_vouch_for_a_host_and_for_no_other() {
        let registry = "https://registry.example.com/";
        assert_eq!(
            judge(registry, "https://Auth.Other.net/t", &["auth.other.net"]),
            Ok(Trust::Credentials)
        );
        assert_eq!(
            judge(
                registry,
                "https://evil.auth.other.net/t",
                &["auth.other.net"]
            ),
            Ok(Trust::Nothing)
        );
    }

    #[test]
    fn s11_https_is_never_given_up() {
        assert_eq!(
            judge(
                "https://registry.example.com/",
                "http://registry.example.com/t",
                &[]
            ),
            Err(Downgrade)
        );
        assert_eq!(
            judge(
                "https://registry.example.com/",
                "http://x.net/t",
                &["x.net"]
            ),
            Err(Downgrade)
        );
        assert_eq!(
            judge(
                "http://registry.example.com/",
                "https://registry.example.com/t",
                &[]
            ),
            Ok(Trust::Credentials)
        );
    }
}
