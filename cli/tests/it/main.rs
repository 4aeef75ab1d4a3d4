//! Tests of the command. They run it as a program, against registries on this machine. Each file
//! has one subject.

mod support;

mod batches;
mod find_cost;
mod help;
mod inputs;
mod lists;
mod logins;
mod lookups;
mod output;
mod pings;
mod printable;
mod schemes;
mod unwritable;
