//! What matters to a packager: the size and the dependencies of the library, the crate as it would
//! be published, and a build from sources that can't be written to.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use test_support::skip;

use crate::cc::{Ran, run_within};
use crate::installed::{Installed, LONGEST_BUILD, cargo, empty, files};
use crate::library::{output, root, target_directory};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The size of the library, in bytes. Increase it only on purpose.
const LARGEST: u64 = 2_500_000;
/// The number of normal dependencies with the feature `capi`, this crate included.
const MOST_CRATES: usize = 45;

/// The output of `readelf` for the installed library. `None` means that the test is skipped.
#[track_caller]
fn readelf(arguments: &[&str]) -> Option<String> {
    let installed = Installed::by_make()?;
    Some(output(
        Command::new("readelf")
            .args(arguments)
            .arg(installed.shared()),
    ))
}

#[test]
fn the_shared_library_is_small_and_stripped() {
    let Some(sections) = readelf(&["-SW"]) else {
        return;
    };
    let shared = Installed::by_make().expect("it was there").shared();
    let size = fs::metadata(&shared).expect("a file").len();
    println!("libocireg.so: {size} bytes");
    assert!(size <= LARGEST, "{size} bytes, more than {LARGEST}");
    for section in [".symtab", ".debug_info", ".debug_line"] {
        assert!(!sections.contains(section), "{section}");
    }
}

#[test]
fn the_shared_library_does_not_tell_where_it_was_built() {
    let Some(installed) = Installed::by_make() else {
        return;
    };
    let bytes = fs::read(installed.shared()).expect("the library");
    let home = std::env::var("HOME").expect("HOME");
    for path in [root().to_str().expect("a path in UTF-8"), &home] {
        // A home directory of `/` would be found everywhere.
        let told = path.len() > 1
            && bytes
                .windows(path.len() + 1)
                .any(|found| found == format!("{path}/").as_bytes());
        assert!(!told, "{path}");
    }
}

#[test]
fn the_shared_library_needs_the_c_library_alone_and_is_never_unloaded() {
    let Some(dynamic) = readelf(&["-d"]) else {
        return;
    };
    let allowed = [
        "libc.so.",
        "libgcc_s.so.",
        "ld-linux",
        "libm.so.",
        "libpthread.so.",
    ];
    let needed: Vec<&str> = dynamic
        .lines()
        .filter(|line| line.contains("(NEEDED)"))
        .filter_map(|line| line.split(['[', ']']).nth(1))
        .collect();
    println!("libocireg.so needs {needed:?}");
    assert!(!needed.is_empty());
    for name in needed {
        assert!(
            allowed.iter().any(|start| name.starts_with(start)),
            "{name}"
        );
    }
    let flags = dynamic.lines().find(|line| line.contains("(FLAGS_1)"));
    assert!(
        flags.is_some_and(|line| line.contains("NODELETE")),
        "{dynamic}"
    );
}

#[test]
fn the_oldest_c_library_that_will_do_is_told() {
    let Some(versions) = readelf(&["-VW"]) else {
        return;
    };
    let number = |text: &str| -> Option<Vec<u32>> {
        text.split('.').map(|part| part.parse().ok()).collect()
    };
    let newest = versions
        .split_whitespace()
        .filter_map(|word| number(word.strip_prefix("GLIBC_")?))
        .max();
    // The version depends on the machine that built the library, so the test only prints it.
    println!("libocireg.so needs glibc {newest:?}");
    assert!(newest.is_some_and(|parts| parts[0] == 2), "{versions}");
}

#[test]
fn the_library_has_few_dependencies() {
    let tree = output(
        cargo()
            .args([
                "tree",
                "--locked",
                "--package",
                "ocireg",
                "--features",
                "capi",
            ])
            .args(["--edges", "normal", "--prefix", "none", "--format", "{p}"]),
    );
    let crates: BTreeSet<&str> = tree
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .filter(|line| !line.is_empty())
        .collect();
    println!("{} crates", crates.len());
    assert!(
        crates.iter().any(|name| name.starts_with("ureq ")),
        "{crates:?}"
    );
    assert!(crates.len() <= MOST_CRATES, "{crates:?}");
}

/// The directory of these builds. cargo gives its libraries the same name whatever the sources and
/// features are. In the directory of [`Library::for_tests`](crate::library::Library::for_tests)
/// they would replace its library while programs are linked with it.
fn own_target() -> PathBuf {
    target_directory().join("packages")
}

/// A copy of the sources as they would be published, after cargo has built the package. It has no
/// git and is a workspace of its own.
#[track_caller]
fn published(name: &str) -> PathBuf {
    static PACKAGE: OnceLock<PathBuf> = OnceLock::new();
    let package = PACKAGE.get_or_init(|| {
        // `--allow-dirty` is for work in progress. A build script that changes the sources still
        // fails here.
        let mut package = cargo();
        package
            .args([
                "package",
                "--package",
                "ocireg",
                "--locked",
                "--allow-dirty",
            ])
            .args(["--quiet", "--features", "capi", "--target-dir"])
            .arg(own_target());
        let ran = run_within(&mut package, LONGEST_BUILD);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        own_target().join(format!("package/ocireg-{VERSION}.crate"))
    });
    let directory = empty(name);
    // `--touch`: all files in the package have the same old date, so cargo would believe that it
    // has built them before.
    output(
        Command::new("tar")
            .args(["--strip-components=1", "--touch", "-xzf"])
            .arg(package)
            .arg("-C")
            .arg(&directory),
    );
    // The target directory may be in our own workspace, to which the copy does not belong.
    let manifest = directory.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).expect("a manifest");
    fs::write(&manifest, text + "\n[workspace]\n").expect("a copy that can be written");
    directory
}

/// A cargo command in a copy of the sources.
#[track_caller]
fn build(sources: &Path, prefix: &[String], arguments: &[&str], variable: (&str, &str)) -> Ran {
    let cargo = cargo();
    let mut words = prefix.to_vec();
    words.push(cargo.get_program().to_string_lossy().into_owned());
    let mut command = Command::new(&words[0]);
    command
        .args(&words[1..])
        .args(arguments)
        .args(["--features", "capi", "--target-dir"])
        .arg(own_target())
        .current_dir(sources)
        .env(variable.0, variable.1);
    run_within(&mut command, LONGEST_BUILD)
}

#[test]
fn the_published_crate_has_what_the_c_interface_needs() {
    let sources = published("published");
    let found = files(&sources);
    for name in [
        "Cargo.lock",
        "build.rs",
        "cbindgen.toml",
        "include/ocireg.h",
        "src/ffi/mod.rs",
        "src/ffi/header.h",
        "LICENSE-MIT",
        "LICENSE-APACHE",
    ] {
        assert!(found.contains_key(Path::new(name)), "{name}: {found:?}");
    }
    for name in found.keys() {
        assert!(
            !name.starts_with("tests") && !name.starts_with("fake-registry"),
            "{name:?}"
        );
    }
    let same = |name: &str| {
        let ours = fs::read(root().join(name)).expect("a file of ours");
        assert!(
            fs::read(sources.join(name)).expect("a file") == ours,
            "{name}"
        );
    };
    same("include/ocireg.h");
    same("src/ffi/header.h");
}

#[test]
fn a_stale_header_fails_the_check_and_says_what_to_do() {
    let sources = published("published-stale");
    let header = sources.join("include/ocireg.h");
    let current = fs::read_to_string(&header).expect("the header");
    let stale = current.replace("ocireg_version(void)", "ocireg_version(int old)");
    assert_ne!(stale, current);
    fs::write(&header, &stale).expect("a copy that can be written");
    let arguments = ["check", "--locked", "--offline", "--lib"];
    let ran = build(&sources, &[], &arguments, ("OCIREG_HEADER", "check"));
    assert_ne!(ran.code, Some(0), "{ran:?}");
    for words in [
        "include/ocireg.h is stale",
        "build with `--features capi` and commit it",
        "- const char *ocireg_version(int old);",
        "+ const char *ocireg_version(void);",
    ] {
        assert!(ran.err.contains(words), "{words}\n{}", ran.err);
    }
    assert_eq!(fs::read_to_string(&header).expect("the header"), stale);
    // The advice of the message works. The lock file is missing, since not every packager includes
    // it.
    fs::remove_file(sources.join("Cargo.lock")).expect("a lock file");
    let arguments = ["check", "--offline", "--lib"];
    let ran = build(&sources, &[], &arguments, ("OCIREG_HEADER", ""));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(fs::read_to_string(&header).expect("the header") == current);
}

/// A command that runs a program without the right to write where the file mode forbids it. Root
/// has that right unless it gives it up. `None` means that the test is skipped.
#[track_caller]
fn bound_by_modes(directory: &Path) -> Option<Vec<String>> {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let forbidden = |prefix: &[String]| {
        let file = directory.join("written");
        let mut touch = Command::new(&prefix[0]);
        let done = touch.args(&prefix[1..]).arg("touch").arg(&file).output();
        // The next build must fail because of the mode of the directory, and must not find a file
        // that it may write to.
        let _ = fs::remove_file(&file);
        done.is_ok_and(|done| !done.status.success())
    };
    let as_user = words("env");
    let without_the_right = words("setpriv --bounding-set=-dac_override --inh-caps=-dac_override");
    let found = [as_user, without_the_right]
        .into_iter()
        .find(|prefix| forbidden(prefix) && runs(prefix));
    if found.is_none() {
        skip("nothing here keeps root from writing to a directory without the right to");
    }
    found
}

fn runs(prefix: &[String]) -> bool {
    let done = Command::new(&prefix[0])
        .args(&prefix[1..])
        .arg("true")
        .output();
    done.is_ok_and(|done| done.status.success())
}

fn set_mode(directory: &Path, mode: &str) {
    output(Command::new("chmod").args(["-R", mode]).arg(directory));
}

#[test]
fn sources_that_cannot_be_written_to_build() {
    let sources = published("published-read-only");
    let header = sources.join("include/ocireg.h");
    let current = fs::read_to_string(&header).expect("the header");
    let stale = format!("{current}\n");
    let check = ["check", "--locked", "--offline", "--lib"];
    let doc = ["doc", "--locked", "--offline", "--lib", "--no-deps"];
    // docs.rs sets the variable.
    let cases = [
        (&check[..], "DOCS_RS_NOT", &current, false),
        (&check, "DOCS_RS_NOT", &stale, true),
        (&doc, "DOCS_RS", &stale, false),
    ];
    for (arguments, variable, text, warns) in cases {
        fs::write(&header, text).expect("a copy that can be written");
        set_mode(&sources, "a-w");
        let ran = bound_by_modes(&sources)
            .map(|prefix| build(&sources, &prefix, arguments, (variable, "1")));
        set_mode(&sources, "u+w");
        let Some(ran) = ran else {
            return;
        };
        let what = format!("{arguments:?}, {variable}: {ran:?}");
        assert_eq!(ran.code, Some(0), "{what}");
        let warning = "the stale include/ocireg.h can't be written";
        assert_eq!(ran.err.contains(warning), warns, "{what}");
        assert!(
            fs::read_to_string(&header).expect("the header") == *text,
            "{what}"
        );
    }
}
