//! The registry itself: what each endpoint answers without quirks.

use raw_http::{Answer, Recorded};

use crate::answer::{content, created, error, errors, json, marked};
use crate::effects::Quirks;
use crate::quirk::{Quirk, value};
use crate::store::{Manifest, Store, matches};

/// The endpoint of a path, with repository and reference, digest or session.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Ping,
    Catalog,
    Tags(String),
    Manifest(String, String),
    Blob(String, String),
    Upload(String, String),
    Other,
}

impl Endpoint {
    pub(crate) fn of(path: &str) -> Self {
        // From the right: a repository may be called `a/blobs/b`.
        let split = |kind: fn(String, String) -> Self, by| {
            let (name, last) = path.strip_prefix("/v2/")?.rsplit_once(by)?;
            Some(kind(name.to_owned(), last.to_owned()))
        };
        let tags = path
            .strip_prefix("/v2/")
            .and_then(|rest| rest.strip_suffix("/tags/list"));
        let found = match path {
            "/v2" | "/v2/" => Some(Self::Ping),
            "/v2/_catalog" => Some(Self::Catalog),
            _ => tags.map(|name| Self::Tags(name.to_owned())),
        };
        let found = found.or_else(|| split(Self::Manifest, "/manifests/"));
        let found = found.or_else(|| split(Self::Upload, "/blobs/uploads/"));
        let found = found.or_else(|| split(Self::Blob, "/blobs/"));
        found.unwrap_or(Self::Other)
    }

    pub(crate) fn repository(&self) -> Option<&str> {
        match self {
            Self::Ping | Self::Catalog | Self::Other => None,
            Self::Tags(name) | Self::Manifest(name, _) => Some(name),
            Self::Blob(name, _) | Self::Upload(name, _) => Some(name),
        }
    }

    pub(crate) fn is_list(&self) -> bool {
        matches!(self, Self::Tags(_) | Self::Catalog)
    }
}

/// One request to the registry, whose base URL for the client is `url`.
pub(crate) struct Call<'a> {
    pub(crate) request: &'a Recorded,
    pub(crate) quirks: &'a Quirks,
    pub(crate) url: &'a str,
}

impl Call<'_> {
    pub(crate) fn answer(&self, endpoint: &Endpoint, store: &mut Store) -> Answer {
        use Endpoint::*;
        let no_page = || error(400, "PAGINATION_NUMBER_INVALID");
        match (endpoint, self.request.method.as_str()) {
            (Ping, "GET" | "HEAD") => json(200, &serde_json::json!({})),
            (Catalog, "GET") => self.catalog(store).unwrap_or_else(no_page),
            (Tags(name), "GET") => match store.repositories.get(name) {
                Some(repository) => self.tags(name, repository).unwrap_or_else(no_page),
                None => error(404, "NAME_UNKNOWN"),
            },
            (Manifest(name, tag), "PUT") => self.put_manifest(name, tag, store),
            (Manifest(name, tag), method) => self.manifest(method, name, tag, store),
            (Blob(name, digest), method) => self.blob(method, name, digest, store),
            (Upload(name, id), "POST") if id.is_empty() => self.start_upload(name, store),
            (Upload(name, id), method) => self.upload(method, name, id, store),
            (Other, _) => marked(404, "Content-Type: text/plain", "404 page not found\n"),
            _ => error(405, "UNSUPPORTED"),
        }
    }

    fn manifest(&self, method: &str, name: &str, reference: &str, store: &mut Store) -> Answer {
        let Some(repository) = store.repositories.get_mut(name) else {
            return error(404, "NAME_UNKNOWN");
        };
        let Some((digest, manifest)) = repository.find(reference) else {
            return error(404, "MANIFEST_UNKNOWN");
        };
        let (digest, kind) = (digest.to_owned(), &manifest.media_type);
        let accept = self.request.header("accept").unwrap_or_default();
        match method {
            // E5: distribution sends no OCI manifest to a client that does not accept its type.
            "GET" | "HEAD" if kind.contains("vnd.oci.") && !accept.contains(kind) => {
                errors(404, "MANIFEST_UNKNOWN", NOT_ACCEPTED)
            }
            "GET" | "HEAD" => {
                let mut answer = content(200, &digest, manifest.bytes.clone());
                answer.change("Content-Type", |_| kind.clone());
                answer
            }
            "DELETE" => {
                if repository.tags.remove(reference).is_none() {
                    repository.manifests.remove(&digest);
                    repository.tags.retain(|_, other| *other != digest);
                }
                marked(202, "", "")
            }
            _ => error(405, "UNSUPPORTED"),
        }
    }

    fn put_manifest(&self, name: &str, reference: &str, store: &mut Store) -> Answer {
        let Some(media_type) = self.request.header("content-type") else {
            return error(400, "MANIFEST_INVALID");
        };
        let bytes = self.request.body.clone();
        let by_digest = reference.contains(':');
        let fits = !by_digest || matches(reference, &bytes);
        let manifest = Manifest { media_type, bytes };
        if !fits && manifest.digest() != reference {
            return error(400, "DIGEST_INVALID");
        }
        let digest = store.put_manifest(name, if by_digest { "" } else { reference }, manifest);
        created(&format!("/v2/{name}/manifests/{digest}"), &digest)
    }

    fn blob(&self, method: &str, name: &str, digest: &str, store: &mut Store) -> Answer {
        let Some(blob) = store.blob(name, digest) else {
            return error(404, "BLOB_UNKNOWN");
        };
        let range = self.request.header("range");
        let range = range.and_then(|range| byte_range(&range));
        let length = blob.len();
        match (method, range) {
            ("GET" | "HEAD", None) => content(200, digest, blob.clone()),
            ("GET" | "HEAD", Some((first, last))) if first < length && first <= last => {
                let last = last.min(length - 1);
                let mut answer = content(206, digest, &blob[first..=last]);
                answer.add(&format!("Content-Range: bytes {first}-{last}/{length}"));
                answer
            }
            ("GET" | "HEAD", Some(_)) => {
                marked(416, &format!("Content-Range: bytes */{length}"), "")
            }
            ("DELETE", _) => {
                store.repository(name).blobs.remove(digest);
                marked(202, "", "")
            }
            _ => error(405, "UNSUPPORTED"),
        }
    }

    /// A mount, a whole blob in one request, or a new session.
    fn start_upload(&self, name: &str, store: &mut Store) -> Answer {
        let query = |name| self.request.query(name).unwrap_or_default();
        let (mount, digest) = (query("mount"), query("digest"));
        if let Some(blob) = store.blob(&query("from"), &mount).cloned() {
            return self.commit(name, &mount, blob, store);
        } else if !digest.is_empty() {
            return self.commit(name, &digest, self.request.body.clone(), store);
        }
        store.sessions += 1;
        let id = format!("session-{}", store.sessions);
        let session = (name.to_owned(), Vec::new());
        store.uploads.insert(id.clone(), session);
        self.session(202, name, &id, 0)
    }

    fn upload(&self, method: &str, name: &str, id: &str, store: &mut Store) -> Answer {
        let Some((_, bytes)) = store.uploads.get_mut(id).filter(|(owner, _)| owner == name) else {
            return error(404, "BLOB_UPLOAD_UNKNOWN");
        };
        let offset = bytes.len().to_string();
        let range = self.request.header("content-range");
        let start = range.as_deref().and_then(|range| range.split('-').next());
        // A Location is good for one request (G10), so the client has to use the newest one.
        if self.request.query("_state").as_ref() != Some(&offset) {
            return error(404, "BLOB_UPLOAD_INVALID");
        } else if start.is_some_and(|start| start != offset) {
            return error(416, "RANGE_INVALID");
        }
        bytes.extend_from_slice(&self.request.body);
        match method {
            "GET" => self.session(204, name, id, bytes.len()),
            "PATCH" => self.session(202, name, id, bytes.len()),
            "PUT" => {
                let (_, bytes) = store.uploads.remove(id).unwrap_or_default();
                let digest = self.request.query("digest").unwrap_or_default();
                self.commit(name, &digest, bytes, store)
            }
            "DELETE" => {
                store.uploads.remove(id);
                marked(204, "", "")
            }
            _ => error(405, "UNSUPPORTED"),
        }
    }

    /// The state of a session; `0-0` also before the first byte, as distribution does it (G6).
    fn session(&self, status: u16, name: &str, id: &str, length: usize) -> Answer {
        let base = value!(self.quirks, UploadBase).unwrap_or_default();
        let location = format!("{base}/v2/{name}/blobs/uploads/{id}?_state={length}");
        let end = length.saturating_sub(1);
        let head = format!("Location: {location}\nRange: 0-{end}\nDocker-Upload-UUID: {id}");
        marked(status, &head, "")
    }

    fn commit(&self, name: &str, digest: &str, bytes: Vec<u8>, store: &mut Store) -> Answer {
        if !matches(digest, &bytes) {
            return error(400, "DIGEST_INVALID");
        }
        store.put_blob(name, digest, bytes);
        let base = value!(self.quirks, UploadBase).unwrap_or_default();
        created(&format!("{base}/v2/{name}/blobs/{digest}"), digest)
    }
}

/// First and last byte of `bytes=1-3` or `bytes=1-`; other forms are ignored, as a server may.
fn byte_range(range: &str) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let last = match last {
        "" => usize::MAX,
        last => last.parse().ok()?,
    };
    Some((first.parse().ok()?, last))
}

const NOT_ACCEPTED: &str = "OCI manifest found, but accept header does not support OCI manifests";
