//! Nothing: the tests are the consumer. (A package needs a target; and a program that only depends
//! on both crates is enough for Cargo to unify their features.)
