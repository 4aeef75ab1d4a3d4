//! Redirects (rows E16, F1, A3, R17, S2, S5, S11, S12): which are followed, what the next server
//! gets to see, and that nothing at all goes where a registry may not send us.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;

use fake_registry::{Ca, Config, FakeRegistry, Page, Quirk};
use ocireg::{Algorithm, Client, Digest, DigestSource, Error, ErrorKind, Presence, Resolver};

use crate::quirks_support::*;

/// Knows a few names; any other has no address.
#[derive(Default)]
struct Names(HashMap<&'static str, Vec<SocketAddr>>);

impl Names {
    fn with(mut self, name: &'static str, addresses: &[SocketAddr]) -> Names {
        self.0.insert(name, addresses.to_vec());
        self
    }
}

impl Resolver for Names {
    fn resolve(&self, host: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(self.0.get(host).cloned().unwrap_or_default())
    }
}

fn to(status: u16, base: impl Into<String>) -> Quirk {
    Quirk::RedirectManifests(status, base.into())
}

/// `IP:PORT` with the port of this registry.
fn on_port_of(registry: &FakeRegistry, ip: &str) -> SocketAddr {
    SocketAddr::new(ip.parse().unwrap(), registry.address().port())
}

fn digest() -> Digest {
    Digest::of(Algorithm::Sha256, IMAGE.as_bytes())
}

#[track_caller]
fn refused(client: &Client, registry: &FakeRegistry, why: &str) -> Error {
    let reference = image(registry, "t/a:v1");
    let error = client.exists(&reference).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{}", story(&error));
    assert_tells(&error, why);
    assert_tells(&error, &reference.to_string());
    error
}

#[test]
fn e16_s2_a_redirect_is_followed_and_the_request_made_anew() {
    for status in [301, 302, 303, 307, 308] {
        let target = registry([]);
        let cookie = Quirk::Header("Set-Cookie: session=hunter2".to_owned());
        let source = registry([to(status, target.url()), cookie]);
        let client = client();
        for _ in 0..2 {
            let found = client.head(&image(&source, "t/a:v1")).unwrap();
            assert_eq!(found.digest, digest(), "{status}");
        }
        let by_digest = image(&source, &format!("t/a@{}", digest()));
        assert_eq!(client.digest(&by_digest).unwrap(), digest(), "{status}");
        let (from, there) = (source.take_requests(), target.take_requests());
        assert_eq!((from.len(), there.len()), (3, 3), "{status}");
        for (from, there) in from.iter().zip(&there) {
            assert_eq!(there.method, "HEAD", "{status}");
            assert_eq!(there.target, from.target, "{status}");
            // The same but for the host: no cookie, no login, nothing that is not asked for anew.
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

/// A CDN knows neither types nor digests: HEAD, then GET, each redirected, and the digest is that
/// of the bytes.
#[test]
fn e16_f1_what_a_cdn_sends_is_hashed() {
    let type_of_files = Quirk::ManifestContentType("application/octet-stream".to_owned());
    let cdn = registry([Quirk::NoDigestHeader, type_of_files]);
    let source = registry([to(307, cdn.url())]);
    let found = client().head(&image(&source, "t/a:v1")).unwrap();
    assert_eq!(found.digest, digest());
    assert_eq!(found.digest_source, DigestSource::Computed);
    assert_eq!(asked(&source), ["HEAD v1", "GET v1"]);
    assert_eq!(asked(&cdn), ["HEAD v1", "GET v1"]);

    let other = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    cdn.set_quirks([Quirk::HeadStatus(405, Page::Empty)]);
    cdn.put_tag("t/a", other, digest().as_str());
    let error = client()
        .exists(&image(&source, &format!("t/a@{other}")))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DigestMismatch);
}

/// S2: what the target answers is about the target; its 401 gets no answer of ours, and it teaches
/// nothing about the registry.
#[test]
fn s2_refusals_and_words_of_the_target() {
    let target = registry([
        Quirk::Challenge(Page::Json, vec!["Basic realm=\"cdn\"".to_owned()]),
        Quirk::Warning("of the target".to_owned()),
        Quirk::RateLimit("7;w=60".to_owned()),
    ]);
    let source = registry([to(302, target.url())]);
    let client = client();
    let error = client.digest(&image(&source, "t/a:v1")).unwrap_err();
    // Whether the registry would show the image is not for the target to say.
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

/// S2: another port, another host, the own host by another name, and the way back again: whoever is
/// not the registry sees nothing of what is for the registry, and what has been elsewhere does not
/// get it back.
#[test]
fn s2_secrets_stay_with_the_registry() {
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
            let source = registry([to(307, base.clone())]);
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
            let result = client
                .exists(&image(&source, "t/a:v1"))
                .map_err(|error| error.kind());
            assert_eq!(
                result == Err(ErrorKind::Protocol),
                quirk.is_some(),
                "{base} {result:?}"
            );
            let (from, there) = (source.take_requests(), target.take_requests());
            assert_eq!((from.len(), there.len()), (1, 1), "{base}");
            assert_eq!(
                from[0].header("authorization").unwrap(),
                "Bearer hunter2-token"
            );
            assert_eq!(from[0].header("x-api-key").unwrap(), "hunter2-key");
            assert!(!secret(&there[0]), "{base}: {:?}", there[0].headers);
            assert_eq!(fields(&there[0]).len(), 4, "{base}: {:?}", there[0].headers);
        }
    }

    let source = registry([to(307, target.url())]);
    target.set_quirks([to(307, format!("{}/v2/t/back?from=", source.url()))]);
    let client = builder()
        .bearer(&source.authority(), "hunter2")
        .build()
        .unwrap();
    // What is found there is no matter.
    let _ = client.exists(&image(&source, "t/a:v1"));
    let back = source.take_requests();
    let seen: Vec<bool> = back.iter().map(secret).collect();
    assert_eq!(seen[..2], [true, false], "{back:?}");
    assert!(!target.take_requests().iter().any(secret));
}

/// Decision 2 across hosts: a 404 of the server that a registry led to is only that server's word.
#[test]
fn r32_f2_a_404_of_a_target_that_is_no_registry_is_not_absence() {
    for page in [Page::Html, Page::Xml, Page::Empty, Page::Text] {
        let cdn = registry([Quirk::NotARegistry(404, page.clone())]);
        let source = registry([to(307, cdn.url())]);
        let error = refused(&client(), &source, "does not answer like a registry");
        assert_tells(&error, &cdn.authority());
        assert_eq!(asked(&cdn), ["HEAD v1", "GET v1"], "{page:?}");
    }
    // A captive portal that redirects to its own page.
    let portal = registry([Quirk::NotARegistry(200, Page::Html)]);
    let source = registry([to(302, portal.url())]);
    let error = client().exists(&image(&source, "t/a:v1")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    // registry.k8s.io: the target is a registry, and says so.
    for quirk in [None, Some(Quirk::UnmarkedNotFound(Page::JsonText))] {
        let target = registry(quirk);
        let source = registry([to(307, target.url())]);
        let result = client().exists(&image(&source, "t/a:none")).unwrap();
        assert_eq!(result, Presence::Absent);
    }
}

#[test]
fn a3_another_repository_of_the_same_registry_is_refused() {
    let registry = registry([Quirk::RedirectRepository("t/other".to_owned())]);
    registry.put_manifest("t/other", "v1", INDEX, IMAGE);
    refused(
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
fn r17_circles_dead_ends_and_long_ways() {
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
        refused(&client(), &registry, why);
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
    a.add_quirk(to(302, b.url()));
    b.add_quirk(to(302, a.url()));
    refused(&client(), &a, "in a circle");
    assert_eq!((a.request_count(), b.request_count()), (1, 1));
}

#[test]
fn s12_unusable_locations_lead_nowhere() {
    let target = registry([]);
    let port = target.address().port();
    let cases = [
        (
            format!("http://user:hunter2@127.0.0.1:{port}"),
            "a user name or password",
        ),
        (
            format!("http://127.0.0.1:{port}@127.0.0.1:{port}"),
            "a user name or password",
        ),
        (
            format!("ftp://127.0.0.1:{port}"),
            "a scheme other than http and https",
        ),
        (
            format!("gopher://127.0.0.1:{port}"),
            "a scheme other than http and https",
        ),
        (
            "file:///etc".to_owned(),
            "a scheme other than http and https",
        ),
        ("javascript:alert(1)//".to_owned(), "not an absolute URL"),
        (format!("http://127.0.0.1:{port}/a b"), "a space"),
        (
            format!("http://127.0.0.1:{port}/a\tb"),
            "a control character",
        ),
        (format!("http:\\\\127.0.0.1:{port}"), "a backslash"),
        (format!("http://127.0.0.1:{port}/\u{fc}"), "outside ASCII"),
        ("http://127.0.0.1:0".to_owned(), "no usable port"),
        ("http://127.0.0.1:99999".to_owned(), "no usable port"),
        ("http://127.0.0.1:".to_owned(), "no usable port"),
        ("http://".to_owned(), "no usable host"),
        // S4: addresses that do not look like what they are.
        (format!("http://2130706433:{port}"), "no usable host"),
        (format!("http://0x7f000001:{port}"), "no usable host"),
        (format!("http://0x7f.1:{port}"), "no usable host"),
        (format!("http://0177.0.0.1:{port}"), "no usable host"),
        (format!("http://127.1:{port}"), "no usable host"),
        (format!("http://[127.0.0.1]:{port}"), "no usable host"),
        (format!("http://[::1%25lo]:{port}"), "no usable host"),
        (format!("http://127.0.0.1%2f:{port}"), "no usable host"),
    ];
    for (base, why) in cases {
        let source = registry([to(302, base.clone())]);
        let error = refused(
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

/// S5: where a registry on loopback may not send us, as an address and as a name.
#[test]
fn s5_addresses_that_no_registry_may_lead_to() {
    let target = registry([]);
    let port = target.address().port();
    let metadata = SocketAddr::new("169.254.169.254".parse().unwrap(), port);
    let unspecified = on_port_of(&target, "0.0.0.0");
    let names = || {
        Names::default()
            .with("metadata.example.com", &[metadata])
            .with("unspecified.example.com", &[unspecified])
            .with("both.example.com", &[metadata, unspecified])
            .with(
                "mapped.example.com",
                &[on_port_of(&target, "::ffff:0.0.0.0")],
            )
            .with(
                "alibaba.example.com",
                &[on_port_of(&target, "100.100.100.200")],
            )
            .with("multicast.example.com", &[on_port_of(&target, "224.0.0.1")])
    };
    for host in [
        "169.254.169.254",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        // Linux takes these to loopback, where the target listens.
        "0.0.0.0",
        "[::]",
        "[::ffff:0.0.0.0]",
        "0.1.2.3",
        "255.255.255.255",
        "metadata.example.com",
        "unspecified.example.com",
        "both.example.com",
        "mapped.example.com",
        "alibaba.example.com",
        "multicast.example.com",
    ] {
        for scheme in ["http", "https"] {
            let source = registry([to(307, format!("{scheme}://{host}:{port}"))]);
            let client = builder().resolver(names()).build().unwrap();
            let error = refused(
                &client,
                &source,
                "leads to a link-local or otherwise special address",
            );
            assert_eq!(source.request_count(), 1, "{host}");
            assert!(!error.is_transient(), "{host}");
        }
    }
    assert_eq!(target.connection_count(), 0, "nobody was even knocked at");
}

/// Of a name's addresses only those that are permitted are tried, also where another comes first.
#[test]
fn s5_of_mixed_addresses_only_the_permitted_are_tried() {
    let (target, trap) = (registry([]), registry([]));
    let mixed = [
        on_port_of(&trap, "0.0.0.0"),
        "169.254.169.254:80".parse().unwrap(),
        target.address(),
        on_port_of(&trap, "0.0.0.0"),
    ];
    let names = Names::default().with("cdn.example.com", &mixed);
    let source = registry([to(302, "http://cdn.example.com")]);
    let client = builder().resolver(names).build().unwrap();
    let found = client.digest(&image(&source, "t/a:v1")).unwrap();
    assert_eq!(found, digest());
    let there = target.take_requests();
    assert_eq!(there.len(), 1);
    assert_eq!(there[0].header("host").unwrap(), "cdn.example.com");
    assert_eq!(trap.connection_count(), 0);
}

/// A registry that was reached at loopback may send us on there, by whatever name.
#[test]
fn s5_loopback_may_lead_to_loopback() {
    let target = registry([]);
    let names = || {
        Names::default()
            .with("cdn.example.com", &[target.address()])
            .with("localhost", &[target.address()])
    };
    let port = target.address().port();
    for base in [
        target.url(),
        format!("//127.0.0.1:{port}"),
        format!("http://localhost:{port}"),
        format!("HTTP://LOCALHOST:{port}"),
        "http://cdn.example.com".to_owned(),
    ] {
        let source = registry([to(302, base.clone())]);
        let client = builder().resolver(names()).build().unwrap();
        let found = client.digest(&image(&source, "t/a:v1"));
        assert_eq!(found.expect(&base), digest());
        assert_eq!(target.take_requests().len(), 1, "{base}");
    }
}

/// The registry's own host under another port: its name may not point elsewhere by then
/// (rebinding), unless it was the caller who named such an address.
#[test]
fn s5_back_to_the_own_host() {
    let target = registry([]);
    let source = registry([]);
    let port = target.address().port();
    let own = format!("registry.example.com:{}", source.address().port());
    /// Another address at the second look.
    struct Rebinding(std::sync::Mutex<Vec<SocketAddr>>);
    impl Resolver for Rebinding {
        fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
            Ok(self.0.lock().unwrap().pop().into_iter().collect())
        }
    }
    source.add_quirk(to(307, format!("http://registry.example.com:{port}")));
    let reference = parse(&format!("{own}/t/a:v1"));
    for (second, good) in [
        ("127.0.0.1", true),
        ("0.0.0.0", false),
        ("169.254.169.254", false),
    ] {
        let addresses = vec![on_port_of(&target, second), source.address()];
        let client = builder()
            .plain_http(&own)
            .resolver(Rebinding(addresses.into()))
            .build()
            .unwrap();
        let result = client.digest(&reference);
        assert_eq!(target.connection_count(), 1, "{second}");
        match result {
            Ok(found) if good => assert_eq!(found, digest()),
            Err(error) if !good => assert_eq!(error.kind(), ErrorKind::Protocol, "{second}"),
            other => panic!("{second}: {other:?}"),
        }
    }

    // The caller's own word for this machine.
    let named = format!("0.0.0.0:{}", source.address().port());
    let client = builder().plain_http(&named).build().unwrap();
    let reference = parse(&format!("{named}/t/a:v1"));
    for (host, good) in [
        ("0.0.0.0", true),
        ("127.0.0.1", true),
        ("169.254.169.254", false),
    ] {
        source.set_quirks([to(307, format!("http://{host}:{port}"))]);
        match client.digest(&reference) {
            Ok(found) if good => assert_eq!(found, digest()),
            Err(error) if !good => assert_eq!(error.kind(), ErrorKind::Protocol, "{host}"),
            other => panic!("{host}: {other:?}"),
        }
    }
}

/// S11: never from https to http; from https to https where the certificate is one that the
/// registry's CA vouches for.
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
    let source = tls(Some(to(307, plain.url())));
    refused(&trusting(&source), &source, "leads from https to http");
    assert_eq!(plain.connection_count(), 0);
    assert_eq!(source.request_count(), 1);

    let target = tls(None);
    let source = tls(Some(to(307, target.url())));
    let found = trusting(&source).digest(&image(&source, "t/a:v1")).unwrap();
    assert_eq!(found, digest());

    let stranger = start(Config::new().tls(Ca::new().identity(&["127.0.0.1"])), []);
    let source = tls(Some(to(307, stranger.url())));
    let error = trusting(&source)
        .exists(&image(&source, "t/a:v1"))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls);
    assert_tells(&error, &stranger.authority());
    let heard: Vec<String> = stranger
        .requests()
        .into_iter()
        .map(|request| request.method)
        .collect();
    assert!(
        heard.iter().all(String::is_empty),
        "no request went out: {heard:?}"
    );

    // From http to https there is nothing to lose; but a CA is the registry's own matter.
    let target = tls(None);
    let source = registry([to(307, target.url())]);
    let error = client().exists(&image(&source, "t/a:v1")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls);
}
