//! Tags (distribution spec, "Listing tags"): `GET /v2/<name>/tags/list`.

use std::collections::HashMap;
use std::num::NonZeroU32;

use super::call::Call;
use super::group::Group;
use super::handle::Client;
use super::list_body::{Listed, Page};
use super::pages::Paging;
use crate::auth::Scope;
use crate::digest::Digest;
use crate::error::{ErrorKind, Result};
use crate::reference::{Repository, Tag};

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
        super::pages::collect(&call, || fetch(&mut paging, &call))
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
        let page = fetch(&mut self.paging, &call).map(|listed| listed.map(|listed| listed.page));
        page.transpose()
    }
}

fn paging(page_size: Option<NonZeroU32>, repository: &Repository) -> Paging {
    let scope = Scope::pull(repository.name());
    Paging::new(
        format!("/v2/{}/tags/list", repository.name()),
        scope,
        page_size,
    )
}

fn fetch(paging: &mut Paging, call: &Call<'_>) -> Result<Option<Listed<Tag>>> {
    match paging.fetch(call, "tags") {
        Err(error) if error.kind() == ErrorKind::NotFound => Err(call.confirm_absence(error)),
        result => result,
    }
}

/// All tags of a repository, and the digests of those whose list has them.
#[derive(Debug, Default)]
pub(crate) struct TagList {
    pub(crate) tags: Vec<Tag>,
    pub(crate) digests: HashMap<Tag, Digest>,
}

impl Group<'_> {
    /// Reads the whole list as a part of the group.
    pub(crate) fn tag_list(&self, repository: &Repository) -> Result<TagList> {
        let call = self.own_call(repository.registry(), repository);
        let mut paging = paging(call.options.page_size, repository);
        let mut digests = HashMap::new();
        let tags = super::pages::collect(&call, || {
            let mut listed = fetch(&mut paging, &call)?;
            digests.extend(
                listed
                    .iter_mut()
                    .flat_map(|listed| std::mem::take(&mut listed.digests)),
            );
            Ok(listed)
        })?;
        Ok(TagList { tags, digests })
    }
}
