//! The `ocireg` command. It asks registries about images, prints one line per answer, and reports
//! the result in its exit code.

mod args;
mod batch;
mod clients;
mod commands;
mod duration;
mod help;
mod input;
mod logger;
mod options;
mod output;
mod private;
mod progress;
mod reason;
mod status;
mod text;

use std::process::ExitCode;

use self::output::Stop;

fn main() -> ExitCode {
    let (command, options) = args::read();
    logger::install(options.verbose);
    match commands::run(command, &options) {
        Ok(status) => status.exit_code(),
        Err(Stop::ReaderGone) => ExitCode::from(status::READER_GONE),
        Err(Stop::Failed(why)) => {
            output::tell(&why);
            status::Status::Failed.exit_code()
        }
    }
}
