//! Tags (distribution spec, "Listing tags"): `GET /v2/<name>/tags/list`.

use super::Client;
use super::call::Call;
use super::pages::{Page, Paging};
use crate::auth::Scope;
use crate::error::{ErrorKind, Result};
use crate::reference::{Repository, Tag};

impl Client {
    /// All tags of a repository, in the registry's order; a tag that a registry lists twice is there once.
    ///
    /// Costs one request a page. A list that breaks off is an error: use [`tag_pages`](Client::tag_pages) to keep what came.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] where the registry has no such repository, [`ErrorKind::Denied`] where it refuses,
    /// [`ErrorKind::Protocol`] where it is no registry or its list does not end, and the failures of any request.
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
        let mut paging = paging(self, repository);
        super::pages::collect(&call, || fetch(&mut paging, &call))
    }

    /// The tags of a repository, page by page as the registry sends them: yields what there is, and then the error that ended it, if
    /// one did. The timeout counts for each page.
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
            paging: paging(self, repository),
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
        fetch(&mut self.paging, &call).transpose()
    }
}

fn paging(client: &Client, repository: &Repository) -> Paging {
    Paging::new(
        format!("/v2/{}/tags/list", repository.name()),
        Scope::pull(repository.name()),
        client.options.page_size,
    )
}

fn fetch(paging: &mut Paging, call: &Call<'_>) -> Result<Option<Page<Tag>>> {
    match paging.fetch(call, "tags") {
        Err(error) if error.kind() == ErrorKind::NotFound => Err(call.confirm_absence(error)),
        result => result,
    }
}
