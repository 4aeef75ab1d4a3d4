//! Which tags are the same image: the digest that they are compared with, lists that contradict
//! themselves, and digests of another algorithm. The requests are part of each answer.

use std::sync::Arc;

use fake_registry::Recorded;
use ocireg::{Algorithm, CallOptions, Client, Digest, ErrorKind, Reference, Repository, Tag};
use raw_http::{Answer, Server, Service, Stop};

use crate::quirks_support::{INDEX, assert_tells, builder};

const MARK: &str = "Docker-Distribution-Api-Version: registry/2.0";
/// Two manifests, of which the first is the image.
const ONE: &str = r#"{"schemaVersion":2,"manifests":[]}"#;
const TWO: &str = r#"{"schemaVersion":2,"manifests":[],"annotations":{"a":"b"}}"#;

/// A registry with one repository: its tag lists, page by page, and its manifests.
#[derive(Clone, Default)]
struct Shelf {
    pages: Vec<String>,
    /// What follows `/manifests/`, the digest that the header names, and the content.
    manifests: Vec<(String, Digest, &'static str)>,
    /// The status for manifests that are not there.
    missing: u16,
}

impl Shelf {
    fn with_pages<const N: usize>(pages: [String; N]) -> Shelf {
        Shelf {
            pages: pages.to_vec(),
            missing: 404,
            ..Shelf::default()
        }
    }

    fn with_tags(tags: &[&str]) -> Shelf {
        Shelf::with_pages([format!(r#"{{"tags":{tags:?}}}"#)])
    }

    fn manifest(mut self, name: impl ToString, digest: Digest, content: &'static str) -> Shelf {
        self.manifests.push((name.to_string(), digest, content));
        self
    }

    fn start(self) -> Server {
        Server::start(0, None, Arc::new(self))
    }

    fn list(&self, request: &Recorded) -> Answer {
        let page: usize = request
            .query("page")
            .map_or(0, |page| page.parse().unwrap());
        let next = page + 1;
        let link = match next < self.pages.len() {
            true => format!("\nLink: </v2/t/find/tags/list?page={next}>; rel=next"),
            false => String::new(),
        };
        let head = format!("{MARK}\nContent-Type: application/json{link}");
        Answer::new(200, &head, self.pages[page].clone())
    }
}

impl Service for Shelf {
    fn answer(&self, request: &Recorded, _: &Stop) -> Option<Answer> {
        let path = request.path();
        let Some((_, name)) = path.split_once("/manifests/") else {
            return Some(self.list(request));
        };
        let found = self.manifests.iter().find(|(known, ..)| known == name);
        let Some((_, digest, content)) = found else {
            let body = r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"unknown"}]}"#;
            return Some(Answer::new(self.missing, MARK, body));
        };
        let head = format!("{MARK}\nContent-Type: {INDEX}\nDocker-Content-Digest: {digest}");
        Some(Answer::new(200, &head, *content))
    }
}

/// One request at a time, so that their order is known.
fn client() -> Client {
    let one = CallOptions::new().concurrency(1);
    builder().build().unwrap().with(one)
}

fn image(server: &Server, rest: &str) -> Reference {
    format!("{}/t/find{rest}", server.address())
        .parse()
        .unwrap()
}

fn repository(server: &Server) -> Repository {
    image(server, "").repository().clone()
}

fn names(tags: &[Tag]) -> Vec<&str> {
    tags.iter().map(Tag::as_str).collect()
}

/// What was asked since the last look, such as `HEAD a`, digests by their algorithm.
fn asked(server: &Server) -> Vec<String> {
    let requests = server.take_requests();
    let short = |request: &Recorded| {
        let path = request.path();
        let end = path.rsplit('/').next().unwrap_or_default();
        let end = end.split(':').next().unwrap_or_default();
        format!("{} {end}", request.method)
    };
    requests.iter().map(short).collect()
}

fn sha256(content: &str) -> Digest {
    Digest::of(Algorithm::Sha256, content.as_bytes())
}

fn sha512(content: &str) -> Digest {
    Digest::of(Algorithm::Sha512, content.as_bytes())
}

/// A page as Google's registries send it.
fn google(tags: &[&str], manifests: &[(&Digest, &[&str])]) -> String {
    let manifests: Vec<String> = manifests
        .iter()
        .map(|(digest, tags)| format!(r#""{digest}":{{"layerId":"","tag":{tags:?}}}"#))
        .collect();
    let manifests = manifests.join(",");
    format!(r#"{{"child":[],"manifest":{{{manifests}}},"name":"t/find","tags":{tags:?}}}"#)
}

#[test]
fn find_gives_the_digest_that_was_compared() {
    let shelf = Shelf::with_tags(&["a", "b", "c"])
        .manifest("a", sha256(ONE), ONE)
        .manifest("b", sha256(TWO), TWO)
        .manifest("c", sha256(ONE), ONE);
    let server = shelf.start();
    let requests = ["GET list", "HEAD a", "HEAD b", "HEAD c"];
    let client = client();
    let found = client.find(&image(&server, ":c")).unwrap();
    assert_eq!(found.digest, sha256(ONE));
    assert_eq!(names(&found.tags), ["a", "c"]);
    assert_eq!(asked(&server), requests);
    let same = client.tags_sharing(&image(&server, ":c")).unwrap();
    assert_eq!(same, found.tags);
    assert_eq!(asked(&server), requests);
    // A digest is compared as it is, and whether the tag beside it has moved does not matter.
    let pinned = image(&server, &format!(":c@{}", sha256(TWO)));
    let found = client.find(&pinned).unwrap();
    assert_eq!((found.digest, names(&found.tags)), (sha256(TWO), vec!["b"]));
    assert_eq!(asked(&server), requests);
}

/// Lists of the tags `a` to `c` that name two digests for `b`.
fn contradictory(one: &Digest, two: &Digest) -> [(&'static str, Vec<String>); 4] {
    [
        (
            "in one page",
            vec![google(
                &["a", "b", "c"],
                &[(one, &["a", "b"]), (two, &["b", "c"])],
            )],
        ),
        (
            "the other way round",
            vec![google(
                &["a", "b", "c"],
                &[(two, &["c", "b"]), (one, &["b", "a"])],
            )],
        ),
        (
            "three times",
            vec![google(
                &["a", "b", "c"],
                &[(one, &["a", "b"]), (two, &["b", "c", "b"]), (one, &["b"])],
            )],
        ),
        (
            "in two pages",
            vec![
                google(&["a", "b"], &[(one, &["a", "b"])]),
                google(&["c"], &[(two, &["c", "b"])]),
            ],
        ),
    ]
}

/// Google's lists say the digest of each tag. One that they list under two is asked for.
#[test]
fn a_tag_under_two_digests_in_a_list_is_asked_for() {
    let (one, two) = (&sha256(ONE), &sha256(TWO));
    for (what, pages) in contradictory(one, two) {
        let shelf = Shelf {
            pages,
            ..Shelf::with_tags(&[])
        };
        let server = shelf.manifest("b", sha256(TWO), TWO).start();
        // A map in another order would give another answer now and then.
        for _ in 0..8 {
            let client = client();
            for (digest, expected) in [(one, vec!["a"]), (two, vec!["b", "c"])] {
                let tags = client.tags_of_digest(&repository(&server), digest).unwrap();
                assert_eq!(names(&tags), expected, "{what}");
                let mut requests = asked(&server);
                assert_eq!(requests.pop().unwrap(), "HEAD b", "{what}");
                assert!(
                    requests.iter().all(|request| request == "GET list"),
                    "{what}"
                );
            }
            let found = client.find(&image(&server, ":b")).unwrap();
            assert_eq!(
                (&found.digest, names(&found.tags)),
                (two, vec!["b", "c"]),
                "{what}"
            );
            asked(&server);
        }
    }
}

/// What a list has beside its tags may be odd: what can't be read is asked for.
#[test]
fn what_a_list_says_of_digests_may_be_anything() {
    let one = sha256(ONE);
    for manifests in [
        "null".to_owned(),
        "[1]".to_owned(),
        r#""text""#.to_owned(),
        r#"{"no digest":{"tag":["a"]}}"#.to_owned(),
        format!(r#"{{"{one}":["a"]}}"#),
        format!(r#"{{"{one}":{{"tag":"a"}}}}"#),
        format!(r#"{{"{one}":{{"tag":[["a"],null,{{}},1]}}}}"#),
        format!(r#"{{"{one}":{{"tag":["other"],"tags":["a"]}}}}"#),
    ] {
        let page = format!(r#"{{"tags":["a"],"manifest":{manifests}}}"#);
        let server = Shelf::with_pages([page])
            .manifest("a", sha256(ONE), ONE)
            .start();
        let tags = client().tags_of_digest(&repository(&server), &one).unwrap();
        assert_eq!(names(&tags), ["a"], "{manifests}");
        assert_eq!(asked(&server), ["GET list", "HEAD a"], "{manifests}");
    }
}

/// A digest of another algorithm than the registry's names the same content: the registry is asked
/// for it, and what comes is hashed.
#[test]
fn a_digest_of_another_algorithm_is_compared_by_its_content() {
    let other = sha256(TWO);
    let cases = [
        ("sha512 where tags have sha256", sha512(ONE), sha256(ONE)),
        ("sha256 where tags have sha512", sha256(ONE), sha512(ONE)),
    ];
    for (what, wanted, own) in cases {
        let shelf = Shelf::with_tags(&["a", "b"])
            .manifest("a", own.clone(), ONE)
            .manifest("b", other.clone(), TWO)
            .manifest(&wanted, own, ONE);
        let server = shelf.start();
        let algorithm = wanted.algorithm();
        let requests = ["GET list", "HEAD a", "HEAD b", &format!("GET {algorithm}")];
        let client = client();
        let tags = client
            .tags_of_digest(&repository(&server), &wanted)
            .unwrap();
        assert_eq!(names(&tags), ["a"], "{what}");
        assert_eq!(asked(&server), requests, "{what}");
        let found = client.find(&image(&server, &format!("@{wanted}"))).unwrap();
        assert_eq!(
            (found.digest, names(&found.tags)),
            (wanted, vec!["a"]),
            "{what}"
        );
        assert_eq!(asked(&server), requests, "{what}");
    }
}

/// Where the registry does not serve it by that digest, nobody knows: "no tag has it" would be a
/// guess.
#[test]
fn a_digest_that_cannot_be_compared_is_unsupported_and_never_none() {
    for (missing, kind) in [
        (404, ErrorKind::Unsupported),
        (400, ErrorKind::Unsupported),
        (405, ErrorKind::Unsupported),
        (403, ErrorKind::Denied),
        (500, ErrorKind::Server),
    ] {
        let shelf = Shelf::with_tags(&["a"]).manifest("a", sha256(ONE), ONE);
        let server = Shelf { missing, ..shelf }.start();
        let error = client()
            .tags_of_digest(&repository(&server), &sha512(ONE))
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{missing}: {error}");
        assert_eq!(error.http_status(), Some(missing));
        if kind == ErrorKind::Unsupported {
            assert_tells(&error, "sha256");
            assert_tells(&error, "sha512");
        }
        assert_eq!(
            asked(&server),
            ["GET list", "HEAD a", "GET sha512"],
            "{missing}"
        );
    }
    // Content that does not have the digest is no ground for a comparison.
    let shelf = Shelf::with_tags(&["a"])
        .manifest("a", sha256(ONE), ONE)
        .manifest(sha512(ONE), sha256(TWO), TWO);
    let server = shelf.start();
    let error = client()
        .tags_of_digest(&repository(&server), &sha512(ONE))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DigestMismatch, "{error}");
}

/// Without tags, or with none of another algorithm, nothing more is asked.
#[test]
fn a_digest_is_asked_for_only_where_algorithms_differ() {
    let server = Shelf::with_tags(&[]).start();
    let tags = client()
        .tags_of_digest(&repository(&server), &sha512(ONE))
        .unwrap();
    assert_eq!(
        (tags, asked(&server)),
        (vec![], vec!["GET list".to_owned()])
    );
    let server = Shelf::with_tags(&["a"])
        .manifest("a", sha512(TWO), TWO)
        .start();
    let tags = client()
        .tags_of_digest(&repository(&server), &sha512(ONE))
        .unwrap();
    assert_eq!(tags, []);
    assert_eq!(asked(&server), ["GET list", "HEAD a"]);
}
