//! Origins. A credential, a connection and what was learned about a server belong to one origin.

use std::fmt;
use std::sync::Arc;

use super::{Authority, Scheme};
use crate::reference::Registry;

/// A server, as HTTP identifies it: scheme, host and port. A secret for one origin is never sent to
/// another, not even to another port of the same host.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    pub(super) scheme: Scheme,
    /// Shared, because every request and every answer holds a URL.
    pub(super) host: Arc<str>,
    pub(super) port: u16,
}

impl Origin {
    /// The origin of a registry's API, reached with `scheme`.
    pub(crate) fn of_registry(registry: &Registry, scheme: Scheme) -> Origin {
        Origin {
            scheme,
            host: registry.api_host().into(),
            port: registry.port().unwrap_or(scheme.default_port()),
        }
    }

    pub(crate) fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host in lower case; an IPv6 address has no brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The port, also if it is the default port of the scheme.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// `host[:port]` without the scheme's default port.
    pub(crate) fn authority(&self) -> Authority<'_> {
        Authority {
            scheme: self.scheme,
            host: &self.host,
            port: self.port,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority())
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::url::Url;

    #[test]
    fn a7_origins_are_equal_after_default_ports_and_case() {
        let origin = |text: &str| Url::parse(text).unwrap().origin();
        assert_eq!(
            origin("https://Host.example/a"),
            origin("HTTPS://host.example:443/b?c")
        );
        assert_eq!(origin("http://[0:0::1]/"), origin("http://[::1]:80"));
        for (a, b) in [
            ("https://host/", "http://host/"),
            ("https://host/", "https://host:444/"),
            ("https://host/", "https://a.host/"),
            ("http://host:443/", "https://host:443/"),
        ] {
            assert_ne!(origin(a), origin(b));
        }
    }

    #[test]
    fn a1_the_origin_of_a_registry_is_its_api_host() {
        for (registry, scheme, expected) in [
            ("docker.io", Scheme::Https, "https://registry-1.docker.io"),
            ("localhost:5000", Scheme::Http, "http://localhost:5000"),
            (
                "Registry.example.com:443",
                Scheme::Https,
                "https://registry.example.com",
            ),
            ("[::1]", Scheme::Http, "http://[::1]"),
            ("[::1]:5000", Scheme::Https, "https://[::1]:5000"),
        ] {
            let origin = Origin::of_registry(&registry.parse().unwrap(), scheme);
            assert_eq!(origin.to_string(), expected);
            assert_eq!(origin.scheme(), scheme);
            let port = registry.parse::<Registry>().unwrap().port();
            assert_eq!(origin.port(), port.unwrap_or(scheme.default_port()));
            assert!(expected.contains(origin.host()));
            assert_eq!(origin, Url::parse(expected).unwrap().origin());
        }
    }
}
