//! `exists`, `digest` and `head` against a real registry.

use serde_json::{Value, json};

use crate::support::{NOBODY, Odd, Seeded, answer, ocireg, private, registry};

/// References to what is there and what is not.
struct References {
    there: String,
    pinned: String,
    /// Only the digest exists.
    tagged_and_pinned: String,
    gone: String,
    /// In a repository that does not exist.
    elsewhere: String,
    /// On a registry that does not exist.
    nobody: String,
}

impl References {
    fn of(registry: &Seeded) -> References {
        let (at, digest) = (&registry.at, &registry.digest);
        References {
            there: format!("{at}/team/app:1.0"),
            pinned: format!("{at}/team/app@{digest}"),
            tagged_and_pinned: format!("{at}/team/app:9.9@{digest}"),
            gone: format!("{at}/team/app:9.9"),
            elsewhere: format!("{at}/team/other:1.0"),
            nobody: format!("{NOBODY}/team/app"),
        }
    }
}

const NOT_FOUND: [&str; 1] = [" answers: not found (HTTP 404)"];
const REFUSED: [&str; 2] = [
    // The address is printed once.
    "ocireg: 127.0.0.1:1/team/app:latest: can't connect to 127.0.0.1:1: \
        Connection refused (os error 111) (check the host and port",
    ": Connection refused",
];

#[test]
fn exists_prints_presence_reference_and_digest() {
    let Some(registry) = registry() else { return };
    let digest = &registry.digest;
    let refs = References::of(registry);
    for there in [&refs.there, &refs.pinned, &refs.tagged_and_pinned] {
        let line = format!("exists {there} {digest}\n");
        ocireg(&format!("exists {there}")).assert(0, &line, &[]);
    }
    for gone in [&refs.gone, &refs.elsewhere] {
        let line = format!("absent {gone} -\n");
        ocireg(&format!("exists {gone}")).assert(1, &line, &NOT_FOUND);
    }
    let line = format!("error {} -\n", refs.nobody);
    ocireg(&format!("exists {}", refs.nobody)).assert(2, &line, &REFUSED);
}

#[test]
fn digest_of_one_reference_prints_the_digest_alone() {
    let Some(registry) = registry() else { return };
    let digest = format!("{}\n", registry.digest);
    let refs = References::of(registry);
    ocireg(&format!("digest {}", refs.there)).assert(0, &digest, &[]);
    ocireg(&format!("digest {}", refs.pinned)).assert(0, &digest, &[]);
    ocireg(&format!("digest -- {}", refs.there)).assert(0, &digest, &[]);
    ocireg(&format!("digest {}", refs.gone)).assert(1, "", &NOT_FOUND);
    ocireg(&format!("digest {}", refs.nobody)).assert(2, "", &REFUSED);
}

#[test]
fn head_prints_digest_media_type_size_and_reference() {
    let Some(registry) = registry() else { return };
    let refs = References::of(registry);
    for gone in [&refs.gone, &refs.elsewhere] {
        let line = format!("- - - {gone}\n");
        ocireg(&format!("head {gone}")).assert(1, &line, &NOT_FOUND);
    }
    let line = format!("- - - {}\n", refs.nobody);
    ocireg(&format!("head {}", refs.nobody)).assert(2, &line, &REFUSED);

    let media = "application/vnd.docker.distribution.manifest.v2+json";
    assert!(registry.kinds[0].size.to_string().len() > 2);
    let ran = ocireg(&format!("head {}", refs.there));
    let columns: Vec<&str> = ran.out.trim_end().split(' ').collect();
    assert_eq!((ran.code, columns.len()), (Some(0), 4), "{ran:?}");
    assert_eq!(
        (columns[0], columns[1], columns[3]),
        (&*registry.digest, media, &*refs.there)
    );
}

#[test]
fn every_kind_of_manifest() {
    let Some(registry) = registry() else { return };
    for kind in &registry.kinds {
        let reference = format!("{}/kinds:{}", registry.at, kind.tag);
        let ran = ocireg(&format!("head {reference}"));
        let expected = format!("{} {} ", kind.digest, kind.media_type);
        assert!(ran.out.starts_with(&expected), "{kind:?}: {ran:?}");
        // The signatures of a converted schema1 manifest differ each time, but not its digest.
        if kind.tag != "schema1" {
            let expected = format!("{expected}{} {reference}\n", kind.size);
            ran.assert(0, &expected, &[]);
        }
    }
}

#[test]
fn denied_is_an_answer_that_names_the_challenge() {
    let private = private();
    let reference = format!("{}/team/app:1", private.at);
    let reasons = ["HTTP 401", "asks for a login", "Basic realm=\"Odd Realm\""];
    ocireg(&format!("exists {reference}")).assert(3, &format!("denied {reference} -\n"), &reasons);
    ocireg(&format!("digest {reference}")).assert(3, "", &reasons);
    ocireg(&format!("head {reference}")).assert(3, &format!("- - - {reference}\n"), &reasons);
}

#[test]
fn of_several_the_worst_counts_and_the_order_stays() {
    let Some(registry) = registry() else { return };
    let private = private();
    let digest = &registry.digest;
    let yes = format!("{}/team/app:1.0", registry.at);
    let absent = format!("{}/team/app:9.9", registry.at);
    let denied = format!("{}/team/app:1.0", private.at);
    let failed = format!("{NOBODY}/team/app:1.0");
    let line = |reference: &String| match reference {
        r if *r == yes => format!("exists {r} {digest}\n"),
        r if *r == absent => format!("absent {r} -\n"),
        r if *r == denied => format!("denied {r} -\n"),
        r => format!("error {r} -\n"),
    };
    let cases = [
        (vec![&yes, &yes], 0),
        (vec![&yes, &absent], 1),
        (vec![&absent, &yes], 1),
        (vec![&absent, &denied, &yes], 3),
        (vec![&denied, &absent], 3),
        (vec![&failed, &denied, &absent, &yes], 2),
        (vec![&yes, &absent, &denied, &failed], 2),
        (vec![&denied, &failed], 2),
    ];
    for (references, code) in cases {
        let words: Vec<&str> = references.iter().map(|r| r.as_str()).collect();
        let arguments = format!("exists --retries 0 {}", words.join(" "));
        let ran = ocireg(&arguments);
        let out: String = references.iter().map(|r| line(r)).collect();
        assert_eq!(
            (ran.code, &ran.out),
            (Some(code), &out),
            "{arguments}: {ran:?}"
        );
    }
    let ran = ocireg(&format!(
        "digest --retries=0 {yes} {absent} {denied} {failed} {yes}"
    ));
    let out = format!("{digest} {yes}\n- {absent}\n- {denied}\n- {failed}\n{digest} {yes}\n");
    assert_eq!((ran.code, &ran.out), (Some(2), &out), "{ran:?}");
    assert_eq!(ran.err.lines().count(), 3, "{ran:?}");
}

#[test]
fn json_has_all_fields_always() {
    let Some(registry) = registry() else { return };
    let private = private();
    let yes = format!("{}/team/app:1.0", registry.at);
    let pinned = format!("{}/team/app@{}", registry.at, registry.digest);
    let absent = format!("{}/team/app:9.9", registry.at);
    let denied = format!("{}/team/app:1.0", private.at);
    let failed = format!("{NOBODY}/team/app:1.0");
    let head = ocireg(&format!("head {yes}")).out;
    let size: u64 = head.split(' ').nth(2).unwrap().parse().unwrap();
    for command in ["exists", "digest", "head"] {
        let ran = ocireg(&format!(
            "{command} --json --retries=0 {yes} {pinned} {absent} {denied} {failed} App"
        ));
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert_eq!(ran.err.lines().count(), 4, "{ran:?}");
        let objects = ran.objects();
        for (object, reference) in objects.iter().zip([&yes, &pinned]) {
            let expected = json!({
                "reference": reference, "presence": "exists", "digest": registry.digest,
                "media_type": "application/vnd.docker.distribution.manifest.v2+json", "size": size,
                "digest_source": "header", "error": null,
            });
            assert_eq!(*object, expected);
        }
        let others = [
            (&*absent, json!("absent"), "not_found", json!(404)),
            (&denied, json!("denied"), "denied", json!(401)),
            (&failed, Value::Null, "connect", Value::Null),
            ("App", Value::Null, "invalid_reference", Value::Null),
        ];
        assert_eq!(objects.len(), 2 + others.len());
        for (object, (reference, presence, kind, status)) in objects[2..].iter().zip(others) {
            let message = object["error"]["message"].as_str().unwrap();
            let line = format!("ocireg: {message}\n");
            assert!(ran.err.contains(&line), "{message}");
            let expected = json!({
                "reference": reference, "presence": presence, "digest": null,
                "media_type": null, "size": null, "digest_source": null,
                "error": {
                    "kind": kind, "http_status": status, "code": null, "message": message,
                    "retry_after_ms": null,
                },
            });
            assert_eq!(*object, expected);
        }
        // People and diff rely on the order of the fields.
        let first = ran.out.lines().next().unwrap();
        assert!(first.starts_with("{\"reference\":\"127.0.0.1:"), "{first}");
        let end = "\"digest_source\":\"header\",\"error\":null}";
        assert!(first.ends_with(end), "{first}");
    }
}

#[test]
fn json_tells_what_the_registry_said_and_how_long_to_wait() {
    let busy = Odd::serve(|_| {
        let body = r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}"#;
        answer(429, "Retry-After: 90\r\n", body)
    });
    // An answer to HEAD has no body, so only a list shows the error code.
    let ran = ocireg(&format!("tags --json {}/app", busy.at));
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let error = &ran.objects()[0]["error"];
    assert_eq!(error["kind"], "rate_limited");
    assert_eq!(error["http_status"], 429);
    assert_eq!(error["code"], "TOOMANYREQUESTS");
    assert_eq!(error["retry_after_ms"], 90_000);
}

#[test]
fn a_time_limit_counts_for_each_question() {
    let Some(registry) = registry() else { return };
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let slow = format!("{}/app", silent.local_addr().unwrap());
    let there = format!("{}/team/app:1.0", registry.at);
    let ran = ocireg(&format!("exists --timeout 300ms {slow} {there}"));
    let out = format!("error {slow} -\nexists {there} {}\n", registry.digest);
    ran.assert(2, &out, &["time ran out"]);
}

#[test]
fn accept_reaches_the_registry() {
    // `--accept` adds to the usual types, so an answer of this type is accepted.
    let odd = Odd::serve(|_| {
        let digest = format!("Docker-Content-Digest: sha256:{}\r\n", "a".repeat(64));
        answer(200, &digest, "").replace("application/json", "application/x-odd")
    });
    let reference = format!("{}/app:1", odd.at);
    let ran = ocireg(&format!("head --accept application/x-odd {reference}"));
    let out = format!(
        "sha256:{} application/x-odd - {reference}\n",
        "a".repeat(64)
    );
    ran.assert(0, &out, &[]);
    let ran = ocireg(&format!("head --accept nonsense {reference}"));
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.err.contains("media type \"nonsense\": no \"/\""),
        "{ran:?}"
    );
}
