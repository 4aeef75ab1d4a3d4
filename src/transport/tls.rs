//! TLS: our own connector over rustls.
//!
//! ureq's own panics on a client key that does not fit its certificate and can't add a CA to the
//! platform's. This one keeps a set of trusted roots per registry, and drives the session by hand
//! so that every wait is one of [`Socket`]'s.

use std::io::{self, Read, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct,
    Error as RustlsError, IoState, RootCertStore, SignatureScheme,
};

use super::connection::Stream;
use super::context::{ExchangeContext, WaitLimit};
use super::error::{Failure, Phase, WireError};
use super::tcp::Socket;
use crate::error::{Error, ErrorKind, Result};

/// The largest TLS record is a little over 16 KiB (RFC 8446, 5.2).
const RECORD: usize = 17 * 1024;
/// A CA file larger than this is none.
const MAX_CA_FILE: u64 = 4 * 1024 * 1024;

/// The platform's root certificates, loaded at a client's first TLS connection.
#[derive(Debug, Default)]
pub(crate) struct PlatformRoots(OnceLock<RootCertStore>);

impl PlatformRoots {
    /// What was found is kept; that nothing was found is not, since that may have been a shortage
    /// of descriptors.
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

/// Certificates that the caller trusts for one registry, beside the platform's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Authorities(Vec<CertificateDer<'static>>);

impl Authorities {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the certificates of a PEM file.
    pub(crate) fn add_file(&mut self, path: &Path) -> Result<()> {
        let named = format!("CA file {}: ", path.display());
        let unusable = |what: &str| Error::new(ErrorKind::Config, format!("{named}{what}"));
        let metadata =
            std::fs::metadata(path).map_err(|error| unusable("can't be read").caused_by(error))?;
        // A FIFO would block for ever (S21).
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

    /// `named` says in an error where the text is from.
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

/// What a TLS connection for one registry trusts. Built at the first connection and kept.
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

    fn config(&self) -> Result<Arc<ClientConfig>, WireError> {
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
        // No ALPN: we speak HTTP/1.1 only, and a server that is offered nothing picks it (R30).
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}

/// The usual verification, and one exception: the certificate that Docker's own guide tells people
/// to make is its own CA, which a strict verifier refuses as a server certificate. Where the caller
/// named exactly this certificate, it is accepted, if that is all that is wrong with it and the
/// name matches.
#[derive(Debug)]
struct CertificateVerifier {
    chains: Arc<WebPkiServerVerifier>,
    own: Vec<CertificateDer<'static>>,
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
        match self.chains.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        ) {
            // webpki looks at the validity dates before this, so an expired certificate never gets
            // here.
            Err(error)
                if is_ca_as_server(&error) && self.own.iter().any(|own| own == end_entity) =>
            {
                rustls::client::verify_server_name(
                    &ParsedCertificate::try_from(end_entity)?,
                    server_name,
                )?;
                Ok(ServerCertVerified::assertion())
            }
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, RustlsError> {
        self.chains
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, RustlsError> {
        self.chains
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

/// rustls passes this webpki error on without a name of its own.
fn is_ca_as_server(error: &RustlsError) -> bool {
    matches!(error, RustlsError::InvalidCertificate(CertificateError::Other(other)) if format!("{other:?}").contains("CaUsedAsEndEntity"))
}

/// A TLS session over a socket.
#[derive(Debug)]
pub(super) struct TlsStream {
    session: ClientConnection,
    socket: Socket,
    incoming: Vec<u8>,
    /// The part of `incoming` that the session has not taken yet. It takes no more than it can hold
    /// in clear.
    unfed: Range<usize>,
    outgoing: Vec<u8>,
}

impl TlsStream {
    /// Negotiates TLS on a new connection.
    pub(super) fn open(
        socket: Socket,
        host: &str,
        trust: &TlsTrust,
        context: &ExchangeContext,
        limit: WaitLimit,
    ) -> Result<TlsStream, WireError> {
        let name = ServerName::try_from(host.to_owned()).map_err(|error| {
            WireError::new(
                Failure::Tls { hint: None },
                Phase::Tls,
                "the host is no name that a certificate can have",
            )
            .caused_by(error)
        })?;
        let session = ClientConnection::new(trust.config()?, name).map_err(refused)?;
        let mut stream = TlsStream {
            session,
            socket,
            incoming: vec![0; RECORD],
            unfed: 0..0,
            outgoing: Vec::new(),
        };
        stream.handshake(context, limit)?;
        Ok(stream)
    }

    fn handshake(&mut self, context: &ExchangeContext, limit: WaitLimit) -> Result<(), WireError> {
        loop {
            self.flush(context, Phase::Tls, limit)?;
            if !self.session.is_handshaking() {
                return Ok(());
            }
            let amount = self
                .socket
                .read(&mut self.incoming, context, Phase::Tls, limit)?;
            if amount == 0 {
                let message = "the server closed the connection while negotiating TLS";
                return Err(WireError::new(
                    Failure::Disconnected { partial: false },
                    Phase::Tls,
                    message,
                ));
            }
            self.unfed = 0..amount;
            if let Err(error) = self.take_in() {
                // The server should learn why from our alert; that it can't be sent changes
                // nothing.
                let _ = self.flush(context, Phase::Tls, limit);
                return Err(refused(error));
            }
        }
    }

    /// Sends what the session wants to send.
    fn flush(
        &mut self,
        context: &ExchangeContext,
        phase: Phase,
        limit: WaitLimit,
    ) -> Result<(), WireError> {
        while self.session.wants_write() {
            self.outgoing.clear();
            self.session
                .write_tls(&mut self.outgoing)
                .map_err(|error| WireError::from_io(error, phase))?;
            self.socket
                .write_all(&self.outgoing, context, phase, limit)?;
        }
        Ok(())
    }

    /// Gives the session bytes that have come, and waits for more only where there are none.
    /// Returns with the session's state once there is something in clear to read, or all bytes are
    /// taken.
    fn feed(
        &mut self,
        context: &ExchangeContext,
        phase: Phase,
        limit: WaitLimit,
    ) -> Result<IoState, WireError> {
        if self.unfed.is_empty() {
            let amount = self
                .socket
                .read(&mut self.incoming, context, phase, limit)?;
            self.unfed = 0..amount;
        }
        self.take_in().map_err(refused)
    }

    /// Gives the session what is unfed; nothing unfed tells it that the connection has ended. A
    /// session that holds as much in clear as it can takes no more until that is read.
    fn take_in(&mut self) -> Result<IoState, RustlsError> {
        loop {
            let mut bytes = &self.incoming[self.unfed.clone()];
            let taken = self
                .session
                .read_tls(&mut bytes)
                .map_err(|error| RustlsError::General(error.to_string()))?;
            self.unfed.start += taken;
            let state = self.session.process_new_packets()?;
            if self.unfed.is_empty() || taken == 0 || state.plaintext_bytes_to_read() > 0 {
                return Ok(state);
            }
        }
    }
}

impl Stream for TlsStream {
    const IS_TLS: bool = true;

    fn read(
        &mut self,
        buffer: &mut [u8],
        context: &ExchangeContext,
        phase: Phase,
        limit: WaitLimit,
    ) -> Result<usize, WireError> {
        loop {
            match self.session.reader().read(buffer) {
                Ok(amount) => return Ok(amount),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // The end without close_notify: what came may have been cut off by anyone (R14).
                Err(error) => {
                    let failure = Failure::Disconnected {
                        partial: phase == Phase::Body,
                    };
                    return Err(
                        WireError::new(failure, phase, "the connection ended too early")
                            .caused_by(error),
                    );
                }
            }
            self.feed(context, phase, limit)?;
            self.flush(context, phase, limit)?;
        }
    }

    fn write_all(
        &mut self,
        mut bytes: &[u8],
        context: &ExchangeContext,
        phase: Phase,
        limit: WaitLimit,
    ) -> Result<(), WireError> {
        while !bytes.is_empty() {
            let taken = self
                .session
                .writer()
                .write(bytes)
                .map_err(|error| WireError::from_io(error, phase))?;
            bytes = &bytes[taken..];
            self.flush(context, phase, limit)?;
        }
        Ok(())
    }

    /// A server may send session tickets on its own; they are taken in. One that sends on and on is
    /// not quiet.
    fn is_quiet(&mut self) -> bool {
        const MOST_READS: usize = 4;
        if !self.unfed.is_empty() {
            return false;
        }
        for _ in 0..MOST_READS {
            match self.socket.read_now(&mut self.incoming) {
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
                Ok(0) => return false,
                Ok(amount) => self.unfed = 0..amount,
            }
            match self.take_in() {
                Ok(state) if !state.peer_has_closed() && state.plaintext_bytes_to_read() == 0 => {}
                _ => return false,
            }
        }
        false
    }

    fn socket(&self) -> &Socket {
        &self.socket
    }
}

/// Says in words what rustls found, and what the caller can do.
fn refused(error: RustlsError) -> WireError {
    use CertificateError as Bad;
    const GIVE_CA: &str =
        "if that is right, give its CA certificate for this registry (--ca-file, or ca_file)";
    const NOT_TLS: &str = "if it speaks plain http, say so for this registry (the setting plain_http, or --plain-http)";
    let (message, hint) = match &error {
        RustlsError::InvalidCertificate(bad) => match bad {
            Bad::UnknownIssuer => (
                "the certificate is signed by an authority that is not trusted here",
                Some(GIVE_CA),
            ),
            // As when a CA was made anew under its old name.
            Bad::BadSignature => (
                "the certificate is signed by another authority of the same name",
                Some(GIVE_CA),
            ),
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
                ("the certificate is for another host name", None)
            }
            Bad::Expired | Bad::ExpiredContext { .. } => ("the certificate has expired", None),
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
                ("the certificate is not valid yet", None)
            }
            Bad::Revoked => ("the certificate was revoked", None),
            _ if is_ca_as_server(&error) => {
                ("the certificate is a CA's own (self-signed)", Some(GIVE_CA))
            }
            _ => ("the certificate is not acceptable", None),
        },
        RustlsError::InvalidMessage(_) => ("asked over https, answered without TLS", Some(NOT_TLS)),
        RustlsError::AlertReceived(AlertDescription::ProtocolVersion)
        | RustlsError::PeerIncompatible(_) => (
            "the server speaks no TLS version or cipher that is safe",
            None,
        ),
        RustlsError::AlertReceived(_) => ("the server refused the TLS connection", None),
        _ => ("TLS failed", None),
    };
    WireError::new(Failure::Tls { hint }, Phase::Tls, message).caused_by(error)
}
