//! Who vouches for the certificate of a server: the platform, and the CAs that the caller gave.

use std::sync::Arc;

use super::settings::Settings;
use crate::transport::{Authorities, PlatformRoots, TlsTrust};
use crate::url::{Origin, Scheme};

/// What the registries of a client have in common.
#[derive(Debug, Clone)]
pub(super) struct Vouching {
    roots: Arc<PlatformRoots>,
    /// For servers that no CA was given for.
    platform: Arc<TlsTrust>,
    named: Arc<[Named]>,
}

/// A host that a CA was given for.
#[derive(Debug)]
struct Named {
    host: Box<str>,
    /// `None` counts for every port.
    port: Option<u16>,
    authorities: Authorities,
}

/// What counts for one registry.
#[derive(Debug)]
pub(super) struct RegistryVouching {
    shared: Vouching,
    own: Arc<TlsTrust>,
    authorities: Authorities,
}

impl Vouching {
    pub(super) fn new(settings: &Settings) -> Vouching {
        let roots = Arc::<PlatformRoots>::default();
        let given = settings.registries.iter();
        let named = given
            .filter(|(_, settings)| !settings.authorities.is_empty())
            .map(|(registry, settings)| {
                let origin = Origin::of_registry(registry, Scheme::Https);
                let port = origin.port();
                Named {
                    host: origin.host().into(),
                    port: (port != Scheme::Https.default_port()).then_some(port),
                    authorities: settings.authorities.clone(),
                }
            });
        Vouching {
            platform: Arc::new(TlsTrust::new(roots.clone(), Authorities::default())),
            named: named.collect(),
            roots,
        }
    }

    /// For a registry that these CAs were given for.
    pub(super) fn of_registry(&self, authorities: Authorities) -> RegistryVouching {
        RegistryVouching {
            own: self.trust(authorities.clone()),
            authorities,
            shared: self.clone(),
        }
    }

    fn trust(&self, authorities: Authorities) -> Arc<TlsTrust> {
        match authorities.is_empty() {
            true => self.platform.clone(),
            false => Arc::new(TlsTrust::new(self.roots.clone(), authorities)),
        }
    }
}

impl RegistryVouching {
    /// For the registry's own server.
    pub(super) fn own(&self) -> Arc<TlsTrust> {
        self.own.clone()
    }

    /// For another server that the registry has led to. The registry's CAs count only for its
    /// `partner`: a host that may have its password. Another host may have CAs of its own.
    pub(super) fn other(&self, origin: &Origin, partner: Partner) -> Arc<TlsTrust> {
        let mut authorities = match partner {
            Partner::Yes => self.authorities.clone(),
            Partner::No => Authorities::default(),
        };
        let is_named = |named: &&Named| {
            *named.host == *origin.host() && named.port.is_none_or(|port| port == origin.port())
        };
        for named in self.shared.named.iter().filter(is_named) {
            authorities.add_all(&named.authorities);
        }
        self.shared.trust(authorities)
    }
}

/// Whether a server may have the password of the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Partner {
    Yes,
    No,
}
