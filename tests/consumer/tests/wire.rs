//! What goes over the wire and what comes back do not depend on the features that a program
//! switches on in ureq.
//!
//! These tests run twice, with and without the features (scripts/test.sh), and expect the same.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;
use ocireg::{Client, ErrorKind, Presence, Reference};

const DIGEST: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const TAGS: &str = r#"{"name":"app","tags":["1","2"]}"#;

#[test]
fn requests_are_the_same_bytes_and_answers_the_same() {
    let server = Server::start();
    let client = client();
    let image = server.reference("app:1");
    // Twice: the first answer sets a cookie that a second request could carry.
    for _ in 0..2 {
        let Presence::Exists(found) = client.exists(&image).unwrap() else {
            panic!("it exists");
        };
        assert_eq!(found.digest.to_string(), DIGEST);
        assert_eq!(found.media_type.to_string(), MANIFEST);
        assert_eq!(found.size, Some(2));
    }
    let tags = client.tags(image.repository()).unwrap();
    assert_eq!(
        tags.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["1", "2"]
    );
    assert_eq!(
        client.exists(&server.reference("app:gone")).unwrap(),
        Presence::Absent
    );
    let digest = server.reference(&format!("app@{DIGEST}"));
    assert!(matches!(
        client.exists(&digest).unwrap(),
        Presence::Exists(_)
    ));

    let manifest = |reference: &str| manifest_request(server.port, reference);
    assert_eq!(
        server.requests(),
        [
            manifest("1"),
            manifest("1"),
            list_request(server.port),
            manifest("gone"),
            manifest(DIGEST),
        ]
    );
}

/// The whole head of a lookup, and nothing else.
fn manifest_request(port: u16, reference: &str) -> String {
    format!(
        "HEAD /v2/app/manifests/{reference} HTTP/1.1\r\n\
         host: 127.0.0.1:{port}\r\n\
         user-agent: consumer/1\r\n\
         accept: application/vnd.oci.image.index.v1+json, \
         application/vnd.oci.image.manifest.v1+json, \
         application/vnd.docker.distribution.manifest.list.v2+json, \
         application/vnd.docker.distribution.manifest.v2+json, \
         application/vnd.docker.distribution.manifest.v1+prettyjws, \
         application/vnd.docker.distribution.manifest.v1+json\r\n\
         accept-encoding: identity\r\n\r\n"
    )
}

/// The whole head of a request for tags.
fn list_request(port: u16) -> String {
    format!(
        "GET /v2/app/tags/list HTTP/1.1\r\n\
         host: 127.0.0.1:{port}\r\n\
         user-agent: consumer/1\r\n\
         accept: application/json\r\n\
         accept-encoding: identity\r\n\r\n"
    )
}

#[test]
fn an_encoded_answer_is_refused_not_decoded() {
    let server = Server::start();
    let client = client();
    for encoding in ["gzip", "br"] {
        let image = server.reference(&format!("{encoding}:1"));
        let of_head = client.exists(&image).unwrap_err();
        let of_get = client.tags(image.repository()).unwrap_err();
        for error in [of_head, of_get] {
            assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
            let expected = format!("Content-Encoding {encoding} although identity was asked for");
            assert!(error.to_string().contains(&expected), "{error}");
        }
    }
    server.expect_no_cookies();
}

#[test]
fn an_error_that_is_encoded_is_shown_without_its_text() {
    let server = Server::start();
    let image = server.reference("refused/gzip:1");
    let error = client().tags(image.repository()).unwrap_err();
    // Its body has the reason, but it is gzipped and not decoded.
    assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
    assert!(error.registry_errors().is_empty(), "{error}");
    server.expect_no_cookies();
}

/// Proves that the server can make ureq decode and send cookies.
#[cfg(feature = "own-ureq")]
#[test]
fn ureq_itself_decodes_and_sends_cookies_here() {
    let server = Server::start();
    let agent = ureq::Agent::new_with_defaults();
    let url = format!("http://127.0.0.1:{}/v2/gzip/tags/list", server.port);
    for _ in 0..2 {
        let text = agent
            .get(&url)
            .call()
            .unwrap()
            .body_mut()
            .read_to_string()
            .unwrap();
        assert_eq!(text, TAGS);
    }
    let requests = server.requests();
    assert!(
        requests[0].to_lowercase().contains("accept-encoding: gzip"),
        "{requests:?}"
    );
    assert!(
        requests[1].to_lowercase().contains("\r\ncookie: session=1"),
        "{requests:?}"
    );
}

fn client() -> Client {
    Client::builder()
        .user_agent("consumer/1")
        .retries(0)
        .build()
        .unwrap()
}

/// A registry that sets a cookie with every answer and records every request.
struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start() -> Server {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let record = requests.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let record = record.clone();
                thread::spawn(move || serve(stream, &record));
            }
        });
        Server { port, requests }
    }

    fn reference(&self, path: &str) -> Reference {
        format!("127.0.0.1:{}/{path}", self.port).parse().unwrap()
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    #[track_caller]
    fn expect_no_cookies(&self) {
        let requests = self.requests();
        assert!(!requests.is_empty());
        for request in requests {
            assert!(!request.to_lowercase().contains("\ncookie:"), "{request}");
        }
    }
}

/// Answers until the client closes the connection.
fn serve(mut stream: TcpStream, record: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut request = String::new();
        while !request.ends_with("\r\n\r\n") {
            if reader.read_line(&mut request)? == 0 {
                return Ok(());
            }
        }
        record.lock().unwrap().push(request.clone());
        stream.write_all(&answer(&request))?;
    }
}

fn answer(request: &str) -> Vec<u8> {
    let target = request.split(' ').nth(1).unwrap_or_default();
    let encoding = ["gzip", "br"]
        .into_iter()
        .find(|name| target.contains(&format!("/{name}/")));
    let (status, content_type, text) = if target.contains("/refused/") {
        let error = r#"{"errors":[{"code":"DENIED","message":"refused"}]}"#;
        ("403 Forbidden", "application/json", error)
    } else if target.ends_with("/gone") {
        ("404 Not Found", "application/json", "")
    } else if target.ends_with("/tags/list") {
        // With `charset`, ureq would read it as Latin-1 wherever text is asked for.
        ("200 OK", "application/json; charset=iso-8859-1", TAGS)
    } else {
        ("200 OK", MANIFEST, "{}")
    };
    let body = match encoding {
        Some("gzip") => gzipped(text.as_bytes()),
        // Not really brotli: decoding it fails in another way than refusing its name.
        _ => text.as_bytes().to_vec(),
    };
    let mut head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\
         Set-Cookie: session=1; Path=/\r\nDocker-Distribution-Api-Version: registry/2.0\r\n",
        body.len()
    );
    if let Some(encoding) = encoding {
        head += &format!("Content-Encoding: {encoding}\r\n");
    }
    if content_type == MANIFEST {
        head += &format!("Docker-Content-Digest: {DIGEST}\r\n");
    }
    let mut answer = format!("{head}\r\n").into_bytes();
    if !request.starts_with("HEAD ") {
        answer.extend(body);
    }
    answer
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
