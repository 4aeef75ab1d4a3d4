//! Invalid settings (S12, S15): the first one fails the build, and the error shows no secret and no
//! control character.

use ocireg::{Client, ClientBuilder, ErrorKind};

type Set = fn(ClientBuilder, &str) -> ClientBuilder;
type Change = fn(ClientBuilder) -> ClientBuilder;

#[test]
fn s12_s15_invalid_names_of_registries() {
    let setters: [(&str, Set); 10] = [
        ("plain_http", |b, name| b.plain_http(name)),
        ("https", |b, name| b.https(name)),
        ("ca_file", |b, name| b.ca_file(name, "/nowhere")),
        ("ca_pem", |b, name| b.ca_pem(name, b"")),
        ("basic", |b, name| b.basic(name, "me", "S3cret")),
        ("bearer", |b, name| b.bearer(name, "S3cret")),
        ("identity_token", |b, name| b.identity_token(name, "S3cret")),
        ("trusted_realm", |b, name| {
            b.trusted_realm(name, "auth.test")
        }),
        ("add_header", |b, name| {
            b.add_header(name, "X-Key", "S3cret")
        }),
        ("verify", |b, name| b.verify(name)),
    ];
    let names = [
        "",
        "http://a.test",
        "a.test/path",
        "a.test\r\nHost: b",
        "a b",
        "me@a.test",
        "a.test:99999",
        "[::1",
        "a.test\0",
    ];
    for (setter, set) in setters {
        for name in names {
            let error = set(Client::builder(), name).build().expect_err(setter);
            assert_eq!(
                error.kind(),
                ErrorKind::InvalidReference,
                "{setter}({name:?}): {error}"
            );
            let text = error.to_string();
            assert!(
                !text.contains(char::is_control) && !text.contains("S3cret"),
                "{text:?}"
            );
        }
    }
}

#[test]
fn s12_s15_invalid_values() {
    let cases: [(&str, Change); 22] = [
        ("agent", |b| b.user_agent("a\r\nX-Evil: b")),
        ("agent", |b| b.user_agent("a\n")),
        ("agent", |b| b.user_agent("a\0")),
        ("agent", |b| b.user_agent("caf\u{e9}")),
        ("agent", |b| b.user_agent("")),
        ("user", |b| b.basic("a.test", "", "S3cret")),
        ("user", |b| b.basic("a.test", "a:b", "S3cret")),
        ("user", |b| b.basic("a.test", "a\r\n", "S3cret")),
        ("password", |b| b.basic("a.test", "a", "S3cret\n")),
        ("token", |b| b.bearer("a.test", "S3cret\r\nX: y")),
        ("token", |b| b.bearer("a.test", "")),
        ("token", |b| b.identity_token("a.test", "S3cret\0")),
        ("realm", |b| b.trusted_realm("a.test", "b.test:5000")),
        ("value", |b| {
            b.add_header("a.test", "X-Key", "S3cret\r\nX: y")
        }),
        ("value", |b| b.add_header("a.test", "X-Key", " S3cret")),
        ("name", |b| {
            b.add_header("a.test", "X-Key: y\r\nZ", "S3cret")
        }),
        ("name", |b| b.add_header("a.test", "", "S3cret")),
        ("header", |b| b.add_header("a.test", "Host", "S3cret")),
        ("header", |b| {
            b.add_header("a.test", "Content-Length", "S3cret")
        }),
        ("header", |b| {
            b.add_header("a.test", "Transfer-Encoding", "S3cret")
        }),
        ("header", |b| {
            b.add_header("a.test", "Authorization", "S3cret")
        }),
        ("header", |b| {
            b.add_header("a.test", "ACCEPT-ENCODING", "S3cret")
        }),
    ];
    for (word, change) in cases {
        let error = change(Client::builder()).build().expect_err(word);
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        let text = error.to_string();
        assert!(text.contains(word), "{word}: {text}");
        assert!(
            !text.contains(char::is_control) && !text.contains("S3cret"),
            "{text:?}"
        );
        // The first invalid setting counts. Later settings do not change the error.
        let later = change(Client::builder())
            .plain_http("ftp://b")
            .user_agent("\n")
            .user_agent("good");
        assert_eq!(later.build().unwrap_err().to_string(), text);
    }
}
