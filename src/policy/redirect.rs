//! Whether to follow a redirect, and where it leads.
//!
//! This library follows redirects itself, because ureq compares hosts without their ports, sends
//! every header again, and turns a POST or PUT into a GET.

use std::error::Error as StdError;
use std::fmt;

use crate::error::printable;
use crate::url::{Scheme, Url};

/// The most redirects of one request.
const MAX_REDIRECTS: usize = 10;

/// How far the redirects of a request may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RedirectPolicy {
    /// To any server. Another origin than the registry's gets nothing private: no login, no header
    /// of the caller.
    CrossOrigin,
    /// To the origin that was asked. A token must come from the token service that was asked.
    SameOrigin,
    /// Nowhere: the request is sent to exactly one URL. It is a form with a secret, or an upload.
    None,
}

impl RedirectPolicy {
    /// Whether a request to `from` may go on to `to`.
    pub(crate) fn allows(self, from: &Url, to: &Url) -> bool {
        match self {
            RedirectPolicy::CrossOrigin => true,
            RedirectPolicy::SameOrigin => from.origin() == to.origin(),
            RedirectPolicy::None => false,
        }
    }
}

/// Why a redirect is not followed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Refused {}

impl Refused {
    /// For a request that may not go to `next`, the scheme and host of another server.
    pub(crate) fn elsewhere(next: &str) -> Refused {
        Refused(format!(
            "it leads to {next}, and this request may not go there"
        ))
    }
}

/// Whether a status is a redirect that can be followed. 300, 304 and 305 name no single target in a
/// `Location`.
pub(crate) fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// Where a redirected GET or HEAD goes. `visited` are the URLs of the request so far; the last one
/// sent the redirect.
pub(crate) fn follow(visited: &[Url], location: Option<&str>) -> Result<Url, Refused> {
    let refuse = |why: &str| Err(Refused(why.to_owned()));
    let Some(current) = visited.last() else {
        return refuse("there is nothing to redirect from");
    };
    let Some(location) = location else {
        return refuse("the redirect does not say where to (no Location)");
    };
    let next = current.join(location).map_err(|error| {
        Refused(format!(
            "the redirect leads to an unusable URL: {}",
            printable(&error.to_string(), 200)
        ))
    })?;
    if visited.len() > MAX_REDIRECTS {
        return Err(Refused(format!("more than {MAX_REDIRECTS} redirects")));
    }
    if visited.contains(&next) {
        return refuse("the redirects lead in a circle");
    }
    if current.scheme() == Scheme::Https && next.scheme() == Scheme::Http {
        return refuse("the redirect leads from https to http");
    }
    // A server that normalises paths may redirect to another repository (A3). On another origin a
    // repository may well have another name, but all redirects to that origin have to agree on it.
    let there = Place::of(next.path());
    let on_the_origin = visited.iter().filter(|url| url.origin() == next.origin());
    if on_the_origin
        .map(|url| Place::of(url.path()))
        .any(|place| place.contradicts(&there))
    {
        return refuse("the redirect leads to another repository of the same registry");
    }
    Ok(next)
}

/// What a path names, as far as a redirect must not change it.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// Something in this repository.
    Repository(String),
    /// Another endpoint of the distribution spec.
    OtherEndpoint,
    /// Something outside of the spec, such as Quay's `/_storage_proxy/`.
    Outside,
}

impl Place {
    fn of(path: &str) -> Place {
        let path = normal(path);
        // The endpoints may be below a prefix.
        let name = path
            .match_indices("/v2/")
            .find_map(|(at, prefix)| repository_in(path.get(at + prefix.len()..)?));
        match name {
            Some(name) => Place::Repository(name.to_owned()),
            None if path.starts_with("/v2/") => Place::OtherEndpoint,
            None => Place::Outside,
        }
    }

    fn contradicts(&self, other: &Place) -> bool {
        *self != Place::Outside && *other != Place::Outside && self != other
    }
}

/// The path as a lenient server reads it: `%2F` is a slash, and two slashes are one.
fn normal(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut left = path.as_bytes();
    while let [first, rest @ ..] = left {
        let escaped = match rest {
            [high, low, ..] if *first == b'%' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        let byte = escaped.map_or(*first, |(high, low)| high << 4 | low);
        left = if escaped.is_some() { &rest[2..] } else { rest };
        if byte != b'/' || bytes.last() != Some(&b'/') {
            bytes.push(byte);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

/// The repository name in what follows `/v2/` in the path of an endpoint.
pub(crate) fn repository_in(rest: &str) -> Option<&str> {
    ["/manifests/", "/blobs/", "/tags/list", "/referrers/"]
        .iter()
        .find_map(|endpoint| rest.rfind(endpoint))
        .and_then(|end| rest.get(..end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn s2_how_far_redirects_may_lead() {
        let policies = [
            RedirectPolicy::CrossOrigin,
            RedirectPolicy::SameOrigin,
            RedirectPolicy::None,
        ];
        let from = url("https://registry.example.com/token");
        // The target, and what CrossOrigin, SameOrigin and None say to it.
        let cases = [
            ("https://registry.example.com/token?x", [true, true, false]),
            ("https://Registry.example.com:443/", [true, true, false]),
            ("https://registry.example.com:8443/", [true, false, false]),
            ("https://auth.registry.example.com/", [true, false, false]),
            ("https://example.com/token", [true, false, false]),
            ("http://registry.example.com/token", [true, false, false]),
        ];
        for (to, expected) in cases {
            let allowed = policies.map(|policy| policy.allows(&from, &url(to)));
            assert_eq!(allowed, expected, "{to}");
        }
    }

    #[test]
    fn r17_where_a_redirect_leads() {
        let base = "https://registry.example.com/v2/team/app/manifests/1.0";
        let same = "https://registry.example.com/v2/team/app/manifests/2.0";
        let other_port = "https://registry.example.com:8443/x";
        let signed = "https://cdn.example.net/x?sig=a%2Fb";
        // registry.k8s.io redirects to hosts where repositories have other names.
        let other_name = "https://pkg.example.dev/v2/images/app/manifests/1.0";
        let cases = [
            (base, "/v2/team/app/manifests/2.0", same),
            (base, "2.0", same),
            (base, signed, signed),
            (base, "//cdn.example.net/x", "https://cdn.example.net/x"),
            (base, other_port, other_port),
            (base, other_name, other_name),
            ("http://localhost:5000/v2/a/blobs/x", signed, signed),
        ];
        for (from, location, expected) in cases {
            let result = follow(&[url(from)], Some(location));
            assert_eq!(result, Ok(url(expected)), "{from} {location}");
        }
    }

    #[test]
    fn r17_s2_s11_a3_which_redirects_are_refused() {
        let from = "https://registry.example.com/v2/team/app/manifests/1.0";
        let other_repository = "the redirect leads to another repository of the same registry";
        let cases = [
            (None, "the redirect does not say where to (no Location)"),
            (
                Some("http://registry.example.com/v2/team/app/manifests/1.0"),
                "the redirect leads from https to http",
            ),
            (Some(from), "the redirects lead in a circle"),
            (Some("/v2/other/app/manifests/1.0"), other_repository),
            (Some("/v2/"), other_repository),
        ];
        for (location, expected) in cases {
            let result = follow(&[url(from)], location);
            assert_eq!(result, Err(Refused(expected.to_owned())), "{location:?}");
        }
    }

    #[test]
    fn s2_s12_unusable_locations_are_refused() {
        let from = url("https://registry.example.com/v2/a/manifests/1");
        for location in [
            "https://user:hunter2@evil.example.net/",
            "ftp://x/",
            "https://a b/",
            "https://x/\r\nHost: y",
            "https://",
        ] {
            let refused = follow(std::slice::from_ref(&from), Some(location)).unwrap_err();
            assert!(
                refused
                    .to_string()
                    .starts_with("the redirect leads to an unusable URL"),
                "{location:?}: {refused}"
            );
            assert!(!refused.to_string().contains("hunter2"), "{refused}");
        }
    }

    #[test]
    fn r17_at_most_ten_hops() {
        let mut visited = vec![url("https://registry.example.com/0")];
        for hop in 1..=10 {
            let next = follow(&visited, Some(&format!("/{hop}"))).unwrap();
            visited.push(next);
        }
        assert_eq!(
            follow(&visited, Some("/11")),
            Err(Refused("more than 10 redirects".to_owned()))
        );
    }

    #[test]
    fn a3_what_a_path_names() {
        let cases = [
            ("/v2/a/manifests/b", Some("a")),
            ("/v2/team/app/tags/list", Some("team/app")),
            ("/v2/a/manifests/manifests/b", Some("a/manifests")),
            ("/v2/team/v2/app/manifests/b", Some("team/v2/app")),
            ("/registry/v2/a/manifests/b", Some("a")),
            // Spellings of the same path.
            ("//v2//a/manifests/b", Some("a")),
            ("/%762%2fa/%6danifests/b", Some("a")),
            ("/v2/_catalog", None),
            ("/v2/", None),
        ];
        for (path, name) in cases {
            let named = |name: &str| Place::Repository(name.to_owned());
            let expected = name.map_or(Place::OtherEndpoint, named);
            assert_eq!(Place::of(path), expected, "{path}");
        }
        for path in [
            "/",
            "/elsewhere/manifests/x",
            "/_storage_proxy/ey/http/bucket/docker/registry/v2/blobs/sha256/ab/abcd/data",
            "/bucket/docker/registry/v2/repositories/a/_manifests/revisions/sha256/ab/link",
            "/%",
            "/%zz%2",
        ] {
            assert_eq!(Place::of(path), Place::Outside, "{path}");
        }
    }

    #[test]
    fn a3_every_url_visited_on_an_origin_has_to_name_the_same_repository() {
        const REFUSED: bool = false;
        // The URLs in their order, and whether the last one is followed.
        let cases: [(&[&str], bool); 8] = [
            (
                &["https://r/v2/a/manifests/1", "https://r/_storage_proxy/x"],
                true,
            ),
            (
                &["https://r/v2/a/manifests/1", "https://cdn/v2/b/manifests/1"],
                true,
            ),
            (
                &[
                    "https://r/v2/a/manifests/1",
                    "https://cdn/x",
                    "https://r/v2/a/manifests/2",
                ],
                true,
            ),
            (
                &[
                    "https://r/v2/a/manifests/1",
                    "https://cdn/x",
                    "https://r/v2/b/manifests/1",
                ],
                REFUSED,
            ),
            (
                &[
                    "https://r/v2/a/manifests/1",
                    "https://r/out",
                    "https://r/v2/b/manifests/1",
                ],
                REFUSED,
            ),
            (
                &[
                    "https://r/v2/a/manifests/1",
                    "https://cdn/v2/b/blobs/1",
                    "https://cdn/v2/c/blobs/1",
                ],
                REFUSED,
            ),
            (
                &["https://r/v2/a/manifests/1", "https://r//v2/b/manifests/1"],
                REFUSED,
            ),
            (
                &["https://r/v2/a/manifests/1", "https://r/x/v2/b/manifests/1"],
                REFUSED,
            ),
        ];
        for (urls, followed) in cases {
            let urls: Vec<Url> = urls.iter().map(|text| url(text)).collect();
            let (next, visited) = urls.split_last().unwrap();
            let result = follow(visited, Some(&next.to_string()));
            assert_eq!(result.is_ok(), followed, "{urls:?}");
        }
    }
}
