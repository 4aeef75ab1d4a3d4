//! What is the digest of this image, and where does it come from?
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
        let manifest = client.head(&reference)?;
        println!(
            "{} {} {:?} {name}",
            manifest.digest, manifest.media_type, manifest.digest_source
        );
    }
    Ok(())
}
