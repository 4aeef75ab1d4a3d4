//! Answers of a registry.

use raw_http::Answer;

const MARK: &str = "Docker-Distribution-Api-Version";

/// An answer with the API-version header, which identifies a registry. `head` is header fields as
/// text, one per line.
pub(crate) fn marked(status: u16, head: &str, body: impl Into<Vec<u8>>) -> Answer {
    Answer::new(status, &format!("{MARK}: registry/2.0\n{head}"), body)
}

/// Removes the header that identifies a registry.
pub(crate) fn unmark(answer: &mut Answer) {
    answer.change(MARK, |_| String::new());
}

pub(crate) fn json(status: u16, value: &serde_json::Value) -> Answer {
    const HEAD: &str = "Content-Type: application/json; charset=utf-8";
    marked(status, HEAD, value.to_string())
}

/// A registry's errors body with one error in it.
pub(crate) fn errors(status: u16, code: &str, message: &str) -> Answer {
    let errors = serde_json::json!({"errors": [{"code": code, "message": message}]});
    json(status, &errors)
}

/// An error whose message is made of its code: `MANIFEST_UNKNOWN`, "manifest unknown".
pub(crate) fn error(status: u16, code: &str) -> Answer {
    let message = code.to_ascii_lowercase().replace('_', " ");
    errors(status, code, &message)
}

/// A manifest or a blob.
pub(crate) fn content(status: u16, digest: &str, body: impl Into<Vec<u8>>) -> Answer {
    let head = "Content-Type: application/octet-stream\nAccept-Ranges: bytes\nETag:";
    let head = format!("{head} \"{digest}\"\nDocker-Content-Digest: {digest}");
    marked(status, &head, body)
}

pub(crate) fn created(location: &str, digest: &str) -> Answer {
    let head = format!("Location: {location}\nDocker-Content-Digest: {digest}");
    marked(201, &head, "")
}
