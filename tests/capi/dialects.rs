//! The header compiles in every C and C++ dialect that it names. So does the code in the
//! documentation.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use test_support::require;

use crate::declarations::header;
use crate::library::{output, root};

const WARNINGS: [&str; 7] = [
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wundef",
    "-Wconversion",
    "-Werror",
    "-fsyntax-only",
];

/// Compilers, the language for `-x`, and its dialects.
const COMPILERS: [(&str, &str, &[&str]); 4] = [
    ("gcc", "c", &["c99", "c11", "c17", "c2x"]),
    ("clang", "c", &["c99", "c11", "c17", "c2x"]),
    ("g++", "c++", &["c++11", "c++17", "c++20"]),
    ("clang++", "c++", &["c++11", "c++17", "c++20"]),
];

#[track_caller]
fn compiles(compiler: &str, language: &str, dialect: &str, file: &Path) {
    let mut command = Command::new(compiler);
    command.args(WARNINGS).arg(format!("-std={dialect}"));
    if language == "c" {
        command.arg("-Wstrict-prototypes");
    }
    command.arg("-I").arg(root().join("include"));
    output(command.args(["-x", language]).arg(file));
}

/// A source file. Dropping the directory deletes it.
fn file(text: &str) -> (TempDir, std::path::PathBuf) {
    let directory = TempDir::new().expect("a temporary directory");
    let file = directory.path().join("test.c");
    fs::write(&file, text).expect("a file can be written");
    (directory, file)
}

#[test]
fn the_header_compiles_in_every_dialect_alone_and_twice() {
    let (_directory, file) = file(
        "#include <ocireg.h>\n#include <ocireg.h>\n\
         ocireg_status status(void);\n\
         ocireg_status status(void) { return OCIREG_E_TIMEOUT; }\n\
         ocireg_presence presence(void);\n\
         ocireg_presence presence(void) { return OCIREG_PRESENCE_EXISTS; }\n",
    );
    for (compiler, language, dialects) in COMPILERS {
        if require(compiler).is_none() {
            continue;
        }
        for dialect in dialects {
            compiles(compiler, language, dialect, &file);
        }
    }
}

#[test]
fn a_warning_in_the_header_would_be_seen() {
    let (_directory, file) = file(
        "#include <ocireg.h>\nint f();\nint f() { long big = 1; int small = big; return small; }\n",
    );
    for (compiler, language, dialects) in COMPILERS {
        if require(compiler).is_none() {
            continue;
        }
        let refused = std::panic::catch_unwind(|| compiles(compiler, language, dialects[0], &file));
        assert!(refused.is_err(), "{compiler}");
    }
}

/// The ```` ```c ```` blocks of a text. `before` is the start of each line, such as ` * `.
fn blocks(text: &str, before: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        let line = line
            .strip_prefix(before)
            .unwrap_or(line.trim_start_matches(before.trim_end()));
        match (&mut open, line.trim_end()) {
            (None, "```c") => open = Some(String::new()),
            (Some(_), "```") => blocks.extend(open.take()),
            (Some(block), line) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, _) => {}
        }
    }
    assert!(open.is_none(), "a block without an end");
    blocks
}

/// The program at the top of the header, which is indented in its comment.
fn program_at_the_top() -> String {
    let header = header();
    let lines = header
        .lines()
        .skip_while(|line| !line.contains("#include <ocireg.h>"));
    let program = lines.map_while(|line| {
        line.strip_prefix(" *     ")
            .or((line == " *").then_some(""))
    });
    let text: Vec<&str> = program.collect();
    text.join("\n") + "\n"
}

/// Adds what a reader takes for granted: the headers of C and a client. A whole program stays as it
/// is.
fn whole(block: &str) -> String {
    if block.contains("int main(") {
        return block.to_owned();
    }
    let includes: Vec<&str> = block.lines().filter(|line| line.starts_with('#')).collect();
    let statements: Vec<&str> = block
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    // A block may make its own client.
    let own = block.contains("ocireg_client *client");
    let parameter = if own { "void" } else { "ocireg_client *client" };
    let used = if own { "" } else { "(void)client;" };
    format!(
        "#include <ocireg.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n{}\n\
         int snippet({parameter});\n\
         int snippet({parameter}) {{\n{used}\n{{\n{}\n}}\nreturn 0;\n}}\n",
        includes.join("\n"),
        statements.join("\n")
    )
}

/// Compiles a block as C99.
#[track_caller]
fn snippet_compiles(block: &str) {
    let (_directory, file) = file(&whole(block));
    for compiler in ["gcc", "clang"] {
        if require(compiler).is_some() {
            compiles(compiler, "c", "c99", &file);
        }
    }
}

#[test]
fn what_the_header_shows_compiles() {
    let blocks = blocks(&header(), " * ");
    assert!(blocks.len() >= 7, "{blocks:?}");
    for block in &blocks {
        snippet_compiles(block);
    }
    let program = program_at_the_top();
    assert!(
        program.contains("int main(void) {") && program.trim_end().ends_with('}'),
        "{program}"
    );
    snippet_compiles(&program);
}

#[test]
fn what_the_readme_shows_compiles() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    let blocks = blocks(&readme, "");
    assert_eq!(blocks.len(), readme.matches("```c\n").count());
    for block in &blocks {
        snippet_compiles(block);
    }
}

/// The test fails for a snippet that calls a function that does not exist.
#[test]
fn a_snippet_with_a_mistake_is_refused() {
    for bad in [
        "ocireg_list_free(client);",
        "int unused = 1;",
        "ocireg_client_new(NULL, NULL, NULL);",
    ] {
        let refused = std::panic::catch_unwind(|| snippet_compiles(bad));
        assert!(refused.is_err(), "{bad}");
    }
}
