//! `exists`, `digest` and `head`: one question, other columns.

use ocireg::{CallOptions, Descriptor, Reference};
use serde::Serialize;

use crate::args::{LookupArgs, Options};
use crate::clients::Clients;
use crate::input::{Item, Items};
use crate::output::{Output, Stop};
use crate::reason::{Reason, snake_case};
use crate::status::Status;
use crate::text::as_column;

/// Which columns a line has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Columns {
    Exists,
    Digest,
    Head,
}

pub(crate) fn run(columns: Columns, args: LookupArgs, options: &Options) -> Result<Status, Stop> {
    let items = Items::new(args.references)?;
    let call = args
        .accept
        .into_iter()
        .fold(CallOptions::new(), CallOptions::accept);
    let named = items.named(Reference::registry);
    let mut clients = Clients::new(options, call, &named)?;
    let mut output = Output::new(options);
    let several = items.are_many();
    let mut worst = Status::Yes;
    for item in items {
        let item = item?;
        let answer = ask(&mut clients, &mut output, &item);
        worst = worst.max(print(columns, several, &item, answer, &mut output)?);
    }
    Ok(worst)
}

fn ask(clients: &mut Clients<'_>, output: &mut Output, item: &Item) -> Result<Descriptor, Reason> {
    let reference: Reference = item.parse()?;
    let client = clients.of(reference.registry())?;
    let answer = client.head(&reference);
    output.warnings(&client, reference.registry());
    Ok(answer?)
}

/// The fields are a promise: none is ever removed, and all are always there.
#[derive(Serialize)]
struct Object<'a> {
    reference: &'a str,
    presence: Option<&'static str>,
    digest: Option<&'a str>,
    media_type: Option<&'a str>,
    size: Option<u64>,
    digest_source: Option<String>,
    error: Option<&'a Reason>,
}

fn print(
    columns: Columns,
    several: bool,
    item: &Item,
    answer: Result<Descriptor, Reason>,
    output: &mut Output,
) -> Result<Status, Stop> {
    let typed = as_column(&item.typed);
    let (found, reason) = match &answer {
        Ok(descriptor) => (Some(descriptor), None),
        Err(reason) => (None, Some(reason)),
    };
    let status = reason.map_or(Status::Yes, |reason| reason.status);
    let digest = found.map(|descriptor| descriptor.digest.as_str());
    let media_type = found.map(|descriptor| descriptor.media_type.as_str());
    let size = found.and_then(|descriptor| descriptor.size);
    let object = Object {
        reference: &typed,
        presence: (status != Status::Failed).then(|| status.word()),
        digest,
        media_type,
        size,
        digest_source: found.map(|descriptor| snake_case(descriptor.digest_source)),
        error: reason,
    };
    let or_dash = |column: Option<&str>| column.unwrap_or("-").to_owned();
    let line = match columns {
        Columns::Exists => Some(format!("{} {typed} {}", status.word(), or_dash(digest))),
        Columns::Digest if several => Some(format!("{} {typed}", or_dash(digest))),
        // So that `$(ocireg digest REF)` is a digest or nothing.
        Columns::Digest => digest.map(str::to_owned),
        Columns::Head => {
            let size = size.map(|size| size.to_string());
            let (digest, media_type) = (or_dash(digest), or_dash(media_type));
            let size = or_dash(size.as_deref());
            Some(format!("{digest} {media_type} {size} {typed}"))
        }
    };
    output.answer(line.as_deref(), &object)?;
    match reason {
        Some(reason) => output.reason(reason)?,
        None => output.flush()?,
    }
    Ok(status)
}
