//! The parts of references, each alone, and references made of parts.

use std::collections::HashSet;

use ocireg::{ErrorKind, Reference, Registry, Repository, RepositoryName, Tag};

#[test]
fn a1_all_names_of_docker_hub_are_one_registry() {
    for text in [
        "docker.io",
        "DOCKER.io",
        "index.docker.io",
        "registry-1.docker.io",
        "docker.io:443",
        "index.docker.io:443",
        "Registry-1.Docker.IO:0443",
    ] {
        let registry = registry(text);
        assert_eq!(registry.as_str(), "docker.io", "{text}");
        assert_eq!((registry.host(), registry.port()), ("docker.io", None));
        assert!(registry.is_docker_hub());
    }
    for text in [
        "docker.io:80",
        "docker.io:5000",
        "a.docker.io",
        "docker.com",
        "docker",
        "dockerxio",
    ] {
        assert!(!registry(text).is_docker_hub(), "{text}");
    }
}

#[test]
fn a7_a_registry_is_a_host_and_perhaps_a_port() {
    for (text, shown, host, port) in [
        ("myregistry", "myregistry", "myregistry", None),
        (
            "MyRegistry:5000",
            "myregistry:5000",
            "myregistry",
            Some(5000),
        ),
        (
            "registry.example.com:443",
            "registry.example.com:443",
            "registry.example.com",
            Some(443),
        ),
        ("10.0.0.1", "10.0.0.1", "10.0.0.1", None),
        ("[::1]", "[::1]", "::1", None),
        (
            "[2001:DB8:0::1]:65535",
            "[2001:db8::1]:65535",
            "2001:db8::1",
            Some(65535),
        ),
    ] {
        let registry = registry(text);
        assert_eq!(registry.as_str(), shown);
        assert_eq!((registry.host(), registry.port()), (host, port), "{text}");
        assert_eq!(Registry::try_from(shown).unwrap(), registry);
    }
    assert_ne!(registry("host"), registry("host:443"));
}

#[test]
fn a7_only_this_machine_is_loopback() {
    for text in [
        "localhost",
        "LOCALHOST:5000",
        "127.0.0.1",
        "127.255.0.3:80",
        "[::1]",
        "[0:0:0:0:0:0:0:1]:5000",
    ] {
        assert!(registry(text).is_loopback(), "{text}");
    }
    for text in [
        "localhost.example",
        "a.localhost",
        "127.0.0.1.example",
        "128.0.0.1",
        "[::2]",
        "[::ffff:7f00:1]",
        "docker.io",
    ] {
        assert!(!registry(text).is_loopback(), "{text}");
    }
}

/// The error of a text that is no `T`.
fn error<T: std::str::FromStr<Err = ocireg::Error> + std::fmt::Debug>(text: &str) -> String {
    let error = text.parse::<T>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidReference);
    error.to_string()
}

#[test]
fn a2_each_part_alone_is_refused_by_its_own_name() {
    let cases = [
        (
            error::<Registry>(""),
            "invalid registry \"\": empty host name at byte 0",
        ),
        (
            error::<Registry>("host/app"),
            "invalid registry \"host/app\": character '/' in the host name at byte 4 \
             (a registry is only host[:port])",
        ),
        (
            error::<Registry>("https://host"),
            "invalid registry \"https://host\": a URL (drop the \"https://\")",
        ),
        (
            error::<Registry>("user:hunter2@host"),
            "invalid registry \"…@host\": '@' in the registry at byte 12 \
             (user name and password do not belong here)",
        ),
        (
            error::<Registry>("fe80::1"),
            "invalid registry \"fe80::1\": an IPv6 address without brackets at byte 0 \
             (write [fe80::1])",
        ),
        (
            error::<RepositoryName>(""),
            "invalid repository name \"\": empty repository name at byte 0",
        ),
        (
            error::<RepositoryName>("a:b"),
            "invalid repository name \"a:b\": character ':' in the repository name at byte 1",
        ),
        (error::<Tag>(""), "invalid tag \"\": empty tag at byte 0"),
        (
            error::<Tag>("a/b"),
            "invalid tag \"a/b\": character '/' in the tag at byte 1",
        ),
        (
            error::<Tag>("1.0\n"),
            "invalid tag \"1.0\": character U+000A at the end, at byte 3",
        ),
        (
            error::<Repository>("alpine:3"),
            "invalid repository \"alpine:3\": a tag at byte 7 (give the repository alone)",
        ),
        (
            error::<Repository>("host:5000/a/b@sha256:0"),
            "invalid repository \"host:5000/a/b@sha256:0\": a digest at byte 14 \
             (give the repository alone)",
        ),
        (error::<Repository>(""), "invalid repository \"\": empty"),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
}

#[test]
fn a1_a_repository_made_of_parts_is_the_one_its_text_means() {
    for (registry, name, expected) in [
        ("docker.io", "alpine", "docker.io/library/alpine"),
        ("docker.io", "team/app", "docker.io/team/app"),
        ("localhost:5000", "alpine", "localhost:5000/alpine"),
        ("localhost", "alpine", "localhost/alpine"),
        // In lower case it would be the name docker.io/myregistry/app.
        ("myregistry", "app", "MYREGISTRY/app"),
    ] {
        let repository = Repository::new(registry.parse().unwrap(), name.parse().unwrap()).unwrap();
        assert_eq!(repository.to_string(), expected);
        assert_eq!(expected.parse::<Repository>().unwrap(), repository);
        assert_eq!(repository.registry().as_str(), registry);
    }
    let error =
        Repository::new(registry("docker.io"), "n".repeat(248).parse().unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidReference);
}

#[test]
fn equal_values_are_equal_in_every_way() {
    let spellings = [
        "alpine",
        "docker.io/alpine:latest",
        "index.docker.io:443/library/alpine",
    ];
    let images: HashSet<Reference> = spellings.iter().map(|text| text.parse().unwrap()).collect();
    assert_eq!(images.len(), 1);
    let [older, newer] = ["alpine:1", "alpine:2"].map(|text| text.parse::<Reference>().unwrap());
    assert!(older < newer);
    assert_eq!(format!("{older:?}"), "docker.io/library/alpine:1");
}

#[track_caller]
fn registry(text: &str) -> Registry {
    text.parse().unwrap()
}
