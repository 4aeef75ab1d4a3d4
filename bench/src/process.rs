//! The time and memory that a process needs.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use crate::{Outcome, myself, numbers};

/// The cost of a whole program run, including the programs that it ran.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) wall: f64,
    /// User and system.
    pub(crate) cpu: f64,
    /// The peak resident memory of the largest process.
    pub(crate) peak_kib: f64,
}

/// Runs `command` as the only child of a small process, and writes its standard output to `output`.
pub(crate) fn run(command: &Command, output: &Path) -> Outcome<Cost> {
    let mut measuring = myself()?;
    measuring.arg("measure").arg(output);
    measuring
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        measuring.env(name, value.unwrap_or_default());
    }
    let [wall, cpu, peak_kib] = numbers(measuring)?[..] else {
        return Err("the measuring process prints something else".into());
    };
    Ok(Cost {
        wall: wall as f64 / 1e9,
        cpu: cpu as f64 / 1e9,
        peak_kib: peak_kib as f64,
    })
}

/// The small process. Prints wall and CPU time in nanoseconds, and the peak memory in KiB.
pub(crate) fn measure(output: &str, program: &str, arguments: &[&str]) -> Outcome<()> {
    let mut command = Command::new(program);
    command.args(arguments);
    command.stdin(Stdio::null()).stdout(File::create(output)?);
    let started = Instant::now();
    let status = command.status()?;
    let wall = started.elapsed();
    if !status.success() {
        return Err(format!("{program}: {status}").into());
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = duration(usage.user_time()) + duration(usage.system_time());
    let (wall, cpu) = (wall.as_nanos(), cpu.as_nanos());
    println!("{wall} {cpu} {}", usage.max_rss());
    Ok(())
}

fn duration(time: TimeVal) -> Duration {
    let microseconds = time.tv_sec() * 1_000_000 + time.tv_usec();
    Duration::from_micros(microseconds.try_into().unwrap_or_default())
}

/// The peak resident memory of this process in KiB.
pub(crate) fn peak() -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or("the system does not tell")?.parse()?)
}
