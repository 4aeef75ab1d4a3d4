//! References, which are the names of images, and their parts.
//!
//! The grammar is that of [distribution/reference], which every Docker tool uses. Short names of
//! Docker Hub are completed. Each part has a type that only its parser makes, so a name can't add a
//! path, a query or a header line to a request.
//!
//! [distribution/reference]: https://github.com/distribution/reference/blob/v0.6.0/reference.go

mod name;
mod registry;
mod repository;
mod split;
mod tag;

use std::fmt;

use crate::digest::Digest;
use crate::text::{Fault, check_plain, parsed_from_text};

pub use name::RepositoryName;
pub use registry::Registry;
pub use repository::Repository;
pub use tag::Tag;

/// The name of an image: a repository, and a tag, a digest or both.
///
/// The grammar is that of [distribution/reference]:
///
/// ```text
/// reference = [ registry "/" ] name [ ":" tag ] [ "@" digest ]
/// ```
///
/// The part before the first `/` is a registry if it has a `.`, a `:` or an upper-case letter, or
/// if it is `localhost`. Otherwise the registry is Docker Hub, and a name with one part is below
/// `library/`. Without tag and digest the tag is `latest`. If there are both, the digest decides
/// which manifest is meant, and the tag has no effect.
///
/// `Display` shows the full form. Parsing it gives an equal value.
///
/// ```
/// use ocireg::Reference;
///
/// let image: Reference = "alpine".parse()?;
/// assert_eq!(image.to_string(), "docker.io/library/alpine:latest");
///
/// let image: Reference = "localhost:5000/team/app:1.2".parse()?;
/// assert_eq!(image.registry().as_str(), "localhost:5000");
/// assert_eq!(image.repository().name().as_str(), "team/app");
/// assert_eq!(image.tag().map(|tag| tag.as_str()), Some("1.2"));
///
/// let error = "Alpine".parse::<Reference>().unwrap_err();
/// assert_eq!(
///     error.message(),
///     "invalid reference \"Alpine\": upper-case letter 'A' in the repository name at byte 0"
/// );
/// # Ok::<(), ocireg::Error>(())
/// ```
///
/// [distribution/reference]: https://github.com/distribution/reference/blob/v0.6.0/reference.go
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    repository: Repository,
    selector: Selector,
}

/// What selects the manifest in the repository.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Selector {
    Tag(Tag),
    Digest(Digest),
    Both(Tag, Digest),
}

impl Reference {
    /// The repository the image is in.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The registry the image is in.
    pub fn registry(&self) -> &Registry {
        self.repository.registry()
    }

    /// The tag, if the reference has one. It is `latest` if the text had neither tag nor digest.
    pub fn tag(&self) -> Option<&Tag> {
        match &self.selector {
            Selector::Tag(tag) | Selector::Both(tag, _) => Some(tag),
            Selector::Digest(_) => None,
        }
    }

    /// The digest, if the reference has one.
    pub fn digest(&self) -> Option<&Digest> {
        match &self.selector {
            Selector::Digest(digest) | Selector::Both(_, digest) => Some(digest),
            Selector::Tag(_) => None,
        }
    }

    /// The same reference with this tag instead of its own. A digest stays, and still decides.
    ///
    /// ```
    /// use ocireg::{Reference, Tag};
    ///
    /// let image: Reference = "alpine:3.19".parse()?;
    /// let newer = image.with_tag("3.20".parse()?);
    /// assert_eq!(newer.to_string(), "docker.io/library/alpine:3.20");
    /// # Ok::<(), ocireg::Error>(())
    /// ```
    pub fn with_tag(self, tag: Tag) -> Reference {
        let selector = match self.selector {
            Selector::Tag(_) => Selector::Tag(tag),
            Selector::Digest(digest) | Selector::Both(_, digest) => Selector::Both(tag, digest),
        };
        Reference { selector, ..self }
    }

    /// The same reference with this digest instead of its own. The digest now decides. A tag stays.
    ///
    /// ```
    /// use ocireg::{Algorithm, Digest, Reference};
    ///
    /// let image: Reference = "alpine:3.20".parse()?;
    /// let pinned = image.with_digest(Digest::of(Algorithm::Sha256, b"{}"));
    /// assert!(pinned.to_string().starts_with("docker.io/library/alpine:3.20@sha256:"));
    /// # Ok::<(), ocireg::Error>(())
    /// ```
    pub fn with_digest(self, digest: Digest) -> Reference {
        let selector = match self.selector {
            Selector::Digest(_) => Selector::Digest(digest),
            Selector::Tag(tag) | Selector::Both(tag, _) => Selector::Both(tag, digest),
        };
        Reference { selector, ..self }
    }

    /// What follows `/manifests/` in the URL: the digest if there is one, else the tag.
    pub(crate) fn manifest_reference(&self) -> &str {
        match &self.selector {
            Selector::Tag(tag) => tag.as_str(),
            Selector::Digest(digest) | Selector::Both(_, digest) => digest.as_str(),
        }
    }

    fn parse(text: &str) -> Result<Reference, Fault> {
        check_plain(text)?;
        let pieces = split::split(text)?;
        let repository = Repository::from_pieces(&pieces)?;
        let tag = match pieces.tag {
            Some(tag) => Some(Tag::parse_at(tag.text, tag.at)?),
            None => None,
        };
        let digest = match pieces.digest {
            Some(digest) => Some(Digest::parse_at(digest.text, digest.at)?),
            None => None,
        };
        let selector = match (tag, digest) {
            (Some(tag), Some(digest)) => Selector::Both(tag, digest),
            (Some(tag), None) => Selector::Tag(tag),
            (None, Some(digest)) => Selector::Digest(digest),
            (None, None) => Selector::Tag(Tag::latest()),
        };
        Ok(Reference {
            repository,
            selector,
        })
    }
}

impl Repository {
    /// The image with this tag.
    ///
    /// ```
    /// use ocireg::Repository;
    ///
    /// let repository: Repository = "localhost:5000/team/app".parse()?;
    /// assert_eq!(repository.tagged("1.2".parse()?).to_string(), "localhost:5000/team/app:1.2");
    /// # Ok::<(), ocireg::Error>(())
    /// ```
    pub fn tagged(&self, tag: Tag) -> Reference {
        Reference {
            repository: self.clone(),
            selector: Selector::Tag(tag),
        }
    }

    /// The image with this digest.
    ///
    /// ```
    /// use ocireg::{Algorithm, Digest, Repository};
    ///
    /// let repository: Repository = "localhost:5000/team/app".parse()?;
    /// let image = repository.at(Digest::of(Algorithm::Sha256, b"{}"));
    /// assert_eq!(image.tag(), None);
    /// # Ok::<(), ocireg::Error>(())
    /// ```
    pub fn at(&self, digest: Digest) -> Reference {
        Reference {
            repository: self.clone(),
            selector: Selector::Digest(digest),
        }
    }
}

parsed_from_text!(Reference, "reference");

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.repository, f)?;
        if let Some(tag) = self.tag() {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = self.digest() {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::Algorithm;

    #[test]
    fn the_digest_decides_what_is_asked_for() {
        let digest = Digest::of(Algorithm::Sha256, b"abc");
        let tagged: Reference = "alpine:3".parse().unwrap();
        assert_eq!(tagged.manifest_reference(), "3");
        assert_eq!(
            "alpine".parse::<Reference>().unwrap().manifest_reference(),
            "latest"
        );
        let pinned = tagged.repository().at(digest.clone());
        assert_eq!(pinned.manifest_reference(), digest.as_str());
        let both = tagged.clone().with_digest(digest.clone());
        assert_eq!(both.manifest_reference(), digest.as_str());
        assert_eq!(both, pinned.with_tag("3".parse().unwrap()));
        assert_eq!(
            both.clone()
                .with_tag("4".parse().unwrap())
                .manifest_reference(),
            digest.as_str()
        );
        assert_eq!(tagged.repository().tagged("3".parse().unwrap()), tagged);
    }

    #[test]
    fn a1_the_api_of_docker_hub_is_on_another_host() {
        for (registry, api) in [
            ("docker.io", "registry-1.docker.io"),
            ("index.docker.io", "registry-1.docker.io"),
            ("registry-1.docker.io:443", "registry-1.docker.io"),
            ("docker.io:5000", "docker.io"),
            ("hub.docker.io", "hub.docker.io"),
            ("[::1]:5000", "::1"),
        ] {
            assert_eq!(
                registry.parse::<Registry>().unwrap().api_host(),
                api,
                "{registry}"
            );
        }
    }

    #[test]
    fn all_can_move_between_threads() {
        fn shared<T: Send + Sync + 'static>() {}
        shared::<Reference>();
        shared::<Registry>();
        shared::<Repository>();
        shared::<RepositoryName>();
        shared::<Tag>();
    }
}
