//! Empty: the tests are the consumer. A package needs a target, and Cargo unifies the features of
//! ureq for any package that depends on both crates.
