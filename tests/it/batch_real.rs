//! Batches at real registries: with many images, and while the registry is killed again and again.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ocireg::{CallOptions, Client, Presence, Reference};
use test_support::seed::{self, Seeded};
use test_support::{DockerRegistry, RegistryConfig, Server, TokenAuth, TokenServer, certificates};
use token_service::TokenService;

use crate::auth_support::*;

const REPOSITORIES: usize = 200;
const TAGS: usize = 2000;
/// The manifests that the tags point to: a Docker image, an OCI image, and a list of each.
const KINDS: usize = 4;
/// For any of the calls, on a busy machine.
const LONGEST: Duration = Duration::from_secs(20);

/// A repository, and what was pushed to it.
type Image = (String, Seeded);

/// 200 repositories of the user with one image each, and another repository with four manifests
/// under 500 tags each.
struct Content {
    server: Server,
    images: Vec<Image>,
    tags: Vec<Image>,
}

/// Made once. The registry runs as long as this process.
fn content() -> Option<&'static Content> {
    static CONTENT: OnceLock<Option<Content>> = OnceLock::new();
    let make = || {
        let server = DockerRegistry::start(&RegistryConfig::new())?;
        let names: Vec<String> = (0..REPOSITORIES)
            .map(|number| format!("{USER}/r{number}"))
            .collect();
        let images = seed::push_repositories(server.authority(), &names);
        let tags = many_tags(&server, &format!("{USER}/tags"), TAGS);
        Some(Content {
            server,
            images: names.into_iter().zip(images).collect(),
            tags,
        })
    };
    CONTENT.get_or_init(make).as_ref()
}

/// Gives the four manifests of an image this many tags, as files, since pushing them takes a
/// minute.
fn many_tags(server: &Server, repository: &str, count: usize) -> Vec<Image> {
    let mut pushed = seed::push_all(server.authority(), repository);
    pushed.truncate(KINDS);
    let below = format!("docker/registry/v2/repositories/{repository}/_manifests/tags");
    let tags = server.data_dir().join(below);
    let link = |number: usize| {
        let mut image = pushed[number % KINDS].clone();
        image.tag = format!("v{number}");
        let directory = tags.join(&image.tag).join("current");
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("link"), &image.digest).unwrap();
        (repository.to_owned(), image)
    };
    (0..count).map(link).collect()
}

/// The references of seeded images at this registry, every tenth a tag that is not there.
fn references(host: &str, seeded: &[Image]) -> Vec<Reference> {
    let every = seeded.iter().enumerate();
    every
        .map(|(position, (repository, image))| {
            let tag = match position % 10 {
                9 => "none",
                _ => &image.tag,
            };
            reference(&format!("{host}/{repository}:{tag}"))
        })
        .collect()
}

/// Fails unless every answer agrees with `seeded`.
#[track_caller]
fn assert_right(seeded: &[Image], answers: &[ocireg::Result<Presence>]) {
    assert_eq!(seeded.len(), answers.len());
    for (position, ((_, image), answer)) in seeded.iter().zip(answers).enumerate() {
        match answer {
            Ok(Presence::Exists(found)) if position % 10 != 9 => {
                assert_eq!(found.digest.to_string(), image.digest, "{position}");
            }
            Ok(Presence::Absent) if position % 10 == 9 => {}
            other => panic!("{position}: {other:?}"),
        }
    }
}

/// A registry with `content` that wants tokens of `realm`.
fn with_tokens(content: &Content, realm: &str, issuer: &str, bundle: &Path) -> Option<Server> {
    let token = TokenAuth {
        realm: realm.to_owned(),
        service: "lab-service".to_owned(),
        issuer: issuer.to_owned(),
        bundle: bundle.to_owned(),
    };
    let config = RegistryConfig::new().token(&token);
    DockerRegistry::start(&config.data_dir(content.server.data_dir()))
}

/// Looks up all images, and finds all tags of one image.
fn look_at_all(host: &str, content: &Content) {
    let client = builder().basic(host, USER, PASSWORD).build().unwrap();
    let client = client.with(CallOptions::new().concurrency(16));
    for seeded in [&content.images, &content.tags] {
        let started = Instant::now();
        let answers = client.lookup_all(&references(host, seeded));
        println!("{} images in {:?}", answers.len(), started.elapsed());
        assert_right(seeded, &answers);
        assert!(started.elapsed() < LONGEST, "{:?}", started.elapsed());
    }
    let started = Instant::now();
    let (repository, first) = &content.tags[0];
    let image = reference(&format!("{host}/{repository}:{}", first.tag));
    // These tags, and the one that it was pushed with.
    let same = client.tags_sharing(&image).unwrap();
    assert_eq!(same.len(), TAGS / KINDS + 1);
    println!("its tags in {:?}", started.elapsed());
    assert!(started.elapsed() < LONGEST, "{:?}", started.elapsed());
}

#[test]
fn two_hundred_repositories_and_two_thousand_tags_with_tokens() {
    let directory = tempfile::tempdir().unwrap();
    let Some(certificate) = certificates::self_signed(directory.path()) else {
        return;
    };
    let read = |file: &Path| fs::read_to_string(file).unwrap();
    let config = token_service::Config::new()
        .user(USER, PASSWORD, &["user/*"])
        .signed_by(&read(&certificate.certificate), &read(&certificate.key));
    let service = TokenService::start(config);
    let bundle = &certificate.certificate;
    let Some(content) = content() else {
        return;
    };
    let Some(server) = with_tokens(content, &service.realm(), "lab-issuer", bundle) else {
        return;
    };
    look_at_all(server.authority(), content);
    // 200 repositories by 32, and one more for the tags and their list.
    assert_eq!(lines(&service.requests()), ["GET /token basic"; 8]);
}

#[test]
fn two_hundred_repositories_with_distributions_own_token_server() {
    let directory = tempfile::tempdir().unwrap();
    let Some((tokens, bundle)) = TokenServer::start(directory.path()) else {
        return;
    };
    // It grants a user the repositories below the user's name.
    let realm = format!("{}/token/", tokens.url());
    let Some(content) = content() else {
        return;
    };
    let Some(server) = with_tokens(content, &realm, TokenServer::ISSUER, &bundle) else {
        return;
    };
    look_at_all(server.authority(), content);
}

#[test]
fn r31_a_registry_that_is_killed_every_300_ms_loses_no_item() {
    const ITEMS: usize = 1000;
    const RESTARTS: usize = 40;
    let Some(mut server) = DockerRegistry::start(&RegistryConfig::new()) else {
        return;
    };
    let seeded = many_tags(&server, "t/a", ITEMS);
    let references = references(server.authority(), &seeded);
    // Enough retries for the time that the registry needs to start, which is a second or less.
    let client = Client::builder()
        .retries(20)
        .retry_delay(Duration::from_millis(20))
        .build()
        .unwrap()
        .with(CallOptions::new().concurrency(8));
    let over = AtomicBool::new(false);
    let started = Instant::now();
    let (rounds, restarts) = thread::scope(|scope| {
        let killing = scope.spawn(|| {
            let mut restarts = 0;
            while restarts < RESTARTS && !over.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(300));
                server.restart();
                restarts += 1;
            }
            restarts
        });
        let mut rounds = 0;
        // One batch may be over before the first kill.
        while started.elapsed() < Duration::from_secs(4) {
            assert_right(&seeded, &client.lookup_all(&references));
            rounds += 1;
        }
        over.store(true, Ordering::Relaxed);
        (rounds, killing.join().unwrap())
    });
    println!(
        "{rounds} batches of {ITEMS} in {:?}, {restarts} restarts",
        started.elapsed()
    );
    assert!(restarts >= 3, "{restarts}");
    assert!(
        started.elapsed() < Duration::from_secs(40),
        "{:?}",
        started.elapsed()
    );
}
