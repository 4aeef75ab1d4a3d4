//! What the command prints of foreign text: nothing that controls a terminal or can't be seen, and
//! no error of more than 4 KiB.

use crate::support::{Odd, Ran, answer, command, run};

/// Controls, marks of direction, and characters that nobody sees.
const HIDDEN: [char; 14] = [
    '\u{7}',
    '\u{1b}',
    '\u{85}',
    '\u{ad}',
    '\u{61c}',
    '\u{180e}',
    '\u{200b}',
    '\u{202e}',
    '\u{2066}',
    '\u{3164}',
    '\u{feff}',
    '\u{fff9}',
    '\u{e0000}',
    '\u{e0041}',
];

#[track_caller]
fn assert_plain(what: &str, ran: &Ran) {
    for text in [&ran.out, &ran.err] {
        let shown = text.chars().find(|c| HIDDEN.contains(c));
        assert_eq!(shown, None, "{what}: {text}");
    }
    for line in ran.err.lines() {
        assert!(line.len() <= 4096, "{what}: a line of {} bytes", line.len());
    }
}

/// Runs the command with arguments that have blanks or anything else in them.
#[track_caller]
fn ocireg(arguments: &[&str]) -> Ran {
    let mut command = command("");
    command.args(arguments);
    run(command, b"")
}

#[test]
fn s15_hidden_characters_that_the_user_typed_are_escaped() {
    for hidden in HIDDEN {
        let typed = format!("a{hidden}b");
        for arguments in [
            &["exists", &typed][..],
            &["exists", &typed, "--json"],
            &["tags", &typed],
            &["ping", &typed],
            &["check-login", &typed],
            &["find", &typed],
            &[&typed],
            &["exists", "a", &format!("--{typed}")],
            &["tags", "a", &typed],
            &["tags", "a", "--limit", &typed],
            &["exists", "a", "--timeout", &typed],
            &["exists", "a", &format!("--plain-http={typed}")],
            &["exists", "a", "--accept", &typed],
            &["exists", "a", "--trust-realm", &typed],
            &["exists", "a", "--ca-file", &typed],
        ] {
            let ran = ocireg(arguments);
            assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
            assert_plain(&format!("{arguments:?}"), &ran);
            assert!(!ran.err.is_empty(), "{arguments:?}");
        }
    }
}

#[test]
fn s15_hidden_characters_that_a_registry_sends_are_escaped() {
    let text: String = HIDDEN.iter().filter(|c| !c.is_control()).collect();
    let body = format!(r#"{{"errors":[{{"code":"X{text}","message":"m{text}n"}}]}}"#);
    let odd = Odd::serve(move |_| answer(403, &format!("Warning: 299 - \"w{text}\"\r\n"), &body));
    let image = format!("{}/app:1", odd.at);
    for options in [&[][..], &["--json"], &["-v"]] {
        let ran = ocireg(&[&["tags", &image[..image.len() - 2]], options].concat());
        assert_plain(&format!("{options:?}"), &ran);
        assert!(ran.err.contains("m\u{fffd}"), "{ran:?}");
    }
}

#[test]
fn s15_no_error_has_more_than_four_kib() {
    let long = "x".repeat(100_000);
    let wide = "\u{1f980}".repeat(20_000);
    for text in [&long, &wide] {
        for arguments in [
            &["exists", text][..],
            &["ping", text],
            &["tags", "a", text],
            &["exists", "a", "--timeout", text],
            &["exists", "a", "--ca-file", text],
            &["exists", "a", &format!("--plain-http={text}")],
            &[text],
        ] {
            let ran = ocireg(arguments);
            assert_eq!(ran.code, Some(2), "{ran:?}");
            let length = ran.err.len();
            assert!((1..=4096).contains(&length), "{} {length}", arguments[0]);
        }
    }
    let input = format!("{long}\n");
    let ran = run(command("exists -"), input.as_bytes());
    assert!(ran.err.len() <= 4096, "{}", ran.err.len());
}

/// A challenge whose token service has a name of 5,000 characters: no such host can exist.
#[test]
fn s15_a_host_of_more_than_253_characters_is_no_host() {
    let name = vec!["a".repeat(60); 80].join(".");
    let challenge = format!("Bearer realm=\"http://{name}/token\",service=\"s\"");
    let fields = format!("WWW-Authenticate: {challenge}\r\n");
    let odd = Odd::serve(move |_| answer(401, &fields, ""));
    let ran = ocireg(&["exists", &format!("{}/app:1", odd.at)]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.len() <= 4096, "{}", ran.err.len());
    assert!(ran.err.contains("no usable host"), "{ran:?}");
    let ran = ocireg(&["exists", &format!("{name}/app:1")]);
    assert!(ran.err.contains("at most 253"), "{ran:?}");
}
