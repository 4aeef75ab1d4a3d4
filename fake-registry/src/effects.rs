//! What quirks do to an exchange: some answer in place of the registry, others change its answer.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use raw_http::{Answer, Recorded};

use crate::answer::{errors, marked, unmark};
use crate::auth;
use crate::quirk::{Page, Quirk};
use crate::routes::Endpoint;
use crate::store::sha256;

/// The quirks in force, each with the number of requests since it was switched on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Quirks(pub(crate) Vec<(Quirk, u64)>);

impl Quirks {
    pub(crate) fn has(&self, quirk: Quirk) -> bool {
        self.0.iter().any(|(other, _)| *other == quirk)
    }

    /// The answer of the first quirk that answers in place of the registry.
    pub(crate) fn instead(&self, request: &Recorded, endpoint: &Endpoint) -> Option<Answer> {
        let refused = |(quirk, count): &_| refuse(quirk, *count, request, endpoint);
        let redirected = |(quirk, _): &_| redirect(quirk, request, endpoint);
        let refusal = self.0.iter().find_map(refused);
        let refusal = refusal.or_else(|| auth::refuse(self, request, endpoint));
        refusal.or_else(|| self.0.iter().find_map(redirected))
    }

    /// Changes the answer, quirk by quirk in the order in which they were given.
    pub(crate) fn change(&self, endpoint: &Endpoint, answer: &mut Answer) {
        for (quirk, _) in &self.0 {
            change(quirk, endpoint, answer);
        }
    }
}

fn refuse(quirk: &Quirk, count: u64, request: &Recorded, endpoint: &Endpoint) -> Option<Answer> {
    use Quirk::*;
    let (ping, head) = (*endpoint == Endpoint::Ping, request.method == "HEAD");
    let later = endpoint.is_list() && is_later_page(request);
    let shown = || request.header("authorization").unwrap_or_default().len() as u64;
    let (status, shape, code) = match quirk {
        NotARegistry(status, shape) => (*status, shape, "UNKNOWN"),
        TooManyRequests(times, _) if count <= *times => (429, &Page::Json, "TOOMANYREQUESTS"),
        FailFirst(status, times) if count <= *times => (*status, &Page::Json, "UNKNOWN"),
        LongHeader(most) if shown() > *most => (431, &Page::Html, ""),
        Challenge(shape, _) => (401, shape, "UNAUTHORIZED"),
        Hidden(name) if endpoint.repository() == Some(name) => (401, &Page::Json, "UNAUTHORIZED"),
        PingBody(_) if ping => (200, &Page::Json, ""),
        Deny(status, shape) if !ping => (*status, shape, "DENIED"),
        HeadStatus(status, shape) if !ping && head => (*status, shape, "UNSUPPORTED"),
        LinkFails(status) if later => (*status, &Page::Json, "PAGINATION_NUMBER_INVALID"),
        _ => return None,
    };
    let mut answer = page(status, shape, code);
    match quirk {
        NotARegistry(..) => unmark(&mut answer),
        TooManyRequests(_, after) if after.is_empty() => {}
        TooManyRequests(_, after) => answer.add(&format!("Retry-After: {after}")),
        Challenge(_, all) => all
            .iter()
            .for_each(|it| answer.add(&format!("WWW-Authenticate: {it}"))),
        Hidden(_) => answer.add("WWW-Authenticate: Basic realm=\"fake-registry\""),
        PingBody(body) => answer.body = body.clone().into(),
        _ => {}
    }
    Some(answer)
}

/// Whether a request asks for a page after the first one.
pub(crate) fn is_later_page(request: &Recorded) -> bool {
    let mut cursors = ["last", "cursor", "page"].iter();
    cursors.any(|name| request.query(name).is_some())
}

/// A query parameter as a number, 0 if there is none.
pub(crate) fn number(request: &Recorded, name: &str) -> u64 {
    let number: Option<u32> = request.query(name).and_then(|text| text.parse().ok());
    number.unwrap_or(0).into()
}

fn redirect(quirk: &Quirk, request: &Recorded, endpoint: &Endpoint) -> Option<Answer> {
    let target = &request.target;
    let (status, location) = match (quirk, endpoint) {
        (_, Endpoint::Ping) => return None,
        (Quirk::RedirectManifests(status, base), Endpoint::Manifest(..))
        | (Quirk::RedirectBlobs(status, base), Endpoint::Blob(..))
        | (Quirk::RedirectUploads(status, base), Endpoint::Upload(..)) => {
            (*status, format!("{base}{target}"))
        }
        (Quirk::RedirectRepository(other), _) => {
            let repository = endpoint.repository().filter(|name| name != other)?;
            let (from, to) = (format!("/v2/{repository}/"), format!("/v2/{other}/"));
            (301, target.replacen(&from, &to, 1))
        }
        (Quirk::RedirectLoop, _) => (302, target.clone()),
        (Quirk::RedirectNowhere(status), _) => return Some(marked(*status, "", "")),
        (Quirk::RedirectHops(hops), _) if matches!(request.method.as_str(), "GET" | "HEAD") => {
            let next = number(request, "hop").checked_add(1)?;
            let location = || format!("{}?hop={next}", request.path());
            (307, (next <= *hops).then(location)?)
        }
        _ => return None,
    };
    Some(marked(status, &format!("Location: {location}"), ""))
}

fn change(quirk: &Quirk, endpoint: &Endpoint, answer: &mut Answer) {
    use Quirk::*;
    const DIGEST: &str = "Docker-Content-Digest";
    let ok = answer.status == 200;
    let manifest = ok && matches!(endpoint, Endpoint::Manifest(..));
    match quirk {
        NoDigestHeader => answer.change(DIGEST, |_| String::new()),
        WrongDigestHeader => answer.change(DIGEST, |_| sha256(b"something else")),
        UpperCaseDigestHeader => {
            answer.change(DIGEST, |it| it.to_uppercase().replace("SHA", "sha"))
        }
        DigestHeader(text) => answer.change(DIGEST, |_| text.clone()),
        UnmarkedNotFound(shape) if answer.status == 404 => {
            *answer = page(404, shape, "MANIFEST_UNKNOWN");
            unmark(answer);
        }
        UnmarkedNotFound(_) => unmark(answer),
        ManifestContentType(kind) if manifest => answer.change("Content-Type", |_| kind.clone()),
        DecoratedContentType => answer.change("Content-Type", |kind| {
            let bare = kind.split(';').next().unwrap_or_default();
            bare.to_uppercase() + "; charset=utf-8"
        }),
        ClaimGzip if ok => answer.add("Content-Encoding: gzip"),
        Gzip if ok => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            let written = encoder.write_all(&answer.body);
            answer.body = written.and_then(|()| encoder.finish()).unwrap_or_default();
            answer.add("Content-Encoding: gzip");
        }
        Header(field) => answer.add(field),
        RateLimit(left) => {
            answer.add("RateLimit-Limit: 100;w=21600");
            answer.add(&format!("RateLimit-Remaining: {left}"));
        }
        Warning(text) => answer.add(&format!("Warning: 299 - \"{text}\"")),
        ConnectionClose => answer.add("Connection: close"),
        _ => {}
    }
}

/// An answer with one of the pages that are sent instead of a manifest or a list.
fn page(status: u16, shape: &Page, code: &str) -> Answer {
    let error = errors(status, code, "said the fake registry");
    let (kind, body) = match shape {
        Page::Json => return error,
        Page::JsonText => ("text/plain", error.body),
        Page::Object => (
            "application/json",
            format!("{{\"code\":\"{code}\"}}").into(),
        ),
        Page::Html if status == 200 => ("text/html", PORTAL.into()),
        Page::Html => (
            "text/html",
            NGINX.replace("404", &status.to_string()).into(),
        ),
        Page::Xml => ("application/xml", NO_SUCH_KEY.into()),
        Page::Text => ("text/plain", b"not here\n".into()),
        Page::Empty => return marked(status, "", ""),
    };
    let mut answer = marked(status, &format!("Content-Type: {kind}"), body);
    if matches!(shape, Page::Html | Page::Xml) {
        unmark(&mut answer);
    }
    answer
}

const PORTAL: &str = "<html><body><form>Welcome. Please log in.</form></body></html>\n";
const NGINX: &str = "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n\
    <center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx</center>\r\n\
    </body>\r\n</html>\r\n";
const NO_SUCH_KEY: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
    <Error><Code>NoSuchKey</Code>\
    <Message>The specified key does not exist.</Message></Error>";
