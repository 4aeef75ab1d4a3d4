//! The verification of a server's certificate.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error as RustlsError, SignatureScheme};

/// The usual verification, with one exception. A certificate made after Docker's own guide is a CA
/// certificate, which a strict verifier refuses as a server certificate. It is accepted if the
/// caller gave exactly this certificate as a CA, nothing else is wrong with it, and the name
/// matches.
#[derive(Debug)]
pub(super) struct CertificateVerifier {
    /// One of them has to accept a certificate. There is one for the CAs that the caller gave and
    /// one for the platform's roots, so that the latter need not be copied.
    pub(super) chains: Vec<Arc<WebPkiServerVerifier>>,
    pub(super) own: Vec<CertificateDer<'static>>,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for CertificateVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, RustlsError> {
        let mut refusal = RustlsError::InvalidCertificate(CertificateError::UnknownIssuer);
        for chains in &self.chains {
            match chains.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            ) {
                Ok(verified) => return Ok(verified),
                // "Unknown" says less than any other reason.
                Err(error) if is_unknown_issuer(&refusal) => refusal = error,
                Err(_) => {}
            }
        }
        // webpki checks the validity dates first, so an expired certificate never gets here.
        if is_ca_as_server(&refusal) && self.own.iter().any(|own| own == end_entity) {
            let certificate = ParsedCertificate::try_from(end_entity)?;
            rustls::client::verify_server_name(&certificate, server_name)?;
            return Ok(ServerCertVerified::assertion());
        }
        Err(refusal)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, RustlsError> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, RustlsError> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn is_unknown_issuer(error: &RustlsError) -> bool {
    let unknown = RustlsError::InvalidCertificate(CertificateError::UnknownIssuer);
    *error == unknown
}

/// Whether a CA certificate was used as a server certificate. rustls has no variant for this error
/// of webpki.
pub(super) fn is_ca_as_server(error: &RustlsError) -> bool {
    let RustlsError::InvalidCertificate(CertificateError::Other(other)) = error else {
        return false;
    };
    format!("{other:?}").contains("CaUsedAsEndEntity")
}
