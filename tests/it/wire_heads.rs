//! What the head of an answer to HEAD does not say (E1): two digests that differ are none, and a
//! length of 0 is no size.

use fake_registry::{Script, ScriptServer};
use ocireg::{Algorithm, Digest, DigestSource, Resolved};

use crate::faults_support::{MANIFEST, MANIFEST_TYPE, once};

const OTHER: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

fn real() -> Digest {
    Digest::of(Algorithm::Sha256, MANIFEST.as_bytes())
}

/// Looks up `image` on a server whose manifest comes with `fields`. Returns what was found,
/// and the methods of the requests.
fn look_up(image: &str, fields: &str) -> (Resolved, String) {
    let length = MANIFEST.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {MANIFEST_TYPE}\r\nConnection: close\r\n");
    let to_head = Script::new()
        .read_request()
        .send(format!("{head}{fields}\r\n"));
    let fields = fields.replace("Content-Length: 0\r\n", "");
    let to_get = format!("{head}{fields}Content-Length: {length}\r\n\r\n{MANIFEST}");
    let to_get = Script::new().read_request().send(to_get);
    let server = ScriptServer::start(vec![to_head, to_get]);
    let image = format!("{}/{image}", server.authority());
    let found = once().head(&image.parse().unwrap()).unwrap();
    let method = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes)[..4].trim().to_owned();
    (
        found,
        server
            .received()
            .iter()
            .map(method)
            .collect::<Vec<_>>()
            .join(" "),
    )
}

#[test]
fn e1_of_digest_lines_that_differ_none_counts() {
    let real = real();
    let line = |digest: &str| format!("Docker-Content-Digest: {digest}\r\n");
    let (right, wrong) = (line(real.as_str()), line(OTHER));
    // The lines, and whether the head alone decides.
    let cases = [
        (right.clone(), true),
        (format!("{right}{right}"), true),
        (format!("{right}{wrong}"), false),
        (format!("{wrong}{right}"), false),
        (format!("{right}{right}{wrong}"), false),
    ];
    for (lines, decides) in cases {
        let (found, methods) = look_up("t/a:v1", &lines);
        assert_eq!(found.digest, real, "{lines}");
        let expected = match decides {
            true => (DigestSource::Header, "HEAD"),
            false => (DigestSource::Computed, "HEAD GET"),
        };
        assert_eq!((found.digest_source, methods.as_str()), expected, "{lines}");
        let (found, methods) = look_up(&format!("t/a@{real}"), &lines);
        assert_eq!((found.digest_source, methods.as_str()), expected, "{lines}");
    }
}

#[test]
fn a_length_of_0_in_the_answer_to_head_is_no_size() {
    let digest = format!("Docker-Content-Digest: {}\r\n", real());
    for (length, size) in [
        ("Content-Length: 0\r\n", None),
        ("", None),
        ("Content-Length: 1\r\n", Some(1)),
    ] {
        let (found, methods) = look_up("t/a:v1", &format!("{digest}{length}"));
        assert_eq!((found.size, methods), (size, "HEAD".to_owned()), "{length}");
    }
}
