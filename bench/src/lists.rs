//! Long lists of tags: the time per tag and the memory should not grow with the list.

use std::time::{Duration, Instant};

use ocireg::{Client, Repository};

use crate::process::peak;
use crate::server::{PAGE, Server};
use crate::{Outcome, cpu_time, median, myself, numbers};

const SIZES: [usize; 3] = [25_000, 50_000, 100_000];
const ROUNDS: usize = 5;

pub(crate) fn compare() -> Outcome<()> {
    let server = Server::start(Duration::ZERO)?;
    let mut measured = SIZES.map(|size| (size, Vec::new()));
    for _ in 0..ROUNDS {
        for (size, runs) in &mut measured {
            let mut command = myself()?;
            command.args(["list", &server.registry, &format!("tags/{size}")]);
            let [tags, wall, cpu, growth] = numbers(command)?[..] else {
                return Err("the reader of lists prints something else".into());
            };
            if tags != *size as u64 {
                return Err(format!("{tags} tags of {size}").into());
            }
            runs.push([wall, cpu, growth].map(|value| value as f64));
        }
    }
    println!("Tags in pages of {PAGE}, not kept; median of {ROUNDS} interleaved rounds\n");
    println!("   tags   wall ms    CPU ms   CPU of a tag   peak memory grew by");
    let of = |runs: &[[f64; 3]], column: usize| {
        median(&runs.iter().map(|run| run[column]).collect::<Vec<_>>())
    };
    let first = of(&measured[0].1, 1) / SIZES[0] as f64;
    for (size, runs) in &measured {
        println!(
            "{size:>7}  {:8.1}  {:8.1}   {:10.2} ×   {:11.0} KiB",
            of(runs, 0) / 1e6,
            of(runs, 1) / 1e6,
            of(runs, 1) / *size as f64 / first,
            of(runs, 2),
        );
    }
    Ok(())
}

/// Reads a list; prints the tags, wall and CPU time in nanoseconds, and the growth of the peak
/// memory in KiB.
pub(crate) fn read(registry: &str, repository: &str) -> Outcome<()> {
    let client = Client::new()?;
    let repository: Repository = format!("{registry}/{repository}").parse()?;
    // The connection and the first page are not measured.
    client.tag_pages(&repository).next().transpose()?;
    let peak_before = peak()?;
    let (wall, cpu) = (Instant::now(), cpu_time()?);
    let mut tags = 0;
    for page in client.tag_pages(&repository) {
        tags += page?.entries.len();
    }
    println!(
        "{tags} {} {} {}",
        wall.elapsed().as_nanos(),
        (cpu_time()? - cpu).as_nanos(),
        peak()? - peak_before
    );
    Ok(())
}
