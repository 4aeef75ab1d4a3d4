//! Tells whether all images of a deployment exist. Reads references from standard input, one per
//! line, and prints each answer as soon as it is there.
//!
//! ```text
//! cargo run --example batch < images.txt
//! ```

use std::io::{self, BufRead};
use std::ops::ControlFlow;
use std::process::ExitCode;

use ocireg::{CallOptions, Client, ErrorKind, Reference};

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("batch: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<bool, Box<dyn std::error::Error>> {
    let mut references: Vec<Reference> = Vec::new();
    for line in io::stdin().lock().lines() {
        references.push(line?.trim().parse()?);
    }
    // A deployment gate must not open for an empty list.
    if references.is_empty() {
        return Err("no references on standard input".into());
    }
    let client = Client::new()?.with(CallOptions::new().concurrency(16));
    let mut all_exist = true;
    // The closure runs on this thread, once for each answer, in the order in which answers arrive.
    client.lookup_each(&references, |position, answer| {
        let name = &references[position];
        all_exist &= answer.is_ok();
        match answer {
            Ok(image) => println!("exists {name} {}", image.digest),
            Err(error) => match error.kind() {
                ErrorKind::NotFound => println!("absent {name} -"),
                ErrorKind::Denied => println!("denied {name} -"),
                _ => eprintln!("batch: {error}"),
            },
        }
        ControlFlow::Continue(())
    });
    Ok(all_exist)
}
