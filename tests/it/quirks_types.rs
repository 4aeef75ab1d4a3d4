//! Media types and encodings (E4, E5, E6, E9, E10, E11): what a lookup accepts, and which answers
//! it refuses.

use fake_registry::{Page, Quirk};
use ocireg::{Algorithm, CallOptions, Digest, DigestSource, ErrorKind, MediaType, Presence};

use crate::quirks_support::*;

/// The head of a lookup has these fields and no others.
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
    let accept = "application/vnd.oci.image.index.v1+json, \
        application/vnd.oci.image.manifest.v1+json, \
        application/vnd.docker.distribution.manifest.list.v2+json, \
        application/vnd.docker.distribution.manifest.v2+json, \
        application/vnd.docker.distribution.manifest.v1+prettyjws, \
        application/vnd.docker.distribution.manifest.v1+json";
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
        // HEAD with a known type counts, so only GET shows that the content has another type.
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

/// With a general type the content decides.
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
        // One manifest has a `mediaType`, one a clear shape, and two are ambiguous.
        let config = concat!(
            r#"{"mediaType":"application/vnd.docker.container.image.v1+json","size":2,"digest":"#,
            r#""sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}"#
        );
        let shaped = format!(r#"{{"schemaVersion":2,"config":{config},"layers":[]}}"#);
        registry.put_manifest("t/a", "shaped", "", shaped.as_str());
        registry.put_manifest("t/a", "odd", "", r#"{"schemaVersion":2}"#);
        let mixed = IMAGE.replacen("[]", r#"[],"layers":[]"#, 1);
        registry.put_manifest("t/a", "mixed", "", mixed);
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
