//! A hostile registry can only make a C program receive a status and a message.

use std::any::Any;

use fake_registry::{Config, FakeRegistry, LinkLoop, Quirk, Script, ScriptServer};

use crate::cc::{Linkage, Program};
use crate::library::Library;
use crate::scenes::{OCI, Scene};

struct Attack {
    name: &'static str,
    ask: &'static str,
    statuses: &'static [&'static str],
    server: fn() -> (String, Box<dyn Any + Send>),
}

const ATTACKS: [Attack; 13] = [
    attack(
        "NUL in tags",
        "tags",
        &["OCIREG_OK", "OCIREG_E_PROTOCOL"],
        || lists(br#"{"name":"t/a","tags":["a\u0000b","v1","\u001b[31m"]}"#),
    ),
    attack("raw NUL in tags", "tags", &["OCIREG_E_PROTOCOL"], || {
        lists(b"{\"name\":\"t/a\",\"tags\":[\"a\0b\"]}")
    }),
    attack("no UTF-8 in tags", "tags", &["OCIREG_E_PROTOCOL"], || {
        lists(b"{\"name\":\"t/a\",\"tags\":[\"\xff\xfe\"]}")
    }),
    attack(
        "NUL in a page",
        "pages",
        &["OCIREG_OK", "OCIREG_E_PROTOCOL"],
        || lists(br#"{"name":"t/a","tags":["a\u0000b","v1"]}"#),
    ),
    attack("a large error", "tags", &["OCIREG_E_REJECTED"], large_error),
    attack(
        "a control character in a header",
        "tags",
        &["OCIREG_E_PROTOCOL"],
        || answers("200 OK", "Warning: 299 - \"\x07beep\"\r\n", b"{}"),
    ),
    attack(
        "control characters in an error",
        "tags",
        &["OCIREG_E_REJECTED"],
        rude_error,
    ),
    attack(
        "wrong digest",
        "digest",
        &["OCIREG_E_DIGEST_MISMATCH", "OCIREG_E_PROTOCOL"],
        wrong_digest,
    ),
    attack(
        "digest with NUL",
        "digest",
        &["OCIREG_E_PROTOCOL", "OCIREG_E_NOT_FOUND"],
        || {
            quirky(&[
                Quirk::DigestHeader("sha256:\u{1}x".to_owned()),
                Quirk::HeadStatus(404, fake_registry::Page::Html),
            ])
        },
    ),
    attack(
        "endless list",
        "tags",
        &["OCIREG_E_PROTOCOL", "OCIREG_E_TOO_LARGE"],
        || quirky(&[Quirk::PageSize(1), Quirk::LoopingLink(LinkLoop::Endless)]),
    ),
    attack(
        "endless pages",
        "pages",
        &["OCIREG_E_PROTOCOL", "OCIREG_E_TOO_LARGE"],
        || quirky(&[Quirk::PageSize(1), Quirk::LoopingLink(LinkLoop::Pair)]),
    ),
    attack("redirect loop", "exists", &["OCIREG_E_PROTOCOL"], || {
        quirky(&[Quirk::RedirectLoop])
    }),
    attack("no HTTP", "sharing", &["OCIREG_E_PROTOCOL"], || {
        let answer = b"\x1b]0;owned\x07\0\r\n\r\n".repeat(100);
        plays(Script::new().read_request().send(answer))
    }),
];

const fn attack(
    name: &'static str,
    ask: &'static str,
    statuses: &'static [&'static str],
    server: fn() -> (String, Box<dyn Any + Send>),
) -> Attack {
    Attack {
        name,
        ask,
        statuses,
        server,
    }
}

fn plays(script: Script) -> (String, Box<dyn Any + Send>) {
    let server = ScriptServer::start(vec![script]);
    (server.authority(), Box::new(server))
}

fn answers(status: &str, fields: &str, body: &[u8]) -> (String, Box<dyn Any + Send>) {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\n\
         Docker-Distribution-Api-Version: registry/2.0\r\n\
         {fields}Connection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    plays(
        Script::new()
            .read_request()
            .send([head.as_bytes(), body].concat()),
    )
}

fn lists(body: &[u8]) -> (String, Box<dyn Any + Send>) {
    answers("200 OK", "", body)
}

fn large_error() -> (String, Box<dyn Any + Send>) {
    let message = "x\\u0007".repeat(1 << 18);
    let body = format!(r#"{{"errors":[{{"code":"UNKNOWN","message":"{message}"}}]}}"#);
    answers("400 Bad Request", "", body.as_bytes())
}

fn rude_error() -> (String, Box<dyn Any + Send>) {
    let body = concat!(
        r#"{"errors":[{"code":"\u001b[2J\u0000BAD","#,
        r#""message":"\u0000\u001b[31m\r\nInjected: yes\u007f\u009b"}]}"#
    );
    answers("400 Bad Request", "", body.as_bytes())
}

fn wrong_digest() -> (String, Box<dyn Any + Send>) {
    // Only GET gives the client a document whose digest it can compare.
    quirky(&[
        Quirk::WrongDigestHeader,
        Quirk::HeadStatus(405, fake_registry::Page::Empty),
    ])
}

fn quirky(quirks: &[Quirk]) -> (String, Box<dyn Any + Send>) {
    let config = quirks.iter().cloned().fold(Config::new(), Config::quirk);
    let registry = FakeRegistry::start(config);
    registry.put_manifest("t/a", "v1", OCI, "{}");
    registry.put_tags("t/a", "t", 5);
    (registry.authority(), Box::new(registry))
}

#[test]
fn a_hostile_registry_gets_a_status_and_a_message_without_control_characters() {
    let program = Program::compile("tests/c/hostile.c", Library::for_tests(), Linkage::Static);
    for attack in &ATTACKS {
        let (authority, server) = (attack.server)();
        let mut arguments = vec![attack.ask.to_owned(), authority];
        arguments.extend(attack.statuses.iter().map(|status| (*status).to_owned()));
        eprintln!("{}", attack.name);
        let ran = Scene::new("tests/c/hostile.c", arguments, server).passes(&program);
        eprint!("{}", ran.out);
    }
}
