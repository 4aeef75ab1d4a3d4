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
use super::list_body::{ListBody, Listed};
use super::meaning::{About, Meaning};
use super::registry::RegistryState;
use super::request::{Access, Request, Target};
use crate::auth::Scope;
use crate::error::{Error, ErrorKind};
use crate::http::Method;
use crate::http::link::next_link;
use crate::transport::WireError;
use crate::url::{Scheme, Url};

/// The most bytes of one page: half a million tags with GCR's details. It is read as a stream, so
/// this bounds time, not memory.
const MAX_PAGE: u64 = 64 * 1024 * 1024;
/// The most pages of one list: a million entries at the smallest default of a registry (100).
const MAX_PAGES: usize = 10_000;
/// The most entries of a list that is read as a whole.
const MAX_ENTRIES: usize = 10_000_000;
/// The most pages without an entry in a row: a registry that filters may send some, a broken one
/// sends them for ever.
const MAX_EMPTY_PAGES: usize = 100;

/// Where a list continues.
#[derive(Debug)]
pub(super) struct Paging {
    next: Continuation,
    scope: Scope,
    /// Hashes of the pages read: a server may make its URLs long.
    seen: HashSet<u64>,
    empty_pages: usize,
}

#[derive(Debug)]
enum Continuation {
    Target(String),
    /// The page before was good, but there is no way on.
    Failed(Error),
    End,
}

impl Paging {
    /// Starts at `path`. Asks for pages of `page_size` only where the caller did, since some
    /// registries cut a list off at the size asked for without saying so.
    pub(super) fn new(path: String, scope: Scope, page_size: Option<NonZeroU32>) -> Paging {
        let target = match page_size {
            Some(entries) => format!("{path}?n={entries}"),
            None => path,
        };
        Paging {
            next: Continuation::Target(target),
            scope,
            seen: HashSet::new(),
            empty_pages: 0,
        }
    }

    /// Fetches the next page; `None` after the last, or after an error. `list` is the JSON field
    /// that holds the entries, `about` what it is a list of.
    pub(super) fn fetch<T: FromStr>(
        &mut self,
        call: &Call<'_>,
        list: &'static str,
        about: About<'_>,
    ) -> Result<Option<Listed<T>>, Error> {
        let target = match std::mem::replace(&mut self.next, Continuation::End) {
            Continuation::Target(target) => target,
            Continuation::Failed(error) => return Err(error),
            Continuation::End => return Ok(None),
        };
        let access = Access::Scopes(vec![self.scope.clone()]);
        let mut request = Request::read(Method::Get, target.as_str(), "application/json", access);
        if !self.seen.is_empty() {
            let next = Url::on(&call.state().origin, &target);
            let next = next.map_err(|bad| call.subject().bad_target(bad))?;
            request.target = Target::Answered(next);
        }
        let state = call.state();
        let (page, link) = call.send(&request, |answer| {
            if !answer.is_success() {
                let refusal = answer.complete()?;
                if refusal.shows_registry() {
                    state.saw_registry();
                }
                let meaning = Meaning::of(&refusal, &call.asked(Method::Get, about));
                let error = call.subject().refusal_as(refusal, meaning);
                return Err(self.refused(error).into());
            }
            let link = link_of(&answer, call).map_err(|problem| protocol(call, problem));
            Ok((read_page::<T>(answer, list, call)?, link))
        })?;
        state.saw_registry();
        self.seen.insert(hash(&target));
        self.empty_pages = if page.page.entries.is_empty() {
            self.empty_pages + 1
        } else {
            0
        };
        self.next = match link
            .and_then(|link| self.way_on(link).map_err(|problem| protocol(call, problem)))
        {
            Ok(Some(next)) => Continuation::Target(next),
            Ok(None) => Continuation::End,
            Err(error) => Continuation::Failed(error),
        };
        let read = page.page.entries.len() as u64;
        call.interrupt
            .advance(read)
            .map_err(|stopped| call.subject().stopped(stopped, "reading a list"))?;
        Ok(Some(page))
    }

    /// What a refused page means: of the first, what it says; of a later one, that the list is not
    /// whole.
    fn refused(&self, error: Error) -> Error {
        let read = self.seen.len();
        let is_of_list = matches!(
            error.kind(),
            ErrorKind::NotFound | ErrorKind::Unsupported | ErrorKind::Protocol
        );
        if read == 0 || !is_of_list {
            return error;
        }
        let subject = error.subject().unwrap_or_default().to_owned();
        Error::new(
            ErrorKind::Protocol,
            format!("the list breaks off after {read} pages"),
        )
        .with_http_status(error.http_status().unwrap_or_default())
        .with_registry_errors(error.registry_errors().to_vec())
        .caused_by(error)
        .about(subject)
    }

    /// Refuses to go round in circles.
    fn way_on(&self, link: Option<String>) -> Result<Option<String>, String> {
        let Some(next) = link else { return Ok(None) };
        if self.seen.contains(&hash(&next)) {
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
        Ok(Some(next))
    }
}

/// Reads pages to the end, leaving out what came before: a list may shift while it is read.
pub(super) fn collect<T: Clone + Eq + Hash>(
    call: &Call<'_>,
    mut next: impl FnMut() -> Result<Option<Listed<T>>, Error>,
) -> Result<Vec<T>, Error> {
    let (mut entries, mut seen) = (Vec::new(), HashSet::new());
    while let Some(Listed { page, .. }) = next()? {
        entries.extend(
            page.entries
                .into_iter()
                .filter(|entry| seen.insert(entry.clone())),
        );
        if entries.len() > MAX_ENTRIES {
            let message = format!("the list has more than {MAX_ENTRIES} entries");
            return Err(Error::new(ErrorKind::TooLarge, message)
                .with_hint("read it page by page")
                .about(call.about));
        }
    }
    Ok(entries)
}

fn hash(target: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    target.hash(&mut hasher);
    hasher.finish()
}

fn protocol(call: &Call<'_>, problem: String) -> Error {
    Error::new(ErrorKind::Protocol, problem).about(call.about)
}

/// The target of the next page. It has to be on the registry itself: a Link elsewhere is how a list
/// would be made to send requests to other hosts.
fn link_of(answer: &Answer, call: &Call<'_>) -> Result<Option<String>, String> {
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
fn read_page<T: FromStr>(
    answer: Answer,
    list: &'static str,
    call: &Call<'_>,
) -> Result<Listed<T>, ReadError> {
    let authority = call.subject().host(&answer.url.origin());
    let mut body = answer.body.take(MAX_PAGE);
    let mut json = serde_json::Deserializer::from_reader(BufReader::new(body.by_ref()));
    let page = ListBody::named(list)
        .deserialize(&mut json)
        .and_then(|page| json.end().map(|()| page));
    page.map_err(|error| {
        if error.is_io() {
            return ReadError::Wire(WireError::from_body_read(error.into()));
        }
        if body.limit() == 0 {
            let problem = format!("{authority} answers with a list larger than {MAX_PAGE} bytes");
            let error = Error::new(ErrorKind::TooLarge, problem);
            return ReadError::Answer(error.about(call.about));
        }
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
