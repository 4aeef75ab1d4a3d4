//! Idle connections (R29): those to all registries of a client together are bounded, and give way
//! when file descriptors run out.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, thread};

use ocireg::{Client, Presence, Reference};

use crate::faults_support::{Ask, PATIENCE, hasty};
use crate::wire_addresses::Everywhere;

const PORT: &str = "OCIREG_IDLE_PORT";
const MAX_IDLE: usize = 64;

/// What a server does with a connection.
#[derive(Clone, Copy)]
enum Manner {
    Serve,
    /// Closes its direction after an answer.
    HalfClose,
    /// Serves, and takes this long for an answer.
    ServeSlowly(Duration),
}

/// A registry that counts its connections, now and in all.
struct Host {
    address: SocketAddr,
    open: Arc<AtomicUsize>,
    accepted: Arc<AtomicUsize>,
}

impl Host {
    fn start(manner: Manner) -> Host {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (open, accepted) = (Arc::default(), Arc::default());
        let host = Host {
            address,
            open: Arc::clone(&open),
            accepted: Arc::clone(&accepted),
        };
        // Ends with the test program.
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let open = open.clone();
                open.fetch_add(1, Ordering::SeqCst);
                accepted.fetch_add(1, Ordering::SeqCst);
                thread::spawn(move || {
                    let _ = serve(&stream, manner);
                    drop(stream);
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        host
    }

    /// Waits until this many connections are open.
    #[track_caller]
    fn expect_open(&self, expected: usize) {
        let begun = Instant::now();
        while self.open.load(Ordering::SeqCst) != expected {
            let open = self.open.load(Ordering::SeqCst);
            assert!(begun.elapsed() < PATIENCE, "{open} instead of {expected}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

/// Answers HEAD until the client closes.
fn serve(mut stream: &TcpStream, manner: Manner) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(stream.try_clone()?);
    let length = Ask::Head.body().len();
    let answer = Ask::Head.head(&format!("Content-Length: {length}\r\n"));
    loop {
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            if lines.read_line(&mut line)? == 0 {
                return Ok(());
            }
        }
        if let Manner::ServeSlowly(time) = manner {
            thread::sleep(time);
        }
        stream.write_all(answer.as_bytes())?;
        if let Manner::HalfClose = manner {
            stream.shutdown(Shutdown::Write)?;
            lines.read_to_end(&mut Vec::new())?;
            return Ok(());
        }
    }
}

/// Images of this many registries, all at one address, and a client for them without retries.
fn registries(count: usize, address: SocketAddr) -> (Client, Vec<Reference>) {
    let mut builder = hasty().retries(0).resolver(Everywhere(vec![address]));
    let mut images = Vec::new();
    for number in 0..count {
        let name = format!("r{number}.example:5000");
        builder = builder.plain_http(&name);
        images.push(format!("{name}/t/a:v1").parse().unwrap());
    }
    (builder.build().unwrap(), images)
}

#[track_caller]
fn expect_found(client: &Client, image: &Reference) {
    let result = client.exists(image);
    assert!(matches!(result, Ok(Presence::Exists(_))), "{result:?}");
}

#[test]
fn r29_a_client_keeps_at_most_64_idle_connections() {
    let host = Host::start(Manner::Serve);
    let (client, images) = registries(100, host.address);
    for image in &images {
        expect_found(&client, image);
    }
    host.expect_open(MAX_IDLE);
    assert_eq!(host.accepted(), 100);
    // The ones used last are kept, and used.
    for image in images[40..].iter().rev() {
        expect_found(&client, image);
    }
    assert_eq!(host.accepted(), 100);
    for image in &images[..10] {
        expect_found(&client, image);
    }
    assert_eq!(host.accepted(), 110);
    host.expect_open(MAX_IDLE);
    client.close_idle();
    host.expect_open(0);
}

#[test]
fn r29_a_connection_that_the_server_has_closed_is_closed_when_another_is_opened() {
    let closing = Host::start(Manner::HalfClose);
    let other = Host::start(Manner::Serve);
    let client = hasty().retries(0).build().unwrap();
    let image = |host: &Host| format!("{}/t/a:v1", host.address).parse().unwrap();
    expect_found(&client, &image(&closing));
    // Enough for the FIN to arrive.
    thread::sleep(Duration::from_millis(100));
    assert_eq!(closing.open.load(Ordering::SeqCst), 1);
    expect_found(&client, &image(&other));
    closing.expect_open(0);
    other.expect_open(1);
}

#[test]
fn r29_close_idle_closes_those_in_use_when_they_are_no_longer() {
    let slow = Host::start(Manner::ServeSlowly(Duration::from_millis(300)));
    let (client, images) = registries(1, slow.address);
    thread::scope(|scope| {
        scope.spawn(|| expect_found(&client, &images[0]));
        slow.expect_open(1);
        client.close_idle();
    });
    slow.expect_open(0);
    expect_found(&client, &images[0]);
    slow.expect_open(1);
    drop(client);
    slow.expect_open(0);
}

/// 600 registries, one after the other and eight at once. With 256 file descriptors the bound is
/// enough; with 48 idle connections have to give way.
#[test]
fn r29_600_registries_are_answered_with_few_file_descriptors() {
    if let Ok(port) = env::var(PORT) {
        return with_few_descriptors(port.parse().unwrap());
    }
    let host = Host::start(Manner::Serve);
    for limit in ["256", "48"] {
        let limited = format!("ulimit -n {limit} && exec \"$0\" \"$@\"");
        let this = "wire_idle::r29_600_registries_are_answered_with_few_file_descriptors";
        let mut helper = Command::new("sh");
        helper
            .arg("-c")
            .arg(limited)
            .arg(env::current_exe().unwrap());
        helper.args(["--exact", this, "--nocapture", "--test-threads=1"]);
        helper.env(PORT, host.address.port().to_string());
        let output = helper.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        assert!(output.status.success(), "{limit} descriptors: {text}");
        assert!(text.contains("1 passed"), "{text}");
        // The helper has asked in two ways, and has ended.
        host.expect_open(0);
        assert_eq!(host.accepted.swap(0, Ordering::SeqCst), 1200, "{limit}");
    }
}

fn with_few_descriptors(port: u16) {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let (client, images) = registries(600, address);
    for image in &images {
        expect_found(&client, image);
    }
    drop(client);
    let (client, images) = registries(600, address);
    for (image, result) in images.iter().zip(client.lookup_all(&images)) {
        assert!(
            matches!(result, Ok(Presence::Exists(_))),
            "{image}: {result:?}"
        );
    }
}
