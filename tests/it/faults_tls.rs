//! TLS that fails, and what the error says (R14, B12, S11, S17).

use std::time::Duration;

use fake_registry::{Ca, Config, FakeRegistry, Identity, Script, ScriptServer};
use ocireg::{Client, ClientBuilder, Error, ErrorKind};

use super::faults_support::{Ask, MANIFEST, MANIFEST_TYPE, hasty};

const NAME: &str = "registry.example.test";

/// What the error says, and the setting that helps, if there is one.
type Refusal = (&'static str, Option<&'static str>);

/// Resolves every name to one address.
#[derive(Clone, Copy)]
struct To(std::net::SocketAddr);

impl ocireg::Resolver for To {
    fn resolve(&self, _: &str, _: u16) -> std::io::Result<Vec<std::net::SocketAddr>> {
        Ok(vec![self.0])
    }
}

/// A client for which every name leads to this server.
fn client(server: &ScriptServer, settings: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
    let resolver = To(server.authority().parse().unwrap());
    settings(hasty().resolver(resolver)).build().unwrap()
}

/// The error is final and says what is wrong. `hint` is the name of the setting that helps, if
/// there is one.
#[track_caller]
fn refused(name: &str, error: &Error, says: &str, hint: Option<&str>) {
    assert_eq!(error.kind(), ErrorKind::Tls, "{name}: {error}");
    assert!(error.message().contains(says), "{name}: {error}");
    match hint {
        Some(hint) => assert!(
            error.hint().unwrap_or_default().contains(hint),
            "{name}: {error}"
        ),
        None => assert_eq!(error.hint(), None, "{name}"),
    }
    assert!(!error.is_transient(), "{name}");
}

/// The certificate of the server, the PEM that the client trusts for it, and the error, if it is
/// one.
type CertificateCase<'a> = (&'a str, &'a Identity, Option<&'a str>, Option<Refusal>);

#[track_caller]
fn check_certificates(cases: &[CertificateCase]) {
    for (name, identity, trusted, refusal) in cases {
        let server = ScriptServer::start_tls(identity, vec![Ask::Head.good()]);
        let client = client(&server, |settings| match trusted {
            Some(pem) => settings.ca_pem(NAME, pem.as_bytes()),
            None => settings,
        });
        let result = Ask::Head.run(&client, NAME);
        match refusal {
            None => assert_eq!(result.expect(name), Ask::Head.expected(), "{name}"),
            Some((says, hint)) => {
                refused(name, &result.expect_err(name), says, *hint);
                assert!(
                    server.received().concat().is_empty(),
                    "{name}: nothing was sent"
                );
            }
        }
        assert_eq!(server.connection_count(), 1, "{name}");
    }
}

#[test]
fn r14_certificates_of_an_authority() {
    let (ca, other) = (Ca::new(), Ca::new());
    let good = ca.identity(&[NAME]);
    let trusted = Some(ca.pem());
    let more_names = ca.identity(&["a.test", NAME]);
    let wildcard = ca.identity(&["*.example.test"]);
    let other_name = ca.identity(&["other.test", "127.0.0.1"]);
    check_certificates(&[
        ("signed by the CA", &good, trusted, None),
        ("with more names", &more_names, trusted, None),
        ("by wildcard", &wildcard, trusted, None),
        (
            "CA not given",
            &good,
            None,
            Some(("not trusted", Some("ca_file"))),
        ),
        (
            "another CA given",
            &good,
            Some(other.pem()),
            Some(("another authority of the same name", Some("ca_file"))),
        ),
        (
            "the certificate in place of its CA",
            &good,
            Some(good.cert_pem()),
            Some(("not trusted", Some("ca_file"))),
        ),
        (
            "expired",
            &ca.expired(&[NAME]),
            trusted,
            Some(("expired", None)),
        ),
        (
            "not yet valid",
            &ca.not_yet_valid(&[NAME]),
            trusted,
            Some(("not valid yet", None)),
        ),
        (
            "for another name",
            &other_name,
            trusted,
            Some(("another host name", None)),
        ),
    ]);
}

#[test]
fn r14_self_signed_certificates() {
    let own = Identity::self_signed(&[NAME]);
    let expired = Identity::self_signed_expired(&[NAME]);
    let foreign = Identity::self_signed(&["other.test"]);
    check_certificates(&[
        (
            "not given",
            &own,
            None,
            Some(("self-signed", Some("ca_file"))),
        ),
        ("given", &own, Some(own.cert_pem()), None),
        (
            "given, expired",
            &expired,
            Some(expired.cert_pem()),
            Some(("expired", None)),
        ),
        (
            "given, for another name",
            &foreign,
            Some(foreign.cert_pem()),
            Some(("another host name", None)),
        ),
    ]);
}

#[test]
fn r14_addresses_in_certificates() {
    let ca = Ca::new();
    for (names, there) in [(["127.0.0.1"], true), (["localhost"], false)] {
        let registry = FakeRegistry::start(Config::new().tls(ca.identity(&names)));
        let authority = registry.authority();
        let client = hasty()
            .ca_pem(&authority, ca.pem().as_bytes())
            .build()
            .unwrap();
        let result = Ask::Ping.run(&client, &authority);
        match result {
            Ok(_) => assert!(there),
            Err(error) => refused(names[0], &error, "another host name", None),
        }
    }
}

#[test]
fn s17_one_registrys_ca_does_not_count_for_another() {
    let ca = Ca::new();
    let server =
        ScriptServer::start_tls(&ca.identity(&[NAME, "other.test"]), vec![Ask::Head.good()]);
    let client = client(&server, |settings| {
        settings.ca_pem("other.test", ca.pem().as_bytes())
    });
    // The second time the other registry has been asked, and its connection is open.
    for _ in 0..2 {
        assert_eq!(
            Ask::Head.run(&client, "other.test").unwrap(),
            Ask::Head.expected()
        );
        let error = Ask::Head.run(&client, NAME).unwrap_err();
        refused("another's CA", &error, "not trusted", Some("ca_file"));
    }
    // The port belongs to the name.
    let error = Ask::Head.run(&client, "other.test:5000").unwrap_err();
    refused("another port's CA", &error, "not trusted", Some("ca_file"));
}

#[test]
fn s11_b12_https_to_a_server_without_tls() {
    let bad_request = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    let plain = "asked over https, answered without TLS";
    // A fatal alert: level 2, then handshake_failure, protocol_version, unrecognized_name.
    let alert = |why: u8| vec![21, 3, 3, 0, 2, 2, why];
    let cases: Vec<(&str, Vec<u8>, &str, Option<&str>)> = vec![
        (
            "an HTTP server",
            bad_request.into(),
            plain,
            Some("plain_http"),
        ),
        (
            "ssh",
            "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n".into(),
            plain,
            Some("plain_http"),
        ),
        ("garbage", vec![0xff; 100], plain, Some("plain_http")),
        (
            "handshake_failure",
            alert(40),
            "refused the TLS connection",
            None,
        ),
        ("protocol_version", alert(70), "no TLS version", None),
        (
            "unrecognized_name",
            alert(112),
            "refused the TLS connection",
            None,
        ),
    ];
    for (name, answer, says, hint) in cases {
        let server = ScriptServer::start(vec![Script::new().read_some().send(answer).read_some()]);
        let error = Ask::Head
            .run(&client(&server, |settings| settings), NAME)
            .unwrap_err();
        refused(name, &error, says, hint);
        assert_eq!(
            server.connection_count(),
            1,
            "{name}: no retry, no fallback"
        );
        let received = server.received().concat();
        assert_eq!(received[..3], [22, 3, 1], "{name}: a TLS hello");
        for word in ["HTTP/", "HEAD", "GET", "/v2/", "User-Agent"] {
            let found = received
                .windows(word.len())
                .any(|part| part.eq_ignore_ascii_case(word.as_bytes()));
            assert!(!found, "{name}: {word} in clear");
        }
    }
}

#[test]
fn s11_b12_https_to_a_registry_without_tls() {
    let registry = FakeRegistry::start(Config::new());
    let authority = registry.authority();
    let client = hasty().https(&authority).build().unwrap();
    for ask in [Ask::Head, Ask::Tags, Ask::Ping] {
        let closed = ask.run(&client, &authority).unwrap_err();
        // It answers 400 to what is no HTTP.
        refused("http", &closed, "answered without TLS", Some("plain_http"));
    }
    assert!(
        registry
            .requests()
            .iter()
            .all(|request| request.method.is_empty())
    );
}

#[test]
fn r14_a_server_that_hangs_up_on_the_hello_is_tried_again() {
    // It may be restarting. Nothing shows that it speaks no TLS.
    for script in [
        Script::new().read_some(),
        Script::new().read_some().reset(),
        Script::new(),
    ] {
        let server = ScriptServer::start(vec![script]);
        let error = Ask::Head
            .run(&client(&server, |settings| settings), NAME)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
        assert!(error.message().contains("negotiating TLS"), "{error}");
        assert_eq!(server.connection_count(), 4);
    }
}

#[test]
fn b12_http_to_a_server_with_tls() {
    let ca = Ca::new();
    let registry = FakeRegistry::start(Config::new().tls(ca.identity(&["127.0.0.1"])));
    let alert = [21, 3, 1, 0, 2, 2, 70];
    let raw = ScriptServer::start(vec![Script::new().read_some().send(alert)]);
    let pause = Duration::from_millis(5);
    let slow = ScriptServer::start(vec![Script::new().read_some().send_slowly(alert, pause)]);
    for authority in [registry.authority(), raw.authority(), slow.authority()] {
        let client = hasty().plain_http(&authority).build().unwrap();
        for ask in [Ask::Tags, Ask::Ping] {
            let error = ask.run(&client, &authority).unwrap_err();
            refused("http", &error, "asked over http", Some("https"));
        }
    }
    assert_eq!((raw.connection_count(), slow.connection_count()), (2, 2));
    let client = hasty().plain_http(&registry.authority()).build().unwrap();
    let error = Ask::Head.run(&client, &registry.authority()).unwrap_err();
    refused("HEAD, then GET", &error, "asked over http", Some("https"));
}

#[test]
fn r14_an_answer_that_ends_without_close_notify() {
    let ca = Ca::new();
    let identity = ca.identity(&[NAME]);
    let body = Ask::Tags.body();
    let sized = format!(
        "{}{body}",
        Ask::Tags.head(&format!("Content-Length: {}\r\n", body.len()))
    );
    let endless = format!("{}{body}", Ask::Tags.head(""));
    let chunked = String::from_utf8(Ask::Tags.chunked()).unwrap();
    let cut = chunked.replace("0\r\n\r\n", "");
    // The answer, whether close_notify follows, and whether the answer counts.
    let cases = [
        ("length", &sized, false, true),
        ("length, close_notify", &sized, true, true),
        ("chunks", &chunked, false, true),
        ("until the end, close_notify", &endless, true, true),
        ("until the end", &endless, false, false),
        ("chunks, cut", &cut, false, false),
        ("chunks, cut, close_notify", &cut, true, false),
    ];
    for (name, answer, notifies, counts) in cases {
        let script = Script::new().read_request().send(answer);
        let script = if notifies {
            script
        } else {
            script.half_close()
        };
        let server = ScriptServer::start_tls(&identity, vec![script]);
        let client = client(&server, |settings| {
            settings.ca_pem(NAME, ca.pem().as_bytes())
        });
        match Ask::Tags.run(&client, NAME) {
            Ok(answer) => assert!(counts && answer == Ask::Tags.expected(), "{name}: {answer}"),
            Err(error) => {
                assert!(!counts, "{name}: {error}");
                assert_eq!(error.kind(), ErrorKind::Transport, "{name}: {error}");
                assert_eq!(server.connection_count(), 4, "{name}");
            }
        }
    }
}

#[test]
fn loopback_is_asked_over_http_unless_a_setting_says_https() {
    let ca = Ca::new();
    let secure = FakeRegistry::start(Config::new().tls(ca.identity(&["127.0.0.1"])));
    let plain = FakeRegistry::start(Config::new());
    let pem = ca.pem().as_bytes();
    let (s, p) = (&secure.authority(), &plain.authority());
    let cases = [
        ("loopback", hasty(), p, true),
        ("loopback and a CA", hasty().ca_pem(s, pem), s, true),
        (
            "plain_http wins over a CA",
            hasty().ca_pem(p, pem).plain_http(p),
            p,
            true,
        ),
        (
            "in any order",
            hasty().plain_http(p).ca_pem(p, pem).https(p),
            p,
            true,
        ),
        ("https asked for", hasty().https(p), p, false),
        ("a CA asks for https", hasty().ca_pem(p, pem), p, false),
        (
            "another port's CA",
            hasty().ca_pem("127.0.0.1:1", pem),
            p,
            true,
        ),
    ];
    for (name, settings, authority, works) in cases {
        let result = Ask::Ping.run(&settings.build().unwrap(), authority);
        assert_eq!(result.is_ok(), works, "{name}: {result:?}");
    }
}

#[test]
fn warm_lookups_over_tls_share_a_connection() {
    let ca = Ca::new();
    let registry = FakeRegistry::start(Config::new().tls(ca.identity(&["127.0.0.1"])));
    registry.put_manifest("t/a", "v1", MANIFEST_TYPE, MANIFEST);
    let authority = registry.authority();
    let client = hasty()
        .ca_pem(&authority, ca.pem().as_bytes())
        .build()
        .unwrap();
    for _ in 0..50 {
        assert_eq!(
            Ask::Head.run(&client, &authority).unwrap(),
            Ask::Head.expected()
        );
    }
    assert_eq!(
        (registry.request_count(), registry.connection_count()),
        (50, 1)
    );
}
