//! The stages in which a call can hang: each phase of an exchange, and the waits between exchanges.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use fake_registry::{Ca, Script, ScriptServer};
use ocireg::{CallOptions, Client, ClientBuilder, ErrorKind, Resolver};

use super::faults_support::{Ask, hasty};

/// A call that hangs.
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    pub(crate) ask: Ask,
    pub(crate) authority: String,
    builder: Box<dyn Fn() -> ClientBuilder + Send + Sync>,
    /// What the error says that the call was doing.
    pub(crate) doing: &'static str,
    pub(crate) bound: Bound,
    /// Whether the next call on the same client gets an answer.
    recovers: bool,
    // They live as long as the stage.
    servers: Vec<ScriptServer>,
    backlog: Option<Backlog>,
}

/// Which limit of the client ends the hanging call, besides the timeout of the call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bound {
    Connect,
    Idle,
    /// None: bytes keep coming.
    None,
    /// The registry says how long to wait, and the call fails at once if that is too long.
    RetryAfter,
}

/// A listener that accepts no further connection, and the connections that fill its queue.
struct Backlog {
    address: SocketAddr,
    _held: (TcpListener, Vec<TcpStream>),
}

/// A resolver whose first answer differs from all later ones, and may be delayed.
struct FirstOther {
    delay: Duration,
    first: SocketAddr,
    then: SocketAddr,
    asked: AtomicU32,
}

const NAME: &str = "registry.test";
/// Shorter than a slice of the library's waits, so that bytes come in every slice.
const DRIP: Duration = Duration::from_millis(20);

impl Stage {
    pub(crate) const ALL: [fn() -> Stage; 13] = [
        Stage::resolve,
        Stage::connect,
        Stage::tls,
        Stage::tls_dripping,
        Stage::send,
        Stage::wait,
        Stage::head,
        Stage::head_dripping,
        Stage::interim_answers,
        Stage::body,
        Stage::body_dripping,
        Stage::back_off,
        Stage::gate,
    ];

    /// Runs `test` for every stage, all at the same time.
    pub(crate) fn each(test: impl Fn(fn() -> Stage) + Sync) {
        thread::scope(|scope| {
            for stage in Stage::ALL {
                let test = &test;
                scope.spawn(move || test(stage));
            }
        });
    }

    /// A client whose calls will hang, with these settings.
    pub(crate) fn client(&self, change: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
        let client = change((self.builder)()).build().unwrap();
        if self.name == "gate" {
            // Another call gets the Retry-After, which is longer than its timeout.
            let short = client.with(CallOptions::new().timeout(Duration::from_secs(10)));
            let error = self.ask.run(&short, &self.authority).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::RateLimited, "{error}");
        }
        client
    }

    /// The time after which a call certainly hangs.
    pub(crate) fn arrived(&self) -> Duration {
        let takes_work = self.doing == "sending the request";
        Duration::from_millis(if takes_work { 2000 } else { 500 })
    }

    /// Asks again, which must work after the hanging call has ended.
    #[track_caller]
    pub(crate) fn works_again(&self, client: &Client) {
        if self.recovers {
            let answer = self.ask.run(client, &self.authority);
            assert_eq!(answer.unwrap(), self.ask.expected(), "after {}", self.name);
        }
    }

    /// A server that plays `first` on its first connection and answers on all others.
    fn scripted(name: &'static str, doing: &'static str, ask: Ask, first: Script) -> Stage {
        let server = ScriptServer::start(vec![first, ask.good()]);
        Stage {
            name,
            ask,
            authority: server.authority(),
            builder: Box::new(hasty),
            doing,
            bound: Bound::Idle,
            recovers: true,
            servers: vec![server],
            backlog: None,
        }
    }

    fn resolve() -> Stage {
        let mut stage = Stage::scripted(
            "resolve",
            "resolving the host name",
            Ask::Head,
            Ask::Head.good(),
        );
        let then: SocketAddr = stage.authority.parse().unwrap();
        let named = stage.name_leads_to(Duration::from_secs(3), then, then);
        stage.builder = Box::new(move || named().plain_http(NAME));
        stage
    }

    fn connect() -> Stage {
        let mut stage = Stage::scripted("connect", "connecting", Ask::Head, Ask::Head.good());
        let then: SocketAddr = stage.authority.parse().unwrap();
        let backlog = Backlog::full();
        let named = stage.name_leads_to(Duration::ZERO, backlog.address, then);
        stage.builder = Box::new(move || named().plain_http(NAME));
        stage.backlog = Some(backlog);
        stage
    }

    fn tls() -> Stage {
        Stage::secure("TLS", Script::new().stall())
    }

    fn tls_dripping() -> Stage {
        // A record of 16 KiB that comes too slowly to its end.
        let record = [&[22, 3, 3, 64, 0, 2, 0, 63, 252][..], &[0; 5000]].concat();
        Stage::secure("TLS, dripping", Script::new().send_slowly(record, DRIP))
    }

    fn secure(name: &'static str, first: Script) -> Stage {
        let mut stage = Stage::scripted(name, "negotiating TLS", Ask::Head, first);
        let ca = Ca::new();
        let good = ScriptServer::start_tls(&ca.identity(&[NAME]), vec![Ask::Head.good()]);
        let first = stage.authority.parse().unwrap();
        let then = good.authority().parse().unwrap();
        let named = stage.name_leads_to(Duration::ZERO, first, then);
        stage.builder = Box::new(move || named().ca_pem(NAME, ca.pem().as_bytes()));
        stage.servers.push(good);
        stage
    }

    fn name_leads_to(
        &mut self,
        delay: Duration,
        first: SocketAddr,
        then: SocketAddr,
    ) -> impl Fn() -> ClientBuilder + Send + Sync + use<> {
        self.authority = NAME.to_owned();
        self.bound = Bound::Connect;
        move || {
            let asked = AtomicU32::new(0);
            hasty().resolver(FirstOther {
                delay,
                first,
                then,
                asked,
            })
        }
    }

    fn send() -> Stage {
        let stalls = Script::new().stall();
        let mut stage = Stage::scripted("send", "sending the request", Ask::Head, stalls);
        // More than the buffers of both sides hold, and too much for the second server as well.
        let agent = "x".repeat(5 << 20);
        stage.builder = Box::new(move || hasty().user_agent(&agent));
        stage.recovers = false;
        stage
    }

    fn wait() -> Stage {
        let script = Script::new().read_request().stall();
        Stage::scripted("wait", "waiting for the answer", Ask::Head, script)
    }

    fn head() -> Stage {
        let script = Script::new()
            .read_request()
            .send("HTTP/1.1 200 OK\r\nX-A")
            .stall();
        Stage::scripted("head", "waiting for the answer", Ask::Head, script)
    }

    fn head_dripping() -> Stage {
        let fields = "X-Filler: x\r\n".repeat(100);
        let script = Script::new().read_request().send("HTTP/1.1 200 OK\r\n");
        Stage::dripping(
            "head, dripping",
            "waiting for the answer",
            Ask::Head,
            script,
            &fields,
        )
    }

    fn interim_answers() -> Stage {
        let early = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(100);
        let script = Script::new().read_request();
        Stage::dripping(
            "interim answers",
            "waiting for the answer",
            Ask::Head,
            script,
            &early,
        )
    }

    fn body() -> Stage {
        let head = Ask::Tags.head("Content-Length: 1000\r\n");
        let script = Script::new()
            .read_request()
            .send(head + Ask::Tags.body())
            .stall();
        Stage::scripted("body", "reading the answer", Ask::Tags, script)
    }

    fn body_dripping() -> Stage {
        let head = Ask::Tags.head("Content-Length: 5000\r\n");
        let script = Script::new().read_request().send(head);
        Stage::dripping(
            "body, dripping",
            "reading the answer",
            Ask::Tags,
            script,
            &" ".repeat(5000),
        )
    }

    fn dripping(
        name: &'static str,
        doing: &'static str,
        ask: Ask,
        script: Script,
        bytes: &str,
    ) -> Stage {
        let mut stage = Stage::scripted(name, doing, ask, script.send_slowly(bytes, DRIP));
        stage.bound = Bound::None;
        stage
    }

    fn back_off() -> Stage {
        let limits = Script::new().read_request().send(LIMITS);
        let mut stage = Stage::scripted("back-off", "waiting to ask again", Ask::Head, limits);
        // The Retry-After still counts when the call has stopped waiting.
        (stage.bound, stage.recovers) = (Bound::RetryAfter, false);
        stage
    }

    fn gate() -> Stage {
        let mut stage = Stage::back_off();
        stage.name = "gate";
        stage
    }
}

/// Its Retry-After is shorter than the timeout of the calls, so they wait.
const LIMITS: &str = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 19\r\n\
    Connection: close\r\nContent-Length: 0\r\n\r\n";

impl Backlog {
    fn full() -> Backlog {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        // Linux drops the first packet of a connection for which the queue has no room.
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
            waiting.push(stream);
            assert!(waiting.len() < 10_000, "the queue has an end");
        }
        let _held = (listener, waiting);
        Backlog { address, _held }
    }
}

impl Resolver for FirstOther {
    fn resolve(&self, _: &str, _: u16) -> std::io::Result<Vec<SocketAddr>> {
        if self.asked.fetch_add(1, Ordering::Relaxed) > 0 {
            return Ok(vec![self.then]);
        }
        thread::sleep(self.delay);
        Ok(vec![self.first])
    }
}
