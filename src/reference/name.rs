//! Repository names.

use crate::text::{Fault, check_plain, parsed_from_text, shown_as_str};

/// The name of a repository in its registry, such as `library/alpine`.
///
/// It has at most 255 bytes and follows this [grammar]:
///
/// ```text
/// name = part *( "/" part )
/// part = [a-z0-9]+ ( ( "." / "_" / "__" / "-"+ ) [a-z0-9]+ )*
/// ```
///
/// ```
/// use ocireg::RepositoryName;
///
/// let name: RepositoryName = "team/app".parse()?;
/// assert_eq!(name.as_str(), "team/app");
/// assert!("team/../app".parse::<RepositoryName>().is_err());
/// # Ok::<(), ocireg::Error>(())
/// ```
///
/// [grammar]:
/// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepositoryName(String);

impl RepositoryName {
    /// The name's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parse(text: &str) -> Result<RepositoryName, Fault> {
        check_plain(text)?;
        RepositoryName::parse_at(text, 0)
    }

    /// Parses a name that begins at byte `at` of the text that an error is about.
    pub(super) fn parse_at(text: &str, at: usize) -> Result<RepositoryName, Fault> {
        if text.is_empty() {
            return Err(Fault::new(format!("empty repository name at byte {at}")));
        }
        let mut part_at = at;
        for part in text.split('/') {
            check_part(part, part_at)?;
            part_at += part.len() + 1;
        }
        check_length(text)?;
        Ok(RepositoryName(text.to_owned()))
    }

    /// The full name on Docker Hub, where a name with one part is below `library/`.
    pub(super) fn in_library(self) -> Result<RepositoryName, Fault> {
        if self.0.contains('/') {
            return Ok(self);
        }
        let name = format!("library/{}", self.0);
        check_length(&name)?;
        Ok(RepositoryName(name))
    }
}

parsed_from_text!(RepositoryName, "repository name");
shown_as_str!(RepositoryName);

fn check_part(part: &str, at: usize) -> Result<(), Fault> {
    if matches!(part, "" | "." | "..") {
        let what = match part {
            "" => "empty part".to_owned(),
            dots => format!("part \"{dots}\""),
        };
        return Err(Fault::new(format!(
            "{what} in the repository name at byte {at}"
        )));
    }
    // This holds for nearly all parts, and is the fastest check.
    if part
        .bytes()
        .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9'))
    {
        return Ok(());
    }
    let alphanumeric = |c: char| matches!(c, 'a'..='z' | '0'..='9');
    let separator = |c: char| matches!(c, '.' | '_' | '-');
    if let Some((i, c)) = part
        .char_indices()
        .find(|(_, c)| !alphanumeric(*c) && !separator(*c))
    {
        let fault = Fault::character(c, "the repository name", at + i);
        return Err(match c {
            'A'..='Z' => fault.hint("repository names are lower-case"),
            _ => fault,
        });
    }
    let mut run_at = at;
    // `split` ends a run of separators at every letter or digit, so the run between two of them is
    // empty.
    for run in part.split(alphanumeric) {
        let end = run_at + run.len();
        if !run.is_empty() && (run_at == at || end == at + part.len()) {
            let what = format!("separator \"{}\" at the edge of a part", shorten(run));
            let what = format!("{what} in the repository name at byte {run_at}");
            return Err(Fault::new(what).hint("a part starts and ends with a letter or digit"));
        }
        if !matches!(run, "" | "." | "_" | "__") && run.contains(['.', '_']) {
            let what = format!(
                "separator \"{}\" in the repository name at byte {run_at}",
                shorten(run)
            );
            return Err(Fault::new(what).hint("use one '.', one or two '_' or any number of '-'"));
        }
        run_at = end + 1;
    }
    Ok(())
}

/// The start of a run of separators, which is ASCII and may be a megabyte long.
fn shorten(run: &str) -> &str {
    run.get(..3).unwrap_or(run)
}

fn check_length(name: &str) -> Result<(), Fault> {
    if name.len() > MAX_BYTES {
        let what = format!(
            "repository name of {} bytes, at most {MAX_BYTES}",
            name.len()
        );
        return Err(Fault::new(what));
    }
    Ok(())
}

/// The limit of distribution/reference. The distribution spec warns that many clients limit host
/// and name together to it.
const MAX_BYTES: usize = 255;
