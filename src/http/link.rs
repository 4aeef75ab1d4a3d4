//! `Link` (RFC 8288), in which registries send the URL of the next page of a list (distribution
//! spec, "Content Discovery").

use super::Malformed;
use super::syntax::Cursor;

/// The target of the first link to the next page, as it was sent: absolute or relative.
///
/// Such a link counts even if another line is malformed. If there is none, a malformed line is an
/// error, because a list that ends too early would look complete.
pub(crate) fn next_link<'a>(
    values: impl Iterator<Item = &'a str>,
) -> Result<Option<String>, Malformed> {
    let mut malformed = None;
    for value in values {
        match links(value) {
            Ok(links) => {
                if let Some(link) = links.iter().find(|link| link.is_next) {
                    return Ok(Some(link.target.to_owned()));
                }
            }
            Err(error) => malformed = malformed.or(Some(error)),
        }
    }
    malformed.map_or(Ok(None), Err)
}

/// One link of a header value.
pub(super) struct Link<'a> {
    pub(super) target: &'a str,
    /// Whether its relation types contain `next`.
    pub(super) is_next: bool,
}

/// All links of one header value (RFC 8288 section 3).
pub(super) fn links(value: &str) -> Result<Vec<Link<'_>>, Malformed> {
    let mut cursor = Cursor::new(value);
    let mut links = Vec::new();
    cursor.separators();
    while !cursor.is_at_end() {
        links.push(link(&mut cursor)?);
        cursor.separators();
    }
    Ok(links)
}

fn link<'a>(cursor: &mut Cursor<'a>) -> Result<Link<'a>, Malformed> {
    let start = cursor.clone();
    if !cursor.eat('<') {
        return Err(malformed("no \"<\"", &start));
    }
    // Inside the brackets, commas and semicolons belong to the target.
    let target = cursor.take_while(|c| c != '>').trim();
    if !cursor.eat('>') {
        return Err(malformed("no \">\"", &start));
    }
    if target.is_empty() {
        return Err(malformed("empty target", &start));
    }
    let mut rel: Option<String> = None;
    loop {
        cursor.whitespace();
        if cursor.is_at_end() || cursor.rest().starts_with(',') {
            break;
        }
        if !cursor.eat(';') {
            return Err(malformed("no \";\" before a parameter", cursor));
        }
        if let Some((name, value)) = parameter(cursor)? {
            // Only the first `rel` counts (section 3.3).
            if name.eq_ignore_ascii_case("rel") && rel.is_none() {
                rel = Some(value);
            }
        }
    }
    let is_next = rel.is_some_and(|rel| {
        rel.split_ascii_whitespace()
            .any(|relation| relation.eq_ignore_ascii_case("next"))
    });
    Ok(Link { target, is_next })
}

/// Reads a parameter after its semicolon. `None` is an empty one, which section 3 allows.
fn parameter<'a>(cursor: &mut Cursor<'a>) -> Result<Option<(&'a str, String)>, Malformed> {
    cursor.whitespace();
    let Some(name) = cursor.token() else {
        return Ok(None);
    };
    cursor.whitespace();
    if !cursor.eat('=') {
        return Ok(Some((name, String::new())));
    }
    cursor.whitespace();
    if cursor.rest().starts_with('"') {
        let value = cursor
            .quoted()
            .ok_or_else(|| malformed("no closing quote", cursor))?;
        return Ok(Some((name, value)));
    }
    // An unquoted value should be a token, but some servers send URLs.
    let value = cursor.take_while(|c| c != ';' && c != ',').trim();
    Ok(Some((name, value.to_owned())))
}

fn malformed(problem: &'static str, at: &Cursor<'_>) -> Malformed {
    Malformed::new("Link", problem, at.rest())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn expect_next(values: &[&str], expected: Option<&str>) {
        let next = next_link(values.iter().copied()).unwrap();
        assert_eq!(next.as_deref(), expected, "{values:?}");
    }

    #[test]
    fn h12_links_as_registries_and_proxies_write_them() {
        let next = Some("/v2/t/a/tags/list?last=v1&n=1");
        let cases = [
            (r#"</v2/t/a/tags/list?last=v1&n=1>; rel="next""#, next),
            ("</v2/t/a/tags/list?last=v1&n=1>; rel=next", next),
            ("</v2/t/a/tags/list?last=v1&n=1>;rel=NEXT", next),
            (r#"< /v2/t/a/tags/list?last=v1&n=1 > ; REL = "Next" "#, next),
            (r#"</v2/t/a/tags/list?last=v1&n=1>; rel="prev next""#, next),
            (
                r#"</a>; rel="prev", </v2/t/a/tags/list?last=v1&n=1>; rel="next""#,
                next,
            ),
            (
                r#",, </v2/t/a/tags/list?last=v1&n=1>;; title="a, <b>; c"; rel=next ,"#,
                next,
            ),
            (
                r#"</v2/t/a/tags/list?last=v1&n=1>; foo; rel="next"; rel=prev"#,
                next,
            ),
            (
                "<https://r.example.com/x?a=1,2;3>; rel=next",
                Some("https://r.example.com/x?a=1,2;3"),
            ),
            (r#"</first>; rel=next, </second>; rel=next"#, Some("/first")),
            (r#"</a>; rel="prev"; rel="next""#, None),
            ("</a>; rel=nextpage", None),
            (r#"</a>; title="rel=next""#, None),
            ("</a>", None),
            ("", None),
            (" , ", None),
        ];
        for (value, expected) in cases {
            expect_next(&[value], expected);
        }
    }

    #[test]
    fn h12_several_header_lines() {
        expect_next(&["</a>; rel=prev", "</b>; rel=next"], Some("/b"));
        expect_next(&["</a>; rel=next", "</b>; rel=next"], Some("/a"));
        expect_next(&["nonsense", "</b>; rel=next"], Some("/b"));
        expect_next(&[], None);
    }

    #[test]
    fn h12_malformed_links_are_errors() {
        let cases = [
            (
                "/v2/_catalog>; rel=next",
                r#"malformed Link header: no "<" at "/v2/_catalog>; rel=next""#,
            ),
            (
                "</v2/_catalog",
                r#"malformed Link header: no ">" at "</v2/_catalog""#,
            ),
            (
                "<>; rel=next",
                r#"malformed Link header: empty target at "<>; rel=next""#,
            ),
            (
                "< >; rel=next",
                r#"malformed Link header: empty target at "< >; rel=next""#,
            ),
            (
                r#"</a>; rel="next"#,
                r#"malformed Link header: no closing quote at ""next""#,
            ),
            (
                r#"</a> rel="next""#,
                r#"malformed Link header: no ";" before a parameter at "rel="next"""#,
            ),
            (
                r#"</a>; rel="next" x"#,
                r#"malformed Link header: no ";" before a parameter at "x""#,
            ),
            (
                "</a>; rel=prev, junk?sig=secret",
                r#"malformed Link header: no "<" at "junk""#,
            ),
        ];
        for (value, expected) in cases {
            let error = next_link(["</p>; rel=prev", value].into_iter()).unwrap_err();
            let shown = error.shown(&crate::redact::Redactor::without_secrets());
            assert_eq!(shown, expected);
        }
    }

    proptest! {
        #[test]
        fn any_text_never_panics(text in any::<String>()) {
            let _ = next_link([text.as_str()].into_iter());
        }

        #[test]
        fn near_links_never_panic(text in "[<>;,=\"\\\\ a-zé]{0,40}") {
            let _ = next_link([text.as_str()].into_iter());
        }

        #[test]
        fn a_written_link_is_read_back(
            target in "[a-z/?&=,;%]{1,30}",
            before in prop::collection::vec(
                "<[a-z]{1,5}>; rel=\"(prev|last)\"; title=\"[ -!#-\\[\\]-~]{0,9}\"",
                0..3,
            ),
            rel in prop::sample::select(vec!["next", "\"next\"", "\"x NEXT y\""]),
        ) {
            let mut parts = before;
            parts.push(format!("<{target}>; rel={rel}"));
            let value = parts.join(" , ");
            prop_assert_eq!(next_link([value.as_str()].into_iter()), Ok(Some(target)));
        }
    }
}
