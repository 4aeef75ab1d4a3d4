//! Repositories: a name in a registry.

use std::fmt;

use super::split::{self, Pieces};
use super::{Registry, RepositoryName};
use crate::error::Result;
use crate::text::{Fault, check_plain, parsed_from_text};

/// A repository: a name in a registry.
///
/// ```text
/// repository = [ registry "/" ] name
/// ```
///
/// The text is read like a [`Reference`](crate::Reference), but a tag or a digest is an error.
///
/// `Display` shows the full form. Parsing it gives an equal value. A host of one word and without a
/// port is shown in upper case (`REGISTRY/app`), because in lower case it would be the first part
/// of a name on Docker Hub.
///
/// ```
/// use ocireg::Repository;
///
/// let repository: Repository = "alpine".parse()?;
/// assert_eq!(repository.to_string(), "docker.io/library/alpine");
///
/// let error = "alpine:3.20".parse::<Repository>().unwrap_err();
/// assert_eq!(error.message(), "invalid repository \"alpine:3.20\": a tag at byte 7");
/// # Ok::<(), ocireg::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Repository {
    registry: Registry,
    name: RepositoryName,
}

impl Repository {
    /// The repository `name` in `registry`. On Docker Hub a name with one part is below `library/`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidReference`](crate::ErrorKind::InvalidReference) if the name is too long
    /// with `library/` before it.
    ///
    /// ```
    /// use ocireg::Repository;
    ///
    /// let repository = Repository::new("docker.io".parse()?, "alpine".parse()?)?;
    /// assert_eq!(repository, "alpine".parse()?);
    /// # Ok::<(), ocireg::Error>(())
    /// ```
    pub fn new(registry: Registry, name: RepositoryName) -> Result<Repository> {
        let text = format!("{registry}/{name}");
        Repository::completed(registry, name).map_err(|fault| fault.in_text("repository", &text))
    }

    /// The registry.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The name in the registry. On Docker Hub it includes `library/`.
    pub fn name(&self) -> &RepositoryName {
        &self.name
    }

    fn parse(text: &str) -> Result<Repository, Fault> {
        check_plain(text)?;
        let pieces = split::split(text)?;
        for (piece, what) in [(pieces.tag, "a tag"), (pieces.digest, "a digest")] {
            if let Some(piece) = piece {
                let what = format!("{what} at byte {}", piece.at);
                return Err(Fault::new(what).hint("give the repository alone"));
            }
        }
        Repository::from_pieces(&pieces)
    }

    pub(super) fn from_pieces(pieces: &Pieces<'_>) -> Result<Repository, Fault> {
        let registry = match pieces.registry {
            Some(registry) => Registry::parse_at(registry.text, registry.at)?,
            None => Registry::docker_hub(),
        };
        let name = RepositoryName::parse_at(pieces.name.text, pieces.name.at)?;
        Repository::completed(registry, name)
    }

    /// Adds `library/` where Docker Hub needs it.
    fn completed(registry: Registry, name: RepositoryName) -> Result<Repository, Fault> {
        let name = match registry.is_docker_hub() {
            true => name.in_library()?,
            false => name,
        };
        Ok(Repository { registry, name })
    }
}

parsed_from_text!(Repository, "repository");

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let registry = self.registry.as_str();
        match registry == "localhost" || registry.contains(['.', ':']) {
            true => f.write_str(registry)?,
            false => f.write_str(&registry.to_ascii_uppercase())?,
        }
        write!(f, "/{}", self.name)
    }
}
