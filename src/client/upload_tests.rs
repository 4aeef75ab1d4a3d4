//! Requests with a body on their whole way, from `send` to a real socket. No endpoint makes such
//! requests yet; the endpoints of blobs and manifests will.

use std::cell::Cell;
use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use raw_http::{Answer as ServerAnswer, Ca, Recorded, Script, ScriptServer, Server, Service, Stop};

use super::handle::Client;
use super::request::{Access, Payload, Repeat, Request, Source, Target};
use crate::auth::Scope;
use crate::error::{Error, ErrorKind};
use crate::http::Method;
use crate::policy::redirect::RedirectPolicy;
use crate::reference::Registry;
use crate::url::Url;

pub(super) const CREATED: &str = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
const TOO_LARGE: &str = "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\n\r\n";
const GOOD_TOKEN: &str = "Bearer good";

/// Zeros, and how often they were opened.
pub(super) struct Zeros {
    size: u64,
    opened: Cell<u32>,
    /// How often they can be opened.
    most: u32,
}

impl Zeros {
    pub(super) fn new(size: u64) -> Zeros {
        let (opened, most) = (Cell::new(0), u32::MAX);
        Zeros { size, opened, most }
    }

    pub(super) fn once(size: u64) -> Zeros {
        let most = 1;
        Zeros {
            most,
            ..Zeros::new(size)
        }
    }
}

impl Source for Zeros {
    fn size(&self) -> Option<u64> {
        Some(self.size)
    }

    fn open(&self, from: u64) -> io::Result<Box<dyn Read + '_>> {
        if self.opened.get() == self.most {
            return Err(io::Error::other("it can be read only once"));
        }
        self.opened.set(self.opened.get() + 1);
        Ok(Box::new(io::repeat(0).take(self.size - from)))
    }
}

/// Answers by a function, and keeps what came.
struct Answering<F>(F);

impl<F: Fn(&Recorded) -> ServerAnswer + Send + Sync + 'static> Service for Answering<F> {
    fn answer(&self, request: &Recorded, _: &Stop) -> Option<ServerAnswer> {
        Some((self.0)(request))
    }
}

pub(super) fn server(answer: impl Fn(&Recorded) -> ServerAnswer + Send + Sync + 'static) -> Server {
    Server::start(0, None, Arc::new(Answering(answer)))
}

pub(super) fn created() -> ServerAnswer {
    ServerAnswer::new(201, "", "")
}

pub(super) fn client() -> Client {
    let builder = Client::builder().retry_delay(Duration::from_millis(1));
    builder.build().unwrap()
}

pub(super) fn put<'a>(payload: Payload<'a>, repeat: Repeat) -> Request<'a> {
    Request {
        method: Method::Put,
        target: Target::Path("/v2/a/blobs/uploads/1".into()),
        accept: "application/json".into(),
        fields: vec![("content-type", "application/octet-stream".into())],
        payload,
        access: Access::Scopes(vec![Scope::named("repository:a:pull,push")]),
        redirects: RedirectPolicy::None,
        repeat,
    }
}

/// Sends it; the status where it was a success.
pub(super) fn send(client: &Client, authority: &str, request: &Request<'_>) -> Result<u16, Error> {
    let registry: Registry = authority.parse().unwrap();
    let call = client.call(&registry, &registry);
    let answer = call.send(request, |answer| Ok(answer.complete()?))?;
    match answer.status {
        200..=299 => Ok(answer.status),
        _ => Err(call.subject().refusal(answer)),
    }
}

#[test]
fn a_body_arrives_as_it_was_given() {
    let server = server(|_| created());
    let authority = server.address().to_string();
    let bytes: Vec<u8> = (0..200_000u32).map(|n| n as u8).collect();
    struct Given<'a>(&'a [u8], Option<u64>);
    impl Source for Given<'_> {
        fn size(&self) -> Option<u64> {
            self.1
        }
        fn open(&self, from: u64) -> io::Result<Box<dyn Read + '_>> {
            let from = usize::try_from(from).unwrap();
            Ok(Box::new(Cursor::new(&self.0[from..])))
        }
    }
    let sized = Given(&bytes, Some(bytes.len() as u64));
    let unsized_ = Given(&bytes, None);
    let client = client();
    let payloads = [
        (Payload::Bytes(&bytes), Some("200000")),
        (Payload::Source(&sized), Some("200000")),
        (Payload::Source(&unsized_), None),
    ];
    for (payload, length) in payloads {
        let status = send(&client, &authority, &put(payload, Repeat::Always));
        assert_eq!(status.unwrap(), 201);
        let request = server.take_requests().remove(0);
        assert_eq!(request.method, "PUT");
        assert!(request.body == bytes);
        assert_eq!(request.header("content-length").as_deref(), length);
        let coding = request.header("transfer-encoding");
        assert_eq!(coding.is_some(), length.is_none());
        let media_type = request.header("content-type");
        assert_eq!(media_type.as_deref(), Some("application/octet-stream"));
    }
    assert_eq!(server.connection_count(), 1);
}

#[test]
fn a_request_without_a_body_says_so_where_a_body_is_usual() {
    let server = server(|_| created());
    let authority = server.address().to_string();
    let client = client();
    for (method, length) in [
        (Method::Post, Some("0")),
        (Method::Put, Some("0")),
        (Method::Patch, Some("0")),
        (Method::Delete, None),
        (Method::Get, None),
    ] {
        let request = Request {
            method,
            ..put(Payload::Nothing, Repeat::Always)
        };
        send(&client, &authority, &request).unwrap();
        let request = server.take_requests().remove(0);
        assert_eq!(request.method, method.as_str());
        assert_eq!(request.header("content-length").as_deref(), length);
    }
}

/// What a first connection that breaks leads to.
#[test]
fn the_repeat_policy_rules_what_is_sent_again() {
    let cases = [
        // The request was sent, and the connection broke.
        (Repeat::Always, true, 2, 2),
        (Repeat::IfNothingSent, true, 1, 1),
        (Repeat::Never, true, 1, 1),
        // The server does not look at it, and says so.
        (Repeat::Always, false, 2, 2),
        (Repeat::IfNothingSent, false, 2, 2),
        (Repeat::Never, false, 1, 1),
    ];
    for (repeat, breaks, opened, sent) in cases {
        let first = match breaks {
            true => Script::new().read_request().close(),
            false => {
                let busy = "HTTP/1.1 503 X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
                Script::new().read_request().send(busy).close()
            }
        };
        let then = Script::new().read_request().send(CREATED).repeat();
        let server = ScriptServer::start(vec![first, then]);
        let zeros = Zeros::new(1000);
        let request = put(Payload::Source(&zeros), repeat);
        let result = send(&client(), &server.authority(), &request);
        assert_eq!(result.is_ok(), sent == 2, "{repeat:?} {breaks} {result:?}");
        assert_eq!(zeros.opened.get(), opened, "{repeat:?} {breaks}");
        assert_eq!(server.connection_count(), sent, "{repeat:?} {breaks}");
    }
}

#[test]
fn what_nobody_received_may_always_be_sent_again_but_where_it_is_forbidden() {
    // A port where nobody listens.
    let authority = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    for (repeat, opened) in [
        (Repeat::Always, 4),
        (Repeat::IfNothingSent, 4),
        (Repeat::Never, 4),
    ] {
        let zeros = Zeros::new(10);
        let request = put(Payload::Source(&zeros), repeat);
        let error = send(&client(), &authority, &request).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect, "{repeat:?}");
        let expected = if repeat == Repeat::Never { 1 } else { opened };
        assert_eq!(zeros.opened.get(), expected, "{repeat:?}");
    }
}

#[test]
fn a_source_that_can_be_read_once_leaves_the_failure_before_it() {
    let breaks = Script::new().read_request().close();
    let server = ScriptServer::start(vec![breaks]);
    let zeros = Zeros::once(1000);
    let request = put(Payload::Source(&zeros), Repeat::Always);
    let error = send(&client(), &server.authority(), &request).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "{error:#}");
    assert_eq!(server.connection_count(), 1);
}

#[test]
fn a_source_that_can_not_be_opened_is_an_error_with_its_cause() {
    let server = server(|_| created());
    let authority = server.address().to_string();
    let zeros = Zeros {
        most: 0,
        ..Zeros::new(10)
    };
    let request = put(Payload::Source(&zeros), Repeat::Always);
    let error = send(&client(), &authority, &request).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(format!("{error:#}").contains("only once"), "{error:#}");
    assert_eq!(server.request_count(), 0);
}

#[test]
fn a_source_that_gives_fewer_or_more_bytes_than_it_said_is_an_error() {
    struct Wrong(u64, u64);
    impl Source for Wrong {
        fn size(&self) -> Option<u64> {
            Some(self.0)
        }
        fn open(&self, _: u64) -> io::Result<Box<dyn Read + '_>> {
            Ok(Box::new(io::repeat(1).take(self.1)))
        }
    }
    for (said, given) in [(100, 99), (100, 0), (100, 101), (1 << 20, 1000), (0, 1)] {
        let server = server(|_| created());
        let authority = server.address().to_string();
        let wrong = Wrong(said, given);
        let request = put(Payload::Source(&wrong), Repeat::Always);
        let error = send(&client(), &authority, &request).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io, "{said} {given}: {error:#}");
        // A server that believed in it would have a blob of other bytes.
        let whole = server.take_requests();
        let whole = whole.iter().filter(|r| r.body.len() as u64 == said);
        assert_eq!(whole.filter(|_| said > 0).count(), 0, "{said} {given}");
    }
}

#[test]
fn the_body_is_sent_again_with_the_token_that_a_401_asks_for() {
    let address: Arc<Mutex<String>> = Arc::default();
    let known = address.clone();
    let server = server(move |request| {
        if request.path() == "/token" {
            return ServerAnswer::new(200, "", r#"{"token":"good"}"#);
        }
        if request.header("authorization").as_deref() == Some(GOOD_TOKEN) {
            return created();
        }
        let at = known.lock().unwrap();
        let challenge = format!("WWW-Authenticate: Bearer realm=\"http://{at}/token\"");
        ServerAnswer::new(401, &challenge, "")
    });
    let authority = server.address().to_string();
    address.lock().unwrap().clone_from(&authority);
    let zeros = Zeros::new(100_000);
    let request = put(Payload::Source(&zeros), Repeat::Never);
    assert_eq!(send(&client(), &authority, &request).unwrap(), 201);
    let requests = server.take_requests();
    let bodies: Vec<usize> = requests.iter().map(|request| request.body.len()).collect();
    assert_eq!(bodies, [100_000, 0, 100_000]);
    assert_eq!(
        requests[1].query("scope").as_deref(),
        Some("repository:a:pull,push")
    );
}

#[test]
fn an_upload_to_another_server_carries_no_login_and_no_field_of_the_callers() {
    let storage = server(|_| created());
    let registry = server(|_| created());
    let authority = registry.address().to_string();
    let client = Client::builder()
        .bearer(&authority, "secret-token")
        .add_header(&authority, "X-Key", "secret-key")
        .build()
        .unwrap();
    let zeros = Zeros::new(10);
    // The registry comes first: its address decides where its word may lead.
    for (at, sees) in [(&registry, Some("secret-key")), (&storage, None)] {
        let url = Url::parse(&format!("{}/upload?state=1", at.url())).unwrap();
        let request = Request {
            target: Target::Answered(url),
            ..put(Payload::Source(&zeros), Repeat::Never)
        };
        send(&client, &authority, &request).unwrap();
        let request = at.take_requests().remove(0);
        assert_eq!(request.target, "/upload?state=1");
        assert_eq!(request.header("x-key").as_deref(), sees);
        assert_eq!(request.header("authorization").is_some(), sees.is_some());
    }
}

#[test]
fn an_upload_is_not_redirected() {
    let server = server(|_| ServerAnswer::new(307, "Location: /elsewhere", ""));
    let authority = server.address().to_string();
    let request = put(Payload::Bytes(b"x"), Repeat::Always);
    let error = send(&client(), &authority, &request).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error:#}");
    assert_eq!(error.http_status(), Some(307));
    assert_eq!(server.request_count(), 1);
}

/// 200 MB to a server that answers 413 at once and closes.
#[test]
fn an_answer_in_mid_upload_is_the_answer() {
    let ca = Ca::new();
    let identity = ca.identity(&["127.0.0.1"]);
    let refuses = || {
        vec![
            Script::new()
                .read_some()
                .send(TOO_LARGE)
                .half_close()
                .sleep(Duration::from_millis(300)),
        ]
    };
    for round in 0..10 {
        let plain = ScriptServer::start(refuses());
        let tls = ScriptServer::start_tls(&identity, refuses());
        for (server, is_tls) in [(plain, false), (tls, true)] {
            let mut builder = Client::builder().retries(0);
            if is_tls {
                builder = builder.ca_pem(&server.authority(), ca.pem().as_bytes());
            }
            let zeros = Zeros::new(200 << 20);
            let request = put(Payload::Source(&zeros), Repeat::Always);
            let error = send(&builder.build().unwrap(), &server.authority(), &request);
            let error = error.unwrap_err();
            let found = (error.kind(), error.http_status());
            assert_eq!(
                found,
                (ErrorKind::Rejected, Some(413)),
                "{round} {is_tls}: {error:#}"
            );
        }
    }
}

#[test]
fn what_a_method_may_do_follows_from_it() {
    let reads = [Method::Get, Method::Head];
    let writes = [Method::Post, Method::Put, Method::Patch, Method::Delete];
    for method in reads.into_iter().chain(writes) {
        let request = Request::new(method, "/v2/", "*/*", Access::Unasked);
        let is_read = reads.contains(&method);
        assert_eq!(request.repeat == Repeat::Always, is_read, "{method:?}");
        let follows = request.redirects == RedirectPolicy::CrossOrigin;
        assert_eq!(follows, is_read, "{method:?}");
    }
}

/// A DELETE that a redirect led on would delete something else.
#[test]
fn a_delete_is_not_redirected_and_not_sent_twice() {
    let elsewhere = server(|_| created());
    let location = format!("Location: {}/v2/a/manifests/1", elsewhere.url());
    for (status, head) in [
        (303, location.as_str()),
        (307, location.as_str()),
        (500, ""),
    ] {
        let head = head.to_owned();
        let server = server(move |_| ServerAnswer::new(status, &head, ""));
        let authority = server.address().to_string();
        let access = Access::Scopes(vec![Scope::named("repository:a:delete")]);
        let request = Request::new(Method::Delete, "/v2/a/manifests/1", "*/*", access);
        let error = send(&client(), &authority, &request).unwrap_err();
        assert_eq!(error.http_status(), Some(status), "{error:#}");
        assert_eq!(server.request_count(), 1, "{status}");
    }
    assert_eq!(elsewhere.request_count(), 0);
}
