//! Lists of tags and repositories, as each registry splits them into pages.

use std::fs;
use std::num::NonZeroU32;

use ocireg::{CallOptions, Client, ErrorKind, Page, Registry, Repository, Result};
use test_support::http;
use test_support::seed::{self, Image};
use test_support::{CraneRegistry, DistributionV3, DockerRegistry, RegistryConfig, Server};

use crate::contract::same_set;
use crate::counting::Counter;
use crate::real_servers::{REPOSITORY, client, reference};

const TAGS: [&str; 6] = ["v1", "v2", "v3", "v4", "v5", "v6"];

fn by_pages_of(entries: u32) -> Client {
    client().with(CallOptions::new().page_size(NonZeroU32::new(entries).unwrap()))
}

fn repository(authority: &str) -> Repository {
    reference(authority, "").repository().clone()
}

/// The sizes of the pages, and their entries in one list.
#[track_caller]
fn read<T: ToString>(pages: impl Iterator<Item = Result<Page<T>>>) -> (Vec<usize>, Vec<String>) {
    let (mut sizes, mut all) = (Vec::new(), Vec::new());
    for page in pages {
        let page = page.unwrap();
        assert_eq!(page.skipped, 0);
        sizes.push(page.entries.len());
        all.extend(page.entries.iter().map(ToString::to_string));
    }
    (sizes, all)
}

#[test]
fn h1_docker_registry_lists_all_tags_whatever_page_size_is_asked_for() {
    let Some(server) = DockerRegistry::start(&RegistryConfig::new()) else {
        return;
    };
    seed::push_tags(server.authority(), REPOSITORY, &TAGS);
    let repository = repository(server.authority());
    for client in [client(), by_pages_of(1), by_pages_of(100)] {
        let (sizes, tags) = read(client.tag_pages(&repository));
        assert_eq!(sizes, [6]);
        same_set(&tags, TAGS.map(str::to_owned));
    }
}

#[test]
fn h1_docker_registry_splits_its_catalog_at_100() {
    let Some(server) = DockerRegistry::start(&RegistryConfig::new()) else {
        return;
    };
    let names: Vec<String> = (0..101)
        .map(|number| format!("many/r{number:03}"))
        .collect();
    // To push them takes 10 s. These folders are what the catalog looks at.
    let repositories = server.data_dir().join("docker/registry/v2/repositories");
    for name in &names {
        fs::create_dir_all(repositories.join(name).join("_layers")).unwrap();
    }
    let counter = Counter::before(server.authority());
    let registry: Registry = counter.authority().parse().unwrap();

    assert_eq!(strings(&client().catalog(&registry).unwrap()), names);
    let requests = counter.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0], "GET /v2/_catalog");
    let (sizes, read_names) = read(by_pages_of(40).catalog_pages(&registry));
    assert_eq!(sizes, [40, 40, 21]);
    assert_eq!(read_names, names);

    let error = by_pages_of(5000).catalog(&registry).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert_eq!(error.registry_errors()[0].code, "PAGINATION_NUMBER_INVALID");
}

#[test]
fn h2_distribution_v3_announces_a_page_after_the_last() {
    let Some(server) = v3(&RegistryConfig::new().max_tags(4)) else {
        return;
    };
    let counter = Counter::before(server.authority());
    let repository = repository(counter.authority());
    for (page_size, expected) in [
        // Full pages: the last one has a Link, and an empty page follows.
        (3, vec![3, 3, 0]),
        (2, vec![2, 2, 2, 0]),
        (4, vec![4, 2]),
        // Above what the registry allows.
        (5, vec![4, 2]),
        (1000, vec![4, 2]),
    ] {
        let (sizes, tags) = read(by_pages_of(page_size).tag_pages(&repository));
        assert_eq!(sizes, expected, "{page_size}");
        assert_eq!(tags, TAGS, "{page_size}");
        assert_eq!(counter.requests().len(), expected.len(), "{page_size}");
        let all = by_pages_of(page_size).tags(&repository).unwrap();
        assert_eq!(strings(&all), TAGS, "{page_size}");
        counter.requests();
    }
    // Without a page size there is one page.
    assert_eq!(read(client().tag_pages(&repository)).0, [6]);
    assert_eq!(counter.requests(), ["GET /v2/t/a/tags/list"]);
}

#[test]
fn h2_distribution_v3_splits_its_catalog() {
    let Some(server) = DistributionV3::start(&RegistryConfig::new().max_catalog(2)) else {
        return;
    };
    let names = ["t/a", "t/b", "t/c", "t/d", "u"];
    seed::push_repositories(server.authority(), &names);
    let registry: Registry = server.authority().parse().unwrap();
    for client in [client(), by_pages_of(1), by_pages_of(2)] {
        assert_eq!(strings(&client.catalog(&registry).unwrap()), names);
    }
}

/// With a page size it cuts the list off without a `Link`. So the client sends none, unless the
/// caller does, and then it asks for what follows each full page. Its lists are `text/plain`.
#[test]
fn h15_go_containerregistry_lists_all_tags_where_no_page_size_is_asked_for() {
    let Some(server) = CraneRegistry::start() else {
        return;
    };
    let tags: Vec<String> = (0..150).map(|number| format!("v{number}")).collect();
    seed::push_tags(server.authority(), REPOSITORY, &tags);
    let cut = http::request("GET", server.authority(), "/v2/t/a/tags/list?n=2", &[], b"").unwrap();
    assert_eq!(cut.header("Link"), None);
    assert_eq!(cut.text().matches("\"v").count(), 2, "{}", cut.text());

    let repository = repository(server.authority());
    same_set(&client().tags(&repository).unwrap(), tags.clone());
    assert_eq!(read(client().tag_pages(&repository)).0, [150]);
    let (sizes, by_pages) = read(by_pages_of(40).tag_pages(&repository));
    assert_eq!(sizes, [40, 40, 40, 30]);
    same_set(&by_pages, tags);
    // Asked for what follows its last tag, it starts again. That can't be told from a registry that
    // cuts its list.
    let error = by_pages_of(50).tags(&repository).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    assert!(error.to_string().contains("cuts its lists"), "{error}");
}

/// 2.8.2 answers `"tags":null`, v3 `[]`.
#[test]
fn d5_a_repository_whose_tags_were_all_deleted_has_no_tags() {
    let servers = [
        DockerRegistry::start(&RegistryConfig::new()),
        DistributionV3::start(&RegistryConfig::new()),
    ];
    for (server, list) in servers.into_iter().zip(["null", "[]"]) {
        let Some(server) = server else { continue };
        let authority = server.authority();
        let image = &seed::push_tags(authority, REPOSITORY, &["v1"])[0];
        let target = format!("/v2/{REPOSITORY}/manifests/{}", image.digest);
        let deleted = http::request("DELETE", authority, &target, &[], b"").unwrap();
        assert_eq!(deleted.status, 202);
        let raw = http::request("GET", authority, "/v2/t/a/tags/list", &[], b"").unwrap();
        assert!(
            raw.text().contains(&format!("\"tags\":{list}")),
            "{}",
            raw.text()
        );

        assert_eq!(client().tags(&repository(authority)).unwrap(), []);
        let presence = client().exists(&reference(authority, ":v1")).unwrap();
        assert_eq!(presence, ocireg::Presence::Absent);
    }
}

#[test]
fn d5_a_repository_of_blobs_alone_is_in_the_catalog_and_has_no_tag_list() {
    let Some(server) = DockerRegistry::start(&RegistryConfig::new()) else {
        return;
    };
    let authority = server.authority();
    seed::push_blobs(authority, REPOSITORY, &Image::new("blobs alone"));
    let names = client().catalog(&authority.parse().unwrap()).unwrap();
    assert_eq!(strings(&names), [REPOSITORY]);
    let error = client().tags(&repository(authority)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.registry_errors()[0].code, "NAME_UNKNOWN");
}

#[track_caller]
fn v3(config: &RegistryConfig) -> Option<Server> {
    let server = DistributionV3::start(config)?;
    seed::push_tags(server.authority(), REPOSITORY, &TAGS);
    Some(server)
}

fn strings<T: ToString>(list: &[T]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}
