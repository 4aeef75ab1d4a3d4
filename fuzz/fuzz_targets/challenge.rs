//! See `ocireg::fuzz::challenge`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| ocireg::fuzz::challenge(text));
