//! Which library this is.

use std::ffi::{CStr, c_char};

/// Goes up when a program that was built against an older header could break, and only then.
pub const OCIREG_ABI_VERSION: u32 = 1;

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        // Not reached: there is one NUL, and it is the last byte.
        Err(_) => c"",
    };

/// The version of the library that is running, such as `"0.1.0"`: for people and bug reports.
/// Static.
#[unsafe(no_mangle)]
pub extern "C" fn ocireg_version() -> *const c_char {
    VERSION.as_ptr()
}

/// The same as a number, for comparisons: 8 bits each for major, minor and patch (`0x000100` is
/// 0.1.0).
#[unsafe(no_mangle)]
pub extern "C" fn ocireg_version_number() -> u32 {
    NUMBER
}

/// OCIREG_ABI_VERSION of the library that is running. Compare the two where the library is loaded
/// at run time: another number is a library that this header does not describe.
///
/// ```c
/// if (ocireg_abi_version() != OCIREG_ABI_VERSION)
///     fprintf(stderr, "libocireg %s is not what this program was built for\n", ocireg_version());
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn ocireg_abi_version() -> u32 {
    OCIREG_ABI_VERSION
}

const NUMBER: u32 = (part(env!("CARGO_PKG_VERSION_MAJOR")) << 16)
    | (part(env!("CARGO_PKG_VERSION_MINOR")) << 8)
    | part(env!("CARGO_PKG_VERSION_PATCH"));

/// A part of the version, at compile time; build.rs has seen that it is below 256.
const fn part(digits: &str) -> u32 {
    match u32::from_str_radix(digits, 10) {
        Ok(part) => part,
        // Not reached: build.rs has read it too.
        Err(_) => 0,
    }
}
