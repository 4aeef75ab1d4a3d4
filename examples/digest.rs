//! Prints digests of images, and where they come from.
//!
//! ```text
//! cargo run --example digest -- localhost:5000/team/app:1.2
//! ```

use std::error::Error;

use ocireg::{Client, Reference};

fn main() -> Result<(), Box<dyn Error>> {
    let client = Client::new()?;
    for name in std::env::args().skip(1) {
        let reference: Reference = name.parse()?;
        let image = client.head(&reference)?;
        println!(
            "{} {} {:?} {name}",
            image.digest, image.media_type, image.digest_source
        );
    }
    Ok(())
}
