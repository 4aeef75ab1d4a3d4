//! Media types, and the `Accept` header of manifest requests.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind, printable};

/// A media type without parameters, such as `application/vnd.oci.image.index.v1+json`. It is always
/// in lower case.
///
/// ```
/// use ocireg::MediaType;
///
/// let helm: MediaType = "application/vnd.cncf.helm.config.v1+json".parse()?;
/// assert!(!helm.is_manifest());
/// assert!(MediaType::OCI_INDEX.is_index());
/// # Ok::<(), ocireg::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaType(Cow<'static, str>);

impl MediaType {
    /// An OCI image index, which has a manifest for each platform.
    pub const OCI_INDEX: MediaType = known("application/vnd.oci.image.index.v1+json");
    /// An OCI image manifest.
    pub const OCI_MANIFEST: MediaType = known("application/vnd.oci.image.manifest.v1+json");
    /// A Docker manifest list, which has a manifest for each platform.
    pub const DOCKER_LIST: MediaType =
        known("application/vnd.docker.distribution.manifest.list.v2+json");
    /// A Docker image manifest, schema 2.
    pub const DOCKER_MANIFEST: MediaType =
        known("application/vnd.docker.distribution.manifest.v2+json");
    /// A signed Docker image manifest, schema 1. Its digest is that of the signed part.
    pub const SCHEMA1_SIGNED: MediaType =
        known("application/vnd.docker.distribution.manifest.v1+prettyjws");
    /// A Docker image manifest, schema 1, without signatures.
    pub const SCHEMA1: MediaType = known("application/vnd.docker.distribution.manifest.v1+json");

    /// The type as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is one of the six types of manifests and indexes that the client accepts.
    pub fn is_manifest(&self) -> bool {
        MANIFESTS.contains(self)
    }

    /// Whether this is an OCI index or a Docker manifest list.
    pub fn is_index(&self) -> bool {
        *self == MediaType::OCI_INDEX || *self == MediaType::DOCKER_LIST
    }

    /// Whether this is a Docker manifest of schema 1, signed or not.
    pub fn is_schema1(&self) -> bool {
        *self == MediaType::SCHEMA1_SIGNED || *self == MediaType::SCHEMA1
    }

    /// Reads a `Content-Type` and drops its parameters. `None` if it is no media type.
    pub(crate) fn from_content_type(value: &str) -> Option<MediaType> {
        let known = MANIFESTS.iter().find(|known| known.as_str() == value);
        if let Some(known) = known {
            return Some(known.clone());
        }
        let name = value.split(';').next().unwrap_or_default().trim();
        check(name).ok()?;
        Some(MediaType(Cow::Owned(name.to_ascii_lowercase())))
    }
}

/// Parses a media type without parameters. Parameters are refused, because some registries compare
/// the whole text with the types that they know.
///
/// # Errors
///
/// [`InvalidArgument`](ErrorKind::InvalidArgument) if the text is no `type/subtype` of RFC 6838
/// section 4.2. A wildcard is none: some registries answer `*/*` with "not found".
impl FromStr for MediaType {
    type Err = Error;

    fn from_str(text: &str) -> Result<MediaType, Error> {
        match check(text) {
            Ok(()) => Ok(MediaType(Cow::Owned(text.to_ascii_lowercase()))),
            Err(problem) => {
                let text = printable(text, MAX_SHOWN);
                let message = format!("media type \"{text}\": {problem}");
                Err(Error::new(ErrorKind::InvalidArgument, message))
            }
        }
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The value of `Accept`: all manifest types, then those that the caller adds. With an incomplete
/// list a registry may answer "not found", or convert the manifest and send another digest.
pub(crate) fn accept_header(extra: &[MediaType]) -> String {
    let mut types: Vec<&str> = Vec::new();
    for media_type in MANIFESTS.iter().chain(extra) {
        if !types.contains(&media_type.as_str()) {
            types.push(media_type.as_str());
        }
    }
    types.join(", ")
}

const fn known(text: &'static str) -> MediaType {
    MediaType(Cow::Borrowed(text))
}

/// Checks that the text is two names with a slash between them (RFC 6838 section 4.2).
fn check(text: &str) -> Result<(), String> {
    let Some((kind, subtype)) = text.split_once('/') else {
        return Err("no \"/\"".to_owned());
    };
    check_name("type", kind)?;
    check_name("subtype", subtype)
}

fn check_name(part: &str, name: &str) -> Result<(), String> {
    if name.len() > MAX_NAME {
        return Err(format!("{part} longer than {MAX_NAME} characters"));
    }
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err(format!("{part} must begin with a letter or digit"));
    }
    let is_allowed = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(c, '!' | '#' | '$' | '&' | '-' | '^' | '_' | '.' | '+')
    };
    match name.chars().find(|c| !is_allowed(*c)) {
        Some(c) => Err(format!("{c:?} is not allowed in the {part}")),
        None => Ok(()),
    }
}

/// In the order of `Accept`: what registries prefer today comes first.
static MANIFESTS: [MediaType; 6] = [
    MediaType::OCI_INDEX,
    MediaType::OCI_MANIFEST,
    MediaType::DOCKER_LIST,
    MediaType::DOCKER_MANIFEST,
    MediaType::SCHEMA1_SIGNED,
    MediaType::SCHEMA1,
];

/// The limit of RFC 6838 section 4.2.
const MAX_NAME: usize = 127;
/// How much of a caller's text an error shows.
const MAX_SHOWN: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn e9_content_types_as_registries_write_them() {
        let cases = [
            ("application/json; charset=utf-8", Some("application/json")),
            (
                " Application/VND.oci.image.INDEX.v1+json ;x",
                Some("application/vnd.oci.image.index.v1+json"),
            ),
            ("text/plain", Some("text/plain")),
            ("a/b;", Some("a/b")),
            ("a/b, c/d", None),
            ("application", None),
            ("application/", None),
            ("/json", None),
            ("a/b/c", None),
            ("*/*", None),
            (";", None),
            ("", None),
        ];
        for (value, expected) in cases {
            let read = MediaType::from_content_type(value);
            assert_eq!(read.as_ref().map(MediaType::as_str), expected, "{value}");
        }
    }

    #[test]
    fn rfc6838_4_2_a_callers_type() {
        let good = "Application/X.Y-z+json".parse::<MediaType>().unwrap();
        assert_eq!(good.to_string(), "application/x.y-z+json");
        let long = format!("a/{}", "b".repeat(128));
        let cases = [
            ("json", r#"media type "json": no "/""#),
            (
                "a/b;q=1",
                r#"media type "a/b;q=1": ';' is not allowed in the subtype"#,
            ),
            (
                "a/b, c",
                r#"media type "a/b, c": ',' is not allowed in the subtype"#,
            ),
            (
                "a/*",
                r#"media type "a/*": subtype must begin with a letter or digit"#,
            ),
            (
                "/b",
                r#"media type "/b": type must begin with a letter or digit"#,
            ),
            (
                "a/b\r\nX: y",
                "media type \"a/b  X: y\": '\\r' is not allowed in the subtype",
            ),
            ("", r#"media type "": no "/""#),
        ];
        for (text, expected) in cases {
            let error = text.parse::<MediaType>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert_eq!(error.to_string(), expected);
        }
        let error = long.parse::<MediaType>().unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("…\": subtype longer than 127 characters"),
            "{error}"
        );
    }

    #[test]
    fn e4_e5_e6_the_accept_header_is_always_complete() {
        let six = "application/vnd.oci.image.index.v1+json, \
            application/vnd.oci.image.manifest.v1+json, \
            application/vnd.docker.distribution.manifest.list.v2+json, \
            application/vnd.docker.distribution.manifest.v2+json, \
            application/vnd.docker.distribution.manifest.v1+prettyjws, \
            application/vnd.docker.distribution.manifest.v1+json";
        assert_eq!(accept_header(&[]), six);
        let extra: MediaType = "application/x".parse().unwrap();
        let extras = [extra.clone(), MediaType::OCI_INDEX, extra];
        assert_eq!(accept_header(&extras), format!("{six}, application/x"));
    }

    #[test]
    fn kinds_of_the_six() {
        let kinds: Vec<_> = MANIFESTS
            .iter()
            .map(|t| (t.is_manifest(), t.is_index(), t.is_schema1()))
            .collect();
        let (index, image, schema1) = (
            (true, true, false),
            (true, false, false),
            (true, false, true),
        );
        assert_eq!(kinds, [index, image, index, image, schema1, schema1]);
    }

    proptest! {
        #[test]
        fn any_text_never_panics(text in any::<String>()) {
            let _ = (MediaType::from_content_type(&text), text.parse::<MediaType>());
        }

        #[test]
        fn types_are_read_back(
            kind in "[a-z0-9][a-z0-9!#$&^_.+-]{0,20}",
            subtype in "[a-z0-9][a-z0-9!#$&^_.+-]{0,20}",
        ) {
            let text = format!("{kind}/{subtype}");
            let parsed: MediaType = text.parse().unwrap();
            prop_assert_eq!(parsed.as_str(), &text);
            let with_parameter = format!("{}; charset=utf-8", text.to_ascii_uppercase());
            prop_assert_eq!(MediaType::from_content_type(&with_parameter), Some(parsed));
        }
    }
}
