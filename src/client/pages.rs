//! Lists in pages (distribution spec, "Listing tags"; RFC 8288): the one way to read tags and
//! catalogs.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufReader, Read};
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::de::DeserializeSeed;

use super::answer::Answer;
use super::call::Call;
use super::failure::ReadError;
use super::list_body::{ListBody, Listed, MAX_ENTRIES, MAX_TEXT, Page, Room, Wanted};
use super::meaning::Meaning;
use super::registry::RegistryState;
use super::request::{Access, Request, Target};
use crate::error::{Error, ErrorKind};
use crate::http::Method;
use crate::http::link::next_link;
use crate::transport::WireError;
use crate::url::{Scheme, Url, encode_query_value};

/// The most bytes of one page: half a million tags with GCR's details. It is read as a stream, so
/// this bounds time, not memory.
const MAX_PAGE: u64 = 64 * 1024 * 1024;
/// The most pages of one list: a million entries at the smallest default of a registry (100).
const MAX_PAGES: usize = 10_000;
/// The most pages without an entry in a row: a registry that filters may send some, a broken one
/// sends them for ever.
const MAX_EMPTY_PAGES: usize = 100;
/// What helps against a registry that cuts its lists at the size that was asked for.
const NO_PAGE_SIZE: &str = "ask for the list without a page size";

/// Where a page's Link leads, or why it can't be followed.
type Link = Result<Option<String>, String>;

/// A list, and where it continues.
#[derive(Debug)]
pub(super) struct Paging {
    /// The endpoint, which every page must come from.
    path: String,
    access: Access<'static>,
    /// The size of pages that the caller asks for.
    page_size: Option<NonZeroU32>,
    next: Continuation,
    /// Hashes of the pages read: a server may make its URLs long.
    seen: HashSet<u64>,
    /// Hashes of the entries read, where the caller asks for a page size: only then they may be
    /// needed.
    names: HashSet<u64>,
    empty_pages: usize,
}

#[derive(Debug)]
enum Continuation {
    Next(Step),
    /// The page before was good, but there is no way on.
    Failed(Error),
    End,
}

/// The way to the next page.
#[derive(Debug)]
struct Step {
    target: String,
    way: Way,
}

/// Who says that there is a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The registry: it is the endpoint itself, or a Link led here.
    Registry,
    /// Nobody. The page before was as large as was asked for and had no Link, and some registries
    /// cut the list there. So what follows its last entry is asked for.
    Guess,
}

impl Paging {
    /// Starts at `path`. Asks for pages of `page_size` only where the caller did, since some
    /// registries cut a list off at the size asked for without saying so.
    pub(super) fn new(
        path: String,
        access: Access<'static>,
        page_size: Option<NonZeroU32>,
    ) -> Paging {
        let target = match page_size {
            Some(entries) => format!("{path}?n={entries}"),
            None => path.clone(),
        };
        Paging {
            path,
            access,
            page_size,
            next: Continuation::Next(Step {
                target,
                way: Way::Registry,
            }),
            seen: HashSet::new(),
            names: HashSet::new(),
            empty_pages: 0,
        }
    }

    /// Fetches the next page; `None` after the last, or after an error. What it keeps is taken out
    /// of `room`.
    pub(super) fn fetch<T: FromStr + AsRef<str> + Hash>(
        &mut self,
        call: &Call<'_>,
        wanted: Wanted<'_>,
        room: &mut Room,
    ) -> Result<Option<Listed<T>>, Error> {
        let step = match std::mem::replace(&mut self.next, Continuation::End) {
            Continuation::Next(step) => step,
            Continuation::Failed(error) => return Err(error),
            Continuation::End => return Ok(None),
        };
        let (listed, link) = self.ask(call, &step, wanted, room)?;
        call.state().saw_registry();
        self.seen.insert(hash(&step.target));
        let page = &listed.page;
        if !self.has_news(page) && step.way == Way::Guess {
            let problem = "the registry cuts its lists: asked for what follows, it sends the same";
            return Err(protocol(call, problem.to_owned()).with_hint(NO_PAGE_SIZE));
        }
        self.empty_pages = match page.entries.is_empty() {
            true => self.empty_pages + 1,
            false => 0,
        };
        self.next = link
            .and_then(|link| self.way_on(page, link))
            .unwrap_or_else(|problem| Continuation::Failed(protocol(call, problem)));
        call.interrupt
            .advance(page.entries.len() as u64)
            .map_err(|stopped| call.subject().stopped(stopped, "reading a list"))?;
        let ended = matches!(self.next, Continuation::End);
        if step.way == Way::Guess && page.entries.is_empty() && ended {
            // Nothing followed: the registry has no such page.
            return Ok(None);
        }
        Ok(Some(listed))
    }

    /// One page, and where its Link leads.
    fn ask<T: FromStr + AsRef<str>>(
        &self,
        call: &Call<'_>,
        step: &Step,
        wanted: Wanted<'_>,
        room: &mut Room,
    ) -> Result<(Listed<T>, Link), Error> {
        let access = self.access.clone();
        let mut request = Request::new(
            Method::Get,
            step.target.as_str(),
            "application/json",
            access,
        );
        if !self.seen.is_empty() {
            let next = Url::on(&call.state().origin, &step.target);
            let next = next.map_err(|bad| call.subject().bad_target(bad))?;
            request.target = Target::Answered(next);
        }
        let state = call.state();
        let (page, link, left) = call.send(&request, |answer| {
            if !answer.is_success() {
                let refusal = answer.complete()?;
                if refusal.shows_registry() {
                    state.saw_registry();
                }
                let meaning = Meaning::of(&refusal, &call.asked(Method::Get, wanted.about()));
                let error = call.subject().refusal_as(refusal, meaning);
                return Err(self.refused(step, error).into());
            }
            let link = link_of(&answer, call, &self.path);
            // A page that breaks off is asked for again.
            let mut left = room.clone();
            let cross_origin = answer.cross_origin;
            let mut page = read_page::<T>(answer, wanted, &mut left, call)?;
            page.cross_origin = cross_origin;
            Ok((page, link, left))
        })?;
        *room = left;
        Ok((page, link))
    }

    /// Notes the entries of a page. Whether it is empty, or has one that no page before had.
    fn has_news<T: Hash>(&mut self, page: &Page<T>) -> bool {
        if self.page_size.is_none() {
            return true;
        }
        let before = self.names.len();
        self.names.extend(page.entries.iter().map(hash));
        page.entries.is_empty() || self.names.len() > before
    }

    /// What a refused page means: of the first, what it says; of a later one, that the list is not
    /// whole.
    fn refused(&self, step: &Step, error: Error) -> Error {
        use ErrorKind::{NotFound, Protocol, Rejected, Unsupported};
        let read = self.seen.len();
        match error.kind() {
            NotFound | Unsupported | Rejected | Protocol if step.way == Way::Guess => {
                let problem = "the registry may cut its lists: it refuses to say what follows";
                not_whole(problem.to_owned(), error).with_hint(NO_PAGE_SIZE)
            }
            NotFound | Unsupported | Protocol if read > 0 => {
                not_whole(format!("the list breaks off after {read} pages"), error)
            }
            _ => error,
        }
    }

    /// Where the list goes on after `page`, whose Link leads to `link`. Refuses to go round in
    /// circles.
    fn way_on<T: AsRef<str>>(
        &self,
        page: &Page<T>,
        link: Option<String>,
    ) -> Result<Continuation, String> {
        let step = match link {
            Some(target) => Step {
                target,
                way: Way::Registry,
            },
            None => match self.after(page)? {
                Some(step) => step,
                None => return Ok(Continuation::End),
            },
        };
        if self.seen.contains(&hash(&step.target)) {
            return Err("the list does not end: a page leads back to an earlier one".to_owned());
        }
        if self.seen.len() >= MAX_PAGES {
            return Err(format!(
                "the list does not end: {MAX_PAGES} pages were read"
            ));
        }
        if self.empty_pages >= MAX_EMPTY_PAGES {
            return Err(format!(
                "the list does not end: {MAX_EMPTY_PAGES} empty pages in a row"
            ));
        }
        Ok(Continuation::Next(step))
    }

    /// Where the list goes on after a page without a Link. It ends there, unless the page is just
    /// as large as was asked for. Entries that are no names may count towards that size or not.
    fn after<T: AsRef<str>>(&self, page: &Page<T>) -> Result<Option<Step>, String> {
        let valid = page.entries.len();
        let size = self.page_size.map(|size| size.get() as usize);
        let Some(size) = size.filter(|size| (valid..=valid + page.skipped).contains(size)) else {
            return Ok(None);
        };
        let last = page
            .entries
            .last()
            .ok_or("a page has no valid name to go on from")?;
        let last = encode_query_value(last.as_ref());
        Ok(Some(Step {
            target: format!("{}?n={size}&last={last}", self.path),
            way: Way::Guess,
        }))
    }
}

/// The error of a list whose beginning is good, because of `error`.
fn not_whole(problem: String, error: Error) -> Error {
    let subject = error.subject().unwrap_or_default().to_owned();
    Error::new(ErrorKind::Protocol, problem)
        .with_http_status(error.http_status().unwrap_or_default())
        .with_registry_errors(error.registry_errors().to_vec())
        .caused_by(error)
        .about(subject)
}

/// Reads pages to the end, leaving out what came before: a list may shift while it is read.
pub(super) fn collect<T: Eq + Hash>(
    mut next: impl FnMut(&mut Room) -> Result<Option<Listed<T>>, Error>,
) -> Result<Vec<T>, Error> {
    let (mut entries, mut room) = (Vec::new(), Room::default());
    while let Some(Listed { page, .. }) = next(&mut room)? {
        match entries.is_empty() {
            true => entries = page.entries,
            false => entries.extend(page.entries),
        }
    }
    let mut seen = HashSet::with_capacity(entries.len());
    let is_first: Vec<bool> = entries.iter().map(|entry| seen.insert(entry)).collect();
    let mut is_first = is_first.into_iter();
    entries.retain(|_| is_first.next().unwrap_or(true));
    Ok(entries)
}

fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn protocol(call: &Call<'_>, problem: String) -> Error {
    Error::new(ErrorKind::Protocol, problem).about(call.about)
}

/// The target of the next page. It has to be on the registry itself: a Link elsewhere is how a list
/// would be made to send requests to other hosts. It has to be at `path`: what another repository
/// or endpoint lists is not in this list.
fn link_of(answer: &Answer, call: &Call<'_>, path: &str) -> Link {
    let (state, subject) = (call.state(), call.subject());
    let link = next_link(answer.headers.get_all("link"))
        .map_err(|malformed| malformed.shown(&subject.redactor()))?;
    let Some(link) = link else { return Ok(None) };
    let url = answer
        .url
        .join(&link)
        .map_err(|bad| format!("the list continues at an unusable URL: {bad}"))?;
    if url.origin() != state.origin && !is_same_behind_proxy(&url, state) {
        return Err(format!(
            "the list continues on another server ({}://{}), which is not followed",
            url.scheme(),
            subject.host(&url.origin())
        ));
    }
    if url.path() != path {
        return Err(
            "the list continues at another repository or endpoint, which is not followed"
                .to_owned(),
        );
    }
    Ok(Some(url.target().to_owned()))
}

/// A registry behind a proxy that ends TLS may not know that it is reached by https.
fn is_same_behind_proxy(url: &Url, state: &RegistryState) -> bool {
    let origin = &state.origin;
    origin.scheme() == Scheme::Https
        && url.scheme() == Scheme::Http
        && url.host() == origin.host()
        && [Scheme::Http.default_port(), origin.port()].contains(&url.port())
}

/// Reads one page as a stream, keeping only names.
fn read_page<T: FromStr + AsRef<str>>(
    answer: Answer,
    wanted: Wanted<'_>,
    room: &mut Room,
    call: &Call<'_>,
) -> Result<Listed<T>, ReadError> {
    let authority = call.subject().host(&answer.url.origin());
    let mut body = answer.body.take(MAX_PAGE);
    let mut json = serde_json::Deserializer::from_reader(BufReader::new(body.by_ref()));
    let page = ListBody::new(wanted, room)
        .deserialize(&mut json)
        .and_then(|page| json.end().map(|()| page));
    page.map_err(|error| {
        if error.is_io() {
            return ReadError::Wire(WireError::from_body_read(error.into()));
        }
        let too_large = |problem: String| {
            let error = Error::new(ErrorKind::TooLarge, problem).about(call.about);
            ReadError::Answer(error.with_hint("read it page by page, in smaller pages"))
        };
        if room.is_full() {
            let mib = MAX_TEXT / 1024 / 1024;
            return too_large(format!(
                "the list has more than {MAX_ENTRIES} entries, or more than {mib} MiB of them"
            ));
        }
        if body.limit() == 0 {
            return too_large(format!(
                "{authority} answers with a list larger than {MAX_PAGE} bytes"
            ));
        }
        let list = wanted.field();
        let problem = format!("{authority} answers with something that is no list of {list}");
        let cause = call.subject().redactor().cause(error.into());
        let error = Error::new(ErrorKind::Protocol, problem).caused_by(cause);
        ReadError::Answer(
            error
                .with_hint("is there a registry at this address?")
                .about(call.about),
        )
    })
}
