//! Tag lists and the catalog: pages, Links, and what registries do wrong with them.

use std::collections::BTreeMap;
use std::ops::Bound;

use raw_http::Answer;
use serde_json::{Map, Value, json};

use crate::answer;
use crate::effects::{is_later_page, number};
use crate::quirk::{LinkLoop, LinkSyntax, Quirk, value};
use crate::routes::Call;
use crate::store::{Repository, Store, sha256};

/// A page of a list: its names, its largest size, and whether more names follow.
struct Part {
    names: Vec<String>,
    limit: Option<u64>,
    more: bool,
}

impl Call<'_> {
    /// `GET /v2/<name>/tags/list`; `None` if the page size is not a number.
    pub(crate) fn tags(&self, name: &str, repository: &Repository) -> Option<Answer> {
        let part = self.cut(&repository.tags)?;
        let mut body = json!({"name": name, "tags": self.entries(&part.names)});
        if self.quirks.has(Quirk::GcrLists) {
            body["child"] = json!([]);
            body["manifest"] = gcr_manifests(repository, &part.names);
        }
        Some(self.list(&body, &part))
    }

    /// `GET /v2/_catalog`; `None` if the page size is not a number.
    pub(crate) fn catalog(&self, store: &Store) -> Option<Answer> {
        let part = self.cut(&store.repositories)?;
        Some(self.list(&json!({"repositories": self.entries(&part.names)}), &part))
    }

    fn cut<V>(&self, all: &BTreeMap<String, V>) -> Option<Part> {
        let asked = self.request.query("n").map(|n| n.parse().ok());
        let asked = asked.filter(|_| !self.quirks.has(Quirk::IgnorePageSize));
        let most = value!(self.quirks, PageSize);
        let limit = match asked {
            Some(number) => Some(number?).into_iter().chain(most).min(),
            None => most,
        };
        let mut rest = all
            .range((self.start(), Bound::Unbounded))
            .map(|(name, _)| name);
        let most = limit.map_or(usize::MAX, |limit| limit as usize);
        let names = rest.by_ref().take(most).cloned().collect();
        Some(Part {
            names,
            limit,
            more: rest.next().is_some(),
        })
    }

    /// The name after which the page starts.
    fn start(&self) -> Bound<String> {
        let cursor = self.request.query("cursor");
        let cursor = cursor.and_then(|cursor| hex::decode(cursor).ok());
        let last = match value!(self.quirks, LoopingLink) {
            // Sorts after every tag and repository name.
            Some(LinkLoop::Endless) if is_later_page(self.request) => Some("~".to_owned()),
            Some(_) => None,
            None => match cursor {
                Some(cursor) => String::from_utf8(cursor).ok(),
                None => self.request.query("last"),
            },
        };
        last.map_or(Bound::Unbounded, Bound::Excluded)
    }

    fn entries(&self, names: &[String]) -> Value {
        if names.is_empty() && self.quirks.has(Quirk::NullTags) {
            return Value::Null;
        }
        let mut entries: Vec<Value> = names.iter().map(|name| json!(name)).collect();
        if self.quirks.has(Quirk::NullEntries) {
            entries.insert(0, Value::Null);
        }
        if self.quirks.has(Quirk::DigestsAmongTags) {
            entries.push(json!(sha256(b"no tag")));
        }
        Value::Array(entries)
    }

    fn list(&self, body: &Value, part: &Part) -> Answer {
        let mut answer = answer::json(200, body);
        let Some(next) = self.next(part) else {
            return answer;
        };
        let next = value!(self.quirks, LinkOrigin).unwrap_or_default() + &next;
        let link = match value!(self.quirks, OddLink) {
            None => format!("<{next}>; rel=\"next\""),
            Some(LinkSyntax::Unquoted) => format!("<{next}>; rel=next"),
            Some(LinkSyntax::Several) => {
                format!("</v2/>; rel=\"first\"; title=\"a, b\" , <{next}> ; x=y; rel=\"last next\"")
            }
            Some(LinkSyntax::UpperCase) => format!("<{next}>; REL=\"NEXT\""),
            Some(LinkSyntax::NoBracket) => format!("{next}>; rel=\"next\""),
            Some(LinkSyntax::Empty) => "<>; rel=\"next\"".to_owned(),
        };
        answer.add(&format!("Link: {link}"));
        answer
    }

    /// The URL of the next page, if there is one or a quirk says so.
    fn next(&self, part: &Part) -> Option<String> {
        let (quirks, path) = (self.quirks, self.request.path());
        let opaque = quirks.has(Quirk::OpaqueCursor);
        let query = match value!(quirks, LoopingLink) {
            Some(LinkLoop::Same) => "last=10000".to_owned(),
            Some(LinkLoop::Pair) => format!("page={}", number(self.request, "page") % 2 + 1),
            Some(LinkLoop::Endless) => format!("last={}", number(self.request, "last") + 1),
            None if quirks.has(Quirk::NoLink) => return None,
            None if !part.more && !quirks.has(Quirk::LinkOnLastPage) => return None,
            None if opaque => format!("cursor={}", hex::encode(part.names.last()?)),
            None => format!("last={}", part.names.last()?),
        };
        let n = part.limit.map(|limit| format!("&n={limit}"));
        let n = n.unwrap_or_default();
        let origin = if opaque { self.url } else { "" };
        Some(format!("{origin}{path}?{query}{n}"))
    }
}

/// The `manifest` field of a GCR list: digest to size, type and tags.
fn gcr_manifests(repository: &Repository, tags: &[String]) -> Value {
    let mut manifests = Map::new();
    for tag in tags {
        let Some((digest, manifest)) = repository.find(tag) else {
            continue;
        };
        let (size, kind) = (manifest.bytes.len().to_string(), &manifest.media_type);
        let entry = json!({"imageSizeBytes": size, "layerId": "", "mediaType": kind, "tag": [],
            "timeCreatedMs": "0", "timeUploadedMs": "1700000000000"});
        if let Value::Array(names) = &mut manifests.entry(digest).or_insert(entry)["tag"] {
            names.push(json!(tag));
        }
    }
    Value::Object(manifests)
}
