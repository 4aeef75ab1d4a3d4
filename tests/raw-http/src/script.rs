//! A server that plays scripts of bytes, for faults below HTTP.

use std::fmt;
use std::net::Shutdown;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::listener::{Conn, Listener, Stop, lock};
use crate::message::read_request;
use crate::tls::Identity;

/// What the server does on one connection, step by step. At the end it closes the connection.
///
/// ```
/// use raw_http::{Script, ScriptServer};
/// let cut = Script::new().read_request().send("HTTP/1.1 200 OK\r\nContent-Le").reset();
/// let empty = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
/// let good = Script::new().read_request().send(empty).repeat();
/// // Cuts the first connection, and serves all others.
/// let server = ScriptServer::start(vec![cut, good]);
/// # assert_eq!(server.connection_count(), 0);
/// ```
#[derive(Clone, Default)]
pub struct Script {
    steps: Vec<Step>,
    repeats: bool,
}

/// Does something and returns whether the script continues.
type Step = Arc<dyn Fn(&mut Conn, &Stop) -> bool + Send + Sync>;

impl Script {
    /// A script that closes the connection at once.
    pub fn new() -> Self {
        Self::default()
    }

    fn then(mut self, step: impl Fn(&mut Conn, &Stop) -> bool + Send + Sync + 'static) -> Self {
        self.steps.push(Arc::new(step));
        self
    }

    /// Waits for a request with its body; ends the script if none comes.
    pub fn read_request(self) -> Self {
        self.then(|conn, _| read_request(conn).is_some_and(|(_, whole)| whole))
    }

    /// Waits for any bytes and discards them; ends the script if none come.
    pub fn read_some(self) -> Self {
        self.then(|conn, _| {
            let some = !conn.buffer.is_empty() || conn.fill();
            conn.buffer.clear();
            some
        })
    }

    /// Sends bytes in one piece.
    pub fn send(self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref().to_vec();
        self.then(move |conn, _| conn.send(&bytes).is_ok())
    }

    /// R9: sends bytes one at a time, with a pause before each.
    pub fn send_slowly(self, bytes: impl AsRef<[u8]>, pause: Duration) -> Self {
        let bytes = bytes.as_ref().to_vec();
        self.then(move |conn, stop| {
            let mut bytes = bytes.iter();
            bytes.all(|byte| !stop.sleep(pause) && conn.send(&[*byte]).is_ok())
        })
    }

    /// Does nothing for a while, with the connection open.
    pub fn sleep(self, time: Duration) -> Self {
        self.then(move |_, stop| !stop.sleep(time))
    }

    /// R9: neither reads nor answers, until the server is dropped.
    pub fn stall(self) -> Self {
        self.sleep(Duration::from_secs(3600))
    }

    /// Sends FIN, in TLS without close_notify before it (R14), and continues. A `sleep` or
    /// `read_some` after it keeps the other direction open (R19).
    pub fn half_close(self) -> Self {
        self.then(|conn, _| conn.socket.shutdown(Shutdown::Write).is_ok())
    }

    /// Closes with FIN, as the end of a script does; RST if the client had sent more than was read.
    pub fn close(self) -> Self {
        self.then(|_, _| false)
    }

    /// R4, R6: closes with RST.
    pub fn reset(self) -> Self {
        self.then(|conn, _| conn.reset())
    }

    /// Starts the script again at its end, on the same connection.
    pub fn repeat(self) -> Self {
        Self {
            repeats: true,
            ..self
        }
    }

    fn play(&self, conn: &mut Conn, stop: &Stop) {
        // Without asking `stop` a script that never waits would not notice the drop.
        while self.steps.iter().all(|step| step(conn, stop)) && self.repeats {
            if stop.sleep(Duration::ZERO) {
                break;
            }
        }
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Script of {} steps", self.steps.len())
    }
}

/// A server of [`Script`]s: one for each connection in order, and the last one for all further
/// connections. Dropping it ends every connection.
#[derive(Debug)]
pub struct ScriptServer {
    listener: Listener,
    received: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl ScriptServer {
    /// Listens on a free port of 127.0.0.1. Panics if there is none.
    pub fn start(scripts: Vec<Script>) -> Self {
        Self::start_with(None, scripts)
    }

    /// The same with TLS around the bytes of the scripts.
    pub fn start_tls(identity: &Identity, scripts: Vec<Script>) -> Self {
        Self::start_with(Some(identity), scripts)
    }

    fn start_with(identity: Option<&Identity>, scripts: Vec<Script>) -> Self {
        let received = Arc::new(Mutex::new(Vec::new()));
        let seen: Arc<Mutex<Vec<Vec<u8>>>> = received.clone();
        let handler = Arc::new(move |mut conn: Conn, stop: &Stop| {
            let index = conn.id as usize;
            let mut all = lock(&seen);
            while all.len() <= index {
                all.push(Vec::new());
            }
            drop(all);
            conn.seen = Some(seen.clone());
            if let Some(script) = scripts.get(index).or(scripts.last()) {
                script.play(&mut conn, stop);
            }
            conn.close();
        });
        Self {
            listener: Listener::start(0, identity, handler),
            received,
        }
    }

    /// `127.0.0.1:PORT`.
    pub fn authority(&self) -> String {
        self.listener.address.to_string()
    }

    /// How many connections were accepted.
    pub fn connection_count(&self) -> u64 {
        self.listener.connection_count()
    }

    /// The bytes that the scripts read, for each connection.
    pub fn received(&self) -> Vec<Vec<u8>> {
        lock(&self.received).clone()
    }
}
