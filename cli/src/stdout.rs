//! Standard output, with errors that tell whether the answers have arrived.
//!
//! [`std::io::Stdout`] takes every write to a closed or read-only descriptor for done. A deployment
//! that reads the answers would then see none, and the exit code 0.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

/// Standard output, unbuffered.
#[derive(Debug)]
pub(crate) enum StandardOutput {
    Open(File),
    /// Why nothing can be written.
    Unusable(io::Error),
}

impl StandardOutput {
    pub(crate) fn new() -> StandardOutput {
        if WAS_CLOSED.load(Ordering::Relaxed) {
            return StandardOutput::Unusable(io::Error::other("standard output is closed"));
        }
        match io::stdout().as_fd().try_clone_to_owned() {
            Ok(descriptor) => StandardOutput::Open(descriptor.into()),
            Err(error) => StandardOutput::Unusable(error),
        }
    }
}

impl Write for StandardOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            StandardOutput::Open(file) => file.write(bytes),
            StandardOutput::Unusable(why) => Err(io::Error::new(why.kind(), why.to_string())),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether the program was started without a standard output.
static WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Has [`look`] called before `main`. Rust opens /dev/null in place of a closed descriptor before
/// it calls `main`, and from then on nothing tells it from a /dev/null that the caller gave.
#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "only to name the section; what is called from there is safe code"
)]
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

#[cfg(target_os = "linux")]
extern "C" fn look() {
    const EBADF: i32 = 9;
    let copied = io::stdout().as_fd().try_clone_to_owned();
    let closed = copied.is_err_and(|error| error.raw_os_error() == Some(EBADF));
    WAS_CLOSED.store(closed, Ordering::Relaxed);
}
