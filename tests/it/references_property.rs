//! Properties of all references, checked with generated texts.

use ocireg::{Algorithm, Digest, Reference, Registry, Repository, RepositoryName, Tag};
use proptest::prelude::*;

/// Text made of pieces that the grammars use, so that near misses are common.
fn near_miss() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z0-9]{1,5}",
        3 => r"[-._:/@\[\]]",
        1 => "[A-Z%?#\\\\ \t\r\n\u{0}\u{e9}\u{202e}]",
        1 => Just("localhost".to_owned()),
        1 => Just("docker.io/".to_owned()),
        1 => Just("[::1]:5000/".to_owned()),
        1 => Just(format!("@sha256:{}", "0".repeat(64))),
        1 => Just("https://".to_owned()),
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

fn name() -> impl Strategy<Value = String> {
    let part = "[a-z0-9]{1,6}((\\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}";
    prop::collection::vec(part, 1..4).prop_map(|parts| parts.join("/"))
}

fn registry() -> impl Strategy<Value = String> {
    let host = prop_oneof![
        Just("localhost".to_owned()),
        "[a-z]{1,5}(-[a-z0-9]{1,3})?\\.[a-z]{2,4}",
        any::<std::net::Ipv4Addr>().prop_map(|address| address.to_string()),
        any::<[u16; 8]>().prop_map(|segments| {
            let text: Vec<String> = segments.iter().map(|s| format!("{s:x}")).collect();
            format!("[{}]", text.join(":"))
        }),
    ];
    (host, prop::option::of(1u16..)).prop_map(|(host, port)| match port {
        Some(port) => format!("{host}:{port}"),
        None => host,
    })
}

fn tag() -> impl Strategy<Value = String> {
    "[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"
}

fn digest() -> impl Strategy<Value = Digest> {
    let algorithm = prop_oneof![
        Just(Algorithm::Sha256),
        Just(Algorithm::Sha384),
        Just(Algorithm::Sha512)
    ];
    (algorithm, any::<[u8; 4]>()).prop_map(|(algorithm, content)| Digest::of(algorithm, &content))
}

/// What a parser accepts must read back from its text without a change.
fn check_every_type(text: &str) -> Result<(), TestCaseError> {
    macro_rules! check {
        ($($type:ty),*) => {$(
            match text.parse::<$type>() {
                Ok(value) => {
                    let shown = value.to_string();
                    prop_assert_eq!(shown.parse::<$type>().ok(), Some(value.clone()), "{}", shown);
                    prop_assert_eq!(format!("{value:?}"), shown);
                }
                Err(error) => {
                    let shown = error.to_string();
                    prop_assert!(shown.len() < 1000, "{}", shown);
                    prop_assert!(!shown.contains(char::is_control), "{:?}", shown);
                }
            }
        )*};
    }
    check!(Reference, Repository, Registry, RepositoryName, Tag, Digest);
    Ok(())
}

/// The parts of `/v2/NAME/manifests/REFERENCE` have no character that could end the path, go up in
/// it or need encoding, and the authority has none that could end it (S12).
fn check_url_safe(image: &Reference) -> Result<(), TestCaseError> {
    let name = image.repository().name().as_str();
    let in_name = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '-' | '/');
    prop_assert!(name.len() <= 255 && name.chars().all(in_name), "{}", name);
    prop_assert!(
        name.split('/').all(|part| !matches!(part, "" | "." | "..")),
        "{}",
        name
    );
    let in_tag = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if let Some(tag) = image.tag() {
        let tag = tag.as_str();
        prop_assert!(
            tag.chars().all(in_tag) && !matches!(tag, "" | "." | ".."),
            "{}",
            tag
        );
    }
    let in_host = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '.' | '-' | ':' | '[' | ']');
    let registry = image.registry().as_str();
    prop_assert!(registry.chars().all(in_host), "{}", registry);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(2000)
    })]

    #[test]
    fn a2_any_text_is_refused_or_survives_a_round_trip(text in any::<String>()) {
        check_every_type(&text)?;
    }

    #[test]
    fn a2_any_near_miss_is_refused_or_survives_a_round_trip(text in near_miss()) {
        check_every_type(&text)?;
    }

    #[test]
    fn s12_an_accepted_reference_cannot_change_a_url(text in near_miss()) {
        if let Ok(image) = text.parse::<Reference>() {
            check_url_safe(&image)?;
        }
    }

    #[test]
    fn a2_a_reference_made_of_valid_parts_has_those_parts(
        registry in registry(),
        name in name(),
        tag in prop::option::of(tag()),
        digest in prop::option::of(digest()),
    ) {
        let mut text = format!("{registry}/{name}");
        if let Some(tag) = &tag {
            text = format!("{text}:{tag}");
        }
        if let Some(digest) = &digest {
            text = format!("{text}@{digest}");
        }
        let image = text.parse::<Reference>();
        let image = image.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(image.registry(), &registry.parse::<Registry>().unwrap());
        prop_assert_eq!(image.repository().name().as_str(), &name);
        let expected_tag = tag.or_else(|| digest.is_none().then(|| "latest".to_owned()));
        prop_assert_eq!(image.tag().map(|tag| tag.as_str().to_owned()), expected_tag);
        prop_assert_eq!(image.digest(), digest.as_ref());
        check_every_type(&text)?;
        check_url_safe(&image)?;
    }

    #[test]
    fn a2_any_registry_and_name_make_a_repository_that_reads_back(
        registry in prop_oneof![registry(), "[a-z]{1,8}"], name in name(),
    ) {
        let registry: Registry = registry.parse().unwrap();
        let repository = Repository::new(registry.clone(), name.parse().unwrap()).unwrap();
        prop_assert_eq!(repository.registry(), &registry);
        prop_assert_eq!(repository.to_string().parse::<Repository>().ok(), Some(repository));
    }
}
