//! What the fault tests share: questions, their answers as bytes, and a client with short waits.

use std::time::{Duration, Instant};

use fake_registry::Script;
use ocireg::{Algorithm, Cancel, Client, ClientBuilder, Digest, Error, Reference};

/// Longer than anything here takes on a busy machine, shorter than any default limit.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// The promised time for cancel and every other stop.
pub(crate) const PROMPT: Duration = Duration::from_millis(500);

pub(crate) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const MANIFEST: &str = concat!(
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","#,
    r#""config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"#,
    r#""sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"#,
    r#""layers":[]}"#
);

/// A client with short pauses before retries and short timeouts.
pub(crate) fn hasty() -> ClientBuilder {
    Client::builder()
        .retry_delay(Duration::from_millis(1))
        .timeout(PATIENCE)
        .idle_timeout(Duration::from_secs(10))
}

/// The same without retries.
pub(crate) fn once() -> Client {
    hasty().retries(0).build().unwrap()
}

pub(crate) fn image(authority: &str) -> Reference {
    format!("{authority}/t/a:v1").parse().unwrap()
}

/// A question and its answer. Every answer has `Connection: close`, so that the number of
/// connections is the number of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Head,
    /// The same lookup by a client that has learned that HEAD is unreliable here.
    Get,
    Tags,
    Ping,
}

impl Ask {
    pub(crate) const ALL: [Ask; 4] = [Ask::Head, Ask::Get, Ask::Tags, Ask::Ping];

    /// Asks, and returns the answer as text that can be compared.
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

    /// What `run` returns for a complete answer.
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

    /// Header fields without those about the length.
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

    /// A complete head with these further fields.
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
            // What is seen twice in a row is learned.
            Ask::Get => {
                let lesson = || [Script::new().read_request().send(refuses), self.good()];
                [lesson(), lesson()].concat()
            }
            _ => Vec::new(),
        }
    }

    /// Makes the client learn that HEAD is unreliable, if this is [`Ask::Get`].
    pub(crate) fn learn(self, client: &Client, authority: &str) {
        if self == Ask::Get {
            for _ in 0..2 {
                assert_eq!(self.run(client, authority).unwrap(), self.expected());
            }
        }
    }
}

/// Triggers a token while `call` runs with it, and returns how long `call` ran afterwards.
pub(crate) fn time_to_stop(after: Duration, call: impl FnOnce(&Cancel)) -> Duration {
    let cancel = Cancel::new();
    time_to_end(after, || cancel.trigger(), || call(&cancel))
}

/// Runs `stop` while `call` runs, and returns how long `call` ran afterwards.
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
