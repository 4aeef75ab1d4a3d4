//! A TLS session over a connection.

use std::io::{self, Read, Write};
use std::ops::Range;

use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError, ClientConnection, Error as RustlsError, IoState};

use super::trust::TlsTrust;
use super::verifier::is_ca_as_server;
use crate::transport::connection::Stream;
use crate::transport::context::{ExchangeContext, WaitLimit};
use crate::transport::error::{Failure, Phase, WireError};
use crate::transport::tcp::Socket;

/// The largest TLS record is a little over 16 KiB (RFC 8446, 5.2).
const RECORD: usize = 17 * 1024;
/// A TLS session over a socket.
#[derive(Debug)]
pub(in crate::transport) struct TlsStream {
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
    pub(in crate::transport) fn open(
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
