//! The library as users install it: with `make install` and with cargo-c.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use test_support::require;

use crate::cc::{Ran, run_within};
use crate::library::{output, root, target_directory};

/// Building the profile `dist` takes two minutes of CPU time.
pub(crate) const LONGEST_BUILD: Duration = Duration::from_secs(1200);

/// Where a library is installed.
#[derive(Debug)]
pub(crate) struct Installed {
    pub(crate) prefix: PathBuf,
}

impl Installed {
    /// Runs `make install`, which builds the profile `dist`, once for all tests. `None` means that
    /// the test is skipped.
    #[track_caller]
    pub(crate) fn by_make() -> Option<&'static Installed> {
        static INSTALLED: OnceLock<Installed> = OnceLock::new();
        require("make")?;
        require("readelf")?;
        Some(INSTALLED.get_or_init(|| {
            let prefix = empty("installed-by-make");
            let ran = make("install", &[("PREFIX", &prefix)]);
            assert_eq!(ran.code, Some(0), "{ran:?}");
            Installed { prefix }
        }))
    }

    /// Runs `cargo cinstall`, once for all tests. `None` means that the test is skipped.
    #[track_caller]
    pub(crate) fn by_cargo_c() -> Option<&'static Installed> {
        static INSTALLED: OnceLock<Installed> = OnceLock::new();
        let program = require("cargo-cinstall")?;
        Some(INSTALLED.get_or_init(|| {
            let prefix = empty("installed-by-cargo-c");
            let mut cargo = cargo();
            cargo
                .env("PATH", path_with(&program))
                .args(["cinstall", "--locked", "--package", "ocireg"])
                .args(["--profile", "dist", "--target-dir"])
                // A folder of its own: with other settings, it would overwrite the build of `make
                // install`.
                .arg(target_directory().join("cargo-c"))
                .arg("--prefix")
                .arg(&prefix)
                .arg("--libdir")
                .arg(prefix.join("lib"));
            // The results that are compared do not depend on these settings, and the optimised code
            // is not needed twice.
            for (setting, value) in [("LTO", "off"), ("OPT_LEVEL", "0"), ("CODEGEN_UNITS", "16")] {
                cargo.env(format!("CARGO_PROFILE_DIST_{setting}"), value);
            }
            let ran = run_within(&mut cargo, LONGEST_BUILD);
            assert_eq!(ran.code, Some(0), "{ran:?}");
            Installed { prefix }
        }))
    }

    pub(crate) fn library_directory(&self) -> PathBuf {
        self.prefix.join("lib")
    }

    pub(crate) fn shared(&self) -> PathBuf {
        self.library_directory().join("libocireg.so")
    }

    pub(crate) fn pkg_config_path(&self) -> PathBuf {
        self.library_directory().join("pkgconfig")
    }

    /// The output of pkg-config about this installation.
    #[track_caller]
    pub(crate) fn pkg_config(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("pkg-config");
        command.env("PKG_CONFIG_PATH", self.pkg_config_path());
        let said = output(command.args(arguments).arg("ocireg"));
        said.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Runs a target of our Makefile with these variables.
#[track_caller]
pub(crate) fn make(target: &str, variables: &[(&str, &Path)]) -> Ran {
    let mut command = Command::new("make");
    command
        .current_dir(root())
        .args(["--no-print-directory", target])
        .env("CARGO_TARGET_DIR", target_directory())
        // The variables of a `make test` that started this test do not apply here.
        .env_remove("MAKEFLAGS")
        .env_remove("MAKELEVEL");
    for name in ["PREFIX", "DESTDIR", "LIBDIR", "INCLUDEDIR"] {
        command.env_remove(name);
    }
    for (name, value) in variables {
        command.arg(format!("{name}={}", value.display()));
    }
    run_within(&mut command, LONGEST_BUILD)
}

/// The cargo that runs this test.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    cargo.current_dir(root());
    cargo
}

/// The files and links below a directory, by their relative path. A link comes with its target.
pub(crate) fn files(directory: &Path) -> BTreeMap<PathBuf, Option<PathBuf>> {
    let mut found = BTreeMap::new();
    let mut left = vec![directory.to_owned()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(&next).expect("a directory that can be read") {
            let path = entry.expect("an entry").path();
            let kind = fs::symlink_metadata(&path).expect("a file").file_type();
            if kind.is_dir() {
                left.push(path);
                continue;
            }
            let target = kind
                .is_symlink()
                .then(|| fs::read_link(&path).expect("a link"));
            let name = path.strip_prefix(directory).expect("a path below it");
            found.insert(name.to_owned(), target);
        }
    }
    found
}

/// A directory below the target directory, without the files of an earlier run. It stays after the
/// test: Rust never drops a `static`, and cargo would keep build files for every temporary
/// directory.
pub(crate) fn empty(name: &str) -> PathBuf {
    let directory = target_directory().join(name);
    if directory.exists() {
        output(Command::new("chmod").args(["-R", "u+w"]).arg(&directory));
        fs::remove_dir_all(&directory).expect("it can be removed");
    }
    fs::create_dir_all(&directory).expect("the target directory can be written");
    directory
}

fn path_with(program: &Path) -> OsString {
    let own = program.parent().map(Path::to_owned);
    let path = env::var_os("PATH").unwrap_or_default();
    env::join_paths(own.into_iter().chain(env::split_paths(&path))).expect("a PATH")
}
