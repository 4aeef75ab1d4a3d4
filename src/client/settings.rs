//! The settings of a client, as data.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::auth::{Credentials, Secret};
use crate::policy::retry::RetryPolicy;
use crate::reference::Registry;
use crate::transport::{Authorities, Resolver, SystemResolver};
use crate::url::Scheme;

/// 5 minutes: a call that is not done by then is not going to be.
const TIMEOUT: Duration = Duration::from_secs(5 * 60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Retries after the first attempt.
const RETRIES: u32 = 3;
const RETRY_DELAY: Duration = Duration::from_millis(250);
/// Twice what the largest registries accept: distribution takes 4 MiB.
const MAX_MANIFEST: u64 = 8 * 1024 * 1024;

/// What all calls of a client share.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) user_agent: String,
    pub(crate) timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) retry: RetryPolicy,
    pub(crate) max_manifest: u64,
    pub(crate) registries: HashMap<Registry, RegistrySettings>,
    pub(crate) resolver: Arc<dyn Resolver>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            user_agent: concat!("ocireg/", env!("CARGO_PKG_VERSION")).to_owned(),
            timeout: TIMEOUT,
            connect_timeout: CONNECT_TIMEOUT,
            idle_timeout: IDLE_TIMEOUT,
            retry: RetryPolicy {
                attempts: RETRIES + 1,
                base: RETRY_DELAY,
            },
            max_manifest: MAX_MANIFEST,
            registries: HashMap::new(),
            resolver: Arc::new(SystemResolver),
        }
    }
}

/// The caller's settings for one registry.
#[derive(Debug, Clone, Default)]
pub(crate) struct RegistrySettings {
    pub(crate) plain_http: bool,
    pub(crate) https: bool,
    pub(crate) authorities: Authorities,
    pub(crate) credentials: Credentials,
    /// Hosts that may have the credentials although their names do not show why.
    pub(crate) trusted_realms: Vec<String>,
    /// Header fields of the caller's, as secret as credentials.
    pub(crate) headers: Vec<(String, Secret)>,
}

impl RegistrySettings {
    /// How the registry is spoken to. The choice is made here, once: there is never a fallback from
    /// one to the other, since an attacker could force it.
    pub(crate) fn scheme(&self, registry: &Registry) -> Scheme {
        if self.plain_http {
            Scheme::Http
        } else if self.https || !self.authorities.is_empty() || !registry.is_loopback() {
            Scheme::Https
        } else {
            Scheme::Http
        }
    }
}
