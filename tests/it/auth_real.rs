//! Logins at real registries: docker-registry 2.8.2 with passwords and with tokens of two services,
//! nginx in front of it, and a registry in Rust that supports only Basic.

use std::fs;
use std::path::Path;
use std::time::Duration;

use ocireg::{AuthScheme, Client, ErrorKind};
use serde_json::json;
use test_support::seed::{self, Seeded};
use test_support::{
    ContainerRegistry, DockerRegistry, HTPASSWD, Nginx, Recipe, RegistryConfig, Server, TokenAuth,
    TokenServer, certificates,
};
use token_service::{Quirk as Odd, TokenService};

use crate::auth_support::*;

/// `jürgen` with `geheim€:ß`, bcrypt of the lowest cost.
const JUERGEN: &str = "jürgen:$2y$05$J3/IpuIZLsVjTgqA8xDjyOvC3aT8mYFVMg/rItEeeEH1v/JPy043m\n";

/// An open registry with tag 1 in some repositories. Registries with a login serve its content.
fn content() -> Option<(Server, Vec<Seeded>)> {
    let server = DockerRegistry::start(&RegistryConfig::new())?;
    let names = ["mine", "open", "hidden", "user/app", "other/app"];
    let seeded = seed::push_repositories(server.authority(), &names);
    Some((server, seeded))
}

fn with_password(authority: &str, user: &str, password: &str) -> Client {
    builder().basic(authority, user, password).build().unwrap()
}

/// The outcomes of lookups of these repositories.
fn look(client: &Client, authority: &str, tag: &str, names: &[&str]) -> Vec<String> {
    let look =
        |name: &&str| outcome(&client.exists(&reference(&format!("{authority}/{name}:{tag}"))));
    names.iter().map(look).collect()
}

#[test]
fn b8_docker_registry_with_passwords() {
    let Some((plain, seeded)) = content() else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("htpasswd");
    fs::write(&file, format!("{HTPASSWD}{JUERGEN}")).unwrap();
    let config = RegistryConfig::new()
        .htpasswd(&file)
        .data_dir(plain.data_dir());
    let Some(server) = DockerRegistry::start(&config) else {
        return;
    };
    let (host, tag) = (server.authority(), seeded[0].tag.as_str());
    let registry = registry(host);
    for (user, password, expected) in [
        (USER, PASSWORD, "exists"),
        ("jürgen", "geheim€:ß", "exists"),
        (USER, "wrong", "Unauthorized"),
        ("jürgen", "geheim?:?", "Unauthorized"),
        ("nobody", PASSWORD, "Unauthorized"),
    ] {
        let client = with_password(host, user, password);
        assert_eq!(
            look(&client, host, tag, &["mine"]),
            [expected],
            "{user} {password}"
        );
        let login = client.check_login(&registry).map_err(|error| error.kind());
        let good = expected == "exists";
        assert_eq!(
            login,
            if good {
                Ok(())
            } else {
                Err(ErrorKind::Unauthorized)
            },
            "{user}"
        );
    }
    let anonymous = builder().build().unwrap();
    assert_eq!(look(&anonymous, host, tag, &["mine"]), ["denied"]);
    assert_eq!(anonymous.ping(&registry).unwrap().auth, AuthScheme::Basic);
    let image = reference(&format!("{host}/mine:{tag}"));
    let digest = with_password(host, USER, PASSWORD).digest(&image).unwrap();
    assert_eq!(digest.to_string(), seeded[0].digest);
}

/// Our own token service, and a real registry that accepts its tokens.
fn signed(
    config: token_service::Config,
    directory: &Path,
    data: &Server,
) -> Option<(TokenService, Server)> {
    let certificate = certificates::self_signed(directory)?;
    let read = |file: &Path| fs::read_to_string(file).unwrap();
    let service = TokenService::start(
        config.signed_by(&read(&certificate.certificate), &read(&certificate.key)),
    );
    let token = TokenAuth {
        realm: service.realm(),
        service: "lab-service".to_owned(),
        issuer: "lab-issuer".to_owned(),
        bundle: certificate.certificate,
    };
    let server = DockerRegistry::start(
        &RegistryConfig::new()
            .token(&token)
            .data_dir(data.data_dir()),
    )?;
    Some((service, server))
}

#[test]
fn b1_c1_c2_docker_registry_with_tokens() {
    let Some((plain, seeded)) = content() else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let config = service_config().identity_token("identity-1");
    let Some((service, server)) = signed(config, directory.path(), &plain) else {
        return;
    };
    let (host, tag) = (server.authority(), seeded[0].tag.as_str());
    let names = ["mine", "open", "hidden"];
    let user = with_password(host, USER, PASSWORD);
    assert_eq!(
        look(&user, host, tag, &names),
        ["exists", "exists", "denied"]
    );
    // One for each repository.
    assert_eq!(lines(&service.take_requests()), ["GET /token basic"; 3]);
    assert_eq!(look(&user, host, tag, &names[..2]), ["exists"; 2]);
    assert_eq!(look(&user, host, "none", &names[..2]), ["absent"; 2]);
    assert_eq!(service.take_requests().len(), 0);
    user.check_login(&registry(host)).unwrap();

    let anonymous = builder().build().unwrap();
    assert_eq!(
        look(&anonymous, host, tag, &names),
        ["denied", "exists", "denied"]
    );
    assert_eq!(
        anonymous.ping(&registry(host)).unwrap().auth,
        AuthScheme::Bearer
    );
    let wrong = with_password(host, USER, "wrong");
    assert_eq!(look(&wrong, host, tag, &names[..1]), ["Unauthorized"]);
    let identity = builder()
        .identity_token(host, "identity-1")
        .build()
        .unwrap();
    assert_eq!(
        look(&identity, host, tag, &names),
        ["exists", "exists", "denied"]
    );

    for quirk in [
        Odd::TokenOnly,
        Odd::AccessTokenOnly,
        Odd::ExpiresIn(json!(null)),
        Odd::ExpiresIn(json!(1)),
        Odd::IssuedAt("1970-01-01T00:00:00Z"),
    ] {
        service.set_quirks([quirk.clone()]);
        let client = with_password(host, USER, PASSWORD);
        assert_eq!(
            look(&client, host, tag, &["mine", "mine"]),
            ["exists"; 2],
            "{quirk:?}"
        );
    }
}

#[test]
fn c2_docker_registry_with_short_lived_tokens() {
    let Some((plain, seeded)) = content() else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    // docker-registry tolerates a clock that is a minute off, so it refuses none of these tokens.
    // fake-registry does.
    let config = service_config().lifetime(Duration::from_secs(60));
    let Some((service, server)) = signed(config, directory.path(), &plain) else {
        return;
    };
    let (host, tag) = (server.authority(), seeded[0].tag.as_str());
    for seconds in [1, 5, 60] {
        service.set_lifetime(Duration::from_secs(seconds));
        service.take_requests();
        let client = with_password(host, USER, PASSWORD);
        for _ in 0..3 {
            assert_eq!(
                look(&client, host, tag, &["mine"]),
                ["exists"],
                "{seconds} s"
            );
        }
        // A lifetime counts as a minute at least: the registry decides.
        assert_eq!(service.request_count(), 1, "{seconds} s");
    }
}

#[test]
fn b1_c1_docker_registry_with_distributions_own_token_server() {
    let Some((plain, seeded)) = content() else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let Some((tokens, bundle)) = TokenServer::start(directory.path()) else {
        return;
    };
    let token = TokenAuth {
        realm: format!("{}/token/", tokens.url()),
        service: "lab-service".to_owned(),
        issuer: TokenServer::ISSUER.to_owned(),
        bundle,
    };
    let config = RegistryConfig::new()
        .token(&token)
        .data_dir(plain.data_dir());
    let Some(server) = DockerRegistry::start(&config) else {
        return;
    };
    let (host, tag) = (server.authority(), seeded[0].tag.as_str());
    let user = with_password(host, USER, PASSWORD);
    assert_eq!(
        look(&user, host, tag, &["user/app", "other/app"]),
        ["exists", "denied"]
    );
    assert_eq!(look(&user, host, "none", &["user/app"]), ["absent"]);
    user.check_login(&registry(host)).unwrap();
    let wrong = with_password(host, USER, "wrong");
    assert_eq!(look(&wrong, host, tag, &["user/app"]), ["Unauthorized"]);
    let anonymous = builder().build().unwrap();
    assert_eq!(look(&anonymous, host, tag, &["user/app"]), ["denied"]);
}

/// nginx that ends TLS, with a certificate of an authority in `directory`.
struct TlsFront {
    authority: certificates::Authority,
    recipe: Recipe,
}

impl TlsFront {
    fn new(directory: &Path) -> Option<TlsFront> {
        let authority = certificates::Authority::create(directory, "ca")?;
        let issued = authority.issue("nginx");
        let recipe = Recipe::Tls {
            certificate: issued.certificate,
            key: issued.key,
        };
        Some(TlsFront { authority, recipe })
    }

    /// The outcomes of lookups through this host, with a password.
    fn look(&self, host: &str, tag: &str, names: &[&str]) -> Vec<String> {
        let client = builder()
            .ca_file(host, &self.authority.certificate)
            .basic(host, USER, PASSWORD)
            .build();
        look(&client.unwrap(), host, tag, names)
    }
}

#[test]
fn b1_s4_s11_an_http_realm_behind_nginx_that_ends_tls_is_not_asked() {
    let Some((plain, seeded)) = content() else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    // The clients come by https, and the registry names an http realm.
    let Some((service, server)) = signed(service_config(), directory.path(), &plain) else {
        return;
    };
    let Some(tls) = TlsFront::new(directory.path()) else {
        return;
    };
    let Some(front) = Nginx::start(server.authority(), &tls.recipe) else {
        return;
    };
    let outcomes = tls.look(front.authority(), &seeded[0].tag, &["mine"]);
    assert_eq!(outcomes, ["Protocol"]);
    assert_eq!(service.request_count(), 0);
}

#[test]
fn b1_s4_an_https_realm_behind_nginx_that_ends_tls_is_asked() {
    let Some((plain, seeded)) = content() else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let Some((service, _)) = signed(service_config(), directory.path(), &plain) else {
        return;
    };
    let Some(tls) = TlsFront::new(directory.path()) else {
        return;
    };
    let Some(tokens) = Nginx::start(&service.address().to_string(), &tls.recipe) else {
        return;
    };
    let token = TokenAuth {
        realm: format!("{}/token", tokens.url()),
        service: "lab-service".to_owned(),
        issuer: "lab-issuer".to_owned(),
        bundle: directory.path().join("domain.crt"),
    };
    let config = RegistryConfig::new()
        .token(&token)
        .data_dir(plain.data_dir());
    let Some(server) = DockerRegistry::start(&config) else {
        return;
    };
    let Some(front) = Nginx::start(server.authority(), &tls.recipe) else {
        return;
    };
    let outcomes = tls.look(front.authority(), &seeded[0].tag, &["mine", "hidden"]);
    assert_eq!(outcomes, ["exists", "denied"]);
    assert_eq!(lines(&service.requests()), ["GET /token basic"; 2]);
}

#[test]
fn b8_a_registry_in_rust_that_supports_only_basic() {
    let Some(server) = ContainerRegistry::start("geheim") else {
        return;
    };
    let host = server.authority();
    let client = with_password(host, "anybody", "geheim");
    client.check_login(&registry(host)).unwrap();
    // It answers with BLOB_UNKNOWN, which says nothing about a manifest.
    assert_eq!(look(&client, host, "1", &["t/a"]), ["Protocol"]);
    let wrong = with_password(host, "anybody", "wrong");
    assert_eq!(look(&wrong, host, "1", &["t/a"]), ["Unauthorized"]);
    assert_eq!(
        look(&builder().build().unwrap(), host, "1", &["t/a"]),
        ["denied"]
    );
}
