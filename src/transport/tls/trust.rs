//! The certificates that a TLS connection trusts: the platform's roots and the caller's CAs.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::verifier::CertificateVerifier;
use crate::error::{Error, ErrorKind, Result};
use crate::transport::error::{Failure, Phase, WireError};

/// The largest CA file that is read: about 20 times the platform's roots.
const MAX_CA_FILE: u64 = 4 * 1024 * 1024;

/// The platform's root certificates, loaded at a client's first TLS connection.
#[derive(Debug, Default)]
pub(crate) struct PlatformRoots(OnceLock<RootCertStore>);

impl PlatformRoots {
    /// The roots are kept once some were found. If none were found, the next call tries again: file
    /// descriptors may have run out.
    fn load(&self) -> RootCertStore {
        if let Some(roots) = self.0.get() {
            return roots.clone();
        }
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            log::warn!("a root certificate of this machine can't be used: {error}");
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            return roots;
        }
        self.0.get_or_init(|| roots).clone()
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
        let unusable = |what: &str| Error::new(ErrorKind::Config, format!("{named}{what}"));
        let metadata =
            std::fs::metadata(path).map_err(|error| unusable("can't be read").caused_by(error))?;
        // Reading a FIFO could block for ever (S21).
        if !metadata.is_file() {
            return Err(unusable("is not a regular file"));
        }
        if metadata.len() > MAX_CA_FILE {
            return Err(unusable("is too large for a file of certificates"));
        }
        let pem =
            std::fs::read(path).map_err(|error| unusable("can't be read").caused_by(error))?;
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

    pub(super) fn config(&self) -> Result<Arc<ClientConfig>, WireError> {
        if let Some(config) = self.config.get() {
            return Ok(config.clone());
        }
        let config = self.build().map_err(|problem| {
            let hint = Some("install the ca-certificates package, or give the registry's CA");
            WireError::new(Failure::Tls { hint }, Phase::Tls, problem)
        })?;
        Ok(self.config.get_or_init(|| config).clone())
    }

    fn build(&self) -> Result<Arc<ClientConfig>, String> {
        let mut roots = self.platform.load();
        roots.add_parsable_certificates(self.authorities.0.iter().cloned());
        if roots.is_empty() {
            return Err("this machine has no root certificates".to_owned());
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chains = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .build()
            .map_err(|error| error.to_string())?;
        let verifier = CertificateVerifier {
            chains,
            own: self.authorities.0.clone(),
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
}
