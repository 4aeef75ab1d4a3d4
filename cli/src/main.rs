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
mod stdout;
mod text;

use std::process::ExitCode;

use self::args::Instead;
use self::output::Stop;
use self::status::Status;

fn main() -> ExitCode {
    match run() {
        Ok(status) => status.exit_code(),
        Err(Stop::ReaderGone) => ExitCode::from(status::READER_GONE),
        Err(Stop::Failed(why)) => {
            output::tell(&why);
            Status::Failed.exit_code()
        }
    }
}

fn run() -> Result<Status, Stop> {
    match args::read() {
        Ok((command, options)) => {
            logger::install(options.verbose);
            commands::run(command, &options)
        }
        Err(Instead::Help(text)) => output::help(&text).map(|()| Status::Yes),
        Err(Instead::Usage(text)) => {
            output::complain(&text);
            Ok(Status::Failed)
        }
    }
}
