//! Building a client: a setter for each setting.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::handle::Client;
use super::settings::{RegistrySettings, Settings};
use crate::auth::Secret;
use crate::error::{Error, ErrorKind, Result, printable};
use crate::reference::Registry;
use crate::transport::Resolver;
use crate::url::Url;

/// Builds a [`Client`].
///
/// A setting for a registry counts for that registry alone. Setters only take note; what can fail,
/// fails in [`build`](ClientBuilder::build), which names the bad setting.
///
/// ```no_run
/// # fn main() -> Result<(), ocireg::Error> {
/// let client = ocireg::Client::builder()
///     .ca_file("registry.example.com:5000", "/etc/ssl/private-ca.pem")
///     .plain_http("build.internal:5000")
///     .build()?;
/// # let _ = client;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct ClientBuilder {
    settings: Settings,
    /// The first setting that was unusable.
    problem: Option<Error>,
    /// Registries to ping while building.
    verify: Vec<Registry>,
}

/// Fields that the library sends itself, or that would change how messages are framed.
const OWN_FIELDS: [&str; 17] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "expect",
    "host",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

fn header_name(name: &str) -> Result<String> {
    // RFC 9110, 5.6.2: token.
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(Error::new(
            ErrorKind::Config,
            format!("{:?} is no header name", printable(name, 60)),
        ));
    }
    let name = name.to_ascii_lowercase();
    if OWN_FIELDS.contains(&name.as_str()) {
        return Err(Error::new(
            ErrorKind::Config,
            format!("the header {name} is set by the library"),
        )
        .with_hint("credentials and media types have settings of their own"));
    }
    Ok(name)
}

/// The value may be a secret, so errors do not show it.
fn header_value(name: &str, value: &str) -> Result<Secret> {
    if !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) || value.trim() != value {
        let message = format!(
            "the value of the header {name} is not printable ASCII without spaces around it"
        );
        return Err(Error::new(ErrorKind::Config, message));
    }
    Ok(Secret::new(value))
}

impl Client {
    /// A client with the default settings: anonymous, the platform's root certificates.
    ///
    /// # Errors
    ///
    /// None at present.
    pub fn new() -> Result<Client> {
        Client::builder().build()
    }

    /// A client with other settings.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }
}

impl ClientBuilder {
    fn new() -> ClientBuilder {
        ClientBuilder {
            settings: Settings::default(),
            problem: None,
            verify: Vec::new(),
        }
    }

    /// Says who asks, in the `User-Agent` header: printable ASCII. Defaults to `ocireg/VERSION`.
    pub fn user_agent(mut self, user_agent: &str) -> ClientBuilder {
        if user_agent.is_empty() || !user_agent.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            self.note(Error::new(
                ErrorKind::Config,
                "the user agent is not printable ASCII",
            ));
        }
        self.settings.user_agent = user_agent.to_owned();
        self
    }

    /// The most time that a call may take in all. Defaults to 5 minutes; [`Duration::MAX`] means no
    /// limit.
    pub fn timeout(mut self, timeout: Duration) -> ClientBuilder {
        self.settings.timeout = timeout;
        self
    }

    /// The most time to get a connection: resolving, connecting and negotiating TLS together.
    /// Defaults to 10 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> ClientBuilder {
        self.settings.connect_timeout = timeout;
        self
    }

    /// The longest wait for the next byte, in either direction. Defaults to 30 s.
    pub fn idle_timeout(mut self, timeout: Duration) -> ClientBuilder {
        self.settings.idle_timeout = timeout;
        self
    }

    /// How often a failed request is repeated where that may help: after a connection failure,
    /// HTTP 408, 429, 499, 500, 502, 503, 504 and 522. Defaults to 3.
    pub fn retries(mut self, retries: u32) -> ClientBuilder {
        self.settings.retry.attempts = retries.saturating_add(1);
        self
    }

    /// The first wait before a repeat; it doubles each time, up to 8 s, and is spread at random. A
    /// `Retry-After` of up to 60 s is kept; a longer one ends the call at once. Defaults to 250 ms.
    pub fn retry_delay(mut self, delay: Duration) -> ClientBuilder {
        self.settings.retry.base = delay;
        self
    }

    /// The largest manifest that is read, in bytes. Defaults to 8 MiB.
    pub fn max_manifest_bytes(mut self, bytes: u64) -> ClientBuilder {
        self.settings.max_manifest = bytes;
        self
    }

    /// Speaks http with `registry`, without encryption: for a registry in a network you trust. Wins
    /// over [`https`](ClientBuilder::https). Defaults to https, except for loopback registries
    /// (`localhost`, `127.0.0.0/8`, `[::1]`).
    pub fn plain_http(self, registry: &str) -> ClientBuilder {
        self.for_registry(registry, |settings| {
            settings.plain_http = true;
            Ok(())
        })
    }

    /// Speaks https with `registry`: only needed for a loopback registry.
    pub fn https(self, registry: &str) -> ClientBuilder {
        self.for_registry(registry, |settings| {
            settings.https = true;
            Ok(())
        })
    }

    /// Trusts the certificates of a PEM file for `registry`, beside the platform's, and for the
    /// token services that get its password. `registry` may also be another host that requests
    /// lead to, such as a storage server that a registry redirects to. A server
    /// certificate that is itself in the file is trusted too, if the name matches (the self-signed
    /// certificate of Docker's registry guide). Speaks https with a loopback registry.
    pub fn ca_file(self, registry: &str, path: impl AsRef<Path>) -> ClientBuilder {
        self.for_registry(registry, |settings| {
            settings.authorities.add_file(path.as_ref())
        })
    }

    /// As [`ca_file`](ClientBuilder::ca_file), from memory.
    pub fn ca_pem(self, registry: &str, pem: &[u8]) -> ClientBuilder {
        self.for_registry(registry, |settings| settings.authorities.add_pem(pem))
    }

    /// Shows `user` and `password` to `registry` and its token service, once it asks for a login,
    /// and to nobody else. UTF-8.
    pub fn basic(self, registry: &str, user: &str, password: &str) -> ClientBuilder {
        self.for_registry(registry, |settings| {
            settings.credentials.set_basic(user, password)
        })
    }

    /// Shows `token` to `registry` with every request, as the registry's own token. It is not
    /// renewed.
    pub fn bearer(self, registry: &str, token: &str) -> ClientBuilder {
        self.for_registry(registry, |settings| settings.credentials.set_bearer(token))
    }

    /// Trades `token` for the tokens of `registry` at its token service (an OAuth2 refresh token;
    /// what docker calls `identitytoken`).
    pub fn identity_token(self, registry: &str, token: &str) -> ClientBuilder {
        self.for_registry(registry, |settings| {
            settings.credentials.set_identity(token)
        })
    }

    /// Lets the token service at `host` have the credentials of `registry`. Without it they go to
    /// the registry's own host, a parent domain of it, known token services such as Docker Hub's,
    /// and hosts beside or below the registry with a usual first label, such as `auth`. They go to
    /// none of these under a domain whose names have many owners, such as `github.io`.
    pub fn trusted_realm(self, registry: &str, host: &str) -> ClientBuilder {
        self.for_registry(registry, |settings| {
            // Not parsed as a registry, some of which have aliases: the host that is typed is the
            // one that is meant.
            let url = Url::parse(&format!("https://{host}/")).map_err(|bad| {
                Error::new(
                    ErrorKind::Config,
                    format!("the trusted realm {:?} is no host", printable(host, 100)),
                )
                .caused_by(bad)
            })?;
            if url.target() != "/"
                || url
                    .authority()
                    .to_string()
                    .contains(&format!(":{}", url.port()))
            {
                return Err(Error::new(
                    ErrorKind::Config,
                    format!(
                        "the trusted realm {:?} is more than a host",
                        printable(host, 100)
                    ),
                )
                .with_hint("give the host alone; it counts for every port"));
            }
            settings.trusted_realms.push(url.host().to_owned());
            Ok(())
        })
    }

    /// Sends a header field to `registry` with every request, and to nobody else: not to redirect
    /// targets, not to the token service.
    pub fn add_header(self, registry: &str, name: &str, value: &str) -> ClientBuilder {
        self.for_registry(registry, |settings| {
            settings
                .headers
                .push((header_name(name)?, header_value(name, value)?));
            Ok(())
        })
    }

    /// Pings `registry` while the client is built, so that a wrong address is found at once. Costs
    /// a request.
    pub fn verify(mut self, registry: &str) -> ClientBuilder {
        match registry.parse() {
            Ok(registry) => self.verify.push(registry),
            Err(error) => self.note(error),
        }
        self
    }

    /// Resolves host names with `resolver`. Defaults to the operating system's.
    pub fn resolver(mut self, resolver: impl Resolver + 'static) -> ClientBuilder {
        self.settings.resolver = Arc::new(resolver);
        self
    }

    /// Builds the client. No server is contacted, unless [`verify`](ClientBuilder::verify) asks for
    /// it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] or [`ErrorKind::InvalidReference`] for the first setting that is
    /// unusable, and those of [`Client::ping`] for a registry to verify.
    pub fn build(self) -> Result<Client> {
        let client = match self.problem {
            Some(problem) => return Err(problem),
            None => Client::from_settings(self.settings),
        };
        for registry in &self.verify {
            client.ping(registry)?;
        }
        Ok(client)
    }

    fn for_registry(
        mut self,
        registry: &str,
        change: impl FnOnce(&mut RegistrySettings) -> Result<()>,
    ) -> ClientBuilder {
        match registry.parse::<Registry>() {
            Ok(registry) => {
                let settings = self
                    .settings
                    .registries
                    .entry(registry.clone())
                    .or_default();
                if let Err(error) = change(settings) {
                    self.note(error.about(registry));
                }
            }
            Err(error) => self.note(error),
        }
        self
    }

    /// Whether a setting is unusable already.
    #[cfg(feature = "capi")]
    pub(crate) fn has_problem(&self) -> bool {
        self.problem.is_some()
    }

    fn note(&mut self, problem: Error) {
        self.problem.get_or_insert(problem);
    }
}
