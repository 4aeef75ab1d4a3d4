//! Answers that are too large, too deep or of the wrong shape (S9, E11, R18): the error says so, in
//! bounded time.

use std::time::{Duration, Instant};

use fake_registry::{Script, ScriptServer};
use ocireg::{Client, Error, ErrorKind};

use super::faults_support::{Ask, MANIFEST, hasty, once};

/// Asks a server that answers with these bytes, and then again.
#[track_caller]
fn answered(name: &str, ask: Ask, answer: impl AsRef<[u8]>) -> Result<String, Error> {
    answered_to(once(), name, ask, answer)
}

#[track_caller]
fn answered_to(
    client: Client,
    name: &str,
    ask: Ask,
    answer: impl AsRef<[u8]>,
) -> Result<String, Error> {
    let mut scripts = ask.lesson();
    scripts.extend([Script::new().read_request().send(answer), ask.good()]);
    let server = ScriptServer::start(scripts);
    let authority = server.authority();
    ask.learn(&client, &authority);
    let started = Instant::now();
    let result = ask.run(&client, &authority);
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{name} took long"
    );
    assert_eq!(
        ask.run(&client, &authority).unwrap(),
        ask.expected(),
        "after {name}"
    );
    result
}

#[track_caller]
fn fails(name: &str, result: Result<String, Error>, kind: ErrorKind) {
    let error = result.expect_err(name);
    assert_eq!(error.kind(), kind, "{name}: {error:?}");
    assert!(error.to_string().len() < 1000, "{name}: {error}");
}

#[test]
fn s9_heads_up_to_the_limit_and_above_it() {
    use ErrorKind::{Protocol, TooLarge};
    let fill = |bytes: usize| format!("X-Filler: {}\r\n", "x".repeat(bytes));
    let cases = [
        ("a field of 60 KB", fill(60_000), None),
        ("a field of 70 KB", fill(70_000), Some(TooLarge)),
        ("a field of 10 MB", fill(10 << 20), Some(TooLarge)),
        (
            "a name of 70 KB",
            format!("{}: x\r\n", "x".repeat(70_000)),
            Some(Protocol),
        ),
        ("a hundred fields", fill(10).repeat(100), None),
        ("a thousand fields", fill(1).repeat(1000), Some(TooLarge)),
        (
            "a hundred fields of 1 KB",
            fill(1000).repeat(100),
            Some(TooLarge),
        ),
        (
            "a million fields",
            fill(1).repeat(1_000_000),
            Some(TooLarge),
        ),
    ];
    for (name, fields, kind) in cases {
        for ask in [Ask::Head, Ask::Tags] {
            let good = String::from_utf8(ask.answer()).unwrap();
            let result = answered(
                name,
                ask,
                good.replacen("\r\n", &format!("\r\n{fields}"), 1),
            );
            match kind {
                None => assert_eq!(result.expect(name), ask.expected()),
                Some(kind) => fails(name, result, kind),
            }
        }
    }
}

#[test]
fn s9_r18_interim_answers_up_to_the_limit_and_above_it() {
    let good = Ask::Tags.answer();
    for (times, counts) in [(2000, true), (3000, false), (500_000, false)] {
        let early = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(times);
        let name = format!("103 × {times}");
        let result = answered(&name, Ask::Tags, [early.as_bytes(), &good].concat());
        match counts {
            true => assert_eq!(result.unwrap(), Ask::Tags.expected()),
            false => fails(&name, result, ErrorKind::TooLarge),
        }
    }
}

/// The largest manifest of the clients in these tests.
const LIMIT: usize = 1 << 20;

/// Answers with a manifest, and how the lookup fails; `None` if it does not.
#[track_caller]
fn check_manifests(cases: &[(&str, String, Option<ErrorKind>)]) {
    for (name, answer, kind) in cases {
        let builder = hasty().retries(0).max_manifest_bytes(LIMIT as u64);
        let result = answered_to(builder.build().unwrap(), name, Ask::Get, answer);
        match kind {
            Some(kind) => fails(name, result, *kind),
            None => assert!(result.is_ok(), "{name}: {result:?}"),
        }
    }
}

/// A manifest with blanks after it.
fn padded(length: usize) -> String {
    format!("{MANIFEST}{}", " ".repeat(length - MANIFEST.len()))
}

const MANIFEST_HEAD: &str = "HTTP/1.1 200 OK\r\n\
    Content-Type: application/vnd.oci.image.manifest.v1+json\r\nConnection: close\r\n";

/// An answer with `Content-Length`.
fn sized(body: String) -> String {
    let length = body.len();
    format!("{MANIFEST_HEAD}Content-Length: {length}\r\n\r\n{body}")
}

#[test]
fn s9_manifests_up_to_the_limit_and_above_it() {
    let chunk = |body: &str| format!("{:x}\r\n{body}\r\n", body.len());
    let chunked = |body: &str| format!("{MANIFEST_HEAD}Transfer-Encoding: chunked\r\n\r\n{body}");
    let one_chunk = |body: &str| chunked(&(chunk(body) + "0\r\n\r\n"));
    let until_the_end = |body: &str| format!("{MANIFEST_HEAD}\r\n{body}");
    let (most, more) = (padded(LIMIT), padded(LIMIT + 1));
    let endless = chunk(&" ".repeat(1000)).repeat(20_000);
    let large = Some(ErrorKind::TooLarge);
    check_manifests(&[
        ("as large as it may be", sized(most.clone()), None),
        ("a byte more", sized(more.clone()), large),
        ("in a chunk", one_chunk(&most), None),
        ("in a chunk, a byte more", one_chunk(&more), large),
        ("until the end", until_the_end(&most), None),
        ("until the end, more", until_the_end(&more), large),
        ("chunks without end", chunked(&endless), large),
        ("20 MB", sized(padded(20 << 20)), large),
    ]);
}

#[test]
fn s9_manifests_with_deep_nesting_and_odd_sizes() {
    let deep = "[".repeat(100_000);
    let with_size = |size: &str| sized(MANIFEST.replace("\"size\":2", size));
    check_manifests(&[
        ("too deep", sized(deep.clone()), Some(ErrorKind::Protocol)),
        (
            "too deep inside",
            sized(format!("{{\"a\":{deep}")),
            Some(ErrorKind::Protocol),
        ),
        ("an enormous size", with_size("\"size\":1e18"), None),
        ("no size", with_size("\"size\":-1"), None),
    ]);
}

#[test]
fn s9_lengths_that_a_server_only_claims() {
    for (length, size) in [
        ("9223372036854775808", 1 << 63),
        ("1000000000000000000", 10_u64.pow(18)),
    ] {
        let head = Ask::Head.head(&format!(
            "Content-Length: {length}\r\nConnection: close\r\n"
        ));
        let found = answered(length, Ask::Head, &head).unwrap();
        assert!(found.contains(&format!("Some({size})")), "{found}");
        // With a body the claim is found out.
        for ask in [Ask::Get, Ask::Tags, Ask::Ping] {
            let head = ask.head(&format!(
                "Content-Length: {length}\r\nConnection: close\r\n"
            ));
            let result = answered(length, ask, format!("{head}{}", ask.body()));
            fails(length, result, ErrorKind::Transport);
        }
    }
}

#[test]
fn s9_e11_encodings_that_were_not_asked_for() {
    let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\x56";
    for encoding in ["gzip", "GZIP", "br", "deflate, gzip", "zstd", "x"] {
        for ask in [Ask::Get, Ask::Tags] {
            let head = ask.head(&format!(
                "Content-Encoding: {encoding}\r\nContent-Length: 12\r\n"
            ));
            let result = answered(encoding, ask, [head.as_bytes(), gzip].concat());
            assert!(
                result
                    .as_ref()
                    .is_err_and(|error| error.message().contains("Content-Encoding"))
            );
            fails(encoding, result, ErrorKind::Protocol);
        }
    }
    for encoding in ["identity", " Identity ", ""] {
        let good = String::from_utf8(Ask::Get.answer()).unwrap();
        let field = format!("\r\nContent-Encoding: {encoding}\r\n");
        assert!(answered(encoding, Ask::Get, good.replacen("\r\n", &field, 1)).is_ok());
    }
}

/// The tags of a list with this body, or `None` for a protocol error.
#[track_caller]
fn check_lists(cases: &[(&str, &str, Option<&str>)]) {
    for (name, body, expected) in cases {
        let length = format!("Connection: close\r\nContent-Length: {}\r\n", body.len());
        let result = answered(name, Ask::Tags, Ask::Tags.head(&length) + body);
        match expected {
            Some(expected) => assert_eq!(result.expect(name), *expected, "{name}"),
            None => fails(name, result, ErrorKind::Protocol),
        }
    }
}

#[test]
fn s9_lists_with_entries_of_any_type_and_size() {
    let long = "x".repeat(1 << 20);
    check_lists(&[
        (
            "of all types",
            r#"{"tags":[1,-1,1.5,1e400,true,null,["a"],{"a":"b"},"ok","","b c"]}"#,
            None,
        ),
        (
            "of all types",
            r#"{"tags":[1,-1,1.5,true,null,["a"],{"a":["b"]},"ok","","b c"]}"#,
            Some("[ok]"),
        ),
        ("null", r#"{"tags":null}"#, Some("[]")),
        (
            "with more",
            r#"{"a":{"b":[1]},"tags":["v1"],"c":[[]],"d":null}"#,
            Some("[v1]"),
        ),
        ("twice", r#"{"tags":["v1"],"tags":["v2"]}"#, None),
        ("escapes", r#"{"t\u0061gs":["v\u0031"]}"#, Some("[v1]")),
        (
            "a tag of 1 MB",
            &format!(r#"{{"tags":["{long}","v1"]}}"#),
            Some("[v1]"),
        ),
        (
            "a key of 1 MB",
            &format!(r#"{{"{long}":1,"tags":["v1"]}}"#),
            Some("[v1]"),
        ),
        ("broken text", r#"{"tags":["\ud800","v1"]}"#, None),
    ]);
}

#[test]
fn s9_lists_with_deep_nesting() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    check_lists(&[
        (
            "deep beside",
            &format!(r#"{{"a":{deep},"tags":["v1"]}}"#),
            Some("[v1]"),
        ),
        (
            "deep inside",
            &format!(r#"{{"tags":[{deep},"v1"]}}"#),
            Some("[v1]"),
        ),
        (
            "deep, no end",
            &format!(r#"{{"tags":{}"#, "[".repeat(100_000)),
            None,
        ),
        (
            "deep objects",
            &format!(r#"{{"tags":{}"#, r#"{"a":"#.repeat(100_000)),
            None,
        ),
    ]);
}

#[test]
fn s9_bodies_that_are_no_list() {
    check_lists(&[
        ("a number", r#"{"tags":5}"#, None),
        ("a text", r#"{"tags":"v1"}"#, None),
        ("an object", r#"{"tags":{"v1":1}}"#, None),
        ("no list", r#"{"name":"t/a"}"#, None),
        ("only a list", r#"["v1"]"#, None),
        ("nothing at all", "", None),
        ("null alone", "null", None),
        ("two", r#"{"tags":["v1"]}{"tags":["v2"]}"#, None),
        ("no JSON", "<html></html>", None),
    ]);
}

#[test]
fn s9_the_body_of_an_error_does_not_hide_its_status() {
    let mega = "x".repeat(10 << 20);
    let deep = "[".repeat(60_000);
    let bodies = [
        (
            "10 MB",
            format!(r#"{{"errors":[{{"code":"DENIED","message":"{mega}"}}]}}"#),
        ),
        ("deep", format!(r#"{{"errors":{deep}"#)),
        (
            "deep detail",
            format!(r#"{{"errors":[{{"code":"DENIED","detail":{deep}"#),
        ),
        (
            "many errors",
            format!("{{\"errors\":[{}{{}}]}}", r#"{"code":"A"},"#.repeat(4000)),
        ),
        (
            "wrong types",
            r#"{"errors":[1,null,"a",{"code":5,"message":[],"detail":1e18}]}"#.into(),
        ),
        (
            "control characters",
            r#"{"errors":[{"code":"A\u001b[31m","message":"\r\n\u202e"}]}"#.into(),
        ),
        ("nothing", String::new()),
    ];
    for (name, body) in &bodies {
        for (status, kind) in [(403, ErrorKind::Denied), (500, ErrorKind::Server)] {
            for cut in [0, 10] {
                let length = body.len() + cut;
                let mark = "Docker-Distribution-Api-Version: registry/2.0";
                let head =
                    format!("HTTP/1.1 {status} No\r\n{mark}\r\nContent-Length: {length}\r\n\r\n");
                let result = answered(name, Ask::Tags, format!("{head}{body}"));
                let error = result.expect_err(name);
                assert_eq!(
                    (error.kind(), error.http_status()),
                    (kind, Some(status)),
                    "{name}"
                );
                let text = error.to_string();
                assert!(
                    text.len() < 2000 && !text.chars().any(char::is_control),
                    "{name}: {text}"
                );
                assert!(error.registry_errors().len() <= 100, "{name}");
            }
        }
    }
}

#[test]
fn s9_a_list_above_the_limit() {
    let body = format!("{{\"tags\":[\"v1\"]{}", " ".repeat(65 << 20));
    let length = format!("Connection: close\r\nContent-Length: {}\r\n", body.len());
    let result = answered("65 MB", Ask::Tags, Ask::Tags.head(&length) + &body);
    fails("65 MB", result, ErrorKind::TooLarge);
}
