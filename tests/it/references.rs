//! Whole references: which are accepted and what they mean, which are refused and how the error
//! says so.

use ocireg::{ErrorKind, Reference};

#[test]
fn a1_docker_hub_has_many_names_and_one_part_names_live_in_library() {
    accepted(&[
        ("alpine", "docker.io/library/alpine:latest"),
        ("alpine:3.20", "docker.io/library/alpine:3.20"),
        ("library/alpine", "docker.io/library/alpine:latest"),
        ("gliderlabs/alpine:3.2", "docker.io/gliderlabs/alpine:3.2"),
        ("docker.io/alpine", "docker.io/library/alpine:latest"),
        (
            "docker.io/library/alpine",
            "docker.io/library/alpine:latest",
        ),
        ("docker.io/team/app", "docker.io/team/app:latest"),
        ("index.docker.io/alpine:3", "docker.io/library/alpine:3"),
        (
            "registry-1.docker.io/alpine",
            "docker.io/library/alpine:latest",
        ),
        ("Docker.IO/alpine", "docker.io/library/alpine:latest"),
        ("docker.io:443/alpine", "docker.io/library/alpine:latest"),
        ("INDEX.docker.io:443/team/app", "docker.io/team/app:latest"),
        ("docker.io:5000/alpine", "docker.io:5000/alpine:latest"),
        ("hub.docker.io/alpine", "hub.docker.io/alpine:latest"),
        ("notdocker.io/alpine", "notdocker.io/alpine:latest"),
        (
            "docker.io.example.com/alpine",
            "docker.io.example.com/alpine:latest",
        ),
        ("localhost:5000/alpine", "localhost:5000/alpine:latest"),
        ("docker.io", "docker.io/library/docker.io:latest"),
        ("docker.io:443", "docker.io/library/docker.io:443"),
        ("a/b/c/d", "docker.io/a/b/c/d:latest"),
        ("N247", "docker.io/library/N247:latest"),
    ]);
    refused(&[("N248", "repository name of 256 bytes, at most 255")]);
}

#[test]
fn a2_names_tags_and_digests_follow_the_grammar() {
    accepted(&[
        ("a", "docker.io/library/a:latest"),
        ("0", "docker.io/library/0:latest"),
        ("a.b_c__d-e---f", "docker.io/library/a.b_c__d-e---f:latest"),
        ("a/b.c/d__e", "docker.io/a/b.c/d__e:latest"),
        (
            "under_score/app:V1.0_rc-1",
            "docker.io/under_score/app:V1.0_rc-1",
        ),
        ("app:_", "docker.io/library/app:_"),
        ("app:LATEST", "docker.io/library/app:LATEST"),
        ("app:a..b", "docker.io/library/app:a..b"),
        ("app:T128", "docker.io/library/app:T128"),
        ("app@D256", "docker.io/library/app@D256"),
        ("app:1@D256", "docker.io/library/app:1@D256"),
        ("app@D512", "docker.io/library/app@D512"),
        (
            "gcr.io/google-containers/pause:3.1@D256",
            "gcr.io/google-containers/pause:3.1@D256",
        ),
        ("N255", "docker.io/N255:latest"),
        ("x/HEX64", "docker.io/x/HEX64:latest"),
        ("HEX64:latest", "docker.io/library/HEX64:latest"),
        ("docker.io/HEX64", "docker.io/library/HEX64:latest"),
    ]);
}

#[test]
fn a2_empty_and_dot_parts_are_refused() {
    refused(&[
        ("", "empty"),
        ("/", "empty part in the repository name at byte 0"),
        ("/alpine", "empty part in the repository name at byte 0"),
        ("alpine/", "empty part in the repository name at byte 7"),
        ("a//b", "empty part in the repository name at byte 2"),
        ("docker.io/", "empty repository name at byte 10"),
        (
            "docker.io//alpine",
            "empty part in the repository name at byte 10",
        ),
        ("localhost/", "empty repository name at byte 10"),
        ("a/./b", "part \".\" in the repository name at byte 2"),
        ("a/../b", "part \"..\" in the repository name at byte 2"),
        ("../alpine", "empty label in the host name at byte 0"),
        ("./alpine", "empty label in the host name at byte 0"),
        ("a/b/..", "part \"..\" in the repository name at byte 4"),
    ]);
}

#[test]
fn a2_upper_case_and_other_characters_are_refused() {
    refused(&[
        (
            "Alpine",
            "upper-case letter 'A' in the repository name at byte 0 \
             (repository names are lower-case)",
        ),
        (
            "gliderlabs/Alpine",
            "upper-case letter 'A' in the repository name at byte 11 \
             (repository names are lower-case)",
        ),
        (
            "registry.example.com/Team/app",
            "upper-case letter 'T' in the repository name at byte 21 \
             (repository names are lower-case)",
        ),
        ("a%2fb", "character '%' in the repository name at byte 1"),
        (
            "a/b%2e%2e/c",
            "character '%' in the repository name at byte 3",
        ),
        ("a\\b", "character '\\' in the repository name at byte 1"),
        ("a/b\\c", "character '\\' in the repository name at byte 3"),
        ("a*b", "character '*' in the repository name at byte 1"),
        ("a/b,c", "character ',' in the repository name at byte 3"),
        (
            "a/b:5000/c",
            "character ':' in the repository name at byte 3",
        ),
        (
            "\u{430}lpine",
            "character '\u{430}' (U+0430) in the repository name at byte 0",
        ),
        (
            "café/app",
            "character 'é' (U+00E9) in the repository name at byte 3",
        ),
    ]);
    refused_with_text(&[
        (
            "alpine?x=1",
            "invalid reference \"alpine?…\": character '?' in the repository name at byte 6",
        ),
        (
            "a/b#frag",
            "invalid reference \"a/b#…\": character '#' in the repository name at byte 3",
        ),
        (
            "a/\u{202e}b",
            "invalid reference \"a/\u{fffd}b\": character U+202E in the repository name at byte 2",
        ),
    ]);
}

#[test]
fn a2_separators_at_the_edge_and_in_a_row_are_refused() {
    refused(&[
        (
            "-alpine",
            "separator \"-\" at the edge of a part in the repository name at byte 0 \
             (a part starts and ends with a letter or digit)",
        ),
        (
            "alpine-",
            "separator \"-\" at the edge of a part in the repository name at byte 6 \
             (a part starts and ends with a letter or digit)",
        ),
        (
            "a/_b",
            "separator \"_\" at the edge of a part in the repository name at byte 2 \
             (a part starts and ends with a letter or digit)",
        ),
        (
            "a/b.",
            "separator \".\" at the edge of a part in the repository name at byte 3 \
             (a part starts and ends with a letter or digit)",
        ),
        (
            "a..b",
            "separator \"..\" in the repository name at byte 1 \
             (use one '.', one or two '_' or any number of '-')",
        ),
        (
            "a.-b",
            "separator \".-\" in the repository name at byte 1 \
             (use one '.', one or two '_' or any number of '-')",
        ),
        (
            "a___b",
            "separator \"___\" in the repository name at byte 1 \
             (use one '.', one or two '_' or any number of '-')",
        ),
        (
            "a/b-_c",
            "separator \"-_\" in the repository name at byte 3 \
             (use one '.', one or two '_' or any number of '-')",
        ),
    ]);
}

#[test]
fn a2_names_that_are_too_long_and_image_ids_are_refused() {
    refused(&[
        (
            "HEX64",
            "an image ID, not a name (for a digest write NAME@sha256:…)",
        ),
        ("N256", "repository name of 256 bytes, at most 255"),
        (
            "host.example/N256",
            "repository name of 256 bytes, at most 255",
        ),
        ("HUGE", "repository name of 1000000 bytes, at most 255"),
    ]);
}

#[test]
fn a2_bad_tags_are_refused() {
    refused(&[
        ("alpine:", "empty tag at byte 7"),
        (
            "alpine:.1",
            "'.' at the start of the tag at byte 7 (a tag starts with a letter, a digit or '_')",
        ),
        (
            "alpine:-rc1",
            "'-' at the start of the tag at byte 7 (a tag starts with a letter, a digit or '_')",
        ),
        ("alpine:a+b", "character '+' in the tag at byte 8"),
        ("alpine:3:4", "character ':' in the tag at byte 8"),
        ("alpine:3%20", "character '%' in the tag at byte 8"),
        ("alpine:é", "character 'é' (U+00E9) in the tag at byte 7"),
        ("alpine:T129", "tag of 129 bytes at byte 7, at most 128"),
        ("alpine:@D256", "empty tag at byte 7"),
    ]);
}

#[test]
fn a2_bad_digests_are_refused() {
    refused(&[
        (
            "alpine@",
            "empty digest at byte 7 (a digest looks like sha256:… with 64 hexadecimal digits)",
        ),
        (
            "alpine:3@",
            "empty digest at byte 9 (a digest looks like sha256:… with 64 hexadecimal digits)",
        ),
        (
            "alpine@latest",
            "no ':' in the digest at byte 7 \
             (a digest looks like sha256:… with 64 hexadecimal digits)",
        ),
        (
            "alpine@sha256:",
            "0 hexadecimal digits in the digest at byte 14, sha256 has 64",
        ),
        (
            "alpine@sha256:abc",
            "3 hexadecimal digits in the digest at byte 14, sha256 has 64",
        ),
        (
            "alpine@sha256:ABC",
            "upper-case letter 'A' in the digest at byte 14 (digests are lower-case)",
        ),
        (
            "alpine@D256f",
            "65 hexadecimal digits in the digest at byte 14, sha256 has 64",
        ),
        (
            "alpine@sha256:../../x",
            "character '.' in the digest at byte 14 (digests have hexadecimal digits)",
        ),
        (
            "alpine@D256:latest",
            "character ':' in the digest at byte 78 (digests have hexadecimal digits)",
        ),
    ]);
    refused_with_text(&[
        (
            "alpine@D256@D256",
            "invalid reference \"…@D256\": character '@' in the digest at byte 78 \
             (digests have hexadecimal digits)",
        ),
        (
            "alpine@md5:d41d8cd98f00b204e9800998ecf8427e",
            "unsupported reference \"alpine@md5:d41d8cd98f00b204e9800998ecf8427e\": \
             digest algorithm \"md5\" at byte 7 (sha256, sha384 and sha512 are supported)",
        ),
    ]);
}

#[test]
fn a2_blanks_and_control_characters_are_refused() {
    refused(&[("al pine", "a space at byte 2")]);
    refused_with_text(&[
        (" ", "invalid reference \"\": a space at byte 0"),
        (
            " alpine",
            "invalid reference \"alpine\": a space at the start, at byte 0",
        ),
        (
            "alpine ",
            "invalid reference \"alpine\": a space at the end, at byte 6",
        ),
        (
            "alpine:3\n",
            "invalid reference \"alpine:3\": character U+000A at the end, at byte 8",
        ),
        (
            "alpine\r\nX-Evil: 1",
            "invalid reference \"alpine  X-Evil: 1\": character U+000D at byte 6",
        ),
        (
            "alpine\t",
            "invalid reference \"alpine\": character U+0009 at the end, at byte 6",
        ),
        (
            "al\u{0}pine",
            "invalid reference \"al\u{fffd}pine\": character U+0000 at byte 2",
        ),
        (
            "alpine\u{a0}",
            "invalid reference \"alpine\": character U+00A0 at the end, at byte 6",
        ),
        (
            "alpine\u{1b}[31m",
            "invalid reference \"alpine\u{fffd}[31m\": character U+001B at byte 6",
        ),
    ]);
}

#[test]
fn a2_a_url_is_refused_with_a_way_out() {
    refused(&[
        (
            "https://registry.example.com/team/app",
            "a URL (drop the \"https://\")",
        ),
        ("http://localhost:5000/app", "a URL (drop the \"http://\")"),
        ("HTTPS://docker.io/alpine", "a URL (drop the \"HTTPS://\")"),
        ("docker://alpine:3", "a URL (drop the \"docker://\")"),
        ("oci://ghcr.io/team/app", "a URL (drop the \"oci://\")"),
    ]);
    refused_with_text(&[
        (
            "https://user:hunter2@host.example/app",
            "invalid reference \"https://…@host.example/app\": a URL (drop the \"https://\")",
        ),
        (
            "user:hunter2@host.example/app",
            "invalid reference \"…@host.example/app\": '@' before a '/' at byte 12 \
             (user name and password do not belong here; a digest comes last)",
        ),
        (
            "https://host.example/app?sig=hunter2",
            "invalid reference \"https://host.example/app?…\": a URL (drop the \"https://\")",
        ),
    ]);
}

#[test]
fn a7_hosts_and_ports() {
    accepted(&[
        ("localhost/app", "localhost/app:latest"),
        ("LOCALHOST/app", "localhost/app:latest"),
        ("localhost:5000/team/app:1", "localhost:5000/team/app:1"),
        ("127.0.0.1:5000/app", "127.0.0.1:5000/app:latest"),
        ("[::1]/app", "[::1]/app:latest"),
        ("[::1]:5000/app:1", "[::1]:5000/app:1"),
        (
            "[2001:DB8:0:0:0:0:0:1]:443/app",
            "[2001:db8::1]:443/app:latest",
        ),
        ("[::FFFF:7F00:1]/app", "[::ffff:7f00:1]/app:latest"),
        (
            "registry.example.com:443/app",
            "registry.example.com:443/app:latest",
        ),
        (
            "Registry.Example.COM/app",
            "registry.example.com/app:latest",
        ),
        ("host:0080/app", "host:80/app:latest"),
        ("my-host:65535/app", "my-host:65535/app:latest"),
        ("Registry/app", "REGISTRY/app:latest"),
        (
            "xn--bcher-kva.example/app",
            "xn--bcher-kva.example/app:latest",
        ),
        ("a.b/c", "a.b/c:latest"),
        ("localhost:5000", "docker.io/library/localhost:5000"),
        ("host:443", "docker.io/library/host:443"),
    ]);
}

#[test]
fn a7_bad_ports_are_refused() {
    refused(&[
        ("host:0/app", "port out of range at byte 5 (1 to 65535)"),
        ("host:65536/app", "port out of range at byte 5 (1 to 65535)"),
        ("host:99999/app", "port out of range at byte 5 (1 to 65535)"),
        (
            "host:1000000000000000000000/app",
            "port out of range at byte 5 (1 to 65535)",
        ),
        ("host:/app", "empty port at byte 5"),
        ("host:+80/app", "character '+' in the port at byte 5"),
        ("host:80a/app", "character 'a' in the port at byte 7"),
        ("host:80:80/app", "character ':' in the port at byte 7"),
    ]);
}

#[test]
fn a7_bad_host_names_are_refused() {
    refused(&[
        (":5000/app", "empty host name at byte 0"),
        (
            "my_registry:5000/app",
            "character '_' in the host name at byte 2",
        ),
        (
            "my_registry.example/app",
            "character '_' in the host name at byte 2",
        ),
        (
            "-host.example/app",
            "'-' at the edge of a label in the host name at byte 0",
        ),
        (
            "host-.example/app",
            "'-' at the edge of a label in the host name at byte 4",
        ),
        (
            "host..example/app",
            "empty label in the host name at byte 5",
        ),
        (".example/app", "empty label in the host name at byte 0"),
        ("host./app", "empty label in the host name at byte 5"),
        (
            "h%6fst.example/app",
            "character '%' in the host name at byte 1",
        ),
        (
            "höst.example/app",
            "character 'ö' (U+00F6) in the host name at byte 1",
        ),
        ("LONGHOST/app", "host name of 267 bytes, at most 253"),
    ]);
}

#[test]
fn a7_bad_addresses_are_refused() {
    refused(&[
        (
            "::1/app",
            "an IPv6 address without brackets at byte 0 (write [::1])",
        ),
        ("[::1/app", "no ']' after the '[' at byte 0"),
        ("[]/app", "character '[' in the repository name at byte 0"),
        ("[::g]/app", "character 'g' in the IPv6 address at byte 3"),
        ("[::1]5000/app", "no ':' between ']' and the port at byte 5"),
        ("[::1]:/app", "empty port at byte 6"),
        (
            "[::1%25eth0]:5000/app",
            "character '%' in the IPv6 address at byte 4",
        ),
        (
            "[::ffff:127.0.0.1]/app",
            "character '.' in the IPv6 address at byte 11",
        ),
        ("[1::2::3]/app", "no IPv6 address in the brackets at byte 0"),
        (
            "2130706433:5000/app",
            "host name ending in a number at byte 0 \
             (an IPv4 address has four decimal numbers up to 255)",
        ),
        (
            "0x7f.1/app",
            "host name ending in a number at byte 0 \
             (an IPv4 address has four decimal numbers up to 255)",
        ),
        (
            "127.1/app",
            "host name ending in a number at byte 0 \
             (an IPv4 address has four decimal numbers up to 255)",
        ),
        (
            "300.1.1.1/app",
            "host name ending in a number at byte 0 \
             (an IPv4 address has four decimal numbers up to 255)",
        ),
    ]);
}

/// Texts and their full forms.
#[track_caller]
fn accepted(cases: &[(&str, &str)]) {
    for (text, full) in cases {
        match expand(text).parse::<Reference>() {
            Ok(image) => assert_eq!(image.to_string(), expand(full), "{text}"),
            Err(error) => panic!("{text}: {error}"),
        }
    }
}

/// Texts, and what the error says after the quoted text.
#[track_caller]
fn refused(cases: &[(&str, &str)]) {
    for (text, why) in cases {
        let given = expand(text);
        let quoted = match given.get(..200) {
            Some(start) if given.len() > 200 => format!("{start}…"),
            _ => given.clone(),
        };
        assert_refused(&given, &format!("invalid reference \"{quoted}\": {why}"));
    }
}

/// Texts, and the whole text of the error.
#[track_caller]
fn refused_with_text(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_refused(&expand(text), &expand(expected));
    }
}

#[track_caller]
fn assert_refused(text: &str, expected: &str) {
    let error = text.parse::<Reference>().unwrap_err();
    assert_eq!(error.to_string(), expected);
    let kind = match expected.starts_with("unsupported") {
        true => ErrorKind::Unsupported,
        false => ErrorKind::InvalidReference,
    };
    assert_eq!(error.kind(), kind, "{text}");
}

/// Replaces upper-case words by texts that are too long for a table.
fn expand(text: &str) -> String {
    [
        ("HUGE", "a".repeat(1_000_000)),
        ("LONGHOST", format!("{}example", "a.".repeat(130))),
        ("N247", "n".repeat(247)),
        ("N248", "n".repeat(248)),
        ("N255", format!("n/{}", "n".repeat(253))),
        ("N256", format!("n/{}", "n".repeat(254))),
        ("T128", "t".repeat(128)),
        ("T129", "t".repeat(129)),
        ("HEX64", "0f".repeat(32)),
        ("D256", format!("sha256:{}", "0".repeat(64))),
        ("D512", format!("sha512:{}", "0".repeat(128))),
    ]
    .iter()
    .fold(text.to_owned(), |text, (word, meaning)| {
        text.replace(word, meaning)
    })
}
