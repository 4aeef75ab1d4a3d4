//! Batches on registries with tokens. Requests are counted at the registry and at its token
//! service.

use std::thread;
use std::time::{Duration, Instant};

use fake_registry::{Config, FakeRegistry, Quirk};
use ocireg::{CallOptions, Cancel, Client, Error, ErrorKind, Presence, Reference};
use token_service::{Quirk as Odd, TokenService};

use crate::auth_support::*;

const WIDTHS: [usize; 2] = [1, 8];

/// A registry with tokens, with repositories `t/r0`, `t/r1` … that the user may pull from, and
/// `x/hidden` that nobody may pull from.
struct Lab {
    service: TokenService,
    registry: FakeRegistry,
}

impl Lab {
    fn new() -> Lab {
        Lab::with(token_service::Config::new(), [])
    }

    fn with(service: token_service::Config, quirks: impl IntoIterator<Item = Quirk>) -> Lab {
        let service = TokenService::start(service.user(USER, PASSWORD, &["t/*"]));
        let config = Config::new().bearer(&service.realm(), "lab");
        let config = quirks.into_iter().fold(config, Config::quirk);
        let registry = FakeRegistry::start(config);
        registry.put_manifest("x/hidden", "1", OCI, "{}");
        Lab { service, registry }
    }

    fn client(&self, width: usize) -> Client {
        self.client_with(PASSWORD, width)
    }

    fn client_with(&self, password: &str, width: usize) -> Client {
        let builder = builder().basic(&self.registry.authority(), USER, password);
        let options = CallOptions::new().concurrency(width);
        builder.build().unwrap().with(options)
    }

    fn image(&self, rest: &str) -> Reference {
        reference(&format!("{}/{rest}", self.registry.authority()))
    }

    /// This many repositories, with tag 1 in each.
    fn images(&self, count: usize) -> Vec<Reference> {
        let name = |number| format!("t/r{number}");
        let fill = |number| {
            self.registry.put_manifest(&name(number), "1", OCI, "{}");
            self.image(&format!("{}:1", name(number)))
        };
        (0..count).map(fill).collect()
    }

    /// The number of requests since the last call: at the registry, and at the token service.
    fn taken(&self) -> (usize, usize) {
        let registry = self.registry.take_requests().len();
        (registry, self.service.take_requests().len())
    }
}

/// The outcomes of the lookups, in the order of the references.
fn look(client: &Client, references: &[Reference]) -> Vec<String> {
    client.lookup_all(references).iter().map(outcome).collect()
}

/// What [`look`] should return for a batch: `hidden` in a name is denied, the tag `none` is absent,
/// and everything else exists.
fn expected(references: &[Reference]) -> Vec<&'static str> {
    let word = |reference: &Reference| match reference.to_string() {
        text if text.contains("hidden") => "denied",
        text if text.ends_with(":none") => "absent",
        _ => "exists",
    };
    references.iter().map(word).collect()
}

#[test]
fn one_token_serves_thirty_two_repositories() {
    for width in WIDTHS {
        for (repositories, tokens) in [(1, 1), (30, 1), (32, 1), (33, 2), (100, 4)] {
            let lab = Lab::new();
            let images = lab.images(repositories);
            let client = lab.client(width);
            let all = expected(&images);
            assert_eq!(look(&client, &images), all, "width {width}");
            // The leader sends two requests: the first one gets the challenge.
            assert_eq!(lab.taken(), (1 + repositories, tokens), "width {width}");
            assert_eq!(look(&client, &images), all, "width {width}");
            assert_eq!(lab.taken(), (repositories, 0), "warm, width {width}");
        }
    }
}

#[test]
fn long_names_need_more_tokens_so_that_each_fits_a_header_line() {
    let lab = Lab::new();
    let name = |number: usize| format!("t/{}/r{number}", "n".repeat(200));
    let images: Vec<Reference> = (0..32)
        .map(|number| {
            lab.registry.put_manifest(&name(number), "1", OCI, "{}");
            lab.image(&format!("{}:1", name(number)))
        })
        .collect();
    assert_eq!(look(&lab.client(8), &images), expected(&images));
    let asked = lab.service.take_requests();
    assert_eq!(asked.len(), 2);
    let longest = asked.iter().map(|request| request.target.len()).max();
    assert!(longest.unwrap() <= 4 * 1024 + 100, "{longest:?}");
    let sent = lab.registry.requests();
    let header = |request: &fake_registry::Recorded| request.header("authorization");
    let longest = sent.iter().filter_map(header).map(|value| value.len());
    assert!(longest.max().unwrap() < 8 * 1024);
}

#[test]
fn a_hidden_image_among_thirty_costs_two_requests_more() {
    for width in WIDTHS {
        for position in [0, 13, 29] {
            let lab = Lab::new();
            let mut images = lab.images(29);
            images.insert(position, lab.image("x/hidden:1"));
            let client = lab.client(width);
            let case = format!("width {width}, hidden at {position}");
            assert_eq!(look(&client, &images), expected(&images), "{case}");
            assert_eq!(lab.taken(), (32, 2), "{case}");
            // Its refusal is not remembered, since the registry may show the image later.
            assert_eq!(look(&client, &images), expected(&images), "{case}");
            let (registry, tokens) = lab.taken();
            println!("{case}: warm {registry} + {tokens}");
            assert!(registry + tokens <= 33, "{case}: {registry} + {tokens}");
        }
    }
}

#[test]
fn absent_images_and_duplicates_cost_no_further_request() {
    for width in WIDTHS {
        let lab = Lab::new();
        let mut images = lab.images(10);
        images.push(lab.image("t/r0:none"));
        images.push(lab.image("t/nosuch:none"));
        images.extend(images.clone());
        assert_eq!(look(&lab.client(width), &images), expected(&images));
        assert_eq!(lab.taken(), (1 + 12, 1), "width {width}");
    }
}

#[test]
fn tags_sharing_costs_twenty_three_requests_for_twenty_tags() {
    for width in WIDTHS {
        let lab = Lab::new();
        lab.registry.put_tags("t/find", "v", 20);
        let client = lab.client(width);
        let image = lab.image("t/find:v000003");
        assert_eq!(client.tags_sharing(&image).unwrap().len(), 20);
        assert_eq!(lab.taken(), (22, 1), "width {width}");
        assert_eq!(client.tags_sharing(&image).unwrap().len(), 20);
        assert_eq!(lab.taken(), (21, 0), "warm, width {width}");
        let hidden = lab.image("x/hidden:1");
        let error = client.tags_sharing(&hidden).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied);

        let lab = Lab::with(token_service::Config::new(), [Quirk::GcrLists]);
        lab.registry.put_tags("t/find", "v", 20);
        let same = lab
            .client(width)
            .tags_sharing(&lab.image("t/find:v000003"))
            .unwrap();
        assert_eq!((same.len(), lab.taken()), (20, (2, 1)), "width {width}");
    }
}

/// A quirk of the token service, a quirk of the registry, and the most requests of a batch: of one
/// that finds the quirk out one at a time, and of one whose threads find it out together.
type ScopeCase = (Odd, Option<Quirk>, [usize; 2]);

const REPOSITORIES: usize = 30;

/// A token with many scopes that does not work twice in a row is not tried again. A 401 or 403 of
/// the token service costs three requests more, which tell whether the password is wrong.
#[test]
fn c6_registries_whose_tokens_take_one_scope() {
    let cases: [ScopeCase; 10] = [
        (Odd::FirstScopeOnly, None, [64, 79]),
        (Odd::LastScopeOnly, None, [64, 79]),
        (Odd::FirstScopeOnly, Some(Quirk::ForbidBadTokens), [64, 79]),
        (Odd::LastScopeOnly, Some(Quirk::ForbidBadTokens), [64, 79]),
        (Odd::OneScopeOnly(400), None, [63, 70]),
        (Odd::OneScopeOnly(401), None, [66, 73]),
        (Odd::OneScopeOnly(403), None, [66, 73]),
        (Odd::BadScope("/r17:".to_owned()), None, [93, 93]),
        (Odd::BadScope("/r0:".to_owned()), None, [93, 93]),
        (Odd::TokenOnly, Some(Quirk::LongHeader(2000)), [64, 79]),
    ];
    for (odd, quirk, most) in cases {
        for (width, most) in WIDTHS.into_iter().zip(most) {
            let case = format!("{odd:?}, {quirk:?}, width {width}");
            let config = token_service::Config::new().quirk(odd.clone());
            let lab = Lab::with(config, quirk.clone());
            check_one_scope(&case, &lab, &odd, width, most);
        }
    }
}

#[track_caller]
fn check_one_scope(case: &str, lab: &Lab, odd: &Odd, width: usize, most: usize) {
    let images = lab.images(REPOSITORIES);
    let client = lab.client(width);
    let is_bad = |image: &Reference| match odd {
        Odd::BadScope(text) => image.to_string().contains(&**text),
        _ => false,
    };
    let check = || {
        let answers = client.lookup_all(&images);
        for (image, answer) in images.iter().zip(&answers) {
            let expected = if is_bad(image) { "Rejected" } else { "exists" };
            assert_eq!(outcome(answer), expected, "{case}: {image}: {answer:?}");
        }
        let (registry, tokens) = lab.taken();
        println!("{case}: {registry} + {tokens}");
        registry + tokens
    };
    assert!(check() <= most, "{case}");
    // The token of the first image was for others too, and is gone. What was refused is asked for
    // again.
    assert!(check() <= REPOSITORIES + 1, "{case}: warm");
    // What was learned holds for new repositories.
    let fill = |number: usize| {
        let name = format!("t/other{number}");
        lab.registry.put_manifest(&name, "1", OCI, "{}");
        lab.image(&format!("{name}:1"))
    };
    let others: Vec<Reference> = (0..10).map(fill).collect();
    assert_eq!(look(&client, &others), expected(&others), "{case}");
    assert_eq!(lab.taken(), (10, 10), "{case}: others");
}

/// Such a refusal has nothing to do with the number of scopes.
#[test]
fn a_refusal_of_one_image_does_not_end_tokens_with_many_scopes() {
    let lab = Lab::new();
    let mut images = lab.images(5);
    images.extend(["x/hidden:1", "x/hidden:2"].map(|rest| lab.image(rest)));
    let client = lab.client(8);
    assert_eq!(look(&client, &images), expected(&images));
    lab.taken();
    let others: Vec<Reference> = (0..10)
        .map(|number| lab.image(&format!("t/other{number}:none")))
        .collect();
    assert_eq!(look(&client, &others), expected(&others));
    assert_eq!(lab.taken(), (10, 1));
}

#[test]
fn s18_two_registries_in_one_batch_keep_their_tokens_apart() {
    for width in WIDTHS {
        let one = Lab::new();
        let service =
            TokenService::start(token_service::Config::new().user("other", "word", &["t/*"]));
        let registry = FakeRegistry::start(Config::new().bearer(&service.realm(), "lab"));
        let two = Lab { service, registry };
        let (first, second) = (one.images(20), two.images(20));
        let images: Vec<Reference> = first
            .into_iter()
            .zip(second)
            .flat_map(|(a, b)| [a, b])
            .collect();
        let client = builder()
            .basic(&one.registry.authority(), USER, PASSWORD)
            .basic(&two.registry.authority(), "other", "word")
            .build()
            .unwrap()
            .with(CallOptions::new().concurrency(width));
        assert_eq!(look(&client, &images), expected(&images), "width {width}");
        let shown = |lab: &Lab| -> Vec<String> {
            let at_service = lab.service.requests();
            let at_registry = lab.registry.requests();
            let mut shown: Vec<String> = at_service
                .iter()
                .chain(&at_registry)
                .filter_map(|request| request.header("authorization"))
                .collect();
            shown.sort();
            shown.dedup();
            shown
        };
        let (one_saw, two_saw) = (shown(&one), shown(&two));
        // Basic at the token service, and one token at the registry.
        assert_eq!((one_saw.len(), two_saw.len()), (2, 2), "width {width}");
        assert_eq!(one_saw[0], BASIC);
        assert!(one_saw.iter().all(|value| !two_saw.contains(value)));
        assert_eq!((one.taken(), two.taken()), ((21, 1), (21, 1)));
    }
}

#[test]
fn a_wrong_password_ends_the_batch_in_a_few_requests() {
    for width in WIDTHS {
        let lab = Lab::new();
        let images = lab.images(30);
        let client = lab.client_with("wrong", width);
        for batch in ["cold", "warm"] {
            for (image, answer) in images.iter().zip(client.lookup_all(&images)) {
                let error = answer.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
                assert!(error.to_string().contains(&image.to_string()), "{error}");
            }
            let (registry, tokens) = lab.taken();
            println!("wrong password, width {width}, {batch}: {registry} + {tokens}");
            assert!(registry <= 1 && tokens <= 2, "{registry} + {tokens}");
        }
        // Another registry of the same batch is asked as usual.
        let open = FakeRegistry::start(Config::new());
        open.put_manifest("t/r0", "1", OCI, "{}");
        let image = reference(&format!("{}/t/r0:1", open.authority()));
        let mixed = [images[0].clone(), image, images[1].clone()];
        assert_eq!(
            look(&client, &mixed),
            ["Unauthorized", "exists", "Unauthorized"]
        );
    }
}

#[test]
fn r12_tokens_that_expire_during_a_batch_fail_no_item() {
    for quirk in [None, Some(Quirk::ForbidBadTokens)] {
        let second = Duration::from_secs(1);
        let delay = Quirk::Delay(Duration::from_millis(60));
        let config = token_service::Config::new().lifetime(second);
        let lab = Lab::with(config, [delay].into_iter().chain(quirk.clone()));
        for tag in 0..15 {
            let tag = tag.to_string();
            (0..20).for_each(|number| {
                lab.registry
                    .put_manifest(&format!("t/r{number}"), &tag, OCI, "{}");
            });
        }
        let images: Vec<Reference> = (0..300)
            .map(|item| lab.image(&format!("t/r{}:{}", item % 20, item / 20)))
            .collect();
        let started = Instant::now();
        assert_eq!(
            look(&lab.client(8), &images),
            expected(&images),
            "{quirk:?}"
        );
        let (registry, tokens) = lab.taken();
        println!(
            "{quirk:?}: {registry} + {tokens} in {:?}",
            started.elapsed()
        );
        assert!(tokens >= 2, "no token has expired");
        // One token for each second, and one refusal of each thread for each token.
        assert!(
            tokens <= 5 && registry <= 301 + 8 * tokens,
            "{quirk:?}: {registry} + {tokens}"
        );
    }
}

#[test]
fn a_batch_that_waits_for_the_token_of_another_batch_can_be_cancelled() {
    let service = token_service::Config::new().quirk(Odd::Delay(Duration::from_secs(20)));
    let lab = Lab::with(service, []);
    let images = lab.images(10);
    let (client, stop, end) = (lab.client(8), Cancel::new(), Cancel::new());
    let leader = client.with(CallOptions::new().cancel(&end));
    let follower = client.with(CallOptions::new().cancel(&stop).concurrency(8));
    thread::scope(|scope| {
        let leading = scope.spawn(|| leader.lookup_all(&images));
        let deadline = Instant::now() + Duration::from_secs(10);
        while lab.service.request_count() == 0 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        let waiting = scope.spawn(|| follower.lookup_all(&images));
        thread::sleep(Duration::from_millis(300));
        let asked = Instant::now();
        stop.trigger();
        let all = |answers: Vec<Result<Presence, Error>>| {
            assert_eq!(answers.len(), 10);
            for answer in answers {
                assert_eq!(answer.unwrap_err().kind(), ErrorKind::Cancelled);
            }
        };
        all(waiting.join().unwrap());
        assert!(
            asked.elapsed() < Duration::from_secs(1),
            "{:?}",
            asked.elapsed()
        );
        end.trigger();
        all(leading.join().unwrap());
    });
    // Both batches asked for the same token.
    assert_eq!(lab.taken(), (2, 1));
}
