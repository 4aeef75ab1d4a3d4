//! How much memory large batches take: a bounded amount for each item, and nothing that grows with the time. As in `costs`, each is measured in
//! a process of its own.

use std::env;
use std::process::Command;
use std::time::Instant;

use ocireg::{CallOptions, Client, Presence, Reference, Repository};
use test_support::seed;

use crate::costs::{TinyRegistry, only, pages, peak, run};

/// A tenth where nothing is optimized: it takes ten times as long.
const TAGS: usize = if cfg!(debug_assertions) {
    10_000
} else {
    100_000
};
const ITEMS: usize = 10_000;
/// What threads and connections take, however many items there are.
const BASE_KIB: u64 = 8 * 1024;

#[test]
fn tags_of_digest_takes_little_memory_for_each_tag() {
    let server = TinyRegistry::start(pages(TAGS / 1000, 1000));
    expect_growth("helper_tags_of_digest", server.port, TAGS);
}

#[test]
fn a_batch_takes_little_memory_for_each_item() {
    let server = TinyRegistry::start(Vec::new());
    expect_growth("helper_lookup_all", server.port, ITEMS);
}

/// Runs a helper, and fails if it grew by more than 2 KiB for each item.
#[track_caller]
fn expect_growth(helper: &str, port: u16, items: usize) {
    let mut command = Command::new(env::current_exe().unwrap());
    only(&mut command, &format!("batch_memory::{helper}"));
    command.env("OCIREG_MEMORY_PORT", port.to_string());
    let said = run(command);
    let line = said
        .lines()
        .find_map(|line| line.strip_prefix("peak growth in KiB: "));
    let Some(line) = line else {
        panic!("the helper does not tell its memory: {said}")
    };
    println!("{helper}, {items} items: {line}");
    let grown: u64 = line.split(' ').next().unwrap().parse().unwrap();
    let most = BASE_KIB + 2 * items as u64;
    if cfg!(target_os = "linux") {
        assert!(grown <= most, "{helper}: {grown} KiB, {most} allowed");
    }
}

/// A client that has asked once, and the registry it asked.
fn begin() -> (Client, Repository) {
    let port = env::var("OCIREG_MEMORY_PORT").unwrap();
    let image: Reference = format!("127.0.0.1:{port}/team/app:1").parse().unwrap();
    let client = Client::new().unwrap();
    client.exists(&image).unwrap();
    let client = client.with(CallOptions::new().concurrency(16));
    (client, image.repository().clone())
}

fn tell(before: u64, started: Instant) {
    println!(
        "\npeak growth in KiB: {} in {:?}",
        peak() - before,
        started.elapsed()
    );
}

#[test]
#[ignore = "run by the tests of this module"]
fn helper_tags_of_digest() {
    let (client, repository) = begin();
    let digest = seed::digest(b"{}").parse().unwrap();
    let (before, started) = (peak(), Instant::now());
    let tags = client.tags_of_digest(&repository, &digest).unwrap();
    assert_eq!(tags.len(), TAGS);
    tell(before, started);
}

#[test]
#[ignore = "run by the tests of this module"]
fn helper_lookup_all() {
    let (client, repository) = begin();
    // In as many repositories: each has a plan of its own.
    let references: Vec<Reference> = (0..ITEMS)
        .map(|item| {
            let text = format!("{repository}/r{item}:1");
            text.parse().unwrap()
        })
        .collect();
    let (before, started) = (peak(), Instant::now());
    let answers = client.lookup_all(&references);
    let there = |answer: &ocireg::Result<Presence>| matches!(answer, Ok(Presence::Exists(_)));
    assert_eq!(answers.iter().filter(|answer| there(answer)).count(), ITEMS);
    tell(before, started);
}
