//! A deployment gate: tells whether all images exist.
//!
//! ```text
//! cargo run --example exists -- localhost:5000/team/app:1.2 alpine:3.20
//! ```
//!
//! The exit code is 0 if all images exist, 1 if one is absent, 3 if one is denied, and 2 if there
//! was no answer. Without arguments it is 2 as well, because a gate must not open for an empty
//! list.

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
            Ok(Presence::Exists(image)) => {
                println!("exists {name} {}", image.digest);
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
