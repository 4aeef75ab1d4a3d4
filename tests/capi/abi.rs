//! A change that would break programs that are already built does not stay unnoticed. `abi/`
//! describes the promised interface.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use test_support::require;

use crate::cc::{Ran, run};
use crate::installed::Installed;
use crate::library::{output, root};

fn header() -> String {
    fs::read_to_string(root().join("include/ocireg.h")).expect("the header")
}

/// OCIREG_ABI_VERSION of the header.
pub(crate) fn abi_version() -> u32 {
    let header = header();
    let line = header
        .lines()
        .find_map(|line| line.strip_prefix("#define OCIREG_ABI_VERSION "));
    line.and_then(|number| number.parse().ok())
        .expect("a number in the header")
}

/// The names in abi/symbols.txt.
fn promised() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("abi/symbols.txt")).expect("abi/symbols.txt");
    let names = text.lines().filter(|line| !line.starts_with('#'));
    names.map(str::to_owned).collect()
}

/// Runs `scripts/abi.sh`. `None` means that the test is skipped.
#[track_caller]
fn script(arguments: &[&str]) -> Option<Ran> {
    for program in ["g++", "nm", "abidw", "abidiff"] {
        require(program)?;
    }
    Some(run(
        Command::new(root().join("scripts/abi.sh")).args(arguments)
    ))
}

/// Compares a header with `abi/`. `None` means that the test is skipped.
#[track_caller]
fn compare(header: &str) -> Option<Ran> {
    let directory = TempDir::new().expect("a temporary directory");
    let file = directory.path().join("ocireg.h");
    fs::write(&file, header).expect("a file");
    script(&["compare", file.to_str().expect("a path in UTF-8")])
}

#[test]
fn the_installed_library_exports_the_promised_functions_and_nothing_else() {
    let Some(installed) = Installed::by_make() else {
        return;
    };
    let symbols = output(
        Command::new("nm")
            .args(["-D", "--defined-only"])
            .arg(installed.shared()),
    );
    let exported: BTreeSet<String> = symbols
        .lines()
        .filter_map(|line| line.rsplit(' ').next())
        .map(str::to_owned)
        .collect();
    assert!(exported.len() > 50, "{exported:?}");
    for name in &exported {
        assert!(name.starts_with("ocireg_"), "{name} is not ours to export");
        assert!(!name.contains("_panic"), "{name} is for tests only");
    }
    assert_eq!(
        exported,
        promised(),
        "an addition? Then `make abi`. Else see CONTRIBUTING.md"
    );
}

#[test]
fn the_header_keeps_what_is_promised() {
    let Some(ran) = compare(&header()) else {
        return;
    };
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
}

#[test]
fn abi_describes_all_of_the_header() {
    let Some(ran) = script(&["current"]) else {
        return;
    };
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    // `abi/` lacks an enum that no function uses, and changes of that enum would not be seen.
    let abi = fs::read_to_string(root().join("abi/ocireg.abi")).expect("abi/ocireg.abi");
    let header = header();
    let values = header
        .lines()
        .filter_map(|line| line.strip_prefix("  OCIREG_")?.split_once(" = "));
    let values: Vec<_> = values
        .map(|(name, value)| (name, value.trim_end_matches(',')))
        .collect();
    assert!(values.len() > 30, "{values:?}");
    for (name, value) in values {
        let line = format!("<enumerator name='OCIREG_{name}' value='{value}'/>");
        assert!(abi.contains(&line), "{line}");
    }
    // The description does not depend on the machine that wrote it.
    for word in ["/tmp", "/usr", "/home", "filepath"] {
        assert!(!abi.contains(word), "{word}");
    }
}

/// A change of the header: its name, the old text and the new text.
type Change = (&'static str, &'static str, &'static str);

const BREAKING: [Change; 9] = [
    (
        "a function is gone",
        "const char *ocireg_version(void);",
        "",
    ),
    (
        "a value is another",
        "OCIREG_PRESENCE_DENIED = 3",
        "OCIREG_PRESENCE_DENIED = 4",
    ),
    (
        "a value is gone",
        "  OCIREG_DIGEST_SOURCE_REQUESTED = 3,\n",
        "",
    ),
    (
        "a value has another name",
        "  OCIREG_E_TIMEOUT = 13",
        "  OCIREG_E_TOO_LATE = 13",
    ),
    (
        "a parameter is narrower",
        "ocireg_status_name(int32_t status)",
        "ocireg_status_name(int16_t status)",
    ),
    (
        "a parameter more",
        "ocireg_status_name(int32_t status)",
        "ocireg_status_name(int32_t status, int32_t more)",
    ),
    (
        "a parameter less",
        "(const ocireg_strings *strings, size_t index)",
        "(const ocireg_strings *strings)",
    ),
    (
        "a result is narrower",
        "uint64_t ocireg_error_retry_after_ms",
        "uint32_t ocireg_error_retry_after_ms",
    ),
    (
        "a callback's parameter is narrower",
        "uint64_t done, uint64_t total",
        "uint64_t done, uint32_t total",
    ),
];

const HARMLESS: [Change; 3] = [
    (
        "a function more",
        "\nuint32_t ocireg_abi_version(void);",
        "\nuint32_t ocireg_abi_version(void);\n\nint32_t ocireg_more(int32_t one);",
    ),
    (
        "a value more",
        "  OCIREG_PRESENCE_DENIED = 3,\n",
        "  OCIREG_PRESENCE_DENIED = 3,\n  OCIREG_PRESENCE_MORE = 4,\n",
    ),
    (
        "other words",
        "Returns the version of the running library",
        "Says which library is running",
    ),
];

#[test]
fn what_would_break_a_program_is_noticed() {
    let now = header();
    for (what, from, to) in BREAKING {
        let changed = now.replacen(from, to, 1);
        assert_ne!(changed, now, "{what}: {from} is not in the header");
        let Some(ran) = compare(&changed) else {
            return;
        };
        assert_eq!(ran.code, Some(1), "{what}: {ran:?}");
        assert!(ran.err.contains("OCIREG_ABI_VERSION"), "{what}: {ran:?}");
        // The comparison has found it. A header that does not compile would fail too.
        assert!(
            ran.out.contains("Functions changes summary"),
            "{what}: {ran:?}"
        );
    }
}

#[test]
fn additions_are_allowed() {
    let now = header();
    for (what, from, to) in HARMLESS {
        let changed = now.replacen(from, to, 1);
        assert_ne!(changed, now, "{what}: {from} is not in the header");
        let Some(ran) = compare(&changed) else {
            return;
        };
        assert_eq!(ran.code, Some(0), "{what}: {ran:?}");
    }
}

#[test]
fn the_promise_is_rewritten_only_with_another_abi_version() {
    if script(&["current"]).is_none() {
        return;
    }
    let directory = TempDir::new().expect("a temporary directory");
    let copy = |name: &str, text: &str| {
        let file = directory.path().join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, text).expect("a file");
    };
    let read = |from: &Path| fs::read_to_string(root().join(from)).expect("a file of ours");
    for name in ["abi/ocireg.abi", "abi/symbols.txt", "scripts/abi.sh"] {
        copy(name, &read(Path::new(name)));
    }
    let gone = header().replacen("const char *ocireg_version(void);", "", 1);
    let write = || {
        let tool = test_support::tool("abidw").expect("it was there");
        let folder = tool.parent().and_then(Path::parent).expect("a folder");
        let mut bash = Command::new("bash");
        bash.env("TOOLS_DIR", folder);
        run(bash
            .arg(directory.path().join("scripts/abi.sh"))
            .arg("write"))
    };
    let symbols = || fs::read_to_string(directory.path().join("abi/symbols.txt")).expect("a file");
    copy("include/ocireg.h", &gone);
    let ran = write();
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(symbols().contains("\nocireg_version\n"));
    let line = |number| format!("OCIREG_ABI_VERSION {number}\n");
    let risen = gone.replace(&line(abi_version()), &line(abi_version() + 1));
    assert_ne!(risen, gone);
    copy("include/ocireg.h", &risen);
    let ran = write();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(!symbols().contains("\nocireg_version\n"));
    assert!(symbols().contains(&line(abi_version() + 1)));
}
