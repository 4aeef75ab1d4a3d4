//! The trust of a realm: whether a token service gets the registry's credentials.
//!
//! A registry names the URL of its token service, the realm, in a Bearer challenge. The client
//! sends the user's password there. A challenge can name any server, so a realm gets credentials
//! only if its host belongs to the registry, or if the caller trusts it.

use std::fmt;

use super::shared_parents::is_shared;
use crate::url::{Origin, Scheme, Url};

/// Registries and their token services that the rules about names do not cover. Each pair was seen
/// in a challenge of that registry, or stands in the vendor's documentation or clients.
const PAIRS: [(&str, &str); 13] = [
    ("registry-1.docker.io", "auth.docker.io"),
    ("registry.hub.docker.com", "auth.docker.io"),
    ("registry.digitalocean.com", "api.digitalocean.com"),
    ("rg.fr-par.scw.cloud", "api.scaleway.com"),
    ("rg.nl-ams.scw.cloud", "api.scaleway.com"),
    ("rg.pl-waw.scw.cloud", "api.scaleway.com"),
    ("nvcr.io", "authn.nvidia.com"),
    ("registry.suse.com", "scc.suse.com"),
    ("registry.rancher.com", "scc.suse.com"),
    ("docker.elastic.co", "docker-auth.elastic.co"),
    ("registry2.balena-cloud.com", "api.balena-cloud.com"),
    ("registry.depot.dev", "api.depot.dev"),
    ("registry.upbound.io", "xpkg.upbound.io"),
];

/// The first labels of token services that stand beside or below their registry.
const SERVICE_LABELS: [&str; 10] = [
    "auth",
    "token",
    "login",
    "sso",
    "idp",
    "gitlab",
    "git",
    "docker-auth",
    "harbor",
    "registry",
];

/// Alibaba's domain, and its token services there: one in each region, and two without a region.
/// The names of its customers have one label more.
const ALIBABA: &str = ".aliyuncs.com";
const ALIBABA_LABELS: [&str; 4] = [
    "dockerauth",
    "dockerauth-ee",
    "dockerauth-vpc",
    "dockerauth-ee-vpc",
];
const ALIBABA_HOSTS: [&str; 2] = ["dockerauth", "dockerauth-cn-zhangjiakou"];

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
    Ok(if may_have_password(registry, realm.host(), trusted) {
        Trust::Credentials
    } else {
        Trust::Nothing
    })
}

/// Whether a server at `host` may have the password of `registry`. `trusted` are the hosts that the
/// caller listed.
pub(crate) fn may_have_password(registry: &Origin, host: &str, trusted: &[String]) -> bool {
    let mut trusted = trusted.iter();
    trusted.any(|name| name.eq_ignore_ascii_case(host)) || belongs_to(registry, host)
}

/// Whether the names show that the token service at `realm` is of the registry's owner.
fn belongs_to(registry: &Origin, realm: &str) -> bool {
    let host = registry.host();
    if realm == host {
        return true;
    }
    // A name may end in a dot: it is the same name without.
    let (host, realm) = (without_dot(host), without_dot(realm));
    PAIRS.contains(&(host, realm))
        || is_alibabas(host, realm)
        || is_parent(realm, host)
        || registry.scheme() == Scheme::Https && (is_sibling(realm, host) || is_below(realm, host))
}

fn without_dot(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

fn is_alibabas(registry: &str, realm: &str) -> bool {
    let (true, Some(name)) = (registry.ends_with(ALIBABA), realm.strip_suffix(ALIBABA)) else {
        return false;
    };
    match name.split_once('.') {
        Some((label, region)) => ALIBABA_LABELS.contains(&label) && !region.contains('.'),
        None => ALIBABA_HOSTS.contains(&name),
    }
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
/// registry.example.com do, and the realm's first label is one that token services have.
fn is_sibling(realm: &str, registry: &str) -> bool {
    match (service_parent(realm), registry.split_once('.')) {
        (Some(above), Some((_, parent))) => above == parent && has_one_owner(parent),
        _ => false,
    }
}

/// Whether the realm is directly below the registry, as auth.registry.example.com is below
/// registry.example.com, and its first label is one that token services have.
fn is_below(realm: &str, registry: &str) -> bool {
    service_parent(realm) == Some(registry) && has_one_owner(registry)
}

/// The domain above a name whose first label is one that token services have.
fn service_parent(realm: &str) -> Option<&str> {
    let (label, parent) = realm.split_once('.')?;
    SERVICE_LABELS.contains(&label).then_some(parent)
}

/// Whether a domain belongs to one owner, as far as its labels and the lists tell.
fn has_one_owner(domain: &str) -> bool {
    // An IP address has no parent domain.
    let is_address = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    let address = domain.contains(':') || domain.split('.').all(is_address);
    !address && domain.contains('.') && !is_shared(domain)
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
                "https://registry.example.com/",
                "https://auth.registry.example.com/token",
            ),
            ("https://example.com/", "https://auth.example.com/token"),
            (
                "https://registry.example.com./",
                "https://auth.example.com/token",
            ),
            (
                "https://registry.me.duckdns.org/",
                "https://auth.me.duckdns.org/token",
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
    fn s4_known_pairs_of_registry_and_token_service() {
        let mut pairs = PAIRS.to_vec();
        pairs.extend([
            (
                "registry.cn-hangzhou.aliyuncs.com",
                "dockerauth.cn-hangzhou.aliyuncs.com",
            ),
            (
                "x-registry.cn-beijing.cr.aliyuncs.com",
                "dockerauth-ee.cn-beijing.aliyuncs.com",
            ),
            (
                "registry.cn-zhangjiakou.aliyuncs.com",
                "dockerauth-cn-zhangjiakou.aliyuncs.com",
            ),
            ("registry.aliyuncs.com", "dockerauth.aliyuncs.com"),
        ]);
        for (registry, realm) in pairs {
            let registry = format!("https://{registry}/");
            let stranger = format!("https://x{realm}/t");
            assert_eq!(judge(&registry, &stranger, &[]), Ok(Trust::Nothing));
            let realm = format!("https://{realm}/t");
            assert_eq!(judge(&registry, &realm, &[]), Ok(Trust::Credentials));
            let other = "https://registry.example.net/";
            assert_eq!(judge(other, &realm, &[]), Ok(Trust::Nothing));
        }
        let bucket = "https://dockerauth.x.oss-cn-hangzhou.aliyuncs.com/t";
        let registry = "https://registry.cn-hangzhou.aliyuncs.com/";
        assert_eq!(judge(registry, bucket, &[]), Ok(Trust::Nothing));
    }

    #[test]
    fn s4_below_a_shared_domain_only_the_own_host_gets_the_password() {
        for parent in [
            "co.uk",
            "web.za",
            "com.br",
            "github.io",
            "eu-west-1.elb.amazonaws.com",
            "elb.amazonaws.com",
            "uk.com",
            "duckdns.org",
            "aliyuncs.com",
            "nip.io",
            "10.0.0.1.nip.io",
            "a.b.sslip.io",
        ] {
            let registry = format!("https://registry.{parent}/");
            for realm in [
                format!("https://auth.{parent}/"),
                format!("https://auth.{parent}./"),
                format!("https://evil.{parent}/"),
                format!("https://{parent}/"),
            ] {
                assert_eq!(judge(&registry, &realm, &[]), Ok(Trust::Nothing), "{realm}");
            }
            assert_eq!(judge(&registry, &registry, &[]), Ok(Trust::Credentials));
        }
        let registry = "https://registry.10.0.0.1.nip.io/";
        let below = "https://auth.registry.10.0.0.1.nip.io/";
        assert_eq!(judge(registry, below, &[]), Ok(Trust::Nothing));
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
            ("https://example.com/", "https://evil.example.com/token"),
            (
                "https://registry.example.com/",
                "https://evil.example.com/token",
            ),
            (
                "https://registry.example.com/",
                "https://api.example.com/token",
            ),
            ("https://registry.com/", "https://auth.com/token"),
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
    fn s4_a_label_of_token_services_counts_only_beside_or_directly_below_the_registry() {
        let cases = [
            (
                "https://registry.example.com/",
                "https://evil.registry.example.com/token",
            ),
            (
                "https://registry.example.com/",
                "https://auth.eu.registry.example.com/token",
            ),
            (
                "https://registry.eu.example.com/",
                "https://auth.example.com/token",
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
