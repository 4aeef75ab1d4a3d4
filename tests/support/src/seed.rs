//! Small, well-formed images, pushed to any registry that speaks plain http.
//!
//! The bytes and so the digests are the same on every run. The functions panic when a push fails,
//! since the test cannot continue.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::http::{Connection, Response};

/// `application/vnd.docker.distribution.manifest.v2+json`
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// `application/vnd.docker.distribution.manifest.list.v2+json`
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// `application/vnd.docker.distribution.manifest.v1+prettyjws`
pub const SCHEMA1_SIGNED: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";
/// `application/vnd.oci.image.manifest.v1+json`
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// `application/vnd.oci.image.index.v1+json`
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// What a registry has to answer for a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeded {
    /// The tag.
    pub tag: String,
    /// The media type of its manifest.
    pub media_type: &'static str,
    /// The digest of its manifest; for schema1 that of the signed payload.
    pub digest: String,
    /// The size of its manifest in bytes.
    pub size: u64,
}

/// A manifest's exact bytes and their type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The media type to push it with.
    pub media_type: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Manifest {
    /// `sha256:…` of the bytes.
    pub fn digest(&self) -> String {
        digest(&self.bytes)
    }

    /// An index (or docker list) of one image for linux/amd64.
    fn index(media_type: &'static str, image: &Self) -> Self {
        let mut entry = descriptor(image.media_type, &image.bytes);
        entry["platform"] = json!({"architecture": "amd64", "os": "linux"});
        Self::new(
            media_type,
            &json!({"schemaVersion": 2, "mediaType": media_type, "manifests": [entry]}),
        )
    }

    fn new(media_type: &'static str, value: &Value) -> Self {
        let bytes = value.to_string().into_bytes();
        Self { media_type, bytes }
    }

    fn seeded(&self, tag: &str) -> Seeded {
        Seeded {
            tag: tag.to_owned(),
            media_type: self.media_type,
            digest: self.digest(),
            size: self.bytes.len() as u64,
        }
    }
}

/// An image of one layer that holds one file. Registries convert it to schema1 only because its
/// config is complete: `rootfs.diff_ids` and `history` agree with the layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The config blob.
    pub config: Vec<u8>,
    /// The layer blob, a gzipped tar.
    pub layer: Vec<u8>,
}

impl Image {
    /// An image whose only file, `greeting`, has this content. The content determines the digest.
    pub fn new(content: &str) -> Self {
        let tar = tar("greeting", content.as_bytes());
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        let layer = gzip
            .write_all(&tar)
            .and_then(|()| gzip.finish())
            .expect("writing to memory succeeds");
        let created = "2026-01-01T00:00:00Z";
        let config = json!({
            "architecture": "amd64",
            "os": "linux",
            "created": created,
            "config": {"Cmd": ["/greeting"]},
            "rootfs": {"type": "layers", "diff_ids": [digest(&tar)]},
            "history": [{"created": created, "created_by": "COPY greeting /"}],
        });
        Self {
            config: config.to_string().into_bytes(),
            layer,
        }
    }

    /// Its manifest in Docker's schema 2.
    pub fn docker_manifest(&self) -> Manifest {
        self.manifest(
            DOCKER_MANIFEST,
            "application/vnd.docker.container.image.v1+json",
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
        )
    }

    /// Its OCI manifest.
    pub fn oci_manifest(&self) -> Manifest {
        self.manifest(
            OCI_MANIFEST,
            "application/vnd.oci.image.config.v1+json",
            "application/vnd.oci.image.layer.v1.tar+gzip",
        )
    }

    /// An OCI index of [`oci_manifest`](Self::oci_manifest).
    pub fn oci_index(&self) -> Manifest {
        Manifest::index(OCI_INDEX, &self.oci_manifest())
    }

    /// A docker manifest list of [`docker_manifest`](Self::docker_manifest).
    pub fn docker_list(&self) -> Manifest {
        Manifest::index(DOCKER_LIST, &self.docker_manifest())
    }

    fn manifest(&self, media_type: &'static str, config: &str, layer: &str) -> Manifest {
        Manifest::new(
            media_type,
            &json!({
                "schemaVersion": 2,
                "mediaType": media_type,
                "config": descriptor(config, &self.config),
                "layers": [descriptor(layer, &self.layer)],
            }),
        )
    }
}

/// Pushes one image in every form: tags `docker`, `oci`, `index` (OCI), `list` (docker), and
/// `schema1` where the registry converts (2.8.2 only). `index` and `list` name the manifests that
/// `oci` and `docker` name.
///
/// # Panics
///
/// When the registry refuses.
#[track_caller]
pub fn push_all(authority: &str, repository: &str) -> Vec<Seeded> {
    let mut registry = Pusher::open(authority, repository);
    let image = Image::new(repository);
    registry.blobs(&image);
    // What an index names must be there before the index.
    let mut seeded: Vec<Seeded> = [
        ("docker", image.docker_manifest()),
        ("oci", image.oci_manifest()),
        ("index", image.oci_index()),
        ("list", image.docker_list()),
    ]
    .iter()
    .map(|(tag, manifest)| registry.manifest(tag, manifest))
    .collect();
    seeded.extend(registry.schema1("schema1", &image));
    seeded
}

/// Pushes one image under every one of these tags, over one connection, and says what each should
/// answer.
///
/// # Panics
///
/// When the registry refuses.
#[track_caller]
pub fn push_tags<T: AsRef<str>>(authority: &str, repository: &str, tags: &[T]) -> Vec<Seeded> {
    let mut registry = Pusher::open(authority, repository);
    let image = Image::new(repository);
    registry.blobs(&image);
    let manifest = image.docker_manifest();
    tags.iter()
        .map(|tag| registry.manifest(tag.as_ref(), &manifest))
        .collect()
}

/// Makes every one of these repositories, each with an image of its own under the tag `latest`.
///
/// # Panics
///
/// When the registry refuses.
#[track_caller]
pub fn push_repositories<T: AsRef<str>>(authority: &str, repositories: &[T]) -> Vec<Seeded> {
    repositories
        .iter()
        .flat_map(|repository| push_tags(authority, repository.as_ref(), &["latest"]))
        .collect()
}

/// Pushes the two blobs of an image.
///
/// # Panics
///
/// When the registry refuses.
#[track_caller]
pub fn push_blobs(authority: &str, repository: &str, image: &Image) {
    Pusher::open(authority, repository).blobs(image);
}

/// Pushes a manifest under a tag; what it names must be there.
///
/// # Panics
///
/// When the registry refuses.
#[track_caller]
pub fn push_manifest(authority: &str, repository: &str, tag: &str, manifest: &Manifest) -> Seeded {
    Pusher::open(authority, repository).manifest(tag, manifest)
}

/// `sha256:…` of some bytes.
pub fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().fold("sha256:".to_owned(), |text, byte| {
        text + &format!("{byte:02x}")
    })
}

/// One connection to one repository.
struct Pusher<'a> {
    connection: Connection,
    repository: &'a str,
}

impl<'a> Pusher<'a> {
    #[track_caller]
    fn open(authority: &str, repository: &'a str) -> Self {
        let connection = Connection::open(authority)
            .unwrap_or_else(|error| panic!("cannot connect to {authority}: {error}"));
        Self {
            connection,
            repository,
        }
    }

    #[track_caller]
    fn blobs(&mut self, image: &Image) {
        for bytes in [&image.config, &image.layer] {
            let target = format!("/v2/{}/blobs/uploads/", self.repository);
            let started = self.send("POST", &target, &[], b"", 202);
            let location = started.header("Location").expect("202 has a Location");
            let path = path_of(location);
            let joint = if path.contains('?') { '&' } else { '?' };
            let target = format!("{path}{joint}digest={}", digest(bytes));
            let octets = [("Content-Type", "application/octet-stream")];
            self.send("PUT", &target, &octets, bytes, 201);
        }
    }

    #[track_caller]
    fn manifest(&mut self, tag: &str, manifest: &Manifest) -> Seeded {
        let target = format!("/v2/{}/manifests/{tag}", self.repository);
        let media_type = [("Content-Type", manifest.media_type)];
        self.send("PUT", &target, &media_type, &manifest.bytes, 201);
        manifest.seeded(tag)
    }

    /// Makes signed schema1 without a signing library. A registry that converts manifests answers a
    /// request without `Accept` for a schema2 image with signed schema1. Pushed back under its tag,
    /// that is stored as schema1.
    #[track_caller]
    fn schema1(&mut self, tag: &str, image: &Image) -> Option<Seeded> {
        let signed = |response: &Response| response.header("Content-Type") == Some(SCHEMA1_SIGNED);
        let other = format!("/v2/{}/manifests/docker", self.repository);
        if !signed(&self.send("GET", &other, &[], b"", 200)) {
            return None;
        }
        self.manifest(tag, &image.docker_manifest());
        let target = format!("/v2/{}/manifests/{tag}", self.repository);
        let converted = self.send("GET", &target, &[], b"", 200);
        let media_type = [("Content-Type", SCHEMA1_SIGNED)];
        let stored = self.send("PUT", &target, &media_type, &converted.body, 201);
        Some(Seeded {
            tag: tag.to_owned(),
            media_type: SCHEMA1_SIGNED,
            digest: stored
                .header("Docker-Content-Digest")
                .expect("2.8.2 says the digest of what it stored")
                .to_owned(),
            size: converted.body.len() as u64,
        })
    }

    #[track_caller]
    fn send(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        expected: u16,
    ) -> Response {
        let response = self
            .connection
            .request(method, target, headers, body)
            .unwrap_or_else(|error| panic!("{method} {target}: {error}"));
        let text = response.text();
        assert_eq!(response.status, expected, "{method} {target}: {text}");
        response
    }
}

/// The path and query of a `Location`, which may be a whole URL.
fn path_of(location: &str) -> &str {
    match location.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        None => location,
    }
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": media_type, "size": bytes.len(), "digest": digest(bytes)})
}

/// A tar archive of one file: a header block, the content padded to blocks, two empty blocks.
fn tar(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = [0u8; 512];
    let mut put = |offset: usize, text: &str| {
        header[offset..offset + text.len()].copy_from_slice(text.as_bytes());
    };
    put(0, name);
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{:011o}\0", content.len()));
    put(136, "00000000000\0");
    // The checksum counts its own field as spaces.
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut archive = header.to_vec();
    archive.extend_from_slice(content);
    archive.resize(archive.len().next_multiple_of(512) + 1024, 0);
    archive
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layer_is_a_tar_that_tar_reads() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("layer.tar.gz");
        std::fs::write(&file, Image::new("hello").layer).unwrap();
        let output = std::process::Command::new("tar")
            .args(["-xzOf", file.to_str().unwrap(), "greeting"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(output.stdout, b"hello");
    }

    #[test]
    fn the_digest_is_sha256() {
        assert_eq!(
            digest(b"hello"),
            "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
        );
    }
}
