//! The catalog (Docker Registry HTTP API V2, "Listing repositories"): `GET /v2/_catalog`.

use super::call::Call;
use super::handle::Client;
use super::list_body::{Listed, Page, Room, Wanted};
use super::pages::{Paging, collect};
use super::request::Access;
use crate::auth::Scope;
use crate::error::{Error, ErrorKind, Result};
use crate::reference::{Registry, RepositoryName};

impl Client {
    /// All repositories of a registry, in its order.
    ///
    /// Many registries have no catalog, or show only a part of it; it is not in the OCI
    /// specification. Costs one request a page. A list that breaks off is an error: use
    /// [`catalog_pages`](Client::catalog_pages) to keep what came.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] where the registry has no catalog, [`ErrorKind::Denied`] where it
    /// refuses, [`ErrorKind::Protocol`] where it is no registry or its list does not end, and the
    /// failures of any request.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), ocireg::Error> {
    /// let client = ocireg::Client::new()?;
    /// for name in client.catalog(&"localhost:5000".parse()?)? {
    ///     println!("{name}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn catalog(&self, registry: &Registry) -> Result<Vec<RepositoryName>> {
        let call = self.call(registry, registry);
        let mut paging = paging(self);
        collect(|room| fetch(&mut paging, &call, room))
    }

    /// The repositories of a registry, page by page as it sends them: yields what there is, and
    /// then the error that ended it, if one did. The timeout counts for each page.
    pub fn catalog_pages(&self, registry: &Registry) -> CatalogPages {
        CatalogPages {
            client: self.clone(),
            registry: registry.clone(),
            paging: paging(self),
        }
    }
}

/// The pages of a catalog; see [`Client::catalog_pages`].
#[derive(Debug)]
#[must_use]
pub struct CatalogPages {
    client: Client,
    registry: Registry,
    paging: Paging,
}

impl Iterator for CatalogPages {
    type Item = Result<Page<RepositoryName>>;

    fn next(&mut self) -> Option<Self::Item> {
        let call = self.client.call(&self.registry, &self.registry);
        let listed = fetch(&mut self.paging, &call, &mut Room::default());
        listed.transpose().map(|listed| Ok(listed?.page))
    }
}

fn paging(client: &Client) -> Paging {
    Paging::new(
        "/v2/_catalog".to_owned(),
        Access::Offered(vec![Scope::catalog()]),
        client.options.page_size,
    )
}

fn fetch(
    paging: &mut Paging,
    call: &Call<'_>,
    room: &mut Room,
) -> Result<Option<Listed<RepositoryName>>> {
    match paging.fetch(call, Wanted::Repositories, room) {
        Err(error) if is_missing(&error) => Err(no_catalog(call, call.confirm_registry(error))),
        result => result,
    }
}

fn is_missing(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Unsupported)
}

/// A registry without a catalog answers 404 or 405. To find out whether it is one may have failed:
/// then that failure is the answer.
fn no_catalog(call: &Call<'_>, error: Error) -> Error {
    if !is_missing(&error) {
        return error;
    }
    let status = error.http_status().unwrap_or_default();
    Error::new(
        ErrorKind::Unsupported,
        format!("this registry has no catalog (HTTP {status})"),
    )
    .with_http_status(status)
    .with_registry_errors(error.registry_errors().to_vec())
    .about(call.about)
}
