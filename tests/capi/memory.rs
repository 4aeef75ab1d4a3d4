//! The programs leak no memory and make no invalid access, under valgrind and with AddressSanitizer
//! and UBSan on both sides.

use std::process::Command;

use test_support::require;

use crate::cc::{Linkage, Program, STRICT, run};
use crate::library::{Library, output, root};
use crate::misuse;
use crate::scenes::Scene;

/// The exit code of valgrind if it found a problem.
const FOUND: i32 = 99;

fn valgrind() -> Command {
    let mut command = Command::new("valgrind");
    command.args(["--quiet", "--leak-check=full", "--show-leak-kinds=all"]);
    command.args(["--errors-for-leak-kinds=all", "--num-callers=40"]);
    command.arg(format!("--error-exitcode={FOUND}"));
    let suppressions = root().join("tests/c/valgrind.supp");
    command.arg(format!("--suppressions={}", suppressions.display()));
    command
}

/// Each program is a test of its own, since each takes seconds.
#[track_caller]
fn nothing_is_lost(scene: impl FnOnce() -> Scene) {
    if require("valgrind").is_none() {
        return;
    }
    let scene = scene();
    let program = Program::compile(&scene.program, Library::for_tests(), Linkage::Shared);
    let mut command = valgrind();
    command.arg(program.path());
    scene.passes_as(command);
}

#[test]
fn valgrind_finds_nothing_in_misuse() {
    nothing_is_lost(|| misuse::scene(1 << 12));
}

#[test]
fn valgrind_finds_nothing_in_lookups() {
    nothing_is_lost(|| Scene::lookups("plain"));
}

#[test]
fn valgrind_finds_nothing_in_lookups_over_tls() {
    nothing_is_lost(|| Scene::lookups("file"));
}

#[test]
fn valgrind_finds_nothing_in_callbacks() {
    nothing_is_lost(Scene::callbacks);
}

#[test]
fn valgrind_finds_nothing_in_errors_and_panics() {
    nothing_is_lost(Scene::errors);
}

#[test]
fn valgrind_finds_nothing_in_threads() {
    nothing_is_lost(|| Scene::threads(1));
}

#[test]
fn valgrind_finds_nothing_in_a_library_that_is_loaded_and_closed() {
    if require("valgrind").is_none() {
        return;
    }
    let scene = Scene::load(&Library::for_tests().shared(), 5);
    let program = Program::compile_alone(&scene.program);
    let mut command = valgrind();
    command.arg(program.path());
    scene.passes_as(command);
}

#[test]
fn valgrind_sees_a_forgotten_free() {
    if require("valgrind").is_none() {
        return;
    }
    let program = Program::compile("tests/c/leak.c", Library::for_tests(), Linkage::Shared);
    assert_eq!(program.run::<&str>([]).code, Some(0), "no harm by itself");
    let ran = run(valgrind().arg(program.path()));
    assert_eq!(ran.code, Some(FOUND), "{ran:?}");
    assert!(ran.err.contains("definitely lost"), "{ran:?}");
}

/// Compiles with the sanitizers in the program and in the library.
#[track_caller]
fn sanitized(source: &str) -> Option<Program> {
    require("clang")?;
    let mut compiler = Command::new("clang");
    compiler.args(STRICT).args(["-D_GNU_SOURCE", "-g"]);
    compiler.args(["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
    let library = Library::with_address_sanitizer();
    let program = Program::compile_with(compiler, source, library, Linkage::Static);
    // A build without the sanitizer would find nothing either. Checks the objects of the library,
    // not only those of the program.
    for file in [program.path().to_owned(), library.archive()] {
        let symbols = output(Command::new("nm").arg("--quiet").arg(&file));
        let reports = ["__asan_init", "__asan_report_load8"].map(|name| symbols.contains(name));
        assert_eq!(reports, [true, true], "{}", file.display());
    }
    Some(program)
}

#[track_caller]
fn sanitizers_find_nothing(scene: &Scene) {
    let Some(program) = sanitized(&scene.program) else {
        return;
    };
    let mut command = Command::new(program.path());
    command.env(
        "ASAN_OPTIONS",
        "detect_leaks=1:detect_stack_use_after_return=1",
    );
    scene.passes_as(command);
}

#[test]
fn sanitizers_find_nothing_in_misuse() {
    sanitizers_find_nothing(&misuse::scene(1 << 14));
}

#[test]
fn sanitizers_find_nothing_in_lookups() {
    for trust in ["plain", "memory"] {
        sanitizers_find_nothing(&Scene::lookups(trust));
    }
}

#[test]
fn sanitizers_find_nothing_in_callbacks_errors_and_the_log() {
    for scene in [Scene::callbacks(), Scene::errors(), Scene::log()] {
        sanitizers_find_nothing(&scene);
    }
}

#[test]
fn sanitizers_find_nothing_in_threads() {
    sanitizers_find_nothing(&Scene::threads(4));
}

#[test]
fn the_sanitizer_sees_a_use_after_free_inside_the_library() {
    let Some(program) = sanitized("tests/c/use_after_free.c") else {
        return;
    };
    let ran = program.run::<&str>([]);
    assert_ne!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.contains("heap-use-after-free"), "{ran:?}");
    assert!(ran.err.contains("in ocireg_error_code"), "{ran:?}");
}
