//! Sources that give less or more than was promised, fail, or panic.

use std::error::Error as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;

use raw_http::{Script, ScriptServer};

use super::*;

/// A server that answers every whole request, and keeps its connections.
fn registry() -> ScriptServer {
    ScriptServer::start(vec![
        Script::new().read_request().send(CREATED),
        Script::new().read_request().send(CREATED).repeat(),
    ])
}

/// Sends a body that fails, and then a good one, which needs a connection of its own. Returns what
/// the server received of the first one.
#[track_caller]
fn expect_failure(content: Content<'_>, message: &str) -> (Vec<u8>, WireError) {
    let server = registry();
    let peer = Peer::http(&server.authority());
    let error = peer.send(Method::Put, content).unwrap_err();
    assert_eq!(error.failure, Failure::Source, "{error}");
    assert_eq!(error.message, message);
    let next = peer.send(Method::Put, Content::Bytes(b"good")).unwrap();
    assert_eq!(next.status, 201);
    assert!(server.connection_count() <= 2);
    // A request that fails before anything is sent makes no connection.
    let received = server.received();
    let first = match received.len() {
        2 => received[0].clone(),
        _ => Vec::new(),
    };
    (first, error)
}

/// The bytes behind the head.
fn body_of(received: &[u8]) -> &[u8] {
    let end = received.windows(4).position(|part| part == b"\r\n\r\n");
    end.map_or(b"", |end| &received[end + 4..])
}

#[test]
fn too_few_bytes_are_an_error_and_no_request() {
    for (given, promised) in [(5, 10), (0, 1), (65_536, 65_537), (300_000, 300_001)] {
        let (received, _) = expect_failure(
            stream(Zeros::new(given), Some(promised)),
            &format!("the source gave {given} of {promised} bytes"),
        );
        assert!(body_of(&received).len() as u64 <= given);
    }
}

#[test]
fn too_many_bytes_are_an_error_before_the_promised_ones_are_complete() {
    for (given, promised) in [(1, 0), (11, 10), (65_537, 65_536), (300_001, 300_000)] {
        let (received, _) = expect_failure(
            stream(Zeros::new(given), Some(promised)),
            &format!("the source gave more than the {promised} bytes that were promised"),
        );
        let sent = body_of(&received).len() as u64;
        assert!(promised == 0 || sent < promised, "{sent} of {promised}");
    }
}

#[test]
fn a_source_that_fails_keeps_its_cause() {
    for length in [Some(10), None] {
        let source = scripted(|read, buffer| match read {
            1 => give(b"12345", buffer),
            _ => Err(io::Error::other("the disk is gone")),
        });
        let message = "the source failed after 5 bytes";
        let (received, error) = expect_failure(stream(source, length), message);
        let cause = error.source().unwrap().downcast_ref::<io::Error>();
        assert_eq!(cause.unwrap().to_string(), "the disk is gone");
        assert!(!received.ends_with(b"\r\n0\r\n\r\n"), "{length:?}");
    }
}

#[test]
fn a_source_that_claims_more_than_there_is_room_for_fails() {
    for length in [Some(10), None] {
        let source = scripted(|_, buffer| Ok(buffer.len() + 1));
        let message = "the source claims more bytes than it was asked for";
        expect_failure(stream(source, length), message);
    }
}

#[test]
fn an_interrupted_source_is_asked_again() {
    let server = registry();
    let source = scripted(|read, buffer| match read {
        1 => Err(io::ErrorKind::Interrupted.into()),
        2 => give(b"12345", buffer),
        _ => Ok(0),
    });
    let reply = Peer::http(&server.authority()).send(Method::Put, stream(source, Some(5)));
    assert_eq!(reply.unwrap().status, 201);
}

#[test]
fn a_panic_in_a_source_leaves_the_connections_usable() {
    for length in [Some(10), None] {
        let server = registry();
        let peer = Peer::http(&server.authority());
        let context = context();
        let source = scripted(|read, buffer| match read {
            1 => give(b"12345", buffer),
            _ => panic!("on purpose"),
        });
        let send = || peer.send_in(&context, Method::Put, stream(source, length));
        assert!(catch_unwind(AssertUnwindSafe(send)).is_err());
        for _ in 0..2 {
            let next = peer.send_in(&context, Method::Put, Content::Bytes(b"good"));
            assert_eq!(next.unwrap().status, 201);
        }
        assert_eq!(server.connection_count(), 2);
        assert!(!server.received()[0].ends_with(b"\r\n0\r\n\r\n"));
    }
}

/// This is how a blob is copied from one registry to another.
#[test]
fn a_source_may_be_the_answer_of_another_exchange() {
    let text = "a blob".repeat(30_000);
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", text.len());
    let script = Script::new().read_request().send(answer + &text);
    let from = ScriptServer::start(vec![script]);
    let to = registry();
    let download = Peer::http(&from.authority());
    let mut request = download.request(Method::Get, Content::Nothing);
    let response = download
        .connections
        .exchange(&mut request, &context())
        .unwrap();
    let content = stream(response.body, Some(text.len() as u64));
    let reply = Peer::http(&to.authority()).send(Method::Put, content);
    assert_eq!(reply.unwrap().status, 201);
    assert_eq!(body_of(&to.received()[0]), text.as_bytes());
}

#[test]
fn whether_anything_was_sent_is_told() {
    // Nothing listens on this port any more.
    let (gone, thread) = serve(|_| Ok(()));
    drop(TcpStream::connect(&gone).unwrap());
    thread.join().unwrap().unwrap();
    let seen = context();
    let refused = Peer::http(&gone).send_in(&seen, Method::Put, Content::Bytes(b"1"));
    assert_eq!(refused.unwrap_err().failure, Failure::Connect);
    assert!(!seen.seen().sent);

    let server = registry();
    for content in [Content::Nothing, Content::Bytes(b"1")] {
        let seen = context();
        let peer = Peer::http(&server.authority());
        peer.send_in(&seen, Method::Put, content).unwrap();
        assert!(seen.seen().sent && seen.seen().answered);
    }
    // The head is sent before the source is read.
    let seen = context();
    let source = scripted(|_, _| Err(io::Error::other("no")));
    let peer = Peer::http(&server.authority());
    let failed = peer.send_in(&seen, Method::Put, stream(source, Some(1)));
    assert_eq!(failed.unwrap_err().failure, Failure::Source);
    assert!(seen.seen().sent && !seen.seen().answered);
}

/// The memory for an upload does not grow with its size.
#[test]
fn a_large_body_goes_out_in_writes_of_64_kib() {
    for (length, most) in [(Some(LARGE), 65_536), (None, 65_480)] {
        let chunked = length.is_none();
        let (authority, server) = serve(move |mut stream| {
            read_head(&mut stream)?;
            let mut buffer = vec![0; 1 << 20];
            let (mut count, mut tail) = (0, Vec::new());
            // The body's bytes are zeros, so only its end looks like this.
            while !(tail.ends_with(b"\r\n0\r\n\r\n") || count == LARGE && !chunked) {
                let amount = stream.read(&mut buffer)?;
                if amount == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                count += amount as u64;
                tail.extend_from_slice(&buffer[amount.saturating_sub(7)..amount]);
                tail.drain(..tail.len().saturating_sub(7));
            }
            stream.write_all(CREATED.as_bytes())?;
            Ok(count)
        });
        let zeros = Zeros::new(LARGE);
        let asked = zeros.seen.clone();
        let reply = Peer::http(&authority).send(Method::Put, stream(zeros, length));
        assert_eq!(reply.unwrap().status, 201);
        let count = server.join().unwrap().unwrap();
        assert!(if chunked {
            count > LARGE
        } else {
            count == LARGE
        });
        assert_eq!(asked.given.load(Ordering::Relaxed), LARGE);
        assert_eq!(asked.most_at_once.load(Ordering::Relaxed), most);
    }
}

/// A source that has ended is not read again.
#[test]
fn a_source_is_not_read_after_its_end() {
    let ended = Arc::new(AtomicBool::new(false));
    let seen = ended.clone();
    let source = scripted(move |read, buffer| {
        assert!(!ended.load(Ordering::Relaxed), "read after its end");
        match read {
            1 => give(b"12345", buffer),
            _ => {
                ended.store(true, Ordering::Relaxed);
                Ok(0)
            }
        }
    });
    let server = registry();
    let reply = Peer::http(&server.authority()).send(Method::Put, stream(source, None));
    assert_eq!(reply.unwrap().status, 201);
    assert!(seen.load(Ordering::Relaxed));
}
