//! The fake registry as a program, for clients that are not in Rust and for use by hand.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::thread;

use clap::Parser;
use fake_registry::{Ca, Config, FakeRegistry, Quirk};

/// An in-memory OCI registry on 127.0.0.1. Prints its URL and runs until it is killed.
#[derive(Debug, Parser)]
#[command(after_help = quirk_help())]
struct Options {
    /// The port; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Speaks TLS and writes the authority to trust to DIR/ca.pem.
    #[arg(long, value_name = "DIR")]
    tls: Option<PathBuf>,
    /// Switches a quirk on; may be given several times.
    #[arg(long = "quirk", value_name = "NAME[=VALUE]")]
    quirks: Vec<Quirk>,
    /// Fills the repository t/a with so many tags of one manifest.
    #[arg(long, value_name = "N", default_value_t = 0)]
    tags: usize,
    /// Ends when its standard input ends, and so with the program that writes to it.
    #[arg(long)]
    until_input_ends: bool,
    /// Writes a line for every request to standard error.
    #[arg(long)]
    log: bool,
}

fn quirk_help() -> String {
    let line = |(name, help): (String, &str)| format!("\n  {name:26} {help}");
    let lines: String = Quirk::all().into_iter().map(line).collect();
    format!("Quirks (letter and number are a row of docs/registries.md):{lines}")
}

fn main() -> io::Result<()> {
    let options = Options::parse();
    let mut config = options
        .quirks
        .into_iter()
        .fold(Config::new().port(options.port), Config::quirk);
    if let Some(directory) = &options.tls {
        let ca = Ca::new();
        std::fs::write(directory.join("ca.pem"), ca.pem())?;
        config = config.tls(ca.identity(&["localhost", "127.0.0.1"]));
    }
    if options.log {
        config = config.echo();
    }
    let registry = FakeRegistry::start(config);
    if options.tags > 0 {
        registry.put_tags("t/a", "v", options.tags);
    }
    println!("{}", registry.url());
    io::stdout().flush()?;
    if options.until_input_ends {
        io::stdin().read_to_end(&mut Vec::new())?;
        return Ok(());
    }
    loop {
        thread::park();
    }
}
