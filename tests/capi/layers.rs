//! The files of `src/ffi` use each other in one direction only: no file uses one that uses it,
//! directly or through others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use proc_macro2::{TokenStream, TokenTree};

use crate::library::root;

/// Each file of `src/ffi`, by its name without `.rs`, with the names that it takes from `super`.
/// `mod.rs` only lists the files.
fn uses() -> BTreeMap<String, BTreeSet<String>> {
    let folder = root().join("src/ffi");
    let mut uses = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("src/ffi") {
        let path = entry.expect("a file").path();
        let name = path.file_stem().and_then(|name| name.to_str());
        let name = name.expect("a name in UTF-8").to_owned();
        if path.extension().is_some_and(|kind| kind == "rs") && name != "mod" {
            let source = fs::read_to_string(&path).expect("a source");
            uses.insert(name, taken_from_super(&source));
        }
    }
    uses
}

/// The names after `super::`, those in braces too.
fn taken_from_super(source: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    collect(source.parse().expect("a source that compiles"), &mut names);
    names
}

fn collect(tokens: TokenStream, names: &mut BTreeSet<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            collect(group.stream(), names);
        }
        // `super`, two colons, and a name or braces.
        if token.to_string() != "super" {
            continue;
        }
        match tokens.get(at + 3) {
            Some(TokenTree::Ident(name)) => {
                names.insert(name.to_string());
            }
            Some(TokenTree::Group(group)) => {
                let tree = group.stream().to_string();
                for path in tree.split(',') {
                    let name = path.trim().split([':', ' ']).next().unwrap_or_default();
                    names.insert(name.to_owned());
                }
            }
            _ => {}
        }
    }
}

/// The files that use each other in a circle, and those that use them: what is left after all files
/// that use no other file have been taken away, again and again.
fn circle(mut uses: BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, BTreeSet<String>> {
    loop {
        let before = uses.len();
        let left: BTreeSet<String> = uses.keys().cloned().collect();
        for names in uses.values_mut() {
            names.retain(|name| left.contains(name));
        }
        uses.retain(|_, names| !names.is_empty());
        if uses.len() == before {
            return uses;
        }
    }
}

#[test]
fn no_file_uses_one_that_uses_it() {
    let uses = uses();
    let known: usize = uses.values().map(BTreeSet::len).sum();
    assert!(uses.len() > 20 && known > 60, "{uses:?}");
    let circle = circle(uses);
    assert!(circle.is_empty(), "{circle:?}");
}

#[test]
fn a_circle_would_be_found() {
    let file = |name: &str, source: &str| (name.to_owned(), taken_from_super(source));
    let uses = BTreeMap::from([
        file("low", "use std::ptr;"),
        file("one", "use super::two::{A, B};\nuse super::low::C;"),
        file("two", "fn f() { super::three::g() }"),
        file("three", "use super::{low, one::D};"),
    ]);
    let circle = circle(uses);
    let names: Vec<&str> = circle.keys().map(String::as_str).collect();
    assert_eq!(names, ["one", "three", "two"]);
}
