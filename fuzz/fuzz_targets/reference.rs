//! See `ocireg::fuzz::reference`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| ocireg::fuzz::reference(text));
