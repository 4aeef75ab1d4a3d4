//! What the fault tests share: questions and the answers to them as bytes, and a client that is in
//! a hurry.

use std::time::{Duration, Instant};

use fake_registry::Script;
use ocireg::{Algorithm, Cancel, Client, ClientBuilder, Digest, Error, Reference};

/// Longer than anything here takes on a busy machine, shorter than any default limit.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// What is promised of cancel and of every other stop.
pub(crate) const PROMPT: Duration = Duration::from_millis(500);

pub(crate) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const MANIFEST: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#;

/// A client that repeats at once and does not wait for long.
pub(crate) fn hasty() -> ClientBuilder {
    Client::builder()
        .retry_delay(Duration::from_millis(1))
        .timeout(PATIENCE)
        .idle_timeout(Duration::from_secs(10))
}

/// The same, and it asks only once.
pub(crate) fn once() -> Client {
    hasty().retries(0).build().unwrap()
}

pub(crate) fn image(authority: &str) -> Reference {
    format!("{authority}/t/a:v1").parse().unwrap()
}

/// A question, and what a registry answers to it. Every answer says `Connection: close`, so that
/// the number of connections is the number of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Head,
    /// The same lookup of a client that has learned that HEAD does not work here.
    Get,
    Tags,
    Ping,
}

impl Ask {
    pub(crate) const ALL: [Ask; 4] = [Ask::Head, Ask::Get, Ask::Tags, Ask::Ping];

    /// Asks, and writes down the answer so that it can be compared.
    pub(crate) fn run(self, client: &Client, authority: &str) -> Result<String, Error> {
        let image = image(authority);
        Ok(match self {
            Ask::Head | Ask::Get => {
                let found = client.head(&image)?;
                let (digest, size, source) = (found.digest, found.size, found.digest_source);
                format!("{digest} {size:?} {source:?}")
            }
            Ask::Tags => format!("{:?}", client.tags(image.repository())?),
            Ask::Ping => format!("{:?}", client.ping(image.registry())?),
        })
    }

    /// What `run` says to a whole answer.
    pub(crate) fn expected(self) -> String {
        let (digest, size) = (
            Digest::of(Algorithm::Sha256, MANIFEST.as_bytes()),
            MANIFEST.len(),
        );
        match self {
            Ask::Head => format!("{digest} Some({size}) Header"),
            Ask::Get => format!("{digest} Some({size}) Computed"),
            Ask::Tags => "[v1, v2]".to_owned(),
            Ask::Ping => "Ping { auth: Anonymous }".to_owned(),
        }
    }

    pub(crate) fn body(self) -> &'static str {
        match self {
            Ask::Head | Ask::Get => MANIFEST,
            Ask::Tags => r#"{"name":"t/a","tags":["v1","v2"]}"#,
            Ask::Ping => "{}",
        }
    }

    /// Header fields that have nothing to do with the length.
    pub(crate) fn fields(self) -> String {
        let content = match self {
            Ask::Head | Ask::Get => {
                let digest = Digest::of(Algorithm::Sha256, MANIFEST.as_bytes());
                format!("Content-Type: {MANIFEST_TYPE}\r\nDocker-Content-Digest: {digest}\r\n")
            }
            Ask::Tags | Ask::Ping => "Content-Type: application/json\r\n".to_owned(),
        };
        format!("{content}Docker-Distribution-Api-Version: registry/2.0\r\n")
    }

    /// A whole head with these further fields.
    pub(crate) fn head(self, more: &str) -> String {
        format!("HTTP/1.1 200 OK\r\n{}{more}\r\n", self.fields())
    }

    /// The good answer.
    pub(crate) fn answer(self) -> Vec<u8> {
        let length = self.body().len();
        let head = self.head(&format!(
            "Connection: close\r\nContent-Length: {length}\r\n"
        ));
        let body = if self == Ask::Head { "" } else { self.body() };
        [head, body.to_owned()].concat().into_bytes()
    }

    /// The same in two chunks.
    pub(crate) fn chunked(self) -> Vec<u8> {
        let (first, second) = self.body().split_at(self.body().len() / 2);
        let head = self.head("Connection: close\r\nTransfer-Encoding: chunked\r\n");
        let (one, two) = (first.len(), second.len());
        format!("{head}{one:x}\r\n{first}\r\n{two:X};ext=1\r\n{second}\r\n0\r\n\r\n").into_bytes()
    }

    /// A connection that gives the good answer.
    pub(crate) fn good(self) -> Script {
        Script::new().read_request().send(self.answer())
    }

    /// The connections that [`Ask::learn`] needs.
    pub(crate) fn lesson(self) -> Vec<Script> {
        let refuses =
            b"HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        match self {
            Ask::Get => vec![Script::new().read_request().send(refuses), self.good()],
            _ => Vec::new(),
        }
    }

    /// Makes the client ask with GET, where that is the question.
    pub(crate) fn learn(self, client: &Client, authority: &str) {
        if self == Ask::Get {
            assert_eq!(self.run(client, authority).unwrap(), self.expected());
        }
    }
}

/// Triggers a token while `call` runs with it, and says how long that went on afterwards.
pub(crate) fn time_to_stop(after: Duration, call: impl FnOnce(&Cancel)) -> Duration {
    let cancel = Cancel::new();
    time_to_end(after, || cancel.trigger(), || call(&cancel))
}

/// Does `stop` while `call` runs, and says how long that went on afterwards.
pub(crate) fn time_to_end(
    after: Duration,
    stop: impl FnOnce() + Send,
    call: impl FnOnce(),
) -> Duration {
    std::thread::scope(|scope| {
        let stopping = scope.spawn(|| {
            std::thread::sleep(after);
            stop();
            Instant::now()
        });
        call();
        let ended = Instant::now();
        ended.saturating_duration_since(stopping.join().unwrap())
    })
}
