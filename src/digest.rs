//! Digests: the names of contents, the same in every registry.

use ring::digest as ring_digest;

use crate::algorithm::Algorithm;
use crate::error::{Error, ErrorKind, Result, printable};
use crate::text::{Fault, all_bytes, check_plain, parsed_from_text, shown_as_str};

/// The digest of a content, such as `sha256:` and 64 hexadecimal digits.
///
/// The [grammar] is that of the image specification, but only with algorithms that this library can
/// compute. So a content can be checked against any `Digest`:
///
/// ```text
/// digest    = algorithm ":" hex
/// algorithm = "sha256" / "sha384" / "sha512"
/// hex       = 64, 96 or 128 of [a-f0-9], depending on the algorithm
/// ```
///
/// Parsing fails with [`ErrorKind::Unsupported`] if the text is a digest of another algorithm, and
/// with [`ErrorKind::InvalidReference`] if it is no digest.
///
/// ```
/// use ocireg::{Algorithm, Digest, ErrorKind};
///
/// let digest = Digest::of(Algorithm::Sha256, b"");
/// assert_eq!(
///     digest.as_str(),
///     "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
/// );
/// assert_eq!(digest.as_str().parse::<Digest>()?, digest);
///
/// let error = "md5:d41d8cd98f00b204e9800998ecf8427e".parse::<Digest>().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Unsupported);
/// # Ok::<(), ocireg::Error>(())
/// ```
///
/// [grammar]: https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    text: String,
    algorithm: Algorithm,
}

impl Digest {
    /// The digest of `content`.
    pub fn of(algorithm: Algorithm, content: &[u8]) -> Digest {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(content);
        hasher.finish()
    }

    /// The algorithm, before the colon.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The hexadecimal digits, after the colon.
    pub fn hex(&self) -> &str {
        let (_, hex) = self.text.split_at(self.algorithm.as_str().len() + 1);
        hex
    }

    /// The whole text, `algorithm:hex`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn parse(text: &str) -> Result<Digest, Fault> {
        if let Some(digest) = Digest::usual(text) {
            return Ok(digest);
        }
        check_plain(text)?;
        Digest::parse_at(text, 0)
    }

    /// Parses a sha256 digest, which nearly every answer has, with a tenth of the work. `None` does
    /// not mean that the text is invalid.
    fn usual(text: &str) -> Option<Digest> {
        let algorithm = Algorithm::Sha256;
        let hex = text.strip_prefix(algorithm.as_str())?.strip_prefix(':')?;
        let plain = all_bytes(hex, |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (plain && hex.len() == algorithm.hex_len()).then(|| Digest {
            text: text.to_owned(),
            algorithm,
        })
    }

    /// Parses a digest that begins at byte `at` of the text that an error is about.
    pub(crate) fn parse_at(text: &str, at: usize) -> Result<Digest, Fault> {
        if text.is_empty() {
            return Err(Fault::new(format!("empty digest at byte {at}")).hint(SHAPE));
        }
        let Some((name, value)) = text.split_once(':') else {
            return Err(Fault::new(format!("no ':' in the digest at byte {at}")).hint(SHAPE));
        };
        check_algorithm(name, at)?;
        let value_at = at + name.len() + 1;
        let Some(algorithm) = Algorithm::named(name) else {
            check_encoded(value, value_at)?;
            let name = printable(name, SHOWN_ALGORITHM);
            let what = format!("digest algorithm \"{name}\" at byte {at}");
            return Err(Fault::unsupported(what).hint("sha256, sha384 and sha512 are supported"));
        };
        check_hex(value, algorithm, value_at)?;
        Ok(Digest {
            text: text.to_owned(),
            algorithm,
        })
    }
}

parsed_from_text!(Digest, "digest");
shown_as_str!(Digest);

/// Computes a [`Digest`] from bytes that come in parts.
///
/// ```
/// use ocireg::{Algorithm, Digest, Hasher};
///
/// let mut hasher = Hasher::new(Algorithm::Sha256);
/// hasher.update(b"two ");
/// hasher.update(b"parts");
/// assert_eq!(hasher.finish(), Digest::of(Algorithm::Sha256, b"two parts"));
/// ```
#[derive(Clone)]
pub struct Hasher {
    algorithm: Algorithm,
    context: ring_digest::Context,
}

impl Hasher {
    /// A hasher that has seen no bytes yet.
    pub fn new(algorithm: Algorithm) -> Hasher {
        Hasher {
            algorithm,
            context: ring_digest::Context::new(algorithm.ring()),
        }
    }

    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
    }

    /// The digest of all added bytes.
    pub fn finish(self) -> Digest {
        let hash = self.context.finish();
        let mut text =
            String::with_capacity(self.algorithm.as_str().len() + 1 + self.algorithm.hex_len());
        text.push_str(self.algorithm.as_str());
        text.push(':');
        for byte in hash.as_ref() {
            text.extend(
                [byte >> 4, byte & 0xf]
                    .map(|half| char::from_digit(half.into(), 16).unwrap_or('0')),
            );
        }
        Digest {
            text,
            algorithm: self.algorithm,
        }
    }
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hasher")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// Checks that a content, whose bytes come in parts, has the expected digest.
///
/// ```
/// use ocireg::{Algorithm, Digest, ErrorKind, Verifier};
///
/// let expected = Digest::of(Algorithm::Sha256, b"good");
/// let mut verifier = Verifier::new(expected);
/// verifier.update(b"evil");
/// assert_eq!(verifier.finish().unwrap_err().kind(), ErrorKind::DigestMismatch);
/// ```
#[derive(Debug, Clone)]
pub struct Verifier {
    expected: Digest,
    hasher: Hasher,
}

impl Verifier {
    /// A verifier for a content that must have the digest `expected`.
    pub fn new(expected: Digest) -> Verifier {
        Verifier {
            hasher: Hasher::new(expected.algorithm),
            expected,
        }
    }

    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// Whether all added bytes together have the expected digest.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::DigestMismatch`] if they have another one. The error names both.
    pub fn finish(self) -> Result<()> {
        let found = self.hasher.finish();
        if found == self.expected {
            return Ok(());
        }
        let expected = self.expected;
        Err(Error::new(
            ErrorKind::DigestMismatch,
            format!("the content has digest {found}, expected {expected}"),
        ))
    }
}

/// Checks `component *(separator component)`: a component has lower-case letters and digits, a
/// separator is one of `+ . _ -`.
fn check_algorithm(name: &str, at: usize) -> Result<(), Fault> {
    let mut after_component = false;
    for (i, c) in name.char_indices() {
        let component = matches!(c, 'a'..='z' | '0'..='9');
        let separator = matches!(c, '+' | '.' | '_' | '-');
        let allowed = component || (separator && after_component);
        if !allowed {
            return Err(Fault::character(c, "the digest algorithm", at + i).hint(SHAPE));
        }
        after_component = component;
    }
    if !after_component {
        let what = format!("incomplete digest algorithm at byte {at}");
        return Err(Fault::new(what).hint(SHAPE));
    }
    Ok(())
}

/// Checks what the grammar allows after the colon for any algorithm.
fn check_encoded(value: &str, at: usize) -> Result<(), Fault> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '=' | '_' | '-');
    match value.char_indices().find(|(_, c)| !allowed(*c)) {
        Some((i, c)) => Err(Fault::character(c, "the digest", at + i)),
        None if value.is_empty() => {
            Err(Fault::new(format!("no digits in the digest at byte {at}")))
        }
        None => Ok(()),
    }
}

fn check_hex(value: &str, algorithm: Algorithm, at: usize) -> Result<(), Fault> {
    let hex = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    if let Some((i, c)) = value.char_indices().find(|(_, c)| !hex(*c)) {
        let fault = Fault::character(c, "the digest", at + i);
        return Err(match c {
            'A'..='F' => fault.hint("digests are lower-case"),
            _ => fault.hint("digests have hexadecimal digits"),
        });
    }
    let (found, expected) = (value.len(), algorithm.hex_len());
    if found != expected {
        let what = format!(
            "{found} hexadecimal digits in the digest at byte {at}, {algorithm} has {expected}"
        );
        return Err(Fault::new(what));
    }
    Ok(())
}

const SHAPE: &str = "a digest looks like sha256:… with 64 hexadecimal digits";

/// How much of an unknown algorithm's name an error shows. Registered names have six characters.
const SHOWN_ALGORITHM: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of FIPS 180-4 for "abc".
    const ABC_256: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const ABC_384: &str = "sha384:cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed\
                           8086072ba1e7cc2358baeca134c825a7";
    const ABC_512: &str = "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                           2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

    #[test]
    fn known_hashes_come_out_and_parse_back() {
        let cases = [
            (Algorithm::Sha256, ABC_256),
            (Algorithm::Sha384, ABC_384),
            (Algorithm::Sha512, ABC_512),
        ];
        for (algorithm, text) in cases {
            let digest = Digest::of(algorithm, b"abc");
            assert_eq!(digest.as_str(), text);
            assert_eq!(digest.algorithm(), algorithm);
            assert_eq!(digest.hex().len(), algorithm.hex_len());
            assert_eq!(format!("{algorithm}:{}", digest.hex()), text);
            assert_eq!(text.parse::<Digest>().unwrap(), digest);
            assert_eq!(format!("{digest} {digest:?}"), format!("{text} {text}"));
        }
    }

    /// Parses `text` and expects an error of this kind that shows it as `shown`.
    #[track_caller]
    fn expect_refusal(text: &str, kind: ErrorKind, shown: &str, problem: &str) {
        let verdict = match kind {
            ErrorKind::Unsupported => "unsupported",
            _ => "invalid",
        };
        let problem = problem.replace("SHAPE", SHAPE);
        let error = text.parse::<Digest>().unwrap_err();
        assert_eq!(error.kind(), kind, "{text}");
        let expected = format!("{verdict} digest \"{shown}\": {problem}");
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn s8_only_a_whole_digest_of_a_known_algorithm_is_one() {
        let hex = "0".repeat(64);
        let short = &format!("sha256:{}", &hex[1..]);
        let long = &format!("sha256:{hex}0");
        let sha512 = &format!("sha512:{hex}");
        let count = "hexadecimal digits in the digest at byte 7,";
        let not_hex = "in the digest at byte 7 (digests have hexadecimal digits)";
        let cases = [
            ("", "empty digest at byte 0 (SHAPE)"),
            ("sha256", "no ':' in the digest at byte 0 (SHAPE)"),
            ("sha256:", &format!("0 {count} sha256 has 64")),
            (short, &format!("63 {count} sha256 has 64")),
            (long, &format!("65 {count} sha256 has 64")),
            (sha512, &format!("64 {count} sha512 has 128")),
            (
                "sha256:0A",
                "upper-case letter 'A' in the digest at byte 8 (digests are lower-case)",
            ),
            (
                "sha256:0g",
                "character 'g' in the digest at byte 8 (digests have hexadecimal digits)",
            ),
            (
                "sha256:../../v2/x/manifests/y",
                &format!("character '.' {not_hex}"),
            ),
            ("sha256:é", &format!("character 'é' (U+00E9) {not_hex}")),
        ];
        for (text, problem) in cases {
            expect_refusal(text, ErrorKind::InvalidReference, text, problem);
        }
    }

    #[test]
    fn s8_an_error_shows_no_query_no_control_character_and_no_space_around() {
        let spaced = format!(" sha256:{}", "0".repeat(64));
        let cases = [
            (
                "sha256:0?",
                "sha256:0?…",
                "character '?' in the digest at byte 8 (digests have hexadecimal digits)",
            ),
            (
                "sha256:0\0",
                "sha256:0\u{fffd}",
                "character U+0000 at byte 8",
            ),
            (
                &spaced,
                spaced.trim_start(),
                "a space at the start, at byte 0",
            ),
        ];
        for (text, shown, problem) in cases {
            expect_refusal(text, ErrorKind::InvalidReference, shown, problem);
        }
    }

    #[test]
    fn s8_the_algorithm_has_a_grammar_and_only_three_are_supported() {
        let upper_case = &format!("SHA256:{}", "0".repeat(64));
        let invalid = [
            (":", "incomplete digest algorithm at byte 0 (SHAPE)"),
            (
                upper_case,
                "upper-case letter 'S' in the digest algorithm at byte 0 (SHAPE)",
            ),
            (
                "+sha256:00",
                "character '+' in the digest algorithm at byte 0 (SHAPE)",
            ),
            (
                "a..b:00",
                "character '.' in the digest algorithm at byte 2 (SHAPE)",
            ),
            ("md5+:00", "incomplete digest algorithm at byte 0 (SHAPE)"),
            ("md5:", "no digits in the digest at byte 4"),
            ("md5:00/00", "character '/' in the digest at byte 6"),
        ];
        for (text, problem) in invalid {
            expect_refusal(text, ErrorKind::InvalidReference, text, problem);
        }
        for (text, name) in [
            ("md5:00", "md5"),
            ("multihash+base58:QmRZxt2b1=", "multihash+base58"),
        ] {
            let problem = format!(
                "digest algorithm \"{name}\" at byte 0 (sha256, sha384 and sha512 are supported)"
            );
            expect_refusal(text, ErrorKind::Unsupported, text, &problem);
        }
    }

    #[test]
    fn s6_a_verifier_accepts_the_content_and_nothing_else() {
        let expected: Digest = ABC_256.parse().unwrap();
        let verdict = |pieces: &[&[u8]]| {
            let mut verifier = Verifier::new(expected.clone());
            pieces.iter().for_each(|piece| verifier.update(piece));
            verifier.finish()
        };
        assert!(verdict(&[b"abc"]).is_ok());
        assert!(verdict(&[b"a", b"", b"bc"]).is_ok());
        for wrong in [&b""[..], b"ab", b"abcd", b"ABC"] {
            let error = verdict(&[wrong]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::DigestMismatch);
        }
        assert_eq!(
            verdict(&[]).unwrap_err().to_string(),
            format!(
                "the content has digest {}, expected {ABC_256}",
                Digest::of(Algorithm::Sha256, b"")
            )
        );
    }

    #[test]
    fn all_can_move_between_threads() {
        fn shared<T: Send + Sync + 'static>() {}
        shared::<Algorithm>();
        shared::<Digest>();
        shared::<Hasher>();
        shared::<Verifier>();
    }
}
