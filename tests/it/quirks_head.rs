//! Lookups against registries with odd HEADs, digests and types (rows E and F6, R32): the answer,
//! and exactly what was asked.

use std::thread;
use std::time::Duration;

use fake_registry::{FakeRegistry, Page, Quirk};
use ocireg::{
    Algorithm, CallOptions, Client, Digest, DigestSource, Error, ErrorKind, MediaType, Presence,
};

use crate::quirks_support::*;

/// Of no content that is around here.
const SHA512: &str = "sha512:ee26b0dd4af7e749aa1a8ee3c10ae9923f618980772e473f8819a5d4940e0db27ac185f8a0e1d5f84f88bc887fd67b143732c304cc5fa9ad8e6f57f50028a8ff";

fn sha256_of_image() -> Digest {
    Digest::of(Algorithm::Sha256, IMAGE.as_bytes())
}

fn presence(client: &Client, registry: &FakeRegistry, rest: &str) -> Result<Presence, Error> {
    client.exists(&image(registry, rest))
}

#[track_caller]
fn assert_exists(client: &Client, registry: &FakeRegistry, what: &dyn std::fmt::Debug) {
    match presence(client, registry, "t/a:v1") {
        Ok(Presence::Exists(found)) => assert_eq!(found.digest, sha256_of_image(), "{what:?}"),
        other => panic!("{what:?}: {other:?}"),
    }
}

/// What is sent for one lookup: nothing but what is written here.
#[test]
fn e4_e11_one_request_and_its_exact_head() {
    let registry = registry([Quirk::Header("Set-Cookie: session=hunter2".to_owned())]);
    let client = client();
    for _ in 0..2 {
        assert_exists(&client, &registry, &"twice");
    }
    assert_eq!(
        presence(&client, &registry, "t/a:none").unwrap(),
        Presence::Absent
    );
    let requests = registry.take_requests();
    let lines: Vec<String> = requests
        .iter()
        .map(|request| {
            let head = String::from_utf8_lossy(&request.raw_head);
            head.lines().next().unwrap_or_default().to_owned()
        })
        .collect();
    assert_eq!(
        lines,
        [
            "HEAD /v2/t/a/manifests/v1 HTTP/1.1",
            "HEAD /v2/t/a/manifests/v1 HTTP/1.1",
            "HEAD /v2/t/a/manifests/none HTTP/1.1",
        ]
    );
    let accept = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
        application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json, \
        application/vnd.docker.distribution.manifest.v1+prettyjws, application/vnd.docker.distribution.manifest.v1+json";
    let expected = [
        ("accept", accept),
        ("accept-encoding", "identity"),
        ("host", &registry.authority()),
        ("user-agent", concat!("ocireg/", env!("CARGO_PKG_VERSION"))),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    for request in &requests {
        assert_eq!(fields(request), expected);
        assert_eq!(request.connection, 0, "one connection for all");
        assert!(request.body.is_empty());
    }
}

#[test]
fn e4_e5_a_type_can_only_be_added() {
    let registry = registry([]);
    let artifact = "application/vnd.oci.artifact.manifest.v1+json";
    let client = builder().user_agent("mine/1.0 (me)").build().unwrap();
    let more = client.with(CallOptions::new().accept(artifact.parse().unwrap()));
    assert_exists(&more, &registry, &"more");
    let request = registry.take_requests().remove(0);
    let accept = request.header("accept").unwrap();
    assert!(accept.starts_with(INDEX), "{accept}");
    assert!(accept.ends_with(&format!(", {artifact}")), "{accept}");
    assert_eq!(accept.split(", ").count(), 7);
    assert_eq!(request.header("user-agent").unwrap(), "mine/1.0 (me)");
}

/// How the registry states the digest.
#[derive(Debug, Clone, Copy)]
enum Stated {
    Not,
    Right,
    Wrong,
    Unusable,
    UpperCase,
    OtherAlgorithm,
}

impl Stated {
    fn quirk(self) -> Option<Quirk> {
        match self {
            Stated::Not => Some(Quirk::NoDigestHeader),
            Stated::Right => None,
            Stated::Wrong => Some(Quirk::WrongDigestHeader),
            Stated::Unusable => Some(Quirk::DigestHeader("sha256:zz".to_owned())),
            Stated::UpperCase => Some(Quirk::UpperCaseDigestHeader),
            Stated::OtherAlgorithm => Some(Quirk::DigestHeader(SHA512.to_owned())),
        }
    }
}

/// Decision 5, all of it: by tag and by digest, with a HEAD that answers and with one that does
/// not.
#[test]
fn e1_f6_the_matrix_of_digest_headers() {
    use DigestSource::{Computed, Header, Requested};
    use Stated::*;
    let true_one = sha256_of_image();
    let wrong = Digest::of(Algorithm::Sha256, b"something else");
    let other: Digest = SHA512.parse().unwrap();
    let true_other = Digest::of(Algorithm::Sha512, IMAGE.as_bytes());
    let (head, both): (&[&str], &[&str]) = (&["HEAD"], &["HEAD", "GET"]);
    // HEAD works, by digest, header; requests, source, digest, is there a warning.
    let cases = [
        (true, false, Not, both, Computed, &true_one, false),
        (true, false, Right, head, Header, &true_one, false),
        // A lookup by tag has only the registry's word.
        (true, false, Wrong, head, Header, &wrong, false),
        (true, false, Unusable, both, Computed, &true_one, false),
        (true, false, UpperCase, both, Computed, &true_one, false),
        (true, false, OtherAlgorithm, head, Header, &other, false),
        (true, true, Not, head, Requested, &true_one, false),
        (true, true, Right, head, Header, &true_one, false),
        (true, true, Wrong, both, Computed, &true_one, true),
        (true, true, Unusable, head, Requested, &true_one, false),
        (true, true, UpperCase, head, Requested, &true_one, false),
        (
            true,
            true,
            OtherAlgorithm,
            head,
            Requested,
            &true_one,
            false,
        ),
        (false, false, Not, both, Computed, &true_one, false),
        (false, false, Right, both, Computed, &true_one, false),
        (false, false, Wrong, both, Computed, &true_one, true),
        (false, false, Unusable, both, Computed, &true_one, false),
        (false, false, UpperCase, both, Computed, &true_one, false),
        // The header chooses the algorithm of a lookup by tag.
        (
            false,
            false,
            OtherAlgorithm,
            both,
            Computed,
            &true_other,
            true,
        ),
        (false, true, Not, both, Computed, &true_one, false),
        (false, true, Right, both, Computed, &true_one, false),
        (false, true, Wrong, both, Computed, &true_one, true),
        (false, true, Unusable, both, Computed, &true_one, false),
        (false, true, UpperCase, both, Computed, &true_one, false),
        (
            false,
            true,
            OtherAlgorithm,
            both,
            Computed,
            &true_one,
            false,
        ),
    ];
    for (head_works, by_digest, stated, requests, source, digest, warns) in cases {
        let what = format!("head {head_works}, by digest {by_digest}, {stated:?}");
        let refused = (!head_works).then_some(Quirk::HeadStatus(405, Page::Text));
        let registry = registry(refused.into_iter().chain(stated.quirk()));
        let reference = if by_digest {
            image(&registry, &format!("t/a@{true_one}"))
        } else {
            image(&registry, "t/a:v1")
        };
        let client = client();
        let found = client.head(&reference).expect(&what);
        assert_eq!(found.digest_source, source, "{what}");
        assert_eq!(found.digest, *digest, "{what}");
        assert_eq!(found.media_type, MediaType::OCI_INDEX, "{what}");
        assert_eq!(found.size, Some(IMAGE.len() as u64), "{what}");
        let methods: Vec<_> = registry
            .take_requests()
            .into_iter()
            .map(|request| request.method)
            .collect();
        assert_eq!(methods, requests, "{what}");
        let warnings = client.warnings(&name(&registry));
        assert_eq!(!warnings.is_empty(), warns, "{what}: {warnings:?}");
        if let [warning] = warnings.as_slice() {
            let bytes = if *digest == true_other {
                &true_other
            } else {
                &true_one
            };
            assert!(warning.starts_with(&reference.to_string()), "{warning}");
            assert!(warning.contains(bytes.as_str()), "{warning}");
        }
    }
}

/// S6: another manifest under the digest asked for.
#[test]
fn s6_other_content_is_a_mismatch() {
    let wanted = Digest::of(Algorithm::Sha256, b"wanted");
    let wanted512 = Digest::of(Algorithm::Sha512, b"wanted");
    let cases = [
        // The header tells on it.
        (&wanted, vec![]),
        (&wanted, vec![Quirk::HeadStatus(405, Page::Text)]),
        // A header that says what was asked for does not help: the bytes count.
        (
            &wanted,
            vec![
                Quirk::HeadStatus(405, Page::Text),
                Quirk::DigestHeader(wanted.to_string()),
            ],
        ),
        // F6: nor does one of another algorithm.
        (&wanted512, vec![Quirk::HeadStatus(405, Page::Text)]),
    ];
    for (asked_for, quirks) in cases {
        let what = format!("{asked_for} {quirks:?}");
        let registry = registry(quirks);
        registry.put_tag("t/a", asked_for.as_str(), sha256_of_image().as_str());
        let reference = image(&registry, &format!("t/a@{asked_for}"));
        let error = client().exists(&reference).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DigestMismatch, "{what}");
        assert_tells(&error, &reference.to_string());
        let sent = Digest::of(asked_for.algorithm(), IMAGE.as_bytes());
        assert_tells(&error, sent.as_str());
    }
}

/// F6: content that is stored and asked for by sha512, while the header says sha256.
#[test]
fn f6_content_of_another_algorithm_is_verified() {
    let digest = Digest::of(Algorithm::Sha512, IMAGE.as_bytes());
    for (quirk, source) in [
        (None, DigestSource::Requested),
        (
            Some(Quirk::HeadStatus(405, Page::Text)),
            DigestSource::Computed,
        ),
    ] {
        let registry = registry(quirk);
        registry.put_tag("t/a", digest.as_str(), sha256_of_image().as_str());
        let client = client();
        let found = client
            .head(&image(&registry, &format!("t/a@{digest}")))
            .unwrap();
        assert_eq!(
            (found.digest, found.digest_source),
            (digest.clone(), source)
        );
        assert_eq!(client.warnings(&name(&registry)), Vec::<String>::new());
    }
}

/// What a HEAD costs that does not answer: the first lookup, the second one, and one for what is
/// not there.
#[test]
fn e1_e2_e3_requests_counted_and_what_is_learned() {
    let get: &[&str] = &["GET v1"];
    let both: &[&str] = &["HEAD v1", "GET v1"];
    let absent: &[&str] = &["GET none"];
    let absent_both: &[&str] = &["HEAD none", "GET none"];
    let cases = [
        (Quirk::NoDigestHeader, both, get, absent),
        (Quirk::UpperCaseDigestHeader, both, get, absent),
        (Quirk::HeadStatus(405, Page::Json), both, get, absent),
        (Quirk::HeadStatus(405, Page::Text), both, get, absent),
        (Quirk::HeadStatus(405, Page::Html), both, get, absent),
        (Quirk::HeadStatus(405, Page::Empty), both, get, absent),
        (Quirk::HeadStatus(501, Page::Html), both, get, absent),
        (Quirk::HeadStatus(404, Page::Html), both, get, absent),
        (Quirk::HeadStatus(404, Page::Xml), both, get, absent),
        // Never learned: a proxy may have been in a mood.
        (Quirk::HeadStatus(400, Page::Json), both, both, absent_both),
        (Quirk::HeadStatus(400, Page::Html), both, both, absent_both),
        (Quirk::HeadStatus(403, Page::Html), both, both, absent_both),
        (Quirk::HeadStatus(403, Page::Xml), both, both, absent_both),
    ];
    for (quirk, first, second, missing) in cases {
        let registry = registry([quirk.clone()]);
        let client = client();
        assert_exists(&client, &registry, &quirk);
        assert_eq!(asked(&registry), first, "{quirk:?}");
        assert_exists(&client, &registry, &quirk);
        assert_eq!(asked(&registry), second, "{quirk:?}");
        // A client of its own has to learn it for itself; a clone does not.
        assert_exists(&client.clone(), &registry, &quirk);
        assert_eq!(asked(&registry), second, "{quirk:?}");
        let result = presence(&client, &registry, "t/a:none").unwrap();
        assert_eq!(result, Presence::Absent, "{quirk:?}");
        assert_eq!(asked(&registry), missing, "{quirk:?}");
    }
}

/// What a GET can't cure costs none. (What follows a 401 is in `quirks_denied`.)
#[test]
fn e3_refusals_and_failures_of_head_are_final() {
    let cases = [
        (403, Page::Json, None),
        (403, Page::JsonText, None),
        (408, Page::Html, Some(ErrorKind::Server)),
        (409, Page::Json, Some(ErrorKind::Rejected)),
        (429, Page::Json, Some(ErrorKind::RateLimited)),
        (500, Page::Json, Some(ErrorKind::Server)),
        (503, Page::Html, Some(ErrorKind::Server)),
        (304, Page::Empty, Some(ErrorKind::Protocol)),
    ];
    for (status, page, expected) in cases {
        let what = format!("{status} {page:?}");
        let registry = registry([Quirk::HeadStatus(status, page)]);
        match (presence(&client(), &registry, "t/a:v1"), expected) {
            (Ok(Presence::Denied), None) => {}
            (Err(error), Some(kind)) => {
                assert_eq!(error.kind(), kind, "{what}");
                assert_eq!(error.http_status(), Some(status), "{what}");
            }
            (other, _) => panic!("{what}: {other:?}"),
        }
        assert_eq!(asked(&registry), ["HEAD v1"], "{what}");
    }
}

/// Learned is only what a GET that works has taught.
#[test]
fn e3_a_get_that_fails_teaches_nothing() {
    let registry = registry([Quirk::Deny(405, Page::Json)]);
    let client = client();
    for _ in 0..2 {
        let error = presence(&client, &registry, "t/a:v1").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(asked(&registry), ["HEAD v1", "GET v1"]);
    }
    registry.set_quirks([]);
    assert_exists(&client, &registry, &"mended");
    assert_eq!(asked(&registry), ["HEAD v1"]);
}

/// Decision 3: a HEAD that was on its way while another lookup learned that HEAD is of no use.
#[test]
fn e3_a_head_that_works_later_clears_the_mark() {
    let registry = registry([Quirk::Delay(Duration::from_millis(1500))]);
    let client = client();
    thread::scope(|scope| {
        let slow = scope.spawn(|| presence(&client, &registry, "t/a:v1").unwrap());
        while registry.request_count() == 0 {
            thread::sleep(Duration::from_millis(2));
        }
        registry.set_quirks([Quirk::HeadStatus(405, Page::Text)]);
        assert_exists(&client, &registry, &"meanwhile");
        assert_exists(&client, &registry, &"marked");
        let so_far = asked(&registry);
        assert_eq!(so_far, ["HEAD v1", "HEAD v1", "GET v1", "GET v1"]);
        assert!(matches!(slow.join().unwrap(), Presence::Exists(_)));
    });
    registry.set_quirks([]);
    assert_exists(&client, &registry, &"cleared");
    assert_eq!(asked(&registry), ["HEAD v1"]);
}

#[test]
fn e5_a_type_that_was_not_asked_for_is_not_absent() {
    let artifact = "application/vnd.oci.artifact.manifest.v1+json";
    let registry = registry([Quirk::HeadStatus(405, Page::Json)]);
    registry.put_manifest("t/a", "artifact", artifact, "{}");
    let client = client();
    let error = presence(&client, &registry, "t/a:artifact").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(error.http_status(), Some(404));
    assert_eq!(error.registry_errors()[0].code, "MANIFEST_UNKNOWN");
    assert_tells(&error, "in a media type that was not asked for");
    assert_tells(&error, "add the media type to those accepted");

    let more = client.with(CallOptions::new().accept(artifact.parse().unwrap()));
    let found = more.head(&image(&registry, "t/a:artifact")).unwrap();
    assert_eq!(found.media_type.as_str(), artifact);
}

#[test]
fn e6_an_answer_of_another_type_is_refused() {
    for kind in [
        "application/vnd.docker.plugin.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        "application/vnd.docker.distribution.manifest.v2+json",
        "text/html",
        "application/xml",
    ] {
        // HEAD of a known type is believed, so only GET can tell that the content is not of it.
        let quirks = [
            Quirk::HeadStatus(405, Page::Text),
            Quirk::ManifestContentType(kind.to_owned()),
        ];
        let registry = registry(quirks);
        let error = presence(&client(), &registry, "t/a:v1").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{kind}: {error}");
        assert_eq!(asked(&registry), ["HEAD v1", "GET v1"], "{kind}");
    }
}

#[test]
fn e9_types_with_parameters_and_in_upper_case() {
    for head in [None, Some(Quirk::HeadStatus(405, Page::Text))] {
        let registry = registry(head.into_iter().chain([Quirk::DecoratedContentType]));
        let found = client().head(&image(&registry, "t/a:v1")).unwrap();
        assert_eq!(found.media_type, MediaType::OCI_INDEX);
        assert_eq!(found.digest, sha256_of_image());
    }
}

/// A general type says nothing: then the content does.
#[test]
fn e10_general_and_missing_types() {
    for kind in [
        "",
        "text/plain",
        "application/json",
        "application/json; charset=utf-8",
        "application/octet-stream",
        "binary/octet-stream",
    ] {
        let registry = registry([Quirk::ManifestContentType(kind.to_owned())]);
        // Told by its `mediaType`, by its shape, and not at all.
        let config = r#"{"mediaType":"application/vnd.docker.container.image.v1+json","size":2,"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}"#;
        let shaped = format!(r#"{{"schemaVersion":2,"config":{config},"layers":[]}}"#);
        registry.put_manifest("t/a", "shaped", "", shaped.as_str());
        registry.put_manifest("t/a", "odd", "", r#"{"schemaVersion":2}"#);
        registry.put_manifest("t/a", "mixed", "", r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[],"layers":[]}"#);
        let client = client();
        let found = client.head(&image(&registry, "t/a:v1")).unwrap();
        assert_eq!(found.media_type, MediaType::OCI_INDEX, "{kind}");
        assert_eq!(found.digest, sha256_of_image(), "{kind}");
        assert_eq!(found.digest_source, DigestSource::Computed, "{kind}");
        assert_eq!(asked(&registry), ["HEAD v1", "GET v1"], "{kind}");
        let found = client.head(&image(&registry, "t/a:shaped")).unwrap();
        assert_eq!(found.media_type, MediaType::DOCKER_MANIFEST, "{kind}");
        let digest = Digest::of(Algorithm::Sha256, shaped.as_bytes());
        assert_eq!(found.digest, digest, "{kind}");
        for ambiguous in ["t/a:odd", "t/a:mixed"] {
            let error = presence(&client, &registry, ambiguous).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{kind} {ambiguous}");
        }
    }
}

#[test]
fn e11_an_encoding_is_refused_though_identity_was_asked_for() {
    for quirk in [Quirk::ClaimGzip, Quirk::Gzip] {
        for head in [None, Some(Quirk::HeadStatus(405, Page::Text))] {
            let registry = registry(head.into_iter().chain([quirk.clone()]));
            let client = client();
            let error = presence(&client, &registry, "t/a:v1").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
            assert_tells(&error, "Content-Encoding gzip");
            let error = client.tags(&repository(&registry, "t/a")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
            for request in registry.take_requests() {
                assert_eq!(request.header("accept-encoding").unwrap(), "identity");
            }
        }
    }
    let registry = registry([Quirk::Header("Content-Encoding: identity".to_owned())]);
    assert_exists(&client(), &registry, &"identity is no encoding");
}

/// Something answers, and it is no registry: never "absent", whatever is asked.
#[test]
fn r32_what_is_no_registry_is_a_protocol_error() {
    let cases = [
        // A captive portal, and other servers that have a page for everything.
        (200, Page::Html),
        (200, Page::Xml),
        (200, Page::Text),
        // nginx, S3, and others without what was asked for.
        (404, Page::Html),
        (404, Page::Xml),
        (404, Page::Text),
        (404, Page::Empty),
        // JSON, but not a registry's.
        (404, Page::Object),
    ];
    for (status, page) in cases {
        let what = format!("{status} {page:?}");
        let registry = registry([Quirk::NotARegistry(status, page)]);
        let (reference, host) = (image(&registry, "t/a:v1"), name(&registry));
        let by_digest = image(&registry, &format!("t/a@{}", sha256_of_image()));
        // Each with a client of its own: none may rely on what another call has found out.
        let results = [
            ("exists", client().exists(&reference).map(drop)),
            ("exists by digest", client().exists(&by_digest).map(drop)),
            ("digest", client().digest(&reference).map(drop)),
            ("head", client().head(&reference).map(drop)),
            ("tags", client().tags(reference.repository()).map(drop)),
            ("catalog", client().catalog(&host).map(drop)),
            ("ping", client().ping(&host).map(drop)),
        ];
        for (call, result) in results {
            let error = result.expect_err(&what);
            assert_eq!(error.kind(), ErrorKind::Protocol, "{what} {call}: {error}");
            assert_tells(&error, &registry.authority());
        }
        assert!(registry.request_count() <= 3 * 4 + 3 + 2 + 2 + 1, "{what}");
    }
}

/// An error page of 200 without a byte in it: `/v2/` may look so, a manifest or a list may not.
#[test]
fn r32_an_empty_200_is_no_manifest_and_no_list() {
    let registry = registry([Quirk::NotARegistry(200, Page::Empty)]);
    let reference = image(&registry, "t/a:v1");
    for error in [
        client().exists(&reference).map(drop).unwrap_err(),
        client().tags(reference.repository()).map(drop).unwrap_err(),
        client().catalog(&name(&registry)).map(drop).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    }
}

/// Decision 2: what is asked about a 404 that no header marks as a registry's. JSON errors mark it
/// too, as go-containerregistry's registry sends them, as text/plain.
#[test]
fn r32_e2_an_unmarked_404_is_confirmed_once() {
    let head: &[&str] = &["HEAD none"];
    let get: &[&str] = &["HEAD none", "GET none"];
    let ping: &[&str] = &["HEAD none", "GET none", "GET ping"];
    let cases = [
        (Page::Json, get, head),
        (Page::JsonText, get, head),
        (Page::Text, ping, head),
        (Page::Empty, ping, head),
        (Page::Object, ping, head),
        (Page::Xml, ping, head),
        // E2: old Nexus answers HEAD so for what it has.
        (Page::Html, ping, get),
    ];
    for (page, first, later) in cases {
        let registry = registry([Quirk::UnmarkedNotFound(page.clone())]);
        let client = client();
        for expected in [first, later, later] {
            let result = presence(&client, &registry, "t/a:none").unwrap();
            assert_eq!(result, Presence::Absent, "{page:?}");
            assert_eq!(asked(&registry), expected, "{page:?}");
        }
        assert_exists(&client, &registry, &page);
        assert_eq!(asked(&registry), ["HEAD v1"], "{page:?}");
    }
}

/// 2.8.2's own 404 carries its version: absent, and no second request.
#[test]
fn r32_a_marked_404_costs_nothing_more() {
    for quirk in [None, Some(Quirk::HeadStatus(404, Page::Empty))] {
        let registry = registry(quirk);
        for missing in ["t/a:none", "t/none:v1", &format!("t/a@{SHA512}")] {
            let result = presence(&client(), &registry, missing).unwrap();
            assert_eq!(result, Presence::Absent);
            assert_eq!(registry.take_requests().len(), 1, "{missing}");
        }
    }
}

/// What is no registry stays none: it is not pinged again.
#[test]
fn r32_a_verdict_is_remembered() {
    let registry = registry([Quirk::NotARegistry(404, Page::Html)]);
    let client = client();
    for expected in [
        ["HEAD v1", "GET v1", "GET ping"].as_slice(),
        &["HEAD v1", "GET v1"],
    ] {
        let error = presence(&client, &registry, "t/a:v1").unwrap_err();
        assert_tells(&error, "does not answer like a registry");
        assert_tells(&error, "check the host and port");
        assert_eq!(asked(&registry), expected);
    }
}

/// A bad moment of a proxy does not unmake a registry.
#[test]
fn r32_a_ping_that_fails_does_not_unlearn_a_registry() {
    let unmarked = Quirk::UnmarkedNotFound(Page::Text);
    let registry = registry([unmarked.clone()]);
    let client = client();
    let absent = || presence(&client, &registry, "t/a:none");
    assert_eq!(absent().unwrap(), Presence::Absent);
    registry.set_quirks([Quirk::NotARegistry(403, Page::Html)]);
    client.ping(&name(&registry)).unwrap_err();
    registry.set_quirks([unmarked]);
    assert_eq!(absent().unwrap(), Presence::Absent);
}
