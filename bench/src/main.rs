//! Measures what lookups and lists cost, and compares ocireg with other clients. See README.md.
//!
//! Without arguments it runs all parts. With the name of a part it runs that part. With other
//! arguments it is a child of itself, so that each measurement has its own process.

mod batches;
mod boundary;
mod clients;
mod crowds;
mod lists;
mod lookups;
mod process;
mod server;

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments[..] {
        [] => lookups::compare()
            .and_then(|()| boundary::compare())
            .and_then(|()| lists::compare())
            .and_then(|()| crowds::compare())
            .and_then(|()| batches::compare()),
        ["lookups"] => lookups::compare(),
        ["boundary"] => boundary::compare(),
        ["lists"] => lists::compare(),
        ["crowds"] => crowds::compare(),
        ["batches"] => batches::compare(),
        ["serve", delay] => server::serve(delay),
        ["ocireg", registry, image, requests] => clients::ocireg(registry, image, requests),
        ["refused", calls] => clients::refused(calls),
        ["raw", registry, request, requests] => clients::raw(registry, request, requests),
        ["careful", registry, request, requests] => clients::careful(registry, request, requests),
        ["list", registry, repository] => lists::read(registry, repository),
        ["find", registry, repository] => crowds::find(registry, repository),
        ["many", registry, count] => crowds::many(registry, count),
        ["batch", file, ca] => batches::look_up(file, ca),
        ["measure", output, program, ref arguments @ ..] => {
            process::measure(output, program, arguments)
        }
        _ => Err("usage: ocireg-bench [lookups|boundary|lists|crowds|batches]".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ocireg-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The command of this program, to run it as a child.
fn myself() -> Outcome<Command> {
    Ok(Command::new(env::current_exe()?))
}

/// Runs a child to its end and returns the numbers it prints.
fn numbers(mut command: Command) -> Outcome<Vec<u64>> {
    let output = command.output()?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?}: {}", complaint.trim()).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let numbers = text.split_whitespace().map(str::parse);
    Ok(numbers.collect::<Result<_, _>>()?)
}

/// The directory where `scripts/install-tools.sh` puts tools.
fn tools() -> PathBuf {
    let tools = env::var_os("TOOLS_DIR").unwrap_or_else(|| "target/tools".into());
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(tools)
}

/// The CPU time of this process so far, user and system together.
fn cpu_time() -> Outcome<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?.into())
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
