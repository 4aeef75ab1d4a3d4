//! Certificates made at run time, good and bad ones (R14).

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use time::{Duration, OffsetDateTime};

/// A certification authority. Only a client that was given [`Ca::pem`] trusts it.
#[derive(Debug)]
pub struct Ca {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A server's certificate and key.
#[derive(Clone, Debug)]
pub struct Identity {
    cert: CertificateDer<'static>,
    cert_pem: String,
    key_pem: String,
    key: Vec<u8>,
}

impl Ca {
    /// Makes a new authority with a new key.
    #[expect(clippy::new_without_default, reason = "each is another authority")]
    pub fn new() -> Self {
        let (mut params, key) = (params(&[], -5, 5), new_key());
        let name = "raw-http test authority";
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let cert = params.self_signed(&key).expect(SIGNS);
        Self {
            pem: cert.pem(),
            issuer: Issuer::new(params, key),
        }
    }

    /// The authority's certificate, for a client's list of roots.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A server certificate for these host names and addresses, valid now.
    pub fn identity(&self, names: &[&str]) -> Identity {
        self.sign(&params(names, -5, 5))
    }

    /// A server certificate that ended yesterday.
    pub fn expired(&self, names: &[&str]) -> Identity {
        self.sign(&params(names, -5, -1))
    }

    /// A server certificate that begins tomorrow.
    pub fn not_yet_valid(&self, names: &[&str]) -> Identity {
        self.sign(&params(names, 1, 5))
    }

    fn sign(&self, params: &CertificateParams) -> Identity {
        let key = new_key();
        Identity::new(&params.signed_by(&key, &self.issuer).expect(SIGNS), &key)
    }
}

impl Identity {
    /// A self-signed certificate with CA:TRUE, as `openssl req -x509` makes it and registry guides
    /// show it. A client has to trust its own PEM.
    pub fn self_signed(names: &[&str]) -> Self {
        Self::sign_itself(params(names, -5, 5))
    }

    /// The same, but it ended yesterday.
    pub fn self_signed_expired(names: &[&str]) -> Self {
        Self::sign_itself(params(names, -5, -1))
    }

    fn sign_itself(mut params: CertificateParams) -> Self {
        let key = new_key();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self::new(&params.self_signed(&key).expect(SIGNS), &key)
    }

    fn new(cert: &rcgen::Certificate, key: &KeyPair) -> Self {
        let (cert_pem, key_pem) = (cert.pem(), key.serialize_pem());
        Self {
            cert: cert.der().clone(),
            key: key.serialize_der(),
            cert_pem,
            key_pem,
        }
    }

    /// The certificate.
    pub fn cert_pem(&self) -> &str {
        &self.cert_pem
    }

    /// The private key, PKCS#8.
    pub fn key_pem(&self) -> &str {
        &self.key_pem
    }

    pub(crate) fn server_config(&self) -> Arc<ServerConfig> {
        let key = PrivatePkcs8KeyDer::from(self.key.clone());
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring speaks TLS 1.2 and 1.3");
        let config = builder
            .with_no_client_auth()
            .with_single_cert(vec![self.cert.clone()], key.into());
        Arc::new(config.expect("key and certificate were made together"))
    }
}

const SIGNS: &str = "a fresh P-256 key signs";

/// Valid between these days, counted from now.
fn params(names: &[&str], from: i64, to: i64) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names are ASCII");
    params.not_before = OffsetDateTime::now_utc() + Duration::days(from);
    params.not_after = OffsetDateTime::now_utc() + Duration::days(to);
    params
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("the system has random numbers")
}
