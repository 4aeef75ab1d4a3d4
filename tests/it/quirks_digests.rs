//! `Docker-Content-Digest` (E1, F6, S6): which digest is found, and where it comes from.

use fake_registry::{Page, Quirk};
use ocireg::{Algorithm, Digest, DigestSource, ErrorKind, MediaType};

use crate::quirks_support::*;

/// What `Docker-Content-Digest` says.
#[derive(Debug, Clone, Copy)]
enum Stated {
    Not,
    Right,
    Wrong,
    Unusable,
    UpperCase,
    OtherAlgorithm,
}

impl Stated {
    fn quirk(self) -> Option<Quirk> {
        match self {
            Stated::Not => Some(Quirk::NoDigestHeader),
            Stated::Right => None,
            Stated::Wrong => Some(Quirk::WrongDigestHeader),
            Stated::Unusable => Some(Quirk::DigestHeader("sha256:zz".to_owned())),
            Stated::UpperCase => Some(Quirk::UpperCaseDigestHeader),
            Stated::OtherAlgorithm => Some(Quirk::DigestHeader(SHA512.to_owned())),
        }
    }
}

/// Whether HEAD works.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Head {
    Works,
    Refused,
}

/// How the image is named.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Named {
    ByTag,
    ByDigest,
}

/// Which digest is found.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Found {
    /// The sha256 digest of the content.
    Sha256,
    /// The sha512 digest of the content.
    Sha512,
    /// The digest of the header, which is not that of the content.
    OfHeader,
}

/// What the header says, the requests, the source, the digest, and whether there is a warning.
type DigestCase = (Stated, &'static [&'static str], DigestSource, Found, Warns);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Warns {
    Yes,
    No,
}

const HEAD_ONLY: &[&str] = &["HEAD"];
const BOTH: &[&str] = &["HEAD", "GET"];

#[track_caller]
fn check_digests(head: Head, named: Named, cases: &[DigestCase]) {
    for (stated, requests, source, found_digest, warns) in cases {
        let what = format!("{head:?}, {named:?}, {stated:?}");
        let refused = (head == Head::Refused).then_some(Quirk::HeadStatus(405, Page::Text));
        let registry = registry(refused.into_iter().chain(stated.quirk()));
        let reference = match named {
            Named::ByTag => image(&registry, "t/a:v1"),
            Named::ByDigest => image(&registry, &format!("t/a@{}", sha256_of_image())),
        };
        let client = client();
        let found = client.head(&reference).expect(&what);
        assert_eq!(found.digest_source, *source, "{what}");
        assert_eq!(found.digest, found_digest.digest(*stated), "{what}");
        assert_eq!(found.media_type, MediaType::OCI_INDEX, "{what}");
        assert_eq!(found.size, Some(IMAGE.len() as u64), "{what}");
        let requested = registry.take_requests().into_iter();
        let methods: Vec<_> = requested.map(|request| request.method).collect();
        assert_eq!(methods, *requests, "{what}");
        let warnings = client.warnings(&name(&registry));
        let expected = usize::from(*warns == Warns::Yes);
        assert_eq!(warnings.len(), expected, "{what}: {warnings:?}");
        for warning in warnings {
            assert!(warning.starts_with(&reference.to_string()), "{warning}");
            assert!(warning.contains(found.digest.as_str()), "{warning}");
        }
    }
}

impl Found {
    fn digest(self, stated: Stated) -> Digest {
        match (self, stated) {
            (Found::Sha256, _) => sha256_of_image(),
            (Found::Sha512, _) => Digest::of(Algorithm::Sha512, IMAGE.as_bytes()),
            (Found::OfHeader, Stated::OtherAlgorithm) => SHA512.parse().unwrap(),
            (Found::OfHeader, _) => Digest::of(Algorithm::Sha256, b"something else"),
        }
    }
}

/// A lookup by tag has nothing to compare the header with.
#[test]
fn e1_f6_by_tag_the_header_of_head_counts_if_it_is_usable() {
    use DigestSource::{Computed, Header};
    use Stated::*;
    let cases = [
        (Not, BOTH, Computed, Found::Sha256, Warns::No),
        (Right, HEAD_ONLY, Header, Found::Sha256, Warns::No),
        (Wrong, HEAD_ONLY, Header, Found::OfHeader, Warns::No),
        (Unusable, BOTH, Computed, Found::Sha256, Warns::No),
        (UpperCase, BOTH, Computed, Found::Sha256, Warns::No),
        (
            OtherAlgorithm,
            HEAD_ONLY,
            Header,
            Found::OfHeader,
            Warns::No,
        ),
    ];
    check_digests(Head::Works, Named::ByTag, &cases);
}

#[test]
fn e1_f6_by_digest_only_a_contradiction_of_head_needs_a_get() {
    use DigestSource::{Computed, Header, Requested};
    use Stated::*;
    let cases = [
        (Not, HEAD_ONLY, Requested, Found::Sha256, Warns::No),
        (Right, HEAD_ONLY, Header, Found::Sha256, Warns::No),
        (Wrong, BOTH, Computed, Found::Sha256, Warns::Yes),
        (Unusable, HEAD_ONLY, Requested, Found::Sha256, Warns::No),
        (UpperCase, HEAD_ONLY, Requested, Found::Sha256, Warns::No),
        (
            OtherAlgorithm,
            HEAD_ONLY,
            Requested,
            Found::Sha256,
            Warns::No,
        ),
    ];
    check_digests(Head::Works, Named::ByDigest, &cases);
}

/// The header only chooses the algorithm of a lookup by tag.
#[test]
fn e1_f6_the_digest_of_a_get_is_computed() {
    use DigestSource::Computed;
    use Stated::*;
    let mut cases = [
        (Not, BOTH, Computed, Found::Sha256, Warns::No),
        (Right, BOTH, Computed, Found::Sha256, Warns::No),
        (Wrong, BOTH, Computed, Found::Sha256, Warns::Yes),
        (Unusable, BOTH, Computed, Found::Sha256, Warns::No),
        (UpperCase, BOTH, Computed, Found::Sha256, Warns::No),
        (OtherAlgorithm, BOTH, Computed, Found::Sha512, Warns::Yes),
    ];
    check_digests(Head::Refused, Named::ByTag, &cases);
    cases[5] = (OtherAlgorithm, BOTH, Computed, Found::Sha256, Warns::No);
    check_digests(Head::Refused, Named::ByDigest, &cases);
}

/// The registry has another manifest under the digest that was asked for.
#[test]
fn s6_other_content_is_a_mismatch() {
    let wanted = Digest::of(Algorithm::Sha256, b"wanted");
    let wanted512 = Digest::of(Algorithm::Sha512, b"wanted");
    let cases = [
        // The header contradicts.
        (&wanted, vec![]),
        (&wanted, vec![Quirk::HeadStatus(405, Page::Text)]),
        // The header agrees with the request, but the bytes count.
        (
            &wanted,
            vec![
                Quirk::HeadStatus(405, Page::Text),
                Quirk::DigestHeader(wanted.to_string()),
            ],
        ),
        // F6: a header of another algorithm.
        (&wanted512, vec![Quirk::HeadStatus(405, Page::Text)]),
    ];
    for (asked_for, quirks) in cases {
        let what = format!("{asked_for} {quirks:?}");
        let registry = registry(quirks);
        registry.put_tag("t/a", asked_for.as_str(), sha256_of_image().as_str());
        let reference = image(&registry, &format!("t/a@{asked_for}"));
        let error = client().exists(&reference).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DigestMismatch, "{what}");
        assert_tells(&error, &reference.to_string());
        let sent = Digest::of(asked_for.algorithm(), IMAGE.as_bytes());
        assert_tells(&error, sent.as_str());
    }
}

/// The content is stored and asked for by sha512, and the header has the sha256 digest.
#[test]
fn f6_content_of_another_algorithm_is_verified() {
    let digest = Digest::of(Algorithm::Sha512, IMAGE.as_bytes());
    for (quirk, source) in [
        (None, DigestSource::Requested),
        (
            Some(Quirk::HeadStatus(405, Page::Text)),
            DigestSource::Computed,
        ),
    ] {
        let registry = registry(quirk);
        registry.put_tag("t/a", digest.as_str(), sha256_of_image().as_str());
        let client = client();
        let found = client
            .head(&image(&registry, &format!("t/a@{digest}")))
            .unwrap();
        assert_eq!(
            (found.digest, found.digest_source),
            (digest.clone(), source)
        );
        assert_eq!(client.warnings(&name(&registry)), Vec::<String>::new());
    }
}
