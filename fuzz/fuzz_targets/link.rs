//! See `ocireg::fuzz::link`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| ocireg::fuzz::link(text));
