//! The root certificates of this machine, and how a file of certificates is read.

use std::env;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::error::{Error, ErrorKind, Result};

/// The largest file of certificates that is read: about 20 times the platform's roots.
const MAX_FILE: u64 = 4 * 1024 * 1024;
/// Names the file of roots, in place of the platform's.
const FILE: &str = "SSL_CERT_FILE";
/// Names directories of roots.
const DIRECTORIES: &str = "SSL_CERT_DIR";

/// The roots that were found.
#[derive(Debug)]
pub(super) struct Roots {
    pub(super) store: RootCertStore,
    /// What could not be used.
    pub(super) problems: Vec<String>,
}

impl Roots {
    /// Reads them. This may take as long as the file system takes.
    pub(super) fn read() -> Roots {
        let mut roots = Roots {
            store: RootCertStore::empty(),
            problems: Vec::new(),
        };
        let Some(path) = env::var_os(FILE) else {
            roots.add(rustls_native_certs::load_native_certs());
            return roots;
        };
        // rustls_native_certs would read this file to its end, and a device has none.
        let path = Path::new(&path);
        let named = format!("{FILE} {}: ", path.display());
        match read_file(path, &named) {
            Ok(pem) => roots.add_pem(&pem, &named),
            Err(error) => roots.problems.push(error.to_string()),
        }
        let directories = env::var_os(DIRECTORIES).unwrap_or_default();
        for path in env::split_paths(&directories).filter(|path| !path.as_os_str().is_empty()) {
            roots.add(rustls_native_certs::load_certs_from_paths(
                None,
                Some(&path),
            ));
        }
        roots
    }

    fn add(&mut self, found: rustls_native_certs::CertificateResult) {
        let problems = found.errors.iter().map(ToString::to_string);
        self.problems.extend(problems);
        self.store.add_parsable_certificates(found.certs);
    }

    fn add_pem(&mut self, pem: &[u8], named: &str) {
        for certificate in CertificateDer::pem_slice_iter(pem) {
            match certificate {
                Ok(certificate) => {
                    self.store.add_parsable_certificates([certificate]);
                }
                Err(error) => self.problems.push(format!("{named}{error}")),
            }
        }
    }
}

/// The content of a file of certificates. `named` tells in an error message which file it is.
pub(super) fn read_file(path: &Path, named: &str) -> Result<Vec<u8>> {
    let unusable = |what: &str| Error::new(ErrorKind::Config, format!("{named}{what}"));
    let unreadable = |error| unusable("can't be read").caused_by(error);
    // To open a FIFO could block for ever (S21).
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(unusable("is not a regular file"));
    }
    let file = File::open(path).map_err(unreadable)?;
    let mut content = Vec::new();
    let mut limited = file.take(MAX_FILE + 1);
    limited.read_to_end(&mut content).map_err(unreadable)?;
    if content.len() as u64 > MAX_FILE {
        return Err(unusable("is too large for a file of certificates"));
    }
    Ok(content)
}
