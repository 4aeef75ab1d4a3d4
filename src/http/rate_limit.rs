//! The header fields in which Docker Hub and others report a rate limit.

use std::time::Duration;

use super::Headers;
use crate::redact::Redactor;

/// What a registry last said about its rate limit.
///
/// Docker Hub sends `RateLimit-Limit: 100;w=21600`, `RateLimit-Remaining: 76;w=21600` and
/// `Docker-RateLimit-Source`. A field is `None` if the registry did not send it, or if it could not
/// be read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// The number of requests that are allowed in a window of time.
    pub limit: Option<u64>,
    /// The number of requests that are left in the current window.
    pub remaining: Option<u64>,
    /// The length of a window.
    pub window: Option<Duration>,
    /// The address or account that the registry counts requests of, as it was sent.
    pub source: Option<String>,
}

impl RateLimit {
    /// `None` if the answer says nothing about a limit.
    pub(crate) fn from_headers(headers: &Headers, redactor: &Redactor<'_>) -> Option<RateLimit> {
        let (limit, limit_window) = quota(headers.get("ratelimit-limit"));
        let (remaining, remaining_window) = quota(headers.get("ratelimit-remaining"));
        let rate_limit = RateLimit {
            limit,
            remaining,
            window: limit_window.or(remaining_window),
            source: headers
                .get("docker-ratelimit-source")
                .map(|source| redactor.shown(source, MAX_SOURCE))
                .filter(|source| !source.is_empty()),
        };
        let says_something = rate_limit.limit.is_some()
            || rate_limit.remaining.is_some()
            || rate_limit.window.is_some()
            || rate_limit.source.is_some();
        says_something.then_some(rate_limit)
    }
}

/// Reads `100;w=21600`: a number, and among its parameters the window in seconds.
fn quota(value: Option<&str>) -> (Option<u64>, Option<Duration>) {
    // Drafts of the IETF's field have further policies after a comma.
    let first = value
        .and_then(|value| value.split(',').next())
        .unwrap_or("");
    let mut parts = first.split(';');
    let Some(number) = parts.next().and_then(number) else {
        return (None, None);
    };
    let window = parts
        .filter_map(|part| part.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("w"))
        .and_then(|(_, seconds)| self::number(seconds));
    (Some(number), window.map(Duration::from_secs))
}

/// Parses digits. A sign is refused, which `u64`'s own parser would accept.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let all_digits = text.bytes().all(|b| b.is_ascii_digit());
    all_digits.then(|| text.parse().ok()).flatten()
}

/// The longest source that is kept. An address or a UUID is shorter.
const MAX_SOURCE: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(lines: &[(&str, &str)]) -> Option<RateLimit> {
        let mut headers = Headers::default();
        for (name, value) in lines {
            headers.push(name, value.as_bytes());
        }
        RateLimit::from_headers(&headers, &Redactor::without_secrets())
    }

    #[test]
    fn j1_docker_hub() {
        let rate_limit = read(&[
            ("RateLimit-Limit", "100;w=21600"),
            ("ratelimit-remaining", "76;w=21600"),
            ("Docker-RateLimit-Source", "192.0.2.7"),
        ]);
        let expected = RateLimit {
            limit: Some(100),
            remaining: Some(76),
            window: Some(Duration::from_secs(21_600)),
            source: Some("192.0.2.7".to_owned()),
        };
        assert_eq!(rate_limit, Some(expected));
    }

    #[test]
    fn j1_odd_quotas() {
        let cases = [
            ("100", Some(100), None),
            ("0;w=1", Some(0), Some(1)),
            (" 100 ; x=1 ; W = 60 ", Some(100), Some(60)),
            ("100, 100;w=60", Some(100), None),
            ("100;w=60, 1000;w=3600", Some(100), Some(60)),
            ("100;w=", Some(100), None),
            ("100;w=-1", Some(100), None),
            ("100;60", Some(100), None),
            ("18446744073709551616", None, None),
            ("-1;w=60", None, None),
            ("+1", None, None),
            ("many;w=60", None, None),
            (";w=60", None, None),
            ("", None, None),
        ];
        for (value, number, window) in cases {
            let window = window.map(Duration::from_secs);
            assert_eq!(quota(Some(value)), (number, window), "{value}");
        }
    }

    #[test]
    fn j1_nothing_readable_is_no_rate_limit() {
        assert_eq!(read(&[]), None);
        assert_eq!(
            read(&[
                ("RateLimit-Limit", "lots"),
                ("Docker-RateLimit-Source", " ")
            ]),
            None
        );
        let only_remaining = read(&[
            ("RateLimit-Limit", "lots"),
            ("RateLimit-Remaining", "3;w=9"),
        ]);
        let only_remaining = only_remaining.unwrap();
        assert_eq!(only_remaining.limit, None);
        assert_eq!(only_remaining.remaining, Some(3));
        assert_eq!(only_remaining.window, Some(Duration::from_secs(9)));
    }

    #[test]
    fn s15_the_source_is_printable_and_capped() {
        let long = "\u{1b}".repeat(500);
        let source = read(&[("Docker-RateLimit-Source", &long)])
            .unwrap()
            .source
            .unwrap();
        assert_eq!(source.chars().count(), MAX_SOURCE + 1);
        assert!(!source.contains('\u{1b}'));
    }

    proptest! {
        #[test]
        fn any_text_never_panics(limit in any::<String>(), source in any::<String>()) {
            let _ = read(&[("RateLimit-Limit", &limit), ("Docker-RateLimit-Source", &source)]);
        }

        #[test]
        fn quotas_are_read_back(limit in any::<u64>(), window in any::<u64>()) {
            let value = format!("{limit};w={window}");
            let expected = (Some(limit), Some(Duration::from_secs(window)));
            prop_assert_eq!(quota(Some(&value)), expected);
        }
    }
}
