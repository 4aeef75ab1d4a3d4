//! Exchanges with real servers on the loopback interface.

mod early_answers;
mod framing;
mod pool;
mod sources;
mod waits;

use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use raw_http::{Ca, Identity};

use super::*;
use crate::http::Method;
use crate::interrupt::{Cancel, Interrupt};
use crate::url::Url;

const CREATED: &str = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
/// What a registry says to a blob that it does not want.
const TOO_LARGE: &str = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\n\r\nlarge";
/// More than all buffers between client and server hold.
const LARGE: u64 = 200 * 1024 * 1024;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// The connections to one test server.
struct Peer {
    connections: Connections,
    base: String,
}

/// An answer that was read to its end.
#[derive(Debug, PartialEq, Eq)]
struct Reply {
    status: u16,
    body: String,
}

impl Reply {
    fn too_large() -> Reply {
        let body = "large".to_owned();
        Reply { status: 413, body }
    }
}

impl Peer {
    fn http(authority: &str) -> Peer {
        Peer::new(format!("http://{authority}"), Authorities::default())
    }

    fn https(authority: &str, ca: &Ca) -> Peer {
        let mut authorities = Authorities::default();
        authorities.add_pem(ca.pem().as_bytes()).unwrap();
        Peer::new(format!("https://{authority}"), authorities)
    }

    fn new(base: String, authorities: Authorities) -> Peer {
        let origin = Url::parse(&base).unwrap().origin();
        let trust = Arc::new(TlsTrust::new(Arc::default(), authorities));
        let resolver = Arc::new(SystemResolver);
        let connections = Connections::new(&origin, &WireConfig::new(), resolver, trust);
        Peer { connections, base }
    }

    fn request<'a>(&self, method: Method, content: Content<'a>) -> WireRequest<'a> {
        let fields = [
            ("user-agent", "t"),
            ("accept", "*/*"),
            ("accept-encoding", "identity"),
        ];
        let fields = fields.map(|(name, value)| (name, Cow::Borrowed(value)));
        WireRequest {
            method,
            url: Url::parse(&format!("{}/v2/", self.base)).unwrap(),
            headers: fields.into(),
            content,
        }
    }

    fn send(&self, method: Method, content: Content<'_>) -> Result<Reply, WireError> {
        self.send_in(&context(), method, content)
    }

    fn send_in(
        &self,
        context: &Arc<ExchangeContext>,
        method: Method,
        content: Content<'_>,
    ) -> Result<Reply, WireError> {
        let mut request = self.request(method, content);
        let response = self.connections.exchange(&mut request, context)?;
        let body = response.body.read_to_limit(1 << 24)?;
        Ok(Reply {
            status: response.status,
            body: String::from_utf8(body).unwrap(),
        })
    }
}

fn identity(ca: &Ca) -> Identity {
    ca.identity(&["127.0.0.1"])
}

fn context() -> Arc<ExchangeContext> {
    Arc::new(unshared())
}

fn unshared() -> ExchangeContext {
    limited(unstoppable(), PATIENCE)
}

fn unstoppable() -> Interrupt {
    Interrupt::new(Cancel::new(), None, None, None)
}

fn limited(interrupt: Interrupt, idle: Duration) -> ExchangeContext {
    ExchangeContext::new(Arc::new(interrupt), PATIENCE, idle)
}

fn stream<'a>(reader: impl Read + 'a, length: Option<u64>) -> Content<'a> {
    Content::Stream {
        reader: Box::new(reader),
        length,
    }
}

/// Zeros, and how they were asked for.
#[derive(Debug, Default)]
struct Zeros {
    left: u64,
    seen: Arc<Asked>,
}

#[derive(Debug, Default)]
struct Asked {
    given: AtomicU64,
    most_at_once: AtomicUsize,
}

impl Zeros {
    fn new(left: u64) -> Zeros {
        let seen = Arc::default();
        Zeros { left, seen }
    }
}

impl Read for Zeros {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let amount = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        buffer[..amount].fill(0);
        self.left -= amount as u64;
        let Asked {
            given,
            most_at_once,
        } = &*self.seen;
        given.fetch_add(amount as u64, Ordering::Relaxed);
        most_at_once.fetch_max(buffer.len(), Ordering::Relaxed);
        Ok(amount)
    }
}

/// A source that does what the function says, which is given the number of the read.
struct Scripted<F>(u32, F);

impl<F: FnMut(u32, &mut [u8]) -> io::Result<usize>> Read for Scripted<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0 += 1;
        (self.1)(self.0, buffer)
    }
}

fn scripted<F: FnMut(u32, &mut [u8]) -> io::Result<usize>>(step: F) -> Scripted<F> {
    Scripted(0, step)
}

/// Copies as much as fits, as a source does.
fn give(bytes: &[u8], buffer: &mut [u8]) -> io::Result<usize> {
    (&mut &*bytes).read(buffer)
}

/// Plays one connection of a server on a thread of its own.
fn serve<T: Send + 'static>(
    play: impl FnOnce(TcpStream) -> io::Result<T> + Send + 'static,
) -> (String, JoinHandle<io::Result<T>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let thread = thread::spawn(move || {
        let (stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        play(stream)
    });
    (authority, thread)
}

/// Reads a head byte by byte, so that nothing behind it is taken.
fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
