//! The programs in `examples-c`: their output and their exit codes. Those in `examples` do the
//! same.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use fake_registry::{Config, FakeRegistry, Quirk};
use tempfile::TempDir;
use test_support::{DockerRegistry, RegistryConfig, seed};

use crate::cc::{Linkage, Program, Ran, STRICT, run};
use crate::library::{Library, output, root, soname};

const NAMES: [&str; 4] = ["exists", "digest", "find", "batch"];
const OCI: &str = "application/vnd.oci.image.manifest.v1+json";
const MANIFEST: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","layers":[]}"#;

/// An example, linked with the shared library and with the static one.
struct Example {
    name: &'static str,
    programs: [Program; 2],
}

impl Example {
    /// Compiles it once for all tests.
    fn get(name: &str) -> &'static Example {
        static ALL: [OnceLock<Example>; NAMES.len()] = [const { OnceLock::new() }; NAMES.len()];
        let position = NAMES.iter().position(|candidate| *candidate == name);
        let position = position.unwrap_or_else(|| panic!("no example is called {name}"));
        ALL[position].get_or_init(|| Example {
            name: NAMES[position],
            programs: [Linkage::Shared, Linkage::Static].map(|linkage| {
                let source = format!("examples-c/{name}.c");
                // Plain C99, without the extensions of gcc.
                let mut compiler = Command::new("gcc");
                compiler.args(STRICT);
                Program::compile_with(compiler, &source, Library::for_tests(), linkage)
            }),
        })
    }

    /// Runs both programs and checks that they do the same.
    #[track_caller]
    fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Ran {
        let [shared, archive] = &self.programs;
        let ran = shared.run(arguments);
        assert_eq!(ran, archive.run(arguments), "{}", self.name);
        ran
    }

    /// Runs both programs and the Rust example, and checks that all give the same answer.
    #[track_caller]
    fn run_beside_rust<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Ran {
        let ran = self.run(arguments);
        let test = env::current_exe().expect("the path of this test");
        let built = test.ancestors().nth(2).expect("target/debug");
        let rust = built.join("examples").join(self.name);
        assert!(
            rust.is_file(),
            "`cargo test` builds {rust:?}; with --test give it --examples too"
        );
        let rust = run(Command::new(rust).args(arguments));
        assert_eq!(sorted(&ran.out), sorted(&rust.out), "{}", self.name);
        // A Rust program that returns an error from `main` exits with 1, whatever the error is.
        if ran.code == Some(0) || self.name == "exists" {
            assert_eq!(ran.code, rust.code, "{}", self.name);
        }
        ran
    }
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

/// A registry with an image that exists and a repository that nobody may access.
struct Shop {
    registry: FakeRegistry,
    digest: String,
}

impl Shop {
    fn open() -> Shop {
        let registry =
            FakeRegistry::start(Config::new().quirk(Quirk::Hidden("team/secret".to_owned())));
        let digest = registry.put_manifest("team/app", "1.2", OCI, MANIFEST);
        Shop { registry, digest }
    }

    /// The reference of an image that exists, is absent, is denied, or has no answer.
    fn reference(&self, word: &str) -> String {
        let registry = self.registry.authority();
        match word {
            "there" => format!("{registry}/team/app:1.2"),
            "absent" => format!("{registry}/team/app:9.9"),
            "denied" => format!("{registry}/team/secret:1"),
            // Nothing listens on port 1.
            "unreachable" => "127.0.0.1:1/team/app:1.2".to_owned(),
            "bad" => "team/App".to_owned(),
            _ => panic!("{word}"),
        }
    }

    /// The line that `exists` prints for it.
    fn line(&self, word: &str) -> String {
        let reference = self.reference(word);
        match word {
            "there" => format!("exists {reference} {}\n", self.digest),
            "unreachable" | "bad" => format!("error {reference} -\n"),
            _ => format!("{word} {reference} -\n"),
        }
    }
}

#[test]
fn exists_is_a_gate() {
    let shop = Shop::open();
    let cases: &[(&[&str], i32)] = &[
        (&["there"], 0),
        (&["there", "there"], 0),
        (&["absent"], 1),
        (&["denied"], 3),
        (&["unreachable"], 2),
        (&["bad"], 2),
        // 2 has priority over 3, and 3 over 1, in any order of the images.
        (&["there", "absent"], 1),
        (&["absent", "denied", "there"], 3),
        (&["denied", "absent"], 3),
        (&["bad", "there"], 2),
        (&["there", "denied", "bad", "absent"], 2),
        (&[], 2),
    ];
    for (words, code) in cases {
        let references: Vec<String> = words.iter().map(|word| shop.reference(word)).collect();
        let ran = Example::get("exists").run_beside_rust(&references);
        let lines: String = words.iter().map(|word| shop.line(word)).collect();
        assert_eq!(ran.out, lines, "{words:?}");
        assert_eq!(ran.code, Some(*code), "{words:?}: {}", ran.err);
        // Standard error has the reason for each image without an answer, and nothing else.
        let reasons = words
            .iter()
            .filter(|word| ["unreachable", "bad"].contains(word));
        let expected = reasons.count().max(usize::from(words.is_empty()));
        assert_eq!(ran.err.lines().count(), expected, "{words:?}: {}", ran.err);
    }
}

#[test]
fn exists_asks_once_for_each_image() {
    let shop = Shop::open();
    let ran = Example::get("exists").programs[0].run([shop.reference("there")]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(shop.registry.request_count(), 1);
}

#[test]
fn digest_says_where_it_comes_from() {
    let shop = Shop::open();
    let (there, digest) = (shop.reference("there"), &shop.digest);
    let by_digest = format!("{}/team/app@{digest}", shop.registry.authority());
    let digest_of = Example::get("digest");
    for (quirk, source, source_by_digest) in [
        (None, "Header", "Header"),
        (Some(Quirk::NoDigestHeader), "Computed", "Requested"),
    ] {
        shop.registry.set_quirks(quirk);
        // One program for each image: a client remembers for which registry it has to read
        // documents.
        for (image, source) in [(&there, source), (&by_digest, source_by_digest)] {
            let ran = digest_of.run_beside_rust(&[image]);
            let line = format!("{digest} {OCI} {source} {image}\n");
            assert_eq!((ran.out, ran.code), (line, Some(0)), "{}", ran.err);
        }
    }
    let ran = digest_of.run_beside_rust(&[&there, &there]);
    assert_eq!(ran.out.lines().count(), 2, "{}", ran.err);
}

#[test]
fn digest_and_find_end_at_the_first_failure() {
    let shop = Shop::open();
    for (word, code) in [("absent", 1), ("denied", 3), ("bad", 2)] {
        let references = [shop.reference(word), shop.reference("there")];
        for name in ["digest", "find"] {
            let ran = Example::get(name).run_beside_rust(&references);
            assert_eq!((ran.out.as_str(), ran.code), ("", Some(code)), "{word}");
            assert!(ran.err.starts_with(&format!("{name}: ")), "{}", ran.err);
        }
    }
    for name in ["digest", "find"] {
        let ran = Example::get(name).run::<&str>(&[]);
        assert_eq!((ran.out.as_str(), ran.code), ("", Some(2)), "{}", ran.err);
    }
}

#[test]
fn find_prints_the_tags() {
    let shop = Shop::open();
    shop.registry.put_tags("team/app", "v", 50);
    shop.registry.put_tag("team/app", "stable", &shop.digest);
    let there = shop.reference("there");
    let ran = Example::get("find").run_beside_rust(&[&there]);
    let expected = ["1.2", "stable"].map(|tag| format!("{tag} is {there}"));
    assert_eq!(sorted(&ran.out), expected, "{}", ran.err);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    // If no tag has the digest, the call succeeds, but the program does not exit with 0.
    let digest = format!("sha256:{}", "0".repeat(64));
    let unknown = format!("{}/team/app@{digest}", shop.registry.authority());
    let ran = Example::get("find").run_beside_rust(&[&unknown, &there]);
    assert_eq!(sorted(&ran.out), expected, "{}", ran.err);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert_eq!(ran.err, format!("find: no tag is {unknown}\n"));
}

#[test]
fn all_of_them_at_a_real_registry() {
    let Some(registry) = DockerRegistry::start(&RegistryConfig::new()) else {
        return;
    };
    let seeded = seed::push_tags(registry.authority(), "team/app", &["1.2", "latest"]);
    let image = |tag: &str| format!("{}/team/app:{tag}", registry.authority());
    let (digest, media_type) = (&seeded[0].digest, &seeded[0].media_type);
    let (there, latest, absent) = (image("1.2"), image("latest"), image("9.9"));

    let ran = Example::get("exists").run_beside_rust(&[&there, &absent]);
    let lines = format!("exists {there} {digest}\nabsent {absent} -\n");
    assert_eq!((ran.out, ran.code), (lines, Some(1)), "{}", ran.err);
    let ran = Example::get("digest").run_beside_rust(&[&there]);
    let line = format!("{digest} {media_type} Header {there}\n");
    assert_eq!((ran.out, ran.code), (line, Some(0)), "{}", ran.err);
    let ran = Example::get("find").run_beside_rust(&[&latest]);
    let expected = ["1.2", "latest"].map(|tag| format!("{tag} is {latest}"));
    assert_eq!(sorted(&ran.out), expected, "{}", ran.err);
    let ran = batch(&[&there, &absent, &latest]);
    let mut lines = [&there, &latest]
        .map(|image| format!("exists {image} {digest}"))
        .to_vec();
    lines.push(format!("absent {absent} -"));
    lines.sort();
    assert_eq!(sorted(&ran.out), lines, "{}", ran.err);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
}

/// Runs `batch` in both linkages, with these references on standard input.
#[track_caller]
fn batch<A: AsRef<str>>(references: &[A]) -> Ran {
    let directory = TempDir::new().expect("a temporary directory");
    let list = list(directory.path(), references);
    let [first, second] = &Example::get("batch").programs;
    let [first, second] = [first, second].map(|program| {
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec \"$0\" < \"$1\""]);
        run(shell.arg(program.path()).arg(&list))
    });
    // The order of the lines and the steps of the progress vary with the answers.
    assert_eq!(sorted(&first.out), sorted(&second.out));
    assert_eq!(first.code, second.code);
    first
}

/// A file with one reference on each line.
fn list<A: AsRef<str>>(directory: &Path, references: &[A]) -> PathBuf {
    let file = directory.join("images.txt");
    let lines: Vec<&str> = references.iter().map(AsRef::as_ref).collect();
    fs::write(&file, lines.join("\n")).expect("the list can be written");
    file
}

#[test]
fn batch_prints_every_answer() {
    let shop = Shop::open();
    let digest = shop.registry.put_tags("team/many", "v", 200);
    let repository = format!("{}/team/many", shop.registry.authority());
    let references: Vec<String> = (0..200)
        .map(|number| match number % 10 {
            9 => format!("{repository}:none{number}"),
            _ => format!("{repository}:v{number:06}"),
        })
        .collect();
    let ran = batch(&references);
    let mut lines: Vec<String> = references
        .iter()
        .map(|reference| match reference.contains("none") {
            true => format!("absent {reference} -"),
            false => format!("exists {reference} {digest}"),
        })
        .collect();
    lines.sort();
    assert_eq!(sorted(&ran.out), lines, "{}", ran.err);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert_eq!(ran.err, "");
}

#[test]
fn batch_shows_its_progress_on_a_terminal() {
    let shop = Shop::open();
    let directory = TempDir::new().expect("a temporary directory");
    let there = shop.reference("there");
    let list = list(directory.path(), &[&there, "b/A"]);
    let program = Example::get("batch").programs[0].path().display();
    // `script` gives the program a terminal.
    let line = format!("'{program}' < '{}'", list.display());
    let mut script = Command::new("script");
    let ran = run(script.args(["--quiet", "--return", "--command", &line, "/dev/null"]));
    assert_eq!(ran.code, Some(2), "{}", ran.out);
    for words in [
        "\r2 of 2\r",
        shop.line("there").trim(),
        "batch: invalid reference",
    ] {
        assert!(ran.out.contains(words), "{words}: {}", ran.out);
    }
}

/// Input that can't be read to its end is an error.
#[test]
fn batch_refuses_what_it_cannot_read() {
    let directory = TempDir::new().expect("a temporary directory");
    for program in &Example::get("batch").programs {
        let mut shell = Command::new("sh");
        // A directory can be opened, but it can't be read.
        shell.args(["-c", "exec \"$0\" < \"$1\""]);
        let ran = run(shell.arg(program.path()).arg(directory.path()));
        assert_eq!((ran.out.as_str(), ran.code), ("", Some(2)), "{}", ran.err);
    }
}

#[test]
fn batch_exits_as_exists_does() {
    let shop = Shop::open();
    let cases: &[(&[&str], i32)] = &[
        (&["there"], 0),
        (&["there", "absent"], 1),
        (&["absent", "denied", "there"], 3),
        (&["bad", "denied", "there"], 2),
        (&[], 2),
    ];
    for (words, code) in cases {
        let references: Vec<String> = words.iter().map(|word| shop.reference(word)).collect();
        let ran = batch(&references);
        let lines: String = words.iter().map(|word| shop.line(word)).collect();
        assert_eq!(sorted(&ran.out), sorted(&lines), "{}", ran.err);
        assert_eq!(ran.code, Some(*code), "{words:?}: {}", ran.err);
    }
}

#[test]
fn ctrl_c_ends_a_batch_and_keeps_what_is_finished() {
    for program in &Example::get("batch").programs {
        // Load on the machine can only increase a measurement, so the smallest one counts.
        let took = (0..3).map(|_| time_to_interrupt(program));
        let least = took.min().expect("three measures");
        assert!(least < Duration::from_secs(1), "{least:?}");
    }
}

/// Interrupts a batch that has half of its answers and gets no others. Returns how long the batch
/// ran after that.
fn time_to_interrupt(program: &Program) -> Duration {
    const HALF: usize = 20;
    let shop = Shop::open();
    let slow = FakeRegistry::start(Config::new().delay(Duration::from_secs(60)));
    let images = |registry: &FakeRegistry| -> Vec<String> {
        registry.put_tags("team/many", "v", HALF);
        let repository = format!("{}/team/many", registry.authority());
        (0..HALF)
            .map(|number| format!("{repository}:v{number:06}"))
            .collect()
    };
    let (quick, slow_images) = (images(&shop.registry), images(&slow));
    let directory = TempDir::new().expect("a temporary directory");
    let list = list(directory.path(), &[&quick[..], &slow_images[..]].concat());
    let mut child = Command::new(program.path())
        .stdin(File::open(list).expect("the list"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the example starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut answers: Vec<String> = (&mut lines).take(HALF).map(Result::unwrap).collect();

    let interrupted = Instant::now();
    let number = child.id().to_string();
    output(Command::new("sh").args(["-c", "kill -INT \"$0\"", &number]));
    let status = child.wait().expect("the example ends");
    let took = interrupted.elapsed();

    answers.extend(lines.map(Result::unwrap));
    let expected = |image: &String| match slow_images.contains(image) {
        true => format!("error {image} -"),
        false => format!(
            "exists {image} {}",
            shop.registry.put_tags("team/many", "v", 0)
        ),
    };
    let mut expected: Vec<String> = quick.iter().chain(&slow_images).map(expected).collect();
    answers.sort();
    expected.sort();
    assert_eq!(answers, expected);
    assert_eq!(status.code(), Some(2));
    let mut words = String::new();
    let mut err = child.stderr.take().expect("a pipe");
    err.read_to_string(&mut words).expect("text");
    assert!(words.ends_with("batch: cancelled\n"), "{words}");
    took
}

/// A folder where the Makefile finds a library that is already built, since building takes long.
struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Place {
        let directory = TempDir::new().expect("a temporary directory");
        let release = directory.path().join("target/capi/release");
        fs::create_dir_all(&release).expect("a directory");
        fs::copy(Library::for_tests().shared(), release.join("libocireg.so")).expect("the library");
        let prefix = release.display();
        let include = root().join("include");
        let description = format!(
            "Name: ocireg\nDescription: here\nVersion: 0\nCflags: -I{}\n\
             Libs: -L{prefix} -Wl,-rpath,{prefix} -locireg\n",
            include.display()
        );
        fs::write(directory.path().join("ocireg.pc"), description).expect("a file");
        Place { directory }
    }

    /// Runs `make ARGUMENTS` with a cargo that only prints its arguments.
    fn make(&self, arguments: &[&str]) -> String {
        let here = self.directory.path();
        let mut make = Command::new("make");
        make.arg("-C").arg(root().join("examples-c"));
        make.arg(format!("OUT={}", here.join("out").display()));
        make.args(["CARGO=echo cargo", "CFLAGS=-Werror"]);
        make.args(arguments);
        for variable in ["MAKEFLAGS", "MAKELEVEL", "PKG_CONFIG", "FROM", "CC"] {
            make.env_remove(variable);
        }
        make.env("CARGO_TARGET_DIR", here.join("target"));
        make.env("PKG_CONFIG_PATH", here);
        output(&mut make)
    }

    fn built(&self) -> usize {
        let entries = fs::read_dir(self.directory.path().join("out"));
        let visible = |name: &OsStr| !name.as_encoded_bytes().starts_with(b".");
        entries.map_or(0, |entries| {
            entries
                .filter(|entry| visible(&entry.as_ref().expect("an entry").file_name()))
                .count()
        })
    }
}

#[test]
fn make_builds_the_examples_against_the_tree() {
    for compiler in ["gcc", "clang"] {
        let place = Place::new();
        let compiler = format!("CC={compiler}");
        let said = place.make(&["FROM=tree", &compiler, "check"]);
        assert!(said.contains("cargo build --quiet --release --features capi"));
        for name in NAMES {
            assert!(said.contains(&format!("{name} No/Reference: exit code 2")));
        }
        assert_eq!(place.built(), NAMES.len());
        let name = soname(&Library::for_tests().shared());
        assert!(
            place
                .directory
                .path()
                .join("target/capi/release")
                .join(name)
                .is_symlink()
        );
        place.make(&["FROM=tree", "clean"]);
        assert_eq!(place.built(), 0);
    }
}

#[test]
fn make_builds_the_examples_against_an_installed_library() {
    let place = Place::new();
    // The link that `make install` makes.
    place.make(&["FROM=tree", "library"]);
    let said = place.make(&["check"]);
    assert!(!said.contains("cargo"), "{said}");
    assert!(said.contains("exists No/Reference: exit code 2"), "{said}");
    assert_eq!(place.built(), NAMES.len());
    // The second run does nothing.
    let said = place.make(&[]);
    assert!(!said.contains("gcc") && !said.contains("cc "), "{said}");
    // Without an installed library, the Makefile uses the tree, and links the programs again.
    let said = place.make(&["PKG_CONFIG=false"]);
    assert!(said.contains("cargo build"), "{said}");
    assert_eq!(said.matches(" -locireg -o ").count(), NAMES.len(), "{said}");
}

/// The programs in the README. They stand in fences of C, or of sh between `<<'END'` and `END`.
fn programs_of_the_readme() -> Vec<String> {
    let readme = fs::read_to_string(root().join("README.md")).expect("the README");
    let fenced = readme.split("```c\n").skip(1);
    let fenced = fenced.map(|rest| rest.split("```").next().unwrap_or_default());
    let pasted = readme.split("<<'END'\n").skip(1);
    let pasted = pasted.map(|rest| rest.split("\nEND\n").next().unwrap_or_default());
    let all = pasted
        .chain(fenced)
        .filter(|text| text.contains("int main("));
    all.map(|text| format!("{text}\n")).collect()
}

#[test]
fn the_programs_in_the_readme_do_what_it_says() {
    let shop = Shop::open();
    let programs = programs_of_the_readme();
    let [there, login] = &programs[..] else {
        panic!("{} programs are in the README", programs.len());
    };
    let directory = TempDir::new().expect("a temporary directory");
    let compile = |text: &str| {
        let source = directory.path().join("program.c");
        fs::write(&source, text).expect("a file");
        let source = source.to_str().expect("a path in UTF-8").to_owned();
        Program::compile(&source, Library::for_tests(), Linkage::Static)
    };
    let program = compile(there);
    let image = shop.reference("there");
    let ran = program.run([&image]);
    assert_eq!(
        (ran.out, ran.code),
        (format!("{image} is there\n"), Some(0))
    );
    let image = shop.reference("absent");
    let ran = program.run([&image]);
    assert_eq!(
        (ran.out, ran.code),
        (format!("{image} is not there\n"), Some(1))
    );
    let ran = program.run([shop.reference("unreachable")]);
    assert_eq!((ran.out.as_str(), ran.code), ("", Some(2)), "{}", ran.err);

    // The password is not set, and the file does not exist.
    let ran = run(Command::new(compile(login).path()).env_remove("PASSWORD"));
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("password is NULL"), "{}", ran.err);
}
