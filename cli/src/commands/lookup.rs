//! `exists`, `digest` and `head`: one question, other columns.

use std::thread;
use std::time::{Duration, Instant};

use ocireg::{Reference, Resolved};
use serde::Serialize;

use crate::args::{ExistsArgs, LookupArgs, Options, call_options};
use crate::batch::{self, Answer, ITEM_TIMEOUT, InOrder};
use crate::clients::Clients;
use crate::input::{Item, Items};
use crate::output::{Output, Stop};
use crate::progress::Bar;
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

pub(crate) fn exists(args: ExistsArgs, options: &Options) -> Result<Status, Stop> {
    match args.wait {
        None => run(Columns::Exists, args.lookup, options),
        Some(wait) => {
            let mut lookup = Lookup::new(Columns::Exists, args.lookup, options)?;
            lookup.wait(wait, options.timeout)
        }
    }
}

pub(crate) fn run(columns: Columns, args: LookupArgs, options: &Options) -> Result<Status, Stop> {
    Lookup::new(columns, args, options)?.stream()
}

/// One run of the command.
struct Lookup<'a> {
    columns: Columns,
    several: bool,
    items: Items,
    clients: Clients<'a>,
    output: Output,
    bar: Bar,
}

impl<'a> Lookup<'a> {
    fn new(columns: Columns, args: LookupArgs, options: &'a Options) -> Result<Lookup<'a>, Stop> {
        let items = Items::new(args.references)?;
        let call = call_options(args.accept, args.width);
        let named = items.named(Reference::registry);
        Ok(Lookup {
            columns,
            several: items.are_many(),
            items,
            clients: Clients::new(options, call, &named)?,
            output: Output::new(options),
            bar: Bar::new(options),
        })
    }

    /// Answers in the order of the questions, as soon as those before are answered.
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
            self.bar
                .expect(total.unwrap_or(asked) as u64, total.is_some());
            worst = worst.max(self.batch(&items)?);
        }
    }

    fn batch(&mut self, items: &[Item]) -> Result<Status, Stop> {
        let mut order = InOrder::new();
        let mut references = Vec::new();
        for (position, item) in items.iter().enumerate() {
            match item.parse::<Reference>() {
                Ok(reference) => references.push((position, reference)),
                Err(reason) => order.put(position, Err(reason)),
            }
        }
        let (columns, several) = (self.columns, self.several);
        let (output, bar) = (&mut self.output, &self.bar);
        let mut worst = Status::Yes;
        let mut print_those_that_are_next = |order: &mut InOrder<Answer>, output: &mut Output| {
            while let Some((position, answer)) = order.take() {
                let status =
                    bar.around(|| print(columns, several, &items[position], answer, output))?;
                bar.advance();
                worst = worst.max(status);
            }
            Ok(())
        };
        print_those_that_are_next(&mut order, output)?;
        batch::ask(
            &mut self.clients,
            &references,
            None,
            |position, answer, asked| {
                if let Some((client, registry)) = asked {
                    bar.around(|| output.warnings(client, registry));
                }
                order.put(position, answer);
                print_those_that_are_next(&mut order, output)
            },
        )?;
        Ok(worst)
    }

    /// Asks again until all are there, time is up, or waiting is no use; answers then.
    fn wait(&mut self, wait: Duration, timeout: Option<Duration>) -> Result<Status, Stop> {
        // One too long for the clock never ends.
        let end = Instant::now().checked_add(wait);
        let mut items = Vec::new();
        loop {
            let batch = self.items.next_batch()?;
            if batch.is_empty() {
                break;
            }
            items.extend(batch);
        }
        let mut answers: Vec<Option<Answer>> = Vec::new();
        let mut pending = Vec::new();
        for (position, item) in items.iter().enumerate() {
            let reference = item.parse::<Reference>();
            answers.push(reference.as_ref().err().cloned().map(Err));
            pending.extend(reference.ok().map(|reference| (position, reference)));
        }
        self.bar.expect(items.len() as u64, true);
        let mut pause = FIRST_PAUSE;
        loop {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            // A server that does not answer must not hold up much longer than was asked for.
            let patience =
                left.map(|left| left.max(LAST_QUESTION).min(timeout.unwrap_or(ITEM_TIMEOUT)));
            let (output, bar) = (&mut self.output, &self.bar);
            batch::ask(
                &mut self.clients,
                &pending,
                patience,
                |position, answer, asked| {
                    if let Some((client, registry)) = asked {
                        bar.around(|| output.warnings(client, registry));
                    }
                    if answer.is_ok() {
                        bar.advance();
                    }
                    answers[position] = Some(answer);
                    Ok::<(), Stop>(())
                },
            )?;
            pending.retain(|(position, _)| !matches!(answers[*position], Some(Ok(_))));
            let reasons = || {
                answers
                    .iter()
                    .flatten()
                    .filter_map(|answer| answer.as_ref().err())
            };
            if pending.is_empty() || !reasons().all(|reason| reason.may_pass) {
                break;
            }
            let asked_to_wait = reasons().filter_map(Reason::retry_after).max();
            let pause_now = pause.max(asked_to_wait.unwrap_or_default());
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            match left {
                Some(Duration::ZERO) => break,
                // The registry would not answer before.
                Some(left) if asked_to_wait.is_some_and(|asked| asked > left) => break,
                Some(left) => thread::sleep(pause_now.min(left)),
                None => thread::sleep(pause_now),
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.bar.clear();
        let mut worst = Status::Yes;
        // Each has been asked, or can't be.
        for (item, answer) in items.iter().zip(answers.into_iter().flatten()) {
            let status = print(self.columns, self.several, item, answer, &mut self.output)?;
            worst = worst.max(status);
        }
        Ok(worst)
    }
}

/// Between two times that all are asked with `--wait`.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// The least that a question gets, also when the time of `--wait` is almost up.
const LAST_QUESTION: Duration = Duration::from_secs(10);

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
    answer: Result<Resolved, Reason>,
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
