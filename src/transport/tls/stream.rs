//! A TLS session over another stream.

use std::io::{self, Read, Write};
use std::ops::Range;

use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError, ClientConnection, Error as RustlsError, IoState};

use super::trust::TlsTrust;
use super::verifier::is_ca_as_server;
use crate::address::AddressClass;
use crate::transport::connection::{Found, Stream};
use crate::transport::context::{ExchangeContext, Wait, WaitLimit};
use crate::transport::error::{Failure, Phase, WireError};

/// The largest TLS record is a little over 16 KiB (RFC 8446, 5.2).
const RECORD: usize = 17 * 1024;
/// The most reads in a row that may bring only messages of TLS itself, such as session tickets.
const MAX_LOOKS: usize = 4;

/// A TLS session over another stream.
#[derive(Debug)]
pub(in crate::transport) struct TlsStream<S> {
    session: ClientConnection,
    below: S,
    incoming: Vec<u8>,
    /// The part of `incoming` that the session has not taken yet. The session holds a limited
    /// amount of plaintext.
    unfed: Range<usize>,
    outgoing: Vec<u8>,
    /// The part of `outgoing` that is not sent yet.
    unsent: Range<usize>,
    /// The number of plaintext bytes in `outgoing`.
    encrypted: usize,
}

impl<S: Stream> TlsStream<S> {
    /// Negotiates TLS on a new connection.
    pub(in crate::transport) fn open(
        below: S,
        host: &str,
        trust: &TlsTrust,
        context: &ExchangeContext,
        limit: WaitLimit,
    ) -> Result<TlsStream<S>, WireError> {
        let name = ServerName::try_from(host.to_owned()).map_err(|error| {
            WireError::new(
                Failure::Tls { hint: None },
                Phase::Tls,
                "the host is no name that a certificate can have",
            )
            .caused_by(error)
        })?;
        let wait = Wait {
            context,
            phase: Phase::Tls,
            limit,
        };
        let session = ClientConnection::new(trust.config(wait)?, name).map_err(refused)?;
        let mut stream = TlsStream {
            session,
            below,
            incoming: vec![0; RECORD],
            unfed: 0..0,
            outgoing: Vec::new(),
            unsent: 0..0,
            encrypted: 0,
        };
        stream.handshake(wait)?;
        Ok(stream)
    }

    fn handshake(&mut self, wait: Wait<'_>) -> Result<(), WireError> {
        loop {
            self.flush(wait)?;
            if !self.session.is_handshaking() {
                return Ok(());
            }
            let amount = self.below.read(&mut self.incoming, wait)?;
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
                // The alert tells the server why. If it can't be sent, the error stays the same.
                let _ = self.flush(wait);
                return Err(refused(error));
            }
        }
    }

    /// Sends what the session wants to send. But if a write was abandoned in the middle of a
    /// record, nothing is sent: the server could not decrypt it.
    fn flush(&mut self, wait: Wait<'_>) -> Result<(), WireError> {
        if self.unsent.is_empty() && self.session.wants_write() {
            self.collect(wait)?;
            self.below.write_all(&self.outgoing, wait)?;
            self.unsent = 0..0;
        }
        Ok(())
    }

    /// Puts all that the session wants to send into `outgoing`.
    fn collect(&mut self, wait: Wait<'_>) -> Result<(), WireError> {
        self.outgoing.clear();
        while self.session.wants_write() {
            self.session
                .write_tls(&mut self.outgoing)
                .map_err(|error| WireError::from_io(error, wait.phase))?;
        }
        self.unsent = 0..self.outgoing.len();
        Ok(())
    }

    /// Gives bytes to the session, and waits for them if none have arrived. Returns the session's
    /// state once there is plaintext to read, or the session has taken all bytes.
    fn feed(&mut self, wait: Wait<'_>) -> Result<IoState, WireError> {
        if self.unfed.is_empty() {
            let amount = self.below.read(&mut self.incoming, wait)?;
            self.unfed = 0..amount;
        }
        self.take_in().map_err(refused)
    }

    /// As [`feed`](TlsStream::feed), but without a wait: `None` if nothing has arrived.
    fn feed_now(&mut self, phase: Phase) -> Result<Option<IoState>, WireError> {
        if self.unfed.is_empty() {
            self.unfed = match self.below.read_now(&mut self.incoming, phase)? {
                Found::Nothing => return Ok(None),
                Found::End => 0..0,
                Found::Bytes(amount) => 0..amount,
            };
        }
        self.take_in().map(Some).map_err(refused)
    }

    /// Gives the unfed bytes to the session. If there are none, that tells the session that the
    /// connection has ended. A session that holds its limit of plaintext takes no more until some
    /// of it is read.
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

    /// Reads plaintext from the session; `None` if it has none.
    fn take_out(&mut self, buffer: &mut [u8], phase: Phase) -> Result<Option<usize>, WireError> {
        match self.session.reader().read(buffer) {
            Ok(amount) => Ok(Some(amount)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            // The connection ended without close_notify: anyone may have cut it off (R14).
            Err(error) => {
                let failure = Failure::Disconnected {
                    partial: phase == Phase::Body,
                };
                let message = "the connection ended too early";
                Err(WireError::new(failure, phase, message).caused_by(error))
            }
        }
    }
}

impl<S: Stream> Stream for TlsStream<S> {
    const IS_TLS: bool = true;

    fn read(&mut self, buffer: &mut [u8], wait: Wait<'_>) -> Result<usize, WireError> {
        loop {
            if let Some(amount) = self.take_out(buffer, wait.phase)? {
                return Ok(amount);
            }
            self.feed(wait)?;
            self.flush(wait)?;
        }
    }

    /// Session tickets, which a server sends on its own, are processed and do not count as bytes.
    fn read_now(&mut self, buffer: &mut [u8], phase: Phase) -> Result<Found, WireError> {
        for _ in 0..MAX_LOOKS {
            match self.take_out(buffer, phase)? {
                Some(0) => return Ok(Found::End),
                Some(amount) => return Ok(Found::Bytes(amount)),
                None => {}
            }
            if self.feed_now(phase)?.is_none() {
                return Ok(Found::Nothing);
            }
        }
        let message = "the server sends TLS messages without end";
        Err(WireError::new(Failure::Protocol, phase, message))
    }

    fn write_slice(&mut self, bytes: &[u8], wait: Wait<'_>) -> Result<Option<usize>, WireError> {
        if self.unsent.is_empty() {
            self.encrypted = self
                .session
                .writer()
                .write(bytes)
                .map_err(|error| WireError::from_io(error, wait.phase))?;
            self.collect(wait)?;
        }
        let unsent = &self.outgoing[self.unsent.clone()];
        let Some(sent) = self.below.write_slice(unsent, wait)? else {
            return Ok(None);
        };
        self.unsent.start += sent;
        let done = self.unsent.is_empty();
        Ok(Some(if done { self.encrypted } else { 0 }))
    }

    fn peer(&self) -> AddressClass {
        self.below.peer()
    }

    fn is_permitted(&self, context: &ExchangeContext) -> bool {
        self.below.is_permitted(context)
    }

    fn release_memory(&mut self) {
        if self.outgoing.capacity() > RECORD {
            self.outgoing = Vec::new();
        }
        self.below.release_memory();
    }
}

/// The error for what rustls found, with a hint what the caller can do.
fn refused(error: RustlsError) -> WireError {
    use CertificateError as Bad;
    const GIVE_CA: &str =
        "if that is right, give the CA certificate for this host (--ca-file HOST=FILE, or ca_file)";
    const NOT_TLS: &str = "if it speaks plain http, say so for this registry (the setting \
        plain_http, or --plain-http)";
    let (message, hint) = match &error {
        RustlsError::InvalidCertificate(bad) => match bad {
            Bad::UnknownIssuer => (
                "the certificate is signed by an authority that is not trusted here",
                Some(GIVE_CA),
            ),
            // This happens when a CA was replaced by a new one of the same name.
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
