//! See `ocireg::fuzz::manifest`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ocireg::fuzz::manifest(bytes));
