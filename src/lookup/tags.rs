//! Which tags are the same image: the tags of a repository, compared by the digests they resolve
//! to.

use super::presence::describe;
use super::workers::{self, Lane};
use crate::client::{Client, SharedScopes};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::reference::{Reference, Repository, Tag};
use crate::resolved::Resolved;

impl Client {
    /// All tags of the same repository that have this image's digest, its own tag among them, in
    /// the registry's order.
    ///
    /// Costs a request for each page of the tag list and one for each tag, up to
    /// [`CallOptions::concurrency`](crate::CallOptions::concurrency) at once; with Google's
    /// registries, whose lists hold the digests, a list is enough. Compared is what a tag itself
    /// resolves to: for a multi-platform image its index, not the platforms in it.
    ///
    /// # Errors
    ///
    /// As [`digest`](Client::digest) and [`tags`](Client::tags). A tag that has vanished meanwhile
    /// is left out; any other failure ends the call, since a list with gaps would look complete.
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
        let wanted = match (reference.digest(), reference.tag()) {
            (Some(digest), _) => Wanted::Digest(digest),
            (None, Some(tag)) => Wanted::SameAs(tag),
            // A reference has one of the two.
            (None, None) => {
                return Err(
                    Error::new(ErrorKind::InvalidReference, "neither tag nor digest")
                        .about(reference),
                );
            }
        };
        self.tags_with(reference.repository(), wanted)
    }

    /// All tags of a repository that have this digest, in the registry's order; none is an answer
    /// too.
    ///
    /// Costs and errors are those of [`tags_sharing`](Client::tags_sharing).
    pub fn tags_of_digest(&self, repository: &Repository, digest: &Digest) -> Result<Vec<Tag>> {
        self.tags_with(repository, Wanted::Digest(digest))
    }

    fn tags_with(&self, repository: &Repository, wanted: Wanted<'_>) -> Result<Vec<Tag>> {
        let group = self.group();
        let list = group.tag_list(repository)?;
        let mut tags = list.tags;
        // Its digest is what the others are compared with, so it is asked also where the list does
        // not have it.
        match wanted {
            Wanted::SameAs(tag) if !tags.contains(tag) => tags.push(tag.clone()),
            _ => {}
        }
        let known = |tag: &Tag| list.digests.get(tag).cloned();
        let mut digests: Vec<Option<Digest>> = tags.iter().map(known).collect();
        let unknown: Vec<usize> = (0..tags.len())
            .filter(|&tag| digests[tag].is_none())
            .collect();
        // Beside the entries of the list, which are done.
        group.expect(unknown.len());
        let mut failure = None;
        let ask = |item: usize| {
            let reference = repository.tagged(tags[item].clone());
            let call = group.call(repository.registry(), &reference, SharedScopes::default());
            describe(&call, &reference)
        };
        let done = |item: usize, result: Result<Resolved>| {
            group.advanced();
            match result {
                Ok(descriptor) => digests[item] = Some(descriptor.digest),
                // Vanished since the list was made, unless it is the one that was asked for.
                Err(error)
                    if error.kind() == ErrorKind::NotFound
                        && wanted != Wanted::SameAs(&tags[item]) => {}
                Err(error) => {
                    group.stop();
                    failure.get_or_insert(error);
                }
            }
        };
        let lanes = vec![Lane {
            items: unknown.into(),
            needs_leader: false,
        }];
        workers::run(lanes, self.concurrency(), group.slice(), ask, done, || {
            group.tick()
        });
        if let Some(error) = failure {
            return Err(error);
        }
        group.check(repository)?;
        let digest = match wanted {
            Wanted::Digest(digest) => Some(digest.clone()),
            Wanted::SameAs(tag) => tags
                .iter()
                .position(|other| other == tag)
                .and_then(|own| digests[own].clone()),
        };
        let same = tags
            .into_iter()
            .zip(digests)
            .filter(|(_, found)| found.is_some() && *found == digest);
        Ok(same.map(|(tag, _)| tag).collect())
    }
}

/// What the tags are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted<'a> {
    Digest(&'a Digest),
    SameAs(&'a Tag),
}
