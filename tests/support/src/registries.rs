//! The registries: docker-registry 2.8.2, distribution v3 and go-containerregistry's.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::require;
use crate::server::{Launch, Server};

/// Settings of [`DockerRegistry`] and [`DistributionV3`], which read the same file. Defaults to
/// plain http, no login, writable, deletes allowed, and (2.8.2 only) schema1 allowed.
///
/// A clone is independent of the original.
#[derive(Clone, Debug, Default)]
pub struct RegistryConfig {
    tls: Option<(PathBuf, PathBuf)>,
    relative_urls: bool,
    proxy: Option<String>,
    headers: Map<String, Value>,
    read_only: bool,
    no_delete: bool,
    no_schema1: bool,
    auth: Option<Value>,
    redirect: Option<String>,
    data: Option<PathBuf>,
    max_tags: Option<u32>,
    max_catalog: Option<u32>,
    log_requests: bool,
}

/// Which token service a registry names, and which tokens it accepts.
#[derive(Clone, Debug)]
pub struct TokenAuth {
    /// The token server's URL.
    pub realm: String,
    /// The audience that a token must name.
    pub service: String,
    /// The issuer that a token must name.
    pub issuer: String,
    /// A PEM file with the certificate of the key that signs the tokens.
    pub bundle: PathBuf,
}

impl RegistryConfig {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Serves https (and h2, if asked by ALPN) with these PEM files.
    pub fn tls(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.tls = Some((certificate.into(), key.into()));
        self
    }

    /// Answers with paths instead of whole URLs in `Location`.
    pub fn relative_urls(mut self) -> Self {
        self.relative_urls = true;
        self
    }

    /// Becomes a pull-through cache of another registry; writes are then refused with 405
    /// UNSUPPORTED.
    pub fn proxy(mut self, remote_url: impl Into<String>) -> Self {
        self.proxy = Some(remote_url.into());
        self
    }

    /// Adds a header to every answer.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), json!([value]));
        self
    }

    /// Refuses writes with 405 in plain text.
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Refuses deletes with 405 UNSUPPORTED.
    pub fn no_delete(mut self) -> Self {
        self.no_delete = true;
        self
    }

    /// 2.8.2 only: refuses pushes of schema1, which is its own default.
    pub fn no_schema1(mut self) -> Self {
        self.no_schema1 = true;
        self
    }

    /// Basic authentication, realm "Lab Realm", with this password file (bcrypt only).
    pub fn htpasswd(mut self, file: impl AsRef<Path>) -> Self {
        self.auth = Some(json!({"htpasswd": {"realm": "Lab Realm", "path": path(file.as_ref())}}));
        self
    }

    /// Bearer authentication.
    pub fn token(mut self, token: &TokenAuth) -> Self {
        self.auth = Some(json!({"token": {
            "realm": token.realm,
            "service": token.service,
            "issuer": token.issuer,
            "rootcertbundle": path(&token.bundle),
        }}));
        self
    }

    /// A Bearer challenge that any `Authorization` header satisfies.
    pub fn silly(mut self, realm: &str, service: &str) -> Self {
        self.auth = Some(json!({"silly": {"realm": realm, "service": service}}));
        self
    }

    /// Answers GET and HEAD of blobs with 307 to this base URL (2.8.2 drops its path).
    pub fn redirect(mut self, base: impl Into<String>) -> Self {
        self.redirect = Some(base.into());
        self
    }

    /// Serves the content of another server ([`Server::data_dir`]), which must outlive this one. A
    /// registry that is hard to fill (TLS, authentication, read-only) can so serve what was pushed
    /// to a plain one.
    pub fn data_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.data = Some(directory.into());
        self
    }

    /// v3 only: the largest page of tags. It lowers the `n` of a request; a request without `n`
    /// gets all tags.
    pub fn max_tags(mut self, count: u32) -> Self {
        self.max_tags = Some(count);
        self
    }

    /// v3 only: the largest page of the catalog.
    pub fn max_catalog(mut self, count: u32) -> Self {
        self.max_catalog = Some(count);
        self
    }

    /// Logs every request, with its own `http.request.id=` and the `http.request.remoteaddr=` of
    /// its connection.
    pub fn log_requests(mut self) -> Self {
        self.log_requests = true;
        self
    }

    fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// The configuration file. It is JSON, of which YAML is a superset, so no quoting rules are
    /// needed.
    fn render(&self, data: &Path, port: u16) -> Value {
        let mut http = json!({
            "addr": format!("127.0.0.1:{port}"),
            "secret": "testsecret",
            "relativeurls": self.relative_urls,
            "headers": self.headers,
        });
        if let Some((certificate, key)) = &self.tls {
            http["tls"] = json!({"certificate": path(certificate), "key": path(key)});
        }
        let level = if self.log_requests { "info" } else { "error" };
        let mut config = json!({
            "version": "0.1",
            "log": {"level": level, "accesslog": {"disabled": true}},
            "storage": {
                "filesystem": {"rootdirectory": path(data)},
                "delete": {"enabled": !self.no_delete},
                "maintenance": {
                    "uploadpurging": {"enabled": false},
                    "readonly": {"enabled": self.read_only},
                },
            },
            "http": http,
        });
        if let Some(auth) = &self.auth {
            config["auth"] = auth.clone();
        }
        if let Some(remote) = &self.proxy {
            config["proxy"] = json!({"remoteurl": remote});
        }
        if let Some(base) = &self.redirect {
            let redirect = json!({"name": "redirect", "options": {"baseurl": base}});
            config["middleware"] = json!({"storage": [redirect]});
        }
        config
    }

    fn start(
        &self,
        program: PathBuf,
        environment: &[(&'static str, &'static str)],
        dialect: impl Fn(&mut Value),
    ) -> Server {
        Server::start(self.scheme(), self.data.as_deref(), |directory, port| {
            let own = directory.join("data");
            let mut config = self.render(self.data.as_deref().unwrap_or(&own), port);
            dialect(&mut config);
            let file = directory.join("config.yml");
            fs::write(&file, config.to_string()).expect("the configuration can be written");
            Launch {
                program: program.clone(),
                arguments: vec!["serve".into(), file.into()],
                environment: environment.to_vec(),
            }
        })
    }
}

/// Docker's registry 2.8.2, which is Debian's `docker-registry` and still common.
#[derive(Debug)]
pub struct DockerRegistry;

impl DockerRegistry {
    /// Starts a registry; `None` is a skip ([`require`]).
    ///
    /// # Panics
    ///
    /// When the program is installed and does not start.
    #[track_caller]
    pub fn start(config: &RegistryConfig) -> Option<Server> {
        let program = require("docker-registry")?;
        Some(config.start(program, &[], |file| {
            if !config.no_schema1 {
                file["compatibility"] = json!({"schema1": {"enabled": true}});
            }
        }))
    }
}

/// CNCF distribution v3, its successor: pages of tags, deletes by tag, no schema1.
#[derive(Debug)]
pub struct DistributionV3;

impl DistributionV3 {
    /// Starts a registry; `None` is a skip ([`require`]).
    ///
    /// # Panics
    ///
    /// When the program is installed and does not start.
    #[track_caller]
    pub fn start(config: &RegistryConfig) -> Option<Server> {
        let program = require("registry")?;
        // By default it exports traces to a collector on port 4318 of this machine.
        let environment = [("OTEL_TRACES_EXPORTER", "none")];
        Some(config.start(program, &environment, |file| {
            if let Some(count) = config.max_tags {
                file["tags"] = json!({"maxtags": count});
            }
            if let Some(count) = config.max_catalog {
                file["catalog"] = json!({"maxentries": count});
            }
        }))
    }
}

/// go-containerregistry's registry, `crane registry serve`: an independent implementation that many
/// projects use in tests.
#[derive(Debug)]
pub struct CraneRegistry;

impl CraneRegistry {
    /// Starts a registry with its blobs on disk and its manifests in memory; `None` is a skip
    /// ([`require`]).
    ///
    /// # Panics
    ///
    /// When the program is installed and does not start.
    #[track_caller]
    pub fn start() -> Option<Server> {
        let program = require("crane")?;
        Some(Server::start("http", None, |directory, port| Launch {
            program: program.clone(),
            arguments: vec![
                "registry".into(),
                "serve".into(),
                "--address".into(),
                format!("127.0.0.1:{port}").into(),
                "--disk".into(),
                directory.join("data").into(),
            ],
            environment: vec![],
        }))
    }
}

/// A password file for [`RegistryConfig::htpasswd`]: user `user`, password `pass`, bcrypt of the
/// lowest cost.
pub const HTPASSWD: &str = "user:$2y$05$RKEKhI/lhS0a5k.kj8TXM..Fe6ftqalO82I4DDKQk/i5QOREpEY5.\n";

/// The path as JSON text; the paths of tests are UTF-8.
fn path(path: &Path) -> &str {
    path.to_str().expect("paths of tests are UTF-8")
}
