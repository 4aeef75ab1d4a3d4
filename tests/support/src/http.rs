//! A small HTTP/1.1 client for plain http on loopback. It follows no redirect, repeats no request
//! and decodes no body, so a test sees what the server sent.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The longest wait for any single read or write.
const TIMEOUT: Duration = Duration::from_secs(20);
/// More than any answer that a test asks for (100,000 tags are 1.2 MB). It bounds the memory that a
/// server can use up.
const BODY_LIMIT: u64 = 256 << 20;

/// An answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Name and value in the order received, the names as they were written.
    pub headers: Vec<(String, String)>,
    /// The body without its chunked framing.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as text; bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One exchange on a new connection.
///
/// # Errors
///
/// When the connection fails, or the answer is not HTTP/1.
pub fn request(
    method: &str,
    authority: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Response> {
    Connection::open(authority)?.request(method, target, headers, body)
}

/// A connection that is kept alive between requests.
#[derive(Debug)]
pub struct Connection {
    authority: String,
    stream: BufReader<TcpStream>,
    reusable: bool,
}

impl Connection {
    /// Connects to `HOST:PORT`.
    ///
    /// # Errors
    ///
    /// When nothing listens there.
    pub fn open(authority: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(authority)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            authority: authority.to_owned(),
            stream: BufReader::new(stream),
            reusable: true,
        })
    }

    /// Sends one request and reads the whole answer. `Host` and `Content-Length` are added;
    /// all other fields, `Accept` included, come from `headers`. Connects again if the last answer
    /// closed the connection.
    ///
    /// # Errors
    ///
    /// When the connection fails, or the answer is not HTTP/1.
    pub fn request(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Response> {
        if !self.reusable {
            *self = Self::open(&self.authority)?;
        }
        let mut message = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n", self.authority);
        for (name, value) in headers {
            message += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() || !matches!(method, "GET" | "HEAD") {
            message += &format!("Content-Length: {}\r\n", body.len());
        }
        message += "\r\n";
        // One write: a head and a body in two packets would wait for each other's acknowledgement.
        let mut message = message.into_bytes();
        message.extend_from_slice(body);
        self.stream.get_mut().write_all(&message)?;
        self.receive(method)
    }

    fn receive(&mut self, method: &str) -> io::Result<Response> {
        let (status, headers) = loop {
            let head = self.head()?;
            // 1xx announces the real answer.
            if head.0 >= 200 {
                break head;
            }
        };
        let mut response = Response {
            status,
            headers,
            body: Vec::new(),
        };
        let closes = response
            .header("Connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"));
        self.reusable = !closes;
        if method == "HEAD" || status == 204 || status == 304 {
            return Ok(response);
        }
        let chunked = response
            .header("Transfer-Encoding")
            .is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
        response.body = if chunked {
            self.chunks()?
        } else if let Some(length) = response.header("Content-Length") {
            let length = length.parse().map_err(|_| nonsense("Content-Length"))?;
            self.bytes(length)?
        } else {
            self.reusable = false;
            let mut body = Vec::new();
            (&mut self.stream).take(BODY_LIMIT).read_to_end(&mut body)?;
            body
        };
        Ok(response)
    }

    fn head(&mut self) -> io::Result<(u16, Vec<(String, String)>)> {
        let line = self.line()?;
        let status = line
            .strip_prefix("HTTP/1.")
            .and_then(|rest| rest.split(' ').nth(1)?.parse().ok())
            .ok_or_else(|| nonsense(&line))?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok((status, headers));
            }
            let (name, value) = line.split_once(':').ok_or_else(|| nonsense(&line))?;
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16).map_err(|_| nonsense(&line))?;
            if size == 0 {
                // Trailers, up to the empty line.
                while !self.line()?.is_empty() {}
                return Ok(body);
            }
            body.extend(self.bytes(size)?);
            self.line()?;
        }
    }

    fn bytes(&mut self, length: u64) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        (&mut self.stream)
            .take(length.min(BODY_LIMIT))
            .read_to_end(&mut body)?;
        if body.len() as u64 == length {
            Ok(body)
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line)?;
        if line.pop() != Some(b'\n') {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        String::from_utf8(line).map_err(|_| nonsense("a line that is not UTF-8"))
    }
}

fn nonsense(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not HTTP/1: {what}"))
}
