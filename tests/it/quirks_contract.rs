//! The contract of real registries holds for fake-registry too, without quirks and with quirks that
//! must not change an answer.

use fake_registry::{Config, FakeRegistry, Page, Quirk};
use ocireg::{DigestSource, ErrorKind};
use test_support::seed::{self, SCHEMA1_SIGNED, Seeded};

use crate::contract::Contract;
use crate::quirks_support::builder;

const REPOSITORY: &str = "t/a";

/// One image in every form, pushed over http, and a schema1 manifest that a real registry signed.
fn filled() -> (FakeRegistry, Vec<Seeded>) {
    let registry = FakeRegistry::start(Config::new());
    let mut seeded = seed::push_all(&registry.authority(), REPOSITORY);
    let schema1 = include_bytes!("../fixtures/schema1-signed.json");
    registry.put_manifest(REPOSITORY, "schema1", SCHEMA1_SIGNED, *schema1);
    seeded.push(Seeded {
        tag: "schema1".to_owned(),
        media_type: SCHEMA1_SIGNED,
        digest: include_str!("../fixtures/schema1-signed.digest")
            .trim()
            .to_owned(),
        size: schema1.len() as u64,
    });
    (registry, seeded)
}

#[test]
fn contract_of_the_fake_registry_and_of_harmless_quirks() {
    use DigestSource::{Computed, Header};
    let (registry, seeded) = filled();
    let cases: &[(&[Quirk], DigestSource)] = &[
        (&[], Header),
        (&[Quirk::DecoratedContentType], Header),
        (&[Quirk::PageSize(2), Quirk::LinkOnLastPage], Header),
        (
            &[Quirk::PageSize(2), Quirk::OpaqueCursor, Quirk::GcrLists],
            Header,
        ),
        (&[Quirk::NullEntries, Quirk::DigestsAmongTags], Header),
        (&[Quirk::UnmarkedNotFound(Page::JsonText)], Header),
        (&[Quirk::RedirectHops(3)], Header),
        (&[Quirk::PingBody("true".to_owned())], Header),
        (&[Quirk::ConnectionClose], Header),
        (&[Quirk::Http10], Header),
        (&[Quirk::HeadStatus(405, Page::Text)], Computed),
        (&[Quirk::HeadStatus(400, Page::Html)], Computed),
        (&[Quirk::HeadStatus(403, Page::Html)], Computed),
        (&[Quirk::HeadStatus(404, Page::Html)], Computed),
        (
            &[Quirk::ManifestContentType("application/json".to_owned())],
            Computed,
        ),
        (&[Quirk::ManifestContentType(String::new())], Computed),
    ];
    for (quirks, digest_source) in cases {
        registry.set_quirks(quirks.iter().cloned());
        let client = builder().build().unwrap();
        let contract = Contract {
            client: &client,
            authority: &registry.authority(),
            repository: REPOSITORY,
            seeded: &seeded,
            catalog: &[REPOSITORY],
            digest_source: *digest_source,
            absent_digest: ErrorKind::NotFound,
        };
        // A failure then shows which quirks it happened with.
        eprintln!("{quirks:?}");
        contract.holds();
        if quirks.is_empty() {
            contract.agrees_with_curl("http", None);
        }
    }
}
