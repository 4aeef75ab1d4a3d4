//! What the fuzz targets in `fuzz/` call. Each function runs a parser of bytes from outside and
//! checks what must hold for any input.
//!
//! It needs the internal feature `_fuzz` and is not part of the API.

use crate::algorithm::Algorithm;
use crate::auth::challenge::parse_challenges;
use crate::digest::Digest;
use crate::http::error_body::parse_error_body;
use crate::http::link::next_link;
use crate::manifest::{MediaType, identify, manifest_digest};
use crate::redact::Redactor;
use crate::reference::Reference;
use crate::url::Url;

/// `WWW-Authenticate` lines.
pub fn challenge(text: &str) {
    for challenge in parse_challenges(text.lines()).list {
        assert!(
            !challenge
                .summary(&Redactor::without_secrets())
                .chars()
                .any(char::is_control)
        );
    }
}

/// `Link` lines, and the URL of the next page.
pub fn link(text: &str) {
    let base = Url::parse("https://registry.example.com/v2/a/tags/list?n=1");
    if let (Ok(Some(link)), Ok(base)) = (next_link(text.lines()), base) {
        if let Ok(url) = base.join(&link) {
            let request = url.to_request_string();
            assert!(
                request.bytes().all(|byte| (b'!'..=b'~').contains(&byte)),
                "{request:?}"
            );
        }
    }
}

/// References.
pub fn reference(text: &str) {
    if let Ok(reference) = text.parse::<Reference>() {
        let shown = reference.to_string();
        assert_eq!(shown.parse::<Reference>().ok(), Some(reference), "{shown}");
    }
}

/// Manifests of any type, and the payloads of signed ones.
pub fn manifest(bytes: &[u8]) {
    if let Ok(media_type) = identify(None, bytes, &[], &Redactor::without_secrets()) {
        // A Content-Type that says the same must not change the result.
        let stated = identify(
            Some(media_type.as_str()),
            bytes,
            &[],
            &Redactor::without_secrets(),
        );
        assert_eq!(stated.ok(), Some(media_type));
    }
    if let Ok(digest) = manifest_digest(
        &MediaType::SCHEMA1_SIGNED,
        Algorithm::Sha256,
        bytes,
        &Redactor::without_secrets(),
    ) {
        assert_eq!(digest.to_string().parse::<Digest>().ok(), Some(digest));
    }
}

/// Error bodies.
pub fn error_body(bytes: &[u8]) {
    for error in parse_error_body(bytes, &Redactor::without_secrets()) {
        assert!(!error.message.chars().any(char::is_control));
    }
}
