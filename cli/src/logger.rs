//! `-v`: prints the library's log records on standard error.

use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::output::tell;

/// Prints the library's log records if `-v` was given. The library redacts secrets in them.
pub(crate) fn install(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => LevelFilter::Debug,
        _ => LevelFilter::Trace,
    };
    // This program sets no other logger, so this one can be set.
    if log::set_logger(&LOGGER).is_ok() {
        log::set_max_level(level);
    }
}

static LOGGER: Logger = Logger;

struct Logger;

impl Log for Logger {
    /// Only the library's own records. The records of other crates may have secrets in them: ureq,
    /// for example, logs whole requests.
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        target == "ocireg" || target.starts_with("ocireg::")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        match record.level() {
            Level::Error | Level::Warn => tell(&format!("warning: {}", record.args())),
            _ => tell(&record.args().to_string()),
        }
    }

    fn flush(&self) {}
}
