//! Logins: who sees a secret, what a wrong one causes, and that no secret is printed.

use serde_json::json;
use tempfile::TempDir;
use test_support::{DockerRegistry, HTPASSWD, RegistryConfig, Server};

use crate::support::{
    NOBODY, Odd, Ran, answer, command, ocireg, ocireg_reading, refusal, registry, run,
};

/// The plain registry's content behind the user `user` and the password `pass`. `None` is a skip.
fn locked() -> Option<(Server, TempDir)> {
    let plain = registry()?;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("htpasswd");
    std::fs::write(&file, HTPASSWD).unwrap();
    let config = RegistryConfig::new()
        .htpasswd(file)
        .data_dir(plain.server.data_dir());
    Some((DockerRegistry::start(&config)?, directory))
}

#[test]
fn the_right_password_opens_a_real_registry() {
    let Some((server, _directory)) = locked() else {
        return;
    };
    let (at, digest) = (server.authority(), &registry().unwrap().digest);
    let (there, gone) = (format!("{at}/team/app:1.0"), format!("{at}/team/app:9.9"));
    let cases = [
        (
            format!("exists {there}"),
            0,
            format!("exists {there} {digest}\n"),
        ),
        (format!("digest {there}"), 0, format!("{digest}\n")),
        (
            format!("exists {there} {gone} {there}"),
            1,
            format!("exists {there} {digest}\nabsent {gone} -\nexists {there} {digest}\n"),
        ),
        (format!("tags {at}/a"), 0, "latest\n".to_owned()),
        (format!("catalog --limit 1 {at}"), 0, "a\n".to_owned()),
        (format!("check-login {at}"), 0, format!("{at} ok\n")),
    ];
    for (arguments, code, out) in cases {
        for (user, password) in [
            ("user", "pass"),
            ("user", "pass\n"),
            ("user", "pass\r\n"),
            (&format!("{at}=user"), "pass\n"),
        ] {
            let login = format!("--username {user} --password-stdin");
            for line in [
                format!("{arguments} {login}"),
                format!("{login} {arguments}"),
            ] {
                let ran = ocireg_reading(&line, password.as_bytes());
                assert_eq!((ran.code, &ran.out), (Some(code), &out), "{line}: {ran:?}");
            }
        }
    }
    let ran = ocireg_reading(
        &format!("--json check-login {at} --username user --password-stdin"),
        b"pass",
    );
    assert_eq!(
        ran.objects(),
        [json!({"registry": at, "login": "ok", "error": null})]
    );
}

#[test]
fn a_wrong_password_is_an_error_and_no_denial() {
    let Some((server, _directory)) = locked() else {
        return;
    };
    let at = server.authority();
    let there = format!("{at}/team/app:1.0");
    let reasons = ["refuses the user name and password (HTTP 401)"];
    let login = "--username user --password-stdin";
    // Only one line end is removed, and no space.
    for password in ["wrong", "Pass\n", " pass", "pass "] {
        let ran = ocireg_reading(&format!("exists {there} {login}"), password.as_bytes());
        ran.assert(2, &format!("error {there} -\n"), &reasons);
        let ran = ocireg_reading(&format!("check-login {at} {login}"), password.as_bytes());
        ran.assert(3, &format!("{at} refused\n"), &reasons);
    }
    for password in ["pass\n\n", "pa\nss"] {
        let ran = ocireg_reading(&format!("exists {there} {login}"), password.as_bytes());
        ran.assert(2, "", &["the password has a control character in it"]);
    }
    let ran = ocireg_reading(&format!("exists --json {there} {login}"), b"wrong");
    let object = &ran.objects()[0];
    assert_eq!((ran.code, &object["presence"]), (Some(2), &json!(null)));
    assert_eq!(object["error"]["kind"], "unauthorized");
    assert_eq!(object["error"]["http_status"], 401);
    let ran = ocireg_reading(&format!("check-login --json {at} {login}"), b"wrong");
    let object = &ran.objects()[0];
    assert_eq!((ran.code, &object["login"]), (Some(3), &json!("refused")));
    assert_eq!(object["error"]["kind"], "unauthorized");
    // Without a login, the answer is "denied", and check-login says what is missing.
    let denied = format!("denied {there} -\n");
    ocireg(&format!("exists {there}")).assert(3, &denied, &["asks for a login", "Lab Realm"]);
    let refused = format!("{at} refused\n");
    ocireg(&format!("check-login {at}")).assert(3, &refused, &["none was given for it"]);
}

#[test]
fn a_login_check_without_an_answer() {
    let Some(registry) = registry() else { return };
    let open = format!("{} ok\n", registry.at);
    ocireg(&format!("check-login {}", registry.at)).assert(0, &open, &[]);
    let page = Odd::serve(|_| {
        "HTTP/1.1 404 X\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\
            Connection: close\r\n\r\n<html>"
            .to_owned()
    });
    for (at, reason) in [
        (NOBODY, "refused"),
        (&page.at, "does not answer like a registry"),
        ("a/b", "invalid registry"),
    ] {
        let ran = ocireg(&format!("check-login --retries=0 {at}"));
        ran.assert(2, &format!("{at} -\n"), &[reason]);
        let ran = ocireg(&format!("check-login --retries=0 --json {at}"));
        assert!(ran.objects()[0]["login"].is_null());
    }
}

/// A registry without images that asks for a login and accepts any.
fn curious() -> Odd {
    Odd::serve(|request| match request.contains("\nauthorization: ") {
        true => answer(404, "", ""),
        false => refusal(request, "Basic realm=\"x\""),
    })
}

fn have_seen(odd: &Odd, field: &str) -> bool {
    let field = format!("\n{field}: ");
    odd.heads().iter().any(|head| head.contains(&field))
}

/// Runs the command with a header field, and with a reference to `own` on standard input.
fn with_header(own: &Odd, arguments: &str, header: &str) -> Ran {
    let mut command = command(arguments);
    command.arg("--header").arg(header);
    run(command, format!("{}/a\n", own.at).as_bytes())
}

#[test]
fn s14_a_secret_without_a_registry_is_refused_if_several_may_be_asked() {
    const SEVERAL: &str = "needs REGISTRY=, because several registries are named";
    let (own, other) = (curious(), curious());
    let two = format!("exists {}/a {}/a", own.at, other.at);
    for option in [
        "--username user --password-stdin",
        "--token-stdin",
        "--identity-token-stdin",
    ] {
        let ran = ocireg_reading(&format!("{two} {option}"), b"CANARY");
        let both = format!("{}, {}", own.at, other.at);
        ran.assert(2, "", &[SEVERAL, &both]);
    }
    with_header(&own, &two, "X-Key: CANARY").assert(2, "", &[SEVERAL]);
    // The first line of standard input does not decide who gets the secret.
    for arguments in ["exists -", &format!("exists {}/a -", own.at), "ping -"] {
        let ran = with_header(&own, arguments, "X-Key: CANARY");
        ran.assert(2, "", &["standard input may name any"]);
    }
    // Nothing was asked.
    assert!(own.heads().is_empty() && other.heads().is_empty());
}

#[test]
fn s14_a_secret_for_one_registry_reaches_no_other() {
    let (own, other) = (curious(), curious());
    let two = format!("exists {}/a {}/a", own.at, other.at);
    let out = format!("absent {}/a -\ndenied {}/a -\n", own.at, other.at);
    for option in [
        format!("--username {}=user --password-stdin", own.at),
        format!("--token-stdin={}", own.at),
    ] {
        let (before, seen) = (other.heads().len(), own.heads().len());
        let ran = ocireg_reading(&format!("{two} {option}"), b"CANARY");
        ran.assert(3, &out, &["asks for a login"]);
        let shown = |head: &String| head.contains("\nauthorization: ");
        assert!(own.heads()[seen..].iter().any(shown), "{option}");
        assert!(other.heads().len() > before);
        assert!(!have_seen(&other, "authorization"), "{:?}", other.heads());
    }
    let header = format!("{}=X-Key: CANARY", own.at);
    with_header(&own, &two, &header);
    assert!(have_seen(&own, "x-key") && !have_seen(&other, "x-key"));
    // The same holds if each registry has a client of its own.
    with_header(&own, &format!("{two} --plain-http"), &header);
    assert!(!have_seen(&other, "x-key"));
}

#[test]
fn a_header_goes_with_every_request() {
    let odd = Odd::serve(|_| answer(404, "", ""));
    let mut command = command(&format!("exists {0}/a {0}/b -v", odd.at));
    command.args(["--header", "X-Key: CANARY=1: 2", "--header", "X-Other: b"]);
    let ran = run(command, b"");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(!ran.err.contains("CANARY"), "{ran:?}");
    assert!(odd.heads().len() >= 2);
    for head in odd.heads() {
        assert!(head.contains("\nx-key: CANARY=1: 2\n") && head.contains("\nx-other: b\n"));
    }
}

#[test]
fn standard_input_gives_one_thing() {
    for option in [
        "--username user --password-stdin",
        "--username localhost:1=user --password-stdin",
        "--token-stdin=localhost:1",
        "--identity-token-stdin",
    ] {
        for arguments in ["exists -", "digest localhost:1/a -"] {
            let ran = ocireg_reading(&format!("{arguments} {option}"), b"localhost:1/b\n");
            ran.assert(2, "", &["can't give both a secret and references"]);
        }
    }
}

#[test]
fn a_login_for_a_registry_that_is_not_asked_is_a_warning() {
    let odd = curious();
    let arguments = format!(
        "exists {}/a --password-stdin --username localhost:1=user",
        odd.at
    );
    let ran = ocireg_reading(&arguments, b"CANARY");
    let warning = format!(
        "warning: --username is for another registry than {}",
        odd.at
    );
    ran.assert(3, &format!("denied {}/a -\n", odd.at), &[&warning]);
    assert!(!have_seen(&odd, "authorization"));
}

/// A token service that issues a token for a login, and a registry that accepts it. The realm has
/// the host `realm_host`, and the registry has `127.0.0.1`.
fn with_token_service(realm_host: &str) -> (Odd, Odd) {
    let service = Odd::serve(|request| {
        let known = request.contains("\nauthorization: Basic ") || request.starts_with("POST ");
        let token = if known { "good" } else { "anonymous" };
        answer(200, "", &format!("{{\"token\":\"{token}\"}}"))
    });
    let port = service.at.rsplit_once(':').unwrap().1;
    let challenge = format!("Bearer realm=\"http://{realm_host}:{port}/token\",service=\"x\"");
    let registry =
        Odd::serve(
            move |request| match request.contains("\nauthorization: Bearer good\n") {
                true => answer(404, "", ""),
                false => refusal(request, &challenge),
            },
        );
    (service, registry)
}

#[test]
fn tokens_of_each_kind() {
    let (service, registry) = with_token_service("127.0.0.1");
    let reference = format!("{}/a", registry.at);
    let absent = format!("absent {reference} -\n");
    let not_found = [" answers: not found (HTTP 404)"];
    for login in [
        "--username user --password-stdin",
        "--identity-token-stdin",
        &format!("--identity-token-stdin={}", registry.at),
    ] {
        let ran = ocireg_reading(&format!("exists {reference} {login}"), b"CANARY\n");
        ran.assert(1, &absent, &not_found);
    }
    let asked = service.requests();
    assert!(asked[0].starts_with("GET /token?"), "{asked:?}");
    assert!(asked[1].starts_with("POST /token"), "{asked:?}");
    // The registry's own token is sent at once, and to no token service.
    let before = (service.heads().len(), registry.heads().len());
    for login in ["--token-stdin", &format!("--token-stdin={}", registry.at)] {
        let ran = ocireg_reading(&format!("exists {reference} {login}"), b"good\n");
        ran.assert(1, &absent, &not_found);
    }
    assert_eq!(service.heads().len(), before.0);
    assert_eq!(registry.heads().len(), before.1 + 2);
    let ran = ocireg_reading(&format!("exists {reference} --token-stdin"), b"CANARY\n");
    ran.assert(2, &format!("error {reference} -\n"), &["refuses the token"]);
    assert!(!ran.err.contains("CANARY"), "{ran:?}");
}

#[test]
fn a_realm_elsewhere_gets_the_password_only_if_it_is_trusted() {
    let (service, registry) = with_token_service("localhost");
    let reference = format!("{}/a", registry.at);
    let login = "--username user --password-stdin";
    for trust in [
        String::new(),
        "--trust-realm localhost:1=localhost".to_owned(),
    ] {
        let arguments = format!("exists {reference} {login} {trust}");
        let ran = ocireg_reading(&arguments, b"CANARY");
        let error = format!("error {reference} -\n");
        ran.assert(2, &error, &["localhost", "--trust-realm"]);
        assert!(!have_seen(&service, "authorization"));
    }
    let trust = format!("--trust-realm {}=localhost", registry.at);
    let ran = ocireg_reading(&format!("exists {reference} {login} {trust}"), b"CANARY");
    assert_eq!(ran.out, format!("absent {reference} -\n"), "{ran:?}");
    assert!(have_seen(&service, "authorization"));
}

/// The secrets, and their parts in the base64 of Basic.
const CANARIES: [&str; 3] = ["CANARY", "Q0FOQV", "NBTkFSW"];

#[track_caller]
fn assert_no_canary(ran: &Ran) {
    for canary in CANARIES {
        let seen = ran.out.contains(canary) || ran.err.contains(canary);
        assert!(!seen, "{canary}: {ran:#?}");
    }
}

#[test]
fn s15_no_secret_is_ever_printed() {
    let (_service, bearer) = with_token_service("localhost");
    let (basic, curious) = (Odd::serve(|r| refusal(r, "Basic realm=\"x\"")), curious());
    let moving = Odd::serve(|_| answer(307, "Location: http://localhost:1/x?sig=CANARY\r\n", ""));
    let secrets = [
        "CANARY",
        "CANARY\n\n",
        "CANARY\u{7f}",
        "CAN ARY CANARY",
        "CANARYÄ",
    ];
    let realm = format!("--trust-realm {}=localhost", bearer.at);
    for at in [&basic.at, &curious.at, &bearer.at, &moving.at, NOBODY] {
        for secret in secrets {
            for login in [
                "--username CANARY --password-stdin",
                "--token-stdin",
                "--identity-token-stdin",
            ] {
                // All secrets with the most output, and the plain one with other output too.
                let all = ["-vv", "", "--json -v"];
                let some = if secret == "CANARY" { 3 } else { 1 };
                for options in &all[..some] {
                    for asked in [format!("exists {at}/a"), format!("check-login {at}")] {
                        let line = format!("{asked} {login} {options} {realm} --retries=0");
                        assert_no_canary(&ocireg_reading(&line, secret.as_bytes()));
                    }
                }
            }
        }
    }
}

#[test]
fn s15_a_secret_in_the_wrong_place_is_never_printed() {
    let basic = Odd::serve(|r| refusal(r, "Basic realm=\"x\""));
    let at = &basic.at;
    for arguments in [
        "--password-stdin=CANARY",
        "--password CANARY",
        "--password=CANARY",
        "--token CANARY",
        "--token-stdin=CANARY",
        "--token-stdin=CAN/CANARY",
        "--identity-token-stdin=CANARY:x",
        "--username=user:CANARY --password-stdin",
        "--username=CANARY/a=b --password-stdin",
        "--header=CANARY",
        "--header=CANARY/x=CANARY",
        "--header=Authorization:CANARY",
    ] {
        let ran = ocireg_reading(&format!("exists {at}/a {arguments}"), b"CANARY");
        assert_ne!(ran.code, Some(0));
        assert_no_canary(&ran);
    }
    for header in [
        "Authorization: CANARY",
        "X: CANARY\n",
        "X Y: CANARY",
        "a/b=X: CANARY",
    ] {
        let mut command = command(&format!("exists -vv {at}/a"));
        command.arg("--header").arg(header);
        let ran = run(command, b"");
        assert_eq!((ran.code, &*ran.out), (Some(2), ""), "{ran:?}");
        assert_no_canary(&ran);
    }
}
