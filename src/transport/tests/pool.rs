//! Which connection a request takes.

use raw_http::{Answer, Recorded, Server, Service, Stop};

use super::*;

/// Accepts every request.
struct Accepting;

impl Service for Accepting {
    fn answer(&self, _: &Recorded, _: &Stop) -> Option<Answer> {
        Some(Answer::new(202, "", "ok"))
    }
}

#[test]
fn the_parts_of_an_upload_share_one_connection() {
    let ca = Ca::new();
    for tls in [None, Some(identity(&ca))] {
        let server = Server::start(0, tls.as_ref(), Accepting.into());
        let authority = server.address().to_string();
        let peer = match tls {
            Some(_) => Peer::https(&authority, &ca),
            None => Peer::http(&authority),
        };
        let part: Vec<u8> = (0..150_000).map(|at| (at % 251) as u8).collect();
        for round in 0..20 {
            let length = (round % 2 == 0).then_some(part.len() as u64);
            let content = stream(&part[..], length);
            let reply = peer.send(Method::Patch, content).unwrap();
            assert_eq!(reply.status, 202);
        }
        let requests = server.take_requests();
        assert_eq!((requests.len(), server.connection_count()), (20, 1));
        assert!(requests.iter().all(|request| request.body == part));
    }
}

#[test]
fn a_fresh_connection_leaves_the_pooled_ones() {
    let server = Server::start(0, None, Accepting.into());
    let peer = Peer::http(&server.address().to_string());
    // Three answers that are open at the same time need three connections. They go back to the
    // pool when the answers were read.
    let pooled = || {
        let bodies = [(); 3].map(|()| {
            let mut request = peer.request(Method::Get, Content::Nothing);
            let response = peer.connections.exchange(&mut request, &context());
            response.unwrap().body
        });
        for body in bodies {
            body.read_to_limit(2).unwrap();
        }
    };
    pooled();
    assert_eq!(server.connection_count(), 3);
    for (round, content) in [Content::Nothing, Content::Bytes(b"1")]
        .into_iter()
        .enumerate()
    {
        let mut fresh = unshared();
        fresh.pooling = Pooling::Fresh;
        let fresh = Arc::new(fresh);
        peer.send_in(&fresh, Method::Put, content).unwrap();
        assert!(!fresh.seen().reused);
        assert_eq!(server.connection_count(), 4 + round as u64);
    }
    pooled();
    assert_eq!(
        server.connection_count(),
        5,
        "the pooled ones are still there"
    );
}

#[test]
fn the_caller_learns_whether_a_connection_was_reused() {
    let server = Server::start(0, None, Accepting.into());
    let peer = Peer::http(&server.address().to_string());
    for reused in [false, true, true] {
        let context = context();
        peer.send_in(&context, Method::Put, Content::Bytes(b"1"))
            .unwrap();
        assert_eq!(context.seen().reused, reused);
        assert!(context.seen().peer.is_some());
    }
}
