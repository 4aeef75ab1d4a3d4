//! Resolves relative URLs in an answer (RFC 3986 section 5).

use super::{BadUrl, Url, check_characters, without_fragment};

impl Url {
    /// The URL that `reference` means in an answer to a request for this URL (RFC 3986 section
    /// 5.2). The reference may be absolute, `//host/path`, `/path`, `path`, `?query` or empty.
    ///
    /// Dot segments of its path are removed, so that our checks see the same path as the server.
    /// The query stays as it came.
    pub(crate) fn join(&self, reference: &str) -> Result<Url, BadUrl> {
        check_characters(reference)?;
        let reference = without_fragment(reference);
        if has_scheme(reference) {
            return Ok(Url::parse(reference)?.without_dot_segments());
        }
        if reference.starts_with("//") {
            let absolute = format!("{}:{reference}", self.scheme());
            return Ok(Url::parse(&absolute)?.without_dot_segments());
        }
        let target = match reference.chars().next() {
            None => return Ok(self.clone()),
            Some('?') => format!("{}{reference}", self.path()),
            Some('/') => reference.to_owned(),
            Some(_) => {
                let folder = self.path().rfind('/').map_or("", |at| &self.path()[..at]);
                format!("{folder}/{reference}")
            }
        };
        let joined = Url::on(&self.origin, &target)?;
        // The path of the base stays as it is, because the server answered to it.
        match reference.starts_with('?') {
            true => Ok(joined),
            false => Ok(joined.without_dot_segments()),
        }
    }

    fn without_dot_segments(self) -> Url {
        let path = remove_dot_segments(self.path());
        let target = match self.query() {
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
        Url {
            target: target.into(),
            ..self
        }
    }
}

/// Whether a ':' comes before any '/' and '?'. The text before it is a scheme then (RFC 3986
/// section 4.2).
fn has_scheme(reference: &str) -> bool {
    reference
        .find([':', '/', '?'])
        .is_some_and(|at| reference[at..].starts_with(':'))
}

/// Does what RFC 3986 section 5.2.4 says, on a path that starts with '/'. An encoded dot counts as
/// a dot, because servers decode it before they resolve the path.
fn remove_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let dots = dots_of(segment);
        match dots {
            Some(2) => drop(kept.pop()),
            Some(_) => {}
            None => kept.push(segment),
        }
        if dots.is_some() && segments.peek().is_none() {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

/// The number of dots, if the segment is one dot or two.
fn dots_of(segment: &str) -> Option<usize> {
    let mut rest = segment;
    let mut count = 0;
    while !rest.is_empty() {
        rest = [".", "%2e", "%2E"]
            .iter()
            .find_map(|dot| rest.strip_prefix(dot))?;
        count += 1;
    }
    matches!(count, 1 | 2).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn h12_references_resolve_as_rfc_3986_shows() {
        // The examples of section 5.4, without those of other schemes and of ';' parameters, for
        // which there is no code.
        let base = url("http://a/b/c/d;p?q");
        let cases = [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g/"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q"),
            ("g#s", "http://a/b/c/g"),
            ("g?y#s", "http://a/b/c/g?y"),
            (";x", "http://a/b/c/;x"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("./", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../g", "http://a/g"),
            ("../../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("/../g", "http://a/g"),
            ("g.", "http://a/b/c/g."),
            ("..g", "http://a/b/c/..g"),
            ("./g/.", "http://a/b/c/g/"),
            ("g/./h", "http://a/b/c/g/h"),
            ("g/../h", "http://a/b/c/h"),
            ("g?y/../x", "http://a/b/c/g?y/../x"),
            ("./a:b", "http://a/b/c/a:b"),
            // Not from the RFC: absolute ones, encoded dots, and query bytes that must not change.
            ("HTTPS://B:443/x/../y?z=%2F", "https://b/y?z=%2F"),
            ("//[::1]:5000/x/./y", "http://[::1]:5000/x/y"),
            ("/v2/x/%2e%2E/y/.%2e/z", "http://a/v2/z"),
            ("/.//evil/x", "http://a//evil/x"),
            ("?n=1&last=a%2fb", "http://a/b/c/d;p?n=1&last=a%2fb"),
            (
                "/v2/t/a/tags/list?last=v1&n=1",
                "http://a/v2/t/a/tags/list?last=v1&n=1",
            ),
        ];
        for (reference, expected) in cases {
            assert_eq!(
                base.join(reference).unwrap().to_request_string(),
                expected,
                "{reference}"
            );
        }
        assert_eq!(
            url("https://host").join("x").unwrap(),
            url("https://host/x")
        );
    }

    #[test]
    fn h13_bad_references_do_not_resolve() {
        let base = url("https://host/v2/");
        for (reference, expected) in [
            ("g:h", BadUrl::NotAbsolute),
            ("http:g", BadUrl::NotAbsolute),
            ("ftp://host/", BadUrl::Scheme),
            ("//user@host/", BadUrl::UserInfo),
            ("///x", BadUrl::Host),
            ("//host:x/", BadUrl::Port),
            (
                "/a\\b",
                BadUrl::Character {
                    at: 2,
                    class: "a backslash",
                },
            ),
            (
                "/a\n",
                BadUrl::Character {
                    at: 2,
                    class: "a control character",
                },
            ),
        ] {
            assert_eq!(base.join(reference), Err(expected), "{reference}");
        }
    }
}
