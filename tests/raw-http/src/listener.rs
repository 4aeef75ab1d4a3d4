//! A listening socket with a thread for every connection, all of which end when it is dropped.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, Stream};

use crate::tls::Identity;

/// Locks. A connection thread that panicked must not make the others panic.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells the threads of a server that it is being dropped.
#[derive(Debug, Default)]
pub struct Stop(Mutex<bool>, Condvar);

impl Stop {
    /// Sleeps; true, and at once, if the server is being dropped.
    pub fn sleep(&self, time: Duration) -> bool {
        let Self(flag, changed) = self;
        let waited = changed.wait_timeout_while(lock(flag), time, |stopping| !*stopping);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) address: SocketAddr,
    socket: Arc<TcpListener>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: Stop,
    open: Mutex<HashMap<u64, TcpStream>>,
    accepted: Mutex<u64>,
}

type Handler = Arc<dyn Fn(Conn, &Stop) + Send + Sync>;
type Tls = Option<Arc<ServerConfig>>;

impl Listener {
    /// Listens on 127.0.0.1; port 0 takes a free one. Panics if the port is taken.
    pub(crate) fn start(port: u16, tls: Option<&Identity>, run: Handler) -> Self {
        let tls = tls.map(Identity::server_config);
        let socket = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
        let address = socket.local_addr().expect("a bound socket has an address");
        let (socket, shared) = (Arc::new(socket), Arc::new(Shared::default()));
        let (listening, state) = (socket.clone(), shared.clone());
        let thread = thread::spawn(move || accept(&listening, &state, &tls, &run));
        Self {
            address,
            socket,
            shared,
            thread: Some(thread),
        }
    }

    pub(crate) fn connection_count(&self) -> u64 {
        *lock(&self.shared.accepted)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        *lock(&self.shared.stop.0) = true;
        self.shared.stop.1.notify_all();
        // Wakes `accept`: the first is enough on Linux, the second elsewhere.
        let _ = socket2::SockRef::from(&*self.socket).shutdown(Shutdown::Both);
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_millis(100));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>, tls: &Tls, run: &Handler) {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    loop {
        let accepted = listener.accept();
        let accepted = accepted.and_then(|(socket, _)| Ok((socket.try_clone()?, socket)));
        if shared.stop.sleep(Duration::ZERO) {
            break;
        }
        let Ok((copy, socket)) = accepted else {
            // Probably no descriptor is left: the test that used them up will close some.
            shared.stop.sleep(Duration::from_millis(10));
            continue;
        };
        let mut count = lock(&shared.accepted);
        let id = *count;
        *count += 1;
        lock(&shared.open).insert(id, copy);
        threads.retain(|thread| !thread.is_finished());
        let (run, shared, tls) = (run.clone(), shared.clone(), tls.clone());
        threads.push(thread::spawn(move || {
            if let Some(conn) = Conn::new(id, socket, tls) {
                run(conn, &shared.stop);
            }
            // The last copy of the socket: only now the client sees FIN or RST.
            lock(&shared.open).remove(&id);
        }));
    }
    for socket in lock(&shared.open).values() {
        let _ = socket.shutdown(Shutdown::Both);
    }
    threads.into_iter().for_each(|thread| drop(thread.join()));
}

/// One accepted connection, plain or TLS, with the bytes that were read and not yet used.
pub(crate) struct Conn {
    pub(crate) id: u64,
    pub(crate) buffer: Vec<u8>,
    /// Where every byte read is also kept.
    pub(crate) seen: Option<Arc<Mutex<Vec<Vec<u8>>>>>,
    /// The client sent plain text to a TLS port. It is read as on a plain port.
    pub(crate) plain_on_tls: bool,
    pub(crate) socket: TcpStream,
    tls: Option<ServerConnection>,
}

/// The longest head. It bounds what a client makes the server keep.
const MAX_HEAD: usize = 1 << 20;

impl Conn {
    fn new(id: u64, socket: TcpStream, config: Tls) -> Option<Self> {
        socket.set_nodelay(true).ok()?;
        // 22 starts every TLS handshake record; Go's server tells the two apart in the same way.
        let mut first = [22];
        if config.is_some() {
            socket.peek(&mut first).ok()?;
        }
        let mut conn = Self {
            id,
            buffer: Vec::new(),
            seen: None,
            plain_on_tls: false,
            socket,
            tls: None,
        };
        match config {
            Some(config) if first == [22] => conn.tls = Some(ServerConnection::new(config).ok()?),
            config => conn.plain_on_tls = config.is_some(),
        }
        Some(conn)
    }

    /// Waits for more bytes into the buffer; false when none will come.
    pub(crate) fn fill(&mut self) -> bool {
        let mut bytes = [0; 16 * 1024];
        loop {
            let read = match &mut self.tls {
                Some(tls) => Stream::new(tls, &mut self.socket).read(&mut bytes),
                None => self.socket.read(&mut bytes),
            };
            match read {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => return false,
                Ok(count) => {
                    self.buffer.extend_from_slice(&bytes[..count]);
                    if let Some(seen) = &self.seen {
                        lock(seen)[self.id as usize].extend_from_slice(&bytes[..count]);
                    }
                    return true;
                }
            }
        }
    }

    /// Everything up to and including these bytes.
    pub(crate) fn until(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        loop {
            let found = self.buffer.windows(end.len()).position(|part| part == end);
            if let Some(at) = found {
                return Some(self.buffer.drain(..at + end.len()).collect());
            } else if self.buffer.len() > MAX_HEAD || !self.fill() {
                return None;
            }
        }
    }

    /// Moves `length` bytes into `body`; false if the client stopped before.
    pub(crate) fn exactly(&mut self, mut length: usize, body: &mut Vec<u8>) -> bool {
        loop {
            let now = length.min(self.buffer.len());
            body.extend(self.buffer.drain(..now));
            length -= now;
            if length == 0 || !self.fill() {
                return length == 0;
            }
        }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.tls {
            Some(tls) => Stream::new(tls, &mut self.socket).write_all(bytes),
            None => self.socket.write_all(bytes),
        }
    }

    /// Sends close_notify, if this is TLS. The drop of the value closes the connection.
    pub(crate) fn close(mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            let _ = tls.write_tls(&mut self.socket);
        }
    }

    /// Sends a last answer and discards what the client still sends. A close with unread bytes
    /// would be a reset, and a reset can overtake the answer.
    pub(crate) fn refuse(mut self, answer: &[u8]) {
        let sent = self.send(answer).is_ok();
        let _ = self.socket.shutdown(Shutdown::Write);
        let patience = Some(Duration::from_millis(500));
        let _ = self.socket.set_read_timeout(patience);
        while sent && self.fill() {
            self.buffer.clear();
        }
    }

    /// Makes the close a RST instead of a FIN, without close_notify.
    pub(crate) fn reset(&mut self) -> bool {
        self.tls = None;
        let _ = socket2::SockRef::from(&self.socket).set_linger(Some(Duration::ZERO));
        false
    }
}
