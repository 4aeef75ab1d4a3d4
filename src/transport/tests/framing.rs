//! The bytes of a request on the wire, for each method and kind of content.

use raw_http::{Script, ScriptServer};

use super::*;

const METHODS: [Method; 6] = [
    Method::Get,
    Method::Head,
    Method::Post,
    Method::Put,
    Method::Patch,
    Method::Delete,
];

/// The kinds of content.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Nothing,
    Bytes(&'static str),
    Sized(&'static str),
    Unsized(&'static str),
}

impl Kind {
    fn content(self) -> Content<'static> {
        match self {
            Kind::Nothing => Content::Nothing,
            Kind::Bytes(text) => Content::Bytes(text.as_bytes()),
            Kind::Sized(text) => stream(text.as_bytes(), Some(text.len() as u64)),
            Kind::Unsized(text) => stream(text.as_bytes(), None),
        }
    }
}

#[test]
fn a_body_goes_out_with_exactly_one_framing() {
    let length = |length: usize| format!("content-length: {length}\r\n\r\n");
    let chunked = "transfer-encoding: chunked\r\n\r\n";
    let hello = format!("{}hello", length(5));
    let cases = [
        (Kind::Bytes(""), length(0)),
        (Kind::Bytes("hello"), hello.clone()),
        (Kind::Sized(""), length(0)),
        (Kind::Sized("hello"), hello),
        (Kind::Unsized(""), format!("{chunked}0\r\n\r\n")),
        (
            Kind::Unsized("hello"),
            format!("{chunked}5\r\nhello\r\n0\r\n\r\n"),
        ),
    ];
    for method in METHODS {
        for (kind, rest) in &cases {
            expect_on_the_wire(method, *kind, rest);
        }
    }
}

/// Registries expect `Content-Length: 0` in the first request of an upload, which has no body.
#[test]
fn a_missing_body_is_announced_where_one_is_usual() {
    for method in METHODS {
        let rest = match method {
            Method::Post | Method::Put | Method::Patch => "content-length: 0\r\n\r\n",
            Method::Get | Method::Head | Method::Delete => "\r\n",
        };
        expect_on_the_wire(method, Kind::Nothing, rest);
    }
}

#[track_caller]
fn expect_on_the_wire(method: Method, kind: Kind, rest: &str) {
    let server = ScriptServer::start(vec![Script::new().read_request().send(CREATED)]);
    let authority = server.authority();
    let reply = Peer::http(&authority).send(method, kind.content());
    assert_eq!(reply.unwrap().status, 201, "{method:?} {kind:?}");
    let received = String::from_utf8(server.received().remove(0)).unwrap();
    let head = format!(
        "{} /v2/ HTTP/1.1\r\nhost: {authority}\r\nuser-agent: t\r\naccept: */*\r\n\
         accept-encoding: identity\r\n",
        method.as_str()
    );
    assert_eq!(received, head + rest, "{method:?} {kind:?}");
}

/// The sizes are around the limits of ureq's chunks and of our buffers.
#[test]
fn chunks_of_any_size_arrive_whole() {
    for size in [1, 9, 4_040, 10_240, 10_241, 65_480, 65_481, 65_536, 200_000] {
        let server = ScriptServer::start(vec![Script::new().read_request().send(CREATED)]);
        let body: Vec<u8> = (0..size).map(|at: u32| (at % 251) as u8).collect();
        let reply = Peer::http(&server.authority()).send(Method::Put, stream(&body[..], None));
        assert_eq!(reply.unwrap().status, 201, "{size}");
        let received = server.received().remove(0);
        let begin = received
            .windows(4)
            .position(|part| part == b"\r\n\r\n")
            .unwrap();
        assert_eq!(unchunked(&received[begin + 4..]), body, "{size}");
    }
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let line = bytes.windows(2).position(|part| part == b"\r\n").unwrap();
        let size = std::str::from_utf8(&bytes[..line]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        body.extend_from_slice(&bytes[line + 2..][..size]);
        bytes = &bytes[line + 2 + size + 2..];
        if size == 0 {
            assert_eq!(bytes, b"");
            return body;
        }
    }
}
