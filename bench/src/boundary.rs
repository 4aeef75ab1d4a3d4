//! The cost of the C interface, compared with the Rust interface below it.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::clients::WARM_UP_SHARE;
use crate::lookups::IMAGE;
use crate::server::Server;
use crate::{Outcome, myself, numbers};

/// The target: at most this much more CPU time per call, in nanoseconds.
const AT_MOST: f64 = 1000.0;

/// Neither measurement is a time of lookups, because lookups differ by more than the boundary
/// costs.
pub(crate) fn compare() -> Outcome<()> {
    let program = match build_client("release") {
        Ok(program) => program,
        Err(why) => {
            println!("The C interface is left out: {why}\n");
            return Ok(());
        }
    };
    println!("What C adds to Client::exists, in the same build of the library\n");
    refused(&program)?;
    instructions(&program)?;
    println!();
    Ok(())
}

/// Measures calls to a client that is shut down. Most of their time is what C adds, above all the
/// parsing of the reference.
fn refused(program: &Path) -> Outcome<()> {
    const ROUNDS: usize = 25;
    const CALLS: u32 = 50_000;
    // The least time of all rounds, since other load can only add to it.
    let mut least = [f64::MAX; 2];
    for round in 0..ROUNDS {
        for turn in 0..2 {
            let turn = (turn + round) % 2;
            let mut command = match turn {
                0 => myself()?,
                _ => Command::new(program),
            };
            command.args(["refused", &CALLS.to_string()]);
            let nanoseconds = *numbers(command)?.first().ok_or("nothing was printed")?;
            least[turn] = least[turn].min(nanoseconds as f64 / f64::from(CALLS));
        }
    }
    let [rust, c] = least;
    let more = c - rust;
    let verdict = if more <= AT_MOST { "met" } else { "MISSED" };
    println!(
        "  CPU time of a call that is refused: Rust {rust:.0} ns, C {c:.0} ns, {more:+.0} ns; \
         at most {AT_MOST:.0}: {verdict}"
    );
    Ok(())
}

/// Counts the instructions of a warm lookup. Those of C include the parsing of the reference. Other
/// load on the machine does not change them.
fn instructions(program: &Path) -> Outcome<()> {
    const FEW: u32 = 200;
    const MANY: u32 = 1200;
    if let Err(why) = Command::new("valgrind").arg("--version").output() {
        println!("  Instructions are left out: valgrind: {why}");
        return Ok(());
    }
    let server = Server::start(Duration::ZERO)?;
    let image = format!("{}/{IMAGE}", server.registry);
    let of = |command: &dyn Fn(u32) -> Outcome<Command>| -> Outcome<f64> {
        // Both runs include the start of the program and the connection.
        let spent = [FEW, MANY].map(|requests| counted(&command(requests)?));
        let [few, many] = spent;
        let requests = f64::from(MANY - FEW) * (1.0 + 1.0 / f64::from(WARM_UP_SHARE));
        Ok((many? - few?) / requests)
    };
    let rust = of(&|requests| {
        let mut command = myself()?;
        let count = requests.to_string();
        command.args(["ocireg", &server.registry, IMAGE, &count]);
        Ok(command)
    })?;
    let c = of(&|requests| Ok(client(program, &image, requests)))?;
    println!(
        "  Instructions of a warm lookup (callgrind): Rust {rust:.0}, C {c:.0}, {:+.0}",
        c - rust
    );
    Ok(())
}

/// The instructions of a whole program run, without those of the kernel.
fn counted(command: &Command) -> Outcome<f64> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    valgrind.arg(command.get_program()).args(command.get_args());
    let output = valgrind.output()?;
    let words = String::from_utf8_lossy(&output.stderr);
    let count = words
        .lines()
        .find_map(|line| line.split_once("Collected : "))
        .filter(|_| output.status.success());
    match count {
        Some((_, count)) => Ok(count.trim().parse()?),
        None => Err(format!("callgrind: {words}").into()),
    }
}

/// The C client as a command.
pub(crate) fn client(program: &Path, image: &str, requests: u32) -> Command {
    let mut command = Command::new(program);
    command.arg(image);
    command.args([requests / WARM_UP_SHARE, requests].map(|number| number.to_string()));
    command
}

/// Compiles `c/ocireg.c` with the static library of a profile. `release` has the settings of this
/// program. `make install` installs the library of `dist`.
pub(crate) fn build_client(profile: &str) -> Outcome<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let here = env::current_exe()?;
    // This program is in target/PROFILE, so the directory above is cargo's target directory.
    let target = here.ancestors().nth(2).ok_or("no target directory")?;
    let target = target.join("bench-capi");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut library = Command::new(cargo);
    library.current_dir(&root);
    library.args(["rustc", "--quiet", "--package", "ocireg", "--lib"]);
    library.args(["--features", "capi", "--crate-type", "staticlib"]);
    library.args(["--profile", profile, "--target-dir"]);
    done(library.arg(&target))?;

    let program = here.with_file_name(format!("ocireg-from-c-{profile}"));
    let mut compiler = Command::new("cc");
    compiler.args(["-O2", "-Wall", "-Wextra", "-std=c11", "-I"]);
    compiler.arg(root.join("include"));
    compiler.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("c/ocireg.c"));
    compiler.arg(target.join(profile).join("libocireg.a"));
    compiler.args(["-lgcc_s", "-lpthread", "-lm", "-ldl", "-lc", "-o"]);
    done(compiler.arg(&program))?;
    Ok(program)
}

fn done(command: &mut Command) -> Outcome<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(complaint
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
        .into())
}
