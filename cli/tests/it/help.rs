//! Help, and the errors of an unusable command line.

use crate::support::ocireg;

const COMMANDS: [&str; 8] = [
    "exists",
    "digest",
    "head",
    "find",
    "tags",
    "catalog",
    "ping",
    "check-login",
];

#[test]
fn help_names_the_commands_and_the_exit_codes() {
    for arguments in ["--help", "-h", "help"] {
        let ran = ocireg(arguments);
        assert_eq!((ran.code, &*ran.err), (Some(0), ""), "{ran:?}");
        for word in COMMANDS
            .iter()
            .chain(&["Exit codes:", "Examples:", "--json", "--ca-file"])
        {
            assert!(
                ran.out.contains(word),
                "{arguments}: no {word:?} in\n{}",
                ran.out
            );
        }
    }
    for command in COMMANDS {
        for arguments in [format!("{command} --help"), format!("help {command}")] {
            let ran = ocireg(&arguments);
            assert_eq!((ran.code, &*ran.err), (Some(0), ""), "{ran:?}");
            for word in [
                "Usage: ocireg ",
                "Examples:",
                "Exit codes:",
                "  0  ",
                "  3  ",
                "2  anything else",
                "--json prints",
                "--password-stdin",
            ] {
                assert!(
                    ran.out.contains(word),
                    "{arguments}: no {word:?} in\n{}",
                    ran.out
                );
            }
        }
    }
    for arguments in ["--version", "-V"] {
        let ran = ocireg(arguments);
        assert_eq!(
            (ran.code, ran.out),
            (Some(0), format!("ocireg {}\n", env!("CARGO_PKG_VERSION")))
        );
    }
}

#[test]
fn help_says_what_a_page_size_can_do() {
    for command in ["tags", "catalog"] {
        let ran = ocireg(&format!("{command} --help"));
        for words in [
            "the registry may choose another",
            "cuts the list off",
            "or\n",
        ] {
            assert!(
                ran.out.contains(words),
                "{command}: no {words:?}: {}",
                ran.out
            );
        }
    }
}

#[test]
fn help_fits_a_terminal() {
    let helps = COMMANDS.map(|command| format!("help {command}"));
    for arguments in helps.iter().map(String::as_str).chain(["help"]) {
        for line in ocireg(arguments).out.lines() {
            assert!(line.chars().count() <= 80, "{arguments}: {line}");
        }
    }
    // The summary has an option and its description in one line.
    for arguments in ["", "-h"] {
        let ran = ocireg(arguments);
        for line in ran.out.lines().chain(ran.err.lines()) {
            assert!(line.chars().count() <= 100, "{arguments}: {line}");
        }
    }
}

/// Asserts that each command line is a usage error whose message has these words.
#[track_caller]
fn refuses(cases: &[(&str, &str)]) {
    for (arguments, reason) in cases {
        let ran = ocireg(arguments);
        assert_eq!((ran.code, &*ran.out), (Some(2), ""), "{arguments}: {ran:?}");
        assert!(
            ran.err.contains(reason),
            "{arguments}: no {reason:?} in\n{}",
            ran.err
        );
    }
}

#[test]
fn unusable_commands_and_arguments() {
    refuses(&[
        ("", "Usage: ocireg"),
        ("", "Exit codes:"),
        ("--json", "requires a subcommand"),
        ("exist a", "'exists'"),
        ("exists", "<REF>"),
        ("exists --accept", "--accept <TYPE>"),
        ("tags", "<REPOSITORY>"),
        ("tags a b", "unexpected argument 'b'"),
        ("exists a --limit 1", "unexpected argument '--limit'"),
        ("tags a --limit 0", "0 is not in 1.."),
        ("tags a --limit many", "invalid value 'many'"),
        ("tags a --page-size 0", "0 is not in 1.."),
    ]);
}

#[test]
fn unusable_connection_options() {
    refuses(&[
        ("exists a --timeout 5", "give a unit, as in 500ms, 2s or 1m"),
        ("exists a --timeout 0s", "must be more than 0"),
        ("exists a --timeout soon", "the unit must be ms, s, m or h"),
        ("exists a --connect-timeout 5x", "the unit must be"),
        ("exists a --retries -1", "-1"),
        ("exists a --plain-http=http://b", "drop the \"http://\""),
        ("exists a --plain-http=", "invalid registry"),
        ("exists a --https=b/c", "invalid registry"),
    ]);
}

#[test]
fn unusable_logins() {
    refuses(&[
        ("check-login", "<REGISTRY>"),
        ("check-login a b", "unexpected argument 'b'"),
        ("exists a --trust-realm b", "REGISTRY=HOST"),
        ("exists a --trust-realm b/c=d", "invalid registry"),
        ("exists a --trust-realm b=c:1", "give the host alone"),
        ("exists a --username u", "--username needs --password-stdin"),
        (
            "exists a --password-stdin",
            "--password-stdin needs --username",
        ),
        (
            "exists a --username u --token-stdin",
            "--username needs --password-stdin",
        ),
        (
            "exists a --password-stdin --token-stdin",
            "only one password or token",
        ),
        (
            "exists a --token-stdin=b --token-stdin",
            "only one password or token",
        ),
        (
            "exists a --username=u --username=b=v --password-stdin",
            "--username is given several times",
        ),
        (
            "exists a --username=u --password-stdin",
            "there is no password on standard input",
        ),
        ("exists a --token-stdin", "there is no token"),
        ("ping a --username=u --password-stdin", "check-login"),
        ("exists a --header X", "NAME: VALUE"),
    ]);
}
