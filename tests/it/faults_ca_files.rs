//! Invalid CA files (R14, S17, S21): an error when the client is built, which names the file and
//! the registry.

use std::fs;
use std::path::Path;
use std::process::Command;

use fake_registry::Ca;
use ocireg::{Client, ErrorKind};

const REGISTRY: &str = "registry.example.com:5000";

#[test]
fn s17_s21_an_invalid_ca_file_fails_the_build() {
    let folder = tempfile::tempdir().unwrap();
    let (ca, identity) = (Ca::new(), Ca::new().identity(&["a.test"]));
    let good = ca.pem();
    let broken = good.replacen("MII", "!!!", 1);
    let nonsense = "-----BEGIN CERTIFICATE-----\nbm8gY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n";
    let unended = good.replace("-----END CERTIFICATE-----", "");
    // The name of the file, its content, and what the error says.
    let cases: [(&str, Vec<u8>, &str); 10] = [
        ("empty", Vec::new(), "no certificate in it"),
        ("text", b"hello\n".into(), "no certificate in it"),
        (
            "binary",
            (0..=255).cycle().take(10_000).collect(),
            "no certificate in it",
        ),
        ("key", identity.key_pem().into(), "no certificate in it"),
        ("broken base64", broken.into(), "PEM text is broken"),
        ("nonsense", nonsense.into(), "certificate 1 does not parse"),
        (
            "good, then nonsense",
            format!("{good}{nonsense}").into(),
            "certificate 2 does not parse",
        ),
        ("without an end", unended.into(), "PEM text is broken"),
        (
            "5 MB",
            good.repeat((5 << 20) / good.len()).into(),
            "too large",
        ),
        ("5 MB of nothing", vec![b'\n'; 5 << 20], "too large"),
    ];
    for (name, content, says) in cases {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        fails(&path, says);
    }
    fails(&folder.path().join("missing"), "can't be read");
    fails(folder.path(), "not a regular file");
    let fifo = folder.path().join("fifo");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    fails(&fifo, "not a regular file");
    fails(Path::new("/dev/zero"), "not a regular file");
}

#[track_caller]
fn fails(path: &Path, says: &str) {
    let error = Client::builder()
        .ca_file(REGISTRY, path)
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    let text = error.to_string();
    for part in [REGISTRY, path.to_str().unwrap(), says] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}

#[test]
fn usual_ca_files_are_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (Ca::new(), Ca::new());
    let identity = one.identity(&["a.test"]);
    let all = [
        one.pem().to_owned(),
        format!("{}{}", one.pem(), two.pem()),
        format!("# our authority\n\nsubject=CN = a\n{}\n\n", one.pem()),
        one.pem().replace('\n', "\r\n"),
        one.pem().trim_end().to_owned(),
        // A file with a key and a certificate: the certificate is what counts.
        format!("{}{}", identity.key_pem(), identity.cert_pem()),
    ];
    for (number, content) in all.iter().enumerate() {
        let path = folder.path().join(number.to_string());
        fs::write(&path, content).unwrap();
        Client::builder().ca_file(REGISTRY, &path).build().unwrap();
        Client::builder()
            .ca_pem(REGISTRY, content.as_bytes())
            .build()
            .unwrap();
    }
}

#[test]
fn invalid_pem_text_fails_the_build() {
    let error = Client::builder()
        .ca_pem(REGISTRY, b"hello")
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(
        error.to_string().starts_with("registry.example.com:5000: "),
        "{error}"
    );
    assert!(
        error.hint().unwrap().contains("BEGIN CERTIFICATE"),
        "{error}"
    );
}
