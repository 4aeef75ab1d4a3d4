//! Runs the command, and the servers that it asks.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use test_support::{DockerRegistry, RegistryConfig, Server, seed};

/// The time limit of a run.
pub(crate) const LONGEST: Duration = Duration::from_secs(30);

/// The result of a run of the command.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The objects that `--json` printed.
    #[track_caller]
    pub(crate) fn objects(&self) -> Vec<Value> {
        self.out
            .lines()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
            })
            .collect()
    }

    /// Asserts the exit code, standard output, and that standard error contains all of `reasons`.
    #[track_caller]
    pub(crate) fn assert(&self, code: i32, out: &str, reasons: &[&str]) {
        assert_eq!((self.code, &*self.out), (Some(code), out), "{self:#?}");
        for reason in reasons {
            assert!(self.err.contains(reason), "no {reason:?}: {self:#?}");
        }
        if reasons.is_empty() {
            assert_eq!(self.err, "");
        }
        for line in self.err.lines() {
            assert!(line.starts_with("ocireg: "), "{line}");
        }
    }
}

/// The command with these arguments, which are separated by spaces.
pub(crate) fn command(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ocireg"));
    command.args(arguments.split_whitespace());
    command
}

/// Runs the command with nothing on standard input.
#[track_caller]
pub(crate) fn ocireg(arguments: &str) -> Ran {
    run(command(arguments), b"")
}

/// Runs the command with this on standard input.
#[track_caller]
pub(crate) fn ocireg_reading(arguments: &str, input: &[u8]) -> Ran {
    run(command(arguments), input)
}

#[track_caller]
pub(crate) fn run(mut command: Command, input: &[u8]) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command can be started");
    let mut stdin = child.stdin.take().expect("standard input is piped");
    let input = input.to_vec();
    // The command may end without reading all of it.
    let writer = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = wait(child);
    writer.join().expect("the writer does not panic");
    let text = |bytes| String::from_utf8(bytes).expect("the command prints UTF-8");
    Ran {
        code: output.status.code(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// Waits for the end of the command, for a bounded time.
#[track_caller]
pub(crate) fn wait(child: Child) -> Output {
    let id = child.id().to_string();
    let done = Arc::new(Mutex::new(false));
    let watched = done.clone();
    // This thread reads the output until the command ends, so another thread watches the time.
    let dog = thread::spawn(move || {
        let start = Instant::now();
        while start.elapsed() < LONGEST {
            if *watched.lock().expect("nobody panics with the lock") {
                return false;
            }
            thread::sleep(Duration::from_millis(5));
        }
        // Nobody has waited for the child yet, so its process id can't belong to another process.
        let killed = Command::new("kill").args(["-9", &id]).status();
        killed.expect("kill can be run").success()
    });
    let output = child
        .wait_with_output()
        .expect("the command can be waited for");
    *done.lock().expect("nobody panics with the lock") = true;
    let killed = dog.join().expect("the watch does not panic");
    assert!(!killed, "it took longer than {LONGEST:?}: {output:?}");
    output
}

/// The plain registry of all tests, which only read it: `team/app` (`1.0`, `1.0.3`, `latest`),
/// `kinds` (one tag for each kind of manifest), `a`, `b`, `c`. `None` is a skip.
pub(crate) fn registry() -> Option<&'static Seeded> {
    static REGISTRY: OnceLock<Option<Seeded>> = OnceLock::new();
    REGISTRY
        .get_or_init(|| {
            let server = DockerRegistry::start(&RegistryConfig::new())?;
            let at = server.authority().to_owned();
            let app = seed::push_tags(&at, "team/app", &["1.0", "1.0.3", "latest"]);
            let kinds = seed::push_all(&at, "kinds");
            seed::push_repositories(&at, &["a", "b", "c"]);
            Some(Seeded {
                server,
                at,
                digest: app[0].digest.clone(),
                kinds,
            })
        })
        .as_ref()
}

#[derive(Debug)]
pub(crate) struct Seeded {
    pub(crate) server: Server,
    /// `127.0.0.1:PORT`
    pub(crate) at: String,
    /// The digest of all tags of `team/app`.
    pub(crate) digest: String,
    pub(crate) kinds: Vec<seed::Seeded>,
}

/// A server that answers as no real registry does on demand.
pub(crate) struct Odd {
    /// `127.0.0.1:PORT`
    pub(crate) at: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Odd {
    /// Answers every request with the result of `answer`, which gets the request's head. Each
    /// connection has one request. The server ends with the test program.
    pub(crate) fn serve(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Odd {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port can be had");
        let at = listener.local_addr().expect("it is bound").to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Ok(request) = head(&stream) {
                    let answer = answer(&request);
                    seen.lock()
                        .expect("nobody panics with the lock")
                        .push(request);
                    // The other side may be gone.
                    let _ = (&stream).write_all(answer.as_bytes());
                }
            }
        });
        Odd { at, requests }
    }

    /// The request lines so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        let first = |head: &String| head.lines().next().unwrap_or_default().to_owned();
        self.heads().iter().map(first).collect()
    }

    /// The heads of the requests so far, with field names in lower case.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.requests
            .lock()
            .expect("nobody panics with the lock")
            .clone()
    }
}

/// Reads a request, and returns its head.
fn head(stream: &TcpStream) -> std::io::Result<String> {
    stream.set_read_timeout(Some(LONGEST))?;
    let mut reader = BufReader::new(stream.take(64 * 1024));
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let line = match line.split_once(": ") {
            Some((name, value)) if !head.is_empty() => {
                let name = name.to_ascii_lowercase();
                if name == "content-length" {
                    length = value.parse().unwrap_or(0);
                }
                format!("{name}: {value}")
            }
            _ => line.to_owned(),
        };
        head.push_str(&line);
        head.push('\n');
    }
    // Unread data would reset the connection before the answer arrives.
    reader.read_exact(&mut vec![0; length])?;
    Ok(head)
}

/// An answer of a registry. `headers` has complete lines, with their line ends.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} X\r\n\
        Docker-Distribution-Api-Version: registry/2.0\r\n\
        Content-Type: application/json\r\n\
        Content-Length: {}\r\nConnection: close\r\n{headers}\r\n{body}",
        body.len()
    )
}

/// A registry that wants a login for everything.
pub(crate) fn private() -> Odd {
    Odd::serve(|request| refusal(request, "Basic realm=\"Odd Realm\""))
}

/// The answer of a registry that wants a login.
pub(crate) fn refusal(request: &str, challenge: &str) -> String {
    let body = r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#;
    // An answer to HEAD has no body.
    let whole = answer(401, &format!("WWW-Authenticate: {challenge}\r\n"), body);
    match request.starts_with("HEAD") {
        true => whole[..whole.len() - body.len()].to_owned(),
        false => whole,
    }
}

/// A loopback address where nothing listens: port 1 is for tcpmux, which nobody runs.
pub(crate) const NOBODY: &str = "127.0.0.1:1";
