//! A child process that listens on a loopback port. It is started, waited for, and ended by its
//! process id.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a server may take until it listens.
const START: Duration = Duration::from_secs(10);
/// Another program may take a free port before the server binds it; then another port is tried.
const PORTS_TRIED: usize = 5;

/// A running server on `127.0.0.1`. Dropping it ends the process and removes its directory.
#[derive(Debug)]
pub struct Server {
    child: Child,
    launch: Launch,
    port: u16,
    authority: String,
    scheme: &'static str,
    data: PathBuf,
    directory: TempDir,
}

/// What to run, once the port and the directory are known.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(&'static str, &'static str)>,
}

impl Server {
    /// Calls `prepare` with a directory and a free port, starts what it returns, and waits until it
    /// listens on that port.
    #[track_caller]
    pub(crate) fn start(
        scheme: &'static str,
        data: Option<&Path>,
        prepare: impl Fn(&Path, u16) -> Launch,
    ) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("test-support-")
            .tempdir()
            .expect("a temporary directory can be made");
        let data = data.map_or_else(|| directory.path().join("data"), Path::to_path_buf);
        fs::create_dir_all(&data).expect("the data directory can be made");
        let mut last = String::new();
        for _ in 0..PORTS_TRIED {
            let port = free_port();
            let launch = prepare(directory.path(), port);
            match launch.run(directory.path(), port) {
                Ok(child) => {
                    return Self {
                        child,
                        launch,
                        port,
                        authority: format!("127.0.0.1:{port}"),
                        scheme,
                        data,
                        directory,
                    };
                }
                Err(why) => last = why,
            }
        }
        panic!("no server after {PORTS_TRIED} tries: {last}");
    }

    /// `127.0.0.1:PORT`, as in a reference.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The port listened on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `http://127.0.0.1:PORT` or `https://127.0.0.1:PORT`, without a final slash.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.authority)
    }

    /// The process id of the server itself.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where a registry keeps its content. Another one can be started on the same content:
    /// [`RegistryConfig::data_dir`](crate::RegistryConfig::data_dir).
    pub fn data_dir(&self) -> &Path {
        &self.data
    }

    /// What the server printed and logged so far.
    pub fn log(&self) -> String {
        read_logs(self.directory.path())
    }

    /// Kills the server (SIGKILL) and leaves its port closed until [`restart`](Self::restart).
    #[track_caller]
    pub fn kill(&mut self) {
        end(&mut self.child).expect("the server can be ended");
    }

    /// Kills the server (SIGKILL) and starts it again on the same port with the same content.
    #[track_caller]
    pub fn restart(&mut self) {
        self.kill();
        self.child = self
            .launch
            .run(self.directory.path(), self.port)
            .unwrap_or_else(|why| panic!("cannot restart: {why}"));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A failure has no remedy here, and a panic in a drop would hide the test's own panic.
        let _ = end(&mut self.child);
    }
}

impl Launch {
    fn run(&self, directory: &Path, port: u16) -> Result<Child, String> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(directory.join("output.log"))
            .and_then(|file| Ok((file.try_clone()?, file)))
            .map_err(|error| format!("cannot open the log: {error}"))?;
        let mut command = self.command();
        // The environment is emptied: REGISTRY_... variables would override the configuration
        // files.
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(self.environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.0)
            .stderr(log.1);
        let mut child =
            spawn(command).map_err(|error| format!("{}: {error}", self.program.display()))?;
        match wait_until_listening(&mut child, port) {
            Ok(()) => Ok(child),
            Err(why) => {
                let _ = end(&mut child);
                let program = self.program.display();
                Err(format!(
                    "{program} {why}; it said: {}",
                    read_logs(directory)
                ))
            }
        }
    }

    /// The program under `setpriv --pdeathsig`, so that the kernel ends it when this process ends.
    /// Values in a `static` are never dropped, and a test program may be killed. `setpriv` execs,
    /// so the process id is the server's. Without `setpriv` (not Linux) only the drop ends it.
    fn command(&self) -> Command {
        let mut command = match crate::tool("setpriv") {
            Some(setpriv) => {
                let mut command = Command::new(setpriv);
                command
                    .args(["--pdeathsig", "KILL", "--"])
                    .arg(&self.program);
                command
            }
            None => Command::new(&self.program),
        };
        command.args(&self.arguments);
        command
    }
}

/// A loopback port that was free a moment ago.
///
/// # Panics
///
/// When no port is free.
#[track_caller]
pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .expect("a loopback port is free")
        .port()
}

type Spawn = (Command, Sender<io::Result<Child>>);

/// Spawns on one thread that lives as long as the process. The parent death signal depends on the
/// *thread* that spawned. libtest ends the thread of a test while servers that several tests share
/// have to run.
fn spawn(command: Command) -> io::Result<Child> {
    static SPAWNER: OnceLock<Mutex<Sender<Spawn>>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, receiver) = mpsc::channel::<Spawn>();
        thread::spawn(move || {
            for (mut command, answer) in receiver {
                // The caller waits for the answer, so it can be sent.
                let _ = answer.send(command.spawn());
            }
        });
        Mutex::new(sender)
    });
    let (sender, receiver) = mpsc::channel();
    spawner
        .lock()
        .map_err(|_| io::Error::other("a thread panicked while spawning"))?
        .send((command, sender))
        .map_err(io::Error::other)?;
    receiver.recv().map_err(io::Error::other)?
}

fn wait_until_listening(child: &mut Child, port: u16) -> Result<(), String> {
    let deadline = Instant::now() + START;
    loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Err(format!("ended at once ({status})"));
        }
        if listens(child.id(), port) {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("does not listen after {START:?}"));
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Whether process `pid` itself listens on the port. A connection would also succeed if another
/// program had taken the port. The kernel names both listening sockets and the open files of a
/// process by inode.
fn listens(pid: u32, port: u16) -> bool {
    let Ok(table) = fs::read_to_string("/proc/net/tcp") else {
        // Not Linux: a connection is the best proof.
        return std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
    };
    let local = format!(":{port:04X}");
    let sockets: Vec<String> = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        // Columns: number, local address, remote address, state (0A is LISTEN), …, inode as the
        // tenth.
        .filter(|row| row.len() > 9 && row[1].ends_with(&local) && row[3] == "0A")
        .map(|row| format!("socket:[{}]", row[9]))
        .collect();
    let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    files
        .flatten()
        .filter_map(|file| fs::read_link(file.path()).ok())
        .any(|target| {
            sockets
                .iter()
                .any(|socket| target.as_os_str() == socket.as_str())
        })
}

fn end(child: &mut Child) -> io::Result<ExitStatus> {
    // Fails only when the process has already been waited for; then `wait` still gives its status.
    let _ = child.kill();
    child.wait()
}

fn read_logs(directory: &Path) -> String {
    ["output.log", "error.log", "access.log"]
        .iter()
        .filter_map(|name| fs::read(directory.join(name)).ok())
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect()
}
