//! `ping`.

use serde_json::json;

use crate::support::{NOBODY, Odd, answer, ocireg, ocireg_reading, registry};

fn asking_for(challenge: &'static str) -> Odd {
    Odd::serve(move |_| answer(401, &format!("WWW-Authenticate: {challenge}\r\n"), ""))
}

#[test]
fn ping_prints_the_authentication_scheme() {
    let Some(registry) = registry() else { return };
    let (basic, other, bearer) = (
        asking_for("Basic realm=\"x\""),
        asking_for("Negotiate"),
        asking_for("Bearer realm=\"https://auth.example.com/token\",service=\"x\""),
    );
    let page = Odd::serve(|_| {
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\
            Connection: close\r\n\r\n<html>"
            .to_owned()
    });
    let refusing = Odd::serve(|_| answer(403, "", ""));
    let cases: [(&str, &str, i32, &[&str]); 6] = [
        (&registry.at, "anonymous", 0, &[]),
        (&basic.at, "basic", 0, &[]),
        (&bearer.at, "bearer", 0, &[]),
        (&other.at, "negotiate", 0, &[]),
        (&page.at, "-", 2, &["does not answer like a registry"]),
        (&refusing.at, "-", 3, &["HTTP 403"]),
    ];
    for (registry, scheme, code, reasons) in cases {
        ocireg(&format!("ping {registry}")).assert(
            code,
            &format!("{registry} {scheme}\n"),
            reasons,
        );
    }
    let ran = ocireg(&format!(
        "ping --retries 0 {} {NOBODY} {} a/b",
        registry.at, basic.at
    ));
    let out = format!(
        "{} anonymous\n{NOBODY} -\n{} basic\na/b -\n",
        registry.at, basic.at
    );
    ran.assert(2, &out, &["refused", "invalid registry \"a/b\""]);
    let input = format!("# ours\n{}\n", registry.at);
    ocireg_reading("ping -", input.as_bytes()).assert(
        0,
        &format!("{} anonymous\n", registry.at),
        &[],
    );
}

#[test]
fn ping_in_json() {
    let Some(registry) = registry() else { return };
    let ran = ocireg(&format!("ping --json --retries 0 {} {NOBODY}", registry.at));
    assert_eq!(ran.code, Some(2));
    let objects = ran.objects();
    assert_eq!(
        objects[0],
        json!({"registry": registry.at, "auth": "anonymous", "error": null})
    );
    assert_eq!(objects[1]["registry"], NOBODY);
    assert!(objects[1]["auth"].is_null());
    assert_eq!(objects[1]["error"]["kind"], "connect");
}
