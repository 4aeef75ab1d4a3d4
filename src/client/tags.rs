//! Tags (distribution spec, "Listing tags"): `GET /v2/<name>/tags/list`.

use std::num::NonZeroU32;

use super::call::Call;
use super::group::Group;
use super::handle::Client;
use super::list_body::{Listed, Page, Room, Wanted};
use super::pages::{Paging, collect};
use super::request::Access;
use super::shared_scopes::SharedScopes;
use super::tag_digests::TagDigests;
use crate::auth::Scope;
use crate::error::{Error, ErrorKind, RegistryError, Result};
use crate::reference::{Reference, Repository, Tag};

impl Client {
    /// All tags of a repository, in the registry's order; a tag that a registry lists twice is
    /// there once.
    ///
    /// Costs one request a page. A list that breaks off is an error: use
    /// [`tag_pages`](Client::tag_pages) to keep what came.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] where the registry has no such repository, [`ErrorKind::Denied`]
    /// where it refuses, [`ErrorKind::Protocol`] where it is no registry or its list does not end,
    /// and the failures of any request.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), ocireg::Error> {
    /// let client = ocireg::Client::new()?;
    /// for tag in client.tags(&"localhost:5000/team/app".parse()?)? {
    ///     println!("{tag}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn tags(&self, repository: &Repository) -> Result<Vec<Tag>> {
        let call = self.call(repository.registry(), repository);
        let mut paging = paging(self.options.page_size, repository);
        let wanted = Wanted::Tags(repository.name());
        collect(|room| paging.fetch(&call, wanted, room))
    }

    /// The tags of a repository, page by page as the registry sends them: yields what there is, and
    /// then the error that ended it, if one did. The timeout counts for each page.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), ocireg::Error> {
    /// let client = ocireg::Client::new()?;
    /// for page in client.tag_pages(&"localhost:5000/team/app".parse()?) {
    ///     println!("{} more tags", page?.entries.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn tag_pages(&self, repository: &Repository) -> TagPages {
        TagPages {
            client: self.clone(),
            repository: repository.clone(),
            paging: paging(self.options.page_size, repository),
        }
    }
}

/// The pages of a tag list; see [`Client::tag_pages`].
#[derive(Debug)]
#[must_use]
pub struct TagPages {
    client: Client,
    repository: Repository,
    paging: Paging,
}

impl Iterator for TagPages {
    type Item = Result<Page<Tag>>;

    fn next(&mut self) -> Option<Self::Item> {
        let call = self
            .client
            .call(self.repository.registry(), &self.repository);
        let wanted = Wanted::Tags(self.repository.name());
        let listed = self.paging.fetch(&call, wanted, &mut Room::default());
        listed.transpose().map(|listed| Ok(listed?.page))
    }
}

fn paging(page_size: Option<NonZeroU32>, repository: &Repository) -> Paging {
    let scope = Scope::pull(repository.name());
    Paging::new(
        format!("/v2/{}/tags/list", repository.name()),
        Access::Scopes(vec![scope]),
        page_size,
    )
}

/// What the tags of a repository say about a manifest whose own 404 does not say enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListSays {
    /// The tag is not in the list, or the registry says that it has no such repository.
    Absent,
    /// The list has the tag, or it can't tell.
    Nothing,
}

impl Call<'_> {
    /// Asks the tag list about a manifest. This costs a request for each page.
    ///
    /// A refusal of the list says nothing about the manifest: some registries want another right
    /// for it (ACR, ECR). A list holds no digests, and serverless-registry sends an empty one for a
    /// repository that it does not have.
    ///
    /// # Errors
    ///
    /// There was no answer, and another attempt may get one.
    pub(crate) fn ask_list(&self, reference: &Reference) -> Result<ListSays> {
        // What the list is refused for is no matter to other calls of the group.
        let alone = Call {
            state: self.state.clone(),
            interrupt: self.interrupt.clone(),
            unusable: None,
            shared_scopes: SharedScopes::default(),
            known_failures: None,
            ..*self
        };
        let repository = reference.repository();
        let mut paging = paging(None, repository);
        let wanted = Wanted::Tags(repository.name());
        loop {
            let listed: Result<Option<Listed<Tag>>> =
                paging.fetch(&alone, wanted, &mut Room::default());
            match listed {
                Ok(None) => return Ok(ListSays::Absent),
                // It may be about a repository of another name.
                Ok(Some(listed)) if listed.cross_origin => return Ok(ListSays::Nothing),
                Ok(Some(listed)) => match (reference.digest(), reference.tag()) {
                    (None, Some(tag)) if !listed.page.entries.contains(tag) => {}
                    _ => return Ok(ListSays::Nothing),
                },
                Err(error) if is_no_repository(&error) => return Ok(ListSays::Absent),
                Err(error) if is_no_answer(&error) => return Err(error),
                Err(_) => return Ok(ListSays::Nothing),
            }
        }
    }
}

/// Whether the registry says that it has no such repository. The version header alone does not:
/// public ECR has sent it with the 404 of a list that it did not support.
fn is_no_repository(error: &Error) -> bool {
    let stated = error.registry_errors();
    let has_code = |stated: &RegistryError| ["NAME_UNKNOWN", "NOT_FOUND"].contains(&&*stated.code);
    error.kind() == ErrorKind::NotFound && !stated.is_empty() && stated.iter().all(has_code)
}

/// Whether the list was neither given nor refused.
fn is_no_answer(error: &Error) -> bool {
    !matches!(
        error.kind(),
        ErrorKind::Denied
            | ErrorKind::Unauthorized
            | ErrorKind::NotFound
            | ErrorKind::Unsupported
            | ErrorKind::Rejected
            | ErrorKind::Protocol
            | ErrorKind::TooLarge
    )
}

/// All tags of a repository, and the digests of those whose list has them.
#[derive(Debug)]
pub(crate) struct TagList {
    pub(crate) tags: Vec<Tag>,
    pub(crate) digests: TagDigests,
}

impl Group<'_> {
    /// Reads the whole list as a part of the group.
    pub(crate) fn tag_list(&self, repository: &Repository) -> Result<TagList> {
        let call = self.own_call(repository.registry(), repository);
        let mut paging = paging(call.options.page_size, repository);
        let mut digests = TagDigests::default();
        let wanted = Wanted::TagsAndDigests(repository.name());
        let tags = collect(|room| {
            let mut listed = paging.fetch(&call, wanted, room)?;
            if let Some(listed) = &mut listed {
                digests.merge(std::mem::take(&mut listed.digests));
            }
            Ok(listed)
        })?;
        Ok(TagList { tags, digests })
    }
}
