//! `exists`, `digest` and `head`: the same lookup, printed in different columns.

use std::thread;
use std::time::{Duration, Instant};

use ocireg::Reference;
use serde::Serialize;

use crate::args::{ExistsArgs, LookupArgs};
use crate::batch::{self, Answer, ITEM_TIMEOUT, InOrder};
use crate::clients::Clients;
use crate::input::{Item, Items};
use crate::options::Options;
use crate::output::{Output, Stop};
use crate::progress::Bar;
use crate::reason::{Reason, snake_case};
use crate::status::Status;
use crate::text::as_column;

/// The columns of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Columns {
    Exists,
    /// The digest alone, so that `$(ocireg digest REF)` is a digest or nothing.
    Digest,
    DigestAndReference,
    Head,
}

pub(crate) fn exists(args: ExistsArgs, options: &Options) -> Result<Status, Stop> {
    let mut lookup = Lookup::new(Columns::Exists, args.lookup, options)?;
    match args.wait {
        None => lookup.stream(),
        Some(wait) => lookup.wait(wait, options.timeout),
    }
}

pub(crate) fn digest(args: LookupArgs, options: &Options) -> Result<Status, Stop> {
    let mut lookup = Lookup::new(Columns::Digest, args, options)?;
    if lookup.items.are_many() {
        lookup.columns = Columns::DigestAndReference;
    }
    lookup.stream()
}

pub(crate) fn head(args: LookupArgs, options: &Options) -> Result<Status, Stop> {
    Lookup::new(Columns::Head, args, options)?.stream()
}

/// One run of the command.
struct Lookup<'a> {
    columns: Columns,
    items: Items,
    clients: Clients<'a>,
    output: Output,
    bar: Bar,
}

impl<'a> Lookup<'a> {
    fn new(columns: Columns, args: LookupArgs, options: &'a Options) -> Result<Lookup<'a>, Stop> {
        let items = Items::new(args.references)?;
        let call = args.manifests.call_options();
        let named = items.named(Reference::registry);
        Ok(Lookup {
            columns,
            items,
            clients: Clients::new(options, call, &named)?,
            output: Output::new(options),
            bar: Bar::new(options),
        })
    }

    /// Prints each answer as soon as all answers before it are printed.
    fn stream(&mut self) -> Result<Status, Stop> {
        let (total, mut asked) = (self.items.left(), 0);
        let mut worst = Status::Yes;
        loop {
            let items = self.items.next_batch()?;
            if items.is_empty() {
                self.bar.clear();
                return Ok(worst);
            }
            asked += items.len();
            match total {
                Some(total) => self.bar.expect(total as u64),
                None => self.bar.expect_at_least(asked as u64),
            }
            worst = worst.max(self.ask_batch(&items)?);
        }
    }

    fn ask_batch(&mut self, items: &[Item]) -> Result<Status, Stop> {
        let mut order = InOrder::new();
        let mut references = Vec::new();
        for (position, item) in items.iter().enumerate() {
            match item.parse::<Reference>() {
                Ok(reference) => references.push((position, reference)),
                Err(reason) => order.put(position, Err(reason)),
            }
        }
        let columns = self.columns;
        let (output, bar) = (&mut self.output, &self.bar);
        let mut worst = Status::Yes;
        let mut print_next = |order: &mut InOrder<Answer>, output: &mut Output| {
            while let Some((position, answer)) = order.take() {
                let status = bar.around(|| print(columns, &items[position], &answer, output))?;
                bar.advance();
                worst = worst.max(status);
            }
            Ok(())
        };
        print_next(&mut order, output)?;
        batch::ask(
            &mut self.clients,
            &references,
            None,
            |position, answer, asked| {
                if let Some((client, registry)) = asked {
                    bar.around(|| output.warnings(client, registry));
                }
                order.put(position, answer);
                print_next(&mut order, output)
            },
        )?;
        Ok(worst)
    }

    /// Asks again until all images exist, time is up, or waiting can't help. Then prints all
    /// answers.
    fn wait(&mut self, wait: Duration, timeout: Option<Duration>) -> Result<Status, Stop> {
        // A time that is too long for the clock is no limit.
        let end = Instant::now().checked_add(wait);
        let left = || end.map(|end| end.saturating_duration_since(Instant::now()));
        let items = self.all_items()?;
        let mut answers: Vec<Option<Answer>> = Vec::new();
        let mut pending = Vec::new();
        for (position, item) in items.iter().enumerate() {
            let reference = item.parse::<Reference>();
            answers.push(reference.as_ref().err().cloned().map(Err));
            pending.extend(reference.ok().map(|reference| (position, reference)));
        }
        self.bar.expect(items.len() as u64);
        let mut pause = FIRST_PAUSE;
        loop {
            // A server that does not answer must not delay the end much.
            let patience =
                left().map(|left| left.max(LAST_QUESTION).min(timeout.unwrap_or(ITEM_TIMEOUT)));
            self.ask_pending(&pending, patience, &mut answers)?;
            pending.retain(|(position, _)| !matches!(answers[*position], Some(Ok(_))));
            if pending.is_empty() {
                break;
            }
            let Some(pause_now) = next_pause(pause, left(), &answers) else {
                break;
            };
            thread::sleep(pause_now);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.bar.clear();
        let mut worst = Status::Yes;
        // Every item has an answer: it was asked, or it is not a reference.
        for (item, answer) in items.iter().zip(answers.iter().flatten()) {
            worst = worst.max(print(self.columns, item, answer, &mut self.output)?);
        }
        Ok(worst)
    }

    fn all_items(&mut self) -> Result<Vec<Item>, Stop> {
        let mut items = Vec::new();
        loop {
            let batch = self.items.next_batch()?;
            if batch.is_empty() {
                return Ok(items);
            }
            items.extend(batch);
        }
    }

    fn ask_pending(
        &mut self,
        pending: &[(usize, Reference)],
        timeout: Option<Duration>,
        answers: &mut [Option<Answer>],
    ) -> Result<(), Stop> {
        let (output, bar) = (&mut self.output, &self.bar);
        batch::ask(
            &mut self.clients,
            pending,
            timeout,
            |position, answer, asked| {
                if let Some((client, registry)) = asked {
                    bar.around(|| output.warnings(client, registry));
                }
                if answer.is_ok() {
                    bar.advance();
                }
                answers[position] = Some(answer);
                Ok(())
            },
        )
    }
}

/// The first and the longest pause between two rounds of `--wait`.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// The shortest time limit of a question, even if the time of `--wait` is almost up.
const LAST_QUESTION: Duration = Duration::from_secs(10);

/// The time until the next round. `None` if there is no use in another round.
fn next_pause(
    pause: Duration,
    left: Option<Duration>,
    answers: &[Option<Answer>],
) -> Option<Duration> {
    let answers = || answers.iter().flatten();
    let reasons = || answers().filter_map(|answer| answer.as_ref().err());
    if !reasons().all(|reason| reason.may_pass) {
        return None;
    }
    let asked_to_wait = reasons().filter_map(Reason::retry_after).max();
    let pause = pause.max(asked_to_wait.unwrap_or_default());
    match left {
        None => Some(pause),
        Some(Duration::ZERO) => None,
        // The registry would not answer in time.
        Some(left) if asked_to_wait.is_some_and(|asked| asked > left) => None,
        Some(left) => Some(pause.min(left)),
    }
}

/// The fields are part of the interface: none is ever removed, and all are always printed.
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
    item: &Item,
    answer: &Answer,
    output: &mut Output,
) -> Result<Status, Stop> {
    let typed = as_column(&item.typed);
    let (found, reason) = match answer {
        Ok(resolved) => (Some(resolved), None),
        Err(reason) => (None, Some(reason)),
    };
    let status = reason.map_or(Status::Yes, |reason| reason.status);
    let digest = found.map(|resolved| resolved.digest.as_str());
    let media_type = found.map(|resolved| resolved.media_type.as_str());
    let size = found.and_then(|resolved| resolved.size);
    let object = Object {
        reference: &typed,
        presence: (status != Status::Failed).then(|| status.word()),
        digest,
        media_type,
        size,
        digest_source: found.map(|resolved| snake_case(resolved.digest_source)),
        error: reason,
    };
    let or_dash = |column: Option<&str>| column.unwrap_or("-").to_owned();
    let line = match columns {
        Columns::Exists => Some(format!("{} {typed} {}", status.word(), or_dash(digest))),
        Columns::Digest => digest.map(str::to_owned),
        Columns::DigestAndReference => Some(format!("{} {typed}", or_dash(digest))),
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
