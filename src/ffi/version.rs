//! Which library this is.

use std::ffi::{CStr, c_char};

/// This number rises only when a program that was built against an older header could break.
pub const OCIREG_ABI_VERSION: u32 = 1;

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        // Not reached: there is one NUL, and it is the last byte.
        Err(_) => c"",
    };

/// Returns the version of the running library, such as `"0.1.0"`. It is for people and bug
/// reports. The string is static.
#[unsafe(no_mangle)]
pub extern "C" fn ocireg_version() -> *const c_char {
    VERSION.as_ptr()
}

/// Returns the version of the running library as a number that you can compare. Major, minor and
/// patch version have 8 bits each: `0x000100` is 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn ocireg_version_number() -> u32 {
    NUMBER
}

/// Returns OCIREG_ABI_VERSION of the running library. Compare both numbers if your program loads
/// the library at run time. If they differ, this header does not describe that library.
///
/// ```c
/// if (ocireg_abi_version() != OCIREG_ABI_VERSION)
///     fprintf(stderr, "libocireg %s does not fit this program\n", ocireg_version());
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
