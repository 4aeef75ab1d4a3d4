//! Requests in, answers out, and a log of the requests.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::listener::{Conn, Listener, Stop, lock};
use crate::message::{Answer, Recorded, read_request};
use crate::tls::Identity;

/// The answers of a [`Server`]. Each connection has a thread, which calls these methods.
pub trait Service: Send + Sync + 'static {
    /// Answers a request; `None` closes the connection without an answer. It has to wait with
    /// [`Stop::sleep`], which ends with the server.
    fn answer(&self, request: &Recorded, stop: &Stop) -> Option<Answer>;

    /// Called with everything received, complete requests or not, before it is logged. Does nothing
    /// by default.
    fn received(&self, _request: &Recorded) {}

    /// How long a connection may be idle after an answer before it is closed. Called after every
    /// answer; a new connection has no limit, as with real servers. Defaults to no limit.
    fn idle_timeout(&self) -> Option<Duration> {
        None
    }
}

/// A [`Service`] on a port. Dropping it ends every connection and thread.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
    log: Log,
    scheme: &'static str,
}

type Log = Arc<Mutex<Vec<Recorded>>>;

impl Server {
    /// Listens on this port of 127.0.0.1, with TLS if there is an identity; port 0 takes a free
    /// one. The caller may keep a copy of the service, to change its answers.
    ///
    /// # Panics
    /// If the port is taken.
    pub fn start(port: u16, identity: Option<&Identity>, service: Arc<impl Service>) -> Self {
        let log = Log::default();
        let shared = log.clone();
        let serve = move |conn: Conn, stop: &Stop| serve(conn, stop, &*service, &shared);
        Self {
            listener: Listener::start(port, identity, Arc::new(serve)),
            log,
            scheme: identity.map_or("http", |_| "https"),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listener.address
    }

    /// `http://127.0.0.1:PORT`, or `https://…` with TLS.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address())
    }

    /// Everything received so far, in the order in which it was complete.
    pub fn requests(&self) -> Vec<Recorded> {
        lock(&self.log).clone()
    }

    /// The same, and empties the log.
    pub fn take_requests(&self) -> Vec<Recorded> {
        std::mem::take(&mut lock(&self.log))
    }

    /// How many entries the log has.
    pub fn request_count(&self) -> usize {
        lock(&self.log).len()
    }

    /// How many connections were accepted since the start, those without a request included.
    pub fn connection_count(&self) -> u64 {
        self.listener.connection_count()
    }
}

fn serve(mut conn: Conn, stop: &Stop, service: &impl Service, log: &Mutex<Vec<Recorded>>) {
    loop {
        let Some((request, whole)) = read_request(&mut conn) else {
            return conn.close();
        };
        service.received(&request);
        lock(log).push(request.clone());
        if !whole {
            return conn.refuse(BAD_REQUEST);
        } else if conn.plain_on_tls {
            return conn.refuse(HTTPS_EXPECTED);
        }
        let Some(answer) = service.answer(&request, stop) else {
            return conn.close();
        };
        let sent = conn.send(&answer.to_bytes(&request.method));
        if sent.is_err() || !request.keeps_alive() || answer.http10 || answer.close {
            return conn.close();
        }
        // A read timeout of zero is an error, so the shortest one stands for it.
        let idle = service.idle_timeout();
        let idle = idle.map(|time| time.max(Duration::from_millis(1)));
        let _ = conn.socket.set_read_timeout(idle);
    }
}

const BAD_REQUEST: &[u8] = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n400 Bad Request";

/// B12: the exact answer of Go's server.
const HTTPS_EXPECTED: &[u8] =
    b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
