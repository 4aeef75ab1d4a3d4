//! The fake registry as a client sees it, byte by byte.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use fake_registry::{Ca, Config, FakeRegistry, LinkLoop, Page, Quirk};

const OCI: &str = "application/vnd.oci.image.manifest.v1+json";
const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// Sends one request on its own connection and returns the whole answer, with `$` for line ends.
#[track_caller]
fn ask(registry: &FakeRegistry, line: &str, header: &str, body: &str) -> String {
    let mut socket = TcpStream::connect(registry.address()).unwrap();
    let header = if header.is_empty() { "A: b" } else { header };
    let length = body.len();
    let head = format!("{line} HTTP/1.1\r\nHost: h\r\n{header}\r\nContent-Length: {length}");
    let request = format!("{head}\r\nConnection: close\r\n\r\n{body}");
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer.replace("\r\n", "$")
}

/// Fails unless the answer contains this text. A text that begins with `!` must be missing.
#[track_caller]
fn check(row: &[&str], answer: &str, expected: &str) {
    let unwanted = expected.strip_prefix('!');
    let shown = answer.contains(unwanted.unwrap_or(expected));
    assert_eq!(shown, unwanted.is_none(), "{row:?}\n{answer}");
}

/// Requests to one registry, in order: request line, header field, body, and what the answer
/// contains.
const CONVERSATION: &[[&str; 4]] = &[
    [
        "GET /v2/",
        "",
        "",
        "Docker-Distribution-Api-Version: registry/2.0$",
    ],
    ["GET /v2/t/a/manifests/v1", "Accept: {oci}", "", "200 OK$"],
    [
        "GET /v2/t/a/manifests/v1",
        "Accept: {oci}",
        "",
        "Docker-Content-Digest: {digest}$",
    ],
    [
        "HEAD /v2/t/a/manifests/{digest}",
        "Accept: {oci}",
        "",
        "Content-Length: 2$",
    ],
    [
        "GET /v2/t/a/manifests/v1",
        "Accept: */*",
        "",
        "accept header does not support",
    ],
    [
        "PUT /v2/t/b/manifests/v2",
        "Content-Type: {oci}",
        "[]",
        "201 Created$",
    ],
    [
        "PUT /v2/t/b/manifests/{digest}",
        "Content-Type: {oci}",
        "[]",
        "DIGEST_INVALID",
    ],
    ["DELETE /v2/t/b/manifests/v2", "", "", "202 Accepted$"],
    ["GET /v2/t/b/manifests/v2", "", "", "MANIFEST_UNKNOWN"],
    ["HEAD /v2/t/b/manifests/v2", "", "", "!errors"],
    [
        "POST /v2/t/a/blobs/uploads/",
        "",
        "",
        "uploads/session-1?_state=0$",
    ],
    [
        "PATCH /v2/t/a/blobs/uploads/session-1?_state=0",
        "Content-Range: 0-1",
        "he",
        "Range: 0-1$",
    ],
    [
        "PATCH /v2/t/a/blobs/uploads/session-1?_state=0",
        "",
        "xx",
        "BLOB_UPLOAD_INVALID",
    ],
    [
        "PUT /v2/t/a/blobs/uploads/session-1?_state=2&digest={hello}",
        "Content-Range: 2-4",
        "llo",
        "201 Created$",
    ],
    [
        "GET /v2/t/a/blobs/{hello}",
        "Range: bytes=1-3",
        "",
        "206 Partial Content$",
    ],
    [
        "GET /v2/t/a/blobs/{hello}",
        "Range: bytes=1-3",
        "",
        "bytes 1-3/5$",
    ],
    ["GET /v2/t/a/blobs/{hello}", "Range: bytes=1-3", "", "$$ell"],
    [
        "POST /v2/t/b/blobs/uploads/?mount={hello}&from=t/a",
        "",
        "",
        "201 Created$",
    ],
];

#[test]
fn manifests_and_blobs_come_and_go() {
    let registry = FakeRegistry::start(Config::new());
    let digest = registry.put_manifest("t/a", "v1", OCI, "{}");
    let hello = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    for row in CONVERSATION {
        let fill = |cell: &str| {
            let filled = cell.replace("{oci}", OCI).replace("{digest}", &digest);
            filled.replace("{hello}", hello)
        };
        let [line, header, body, expected] = row.map(fill);
        check(row, &ask(&registry, &line, &header, &body), &expected);
    }
    let log = registry.take_requests();
    assert_eq!(log.len(), CONVERSATION.len());
    assert_eq!((&*log[5].method, &*log[5].body), ("PUT", &b"[]"[..]));
    assert_eq!(
        (registry.request_count(), registry.connection_count()),
        (0, log.len() as u64)
    );
}

/// Quirk, request, and what the answer contains.
const QUIRKS: &[[&str; 3]] = &[
    [
        "head-status=404,html",
        "HEAD /v2/t/a/manifests/v1",
        "404 Not Found$Content-Type: text/html",
    ],
    [
        "head-status=404,html",
        "HEAD /v2/t/a/manifests/v1",
        "!Api-Version",
    ],
    [
        "unmarked-not-found=xml",
        "GET /v2/t/a/manifests/x",
        "NoSuchKey",
    ],
    [
        "unmarked-not-found=html",
        "GET /v2/t/a/manifests/v1",
        "!Api-Version",
    ],
    ["not-a-registry=200,html", "GET /v2/", "Please log in"],
    [
        "no-digest-header",
        "GET /v2/t/a/manifests/v1",
        "!Docker-Content-Digest",
    ],
    [
        "upper-case-digest-header",
        "GET /v2/t/a/manifests/v1",
        "sha256:44136FA355B3678A",
    ],
    [
        "manifest-content-type=text/css",
        "GET /v2/t/a/manifests/v1",
        "Content-Type: text/css$",
    ],
    [
        "manifest-content-type",
        "GET /v2/t/a/manifests/v1",
        "!Content-Type",
    ],
    [
        "redirect-manifests=307,http://h",
        "GET /v2/t/a/manifests/v1",
        "Location: http://h/v2/t/a/manifests/v1$",
    ],
    [
        "redirect-repository=t/b",
        "GET /v2/t/a/manifests/v1",
        "Location: /v2/t/b/manifests/v1$",
    ],
    [
        "redirect-hops=2",
        "GET /v2/t/a/manifests/v1?hop=1",
        "?hop=2$",
    ],
    [
        "redirect-hops=2",
        "GET /v2/t/a/manifests/v1?hop=2",
        "200 OK",
    ],
    [
        "challenge=empty,Basic a=b|X c=d",
        "GET /v2/",
        "WWW-Authenticate: X c=d$",
    ],
    [
        "too-many-requests=1,30",
        "GET /v2/t/a/manifests/v1",
        "Retry-After: 30$",
    ],
    ["http10", "GET /v2/t/a/manifests/v1", "HTTP/1.0 200 OK"],
    [
        "opaque-cursor",
        "GET /v2/t/a/tags/list?n=1",
        "<http://h/v2/t/a/tags/list?cursor=7631&n=1>",
    ],
    [
        "opaque-cursor",
        "GET /v2/t/a/tags/list?cursor=7631",
        "[\"w000000\",",
    ],
    ["no-link", "GET /v2/t/a/tags/list?n=1", "!Link"],
    ["null-entries", "GET /v2/t/a/tags/list?n=1", "[null,\"v1\"]"],
    [
        "looping-link=endless",
        "GET /v2/t/a/tags/list?last=4",
        "list?last=5>",
    ],
    [
        "gcr-lists",
        "GET /v2/t/a/tags/list",
        "[\"w000000\",\"w000001\",\"w000002\"]",
    ],
];

#[test]
fn quirks_show() {
    for row in QUIRKS {
        let [quirk, line, expected] = row;
        let registry = FakeRegistry::start(Config::new().quirk(quirk.parse().unwrap()));
        registry.put_manifest("t/a", "v1", DOCKER, "{}");
        registry.put_tags("t/a", "w", 3);
        check(row, &ask(&registry, line, "", ""), expected);
    }
}

#[test]
fn every_quirk_has_a_name_that_parses() {
    let values = " =5 =404,html =307,http://h =html,Basic|Bearer =503,2 =pair";
    for (name, help) in Quirk::all() {
        let parses = |value| format!("{name}{value}").parse::<Quirk>().is_ok();
        assert!(values.split(' ').any(parses) && !help.is_empty(), "{name}");
    }
    let challenges = vec!["Basic realm=\"a,b\"".into(), "Bearer x=y".into()];
    let right = [
        ("deny=403", Quirk::Deny(403, Page::Json)),
        ("looping-link=pair", Quirk::LoopingLink(LinkLoop::Pair)),
        (
            "challenge=object,Basic realm=\"a,b\"|Bearer x=y",
            Quirk::Challenge(Page::Object, challenges),
        ),
    ];
    for (text, quirk) in right {
        assert_eq!(text.parse(), Ok(quirk));
    }
    for wrong in " no-link=1 deny=x deny=403,pdf fail-first=503 nonsense".split(' ') {
        assert!(wrong.parse::<Quirk>().is_err(), "{wrong}");
    }
}

#[test]
fn quirks_can_change_while_it_runs() {
    let registry = FakeRegistry::start(Config::new());
    let ping = || ask(&registry, "GET /v2/", "", "");
    registry.add_quirk(Quirk::FailFirst(503, 1));
    assert!(ping().starts_with("HTTP/1.1 503"));
    assert!(ping().starts_with("HTTP/1.1 200"));
    registry.set_quirks([Quirk::PingBody("true".into())]);
    assert!(ping().ends_with("true"));
    registry.set_quirks([]);
    assert!(ping().ends_with("{}"));
}

#[test]
fn lists_come_in_pages() {
    let registry = FakeRegistry::start(Config::new().page_size(400));
    registry.put_tags("t/a", "v", 1000);
    let (mut next, mut count) = ("/v2/t/a/tags/list".to_owned(), 0);
    for links in [1, 1, 0] {
        let page = ask(&registry, &format!("GET {next}"), "", "");
        count += page.matches("\"v0").count();
        assert_eq!(page.matches("Link: <").count(), links, "{page}");
        next = page.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
    }
    assert_eq!(count, 1000);
}

/// How connections end is tested in raw-http. This proves that the settings reach it.
#[test]
fn connections_obey_the_settings() {
    let idle = Quirk::IdleClose(Duration::from_millis(20));
    let registry = FakeRegistry::start(Config::new().quirk(idle));
    let mut socket = TcpStream::connect(registry.address()).unwrap();
    socket.write_all(b"GET /v2/ HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket
        .read_to_string(&mut answer)
        .expect("R5: FIN after a while");
    assert!(answer.ends_with("{}"), "{answer}");
    let tls = FakeRegistry::start(Config::new().tls(Ca::new().identity(&["localhost"])));
    assert!(tls.url().starts_with("https://127.0.0.1:"));
    assert!(
        ask(&tls, "GET /v2/", "", "").contains("to an HTTPS server"),
        "B12"
    );
}
