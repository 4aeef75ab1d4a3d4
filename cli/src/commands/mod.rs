//! Runs the subcommands. There is one file for each kind of question.

mod check_login;
mod find;
mod list;
mod lookup;
mod ping;

use crate::args::Command;
use crate::options::Options;
use crate::output::Stop;
use crate::status::Status;

/// Asks the question of a subcommand, and prints the answers.
pub(crate) fn run(command: Command, options: &Options) -> Result<Status, Stop> {
    match command {
        Command::Exists(args) => lookup::exists(args, options),
        Command::Digest(args) => lookup::digest(args, options),
        Command::Head(args) => lookup::head(args, options),
        Command::Find(args) => find::run(args, options),
        Command::Tags(args) => list::tags(&args, options),
        Command::Catalog(args) => list::catalog(&args, options),
        Command::Ping(args) => ping::run(args, options),
        Command::CheckLogin(args) => check_login::run(&args, options),
    }
}
