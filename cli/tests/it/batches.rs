//! Many images at once: `find`, several references, thousands on standard input, `--wait`.

use std::fmt::Write;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use test_support::{DockerRegistry, RegistryConfig, seed};

use crate::support::{Odd, answer, ocireg, ocireg_reading, refusal, registry};

#[test]
fn find_prints_the_tags_that_are_the_same_image() {
    let Some(registry) = registry() else { return };
    let (at, digest) = (&registry.at, &registry.digest);
    let app = format!("{at}/team/app");
    for reference in [
        format!("{app}:latest"),
        format!("{app}@{digest}"),
        format!("{app}:1.0@{digest}"),
        format!("--concurrency 1 {app}:1.0"),
    ] {
        let ran = ocireg(&format!("find {reference}"));
        assert_eq!((ran.code, &*ran.err), (Some(0), ""), "{ran:?}");
        let mut lines: Vec<&str> = ran.out.lines().collect();
        // The registry chooses the order.
        lines.sort_unstable();
        let expected = ["1.0", "1.0.3", "latest"].map(|tag| format!("{tag} {digest}"));
        assert_eq!(lines, expected, "{reference}");
    }
    // The repository has a tag for each kind of manifest.
    let kind = &registry.kinds[0];
    let found = ocireg(&format!("find {at}/kinds:{}", kind.tag));
    found.assert(0, &format!("{} {}\n", kind.tag, kind.digest), &[]);

    let reference = format!("{at}/a:latest");
    let ran = ocireg(&format!("find --json {reference}"));
    let digest = ocireg(&format!("digest {reference}")).out;
    let expected = json!({
        "reference": reference, "tag": "latest", "digest": digest.trim_end(), "error": null,
    });
    assert_eq!(ran.objects(), [expected]);
}

#[test]
fn find_that_finds_nothing_says_why() {
    let Some(registry) = registry() else { return };
    let app = format!("{}/team/app", registry.at);
    let unknown = format!("sha256:{}", "0".repeat(64));
    let private = crate::support::private();
    let cases: [(String, i32, &str); 6] = [
        (format!("{app}:nosuch"), 1, "not found"),
        (format!("{app}@{unknown}"), 1, "no tag has this digest"),
        (format!("{}/nosuch@{unknown}", registry.at), 1, "not found"),
        (format!("{}/app:1", private.at), 3, "HTTP 401"),
        (
            format!("--retries=0 {}/app:1", crate::support::NOBODY),
            2,
            "can't connect",
        ),
        ("App".to_owned(), 2, "invalid reference"),
    ];
    for (arguments, code, reason) in cases {
        ocireg(&format!("find {arguments}")).assert(code, "", &[reason]);
        let ran = ocireg(&format!("find --json {arguments}"));
        let objects = ran.objects();
        assert_eq!((ran.code, objects.len()), (Some(code), 1), "{ran:?}");
        assert_eq!(objects[0]["tag"], json!(null));
        assert!(objects[0]["error"]["kind"].is_string(), "{ran:?}");
    }
}

#[test]
fn hundreds_on_standard_input_are_answered_in_order() {
    let Some(registry) = registry() else { return };
    let (at, digest) = (&registry.at, &registry.digest);
    let (mut input, mut out) = (String::new(), String::new());
    // More than one batch of 512.
    for number in 0..1300 {
        let (reference, line) = match number % 10 {
            3 => {
                let reference = format!("{at}/team/app:no-{number}");
                (reference.clone(), format!("absent {reference} -"))
            }
            7 => ("Bad".to_owned(), "error Bad -".to_owned()),
            _ => {
                let reference = format!("{at}/team/app:1.0");
                (reference.clone(), format!("exists {reference} {digest}"))
            }
        };
        writeln!(input, "{reference}").unwrap();
        writeln!(out, "{line}").unwrap();
    }
    for options in ["", "--concurrency 1", "--concurrency 64"] {
        let ran = ocireg_reading(&format!("exists - {options}"), input.as_bytes());
        assert_eq!((ran.code, ran.err.lines().count()), (Some(2), 260));
        assert!(ran.out == out, "{options}: {}", ran.out);
    }
    let ran = ocireg_reading("digest -", input.as_bytes());
    assert_eq!(ran.out.lines().count(), 1300);
    assert!(
        ran.out
            .starts_with(&format!("{digest} {at}/team/app:1.0\n"))
    );
}

#[test]
fn a_reference_given_twice_is_asked_once() {
    let odd = Odd::serve(|_| {
        let digest = format!("Docker-Content-Digest: sha256:{}\r\n", "a".repeat(64));
        answer(200, &digest, "").replace(
            "application/json",
            "application/vnd.oci.image.manifest.v1+json",
        )
    });
    let (one, two) = (format!("{}/app:1", odd.at), format!("{}/app:2", odd.at));
    let ran = ocireg(&format!("digest {one} {two} {one} {one}"));
    assert_eq!((ran.code, ran.out.lines().count()), (Some(0), 4), "{ran:?}");
    assert_eq!(odd.requests().len(), 2);
}

#[test]
fn a_token_service_is_not_given_a_wrong_password_for_each_of_many() {
    let odd = Odd::serve(|request| {
        if request.contains(" /token") {
            return refusal(request, "Basic realm=\"tokens\"");
        }
        let host = request
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .unwrap_or_default();
        refusal(
            request,
            &format!("Bearer realm=\"http://{host}/token\",service=\"odd\""),
        )
    });
    let mut arguments = format!("exists --username {}=u --password-stdin", odd.at);
    for number in 0..30 {
        write!(arguments, " {}/r{number}:1", odd.at).unwrap();
    }
    let ran = ocireg_reading(&arguments, b"wrong");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert_eq!(ran.out.matches("error ").count(), 30);
    let heads = odd.heads();
    let tries = heads
        .iter()
        .filter(|head| head.contains("\nauthorization: "));
    // One request has all scopes and one has a single scope, since some services refuse several.
    assert_eq!(tries.count(), 2, "{heads:#?}");
}

#[test]
fn a_concurrency_beyond_the_bounds_is_a_usage_error() {
    for (command, number) in [("exists", "0"), ("find", "65"), ("head", "many")] {
        let ran = ocireg(&format!("{command} a --concurrency {number}"));
        assert_eq!((ran.code, &*ran.out), (Some(2), ""), "{ran:?}");
        assert!(ran.err.contains("--concurrency"), "{ran:?}");
    }
    let ran = ocireg("digest a --wait 1s");
    assert!(ran.err.contains("unexpected argument '--wait'"), "{ran:?}");
}

#[test]
fn waiting_ends_when_the_image_is_pushed() {
    let Some(server) = DockerRegistry::start(&RegistryConfig::new()) else {
        return;
    };
    let at = server.authority().to_owned();
    let digest = seed::push_tags(&at, "app", &["old"])[0].digest.clone();
    let begin = Instant::now();
    let pusher = {
        let at = at.clone();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(1500));
            seed::push_tags(&at, "app", &["new"]);
        })
    };
    let ran = ocireg(&format!("exists --wait 20s {at}/app:new {at}/app:old"));
    pusher.join().unwrap();
    let out = format!("exists {at}/app:new {digest}\nexists {at}/app:old {digest}\n");
    ran.assert(0, &out, &[]);
    let took = begin.elapsed();
    assert!(took >= Duration::from_millis(1500), "{took:?}");
    assert!(took < Duration::from_secs(15), "{took:?}");
}

#[test]
fn waiting_ends_when_time_is_up() {
    let Some(registry) = registry() else { return };
    let (there, gone) = (
        format!("{}/team/app:1.0", registry.at),
        format!("{}/team/app:9.9", registry.at),
    );
    let begin = Instant::now();
    let input = format!("{there}\n{gone}\n");
    let ran = ocireg_reading("exists --wait 1200ms -", input.as_bytes());
    let out = format!("exists {there} {}\nabsent {gone} -\n", registry.digest);
    ran.assert(1, &out, &["not found"]);
    assert!(begin.elapsed() >= Duration::from_millis(1200));
}

#[test]
fn only_what_is_missing_is_asked_again_and_a_passing_failure_is_waited_out() {
    let asked = AtomicUsize::new(0);
    let odd = Odd::serve(move |request| {
        let digest = format!("Docker-Content-Digest: sha256:{}\r\n", "a".repeat(64));
        let found = answer(200, &digest, "").replace(
            "application/json",
            "application/vnd.oci.image.manifest.v1+json",
        );
        let late = request.contains("/manifests/late");
        match late && asked.fetch_add(1, Ordering::Relaxed) == 0 {
            true => answer(503, "", ""),
            false => found,
        }
    });
    let ran = ocireg(&format!(
        "exists --retries=0 --wait 20s {0}/app:there {0}/app:late",
        odd.at
    ));
    assert_eq!((ran.code, &*ran.err), (Some(0), ""), "{ran:?}");
    let requests = odd.requests();
    assert_eq!(requests.len(), 3, "{requests:?}");
}

#[test]
fn what_waiting_cannot_change_ends_it_at_once() {
    let Some(registry) = registry() else { return };
    let private = crate::support::private();
    let gone = format!("{}/team/app:9.9", registry.at);
    for (other, code) in [(format!("{}/app:1", private.at), 3), ("Bad".to_owned(), 2)] {
        let begin = Instant::now();
        let ran = ocireg(&format!("exists --wait 1h {gone} {other}"));
        assert_eq!(
            (ran.code, ran.out.lines().count()),
            (Some(code), 2),
            "{ran:?}"
        );
        assert!(begin.elapsed() < Duration::from_secs(15));
    }
}

/// `script` (util-linux) runs the command on a terminal.
#[test]
fn a_bar_is_shown_to_a_terminal_alone() {
    let Some(registry) = registry() else { return };
    if Command::new("script").arg("--version").output().is_err() {
        test_support::skip("missing tool script (util-linux)");
        return;
    }
    let mut references = String::new();
    for number in 0..40 {
        write!(references, " {}/team/app:no-{number}", registry.at).unwrap();
    }
    let program = env!("CARGO_BIN_EXE_ocireg");
    for (options, has_bar) in [
        ("--concurrency 1", true),
        ("-v", false),
        ("--json > /dev/null", false),
    ] {
        let line = format!("{program} digest {references} {options}");
        let mut command = Command::new("script");
        command.args(["-qefc", &line, "/dev/null"]);
        let ran = crate::support::run(command, b"");
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert_eq!(ran.out.contains("/40 "), has_bar, "{options}: {ran:?}");
    }
    // Without a terminal, standard error has only the reasons.
    let ran = ocireg(&format!("digest {references}"));
    assert_eq!(ran.err.lines().count(), 40);
}
