//! The fake registry as a program: when it ends.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The running program. Ends with the test.
struct Program {
    child: Child,
    address: String,
}

impl Program {
    #[track_caller]
    fn start(arguments: &[&str], input: Stdio) -> Program {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fake-registry"))
            .args(arguments)
            .stdin(input)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        let output = child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut url).unwrap();
        let address = url.trim().replace("http://", "");
        Program { child, address }
    }

    /// Whether it still runs after a while.
    fn stays(&mut self) -> bool {
        thread::sleep(Duration::from_millis(300));
        TcpStream::connect(&self.address).is_ok() && self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A script that starts it in the background gives it no input.
#[test]
fn it_runs_although_its_input_is_empty() {
    assert!(Program::start(&[], Stdio::null()).stays());
}

#[test]
fn it_ends_with_its_input_if_it_is_told_to() {
    let mut program = Program::start(&["--until-input-ends"], Stdio::piped());
    assert!(program.stays());
    drop(program.child.stdin.take());
    let end = Instant::now() + Duration::from_secs(20);
    let mut status = None;
    while status.is_none() && Instant::now() < end {
        thread::sleep(Duration::from_millis(10));
        status = program.child.try_wait().unwrap();
    }
    assert!(status.is_some_and(|status| status.success()), "{status:?}");
}
