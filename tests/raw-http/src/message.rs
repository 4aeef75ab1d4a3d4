//! HTTP/1.1 as bytes: requests, recorded as they came, and answers.

use percent_encoding::percent_decode_str;

use crate::listener::Conn;

/// One request as a listener received it.
///
/// Bytes that are no HTTP request (a TLS hello on a plain port, a cut-off head) are recorded too:
/// `method` and `target` are then empty and `raw_head` holds the bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recorded {
    /// The method as sent, `GET`.
    pub method: String,
    /// The request target as sent, with its query and its escapes.
    pub target: String,
    /// The header fields in order, as sent, except for the spaces around values.
    pub headers: Vec<(String, String)>,
    /// The body without chunked coding; a part of it if the client closed the connection early.
    pub body: Vec<u8>,
    /// The connection of this listener, counted from 0.
    pub connection: u64,
    /// Request line and header fields exactly as received, with the empty line.
    pub raw_head: Vec<u8>,
}

impl Recorded {
    /// The values of all header fields of this name, any case, in order, joined by `, `.
    pub fn header(&self, name: &str) -> Option<String> {
        let mut values = Vec::new();
        for (other, value) in &self.headers {
            if other.eq_ignore_ascii_case(name) {
                values.push(value.as_str());
            }
        }
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// The path of the target, escapes decoded.
    pub fn path(&self) -> String {
        decode(self.target.split('?').next().unwrap_or_default())
    }

    /// The first query parameter of this name, escapes decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        values(self.target.split_once('?')?.1, name).next()
    }

    /// The values of all parameters of this name, escapes decoded: those of the query, then those
    /// of a form in the body.
    pub fn parameters(&self, name: &str) -> Vec<String> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let form = String::from_utf8_lossy(&self.body);
        values(query, name).chain(values(&form, name)).collect()
    }

    fn says(&self, name: &str, word: &str) -> bool {
        let value = self.header(name).unwrap_or_default();
        value.to_ascii_lowercase().contains(word)
    }

    pub(crate) fn keeps_alive(&self) -> bool {
        !self
            .raw_head
            .windows(10)
            .any(|part| part == b"HTTP/1.0\r\n")
            && !self.says("connection", "close")
    }

    /// Parses the request line and the header fields; `None` if this is not HTTP.
    fn parse_head(&mut self) -> Option<()> {
        let text = String::from_utf8_lossy(&self.raw_head).into_owned();
        let mut lines = text.trim_end_matches("\r\n").split("\r\n");
        let (line, version) = lines.next()?.rsplit_once(' ')?;
        let (method, target) = line.split_once(' ')?;
        for line in lines {
            let (name, value) = line.split_once(':')?;
            self.headers
                .push((name.to_owned(), value.trim().to_owned()));
        }
        (self.method, self.target) = (method.to_owned(), target.to_owned());
        version.starts_with("HTTP/1.").then_some(())
    }
}

/// Reads a request: `None` if no more bytes come, and `false` with what is not HTTP or incomplete.
pub(crate) fn read_request(conn: &mut Conn) -> Option<(Recorded, bool)> {
    if conn.buffer.is_empty() && !conn.fill() {
        return None;
    }
    let connection = conn.id;
    let mut request = Recorded {
        connection,
        ..Recorded::default()
    };
    // A method begins with a letter. After anything else (a TLS hello) there may be no empty line.
    let letter = conn.buffer[0].is_ascii_alphabetic();
    let Some(head) = letter.then(|| conn.until(b"\r\n\r\n")).flatten() else {
        request.raw_head = std::mem::take(&mut conn.buffer);
        return Some((request, false));
    };
    request.raw_head = head;
    let mut whole = request.parse_head().is_some();
    if whole && request.says("expect", "100-continue") {
        whole = conn.send(b"HTTP/1.1 100 Continue\r\n\r\n").is_ok();
    }
    if whole && request.says("transfer-encoding", "chunked") {
        whole = read_chunks(conn, &mut request.body).is_some();
    } else if let (true, Some(length)) = (whole, request.header("content-length")) {
        let length = length.parse();
        whole = length.is_ok_and(|length| conn.exactly(length, &mut request.body));
    }
    Some((request, whole))
}

fn read_chunks(conn: &mut Conn, body: &mut Vec<u8>) -> Option<()> {
    loop {
        let line = String::from_utf8(conn.until(b"\r\n")?).ok()?;
        let size = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
        if !conn.exactly(size, body) || conn.until(b"\r\n")?.len() != 2 {
            return None;
        } else if size == 0 {
            return Some(());
        }
    }
}

fn values<'a>(query: &'a str, name: &'a str) -> impl Iterator<Item = String> + 'a {
    query.split('&').filter_map(move |pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key) == name).then(|| decode(value))
    })
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// An answer to send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The status code; its reason phrase is the standard one.
    pub status: u16,
    /// The header fields in order, without Content-Length: that is added for every status except
    /// 204.
    pub headers: Vec<(String, String)>,
    /// The body. HEAD gets only its length (J6), and 204 and 304 have none.
    pub body: Vec<u8>,
    /// Answers as HTTP/1.0, and closes the connection.
    pub http10: bool,
    /// Closes the connection, without `Connection: close` in the answer.
    pub close: bool,
}

impl Answer {
    /// `head` is header fields as text, one per line.
    pub fn new(status: u16, head: &str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let mut answer = Self {
            status,
            body,
            ..Self::default()
        };
        head.lines().for_each(|line| answer.add(line));
        answer
    }

    /// Adds a header field, `Name: value`.
    pub fn add(&mut self, field: &str) {
        let (name, value) = field.split_once(':').unwrap_or((field, ""));
        let field = (name.to_owned(), value.trim().to_owned());
        self.headers.push(field);
    }

    /// Replaces the value of a header field; an empty value removes the field. Adds no field.
    pub fn change(&mut self, name: &str, change: impl Fn(&str) -> String) {
        self.headers.retain_mut(|(other, value)| {
            let same = other.eq_ignore_ascii_case(name);
            if same {
                *value = change(value);
            }
            !(same && value.is_empty())
        });
    }

    /// The answer on the wire, to a request with this method.
    pub(crate) fn to_bytes(&self, method: &str) -> Vec<u8> {
        let version = if self.http10 { "HTTP/1.0" } else { "HTTP/1.1" };
        let code = http::StatusCode::from_u16(self.status).unwrap_or_default();
        let reason = code.canonical_reason().unwrap_or("Unknown");
        let mut out = format!("{version} {} {reason}\r\n", self.status);
        for (name, value) in &self.headers {
            out += &format!("{name}: {value}\r\n");
        }
        if self.status != 204 {
            out += &format!("Content-Length: {}\r\n", self.body.len());
        }
        let bodiless = method == "HEAD" || matches!(self.status, 204 | 304);
        let body: &[u8] = if bodiless { b"" } else { &self.body };
        [out.as_bytes(), b"\r\n", body].concat()
    }
}
