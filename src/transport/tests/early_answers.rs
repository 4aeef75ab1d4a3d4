//! Answers that come while the request is still sent.

use std::sync::mpsc;
use std::time::Instant;

use raw_http::{Script, ScriptServer};

use super::*;

/// How often each race is repeated.
const ROUNDS: u32 = 20;

/// A server, and a peer that trusts it, over http and over TLS.
fn servers(script: &Script) -> [(ScriptServer, Peer); 2] {
    let plain = ScriptServer::start(vec![script.clone()]);
    let peer = Peer::http(&plain.authority());
    let ca = Ca::new();
    let tls = ScriptServer::start_tls(&identity(&ca), vec![script.clone()]);
    let tls_peer = Peer::https(&tls.authority(), &ca);
    [(plain, peer), (tls, tls_peer)]
}

/// The script, and then it reads on without an answer.
fn reading_on(mut script: Script) -> Script {
    for _ in 0..10_000 {
        script = script.read_some();
    }
    script
}

fn contents() -> [Content<'static>; 2] {
    [
        stream(Zeros::new(LARGE), Some(LARGE)),
        stream(Zeros::new(LARGE), None),
    ]
}

#[test]
fn a_refusal_that_ends_the_connection_is_the_answer_every_time() {
    let refusal = Script::new().read_some().send(TOO_LARGE).half_close();
    let scripts = [
        reading_on(refusal.clone()),
        // The server does not read, so the client's writes block.
        refusal.sleep(Duration::from_millis(500)),
    ];
    for script in &scripts {
        for (server, peer) in servers(script) {
            for round in 0..ROUNDS {
                for content in contents() {
                    let reply = peer.send(Method::Put, content);
                    let what = format!("{} {round}", peer.base);
                    assert_eq!(reply.expect(&what), Reply::too_large(), "{what}");
                }
            }
            let sent = server.received().iter().map(Vec::len).max().unwrap();
            assert!((sent as u64) < LARGE / 2, "{sent} bytes were sent");
        }
    }
}

/// The reset may discard the answer, so both results are right. But the client must not wait.
#[test]
fn a_refusal_with_a_hard_close_is_the_answer_or_an_ended_connection() {
    let refusal = Script::new().read_some().send(TOO_LARGE);
    for script in [refusal.clone().close(), refusal.reset()] {
        for (_server, peer) in servers(&script) {
            for _ in 0..ROUNDS {
                for content in contents() {
                    let started = Instant::now();
                    match peer.send(Method::Put, content) {
                        Ok(reply) => assert_eq!(reply, Reply::too_large()),
                        Err(error) => assert!(
                            matches!(error.failure, Failure::Disconnected { .. }),
                            "{error:?}"
                        ),
                    }
                    assert!(started.elapsed() < Duration::from_secs(5));
                }
            }
        }
    }
}

#[test]
fn a_server_that_closes_without_an_answer_is_a_lost_connection() {
    let silent = Script::new().read_some();
    let scripts = [
        silent.clone().half_close().sleep(Duration::from_secs(5)),
        silent.clone().reset(),
        silent
            .send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 1")
            .close(),
    ];
    for script in &scripts {
        for (_server, peer) in servers(script) {
            for content in contents() {
                let started = Instant::now();
                let error = peer.send(Method::Put, content).unwrap_err();
                let lost = matches!(error.failure, Failure::Disconnected { .. });
                assert!(lost, "{error:?}");
                assert!(started.elapsed() < Duration::from_secs(4));
            }
        }
    }
}

#[test]
fn a_server_that_answers_and_goes_on_reading_gets_no_more() {
    let answer = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno";
    for (server, peer) in servers(&reading_on(Script::new().read_some().send(answer))) {
        for (round, content) in contents().into_iter().enumerate() {
            let reply = peer.send(Method::Patch, content).unwrap();
            assert_eq!((reply.status, &*reply.body), (401, "no"), "{}", peer.base);
            // The next request does not use the same connection.
            assert_eq!(server.connection_count(), round as u64 + 1);
        }
        for received in server.received() {
            assert!((received.len() as u64) < LARGE / 2);
            assert!(!received.ends_with(b"\r\n0\r\n\r\n"));
        }
    }
}

/// The server reads nothing more, so a write is blocked when the answer arrives.
#[test]
fn an_answer_is_found_while_a_write_waits() {
    let script = Script::new()
        .read_some()
        .sleep(Duration::from_millis(700))
        .send(TOO_LARGE)
        .stall();
    for (_server, peer) in servers(&script) {
        for content in contents() {
            let started = Instant::now();
            let reply = peer.send(Method::Put, content).unwrap();
            assert_eq!(reply, Reply::too_large(), "{}", peer.base);
            assert!(started.elapsed() < Duration::from_secs(3));
        }
    }
}

/// The answer comes in pieces and has a long body. The upload sees only the first bytes of it.
#[test]
fn the_rest_of_an_early_answer_is_read_as_usual() {
    let text = "why not ".repeat(100_000);
    let head = format!("TP/1.1 403 Forbidden\r\nContent-Length: {}\r\n", text.len());
    let pause = Duration::from_millis(50);
    let script = Script::new().read_some().send("HT").sleep(pause);
    let script = script
        .send(head)
        .sleep(pause)
        .send("\r\n")
        .send(&text)
        .stall();
    for (_server, peer) in servers(&script) {
        for content in contents() {
            let reply = peer.send(Method::Put, content).unwrap();
            assert_eq!(reply.status, 403);
            assert!(reply.body == text);
        }
    }
}

/// The source waits until the interim answer was sent, so the upload has to read it.
#[test]
fn an_interim_answer_is_no_answer() {
    let interim = [
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 E",
    ];
    for said in interim {
        let (sender, receiver) = mpsc::channel();
        let (authority, server) = serve(move |mut stream| {
            read_head(&mut stream)?;
            let mut body = [0; 10];
            stream.read_exact(&mut body[..5])?;
            stream.write_all(said.as_bytes())?;
            sender.send(()).unwrap();
            stream.read_exact(&mut body[5..])?;
            if said.ends_with('E') {
                stream.write_all(b"arly Hints\r\n\r\n")?;
            }
            stream.write_all(CREATED.as_bytes())?;
            Ok(body)
        });
        let source = scripted(move |read, buffer| match read {
            1 => give(b"12345", buffer),
            2 => {
                receiver.recv().unwrap();
                // What was sent may not have arrived yet.
                thread::sleep(Duration::from_millis(50));
                give(b"67890", buffer)
            }
            _ => Ok(0),
        });
        let peer = Peer::http(&authority);
        let reply = peer.send(Method::Put, stream(source, Some(10))).unwrap();
        assert_eq!(reply.status, 201, "{said:?}");
        assert_eq!(&server.join().unwrap().unwrap(), b"1234567890");
    }
}

/// Nobody needs the rest of the body once an answer has begun.
#[test]
fn a_source_is_not_read_after_an_early_answer() {
    let script = Script::new().read_some().send(TOO_LARGE).stall();
    for length in [Some(LARGE), None] {
        let server = ScriptServer::start(vec![script.clone()]);
        let source = scripted(|read, buffer| match read {
            1 => Ok(buffer.len()),
            2 => {
                thread::sleep(Duration::from_millis(300));
                Ok(buffer.len())
            }
            _ => panic!("read after the answer"),
        });
        let peer = Peer::http(&server.authority());
        let reply = peer.send(Method::Put, stream(source, length)).unwrap();
        assert_eq!(reply, Reply::too_large());
    }
}

/// The server sends session tickets after the handshake. The first read of the upload finds them.
#[test]
fn session_tickets_are_no_answer() {
    let ca = Ca::new();
    let script = Script::new().read_request().send(CREATED).repeat();
    let server = ScriptServer::start_tls(&identity(&ca), vec![script]);
    let peer = Peer::https(&server.authority(), &ca);
    for _ in 0..3 {
        let source = scripted(|read, buffer| match read {
            1..=5 => {
                thread::sleep(Duration::from_millis(20));
                give(b"12345", buffer)
            }
            _ => Ok(0),
        });
        let reply = peer.send(Method::Put, stream(source, Some(25))).unwrap();
        assert_eq!(reply.status, 201);
    }
    assert_eq!(server.connection_count(), 1);
}
