//! Servers that speak HTTP in odd ways, or another protocol (R7, R30, S12). An answer is understood
//! or refused, and never changes the next one.

use fake_registry::{Script, ScriptServer};
use ocireg::ErrorKind;

use super::faults_support::{Ask, once};

/// `Ok` if the answer counts, else the kind of the error.
type Verdict = Result<(), ErrorKind>;

const COUNTS: Verdict = Ok(());
const PROTOCOL: Verdict = Err(ErrorKind::Protocol);
const TRANSPORT: Verdict = Err(ErrorKind::Transport);

/// Asks a server that answers with these bytes and then closes. Then asks again with the same
/// client.
#[track_caller]
fn judge(name: &str, ask: Ask, answer: &[u8], verdict: Verdict) {
    let odd = Script::new().read_request().send(answer);
    let server = ScriptServer::start(vec![odd, ask.good()]);
    let (client, authority) = (once(), server.authority());
    let result = ask.run(&client, &authority);
    match (&result, verdict) {
        (Ok(answer), Ok(())) => assert_eq!(*answer, ask.expected(), "{name}"),
        (Err(error), Err(kind)) => assert_eq!(error.kind(), kind, "{name}: {error:?}"),
        (result, verdict) => panic!("{name}: {result:?} instead of {verdict:?}"),
    }
    assert_eq!(
        ask.run(&client, &authority).unwrap(),
        ask.expected(),
        "after {name}"
    );
    assert_eq!(server.connection_count(), 2, "{name}");
}

/// The fields of a good answer to a question for tags.
fn fields() -> String {
    let length = Ask::Tags.body().len();
    format!("Content-Type: application/json\r\nContent-Length: {length}\r\n")
}

/// Judges answers to a question for tags with these heads. A head that does not begin with `HTTP/`
/// is a field before those of a good answer.
#[track_caller]
fn judge_heads(cases: &[(&str, &str, Verdict)]) {
    let fields = fields();
    for (name, head, verdict) in cases {
        let head = match head.strip_prefix("HTTP/") {
            Some(_) => head.replace("{fields}", &fields),
            None => format!("HTTP/1.1 200 OK\r\n{head}\r\n{fields}\r\n"),
        };
        let answer = format!("{head}{}", Ask::Tags.body());
        judge(name, Ask::Tags, answer.as_bytes(), *verdict);
    }
}

#[test]
fn r30_versions_and_status_lines() {
    judge_heads(&[
        ("HTTP/1.0", "HTTP/1.0 200 OK\r\n{fields}\r\n", COUNTS),
        (
            "HTTP/1.0 without a length",
            "HTTP/1.0 200 OK\r\n\r\n",
            COUNTS,
        ),
        (
            "HTTP/1.0 keep-alive",
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n{fields}\r\n",
            COUNTS,
        ),
        ("no reason", "HTTP/1.1 200\r\n{fields}\r\n", COUNTS),
        ("empty reason", "HTTP/1.1 200 \r\n{fields}\r\n", COUNTS),
        ("status 000", "HTTP/1.1 000 No\r\n{fields}\r\n", PROTOCOL),
        ("status 999", "HTTP/1.1 999 Odd\r\n{fields}\r\n", PROTOCOL),
        (
            "status of four digits",
            "HTTP/1.1 2000 OK\r\n{fields}\r\n",
            PROTOCOL,
        ),
        ("HTTP/2 in clear", "HTTP/2 200\r\n{fields}\r\n", PROTOCOL),
        ("HTTP/1.2", "HTTP/1.2 200 OK\r\n{fields}\r\n", PROTOCOL),
    ]);
}

#[test]
fn r30_header_fields() {
    let length = format!("Content-Length: {}", Ask::Tags.body().len());
    judge_heads(&[
        ("Connection: close", "Connection: close", COUNTS),
        ("empty field", "X-Empty:", COUNTS),
        ("the same length twice", &length, COUNTS),
        ("obs-fold", "X-Long: a\r\n b", PROTOCOL),
        ("space before the colon", "X-A : b", PROTOCOL),
        ("no colon", "nonsense", PROTOCOL),
        ("no name", ": value", PROTOCOL),
        ("NUL in a value", "X-A: b\0c", PROTOCOL),
        ("bare CR in a value", "X-A: b\rc", PROTOCOL),
    ]);
    let (fields, body) = (fields(), Ask::Tags.body());
    let spellings = [
        ("lower-case names", fields.to_lowercase()),
        ("upper-case names", fields.to_uppercase()),
        ("no spaces", fields.replace(": ", ":")),
        ("many spaces", fields.replace(": ", ": \t ")),
    ];
    for (name, fields) in spellings {
        let answer = format!("HTTP/1.1 200 OK\r\n{fields}\r\n{body}");
        judge(name, Ask::Tags, answer.as_bytes(), COUNTS);
    }
    let line_feeds = format!("HTTP/1.1 200 OK\n{}\n{body}", fields.replace('\r', ""));
    judge("line feeds only", Ask::Tags, line_feeds.as_bytes(), COUNTS);
    let invalid = b"HTTP/1.1 200 OK\r\nX-Name: caf\xe9 \xff\xfe\r\n";
    let invalid = [invalid, fields.as_bytes(), b"\r\n", body.as_bytes()].concat();
    judge("no UTF-8", Ask::Tags, &invalid, COUNTS);
}

#[test]
fn r30_interim_answers() {
    let interim = |status: &str, count: usize| {
        let interim = format!("HTTP/1.1 {status}\r\nLink: </>\r\n\r\n").repeat(count);
        format!("{interim}HTTP/1.1 200 OK\r\n{{fields}}\r\n")
    };
    judge_heads(&[
        ("one 103", &interim("103 Early Hints", 1), COUNTS),
        ("a hundred 102", &interim("102 Processing", 100), COUNTS),
        (
            "100 Continue",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n{fields}\r\n",
            COUNTS,
        ),
        (
            "101",
            "HTTP/1.1 101 Switching Protocols\r\n{fields}\r\n",
            PROTOCOL,
        ),
    ]);
}

#[test]
fn r30_other_protocols() {
    let ask = Ask::Tags;
    let (fields, body) = (fields(), ask.body());
    for (name, head) in [
        ("ICY", format!("ICY 200 OK\r\n{fields}\r\n")),
        ("ssh", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n".into()),
        ("smtp", "220 mail.example.com ESMTP ready\r\n".into()),
        ("HTML at once", "<html>\r\n\r\n</html>".into()),
        ("a request", "GET / HTTP/1.1\r\nHost: a\r\n\r\n".into()),
    ] {
        judge(name, ask, format!("{head}{body}").as_bytes(), PROTOCOL);
    }
    let settings = b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80";
    judge("HTTP/2 settings frame", ask, settings, PROTOCOL);
    judge("bytes without a line end", ask, &[0xff; 3000], PROTOCOL);
    judge("nothing", ask, b"", TRANSPORT);
}

#[test]
fn r30_s12_contradictory_and_invalid_lengths_are_refused() {
    let ask = Ask::Tags;
    let (body, real) = (ask.body(), ask.body().len());
    let cases = [
        (
            format!("Content-Length: {real}\r\nContent-Length: 5"),
            PROTOCOL,
        ),
        (
            format!("Content-Length: 5\r\nContent-Length: {real}"),
            PROTOCOL,
        ),
        (format!("Content-Length: {real}, 5"), PROTOCOL),
        (
            format!("Content-Length: {real}\r\nTransfer-Encoding: chunked"),
            PROTOCOL,
        ),
        (
            format!("Transfer-Encoding: chunked\r\nContent-Length: {real}"),
            PROTOCOL,
        ),
        (
            format!("Transfer-Encoding: identity\r\nContent-Length: {real}"),
            PROTOCOL,
        ),
        ("Content-Length: -1".into(), PROTOCOL),
        ("Content-Length: 0x22".into(), PROTOCOL),
        ("Content-Length: many".into(), PROTOCOL),
        ("Content-Length:".into(), PROTOCOL),
        (format!("Content-Length: +{real}"), PROTOCOL),
        (format!("Content-Length: {real} 5"), PROTOCOL),
        ("Content-Length: 18446744073709551616".into(), PROTOCOL),
        ("Content-Length: 9223372036854775808".into(), TRANSPORT),
        (format!("Content-Length: {}", real + 1), TRANSPORT),
        (format!("Content-Length: {}", real - 1), PROTOCOL),
        ("Content-Length: 0".into(), PROTOCOL),
        // Not chunked, so the body ends with the connection.
        ("Transfer-Encoding: gzip".into(), COUNTS),
    ];
    for (field, verdict) in cases {
        let head = ask.head(&format!("{field}\r\n"));
        judge(&field, ask, format!("{head}{body}").as_bytes(), verdict);
    }
}

#[test]
fn r7_r30_odd_and_broken_chunks() {
    let ask = Ask::Tags;
    let body = ask.body();
    let size = format!("{:x}", body.len());
    let cases = [
        (format!("{size}\r\n{body}\r\n0\r\n\r\n"), COUNTS),
        (
            format!("000{}\r\n{body}\r\n000\r\n\r\n", size.to_uppercase()),
            COUNTS,
        ),
        (
            format!("{size};name=\"value\"\r\n{body}\r\n0;last\r\n\r\n"),
            COUNTS,
        ),
        (
            format!("{size}\r\n{body}\r\n0\r\nX-Trailer: a\r\n\r\n"),
            COUNTS,
        ),
        (
            body.chars()
                .map(|c| format!("1\r\n{c}\r\n"))
                .collect::<String>()
                + "0\r\n\r\n",
            COUNTS,
        ),
        (format!("{size}\r\n{body}\r\n"), TRANSPORT),
        (format!("{size}\r\n{body}0\r\n\r\n"), PROTOCOL),
        (format!("-1\r\n{body}\r\n0\r\n\r\n"), PROTOCOL),
        (format!("0x{size}\r\n{body}\r\n0\r\n\r\n"), PROTOCOL),
        (format!("xyz\r\n{body}\r\n0\r\n\r\n"), PROTOCOL),
        (format!("\r\n{body}\r\n0\r\n\r\n"), PROTOCOL),
        (format!("ffffffffffffffff\r\n{body}"), TRANSPORT),
        (format!("fffffffffffffffff\r\n{body}"), PROTOCOL),
        (
            format!("{size};{}\r\n{body}\r\n0\r\n\r\n", "x".repeat(1 << 20)),
            Err(ErrorKind::TooLarge),
        ),
        (body.to_owned(), TRANSPORT),
    ];
    for (chunks, verdict) in cases {
        let head = ask.head("Connection: close\r\nTransfer-Encoding: chunked\r\n");
        let name = &chunks[..chunks.len().min(60)];
        judge(name, ask, format!("{head}{chunks}").as_bytes(), verdict);
    }
}
