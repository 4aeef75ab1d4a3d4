//! Tests of the C interface from outside: the header, the library, and the programs in `tests/c`
//! and `examples-c`.

mod abi;
mod cc;
mod declarations;
mod dialects;
mod examples;
mod header;
mod hostile;
mod install;
mod installed;
mod library;
mod memory;
mod misuse;
mod packaging;
mod programs;
mod scenes;
mod waits;
