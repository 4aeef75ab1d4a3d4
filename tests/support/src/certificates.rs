//! Certificates for TLS on loopback, made with `openssl`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::require;

/// The names in every server certificate.
const NAMES: &str = "subjectAltName = DNS:localhost,IP:127.0.0.1";

/// A server's certificate and key, PEM files.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key, not encrypted.
    pub key: PathBuf,
}

/// A private certificate authority.
#[derive(Clone, Debug)]
pub struct Authority {
    /// The authority's own certificate, PEM: what a client must trust.
    pub certificate: PathBuf,
    key: PathBuf,
    directory: PathBuf,
}

impl Authority {
    /// Makes an authority called `name`, with its files in `directory`; `None` is a skip
    /// ([`require`]).
    ///
    /// # Panics
    ///
    /// When `openssl` fails.
    #[track_caller]
    pub fn create(directory: &Path, name: &str) -> Option<Self> {
        let subject = format!("/CN={name}");
        let certificate = directory.join(format!("{name}.crt"));
        let key = directory.join(format!("{name}.key"));
        let usage = "keyUsage = critical,keyCertSign,cRLSign";
        request(&[
            "-x509",
            "-days",
            "365",
            "-subj",
            &subject,
            "-addext",
            usage,
            "-keyout",
            text(&key),
            "-out",
            text(&certificate),
        ])?;
        Some(Self {
            certificate,
            key,
            directory: directory.to_owned(),
        })
    }

    /// A certificate for `localhost` and `127.0.0.1`; files called `name` in the authority's
    /// directory.
    ///
    /// # Panics
    ///
    /// When `openssl` fails.
    #[track_caller]
    pub fn issue(&self, name: &str) -> Certificate {
        self.issue_for(name, NAMES)
    }

    /// As [`issue`](Self::issue), for other names: `subjectAltName = DNS:…,IP:…`.
    ///
    /// # Panics
    ///
    /// When `openssl` fails.
    #[track_caller]
    pub fn issue_for(&self, name: &str, names: &str) -> Certificate {
        let file = |extension: &str| self.directory.join(format!("{name}.{extension}"));
        let (signing, extensions) = (file("csr"), file("ext"));
        let certificate = Certificate {
            certificate: file("crt"),
            key: file("key"),
        };
        let subject = format!("/CN={name}");
        request(&[
            "-subj",
            &subject,
            "-keyout",
            text(&certificate.key),
            "-out",
            text(&signing),
        ]);
        fs::write(
            &extensions,
            format!("{names}\nbasicConstraints = CA:FALSE\n"),
        )
        .expect("the extensions can be written");
        openssl(&[
            "x509",
            "-req",
            "-days",
            "365",
            "-in",
            text(&signing),
            "-CA",
            text(&self.certificate),
            "-CAkey",
            text(&self.key),
            "-CAcreateserial",
            "-extfile",
            text(&extensions),
            "-out",
            text(&certificate.certificate),
        ]);
        certificate
    }
}

/// The self-signed certificate of Docker's registry guide: `openssl req -x509`, which makes it an
/// authority and a server's certificate in one. (The guide's key has 4096 bits; 2048 are made
/// faster and change nothing else.) `None` is a skip.
///
/// # Panics
///
/// When `openssl` fails.
#[track_caller]
pub fn self_signed(directory: &Path) -> Option<Certificate> {
    let certificate = Certificate {
        certificate: directory.join("domain.crt"),
        key: directory.join("domain.key"),
    };
    openssl(&[
        "req",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-sha256",
        "-keyout",
        text(&certificate.key),
        "-addext",
        NAMES,
        "-subj",
        "/CN=localhost",
        "-x509",
        "-days",
        "365",
        "-out",
        text(&certificate.certificate),
    ])?;
    Some(certificate)
}

/// Writes an RSA key in the older form, `BEGIN RSA PRIVATE KEY`. `None` is a skip.
///
/// # Panics
///
/// When `openssl` fails.
#[track_caller]
pub fn to_pkcs1(key: &Path, to: &Path) -> Option<()> {
    openssl(&["rsa", "-traditional", "-in", text(key), "-out", text(to)])
}

/// `openssl req` with a new P-256 key, which is fast to make.
#[track_caller]
fn request(arguments: &[&str]) -> Option<()> {
    let key = [
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-sha256",
    ];
    openssl(&[&key, arguments].concat())
}

#[track_caller]
fn openssl(arguments: &[&str]) -> Option<()> {
    let output = Command::new(require("openssl")?)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("openssl can be run");
    assert!(
        output.status.success(),
        "openssl {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(())
}

fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are UTF-8")
}
