//! The content of the registry.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) repositories: BTreeMap<String, Repository>,
    /// Open upload sessions: repository and the bytes so far.
    pub(crate) uploads: BTreeMap<String, (String, Vec<u8>)>,
    /// Counts sessions, for names that are never used twice.
    pub(crate) sessions: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Repository {
    pub(crate) manifests: BTreeMap<String, Manifest>,
    /// Tag to digest, in the order in which lists give them.
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) blobs: BTreeMap<String, Vec<u8>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    pub(crate) media_type: String,
    pub(crate) bytes: Vec<u8>,
}

impl Store {
    pub(crate) fn repository(&mut self, name: &str) -> &mut Repository {
        self.repositories.entry(name.to_owned()).or_default()
    }

    /// Stores a manifest, under a tag unless that is empty, and returns its digest.
    pub(crate) fn put_manifest(&mut self, name: &str, tag: &str, manifest: Manifest) -> String {
        let digest = manifest.digest();
        let repository = self.repository(name);
        repository.manifests.insert(digest.clone(), manifest);
        if !tag.is_empty() {
            repository.tags.insert(tag.to_owned(), digest.clone());
        }
        digest
    }

    pub(crate) fn put_blob(&mut self, name: &str, digest: &str, bytes: Vec<u8>) {
        let blobs = &mut self.repository(name).blobs;
        blobs.insert(digest.to_owned(), bytes);
    }

    pub(crate) fn blob(&self, repository: &str, digest: &str) -> Option<&Vec<u8>> {
        self.repositories.get(repository)?.blobs.get(digest)
    }
}

impl Repository {
    /// The manifest of a tag or digest, with its digest.
    pub(crate) fn find(&self, reference: &str) -> Option<(&str, &Manifest)> {
        let digest = self.tags.get(reference).map_or(reference, String::as_str);
        let found = self.manifests.get_key_value(digest);
        found.map(|(digest, manifest)| (digest.as_str(), manifest))
    }
}

impl Manifest {
    /// The digest of signed schema1 is that of its payload, since the signature differs each time
    /// (E7).
    pub(crate) fn digest(&self) -> String {
        let signed = self.media_type.ends_with("v1+prettyjws");
        let payload = signed.then(|| jws_payload(&self.bytes)).flatten();
        sha256(payload.as_deref().unwrap_or(&self.bytes))
    }
}

/// What was signed: the body up to `formatLength`, then `formatTail`.
fn jws_payload(bytes: &[u8]) -> Option<Vec<u8>> {
    let body: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let decode = |text: &serde_json::Value| URL_SAFE_NO_PAD.decode(text.as_str()?).ok();
    let protected = decode(&body["signatures"][0]["protected"])?;
    let protected: serde_json::Value = serde_json::from_slice(&protected).ok()?;
    let length = usize::try_from(protected["formatLength"].as_u64()?).ok()?;
    Some([bytes.get(..length)?, &decode(&protected["formatTail"])?].concat())
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// Whether the bytes have this digest; false for an unknown algorithm.
pub(crate) fn matches(digest: &str, bytes: &[u8]) -> bool {
    match digest.split(':').next() {
        Some("sha256") => digest == sha256(bytes),
        Some("sha384") => digest == format!("sha384:{}", hex::encode(Sha384::digest(bytes))),
        Some("sha512") => digest == format!("sha512:{}", hex::encode(Sha512::digest(bytes))),
        _ => false,
    }
}
