//! Tags.

use crate::text::{Fault, check_plain, parsed_from_text, shown_as_str};

/// A tag: a name in a repository that its owner can move to another manifest.
///
/// The [grammar] is `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`. Case matters.
///
/// ```
/// use ocireg::Tag;
///
/// let tag: Tag = "3.20".parse()?;
/// assert_eq!(tag.as_str(), "3.20");
/// assert!("-rc1".parse::<Tag>().is_err());
/// # Ok::<(), ocireg::Error>(())
/// ```
///
/// [grammar]:
/// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(String);

impl Tag {
    /// The tag's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tag of a reference that has neither tag nor digest.
    pub(super) fn latest() -> Tag {
        Tag("latest".to_owned())
    }

    fn parse(text: &str) -> Result<Tag, Fault> {
        check_plain(text)?;
        Tag::parse_at(text, 0)
    }

    /// Parses a tag that begins at byte `at` of the text that an error is about.
    pub(super) fn parse_at(text: &str, at: usize) -> Result<Tag, Fault> {
        if text.is_empty() {
            return Err(Fault::new(format!("empty tag at byte {at}")));
        }
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        for (i, c) in text.char_indices() {
            let inside = matches!(c, '.' | '-');
            if inside && i == 0 {
                let what = format!("'{c}' at the start of the tag at byte {at}");
                return Err(Fault::new(what).hint(START));
            }
            if !word(c) && !inside {
                return Err(Fault::character(c, "the tag", at + i));
            }
        }
        if text.len() > MAX_BYTES {
            let what = format!(
                "tag of {} bytes at byte {at}, at most {MAX_BYTES}",
                text.len()
            );
            return Err(Fault::new(what));
        }
        Ok(Tag(text.to_owned()))
    }
}

parsed_from_text!(Tag, "tag");
shown_as_str!(Tag);

const START: &str = "a tag starts with a letter, a digit or '_'";

/// The limit of the distribution spec.
const MAX_BYTES: usize = 128;
