//! A list is whole or an error: what a page may hold, where its Link may lead, and what follows a
//! full page without a Link.

use std::num::NonZeroU32;
use std::sync::Arc;

use fake_registry::Recorded;
use ocireg::{CallOptions, Client, Error, ErrorKind, Repository};
use raw_http::{Answer, Server, Service, Stop};

use crate::quirks_support::*;

/// A registry whose tag list a function makes: the body of the page after `last`, and its Link.
struct Lists<F>(F);

impl<F: Fn(&Recorded) -> (String, Option<String>) + Send + Sync + 'static> Service for Lists<F> {
    fn answer(&self, request: &Recorded, _: &Stop) -> Option<Answer> {
        let (body, link) = (self.0)(request);
        let link = link.map(|to| format!("\nLink: <{to}>; rel=\"next\""));
        let mark = "Docker-Distribution-Api-Version: registry/2.0\nContent-Type: application/json";
        let head = format!("{mark}{}", link.unwrap_or_default());
        Some(Answer::new(200, &head, body))
    }
}

fn serve<F>(page: F) -> Server
where
    F: Fn(&Recorded) -> (String, Option<String>) + Send + Sync + 'static,
{
    Server::start(0, None, Arc::new(Lists(page)))
}

fn tags_of(server: &Server) -> Repository {
    format!("{}/t/tags", server.address()).parse().unwrap()
}

fn by_pages_of(entries: u32) -> Client {
    client().with(CallOptions::new().page_size(NonZeroU32::new(entries).unwrap()))
}

fn list(client: &Client, server: &Server) -> Result<Vec<String>, Error> {
    let tags = client.tags(&tags_of(server))?;
    Ok(tags.iter().map(ToString::to_string).collect())
}

fn targets(server: &Server) -> Vec<String> {
    let requests = server.take_requests();
    requests.into_iter().map(|request| request.target).collect()
}

fn json(tags: &[&str]) -> String {
    format!(r#"{{"name":"t/tags","tags":{tags:?}}}"#)
}

/// A Link may lead to more of the same list, and nowhere else.
#[test]
fn a_link_to_another_repository_or_endpoint_is_not_followed() {
    let own = "/v2/t/tags/tags/list";
    let cases = [
        ("/v2/t/tags/tags/list?last=a", true),
        ("?last=a", true),
        ("list?last=a", true),
        ("/v2/t/tags/manifests/../tags/list?last=a", true),
        ("/v2/t/other/tags/list?last=a", false),
        ("/v2/tags/tags/list?last=a", false),
        ("/v2/t/tags/../other/tags/list?last=a", false),
        ("/v2/t/tags/%2e%2e/other/tags/list?last=a", false),
        ("/v2/t/tags%2Ftags/list?last=a", false),
        ("/repository/docker/v2/t/tags/tags/list?last=a", false),
        ("/v2/_catalog?last=a", false),
        ("/v2/t/tags/manifests/a", false),
        ("/v2/", false),
        ("/", false),
    ];
    for (link, followed) in cases {
        let server = serve(move |request| match request.query("last") {
            None if request.path() == own => (json(&["a"]), Some(link.to_owned())),
            _ => (json(&["b"]), None),
        });
        match list(&client(), &server) {
            Ok(tags) if followed => assert_eq!(tags, ["a", "b"], "{link}"),
            Err(error) if !followed => {
                assert_eq!(error.kind(), ErrorKind::Protocol, "{link}: {error}");
                assert_tells(&error, "another repository or endpoint");
            }
            other => panic!("{link}: {other:?}"),
        }
        let asked = targets(&server);
        assert_eq!(
            asked.len(),
            if followed { 2 } else { 1 },
            "{link}: {asked:?}"
        );
        assert!(
            asked.iter().all(|target| target.starts_with(own)),
            "{asked:?}"
        );
    }
}

/// Programs differ about which of two lists counts, and a list beside errors is not all of it.
#[test]
fn a_page_with_two_lists_or_with_errors_is_refused() {
    let cases = [
        r#"{"tags":["a"],"tags":["b"]}"#,
        r#"{"tags":["a"],"tags":["a"]}"#,
        r#"{"tags":["a"],"t\u0061gs":null}"#,
        r#"{"tags":["a"],"errors":[{"code":"UNKNOWN","message":"backend 2 is down"}]}"#,
        r#"{"errors":[{"code":"UNKNOWN"}],"tags":["a"]}"#,
        r#"{"errors":"no","tags":[]}"#,
    ];
    for body in cases {
        let server = serve(|_| (body.to_owned(), None));
        let error = list(&client(), &server).expect_err(body);
        assert_eq!(error.kind(), ErrorKind::Protocol, "{body}: {error}");
        assert_tells(&error, "no list of tags");
        assert_eq!(targets(&server).len(), 1, "{body}");
    }
    // Deeper ones, and fields of other lists, are the registry's business.
    let body = r#"{"child":{"errors":[1]},"repositories":["x"],"repositories":[],"tags":["a"]}"#;
    let server = serve(|_| (body.to_owned(), None));
    assert_eq!(list(&client(), &server).unwrap(), ["a"]);
}

/// How a registry with five tags, `a` to `e`, pages them.
#[derive(Clone, Copy)]
enum Paging {
    /// Honours `n` and `last`, without Links (go-containerregistry's).
    NoLink,
    /// The same, and asked for what follows the last tag it starts again.
    Wraps,
    /// Honours `n` alone.
    IgnoresLast,
    /// Honours neither (docker-registry 2.8).
    IgnoresBoth,
}

fn paged(paging: Paging, request: &Recorded) -> (String, Option<String>) {
    let all = ["a", "b", "c", "d", "e"];
    let last = request.query("last");
    let start = match paging {
        Paging::NoLink | Paging::Wraps => all.iter().position(|tag| Some(*tag) == last.as_deref()),
        _ => None,
    };
    let mut rest = &all[start.map_or(0, |at| at + 1)..];
    if matches!(paging, Paging::Wraps) && rest.is_empty() {
        rest = &all;
    }
    let size = request.query("n").and_then(|n| n.parse().ok());
    let size = size.filter(|_| !matches!(paging, Paging::IgnoresBoth));
    let page = &rest[..size.unwrap_or(rest.len()).min(rest.len())];
    (json(page), None)
}

/// Where the page size was honoured exactly and no Link came, the next page is asked for.
#[test]
fn a_full_page_without_a_link_is_not_taken_for_the_end() {
    use Paging::{IgnoresBoth, IgnoresLast, NoLink, Wraps};
    let whole = Ok(5);
    let cut = Err("the registry cuts its lists");
    let cases = [
        (
            "pages that do not divide the list",
            NoLink,
            Some(2),
            whole,
            3,
        ),
        ("a page is the whole list", NoLink, Some(5), whole, 2),
        ("pages of one", NoLink, Some(1), whole, 6),
        ("a page larger than the list", NoLink, Some(6), whole, 1),
        ("no page size", NoLink, None, whole, 1),
        ("starts again behind a short page", Wraps, Some(2), whole, 3),
        ("starts again behind a full page", Wraps, Some(5), cut, 2),
        ("starts again behind several", Wraps, Some(1), cut, 6),
        ("last ignored", IgnoresLast, Some(2), cut, 2),
        ("last ignored, no page size", IgnoresLast, None, whole, 1),
        ("n and last ignored", IgnoresBoth, Some(2), whole, 1),
        (
            "n and last ignored, and it looks honoured",
            IgnoresBoth,
            Some(5),
            cut,
            2,
        ),
    ];
    for (what, paging, size, expected, requests) in cases {
        let server = serve(move |request| paged(paging, request));
        let client = size.map_or_else(client, by_pages_of);
        match (list(&client, &server), expected) {
            (Ok(tags), Ok(count)) => assert_eq!(tags.len(), count, "{what}"),
            (Err(error), Err(text)) => {
                assert_eq!(error.kind(), ErrorKind::Protocol, "{what}: {error}");
                assert_tells(&error, text);
                assert_tells(&error, "without a page size");
            }
            (other, _) => panic!("{what}: {other:?}"),
        }
        assert_eq!(targets(&server).len(), requests, "{what}");
    }
}

/// What was asked, and that the pages before the error stay.
#[test]
fn what_follows_a_full_page_is_asked_for_by_its_last_tag() {
    let server = serve(|request| paged(Paging::NoLink, request));
    assert_eq!(list(&by_pages_of(3), &server).unwrap().len(), 5);
    let own = "/v2/t/tags/tags/list";
    let expected = [format!("{own}?n=3"), format!("{own}?n=3&last=c")];
    assert_eq!(targets(&server), expected);

    let server = serve(|request| paged(Paging::IgnoresLast, request));
    let mut pages = by_pages_of(3).tag_pages(&tags_of(&server));
    assert_eq!(pages.next().unwrap().unwrap().entries.len(), 3);
    let error = pages.next().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(pages.next().is_none());
}

/// Entries that are no names may count towards the size of a page, or not.
#[test]
fn a_page_that_is_full_with_what_is_no_tag_is_full() {
    for (first, size) in [
        (r#"{"tags":["a",null]}"#, 2),
        (r#"{"tags":[null,"a","b"]}"#, 2),
    ] {
        let server = serve(move |request| match request.query("last") {
            None => (first.to_owned(), None),
            Some(_) => (json(&["z"]), None),
        });
        let tags = list(&by_pages_of(size), &server).unwrap();
        assert_eq!(tags.last().unwrap(), "z", "{first}");
    }
    let server = serve(|_| (r#"{"tags":[null,null]}"#.to_owned(), None));
    let error = list(&by_pages_of(2), &server).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
}

/// A registry may refuse `last` where it did not make it up: then nobody knows whether the list is
/// whole.
#[test]
fn a_refused_page_after_a_full_one_is_no_end() {
    for (status, code) in [
        (400, "PAGINATION_NUMBER_INVALID"),
        (404, "NAME_UNKNOWN"),
        (405, "UNSUPPORTED"),
    ] {
        let page = answer("GET", 200, "", &json(&["a", "b"]));
        let refusal = format!(r#"{{"errors":[{{"code":"{code}","message":"no"}}]}}"#);
        let server = canned(&[&page, &answer("GET", status, "", &refusal)]);
        let reference = parse(&format!("{}/t/tags", server.authority()));
        let error = by_pages_of(2).tags(reference.repository()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{status}: {error}");
        assert_eq!(error.http_status(), Some(status));
        assert_eq!(error.registry_errors()[0].code, code);
        assert_tells(&error, "without a page size");
    }
}
