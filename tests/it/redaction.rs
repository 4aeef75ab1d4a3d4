//! S15: a server that repeats the secrets it was sent finds them in nothing that the library says.
//! Each place in which a server's text is shown is tried with each spelling of each secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fake_registry::Ca;
use ocireg::{Client, ErrorKind};
use raw_http::{Answer, Recorded, Server};

use crate::auth_canary::{Output, begin, records};
use crate::auth_support::*;

const OUR_PASSWORD: &str = "Pw7kd/Xq8+mmZr4Tqa";
const TOKEN: &str = "tok3n9vq2hh81kd0zz";
const VALUE: &str = "hdr5kk2w8qz1pp0lm";
const SECRETS: [&str; 3] = [OUR_PASSWORD, TOKEN, VALUE];
const MARK: &str = "Docker-Distribution-Api-Version: registry/2.0";
const JSON: &str = "Content-Type: application/json";

/// Where a server repeats a secret: the answer to a request that showed who asks.
type Place = fn(&str) -> Answer;

fn json(status: u16, body: String) -> Answer {
    Answer::new(status, &format!("{JSON}\n{MARK}"), body)
}

fn says_in_header(status: u16, field: &str) -> Answer {
    Answer::new(status, &format!("{field}\n{JSON}\n{MARK}"), "{}")
}

const BODIES: &[(&str, Place)] = &[
    ("code", |it| {
        json(403, format!(r#"{{"errors":[{{"code":"{it}"}}]}}"#))
    }),
    ("message", |it| {
        let long = "x".repeat(500 - it.len() / 2);
        let message = format!("{it} {long} {it}");
        json(
            403,
            format!(r#"{{"errors":[{{"code":"DENIED","message":"{message}"}}]}}"#),
        )
    }),
    ("detail", |it| {
        let detail = format!(r#"{{"a":["{it}"],"{it}":"\"{it}\""}}"#);
        json(
            403,
            format!(r#"{{"errors":[{{"code":"DENIED","detail":{detail}}}]}}"#),
        )
    }),
    ("error_description", |it| {
        json(
            403,
            format!(r#"{{"error":"denied","error_description":"{it}"}}"#),
        )
    }),
    ("text of a failure", |it| {
        json(500, format!(r#"{{"message":"failed for {it}"}}"#))
    }),
    ("a list of another type", |it| {
        json(200, format!(r#"{{"tags":"{it}","repositories":"{it}"}}"#))
    }),
    ("mediaType", |it| {
        json(
            200,
            format!(r#"{{"schemaVersion":2,"mediaType":"x/{it}"}}"#),
        )
    }),
    ("schemaVersion", |it| {
        json(200, format!(r#"{{"schemaVersion":"{it}"}}"#))
    }),
];

const HEADERS: &[(&str, Place)] = &[
    ("Warning", |it| {
        says_in_header(200, &format!("Warning: 299 - \"says {it}\""))
    }),
    ("rate limit", |it| {
        says_in_header(403, &format!("Docker-RateLimit-Source: {it}"))
    }),
    ("scheme", |it| {
        says_in_header(401, &format!("WWW-Authenticate: {it}"))
    }),
    ("realm", |it| {
        says_in_header(401, &format!("WWW-Authenticate: Digest realm=\"a {it}\""))
    }),
    ("malformed challenge", |it| {
        let long = "y".repeat(70);
        says_in_header(401, &format!("WWW-Authenticate: Basic realm=\"{long}{it}"))
    }),
    ("Content-Encoding", |it| {
        says_in_header(200, &format!("Content-Encoding: {}{it}", "z".repeat(30)))
    }),
    ("path of a redirect", |it| {
        says_in_header(307, &format!("Location: http://127.0.0.1:1/{it}"))
    }),
    ("path of the same origin", |it| {
        says_in_header(307, &format!("Location: /{it}"))
    }),
    ("user of a redirect", |it| {
        says_in_header(307, &format!("Location: http://{it}@127.0.0.1:1/"))
    }),
    ("malformed Link", |it| {
        let field = format!("Link: {it}>; rel=next\n{JSON}\n{MARK}");
        Answer::new(200, &field, r#"{"tags":["a"],"repositories":["a"]}"#)
    }),
    ("Content-Type", |it| {
        let field = format!("Content-Type: application/{it}");
        Answer::new(200, &format!("{field}\n{MARK}"), "{}")
    }),
];

/// Places for what may be a name of a host.
const HOSTS: &[(&str, Place)] = &[
    ("host of a redirect", |it| {
        says_in_header(307, &format!("Location: http://{it}.invalid/x"))
    }),
    ("host of a Link", |it| {
        let mut answer = json(200, r#"{"tags":["a"],"repositories":["a"]}"#.to_owned());
        answer.add(&format!("Link: <http://{it}.invalid/v2/>; rel=next"));
        answer
    }),
    ("host of a realm", |it| {
        let realm = format!("http://{it}.invalid/token");
        says_in_header(401, &format!("WWW-Authenticate: Bearer realm=\"{realm}\""))
    }),
];

/// The spellings of a secret in which a server may repeat it.
fn spellings(secret: &str) -> Vec<String> {
    let (first, last) = secret.split_at(secret.len() / 2);
    let percent = |text: &str| -> String {
        let bytes = text.bytes().map(|byte| format!("%{byte:02X}"));
        bytes.collect()
    };
    vec![
        secret.to_owned(),
        secret.to_uppercase(),
        percent(secret),
        secret.replace('/', "%2f").replace('+', "%2B"),
        STANDARD.encode(secret),
        STANDARD.encode(format!("{USER}:{secret}")),
        STANDARD.encode(format!("x{secret}")),
        STANDARD.encode(format!("xx{secret}")),
        first.to_owned(),
        last.to_owned(),
        percent(first),
        STANDARD.encode(last),
    ]
}

/// A registry that gives everyone a token, and repeats something to who shows it.
fn echoing(place: Place, spelling: &str) -> Server {
    let spelling = spelling.to_owned();
    says(None, move |request: &Recorded| {
        if request.path() == "/token" {
            return json(200, format!(r#"{{"token":"{TOKEN}"}}"#));
        }
        let shown = request.header("authorization").unwrap_or_default();
        if shown == format!("Bearer {TOKEN}") {
            return place(&spelling);
        }
        let challenge = "WWW-Authenticate: Bearer realm=\"/token\",service=\"s\"";
        Answer::new(401, &format!("{challenge}\n{MARK}"), "")
    })
}

/// All that is said of a registry by each kind of call.
fn ask(registry: &str) -> Output {
    let client = builder()
        .retries(0)
        .resolver(Names::default().with("127.0.0.1", 1, ([127, 0, 0, 1], 1).into()))
        .basic(registry, USER, OUR_PASSWORD)
        .add_header(registry, "X-Lab", VALUE);
    ask_with(&client.build().unwrap(), registry)
}

fn ask_with(client: &Client, registry: &str) -> Output {
    let mut said = Output::default();
    let host = crate::auth_support::registry(registry);
    let image = reference(&format!("{registry}/mine:1"));
    let repository = format!("{registry}/mine").parse().unwrap();
    let errors = [
        client.exists(&image).err(),
        client.digest(&image).err(),
        client.tags(&repository).err(),
        client.catalog(&host).err(),
        client.check_login(&host).err(),
    ];
    errors.iter().flatten().for_each(|error| said.error(error));
    said.debug(&client.ping(&host));
    said.debug(&client.warnings(&host));
    said.debug(&client.rate_limit(&host));
    said
}

/// Fails if eight characters in a row of a secret, or of its Base64, are said.
#[track_caller]
fn assert_silent(case: &str, said: &str) {
    let lower = said.to_lowercase();
    for secret in SECRETS {
        let mut forms = vec![secret.to_owned()];
        for offset in 0..3 {
            let encoded = STANDARD.encode("x".repeat(offset) + secret);
            let encoded = encoded.trim_end_matches('=');
            forms.push(encoded[4..encoded.len() - 1].to_owned());
        }
        for form in forms.iter().map(|form| form.to_lowercase()) {
            for start in 0..=form.len() - 8 {
                let part = &form[start..start + 8];
                assert!(!lower.contains(part), "{case}: {part} in\n{said}");
            }
        }
        let percent: String = secret.bytes().map(|byte| format!("%{byte:02x}")).collect();
        assert!(!lower.contains(&percent), "{case}: {percent} in\n{said}");
    }
}

fn hidden_in_records() -> usize {
    records().matches("[redacted]").count()
}

fn expect_silence(places: &[(&str, Place)], spellings: impl Fn(&str) -> Vec<String>) {
    begin();
    for (name, place) in places {
        let (mut hidden, before) = (false, hidden_in_records());
        for spelling in SECRETS.iter().flat_map(|secret| spellings(secret)) {
            let server = echoing(*place, &spelling);
            let said = ask(&server.address().to_string());
            assert_silent(&format!("{name}, {spelling}"), &said.0);
            hidden |= said.0.contains("[redacted]");
        }
        // The text is shown at all, or a record has it.
        assert!(hidden || hidden_in_records() > before, "{name}");
    }
    assert_silent("the log", &records());
}

#[test]
fn s15_secrets_repeated_in_bodies() {
    expect_silence(BODIES, spellings);
}

#[test]
fn s15_secrets_repeated_in_header_fields() {
    expect_silence(HEADERS, spellings);
}

#[test]
fn s15_secrets_repeated_in_names_of_hosts() {
    let labels = |secret: &str| match secret {
        OUR_PASSWORD => vec!["Pw7kd".to_owned(), "Xq8.mmZr4Tqa".replace('.', "-")],
        secret => vec![
            secret.to_owned(),
            secret.to_uppercase(),
            secret[..9].to_owned(),
            format!("x{}", &secret[secret.len() - 8..]),
        ],
    };
    expect_silence(HOSTS, labels);
}

#[test]
fn s15_secrets_repeated_by_a_token_service() {
    begin();
    let places: [(&str, Place); 6] = [
        ("refusal", |it| {
            json(401, format!(r#"{{"details":"not {it}"}}"#))
        }),
        ("denial", |it| {
            json(
                403,
                format!(r#"{{"errors":[{{"code":"DENIED","message":"{it}"}}]}}"#),
            )
        }),
        ("rejection", |it| {
            json(400, format!(r#"{{"error":"{it}"}}"#))
        }),
        ("page", |it| {
            Answer::new(200, "Content-Type: text/html", format!("<p>{it}"))
        }),
        ("token", |it| json(200, format!(r#"{{"token":"{it} "}}"#))),
        ("redirect", |it| {
            Answer::new(302, &format!("Location: http://127.0.0.1:1/{it}"), "")
        }),
    ];
    for (name, place) in places {
        for spelling in [OUR_PASSWORD, VALUE]
            .iter()
            .flat_map(|secret| spellings(secret))
        {
            let repeated = spelling.clone();
            let server = says(None, move |request: &Recorded| {
                if request.path() == "/token" {
                    return place(&repeated);
                }
                let challenge = "WWW-Authenticate: Bearer realm=\"/token\",service=\"s\"";
                Answer::new(401, &format!("{challenge}\n{MARK}"), "")
            });
            let said = ask(&server.address().to_string());
            assert_silent(&format!("{name}, {spelling}"), &said.0);
        }
    }
    assert_silent("the log", &records());
}

#[test]
fn s15_secrets_repeated_in_a_certificate() {
    const HOST: &str = "registry.example.com";
    let ca = Ca::new();
    let other = says(
        Some(&ca.identity(&[&format!("{VALUE}.example.net")])),
        |_| Answer::new(200, "", ""),
    );
    let registry = says(Some(&ca.identity(&[HOST])), |_| {
        says_in_header(307, "Location: https://storage.example.com/x")
    });
    let names = Names::default().with(HOST, 443, registry.address()).with(
        "storage.example.com",
        443,
        other.address(),
    );
    let client = builder()
        .retries(0)
        .resolver(names)
        .ca_pem(HOST, ca.pem().as_bytes())
        .ca_pem("storage.example.com", ca.pem().as_bytes())
        .add_header(HOST, "X-Lab", VALUE)
        .build()
        .unwrap();
    let error = client
        .exists(&reference(&format!("{HOST}/mine:1")))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error:#}");
    assert!(format!("{error:#}").contains("[redacted]"), "{error:#}");
    let mut said = Output::default();
    said.error(&error);
    assert_silent("certificate", &said.0);
}

#[test]
fn s15_our_own_words_and_the_answers_stay_as_they_are() {
    // The password is a tag, a part of the repository's name and words of ours.
    for password in [
        "mine-mine",
        "like a registry",
        "127.0.0.1",
        "application/json",
    ] {
        let server = says(None, |request: &Recorded| match request.path().as_str() {
            "/v2/mine-mine/tags/list" => {
                json(200, r#"{"tags":["mine-mine","application"]}"#.to_owned())
            }
            _ => Answer::new(404, "Content-Type: text/html", "<html>"),
        });
        let authority = server.address().to_string();
        let builder = builder().retries(0).basic(&authority, USER, password);
        let client = builder.build().unwrap();
        let image = reference(&format!("{authority}/mine-mine:1"));
        let error = client.exists(&image).unwrap_err().to_string();
        assert!(error.starts_with(&image.to_string()), "{error}");
        assert!(
            error.contains(&format!("{authority} does not answer like a registry")),
            "{error}"
        );
        let repository = format!("{authority}/mine-mine").parse().unwrap();
        let tags = client.tags(&repository).unwrap();
        let tags: Vec<&str> = tags.iter().map(ocireg::Tag::as_str).collect();
        assert_eq!(tags, ["mine-mine", "application"]);
    }
}
