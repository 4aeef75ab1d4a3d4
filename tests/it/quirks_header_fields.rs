//! What a registry says in header fields (J1, J2, J3): rate limits, waits, warnings.

use std::time::{Duration, Instant, SystemTime};

use fake_registry::{Page, Quirk};
use ocireg::ErrorKind;

use crate::quirks_support::*;

#[test]
fn j1_the_rate_limit_of_an_answer_and_of_an_error() {
    let source = Quirk::Header("Docker-RateLimit-Source: 192.0.2.1".to_owned());
    let registry = registry([Quirk::RateLimit("76;w=21600".to_owned()), source]);
    let client = client();
    let host = name(&registry);
    assert_eq!(client.rate_limit(&host), None, "nothing was asked yet");
    client.exists(&image(&registry, "t/a:v1")).unwrap();
    let limit = client.rate_limit(&host).unwrap();
    assert_eq!((limit.limit, limit.remaining), (Some(100), Some(76)));
    assert_eq!(limit.window, Some(Duration::from_secs(21600)));
    assert_eq!(limit.source.as_deref(), Some("192.0.2.1"));

    // The last rate limit counts, from any answer. An answer without one changes nothing.
    for (quirk, kind) in [
        (Quirk::Deny(403, Page::Json), ErrorKind::Denied),
        (Quirk::FailFirst(503, u64::MAX), ErrorKind::Server),
        (Quirk::Deny(429, Page::Html), ErrorKind::RateLimited),
    ] {
        registry.set_quirks([Quirk::RateLimit("0;w=21600".to_owned()), quirk]);
        let error = client.digest(&image(&registry, "t/a:v1")).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(error.rate_limit().unwrap().remaining, Some(0));
        assert_eq!(client.rate_limit(&host).unwrap().remaining, Some(0));
    }
    registry.set_quirks([]);
    client.exists(&image(&registry, "t/a:v1")).unwrap();
    assert_eq!(client.rate_limit(&host).unwrap().remaining, Some(0));
}

#[test]
fn j1_incomplete_and_invalid_rate_limits() {
    let cases = [
        ("76", Some(76), Some(21600)),
        ("76; w=60, 1000;w=3600", Some(76), Some(21600)),
        ("-1", None, Some(21600)),
        ("plenty", None, Some(21600)),
        ("", None, Some(21600)),
        ("99999999999999999999999", None, Some(21600)),
    ];
    for (text, remaining, window) in cases {
        let registry = registry([Quirk::RateLimit(text.to_owned())]);
        let client = client();
        client.exists(&image(&registry, "t/a:v1")).unwrap();
        let limit = client.rate_limit(&name(&registry)).unwrap();
        assert_eq!(limit.remaining, remaining, "{text}");
        assert_eq!(
            limit.window.map(|window| window.as_secs()),
            window,
            "{text}"
        );
    }
}

/// The wait in the error. The client has no retries, so no test waits.
#[test]
fn j2_every_form_of_retry_after() {
    let seconds = |number| Some(Duration::from_secs(number));
    let cases = [
        ("0", seconds(0)),
        ("1", seconds(1)),
        (" 120 ", seconds(120)),
        ("3600", seconds(3600)),
        ("99999999999999999999999999", seconds(u64::MAX)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", seconds(0)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", seconds(0)),
        ("Sun Nov  6 08:49:37 1994", seconds(0)),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("+3", None),
        ("soon", None),
        ("Sun, 31 Feb 1994 08:49:37 GMT", None),
    ];
    for (text, expected) in cases {
        for page in [
            Page::Json,
            Page::Html,
            Page::Text,
            Page::Empty,
            Page::Object,
        ] {
            let after = Quirk::Header(format!("Retry-After: {text}"));
            let registry = registry([Quirk::Deny(429, page), after]);
            let error = client().tags(&repository(&registry, "t/a")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::RateLimited, "{text}");
            assert_eq!(error.http_status(), Some(429), "{text}");
            assert_eq!(error.retry_after(), expected, "{text}");
            assert!(error.is_transient());
            assert_eq!(registry.request_count(), 1, "{text}");
        }
    }
}

#[test]
fn j2_a_date_in_the_far_future() {
    let date = "Fri, 31 Dec 9999 23:59:59 GMT";
    let registry = registry([Quirk::TooManyRequests(u64::MAX, date.to_owned())]);
    // Retries are allowed, but the wait is too long.
    let client = ocireg::Client::new().unwrap();
    let started = Instant::now();
    let error = client.exists(&image(&registry, "t/a:v1")).unwrap_err();
    let left = error.retry_after().unwrap();
    let expected = Duration::from_secs(253_402_300_799) - SystemTime::UNIX_EPOCH.elapsed().unwrap();
    assert!(
        left.abs_diff(expected) < Duration::from_secs(60),
        "{left:?}"
    );
    assert_eq!(registry.request_count(), 1);
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_tells(&error, "try again in 25");
}

#[test]
fn j2_a_wait_with_another_status() {
    let after = Quirk::Header("Retry-After: 7".to_owned());
    let registry = registry([Quirk::FailFirst(503, u64::MAX), after]);
    let error = client().digest(&image(&registry, "t/a:v1")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
}

#[test]
fn j3_warnings_are_collected_each_once() {
    let registry = registry([
        Quirk::Warning("this registry moves".to_owned()),
        Quirk::Warning("to registry.example.com".to_owned()),
        Quirk::Header("Warning: 199 - \"of a proxy\"".to_owned()),
        Quirk::Header("Warning: nonsense".to_owned()),
        Quirk::Header(
            "Warning: 299 - \"this registry moves\", 299 - \"a \\\"quoted\\\" word\"".to_owned(),
        ),
    ]);
    let client = client();
    let host = name(&registry);
    let expected = [
        "this registry moves",
        "to registry.example.com",
        "a \"quoted\" word",
    ];
    for _ in 0..3 {
        client.exists(&image(&registry, "t/a:v1")).unwrap();
        client.tags(&repository(&registry, "t/a")).unwrap();
        client.exists(&image(&registry, "t/a:none")).unwrap();
        assert_eq!(client.warnings(&host), expected);
    }
    assert_eq!(
        client.clone().warnings(&host),
        expected,
        "clones share them"
    );
    assert!(crate::quirks_support::client().warnings(&host).is_empty());
    assert!(client.warnings(&"localhost:1".parse().unwrap()).is_empty());
}

#[test]
fn j3_warnings_are_printable_and_bounded() {
    let long = "x".repeat(5000);
    let registry = registry([
        Quirk::Warning("\u{9b}31mred\u{202e}der\tend".to_owned()),
        Quirk::Warning(long),
        Quirk::Warning("   ".to_owned()),
    ]);
    let client = client();
    let host = name(&registry);
    client.exists(&image(&registry, "t/a:v1")).unwrap();
    let warnings = client.warnings(&host);
    assert_eq!(warnings, ["\u{fffd}31mred\u{fffd}der end"]);
    // A new warning with each answer does not fill the memory.
    for number in 0..100 {
        registry.set_quirks([Quirk::Warning(format!("number {number}"))]);
        client.exists(&image(&registry, "t/a:v1")).unwrap();
    }
    let warnings = client.warnings(&host);
    assert_eq!(warnings.len(), 32);
    warnings.iter().for_each(|warning| assert_shown(warning));
}
