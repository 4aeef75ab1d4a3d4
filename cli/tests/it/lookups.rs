//! `exists`, `digest` and `head` against a real registry.

use serde_json::{Value, json};

use crate::support::{NOBODY, Odd, answer, ocireg, private, registry};

#[test]
fn the_three_commands_one_reference_each() {
    let Some(registry) = registry() else { return };
    let (at, digest) = (&registry.at, &registry.digest);
    let there = format!("{at}/team/app:1.0");
    let pinned = format!("{at}/team/app@{digest}");
    let tagged_and_pinned = format!("{at}/team/app:9.9@{digest}");
    let gone = format!("{at}/team/app:9.9");
    let elsewhere = format!("{at}/team/other:1.0");
    let nobody = format!("{NOBODY}/team/app");
    let media = "application/vnd.docker.distribution.manifest.v2+json";
    let size = registry.kinds[0].size.to_string().len();
    assert!(size > 2);
    let not_found: &[&str] = &[" answers: not found (HTTP 404)"];
    let refused: &[&str] = &[
        // The address is told once.
        "ocireg: 127.0.0.1:1/team/app:latest: can't connect to 127.0.0.1:1: Connection refused (os error 111) (check the host and port",
        ": Connection refused",
    ];
    let cases: [(&str, &str, i32, String, &[&str]); 14] = [
        (
            "exists",
            &there,
            0,
            format!("exists {there} {digest}\n"),
            &[],
        ),
        (
            "exists",
            &pinned,
            0,
            format!("exists {pinned} {digest}\n"),
            &[],
        ),
        (
            "exists",
            &tagged_and_pinned,
            0,
            format!("exists {tagged_and_pinned} {digest}\n"),
            &[],
        ),
        ("exists", &gone, 1, format!("absent {gone} -\n"), not_found),
        (
            "exists",
            &elsewhere,
            1,
            format!("absent {elsewhere} -\n"),
            not_found,
        ),
        ("exists", &nobody, 2, format!("error {nobody} -\n"), refused),
        ("digest", &there, 0, format!("{digest}\n"), &[]),
        ("digest", &pinned, 0, format!("{digest}\n"), &[]),
        ("digest", &gone, 1, String::new(), not_found),
        ("digest", &nobody, 2, String::new(), refused),
        ("digest --", &there, 0, format!("{digest}\n"), &[]),
        ("head", &gone, 1, format!("- - - {gone}\n"), not_found),
        (
            "head",
            &elsewhere,
            1,
            format!("- - - {elsewhere}\n"),
            not_found,
        ),
        ("head", &nobody, 2, format!("- - - {nobody}\n"), refused),
    ];
    for (command, reference, code, out, reasons) in cases {
        ocireg(&format!("{command} {reference}")).assert(code, &out, reasons);
    }
    let ran = ocireg(&format!("head {there}"));
    let columns: Vec<&str> = ran.out.trim_end().split(' ').collect();
    assert_eq!((ran.code, columns.len()), (Some(0), 4), "{ran:?}");
    assert_eq!(
        (columns[0], columns[1], columns[3]),
        (&**digest, media, &*there)
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
    let size: Vec<String> = ocireg(&format!("head {yes}"))
        .out
        .split(' ')
        .map(str::to_owned)
        .collect();
    let size: u64 = size[2].parse().unwrap();
    for command in ["exists", "digest", "head"] {
        let ran = ocireg(&format!(
            "{command} --json --retries=0 {yes} {pinned} {absent} {denied} {failed} App"
        ));
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert_eq!(ran.err.lines().count(), 4, "{ran:?}");
        let objects = ran.objects();
        let found = |reference: &str| {
            json!({
                "reference": reference, "presence": "exists", "digest": registry.digest,
                "media_type": "application/vnd.docker.distribution.manifest.v2+json", "size": size,
                "digest_source": "header", "error": null,
            })
        };
        assert_eq!(objects[0], found(&yes));
        assert_eq!(objects[1], found(&pinned));
        let others = [
            (
                &*absent,
                json!("absent"),
                "not_found",
                json!(404),
                Value::Null,
            ),
            (&denied, json!("denied"), "denied", json!(401), Value::Null),
            (&failed, Value::Null, "connect", Value::Null, Value::Null),
            (
                "App",
                Value::Null,
                "invalid_reference",
                Value::Null,
                Value::Null,
            ),
        ];
        for (object, (reference, presence, kind, status, code)) in objects[2..].iter().zip(others) {
            let message = object["error"]["message"].as_str().unwrap();
            assert!(
                ran.err.contains(&format!("ocireg: {message}\n")),
                "{message}"
            );
            let expected = json!({
                "reference": reference, "presence": presence, "digest": null, "media_type": null, "size": null,
                "digest_source": null,
                "error": {
                    "kind": kind, "http_status": status, "code": code, "message": message,
                    "retry_after_ms": null,
                },
            });
            assert_eq!(*object, expected);
        }
        // The order of the fields is stable too, for eyes and for diff.
        let first = ran.out.lines().next().unwrap();
        assert!(first.starts_with("{\"reference\":\"127.0.0.1:"), "{first}");
        assert!(
            first.ends_with("\"digest_source\":\"header\",\"error\":null}"),
            "{first}"
        );
    }
}

#[test]
fn json_tells_what_the_registry_said_and_how_long_to_wait() {
    let busy = Odd::serve(|_| {
        let body = r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}"#;
        answer(429, "Retry-After: 90\r\n", body)
    });
    // By HEAD no body comes, so the code is known only where a list is asked for.
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
    // `--accept` adds to the usual types; the type answered is then taken.
    let odd = Odd::serve(|_| {
        let digest = format!("Docker-Content-Digest: sha256:{}\r\n", "a".repeat(64));
        answer(200, &digest, "").replace("application/json", "application/x-odd")
    });
    let reference = format!("{}/app:1", odd.at);
    let ran = ocireg(&format!("head --accept application/x-odd {reference}"));
    let out = format!(
        "sha256:{} application/x-odd 0 {reference}\n",
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
