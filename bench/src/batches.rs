//! Looks up a thousand images of 200 private repositories, with ocireg and with the clients that
//! people use today.

use std::collections::{BTreeMap, HashSet};
use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use ocireg::{CallOptions, Client, Presence, Reference};
use tempfile::TempDir;
use test_support::certificates::Authority;
use test_support::{DockerRegistry, RegistryConfig, Server, TokenAuth, TokenServer, seed, tool};

use crate::crowds::WIDTH;
use crate::process::{self, Cost};
use crate::{Outcome, median, tools};

const REPOSITORIES: usize = 200;
const TAGS: [&str; 5] = ["1", "1.2", "1.2.3", "stable", "latest"];
/// crane needs a process for each image, which takes too long for all images. It looks up one image
/// in this many, and its numbers are multiplied by this.
const CRANE_SHARE: usize = 20;
const ROUNDS: usize = 5;
/// How long the servers may take to write their logs.
const LOGS_SETTLE: Duration = Duration::from_millis(300);

pub(crate) fn compare() -> Outcome<()> {
    for name in ["docker-registry", "token-server", "openssl"] {
        if tool(name).is_none() {
            println!("Batches are left out: there is no {name} (scripts/install-tools.sh gets it)");
            return Ok(());
        }
    }
    let lab = Lab::start()?;
    let mut clients = vec![Contestant::ocireg()?];
    for (name, found) in [
        ("go-containerregistry", Contestant::go(&lab)),
        ("python-dxf", Contestant::dxf()),
        ("crane", Contestant::crane()),
    ] {
        match found {
            Ok(contestant) => clients.push(contestant),
            Err(why) => println!("{name} is left out: {why}"),
        }
    }
    // This also warms the servers up.
    for client in &mut clients {
        client.traffic = Some(lab.traffic_of(client)?);
    }
    for round in 0..ROUNDS {
        for turn in 0..clients.len() {
            let turn = (turn + round) % clients.len();
            let cost = lab.run(&clients[turn], &lab.quiet)?;
            clients[turn].costs.push(cost);
        }
    }
    report(&clients);
    Ok(())
}

fn report(clients: &[Contestant]) {
    println!(
        "{} images of {REPOSITORIES} private repositories of docker-registry with distribution's \
         token server, over https;\n\
         median of {ROUNDS} interleaved rounds, whole processes; × is a multiple of ocireg's\n",
        REPOSITORIES * TAGS.len()
    );
    println!(
        "{:<34}{:<17}{:<17}{:<17}{:<15}connections",
        "", "     wall s", "      CPU s", "   peak MiB", "requests"
    );
    println!("{:<85}each: registry + token server", "");
    let ours = &clients[0];
    for client in clients {
        let column = |of: fn(&Cost) -> f64, scale: f64| {
            let values: Vec<f64> = client.costs.iter().map(of).collect();
            // The ratio of each round: other load in a round slowed both clients.
            let pairs = client.costs.iter().zip(&ours.costs);
            let ratios: Vec<f64> = pairs.map(|(cost, own)| of(cost) / of(own)).collect();
            format!("{:6.2} {:5.2} ×", median(&values) * scale, median(&ratios))
        };
        let traffic = client.traffic.as_ref().map_or_else(String::new, |traffic| {
            format!(
                "{:4} + {:4}    {:4} + {:4}",
                traffic.registry.requests,
                traffic.tokens.requests,
                traffic.registry.connections,
                traffic.tokens.connections
            )
        });
        println!(
            "  {:<32}{}   {}   {}   {traffic}",
            client.name,
            column(|cost| cost.wall, 1.0),
            column(|cost| cost.cpu, 1.0),
            column(|cost| cost.peak_kib, 1.0 / 1024.0),
        );
    }
    for client in clients.iter().filter(|client| client.share > 1) {
        let (name, share) = (client.name, client.share);
        println!(
            "  {name}: looked up one image in {share}; its numbers are times {share}, except memory"
        );
    }
    println!();
}

/// The servers and their content.
struct Lab {
    files: TempDir,
    ca: PathBuf,
    /// The owner of the content.
    _plain: Server,
    tokens: Server,
    quiet: Server,
    /// A registry with the same content and a log, for the runs that count requests.
    talkative: Server,
    /// `REPOSITORY:TAG` and the digest of each image.
    images: BTreeMap<String, String>,
}

impl Lab {
    fn start() -> Outcome<Lab> {
        const MISSING: &str = "a tool is missing";
        let files = TempDir::new()?;
        let plain = DockerRegistry::start(&RegistryConfig::new()).ok_or(MISSING)?;
        let mut images = BTreeMap::new();
        for number in 0..REPOSITORIES {
            // The token server grants users the repositories below their names.
            let repository = format!("user/service-{number}");
            for image in seed::push_tags(plain.authority(), &repository, &TAGS) {
                images.insert(format!("{repository}:{}", image.tag), image.digest);
            }
        }
        let authority = Authority::create(files.path(), "ca").ok_or(MISSING)?;
        let tls = authority.issue("server");
        let (tokens, bundle) = TokenServer::start_tls(files.path(), &tls).ok_or(MISSING)?;
        let config = RegistryConfig::new()
            .tls(&tls.certificate, &tls.key)
            .data_dir(plain.data_dir())
            .token(&TokenAuth {
                // go-containerregistry asks for no token at 127.0.0.1.
                realm: format!("https://localhost:{}/token/", tokens.port()),
                service: "registry".to_owned(),
                issuer: TokenServer::ISSUER.to_owned(),
                bundle,
            });
        let quiet = DockerRegistry::start(&config).ok_or(MISSING)?;
        let talkative = DockerRegistry::start(&config.log_requests()).ok_or(MISSING)?;
        let lab = Lab {
            ca: authority.certificate,
            files,
            _plain: plain,
            tokens,
            quiet,
            talkative,
            images,
        };
        // user:pass, as `docker login` writes it.
        let logins = [&lab.quiet, &lab.talkative]
            .map(|registry| format!(r#""{}":{{"auth":"dXNlcjpwYXNz"}}"#, name_of(registry)));
        let config = format!(r#"{{"auths":{{{}}}}}"#, logins.join(","));
        fs::write(lab.files.path().join("config.json"), config)?;
        Ok(lab)
    }

    /// Lets `client` look up its images, and checks what it prints.
    fn run(&self, client: &Contestant, registry: &Server) -> Outcome<Cost> {
        let expected: Vec<String> = self
            .images
            .iter()
            .step_by(client.share)
            .map(|(image, digest)| format!("{}/{image} {digest}", name_of(registry)))
            .collect();
        let file = self.files.path().join("references");
        let mut references = fs::File::create(&file)?;
        for line in &expected {
            let (reference, _) = line.split_once(' ').unwrap_or_default();
            writeln!(references, "{reference}")?;
        }
        let mut command = (client.command)(&file, &self.ca);
        command.env("SSL_CERT_FILE", &self.ca);
        command.env("DOCKER_CONFIG", self.files.path());
        let output = self.files.path().join("output");
        let cost = process::run(&command, &output)?;
        let output = fs::read_to_string(output)?;
        let mut lines: Vec<&str> = output.lines().collect();
        lines.sort_unstable();
        let mut expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        expected.sort_unstable();
        if lines != expected {
            return Err(format!("{}: wrong answers", client.name).into());
        }
        let share = client.share as f64;
        Ok(Cost {
            wall: cost.wall * share,
            cpu: cost.cpu * share,
            peak_kib: cost.peak_kib,
        })
    }

    /// The requests and connections that the servers see when `client` looks up its images.
    fn traffic_of(&self, client: &Contestant) -> Outcome<Traffic> {
        let servers = [&self.talkative, &self.tokens];
        let before = servers.map(|server| server.log().len());
        self.run(client, &self.talkative)?;
        thread::sleep(LOGS_SETTLE);
        let [registry, tokens] = [0, 1].map(|server| {
            let log = servers[server].log();
            Counted::of(&log[before[server]..], client.share)
        });
        Ok(Traffic { registry, tokens })
    }
}

fn name_of(registry: &Server) -> String {
    format!("localhost:{}", registry.port())
}

type CommandFor = dyn Fn(&Path, &Path) -> Command;

/// One way to look up many images.
struct Contestant {
    name: &'static str,
    /// The client looks up one image in this many.
    share: usize,
    /// The program, given the file of references and the CA's certificate.
    command: Box<CommandFor>,
    costs: Vec<Cost>,
    traffic: Option<Traffic>,
}

struct Traffic {
    registry: Counted,
    tokens: Counted,
}

struct Counted {
    requests: usize,
    /// The connections that carried a request.
    connections: usize,
}

impl Counted {
    fn of(log: &str, share: usize) -> Counted {
        let distinct = |field: &str| {
            let values = log.split(field).skip(1);
            let values: HashSet<_> = values.map(|rest| rest.split(' ').next()).collect();
            values.len() * share
        };
        Counted {
            requests: distinct("http.request.id="),
            connections: distinct("http.request.remoteaddr="),
        }
    }
}

impl Contestant {
    fn new(
        name: &'static str,
        share: usize,
        command: impl Fn(&Path, &Path) -> Command + 'static,
    ) -> Contestant {
        Contestant {
            name,
            share,
            command: Box::new(command),
            costs: Vec::new(),
            traffic: None,
        }
    }

    fn ocireg() -> Outcome<Contestant> {
        let program = env::current_exe()?;
        Ok(Contestant::new("ocireg, 16 wide", 1, move |file, ca| {
            let mut command = Command::new(&program);
            command.arg("batch").args([file, ca]);
            command
        }))
    }

    /// `go/main.go`
    fn go(lab: &Lab) -> Outcome<Contestant> {
        let program = lab.files.path().join("go-heads");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/go");
        let mut build = Command::new("go");
        build.current_dir(source).args(["build", "-trimpath", "-o"]);
        run_quietly(build.arg(&program))?;
        let name = "go-containerregistry, 16 workers";
        Ok(Contestant::new(name, 1, move |file, _| {
            let mut command = Command::new(&program);
            command.arg(file).args([&WIDTH.to_string(), "user", "pass"]);
            command
        }))
    }

    /// `python/heads.py`
    fn dxf() -> Outcome<Contestant> {
        let python = tools().join("dxf/bin/python");
        if !python.is_file() {
            return Err("scripts/install-tools.sh python-dxf gets it".into());
        }
        Ok(Contestant::new(
            "python-dxf, 16 threads",
            1,
            move |file, ca| {
                let mut command = Command::new(&python);
                command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/python/heads.py"));
                command.arg(file).args([&WIDTH.to_string(), "user", "pass"]);
                command.arg(ca);
                command
            },
        ))
    }

    fn crane() -> Outcome<Contestant> {
        let crane = tool("crane").ok_or("scripts/install-tools.sh crane gets it")?;
        let name = "crane digest, one by one";
        Ok(Contestant::new(name, CRANE_SHARE, move |file, _| {
            let mut command = Command::new("sh");
            command.arg("-c").arg(
                r#"while read -r r; do d=$("$0" digest "$r") || exit 1; echo "$r $d"; done <"$1""#,
            );
            command.arg(&crane).arg(file);
            command
        }))
    }
}

fn run_quietly(command: &mut Command) -> Outcome<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(complaint.lines().next().unwrap_or("it failed").into())
}

/// Looks up the references of a file with ocireg. Prints one line per reference: `REFERENCE
/// DIGEST`.
pub(crate) fn look_up(file: &str, ca: &str) -> Outcome<()> {
    let text = fs::read_to_string(file)?;
    let references = text
        .lines()
        .map(str::parse)
        .collect::<Result<Vec<Reference>, _>>()?;
    let registry = references.first().ok_or("no references")?.registry();
    let registry = registry.to_string();
    let client = Client::builder()
        .ca_file(&registry, ca)
        .basic(&registry, "user", "pass")
        .build()?;
    let wide = client.with(CallOptions::new().concurrency(WIDTH));
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    for (reference, answer) in text.lines().zip(wide.lookup_all(&references)) {
        match answer? {
            Presence::Exists(manifest) => writeln!(output, "{reference} {}", manifest.digest)?,
            other => return Err(format!("{reference}: {other:?}").into()),
        }
    }
    Ok(output.flush()?)
}
