//! Sources of uploads that can be read once, that misbehave, or that meet a server that does.

use std::cell::Cell;
use std::io::{self, Read};

use raw_http::{Answer as ServerAnswer, Ca, Script, ScriptServer};

use super::handle::Client;
use super::request::{Payload, Repeat, Request, Source, Target};
use super::upload_tests::{CREATED, Zeros, client, created, put, send, server};
use crate::error::ErrorKind;
use crate::url::Url;

/// A server that answers the first request of its first connection, and closes it when the second
/// request has come. Its other connections are good.
fn closes_its_first_connection() -> ScriptServer {
    let closes = Script::new().read_request().send(CREATED).read_request();
    let good = Script::new().read_request().send(CREATED).repeat();
    ScriptServer::start(vec![closes, good])
}

#[test]
fn a_stale_connection_is_the_failure_of_a_source_that_can_be_read_once() {
    let server = closes_its_first_connection();
    let client = client();
    let first = put(Payload::Bytes(b"x"), Repeat::Always);
    assert_eq!(send(&client, &server.authority(), &first).unwrap(), 201);
    let zeros = Zeros::once(1000);
    let request = put(Payload::Source(&zeros), Repeat::Always);
    let error = send(&client, &server.authority(), &request).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "{error:#}");
}

#[test]
fn a_401_is_the_failure_of_a_source_that_can_be_read_once() {
    let server = server(|_| ServerAnswer::new(401, "WWW-Authenticate: Basic realm=\"r\"", ""));
    let authority = server.address().to_string();
    let builder = Client::builder().basic(&authority, "user", "password");
    let client = builder.build().unwrap();
    let zeros = Zeros::once(1000);
    let request = put(Payload::Source(&zeros), Repeat::Always);
    let error = send(&client, &authority, &request).unwrap_err();
    assert_eq!(error.http_status(), Some(401), "{error:#}");
}

/// Has one reader at a time, as a file behind a lock does.
struct Exclusive(Cell<bool>);

struct Held<'a>(&'a Cell<bool>, io::Take<io::Repeat>);

impl Read for Held<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1.read(buffer)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Source for Exclusive {
    fn size(&self) -> Option<u64> {
        Some(1000)
    }

    fn open(&self, _: u64) -> io::Result<Box<dyn Read + '_>> {
        if self.0.replace(true) {
            return Err(io::Error::other("a reader is still open"));
        }
        Ok(Box::new(Held(&self.0, io::repeat(0).take(1000))))
    }
}

#[test]
fn a_source_has_one_reader_at_a_time() {
    let server = closes_its_first_connection();
    let client = client();
    let first = put(Payload::Bytes(b"x"), Repeat::Always);
    assert_eq!(send(&client, &server.authority(), &first).unwrap(), 201);
    let source = Exclusive(Cell::new(false));
    let request = put(Payload::Source(&source), Repeat::Always);
    assert_eq!(send(&client, &server.authority(), &request).unwrap(), 201);
    assert_eq!(server.connection_count(), 2);
}

/// Says that it has filled the buffer, and leaves it as it was.
struct Idle;

struct IdleReader(u64);

impl Read for IdleReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let amount = buffer.len().min(usize::try_from(self.0).unwrap());
        self.0 -= amount as u64;
        Ok(amount)
    }
}

impl Source for Idle {
    fn size(&self) -> Option<u64> {
        Some(2000)
    }

    fn open(&self, _: u64) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(IdleReader(2000)))
    }
}

/// The buffer has held the head of the request, with the login in it.
#[test]
fn a_source_that_fills_no_buffer_uploads_no_login() {
    let server = server(|_| created());
    let authority = server.address().to_string();
    let builder = Client::builder().bearer(&authority, "secret-token");
    let client = builder.build().unwrap();
    for _ in 0..2 {
        let request = put(Payload::Source(&Idle), Repeat::Always);
        send(&client, &authority, &request).unwrap();
        let body = server.take_requests().remove(0).body;
        assert_eq!(body, vec![0; 2000]);
    }
}

/// The registry would be said to have what it never got.
#[test]
fn a_success_before_the_end_of_the_upload_is_none() {
    let early = Script::new().read_some().send(CREATED).stall();
    let server = ScriptServer::start(vec![early]);
    let zeros = Zeros::new(200 << 20);
    let request = put(Payload::Source(&zeros), Repeat::Always);
    let error = send(&client(), &server.authority(), &request).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error:#}");
    assert_eq!(server.connection_count(), 1);
}

#[test]
fn an_upload_is_not_led_from_https_to_http() {
    let ca = Ca::new();
    let identity = ca.identity(&["127.0.0.1"]);
    let good = Script::new().read_request().send(CREATED).repeat();
    let tls = ScriptServer::start_tls(&identity, vec![good.clone()]);
    let plain = ScriptServer::start(vec![good]);
    let authority = tls.authority();
    let builder = Client::builder().ca_pem(&authority, ca.pem().as_bytes());
    let client = builder.build().unwrap();
    let first = put(Payload::Bytes(b"x"), Repeat::Always);
    assert_eq!(send(&client, &authority, &first).unwrap(), 201);
    let url = format!("http://{}/upload?_state=secret", plain.authority());
    let request = Request {
        target: Target::Answered(Url::parse(&url).unwrap()),
        ..put(Payload::Bytes(b"company secret"), Repeat::Never)
    };
    let error = send(&client, &authority, &request).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error:#}");
    assert!(!error.to_string().contains("_state"), "{error}");
    assert_eq!(plain.connection_count(), 0);
}
