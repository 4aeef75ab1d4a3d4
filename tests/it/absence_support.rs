//! What the tests of absence and denial share: a server that answers as scripted, and words for
//! what it was asked.

use std::sync::{Arc, Mutex};

use ocireg::{Algorithm, Client, Digest, Presence};
use raw_http::{Answer, Recorded, Server, Service, Stop, lock};

use crate::quirks_support::{builder, parse};

pub(crate) const MARK: &str = "Docker-Distribution-Api-Version: registry/2.0";
pub(crate) const JSON: &str = "Content-Type: application/json";
pub(crate) const HTML: &str = "Content-Type: text/html";
pub(crate) const TEXT: &str = "Content-Type: text/plain; charset=utf-8";
pub(crate) const NEXUS: &str = "Server: Nexus/3.80.0-06 (COMMUNITY)";
pub(crate) const JFROG: &str = "X-Jfrog-Version: Artifactory/7.161.0 78000900";
pub(crate) const PAGE: &str = "<html><h1>404 Not Found</h1></html>\n";
pub(crate) const XML: &str = "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code></Error>";
pub(crate) const MISSING: &str =
    r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#;

/// The manifest of [`Site::found`].
pub(crate) const IMAGE: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;

/// What a server answers: to `/v2/` and to lists as a registry does, unless told otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// To a HEAD of a manifest; to it as to a GET if there is none.
    pub(crate) head: Option<Answer>,
    pub(crate) get: Answer,
    pub(crate) list: Answer,
    pub(crate) ping: Answer,
    /// The challenges to a request without a login.
    pub(crate) challenges: Vec<String>,
}

impl Script {
    /// This answer to every HEAD and GET of a manifest, beside a `/v2/` that is all in order.
    pub(crate) fn new(status: u16, fields: &[&str], body: &str) -> Script {
        Script {
            head: None,
            get: answer(status, fields, body),
            list: answer(404, &[HTML], PAGE),
            ping: answer(200, &[MARK, JSON], "{}"),
            challenges: Vec::new(),
        }
    }

    pub(crate) fn head(self, status: u16, fields: &[&str]) -> Script {
        let head = Some(answer(status, fields, ""));
        Script { head, ..self }
    }

    pub(crate) fn list(self, status: u16, fields: &[&str], body: &str) -> Script {
        let list = answer(status, fields, body);
        Script { list, ..self }
    }

    pub(crate) fn ping(self, status: u16, fields: &[&str], body: &str) -> Script {
        let ping = answer(status, fields, body);
        Script { ping, ..self }
    }

    /// Asks for a login; its token service is `/v2/token` on the same server.
    pub(crate) fn challenges(mut self, lines: &[&str]) -> Script {
        self.challenges = lines.iter().map(|line| (*line).to_owned()).collect();
        self
    }

    fn answer(&self, request: &Recorded) -> Answer {
        let path = request.path();
        if path == "/v2/token" {
            return answer(200, &[JSON], r#"{"token":"t"}"#);
        }
        if !self.challenges.is_empty() && request.header("authorization").is_none() {
            let body = r#"{"errors":[{"code":"UNAUTHORIZED","message":"log in"}]}"#;
            let mut answer = answer(401, &[JSON], body);
            for line in &self.challenges {
                answer.add(&format!("WWW-Authenticate: {line}"));
            }
            return answer;
        }
        match request.method.as_str() {
            _ if path == "/v2/" => self.ping.clone(),
            _ if path.ends_with("/tags/list") => self.list.clone(),
            "HEAD" => self.head.clone().unwrap_or_else(|| self.get.clone()),
            _ => self.get.clone(),
        }
    }
}

/// A server that plays a [`Script`], which may change while it runs.
pub(crate) struct Site {
    server: Server,
    script: Arc<Playing>,
}

struct Playing(Mutex<Script>);

impl Service for Playing {
    fn answer(&self, request: &Recorded, _: &Stop) -> Option<Answer> {
        Some(lock(&self.0).answer(request))
    }
}

impl Site {
    pub(crate) fn start(script: Script) -> Site {
        let script = Arc::new(Playing(Mutex::new(script)));
        let server = Server::start(0, None, script.clone());
        Site { server, script }
    }

    pub(crate) fn play(&self, script: Script) {
        *lock(&self.script.0) = script;
    }

    pub(crate) fn authority(&self) -> String {
        self.server.address().to_string()
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// `absent`, `denied`, `exists`, or the kind of the error.
    pub(crate) fn look(&self, client: &Client, rest: &str) -> String {
        match client.exists(&parse(&format!("{}/{rest}", self.authority()))) {
            Ok(Presence::Exists(_)) => "exists".to_owned(),
            Ok(Presence::Absent) => "absent".to_owned(),
            Ok(Presence::Denied) => "denied".to_owned(),
            Err(error) => format!("{:?}", error.kind()),
        }
    }

    /// As [`look`](Site::look), by a client that knows nothing yet.
    pub(crate) fn first_look(&self, rest: &str) -> String {
        self.look(&builder().build().unwrap(), rest)
    }

    /// What was asked since the last look: `HEAD none`, `GET list`, `GET ping`, `GET token`.
    pub(crate) fn asked(&self) -> Vec<String> {
        let requests = self.server.take_requests();
        let short = |request: &Recorded| {
            let path = request.path();
            let end = path.rsplit('/').next().unwrap_or_default();
            let end = if end.is_empty() { "ping" } else { end };
            format!("{} {end}", request.method)
        };
        requests.iter().map(short).collect()
    }
}

pub(crate) fn answer(status: u16, fields: &[&str], body: &str) -> Answer {
    Answer::new(status, &fields.join("\n"), body)
}

/// An answer that has [`IMAGE`].
pub(crate) fn found() -> Script {
    let kind = "Content-Type: application/vnd.oci.image.index.v1+json";
    let digest = Digest::of(Algorithm::Sha256, IMAGE.as_bytes());
    let digest = format!("Docker-Content-Digest: {digest}");
    Script::new(200, &[MARK, kind, &digest], IMAGE)
}

pub(crate) fn errors(code: &str, message: &str) -> String {
    format!(r#"{{"errors":[{{"code":"{code}","message":"{message}"}}]}}"#)
}
