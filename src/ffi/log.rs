//! The log, the one thing that belongs to the whole process.

use std::cell::Cell;
use std::ffi::{c_char, c_void};
use std::sync::{PoisonError, RwLock};

use log::{Level, LevelFilter, Log, Metadata, Record};

use super::boundary::{self, c_string};
use super::error::ocireg_error;
use super::status::ocireg_status;

/// Given each log record: a level (1 error, 2 warning, 3 info, 4 debug, 5 trace), where it comes
/// from (`"ocireg::…"`) and one line of text. Both strings end with the callback. Called on any
/// thread that uses the library, several at once perhaps; nothing in it is secret. What its thread
/// logs while the callback runs is dropped. It may ask what is known, such as
/// ocireg_client_warnings(), but should not ask a registry, and must not make a call that uses
/// several threads, such as ocireg_client_lookup_all(): they log too.
pub type ocireg_log_cb = Option<
    unsafe extern "C" fn(
        userdata: *mut c_void,
        level: i32,
        target: *const c_char,
        message: *const c_char,
    ),
>;

/// Has `callback` given the library's log records up to `max_level` (0 none, 1 error, 2 warning, 3
/// info, 4 debug, 5 trace), with `userdata` as its first argument. NULL, or level 0, takes it back.
/// This counts for the whole process. Requests are logged at level 4, without secrets. Without a
/// callback nothing is logged.
///
/// When it returns, the callback that was set before is not running any more, on no thread.
///
/// OCIREG_E_STATE from inside a log callback, and where a Rust program has a logger of its own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_set_log_callback(
    max_level: i32,
    callback: ocireg_log_cb,
    userdata: *mut c_void,
) -> ocireg_status {
    boundary::run_quietly(|| {
        let level = filter(max_level)?;
        if INSIDE.get() {
            return Err(ocireg_error::state("the log callback can't replace itself"));
        }
        let receiver = callback.filter(|_| level != LevelFilter::Off);
        let receiver = receiver.map(|function| Receiver { function, userdata });
        let mut installed = write(&INSTALLED);
        if !*installed {
            *installed = log::set_logger(&FORWARDER).is_ok();
        }
        if !*installed {
            return Err(ocireg_error::state(
                "this process has a Rust logger of its own",
            ));
        }
        // Waits for callbacks that are running.
        let given = receiver.is_some();
        *write(&FORWARDER.receiver) = receiver;
        log::set_max_level(if given { level } else { LevelFilter::Off });
        Ok(())
    })
}

fn filter(level: i32) -> Result<LevelFilter, ocireg_error> {
    Ok(match level {
        0 => LevelFilter::Off,
        1 => LevelFilter::Error,
        2 => LevelFilter::Warn,
        3 => LevelFilter::Info,
        4 => LevelFilter::Debug,
        5 => LevelFilter::Trace,
        _ => return Err(ocireg_error::argument("max_level", "is not from 0 to 5")),
    })
}

static FORWARDER: Forwarder = Forwarder {
    receiver: RwLock::new(None),
};
/// Whether the process's logger is ours.
static INSTALLED: RwLock<bool> = RwLock::new(false);

thread_local! {
    /// Whether this thread is in the callback: a lock taken twice would never be given.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

struct Forwarder {
    receiver: RwLock<Option<Receiver>>,
}

/// The caller's function, and what it is called with.
struct Receiver {
    function: unsafe extern "C" fn(*mut c_void, i32, *const c_char, *const c_char),
    userdata: *mut c_void,
}

// SAFETY: the pointer is only handed to the caller's function, which the header says is called on
// any thread.
unsafe impl Send for Receiver {}
// SAFETY: as above.
unsafe impl Sync for Receiver {}

impl Log for Forwarder {
    /// Our own records alone: those of ureq would show whole requests.
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        target == "ocireg" || target.starts_with("ocireg::")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) || INSIDE.get() {
            return;
        }
        let receiver = self.receiver.read().unwrap_or_else(PoisonError::into_inner);
        let Some(receiver) = receiver.as_ref() else {
            return;
        };
        let target = c_string(record.target());
        let message = c_string(&record.args().to_string());
        let (level, userdata) = (number(record.level()), receiver.userdata);
        INSIDE.set(true);
        // SAFETY: the caller's function, called with what it was given for it; the strings live
        // until it returns.
        unsafe { (receiver.function)(userdata, level, target.as_ptr(), message.as_ptr()) };
        INSIDE.set(false);
    }

    fn flush(&self) {}
}

fn number(level: Level) -> i32 {
    match level {
        Level::Error => 1,
        Level::Warn => 2,
        Level::Info => 3,
        Level::Debug => 4,
        Level::Trace => 5,
    }
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
