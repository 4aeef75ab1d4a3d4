//! Hash algorithms of digests.

use ring::digest as ring_digest;

/// A hash algorithm of digests.
///
/// The image specification [registers] sha256 and sha512. Docker's digest library also accepts
/// sha384.
///
/// [registers]:
/// https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#registered-algorithms
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Algorithm {
    /// SHA-256, which every registry supports.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// The name, which a digest has before its colon.
    ///
    /// ```
    /// assert_eq!(ocireg::Algorithm::Sha256.as_str(), "sha256");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha384 => "sha384",
            Algorithm::Sha512 => "sha512",
        }
    }

    /// The number of hexadecimal digits that a digest has after its colon.
    ///
    /// ```
    /// assert_eq!(ocireg::Algorithm::Sha256.hex_len(), 64);
    /// ```
    pub fn hex_len(self) -> usize {
        match self {
            Algorithm::Sha256 => 64,
            Algorithm::Sha384 => 96,
            Algorithm::Sha512 => 128,
        }
    }

    pub(crate) fn named(name: &str) -> Option<Algorithm> {
        [Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
    }

    pub(crate) fn ring(self) -> &'static ring_digest::Algorithm {
        match self {
            Algorithm::Sha256 => &ring_digest::SHA256,
            Algorithm::Sha384 => &ring_digest::SHA384,
            Algorithm::Sha512 => &ring_digest::SHA512,
        }
    }
}

impl std::fmt::Display for Algorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}
