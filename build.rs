//! With the feature `capi`, writes the C header and sets the soname of the shared library.
//!
//! The header is made from `src/ffi` and committed, so that builds from a package or a read-only
//! tree need not write it. With `OCIREG_HEADER=check` the build fails if the committed header is
//! stale. CI builds this way.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "capi")]
    capi::build();
}

#[cfg(feature = "capi")]
mod capi {
    use std::path::{Path, PathBuf};
    use std::{env, fs};

    const HEADER: &str = "include/ocireg.h";

    pub(crate) fn build() {
        for path in ["Cargo.toml", "cbindgen.toml", "src/ffi", HEADER] {
            println!("cargo:rerun-if-changed={path}");
        }
        println!("cargo:rerun-if-env-changed=OCIREG_HEADER");
        name_the_shared_library();
        // docs.rs builds in a read-only tree, and nobody compiles C with that build.
        if env::var_os("DOCS_RS").is_none() {
            write_header();
        }
    }

    /// The soname follows the rule of cargo-c: `0.MINOR` before 1.0, `MAJOR` after. With another
    /// soname, programs would not find the library that cargo-c installs.
    fn name_the_shared_library() {
        if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
            return;
        }
        let (major, minor) = (version("MAJOR"), version("MINOR"));
        let soname = match major.as_str() {
            "0" => format!("0.{minor}"),
            _ => major,
        };
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libocireg.so.{soname}");
        // A thread that resolves a name for a call that has ended may still run when the host
        // program calls dlclose().
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }

    fn write_header() {
        let text = render();
        let out = PathBuf::from(variable("OUT_DIR")).join("ocireg.h");
        fs::write(&out, &text).expect("OUT_DIR can be written");
        let committed = Path::new(&variable("CARGO_MANIFEST_DIR")).join(HEADER);
        let before = fs::read_to_string(&committed).unwrap_or_default();
        // A current header is not written: cargo refuses to package files that a build script
        // changes.
        if before == text {
            return;
        }
        if env::var("OCIREG_HEADER").as_deref() == Ok("check") {
            panic!("{}", stale(&before, &text));
        }
        if let Err(error) = fs::write(&committed, &text) {
            println!(
                "cargo:warning=the stale {HEADER} can't be written ({error}); \
                 the current one is {}",
                out.display()
            );
        }
    }

    /// Uses `with_src` and not `with_crate`, which asks cargo for the metadata of the dependencies
    /// of all targets, and so fails without a network.
    fn render() -> String {
        let mut config = cbindgen::Config::from_file("cbindgen.toml").expect("cbindgen.toml");
        config.header = Some("/* Generated from src/ffi by build.rs; do not edit. */".to_owned());
        config.after_includes = Some(top());
        let mut text = Vec::new();
        cbindgen::Builder::new()
            .with_config(config)
            .with_src("src/ffi/mod.rs")
            .generate()
            .expect("src/ffi can be read by cbindgen")
            .write(&mut text);
        String::from_utf8(text).expect("a header in UTF-8")
    }

    /// The first page of the header, with the version from Cargo.toml.
    fn top() -> String {
        let number = ["MAJOR", "MINOR", "PATCH"]
            .iter()
            .fold(0, |number: u32, part| {
                let part: u8 = version(part).parse().expect("a version part below 256");
                number << 8 | u32::from(part)
            });
        include_str!("src/ffi/header.h")
            .replace("@VERSION@", &variable("CARGO_PKG_VERSION"))
            .replace("@MAJOR@", &version("MAJOR"))
            .replace("@MINOR@", &version("MINOR"))
            .replace("@PATCH@", &version("PATCH"))
            .replace("@NUMBER@", &format!("0x{number:06x}u"))
    }

    fn stale(before: &str, now: &str) -> String {
        let line = before
            .lines()
            .zip(now.lines())
            .take_while(|(old, new)| old == new)
            .count();
        let show = |text: &str| text.lines().nth(line).unwrap_or("(the end)").to_owned();
        format!(
            "{HEADER} is stale: build with `--features capi` and commit it. \
             First difference, line {}:\n- {}\n+ {}",
            line + 1,
            show(before),
            show(now)
        )
    }

    fn version(part: &str) -> String {
        variable(&format!("CARGO_PKG_VERSION_{part}"))
    }

    fn variable(name: &str) -> String {
        env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"))
    }
}
