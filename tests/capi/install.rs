//! The installation is complete. Programs that are built with it as a user builds them start and
//! answer.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use fake_registry::{Config, FakeRegistry};
use tempfile::TempDir;
use test_support::require;

use crate::abi::abi_version;
use crate::cc::{STRICT, run};
use crate::installed::{Installed, files, make};
use crate::library::{output, root, soname};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const PROGRAM: &str = "tests/c/installed.c";
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Every installation that this machine can make.
fn installations() -> Vec<&'static Installed> {
    [Installed::by_make(), Installed::by_cargo_c()]
        .into_iter()
        .flatten()
        .collect()
}

/// The flags of pkg-config for one compilation of [`PROGRAM`].
#[track_caller]
fn compile(installed: &Installed, flags: &str, directory: &Path) -> PathBuf {
    let program = directory.join("program");
    output(
        Command::new("gcc")
            .args(STRICT)
            .arg(root().join(PROGRAM))
            .args(flags.split_whitespace())
            .arg("-o")
            .arg(&program)
            .env("PKG_CONFIG_PATH", installed.pkg_config_path()),
    );
    program
}

/// Runs a program made of [`PROGRAM`] with a registry that has one of two images.
#[track_caller]
fn assert_answers(command: &mut Command) {
    let registry = FakeRegistry::start(Config::new());
    registry.put_manifest("team/app", "v1", OCI_MANIFEST, "{}");
    let host = registry.url().replace("http://", "");
    let ran = run(command.args([format!("{host}/team/app:v1"), format!("{host}/team/app:v2")]));
    let expected = format!("{VERSION} {}\nexists\nabsent\n", abi_version());
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (Some(0), expected.as_str()),
        "{ran:?}"
    );
}

/// The shared libraries that a program needs.
fn needed(program: &Path) -> String {
    output(Command::new("readelf").arg("-d").arg(program))
        .lines()
        .filter(|line| line.contains("(NEEDED)"))
        .collect()
}

#[test]
fn make_install_puts_there_what_the_readme_lists() {
    let Some(installed) = Installed::by_make() else {
        return;
    };
    let soname = soname(&installed.shared());
    let file = format!("libocireg.so.{VERSION}");
    let expected = [
        ("include/ocireg.h".to_owned(), None),
        ("lib/libocireg.a".to_owned(), None),
        ("lib/libocireg.so".to_owned(), Some(file.clone())),
        (format!("lib/{soname}"), Some(file.clone())),
        (format!("lib/{file}"), None),
        ("lib/pkgconfig/ocireg.pc".to_owned(), None),
    ];
    let expected = expected.map(|(name, link)| (PathBuf::from(name), link.map(PathBuf::from)));
    assert_eq!(files(&installed.prefix), expected.into());
    for name in files(&installed.prefix).keys() {
        let mode = fs::metadata(installed.prefix.join(name))
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o444, 0o444, "{name:?} is readable for everybody");
    }
}

#[test]
fn a_program_built_through_pkg_config_starts_and_answers() {
    if require("pkg-config").is_none() {
        return;
    }
    for installed in installations() {
        let directory = TempDir::new().expect("a temporary directory");
        let flags = installed.pkg_config(&["--cflags", "--libs"]);
        let program = compile(installed, &flags, directory.path());
        assert!(needed(&program).contains(&soname(&installed.shared())));
        // ldconfig makes this link in directories that the loader knows.
        let libraries = installed.library_directory();
        assert_answers(Command::new(&program).env("LD_LIBRARY_PATH", libraries));
    }
}

#[test]
fn a_program_linked_with_the_archive_needs_no_library_of_ours() {
    if require("pkg-config").is_none() {
        return;
    }
    for installed in installations() {
        let directory = TempDir::new().expect("a temporary directory");
        let flags = installed.pkg_config(&["--static", "--cflags", "--libs"]);
        // As in the README: the archive by its name, since the shared library is in the same
        // folder.
        assert!(flags.contains("-locireg"), "{flags}");
        let archive = flags.replace("-locireg", "-l:libocireg.a");
        let program = compile(installed, &archive, directory.path());
        assert!(!needed(&program).contains("ocireg"), "{}", needed(&program));
        assert_answers(&mut Command::new(&program));
        // A fully static program, also as in the README.
        let all = format!("-static {}", flags.replace("-lgcc_s", "-lgcc_eh"));
        let program = compile(installed, &all, directory.path());
        assert_eq!(needed(&program), "");
        assert_answers(&mut Command::new(&program));
    }
}

#[test]
fn a_program_built_with_cmake_starts_and_answers() {
    if require("cmake").is_none() || require("pkg-config").is_none() {
        return;
    }
    let lists = format!(
        "cmake_minimum_required(VERSION 3.13)\nproject(user C)\nfind_package(PkgConfig REQUIRED)\n\
         pkg_check_modules(OCIREG REQUIRED IMPORTED_TARGET ocireg)\n\
         add_executable(program {})\ntarget_link_libraries(program PkgConfig::OCIREG)\n",
        root().join(PROGRAM).display()
    );
    for installed in installations() {
        let directory = TempDir::new().expect("a temporary directory");
        fs::write(directory.path().join("CMakeLists.txt"), &lists).expect("a file");
        let build = directory.path().join("build");
        output(
            Command::new("cmake")
                .env("PKG_CONFIG_PATH", installed.pkg_config_path())
                .arg("-S")
                .arg(directory.path())
                .arg("-B")
                .arg(&build),
        );
        output(Command::new("cmake").arg("--build").arg(&build));
        // CMake stores the directory of the library in the program.
        assert_answers(&mut Command::new(build.join("program")));
    }
}

#[test]
fn cargo_c_installs_what_make_does() {
    let (Some(make), Some(cargo_c)) = (Installed::by_make(), Installed::by_cargo_c()) else {
        return;
    };
    assert_eq!(files(&make.prefix), files(&cargo_c.prefix));
    assert_eq!(soname(&make.shared()), soname(&cargo_c.shared()));
    let header = |installed: &Installed| fs::read(installed.prefix.join("include/ocireg.h"));
    assert!(header(make).expect("a header") == header(cargo_c).expect("a header"));
    // The description too, which pkg-config does not print on its own.
    let text = |installed: &Installed| {
        let text = fs::read_to_string(installed.pkg_config_path().join("ocireg.pc"));
        let prefix = installed.prefix.to_str().expect("a path in UTF-8");
        text.expect("a .pc file").replace(prefix, "PREFIX")
    };
    assert_eq!(text(make), text(cargo_c));
    if require("pkg-config").is_none() {
        return;
    }
    assert_eq!(make.pkg_config(&["--modversion"]), VERSION);
    for question in [
        &["--modversion"][..],
        &["--cflags"],
        &["--libs"],
        &["--static", "--libs"],
    ] {
        let said = |installed: &Installed| {
            let prefix = installed.prefix.to_str().expect("a path in UTF-8");
            installed.pkg_config(question).replace(prefix, "PREFIX")
        };
        assert_eq!(said(make), said(cargo_c), "{question:?}");
    }
}

#[test]
fn destdir_stages_and_leaves_no_trace() {
    if Installed::by_make().is_none() {
        return;
    }
    let stage = TempDir::new().expect("a temporary directory");
    let variables = [
        ("DESTDIR", stage.path()),
        ("PREFIX", Path::new("/opt/of")),
        ("LIBDIR", Path::new("/opt/of/lib64")),
        ("INCLUDEDIR", Path::new("/usr/include/elsewhere")),
    ];
    // Install twice: the second time replaces all files and leaves no others behind.
    for _ in 0..2 {
        let ran = make("install", &variables);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(files(stage.path()).len(), 6, "{:?}", files(stage.path()));
    }
    let pc = stage.path().join("opt/of/lib64/pkgconfig/ocireg.pc");
    let pc = fs::read_to_string(pc).expect("a .pc file");
    for line in [
        "prefix=/opt/of",
        "libdir=${prefix}/lib64",
        "includedir=/usr/include/elsewhere",
    ] {
        assert!(pc.lines().any(|found| found == line), "{line}\n{pc}");
    }
    let stage_name = stage.path().to_str().expect("a path in UTF-8");
    assert!(!pc.contains(stage_name), "{pc}");

    // Files of others stay.
    let libraries = stage.path().join("opt/of/lib64");
    let of_debugger = format!("libocireg.so.{VERSION}-gdb.py");
    let foreign = ["libocireg.so.0.0", &of_debugger, "libocireg.so.0.1.old"];
    for name in foreign {
        fs::write(libraries.join(name), "").expect("a file");
    }
    // Also if one of our files is already gone.
    fs::remove_file(libraries.join("libocireg.so")).expect("a link");
    let ran = make("uninstall", &variables);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let left = files(&libraries);
    assert_eq!(left.keys().collect::<Vec<_>>(), foreign.map(Path::new));
    assert_eq!(files(stage.path()).len(), foreign.len());
}

#[test]
fn an_installation_that_fails_says_why_and_leaves_nothing() {
    if Installed::by_make().is_none() {
        return;
    }
    let directory = TempDir::new().expect("a temporary directory");
    let file = directory.path().join("file");
    fs::write(&file, "").expect("a file");
    let prefix = directory.path().join("prefix");
    let in_file = file.join("include");
    let odd = ["/opt/my libs", "/opt/c#", "/opt/a\"b", "/opt/it's"];
    let odd = odd.map(|value| ("LIBDIR", Path::new(value), "such a character in a path"));
    let cases: [(&str, &Path, &str); 4] = [
        ("INCLUDEDIR", &in_file, "PREFIX, DESTDIR, sudo"),
        (
            "INCLUDEDIR",
            Path::new("/dev/null"),
            "PREFIX, DESTDIR, sudo",
        ),
        ("LIBDIR", Path::new("lib"), "not an absolute path"),
        ("DESTDIR", Path::new("stage"), "not an absolute path"),
    ];
    for (variable, value, reason) in cases.into_iter().chain(odd) {
        let ran = make("install", &[("PREFIX", &prefix), (variable, value)]);
        assert_ne!(ran.code, Some(0), "{ran:?}");
        assert!(ran.err.contains(reason), "{reason}: {ran:?}");
        assert!(files(directory.path()).len() == 1, "{ran:?}");
    }
}
