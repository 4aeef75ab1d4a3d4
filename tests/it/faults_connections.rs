//! Connections that break at every point (R1 to R9, J6).

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use fake_registry::{Ca, Config, FakeRegistry, Quirk, Script, ScriptServer};
use ocireg::{Client, ErrorKind, Presence, Resolver};

use super::faults_support::{Ask, MANIFEST, MANIFEST_TYPE, hasty, image, once};

/// A resolver whose answers come from a function. It counts the calls.
#[derive(Clone)]
struct Named<F> {
    asked: Arc<AtomicU32>,
    answer: F,
}

impl<F: Fn(u32) -> io::Result<Vec<SocketAddr>>> Named<F> {
    fn new(answer: F) -> Self {
        let asked = Arc::default();
        Self { asked, answer }
    }

    fn count(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }
}

impl<F: Fn(u32) -> io::Result<Vec<SocketAddr>> + Send + Sync> Resolver for Named<F> {
    fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        (self.answer)(self.asked.fetch_add(1, Ordering::Relaxed))
    }
}

/// An address without a listener.
pub(crate) fn dead() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

fn filled(config: Config) -> FakeRegistry {
    let registry = FakeRegistry::start(config);
    registry.put_manifest("t/a", "v1", MANIFEST_TYPE, MANIFEST);
    registry
}

#[test]
fn r5_a_thousand_requests_to_a_server_that_closes_idle_connections() {
    let registry = filled(Config::new());
    let (client, image) = (once(), image(&registry.authority()));
    // The pauses of server and client meet in all combinations, so that many requests are sent just
    // as the server closes.
    let server_ms = [0, 1, 2, 3, 5, 8, 13, 50, 1, 2, 3];
    let client_ms = [0, 1, 2, 0, 3, 1, 5, 0, 2, 8, 1, 13, 3];
    for i in 0..1000 {
        let idle = Duration::from_millis(server_ms[i % server_ms.len()]);
        registry.set_quirks([Quirk::IdleClose(idle)]);
        let presence = client.exists(&image);
        assert!(
            matches!(presence, Ok(Presence::Exists(_))),
            "request {i}: {presence:?}"
        );
        std::thread::sleep(Duration::from_millis(client_ms[i % client_ms.len()]));
    }
    assert_eq!(
        registry.request_count(),
        1000,
        "each was asked exactly once"
    );
    assert!(registry.connection_count() > 100, "connections were closed");
}

#[test]
fn r5_a_fin_right_after_an_answer_that_did_not_announce_it() {
    let ca = Ca::new();
    let tls = Config::new().tls(ca.identity(&["127.0.0.1"]));
    for config in [Config::new(), tls] {
        let registry = filled(config.clone().quirk(Quirk::CloseAfterAnswer));
        let authority = registry.authority();
        let mut builder = hasty().retries(0);
        if registry.url().starts_with("https") {
            builder = builder.ca_pem(&authority, ca.pem().as_bytes());
        }
        let (client, image) = (builder.build().unwrap(), image(&authority));
        for i in 0..100 {
            let presence = client.exists(&image);
            assert!(
                matches!(presence, Ok(Presence::Exists(_))),
                "request {i}: {presence:?}"
            );
        }
        assert_eq!(registry.request_count(), 100);
    }
}

#[test]
fn r4_a_reset_before_the_answer_is_repeated() {
    for ask in [Ask::Head, Ask::Tags, Ask::Ping] {
        let reset = Script::new().read_request().reset();
        let server = ScriptServer::start(vec![reset.clone(), reset.clone(), ask.good()]);
        let client = hasty().build().unwrap();
        assert_eq!(
            ask.run(&client, &server.authority()).unwrap(),
            ask.expected()
        );
        assert_eq!(server.connection_count(), 3, "{ask:?}");

        let server = ScriptServer::start(vec![reset]);
        let error = ask.run(&client, &server.authority()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
        assert!(
            error.to_string().starts_with(&server.authority()),
            "{error}"
        );
        assert_eq!(
            server.connection_count(),
            4,
            "{ask:?}: one attempt and three repeats"
        );
    }
}

#[test]
fn r1_every_address_of_a_name_is_tried() {
    let registry = filled(Config::new());
    let live = registry.address();
    let name = "registry.test:5000";
    let lists = [
        vec![live],
        vec![dead(), live],
        vec![dead(), dead(), dead(), live, dead()],
        // A documentation address has no route or no answer, so the next one is tried at the same
        // time.
        vec!["[2001:db8::1]:5000".parse().unwrap(), live],
    ];
    for addresses in lists {
        let given = addresses.clone();
        let resolver = Named::new(move |_| Ok(given.clone()));
        let builder = hasty()
            .retries(0)
            .plain_http(name)
            .resolver(resolver.clone());
        let presence = builder.build().unwrap().exists(&image(name));
        assert!(
            matches!(presence, Ok(Presence::Exists(_))),
            "{addresses:?}: {presence:?}"
        );
        assert_eq!(resolver.count(), 1);
    }
    assert_eq!(registry.requests()[0].header("host").as_deref(), Some(name));
}

#[test]
fn r1_refused_is_a_connect_error_after_all_retries() {
    let addresses = [dead(), dead()];
    let resolver = Named::new(move |_| Ok(addresses.to_vec()));
    let builder = hasty()
        .plain_http("registry.test")
        .resolver(resolver.clone());
    let error = Ask::Head
        .run(&builder.build().unwrap(), "registry.test")
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    assert_eq!(resolver.count(), 4);
    assert!(error.is_transient() && error.hint().is_some());
    let refused = std::error::Error::source(&error).unwrap().to_string();
    assert!(refused.contains("refused"), "{refused}");
}

#[test]
fn r3_names_that_do_not_resolve() {
    use io::ErrorKind::{NotFound, Other, TimedOut};
    type Answer = fn(u32) -> io::Result<Vec<SocketAddr>>;
    // What the resolver answers, and how often it is asked.
    let cases: [(&str, Answer, u32); 5] = [
        ("no such name", |_| Err(NotFound.into()), 1),
        (
            "something else",
            |_| Err(io::Error::new(Other, "Name or service not known")),
            1,
        ),
        ("no address", |_| Ok(Vec::new()), 1),
        ("timed out", |_| Err(TimedOut.into()), 4),
        (
            "EAI_AGAIN",
            |_| {
                Err(io::Error::new(
                    Other,
                    "Temporary failure in name resolution",
                ))
            },
            4,
        ),
    ];
    for (name, answer, asked) in cases {
        let resolver = Named::new(answer);
        let client = hasty().resolver(resolver.clone()).build().unwrap();
        let error = Ask::Head.run(&client, "registry.test").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Resolve, "{name}: {error}");
        assert_eq!(resolver.count(), asked, "{name}");
        assert!(
            error
                .to_string()
                .starts_with("registry.test/t/a:v1: the host name "),
            "{error}"
        );
    }
}

#[test]
fn r3_a_resolver_that_recovers_or_hangs() {
    let registry = filled(Config::new());
    let live = registry.address();
    let recovers = Named::new(move |asked| match asked {
        0 | 1 => Err(io::ErrorKind::TimedOut.into()),
        _ => Ok(vec![live]),
    });
    let builder = hasty()
        .plain_http("registry.test")
        .resolver(recovers.clone());
    Ask::Head
        .run(&builder.build().unwrap(), "registry.test")
        .unwrap();
    assert_eq!(recovers.count(), 3);

    let hangs = Named::new(|_| {
        std::thread::sleep(Duration::from_secs(3));
        Ok(Vec::new())
    });
    let builder = hasty()
        .retries(0)
        .connect_timeout(Duration::from_millis(200));
    let started = Instant::now();
    let error = Ask::Head.run(&builder.resolver(hangs).build().unwrap(), "registry.test");
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(error.message().contains("resolving"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(2));
}

/// How a cut connection ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Fin,
    Rst,
}

/// Sends every proper prefix of `whole` on its own connection, asks each time, and checks that no
/// incomplete answer counts.
fn cut_everywhere(ask: Ask, whole: &[u8], complete_from: usize, end: End) {
    let cut = |at: usize| {
        let script = Script::new().read_request().send(&whole[..at]);
        if end == End::Rst {
            script.reset()
        } else {
            script
        }
    };
    let cuts: Vec<usize> = (0..complete_from).collect();
    // Without a retry each call fails.
    let mut scripts = ask.lesson();
    scripts.extend(cuts.iter().map(|at| cut(*at)));
    let server = ScriptServer::start(scripts);
    let (client, authority) = (once(), server.authority());
    ask.learn(&client, &authority);
    for at in &cuts {
        let error = ask
            .run(&client, &authority)
            .expect_err(&format!("{ask:?} cut at {at}"));
        assert_eq!(
            error.kind(),
            ErrorKind::Transport,
            "{ask:?} cut at {at}: {error:?}"
        );
    }
    // With a retry each call gets the whole answer.
    let mut scripts = ask.lesson();
    for at in &cuts {
        scripts.extend([cut(*at), ask.good()]);
    }
    let server = ScriptServer::start(scripts);
    let (client, authority) = (hasty().retries(1).build().unwrap(), server.authority());
    ask.learn(&client, &authority);
    for at in &cuts {
        let answer = ask.run(&client, &authority);
        assert_eq!(answer.unwrap(), ask.expected(), "{ask:?} cut at {at}");
    }
    let lessons = ask.lesson().len();
    assert_eq!(server.connection_count() as usize, lessons + 2 * cuts.len());
}

#[test]
fn r6_r7_an_answer_cut_at_every_byte_is_no_answer() {
    for ask in Ask::ALL {
        let whole = ask.answer();
        cut_everywhere(ask, &whole, whole.len(), End::Fin);
    }
}

#[test]
fn r6_r7_an_answer_reset_at_every_byte_is_no_answer() {
    let whole = Ask::Tags.answer();
    cut_everywhere(Ask::Tags, &whole, whole.len(), End::Rst);
}

#[test]
fn r7_a_chunked_answer_cut_at_every_byte_is_no_answer() {
    for ask in [Ask::Get, Ask::Tags, Ask::Ping] {
        let whole = ask.chunked();
        // After "0\r\n" of the last chunk only an empty line is missing.
        cut_everywhere(ask, &whole, whole.len() - 2, End::Fin);
    }
}

#[test]
fn r7_an_incomplete_answer_that_ends_with_its_connection_does_not_count() {
    for ask in [Ask::Get, Ask::Tags] {
        let (head, body) = (ask.head("Connection: close\r\n"), ask.body());
        let mut scripts = ask.lesson();
        for at in 0..=body.len() {
            scripts.push(
                Script::new()
                    .read_request()
                    .send(format!("{head}{}", &body[..at])),
            );
        }
        let server = ScriptServer::start(scripts);
        let (client, authority) = (once(), server.authority());
        ask.learn(&client, &authority);
        for at in 0..body.len() {
            // How much is missing is unknown, but the JSON is incomplete.
            let error = ask
                .run(&client, &authority)
                .expect_err(&format!("{ask:?} cut at {at}"));
            assert_eq!(
                error.kind(),
                ErrorKind::Protocol,
                "{ask:?} cut at {at}: {error:?}"
            );
        }
        assert_eq!(ask.run(&client, &authority).unwrap(), ask.expected());
    }
}

#[test]
fn r8_bytes_after_an_answer_are_never_read_as_the_next_answer() {
    let forged = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
        Content-Length: 33\r\n\r\n{\"name\":\"t/a\",\"tags\":[\"poisoned\"]}";
    let body = Ask::Tags.body();
    let plain = format!(
        "{}{body}",
        Ask::Tags.head(&format!("Content-Length: {}\r\n", body.len()))
    );
    let head = Ask::Tags.head("Transfer-Encoding: chunked\r\n");
    let chunked = format!("{head}{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let late = Duration::from_millis(30);
    for answer in [plain, chunked] {
        for extra in ["\r\n", "1234567890", forged] {
            let at_once = Script::new()
                .read_request()
                .send(format!("{answer}{extra}"));
            let later = Script::new()
                .read_request()
                .send(&answer)
                .sleep(late)
                .send(extra);
            for script in [
                at_once.read_request().send(forged),
                later.read_request().send(forged),
            ] {
                let server = ScriptServer::start(vec![script, Ask::Tags.good()]);
                let (client, authority) = (once(), server.authority());
                for _ in 0..2 {
                    let tags = Ask::Tags.run(&client, &authority).unwrap();
                    assert_eq!(tags, Ask::Tags.expected(), "after it {extra:?}");
                    std::thread::sleep(3 * late);
                }
                assert_eq!(server.connection_count(), 2, "{extra:?}: not used again");
            }
        }
    }
}

#[test]
fn r8_a_body_after_the_answer_to_head_is_never_read_as_the_next_answer() {
    let head = Ask::Head.head(&format!("Content-Length: {}\r\n", MANIFEST.len()));
    let script = Script::new()
        .read_request()
        .send(format!("{head}{MANIFEST}"));
    let server = ScriptServer::start(vec![script.read_request(), Ask::Head.good()]);
    let (client, authority) = (once(), server.authority());
    for _ in 0..2 {
        assert_eq!(
            Ask::Head.run(&client, &authority).unwrap(),
            Ask::Head.expected()
        );
    }
    assert_eq!(server.connection_count(), 2);
}

#[test]
fn j6_a_404_to_head_leaves_the_connection_usable() {
    let registry = filled(Config::new());
    let (client, there) = (once(), image(&registry.authority()));
    let missing = there.clone().with_tag("missing".parse().unwrap());
    for _ in 0..5 {
        assert_eq!(client.exists(&missing).unwrap(), Presence::Absent);
        assert!(matches!(client.exists(&there), Ok(Presence::Exists(_))));
        assert_eq!(client.tags(there.repository()).unwrap().len(), 1);
    }
    assert_eq!(
        (registry.request_count(), registry.connection_count()),
        (15, 1)
    );
}

#[test]
fn r9_a_slow_answer_is_waited_for() {
    let ask = Ask::Tags;
    let pause = Duration::from_millis(2);
    let drip = Script::new()
        .read_request()
        .send_slowly(ask.chunked(), pause);
    let server = ScriptServer::start(vec![drip]);
    // All pauses together are longer than the idle timeout, but each one is shorter.
    let builder = hasty().retries(0).idle_timeout(Duration::from_millis(200));
    let client: Client = builder.build().unwrap();
    assert_eq!(
        ask.run(&client, &server.authority()).unwrap(),
        ask.expected()
    );
}
