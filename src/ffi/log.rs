//! The log callback. It is the only state of the C interface that the whole process shares.

use std::cell::Cell;
use std::ffi::{c_char, c_void};
use std::sync::{PoisonError, RwLock};

use log::{Level, LevelFilter, Log, Metadata, Record};

use super::argument::ArgumentError;
use super::boundary;
use super::error::ocireg_error;
use super::output::c_string;
use super::status::ocireg_status;

/// Receives a log record. `level` is 1 (error), 2 (warning), 3 (info), 4 (debug) or 5 (trace).
/// `target` is the source of the record (`"ocireg::…"`). `message` is one line of text without
/// secrets. Both strings are valid until the callback returns.
///
/// The callback runs on any thread that uses the library, perhaps on several threads at the same
/// time. Records that its thread logs while the callback runs are dropped. The callback may call
/// functions that send no request, such as ocireg_client_warnings(). It should not ask a registry.
/// It must not make a call that uses several threads, such as ocireg_client_lookup_all(), because
/// these threads log too.
pub type ocireg_log_cb = Option<
    unsafe extern "C" fn(
        userdata: *mut c_void,
        level: i32,
        target: *const c_char,
        message: *const c_char,
    ),
>;

/// Makes the library pass its log records up to `max_level` to `callback`, with `userdata` as its
/// first argument. `max_level` is 0 (none), 1 (error), 2 (warning), 3 (info), 4 (debug) or 5
/// (trace). NULL or level 0 removes the callback. The setting applies to the whole process. The
/// library logs requests at level 4, without secrets. Without a callback it logs nothing.
///
/// When this function returns, the previous callback no longer runs on any thread.
///
/// Fails with OCIREG_E_STATE inside a log callback, and in a Rust program that has a logger of its
/// own.
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

fn filter(level: i32) -> Result<LevelFilter, ArgumentError> {
    Ok(match level {
        0 => LevelFilter::Off,
        1 => LevelFilter::Error,
        2 => LevelFilter::Warn,
        3 => LevelFilter::Info,
        4 => LevelFilter::Debug,
        5 => LevelFilter::Trace,
        _ => return Err(ArgumentError::new("max_level", "is not from 0 to 5")),
    })
}

static FORWARDER: Forwarder = Forwarder {
    receiver: RwLock::new(None),
};
/// Whether the process's logger is ours.
static INSTALLED: RwLock<bool> = RwLock::new(false);

thread_local! {
    /// Whether this thread is in the callback, and so holds the lock of the receiver.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

struct Forwarder {
    receiver: RwLock<Option<Receiver>>,
}

/// A function of the caller and its first argument.
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
    /// Only records of this library: those of ureq would show whole requests.
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
        // SAFETY: the caller's function, with the caller's argument. The strings live until it
        // returns.
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
