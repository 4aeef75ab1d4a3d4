//! `SSL_CERT_FILE` names the roots of this machine. Whatever it names, a call ends soon and takes
//! little memory.
//!
//! An environment variable holds for a whole process, so each case runs the ignored test of this
//! file in a process of its own.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{self, Command};
use std::thread;
use std::time::Duration;

use fake_registry::{Ca, Config, FakeRegistry};

use crate::costs::{growth_in, only, peak, run};
use crate::quirks_support::{builder, image, start, story};

/// A registry whose certificate this CA has signed.
fn registry(ca: &Ca) -> FakeRegistry {
    start(Config::new().tls(ca.identity(&["127.0.0.1"])), [])
}

/// What becomes of a lookup where `SSL_CERT_FILE` is `roots`.
#[track_caller]
fn look_up(registry: &FakeRegistry, roots: &Path, own: Option<&Path>) -> String {
    let mut helper = Command::new(env::current_exe().unwrap());
    only(&mut helper, "tls_platform_roots::helper_lookup");
    helper
        .env("SSL_CERT_FILE", roots)
        .env_remove("SSL_CERT_DIR");
    helper.env("OCIREG_ROOTS_IMAGE", image(registry, "t/a:v1").to_string());
    if let Some(own) = own {
        helper.env("OCIREG_ROOTS_CA", own);
    }
    let said = run(helper);
    if cfg!(target_os = "linux") {
        assert!(growth_in(&said) <= 32 * 1024, "{said}");
    }
    let outcome = said.lines().find_map(|line| line.strip_prefix("outcome: "));
    outcome.unwrap().to_owned()
}

#[test]
fn the_roots_of_ssl_cert_file_are_trusted() {
    let (ca, other) = (Ca::new(), Ca::new());
    let (registry, folder) = (registry(&ca), tempfile::tempdir().unwrap());
    let path = folder.path().join("roots");
    let broken = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
    for (content, trusted) in [
        (ca.pem().to_owned(), true),
        (format!("{}{}", other.pem(), ca.pem()), true),
        (format!("{broken}{}", ca.pem()), true),
        (other.pem().to_owned(), false),
    ] {
        fs::write(&path, content).unwrap();
        let outcome = look_up(&registry, &path, None);
        assert_eq!(outcome.starts_with("Exists"), trusted, "{outcome}");
    }
    assert_eq!(registry.request_count(), 3);
}

/// A FIFO has no end and a device may have none.
#[test]
fn s21_a_file_of_roots_that_cannot_be_read_to_its_end_is_not_read() {
    let ca = Ca::new();
    let (registry, folder) = (registry(&ca), tempfile::tempdir().unwrap());
    let file = |name: &str| folder.path().join(name);
    let made = Command::new("mkfifo").arg(file("fifo")).status().unwrap();
    assert!(made.success());
    fs::write(file("large"), ca.pem().repeat((5 << 20) / ca.pem().len())).unwrap();
    fs::write(file("nothing"), "").unwrap();
    fs::write(file("own"), ca.pem()).unwrap();
    for (path, says) in [
        (file("fifo"), "is not a regular file"),
        ("/dev/zero".into(), "is not a regular file"),
        (folder.path().to_owned(), "is not a regular file"),
        (file("missing"), "can't be read"),
        (file("large"), "is too large for a file of certificates"),
        (file("nothing"), "no root certificates"),
    ] {
        let outcome = look_up(&registry, &path, None);
        assert!(outcome.starts_with("Tls "), "{path:?}: {outcome}");
        assert!(outcome.contains(says), "{path:?}: {outcome}");
        // The CA that the caller gave holds all the same.
        let outcome = look_up(&registry, &path, Some(&file("own")));
        assert!(outcome.starts_with("Exists"), "{path:?}: {outcome}");
    }
    assert_eq!(registry.request_count(), 6);
}

/// Looks an image up within 15 s. Prints what came of it, and by how much the process grew at most
/// meanwhile.
#[test]
#[ignore = "run by the tests of this module"]
fn helper_lookup() {
    thread::spawn(|| {
        thread::sleep(Duration::from_secs(15));
        eprintln!("the lookup does not end");
        process::exit(1);
    });
    let image: ocireg::Reference = env::var("OCIREG_ROOTS_IMAGE").unwrap().parse().unwrap();
    let mut client = builder().timeout(Duration::from_secs(10));
    if let Some(own) = env::var_os("OCIREG_ROOTS_CA") {
        client = client.ca_file(image.registry().as_str(), own);
    } else {
        client = client.https(image.registry().as_str());
    }
    let client = client.build().unwrap();
    let before = peak();
    let outcome = match client.exists(&image) {
        Ok(presence) => format!("{presence:?}"),
        Err(error) => format!("{:?} {}", error.kind(), story(&error)),
    };
    println!(
        "\noutcome: {outcome}\npeak growth in KiB: {}",
        peak() - before
    );
}
