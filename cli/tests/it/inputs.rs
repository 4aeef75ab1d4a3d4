//! Invalid references, and references on standard input.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;

use crate::support::{LONGEST, command, ocireg, ocireg_reading, registry, run, wait};

#[test]
fn an_unusable_reference_is_an_error_that_says_where() {
    let cases = [
        (
            "App",
            "App",
            "upper-case letter 'A' in the repository name at byte 0",
        ),
        ("host:5000/app:", "host:5000/app:", "at byte 14"),
        ("http://host/app", "http://host/app", "drop the \"http://\""),
        ("host/app@sha256:abc", "host/app@sha256:abc", "at byte"),
        ("user:secret@host/app", "…@host/app", "password"),
        ("", "\"\"", "invalid reference"),
        ("a b", "a?b", "a space at byte 1"),
        ("a\nexists b", "a?exists?b", "at byte 1"),
    ];
    for (typed, shown, reason) in cases {
        for (name, line) in [
            ("exists", format!("error {shown} -\n")),
            ("digest", String::new()),
            ("head", format!("- - - {shown}\n")),
        ] {
            let mut command = command(name);
            command.arg(typed);
            let ran = run(command, b"");
            ran.assert(2, &line, &[reason]);
            assert!(!ran.err.contains("secret"), "{ran:?}");
        }
    }
}

#[test]
fn lines_of_standard_input_are_references() {
    let Some(registry) = registry() else { return };
    let (at, digest) = (&registry.at, &registry.digest);
    let input = format!(
        "\u{feff}# what we deploy\r\n\r\n  {at}/team/app:1.0 \r\n\
        {at}/team/app:9.9\nBad\n{at}/team/app:latest"
    );
    let ran = ocireg_reading("exists -", input.as_bytes());
    let out = format!(
        "exists {at}/team/app:1.0 {digest}\nabsent {at}/team/app:9.9 -\n\
        error Bad -\nexists {at}/team/app:latest {digest}\n"
    );
    ran.assert(
        2,
        &out,
        &[
            "standard input, line 5: invalid reference \"Bad\"",
            "not found",
        ],
    );
    // Answers have the order of arguments and lines. With standard input, `digest` prints the
    // reference even for one line, since there might have been more.
    let ran = ocireg_reading(
        &format!("digest {at}/a - {at}/b"),
        format!("{at}/team/app:1.0\n").as_bytes(),
    );
    assert_eq!(ran.code, Some(0));
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(lines[0].ends_with(&format!(" {at}/a")), "{ran:?}");
    assert_eq!(lines[1], format!("{digest} {at}/team/app:1.0"));
    assert!(lines[2].ends_with(&format!(" {at}/b")), "{ran:?}");
    let ran = ocireg_reading("digest -", format!("{at}/team/app:1.0").as_bytes());
    ran.assert(0, &format!("{digest} {at}/team/app:1.0\n"), &[]);
}

#[test]
fn lines_that_are_not_utf8_or_too_long_do_not_end_the_list() {
    let Some(registry) = registry() else { return };
    let there = format!("{}/team/app:1.0", registry.at);
    let mut input = b"caf\xe9:1\n".to_vec();
    input.extend(std::iter::repeat_n(b'x', 10 << 20));
    input.extend_from_slice(format!("\n{there}\n\0\n").as_bytes());
    let ran = ocireg_reading("exists -", &input);
    assert_eq!(ran.code, Some(2));
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines[0], "error caf?:1 -".replace('?', "\u{fffd}"));
    assert!(
        lines[1].starts_with("error xxxx") && lines[1].ends_with("… -"),
        "{}",
        lines[1]
    );
    assert!(lines[1].len() < 2000);
    assert_eq!(lines[2], format!("exists {there} {}", registry.digest));
    assert_eq!(lines[3..], ["error ? -"]);
    let reasons: Vec<&str> = ran.err.lines().collect();
    assert_eq!(
        reasons[0],
        "ocireg: standard input, line 1: the line is not UTF-8"
    );
    assert_eq!(
        reasons[1],
        "ocireg: standard input, line 2: the line is longer than 4096 bytes"
    );
    assert!(
        reasons[2].starts_with("ocireg: standard input, line 4: invalid reference"),
        "{ran:?}"
    );
    assert_eq!(reasons.len(), 3);
}

#[test]
fn a_gate_with_nothing_to_check_stays_closed() {
    for input in ["", "\n\n", "# all commented out\n", "\u{feff}\r\n"] {
        for name in ["exists", "digest", "head", "ping"] {
            let ran = ocireg_reading(&format!("{name} -"), input.as_bytes());
            ran.assert(2, "", &["nothing was asked: standard input has no line"]);
        }
    }
    ocireg("exists - -").assert(2, "", &["standard input can be read only once"]);
    // A directory as standard input.
    let mut command = command("exists -");
    command.stdin(std::fs::File::open("/").unwrap());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = wait(command.spawn().unwrap());
    assert_eq!(output.status.code(), Some(2));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(
        err.starts_with("ocireg: can't read standard input: "),
        "{err}"
    );
}

#[test]
fn answers_come_as_the_lines_do() {
    let Some(registry) = registry() else { return };
    let mut child = command("exists -")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let answers = BufReader::new(child.stdout.take().unwrap());
    // If answers came only at the end of standard input, reading here would block for ever. So
    // another thread reads them.
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in answers.lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    for tag in ["1.0", "latest"] {
        let reference = format!("{}/team/app:{tag}", registry.at);
        writeln!(input, "{reference}").unwrap();
        let line = receiver
            .recv_timeout(LONGEST)
            .expect("the answer comes before the next question");
        assert_eq!(line, format!("exists {reference} {}", registry.digest));
    }
    drop(input);
    assert_eq!(wait(child).status.code(), Some(0));
}
