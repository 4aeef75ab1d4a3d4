//! The clients that are compared. Each runs alone in a process: it warms up on one connection, and
//! then prints the CPU time of the measured requests.

use std::hint::black_box;
use std::io::{self, Read, Write};
use std::net::TcpStream;

use ocireg::{Client, ErrorKind, Presence, Reference};

use crate::{Outcome, cpu_time};

/// The number of measured requests for each warm-up request.
pub(crate) const WARM_UP_SHARE: u32 = 10;

pub(crate) fn ocireg(registry: &str, image: &str, requests: &str) -> Outcome<()> {
    let client = Client::new()?;
    let reference: Reference = format!("{registry}/{image}").parse()?;
    measure(requests, || match client.exists(&reference)? {
        Presence::Exists(_) => Ok(()),
        other => Err(format!("ocireg: {other:?}").into()),
    })
}

/// Measures calls that send nothing because the client is shut down. It formats the error, because
/// the C interface always does.
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

/// The least that a client can do: it writes the request, and reads up to the empty line.
pub(crate) fn raw(registry: &str, request: &str, requests: &str) -> Outcome<()> {
    exchange(registry, request, requests, |_| Ok(()))
}

/// [`raw`] with the system calls of ocireg: before each request it also checks that the connection
/// is still usable.
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
            return Err("raw: unexpected answer".into());
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
