//! Compiling and running C programs.

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::library::{Library, output, root};

/// All our C programs compile with these flags.
pub(crate) const STRICT: [&str; 6] = [
    "-std=c99",
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wconversion",
    "-Werror",
];

/// The libraries that our static library needs (`rustc --print native-static-libs`).
const NATIVE_LIBRARIES: [&str; 5] = ["-lgcc_s", "-lpthread", "-lm", "-ldl", "-lc"];

/// The time limit of a program.
const LONGEST: Duration = Duration::from_secs(120);

/// How a program is linked with the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Linkage {
    Shared,
    Static,
}

/// A compiled program. Dropping it deletes its file.
#[derive(Debug)]
pub(crate) struct Program {
    file: PathBuf,
    _directory: TempDir,
}

/// How a program ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    /// `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Program {
    /// Compiles `source`, a path from the repository's root, with gcc and [`STRICT`].
    #[track_caller]
    pub(crate) fn compile(source: &str, library: &Library, linkage: Linkage) -> Program {
        let mut compiler = Command::new("gcc");
        compiler.args(STRICT).arg("-D_GNU_SOURCE").arg("-g");
        Program::compile_with(compiler, source, library, linkage)
    }

    /// Compiles with a compiler and flags of the caller.
    #[track_caller]
    pub(crate) fn compile_with(
        compiler: Command,
        source: &str,
        library: &Library,
        linkage: Linkage,
    ) -> Program {
        let (mut compiler, program) = Program::prepared(compiler, source);
        match linkage {
            Linkage::Shared => {
                let folder = library.directory.display();
                compiler.arg(format!("-L{folder}"));
                compiler.arg(format!("-Wl,-rpath,{folder}"));
                compiler.arg("-locireg");
            }
            Linkage::Static => {
                compiler.arg(library.archive()).args(NATIVE_LIBRARIES);
            }
        }
        program.made_by(compiler)
    }

    /// The common part of all compilations, and the program that the compiler will make.
    fn prepared(mut compiler: Command, source: &str) -> (Command, Program) {
        let directory = TempDir::new().expect("a temporary directory");
        let file = directory.path().join("program");
        compiler
            .arg("-I")
            .arg(root().join("include"))
            .arg("-I")
            .arg(root().join("tests/c"))
            .arg(root().join(source))
            .arg("-o")
            .arg(&file)
            .args(["-lpthread", "-ldl"]);
        let program = Program {
            file,
            _directory: directory,
        };
        (compiler, program)
    }

    #[track_caller]
    fn made_by(self, mut compiler: Command) -> Program {
        output(&mut compiler);
        self
    }

    /// Compiles a program that is not linked with the library.
    #[track_caller]
    pub(crate) fn compile_alone(source: &str) -> Program {
        let mut compiler = Command::new("gcc");
        compiler.args(STRICT).arg("-D_GNU_SOURCE").arg("-g");
        let (compiler, program) = Program::prepared(compiler, source);
        program.made_by(compiler)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.file
    }

    /// Runs it to its end.
    #[track_caller]
    pub(crate) fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Ran {
        run(Command::new(&self.file).args(arguments))
    }
}

/// Runs a command to its end, for at most two minutes.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Ran {
    run_within(command, LONGEST)
}

/// Runs a command to its end, for at most this time.
#[track_caller]
pub(crate) fn run_within(command: &mut Command, longest: Duration) -> Ran {
    // A caught panic would make the library read debug information for a backtrace into memory.
    command.env("RUST_BACKTRACE", "0");
    // Cargo sets it, and it would have priority over the folder that a program was linked with.
    if !command
        .get_envs()
        .any(|(name, _)| name == "LD_LIBRARY_PATH")
    {
        command.env_remove("LD_LIBRARY_PATH");
    }
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let spawned = command.spawn();
    let mut child = spawned.unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (out, err) = (read(out), read(err));
    let code = wait(&mut child, longest);
    let (out, err) = (out.join().expect("read"), err.join().expect("read"));
    assert!(
        code.is_some(),
        "{command:?} did not end in time\n{out}\n{err}"
    );
    Ran {
        code: code.flatten(),
        out,
        err,
    }
}

/// `None` if the command did not end in time.
fn wait(child: &mut Child, longest: Duration) -> Option<Option<i32>> {
    let end = Instant::now() + longest;
    loop {
        if let Some(status) = child.try_wait().expect("a child that can be waited for") {
            return Some(status.code());
        }
        if Instant::now() >= end {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn read(from: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut from) = from {
            let _ = from.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
