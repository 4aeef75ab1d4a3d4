//! The certificates that a TLS connection trusts: the platform's roots and the caller's CAs.

use std::path::Path;
use std::sync::{Arc, OnceLock, mpsc};

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::platform::{Roots, read_file};
use super::verifier::CertificateVerifier;
use crate::error::{Error, ErrorKind, Result};
use crate::transport::context::Wait;
use crate::transport::error::{Failure, Phase, WireError};
use crate::transport::tcp::{spawn, wait_for};

/// The platform's root certificates, loaded at a client's first TLS connection.
#[derive(Debug, Default)]
pub(crate) struct PlatformRoots(OnceLock<Platform>);

/// What all registries of a client share: a copy for each took 87 KiB.
#[derive(Debug, Clone)]
struct Platform {
    /// Verifies that a certificate leads to one of the roots.
    chains: Arc<WebPkiServerVerifier>,
    /// For registries for which no CA was given.
    config: Arc<ClientConfig>,
}

impl PlatformRoots {
    /// The roots are kept once some were found. If none were found, the next call tries again: file
    /// descriptors may have run out. The problems are told only then.
    ///
    /// They are read on a helper thread: a file system may hang, and the call must end in time.
    fn load(&self, wait: Wait<'_>) -> Result<Result<&Platform, Vec<String>>, WireError> {
        if let Some(platform) = self.0.get() {
            return Ok(Ok(platform));
        }
        let (sender, receiver) = mpsc::channel();
        spawn("ocireg-roots", wait.phase, move || {
            // Nobody receives it if the call has ended.
            let _ = sender.send(Roots::read());
        })?;
        let Some(Roots { store, problems }) = wait_for(&receiver, wait, None)? else {
            let problem = "the root certificates could not be read".to_owned();
            return Ok(Err(vec![problem]));
        };
        for problem in &problems {
            log::warn!("a root certificate of this machine can't be used: {problem}");
        }
        if store.is_empty() {
            return Ok(Err(problems));
        }
        Ok(match Platform::new(store) {
            Ok(platform) => Ok(self.0.get_or_init(|| platform)),
            Err(problem) => Err(vec![problem]),
        })
    }
}

impl Platform {
    fn new(roots: RootCertStore) -> Result<Platform, String> {
        let chains = chains_to(roots)?;
        let config = config(vec![chains.clone()], Vec::new())?;
        Ok(Platform { chains, config })
    }
}

/// CA certificates that the caller trusts for some hosts, in addition to the platform's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Authorities(Vec<CertificateDer<'static>>);

impl Authorities {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds those of `others`.
    pub(crate) fn add_all(&mut self, others: &Authorities) {
        self.0.extend_from_slice(&others.0);
    }

    /// Adds the certificates of a PEM file.
    pub(crate) fn add_file(&mut self, path: &Path) -> Result<()> {
        let named = format!("CA file {}: ", path.display());
        let pem = read_file(path, &named)?;
        self.add(&pem, &named)
    }

    /// Adds the certificates of PEM text.
    pub(crate) fn add_pem(&mut self, pem: &[u8]) -> Result<()> {
        self.add(pem, "")
    }

    /// `named` tells in an error message where the text comes from.
    fn add(&mut self, pem: &[u8], named: &str) -> Result<()> {
        let unusable = |what: &str| Error::new(ErrorKind::Config, format!("{named}{what}"));
        let mut found = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate =
                certificate.map_err(|error| unusable("the PEM text is broken").caused_by(error))?;
            RootCertStore::empty()
                .add(certificate.clone())
                .map_err(|error| {
                    let number = found.len() + 1;
                    unusable(&format!("certificate {number} does not parse")).caused_by(error)
                })?;
            found.push(certificate);
        }
        if found.is_empty() {
            return Err(unusable("there is no certificate in it")
                .with_hint("it takes PEM: text between BEGIN CERTIFICATE and END CERTIFICATE"));
        }
        self.0.append(&mut found);
        Ok(())
    }
}

/// The certificates that TLS connections to some hosts trust. The rustls configuration
/// is built at the first connection, and kept.
#[derive(Debug)]
pub(crate) struct TlsTrust {
    platform: Arc<PlatformRoots>,
    authorities: Authorities,
    config: OnceLock<Arc<ClientConfig>>,
}

impl TlsTrust {
    pub(crate) fn new(platform: Arc<PlatformRoots>, authorities: Authorities) -> TlsTrust {
        TlsTrust {
            platform,
            authorities,
            config: OnceLock::new(),
        }
    }

    pub(super) fn config(&self, wait: Wait<'_>) -> Result<Arc<ClientConfig>, WireError> {
        if let Some(config) = self.config.get() {
            return Ok(config.clone());
        }
        let platform = self.platform.load(wait)?;
        let config = self.build(platform).map_err(|problem| {
            let hint = Some("install the ca-certificates package, or give the registry's CA");
            WireError::new(Failure::Tls { hint }, Phase::Tls, problem)
        })?;
        Ok(self.config.get_or_init(|| config).clone())
    }

    /// `platform` is what the machine has, or why it has nothing.
    fn build(&self, platform: Result<&Platform, Vec<String>>) -> Result<Arc<ClientConfig>, String> {
        if self.authorities.is_empty() {
            let none = "this machine has no root certificates";
            return platform
                .map(|platform| platform.config.clone())
                .map_err(|problems| match problems.first() {
                    Some(problem) => format!("{none} ({problem})"),
                    None => none.to_owned(),
                });
        }
        let own = &self.authorities.0;
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(own.iter().cloned());
        let mut chains = vec![chains_to(roots)?];
        chains.extend(platform.ok().map(|platform| platform.chains.clone()));
        config(chains, own.clone())
    }
}

fn chains_to(roots: RootCertStore) -> Result<Arc<WebPkiServerVerifier>, String> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map_err(|error| error.to_string())
}

/// A configuration that accepts what one of `chains` does. `own` is as in [`CertificateVerifier`].
fn config(
    chains: Vec<Arc<WebPkiServerVerifier>>,
    own: Vec<CertificateDer<'static>>,
) -> Result<Arc<ClientConfig>, String> {
    let provider = provider();
    let verifier = CertificateVerifier {
        chains,
        own,
        algorithms: provider.signature_verification_algorithms,
    };
    // No ALPN: we speak only HTTP/1.1, which a server uses when it is offered nothing (R30).
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use raw_http::Ca;

    use crate::interrupt::{Cancel, Interrupt};
    use crate::transport::ExchangeContext;

    fn context() -> ExchangeContext {
        let interrupt = Interrupt::new(Cancel::new(), None, None, None);
        let limit = Duration::from_secs(10);
        ExchangeContext::new(Arc::new(interrupt), limit, limit)
    }

    #[test]
    fn registries_share_the_platforms_roots_and_those_without_a_ca_all_else() {
        let platform = Arc::new(PlatformRoots::default());
        let trust = |ca: Option<&Ca>| {
            let mut authorities = Authorities::default();
            if let Some(ca) = ca {
                authorities.add_pem(ca.pem().as_bytes()).unwrap();
            }
            TlsTrust::new(platform.clone(), authorities)
        };
        let context = context();
        let wait = Wait::idle(&context, Phase::Tls);
        let Ok(loaded) = platform.load(wait).unwrap() else {
            // A machine without root certificates.
            assert!(trust(None).config(wait).is_err());
            return;
        };
        let before = Arc::strong_count(&loaded.chains);
        let configs: Vec<_> = (0..100)
            .map(|_| trust(None).config(wait).unwrap())
            .collect();
        assert!(
            configs
                .iter()
                .all(|config| Arc::ptr_eq(config, &loaded.config))
        );
        assert_eq!(Arc::strong_count(&loaded.chains), before);
        // With a CA of their own, they have only that of their own.
        let ca = Ca::new();
        let configs = [(); 3].map(|()| trust(Some(&ca)).config(wait).unwrap());
        assert!(!Arc::ptr_eq(&configs[0], &loaded.config));
        assert_eq!(Arc::strong_count(&loaded.chains), before + 3);
    }
}
