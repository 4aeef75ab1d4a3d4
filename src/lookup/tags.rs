//! The tags of a repository that resolve to the same digest.

use std::collections::VecDeque;

use super::presence::{digests_in, resolve};
use super::workers::{self, RegistryQueue};
use crate::algorithm::Algorithm;
use crate::client::{Client, Group, SharedScopes};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::reference::{Reference, Repository, Tag};
use crate::resolved::Resolved;

/// The tags that are the same image; see [`Client::find`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// The digest that the tags were compared with.
    pub digest: Digest,
    /// The tags that have it, in the registry's order.
    pub tags: Vec<Tag>,
}

impl Client {
    /// All tags of the same repository that have this image's digest, including its own tag, in the
    /// registry's order.
    ///
    /// This takes a request for each page of the tag list and one for each tag, up to
    /// [`CallOptions::concurrency`](crate::CallOptions::concurrency) at once. Google's registries
    /// send the digests with the list, so there the list is enough. The digest of a tag is that of
    /// its own manifest: for a multi-platform image that of the index, not of a platform.
    ///
    /// # Errors
    ///
    /// Those of [`digest`](Client::digest) and [`tags`](Client::tags). A tag that was deleted
    /// meanwhile is left out. Any other failure ends the call, because an incomplete list would
    /// look complete.
    ///
    /// If tags have digests of another algorithm, the manifest is fetched by the image's digest and
    /// its content is compared. [`ErrorKind::Unsupported`] if the registry does not serve it by
    /// that digest.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), ocireg::Error> {
    /// let client = ocireg::Client::new()?;
    /// for tag in client.tags_sharing(&"localhost:5000/app:latest".parse()?)? {
    ///     println!("{tag}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn tags_sharing(&self, reference: &Reference) -> Result<Vec<Tag>> {
        self.find(reference).map(|found| found.tags)
    }

    /// The tags that [`tags_sharing`](Client::tags_sharing) answers, and the digest that they were
    /// compared with. Requests and errors are the same.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), ocireg::Error> {
    /// let found = ocireg::Client::new()?.find(&"localhost:5000/app:latest".parse()?)?;
    /// println!("{} has {} tags", found.digest, found.tags.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn find(&self, reference: &Reference) -> Result<Found> {
        let wanted = match (reference.digest(), reference.tag()) {
            (Some(digest), _) => Wanted::Digest(digest),
            (None, Some(tag)) => Wanted::SameAs(tag),
            // A reference always has one of the two.
            (None, None) => {
                return Err(
                    Error::new(ErrorKind::InvalidReference, "neither tag nor digest")
                        .about(reference),
                );
            }
        };
        self.tags_with(reference.repository(), wanted)
    }

    /// All tags of a repository that have this digest, in the registry's order. The list may be
    /// empty.
    ///
    /// Requests and errors are those of [`tags_sharing`](Client::tags_sharing).
    pub fn tags_of_digest(&self, repository: &Repository, digest: &Digest) -> Result<Vec<Tag>> {
        self.tags_with(repository, Wanted::Digest(digest))
            .map(|found| found.tags)
    }

    fn tags_with(&self, repository: &Repository, wanted: Wanted<'_>) -> Result<Found> {
        let group = self.group();
        let mut list = group.tag_list(repository)?;
        let mut tags = list.tags;
        // The other tags are compared with this one, so it needs a digest even if it is not in the
        // list.
        match wanted {
            Wanted::SameAs(tag) if !tags.contains(tag) => tags.push(tag.clone()),
            _ => {}
        }
        let mut digests: Vec<Option<Digest>> =
            tags.iter().map(|tag| list.digests.take(tag)).collect();
        self.look_up_missing(&group, repository, wanted, &tags, &mut digests)?;
        let digest = match wanted {
            Wanted::Digest(digest) => Some(digest.clone()),
            Wanted::SameAs(tag) => tags
                .iter()
                .position(|other| other == tag)
                .and_then(|own| digests[own].clone()),
        };
        let Some(digest) = digest else {
            // A wanted tag without a digest has ended the call before.
            let error = Error::new(ErrorKind::NotFound, "the tag has no digest");
            return Err(error.about(repository));
        };
        let same = all_digests(&group, repository, &digest, &digests)?;
        let found = tags.into_iter().zip(digests);
        let tags = found
            .filter(|(_, digest)| digest.as_ref().is_some_and(|digest| same.contains(digest)))
            .map(|(tag, _)| tag)
            .collect();
        Ok(Found { digest, tags })
    }

    /// Looks up each of `tags` that has no digest yet. A tag that is gone stays without one.
    fn look_up_missing(
        &self,
        group: &Group<'_>,
        repository: &Repository,
        wanted: Wanted<'_>,
        tags: &[Tag],
        digests: &mut [Option<Digest>],
    ) -> Result<()> {
        let missing: VecDeque<usize> = (0..tags.len())
            .filter(|&tag| digests[tag].is_none())
            .collect();
        // Progress counts them in addition to the entries of the list, which are done.
        group.expect(missing.len());
        let mut failure = None;
        let ask = |item: usize| {
            let reference = repository.tagged(tags[item].clone());
            let call = group.call(repository.registry(), &reference, SharedScopes::default());
            resolve(&call, &reference)
        };
        let done = |item: usize, result: Result<Resolved>| {
            group.advanced();
            match result {
                Ok(resolved) => digests[item] = Some(resolved.digest),
                // Deleted after the list was sent. The wanted tag itself must be there.
                Err(error)
                    if error.kind() == ErrorKind::NotFound
                        && wanted != Wanted::SameAs(&tags[item]) => {}
                Err(error) => {
                    group.stop();
                    failure.get_or_insert(error);
                }
            }
        };
        let queue = RegistryQueue {
            items: missing,
            // The request for the list has already learned how to log in.
            needs_leader: false,
        };
        workers::run(
            vec![queue],
            self.concurrency(),
            group.slice(),
            ask,
            done,
            || group.tick(),
        );
        match failure {
            Some(error) => Err(error),
            None => group.check(repository),
        }
    }
}

/// What the tags are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted<'a> {
    Digest(&'a Digest),
    SameAs(&'a Tag),
}

/// The digests of the image that has `digest`: one for each algorithm that `found` has.
///
/// # Errors
///
/// [`ErrorKind::Unsupported`] if there are other algorithms, and the registry does not serve the
/// manifest by `digest`: then it can't be compared, and "no tag has it" may be wrong.
fn all_digests(
    group: &Group<'_>,
    repository: &Repository,
    digest: &Digest,
    found: &[Option<Digest>],
) -> Result<Vec<Digest>> {
    let mut others: Vec<Algorithm> = Vec::new();
    for algorithm in found.iter().flatten().map(Digest::algorithm) {
        if algorithm != digest.algorithm() && !others.contains(&algorithm) {
            others.push(algorithm);
        }
    }
    let mut all = vec![digest.clone()];
    let Some(other) = others.first() else {
        return Ok(all);
    };
    let reference = repository.at(digest.clone());
    let call = group.own_call(repository.registry(), &reference);
    use ErrorKind::{NotFound, Rejected, Unsupported};
    let more = digests_in(&call, &reference, &others).map_err(|error| match error.kind() {
        NotFound | Rejected | Unsupported => Error::new(
            Unsupported,
            format!(
                "the tags have {other} digests, and the registry does not serve this {} digest, \
                 so they can't be compared",
                digest.algorithm()
            ),
        )
        .with_hint(format!("ask with the {other} digest of the image"))
        .with_http_status(error.http_status().unwrap_or_default())
        .with_registry_errors(error.registry_errors().to_vec())
        .caused_by(error)
        .about(&reference),
        _ => error,
    })?;
    all.extend(more);
    Ok(all)
}
