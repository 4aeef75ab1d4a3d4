//! The `ocireg` command.
fn main() {}
