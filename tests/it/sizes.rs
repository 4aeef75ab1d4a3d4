//! Files of at most 600 lines, functions of at most 60, lines of at most 100 columns.

use std::fs;
use std::path::Path;
use std::process::Command;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::sources::{Source, below, root, tokens};

const MAX_FILE: usize = 600;
const MAX_FUNCTION: usize = 60;

/// The files that people write and read as programs. What other programs write is left out.
fn is_program(source: &Source) -> bool {
    let extensions = [".rs", ".c", ".h", ".py", ".sh"];
    let generated = source.path == "include/ocireg.h";
    !generated && extensions.iter().any(|end| source.path.ends_with(end))
}

fn long_files(sources: &[Source]) -> Vec<String> {
    let programs = sources.iter().filter(|source| is_program(source));
    let lines = programs.map(|source| (source, source.text.lines().count()));
    lines
        .filter(|(_, lines)| *lines > MAX_FILE)
        .map(|(source, lines)| format!("{}: {lines} lines", source.path))
        .collect()
}

fn long_functions(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources.iter().filter(|it| it.path.ends_with(".rs")) {
        for function in functions(tokens(&source.text)) {
            if function.lines > MAX_FUNCTION {
                let Function { name, line, lines } = function;
                found.push(format!("{}:{line}: {name}: {lines} lines", source.path));
            }
        }
    }
    found
}

struct Function {
    name: String,
    /// Where its `fn` stands.
    line: usize,
    /// From there to its closing brace.
    lines: usize,
}

/// All functions with a body, those inside others and inside macro calls included.
fn functions(stream: TokenStream) -> Vec<Function> {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            found.extend(functions(group.stream()));
        }
        // In the type `fn(u8)` no name follows.
        let [TokenTree::Ident(keyword), TokenTree::Ident(name), rest @ ..] = &tokens[at..] else {
            continue;
        };
        if keyword != "fn" {
            continue;
        }
        let start = keyword.span().start().line;
        found.extend(body_end(rest).map(|end| Function {
            name: name.to_string(),
            line: start,
            lines: end + 1 - start,
        }));
    }
    found
}

/// The line of the closing brace; `None` for a declaration, which ends with a semicolon.
fn body_end(tokens: &[TokenTree]) -> Option<usize> {
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                return Some(group.span_close().end().line);
            }
            TokenTree::Punct(punct) if punct.as_char() == ';' => return None,
            _ => {}
        }
    }
    None
}

#[test]
fn no_file_is_longer_than_600_lines() {
    assert_eq!(long_files(&below("")), Vec::<String>::new());
}

#[test]
fn no_function_is_longer_than_60_lines() {
    assert_eq!(long_functions(&below("")), Vec::<String>::new());
}

/// The script holds the rule, since `make lint` has to check it before anything is built.
#[track_caller]
fn lint_width(file: Option<&Path>) -> (bool, String) {
    let mut script = Command::new(root().join("scripts/lint-width.sh"));
    let output = script.args(file).output().expect("bash can be run");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    (output.status.success(), said)
}

#[test]
fn no_line_is_wider_than_100_columns() {
    let (fine, said) = lint_width(None);
    assert!(fine, "{said}");
}

fn fixture(path: &str, text: String) -> Source {
    let path = path.to_owned();
    Source { path, text }
}

#[test]
fn a_long_file_is_found() {
    let lines = |count: usize| "// a line\n".repeat(count);
    let sources = [
        fixture("src/a.rs", lines(601)),
        fixture("src/b.rs", lines(600)),
        fixture("tests/c/d.c", lines(700)),
        fixture("include/ocireg.h", lines(700)),
        fixture("Cargo.lock", lines(700)),
    ];
    let found = long_files(&sources);
    assert_eq!(found, ["src/a.rs: 601 lines", "tests/c/d.c: 700 lines"]);
}

#[test]
fn a_long_function_is_found_wherever_it_stands() {
    let function = |lines: usize| format!("fn f() {{\n{}}}", "g();\n".repeat(lines - 2));
    assert!(long_functions(&[fixture("a.rs", function(60))]).is_empty());
    let long = function(61);
    let places = [
        long.clone(),
        format!("impl A {{ pub(crate) const unsafe {long} }}"),
        format!("trait T {{ fn g(); {long} }}"),
        format!("fn outer() -> fn(u8) {{ todo!() }}\nmod m {{ {long} }}"),
        format!("proptest! {{ {long} }}"),
        long.replace("f()", "f<T>(_: [u8; 3]) -> Vec<T>\nwhere T: Copy,\n"),
        long.replace("{\n", "{ struct A { a: u8 }\n"),
    ];
    for place in places {
        let found = long_functions(&[fixture("a.rs", place.clone())]);
        assert_eq!(found.len(), 1, "{place}: {found:?}");
        assert!(found[0].contains(": f: 6"), "{found:?}");
    }
}

#[test]
fn a_wide_line_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let wide = "x".repeat(101);
    let cases = [
        ("a.rs", "x".repeat(100), true),
        ("a.rs", wide.clone(), false),
        // Columns, not bytes.
        ("a.rs", "ü".repeat(100), true),
        ("a.rs", "ü".repeat(101), false),
        ("a.md", format!("| {wide} |"), true),
        ("a.rs", format!("| {wide} |"), false),
        ("a.md", format!("text | {wide} |"), false),
        ("a.rs", format!("    // https://example.com/{wide}"), true),
        ("a.rs", format!("// see https://example.com/{wide}"), false),
        ("a.md", format!("<https://example.com/{wide}>"), true),
        ("Cargo.lock", wide.clone(), true),
    ];
    for (name, line, expected) in cases {
        let path = folder.path().join(name);
        fs::write(&path, format!("first\n{line}\nlast\n")).unwrap();
        let (fine, said) = lint_width(Some(&path));
        assert_eq!(fine, expected, "{name}: {line}: {said}");
        assert!(fine || said.contains(&format!("{name}:2:")), "{said}");
    }
    let (fine, said) = lint_width(Some(&folder.path().join("missing")));
    assert!(!fine && said.contains("missing"), "{said}");
}
