//! Answers that can't be written: nobody may take the exit code for an answer that he did not get.

use std::fs::File;
use std::process::{Command, Stdio};

use crate::support::{NOBODY, Odd, answer, wait};

/// Standard output of a run.
#[derive(Debug, Clone, Copy)]
enum Broken {
    Closed,
    ReadOnly,
    Full,
}

impl Broken {
    const ALL: [Broken; 3] = [Broken::Closed, Broken::ReadOnly, Broken::Full];

    fn redirection(self) -> &'static str {
        match self {
            Broken::Closed => ">&-",
            Broken::ReadOnly => "1</dev/null",
            Broken::Full => ">/dev/full",
        }
    }

    fn reason(self) -> &'static str {
        match self {
            Broken::Closed => "standard output is closed",
            Broken::ReadOnly => "Bad file descriptor",
            Broken::Full => "No space left on device",
        }
    }
}

/// Runs the command with its standard output redirected by a shell. Returns its exit code and its
/// standard error.
fn redirected(arguments: &str, redirection: &str) -> (Option<i32>, String) {
    let child = Command::new("sh")
        .args(["-c", &format!("exec \"$0\" \"$@\" {redirection}")])
        .arg(env!("CARGO_BIN_EXE_ocireg"))
        .args(arguments.split_whitespace())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let output = wait(child);
    assert_eq!(output.stdout, b"");
    let err = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), err)
}

#[test]
fn what_can_not_be_written_is_exit_code_2() {
    let lists = Odd::serve(|request| {
        let body = match request {
            _ if request.contains("_catalog") => r#"{"repositories":["app"]}"#,
            _ if request.contains("tags/list") => r#"{"tags":["1"]}"#,
            _ => "{}",
        };
        answer(200, "", body)
    });
    let at = &lists.at;
    let questions = [
        "help".to_owned(),
        "help exists".to_owned(),
        "--help".to_owned(),
        "-h".to_owned(),
        "tags --help".to_owned(),
        "--version".to_owned(),
        "-V".to_owned(),
        format!("exists {NOBODY}/app --retries 0"),
        "exists App --json".to_owned(),
        "head App".to_owned(),
        "digest App App".to_owned(),
        format!("find {NOBODY}/app --json --retries 0"),
        format!("tags {at}/app"),
        format!("catalog {at}"),
        format!("ping {at}"),
        format!("ping {at} --json"),
        format!("check-login {NOBODY} --retries 0"),
    ];
    for broken in Broken::ALL {
        if matches!(broken, Broken::Full) && File::open("/dev/full").is_err() {
            continue;
        }
        for question in &questions {
            let (code, err) = redirected(question, broken.redirection());
            assert_eq!(code, Some(2), "{question} {broken:?}: {err}");
            let why = format!("ocireg: can't write the answers: {}", broken.reason());
            assert!(err.contains(&why), "{question} {broken:?}: {err}");
        }
    }
}

/// `digest` prints nothing where there is no digest, so that nothing is lost.
#[test]
fn without_an_answer_to_write_the_exit_code_is_that_of_the_question() {
    let absent = Odd::serve(|_| answer(404, "", ""));
    let question = format!("digest {}/app:1", absent.at);
    for broken in Broken::ALL {
        let (code, err) = redirected(&question, broken.redirection());
        assert_eq!(code, Some(1), "{broken:?}: {err}");
    }
}

#[test]
fn an_output_that_nobody_wants_is_written() {
    let wanted = Odd::serve(|_| answer(200, "", "{}"));
    for question in ["--version".to_owned(), format!("ping {}", wanted.at)] {
        // Read and write, as many programs open it for those that they start.
        for redirection in [">/dev/null", "1<>/dev/null"] {
            let ended = redirected(&question, redirection);
            assert_eq!(ended, (Some(0), String::new()), "{question} {redirection}");
        }
    }
}
