//! Batches on registries that do not answer: how soon the rest of the images fails, and that one
//! broken server or repository does not fail the others.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fake_registry::{Recorded, Script, ScriptServer};
use ocireg::{
    Algorithm, CallOptions, Client, Digest, Error, ErrorKind, Presence, Reference, Resolver,
};
use raw_http::{Answer, Server};

use crate::attackers_support::MARK;
use crate::auth_support::{reference, says};
use crate::faults_support::{MANIFEST, MANIFEST_TYPE, hasty};

const IMAGES: usize = 120;
const WIDTHS: [usize; 2] = [1, 8];
/// Retries after the first attempt of a request.
const ATTEMPTS: usize = 4;

/// `AUTHORITY/t/r0:v1` and so on.
fn images(authority: &str, count: usize) -> Vec<Reference> {
    (0..count)
        .map(|number| reference(&format!("{authority}/t/r{number}:v1")))
        .collect()
}

fn wide(client: &Client, width: usize) -> Client {
    client.with(CallOptions::new().concurrency(width))
}

/// Every image fails in this way, and each error is about its own image.
#[track_caller]
fn assert_all_fail(images: &[Reference], answers: &[Result<Presence, Error>], kind: ErrorKind) {
    for (image, answer) in images.iter().zip(answers) {
        let error = answer.as_ref().unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(&image.to_string()), "{error}");
    }
}

/// The good answer to a lookup.
fn manifest() -> Answer {
    let mut answer = Answer::new(200, MARK, MANIFEST);
    answer.add(&format!("Content-Type: {MANIFEST_TYPE}"));
    let digest = Digest::of(Algorithm::Sha256, MANIFEST.as_bytes());
    answer.add(&format!("Docker-Content-Digest: {digest}"));
    answer
}

fn is_ping(request: &Recorded) -> bool {
    request.path() == "/v2/"
}

fn pings(server: &Server) -> usize {
    server.requests().iter().filter(|one| is_ping(one)).count()
}

/// Counts how often it is asked. Every name has this address, or none.
#[derive(Clone)]
struct Counting {
    address: Option<SocketAddr>,
    asked: Arc<AtomicUsize>,
}

impl Counting {
    fn new(address: Option<SocketAddr>) -> Counting {
        let asked = Arc::default();
        Counting { address, asked }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Resolver for Counting {
    fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(self.address.into_iter().collect())
    }
}

#[test]
fn r35_where_no_connection_can_be_made_only_the_first_image_is_tried() {
    // Reserved: no other socket gets this port while it is bound, and nothing listens there.
    let reserved = socket();
    let nobody = reserved.local_addr().unwrap();
    let plain = ScriptServer::start(vec![Script::new().read_some().send("not TLS at all")]);
    let plain_at = plain.authority().parse().unwrap();
    let cases = [
        ("no such host", None, ErrorKind::Resolve, 1),
        ("refused", Some(nobody), ErrorKind::Connect, ATTEMPTS),
        ("no TLS", Some(plain_at), ErrorKind::Tls, 1),
    ];
    for (what, address, kind, attempts) in cases {
        for width in WIDTHS {
            let names = Counting::new(address);
            let client = hasty().resolver(names.clone()).build().unwrap();
            let images = images("dead.example.test", IMAGES);
            let answers = wide(&client, width).lookup_all(&images);
            assert_all_fail(&images, &answers, kind);
            assert_eq!(names.asked(), attempts, "{what}, width {width}");
        }
    }
    assert_eq!(plain.connection_count(), WIDTHS.len() as u64);
}

/// A port of 127.0.0.1 that refuses connections.
fn socket() -> std::net::UdpSocket {
    std::net::UdpSocket::bind("127.0.0.1:0").unwrap()
}

#[test]
fn r35_a_dead_registry_leaves_the_images_of_others_alone() {
    let good = says(None, |_| manifest());
    let reserved = socket();
    let mut all = images(&reserved.local_addr().unwrap().to_string(), 40);
    all.extend(images(&good.address().to_string(), 40));
    let answers = hasty().build().unwrap().lookup_all(&all);
    assert_all_fail(&all[..40], &answers[..40], ErrorKind::Connect);
    assert!(answers[40..].iter().all(Result::is_ok));
    assert_eq!(good.request_count(), 40);
}

#[test]
fn r35_a_registry_that_only_fails_is_asked_for_three_images_and_pinged_once() {
    for width in WIDTHS {
        let server = says(None, |_| Answer::new(503, "", "down"));
        let images = images(&server.address().to_string(), IMAGES);
        let client = wide(&hasty().build().unwrap(), width);
        let answers = client.lookup_all(&images);
        assert_all_fail(&images, &answers, ErrorKind::Server);
        let requests = server.request_count();
        // The first image, those that are asked at the same time after it, those that begin while
        // the ping is under way, and the ping.
        let most = match width {
            1 => 3 * ATTEMPTS + 1,
            _ => ATTEMPTS * (1 + 2 * width) + 1,
        };
        assert!(requests <= most, "width {width}: {requests} requests");
        assert_eq!(pings(&server), 1, "width {width}");
    }
}

#[test]
fn r35_a_silent_registry_costs_three_waits_and_that_of_the_ping() {
    let wait = Duration::from_millis(150);
    for width in WIDTHS {
        let silent = ScriptServer::start(vec![Script::new().read_request().stall()]);
        let options = CallOptions::new().concurrency(width).item_timeout(wait);
        let client = hasty().build().unwrap().with(options);
        let images = images(&silent.authority(), IMAGES);
        let begin = Instant::now();
        let answers = client.lookup_all(&images);
        assert_all_fail(&images, &answers, ErrorKind::Timeout);
        let most = 4 * width as u64;
        let connections = silent.connection_count();
        assert!(connections <= most, "width {width}: {connections}");
        assert!(begin.elapsed() < wait * 20, "{:?}", begin.elapsed());
    }
}

#[test]
fn r35_while_the_ping_answers_every_image_is_asked() {
    let pings_say = [200, 401, 404];
    for status in pings_say {
        let server = says(None, move |request| match is_ping(request) {
            true => Answer::new(status, MARK, ""),
            false => Answer::new(500, MARK, ""),
        });
        let images = images(&server.address().to_string(), 12);
        let client = wide(&hasty().retries(0).build().unwrap(), 1);
        assert_all_fail(&images, &client.lookup_all(&images), ErrorKind::Server);
        assert_eq!(server.request_count() - pings(&server), 12, "{status}");
        assert_eq!(pings(&server), 4, "{status}: one after each three");
    }
}

#[test]
fn r35_three_failures_that_are_not_in_a_row_ask_for_no_ping() {
    let server = says(None, |request| match request.path().contains("/r1") {
        true => Answer::new(502, MARK, ""),
        false if request.path().contains("/r2") => Answer::new(404, MARK, ""),
        false => manifest(),
    });
    let at = server.address().to_string();
    let numbers = [1, 0, 1, 2].repeat(10);
    let images: Vec<_> = numbers
        .iter()
        .enumerate()
        .map(|(tag, number)| reference(&format!("{at}/t/r{number}:v{tag}")))
        .collect();
    let answers = wide(&hasty().retries(0).build().unwrap(), 1).lookup_all(&images);
    for (number, answer) in numbers.iter().zip(&answers) {
        let expected = match number {
            0 => matches!(answer, Ok(Presence::Exists(_))),
            2 => matches!(answer, Ok(Presence::Absent)),
            _ => answer.is_err(),
        };
        assert!(expected, "{number}: {answer:?}");
    }
    assert_eq!((server.request_count(), pings(&server)), (40, 0));
}

/// A balancer with one broken server of two: connections go to them in turn.
#[test]
fn r35_one_broken_server_of_two_does_not_fail_a_hundred_good_images() {
    for width in WIDTHS {
        let server = says(None, |request| match request.connection % 2 {
            0 => Answer::new(503, "", "broken"),
            _ if is_ping(request) => Answer::new(200, MARK, "{}"),
            _ => manifest(),
        });
        let images = images(&server.address().to_string(), 103);
        let client = wide(&hasty().build().unwrap(), width);
        let answers = client.lookup_all(&images);
        let good = answers.iter().filter(|answer| answer.is_ok()).count();
        // With one thread the first three go over the connection to the broken server.
        let found = match width {
            1 => good == 100,
            _ => good > 3,
        };
        assert!(found, "width {width}: {good} of 103");
        assert!(server.request_count() >= 103, "every image was asked");
    }
}

#[test]
fn r35_a_registry_that_stops_in_the_middle_costs_three_rounds_and_a_ping() {
    let mut server = Some(says(None, |_| manifest()));
    let address = server.as_ref().unwrap().address();
    let names = Counting::new(Some(address));
    let client = hasty().resolver(names.clone()).build().unwrap();
    let options = CallOptions::new().concurrency(1);
    let images = images(&format!("localhost:{}", address.port()), IMAGES);
    let (mut good, mut failed) = (0, 0);
    client.with(options).lookup_each(&images, |_, answer| {
        match answer {
            Ok(_) => good += 1,
            Err(error) => {
                failed += 1;
                let kinds = [ErrorKind::Connect, ErrorKind::Transport];
                assert!(kinds.contains(&error.kind()), "{error}");
            }
        }
        server = None;
        std::ops::ControlFlow::Continue(())
    });
    assert_eq!(good + failed, IMAGES);
    assert!(good >= 1, "it answered the first");
    // One connection for those that were found, then three images and the ping.
    let connections = names.asked();
    assert!(connections <= 2 + 3 * ATTEMPTS + 1, "{connections}");
}

/// A redirect leads some images to a storage service that is down. The registry itself is well.
#[test]
fn r35_another_servers_refusal_is_not_the_registrys() {
    let reserved = socket();
    let storage = format!("http://{}/blob", reserved.local_addr().unwrap());
    let server = says(None, move |request| match request.path().contains("/r1") {
        true => Answer::new(307, &format!("{MARK}\nLocation: {storage}"), ""),
        false if is_ping(request) => Answer::new(200, MARK, "{}"),
        false => manifest(),
    });
    let at = server.address().to_string();
    let order = [1, 1, 1, 1, 0, 2, 3, 4];
    let images: Vec<_> = order
        .iter()
        .enumerate()
        .map(|(tag, number)| reference(&format!("{at}/t/r{number}:v{tag}")))
        .collect();
    let client = hasty().retries(0).build().unwrap();
    let answers = wide(&client, 1).lookup_all(&images);
    for (number, answer) in order.iter().zip(&answers) {
        assert_eq!(answer.is_ok(), *number != 1, "{number}: {answer:?}");
    }
}
