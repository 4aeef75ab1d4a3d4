//! Answers that are too large, too deep or of the wrong shape, told as that and in bounded time
//! (S9, E11, R18, decision 18).

use std::time::{Duration, Instant};

use fake_registry::{Script, ScriptServer};
use ocireg::{Client, Error, ErrorKind};

use super::faults_support::{Ask, MANIFEST, MANIFEST_TYPE, hasty, once};

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
fn s9_heads() {
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
fn s9_r18_heads_before_the_head() {
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

#[test]
fn s9_manifests() {
    let limit = 1 << 20;
    let padded = |length: usize| format!("{MANIFEST}{}", " ".repeat(length - MANIFEST.len()));
    let sized = |body: String| {
        let field = format!("Content-Length: {}\r\nConnection: close\r\n", body.len());
        format!("HTTP/1.1 200 OK\r\nContent-Type: {MANIFEST_TYPE}\r\n{field}\r\n{body}")
    };
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {MANIFEST_TYPE}\r\nConnection: close\r\n");
    let chunk = |body: &str| format!("{:x}\r\n{body}\r\n", body.len());
    let chunked = |body: &str| format!("{head}Transfer-Encoding: chunked\r\n\r\n{body}");
    let endless = chunk(&" ".repeat(1000)).repeat(20_000);
    let large = ErrorKind::TooLarge;
    let cases = [
        ("as large as it may be", sized(padded(limit)), None),
        ("a byte more", sized(padded(limit + 1)), Some(large)),
        (
            "in a chunk",
            chunked(&(chunk(&padded(limit)) + "0\r\n\r\n")),
            None,
        ),
        (
            "in a chunk, a byte more",
            chunked(&(chunk(&padded(limit + 1)) + "0\r\n\r\n")),
            Some(large),
        ),
        (
            "until the end",
            format!("{head}\r\n{}", padded(limit)),
            None,
        ),
        (
            "until the end, more",
            format!("{head}\r\n{}", padded(limit + 1)),
            Some(large),
        ),
        ("chunks for ever", chunked(&endless), Some(large)),
        ("20 MB", sized(padded(20 << 20)), Some(large)),
        (
            "too deep",
            sized("[".repeat(100_000)),
            Some(ErrorKind::Protocol),
        ),
        (
            "too deep inside",
            sized(format!("{{\"a\":{}", "[".repeat(100_000))),
            Some(ErrorKind::Protocol),
        ),
        (
            "an enormous size",
            sized(MANIFEST.replace("\"size\":2", "\"size\":1e18")),
            None,
        ),
        (
            "no size",
            sized(MANIFEST.replace("\"size\":2", "\"size\":-1")),
            None,
        ),
    ];
    for (name, answer, kind) in cases {
        let client = hasty()
            .retries(0)
            .max_manifest_bytes(limit as u64)
            .build()
            .unwrap();
        let result = answered_to(client, name, Ask::Get, answer);
        match kind {
            Some(kind) => fails(name, result, kind),
            None => assert!(result.is_ok(), "{name}: {result:?}"),
        }
    }
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
        // Of a body it is found out.
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

/// Lets a server send this list.
fn listed(name: &str, body: &str) -> Result<String, Error> {
    let length = format!("Connection: close\r\nContent-Length: {}\r\n", body.len());
    answered(name, Ask::Tags, Ask::Tags.head(&length) + body)
}

#[test]
fn s9_lists() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let long = "x".repeat(1 << 20);
    let cases = [
        (
            "of all types",
            r#"{"tags":[1,-1,1.5,1e400,true,null,["a"],{"a":"b"},"ok","","b c"]}"#.into(),
            None,
        ),
        (
            "of all types",
            r#"{"tags":[1,-1,1.5,true,null,["a"],{"a":["b"]},"ok","","b c"]}"#.into(),
            Some("[ok]"),
        ),
        ("null", r#"{"tags":null}"#.into(), Some("[]")),
        (
            "with more",
            r#"{"a":{"b":[1]},"tags":["v1"],"c":[[]],"d":null}"#.into(),
            Some("[v1]"),
        ),
        (
            "twice",
            r#"{"tags":["v1"],"tags":["v2"]}"#.into(),
            Some("[v1]"),
        ),
        (
            "escapes",
            r#"{"t\u0061gs":["v\u0031"]}"#.into(),
            Some("[v1]"),
        ),
        (
            "a tag of 1 MB",
            format!(r#"{{"tags":["{long}","v1"]}}"#),
            Some("[v1]"),
        ),
        (
            "a key of 1 MB",
            format!(r#"{{"{long}":1,"tags":["v1"]}}"#),
            Some("[v1]"),
        ),
        (
            "deep beside",
            format!(r#"{{"a":{deep},"tags":["v1"]}}"#),
            Some("[v1]"),
        ),
        (
            "deep inside",
            format!(r#"{{"tags":[{deep},"v1"]}}"#),
            Some("[v1]"),
        ),
        (
            "deep, no end",
            format!(r#"{{"tags":{}"#, "[".repeat(100_000)),
            None,
        ),
        (
            "deep objects",
            format!(r#"{{"tags":{}"#, r#"{"a":"#.repeat(100_000)),
            None,
        ),
        ("a number", r#"{"tags":5}"#.into(), None),
        ("a text", r#"{"tags":"v1"}"#.into(), None),
        ("an object", r#"{"tags":{"v1":1}}"#.into(), None),
        ("no list", r#"{"name":"t/a"}"#.into(), None),
        ("only a list", r#"["v1"]"#.into(), None),
        ("nothing at all", String::new(), None),
        ("null alone", "null".into(), None),
        ("two", r#"{"tags":["v1"]}{"tags":["v2"]}"#.into(), None),
        ("no JSON", "<html></html>".into(), None),
        (
            "broken text",
            "{\"tags\":[\"\\ud800\",\"v1\"]}".into(),
            None,
        ),
    ];
    for (name, body, expected) in cases {
        let result = listed(name, &body);
        match expected {
            Some(expected) => assert_eq!(result.expect(name), expected, "{name}"),
            None => fails(name, result, ErrorKind::Protocol),
        }
    }
}

#[test]
fn s9_an_errors_body_never_stands_in_the_way_of_its_status() {
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
                let head = format!("HTTP/1.1 {status} No\r\nContent-Length: {length}\r\n\r\n");
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
fn s9_a_list_past_its_limit() {
    let body = format!("{{\"tags\":[\"v1\"]{}", " ".repeat(65 << 20));
    let length = format!("Connection: close\r\nContent-Length: {}\r\n", body.len());
    let result = answered("65 MB", Ask::Tags, Ask::Tags.head(&length) + &body);
    fails("65 MB", result, ErrorKind::TooLarge);
}
