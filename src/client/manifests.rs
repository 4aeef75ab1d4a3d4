//! Manifests (distribution spec, "Pulling manifests"): `HEAD` and
//! `GET /v2/<name>/manifests/<reference>`.

use std::borrow::Cow;
use std::sync::LazyLock;

use super::answer::Complete;
use super::call::Call;
use super::request::{Access, Request};
use crate::auth::Scope;
use crate::error::Error;
use crate::http::{Headers, Method};
use crate::manifest::accept_header;
use crate::reference::Reference;

/// The types that are always accepted, as they go over the wire.
static ACCEPT: LazyLock<String> = LazyLock::new(|| accept_header(&[]));

/// A manifest as it came.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) headers: Headers,
    pub(crate) bytes: Vec<u8>,
}

impl Call<'_> {
    /// Asks for a manifest's headers; the answer of any status.
    pub(crate) fn head_manifest(&self, reference: &Reference) -> Result<Complete, Error> {
        self.send(&self.manifest(Method::Head, reference), |answer| {
            Ok(answer.complete()?)
        })
    }

    /// Fetches a manifest, or the answer that refuses it.
    pub(crate) fn get_manifest(
        &self,
        reference: &Reference,
    ) -> Result<Result<Fetched, Complete>, Error> {
        let limit = self.client.settings.max_manifest;
        self.send(&self.manifest(Method::Get, reference), |answer| {
            if !answer.is_success() {
                return Ok(Err(answer.complete()?));
            }
            let headers = answer.headers.clone();
            let bytes = answer.read_to_limit(limit)?;
            Ok(Ok(Fetched { headers, bytes }))
        })
    }

    fn manifest<'r>(&'r self, method: Method, reference: &Reference) -> Request<'r> {
        let name = reference.repository().name();
        let which = reference.manifest_reference();
        let path = ["/v2/", name.as_str(), "/manifests/", which].concat();
        let accept = match self.options.accept.as_slice() {
            [] => Cow::Borrowed(ACCEPT.as_str()),
            more => Cow::Owned(accept_header(more)),
        };
        Request::new(
            method,
            path,
            accept,
            Access::Scopes(vec![Scope::pull(name)]),
        )
    }
}
