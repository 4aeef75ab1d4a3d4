//! Lists the tags that are the same image as the given one.
//!
//! ```text
//! cargo run --example find -- localhost:5000/team/app:latest
//! ```

use std::error::Error;
use std::process::ExitCode;

use ocireg::{Client, Reference};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let client = Client::new()?;
    let mut exit = ExitCode::SUCCESS;
    for name in std::env::args().skip(1) {
        let reference: Reference = name.parse()?;
        let tags = client.tags_sharing(&reference)?;
        if tags.is_empty() {
            eprintln!("find: no tag is {name}");
            exit = ExitCode::from(1);
        }
        for tag in tags {
            println!("{tag} is {name}");
        }
    }
    Ok(exit)
}
