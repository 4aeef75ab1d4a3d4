//! Compares what a warm lookup costs with libcurl's easy API and with a raw socket loop, and shows how the reading of a long
//! list of tags grows. See README.md.
//!
//! Without arguments it runs everything; with arguments it is one of its own children, so that a measurement has a process to
//! itself.

mod clients;
mod lists;
mod lookups;
mod server;

use std::env;
use std::error::Error;
use std::process::{Command, ExitCode};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments[..] {
        [] => lookups::compare().and_then(|()| lists::compare()),
        ["serve"] => server::serve(),
        ["ocireg", registry, image, requests] => clients::ocireg(registry, image, requests),
        ["raw", registry, request, requests] => clients::raw(registry, request, requests),
        ["careful", registry, request, requests] => clients::careful(registry, request, requests),
        ["list", registry, repository] => lists::read(registry, repository),
        _ => Err("usage: ocireg-bench".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ocireg-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// This program as one of its children.
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

/// The CPU time of this process so far, user and system together.
fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        now.tv_sec.try_into().unwrap_or_default(),
        now.tv_nsec.try_into().unwrap_or_default(),
    )
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
