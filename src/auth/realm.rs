//! The trust of a realm: whether a token service gets the registry's credentials.
//!
//! A registry names the URL of its token service, the realm, in a Bearer challenge. The client
//! sends the user's password there. A challenge can name any server, so a realm gets credentials
//! only if its host belongs to the registry, or if the caller trusts it.

use std::fmt;

use crate::url::{Origin, Scheme, Url};

/// Hosts of registries and of their token services, each with its source.
const PAIRS: [(&str, &str); 1] = [
    // Docker's documentation, "Registry authentication".
    ("registry-1.docker.io", "auth.docker.io"),
];

/// Labels under which country domains give out names: `example.co.uk` has one owner, `co.uk` has
/// many. The whole public suffix list would add 0.7 MB to the library.
const SECOND_LEVELS: [&str; 10] = [
    "ac", "co", "com", "edu", "gob", "gov", "mil", "net", "ne", "org",
];

/// What a request to a token service may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// The credentials of the registry.
    Credentials,
    /// No credentials: the request is anonymous.
    Nothing,
}

/// The refusal of an http realm of an https registry. The client sends no request there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Downgrade;

impl fmt::Display for Downgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a registry that speaks https names a token service that does not")
    }
}

impl std::error::Error for Downgrade {}

/// How far the realm of `registry` is trusted. `trusted` are the hosts that the caller listed.
///
/// # Errors
///
/// The registry speaks https and the realm does not, even if the caller listed its host.
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

/// Whether the realm is on a parent domain of the registry, as gitlab.com is for
/// registry.gitlab.com.
fn is_parent(realm: &str, registry: &str) -> bool {
    registry
        .strip_suffix(realm)
        .is_some_and(|rest| rest.ends_with('.'))
        && has_one_owner(realm)
}

/// Whether realm and registry have the same parent domain, as gitlab.example.com and
/// registry.example.com do.
fn is_sibling(realm: &str, registry: &str) -> bool {
    match (realm.split_once('.'), registry.split_once('.')) {
        (Some((_, realm_parent)), Some((_, parent))) => {
            realm_parent == parent && has_one_owner(parent)
        }
        _ => false,
    }
}

/// Whether a domain belongs to one owner, as far as its labels tell: it has two labels, or three if
/// it is below a domain such as `co.uk`.
fn has_one_owner(domain: &str) -> bool {
    let labels: Vec<&str> = domain.split('.').collect();
    // An IP address has no parent domain.
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

    #[track_caller]
    fn expect_trust(cases: &[(&str, &str)], expected: Trust) {
        for (registry, realm) in cases {
            assert_eq!(
                judge(registry, realm, &[]),
                Ok(expected),
                "{registry} {realm}"
            );
        }
    }

    #[test]
    fn s4_realms_that_get_the_password() {
        let cases = [
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
        expect_trust(&cases, Trust::Credentials);
    }

    #[test]
    fn s4_realms_that_do_not_get_the_password() {
        let cases = [
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
        expect_trust(&cases, Trust::Nothing);
    }

    #[test]
    fn s4_the_caller_can_trust_a_host_and_no_other() {
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
    fn s11_an_https_registry_needs_an_https_realm() {
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
