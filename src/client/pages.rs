//! Lists in pages (distribution spec, "Listing tags"; RFC 8288): the one way to read tags and
//! catalogs.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufReader, Read};
use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::answer::Answer;
use super::call::Call;
use super::failure::ReadError;
use super::registry::RegistryState;
use super::request::{Access, Request};
use crate::auth::Scope;
use crate::digest::Digest;
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
/// sends them for ever (R16).
const MAX_EMPTY_PAGES: usize = 100;

/// A part of a list, as the registry cut it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The entries, in the registry's order.
    pub entries: Vec<T>,
    /// How many entries were left out because they are no valid names: some registries list nulls
    /// or digests among their tags (H6, H7).
    pub skipped: usize,
}

/// A page, and what some registries say beside it.
#[derive(Debug)]
pub(super) struct Listed<T> {
    pub(super) page: Page<T>,
    /// The digests of tags, where the list has them (Google's registries, H11).
    pub(super) digests: Vec<(T, Digest)>,
}

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
    /// Starts at `path`, asking for pages of `page_size` only where the caller asked (H15).
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
    /// that holds the entries.
    pub(super) fn fetch<T: FromStr>(
        &mut self,
        call: &Call<'_>,
        list: &'static str,
    ) -> Result<Option<Listed<T>>, Error> {
        let target = match std::mem::replace(&mut self.next, Continuation::End) {
            Continuation::Target(target) => target,
            Continuation::Failed(error) => return Err(error),
            Continuation::End => return Ok(None),
        };
        let access = Access::Scopes(vec![self.scope.clone()]);
        let request = Request::read(Method::Get, target.as_str(), "application/json", access);
        let state = call.state();
        let (page, link) = call.send(&request, |answer| {
            if !answer.is_success() {
                let refusal = answer.complete()?;
                if refusal.shows_registry() {
                    state.saw_registry();
                }
                return Err(self.refused(call.subject().refusal(refusal)).into());
            }
            let link = link_of(&answer, state).map_err(|problem| protocol(call, problem));
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
    /// whole (H6, H8).
    fn refused(&self, error: Error) -> Error {
        let read = self.seen.len();
        if read == 0 || !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Unsupported) {
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

    /// Refuses to go round in circles (R16).
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

/// Reads pages to the end, leaving out what came before: a list may shift while it is read (H1).
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
/// would be made to send requests to other hosts (H13, S5).
fn link_of(answer: &Answer, state: &RegistryState) -> Result<Option<String>, String> {
    let link =
        next_link(answer.headers.get_all("link")).map_err(|malformed| malformed.to_string())?;
    let Some(link) = link else { return Ok(None) };
    let url = answer
        .url
        .join(&link)
        .map_err(|bad| format!("the list continues at an unusable URL: {bad}"))?;
    if url.origin() != state.origin && !is_same_behind_proxy(&url, state) {
        return Err(format!(
            "the list continues on another server ({}), which is not followed",
            url.origin()
        ));
    }
    Ok(Some(url.target().to_owned()))
}

/// A registry behind a proxy that ends TLS may not know that it is reached by https (G3).
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
    let authority = answer.url.authority();
    let mut body = answer.body.take(MAX_PAGE);
    let mut json = serde_json::Deserializer::from_reader(BufReader::new(body.by_ref()));
    let entries = PhantomData::<T>;
    let page = ListBody { list, entries }
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
        let error = Error::new(ErrorKind::Protocol, problem).caused_by(error);
        ReadError::Answer(
            error
                .with_hint("is there a registry at this address?")
                .about(call.about),
        )
    })
}

/// The JSON object of a list, of which one field matters. Registries add others (H11); they are
/// skipped, not kept.
struct ListBody<T> {
    list: &'static str,
    entries: PhantomData<T>,
}

impl<'de, T: FromStr> DeserializeSeed<'de> for ListBody<T> {
    type Value = Listed<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Listed<T>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: FromStr> Visitor<'de> for ListBody<T> {
    type Value = Listed<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with a list `{}`", self.list)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Listed<T>, A::Error> {
        let mut page = None;
        let mut manifests: HashMap<String, Manifest> = HashMap::new();
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            if key == self.list && page.is_none() {
                page = Some(map.next_value_seed(Entries(PhantomData::<T>))?);
            } else if key == "manifest" && self.list == "tags" {
                // Another registry's field of this name may be anything.
                manifests = map.next_value::<Lenient<HashMap<String, Manifest>>>()?.0;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        let page = page.ok_or_else(|| de::Error::missing_field(self.list))?;
        let digests = manifests.into_iter().filter_map(|(digest, manifest)| {
            let digest: Digest = digest.parse().ok()?;
            Some(
                manifest
                    .tag
                    .into_iter()
                    .filter_map(move |tag| Some((tag.parse().ok()?, digest.clone()))),
            )
        });
        Ok(Listed {
            page,
            digests: digests.flatten().collect(),
        })
    }
}

/// What Google's registries list of a manifest.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Manifest {
    tag: Vec<String>,
}

/// A value of the expected shape, or the default.
struct Lenient<T>(T);

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Lenient<T>, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either<T> {
            Expected(T),
            Other(IgnoredAny),
        }
        Ok(Lenient(match Either::deserialize(deserializer)? {
            Either::Expected(value) => value,
            Either::Other(_) => T::default(),
        }))
    }
}

/// The list itself; null stands for an empty one (H5).
struct Entries<T>(PhantomData<T>);

impl<'de, T: FromStr> DeserializeSeed<'de> for Entries<T> {
    type Value = Page<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Page<T>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: FromStr> Visitor<'de> for Entries<T> {
    type Value = Page<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of names, or null")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Page<T>, E> {
        Ok(Page {
            entries: Vec::new(),
            skipped: 0,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Page<T>, A::Error> {
        let mut page = Page {
            entries: Vec::new(),
            skipped: 0,
        };
        while let Some(entry) = seq.next_element_seed(Entry(PhantomData::<T>))? {
            match entry {
                Some(entry) => page.entries.push(entry),
                None => page.skipped += 1,
            }
        }
        Ok(page)
    }
}

/// One entry: `None` for what is no valid name (H6, H7).
struct Entry<T>(PhantomData<T>);

impl<'de, T: FromStr> DeserializeSeed<'de> for Entry<T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: FromStr> Visitor<'de> for Entry<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Option<T>, E> {
        Ok(text.parse().ok())
    }

    fn visit_unit<E: de::Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<T>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<T>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}
