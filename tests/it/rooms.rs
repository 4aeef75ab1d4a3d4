//! Who may use what (ARCHITECTURE.md): every path that the sources name is read, and one that its
//! room may not name fails.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A room: the files it consists of, and what they may not name.
struct Room {
    /// Paths below `src`, without `.rs`; a folder stands for all in it.
    files: &'static [&'static str],
    forbidden: &'static [&'static str],
    /// Single files that may name some of it all the same.
    exceptions: &'static [(&'static str, &'static str)],
}

const WIRE: [&str; 3] = ["ureq", "rustls", "rustls_native_certs"];
const MACHINE: [&str; 5] = [
    "std::fs",
    "std::process",
    "std::thread",
    "std::net::TcpStream",
    "std::net::ToSocketAddrs",
];
const CLOCK: [&str; 2] = ["Instant::now", "SystemTime::now"];

const ROOMS: &[Room] = &[
    Room {
        files: &[
            "error",
            "algorithm",
            "digest",
            "reference",
            "url",
            "address",
            "text",
            "presence",
            "resolved",
            "secret",
            "http",
            "manifest",
        ],
        forbidden: &[
            "@wire",
            "@machine",
            "@clock",
            "crate::auth",
            "crate::policy",
            "crate::transport",
            "crate::client",
            "crate::lookup",
        ],
        exceptions: &[],
    },
    // Waits: nothing of networks, or of any other layer.
    Room {
        files: &["interrupt"],
        forbidden: &[
            "@wire",
            "std::fs",
            "std::process",
            "std::net",
            "crate::auth",
            "crate::policy",
            "crate::transport",
            "crate::client",
            "crate::lookup",
        ],
        exceptions: &[],
    },
    Room {
        files: &["auth", "policy"],
        forbidden: &[
            "@wire",
            "@machine",
            "@clock",
            "crate::transport",
            "crate::client",
            "crate::lookup",
        ],
        exceptions: &[],
    },
    Room {
        files: &["transport"],
        forbidden: &[
            "std::fs",
            "std::process",
            "crate::auth",
            "crate::policy",
            "crate::manifest",
            "crate::client",
            "crate::lookup",
        ],
        exceptions: &[("transport/tls/trust", "std::fs")],
    },
    Room {
        files: &["client"],
        forbidden: &["@wire", "@machine", "crate::lookup"],
        // It only asks which thread it is on.
        exceptions: &[
            ("client/caller_thread", "std::thread"),
            // And here which process it is in.
            ("client/life", "std::process"),
        ],
    },
    Room {
        files: &["lookup"],
        forbidden: &[
            "@wire",
            "std::fs",
            "std::process",
            "std::net",
            "crate::transport",
            "crate::auth",
            "crate::policy",
        ],
        exceptions: &[],
    },
    // The public API alone: what C can do, Rust can.
    Room {
        files: &["ffi"],
        forbidden: &[
            "@wire",
            "@machine",
            "@clock",
            "crate::address",
            "crate::algorithm",
            "crate::auth",
            "crate::client",
            "crate::digest",
            "crate::error",
            "crate::http",
            "crate::interrupt",
            "crate::lookup",
            "crate::manifest",
            "crate::policy",
            "crate::presence",
            "crate::reference",
            "crate::resolved",
            "crate::secret",
            "crate::text",
            "crate::transport",
            "crate::url",
        ],
        exceptions: &[],
    },
];

impl Room {
    fn holds(&self, file: &str) -> bool {
        self.files.iter().any(|name| {
            file == *name
                || file
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with('/'))
        })
    }

    fn forbidden(&self) -> Vec<&'static str> {
        let expand = |name: &'static str| match name {
            "@wire" => WIRE.to_vec(),
            "@machine" => MACHINE.to_vec(),
            "@clock" => CLOCK.to_vec(),
            name => vec![name],
        };
        self.forbidden.iter().copied().flat_map(expand).collect()
    }

    fn violations(&self, file: &str, source: &str) -> Vec<String> {
        let excepted = |name: &str| self.exceptions.contains(&(file, name));
        let forbidden: Vec<&str> = self
            .forbidden()
            .into_iter()
            .filter(|name| !excepted(name))
            .collect();
        paths(source)
            .into_iter()
            .filter_map(|(line, path)| {
                let name = forbidden.iter().find(|name| names(&path, name))?;
                Some(format!(
                    "src/{file}.rs:{line} names {path}: {name} is not for this room"
                ))
            })
            .collect()
    }
}

/// Whether `path` names `forbidden` or something in it.
fn names(path: &str, forbidden: &str) -> bool {
    let starts = path == forbidden || path.starts_with(&format!("{forbidden}::"));
    // A type may be imported, so its functions are looked for behind any prefix.
    let calls =
        forbidden.starts_with(char::is_uppercase) && path.ends_with(&format!("::{forbidden}"));
    starts || calls
}

/// Every path of a source with its line, those in `use` trees unfolded, tests left out.
fn paths(source: &str) -> Vec<(usize, String)> {
    let tokens: TokenStream = source.parse().expect("a source that compiles");
    let mut found = Vec::new();
    collect(tokens, "", &mut found);
    found
}

fn collect(tokens: TokenStream, prefix: &str, found: &mut Vec<(usize, String)>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        if is_test_attribute(&tokens[at..]) {
            at = behind_item(&tokens, at + 2);
            continue;
        }
        match &tokens[at] {
            TokenTree::Group(group) => {
                // Only the braces of a `use` tree go on with a path.
                collect(group.stream(), "", found);
                at += 1;
            }
            TokenTree::Ident(ident) => {
                let line = ident.span().start().line;
                let mut path = format!("{prefix}{ident}");
                at += 1;
                loop {
                    match (is_separator(&tokens[at..]), tokens.get(at + 2)) {
                        (true, Some(TokenTree::Ident(next))) => {
                            path = format!("{path}::{next}");
                            at += 3;
                        }
                        (true, Some(TokenTree::Group(group)))
                            if group.delimiter() == Delimiter::Brace =>
                        {
                            collect(group.stream(), &format!("{path}::"), found);
                            at += 3;
                            break;
                        }
                        _ => break,
                    }
                }
                found.push((line, path));
            }
            _ => at += 1,
        }
    }
}

fn is_separator(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [TokenTree::Punct(a), TokenTree::Punct(b), ..] if a.as_char() == ':' && b.as_char() == ':')
}

fn is_test_attribute(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [TokenTree::Punct(hash), TokenTree::Group(group), ..]
        if hash.as_char() == '#' && group.stream().to_string().replace(' ', "") == "cfg(test)")
}

/// Behind the item that starts at `at`: its block, or its semicolon.
fn behind_item(tokens: &[TokenTree], at: usize) -> usize {
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

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a source folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn no_room_names_what_it_may_not() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut violations, mut homeless) = (Vec::new(), Vec::new());
    for path in sources(&src) {
        let file = path
            .strip_prefix(&src)
            .expect("below src")
            .with_extension("");
        let file = file.to_str().expect("a plain name");
        let file = file.strip_suffix("/mod").unwrap_or(file);
        let source = fs::read_to_string(&path).expect("a source");
        match ROOMS.iter().find(|room| room.holds(file)) {
            Some(room) => violations.extend(room.violations(file, &source)),
            // Names everything, and does nothing.
            None if ["lib", "fuzz"].contains(&file) => {}
            None => homeless.push(file.to_owned()),
        }
    }
    assert_eq!(violations, Vec::<String>::new());
    assert_eq!(
        homeless,
        Vec::<String>::new(),
        "these files belong to no room of this test"
    );
}

#[test]
fn a_forbidden_name_is_found_wherever_it_hides() {
    let hidden = [
        "use std::fs;",
        "use std::{collections::HashMap, fs::File};",
        "fn f() { let now = std::time::Instant::now(); }",
        "use std::time::Instant; fn f() { Instant::now(); }",
        "fn f() -> ureq::Agent { todo!() }",
        "macro_rules! m { () => { ::rustls::ClientConfig::builder() } }",
        "use crate::{error::Error, client::{Client, Page}};",
    ];
    for source in hidden {
        assert!(!ROOMS[0].violations("error", source).is_empty(), "{source}");
    }
    let fine = [
        "use std::time::Instant;",
        "use crate::clients::X; fn fs() {} fn thread() { fs() }",
        "#[cfg(test)] mod tests { use std::fs; }",
        "// std::fs\nconst TEXT: &str = \"std::fs\";",
    ];
    for source in fine {
        assert_eq!(
            ROOMS[0].violations("error", source),
            Vec::<String>::new(),
            "{source}"
        );
    }
}
