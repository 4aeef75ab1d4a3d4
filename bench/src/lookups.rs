//! A warm `exists` beside its peers.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use ocireg::{Client, Reference};
use test_support::{DockerRegistry, RegistryConfig, seed, tool};

use crate::clients::WARM_UP_SHARE;
use crate::server::{FOUND, Server};
use crate::{Outcome, median, myself, numbers, tools};

const IMAGE: &str = "team/app:1.2";
/// The targets: the CPU time of a lookup, as a part of libcurl's and as a multiple of the raw loop's.
const OF_LIBCURL: f64 = 0.8;
const OF_RAW: f64 = 2.0;

pub(crate) fn compare() -> Outcome<()> {
    let libcurl = build_libcurl_client();
    if let Err(why) = &libcurl {
        println!("libcurl is left out: {why}\n");
    }
    let libcurl = libcurl.ok();
    println!("CPU time of a warm lookup (user and system), median of interleaved rounds\n");

    let server = Server::start(Duration::ZERO)?;
    run(
        "tiny server",
        &server.registry,
        libcurl.as_deref(),
        (25, 3_000),
    )?;

    if tool("docker-registry").is_none() {
        println!("docker-registry is left out: scripts/install-tools.sh gets it\n");
    } else if let Some(registry) = DockerRegistry::start(&RegistryConfig::new()) {
        let (repository, tag) = IMAGE.split_once(':').ok_or("an image without a tag")?;
        seed::push_tags(registry.authority(), repository, &[tag]);
        run(
            "docker-registry",
            registry.authority(),
            libcurl.as_deref(),
            (11, 300),
        )?;
    }
    Ok(())
}

/// One table: the clients take turns, so that whatever else the machine does hits all of them.
fn run(
    name: &str,
    registry: &str,
    libcurl: Option<&Path>,
    (rounds, requests): (usize, u32),
) -> Outcome<()> {
    let request = request_of_ocireg()?.replace(STAND_IN, registry);
    let count = requests.to_string();
    let mut clients = vec![
        ("ocireg", Vec::new()),
        ("raw socket loop", Vec::new()),
        ("raw, with our system calls", Vec::new()),
    ];
    if libcurl.is_some() {
        clients.push(("libcurl easy", Vec::new()));
    }
    for round in 0..rounds {
        for turn in 0..clients.len() {
            let turn = (turn + round) % clients.len();
            let (client, times) = &mut clients[turn];
            let command = match (*client, libcurl) {
                ("ocireg", _) => with(myself()?, &["ocireg", registry, IMAGE, &count]),
                ("libcurl easy", Some(program)) => {
                    libcurl_command(program, registry, &request, requests)
                }
                ("raw socket loop", _) => with(myself()?, &["raw", registry, &request, &count]),
                _ => with(myself()?, &["careful", registry, &request, &count]),
            };
            let nanoseconds = *numbers(command)?.first().ok_or("a client prints nothing")?;
            times.push(nanoseconds as f64 / f64::from(requests) / 1000.0);
        }
    }
    let title = format!("{name}, {rounds} rounds of {requests}");
    report(&title, &clients);
    Ok(())
}

fn report(title: &str, clients: &[(&str, Vec<f64>)]) {
    let ours = &clients[0].1;
    println!("{title:<36} µs   ocireg is   at most");
    for (client, times) in clients {
        // Of each round its own ratio: what slowed a round slowed both.
        let ratios: Vec<f64> = ours.iter().zip(times).map(|(a, b)| a / b).collect();
        let (ratio, limit) = (median(&ratios), limit(client));
        let verdict = match limit {
            Some(limit) if ratio <= limit => format!("{limit:6.2} × met"),
            Some(limit) => format!("{limit:6.2} × MISSED"),
            None => String::new(),
        };
        println!(
            "  {client:<32} {:6.1}   {ratio:6.2} ×  {verdict}",
            median(times)
        );
    }
    println!();
}

fn limit(client: &str) -> Option<f64> {
    match client {
        "libcurl easy" => Some(OF_LIBCURL),
        "raw socket loop" => Some(OF_RAW),
        _ => None,
    }
}

/// What `Host` says in the recorded request.
const STAND_IN: &str = "127.0.0.1:PORT";

/// The bytes that ocireg sends, so that all send the same: recorded, not written down.
fn request_of_ocireg() -> Outcome<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let registry = listener.local_addr()?.to_string();
    let reference: Reference = format!("{registry}/{IMAGE}").parse()?;
    let asking = thread::spawn(move || {
        // An answer that leads to no second request: nobody would serve it.
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

/// Compiles `c/head.c` with the system's compiler against the libcurl that programs here use.
fn build_libcurl_client() -> Outcome<PathBuf> {
    let program = env::current_exe()?.with_file_name("libcurl-head");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/c/head.c");
    let mut command = with(
        Command::new("cc"),
        &["-O2", "-Wall", "-Wextra", "-std=c11", source, "-o"],
    );
    command.arg(&program);
    // Debian's headers, where scripts/install-tools.sh unpacks them, and the system's own library (which has no other name
    // without the development package).
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
