//! No circles of files in `src/client` and `src/ffi`: a reader can start at a file that uses no
//! other one, and go up from there.
//!
//! A file uses another one if it names a path in it: `super::other`, `crate::client::other`, or a
//! name that the folder's `mod.rs` re-exports from it. A folder inside counts as one file. `mod.rs`
//! itself is left out: it puts the folder together, so it names every file, and what it defines
//! (such as `Client`) is named by many. A call of a method names no path, so it is not seen.

use std::collections::{BTreeMap, BTreeSet};

use crate::sources::{Module, library, rust_paths};

/// Which file uses which others, and in which words: the line and the path.
type Uses = BTreeMap<String, BTreeMap<String, String>>;

/// What a folder's `mod.rs` and the crate's root re-export: a name to the file that defines it.
struct Folder<'a> {
    name: &'a str,
    files: BTreeSet<&'a str>,
    reexports: BTreeMap<String, String>,
    /// Names that `lib.rs` re-exports from this folder.
    public: BTreeSet<String>,
}

impl<'a> Folder<'a> {
    fn new(name: &'a str, modules: &'a [Module]) -> Folder<'a> {
        let file = |module: &'a Module| {
            let rest = module.name.strip_prefix(name)?.strip_prefix('/')?;
            rest.split('/').next()
        };
        let mut folder = Folder {
            name,
            files: modules.iter().filter_map(file).collect(),
            reexports: BTreeMap::new(),
            public: BTreeSet::new(),
        };
        for module in modules {
            let paths = rust_paths(&module.text).into_iter().map(|(_, path)| path);
            if module.name == name {
                folder.reexports.extend(paths.filter_map(reexport));
            } else if module.name == "lib" {
                folder.public.extend(paths.filter_map(|path| {
                    let path = path.strip_prefix("crate::").unwrap_or(&path);
                    let rest = path.strip_prefix(name)?.strip_prefix("::")?;
                    rest.rsplit("::").next().map(str::to_owned)
                }));
            }
        }
        folder
    }

    /// The files that a path in `file` leads to.
    fn targets(&self, file: &Module, path: &str) -> Vec<String> {
        let Some(rest) = self.inside(file, path) else {
            return Vec::new();
        };
        let first = rest.split("::").next().unwrap_or_default();
        if self.files.contains(first) {
            return vec![first.to_owned()];
        }
        match first {
            "*" => self.reexports.values().cloned().collect(),
            first => self.reexports.get(first).cloned().into_iter().collect(),
        }
    }

    /// What a path says behind the folder; `None` if it leads elsewhere.
    fn inside<'p>(&self, file: &Module, path: &'p str) -> Option<&'p str> {
        let in_crate = path.strip_prefix("crate::");
        if let Some(rest) = in_crate.and_then(|rest| rest.strip_prefix(self.name)) {
            return rest.strip_prefix("::");
        }
        let first = in_crate.and_then(|rest| rest.split("::").next());
        if let Some(name) = first.filter(|name| self.public.contains(*name)) {
            return Some(name);
        }
        // Each `super` leads one step up, and the files of a folder inside have more steps to go.
        let depth = file.name.matches('/').count() - self.name.matches('/').count();
        let up = path.split("::").take_while(|part| *part == "super").count();
        path.get("super::".len() * depth..).filter(|_| up == depth)
    }
}

/// The name and the file of `self::file::Name` or `file::Name` in a `mod.rs`.
fn reexport(path: String) -> Option<(String, String)> {
    let path = path.strip_prefix("self::").unwrap_or(&path);
    let (file, name) = path.split_once("::")?;
    let name = name.rsplit("::").next()?;
    Some((name.to_owned(), file.to_owned()))
}

fn uses(folder_name: &str, modules: &[Module]) -> Uses {
    let folder = Folder::new(folder_name, modules);
    let mut uses = Uses::new();
    for module in modules {
        let Some(rest) = module.name.strip_prefix(&format!("{folder_name}/")) else {
            continue;
        };
        let own = rest.split('/').next().unwrap_or_default();
        for (line, path) in rust_paths(&module.text) {
            for target in folder.targets(module, &path) {
                if target != own && folder.files.contains(target.as_str()) {
                    let others = uses.entry(own.to_owned()).or_default();
                    let words = || format!("src/{}.rs:{line} names {path}", module.name);
                    others.entry(target).or_insert_with(words);
                }
            }
        }
    }
    uses
}

/// The circles: of each the files, and the shortest way around through the first of them.
fn circles(folder: &str, modules: &[Module]) -> Vec<String> {
    let uses = uses(folder, modules);
    let mut seen = BTreeSet::new();
    let mut circles = Vec::new();
    for file in uses.keys() {
        if seen.contains(file) {
            continue;
        }
        // Two files are in one circle if each is reached from the other.
        let reached = reach(&uses, file);
        let members: Vec<&String> = reached
            .iter()
            .filter(|other| reach(&uses, other).contains(file))
            .collect();
        if !members.is_empty() {
            seen.extend(members.iter().map(|member| (*member).clone()));
            let names: Vec<&str> = members.iter().map(|member| member.as_str()).collect();
            circles.push(format!(
                "src/{folder}: {} files use each other: {}\n{}",
                names.len(),
                names.join(", "),
                way_around(&uses, file)
            ));
        }
    }
    circles
}

/// All files that `start` uses, and those that they use.
fn reach(uses: &Uses, start: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![start.to_owned()];
    while let Some(file) = waiting.pop() {
        for next in uses.get(&file).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(next.clone()) {
                waiting.push(next.clone());
            }
        }
    }
    reached
}

/// The shortest way from a file back to itself, with the words that make each step.
fn way_around(uses: &Uses, start: &str) -> String {
    let mut ways: Vec<Vec<String>> = vec![vec![start.to_owned()]];
    let mut seen = BTreeSet::new();
    let mut next = 0;
    while let Some(way) = ways.get(next).cloned() {
        next += 1;
        let file = way.last().map_or(start, String::as_str);
        for target in uses.get(file).into_iter().flat_map(BTreeMap::keys) {
            let longer = [way.as_slice(), std::slice::from_ref(target)].concat();
            if target == start {
                let steps = longer.windows(2).map(|step| &uses[&step[0]][&step[1]]);
                let steps: Vec<String> = steps.map(|words| format!("  {words}")).collect();
                return format!("  {}\n{}", longer.join(" -> "), steps.join("\n"));
            } else if seen.insert(target.clone()) {
                ways.push(longer);
            }
        }
    }
    String::new()
}

#[track_caller]
fn expect_none(folder: &str) {
    let found = circles(folder, &library());
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn the_files_of_the_client_use_each_other_in_one_direction() {
    expect_none("client");
}

#[test]
fn the_files_of_the_c_interface_use_each_other_in_one_direction() {
    expect_none("ffi");
}

/// A library of these modules.
fn fixture(modules: &[(&str, &str)]) -> Vec<Module> {
    let module = |(name, text): &(&str, &str)| Module {
        name: (*name).to_owned(),
        text: (*text).to_owned(),
    };
    modules.iter().map(module).collect()
}

#[test]
fn a_circle_is_found_whichever_way_its_files_are_named() {
    // How `a` names `b`, and how `b` names `a`.
    let ways = [
        ("use super::b::X;", "use super::a::Y;"),
        ("use super::{a, b::X};", "fn f() { super::a::y() }"),
        ("use crate::client::b;", "use crate::client::{a::Y};"),
        ("use super::X;", "use crate::client::Y;"),
        ("use super::*;", "use crate::Y;"),
        ("use crate::X;", "use super::a::*;"),
    ];
    for (a, b) in ways {
        let modules = fixture(&[
            ("lib", "mod client; pub use client::{X, Y};"),
            (
                "client",
                "mod a; mod b; pub use self::a::Y; pub(crate) use b::X;",
            ),
            ("client/a", a),
            ("client/b", b),
        ]);
        let found = circles("client", &modules);
        assert_eq!(found.len(), 1, "{a} {b}: {found:?}");
        assert!(
            found[0].contains("2 files use each other: a, b"),
            "{found:?}"
        );
        assert!(found[0].contains("a -> b -> a"), "{found:?}");
    }
}

#[test]
fn a_circle_is_reported_whole_and_once() {
    let modules = fixture(&[
        ("client", "mod a; mod b; mod c; mod d; mod e;"),
        ("client/a", "use super::b::B;"),
        ("client/b", "fn f() {}\nuse super::c::C;"),
        ("client/c/inner", "use super::super::d::D;"),
        ("client/d", "use super::a::A; use super::b::B;"),
        ("client/e", "use super::a::A;"),
    ]);
    let found = circles("client", &modules);
    assert_eq!(
        found,
        ["src/client: 4 files use each other: a, b, c, d\n  \
          a -> b -> c -> d -> a\n  \
          src/client/a.rs:1 names super::b::B\n  \
          src/client/b.rs:2 names super::c::C\n  \
          src/client/c/inner.rs:1 names super::super::d::D\n  \
          src/client/d.rs:1 names super::a::A"]
    );
}

#[test]
fn what_is_no_circle_is_not_reported() {
    let modules = fixture(&[
        ("lib", "mod client; pub use client::Client;"),
        (
            "client",
            "mod a; mod b; use self::b::X; pub struct Client(X);",
        ),
        (
            "client/a",
            "use super::b::X; use super::Client; use crate::Client;",
        ),
        (
            "client/b",
            "use super::Client; use self::inner::a; mod inner {} \
             #[cfg(test)] mod tests { use super::super::a::Y; }",
        ),
        ("other", "use crate::client::a;"),
    ]);
    assert_eq!(circles("client", &modules), Vec::<String>::new());
}
