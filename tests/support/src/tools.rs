//! Finds the programs that `scripts/install-tools.sh` installs.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Where the program `name` is: in `TOOLS_DIR` (by default `target/tools` of this repository), on
/// `PATH`, or in the folders of daemons, which are on the `PATH` of root alone.
pub fn tool(name: &str) -> Option<PathBuf> {
    let tools = env::var_os("TOOLS_DIR")
        .filter(|directory| !directory.is_empty())
        .unwrap_or_else(|| "target/tools".into());
    // Relative to the root of the repository, as in the scripts, since tests run in the folder of
    // their package. An absolute path stays.
    let tools = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(tools);
    let path = env::var_os("PATH").unwrap_or_default();
    std::iter::once(tools.join("bin"))
        .chain(env::split_paths(&path))
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
}

/// [`tool`] for a test that needs it: `None` is a [`skip`].
///
/// # Panics
///
/// In CI (variable `CI` set), where the tools are installed, so that a missing one is a defect.
#[track_caller]
pub fn require(name: &str) -> Option<PathBuf> {
    let found = tool(name);
    if found.is_none() {
        skip(&format!(
            "missing tool {name}: run scripts/install-tools.sh"
        ));
    }
    found
}

/// Counts the current test as skipped: a line in the file that `OCIREG_SKIP_LOG` names, which
/// `scripts/test.sh` reads, and one on stderr. The test then returns.
///
/// # Panics
///
/// In CI (variable `CI` set): there a skip is a failure.
#[track_caller]
pub fn skip(why: &str) {
    let in_ci = env::var_os("CI").is_some_and(|value| !value.is_empty());
    assert!(!in_ci, "{why}");
    // libtest names a test's thread after the test.
    let thread = std::thread::current();
    let program = env::current_exe().unwrap_or_default();
    let program = program.file_stem().unwrap_or_default().to_string_lossy();
    // Cargo adds a hash that changes with every build.
    let program = program.rsplit_once('-').map_or(&*program, |(name, _)| name);
    let line = format!("{program} {}: {why}\n", thread.name().unwrap_or("?"));
    eprint!("SKIPPED: {line}");
    if let Some(log) = env::var_os("OCIREG_SKIP_LOG").filter(|log| !log.is_empty()) {
        let log = PathBuf::from(log);
        // One write to a file opened for appending: lines of concurrent tests do not mix.
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .and_then(|mut file| file.write_all(line.as_bytes()))
            .unwrap_or_else(|error| panic!("cannot write {}: {error}", log.display()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_on_path_and_only_that() {
        assert!(tool("sh").is_some_and(|path| path.ends_with("sh")));
        assert_eq!(tool("no-such-program-of-ours"), None);
    }
}
