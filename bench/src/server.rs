//! A server that does almost nothing, so that its cost does not hide the client's. It answers HEAD
//! as docker-registry does, at once or after a delay as over a network. It answers GET with a page
//! of tags.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use crate::{Outcome, myself};

/// The number of tags on a page.
pub(crate) const PAGE: usize = 1000;

/// The digest of all images.
pub(crate) const DIGEST: &str =
    "sha256:3b2a1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b";

/// What docker-registry 2.8.2 answers.
pub(crate) const FOUND: &str = "HTTP/1.1 200 OK\r\n\
    Content-Length: 528\r\n\
    Content-Type: application/vnd.docker.distribution.manifest.v2+json\r\n\
    Docker-Content-Digest: \
    sha256:3b2a1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b\r\n\
    Docker-Distribution-Api-Version: registry/2.0\r\n\
    Etag: \"sha256:3b2a1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b\"\r\n\
    X-Content-Type-Options: nosniff\r\n\
    Date: Mon, 01 Jan 2024 00:00:00 GMT\r\n\r\n";

/// The server as a child process. It ends when this value is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) registry: String,
}

impl Server {
    /// Starts a server that answers each HEAD after `delay`.
    pub(crate) fn start(delay: Duration) -> Outcome<Server> {
        let mut command = myself()?;
        let mut child = command
            .args(["serve", &delay.as_millis().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut registry = String::new();
        let output = child.stdout.take().ok_or("the server says nothing")?;
        BufReader::new(output).read_line(&mut registry)?;
        let registry = registry.trim().to_owned();
        Ok(Server { child, registry })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Prints the address, and serves until standard input ends. That happens when the parent ends, for
/// any reason.
pub(crate) fn serve(delay: &str) -> Outcome<()> {
    let delay = Duration::from_millis(delay.parse()?);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer_all(stream, delay));
        }
    });
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

fn answer_all(mut stream: TcpStream, delay: Duration) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = [0; 16 * 1024];
    let mut filled = 0;
    loop {
        let amount = stream.read(&mut buffer[filled..])?;
        if amount == 0 {
            return Ok(());
        }
        filled += amount;
        // The clients send one request at a time.
        if !buffer[..filled].ends_with(b"\r\n\r\n") {
            continue;
        }
        if buffer.starts_with(b"HEAD ") {
            if !delay.is_zero() {
                thread::sleep(delay);
            }
            stream.write_all(FOUND.as_bytes())?;
        } else {
            stream.write_all(page(&buffer[..filled]).as_bytes())?;
        }
        filled = 0;
    }
}

/// A page of the tags of the repository `tags/COUNT`: `GET /v2/tags/COUNT/tags/list[?page=NUMBER]`.
fn page(request: &[u8]) -> String {
    let request = String::from_utf8_lossy(request);
    let target = request.split(' ').nth(1).unwrap_or_default();
    let (path, page) = target.split_once("?page=").unwrap_or((target, "0"));
    let count: usize = path
        .split('/')
        .nth(3)
        .and_then(|count| count.parse().ok())
        .unwrap_or_default();
    let page: usize = page.parse().unwrap_or_default();
    let end = ((page + 1) * PAGE).min(count);
    let tags: Vec<String> = (page * PAGE..end)
        .map(|number| format!("\"release-{number}\""))
        .collect();
    let body = format!(r#"{{"name":"tags/{count}","tags":[{}]}}"#, tags.join(","));
    let link = if end < count {
        format!("Link: <{path}?page={}>; rel=\"next\"\r\n", page + 1)
    } else {
        String::new()
    };
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n{link}\r\n{body}",
        body.len()
    )
}
