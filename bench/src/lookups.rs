//! A warm `exists`, compared with other clients.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use ocireg::{Client, Reference};
use test_support::{DockerRegistry, RegistryConfig, seed, tool};

use crate::boundary;
use crate::clients::WARM_UP_SHARE;
use crate::server::{FOUND, Server};
use crate::{Outcome, median, myself, numbers, tools};

pub(crate) const IMAGE: &str = "team/app:1.2";
/// The targets: the most CPU time of a lookup, as a multiple of libcurl's and of the raw loop's.
const OF_LIBCURL: f64 = 0.8;
const OF_RAW: f64 = 2.0;

pub(crate) fn compare() -> Outcome<()> {
    let libcurl = left_out("libcurl", build_libcurl_client());
    let from_c = left_out("the C interface", boundary::build_client("release"));
    let installed = left_out("the installed C library", boundary::build_client("dist"));
    let programs = Programs {
        libcurl,
        from_c,
        installed,
    };
    println!("CPU time of a warm lookup (user and system), median of interleaved rounds\n");

    let server = Server::start(Duration::ZERO)?;
    run("tiny server", &server.registry, &programs, (25, 3_000))?;

    if tool("docker-registry").is_none() {
        println!("docker-registry is left out: scripts/install-tools.sh gets it\n");
    } else if let Some(registry) = DockerRegistry::start(&RegistryConfig::new()) {
        let (repository, tag) = IMAGE.split_once(':').ok_or("an image without a tag")?;
        seed::push_tags(registry.authority(), repository, &[tag]);
        let registry = registry.authority();
        run("docker-registry", registry, &programs, (11, 300))?;
    }
    Ok(())
}

/// Prints why a program is left out of the comparison.
fn left_out(what: &str, built: Outcome<PathBuf>) -> Option<PathBuf> {
    if let Err(why) = &built {
        println!("{what} is left out: {why}\n");
    }
    built.ok()
}

/// The clients that are C programs. `None` if one could not be built.
struct Programs {
    libcurl: Option<PathBuf>,
    from_c: Option<PathBuf>,
    installed: Option<PathBuf>,
}

/// A client, and its measured times.
struct Contender {
    name: &'static str,
    command: Box<dyn Fn() -> Outcome<Command>>,
    /// Microseconds per lookup, one number for each round.
    times: Vec<f64>,
}

const RUST: &str = "ocireg";
const FROM_C: &str = "ocireg from C";
const INSTALLED: &str = "ocireg from C, as installed";
const RAW: &str = "raw socket loop";
const CAREFUL: &str = "raw, with our system calls";
const LIBCURL: &str = "libcurl easy";

/// Measures one table. The clients take turns, so that other load on the machine affects all of
/// them.
fn run(
    name: &str,
    registry: &str,
    programs: &Programs,
    (rounds, requests): (usize, u32),
) -> Outcome<()> {
    let mut contenders = contenders(registry, programs, requests)?;
    let count = contenders.len();
    for round in 0..rounds {
        for turn in 0..count {
            let contender = &mut contenders[(turn + round) % count];
            let numbers = numbers((contender.command)()?)?;
            let nanoseconds = *numbers.first().ok_or("a client prints nothing")?;
            let time = nanoseconds as f64 / f64::from(requests) / 1000.0;
            contender.times.push(time);
        }
    }
    report(
        &format!("{name}, {rounds} rounds of {requests}"),
        &contenders,
    );
    Ok(())
}

fn contenders(registry: &str, programs: &Programs, requests: u32) -> Outcome<Vec<Contender>> {
    let request = request_of_ocireg()?.replace(STAND_IN, registry);
    let count = requests.to_string();
    let of_this_program = |name: &'static str, what: [&str; 3]| {
        let what = what.map(str::to_owned);
        let count = count.clone();
        let command = move || {
            let mut command = myself()?;
            command.args(&what).arg(&count);
            Ok(command)
        };
        contender(name, command)
    };
    let mut contenders = vec![
        of_this_program(RUST, ["ocireg", registry, IMAGE]),
        of_this_program(RAW, ["raw", registry, &request]),
        of_this_program(CAREFUL, ["careful", registry, &request]),
    ];
    for (name, program) in [(FROM_C, &programs.from_c), (INSTALLED, &programs.installed)] {
        let Some(program) = program.clone() else {
            continue;
        };
        let image = format!("{registry}/{IMAGE}");
        contenders.push(contender(name, move || {
            Ok(boundary::client(&program, &image, requests))
        }));
    }
    if let Some(program) = programs.libcurl.clone() {
        let registry = registry.to_owned();
        contenders.push(contender(LIBCURL, move || {
            Ok(libcurl_command(&program, &registry, &request, requests))
        }));
    }
    Ok(contenders)
}

fn contender(name: &'static str, command: impl Fn() -> Outcome<Command> + 'static) -> Contender {
    Contender {
        name,
        command: Box::new(command),
        times: Vec::new(),
    }
}

fn report(title: &str, contenders: &[Contender]) {
    let find = |name: &str| contenders.iter().find(|contender| contender.name == name);
    let ours = [RUST, FROM_C, INSTALLED].map(find);
    println!("{title:<32}     µs   Rust is      C is   installed C is");
    for contender in contenders {
        print!("  {:<30} {:6.1}", contender.name, median(&contender.times));
        for ours in ours {
            match ours {
                Some(ours) => print!("   {:5.2} ×", ratio(ours, contender)),
                None => print!("         -"),
            }
        }
        if let Some(limit) = limit(contender.name) {
            let met = |ours: &Contender| ratio(ours, contender) <= limit;
            let word = match ours.iter().flatten().all(|ours| met(ours)) {
                true => "met by all",
                false => "MISSED by one at least",
            };
            print!("   at most {limit:.2} ×: {word}");
        }
        println!();
    }
    println!();
}

/// The median of the ratios of all rounds: other load in a round slowed both clients.
fn ratio(ours: &Contender, other: &Contender) -> f64 {
    let ratios = ours.times.iter().zip(&other.times).map(|(a, b)| a / b);
    median(&ratios.collect::<Vec<f64>>())
}

fn limit(client: &str) -> Option<f64> {
    match client {
        LIBCURL => Some(OF_LIBCURL),
        RAW => Some(OF_RAW),
        _ => None,
    }
}

/// The `Host` of the recorded request.
const STAND_IN: &str = "127.0.0.1:PORT";

/// Records the request that ocireg sends, so that all clients send the same.
fn request_of_ocireg() -> Outcome<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let registry = listener.local_addr()?.to_string();
    let reference: Reference = format!("{registry}/{IMAGE}").parse()?;
    let asking = thread::spawn(move || {
        // Without retries, because nobody would answer a second request.
        Client::builder().retries(0).build()?.exists(&reference)?;
        Ok::<(), ocireg::Error>(())
    });
    let (mut stream, _) = listener.accept()?;
    let mut request = String::new();
    for line in BufReader::new(stream.try_clone()?).lines() {
        let line = line?;
        request += &line;
        request += "\r\n";
        if line.is_empty() {
            break;
        }
    }
    stream.write_all(FOUND.as_bytes())?;
    asking.join().map_err(|_| "ocireg panicked")??;
    Ok(request.replace(&registry, STAND_IN))
}

fn libcurl_command(program: &Path, registry: &str, request: &str, requests: u32) -> Command {
    let mut lines = request.lines();
    let target = lines.next().and_then(|line| line.split(' ').nth(1));
    let url = format!("http://{registry}{}", target.unwrap_or_default());
    let mut command = Command::new(program);
    command.arg(url);
    command.args([requests / WARM_UP_SHARE, requests].map(|number| number.to_string()));
    command
        .args(lines.filter(|line| !line.is_empty() && !line.to_lowercase().starts_with("host:")));
    command
}

/// Compiles `c/head.c` with the system's compiler and the system's libcurl.
fn build_libcurl_client() -> Outcome<PathBuf> {
    let program = env::current_exe()?.with_file_name("libcurl-head");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/c/head.c");
    let mut command = with(
        Command::new("cc"),
        &["-O2", "-Wall", "-Wextra", "-std=c11", source, "-o"],
    );
    command.arg(&program);
    // scripts/install-tools.sh unpacks Debian's headers there. Without the development package, the
    // system's library has only this name.
    command.arg("-I").arg(tools().join("include"));
    command.arg("-l:libcurl.so.4");
    let output = command.output()?;
    if output.status.success() {
        return Ok(program);
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let complaint = complaint.lines().next().unwrap_or_default();
    Err(format!("{complaint} (scripts/install-tools.sh libcurl gets it)").into())
}

fn with(mut command: Command, arguments: &[&str]) -> Command {
    command.args(arguments);
    command
}
