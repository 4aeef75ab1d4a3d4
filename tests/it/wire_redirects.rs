//! Redirects and repository names (A3, F1): a redirect may leave the endpoints of its origin, and
//! may not lead to another repository there, on whatever way.

use fake_registry::{Script, ScriptServer};
use ocireg::ErrorKind;

use crate::faults_support::{Ask, once};
use crate::quirks_support::{Names, assert_tells, builder};

/// Answers one request with a redirect to `location`.
fn redirect(location: &str) -> Script {
    Script::new().read_request().send(format!(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: {location}\r\n\
         Connection: close\r\nContent-Length: 0\r\n\r\n"
    ))
}

/// The request lines that a server received.
fn targets(server: &ScriptServer) -> Vec<String> {
    let received = server.received();
    let line = |bytes: &Vec<u8>| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        text.split(" HTTP/").next().unwrap().to_owned()
    };
    received.iter().map(line).collect()
}

/// Quay serves blobs and some manifests from its own storage in this way.
#[test]
fn f1_a_redirect_out_of_the_endpoints_of_the_same_origin_is_followed() {
    for location in [
        "/_storage_proxy/ZXlK/http/bucket/datastorage/registry/sha256/9f/9f86",
        "/bucket/docker/registry/v2/blobs/sha256/9f/9f86/data",
        "/mirror/v2/t/a/manifests/v1",
    ] {
        let server = ScriptServer::start(vec![redirect(location), Ask::Head.good()]);
        let found = Ask::Head.run(&once(), &server.authority()).unwrap();
        assert_eq!(found, Ask::Head.expected(), "{location}");
        let expected = [
            "HEAD /v2/t/a/manifests/v1".to_owned(),
            format!("HEAD {location}"),
        ];
        assert_eq!(targets(&server), expected);
    }
}

#[test]
fn a3_another_repository_is_refused_in_every_spelling() {
    for location in [
        "/v2/t/b/manifests/v1",
        "/v2/t/a/../b/manifests/v1",
        "/.//v2/t/b/manifests/v1",
        "/v2//t/b/manifests/v1",
        "/v2/t%2Fb/manifests/v1",
        "/%762/t/b/manifests/v1",
        "/mirror/v2/t/b/manifests/v1",
        "/v2/",
    ] {
        let server = ScriptServer::start(vec![redirect(location), Ask::Head.good()]);
        let error = Ask::Head.run(&once(), &server.authority()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{location}");
        assert_tells(&error, "another repository of the same registry");
        assert_eq!(server.connection_count(), 1, "{location}: not followed");
    }
}

/// A leads to B, which leads back to another repository of A: its digest would be taken for that of
/// the image that was asked for.
#[test]
fn a3_another_repository_is_refused_after_a_way_over_another_server() {
    // Where B leads on A, and whether that is followed.
    let cases = [
        ("/v2/t/a/manifests/v2", true),
        ("/_storage_proxy/x", true),
        ("/v2/t/b/manifests/v1", false),
        ("/mirror/v2/t/b/manifests/v1", false),
    ];
    for (location, followed) in cases {
        let b = ScriptServer::start(vec![redirect(&format!("http://a.example:5000{location}"))]);
        let there = "http://b.example:5000/v2/mirror/a/manifests/v1";
        let a = ScriptServer::start(vec![redirect(there), Ask::Head.good()]);
        let address = |server: &ScriptServer| [server.authority().parse().unwrap()];
        let names = Names::default()
            .with("a.example", &address(&a))
            .with("b.example", &address(&b));
        let builder = builder().resolver(names).plain_http("a.example:5000");
        let result = Ask::Head.run(&builder.build().unwrap(), "a.example:5000");
        let mut expected = vec!["HEAD /v2/t/a/manifests/v1".to_owned()];
        if followed {
            expected.push(format!("HEAD {location}"));
            assert_eq!(result.unwrap(), Ask::Head.expected(), "{location}");
        } else {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{location}");
            assert_tells(&error, "another repository of the same registry");
        }
        assert_eq!(targets(&a), expected);
        assert_eq!(targets(&b), ["HEAD /v2/mirror/a/manifests/v1"]);
    }
}
