//! Lists (H1 to H15, R16): which entries come, which are skipped, how a list without end or a
//! broken list ends, and which requests are sent.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use fake_registry::{FakeRegistry, LinkLoop, LinkSyntax, Page, Quirk};
use ocireg::{CallOptions, Client, Error, ErrorKind};

use crate::quirks_support::*;

/// A registry with `t/tags:a000000` and so on.
fn with_tags(count: usize, quirks: impl IntoIterator<Item = Quirk>) -> FakeRegistry {
    let registry = registry(quirks);
    registry.put_tags("t/tags", "a", count);
    registry
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("a{number:06}")).collect()
}

fn tags(client: &Client, registry: &FakeRegistry) -> Result<Vec<String>, Error> {
    let tags = client.tags(&repository(registry, "t/tags"))?;
    Ok(tags.iter().map(ToString::to_string).collect())
}

/// A list page by page: the number of entries of each page, the number of skipped entries, and the
/// error at the end. Nothing comes after it.
fn pages(client: &Client, registry: &FakeRegistry) -> (Vec<usize>, usize, Option<Error>) {
    let mut pages = client.tag_pages(&repository(registry, "t/tags"));
    let (mut sizes, mut skipped, mut failure) = (Vec::new(), 0, None);
    for page in pages.by_ref() {
        match page {
            Ok(page) => {
                assert!(failure.is_none(), "a page after the error");
                sizes.push(page.entries.len());
                skipped += page.skipped;
            }
            Err(error) => assert!(failure.replace(error).is_none(), "two errors"),
        }
    }
    assert!(pages.next().is_none());
    (sizes, skipped, failure)
}

fn targets(registry: &FakeRegistry) -> Vec<String> {
    let requests = registry.take_requests();
    requests.into_iter().map(|request| request.target).collect()
}

/// A description, the quirks, the sizes of the pages, and the number of skipped entries.
type ListCase<'a> = (&'a str, &'a [Quirk], &'a [usize], usize);

/// Checks that a list of five tags is complete, as a whole and page by page.
#[track_caller]
fn check_complete(cases: &[ListCase]) {
    for (what, quirks, sizes, skipped) in cases {
        let registry = with_tags(5, quirks.iter().cloned());
        let client = client();
        assert_eq!(tags(&client, &registry).expect(what), names(5), "{what}");
        let all_requests = registry.take_requests();
        assert!(
            all_requests[0].target == "/v2/t/tags/tags/list",
            "{what}: no n unless asked for"
        );
        let (came, left_out, failure) = pages(&client, &registry);
        assert!(failure.is_none(), "{what}: {failure:?}");
        assert_eq!((came.as_slice(), left_out), (*sizes, *skipped), "{what}");
        if !quirks.contains(&Quirk::RedirectHops(3)) {
            let requests = registry.request_count();
            assert_eq!(requests, sizes.len(), "{what}: one request per page");
        }
    }
}

#[test]
fn h1_h2_h3_h9_h12_a_list_in_pages_is_complete() {
    let odd = |syntax| [Quirk::PageSize(2), Quirk::OddLink(syntax)];
    let text = Quirk::Header("Content-Type: text/plain".to_owned());
    check_complete(&[
        ("H1: one page", &[], &[5], 0),
        ("H1: n ignored", &[Quirk::IgnorePageSize], &[5], 0),
        ("H9: pages", &[Quirk::PageSize(2)], &[2, 2, 1], 0),
        ("H9: one full page", &[Quirk::PageSize(5)], &[5], 0),
        (
            "H2: a Link on the last page",
            &[Quirk::PageSize(5), Quirk::LinkOnLastPage],
            &[5, 0],
            0,
        ),
        (
            "H3: an opaque cursor, absolute",
            &[Quirk::PageSize(2), Quirk::OpaqueCursor],
            &[2, 2, 1],
            0,
        ),
        (
            "H3: another type",
            &[Quirk::PageSize(2), text],
            &[2, 2, 1],
            0,
        ),
        ("H12: unquoted", &odd(LinkSyntax::Unquoted), &[2, 2, 1], 0),
        ("H12: several", &odd(LinkSyntax::Several), &[2, 2, 1], 0),
        (
            "H12: upper case",
            &odd(LinkSyntax::UpperCase),
            &[2, 2, 1],
            0,
        ),
        ("R17: redirected", &[Quirk::RedirectHops(3)], &[5], 0),
    ]);
}

#[test]
fn h5_h6_h7_h11_a_list_with_odd_entries_is_complete() {
    check_complete(&[
        (
            "H5: null at the end",
            &[Quirk::PageSize(5), Quirk::LinkOnLastPage, Quirk::NullTags],
            &[5, 0],
            0,
        ),
        (
            "H6: nulls among them",
            &[Quirk::PageSize(2), Quirk::NullEntries],
            &[2, 2, 1],
            3,
        ),
        (
            "H7: digests among them",
            &[Quirk::PageSize(2), Quirk::DigestsAmongTags],
            &[2, 2, 1],
            3,
        ),
        (
            "H6, H7: both",
            &[Quirk::NullEntries, Quirk::DigestsAmongTags],
            &[5],
            2,
        ),
        (
            "H11: GCR",
            &[Quirk::PageSize(2), Quirk::GcrLists],
            &[2, 2, 1],
            0,
        ),
    ]);
}

#[test]
fn h1_the_requests_for_a_list() {
    let registry = with_tags(3, [Quirk::PageSize(2)]);
    tags(&client(), &registry).unwrap();
    let requests = registry.take_requests();
    for request in &requests {
        let names: Vec<String> = fields(request).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["accept", "accept-encoding", "host", "user-agent"]);
        assert_eq!((request.method.as_str(), request.connection), ("GET", 0));
        assert_eq!(request.header("accept").unwrap(), "application/json");
    }
    assert_eq!(requests.len(), 2);
    // The same text as in the Link.
    assert_eq!(requests[1].target, "/v2/t/tags/tags/list?last=a000001&n=2");
}

/// A registry may honour `n` and send no Link to the rest. A client that sends `n` by default would
/// lose entries.
#[test]
fn h15_no_page_size_unless_asked_for() {
    let registry = with_tags(5, [Quirk::NoLink]);
    let client = client();
    assert_eq!(tags(&client, &registry).unwrap(), names(5));
    assert_eq!(targets(&registry), ["/v2/t/tags/tags/list"]);
    let small = client.with(CallOptions::new().page_size(NonZeroU32::new(2).unwrap()));
    assert_eq!(tags(&small, &registry).unwrap(), names(5));
    assert_eq!(
        targets(&registry),
        [
            "/v2/t/tags/tags/list?n=2",
            "/v2/t/tags/tags/list?n=2&last=a000001",
            "/v2/t/tags/tags/list?n=2&last=a000003",
        ]
    );
    registry.set_quirks([]);
    assert_eq!(tags(&small, &registry).unwrap(), names(5));
    assert_eq!(
        targets(&registry),
        [
            "/v2/t/tags/tags/list?n=2",
            "/v2/t/tags/tags/list?last=a000001&n=2",
            "/v2/t/tags/tags/list?last=a000003&n=2",
        ]
    );
    let catalog = small.catalog(&name(&registry)).unwrap();
    assert_eq!(catalog.len(), 2);
    let asked = ["/v2/_catalog?n=2", "/v2/_catalog?n=2&last=t%2Ftags"];
    assert_eq!(targets(&registry), asked);
}

/// A description, the quirks, the sizes of the pages before the error, and its kind and text.
type BrokenCase = (
    &'static str,
    Vec<Quirk>,
    Vec<usize>,
    ErrorKind,
    &'static str,
);

/// Checks that pages come until one error, and that the whole list is the error.
#[track_caller]
fn check_broken(cases: Vec<BrokenCase>) {
    let started = Instant::now();
    for (what, quirks, sizes, kind, text) in cases {
        let registry = with_tags(5, quirks);
        let (came, _, failure) = pages(&client(), &registry);
        let failure = failure.expect(what);
        assert_eq!(came, sizes, "{what}");
        assert_eq!(failure.kind(), kind, "{what}: {failure}");
        assert_tells(&failure, text);
        assert_tells(&failure, &format!("{}/t/tags", registry.authority()));
        assert!(!story(&failure).contains("hunter2"), "{what}");
        let whole = tags(&client(), &registry).expect_err(what);
        assert_eq!(whole.kind(), kind, "{what}: {whole}");
    }
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn h7_r16_a_list_without_end_is_an_error() {
    use ErrorKind::Protocol;
    let looping = |kind| vec![Quirk::LoopingLink(kind)];
    let earlier = "leads back to an earlier one";
    let mut empty = vec![5];
    empty.extend([0; 100]);
    check_broken(vec![
        (
            "the same page again",
            looping(LinkLoop::Same),
            vec![5, 5],
            Protocol,
            earlier,
        ),
        (
            "two pages that link to each other",
            looping(LinkLoop::Pair),
            vec![5, 5, 5],
            Protocol,
            earlier,
        ),
        (
            "empty pages",
            looping(LinkLoop::Endless),
            empty,
            Protocol,
            "100 empty pages in a row",
        ),
    ]);
}

#[test]
fn h12_h13_a_list_with_a_bad_link_is_an_error() {
    let other = registry([]);
    let odd = |what, syntax| {
        let quirks = vec![Quirk::PageSize(2), Quirk::OddLink(syntax)];
        (what, quirks, vec![2], ErrorKind::Protocol, "Link")
    };
    let leads = |what, base: &str, text| {
        let quirks = vec![Quirk::PageSize(2), Quirk::LinkOrigin(base.to_owned())];
        (what, quirks, vec![2], ErrorKind::Protocol, text)
    };
    let elsewhere = "another server";
    check_broken(vec![
        odd("no bracket", LinkSyntax::NoBracket),
        odd("empty", LinkSyntax::Empty),
        leads("another port", &other.url(), elsewhere),
        leads("another host", "http://registry.example.com", elsewhere),
        leads("another scheme", "https://127.0.0.1:1", elsewhere),
        leads("userinfo", "http://user:hunter2@127.0.0.1", "unusable URL"),
    ]);
    assert_eq!(other.connection_count(), 0, "nothing was sent there");
}

#[test]
fn h3_h6_a_list_whose_second_page_fails_is_an_error() {
    use ErrorKind::{Denied, Protocol, RateLimited, Rejected, Server};
    let fails = |what, status, kind, text| {
        let quirks = vec![Quirk::PageSize(2), Quirk::LinkFails(status)];
        (what, quirks, vec![2], kind, text)
    };
    check_broken(vec![
        fails("400", 400, Rejected, "HTTP 400"),
        fails("401", 401, Denied, "HTTP 401"),
        fails("403", 403, Denied, "HTTP 403"),
        fails("404", 404, Protocol, "breaks off after 1 pages"),
        fails("405", 405, Protocol, "breaks off after 1 pages"),
        fails("429", 429, RateLimited, "HTTP 429"),
        fails("500", 500, Server, "HTTP 500"),
    ]);
}

/// An empty repository has no tags, and a missing one is an error.
#[test]
fn h5_d5_empty_and_missing_repositories() {
    for quirk in [None, Some(Quirk::NullTags)] {
        let registry = with_tags(0, quirk);
        assert_eq!(tags(&client(), &registry).unwrap(), Vec::<String>::new());
        let (sizes, skipped, failure) = pages(&client(), &registry);
        assert_eq!((sizes, skipped), (vec![0], 0));
        assert!(failure.is_none());
        let error = client().tags(&repository(&registry, "t/none")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(error.registry_errors()[0].code, "NAME_UNKNOWN");
    }
}

/// A list may change while it is read. The whole list has an entry once, pages have what came.
#[test]
fn h1_an_entry_of_two_pages_is_in_the_list_once() {
    let link = "Link: </v2/t/tags/tags/list?last=b>; rel=\"next\"\r\n";
    let first = answer(
        "GET",
        200,
        link,
        r#"{"name":"t/tags","tags":["a","b","b"]}"#,
    );
    let second = answer("GET", 200, "", r#"{"tags":["b","c","a"],"next":7}"#);
    let server = canned(&[&first, &second, &first, &second]);
    let repository = parse(&format!("{}/t/tags", server.authority()))
        .repository()
        .clone();
    let client = client();
    let tags: Vec<String> = client
        .tags(&repository)
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(tags, ["a", "b", "c"]);
    let sizes: Vec<usize> = client
        .tag_pages(&repository)
        .map(|page| page.unwrap().entries.len())
        .collect();
    assert_eq!(sizes, [3, 3]);
}

/// A body that is no list is an error. Entries that are no names are counted.
#[test]
fn h6_r32_bodies_and_entries_that_are_no_list_and_no_name() {
    for body in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"name":"t/tags"}"#,
        r#"{"tags":"v1"}"#,
        r#"{"tags":{"v1":1}}"#,
        r#"{"tags":["v1"]"#,
        r#"{"tags":["v1"]} and more"#,
        "<html></html>",
    ] {
        let server = canned(&[&answer("GET", 200, "", body)]);
        let reference = parse(&format!("{}/t/tags", server.authority()));
        let error = client().tags(reference.repository()).expect_err(body);
        assert_eq!(error.kind(), ErrorKind::Protocol, "{body}: {error}");
        assert_tells(&error, "no list of tags");
    }
    let odd = r#"["v1",null,7,-1,1.5,true,[1],{"a":1},"","-x","a b","v\u00e9","sha256:00","v2"]"#;
    let odd = format!("{{\"tags\":{odd}}}");
    let server = canned(&[&answer("GET", 200, "", &odd)]);
    let reference = parse(&format!("{}/t/tags", server.authority()));
    let page = client()
        .tag_pages(reference.repository())
        .next()
        .unwrap()
        .unwrap();
    assert_eq!((page.entries.len(), page.skipped), (2, 12));
}

#[test]
fn h14_registries_without_a_catalog() {
    let cases = [
        (Quirk::Deny(404, Page::Json), ErrorKind::Denied, 404),
        (Quirk::Deny(404, Page::Text), ErrorKind::Unsupported, 404),
        (Quirk::Deny(404, Page::Html), ErrorKind::Unsupported, 404),
        (Quirk::Deny(405, Page::Json), ErrorKind::Unsupported, 405),
        (Quirk::Deny(405, Page::Text), ErrorKind::Unsupported, 405),
        (Quirk::Deny(405, Page::Html), ErrorKind::Unsupported, 405),
        (Quirk::Deny(401, Page::Json), ErrorKind::Denied, 401),
        (Quirk::Deny(403, Page::Json), ErrorKind::Denied, 403),
        (
            Quirk::NotARegistry(404, Page::Html),
            ErrorKind::Protocol,
            404,
        ),
        (
            Quirk::NotARegistry(405, Page::Html),
            ErrorKind::Protocol,
            405,
        ),
    ];
    for (quirk, kind, status) in cases {
        let registry = registry([quirk.clone()]);
        let error = client().catalog(&name(&registry)).unwrap_err();
        assert_eq!(error.kind(), kind, "{quirk:?}: {error}");
        assert_eq!(error.http_status(), Some(status), "{quirk:?}");
        assert_tells(&error, &registry.authority());
        assert!(registry.request_count() <= 2, "{quirk:?}");
    }
}

#[test]
fn h4_h5_the_catalog_comes_in_pages_too() {
    let registry = registry([Quirk::PageSize(2), Quirk::NullEntries]);
    for number in 0..4 {
        registry.put_tags(&format!("t/r{number}"), "v", 1);
    }
    let client = client();
    let names: Vec<String> = client
        .catalog(&name(&registry))
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(names, ["t/a", "t/r0", "t/r1", "t/r2", "t/r3"]);
    assert_eq!(registry.take_requests().len(), 3);
    let skipped: usize = client
        .catalog_pages(&name(&registry))
        .map(|page| page.unwrap().skipped)
        .sum();
    assert_eq!(skipped, 3);
    registry.add_quirk(Quirk::LoopingLink(LinkLoop::Same));
    let mut pages = client.catalog_pages(&name(&registry));
    assert!(pages.next().unwrap().is_ok() && pages.next().unwrap().is_ok());
    assert_eq!(
        pages.next().unwrap().unwrap_err().kind(),
        ErrorKind::Protocol
    );
    assert!(pages.next().is_none());
}

/// The JSON of a registry identifies it, also without the API-version header.
#[test]
fn r32_h15_a_404_to_a_list_that_does_not_identify_a_registry() {
    for (page, requests) in [
        (Page::Json, ["GET list"].as_slice()),
        (Page::JsonText, &["GET list"]),
    ] {
        let registry = registry([Quirk::UnmarkedNotFound(page.clone())]);
        let client = client();
        for expected in [requests, &["GET list"]] {
            let error = client.tags(&repository(&registry, "t/none")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{page:?}: {error}");
            assert_eq!(asked(&registry), expected, "{page:?}");
        }
    }
}

/// A registry behind a proxy that ends TLS writes http into its Links. They are followed over
/// https, and only to the same host and port.
#[test]
fn h13_g3_links_of_a_registry_that_does_not_know_about_tls() {
    let ca = fake_registry::Ca::new();
    let identity = ca.identity(&["127.0.0.1"]);
    let registry = start(fake_registry::Config::new().tls(identity).page_size(2), []);
    registry.put_tags("t/tags", "a", 5);
    let host = registry.authority();
    let client = builder()
        .ca_pem(&host, ca.pem().as_bytes())
        .build()
        .unwrap();
    for (base, good) in [
        (format!("http://{host}"), true),
        ("http://127.0.0.1".to_owned(), true),
        (format!("https://{host}"), true),
        ("http://127.0.0.1:1".to_owned(), false),
        ("http://localhost".to_owned(), false),
        ("https://127.0.0.1".to_owned(), false),
    ] {
        registry.set_quirks([Quirk::PageSize(2), Quirk::LinkOrigin(base.clone())]);
        match tags(&client, &registry) {
            Ok(all) if good => assert_eq!(all, names(5), "{base}"),
            Err(error) if !good => assert_tells(&error, "another server"),
            other => panic!("{base}: {other:?}"),
        }
    }
    assert!(
        registry
            .requests()
            .iter()
            .all(|request| request.method == "GET")
    );
}
