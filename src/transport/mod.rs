//! One exchange with one server: a request goes out, an answer's head comes back, its body can be
//! read.
//!
//! The only layer that names ureq, rustls and sockets. It knows nothing of registries: it neither
//! follows redirects nor repeats anything.

mod buffers;
mod connection;
mod context;
mod error;
mod framing;
mod head;
mod idle;
mod pooled;
mod resolve;
mod reuse;
mod tcp;
mod tls;
mod upload;

#[cfg(test)]
mod tests;

use std::fmt;
use std::io::Read;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http;
use ureq::unversioned::resolver::{ArrayVec, ResolvedSocketAddrs};
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout, Transport};
use ureq::{Agent, SendBody};

use self::connection::{Connection, Stream};
use self::context::WaitLimit;
use self::framing::{Framing, Stage};
use self::idle::{IdleConnections, MAX_IDLE, MAX_IDLE_AGE};
use self::pooled::Pooled;
use self::reuse::ReuseBan;
use self::tcp::Socket;
use self::tls::TlsStream;
use self::upload::PayloadReader;
use crate::http::{Content, Headers, WireRequest};
use crate::url::Origin;

pub(crate) use self::context::{AddressPolicy, ExchangeContext, Pooling, Seen};
pub(crate) use self::error::{Failure, Phase, WireError};
pub(crate) use self::resolve::SystemResolver;
pub(crate) use self::tls::{Authorities, PlatformRoots, TlsTrust};

pub use self::resolve::Resolver;

/// The largest head of an answer in bytes: 16 times what registries send.
const MAX_HEAD: usize = 64 * 1024;

/// How long to wait for a file descriptor if there is none.
const SHORTAGE: Duration = Duration::from_secs(1);
/// How often to look whether there is one.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(20);

/// What all connections of a client share. The configuration is made once: ureq reads the
/// environment for its defaults, which is not safe while another thread changes it.
#[derive(Debug, Clone)]
pub(crate) struct WireConfig {
    pooled: Config,
    unpooled: Config,
    idle: Arc<IdleConnections>,
}

impl WireConfig {
    pub(crate) fn new() -> WireConfig {
        WireConfig {
            pooled: WireConfig::keeping(MAX_IDLE),
            unpooled: WireConfig::keeping(0),
            idle: Arc::default(),
        }
    }

    /// Closes the connections that nobody is using. Those in use are closed when their exchange is
    /// over.
    pub(crate) fn close_idle(&self) {
        self.idle.retire();
    }

    fn keeping(max_idle: usize) -> Config {
        Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .allow_non_standard_methods(false)
            .proxy(None)
            .max_idle_connections(max_idle)
            .max_idle_connections_per_host(max_idle)
            .max_idle_age(MAX_IDLE_AGE)
            .max_response_header_size(MAX_HEAD)
            .build()
    }
}

/// The connections to one origin.
#[derive(Debug)]
pub(crate) struct Connections {
    /// Keeps idle connections, and uses one of them if it can.
    pooled: Agent,
    /// For [`Pooling::Fresh`], made when it is first needed. The other agent can't leave its pool
    /// alone: ureq drops the connections that it checks and does not use.
    unpooled: OnceLock<Agent>,
    config: WireConfig,
    connector: WireConnector,
    ban: Arc<ReuseBan>,
    /// The parts that all requests to the origin share, or why ureq does not accept them.
    target: Result<UreqOrigin, String>,
    /// The first Accept header that was sent. Nearly all are the same, and long.
    accept: OnceLock<http::HeaderValue>,
}

/// An origin in the types that ureq uses.
#[derive(Debug)]
struct UreqOrigin {
    scheme: http::uri::Scheme,
    authority: http::uri::Authority,
    host: http::HeaderValue,
}

impl UreqOrigin {
    fn new(origin: &Origin) -> Result<UreqOrigin, http::Error> {
        let text = origin.authority().to_string();
        Ok(UreqOrigin {
            scheme: origin.scheme().as_str().parse()?,
            authority: text.parse()?,
            host: text.parse()?,
        })
    }

    fn uri(&self, path_and_query: &str) -> Result<http::Uri, http::Error> {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path_and_query.parse()?);
        Ok(http::Uri::from_parts(parts)?)
    }
}

impl Connections {
    pub(crate) fn new(
        origin: &Origin,
        config: &WireConfig,
        resolver: Arc<dyn Resolver>,
        trust: Arc<TlsTrust>,
    ) -> Connections {
        let ban = Arc::new(ReuseBan::new(origin.clone()));
        let connector = WireConnector {
            resolver,
            trust,
            ban: ban.clone(),
            idle: config.idle.clone(),
        };
        Connections {
            pooled: Agent::with_parts(config.pooled.clone(), connector.clone(), NoResolver),
            unpooled: OnceLock::new(),
            config: config.clone(),
            connector,
            ban,
            target: UreqOrigin::new(origin).map_err(|error| error.to_string()),
            accept: OnceLock::new(),
        }
    }

    /// Sends `request` and reads the head of the answer. If the server answers before the request
    /// is complete, the rest is not sent, and the connection is not used again.
    pub(crate) fn exchange(
        &self,
        request: &mut WireRequest<'_>,
        context: &Arc<ExchangeContext>,
    ) -> Result<Response, WireError> {
        let framing = Framing::of(request);
        let outgoing = self.to_ureq(request, framing)?;
        // An exchange on a pooled connection may never wait, and then nothing else checks this.
        context.tick(Phase::Connect)?;
        let answer = {
            let _current = context.enter();
            context.begin_upload(framing);
            self.run(outgoing, &mut request.content, framing, context)
                .map_err(|error| WireError::from_ureq(error, Phase::Wait))
        };
        let result = answer.and_then(|answer| self.response(answer, context));
        let seen = context.seen();
        // What was read instead of an answer on a connection that had one before, or behind one.
        match &result {
            Err(error) if seen.reused && error.is_unreadable_answer() => self.ban.begin(),
            Ok(_) if seen.surplus => self.ban.begin(),
            _ => {}
        }
        self.ban.tell();
        result
    }

    fn response(
        &self,
        answer: http::Response<ureq::Body>,
        context: &Arc<ExchangeContext>,
    ) -> Result<Response, WireError> {
        let (head, body) = answer.into_parts();
        if head.status.is_success() && context.upload().stage == Stage::Answered {
            let message = "the server accepted the request before all of it was sent";
            return Err(WireError::new(Failure::Protocol, Phase::Send, message));
        }
        let headers = from_ureq(&head.headers);
        refuse_ambiguous_framing(&headers)?;
        let body = Body {
            reader: Box::new(body.into_reader()),
            context: context.clone(),
            ban: self.ban.clone(),
        };
        Ok(Response {
            status: head.status.as_u16(),
            headers,
            body,
        })
    }

    fn run(
        &self,
        outgoing: http::Request<()>,
        content: &mut Content<'_>,
        framing: Framing,
        context: &ExchangeContext,
    ) -> Result<http::Response<ureq::Body>, ureq::Error> {
        let agent = self.agent(context.pooling);
        let mut bytes: &[u8];
        let reader: &mut dyn Read = match content {
            Content::Nothing => return agent.run(outgoing),
            Content::Bytes(all) => {
                bytes = all;
                &mut bytes
            }
            Content::Stream { reader, .. } => reader,
        };
        let length = match framing {
            Framing::Length(length) => Some(length),
            Framing::None | Framing::Chunked => None,
        };
        let mut source = PayloadReader::new(reader, length, context);
        if length == Some(0) {
            // ureq does not read a body of this length.
            source.expect_end()?;
            return agent.run(outgoing);
        }
        agent.run(outgoing.map(|()| SendBody::from_reader(&mut source)))
    }

    fn agent(&self, pooling: Pooling) -> &Agent {
        match pooling {
            Pooling::Reuse | Pooling::Replace => &self.pooled,
            Pooling::Fresh => self.unpooled.get_or_init(|| {
                let (config, connector) = (self.config.unpooled.clone(), self.connector.clone());
                Agent::with_parts(config, connector, NoResolver)
            }),
        }
    }

    fn to_ureq(
        &self,
        request: &WireRequest<'_>,
        framing: Framing,
    ) -> Result<http::Request<()>, WireError> {
        let unusable = || {
            let message = "the URL can't be requested";
            WireError::new(Failure::Protocol, Phase::Send, message)
        };
        let target = self.target.as_ref();
        let target = target.map_err(|why| unusable().caused_by(why.clone()))?;
        let uri = target.uri(request.url.target());
        let uri = uri.map_err(|error| unusable().caused_by(error))?;
        let mut builder = http::Request::builder()
            .method(request.method.as_str())
            .uri(uri)
            // ureq would write the same, but with more work.
            .header(http::header::HOST, target.host.clone());
        for (name, value) in &request.headers {
            builder = match self.known_accept(name, value) {
                Some(accept) => builder.header(http::header::ACCEPT, accept),
                None => builder.header(*name, value.as_ref()),
            };
        }
        if let Some((name, value)) = framing.field() {
            builder = builder.header(name, value);
        }
        builder
            .body(())
            .map_err(|error| unusable().caused_by(error))
    }

    /// The stored Accept header, if this is the same.
    fn known_accept(&self, name: &str, value: &str) -> Option<http::HeaderValue> {
        if name != "accept" {
            return None;
        }
        let first = match self.accept.get() {
            Some(first) => first,
            None => {
                let value = value.parse().ok()?;
                self.accept.get_or_init(|| value)
            }
        };
        (first.as_bytes() == value.as_bytes()).then(|| first.clone())
    }
}

/// The answer to a request. Its body is not read yet.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: Body,
}

/// The body of an answer. Its connection goes back to the pool when the body was read to its end.
pub(crate) struct Body {
    reader: Box<dyn Read + Send + Sync>,
    context: Arc<ExchangeContext>,
    ban: Arc<ReuseBan>,
}

impl Body {
    /// Reads all of it, at most `limit` bytes.
    pub(crate) fn read_to_limit(mut self, limit: u64) -> Result<Vec<u8>, WireError> {
        let mut bytes = Vec::new();
        // One more byte shows whether the body is larger than the limit.
        let mut limited = self.by_ref().take(limit.saturating_add(1));
        limited
            .read_to_end(&mut bytes)
            .map_err(WireError::from_body_read)?;
        if bytes.len() as u64 > limit {
            let message = format!("the answer is larger than {limit} bytes");
            return Err(WireError::new(Failure::TooLarge, Phase::Body, message));
        }
        Ok(bytes)
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let _current = self.context.enter();
        let amount = self.reader.read(buffer)?;
        if amount == 0 && self.context.seen().surplus {
            self.ban.begin();
            self.ban.tell();
        }
        Ok(amount)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Body")
    }
}

fn from_ureq(map: &http::HeaderMap) -> Headers {
    let mut headers = Headers::with_capacity(map.len());
    for (name, value) in map {
        let name = match name.as_str() {
            head::CONTENT_ENCODING_ALIAS => "content-encoding",
            name => name,
        };
        headers.push(name, value.as_bytes());
    }
    headers
}

/// An answer that says in two ways where its body ends can hide a second answer (RFC 9112, section
/// 6.3).
fn refuse_ambiguous_framing(headers: &Headers) -> Result<(), WireError> {
    let mut lengths = headers.get_all("content-length");
    let length = lengths.next();
    let ambiguous = length.is_some() && headers.get("transfer-encoding").is_some()
        || lengths.any(|other| Some(other) != length);
    if ambiguous {
        let message = "the answer states its length in two ways";
        return Err(WireError::new(Failure::Protocol, Phase::Wait, message));
    }
    Ok(())
}

/// Makes connections for ureq.
#[derive(Debug, Clone)]
struct WireConnector {
    resolver: Arc<dyn Resolver>,
    trust: Arc<TlsTrust>,
    ban: Arc<ReuseBan>,
    idle: Arc<IdleConnections>,
}

impl WireConnector {
    fn wrap<S: Stream>(&self, stream: S, context: &ExchangeContext) -> Box<dyn Transport> {
        let connection = Connection::new(stream, context, self.ban.clone());
        Box::new(Pooled::new(connection, self.idle.clone(), context.pooling))
    }

    /// Connects. If no file descriptor is left, idle connections give way, and then the requests of
    /// other threads may end.
    fn open(
        &self,
        host: &str,
        port: u16,
        context: &ExchangeContext,
        limit: WaitLimit,
    ) -> Result<Socket, WireError> {
        // No request is made to servers that are no longer asked, so this is when it is noticed
        // that they have closed.
        self.idle.close_spoilt();
        let begun = Instant::now();
        let mut pause = Duration::ZERO;
        loop {
            match Socket::open(host, port, &self.resolver, context, limit) {
                Err(error) if error.lacks_descriptors() && begun.elapsed() < SHORTAGE => {
                    self.idle.close_all();
                    context.sleep(pause, Phase::Connect)?;
                    pause = SHORTAGE_PAUSE;
                }
                result => return result,
            }
        }
    }
}

impl Connector for WireConnector {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        _: Option<()>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        let context = ExchangeContext::current()?;
        let limit = WaitLimit::after(context.connect_timeout);
        limit.check(Instant::now(), Phase::Connect)?;
        let host = details
            .uri
            .host()
            .unwrap_or_default()
            .trim_start_matches('[')
            .trim_end_matches(']');
        let default_port = if details.needs_tls() { 443 } else { 80 };
        let port = details.uri.port_u16().unwrap_or(default_port);
        let socket = self.open(host, port, &context, limit)?;
        if !details.needs_tls() {
            return Ok(Some(self.wrap(socket, &context)));
        }
        let stream = TlsStream::open(socket, host, &self.trust, &context, limit)?;
        Ok(Some(self.wrap(stream, &context)))
    }
}

/// ureq resolves names before it looks into its pool. Our connector does it instead, and only when
/// it has to connect.
#[derive(Debug)]
struct NoResolver;

impl ureq::unversioned::resolver::Resolver for NoResolver {
    fn resolve(
        &self,
        _: &http::Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let unused = std::net::SocketAddr::from(([0, 0, 0, 0], 0));
        Ok(ArrayVec::from_fn(|_| unused))
    }
}
