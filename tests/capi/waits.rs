//! A C program can stop a call with a cancel token, a shutdown or its progress callback, whatever
//! the call waits for. Name resolution is tested in Rust only: C can't set a resolver of its own,
//! and the tests have no name server that never answers.

use std::any::Any;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use fake_registry::{Config, FakeRegistry, Script, ScriptServer};
use token_service::{Quirk as Odd, TokenService};

use crate::cc::{Linkage, Program};
use crate::library::Library;
use crate::scenes::{OCI, Scene};

/// The longest time that a stop may take, and the longest time between two calls of a progress
/// callback: 200 ms, and the rest for a busy machine.
const PROMPT: i64 = 500;

/// What the call waits for.
struct Stage {
    name: &'static str,
    ask: &'static str,
    setting: &'static str,
    server: fn() -> (String, Box<dyn Any + Send>),
}

const STAGES: [Stage; 9] = [
    stage("connect", "exists", "none", full_backlog),
    stage("TLS", "exists", "https", || plays(Script::new().stall())),
    stage("send", "exists", "large", || plays(Script::new().stall())),
    stage("wait", "exists", "none", || {
        plays(Script::new().read_request().stall())
    }),
    stage("head", "exists", "none", || {
        plays(
            Script::new()
                .read_request()
                .send("HTTP/1.1 200 OK\r\nX-A")
                .stall(),
        )
    }),
    stage("body", "tags", "none", half_a_list),
    stage("back-off", "exists", "none", asks_to_wait),
    stage("gate", "exists", "gate", asks_to_wait),
    stage("another's token", "exists", "token", slow_tokens),
];

const fn stage(
    name: &'static str,
    ask: &'static str,
    setting: &'static str,
    server: fn() -> (String, Box<dyn Any + Send>),
) -> Stage {
    Stage {
        name,
        ask,
        setting,
        server,
    }
}

fn plays(script: Script) -> (String, Box<dyn Any + Send>) {
    let server = ScriptServer::start(vec![script]);
    (server.authority(), Box::new(server))
}

fn half_a_list() -> (String, Box<dyn Any + Send>) {
    let half = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
                Content-Length: 1000\r\n\r\n{\"name\":\"t/a\",";
    plays(Script::new().read_request().send(half).stall())
}

/// The wait is longer than the time limit of `gate`, and shorter than a wait that ends a call at
/// once.
fn asks_to_wait() -> (String, Box<dyn Any + Send>) {
    let limits = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 40\r\n\
                  Connection: close\r\nContent-Length: 0\r\n\r\n";
    plays(Script::new().read_request().send(limits))
}

/// A listener whose queue is full.
fn full_backlog() -> (String, Box<dyn Any + Send>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address: SocketAddr = listener
        .local_addr()
        .expect("a bound socket has an address");
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        waiting.push(stream);
        assert!(waiting.len() < 10_000, "the queue has an end");
    }
    (address.to_string(), Box::new((listener, waiting)))
}

fn slow_tokens() -> (String, Box<dyn Any + Send>) {
    let delay = Odd::Delay(Duration::from_secs(60));
    let config = token_service::Config::new()
        .anonymous(&["t/a"])
        .quirk(delay);
    let service = TokenService::start(config);
    let registry = FakeRegistry::start(Config::new().bearer(&service.realm(), "lab"));
    registry.put_manifest("t/a", "v1", OCI, "{}");
    (registry.authority(), Box::new((service, registry)))
}

impl Stage {
    /// The number that the program has printed.
    fn measure(&self, program: &Program, how: &str) -> i64 {
        let (authority, server) = (self.server)();
        // The 5 MB of `send` take a while before the call waits.
        let after = if self.setting == "large" { 2000 } else { 500 };
        let arguments = [how, self.ask, &authority, self.setting, &after.to_string()];
        let arguments = arguments.map(str::to_owned).to_vec();
        let ran = Scene::new("tests/c/stop.c", arguments, server).passes(program);
        let printed = ran.out.trim().parse();
        printed.unwrap_or_else(|_| panic!("{}, {how}: {ran:?}", self.name))
    }
}

/// Load on the machine can only increase a measurement, so the smallest one counts.
#[track_caller]
fn is_prompt(how: &str) {
    let program = Program::compile("tests/c/stop.c", Library::for_tests(), Linkage::Shared);
    thread::scope(|scope| {
        for stage in &STAGES {
            let program = &program;
            scope.spawn(move || {
                let mut best = i64::MAX;
                for _ in 0..3 {
                    best = best.min(stage.measure(program, how));
                    if best < PROMPT {
                        eprintln!("{how}, {}: {best} ms", stage.name);
                        return;
                    }
                }
                panic!("{how}, {}: {best} ms", stage.name);
            });
        }
    });
}

#[test]
fn r34_a_token_ends_every_wait_within_half_a_second() {
    is_prompt("cancel");
}

#[test]
fn r34_a_shutdown_ends_every_wait_within_half_a_second() {
    is_prompt("shutdown");
}

#[test]
fn r34_a_progress_callback_comes_all_the_time_on_the_calling_thread_and_can_stop() {
    is_prompt("progress");
}
