//! A C program with the servers that it uses. The same scenes run alone, under valgrind and with
//! the sanitizers.

use std::any::Any;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use fake_registry::{Ca, Config, FakeRegistry, Quirk, Script, ScriptServer};
use tempfile::TempDir;
use test_support::certificates::Authority;
use test_support::{DockerRegistry, RegistryConfig, seed};
use token_service::TokenService;

use crate::cc::{Program, Ran, run};

pub(crate) const OCI: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";
const HOST: &str = "127.0.0.1";

/// How a program speaks with its registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http,
    Https,
}

pub(crate) struct Scene {
    /// The C file, from the repository's root.
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
    /// Standard error must contain this text. If it is empty, standard error must be empty too.
    says: &'static str,
    held: Box<dyn Any + Send>,
}

impl Scene {
    pub(crate) fn new(program: &str, arguments: Vec<String>, held: Box<dyn Any + Send>) -> Scene {
        Scene {
            program: program.to_owned(),
            arguments,
            says: "",
            held,
        }
    }

    /// Runs the program. It must succeed, and the library must print nothing.
    #[track_caller]
    pub(crate) fn passes(&self, program: &Program) -> Ran {
        self.passes_as(Command::new(program.path()))
    }

    /// The same, with a command before the program.
    #[track_caller]
    pub(crate) fn passes_as(&self, mut command: Command) -> Ran {
        let ran = run(command.args(&self.arguments));
        let name = &self.program;
        assert_eq!(ran.code, Some(0), "{name}:\n{}\n{}", ran.out, ran.err);
        if self.says.is_empty() {
            assert_eq!(ran.err, "", "{name} on standard error");
        } else {
            assert!(ran.err.contains(self.says), "{name}: {}", ran.err);
        }
        ran
    }

    /// As [`passes`](Scene::passes), and the program must print nothing either.
    #[track_caller]
    pub(crate) fn passes_silently(&self, program: &Program) {
        assert_eq!(self.passes(program).out, "", "{}", self.program);
    }

    pub(crate) fn held<T: 'static>(&self) -> &T {
        self.held.downcast_ref().expect("what the scene holds")
    }

    /// All calls to a fake registry, over TLS if `trust` is `file` or `memory`.
    pub(crate) fn lookups(trust: &str) -> Scene {
        let (first, second) = (r#"{"schemaVersion":2}"#, r#"{"schemaVersion":2,"a":1}"#);
        let ca = Ca::new();
        let mut config = Config::new()
            .quirk(Quirk::RateLimit("76;w=21600".to_owned()))
            .quirk(Quirk::Warning("old and tired".to_owned()))
            .quirk(Quirk::Hidden("hidden".to_owned()));
        if trust != "plain" {
            config = config.tls(ca.identity(&[HOST]));
        }
        let registry = FakeRegistry::start(config);
        let v1 = registry.put_manifest("team/app", "v1", OCI, first);
        let v2 = registry.put_manifest("team/app", "v2", OCI, second);
        registry.put_tag("team/app", "latest", &v2);
        registry.put_manifest("other", "latest", OCI, first);
        registry.put_manifest("hidden", "1", OCI, first);
        let directory = TempDir::new().expect("a temporary directory");
        let file = directory.path().join("ca.pem");
        fs::write(&file, ca.pem()).expect("a file can be written");
        let arguments = vec![
            registry.authority(),
            trust.to_owned(),
            text(&file),
            v1,
            v2,
            second.len().to_string(),
            OCI.to_owned(),
            "fake".to_owned(),
        ];
        Scene::new(
            "tests/c/lookups.c",
            arguments,
            Box::new((registry, directory)),
        )
    }

    /// The same with a `docker-registry`. `None` means that the test is skipped and counted.
    #[track_caller]
    pub(crate) fn real_lookups(trust: &str) -> Option<Scene> {
        let directory = TempDir::new().expect("a temporary directory");
        let authority = Authority::create(directory.path(), "ca")?;
        let plain = DockerRegistry::start(&RegistryConfig::new())?;
        let (first, second) = (seed::Image::new("first"), seed::Image::new("second"));
        for (repository, tags, image) in [
            ("team/app", &["v1"][..], &first),
            ("team/app", &["v2", "latest"], &second),
            ("other", &["latest"], &first),
        ] {
            seed::push_blobs(plain.authority(), repository, image);
            for tag in tags {
                seed::push_manifest(plain.authority(), repository, tag, &image.docker_manifest());
            }
        }
        let manifest = second.docker_manifest();
        let mut held: Vec<Box<dyn Any + Send>> = Vec::new();
        let mut asked = plain.authority().to_owned();
        if trust != "plain" {
            let issued = authority.issue("server");
            let config = RegistryConfig::new().tls(&issued.certificate, &issued.key);
            let secure = DockerRegistry::start(&config.data_dir(plain.data_dir()))?;
            asked = secure.authority().to_owned();
            held.push(Box::new(secure));
        }
        let arguments = vec![
            asked,
            trust.to_owned(),
            text(&authority.certificate),
            first.docker_manifest().digest(),
            manifest.digest(),
            manifest.bytes.len().to_string(),
            DOCKER.to_owned(),
            "real".to_owned(),
        ];
        held.push(Box::new((plain, directory)));
        Some(Scene::new("tests/c/lookups.c", arguments, Box::new(held)))
    }

    pub(crate) fn callbacks() -> Scene {
        let registry = many_tags(Config::new().page_size(3));
        let arguments = vec![registry.authority()];
        Scene::new("tests/c/callbacks.c", arguments, Box::new(registry))
    }

    pub(crate) fn errors() -> Scene {
        let limits = Quirk::TooManyRequests(u64::MAX, "120".to_owned());
        let registries: Vec<FakeRegistry> = [
            Config::new(),
            Config::new().basic("user", "password"),
            Config::new()
                .quirk(limits)
                .quirk(Quirk::RateLimit("0;w=21600".to_owned())),
            Config::new().quirk(Quirk::FailFirst(503, u64::MAX)),
        ]
        .into_iter()
        .map(FakeRegistry::start)
        .collect();
        let mut arguments: Vec<String> = registries.iter().map(FakeRegistry::authority).collect();
        arguments.push(closed_port());
        let mut scene = Scene::new("tests/c/errors.c", arguments, Box::new(registries));
        scene.says = "the test's panic";
        scene
    }

    pub(crate) fn threads(rounds: u32) -> Scene {
        let registry = many_tags(Config::new());
        let arguments = vec![registry.authority(), rounds.to_string()];
        Scene::new("tests/c/threads.c", arguments, Box::new(registry))
    }

    pub(crate) fn log() -> Scene {
        let service = token_service::Config::new().user("user", "hunter2-secret", &["mine"]);
        let service = TokenService::start(service);
        let config = Config::new().bearer(&service.realm(), "lab");
        let registry = FakeRegistry::start(config.quirk(Quirk::Warning("moves".to_owned())));
        registry.put_manifest("mine", "1", OCI, "{}");
        let arguments = vec![registry.authority()];
        Scene::new("tests/c/log.c", arguments, Box::new((service, registry)))
    }

    pub(crate) fn limits() -> Scene {
        let ages = Quirk::TooManyRequests(u64::MAX, u64::MAX.to_string());
        let registries: Vec<FakeRegistry> = [
            Config::new().quirk(Quirk::FailFirst(503, 2)),
            Config::new().quirk(Quirk::FailFirst(503, u64::MAX)),
            Config::new().quirk(ages),
        ]
        .into_iter()
        .map(FakeRegistry::start)
        .collect();
        registries[0].put_manifest("t/a", "v1", OCI, "{}");
        let arguments = registries.iter().map(FakeRegistry::authority).collect();
        Scene::new("tests/c/limits.c", arguments, Box::new(registries))
    }

    pub(crate) fn signals() -> Scene {
        let slow = FakeRegistry::start(Config::new().delay(Duration::from_millis(100)));
        slow.put_manifest("team/app", "1", OCI, "{}");
        let resets = ScriptServer::start(vec![Script::new().read_some().reset()]);
        let silent = ScriptServer::start(vec![Script::new().read_request().stall()]);
        let arguments = vec![slow.authority(), resets.authority(), silent.authority()];
        Scene::new(
            "tests/c/signals.c",
            arguments,
            Box::new((slow, resets, silent)),
        )
    }

    pub(crate) fn fork(protocol: Protocol, forks: u32) -> Scene {
        let ca = Ca::new();
        let directory = TempDir::new().expect("a temporary directory");
        let file = directory.path().join("ca.pem");
        fs::write(&file, ca.pem()).expect("a file can be written");
        let (config, trust) = match protocol {
            Protocol::Http => (Config::new(), "plain".to_owned()),
            Protocol::Https => (Config::new().tls(ca.identity(&[HOST])), text(&file)),
        };
        let registry = many_tags(config);
        let arguments = vec![registry.authority(), trust, forks.to_string()];
        Scene::new("tests/c/fork.c", arguments, Box::new((registry, directory)))
    }

    pub(crate) fn load(library: &Path, times: u32) -> Scene {
        let registry = FakeRegistry::start(Config::new());
        registry.put_manifest("team/app", "1", OCI, "{}");
        let arguments = vec![text(library), registry.authority(), times.to_string()];
        Scene::new("tests/c/load.c", arguments, Box::new(registry))
    }
}

/// team/app with the tags t000000 to t000011.
fn many_tags(config: Config) -> FakeRegistry {
    let registry = FakeRegistry::start(config);
    registry.put_tags("team/app", "t", 12);
    registry
}

/// A port where nobody listens.
fn closed_port() -> String {
    let listener = TcpListener::bind((HOST, 0)).expect("a free port");
    let address = listener
        .local_addr()
        .expect("a bound socket has an address");
    address.to_string()
}

fn text(path: &Path) -> String {
    path.to_str().expect("a path in UTF-8").to_owned()
}
