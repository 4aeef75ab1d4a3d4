//! `WWW-Authenticate` (RFC 9110 sections 11.2 to 11.6.1): how a registry wants requests to
//! authenticate.

use std::fmt;

use crate::error::printable;
use crate::http::syntax::Cursor;
use crate::http::{Malformed, shown_url};
use crate::redact::Redactor;

/// One challenge: a scheme and its parameters. Holds no secret.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(crate) scheme: ChallengeScheme,
    /// Names in lower case, each once.
    params: Vec<(String, String)>,
}

/// An authentication scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ChallengeScheme {
    /// A token from the service named by the realm (RFC 6750, distribution's token specification).
    Bearer,
    /// User and password (RFC 7617).
    Basic,
    /// Another scheme, as sent. This library can't use it, but an error can name it.
    Other(String),
}

/// What the `WWW-Authenticate` lines of one answer say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Challenges {
    /// The challenges of all well-formed lines in their order.
    pub(crate) list: Vec<Challenge>,
    /// One for each line that could not be read. No challenge of such a line is used: the readable
    /// ones may be weaker than the one that is lost.
    pub(crate) malformed: Vec<Malformed>,
}

/// Reads all `WWW-Authenticate` lines of an answer. An empty line holds no challenge; Harbor sends
/// one for an unknown project.
pub(crate) fn parse_challenges<'a>(values: impl Iterator<Item = &'a str>) -> Challenges {
    let mut all = Challenges::default();
    for value in values.take(MAX_LINES) {
        match line(value) {
            Ok(found) => all.list.extend(found),
            Err(error) => all.malformed.push(error),
        }
    }
    all
}

impl Challenge {
    fn new(scheme: &str) -> Challenge {
        let scheme = if scheme.eq_ignore_ascii_case("bearer") {
            ChallengeScheme::Bearer
        } else if scheme.eq_ignore_ascii_case("basic") {
            ChallengeScheme::Basic
        } else {
            ChallengeScheme::Other(scheme.to_owned())
        };
        Challenge {
            scheme,
            params: Vec::new(),
        }
    }

    /// The realm. For Bearer it is the URL of the token service, which some reverse proxies make
    /// relative; for Basic it is any text.
    pub(crate) fn realm(&self) -> Option<&str> {
        self.filled("realm")
    }

    /// The name of the registry for its token service. Some registries have none.
    pub(crate) fn service(&self) -> Option<&str> {
        self.filled("service")
    }

    /// The scopes. One parameter may hold several, separated by spaces, and they may be any words:
    /// Gitea sends `*`.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = &str> {
        self.param("scope").unwrap_or("").split_ascii_whitespace()
    }

    /// Why a token was refused: `invalid_token`, `insufficient_scope` (RFC 6750 section 3.1).
    pub(crate) fn error(&self) -> Option<&str> {
        self.filled("error")
    }

    /// The value of any parameter, which may be empty. The case of `name` does not matter.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.params
            .iter()
            .find(|(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// A text for errors, such as `Bearer realm="https://auth.example.com/token"`. It is printable
    /// and capped, and it has no query and no secret.
    pub(crate) fn summary(&self, redactor: &Redactor<'_>) -> String {
        let scheme = self.scheme.shown(redactor, MAX_SUMMARY);
        let summary = match self.realm() {
            Some(realm) => format!("{scheme} realm=\"{}\"", shown_url(&redactor.hide(realm))),
            None => scheme,
        };
        printable(&summary, MAX_SUMMARY)
    }

    fn filled(&self, name: &str) -> Option<&str> {
        self.param(name).filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What a server says may hold a secret.
        let names: Vec<&str> = self.params.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_tuple("Challenge").field(&names).finish()
    }
}

impl ChallengeScheme {
    /// Its name, of at most `limit` characters and without a secret.
    pub(crate) fn shown(&self, redactor: &Redactor<'_>, limit: usize) -> String {
        match self {
            ChallengeScheme::Bearer => "Bearer".to_owned(),
            ChallengeScheme::Basic => "Basic".to_owned(),
            ChallengeScheme::Other(name) => redactor.shown(name, limit),
        }
    }
}

/// Reads one header line. It is a list whose elements are challenges and, after each challenge, its
/// further parameters. Only a parameter has a `=` after its name (section 11.6.1 explains this).
fn line(value: &str) -> Result<Vec<Challenge>, Malformed> {
    let mut cursor = Cursor::new(value);
    let mut found: Vec<Challenge> = Vec::new();
    cursor.separators();
    while !cursor.is_at_end() {
        let element = cursor.clone();
        if !starts_parameter(&cursor) {
            if found.len() == MAX_CHALLENGES {
                return Err(malformed("too many challenges", &element));
            }
            found.push(scheme(&mut cursor)?);
        }
        if !is_at_element_end(&cursor) {
            let (name, value) = parameter(&mut cursor)?;
            let Some(challenge) = found.last_mut() else {
                return Err(malformed("a parameter before any scheme", &element));
            };
            if challenge.params.len() == MAX_PARAMS {
                return Err(malformed("too many parameters", &element));
            }
            // Of several parameters with one name the first counts.
            if challenge.param(name).is_none() {
                challenge.params.push((name.to_ascii_lowercase(), value));
            }
        }
        cursor.separators();
    }
    Ok(found)
}

/// Reads a scheme and its token68, if it has one. The token68 is dropped: Bearer and Basic have
/// none, and that of another scheme may be secret.
fn scheme(cursor: &mut Cursor<'_>) -> Result<Challenge, Malformed> {
    let start = cursor.clone();
    let Some(name) = cursor.token() else {
        return Err(malformed("no scheme", &start));
    };
    let separated = cursor.whitespace();
    if !separated && !is_at_element_end(cursor) {
        return Err(malformed("not a scheme", &start));
    }
    let mut ahead = cursor.clone();
    ahead.take_while(|c| c.is_ascii_alphanumeric() || "-._~+/".contains(c));
    ahead.take_while(|c| c == '=');
    ahead.whitespace();
    if is_at_element_end(&ahead) {
        *cursor = ahead;
    }
    Ok(Challenge::new(name))
}

/// Reads `name = value` up to the end of the list element. Section 11.2 tells recipients to accept
/// whitespace around the `=`.
fn parameter<'a>(cursor: &mut Cursor<'a>) -> Result<(&'a str, String), Malformed> {
    let start = cursor.clone();
    if !starts_parameter(cursor) {
        return Err(malformed("not a parameter", &start));
    }
    let name = cursor.token().unwrap_or_default();
    cursor.whitespace();
    cursor.eat('=');
    cursor.whitespace();
    let value = if cursor.rest().starts_with('"') {
        cursor
            .quoted()
            .ok_or_else(|| malformed("no closing quote", cursor))?
    } else {
        // Some registries send `realm=/` and unquoted URLs, which are not tokens (B9).
        let value = cursor.take_while(|c| !matches!(c, ',' | '"' | ' ' | '\t'));
        value.to_owned()
    };
    cursor.whitespace();
    if !is_at_element_end(cursor) {
        return Err(malformed("no comma after a parameter", cursor));
    }
    Ok((name, value))
}

fn starts_parameter(cursor: &Cursor<'_>) -> bool {
    let mut ahead = cursor.clone();
    let has_name = ahead.token().is_some();
    ahead.whitespace();
    has_name && ahead.eat('=')
}

fn is_at_element_end(cursor: &Cursor<'_>) -> bool {
    cursor.is_at_end() || cursor.rest().starts_with(',')
}

fn malformed(problem: &'static str, at: &Cursor<'_>) -> Malformed {
    Malformed::new("WWW-Authenticate", problem, at.rest())
}

// Registries send one or two lines, each with one or two challenges of at most five parameters.
const MAX_LINES: usize = 16;
const MAX_CHALLENGES: usize = 16;
const MAX_PARAMS: usize = 32;
/// One or two lines of a terminal.
const MAX_SUMMARY: usize = 160;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(values: &[&str]) -> Challenges {
        parse_challenges(values.iter().copied())
    }

    /// The challenges as text: `Scheme name=[value] …`, separated by `; `.
    fn as_text(challenges: &Challenges) -> String {
        let one_as_text = |challenge: &Challenge| {
            let mut text = challenge.scheme.shown(&Redactor::without_secrets(), 40);
            for (name, value) in &challenge.params {
                text.push_str(&format!(" {name}=[{value}]"));
            }
            text
        };
        let all: Vec<String> = challenges.list.iter().map(one_as_text).collect();
        all.join("; ")
    }

    #[track_caller]
    fn expect(values: &[&str], expected: &str) {
        let challenges = parse(values);
        assert_eq!(challenges.malformed, [], "{values:?}");
        assert_eq!(as_text(&challenges), expected, "{values:?}");
    }

    #[test]
    fn b1_distribution() {
        let realm = r#"Bearer realm="http://127.0.0.1:5620/token",service="lab-service""#;
        expect(
            &[realm],
            "Bearer realm=[http://127.0.0.1:5620/token] service=[lab-service]",
        );
        let line = format!(
            "{realm},scope=\"repository:t/b:pull,push repository:t/a:pull\",\
             error=\"insufficient_scope\""
        );
        let challenges = parse(&[&line]);
        let [challenge] = challenges.list.as_slice() else {
            panic!("{challenges:?}");
        };
        assert_eq!(challenge.scheme, ChallengeScheme::Bearer);
        assert_eq!(challenge.realm(), Some("http://127.0.0.1:5620/token"));
        assert_eq!(challenge.service(), Some("lab-service"));
        assert_eq!(
            challenge.scopes().collect::<Vec<_>>(),
            ["repository:t/b:pull,push", "repository:t/a:pull"]
        );
        assert_eq!(challenge.error(), Some("insufficient_scope"));
        assert_eq!(challenge.param("SCOPE"), challenge.param("scope"));
        assert_eq!(challenge.param("nonce"), None);
    }

    #[test]
    fn b2_gitea_two_lines_bare_scheme_and_scope_star() {
        expect(
            &[r#"Bearer realm="https://g.example.com/v2/token""#, "Basic"],
            "Bearer realm=[https://g.example.com/v2/token]; Basic",
        );
        let newer = parse(&[concat!(
            r#"Bearer realm="https://g.example.com/v2/token","#,
            r#"service="container_registry",scope="*""#
        )]);
        assert_eq!(newer.list[0].scopes().collect::<Vec<_>>(), ["*"]);
    }

    #[test]
    fn b3_b4_no_service_and_no_scope() {
        for value in [
            r#"Bearer realm="/t""#,
            r#"Bearer realm="/t",service="",scope="""#,
        ] {
            let challenges = parse(&[value]);
            assert_eq!(challenges.list[0].service(), None, "{value}");
            assert_eq!(challenges.list[0].scopes().count(), 0, "{value}");
        }
    }

    #[test]
    fn b5_b6_harbor_basic_and_empty_header() {
        expect(&[r#"Basic realm="harbor""#], "Basic realm=[harbor]");
        expect(&[""], "");
        expect(&["  ,, "], "");
        expect(&[], "");
    }

    #[test]
    fn b8_basic_registries() {
        expect(
            &[r#"Basic realm="https://1.dkr.ecr.example.com/",service="ecr.amazonaws.com""#],
            "Basic realm=[https://1.dkr.ecr.example.com/] service=[ecr.amazonaws.com]",
        );
        expect(&[r#"Basic realm="Lab Realm""#], "Basic realm=[Lab Realm]");
    }

    #[track_caller]
    fn expect_each(cases: &[(&str, &str)]) {
        for (value, expected) in cases {
            expect(&[value], expected);
        }
    }

    #[test]
    fn b9_several_schemes_in_any_case_and_unknown_ones() {
        expect_each(&[
            (r#"bearer REALM="a""#, "Bearer realm=[a]"),
            (
                r#"BASIC Realm="a", charset="UTF-8""#,
                "Basic realm=[a] charset=[UTF-8]",
            ),
            ("Negotiate, Basic", "Negotiate; Basic"),
            (
                r#"Negotiate, Basic realm="a""#,
                "Negotiate; Basic realm=[a]",
            ),
            (
                r#"Negotiate YWJj/+==, Basic realm="a""#,
                "Negotiate; Basic realm=[a]",
            ),
            ("Negotiate YWJj", "Negotiate"),
            (
                r#"Basic realm="a", Bearer realm="b",service="c""#,
                "Basic realm=[a]; Bearer realm=[b] service=[c]",
            ),
            (
                r#"Digest qop="auth,auth-int", nonce=abc, Basic"#,
                "Digest qop=[auth,auth-int] nonce=[abc]; Basic",
            ),
        ]);
    }

    #[test]
    fn b9_odd_parameters() {
        expect_each(&[
            (
                "Bearer realm=unquoted,service=s",
                "Bearer realm=[unquoted] service=[s]",
            ),
            ("Bearer realm=/", "Bearer realm=[/]"),
            (
                "Bearer realm=https://r.example.com/t?x=1,service=s",
                "Bearer realm=[https://r.example.com/t?x=1] service=[s]",
            ),
            (
                "Bearer  realm = \"a\"\t,\t service\t=\ts ",
                "Bearer realm=[a] service=[s]",
            ),
            (
                r#", ,Bearer realm="a",,service="s", ,"#,
                "Bearer realm=[a] service=[s]",
            ),
            (r#"Bearer ,realm="a""#, "Bearer realm=[a]"),
            (
                r#"Bearer realm="a \"quoted\" \\ b""#,
                r#"Bearer realm=[a "quoted" \ b]"#,
            ),
            (
                r#"Bearer realm="a=b, Basic realm=c""#,
                "Bearer realm=[a=b, Basic realm=c]",
            ),
            (
                r#"Bearer realm="first",realm="second",REALM=third"#,
                "Bearer realm=[first]",
            ),
            (
                r#"Bearer realm="",service="s""#,
                "Bearer realm=[] service=[s]",
            ),
            ("Bearer service=s,realm=", "Bearer service=[s] realm=[]"),
            ("Bearer realm=", "Bearer"),
        ]);
    }

    #[test]
    fn b10_malformed_lines_are_named_and_spoil_no_other() {
        let cases = [
            (
                r#"Bearer realm="a" service="b""#,
                r#"no comma after a parameter at "service="b"""#,
            ),
            (
                r#"Bearer realm="a"service="b""#,
                r#"no comma after a parameter at "service="b"""#,
            ),
            (r#"Bearer realm="a"#, r#"no closing quote at ""a""#),
            (r#"Bearer realm="a\"#, r#"no closing quote at ""a\""#),
            (r#"Bearer realm="a", "b""#, r#"no scheme at ""b"""#),
            (
                r#"Bearer Basic realm="a""#,
                r#"not a parameter at "Basic realm="a"""#,
            ),
            (
                r#"Bearer realm=a"b""#,
                r#"no comma after a parameter at ""b"""#,
            ),
            ("Bearer: realm", r#"not a scheme at "Bearer: realm""#),
            (
                r#"realm="a""#,
                r#"a parameter before any scheme at "realm="a"""#,
            ),
            ("=", r#"no scheme at "=""#),
            (
                "Bearer =a",
                r#"a parameter before any scheme at "Bearer =a""#,
            ),
            ("Bärer", r#"not a scheme at "Bärer""#),
            (
                r#"Basic realm="a", Bearer realm="open"#,
                r#"no closing quote at ""open""#,
            ),
            ("\"\u{1b}[2J", "no scheme at \"\"\u{fffd}[2J\""),
        ];
        for (value, expected) in cases {
            let challenges = parse(&[r#"Basic realm="before""#, value, r#"Bearer realm="after""#]);
            assert_eq!(
                as_text(&challenges),
                "Basic realm=[before]; Bearer realm=[after]",
                "{value}"
            );
            let texts: Vec<String> = challenges
                .malformed
                .iter()
                .map(|it| it.shown(&Redactor::without_secrets()))
                .collect();
            assert_eq!(
                texts,
                [format!("malformed WWW-Authenticate header: {expected}")]
            );
        }
    }

    #[test]
    fn b10_a_flood_is_bounded() {
        let schemes = vec!["Basic"; 20_000].join(",");
        let params = format!("Basic {}", vec!["a=b"; 20_000].join(","));
        let names: Vec<String> = (0..9_000).map(|n| format!("n{n}=b")).collect();
        let names = format!("Basic {}", names.join(","));
        let quotes = format!("Basic {}", "\"\\".repeat(30_000));
        assert_eq!(parse(&[&schemes]).malformed.len(), 1);
        assert_eq!(as_text(&parse(&[&params])), "Basic a=[b]");
        assert_eq!(parse(&[&names]).malformed.len(), 1);
        assert_eq!(parse(&[&quotes]).malformed.len(), 1);
        assert_eq!(parse(&vec!["Basic"; 1000]).list.len(), MAX_LINES);
    }

    #[test]
    fn b11_a_relative_realm_is_kept_for_the_caller_to_resolve() {
        assert_eq!(
            parse(&[r#"Bearer realm="/token""#]).list[0].realm(),
            Some("/token")
        );
    }

    #[test]
    fn b13_a_change_from_bearer_to_basic_is_read_alike() {
        expect(&[r#"Basic realm="acr""#], "Basic realm=[acr]");
        expect(
            &[r#"Bearer realm="https://acr.example.com/oauth2/token",error="invalid_token""#],
            "Bearer realm=[https://acr.example.com/oauth2/token] error=[invalid_token]",
        );
    }

    #[test]
    fn s15_a_summary_is_printable_capped_and_without_query() {
        let cases = [
            (
                r#"Bearer realm="https://auth.example.com/token?sig=secret",service="s""#,
                r#"Bearer realm="https://auth.example.com/token""#,
            ),
            (
                r#"Bearer realm="https://u:secret@auth.example.com/""#,
                r#"Bearer realm="REDACTED""#,
            ),
            ("basic", "Basic"),
            ("NTLM", "NTLM"),
            ("Basic realm=\"\u{1b}[2J\"", "Basic realm=\"\u{fffd}[2J\""),
        ];
        for (value, expected) in cases {
            let challenges = parse(&[value]);
            assert_eq!(
                challenges.list[0].summary(&Redactor::without_secrets()),
                expected
            );
            assert!(
                !format!("{challenges:?}").contains("secret"),
                "{challenges:?}"
            );
        }
        let long = format!("Basic realm=\"{}\"", "x".repeat(5000));
        let summary = parse(&[&long]).list[0].summary(&Redactor::without_secrets());
        assert_eq!(summary.chars().count(), MAX_SUMMARY + 1);
    }

    proptest! {
        #[test]
        fn any_text_never_panics(values in prop::collection::vec(any::<String>(), 0..4)) {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let challenges = parse(&values);
            let _ = format!("{challenges:?}");
        }

        #[test]
        fn near_challenges_never_panic(text in "(Bearer|Basic|[a-z=,\"\\\\ /\té]){0,30}") {
            let challenges = parse(&[&text]);
            prop_assert!(challenges.malformed.is_empty() || challenges.list.is_empty());
        }

        #[test]
        fn written_challenges_are_read_back(
            written in prop::collection::vec(
                (
                    "[A-Za-z][A-Za-z0-9-]{0,8}",
                    prop::collection::btree_map("[a-z]{1,6}", "[ -~é]{0,12}", 0..4),
                ),
                0..4,
            ),
            space in "[ \t]{0,2}",
        ) {
            let mut elements = Vec::new();
            for (scheme, params) in &written {
                let params: Vec<String> = params
                    .iter()
                    .map(|(name, value)| {
                        let value = value.replace('\\', "\\\\").replace('"', "\\\"");
                        format!("{name}{space}={space}\"{value}\"")
                    })
                    .collect();
                elements.push(format!("{scheme} {}", params.join(&format!("{space},{space}"))));
            }
            let challenges = parse(&[&elements.join(",")]);
            prop_assert_eq!(&challenges.malformed, &[]);
            let read: Vec<_> = challenges
                .list
                .into_iter()
                .map(|challenge| (challenge.scheme, challenge.params))
                .collect();
            let expected: Vec<_> = written
                .into_iter()
                .map(|(scheme, params)| {
                    (Challenge::new(&scheme).scheme, params.into_iter().collect())
                })
                .collect();
            prop_assert_eq!(read, expected);
        }
    }
}
