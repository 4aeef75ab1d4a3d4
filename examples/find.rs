//! Which tags are the same image as this one?
//!
//! ```text
//! cargo run --example find -- localhost:5000/team/app:latest
//! ```

use std::error::Error;

use ocireg::{Client, Reference};

fn main() -> Result<(), Box<dyn Error>> {
    let client = Client::new()?;
    for name in std::env::args().skip(1) {
        let reference: Reference = name.parse()?;
        for tag in client.tags_sharing(&reference)? {
            println!("{tag} is {name}");
        }
    }
    Ok(())
}
