//! What every registry must answer through `ocireg`, whichever software it is and whichever proxy
//! is in front of it.
//!
//! No expectation here comes from `ocireg`: digests, types and sizes come from what was pushed
//! ([`Seeded`]), and [`Contract::agrees_with_curl`] checks that `curl` sees the same.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use ocireg::{
    AuthScheme, Client, DigestSource, ErrorKind, Presence, Reference, Registry, Repository,
    Resolved,
};
use test_support::require;
use test_support::seed::{self, SCHEMA1_SIGNED, Seeded};

/// A registry, its content, and the client that asks.
pub(crate) struct Contract<'a> {
    pub(crate) client: &'a Client,
    /// `HOST:PORT`.
    pub(crate) authority: &'a str,
    /// The repository that holds `seeded` and nothing else.
    pub(crate) repository: &'a str,
    pub(crate) seeded: &'a [Seeded],
    /// All repositories of the registry.
    pub(crate) catalog: &'a [&'a str],
    /// Where a digest comes from: the registry's header, or the bytes if a proxy breaks the header.
    pub(crate) digest_source: DigestSource,
    /// How a lookup of an unknown digest fails: [`ErrorKind::NotFound`] unless the registry itself
    /// fails.
    pub(crate) absent_digest: ErrorKind,
}

impl Contract<'_> {
    /// Asks everything, twice: what the client learns from the first answer must not change the
    /// second.
    #[track_caller]
    pub(crate) fn holds(&self) {
        for _ in 0..2 {
            self.finds_what_is_there();
            self.misses_what_is_not_there();
            self.lists();
            let ping = self.client.ping(&self.registry()).unwrap();
            assert_eq!(ping.auth, AuthScheme::Anonymous);
        }
    }

    #[track_caller]
    fn finds_what_is_there(&self) {
        for image in self.seeded {
            for reference in self.names_of(image) {
                let found = self.client.head(&reference);
                let found = found.unwrap_or_else(|error| panic!("{error:?}"));
                assert_eq!(found.digest.to_string(), image.digest, "{reference}");
                assert_eq!(found.media_type.as_str(), image.media_type, "{reference}");
                assert_eq!(found.size, Some(image.size), "{reference}");
                assert_eq!(found.digest_source, self.digest_source, "{reference}");
                self.agrees_with_itself(&reference, &found);
            }
        }
    }

    /// By tag, by digest, and by both. With both the digest decides.
    fn names_of(&self, image: &Seeded) -> [Reference; 3] {
        let Seeded { tag, digest, .. } = image;
        [
            format!(":{tag}"),
            format!("@{digest}"),
            format!(":{tag}@{digest}"),
        ]
        .map(|name| self.reference(&name))
    }

    /// The three functions give the same answer.
    #[track_caller]
    fn agrees_with_itself(&self, reference: &Reference, found: &Resolved) {
        let presence = self.client.exists(reference).unwrap();
        assert_eq!(presence, Presence::Exists(found.clone()), "{reference}");
        let digest = self.client.digest(reference).unwrap();
        assert_eq!(digest, found.digest, "{reference}");
    }

    #[track_caller]
    fn misses_what_is_not_there(&self) {
        let nowhere = format!("sha256:{}", "0".repeat(64));
        let Seeded { tag, digest, .. } = &self.seeded[0];
        self.misses(&self.reference(":nosuch"), ErrorKind::NotFound);
        self.misses(&self.elsewhere(&format!(":{tag}")), ErrorKind::NotFound);
        // A digest of one repository is not in another, and a tag does not replace a missing
        // digest.
        for reference in [
            self.reference(&format!("@{nowhere}")),
            self.reference(&format!(":{tag}@{nowhere}")),
            self.elsewhere(&format!("@{digest}")),
        ] {
            self.misses(&reference, self.absent_digest);
        }
    }

    #[track_caller]
    fn misses(&self, reference: &Reference, kind: ErrorKind) {
        for error in [
            self.client.head(reference).unwrap_err(),
            self.client.digest(reference).unwrap_err(),
        ] {
            assert_eq!(error.kind(), kind, "{error:?}");
            let status = if kind == ErrorKind::NotFound {
                404
            } else {
                500
            };
            assert_eq!(error.http_status(), Some(status), "{error:?}");
            assert_eq!(error.subject(), Some(reference.to_string().as_str()));
        }
        match self.client.exists(reference) {
            Ok(presence) => {
                assert_eq!(presence, Presence::Absent, "{reference}");
                assert_eq!(kind, ErrorKind::NotFound, "{reference}");
            }
            Err(error) => {
                assert_eq!(error.kind(), kind, "{error:?}");
                assert_ne!(kind, ErrorKind::NotFound, "{error:?}");
            }
        }
    }

    #[track_caller]
    fn lists(&self) {
        let repository = self.reference(":any").repository().clone();
        let tags = self.client.tags(&repository).unwrap();
        same_set(&tags, self.seeded.iter().map(|image| image.tag.clone()));
        let catalog = self.client.catalog(&self.registry()).unwrap();
        same_set(&catalog, self.catalog.iter().map(ToString::to_string));
        let elsewhere: Repository = self.elsewhere("").repository().clone();
        let error = self.client.tags(&elsewhere).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
    }

    /// Checks that `curl`, which trusts `ca`, sees the same digests and types with the full
    /// `Accept`.
    #[track_caller]
    pub(crate) fn agrees_with_curl(&self, scheme: &str, ca: Option<&Path>) {
        let Some(curl) = require("curl") else { return };
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new(curl);
        command.args(["-sS", "--max-time", "10", "--noproxy", "*"]);
        command.args(["-H", &format!("Accept: {}", ACCEPT.join(", "))]);
        command.args([
            "-w",
            "%{http_code} %{content_type} %header{docker-content-digest}\n",
        ]);
        if let Some(ca) = ca {
            command.arg("--cacert").arg(ca);
        }
        let names: Vec<(&Seeded, &str)> = self
            .seeded
            .iter()
            .flat_map(|image| [(image, image.tag.as_str()), (image, image.digest.as_str())])
            .collect();
        for (number, (_, name)) in names.iter().enumerate() {
            let (authority, repository) = (self.authority, self.repository);
            let body = directory.path().join(number.to_string());
            command.arg("-o").arg(body).arg(format!(
                "{scheme}://{authority}/v2/{repository}/manifests/{name}"
            ));
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said.lines().count(), names.len(), "{said}");
        for (number, (line, (image, name))) in said.lines().zip(names).enumerate() {
            let mut words = line.split(' ');
            let mut next = || words.next().unwrap_or_default();
            assert_eq!((next(), next()), ("200", image.media_type), "{name}");
            match next() {
                // Without a header the bytes decide. But a schema1 manifest is signed anew for each
                // answer (E7).
                "" if image.media_type == SCHEMA1_SIGNED => {}
                "" => {
                    let body = std::fs::read(directory.path().join(number.to_string())).unwrap();
                    assert_eq!(seed::digest(&body), image.digest, "{name}");
                }
                digest => assert_eq!(digest, image.digest, "{name}"),
            }
        }
    }

    fn registry(&self) -> Registry {
        self.authority.parse().unwrap()
    }

    fn reference(&self, name: &str) -> Reference {
        let text = format!("{}/{}{name}", self.authority, self.repository);
        text.parse().unwrap()
    }

    /// The same name in a repository that does not exist.
    fn elsewhere(&self, name: &str) -> Reference {
        format!("{}/no/such{name}", self.authority).parse().unwrap()
    }
}

/// Equal as sets, without duplicates. Registries differ in the order.
#[track_caller]
pub(crate) fn same_set<T: ToString>(listed: &[T], expected: impl IntoIterator<Item = String>) {
    let mut sorted: Vec<String> = listed.iter().map(ToString::to_string).collect();
    sorted.sort();
    let expected: BTreeSet<String> = expected.into_iter().collect();
    assert_eq!(sorted, Vec::from_iter(expected));
}

/// The types that a client must accept to get true answers (E4, E5). The list does not come from
/// `ocireg`.
pub(crate) const ACCEPT: [&str; 6] = [
    seed::OCI_INDEX,
    seed::OCI_MANIFEST,
    seed::DOCKER_LIST,
    seed::DOCKER_MANIFEST,
    SCHEMA1_SIGNED,
    "application/vnd.docker.distribution.manifest.v1+json",
];
