//! `tags` and `catalog`: print lists page by page.

use std::collections::HashSet;
use std::hash::Hash;
use std::str::FromStr;

use ocireg::{CallOptions, Client, Error, Page, Registry, Repository};
use serde::Serialize;

use crate::args::{CatalogArgs, ListArgs, TagsArgs};
use crate::clients::Clients;
use crate::options::Options;
use crate::output::{Output, Stop, tell};
use crate::private::Named;
use crate::reason::Reason;
use crate::status::Status;
use crate::text::as_column;

/// The fields are part of the interface.
#[derive(Serialize)]
struct TagObject<'a> {
    repository: &'a str,
    tag: Option<&'a str>,
    error: Option<&'a Reason>,
}

/// The fields are part of the interface.
#[derive(Serialize)]
struct RepositoryObject<'a> {
    registry: &'a str,
    repository: Option<&'a str>,
    error: Option<&'a Reason>,
}

pub(crate) fn tags(args: &TagsArgs, options: &Options) -> Result<Status, Stop> {
    let repository = &as_column(&args.repository);
    let mut printer = Printer::new(args.list, options, "tags", |tag, error, output| {
        let object = TagObject {
            repository,
            tag,
            error,
        };
        output.answer(tag, &object)
    });
    match open(&args.repository, Repository::registry, args.list, options)? {
        Ok((repository, client)) => {
            let pages = client.tag_pages(&repository);
            printer.print(pages, &client, repository.registry())
        }
        Err(reason) => printer.fail(&reason),
    }
}

pub(crate) fn catalog(args: &CatalogArgs, options: &Options) -> Result<Status, Stop> {
    let registry = &as_column(&args.registry);
    let mut printer = Printer::new(args.list, options, "repositories", |name, error, output| {
        let object = RepositoryObject {
            registry,
            repository: name,
            error,
        };
        output.answer(name, &object)
    });
    match open(&args.registry, |registry| registry, args.list, options)? {
        Ok((registry, client)) => {
            let pages = client.catalog_pages(&registry);
            printer.print(pages, &client, &registry)
        }
        Err(reason) => printer.fail(&reason),
    }
}

/// Parses what the user typed, and makes the client that asks about it.
fn open<T: FromStr<Err = Error>>(
    typed: &str,
    registry: fn(&T) -> &Registry,
    list: ListArgs,
    options: &Options,
) -> Result<Result<(T, Client), Reason>, Stop> {
    let call = match list.page_size {
        Some(entries) => CallOptions::new().page_size(entries),
        None => CallOptions::new(),
    };
    let subject = typed.parse::<T>();
    let named = Named::new(subject.as_ref().ok().map(registry).cloned());
    let mut clients = Clients::new(options, call, &named)?;
    let open = move || -> ocireg::Result<(T, Client)> {
        let subject = subject?;
        let client = clients.of(registry(&subject))?;
        Ok((subject, client))
    };
    Ok(open().map_err(Reason::from))
}

/// Prints one list. `entry` prints one name, or the reason why the list broke off.
struct Printer<F> {
    output: Output,
    limit: Option<u64>,
    noun: &'static str,
    entry: F,
}

impl<F> Printer<F>
where
    F: FnMut(Option<&str>, Option<&Reason>, &mut Output) -> Result<(), Stop>,
{
    fn new(list: ListArgs, options: &Options, noun: &'static str, entry: F) -> Printer<F> {
        Printer {
            output: Output::new(options),
            limit: list.limit,
            noun,
            entry,
        }
    }

    fn print<T: AsRef<str> + Eq + Hash>(
        &mut self,
        pages: impl Iterator<Item = ocireg::Result<Page<T>>>,
        client: &Client,
        registry: &Registry,
    ) -> Result<Status, Stop> {
        let mut left = self.limit.unwrap_or(u64::MAX);
        let mut skipped = 0;
        let mut came = false;
        let mut end = Status::Yes;
        // If tags are pushed while the list is read, the end of a page comes again at the start of
        // the next page.
        let mut page_before = HashSet::new();
        for page in pages {
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    let status = self.fail(&Reason::from(error))?;
                    // An incomplete list is neither absent nor denied.
                    end = if came { Status::Failed } else { status };
                    break;
                }
            };
            came = true;
            skipped += page.skipped;
            let mut this_page = HashSet::new();
            for name in page.entries {
                if page_before.contains(&name) || this_page.contains(&name) {
                    continue;
                }
                if left == 0 {
                    break;
                }
                left -= 1;
                (self.entry)(Some(name.as_ref()), None, &mut self.output)?;
                this_page.insert(name);
            }
            self.output.flush()?;
            if left == 0 {
                break;
            }
            page_before = this_page;
        }
        self.output.warnings(client, registry);
        if skipped > 0 {
            let noun = self.noun;
            tell(&format!(
                "left out {skipped} entries that are not valid {noun}"
            ));
        }
        Ok(end)
    }

    fn fail(&mut self, reason: &Reason) -> Result<Status, Stop> {
        (self.entry)(None, Some(reason), &mut self.output)?;
        self.output.reason(reason)?;
        Ok(reason.status)
    }
}
