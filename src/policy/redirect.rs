//! Whether, and where, to follow a redirect.
//!
//! Redirects are followed by us and not by ureq, which compares hosts without their ports, keeps
//! every header and turns writes into GETs (registries.md finding 7, S2, R17).

use std::error::Error as StdError;
use std::fmt;

use crate::error::printable;
use crate::url::{Scheme, Url};

/// The most hops of one request.
const MAX_HOPS: usize = 10;

/// How far redirects may lead a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RedirectPolicy {
    CrossOrigin,
    SameOrigin,
    None,
}

impl RedirectPolicy {
    pub(crate) fn allows(self, from: &Url, to: &Url) -> bool {
        match self {
            RedirectPolicy::CrossOrigin => true,
            RedirectPolicy::SameOrigin => from.origin() == to.origin(),
            RedirectPolicy::None => false,
        }
    }
}

/// A redirect that is not followed, and why.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Refused {}

impl Refused {
    /// For a request that may not leave where it was sent.
    pub(crate) fn elsewhere(next: &Url) -> Refused {
        Refused(format!(
            "it leads to {}, and this request may not go there",
            next.origin()
        ))
    }
}

/// Whether a status asks to look elsewhere. 300, 304 and 305 do not say where in a way to be
/// followed.
pub(crate) fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// Where a GET or HEAD goes next. `visited` are the URLs asked so far, the redirecting one last.
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
    if visited.len() > MAX_HOPS {
        return Err(Refused(format!("more than {MAX_HOPS} redirects")));
    }
    if visited.contains(&next) {
        return refuse("the redirects lead in a circle");
    }
    if current.scheme() == Scheme::Https && next.scheme() == Scheme::Http {
        return refuse("the redirect leads from https to http");
    }
    // A server that cleans up paths could turn one repository into another (A3). Another origin has
    // names of its own.
    if next.origin() == current.origin()
        && repository_in(next.path()) != repository_in(current.path())
    {
        return refuse("the redirect leads to another repository of the same registry");
    }
    Ok(next)
}

/// The repository name in the path of a distribution endpoint.
fn repository_in(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/v2/")?;
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
    fn r17_s2_s11_a3_where_a_redirect_leads() {
        let from = "https://registry.example.com/v2/team/app/manifests/1.0";
        let cases = [
            // Relative and absolute, same origin and another.
            (
                from,
                Some("/v2/team/app/manifests/2.0"),
                Ok("https://registry.example.com/v2/team/app/manifests/2.0"),
            ),
            (
                from,
                Some("2.0"),
                Ok("https://registry.example.com/v2/team/app/manifests/2.0"),
            ),
            (
                from,
                Some("https://cdn.example.net/x?sig=a%2Fb"),
                Ok("https://cdn.example.net/x?sig=a%2Fb"),
            ),
            (
                from,
                Some("//cdn.example.net/x"),
                Ok("https://cdn.example.net/x"),
            ),
            (
                from,
                Some("https://registry.example.com:8443/x"),
                Ok("https://registry.example.com:8443/x"),
            ),
            // registry.k8s.io answers so: another host has other names.
            (
                from,
                Some("https://pkg.example.dev/v2/images/app/manifests/1.0"),
                Ok("https://pkg.example.dev/v2/images/app/manifests/1.0"),
            ),
            (
                "http://localhost:5000/v2/a/blobs/x",
                Some("https://cdn.example.net/x"),
                Ok("https://cdn.example.net/x"),
            ),
            (
                from,
                None,
                Err("the redirect does not say where to (no Location)"),
            ),
            (
                from,
                Some("http://registry.example.com/v2/team/app/manifests/1.0"),
                Err("the redirect leads from https to http"),
            ),
            (from, Some(from), Err("the redirects lead in a circle")),
            (
                from,
                Some("/v2/other/app/manifests/1.0"),
                Err("the redirect leads to another repository of the same registry"),
            ),
            (
                from,
                Some("/v2/"),
                Err("the redirect leads to another repository of the same registry"),
            ),
        ];
        for (from, location, expected) in cases {
            let result = follow(&[url(from)], location);
            let expected = expected.map(url).map_err(|why| Refused(why.to_owned()));
            assert_eq!(result, expected, "{from} {location:?}");
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
    fn the_name_in_an_endpoint_path() {
        let cases = [
            ("/v2/a/manifests/b", Some("a")),
            ("/v2/team/app/tags/list", Some("team/app")),
            ("/v2/a/manifests/manifests/b", Some("a/manifests")),
            ("/v2/_catalog", None),
            ("/v2/", None),
            ("/elsewhere/manifests/x", None),
        ];
        for (path, expected) in cases {
            assert_eq!(repository_in(path), expected, "{path}");
        }
    }
}
