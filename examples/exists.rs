//! A deployment gate: are all these images there?
//!
//! ```text
//! cargo run --example exists -- localhost:5000/team/app:1.2 alpine:3.20
//! ```
//!
//! Exits with 0 if all are there, 1 if one is absent, 3 if one is denied, 2 if there was no answer,
//! or no question: an empty list opens no gate.

use std::process::ExitCode;

use ocireg::{Client, Presence, Reference, Result};

fn main() -> ExitCode {
    let client = match Client::new() {
        Ok(client) => client,
        Err(error) => {
            eprintln!("exists: {error}");
            return ExitCode::from(2);
        }
    };
    if std::env::args().len() < 2 {
        eprintln!("usage: exists REFERENCE...");
        return ExitCode::from(2);
    }
    // The worst answer decides: no answer, then denied, then absent.
    const BY_WEIGHT: [u8; 4] = [0, 1, 3, 2];
    let mut worst = 0;
    for name in std::env::args().skip(1) {
        let weight = match ask(&client, &name) {
            Ok(Presence::Exists(manifest)) => {
                println!("exists {name} {}", manifest.digest);
                0
            }
            Ok(Presence::Absent) => {
                println!("absent {name} -");
                1
            }
            Ok(Presence::Denied) => {
                println!("denied {name} -");
                2
            }
            Err(error) => {
                println!("error {name} -");
                eprintln!("exists: {error}");
                3
            }
        };
        worst = worst.max(weight);
    }
    ExitCode::from(BY_WEIGHT[worst])
}

fn ask(client: &Client, name: &str) -> Result<Presence> {
    let reference: Reference = name.parse()?;
    client.exists(&reference)
}
