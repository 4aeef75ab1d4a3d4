//! The fake registry as a client sees it, byte by byte.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use fake_registry::{Config, FakeRegistry, LinkLoop, Page, Quirk};

const OCI: &str = "application/vnd.oci.image.manifest.v1+json";

/// Sends one request on a connection of its own and returns all that comes back.
#[track_caller]
fn ask(registry: &FakeRegistry, line: &str, headers: &str, body: &str) -> String {
    let mut socket = TcpStream::connect(registry.address()).unwrap();
    let length = body.len();
    let head =
        format!("{line} HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\nConnection: close\r\n");
    socket
        .write_all(format!("{head}{headers}\r\n{body}").as_bytes())
        .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

#[track_caller]
fn with(quirk: &str, line: &str) -> String {
    let registry = FakeRegistry::start(Config::new().quirk(quirk.parse().unwrap()));
    registry.put_manifest(
        "t/a",
        "v1",
        "application/vnd.docker.distribution.manifest.v2+json",
        "{}",
    );
    registry.put_tags("t/a", "w", 3);
    ask(&registry, line, "", "")
}

#[test]
fn every_quirk_has_a_name_that_parses() {
    for (name, help) in Quirk::all() {
        let values = [
            "",
            "=5",
            "=404,html",
            "=307,http://h",
            "=html,Basic|Bearer",
            "=503,2",
            "=pair",
        ];
        let parsed = values
            .iter()
            .find_map(|value| format!("{name}{value}").parse::<Quirk>().ok());
        assert!(parsed.is_some() && !help.is_empty(), "{name}");
    }
    assert_eq!("deny=403".parse(), Ok(Quirk::Deny(403, Page::Json)));
    let several = Quirk::Challenge(
        Page::Object,
        vec!["Basic realm=\"a,b\"".into(), "Bearer x=y".into()],
    );
    assert_eq!(
        "challenge=object,Basic realm=\"a,b\"|Bearer x=y".parse(),
        Ok(several)
    );
    assert_eq!(
        "looping-link=pair".parse(),
        Ok(Quirk::LoopingLink(LinkLoop::Pair))
    );
    for wrong in [
        "",
        "no-link=1",
        "deny=x",
        "deny=403,pdf",
        "fail-first=503",
        "nonsense",
    ] {
        assert!(wrong.parse::<Quirk>().is_err(), "{wrong}");
    }
}

#[test]
fn manifests_are_served_and_logged() {
    let registry = FakeRegistry::start(Config::new());
    let digest = registry.put_manifest("t/a", "v1", OCI, "{}");
    let accept = format!("Accept: text/html\r\nAccept: {OCI}\r\n");
    let got = ask(&registry, "GET /v2/t/a/manifests/v1", &accept, "");
    assert!(
        got.starts_with("HTTP/1.1 200 OK\r\n") && got.ends_with("\r\n\r\n{}"),
        "{got}"
    );
    assert!(
        got.contains(&format!("Docker-Content-Digest: {digest}\r\n")),
        "{got}"
    );
    let got = ask(
        &registry,
        &format!("HEAD /v2/t/a/manifests/{digest}"),
        &accept,
        "",
    );
    assert!(
        got.contains("Content-Length: 2\r\n") && got.ends_with("\r\n\r\n"),
        "{got}"
    );
    let refused = ask(&registry, "GET /v2/t/a/manifests/v1", "Accept: */*\r\n", "");
    assert!(
        refused.contains("404") && refused.contains("accept header does not support"),
        "E5 {refused}"
    );
    assert!(
        ask(&registry, "HEAD /v2/t/a/manifests/v2", "", "").ends_with("\r\n\r\n"),
        "J6"
    );
    let pushed = ask(
        &registry,
        "PUT /v2/t/b/manifests/v2",
        &format!("Content-Type: {OCI}\r\n"),
        "[]",
    );
    assert!(pushed.starts_with("HTTP/1.1 201"), "{pushed}");
    assert!(ask(&registry, "DELETE /v2/t/b/manifests/v2", "", "").contains(" 202 "));
    let log = registry.take_requests();
    assert_eq!(
        (
            log.len(),
            registry.request_count(),
            registry.connection_count()
        ),
        (6, 0, 6)
    );
    assert_eq!(
        (log[0].method.as_str(), log[4].body.as_slice()),
        ("GET", &b"[]"[..])
    );
    assert_eq!(
        log[0].header("ACCEPT").unwrap(),
        format!("text/html, {OCI}")
    );
}

#[test]
fn blobs_go_up_in_pieces_and_come_down_in_ranges() {
    let registry = FakeRegistry::start(Config::new());
    let location = |answer: &str| {
        answer
            .split_once("Location: ")
            .unwrap()
            .1
            .split("\r\n")
            .next()
            .unwrap()
            .to_owned()
    };
    let first = location(&ask(&registry, "POST /v2/t/a/blobs/uploads/", "", ""));
    let second = ask(
        &registry,
        &format!("PATCH {first}"),
        "Content-Range: 0-1\r\n",
        "he",
    );
    assert!(
        second.contains("202 Accepted") && second.contains("Range: 0-1\r\n"),
        "{second}"
    );
    assert!(
        ask(&registry, &format!("PATCH {first}"), "", "xx").contains("BLOB_UPLOAD_INVALID"),
        "G10"
    );
    let digest = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let last = format!("PUT {}&digest={digest}", location(&second));
    assert!(ask(&registry, &last, "Content-Range: 2-4\r\n", "llo").contains("201 Created"));
    let part = ask(
        &registry,
        &format!("GET /v2/t/a/blobs/{digest}"),
        "Range: bytes=1-3\r\n",
        "",
    );
    assert!(
        part.contains("Content-Range: bytes 1-3/5\r\n") && part.ends_with("\r\n\r\nell"),
        "{part}"
    );
    let mounted = ask(
        &registry,
        &format!("POST /v2/t/b/blobs/uploads/?mount={digest}&from=t/a"),
        "",
        "",
    );
    assert!(mounted.contains("201 Created"), "{mounted}");
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

/// Quirk, request, and what the answer has to contain, or not with `!`; `$` is a line end.
const TABLE: &str = r#"
head-status=404,html;           HEAD /v2/t/a/manifests/v1;          404 Not Found$Content-Type: text/html
head-status=404,html;           HEAD /v2/t/a/manifests/v1;          !Api-Version
unmarked-not-found=xml;         GET /v2/t/a/manifests/x;            NoSuchKey
unmarked-not-found=html;        GET /v2/t/a/manifests/v1;           !Api-Version
not-a-registry=200,html;        GET /v2/;                           Please log in
no-digest-header;               GET /v2/t/a/manifests/v1;           !Docker-Content-Digest
upper-case-digest-header;       GET /v2/t/a/manifests/v1;           sha256:44136FA355B3678A
manifest-content-type=text/css; GET /v2/t/a/manifests/v1;           Content-Type: text/css$
manifest-content-type;          GET /v2/t/a/manifests/v1;           !Content-Type
redirect-manifests=307,http://h;GET /v2/t/a/manifests/v1;           Location: http://h/v2/t/a/manifests/v1$
redirect-repository=t/b;        GET /v2/t/a/manifests/v1;           Location: /v2/t/b/manifests/v1$
redirect-hops=2;                GET /v2/t/a/manifests/v1?hop=1;     ?hop=2$
redirect-hops=2;                GET /v2/t/a/manifests/v1?hop=2;     200 OK
challenge=empty,Basic a=b|X c=d;GET /v2/;                           WWW-Authenticate: X c=d$
too-many-requests=1,30;         GET /v2/t/a/manifests/v1;           Retry-After: 30$
http10;                         GET /v2/t/a/manifests/v1;           HTTP/1.0 200 OK
opaque-cursor;                  GET /v2/t/a/tags/list?n=1;          <http://h/v2/t/a/tags/list?cursor=7631&n=1>
opaque-cursor;                  GET /v2/t/a/tags/list?cursor=7631;  ["w000000",
no-link;                        GET /v2/t/a/tags/list?n=1;          !Link
null-entries;                   GET /v2/t/a/tags/list?n=1;          [null,"v1"]
looping-link=endless;           GET /v2/t/a/tags/list?last=4;       list?last=5>
gcr-lists;                      GET /v2/t/a/tags/list;              ["w000000","w000001","w000002"]"#;

#[test]
fn quirks_show() {
    for line in TABLE.trim().lines() {
        let parts: Vec<&str> = line.split(';').map(str::trim).collect();
        let answer = with(parts[0], parts[1]).replace("\r\n", "$");
        let unwanted = parts[2].strip_prefix('!');
        let shown = answer.contains(unwanted.unwrap_or(parts[2]));
        assert_eq!(shown, unwanted.is_none(), "{line}\n{answer}");
    }
}

#[test]
fn counting_quirks_can_change_while_it_runs() {
    let registry = FakeRegistry::start(Config::new());
    registry.add_quirk(Quirk::FailFirst(503, 1));
    assert!(ask(&registry, "GET /v2/", "", "").starts_with("HTTP/1.1 503"));
    assert!(ask(&registry, "GET /v2/", "", "").starts_with("HTTP/1.1 200"));
    registry.set_quirks([Quirk::PingBody("true".into())]);
    assert!(ask(&registry, "GET /v2/", "", "").ends_with("true"));
    registry.remove_quirk(&Quirk::PingBody("true".into()));
    assert!(ask(&registry, "GET /v2/", "", "").ends_with("{}"));
}

#[test]
fn connections_stay_and_go() {
    let idle = Quirk::IdleClose(Duration::from_millis(20));
    let registry = FakeRegistry::start(Config::new().quirk(idle));
    let mut socket = TcpStream::connect(registry.address()).unwrap();
    let twice = "HEAD /v2/x/manifests/y HTTP/1.1\r\n\r\nGET /v2/ HTTP/1.1\r\n\r\n";
    socket.write_all(twice.as_bytes()).unwrap();
    let mut answers = String::new();
    socket
        .read_to_string(&mut answers)
        .expect("R5: FIN after a while");
    assert_eq!(answers.matches("HTTP/1.1 ").count(), 2, "J6 {answers}");
    assert_eq!(
        (
            registry.connection_count(),
            registry.requests()[1].connection
        ),
        (1, 0)
    );
}
