//! The command as its users meet it: run as a program, against registries on this machine. A file a
//! subject.

mod support;

mod batches;
mod help;
mod inputs;
mod lists;
mod logins;
mod lookups;
mod output;
mod pings;
mod schemes;
