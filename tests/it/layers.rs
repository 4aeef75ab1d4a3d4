//! Which layer may use what (ARCHITECTURE.md). Every path that the library names is read, and a
//! path that its layer must not name fails.

use crate::sources::{Module, library, rust_paths};

/// A layer: its files, and what they must not name.
struct Layer {
    /// Paths below `src`, without `.rs`; a folder stands for all files in it.
    files: &'static [&'static str],
    forbidden: &'static [&'static str],
    /// Single files that may name some of it.
    exceptions: &'static [(&'static str, &'static str)],
}

const WIRE: [&str; 3] = ["ureq", "rustls", "rustls_native_certs"];
const MACHINE: [&str; 6] = [
    "libc",
    "std::fs",
    "std::process",
    "std::thread",
    "std::net::TcpStream",
    "std::net::ToSocketAddrs",
];
const CLOCK: [&str; 2] = ["Instant::now", "SystemTime::now"];

const LAYERS: &[Layer] = &[
    WORDS, WAITS, SYSTEM, DECISIONS, TRANSPORT, CLIENT, LOOKUP, FFI,
];

/// Plain data, parsers, pure functions.
const WORDS: Layer = Layer {
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
        "redact",
        "http",
        "json",
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
};

/// Waits that can be stopped: nothing of networks, or of any other layer.
const WAITS: Layer = Layer {
    files: &["interrupt"],
    forbidden: &[
        "@wire",
        "libc",
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
};

/// What std does not offer of the operating system. Outside `ffi` the only place for `libc`.
const SYSTEM: Layer = Layer {
    files: &["sys"],
    forbidden: &["@wire", "crate"],
    exceptions: &[],
};

const DECISIONS: Layer = Layer {
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
};

const TRANSPORT: Layer = Layer {
    files: &["transport"],
    forbidden: &[
        "libc",
        "std::fs",
        "std::process",
        "crate::auth",
        "crate::policy",
        "crate::manifest",
        "crate::client",
        "crate::lookup",
    ],
    exceptions: &[("transport/tls/platform", "std::fs")],
};

const CLIENT: Layer = Layer {
    files: &["client"],
    forbidden: &["@wire", "@machine", "crate::lookup"],
    exceptions: &[
        // They only ask which thread and which process they are in.
        ("client/caller_thread", "std::thread"),
        ("client/life", "std::process"),
    ],
};

const LOOKUP: Layer = Layer {
    files: &["lookup"],
    forbidden: &[
        "@wire",
        "libc",
        "std::fs",
        "std::process",
        "std::net",
        "crate::transport",
        "crate::auth",
        "crate::policy",
    ],
    exceptions: &[],
};

/// The public API alone: Rust can do all that C can.
const FFI: Layer = Layer {
    files: &["ffi"],
    forbidden: &[
        "@wire",
        "std::fs",
        "std::process",
        "std::thread",
        "std::net::TcpStream",
        "std::net::ToSocketAddrs",
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
        "crate::sys",
        "crate::text",
        "crate::transport",
        "crate::url",
    ],
    exceptions: &[],
};

/// Files that belong to no layer: they name everything, and do nothing.
const OUTSIDE: [&str; 2] = ["lib", "fuzz"];

impl Layer {
    fn holds(&self, file: &str) -> bool {
        let is_or_contains = |name: &&str| {
            let rest = file.strip_prefix(*name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.files.iter().any(is_or_contains)
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

    fn violations(&self, module: &Module) -> Vec<String> {
        let file = module.name.as_str();
        let excepted = |name: &str| self.exceptions.contains(&(file, name));
        let mut forbidden = self.forbidden();
        forbidden.retain(|name| !excepted(name));
        let violation = |(line, path): (usize, String)| {
            let name = forbidden.iter().find(|name| names(&path, name))?;
            Some(format!(
                "src/{file}.rs:{line} names {path}: its layer must not use {name}"
            ))
        };
        let paths = rust_paths(&module.text).into_iter();
        paths.filter_map(violation).collect()
    }
}

/// Whether `path` names `forbidden` or something in it.
fn names(path: &str, forbidden: &str) -> bool {
    let starts = path == forbidden || path.starts_with(&format!("{forbidden}::"));
    // A type may be imported, so its functions are looked for after any prefix.
    let calls =
        forbidden.starts_with(char::is_uppercase) && path.ends_with(&format!("::{forbidden}"));
    starts || calls
}

/// What the modules do against the rules: forbidden names, and files that belong to no layer.
fn check(modules: &[Module]) -> Vec<String> {
    let check = |module: &Module| {
        let file = module.name.as_str();
        match LAYERS.iter().find(|layer| layer.holds(file)) {
            Some(layer) => layer.violations(module),
            None if OUTSIDE.contains(&file) => Vec::new(),
            None => vec![format!("src/{file}.rs belongs to no layer of this test")],
        }
    };
    modules.iter().flat_map(check).collect()
}

/// What is found in one module of this name.
fn check_one(name: &str, text: &str) -> Vec<String> {
    check(&[Module {
        name: name.to_owned(),
        text: text.to_owned(),
    }])
}

#[test]
fn no_layer_names_what_it_must_not() {
    assert_eq!(check(&library()), Vec::<String>::new());
}

#[test]
fn a_forbidden_name_is_found_wherever_it_hides() {
    let hidden = [
        "use std::fs;",
        "use std::{collections::HashMap, fs::File};",
        "use std::fs::*;",
        "fn f() { let now = std::time::Instant::now(); }",
        "use std::time::Instant; fn f() { Instant::now(); }",
        "fn f() -> ureq::Agent { todo!() }",
        "fn f() -> u32 { libc::getpid() }",
        "macro_rules! m { () => { ::rustls::ClientConfig::builder() } }",
        "use crate::{error::Error, client::{Client, Page}};",
    ];
    for source in hidden {
        assert!(!check_one("error", source).is_empty(), "{source}");
    }
    let fine = [
        "use std::time::Instant;",
        "use crate::clients::X; fn fs() {} fn thread() { fs() }",
        "#[cfg(test)] mod tests { use std::fs; }",
        "#[cfg(test)] mod error_tests; fn f() {}",
        "// std::fs\nconst TEXT: &str = \"std::fs\";",
    ];
    for source in fine {
        assert_eq!(check_one("error", source), Vec::<String>::new(), "{source}");
    }
}

#[test]
fn a_file_of_no_layer_is_found() {
    let found = check_one("helpers", "fn f() {}");
    assert_eq!(found, ["src/helpers.rs belongs to no layer of this test"]);
}

#[test]
fn libc_is_for_the_system_and_for_c() {
    for (file, fine) in [
        ("sys", true),
        ("ffi/log", true),
        ("interrupt", false),
        ("auth/token", false),
        ("transport/tcp", false),
        ("client/life", false),
        ("lookup/workers", false),
    ] {
        let found = check_one(file, "fn f() { libc::getpid(); }");
        assert_eq!(found.is_empty(), fine, "{file}: {found:?}");
    }
}
