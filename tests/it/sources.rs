//! This repository's own files, for the tests that check them.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Folders that hold what programs made: git's, cargo's, and the fuzzer's.
const GENERATED: [&str; 4] = [".git", "target", "corpus", "artifacts"];

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A text file of the repository.
pub(crate) struct Source {
    /// Relative to the root, with `/` between its parts.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// All text files in `folder` of the repository, in order of their paths. Files that are not UTF-8
/// are left out.
pub(crate) fn below(folder: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    collect_paths(&root().join(folder), &mut paths);
    paths.sort();
    let read = |path: PathBuf| {
        let text = String::from_utf8(fs::read(&path).expect("a readable file")).ok()?;
        let path = path.strip_prefix(root()).expect("a path below the root");
        let path = path.to_str().expect("a path in UTF-8").to_owned();
        Some(Source { path, text })
    };
    let sources: Vec<Source> = paths.into_iter().filter_map(read).collect();
    assert!(!sources.is_empty(), "no files in {folder:?}");
    sources
}

fn collect_paths(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        let name = path.file_name().and_then(|name| name.to_str());
        let generated = name.is_some_and(|name| GENERATED.contains(&name));
        if path.is_dir() && !generated {
            collect_paths(&path, paths);
        } else if path.is_file() {
            paths.push(path);
        }
    }
}

/// A Rust file below `src` that is part of the library.
pub(crate) struct Module {
    /// Its path below `src` without `.rs`; a `mod.rs` has the name of its folder.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// The library's modules. Files named `*_tests.rs` hold tests and are left out.
pub(crate) fn library() -> Vec<Module> {
    let module = |source: Source| {
        let name = source.path.strip_prefix("src/")?.strip_suffix(".rs")?;
        let name = name.strip_suffix("/mod").unwrap_or(name).to_owned();
        let text = source.text;
        (!name.ends_with("_tests")).then_some(Module { name, text })
    };
    below("src").into_iter().filter_map(module).collect()
}

/// Every path that a Rust source names, with its line. `use` trees are unfolded, `::*` is kept, and
/// items under `#[cfg(test)]` are left out.
pub(crate) fn rust_paths(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    collect_rust_paths(tokens(source), "", &mut found);
    found
}

/// The tokens of a Rust source.
pub(crate) fn tokens(source: &str) -> TokenStream {
    source.parse().expect("a source that compiles")
}

fn collect_rust_paths(tokens: TokenStream, prefix: &str, found: &mut Vec<(usize, String)>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        if is_test_attribute(&tokens[at..]) {
            at = after_item(&tokens, at + 2);
            continue;
        }
        match &tokens[at] {
            TokenTree::Group(group) => {
                // Only the braces of a `use` tree continue a path.
                collect_rust_paths(group.stream(), "", found);
                at += 1;
            }
            TokenTree::Ident(ident) => {
                let line = ident.span().start().line;
                at = collect_one_path(&tokens, at, line, prefix, found);
            }
            _ => at += 1,
        }
    }
}

/// Reads the path that starts at `at` and returns the position after it.
fn collect_one_path(
    tokens: &[TokenTree],
    mut at: usize,
    line: usize,
    prefix: &str,
    found: &mut Vec<(usize, String)>,
) -> usize {
    let mut path = format!("{prefix}{}", tokens[at]);
    at += 1;
    while is_separator(&tokens[at..]) {
        match tokens.get(at + 2) {
            Some(TokenTree::Ident(next)) => path = format!("{path}::{next}"),
            Some(TokenTree::Punct(star)) if star.as_char() == '*' => path += "::*",
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                collect_rust_paths(group.stream(), &format!("{path}::"), found);
            }
            _ => break,
        }
        at += 3;
    }
    found.push((line, path));
    at
}

fn is_separator(tokens: &[TokenTree]) -> bool {
    let is_colon = |token: &TokenTree| matches!(token, TokenTree::Punct(p) if p.as_char() == ':');
    matches!(tokens, [first, second, ..] if is_colon(first) && is_colon(second))
}

fn is_test_attribute(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [TokenTree::Punct(hash), TokenTree::Group(group), ..]
        if hash.as_char() == '#' && group.stream().to_string().replace(' ', "") == "cfg(test)")
}

/// The position after the item that starts at `at`: after its block, or after its semicolon.
fn after_item(tokens: &[TokenTree], at: usize) -> usize {
    let ends = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    };
    tokens[at..]
        .iter()
        .position(ends)
        .map_or(tokens.len(), |end| at + end + 1)
}
