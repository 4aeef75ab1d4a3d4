//! Many lookups in one call of ocireg: how close the time comes to the ideal for its concurrency,
//! and how much memory it needs.

use std::time::{Duration, Instant};

use ocireg::{CallOptions, Client, Presence, Reference, Repository};

use crate::process::peak;
use crate::server::{DIGEST, Server};
use crate::{Outcome, cpu_time, median, myself, numbers};

pub(crate) const WIDTH: usize = 16;
const DELAY: Duration = Duration::from_millis(20);
const TAGS: usize = 1000;
const ROUNDS: usize = 5;
/// The target: the time of a call is at most this multiple of the ideal time, in which all threads
/// are always waiting for an answer.
const OF_IDEAL: f64 = 1.5;
const MANY_TAGS: usize = 100_000;
const MANY_IMAGES: usize = 10_000;

pub(crate) fn compare() -> Outcome<()> {
    let slow = Server::start(DELAY)?;
    let mut walls = Vec::new();
    let mut cpus = Vec::new();
    for _ in 0..ROUNDS {
        let run = Run::of(&["find", &slow.registry, &format!("tags/{TAGS}")], TAGS)?;
        walls.push(run.wall);
        cpus.push(run.cpu);
    }
    let (wall, cpu) = (median(&walls), median(&cpus));
    let ideal = TAGS as f64 / WIDTH as f64 * DELAY.as_secs_f64();
    let ratio = wall / ideal;
    let verdict = if ratio <= OF_IDEAL { "met" } else { "MISSED" };
    println!(
        "\n{TAGS} tags compared with a digest, {WIDTH} at once, each HEAD answered after {} ms; \
         median of {ROUNDS}\n\n  \
         {wall:.3} s, {ratio:.2} × the ideal {ideal:.2} s (at most {OF_IDEAL} × {verdict}); \
         CPU {:.0} ms\n",
        DELAY.as_millis(),
        cpu * 1e3,
    );

    let fast = Server::start(Duration::ZERO)?;
    println!("Memory, {WIDTH} requests at once, a tiny server\n");
    println!("                              peak MiB   grew by   a result   CPU of one");
    let (tags, images) = (MANY_TAGS.to_string(), MANY_IMAGES.to_string());
    for (name, arguments, count) in [
        (
            "find over 100,000 tags",
            ["find", &fast.registry, &format!("tags/{tags}")],
            MANY_TAGS,
        ),
        (
            "a batch of 10,000 images",
            ["many", &fast.registry, &images],
            MANY_IMAGES,
        ),
    ] {
        let run = Run::of(&arguments, count)?;
        println!(
            "  {name:<28} {:7.1}   {:5.1}   {:5.0} bytes   {:6.1} µs",
            run.peak / 1024.0,
            run.growth / 1024.0,
            run.growth * 1024.0 / count as f64,
            run.cpu * 1e6 / count as f64,
        );
    }
    println!();
    Ok(())
}

struct Run {
    wall: f64,
    cpu: f64,
    peak: f64,
    growth: f64,
}

impl Run {
    fn of(arguments: &[&str], expected: usize) -> Outcome<Run> {
        let mut command = myself()?;
        command.args(arguments);
        let [found, wall, cpu, peak, growth] = numbers(command)?[..] else {
            return Err("a lookup prints something else".into());
        };
        if found != expected as u64 {
            return Err(format!("{found} found of {expected}").into());
        }
        Ok(Run {
            wall: wall as f64 / 1e9,
            cpu: cpu as f64 / 1e9,
            peak: peak as f64,
            growth: growth as f64,
        })
    }
}

/// Compares the tags of a repository with the digest that all of them have.
pub(crate) fn find(registry: &str, repository: &str) -> Outcome<()> {
    let repository: Repository = format!("{registry}/{repository}").parse()?;
    let digest = DIGEST.parse()?;
    report(|client| Ok(client.tags_of_digest(&repository, &digest)?.len()))
}

/// Looks up `count` images of 100 repositories.
pub(crate) fn many(registry: &str, count: &str) -> Outcome<()> {
    let references = (0..count.parse()?)
        .map(|number: usize| format!("{registry}/team/app-{}:{number}", number % 100).parse())
        .collect::<Result<Vec<Reference>, _>>()?;
    report(|client| {
        let mut found = 0;
        for answer in client.lookup_all(&references) {
            found += usize::from(matches!(answer?, Presence::Exists(_)));
        }
        Ok(found)
    })
}

/// Prints the number that `ask` found, its wall and CPU time in nanoseconds, the peak memory in
/// KiB, and the growth of the peak memory during the call.
fn report(ask: impl FnOnce(&Client) -> Outcome<usize>) -> Outcome<()> {
    let client = Client::new()?;
    let wide = client.with(CallOptions::new().concurrency(WIDTH));
    let before = peak()?;
    let (wall, cpu) = (Instant::now(), cpu_time()?);
    let found = ask(&wide)?;
    let (wall, cpu) = (wall.elapsed().as_nanos(), (cpu_time()? - cpu).as_nanos());
    let peak = peak()?;
    println!("{found} {wall} {cpu} {peak} {}", peak - before);
    Ok(())
}
