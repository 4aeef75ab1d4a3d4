//! The choice of http or https: `--plain-http`, `--https`, `--ca-file`.

use std::fs;
use std::net::{ToSocketAddrs, UdpSocket};
use std::path::PathBuf;

use tempfile::TempDir;
use test_support::certificates::{Authority, self_signed};
use test_support::{DockerRegistry, RegistryConfig, Server};

use crate::support::{Odd, Seeded, answer, command, ocireg, ocireg_reading, registry, run};

/// The plain registry's content over TLS. `None` is a skip.
struct Secure {
    plain: &'static Seeded,
    server: Server,
    directory: TempDir,
    /// The certificate of the server's authority.
    ca: PathBuf,
}

impl Secure {
    fn start() -> Option<Secure> {
        let plain = registry()?;
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::create(directory.path(), "authority")?;
        let server = authority.issue("server");
        let config = RegistryConfig::new()
            .tls(&server.certificate, &server.key)
            .data_dir(plain.server.data_dir());
        Some(Secure {
            plain,
            server: DockerRegistry::start(&config)?,
            directory,
            ca: authority.certificate,
        })
    }
}

#[test]
fn a_tls_registry_wants_https_and_its_authority() {
    let Some(secure) = Secure::start() else {
        return;
    };
    let (at, ca) = (secure.server.authority(), secure.ca.display());
    let reference = format!("{at}/team/app:1.0");
    let yes = format!("exists {reference} {}\n", secure.plain.digest);
    let error = format!("error {reference} -\n");
    let other = Authority::create(secure.directory.path(), "other")
        .unwrap()
        .certificate;
    let other = other.display();
    let cases: [(String, i32, &str, &[&str]); 11] = [
        (format!("--ca-file {ca}"), 0, &yes, &[]),
        (format!("--ca-file {other} --ca-file {ca}"), 0, &yes, &[]),
        (format!("--ca-file {ca} --https"), 0, &yes, &[]),
        (format!("--ca-file {at}={ca}"), 0, &yes, &[]),
        // The CA of another host.
        (
            format!("--ca-file storage.example.com={ca} --https"),
            2,
            &error,
            &["--ca-file HOST=FILE"],
        ),
        // The default for a loopback registry is http.
        (
            String::new(),
            2,
            &error,
            &["asked over http, but the server speaks TLS here", "--https"],
        ),
        ("--https".to_owned(), 2, &error, &["certificate"]),
        (format!("--https={at}"), 2, &error, &["certificate"]),
        (
            "--https=localhost:9".to_owned(),
            2,
            &error,
            &["asked over http"],
        ),
        (format!("--ca-file {other}"), 2, &error, &["certificate"]),
        // --plain-http wins, even over a CA file.
        (
            format!("--ca-file {ca} --https --plain-http"),
            2,
            &error,
            &["asked over http"],
        ),
    ];
    for (options, code, out, reasons) in cases {
        ocireg(&format!("exists --retries=0 {reference} {options}")).assert(code, out, reasons);
        ocireg(&format!("{options} --retries=0 exists {reference}")).assert(code, out, reasons);
    }
}

#[test]
fn a_ca_file_is_for_all_registries() {
    let Some(secure) = Secure::start() else {
        return;
    };
    let (plain, at, ca) = (secure.plain, secure.server.authority(), secure.ca.display());
    let reference = format!("{at}/team/app:1.0");
    ocireg(&format!("ping --ca-file {ca} {at}")).assert(0, &format!("{at} anonymous\n"), &[]);
    let ran = ocireg(&format!("catalog --ca-file {ca} --limit 1 {at}"));
    ran.assert(0, "a\n", &[]);
    // The CA file makes both registries speak https, except for the one of --plain-http.
    let both = format!("{reference}\n{}/team/app:1.0\n", plain.at);
    let ran = ocireg_reading(
        &format!("digest - --ca-file {ca} --plain-http={}", plain.at),
        both.as_bytes(),
    );
    let digest = &plain.digest;
    ran.assert(
        0,
        &format!("{digest} {reference}\n{digest} {}/team/app:1.0\n", plain.at),
        &[],
    );
}

#[test]
fn the_self_signed_certificate_of_dockers_guide() {
    let Some(plain) = registry() else { return };
    let directory = tempfile::tempdir().unwrap();
    let Some(server) = self_signed(directory.path()) else {
        return;
    };
    let config = RegistryConfig::new()
        .tls(&server.certificate, &server.key)
        .data_dir(plain.server.data_dir());
    let Some(secure) = DockerRegistry::start(&config) else {
        return;
    };
    let reference = format!("localhost:{}/team/app:1.0", secure.port());
    let ran = ocireg(&format!(
        "digest {reference} --ca-file {}",
        server.certificate.display()
    ));
    ran.assert(0, &format!("{}\n", plain.digest), &[]);
}

#[test]
fn https_to_a_plain_registry_says_what_to_do() {
    let Some(plain) = registry() else { return };
    let reference = format!("{}/team/app:1.0", plain.at);
    let ran = ocireg(&format!("exists --https --retries=0 {reference}"));
    let error = format!("error {reference} -\n");
    ran.assert(2, &error, &["answered without TLS", "--plain-http"]);
    let yes = format!("exists {reference} {}\n", plain.digest);
    for options in [
        "--https --plain-http",
        "--plain-http",
        &format!("--plain-http={}", plain.at),
    ] {
        ocireg(&format!("exists {options} {reference}")).assert(0, &yes, &[]);
    }
}

/// An address of this machine that is not a loopback address, so that https is the default. `None`
/// without a network. Nothing is sent: connecting a UDP socket only chooses an address.
fn own_address() -> Option<String> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    let documentation = "192.0.2.1:9".to_socket_addrs().ok()?.next()?;
    socket.connect(documentation).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then(|| address.to_string())
}

#[test]
fn plain_http_to_a_host_that_is_not_loopback() {
    let Some(address) = own_address() else { return };
    let Ok(listener) = std::net::TcpListener::bind((address.as_str(), 0)) else {
        return;
    };
    let at = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            use std::io::{Read, Write};
            let mut head = [0; 4096];
            let mut stream = stream;
            let _ = stream.read(&mut head);
            let _ = stream.write_all(crate::support::answer(200, "", "{}").as_bytes());
        }
    });
    for (options, code, scheme) in [
        ("--plain-http", 0, "anonymous"),
        (&format!("--plain-http={at}"), 0, "anonymous"),
        ("", 2, "-"),
        ("--plain-http=localhost:5000", 2, "-"),
    ] {
        let ran = ocireg(&format!("ping --retries=0 {options} {at}"));
        assert_eq!(
            (ran.code, &*ran.out),
            (Some(code), &*format!("{at} {scheme}\n")),
            "{ran:?}"
        );
    }
}

#[test]
fn with_an_unusable_ca_file_nothing_is_asked() {
    let directory = tempfile::tempdir().unwrap();
    let empty = directory.path().join("empty.pem");
    fs::write(&empty, "").unwrap();
    let broken = directory.path().join("broken.pem");
    fs::write(
        &broken,
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    let missing = directory.path().join("missing.pem");
    let cases = [
        (empty.as_path(), "there is no certificate in it"),
        (broken.as_path(), "certificate 1 does not parse"),
        (
            missing.as_path(),
            "can't be read: No such file or directory",
        ),
        (directory.path(), "is not a regular file"),
    ];
    let columns = [
        ("exists", "error localhost:1/app -\n"),
        ("digest", ""),
        ("head", "- - - localhost:1/app\n"),
        ("tags", ""),
        ("ping", "localhost:1 -\n"),
        ("check-login", "localhost:1 -\n"),
        ("catalog", ""),
    ];
    for (file, reason) in cases {
        for (name, out) in columns {
            let subject = match name {
                "ping" | "check-login" | "catalog" => "localhost:1",
                _ => "localhost:1/app",
            };
            let mut command = command(name);
            command.arg(subject).arg("--ca-file").arg(file);
            let ran = run(command, b"");
            ran.assert(2, out, &[reason]);
            // The error names the registry.
            let expected = format!("ocireg: localhost:1: CA file {}: ", file.display());
            assert!(ran.err.starts_with(&expected), "{ran:?}");
            assert_eq!(ran.err.lines().count(), 1, "{ran:?}");
        }
    }
    // The CA file is for all registries, so none is asked.
    let odd = Odd::serve(|_| answer(404, "", ""));
    let arguments = format!("exists - --ca-file {}", missing.display());
    let input = format!("{0}/a\n{0}/b\n", odd.at);
    let out = format!("error {0}/a -\nerror {0}/b -\n", odd.at);
    ocireg_reading(&arguments, input.as_bytes()).assert(2, &out, &["CA file"]);
    assert!(odd.requests().is_empty());
}

/// With a typing mistake in the name, a registry would be asked without the encryption that the
/// user wants.
#[test]
fn a_scheme_for_a_registry_that_is_not_asked_is_a_warning() {
    let Some(registry) = registry() else { return };
    let reference = format!("{}/team/app:1.0", registry.at);
    for option in ["--https", "--plain-http"] {
        let ran = ocireg(&format!("exists {option}=other.example.com {reference}"));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let warning = format!(
            "warning: {option} is for another registry than {}",
            registry.at
        );
        assert!(ran.err.contains(&warning), "{ran:?}");
    }
}
