//! `-v`: the library's records on standard error.

use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::output::tell;

/// Shows the library's records: nothing, or requests (`-v`). The library redacts what it logs.
pub(crate) fn install(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => LevelFilter::Debug,
        _ => LevelFilter::Trace,
    };
    // The only logger of this program, so it can't have been set before.
    if log::set_logger(&LOGGER).is_ok() {
        log::set_max_level(level);
    }
}

static LOGGER: Logger = Logger;

struct Logger;

impl Log for Logger {
    /// Only the library's own records: what another crate logs was never looked at for secrets
    /// (decision 25).
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
