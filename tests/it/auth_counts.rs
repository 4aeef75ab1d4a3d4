//! How many requests authentication costs, and what they carry.

use std::time::Duration;

use fake_registry::{FakeRegistry, Page, Quirk};
use ocireg::{AuthScheme, Client, ErrorKind};
use token_service::{Quirk as Odd, TokenService};

use crate::auth_support::*;

/// A bearer registry, its token service, and a client that may pull `mine`.
struct Lab {
    service: TokenService,
    registry: FakeRegistry,
    client: Client,
}

impl Lab {
    fn new() -> Lab {
        let service = service();
        let registry = bearer_registry(&service);
        let client = with_password(&registry, PASSWORD);
        Lab {
            service,
            registry,
            client,
        }
    }

    fn exists(&self, name: &str) -> String {
        exists(&self.client, &self.registry, name)
    }

    /// Checks the requests since the last check: at the registry, then at the token service.
    #[track_caller]
    fn expect(&self, registry: &[&str], service: &[&str]) {
        assert_eq!(lines(&self.registry.take_requests()), registry);
        assert_eq!(lines(&self.service.take_requests()), service);
    }
}

fn with_password(registry: &FakeRegistry, password: &str) -> Client {
    let builder = builder().basic(&registry.authority(), USER, password);
    builder.build().unwrap()
}

fn exists(client: &Client, registry: &FakeRegistry, name: &str) -> String {
    let image = reference(&format!("{}/{name}", registry.authority()));
    outcome(&client.exists(&image))
}

const MINE: &str = "HEAD /v2/mine/manifests/1";

#[test]
fn b1_a_cold_lookup_costs_three_requests_and_a_warm_one_costs_one() {
    let lab = Lab::new();
    assert_eq!(lab.exists("mine:1"), "exists");
    lab.expect(
        &[
            "HEAD /v2/mine/manifests/1 -",
            "HEAD /v2/mine/manifests/1 bearer",
        ],
        &["GET /token basic"],
    );
    assert_eq!(lab.exists("mine:1"), "exists");
    lab.expect(&["HEAD /v2/mine/manifests/1 bearer"], &[]);
    // Another repository: what is known about the registry saves the first refusal.
    assert_eq!(lab.exists("also:1"), "exists");
    lab.expect(&["HEAD /v2/also/manifests/1 bearer"], &["GET /token basic"]);
    assert_eq!(lab.exists("also:none"), "absent");
    lab.expect(&["HEAD /v2/also/manifests/none bearer"], &[]);
}

#[test]
fn b1_the_token_request_names_service_and_scope() {
    let lab = Lab::new();
    lab.exists("mine:1");
    let asked = lab.service.requests();
    assert_eq!(
        asked[0].target,
        "/token?service=lab&scope=repository%3Amine%3Apull"
    );
    assert_eq!(asked[0].header("authorization").as_deref(), Some(BASIC));
}

#[test]
fn b1_a_missing_tag_costs_three_and_is_absent() {
    let lab = Lab::new();
    assert_eq!(lab.exists("mine:none"), "absent");
    assert_eq!(
        (lab.registry.request_count(), lab.service.request_count()),
        (2, 1)
    );
    let image = reference(&format!("{}/mine:none", lab.registry.authority()));
    assert_eq!(
        lab.client.digest(&image).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert_eq!(
        (lab.registry.request_count(), lab.service.request_count()),
        (3, 1)
    );
}

#[test]
fn d1_a_hidden_repository_costs_three_and_is_denied() {
    let lab = Lab::new();
    assert_eq!(lab.exists("hidden:1"), "denied");
    lab.expect(
        &[
            "HEAD /v2/hidden/manifests/1 -",
            "HEAD /v2/hidden/manifests/1 bearer",
        ],
        &["GET /token basic"],
    );
    let image = reference(&format!("{}/hidden:1", lab.registry.authority()));
    let error = lab.client.digest(&image).unwrap_err();
    assert_eq!(
        (error.kind(), error.http_status()),
        (ErrorKind::Denied, Some(401))
    );
}

#[test]
fn d1_a_hidden_repository_of_a_known_registry_costs_two() {
    let lab = Lab::new();
    lab.exists("mine:1");
    lab.expect(
        &[
            "HEAD /v2/mine/manifests/1 -",
            "HEAD /v2/mine/manifests/1 bearer",
        ],
        &["GET /token basic"],
    );
    assert_eq!(lab.exists("hidden:1"), "denied");
    lab.expect(
        &["HEAD /v2/hidden/manifests/1 bearer"],
        &["GET /token basic"],
    );
}

#[test]
fn d1_an_anonymous_client_sees_what_is_public_and_no_more() {
    let lab = Lab::new();
    let client = builder().build().unwrap();
    assert_eq!(exists(&client, &lab.registry, "open:1"), "exists");
    assert_eq!(exists(&client, &lab.registry, "mine:1"), "denied");
    lab.expect(
        &[
            "HEAD /v2/open/manifests/1 -",
            "HEAD /v2/open/manifests/1 bearer",
            "HEAD /v2/mine/manifests/1 bearer",
        ],
        &["GET /token -", "GET /token -"],
    );
}

#[test]
fn a_wrong_password_costs_three_and_is_unauthorized() {
    let lab = Lab::new();
    let client = with_password(&lab.registry, "wrong");
    let image = reference(&format!("{}/mine:1", lab.registry.authority()));
    let error = client.exists(&image).unwrap_err();
    assert_eq!(
        (error.kind(), error.http_status()),
        (ErrorKind::Unauthorized, Some(401))
    );
    let text = error.to_string();
    assert!(text.contains(&lab.service.address().to_string()), "{text}");
    // The second token request has no scope: it tells a wrong password from a denied repository.
    lab.expect(
        &["HEAD /v2/mine/manifests/1 -"],
        &["GET /token basic", "GET /token basic"],
    );
    let error = client
        .check_login(&registry(&lab.registry.authority()))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
}

#[test]
fn an_open_registry_costs_one_although_there_are_credentials() {
    let registry = filled(fake_registry::Config::new());
    let client = with_password(&registry, PASSWORD);
    assert_eq!(exists(&client, &registry, "mine:1"), "exists");
    assert_eq!(lines(&registry.requests()), ["HEAD /v2/mine/manifests/1 -"]);
}

#[test]
fn b8_basic_costs_two_cold_and_one_warm() {
    let registry = filled(fake_registry::Config::new().basic(USER, PASSWORD));
    let client = with_password(&registry, PASSWORD);
    assert_eq!(exists(&client, &registry, "mine:1"), "exists");
    assert_eq!(
        lines(&registry.take_requests()),
        [format!("{MINE} -"), format!("{MINE} basic")]
    );
    assert_eq!(exists(&client, &registry, "mine:1"), "exists");
    assert_eq!(lines(&registry.take_requests()), [format!("{MINE} basic")]);

    let client = with_password(&registry, "wrong");
    for _ in 0..2 {
        assert_eq!(exists(&client, &registry, "mine:1"), "Unauthorized");
    }
    // `GET /v2/` tells that the password is wrong. It is not sent the second time.
    assert_eq!(
        lines(&registry.take_requests()),
        [
            &format!("{MINE} -"),
            &format!("{MINE} basic"),
            "GET /v2/ -",
            "GET /v2/ basic",
            &format!("{MINE} -"),
        ]
    );
    assert_eq!(
        exists(&builder().build().unwrap(), &registry, "mine:1"),
        "denied"
    );
    assert_eq!(registry.request_count(), 1);
}

#[test]
fn the_callers_own_token_costs_one_and_no_token_service() {
    let lab = Lab::new();
    lab.exists("mine:1");
    let sent = lab.registry.take_requests()[1]
        .header("authorization")
        .unwrap();
    lab.service.take_requests();
    let token = sent.strip_prefix("Bearer ").unwrap();
    let authority = lab.registry.authority();
    let client = builder().bearer(&authority, token).build().unwrap();
    assert_eq!(exists(&client, &lab.registry, "mine:1"), "exists");
    // The token is valid, but not for this repository.
    assert_eq!(exists(&client, &lab.registry, "also:1"), "denied");
    let client = builder().bearer(&authority, "nonsense").build().unwrap();
    assert_eq!(exists(&client, &lab.registry, "mine:1"), "Unauthorized");
    lab.expect(
        &[
            &format!("{MINE} bearer"),
            "HEAD /v2/also/manifests/1 bearer",
            &format!("{MINE} bearer"),
        ],
        &[],
    );
}

#[test]
fn c3_an_identity_token_is_posted() {
    let service = TokenService::start(service_config().identity_token("identity-1"));
    let registry = bearer_registry(&service);
    let client = builder()
        .identity_token(&registry.authority(), "identity-1")
        .build()
        .unwrap();
    assert_eq!(exists(&client, &registry, "mine:1"), "exists");
    assert_eq!(exists(&client, &registry, "mine:1"), "exists");
    let asked = service.requests();
    assert_eq!(lines(&asked), ["POST /token -"]);
    assert_eq!(asked[0].target, "/token");
    assert_eq!(asked[0].parameters("grant_type"), ["refresh_token"]);
    assert_eq!(asked[0].parameters("scope"), ["repository:mine:pull"]);
    assert_eq!(asked[0].parameters("service"), ["lab"]);
    assert_eq!(asked[0].parameters("refresh_token"), ["identity-1"]);
    assert_eq!(
        asked[0].header("content-type").as_deref(),
        Some("application/x-www-form-urlencoded")
    );
    let wrong = builder()
        .identity_token(&registry.authority(), "wrong")
        .build()
        .unwrap();
    assert_eq!(exists(&wrong, &registry, "mine:1"), "Unauthorized");
}

#[test]
fn c3_where_post_is_unknown_the_password_is_tried() {
    for status in [404, 405, 400, 401] {
        let service = TokenService::start(service_config().quirk(Odd::NoPost(status)));
        let registry = bearer_registry(&service);
        let authority = registry.authority();
        let builder = || builder().identity_token(&authority, "identity-1");
        let both = builder().basic(&authority, USER, PASSWORD).build().unwrap();
        assert_eq!(exists(&both, &registry, "mine:1"), "exists", "{status}");
        assert_eq!(
            lines(&service.take_requests()),
            ["POST /token -", "GET /token basic"]
        );
        let alone = builder().build().unwrap();
        assert_eq!(
            exists(&alone, &registry, "mine:1"),
            "Unauthorized",
            "{status}"
        );
        assert_eq!(lines(&service.take_requests()), ["POST /token -"]);
    }
}

#[test]
fn b1_lists_ask_for_their_own_scope() {
    let service = TokenService::start(token_service::Config::new().user(USER, PASSWORD, &["*"]));
    let registry = bearer_registry(&service);
    let client = with_password(&registry, PASSWORD);
    let repository = format!("{}/mine", registry.authority()).parse().unwrap();
    let pages: Vec<_> = client
        .tag_pages(&repository)
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(pages.len(), 1);
    let pages: Vec<_> = client
        .catalog_pages(&crate::auth_support::registry(&registry.authority()))
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(pages.len(), 1);
    assert_eq!(
        lines(&registry.requests()),
        [
            "GET /v2/mine/tags/list -",
            "GET /v2/mine/tags/list bearer",
            "GET /v2/_catalog bearer"
        ]
    );
    let scopes: Vec<_> = service
        .requests()
        .iter()
        .map(|it| it.parameters("scope").join("+"))
        .collect();
    assert_eq!(scopes, ["repository:mine:pull", "registry:catalog:*"]);
}

#[test]
fn c5_a_refusal_of_the_token_service_is_a_denial_with_its_text() {
    for status in [401, 403] {
        let service = service();
        let registry = bearer_registry(&service);
        service.set_quirks([Odd::Fail(u64::MAX, status)]);
        let client = builder().build().unwrap();
        let image = reference(&format!("{}/mine:1", registry.authority()));
        assert_eq!(outcome(&client.exists(&image)), "denied", "{status}");
        let error = client.digest(&image).unwrap_err();
        assert_eq!(
            (error.kind(), error.http_status()),
            (ErrorKind::Denied, Some(status))
        );
        assert_eq!(error.registry_errors()[0].message, "said the token service");
        let text = error.to_string();
        assert!(text.contains("said the token service"), "{text}");
        assert!(text.contains(&service.address().to_string()), "{text}");
    }
    // 403 to a password that gets no token without a scope either: the password is refused.
    let service = service();
    let registry = bearer_registry(&service);
    service.set_quirks([Odd::Fail(u64::MAX, 403)]);
    assert_eq!(
        exists(&with_password(&registry, PASSWORD), &registry, "mine:1"),
        "Unauthorized"
    );
}

#[test]
fn j2_r11_a_failing_token_service_is_asked_again_and_named() {
    let cases = [
        (Odd::Fail(2, 503), "exists", 3),
        (Odd::Fail(1, 500), "exists", 2),
        (Odd::Limit(1, "0"), "exists", 2),
        (Odd::Fail(u64::MAX, 502), "Server", 4),
        (Odd::Limit(u64::MAX, "0"), "RateLimited", 4),
        (Odd::Limit(u64::MAX, "3600"), "RateLimited", 1),
        (Odd::Fail(u64::MAX, 418), "Protocol", 1),
    ];
    for (quirk, expected, asked) in cases {
        let lab = Lab::new();
        lab.service.set_quirks([quirk.clone()]);
        let image = reference(&format!("{}/mine:1", lab.registry.authority()));
        let result = lab.client.exists(&image);
        assert_eq!(outcome(&result), expected, "{quirk:?}");
        assert_eq!(lab.service.request_count(), asked, "{quirk:?}");
        if let Err(error) = result {
            let text = error.to_string();
            assert!(
                text.contains(&lab.service.address().to_string()),
                "{quirk:?}: {text}"
            );
        }
    }
}

#[test]
fn a_ping_never_logs_in() {
    let lab = Lab::new();
    let host = registry(&lab.registry.authority());
    for _ in 0..2 {
        assert_eq!(lab.client.ping(&host).unwrap().auth, AuthScheme::Bearer);
    }
    lab.exists("mine:1");
    assert_eq!(lab.client.ping(&host).unwrap().auth, AuthScheme::Bearer);
    lab.expect(
        &[
            "GET /v2/ -",
            "GET /v2/ -",
            &format!("{MINE} -"),
            &format!("{MINE} bearer"),
            "GET /v2/ -",
        ],
        &["GET /token basic"],
    );
    builder().verify(&lab.registry.authority()).build().unwrap();
    lab.expect(&["GET /v2/ -"], &[]);
    let nobody = format!("127.0.0.1:{}", test_support::free_port());
    let error = builder().retries(0).verify(&nobody).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
}

#[test]
fn check_login_logs_in() {
    let lab = Lab::new();
    let host = registry(&lab.registry.authority());
    lab.client.check_login(&host).unwrap();
    lab.expect(&["GET /v2/ -", "GET /v2/ bearer"], &["GET /token basic"]);

    let basic = filled(fake_registry::Config::new().basic(USER, PASSWORD));
    let host = registry(&basic.authority());
    with_password(&basic, PASSWORD).check_login(&host).unwrap();
    assert_eq!(
        lines(&basic.take_requests()),
        ["GET /v2/ -", "GET /v2/ basic"]
    );
    for client in [with_password(&basic, "wrong"), builder().build().unwrap()] {
        let error = client.check_login(&host).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    }
    let open = filled(fake_registry::Config::new());
    let unsent = with_password(&open, "anything").check_login(&registry(&open.authority()));
    assert_eq!(unsent.unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn r12_a_token_refused_after_a_fresh_fetch_is_not_fetched_again() {
    // Tokens that have expired before they arrive: each is refused.
    let service = TokenService::start(service_config().lifetime(Duration::ZERO));
    let registry = bearer_registry(&service);
    let client = with_password(&registry, PASSWORD);
    assert_eq!(exists(&client, &registry, "mine:1"), "denied");
    assert_eq!(
        (
            registry.take_requests().len(),
            service.take_requests().len()
        ),
        (2, 1)
    );
    // No token was ever accepted, so the registry says again how to ask. The token in the cache is
    // refused, and so is a new one. Then the lookup ends.
    assert_eq!(exists(&client, &registry, "mine:1"), "denied");
    assert_eq!(
        (
            registry.take_requests().len(),
            service.take_requests().len()
        ),
        (3, 1)
    );
}

#[test]
fn r12_an_expired_token_is_renewed_once() {
    let service = TokenService::start(service_config().lifetime(Duration::from_secs(1)));
    let registry = bearer_registry(&service);
    let client = with_password(&registry, PASSWORD);
    assert_eq!(exists(&client, &registry, "mine:1"), "exists");
    std::thread::sleep(Duration::from_millis(2100));
    registry.take_requests();
    assert_eq!(exists(&client, &registry, "mine:1"), "exists");
    assert_eq!((registry.request_count(), service.request_count()), (2, 2));
}

#[test]
fn gcr_a_403_to_an_expired_token_renews_it() {
    let service = TokenService::start(service_config().lifetime(Duration::from_secs(1)));
    let registry = bearer_registry(&service);
    registry.add_quirk(Quirk::ForbidBadTokens);
    let client = with_password(&registry, PASSWORD);
    assert_eq!(exists(&client, &registry, "mine:1"), "exists");
    std::thread::sleep(Duration::from_millis(2100));
    registry.take_requests();
    assert_eq!(exists(&client, &registry, "mine:1"), "exists");
    assert_eq!((registry.request_count(), service.request_count()), (2, 2));
}

#[test]
fn gcr_a_403_to_a_fresh_token_is_final() {
    let lab = Lab::new();
    lab.registry.add_quirk(Quirk::ForbidBadTokens);
    assert_eq!(lab.exists("hidden:1"), "denied");
    assert_eq!(
        (lab.registry.request_count(), lab.service.request_count()),
        (2, 1)
    );
    lab.registry.set_quirks([Quirk::Deny(403, Page::Json)]);
    assert_eq!(lab.exists("mine:1"), "denied");
    assert_eq!(lab.registry.request_count(), 3);
}
