//! See `ocireg::fuzz::error_body`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ocireg::fuzz::error_body(bytes));
