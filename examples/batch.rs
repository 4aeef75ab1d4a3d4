//! Are all images of a deployment there? Reads references from standard input, one a line, and prints answers as they come.
//!
//! ```text
//! cargo run --example batch < images.txt
//! ```

use std::io::{self, BufRead};
use std::ops::ControlFlow;
use std::process::ExitCode;

use ocireg::{CallOptions, Client, Presence, Reference};

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
    // An empty list opens no gate.
    if references.is_empty() {
        return Err("no references on standard input".into());
    }
    let names = references.clone();
    // Called on this thread, one answer at a time, in the order in which they come.
    let options = CallOptions::new()
        .concurrency(16)
        .on_item(move |position, answer| {
            let name = &names[position];
            match answer {
                Ok(Presence::Exists(manifest)) => println!("exists {name} {}", manifest.digest),
                Ok(Presence::Absent) => println!("absent {name} -"),
                Ok(Presence::Denied) => println!("denied {name} -"),
                Err(error) => eprintln!("batch: {error}"),
            }
            ControlFlow::Continue(())
        });
    let answers = Client::new()?.with(options).lookup_all(&references);
    Ok(answers
        .iter()
        .all(|answer| matches!(answer, Ok(Presence::Exists(_)))))
}
