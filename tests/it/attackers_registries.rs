//! Two registries and two accounts (S14, S18): each gets its own credentials and tokens.

use fake_registry::Config;
use ocireg::Client;
use token_service::TokenService;

use crate::attackers_support::*;
use crate::auth_support::*;

#[test]
fn s14_a_password_is_for_one_registry_alone() {
    let lab = Lab::new();
    let own = asks_for_login(None);
    let other = own.address().to_string();
    let client = lab.client();
    assert_eq!(outcome(&client.exists(&reference(IMAGE))), "exists");
    let sent = lab.registry.requests().pop().unwrap();
    assert_eq!(sent.header("x-lab").as_deref(), Some("s3cr3t-header"));
    assert!(
        lab.service
            .requests()
            .iter()
            .all(|it| it.header("x-lab").is_none())
    );
    // Names that begin, end or look like the registry's, another port of it, and another registry.
    let hosts = [
        "registry.example.com:8443",
        "registry.example.com.evil.net",
        "sub.registry.example.com",
        "example.com",
        "auth.example.com",
        &other,
    ];
    for host in hosts {
        let result = client.exists(&reference(&format!("{host}/mine:1")));
        assert!(
            !matches!(&result, Ok(ocireg::Presence::Exists(_))),
            "{host}"
        );
    }
    lab.assert_nothing_leaked("similar names");
    assert_saw_nothing("another registry", &own.requests(), &SECRETS);
    assert!(!own.requests().is_empty());
}

#[test]
fn s14_a_registry_that_names_the_token_service_of_another_gets_no_token() {
    let lab = Lab::new();
    // Plain http on loopback. It names the token service of the good registry.
    let realm = format!("https://{HOST}:444/token");
    let evil = filled(Config::new().bearer(&realm, "lab"));
    let client = lab.client();
    assert_eq!(outcome(&client.exists(&reference(IMAGE))), "exists");
    lab.service.take_requests();
    let _ = client.exists(&reference(&format!("{}/mine:1", evil.authority())));
    let token = lab
        .registry
        .requests()
        .pop()
        .unwrap()
        .header("authorization")
        .unwrap();
    for request in evil.requests() {
        assert_ne!(request.header("authorization").as_ref(), Some(&token));
        assert_eq!(request.header("x-lab"), None);
    }
    assert!(
        lab.service
            .requests()
            .iter()
            .all(|it| it.header("authorization").is_none())
    );
}

#[test]
fn s18_two_accounts_share_no_token() {
    let service = TokenService::start(
        token_service::Config::new()
            .user("alice", "a", &["mine"])
            .user("bob", "b", &["also"]),
    );
    let registry = bearer_registry(&service);
    let authority = registry.authority();
    let clients: Vec<Client> = [("alice", "a"), ("bob", "b")]
        .map(|(user, password)| builder().basic(&authority, user, password).build().unwrap())
        .into();
    let may = |client: &Client, name: &str| {
        outcome(&client.exists(&reference(&format!("{authority}/{name}:1"))))
    };
    std::thread::scope(|scope| {
        for (client, own, other) in [(&clients[0], "mine", "also"), (&clients[1], "also", "mine")] {
            scope.spawn(move || {
                for _ in 0..20 {
                    assert_eq!(
                        (may(client, own).as_str(), may(client, other).as_str()),
                        ("exists", "denied")
                    );
                }
            });
        }
    });
    // Another registry with the same service gets no token that was fetched for the first one.
    let beside = bearer_registry(&service);
    let client = builder().basic(&authority, "alice", "a").build().unwrap();
    assert_eq!(may(&client, "mine"), "exists");
    let token = registry.requests().pop().unwrap().header("authorization");
    assert_eq!(
        outcome(&client.exists(&reference(&format!("{}/mine:1", beside.authority())))),
        "denied"
    );
    assert!(
        beside
            .requests()
            .iter()
            .all(|it| it.header("authorization") != token)
    );
}
