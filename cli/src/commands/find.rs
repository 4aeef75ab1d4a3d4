//! `find`: lists the tags that are the same image.

use ocireg::{Digest, Reference, Tag};
use serde::Serialize;

use crate::args::FindArgs;
use crate::clients::Clients;
use crate::options::Options;
use crate::output::{Output, Stop};
use crate::private::Named;
use crate::progress::Bar;
use crate::reason::Reason;
use crate::status::Status;
use crate::text::as_column;

/// The fields are part of the interface.
#[derive(Serialize)]
struct Object<'a> {
    reference: &'a str,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
    error: Option<&'a Reason>,
}

pub(crate) fn run(args: FindArgs, options: &Options) -> Result<Status, Stop> {
    let reference = args.reference.parse::<Reference>();
    let registry = reference
        .as_ref()
        .ok()
        .map(|known| known.registry().clone());
    let bar = Bar::new(options);
    let call = bar.follow(args.manifests.call_options());
    let mut clients = Clients::new(options, call, &Named::new(registry))?;
    let mut output = Output::new(options);
    let ask = || -> Result<(Digest, Vec<Tag>), Reason> {
        let reference = reference?;
        let client = clients.of(reference.registry())?;
        let found = client.find(&reference);
        bar.clear();
        output.warnings(&client, reference.registry());
        let found = found?;
        Ok((found.digest, found.tags))
    };
    let typed = &as_column(&args.reference);
    let (digest, tags, reason) = match ask() {
        Ok((digest, tags)) if tags.is_empty() => {
            let why = Reason::nothing_found(format!("{typed}: no tag has this digest"));
            (Some(digest), tags, Some(why))
        }
        Ok((digest, tags)) => (Some(digest), tags, None),
        Err(reason) => (None, Vec::new(), Some(reason)),
    };
    let digest = digest.as_ref().map(Digest::as_str);
    for tag in &tags {
        let line = format!("{tag} {}", digest.unwrap_or("-"));
        let object = Object {
            reference: typed,
            tag: Some(tag.as_ref()),
            digest,
            error: None,
        };
        output.answer(Some(&line), &object)?;
    }
    let Some(reason) = reason else {
        output.flush()?;
        return Ok(Status::Yes);
    };
    let object = Object {
        reference: typed,
        tag: None,
        digest,
        error: Some(&reason),
    };
    output.answer(None, &object)?;
    output.reason(&reason)?;
    Ok(reason.status)
}
