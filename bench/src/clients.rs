//! The clients that are compared, each alone in a process: warm up on one connection, then print
//! the CPU time of the rest.

use std::hint::black_box;
use std::io::{self, Read, Write};
use std::net::TcpStream;

use ocireg::{Client, ErrorKind, Presence, Reference};

use crate::{Outcome, cpu_time};

/// One request to warm up for this many measured ones.
pub(crate) const WARM_UP_SHARE: u32 = 10;

pub(crate) fn ocireg(registry: &str, image: &str, requests: &str) -> Outcome<()> {
    let client = Client::new()?;
    let reference: Reference = format!("{registry}/{image}").parse()?;
    measure(requests, || match client.exists(&reference)? {
        Presence::Exists(_) => Ok(()),
        other => Err(format!("ocireg: {other:?}").into()),
    })
}

/// Calls that end before anything is sent, since the client is shut down; with the reason as a
/// text, which C has always.
pub(crate) fn refused(calls: &str) -> Outcome<()> {
    let client = Client::new()?;
    let reference: Reference = "127.0.0.1:5000/team/app:1.2".parse()?;
    client.shutdown();
    measure(calls, || match client.exists(&reference) {
        Err(error) if error.kind() == ErrorKind::State => {
            black_box(format!("{error:#}"));
            Ok(())
        }
        other => Err(format!("ocireg: {other:?}").into()),
    })
}

/// The least that any client does: write the request, read until the empty line.
pub(crate) fn raw(registry: &str, request: &str, requests: &str) -> Outcome<()> {
    exchange(registry, request, requests, |_| Ok(()))
}

/// [`raw`] with the system calls of ocireg: it also looks, before each request, whether the
/// connection is still good.
pub(crate) fn careful(registry: &str, request: &str, requests: &str) -> Outcome<()> {
    exchange(registry, request, requests, |stream| {
        stream.set_nonblocking(true)?;
        let result = stream.read(&mut [0]);
        stream.set_nonblocking(false)?;
        match result {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            _ => Err("raw: the connection is not quiet".into()),
        }
    })
}

fn exchange(
    registry: &str,
    request: &str,
    requests: &str,
    check: impl Fn(&mut TcpStream) -> Outcome<()>,
) -> Outcome<()> {
    let mut stream = TcpStream::connect(registry)?;
    stream.set_nodelay(true)?;
    let mut buffer = [0; 16 * 1024];
    measure(requests, || {
        check(&mut stream)?;
        stream.write_all(request.as_bytes())?;
        let mut filled = 0;
        while !buffer[..filled].ends_with(b"\r\n\r\n") {
            match stream.read(&mut buffer[filled..])? {
                0 => return Err("raw: the connection ended".into()),
                amount => filled += amount,
            }
        }
        if !buffer.starts_with(b"HTTP/1.1 200 ") {
            return Err("raw: not the answer that was expected".into());
        }
        Ok(())
    })
}

fn measure(requests: &str, mut look_up: impl FnMut() -> Outcome<()>) -> Outcome<()> {
    let requests: u32 = requests.parse()?;
    for _ in 0..requests / WARM_UP_SHARE {
        look_up()?;
    }
    let before = cpu_time()?;
    for _ in 0..requests {
        look_up()?;
    }
    println!("{}", (cpu_time()? - before).as_nanos());
    Ok(())
}
