//! Redirects (A3, E16, F1, F2, R17, R32, S2, S11, S12): which are followed, and what the next
//! server receives.

use fake_registry::{Ca, Config, FakeRegistry, Page, Quirk};
use ocireg::{DigestSource, ErrorKind, Presence};

use crate::quirks_support::*;

#[test]
fn e16_s2_a_redirect_is_followed_and_the_request_made_anew() {
    for status in [301, 302, 303, 307, 308] {
        let target = registry([]);
        let cookie = Quirk::Header("Set-Cookie: session=hunter2".to_owned());
        let source = registry([redirect(status, target.url()), cookie]);
        let client = client();
        for _ in 0..2 {
            let found = client.head(&image(&source, "t/a:v1")).unwrap();
            assert_eq!(found.digest, sha256_of_image(), "{status}");
        }
        let by_digest = image(&source, &format!("t/a@{}", sha256_of_image()));
        assert_eq!(
            client.digest(&by_digest).unwrap(),
            sha256_of_image(),
            "{status}"
        );
        let (from, there) = (source.take_requests(), target.take_requests());
        assert_eq!((from.len(), there.len()), (3, 3), "{status}");
        for (from, there) in from.iter().zip(&there) {
            assert_eq!(there.method, "HEAD", "{status}");
            assert_eq!(there.target, from.target, "{status}");
            // The same fields except for the host: no cookie and no login.
            let moved = |(name, value): (String, String)| match name.as_str() {
                "host" => (name, target.authority()),
                _ => (name, value),
            };
            let expected: Vec<_> = fields(from).into_iter().map(moved).collect();
            assert_eq!(fields(there), expected, "{status}");
            assert_eq!(expected.len(), 4, "{status}");
        }
    }
}

/// A CDN sends neither types nor digests. HEAD and GET are redirected, and the digest is computed.
#[test]
fn e16_f1_the_digest_of_content_from_a_cdn_is_computed() {
    let type_of_files = Quirk::ManifestContentType("application/octet-stream".to_owned());
    let cdn = registry([Quirk::NoDigestHeader, type_of_files]);
    let source = registry([redirect(307, cdn.url())]);
    let found = client().head(&image(&source, "t/a:v1")).unwrap();
    assert_eq!(found.digest, sha256_of_image());
    assert_eq!(found.digest_source, DigestSource::Computed);
    assert_eq!(asked(&source), ["HEAD v1", "GET v1"]);
    assert_eq!(asked(&cdn), ["HEAD v1", "GET v1"]);

    let other = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    cdn.set_quirks([Quirk::HeadStatus(405, Page::Empty)]);
    cdn.put_tag("t/a", other, sha256_of_image().as_str());
    let error = client()
        .exists(&image(&source, &format!("t/a@{other}")))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DigestMismatch);
}

/// The answer of the target is about the target. Its 401 is not answered, and says nothing about
/// the registry.
#[test]
fn s2_a_refusal_of_the_target_is_no_denial() {
    let target = registry([
        Quirk::Challenge(Page::Json, vec!["Basic realm=\"cdn\"".to_owned()]),
        Quirk::Warning("of the target".to_owned()),
        Quirk::RateLimit("7;w=60".to_owned()),
    ]);
    let source = registry([redirect(302, target.url())]);
    let client = client();
    let error = client.digest(&image(&source, "t/a:v1")).unwrap_err();
    // The target does not know whether the registry would give access.
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert_tells(
        &error,
        &format!(
            "{} refuses; the registry redirects there",
            target.authority()
        ),
    );
    assert_tells(&error, "Basic realm=\"cdn\"");
    assert_eq!(
        (asked(&source), asked(&target)),
        (vec!["HEAD v1".to_owned()], vec!["HEAD v1".to_owned()])
    );
    assert_eq!(client.warnings(&name(&source)), Vec::<String>::new());
    assert_eq!(client.rate_limit(&name(&source)), None);
}

/// Another port, another host, the own host by another name, and the way back: only the registry
/// gets its secrets, and not after a redirect to another server.
#[test]
fn s2_only_the_registry_gets_its_secrets() {
    let challenge = Quirk::Challenge(Page::Json, vec!["Bearer realm=\"/token\"".to_owned()]);
    let target = registry([]);
    let port = target.address().port();
    let secret = |request: &fake_registry::Recorded| {
        String::from_utf8_lossy(&request.raw_head).contains("hunter2")
    };
    for base in [
        target.url(),
        format!("http://cdn.example.com:{port}"),
        format!("http://localhost:{port}"),
        format!("//LOCALHOST:{port}"),
    ] {
        for quirk in [None, Some(challenge.clone())] {
            target.set_quirks(quirk.clone());
            let source = registry([redirect(307, base.clone())]);
            let host = source.authority();
            let at_target = [target.address()];
            let names = Names::default()
                .with("cdn.example.com", &at_target)
                .with("localhost", &at_target);
            let client = builder()
                .resolver(names)
                .bearer(&host, "hunter2-token")
                .add_header(&host, "X-Api-Key", "hunter2-key")
                .build()
                .unwrap();
            let result = client.exists(&image(&source, "t/a:v1"));
            let kind = result.err().map(|error| error.kind());
            let expected = quirk.map(|_| ErrorKind::Protocol);
            assert_eq!(kind, expected, "{base}");
            let (from, there) = (source.take_requests(), target.take_requests());
            // A challenge leads to a request for the token that anybody gets.
            let asked = 1 + usize::from(expected.is_some());
            assert_eq!((from.len(), there.len()), (1, asked), "{base}");
            assert_eq!(
                from[0].header("authorization").unwrap(),
                "Bearer hunter2-token"
            );
            assert_eq!(from[0].header("x-api-key").unwrap(), "hunter2-key");
            assert!(!secret(&there[0]), "{base}: {:?}", there[0].headers);
            assert_eq!(fields(&there[0]).len(), 4, "{base}: {:?}", there[0].headers);
        }
    }

    let source = registry([redirect(307, target.url())]);
    target.set_quirks([redirect(307, format!("{}/back?from=", source.url()))]);
    let client = builder()
        .bearer(&source.authority(), "hunter2")
        .build()
        .unwrap();
    // The result does not matter.
    let _ = client.exists(&image(&source, "t/a:v1"));
    let back = source.take_requests();
    let seen: Vec<bool> = back.iter().map(secret).collect();
    assert_eq!(seen[..2], [true, false], "{back:?}");
    assert!(!target.take_requests().iter().any(secret));
}

#[test]
fn r32_f2_a_404_of_a_target_that_is_no_registry_is_not_absence() {
    for page in [Page::Html, Page::Xml, Page::Empty, Page::Text] {
        let cdn = registry([Quirk::NotARegistry(404, page.clone())]);
        let source = registry([redirect(307, cdn.url())]);
        let error = assert_refused(&client(), &source, "does not answer like a registry");
        assert_tells(&error, &cdn.authority());
        assert_eq!(asked(&cdn), ["HEAD v1", "GET v1"], "{page:?}");
    }
    // A captive portal that redirects to its own page.
    let portal = registry([Quirk::NotARegistry(200, Page::Html)]);
    let source = registry([redirect(302, portal.url())]);
    let error = client().exists(&image(&source, "t/a:v1")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    // registry.k8s.io: the target is a registry, and its 404 identifies it.
    for quirk in [None, Some(Quirk::UnmarkedNotFound(Page::JsonText))] {
        let target = registry(quirk);
        let source = registry([redirect(307, target.url())]);
        let result = client().exists(&image(&source, "t/a:none")).unwrap();
        assert_eq!(result, Presence::Absent);
    }
}

#[test]
fn a3_another_repository_of_the_same_registry_is_refused() {
    let registry = registry([Quirk::RedirectRepository("t/other".to_owned())]);
    registry.put_manifest("t/other", "v1", INDEX, IMAGE);
    assert_refused(
        &client(),
        &registry,
        "another repository of the same registry",
    );
    assert_eq!(asked(&registry), ["HEAD v1"]);
    let error = client().tags(&repository(&registry, "t/a")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert_eq!(asked(&registry), ["GET list"]);
}

#[test]
fn r17_circles_missing_targets_and_too_many_redirects() {
    let cases = [
        (Quirk::RedirectLoop, "in a circle", 1),
        (Quirk::RedirectNowhere(301), "does not say where to", 1),
        (Quirk::RedirectNowhere(302), "does not say where to", 1),
        (Quirk::RedirectNowhere(308), "does not say where to", 1),
        (
            Quirk::RedirectNowhere(300),
            "a redirect that is not one (HTTP 300)",
            1,
        ),
        (
            Quirk::RedirectNowhere(304),
            "a redirect that is not one (HTTP 304)",
            1,
        ),
        (
            Quirk::RedirectNowhere(305),
            "a redirect that is not one (HTTP 305)",
            1,
        ),
        (Quirk::RedirectHops(11), "more than 10 redirects", 11),
        (Quirk::RedirectHops(1_000_000), "more than 10 redirects", 11),
    ];
    for (quirk, why, requests) in cases {
        let registry = registry([quirk.clone()]);
        assert_refused(&client(), &registry, why);
        assert_eq!(registry.take_requests().len(), requests, "{quirk:?}");
        let error = client().tags(&repository(&registry, "t/a")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{quirk:?}");
    }
    let registry = registry([Quirk::RedirectHops(10)]);
    let found = client().exists(&image(&registry, "t/a:v1")).unwrap();
    assert!(matches!(found, Presence::Exists(_)));
    assert_eq!(registry.request_count(), 11);
}

/// A to B and back to A.
#[test]
fn s2_r17_a_circle_over_two_servers() {
    let (a, b) = (registry([]), registry([]));
    a.add_quirk(redirect(302, b.url()));
    b.add_quirk(redirect(302, a.url()));
    assert_refused(&client(), &a, "in a circle");
    assert_eq!((a.request_count(), b.request_count()), (1, 1));
}

#[test]
fn s12_s4_an_unusable_location_is_not_followed() {
    const SCHEME: &str = "a scheme other than http and https";
    const LOGIN: &str = "a user name or password";
    const HOST: &str = "no usable host";
    const PORT: &str = "no usable port";
    let target = registry([]);
    // The location, with the port of the target for `{}`, and what the error says.
    let cases = [
        ("http://user:hunter2@127.0.0.1:{}", LOGIN),
        ("http://127.0.0.1:{}@127.0.0.1:{}", LOGIN),
        ("ftp://127.0.0.1:{}", SCHEME),
        ("gopher://127.0.0.1:{}", SCHEME),
        ("file:///etc", SCHEME),
        ("javascript:alert(1)//", "not an absolute URL"),
        ("http://127.0.0.1:{}/a b", "a space"),
        ("http://127.0.0.1:{}/a\tb", "a control character"),
        ("http:\\\\127.0.0.1:{}", "a backslash"),
        ("http://127.0.0.1:{}/\u{fc}", "outside ASCII"),
        ("http://127.0.0.1:0", PORT),
        ("http://127.0.0.1:99999", PORT),
        ("http://127.0.0.1:", PORT),
        ("http://", HOST),
        // S4: addresses in odd spellings.
        ("http://2130706433:{}", HOST),
        ("http://0x7f000001:{}", HOST),
        ("http://0x7f.1:{}", HOST),
        ("http://0177.0.0.1:{}", HOST),
        ("http://127.1:{}", HOST),
        ("http://[127.0.0.1]:{}", HOST),
        ("http://[::1%25lo]:{}", HOST),
        ("http://127.0.0.1%2f:{}", HOST),
    ];
    for (location, why) in cases {
        let base = location.replace("{}", &target.address().port().to_string());
        let source = registry([redirect(302, base.clone())]);
        let error = assert_refused(
            &client(),
            &source,
            "a redirect that is not followed (HTTP 302)",
        );
        assert_tells(&error, why);
        assert_eq!(error.http_status(), Some(302), "{base}");
        assert!(
            !format!("{error:?} {}", story(&error)).contains("hunter2"),
            "{base}"
        );
        assert_shown(&story(&error));
        assert_eq!(source.request_count(), 1, "{base}");
    }
    assert_eq!(target.connection_count(), 0);
}

/// Never from https to http. From https to https if the registry's CA has issued the certificate.
#[test]
fn s11_https_stays_https() {
    let ca = Ca::new();
    let tls = |quirk: Option<Quirk>| start(Config::new().tls(ca.identity(&["127.0.0.1"])), quirk);
    let trusting = |registry: &FakeRegistry| {
        builder()
            .ca_pem(&registry.authority(), ca.pem().as_bytes())
            .build()
            .unwrap()
    };
    let plain = registry([]);
    let source = tls(Some(redirect(307, plain.url())));
    assert_refused(&trusting(&source), &source, "leads from https to http");
    assert_eq!(plain.connection_count(), 0);
    assert_eq!(source.request_count(), 1);

    let target = tls(None);
    let source = tls(Some(redirect(307, target.url())));
    let found = trusting(&source).digest(&image(&source, "t/a:v1")).unwrap();
    assert_eq!(found, sha256_of_image());

    let stranger = start(Config::new().tls(Ca::new().identity(&["127.0.0.1"])), []);
    let source = tls(Some(redirect(307, stranger.url())));
    let error = trusting(&source)
        .exists(&image(&source, "t/a:v1"))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls);
    assert_tells(&error, &stranger.authority());
    let received: Vec<String> = stranger
        .requests()
        .into_iter()
        .map(|request| request.method)
        .collect();
    assert!(
        received.iter().all(String::is_empty),
        "no request was sent: {received:?}"
    );

    // From http to https the target needs a trusted certificate too.
    let target = tls(None);
    let source = registry([redirect(307, target.url())]);
    let error = client().exists(&image(&source, "t/a:v1")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls);
}
