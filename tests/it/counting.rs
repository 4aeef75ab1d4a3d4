//! A TCP proxy that counts requests and connections.
//!
//! It is between a client and a real server and passes all bytes on, so it sees what no access log
//! shows: opened connections, and requests without an answer.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// A running proxy; dropping it closes its port.
pub(crate) struct Counter {
    authority: String,
    seen: Arc<Mutex<Seen>>,
    closed: Arc<AtomicBool>,
}

#[derive(Default)]
struct Seen {
    connections: usize,
    requests: Vec<String>,
}

impl Counter {
    /// Starts a proxy in front of `upstream` (`127.0.0.1:PORT`).
    #[track_caller]
    pub(crate) fn before(upstream: &str) -> Counter {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let counter = Counter {
            authority: listener.local_addr().unwrap().to_string(),
            seen: Arc::default(),
            closed: Arc::default(),
        };
        let (seen, closed) = (counter.seen.clone(), counter.closed.clone());
        let upstream = upstream.to_owned();
        thread::spawn(move || {
            for client in listener.incoming() {
                if closed.load(Ordering::SeqCst) {
                    break;
                }
                seen.lock().unwrap().connections += 1;
                // A failure ends one connection, which its client sees.
                let _ = client.and_then(|client| pass_on(client, &upstream, &seen));
            }
        });
        counter
    }

    /// `127.0.0.1:PORT`, as in a reference.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// The requests since the last call, as `METHOD TARGET`, in order.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap().requests)
    }

    /// How many connections were opened in all.
    pub(crate) fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        // Wakes the listener, which then ends.
        let _ = TcpStream::connect(&self.authority);
    }
}

fn pass_on(client: TcpStream, upstream: &str, seen: &Arc<Mutex<Seen>>) -> io::Result<()> {
    let server = TcpStream::connect(upstream)?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    let (to_client, from_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || pump(from_server, to_client, |_| {}));
    let seen = seen.clone();
    let mut head = Vec::new();
    thread::spawn(move || {
        pump(client, server, |bytes| {
            head.extend_from_slice(bytes);
            // Lookups have no body, so the next head follows a head.
            while let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
                let rest = head.split_off(end + 4);
                let text = String::from_utf8_lossy(&head);
                let line = text.lines().next().unwrap_or_default();
                let line = line.trim_end_matches(" HTTP/1.1").to_owned();
                seen.lock().unwrap().requests.push(line);
                head = rest;
            }
        });
    });
    Ok(())
}

/// Copies until either side ends. The bytes are shown before they are passed on, so that a request
/// is counted when its answer arrives.
fn pump(mut from: TcpStream, mut to: TcpStream, mut show: impl FnMut(&[u8])) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(amount @ 1..) = from.read(&mut buffer) {
        show(&buffer[..amount]);
        if to.write_all(&buffer[..amount]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
