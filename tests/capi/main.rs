//! The C interface, as C programs see it: the header, the library, the programs in `tests/c` and `examples-c`.

mod abi;
mod cc;
mod examples;
mod header;
mod install;
mod installed;
mod library;
mod packaging;
