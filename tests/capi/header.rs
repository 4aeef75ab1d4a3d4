//! The header and the library agree.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::cc::{Linkage, Program};
use crate::library::{Library, output, root, soname};

/// The functions that the header declares.
fn declared() -> BTreeSet<String> {
    let header = fs::read_to_string(root().join("include/ocireg.h")).expect("the header");
    let mut names = BTreeSet::new();
    let mut in_comment = false;
    for line in header.lines() {
        in_comment |= line.trim_start().starts_with("/*");
        let declaration = line.strip_prefix("typedef").is_none() && !in_comment;
        in_comment &= !line.contains("*/");
        let Some((before, _)) = line.split_once('(').filter(|_| declaration) else {
            continue;
        };
        let name = before.rsplit([' ', '*']).next().unwrap_or_default();
        if name.starts_with("ocireg_") {
            names.insert(name.to_owned());
        }
    }
    names
}

/// The functions that the shared library exports.
fn exported() -> BTreeSet<String> {
    let library = Library::for_tests().shared();
    let symbols = output(
        Command::new("nm")
            .args(["-D", "--defined-only"])
            .arg(library),
    );
    symbols
        .lines()
        .filter_map(|line| line.rsplit(' ').next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_header_declares_what_the_library_exports_and_nothing_else() {
    let mut exported = exported();
    // Only the feature `_panic` has this function.
    assert!(exported.remove("ocireg_panic_for_test"));
    assert!(exported.len() > 50, "{exported:?}");
    assert_eq!(exported, declared());
}

#[test]
fn the_version_is_the_same_everywhere() {
    let version = env!("CARGO_PKG_VERSION");
    let parts: Vec<u32> = version
        .split('.')
        .map(|part| part.parse().unwrap())
        .collect();
    let number = parts.iter().fold(0, |number, part| number << 8 | part);
    let expected = format!("{version} {version} {number} {number} 1 1\n");
    for linkage in [Linkage::Shared, Linkage::Static] {
        let program = Program::compile("tests/c/version.c", Library::for_tests(), linkage);
        let ran = program.run::<&str>([]);
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (Some(0), expected.as_str()),
            "{ran:?}"
        );
    }
    // The rule of cargo-c: two parts before 1.0, one part after.
    let rule = if parts[0] == 0 {
        format!("libocireg.so.0.{}", parts[1])
    } else {
        format!("libocireg.so.{}", parts[0])
    };
    assert_eq!(soname(&Library::for_tests().shared()), rule);
}
