//! The libraries that the C programs are linked with. They are built as a C user builds them: with
//! the feature `capi`, and outside of this build.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A shared and a static library in one directory.
#[derive(Debug)]
pub(crate) struct Library {
    pub(crate) directory: PathBuf,
}

impl Library {
    /// The library for tests: unoptimised, with debug assertions, and with the function that panics
    /// (feature `_panic`). It is built once for all tests. The build fails if the committed header
    /// is stale.
    pub(crate) fn for_tests() -> &'static Library {
        static LIBRARY: OnceLock<Library> = OnceLock::new();
        LIBRARY.get_or_init(|| {
            let target = target_directory();
            build(cargo("cdylib,staticlib", &target));
            let library = Library {
                directory: target.join("debug"),
            };
            library.link_soname();
            library
        })
    }

    /// The same as a static library only, with AddressSanitizer in our code and in that of our
    /// dependencies. It is built once for all tests. It has a directory of its own, since cargo
    /// builds everything again if the flags change.
    pub(crate) fn with_address_sanitizer() -> &'static Library {
        static LIBRARY: OnceLock<Library> = OnceLock::new();
        const MACHINE: &str = "x86_64-unknown-linux-gnu";
        LIBRARY.get_or_init(|| {
            let target = target_directory().join("asan");
            let mut cargo = cargo("staticlib", &target);
            // With `--target`, the flags do not apply to build scripts and procedural macros.
            cargo.args(["--target", MACHINE]);
            // The stable compiler has the same sanitizers as the nightly one, and needs this
            // permission to use them.
            cargo.env("RUSTC_BOOTSTRAP", "1");
            cargo.env(
                "RUSTFLAGS",
                "-Zsanitizer=address -Cunsafe-allow-abi-mismatch=sanitizer",
            );
            build(cargo);
            Library {
                directory: target.join(MACHINE).join("debug"),
            }
        })
    }

    pub(crate) fn shared(&self) -> PathBuf {
        self.directory.join("libocireg.so")
    }

    pub(crate) fn archive(&self) -> PathBuf {
        self.directory.join("libocireg.a")
    }

    /// A program looks for the library by its soname when it starts.
    fn link_soname(&self) {
        let shared = self.shared();
        let soname = soname(&shared);
        let link = self.directory.join(soname);
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink("libocireg.so", &link).expect("a link can be made");
    }
}

/// A cargo command for a library that is unoptimised and has the function that panics.
fn cargo(crate_types: &str, target: &Path) -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut cargo = Command::new(program);
    cargo
        .current_dir(root())
        .args(["rustc", "--quiet", "--package", "ocireg", "--lib"])
        .args(["--features", "_panic", "--crate-type", crate_types])
        .arg("--target-dir")
        .arg(target)
        .env("OCIREG_HEADER", "check");
    cargo
}

#[track_caller]
fn build(mut cargo: Command) {
    let done = cargo.output().expect("cargo runs");
    let words = String::from_utf8_lossy(&done.stderr);
    assert!(
        done.status.success(),
        "the library does not build:\n{words}"
    );
}

/// The name that a shared library gives itself.
pub(crate) fn soname(library: &Path) -> String {
    let text = output(Command::new("readelf").arg("-d").arg(library));
    let line = text.lines().find(|line| line.contains("(SONAME)"));
    let name = line.and_then(|line| line.split(['[', ']']).nth(1));
    name.expect("a shared library with a soname").to_owned()
}

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A directory of its own, so that this build and that of the tests do not wait for each other or
/// overwrite each other.
pub(crate) fn target_directory() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    root().join(target).join("capi")
}

/// The output of a command that must succeed.
#[track_caller]
pub(crate) fn output(command: &mut Command) -> String {
    let done = command.output();
    let done = done.unwrap_or_else(|error| panic!("{command:?} does not run: {error}"));
    let words = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?} failed:\n{words}");
    String::from_utf8_lossy(&done.stdout).into_owned()
}
