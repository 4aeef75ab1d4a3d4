//! Lists (rows H, R16): what comes, what is skipped, how an unending or broken list ends, and what
//! is asked for it.

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

/// What came page by page: the entries, how many were skipped, and the error at the end. After it,
/// nothing.
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

/// Each way to write a good list ends with all of it.
#[test]
fn h1_h12_every_good_list_comes_whole() {
    let cases: &[(&str, &[Quirk], &[usize], usize)] = &[
        ("h1 one page", &[], &[5], 0),
        ("h1 n ignored", &[Quirk::IgnorePageSize], &[5], 0),
        ("h9 pages", &[Quirk::PageSize(2)], &[2, 2, 1], 0),
        ("h9 pages that fit", &[Quirk::PageSize(5)], &[5], 0),
        (
            "h2 a Link on the last page",
            &[Quirk::PageSize(5), Quirk::LinkOnLastPage],
            &[5, 0],
            0,
        ),
        (
            "h3 an opaque cursor, absolute",
            &[Quirk::PageSize(2), Quirk::OpaqueCursor],
            &[2, 2, 1],
            0,
        ),
        (
            "h5 null at the end",
            &[Quirk::PageSize(5), Quirk::LinkOnLastPage, Quirk::NullTags],
            &[5, 0],
            0,
        ),
        (
            "h6 nulls among them",
            &[Quirk::PageSize(2), Quirk::NullEntries],
            &[2, 2, 1],
            3,
        ),
        (
            "h7 digests among them",
            &[Quirk::PageSize(2), Quirk::DigestsAmongTags],
            &[2, 2, 1],
            3,
        ),
        (
            "h6 h7 both",
            &[Quirk::NullEntries, Quirk::DigestsAmongTags],
            &[5],
            2,
        ),
        (
            "h11 GCR",
            &[Quirk::PageSize(2), Quirk::GcrLists],
            &[2, 2, 1],
            0,
        ),
        (
            "h12 unquoted",
            &[Quirk::PageSize(2), Quirk::OddLink(LinkSyntax::Unquoted)],
            &[2, 2, 1],
            0,
        ),
        (
            "h12 several",
            &[Quirk::PageSize(2), Quirk::OddLink(LinkSyntax::Several)],
            &[2, 2, 1],
            0,
        ),
        (
            "h12 upper case",
            &[Quirk::PageSize(2), Quirk::OddLink(LinkSyntax::UpperCase)],
            &[2, 2, 1],
            0,
        ),
        (
            "h3 a type that is none",
            &[
                Quirk::PageSize(2),
                Quirk::Header("Content-Type: text/plain".to_owned()),
            ],
            &[2, 2, 1],
            0,
        ),
        ("r17 redirected", &[Quirk::RedirectHops(3)], &[5], 0),
    ];
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
            assert_eq!(
                registry.request_count(),
                sizes.len(),
                "{what}: a request a page"
            );
        }
    }
}

#[test]
fn h1_what_is_asked_for_a_list() {
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
    // Verbatim, as the Link had it.
    assert_eq!(requests[1].target, "/v2/t/tags/tags/list?last=a000001&n=2");
}

/// H15: a registry that cuts off what was asked for without a Link loses entries for whoever sends
/// `n` unasked.
#[test]
fn h15_no_page_size_unless_asked_for() {
    let registry = with_tags(5, [Quirk::NoLink]);
    let client = client();
    assert_eq!(tags(&client, &registry).unwrap(), names(5));
    assert_eq!(targets(&registry), ["/v2/t/tags/tags/list"]);
    let small = client.with(CallOptions::new().page_size(NonZeroU32::new(2).unwrap()));
    assert_eq!(tags(&small, &registry).unwrap(), names(2));
    assert_eq!(targets(&registry), ["/v2/t/tags/tags/list?n=2"]);
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
    assert_eq!(targets(&registry), ["/v2/_catalog?n=2"]);
}

/// R16, H6, H7, H12, H13: what came, then one error; and the whole list is the error.
#[test]
fn h6_h7_h12_r16_a_list_that_breaks_off_is_never_taken_for_whole() {
    let other = registry([]);
    let https = "https://127.0.0.1:1".to_owned();
    let odd = |syntax| vec![Quirk::PageSize(2), Quirk::OddLink(syntax)];
    let fails = |status| vec![Quirk::PageSize(2), Quirk::LinkFails(status)];
    let leads = |base: String| vec![Quirk::PageSize(2), Quirk::LinkOrigin(base)];
    let mut empty = vec![5];
    empty.extend([0; 100]);
    use ErrorKind::{Denied, Protocol, RateLimited, Rejected, Server};
    let cases = [
        (
            "r16 the same again",
            vec![Quirk::LoopingLink(LinkLoop::Same)],
            vec![5, 5],
            Protocol,
            "leads back to an earlier one",
        ),
        (
            "r16 two in turn",
            vec![Quirk::LoopingLink(LinkLoop::Pair)],
            vec![5, 5, 5],
            Protocol,
            "leads back to an earlier one",
        ),
        (
            "r16 endless",
            vec![Quirk::LoopingLink(LinkLoop::Endless)],
            empty,
            Protocol,
            "100 empty pages in a row",
        ),
        (
            "h12 no bracket",
            odd(LinkSyntax::NoBracket),
            vec![2],
            Protocol,
            "Link",
        ),
        (
            "h12 empty",
            odd(LinkSyntax::Empty),
            vec![2],
            Protocol,
            "Link",
        ),
        (
            "h13 another port",
            leads(other.url()),
            vec![2],
            Protocol,
            "another server",
        ),
        (
            "h13 another host",
            leads("http://registry.example.com".to_owned()),
            vec![2],
            Protocol,
            "another server",
        ),
        (
            "h13 another scheme",
            leads(https),
            vec![2],
            Protocol,
            "another server",
        ),
        (
            "h13 userinfo",
            leads("http://user:hunter2@127.0.0.1".to_owned()),
            vec![2],
            Protocol,
            "unusable URL",
        ),
        ("h6 400", fails(400), vec![2], Rejected, "HTTP 400"),
        ("h6 401", fails(401), vec![2], Denied, "HTTP 401"),
        ("h6 403", fails(403), vec![2], Denied, "HTTP 403"),
        (
            "h6 404",
            fails(404),
            vec![2],
            Protocol,
            "breaks off after 1 pages",
        ),
        (
            "h3 405",
            fails(405),
            vec![2],
            Protocol,
            "breaks off after 1 pages",
        ),
        ("h6 429", fails(429), vec![2], RateLimited, "HTTP 429"),
        ("h6 500", fails(500), vec![2], Server, "HTTP 500"),
    ];
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
    assert_eq!(other.connection_count(), 0, "H13: nothing went there");
    assert!(started.elapsed() < Duration::from_secs(10));
}

/// H5, D5: an empty repository has no tags; a missing one is an error of its own.
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

/// A list that shifts while it is read: what comes twice is there once, in a list; pages show what
/// came.
#[test]
fn h1_what_two_pages_both_have_is_there_once() {
    let link = "Link: </v2/t/tags/tags/list?last=b>; rel=\"next\"\r\n";
    let first = answer(
        "GET",
        200,
        link,
        r#"{"name":"t/tags","tags":["a","b","b"]}"#,
    );
    let second = answer(
        "GET",
        200,
        "",
        r#"{"tags":["b","c","a"],"tags":["x"],"next":7}"#,
    );
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

/// What is no list is an error, whatever it looks like; entries that are no names are counted.
#[test]
fn h6_r32_bodies_that_are_no_list() {
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
    let odd = r#"{"tags":["v1",null,7,-1,1.5,true,[1],{"a":1},"","-x","a b","v\u00e9","sha256:00","v2"]}"#;
    let server = canned(&[&answer("GET", 200, "", odd)]);
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
        (Quirk::Deny(404, Page::Json), ErrorKind::Unsupported, 404),
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

/// Decision 2 holds for lists too: a registry's JSON shows that it is one, also without the version
/// header.
#[test]
fn r32_h15_an_unmarked_404_of_a_list() {
    for (page, requests) in [
        (Page::Json, ["GET list"].as_slice()),
        (Page::JsonText, &["GET list"]),
        (Page::Text, &["GET list", "GET ping"]),
        (Page::Html, &["GET list", "GET ping"]),
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

/// G3, H13: a registry behind a proxy that ends TLS writes http into its Links; they are followed
/// by https, and no further.
#[test]
fn h13_g3_links_of_a_registry_that_does_not_know_of_its_tls() {
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
