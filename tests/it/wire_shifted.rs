//! Connections on which answers are shifted (R8): bytes that nobody asked for may be the answer to
//! the next request, or a part of one.

use std::thread::sleep;
use std::time::Duration;

use fake_registry::{Script, ScriptServer};
use ocireg::{Client, ErrorKind};

use crate::faults_support::{Ask, MANIFEST, once};

/// The good answer, without a word about the connection.
fn answer(ask: Ask) -> String {
    let body = ask.body();
    let head = ask.head(&format!("Content-Length: {}\r\n", body.len()));
    let body = if ask == Ask::Head { "" } else { body };
    format!("{head}{body}")
}

/// A connection that gives the good answer as often as it is asked.
fn good(ask: Ask) -> Script {
    Script::new().read_request().send(answer(ask)).repeat()
}

#[track_caller]
fn expect_answers(client: &Client, server: &ScriptServer, ask: Ask, times: usize) {
    for _ in 0..times {
        let answer = ask.run(client, &server.authority()).unwrap();
        assert_eq!(answer, ask.expected());
    }
}

#[test]
fn r8_after_bytes_that_nobody_asked_for_no_connection_is_used_again() {
    let late = Duration::from_millis(30);
    let forged = "HTTP/1.1 404 Not Found\r\nDocker-Distribution-Api-Version: registry/2.0\r\n\
        Content-Length: 0\r\n\r\n";
    for ask in [Ask::Head, Ask::Tags] {
        for extra in ["\r\n", "1", MANIFEST, forged] {
            let first = Script::new().read_request().send(answer(ask));
            let at_once = format!("{}{extra}", answer(ask));
            let cases = [
                Script::new().read_request().send(at_once),
                first.clone().send(extra),
                first.sleep(late).send(extra),
            ];
            for shifted in cases {
                let shifted = shifted.read_request().send(forged);
                let server = ScriptServer::start(vec![shifted, good(ask)]);
                let client = once();
                expect_answers(&client, &server, ask, 1);
                sleep(3 * late);
                expect_answers(&client, &server, ask, 4);
                assert_eq!(server.connection_count(), 5, "{ask:?} {extra:?}");
            }
        }
    }
}

/// Three connections are idle. The one that is looked at first has more than its answer.
#[test]
fn r8_the_other_idle_connections_of_the_origin_are_not_used_either() {
    let ask = Ask::Tags;
    let late = Duration::from_millis(100);
    // All three are made before one of them has its answer.
    let slow = Script::new().read_request().sleep(late).send(answer(ask));
    let surplus = slow.clone().send("1").read_request();
    let fine = slow.read_request().send(answer(ask)).repeat();
    let server = ScriptServer::start(vec![surplus.clone(), fine.clone(), fine, good(ask)]);
    let client = once();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| expect_answers(&client, &server, ask, 1));
        }
    });
    assert_eq!(server.connection_count(), 3);
    sleep(late);
    // The pool may look at the good ones first.
    expect_answers(&client, &server, ask, 3);
    expect_answers(&client, &server, ask, 3);
    let connections = server.connection_count();
    assert!((7..=9).contains(&connections), "{connections}");
    expect_answers(&client, &server, ask, 2);
    assert_eq!(server.connection_count(), connections + 2);
}

#[test]
fn r8_the_connections_of_other_registries_are_used_as_before() {
    let ask = Ask::Tags;
    let at_once = format!("{}1", answer(ask));
    let shifted = ScriptServer::start(vec![Script::new().read_request().send(at_once), good(ask)]);
    let other = ScriptServer::start(vec![good(ask)]);
    let client = once();
    for _ in 0..3 {
        expect_answers(&client, &other, ask, 1);
        expect_answers(&client, &shifted, ask, 1);
    }
    let counts = (shifted.connection_count(), other.connection_count());
    assert_eq!(counts, (3, 1));
}

const GARBAGE: [&str; 4] = [
    "garbage\r\n\r\n",
    "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "{\"errors\":[]}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
];

#[test]
fn r8_an_unreadable_answer_on_a_used_connection_is_asked_for_once_more() {
    for ask in [Ask::Head, Ask::Tags, Ask::Ping] {
        for garbage in GARBAGE {
            let first = Script::new().read_request().send(answer(ask));
            let shifted = first.read_request().send(garbage).read_request();
            let server = ScriptServer::start(vec![shifted, good(ask)]);
            let client = once();
            expect_answers(&client, &server, ask, 2);
            assert_eq!(server.connection_count(), 2, "{ask:?} {garbage:?}");
            let received = server.received();
            let requests =
                |bytes: &[u8]| String::from_utf8_lossy(bytes).matches("HTTP/1.1").count();
            assert_eq!((requests(&received[0]), requests(&received[1])), (2, 1));
            // Something was in the connection that was no answer.
            expect_answers(&client, &server, ask, 2);
            assert_eq!(server.connection_count(), 4, "{ask:?} {garbage:?}");
        }
    }
}

#[test]
fn r8_an_unreadable_answer_on_a_new_connection_is_final() {
    let ask = Ask::Head;
    for garbage in GARBAGE {
        let bad = Script::new().read_request().send(garbage);
        // The answer to the first request is good, or is not.
        let used = Script::new().read_request().send(answer(ask));
        let used = used.read_request().send(garbage);
        for (scripts, connections) in [(vec![bad.clone(), good(ask)], 1), (vec![used, bad], 2)] {
            let server = ScriptServer::start(scripts);
            let client = once();
            if connections == 2 {
                expect_answers(&client, &server, ask, 1);
            }
            let error = ask.run(&client, &server.authority()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{garbage:?}");
            assert_eq!(server.connection_count(), connections, "{garbage:?}");
        }
    }
}
