//! The servers as a client sees them, byte by byte.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use raw_http::{Answer, Ca, Identity, Recorded, Script, ScriptServer, Server, Service, Stop};

/// Answers with the request. Closes idle connections soon.
#[derive(Debug)]
struct Echo;

impl Service for Echo {
    fn answer(&self, request: &Recorded, _: &Stop) -> Option<Answer> {
        let head = format!("X-Path: {}", request.path());
        Some(Answer::new(200, &head, request.body.clone()))
    }

    fn idle_timeout(&self) -> Option<Duration> {
        Some(Duration::from_millis(20))
    }
}

fn echo(identity: Option<&Identity>) -> Server {
    Server::start(0, identity, Arc::new(Echo))
}

/// Sends bytes on a new connection and returns all that comes until FIN.
#[track_caller]
fn say(server: &Server, bytes: impl AsRef<[u8]>) -> String {
    let mut socket = TcpStream::connect(server.address()).unwrap();
    socket.write_all(bytes.as_ref()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn requests_are_logged_as_they_came() {
    let server = echo(None);
    let head = "PUT /a%20b?x=%2f HTTP/1.1\r\nTE: chunked\r\nTransfer-Encoding: chunked\r\n\
                aCCEPT: x\r\naccept: y\r\n\r\n";
    let answer = say(
        &server,
        format!("{head}2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"),
    );
    assert_eq!(
        answer,
        "HTTP/1.1 200 OK\r\nX-Path: /a b\r\nContent-Length: 5\r\n\r\nhello"
    );
    let request = server.take_requests().remove(0);
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("PUT", "/a%20b?x=%2f")
    );
    assert_eq!(
        (request.body.as_slice(), request.raw_head.as_slice()),
        (&b"hello"[..], head.as_bytes())
    );
    assert_eq!(request.header("Accept").as_deref(), Some("x, y"));
    assert_eq!(request.query("x").as_deref(), Some("/"));
    assert_eq!((server.request_count(), server.connection_count()), (0, 1));
}

#[test]
fn connections_are_kept_and_closed() {
    let server = echo(None);
    let twice = "HEAD /x HTTP/1.1\r\nContent-Length: 2\r\n\r\nhiGET /y HTTP/1.1\r\n\r\n";
    let answers = say(&server, twice);
    let expected = "HTTP/1.1 200 OK\r\nX-Path: /x\r\nContent-Length: 2\r\n\r\n\
                    HTTP/1.1 200 OK\r\nX-Path: /y\r\n";
    assert!(answers.starts_with(expected), "J6 {answers}");
    assert_eq!(
        (server.connection_count(), server.requests()[1].connection),
        (1, 0)
    );
    for closing in [
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
    ] {
        let answers = say(&server, [closing, closing].concat());
        assert_eq!(answers.matches("HTTP/1.1 200").count(), 1, "{answers}");
    }
}

#[test]
fn bytes_that_are_no_request_are_refused_and_logged() {
    let server = echo(None);
    for bytes in ["\x16\x03\x01\x00\x05hello", "GET /\r\n\r\n"] {
        assert!(
            say(&server, bytes).starts_with("HTTP/1.1 400 "),
            "{bytes:?}"
        );
        let request = server.take_requests().remove(0);
        assert_eq!(
            (request.method.as_str(), request.raw_head.as_slice()),
            ("", bytes.as_bytes())
        );
    }
}

/// One request over TLS; the error is the handshake's.
fn over_tls(server: &Server, root: &str) -> std::io::Result<String> {
    let mut roots = rustls::RootCertStore::empty();
    let root = rustls::pki_types::pem::PemObject::from_pem_slice(root.as_bytes()).unwrap();
    roots.add(root).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let mut client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut socket = TcpStream::connect(server.address())?;
    let mut stream = rustls::Stream::new(&mut client, &mut socket);
    stream.write_all(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    // Fails if FIN comes without close_notify.
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn tls_works_with_good_certificates_and_fails_with_bad_ones() {
    let ca = Ca::new();
    let names = ["localhost", "127.0.0.1"];
    let good = echo(Some(&ca.identity(&names)));
    assert!(
        over_tls(&good, ca.pem())
            .unwrap()
            .starts_with("HTTP/1.1 200 OK\r\n")
    );
    let bad = [
        (ca.expired(&names), "Expired"),
        (ca.not_yet_valid(&names), "NotValidYet"),
        (ca.identity(&["example.com"]), "NotValidForName"),
        (Identity::self_signed(&names), "CaUsedAsEndEntity"),
    ];
    for (identity, reason) in bad {
        let error = format!(
            "{:?}",
            over_tls(&echo(Some(&identity)), ca.pem()).unwrap_err()
        );
        assert!(error.contains(reason), "R14 {reason}: {error}");
    }
    let plain = say(&good, "GET / HTTP/1.1\r\n\r\n");
    assert!(
        plain.ends_with("Client sent an HTTP request to an HTTPS server.\n"),
        "B12 {plain}"
    );
}

#[test]
fn scripts_play_in_order_and_end_with_the_server() {
    let cut = Script::new()
        .read_request()
        .send("HTTP/1.1 200 OK\r\nConte")
        .reset();
    let good = Script::new().read_request().send("ok").repeat();
    let server = ScriptServer::start(vec![cut, good, Script::new().send("x").stall()]);
    let connect = |_| TcpStream::connect(server.authority()).unwrap();
    let mut sockets: Vec<_> = (0..3).map(connect).collect();
    sockets[0].write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let error = sockets[0].read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    for body in ["a", "b"] {
        let request = format!("PUT / HTTP/1.1\r\nContent-Length: 1\r\n\r\n{body}");
        sockets[1].write_all(request.as_bytes()).unwrap();
        sockets[1].read_exact(&mut [0; 2]).unwrap();
    }
    sockets[2].read_exact(&mut [0]).unwrap();
    assert_eq!(server.connection_count(), 3);
    assert!(server.received()[1].ends_with(b"\r\n\r\nb"));
    drop(server);
    assert_eq!(sockets[2].read(&mut [0]).unwrap(), 0);
}
