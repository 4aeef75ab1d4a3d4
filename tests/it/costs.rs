//! What a warm lookup and a long list cost: system calls, threads, name resolutions, memory.
//! Counted, not timed: times are compared in `bench`.
//!
//! Counting needs a process that runs nothing else. So the tests start this program again, with one
//! of the ignored tests named `helper_…`.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use ocireg::{CallOptions, Client, ClientBuilder, Presence, Reference, Resolver};
use test_support::certificates::Authority;
use test_support::{DockerRegistry, RegistryConfig, require, seed, skip};

/// The most system calls of a warm lookup.
const MAX_SYSTEM_CALLS: usize = 10;
/// How many lookups are counted, one by one.
const LOOKUPS: usize = 9;
/// A host name that only the resolver of these tests knows.
const HOST: &str = "registry.test";

#[test]
fn a_warm_lookup_makes_few_system_calls_over_http() {
    let server = TinyRegistry::start(Vec::new());
    expect_few_system_calls("http, a tiny server", server.port, None);
}

#[test]
fn a_warm_lookup_makes_few_system_calls_to_a_real_registry() {
    let Some(registry) = DockerRegistry::start(&RegistryConfig::new()) else {
        return;
    };
    seed::push_tags(registry.authority(), "team/app", &["1"]);
    expect_few_system_calls("http, docker-registry", registry.port(), None);
}

#[test]
fn a_warm_lookup_makes_few_system_calls_to_a_real_registry_over_tls() {
    let Some(plain) = DockerRegistry::start(&RegistryConfig::new()) else {
        return;
    };
    seed::push_tags(plain.authority(), "team/app", &["1"]);
    let files = tempfile::tempdir().unwrap();
    let Some(authority) = Authority::create(files.path(), "ca") else {
        return;
    };
    let certificate = authority.issue_for("server", "subjectAltName = DNS:registry.test");
    let config = RegistryConfig::new()
        .tls(&certificate.certificate, &certificate.key)
        .data_dir(plain.data_dir());
    let Some(registry) = DockerRegistry::start(&config) else {
        return;
    };
    expect_few_system_calls(
        "TLS, docker-registry",
        registry.port(),
        Some(&authority.certificate),
    );
}

#[test]
fn only_the_first_lookup_resolves_the_name() {
    let server = TinyRegistry::start(Vec::new());
    let resolved = Arc::new(AtomicUsize::new(0));
    let client = client(server.port, None, &resolved);
    let image = image(server.port);
    for _ in 0..20 {
        expect_existing(&client, &image);
    }
    assert_eq!(resolved.load(Ordering::Relaxed), 1);
}

/// 100,000 tags in 100 pages: all of them, in order, and no more memory than a page needs unless
/// they are kept.
#[test]
fn r15_a_long_list_is_complete_and_read_page_by_page() {
    let server = TinyRegistry::start(pages(100, 1000));
    let growth = |keep: &str| -> u64 {
        let mut helper = Command::new(env::current_exe().unwrap());
        only(&mut helper, "costs::helper_long_list");
        helper.env("OCIREG_COSTS_PORT", server.port.to_string());
        helper.env("OCIREG_COSTS_KEEP", keep);
        growth_in(&run(helper))
    };
    let (streamed, whole) = (growth("nothing"), growth("everything"));
    println!("100,000 tags: {streamed} KiB page by page, {whole} KiB as a whole");
    if cfg!(target_os = "linux") {
        // A page is 1,000 tags of 10 bytes, far below the first bound. The list is 100 times that.
        assert!(streamed <= 4 * 1024, "{streamed} KiB page by page");
        assert!(whole <= 48 * 1024, "{whole} KiB as a whole");
    }
}

/// 10,000 images in a batch, and 10,000 tags compared: a result is kept for each, and nothing for
/// each request.
#[test]
fn many_lookups_keep_their_results_and_little_else() {
    let server = TinyRegistry::start(pages(10, 1000));
    for what in ["find", "batch"] {
        let mut helper = Command::new(env::current_exe().unwrap());
        only(&mut helper, "costs::helper_many_lookups");
        helper.env("OCIREG_COSTS_PORT", server.port.to_string());
        helper.env("OCIREG_COSTS_WHAT", what);
        let growth = growth_in(&run(helper));
        println!("10,000 lookups, {what}: {growth} KiB");
        if cfg!(target_os = "linux") {
            assert!(growth <= 16 * 1024, "{what}: {growth} KiB");
        }
    }
}

/// Looks an image up. In the trace of its system calls there is a marker before each lookup and
/// after the last.
#[test]
#[ignore = "run by the tests of this module, under strace"]
fn helper_warm_lookups() {
    let resolved = Arc::new(AtomicUsize::new(0));
    let port = env::var("OCIREG_COSTS_PORT").unwrap().parse().unwrap();
    let authority = env::var_os("OCIREG_COSTS_CA");
    let client = client(port, authority.as_ref().map(Path::new), &resolved);
    let image = image(port);
    mark("cold");
    expect_existing(&client, &image);
    mark("warming up");
    for _ in 0..20 {
        expect_existing(&client, &image);
    }
    for _ in 0..LOOKUPS {
        mark("warm");
        expect_existing(&client, &image);
    }
    mark("end");
    assert_eq!(resolved.load(Ordering::Relaxed), 1);
}

/// Reads the list and prints the largest growth of the process.
#[test]
#[ignore = "run by the tests of this module"]
fn helper_long_list() {
    let port = env::var("OCIREG_COSTS_PORT").unwrap().parse().unwrap();
    let client = client(port, None, &Arc::default());
    let image = image(port);
    let repository = image.repository();
    let mut expected = tags(100 * 1000);
    // The connection and the first page do not count.
    client.tag_pages(repository).next().unwrap().unwrap();
    let before = peak();
    if env::var("OCIREG_COSTS_KEEP").unwrap() == "everything" {
        let all = client.tags(repository).unwrap();
        let after = peak();
        assert!(all.iter().map(ToString::to_string).eq(expected));
        println!("\npeak growth in KiB: {}", after - before);
        return;
    }
    let mut pages = 0;
    for page in client.tag_pages(repository) {
        pages += 1;
        for tag in page.unwrap().entries {
            assert_eq!(Some(tag.to_string()), expected.next());
        }
    }
    assert_eq!((pages, expected.next()), (100, None));
    println!("\npeak growth in KiB: {}", peak() - before);
}

/// Looks up many images, or compares many tags, 16 at once, and prints the largest growth of the
/// process.
#[test]
#[ignore = "run by the tests of this module"]
fn helper_many_lookups() {
    let port = env::var("OCIREG_COSTS_PORT").unwrap().parse().unwrap();
    let client = client(port, None, &Arc::default());
    let wide = client.with(CallOptions::new().concurrency(16));
    let image = image(port);
    let digest = seed::digest(b"{}").parse().unwrap();
    let references: Vec<Reference> = tags(10 * 1000)
        .map(|tag| image.repository().tagged(tag.parse().unwrap()))
        .collect();
    expect_existing(&client, &image);
    let before = peak();
    let found = match env::var("OCIREG_COSTS_WHAT").unwrap().as_str() {
        "find" => {
            let tags = wide.tags_of_digest(image.repository(), &digest);
            tags.unwrap().len()
        }
        _ => {
            let answers = wide.lookup_all(&references).into_iter();
            answers
                .filter(|answer| matches!(answer, Ok(Presence::Exists(_))))
                .count()
        }
    };
    assert_eq!(found, references.len());
    println!("\npeak growth in KiB: {}", peak() - before);
}

/// The growth that a helper printed.
#[track_caller]
pub(crate) fn growth_in(said: &str) -> u64 {
    let kib = said
        .lines()
        .find_map(|line| line.strip_prefix("peak growth in KiB: "))
        .unwrap_or_else(|| panic!("the helper does not tell its memory: {said}"));
    kib.parse().unwrap()
}

#[track_caller]
fn expect_few_system_calls(what: &str, port: u16, authority: Option<&Path>) {
    let Some(strace) = require("strace") else {
        return;
    };
    let files = tempfile::tempdir().unwrap();
    let trace = files.path().join("trace");
    // Some containers forbid tracing.
    let allowed = Command::new(&strace)
        .args(["-o", "/dev/null", "true"])
        .stderr(Stdio::null())
        .status();
    if !allowed.is_ok_and(|status| status.success()) {
        return skip("strace may not trace here");
    }
    let mut helper = Command::new(strace);
    helper.arg("-f").arg("-o").arg(&trace).arg("--");
    helper.arg(env::current_exe().unwrap());
    only(&mut helper, "costs::helper_warm_lookups");
    helper.env("OCIREG_COSTS_PORT", port.to_string());
    if let Some(authority) = authority {
        helper.env("OCIREG_COSTS_CA", authority);
    }
    run(helper);

    let sections = calls_between_markers(&fs::read_to_string(&trace).unwrap());
    // Cold, warming up, and the rest.
    assert_eq!(sections.len(), 2 + LOOKUPS, "{what}");
    let has = |calls: &[String], name: &str| calls.iter().any(|call| call.starts_with(name));
    for name in ["clone", "socket", "connect"] {
        assert!(has(&sections[0], name), "{what}: the trace misses {name}");
    }
    let mut lookups = sections[2..].to_vec();
    for name in ["clone", "fork", "socket", "connect", "open"] {
        for calls in &lookups {
            assert!(!has(calls, name), "{what}: {name} when warm: {calls:?}");
        }
    }
    // The median: on a busy machine an answer may take more than one slice of a wait, and each
    // slice costs a call.
    lookups.sort_by_key(Vec::len);
    let calls = &lookups[LOOKUPS / 2];
    println!("{what}: {} system calls: {}", calls.len(), calls.join(" "));
    assert!(calls.len() <= MAX_SYSTEM_CALLS, "{what}: {calls:?}");
}

/// The names of the system calls of all threads between each marker and the next.
fn calls_between_markers(trace: &str) -> Vec<Vec<String>> {
    let mut sections: Vec<Vec<String>> = Vec::new();
    for line in trace.lines() {
        // "PID name(arguments) = result". A call that another thread interrupted continues in a
        // line "<... name resumed>".
        let call = line
            .split_once(' ')
            .map_or("", |(_, call)| call.trim_start());
        let Some((name, _)) = call.split_once('(').filter(|_| !call.starts_with('<')) else {
            continue;
        };
        if call.contains(MARKER) {
            sections.push(Vec::new());
        } else if let Some(calls) = sections.last_mut() {
            calls.push(name.to_owned());
        }
    }
    sections.pop();
    sections
}

const MARKER: &str = "/ocireg-costs/";

/// A system call without effect that marks a place in the trace.
fn mark(what: &str) {
    assert!(!Path::new(&format!("{MARKER}{what}")).exists());
}

/// Makes this program run one test and no other.
pub(crate) fn only(command: &mut Command, test: &str) {
    command
        .args(["--exact", test, "--ignored", "--nocapture"])
        .args(["--test-threads", "1"]);
}

#[track_caller]
pub(crate) fn run(mut command: Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complained}");
    assert!(said.contains("1 passed"), "no such helper: {said}");
    said
}

fn client(port: u16, authority: Option<&Path>, resolved: &Arc<AtomicUsize>) -> Client {
    let registry = format!("{HOST}:{port}");
    let builder: ClientBuilder = Client::builder().resolver(CountingResolver(resolved.clone()));
    match authority {
        Some(authority) => builder.ca_file(&registry, authority),
        None => builder.plain_http(&registry),
    }
    .build()
    .unwrap()
}

fn image(port: u16) -> Reference {
    format!("{HOST}:{port}/team/app:1").parse().unwrap()
}

#[track_caller]
fn expect_existing(client: &Client, image: &Reference) {
    let presence = client.exists(image).unwrap();
    assert!(matches!(presence, Presence::Exists(_)), "{presence:?}");
}

struct CountingResolver(Arc<AtomicUsize>);

impl Resolver for CountingResolver {
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        assert_eq!(host, HOST);
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))])
    }
}

/// The peak of resident memory of this process in KiB; 0 if the system does not tell.
pub(crate) fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or_default()
}

fn tags(count: usize) -> impl Iterator<Item = String> {
    // Not in alphabetical order, since the registry's order counts.
    (0..count).map(move |number| format!("v-{}", count * 9 - number))
}

/// The bodies of a list's pages.
fn pages(count: usize, entries: usize) -> Vec<String> {
    let mut all = tags(count * entries);
    (0..count)
        .map(|_| {
            let page: Vec<String> = all.by_ref().take(entries).collect();
            format!(
                r#"{{"name":"team/app","tags":["{}"]}}"#,
                page.join(r#"",""#)
            )
        })
        .collect()
}

/// A server that answers every HEAD like a registry that has the manifest, and GET with pages of
/// tags. Ends with the test program.
struct TinyRegistry {
    port: u16,
}

impl TinyRegistry {
    fn start(pages: Vec<String>) -> TinyRegistry {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let pages = Arc::new(pages);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let pages = pages.clone();
                thread::spawn(move || serve(stream, &pages));
            }
        });
        TinyRegistry { port }
    }
}

/// Answers until the client closes the connection.
fn serve(stream: TcpStream, pages: &[String]) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut requests = BufReader::new(stream.try_clone()?).lines();
    let mut stream = stream;
    while let Some(request) = requests.next() {
        let request = request?;
        for line in requests.by_ref() {
            if line?.is_empty() {
                break;
            }
        }
        stream.write_all(answer(&request, pages).as_bytes())?;
    }
    Ok(())
}

fn answer(request: &str, pages: &[String]) -> String {
    let mut head =
        "HTTP/1.1 200 OK\r\nDocker-Distribution-Api-Version: registry/2.0\r\n".to_owned();
    if request.starts_with("HEAD ") {
        let digest = seed::digest(b"{}");
        head += "Content-Type: application/vnd.oci.image.manifest.v1+json\r\nContent-Length: 2\r\n";
        let _ = write!(head, "Docker-Content-Digest: {digest}\r\n\r\n");
        return head;
    }
    let target = request.split(' ').nth(1).unwrap_or_default();
    let page: usize = target
        .split_once("?page=")
        .map_or(0, |(_, page)| page.parse().unwrap());
    if page + 1 < pages.len() {
        let next = page + 1;
        let _ = write!(
            head,
            "Link: </v2/team/app/tags/list?page={next}>; rel=\"next\"\r\n"
        );
    }
    let body = &pages[page];
    let _ = write!(
        head,
        "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    head
}
