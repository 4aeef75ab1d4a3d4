//! Output: `-v`, warnings, closed pipes, full disks.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::support::{Odd, answer, command, ocireg, registry, wait};

#[test]
fn verbose_shows_requests_and_no_secrets() {
    let Some(registry) = registry() else { return };
    let at = &registry.at;
    for option in ["-v", "-vv", "--verbose"] {
        let ran = ocireg(&format!("digest {at}/team/app:1.0 {option}"));
        let request = format!("ocireg: HEAD http://{at}/v2/team/app/manifests/1.0 -> 200 in ");
        ran.assert(0, &format!("{}\n", registry.digest), &[&request]);
    }
    let odd = Odd::serve(|request| match request.contains("last=") {
        true => answer(200, "", r#"{"tags":["b"]}"#),
        false => {
            let link = "Link: </v2/app/tags/list?last=a&token=hidden>; rel=\"next\"\r\n";
            answer(200, link, r#"{"tags":["a"]}"#)
        }
    });
    let ran = ocireg(&format!("-v tags {}/app", odd.at));
    ran.assert(0, "a\nb\n", &["token=REDACTED"]);
    assert!(odd.requests()[1].contains("token=hidden"));
    assert!(!ran.err.contains("hidden"), "{ran:?}");
}

#[test]
fn a_registrys_warning_is_told_once() {
    let odd = Odd::serve(|_| {
        answer(
            404,
            "Warning: 299 - \"this registry moves on Monday\"\r\n",
            "",
        )
    });
    let app = format!("{}/app", odd.at);
    let warning = format!(
        "ocireg: warning: {} warns: this registry moves on Monday\n",
        odd.at
    );
    let ran = ocireg(&format!("digest {app}:1 {app}:2"));
    assert_eq!(ran.err.matches(&warning).count(), 1, "{ran:?}");
    let ran = ocireg(&format!("digest -v {app}:1"));
    assert_eq!(
        ran.err.matches("this registry moves on Monday").count(),
        1,
        "{ran:?}"
    );
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let tags: Vec<String> = (0..50_000).map(|n| format!("\"tag-{n}\"")).collect();
    let body = format!("{{\"tags\":[{}]}}", tags.join(","));
    let odd = Odd::serve(move |_| answer(200, "", &body));
    for options in ["", "--json"] {
        let mut child = command(&format!("tags {options} {}/app", odd.at))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert!(line.contains("tag-0"), "{line}");
        // The reader is dropped, so nobody reads from here on.
        let output = wait(child);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert_eq!(output.status.code(), Some(141), "{options}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let Some(registry) = registry() else { return };
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        return;
    };
    let child = command(&format!("digest {}/team/app:1.0", registry.at))
        .stdin(Stdio::null())
        .stdout(full)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let output = wait(child);
    assert_eq!(output.status.code(), Some(2));
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(
        err.starts_with("ocireg: can't write the answers: No space left on device"),
        "{err}"
    );
}

#[test]
fn a_closed_standard_error_changes_nothing() {
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        return;
    };
    let child = command("exists App")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(full)
        .spawn()
        .unwrap();
    let output = wait(child);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "error App -\n");
}
