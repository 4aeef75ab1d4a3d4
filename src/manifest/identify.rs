//! The media type of a manifest that a registry sent.
//!
//! If one program reads a document as an image and another reads it as an index, both under one
//! digest, an attacker can show each of them something else (CVE-2021-41190). So header and body
//! must agree, and the body must have the keys of its type. A document that programs may read in
//! different ways is refused: one that has a key twice, or has it in another case.

use super::shape::{Family, Shape};
use super::{MediaType, unreadable};
use crate::error::{Error, ErrorKind, Result};
use crate::redact::Redactor;

/// The type of this manifest. It is the type in the header or, if that is a general one, the body's
/// `mediaType`. If the body has none, its keys tell the type. `accepted_extra` are the types that
/// the caller added to `Accept`. What an error quotes is shown through `redactor`.
///
/// ```text
/// Content-Type          "mediaType"    keys              type
/// …image.index.v1+json  the same/none  manifests         …image.index.v1+json
/// …image.index.v1+json  another        any               refused
/// application/json      …list.v2+json  manifests         …list.v2+json
/// none                  none           fsLayers, 1       schema1, by its signatures
/// none                  none           config, layers    OCI or Docker, by the config's type
/// none                  none           manifests         OCI or Docker, by the entries' types
/// text/html             any            any               refused
/// ```
///
/// # Errors
///
/// [`Protocol`](ErrorKind::Protocol) if the document is no manifest, if its type was not asked for,
/// or if it is ambiguous.
pub(crate) fn identify(
    content_type: Option<&str>,
    body: &[u8],
    accepted_extra: &[MediaType],
    redactor: &Redactor<'_>,
) -> Result<MediaType> {
    let accepted = |media_type: MediaType| {
        if media_type.is_manifest() || accepted_extra.contains(&media_type) {
            return Ok(media_type);
        }
        Err(unasked(&media_type, redactor))
    };
    let header = type_in_header(content_type).map(&accepted).transpose()?;
    let shape: Shape =
        serde_json::from_slice(body).map_err(|error| unreadable(&error, redactor))?;
    shape.refuse_mixed()?;
    let declared = match (header, shape.type_in_body(redactor)?) {
        (Some(header), Some(body)) if header != body => {
            return Err(contradiction(&header, &body, redactor));
        }
        (Some(header), _) => header,
        (None, Some(body)) => accepted(body)?,
        (None, None) => return shape.infer(),
    };
    shape.fits(&declared)?;
    Ok(declared)
}

/// The type in a `Content-Type`. `None` if that is missing, unreadable or general.
fn type_in_header(content_type: Option<&str>) -> Option<MediaType> {
    let media_type = MediaType::from_content_type(content_type?)?;
    (!GENERAL.contains(&media_type.as_str())).then_some(media_type)
}

/// The types that misconfigured and static servers send for any file. The last one is what Amazon's
/// storage sends.
const GENERAL: [&str; 4] = [
    "text/plain",
    "application/json",
    "application/octet-stream",
    "binary/octet-stream",
];

impl Shape {
    fn type_in_body(&self, redactor: &Redactor<'_>) -> Result<Option<MediaType>> {
        let Some(text) = &self.media_type else {
            return Ok(None);
        };
        match text.parse() {
            Ok(media_type) => Ok(Some(media_type)),
            Err(_) => {
                let text = redactor.shown(text, MAX_SHOWN);
                Err(refused(&format!(
                    "its mediaType \"{text}\" is no media type"
                )))
            }
        }
    }

    /// Refuses a document that can be read both as an image and as an index, whatever its type.
    fn refuse_mixed(&self) -> Result<()> {
        let kinds = [
            ("manifests", self.manifests.is_some()),
            ("config or layers", self.is_image()),
            ("fsLayers", self.fs_layers.is_some()),
        ];
        let mut present = kinds.iter().filter(|(_, is_there)| *is_there);
        match (present.next(), present.next()) {
            (Some((one, _)), Some((other, _))) => {
                Err(refused(&format!("it has {one} together with {other}")))
            }
            _ => Ok(()),
        }
    }

    fn is_image(&self) -> bool {
        self.config.is_some() || self.layers.is_some()
    }

    /// Checks that the document has the keys of its type. Types that the caller added are not
    /// checked, because their keys are unknown.
    fn fits(&self, media_type: &MediaType) -> Result<()> {
        if !media_type.is_manifest() {
            return Ok(());
        }
        let (version, keys, has_keys) = if media_type.is_index() {
            (2, "manifests", self.manifests.is_some())
        } else if media_type.is_schema1() {
            (1, "fsLayers", self.fs_layers.is_some())
        } else {
            (2, "config or layers", self.is_image())
        };
        if self.schema_version != Some(version) {
            let found = match self.schema_version {
                Some(found) => format!("is {found}"),
                None => "is missing".to_owned(),
            };
            return Err(refused(&format!(
                "its schemaVersion {found} but {media_type} has {version}"
            )));
        }
        if !has_keys {
            return Err(refused(&format!(
                "it is said to be {media_type} but has no {keys}"
            )));
        }
        Ok(())
    }

    /// The type that follows from the keys alone.
    fn infer(&self) -> Result<MediaType> {
        let family = |family, oci, docker| match family {
            Family::Oci => Some(oci),
            Family::Docker => Some(docker),
            Family::Unstated | Family::Other => None,
        };
        let guess = if self.fs_layers.is_some() {
            Some(if self.signatures.is_some() {
                MediaType::SCHEMA1_SIGNED
            } else {
                MediaType::SCHEMA1
            })
        } else if let (Some(config), true) = (self.config, self.layers.is_some()) {
            family(config, MediaType::OCI_MANIFEST, MediaType::DOCKER_MANIFEST)
        } else if let Some(entries) = self.manifests {
            family(entries, MediaType::OCI_INDEX, MediaType::DOCKER_LIST)
        } else {
            None
        };
        let media_type = guess
            .ok_or_else(|| refused("neither the Content-Type nor the content tells its type"))?;
        self.fits(&media_type)?;
        Ok(media_type)
    }
}

fn unasked(media_type: &MediaType, redactor: &Redactor<'_>) -> Error {
    let message = match media_type.as_str() {
        "text/html" => "the answer is a web page, not a manifest".to_owned(),
        other => {
            let other = redactor.shown(other, MAX_SHOWN);
            format!("the answer is of type {other}, which was not asked for")
        }
    };
    Error::new(ErrorKind::Protocol, message)
}

fn contradiction(header: &MediaType, body: &MediaType, redactor: &Redactor<'_>) -> Error {
    let header = redactor.shown(header.as_str(), MAX_SHOWN);
    let body = redactor.shown(body.as_str(), MAX_SHOWN);
    refused(&format!(
        "its Content-Type is {header} but its mediaType is {body}"
    ))
}

fn refused(problem: &str) -> Error {
    let message = format!("the manifest is refused: {problem}");
    Error::new(ErrorKind::Protocol, message)
}

/// How much of a media type an error shows. The longest of the six has 57 characters.
const MAX_SHOWN: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
    const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
    const SIGNED: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    const SCHEMA1: &str = "application/vnd.docker.distribution.manifest.v1+json";
    const EXTRA: &str = "application/x.extra";

    const INDEX: &str = r#"{"schemaVersion":2,"manifests":[]}"#;
    const IMAGE: &str = r#"{"schemaVersion":2,"config":{},"layers":[]}"#;
    const OLD: &str = r#"{"schemaVersion":1,"fsLayers":[]}"#;
    const OLD_SIGNED: &str = r#"{"schemaVersion":1,"fsLayers":[],"signatures":[]}"#;

    fn type_of(content_type: Option<&str>, body: &str) -> Result<String, String> {
        let extra: MediaType = EXTRA.parse().unwrap();
        match identify(
            content_type,
            body.as_bytes(),
            &[extra],
            &Redactor::without_secrets(),
        ) {
            Ok(media_type) => Ok(media_type.to_string()),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Protocol);
                Err(error.to_string())
            }
        }
    }

    #[track_caller]
    fn expect_error(content_type: Option<&str>, body: &str, expected: &str) {
        let error = type_of(content_type, body).unwrap_err();
        assert!(error.contains(expected), "{content_type:?} {body}: {error}");
    }

    /// The body with this `mediaType` added.
    fn with_type(media_type: &str, body: &str) -> String {
        body.replacen('{', &format!(r#"{{"mediaType":"{media_type}","#), 1)
    }

    fn image(config: &str) -> String {
        format!(r#"{{"schemaVersion":2,"config":{{"mediaType":"{config}"}},"layers":[]}}"#)
    }

    fn index(entries: &[&str]) -> String {
        let entry = |of: &&str| format!(r#"{{"size":1,"mediaType":"{of}"}}"#);
        let entries: Vec<String> = entries.iter().map(entry).collect();
        format!(
            r#"{{"schemaVersion":2,"manifests":[{}]}}"#,
            entries.join(",")
        )
    }

    #[test]
    fn e10_header_and_body_agree() {
        let cases = [
            (OCI_INDEX, INDEX),
            (OCI_MANIFEST, IMAGE),
            (DOCKER_LIST, INDEX),
            (DOCKER_MANIFEST, IMAGE),
            (SIGNED, OLD_SIGNED),
            (SCHEMA1, OLD),
            (EXTRA, r#"{"anything":1}"#),
        ];
        for (media_type, body) in cases {
            let expected = Ok(media_type.to_owned());
            assert_eq!(type_of(Some(media_type), body), expected);
            assert_eq!(
                type_of(Some(media_type), &with_type(media_type, body)),
                expected
            );
            let odd = format!("{} ; charset=utf-8", media_type.to_ascii_uppercase());
            assert_eq!(type_of(Some(&odd), body), expected);
        }
    }

    #[test]
    fn e10_a_general_header_leaves_it_to_the_body() {
        let headers = [
            None,
            Some(""),
            Some("?"),
            Some("text/plain; charset=utf-8"),
            Some("application/json"),
            Some("application/octet-stream"),
            Some("binary/octet-stream"),
        ];
        let bodies = [
            (OCI_INDEX, INDEX),
            (DOCKER_MANIFEST, IMAGE),
            (SIGNED, OLD_SIGNED),
            (EXTRA, r#"{"anything":1}"#),
        ];
        for header in headers {
            for (media_type, body) in bodies {
                let found = type_of(header, &with_type(media_type, body));
                assert_eq!(found.as_deref(), Ok(media_type), "{header:?}");
            }
        }
    }

    #[test]
    fn e10_the_keys_tell_if_nothing_else_does() {
        let cases = [
            (OLD, SCHEMA1),
            (OLD_SIGNED, SIGNED),
            (
                &image("application/vnd.oci.image.config.v1+json"),
                OCI_MANIFEST,
            ),
            (
                &image("application/vnd.docker.container.image.v1+json"),
                DOCKER_MANIFEST,
            ),
            (&index(&[OCI_MANIFEST, OCI_INDEX]), OCI_INDEX),
            (&index(&[DOCKER_MANIFEST]), DOCKER_LIST),
        ];
        for (body, expected) in cases {
            assert_eq!(type_of(None, body).as_deref(), Ok(expected), "{body}");
        }
    }

    #[test]
    fn e10_an_ambiguous_shape_is_refused() {
        let cases = [
            "{}",
            r#"{"errors":[{"code":"DENIED"}]}"#,
            INDEX,
            IMAGE,
            r#"{"schemaVersion":2,"config":null,"layers":null}"#,
            r#"{"schemaVersion":2,"manifests":null}"#,
            r#"{"schemaVersion":2,"manifests":[{}]}"#,
            r#"{"schemaVersion":2,"layers":[]}"#,
            &image("application/vnd.cncf.helm.config.v1+json"),
            &index(&[OCI_MANIFEST, DOCKER_MANIFEST]),
            &index(&[DOCKER_MANIFEST, "application/x"]),
        ];
        for body in cases {
            let expected =
                "the manifest is refused: neither the Content-Type nor the content tells its type";
            expect_error(None, body, expected);
        }
        expect_error(
            None,
            r#"{"fsLayers":[]}"#,
            "its schemaVersion is missing but",
        );
        let of_another_version = index(&[OCI_MANIFEST]).replace(":2,", ":1,");
        expect_error(None, &of_another_version, "its schemaVersion is 1 but");
    }

    #[test]
    fn e6_a_type_that_was_not_asked_for_is_refused() {
        let unasked = "the answer is of type application/y, which was not asked for";
        expect_error(Some("application/y"), IMAGE, unasked);
        expect_error(None, &with_type("application/y", IMAGE), unasked);
        expect_error(
            Some("application/xml"),
            "<Error/>",
            "is of type application/xml,",
        );
    }

    #[test]
    fn r32_what_is_no_manifest_is_refused() {
        let page = "the answer is a web page, not a manifest";
        expect_error(Some("text/html; charset=utf-8"), "<html>", page);
        expect_error(Some("text/html"), &with_type(OCI_INDEX, INDEX), page);
        let not_json = "the answer is no manifest: it is not JSON";
        let cases = [
            ("<html></html>", "it is not JSON (line 1 column 1)"),
            ("", not_json),
            (r#"{"schemaVersion":2"#, not_json),
            ("{} {}", not_json),
            ("true", "expected a JSON object"),
            ("[1]", "expected a JSON object"),
            (r#"{"mediaType":7}"#, "expected a string"),
            (
                r#"{"mediaType":"\u001b[2J"}"#,
                "its mediaType \"\u{fffd}[2J\" is no media type",
            ),
            (r#"{"schemaVersion":"2"}"#, "expected u64"),
            (r#"{"schemaVersion":-2}"#, "expected u64"),
            (r#"{"config":"x"}"#, "expected a descriptor"),
            (r#"{"manifests":{}}"#, "expected a list of descriptors"),
            (r#"{"manifests":[[]]}"#, "expected a descriptor"),
        ];
        for (body, expected) in cases {
            expect_error(None, body, expected);
            expect_error(Some(OCI_INDEX), body, expected);
        }
    }

    #[test]
    fn s7_header_body_and_shape_must_agree() {
        let contradiction =
            format!("its Content-Type is {OCI_MANIFEST} but its mediaType is {OCI_INDEX}");
        expect_error(
            Some(OCI_MANIFEST),
            &with_type(OCI_INDEX, INDEX),
            &contradiction,
        );
        expect_error(
            Some(EXTRA),
            &with_type(OCI_INDEX, INDEX),
            "its Content-Type is",
        );
        expect_error(Some(OCI_MANIFEST), INDEX, "but has no config or layers");
        expect_error(Some(OCI_INDEX), IMAGE, "but has no manifests");
        expect_error(
            Some(SCHEMA1),
            r#"{"schemaVersion":1}"#,
            "but has no fsLayers",
        );
        expect_error(Some(SIGNED), IMAGE, "its schemaVersion is 2 but");
        expect_error(
            Some(OCI_INDEX),
            r#"{"manifests":[]}"#,
            "its schemaVersion is missing but",
        );
        expect_error(
            Some(OCI_INDEX),
            r#"{"schemaVersion":3,"manifests":[]}"#,
            "is 3 but",
        );
    }

    #[test]
    fn s7_a_document_of_two_kinds_is_refused_under_every_type() {
        let index_and_image = "it has manifests together with config or layers";
        let cases = [
            (
                r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#,
                index_and_image,
            ),
            (
                r#"{"schemaVersion":2,"config":{},"manifests":[]}"#,
                index_and_image,
            ),
            (
                r#"{"schemaVersion":2,"manifests":null,"layers":null}"#,
                index_and_image,
            ),
            (
                r#"{"schemaVersion":1,"manifests":[],"fsLayers":[]}"#,
                "it has manifests together with fsLayers",
            ),
            (
                r#"{"schemaVersion":1,"layers":[],"fsLayers":[]}"#,
                "it has config or layers together with fsLayers",
            ),
        ];
        for media_type in TYPES.into_iter().chain([EXTRA]) {
            for (body, expected) in cases {
                expect_error(Some(media_type), body, expected);
            }
        }
    }

    #[test]
    fn s7_a_key_twice_or_in_another_case_is_refused() {
        let keys = [
            ("mediaType", r#""a/b""#),
            ("schemaVersion", "2"),
            ("config", "{}"),
            ("layers", "[]"),
            ("manifests", "[]"),
            ("fsLayers", "[]"),
            ("signatures", "[]"),
        ];
        for (key, value) in keys {
            let expected = format!(r#"two keys "{key}""#);
            let twice = format!(r#"{{"{key}":{value},"{key}":{value}}}"#);
            expect_error(Some(OCI_INDEX), &twice, &expected);
            let escaped = format!("\\u{:04x}{}", key.as_bytes()[0], &key[1..]);
            let twice = format!(r#"{{"{key}":{value},"{escaped}":{value}}}"#);
            expect_error(Some(OCI_INDEX), &twice, &expected);
            let shouted = format!(r#"{{"{}":{value}}}"#, key.to_uppercase());
            let expected = format!(r#"a key that some readers take for "{key}""#);
            expect_error(Some(OCI_INDEX), &shouted, &expected);
        }
        let expected = r#"a key that some readers take for "manifests""#;
        expect_error(None, "{\"manife\u{17f}ts\":[]}", expected);
        // Any key may come inside other values, and keys of other names decide nothing.
        let body = concat!(
            r#"{"schemaVersion":2,"manifests":[{"Config":1,"config":2}],"#,
            r#""annotations":{"a":1,"a":2}}"#
        );
        assert_eq!(type_of(Some(OCI_INDEX), body).as_deref(), Ok(OCI_INDEX));
    }

    const TYPES: [&str; 7] = [
        OCI_INDEX,
        OCI_MANIFEST,
        DOCKER_LIST,
        DOCKER_MANIFEST,
        SIGNED,
        SCHEMA1,
        "text/plain",
    ];

    /// Documents with any combination of the keys that tell a type.
    fn document() -> impl Strategy<Value = String> {
        let key = |name: &'static str, values: &'static [&'static str]| {
            let value = prop::sample::select(values);
            prop::option::of(value.prop_map(move |value| format!(r#""{name}":{value}"#)))
        };
        let keys = (
            key(
                "mediaType",
                &[r#""application/vnd.oci.image.index.v1+json""#],
            ),
            key("schemaVersion", &["1", "2"]),
            key(
                "config",
                &["null", r#"{"mediaType":"application/vnd.oci.x"}"#],
            ),
            key("layers", &["[]"]),
            key(
                "manifests",
                &["[]", r#"[{"mediaType":"application/vnd.docker.x"}]"#],
            ),
            key("fsLayers", &["[]"]),
            key("signatures", &["[]"]),
        );
        keys.prop_map(|(a, b, c, d, e, f, g)| {
            let keys: Vec<String> = [a, b, c, d, e, f, g].into_iter().flatten().collect();
            format!("{{{}}}", keys.join(","))
        })
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(content_type in any::<String>(), body in any::<Vec<u8>>()) {
            let _ = identify(Some(&content_type), &body, &[], &Redactor::without_secrets());
        }

        /// A document that is accepted is of one kind under every header.
        #[test]
        fn s7_the_kind_does_not_depend_on_the_header(body in document()) {
            let kinds: std::collections::HashSet<_> = TYPES
                .iter()
                .filter_map(|header| {
                    identify(Some(header), body.as_bytes(), &[], &Redactor::without_secrets()).ok()
                })
                .map(|media_type| (media_type.is_index(), media_type.is_schema1()))
                .collect();
            prop_assert!(kinds.len() <= 1, "{} {:?}", body, kinds);
        }
    }
}
