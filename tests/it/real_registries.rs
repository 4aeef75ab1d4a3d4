//! The contract with real registries, in common configurations.

use ocireg::{ErrorKind, Reference};
use test_support::http;
use test_support::seed::{self, DOCKER_MANIFEST, SCHEMA1_SIGNED};
use test_support::{
    CraneRegistry, DistributionV3, DockerRegistry, Nginx, Recipe, RegistryConfig, Server,
};

use crate::contract::{ACCEPT, Contract};
use crate::real_servers::{REPOSITORY, builder, client, fill, plain, reference};

#[test]
fn contract_of_docker_registry_with_schema1() {
    let Some(plain) = plain() else { return };
    let tags: Vec<&str> = plain
        .seeded
        .iter()
        .map(|image| image.tag.as_str())
        .collect();
    assert_eq!(tags, ["docker", "oci", "index", "list", "schema1"]);
    let client = client();
    let contract = plain.contract(&client, plain.server.authority());
    contract.holds();
    contract.agrees_with_curl("http", None);
}

#[test]
fn contract_of_docker_registry_by_the_name_localhost() {
    let Some(plain) = plain() else { return };
    let authority = format!("localhost:{}", plain.server.port());
    let client = client();
    let contract = plain.contract(&client, &authority);
    contract.holds();
    contract.agrees_with_curl("http", None);
}

#[test]
fn contract_of_docker_registry_with_relative_urls() {
    let Some(plain) = plain() else { return };
    let config = plain.same_content().relative_urls();
    let server = DockerRegistry::start(&config).unwrap();
    let client = client();
    let contract = plain.contract(&client, server.authority());
    contract.holds();
    contract.agrees_with_curl("http", None);
}

/// For a digest that its upstream does not have, the cache answers 500 with the upstream's
/// `MANIFEST_UNKNOWN` in the detail, which is an error. Its catalog lists only repositories whose
/// layers it has.
#[test]
fn contract_of_a_pull_through_cache() {
    let Some(plain) = plain() else { return };
    let config = RegistryConfig::new().proxy(plain.server.url());
    let server = DockerRegistry::start(&config).unwrap();
    let client = builder().retries(0).build().unwrap();
    let contract = Contract {
        catalog: &[],
        absent_digest: ErrorKind::Server,
        ..plain.contract(&client, server.authority())
    };
    contract.holds();
    contract.agrees_with_curl("http", None);
}

/// The one wrong "absent" that a client can't detect: for each tag that it does not have, the cache
/// answers like a registry where the tag does not exist. A digest gets 500, and what was asked for
/// before still exists.
#[test]
fn a_cache_whose_upstream_is_down_answers_that_a_tag_does_not_exist() {
    for start in [DockerRegistry::start, DistributionV3::start] {
        let Some(mut upstream) = DockerRegistry::start(&RegistryConfig::new()) else {
            return;
        };
        let image = &seed::push_tags(upstream.authority(), REPOSITORY, &["seen", "unseen"])[0];
        let Some(cache) = start(&RegistryConfig::new().proxy(upstream.url())) else {
            return;
        };
        let client = builder().retries(0).build().unwrap();
        let ask = |name: &str| client.digest(&reference(cache.authority(), name));
        assert_eq!(ask(":seen").unwrap().to_string(), image.digest);
        upstream.kill();
        assert_eq!(ask(":seen").unwrap().to_string(), image.digest);
        assert_eq!(ask(":unseen").unwrap_err().kind(), ErrorKind::NotFound);
        let other = format!("@sha256:{}", "0".repeat(64));
        assert_eq!(ask(&other).unwrap_err().kind(), ErrorKind::Server);
    }
}

#[test]
fn contract_of_distribution_v3() {
    let Some(server) = DistributionV3::start(&RegistryConfig::new()) else {
        return;
    };
    let filled = fill(server);
    let client = client();
    let contract = filled.contract(&client, filled.server.authority());
    contract.holds();
    contract.agrees_with_curl("http", None);
}

#[test]
fn contract_of_go_containerregistry() {
    let Some(server) = CraneRegistry::start() else {
        return;
    };
    let filled = fill(server);
    let client = client();
    let contract = filled.contract(&client, filled.server.authority());
    contract.holds();
    contract.agrees_with_curl("http", None);
}

/// README, "Why does our digest differ from my script's?"
#[test]
fn e4_the_digest_of_a_list_is_the_lists_own() {
    let Some(plain) = plain() else { return };
    let authority = plain.server.authority();
    let target = "/v2/t/a/manifests/list";
    let script = http::request(
        "HEAD",
        authority,
        target,
        &[("Accept", DOCKER_MANIFEST)],
        b"",
    );
    let platform = script
        .unwrap()
        .header("Docker-Content-Digest")
        .map(str::to_owned);
    assert_eq!(platform, Some(plain.image("docker").digest.clone()));
    let digest = client().digest(&reference(authority, ":list")).unwrap();
    assert_eq!(digest.to_string(), plain.image("list").digest);
}

#[test]
fn e5_an_oci_manifest_is_found_where_an_incomplete_accept_gets_a_404() {
    let Some(plain) = plain() else { return };
    let authority = plain.server.authority();
    let oci = plain.image("oci");
    for name in [":oci".to_owned(), format!("@{}", oci.digest)] {
        let target = format!("/v2/t/a/manifests/{}", &name[1..]);
        let other = [("Accept", DOCKER_MANIFEST)];
        let refused = http::request("GET", authority, &target, &other, b"").unwrap();
        assert_eq!(refused.status, 404, "{}", refused.text());
        // A type of the caller is added to the list and does not replace it.
        let options = ocireg::CallOptions::new().accept("application/x.other".parse().unwrap());
        for client in [client(), client().with(options)] {
            let digest = client.digest(&reference(authority, &name)).unwrap();
            assert_eq!(digest.to_string(), oci.digest);
        }
    }
}

#[test]
fn e7_a_schema1_manifest_has_one_digest_though_each_answer_is_signed_anew() {
    let Some(plain) = plain() else { return };
    let authority = plain.server.authority();
    let schema1 = plain.image("schema1");
    assert_eq!(schema1.media_type, SCHEMA1_SIGNED);
    let accept = ACCEPT.join(", ");
    let [one, two] = ["schema1", &schema1.digest].map(|name| {
        let target = format!("/v2/t/a/manifests/{name}");
        http::request("GET", authority, &target, &[("Accept", &accept)], b"").unwrap()
    });
    assert_ne!(one.body, two.body);
    // From the registry's header, and from the bytes where nginx has removed the header.
    let nginx = Nginx::start(authority, &Recipe::StripDigest);
    let nginx = nginx.as_ref().map(Server::authority);
    for authority in [Some(authority), nginx].into_iter().flatten() {
        // Behind nginx the client learns that HEAD is unreliable, so later lookups read the bytes.
        let client = client();
        for name in [":schema1".to_owned(), format!("@{}", schema1.digest)] {
            for _ in 0..2 {
                let found = client.head(&reference(authority, &name)).unwrap();
                assert_eq!(found.digest.to_string(), schema1.digest);
                assert_eq!(found.media_type.as_str(), SCHEMA1_SIGNED);
            }
        }
    }
}

/// Its router redirects `a/../b` to another repository. Such a name is never sent.
#[test]
fn a3_a_name_that_the_registry_would_redirect_is_refused_before_it_is_sent() {
    let Some(plain) = plain() else { return };
    let authority = plain.server.authority();
    let redirect = http::request("GET", authority, "/v2/x/../t/a/tags/list", &[], b"").unwrap();
    assert_eq!(redirect.status, 301);
    assert_eq!(redirect.header("Location"), Some("/v2/t/a/tags/list"));
    for name in ["x/../t/a", "x%2f..%2ft/a", "T/a"] {
        let error = format!("{authority}/{name}:docker")
            .parse::<Reference>()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidReference, "{error:?}");
    }
}
