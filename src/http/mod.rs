//! HTTP as plain values, without sockets and I/O.

pub(crate) mod error_body;
pub(crate) mod error_codes;
mod headers;
pub(crate) mod link;
mod malformed;
mod rate_limit;
mod request;
pub(crate) mod retry_after;
pub(crate) mod syntax;
pub(crate) mod warning;

pub(crate) use headers::Headers;
pub(crate) use malformed::Malformed;
pub use rate_limit::RateLimit;
pub(crate) use request::{Content, Method, WireRequest};

/// The part of a server's URL that may be shown: scheme, host and path. Query and fragment may hold
/// the secret of a signed URL. A URL with an '@' may hold a password, so nothing of it is shown.
pub(crate) fn shown_url(url: &str) -> &str {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let shown = url.get(..end).unwrap_or_default();
    if shown.contains('@') {
        return "REDACTED";
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::shown_url;

    #[test]
    fn s15_a_url_is_shown_without_query_fragment_and_user() {
        let cases = [
            ("https://r.example.com/v2/a", "https://r.example.com/v2/a"),
            (
                "https://s3.example.com/b?X-Sig=secret",
                "https://s3.example.com/b",
            ),
            ("/v2/a/tags/list?last=x#f", "/v2/a/tags/list"),
            ("https://user:secret@r.example.com/", "REDACTED"),
            ("https://r.example.com?u=a@b", "https://r.example.com"),
            ("", ""),
        ];
        for (url, expected) in cases {
            assert_eq!(shown_url(url), expected, "{url}");
        }
    }
}
