//! Servers that speak HTTP oddly, or something else (R7, R30, S12): understood or refused, and
//! never out of step.

use fake_registry::{Script, ScriptServer};
use ocireg::ErrorKind;

use super::faults_support::{Ask, once};

/// `Ok` where the answer counts, else the kind of the error.
type Verdict = Result<(), ErrorKind>;

const COUNTS: Verdict = Ok(());
const PROTOCOL: Verdict = Err(ErrorKind::Protocol);
const TRANSPORT: Verdict = Err(ErrorKind::Transport);

/// Lets a server answer with these bytes, and close if they don't say where they end. Then asks
/// again on the same client.
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

#[test]
fn r30_heads() {
    let ask = Ask::Tags;
    let body = ask.body();
    let length = format!("Content-Length: {}", body.len());
    let fields = format!("Content-Type: application/json\r\n{length}\r\n");
    let invalid = b"HTTP/1.1 200 OK\r\nX-Name: caf\xe9 \xff\xfe\r\n".to_vec();
    let many =
        |status: &str, count| format!("HTTP/1.1 {status}\r\nLink: </>\r\n\r\n").repeat(count);
    let cases: Vec<(&str, String, Verdict)> = vec![
        (
            "HTTP/1.0",
            format!("HTTP/1.0 200 OK\r\n{fields}\r\n"),
            COUNTS,
        ),
        (
            "HTTP/1.0 without a length",
            "HTTP/1.0 200 OK\r\n\r\n".into(),
            COUNTS,
        ),
        (
            "HTTP/1.0 keep-alive",
            format!("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n{fields}\r\n"),
            COUNTS,
        ),
        (
            "Connection: close",
            format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{fields}\r\n"),
            COUNTS,
        ),
        (
            "lower-case names",
            format!("HTTP/1.1 200 OK\r\n{}\r\n", fields.to_lowercase()),
            COUNTS,
        ),
        (
            "upper-case names",
            format!("HTTP/1.1 200 OK\r\n{}\r\n", fields.to_uppercase()),
            COUNTS,
        ),
        (
            "no spaces",
            format!("HTTP/1.1 200 OK\r\n{}\r\n", fields.replace(": ", ":")),
            COUNTS,
        ),
        (
            "many spaces",
            format!("HTTP/1.1 200 OK\r\n{}\r\n", fields.replace(": ", ": \t ")),
            COUNTS,
        ),
        (
            "line feeds only",
            format!("HTTP/1.1 200 OK\n{}\n", fields.replace('\r', "")),
            COUNTS,
        ),
        ("no reason", format!("HTTP/1.1 200\r\n{fields}\r\n"), COUNTS),
        (
            "empty reason",
            format!("HTTP/1.1 200 \r\n{fields}\r\n"),
            COUNTS,
        ),
        (
            "empty field",
            format!("HTTP/1.1 200 OK\r\nX-Empty:\r\n{fields}\r\n"),
            COUNTS,
        ),
        (
            "obs-fold",
            format!("HTTP/1.1 200 OK\r\nX-Long: a\r\n b\r\n{fields}\r\n"),
            PROTOCOL,
        ),
        (
            "space before the colon",
            format!("HTTP/1.1 200 OK\r\nX-A : b\r\n{fields}\r\n"),
            PROTOCOL,
        ),
        (
            "no colon",
            format!("HTTP/1.1 200 OK\r\nnonsense\r\n{fields}\r\n"),
            PROTOCOL,
        ),
        (
            "no name",
            format!("HTTP/1.1 200 OK\r\n: value\r\n{fields}\r\n"),
            PROTOCOL,
        ),
        (
            "NUL in a value",
            format!("HTTP/1.1 200 OK\r\nX-A: b\0c\r\n{fields}\r\n"),
            PROTOCOL,
        ),
        (
            "bare CR in a value",
            format!("HTTP/1.1 200 OK\r\nX-A: b\rc\r\n{fields}\r\n"),
            PROTOCOL,
        ),
        (
            "one 103",
            format!(
                "{}HTTP/1.1 200 OK\r\n{fields}\r\n",
                many("103 Early Hints", 1)
            ),
            COUNTS,
        ),
        (
            "a hundred 102",
            format!(
                "{}HTTP/1.1 200 OK\r\n{fields}\r\n",
                many("102 Processing", 100)
            ),
            COUNTS,
        ),
        (
            "100 Continue",
            format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n{fields}\r\n"),
            COUNTS,
        ),
        (
            "101",
            format!("HTTP/1.1 101 Switching Protocols\r\n{fields}\r\n"),
            PROTOCOL,
        ),
        (
            "the same length twice",
            format!("HTTP/1.1 200 OK\r\n{length}\r\n{fields}\r\n"),
            COUNTS,
        ),
        (
            "status 000",
            format!("HTTP/1.1 000 No\r\n{fields}\r\n"),
            PROTOCOL,
        ),
        (
            "status 999",
            format!("HTTP/1.1 999 Odd\r\n{fields}\r\n"),
            PROTOCOL,
        ),
        (
            "status of four digits",
            format!("HTTP/1.1 2000 OK\r\n{fields}\r\n"),
            PROTOCOL,
        ),
        (
            "HTTP/2 in clear",
            format!("HTTP/2 200\r\n{fields}\r\n"),
            PROTOCOL,
        ),
        (
            "HTTP/1.2",
            format!("HTTP/1.2 200 OK\r\n{fields}\r\n"),
            PROTOCOL,
        ),
        ("ICY", format!("ICY 200 OK\r\n{fields}\r\n"), PROTOCOL),
        ("ssh", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n".into(), PROTOCOL),
        (
            "smtp",
            "220 mail.example.com ESMTP ready\r\n".into(),
            PROTOCOL,
        ),
        ("HTML at once", "<html>\r\n\r\n</html>".into(), PROTOCOL),
        (
            "a request",
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n".into(),
            PROTOCOL,
        ),
    ];
    for (name, head, verdict) in cases {
        judge(name, ask, format!("{head}{body}").as_bytes(), verdict);
    }
    let invalid = [&invalid, fields.as_bytes(), b"\r\n", body.as_bytes()].concat();
    judge("no UTF-8", ask, &invalid, COUNTS);
    let settings = b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80";
    judge("HTTP/2 settings frame", ask, settings, PROTOCOL);
    judge("bytes without a line end", ask, &[0xff; 3000], PROTOCOL);
    judge("nothing", ask, b"", TRANSPORT);
}

#[test]
fn r30_s12_lengths_that_contradict_or_make_no_sense_are_refused() {
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
        // Not chunked, so it ends with its connection.
        ("Transfer-Encoding: gzip".into(), COUNTS),
    ];
    for (field, verdict) in cases {
        let head = ask.head(&format!("{field}\r\n"));
        judge(&field, ask, format!("{head}{body}").as_bytes(), verdict);
    }
}

#[test]
fn r7_r30_chunks() {
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
