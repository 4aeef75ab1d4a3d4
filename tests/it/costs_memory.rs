//! The most memory that an answer may cost, whatever a server sends: a list 128 MiB, any other
//! answer 64 MiB, and 24 MiB for each of several manifests at once.
//!
//! Memory is measured in a process with nothing else in it, which is this program with one of the
//! ignored tests named `helper_…`.

use std::env;
use std::fmt::Write as _;
use std::process::Command;
use std::sync::Arc;

use fake_registry::Recorded;
use ocireg::{Algorithm, CallOptions, Client, Digest, Error, Reference};
use raw_http::{Answer, Server, Service, Stop};

use crate::costs::{growth_in, only, peak, run};
use crate::quirks_support::{INDEX, builder};

const MIB: usize = 1024 * 1024;
/// Almost the largest page that is read.
const PAGE: usize = 63 * MIB;
const MARK: &str = "Docker-Distribution-Api-Version: registry/2.0";

/// A registry that sends the same body to every GET, and has no digest for a HEAD, so that each
/// manifest is fetched. It is its own token service.
struct Same {
    head: String,
    status: u16,
    body: Vec<u8>,
}

impl Service for Same {
    fn answer(&self, request: &Recorded, _: &Stop) -> Option<Answer> {
        let status = match request.path() == "/token" {
            true => 200,
            false => self.status,
        };
        let body = match request.method == "HEAD" {
            true => Vec::new(),
            false => self.body.clone(),
        };
        Some(Answer::new(status, &self.head, body))
    }
}

/// What was answered, as the helper prints it, and how much memory that took in KiB.
fn ask(what: &str, server: Same) -> (String, u64) {
    let server = Server::start(0, None, Arc::new(server));
    let mut helper = Command::new(env::current_exe().unwrap());
    only(&mut helper, "costs_memory::helper_one_question");
    helper.env("OCIREG_MEMORY_AT", server.address().to_string());
    helper.env("OCIREG_MEMORY_ASK", what);
    let said = run(helper);
    let outcome = said.lines().find_map(|line| line.strip_prefix("outcome: "));
    (outcome.unwrap().to_owned(), growth_in(&said))
}

#[track_caller]
fn expect(name: &str, what: &str, server: Same, outcome: &str, most: u64) {
    let (answered, growth) = ask(what, server);
    println!("{name}: {growth} KiB, {answered}");
    assert_eq!(answered, outcome, "{name}");
    if cfg!(target_os = "linux") {
        assert!(growth <= most * 1024, "{name}: {growth} KiB of {most} MiB");
    }
}

/// A registry's answer with this JSON.
fn json(body: impl Into<Vec<u8>>) -> Same {
    Same {
        head: format!("{MARK}\nContent-Type: application/json"),
        status: 200,
        body: body.into(),
    }
}

/// `count` different names of `length` letters, as JSON texts with commas between.
fn names(count: usize, length: usize) -> String {
    let mut list = String::new();
    for number in 0..count {
        let comma = if number == 0 { "" } else { "," };
        let _ = write!(list, r#"{comma}"{number:0>length$}""#);
    }
    list
}

/// Repeats `part` with commas between, up to `size` bytes.
fn repeated(part: &str, size: usize) -> String {
    let part = format!("{part},");
    let mut list = part.repeat(size / part.len());
    list.pop();
    list
}

const LIST: u64 = 128;

/// Lists within their limits come whole.
#[test]
fn the_largest_lists_take_128_mib() {
    let cases = [
        ("a million names", "tags", 1_000_000, 33),
        (
            "by pages of the size that was asked for",
            "pages",
            1_000_000,
            33,
        ),
    ];
    for (name, what, count, length) in cases {
        let body = format!(r#"{{"tags":[{}]}}"#, names(count, length));
        expect(name, what, json(body), &count.to_string(), LIST);
    }
}

/// A list that is too large ends inside its page.
#[test]
fn lists_that_are_too_large_end_inside_their_page() {
    let short = names(7_000_000, 1);
    let repositories = format!(r#"{{"repositories":[{short}]}}"#);
    let cases = [
        ("short names", "tags", format!(r#"{{"tags":[{short}]}}"#)),
        ("short names of repositories", "catalog", repositories),
        (
            "one name too many",
            "tags",
            format!(r#"{{"tags":[{}]}}"#, names(1_000_001, 8)),
        ),
        (
            "one byte too many",
            "tags",
            format!(r#"{{"tags":["a",{}]}}"#, names(262_144, 128)),
        ),
        ("many tags under their digests", "find", google(500_000)),
    ];
    for (name, what, body) in cases {
        expect(name, what, json(body), "TooLarge", LIST);
    }
}

/// What a list says beside its names is not kept, and names that are none are not either.
#[test]
fn odd_lists_take_128_mib() {
    let zeros = "0".repeat(64);
    let same = repeated(r#""a""#, 16 * MIB);
    let deep = "[".repeat(16 * MIB);
    let long = "a".repeat(PAGE);
    let manifest = format!(r#""manifest":{{"sha256:{zeros}":{{"tag":[{same}]}}}}"#);
    let cases = [
        (
            "one tag many times",
            "find",
            format!(r#"{{"tags":[],{manifest}}}"#),
            "0",
        ),
        (
            "one endless name",
            "tags",
            format!(r#"{{"tags":["{long}"]}}"#),
            "0",
        ),
        (
            "one endless nesting",
            "tags",
            format!(r#"{{"a":{deep}"#),
            "Protocol",
        ),
    ];
    for (name, what, body, outcome) in cases {
        expect(name, what, json(body), outcome, LIST);
    }
}

/// A list of Google's kind, with a digest of its own for each tag.
fn google(count: usize) -> String {
    let mut body = r#"{"tags":[],"manifest":{"#.to_owned();
    for number in 0..count {
        let comma = if number == 0 { "" } else { "," };
        let _ = write!(
            body,
            r#"{comma}"sha256:{number:064x}":{{"tag":["{number:06}"]}}"#
        );
    }
    body + "}}"
}

const OTHER: u64 = 64;

/// JSON that takes eighty times its size as a document.
fn bloated(size: usize) -> String {
    repeated(r#"{"a":0}"#, size)
}

/// The same server as one that wants a token.
fn wanting_token(token: String) -> Same {
    Same {
        head: format!("{MARK}\nWWW-Authenticate: Bearer realm=\"/token\""),
        status: 401,
        body: token.into(),
    }
}

#[test]
fn any_other_answer_takes_64_mib() {
    let small = 63 * 1024;
    let refusal = Same {
        status: 403,
        ..json(format!(r#"{{"errors":[{}]}}"#, bloated(small)))
    };
    let too_large = Same {
        status: 403,
        ..json(bloated(PAGE))
    };
    let token = |size| wanting_token(format!(r#"{{"junk":[{}]}}"#, bloated(size)));
    let manifest = format!(
        r#"{{"schemaVersion":2,"manifests":[],"a":[{}]}}"#,
        bloated(7 * MIB)
    );
    let cases = [
        ("a refusal", "exists", refusal, "Denied"),
        ("an endless refusal", "exists", too_large, "Denied"),
        ("a ping", "ping", json(bloated(small)), "Ok"),
        ("an endless ping", "ping", json(bloated(PAGE)), "TooLarge"),
        ("a token", "exists", token(MIB - 64), "Protocol"),
        ("an endless token", "exists", token(PAGE), "TooLarge"),
        ("a manifest", "exists", of_type(INDEX, manifest), "Exists"),
        (
            "an endless manifest",
            "exists",
            of_type(INDEX, bloated(PAGE)),
            "TooLarge",
        ),
    ];
    for (name, what, server, outcome) in cases {
        expect(name, what, server, outcome, OTHER);
    }
}

fn of_type(media_type: &str, body: String) -> Same {
    Same {
        head: format!("{MARK}\nContent-Type: {media_type}"),
        ..json(body)
    }
}

/// Each of several manifests at once, with as much in it as is read, takes 24 MiB.
#[test]
fn four_manifests_at_once_take_96_mib() {
    let size = 8 * MIB - 200;
    let signed = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    let texts = "a".repeat(size);
    let escapes = r"\u0061".repeat(size / 6);
    let schema1 = |protected: &str| {
        let signature = format!(r#"{{"protected":"{protected}"}}"#);
        format!(r#"{{"schemaVersion":1,"fsLayers":[],"signatures":[{signature}]}}"#)
    };
    let index = |more: String| format!(r#"{{"schemaVersion":2,"manifests":[],{more}}}"#);
    let cases = [
        (
            "values",
            of_type(INDEX, index(format!(r#""a":[{}]"#, bloated(size)))),
            "Exists",
        ),
        (
            "a key",
            of_type(INDEX, index(format!(r#""{escapes}":1"#))),
            "Exists",
        ),
        (
            "a type",
            of_type(INDEX, index(format!(r#""mediaType":"{escapes}""#))),
            "Protocol",
        ),
        (
            "a plain type",
            of_type(INDEX, index(format!(r#""mediaType":"{texts}""#))),
            "Protocol",
        ),
        ("a signature", of_type(signed, schema1(&texts)), "Protocol"),
        (
            "an escaped signature",
            of_type(signed, schema1(&escapes)),
            "Protocol",
        ),
    ];
    for (name, server, outcome) in cases {
        expect(name, "four", server, outcome, 4 * 24);
    }
}

/// The kind of an answer or of an error, and nothing of its text.
fn kind<T>(result: Result<T, Error>, shown: impl Fn(T) -> String) -> String {
    result.map_or_else(|error| format!("{:?}", error.kind()), shown)
}

/// The count of what is there.
fn count<T>(result: Result<Vec<T>, Error>) -> String {
    kind(result, |list| list.len().to_string())
}

fn pages(client: &Client, image: &Reference) -> Result<Vec<()>, Error> {
    let small = client.with(CallOptions::new().page_size(1_000_000.try_into().unwrap()));
    let mut all = Vec::new();
    for page in small.tag_pages(image.repository()).take(1) {
        all.extend(page?.entries.iter().map(|_| ()));
    }
    Ok(all)
}

/// Asks one question and prints the answer, and by how much the process grew at most meanwhile.
#[test]
#[ignore = "run by the tests of this module"]
fn helper_one_question() {
    let at = env::var("OCIREG_MEMORY_AT").unwrap();
    let image: Reference = format!("{at}/t/a:1").parse().unwrap();
    let registry = image.registry();
    let client = builder().build().unwrap();
    let digest = Digest::of(Algorithm::Sha256, b"");
    // What a first connection needs is not the answer's.
    let _ = client.ping(&"127.0.0.1:1".parse().unwrap());
    let word = |presence| {
        format!("{presence:?}")
            .split('(')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let before = peak();
    let outcome = match env::var("OCIREG_MEMORY_ASK").unwrap().as_str() {
        "tags" => count(client.tags(image.repository())),
        "pages" => count(pages(&client, &image)),
        "catalog" => count(client.catalog(registry)),
        "find" => count(client.tags_of_digest(image.repository(), &digest)),
        "ping" => kind(client.ping(registry), |_| "Ok".to_owned()),
        "four" => {
            let images =
                ["1", "2", "3", "4"].map(|tag| image.clone().with_tag(tag.parse().unwrap()));
            let four = client.with(CallOptions::new().concurrency(4));
            let mut all = four.lookup_all(&images).into_iter();
            kind(all.next().unwrap(), word)
        }
        _ => kind(client.exists(&image), word),
    };
    let growth = peak() - before;
    println!("\noutcome: {outcome}\npeak growth in KiB: {growth}");
}
