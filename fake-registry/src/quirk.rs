//! The list of quirks: the name of each, what it does, and how its value is written as text.

use std::str::FromStr;
use std::time::Duration;

/// Makes an enum with its docs, help and parser from one list, so that they always agree.
macro_rules! choices {
    ($(#[$about:meta])+ $enum:ident { $($variant:ident $(($($field:ty),+))?: $doc:literal;)+ }) => {
        $(#[$about])+
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $enum {
            $(#[doc = $doc] $variant $(($($field),+))?,)+
        }

        impl $enum {
            /// The name of every choice as it is written in text, and what it means.
            pub fn all() -> Vec<(String, &'static str)> {
                vec![$((kebab(stringify!($variant)), $doc)),+]
            }
        }

        impl Value for $enum {
            fn take(text: &mut &str) -> Result<Self, String> {
                let name = word(text, ['=', ',']);
                let name = if name.is_empty() { Self::all().swap_remove(0).0 } else { name.into() };
                $(if name == kebab(stringify!($variant)) {
                    return Ok($enum::$variant $(($(<$field as Value>::take(text)?),+))?);
                })+
                Err(format!("{name:?} is no {}", kebab(stringify!($enum))))
            }
        }
    };
}

choices! {
    /// One way in which the registry differs from the specification. Its explanation begins with
    /// its row in docs/registries.md. As text it is its name in kebab case, then `=` and its values
    /// with commas between; times are in milliseconds, a number of requests may be `forever`.
    Quirk {
        // Connections, and answers as a whole.
        Delay(Duration): "R9: waits this long before every answer";
        IdleClose(Duration): "R5: closes a connection that has been idle for this long";
        CloseAfterAnswer: "R5: closes the connection after every answer, unannounced";
        ConnectionClose: "R30: sends `Connection: close` and closes";
        Http10: "R30: answers as HTTP/1.0, and closes";
        Header(String): "an extra header field, `Name: value`, on every answer";
        RateLimit(String): "J1: this RateLimit-Remaining, and a RateLimit-Limit of 100;w=21600";
        Warning(String): "J3: a Warning header with this text";
        TooManyRequests(u64, String): "J2: 429 to this many requests, with this Retry-After";
        FailFirst(u16, u64): "R11: this status to this many requests";
        NotARegistry(u16, Page): "R32: this status and page everywhere, /v2/ included";

        // Refusals.
        Challenge(Page, Vec<String>): "B1, B9, J5: 401 everywhere, these challenges (| between)";
        Deny(u16, Page): "D2, D3: this status and page, code DENIED, everywhere but on /v2/";
        Hidden(String): "D1: 401 for this repository, whether it exists or not; others are open";
        PingBody(String): "B7: the body of the ping, `true` on Quay";

        // Logins.
        Bearer(String): "B1: wants tokens; the value is the challenge, `realm=\"…\",service=\"…\"`";
        ForbidBadTokens: "GCR: 403 without a challenge to an expired or too narrow token";
        LongHeader(u64): "nginx: 431 to an Authorization that is longer than this";
        Harbor: "B6: with `bearer`: Basic for the catalog and after any Authorization; an empty \
                 challenge below unknown/";
        Basic(String): "B8: wants this `user:password`; with `bearer` takes either";

        // Manifests.
        NoDigestHeader: "E1: no Docker-Content-Digest";
        WrongDigestHeader: "E1: a valid Docker-Content-Digest of something else";
        UpperCaseDigestHeader: "E1: the right Docker-Content-Digest in upper-case hex";
        DigestHeader(String): "E1: this text as Docker-Content-Digest";
        HeadStatus(u16, Page): "E2 (404,html), E3 (405 …): this answer to every HEAD; GET works";
        UnmarkedNotFound(Page): "E2: no API-version header anywhere; 404 with this page";
        ManifestContentType(String): "E6, E10: manifests with this Content-Type, or none";
        DecoratedContentType: "E9: Content-Type in upper case and with a parameter";
        ClaimGzip: "E11: sends `Content-Encoding: gzip` with a body that is not";
        Gzip: "E11: compresses whatever the request accepts";

        // Redirects.
        RedirectManifests(u16, String): "E16: redirects manifests to the same path below this URL";
        RedirectBlobs(u16, String): "F1: the same for blobs";
        RedirectUploads(u16, String): "R17: the same for blob uploads";
        RedirectRepository(String): "A3: 301 from any repository to the same path of this one";
        RedirectLoop: "R17: 302 to the same URL, without end";
        RedirectNowhere(u16): "R17: this status without a Location";
        RedirectHops(u64): "R17: this many 307 before the answer, for GET and HEAD";
        UploadBase(String): "S3, G3: upload Locations are absolute, below this URL";

        // Lists.
        PageSize(u64): "H9: at most this many names on a page, whatever the request asks for";
        IgnorePageSize: "H1: `n` is ignored";
        LinkOnLastPage: "H2: a Link although the page is the last";
        OpaqueCursor: "H3: an absolute Link whose cursor is opaque";
        NoLink: "H15: `n` is honoured, and there is no Link to the rest";
        LinkOrigin(String): "H13: Links lead below this URL";
        OddLink(LinkSyntax): "H12: odd syntax of Links: unquoted, several, upper-case, no-bracket, \
                              empty";
        LoopingLink(LinkLoop): "H7, R16: Links in a circle: same, pair, endless";
        LinkFails(u16): "H6: every page except the first gets this status";
        NullTags: "H5: an empty list is `null`";
        NullEntries: "H6: a `null` among the names of every page";
        DigestsAmongTags: "H7: a digest among the names of every page";
        GcrLists: "H11: tag lists with `child` and `manifest` as GCR sends them";
    }
}

choices! {
    /// The body of an answer that is not what was asked for. In a quirk's text the default is
    /// `json`. `html` and `xml` come from something in front of the registry, so they have no
    /// API-version header.
    Page {
        Json: "a registry's `{\"errors\":[…]}`";
        JsonText: "the same as text/plain, like go-containerregistry's registry";
        Object: "J5: one error object without a list around it";
        Html: "nginx's page; with status 200 the log-in page of a captive portal";
        Xml: "the error document of Amazon S3";
        Text: "a line of text";
        Empty: "nothing";
    }
}

choices! {
    /// H12: how a Link is written.
    LinkSyntax {
        Unquoted: "`rel=next`";
        Several: "several links with more parameters, the next page last";
        UpperCase: "`REL=\"NEXT\"`";
        NoBracket: "without `<`, so malformed";
        Empty: "`<>`";
    }
}

choices! {
    /// R16: how Links form a circle.
    LinkLoop {
        Same: "H7: every page links to `last=10000`, which is the first page again";
        Pair: "two pages that link to each other";
        Endless: "a new URL each time, with an empty list";
    }
}

impl FromStr for Quirk {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut rest = text;
        match Self::take(&mut rest) {
            Ok(quirk) if rest.is_empty() => Ok(quirk),
            Ok(_) => Err(format!("{rest:?} is too much")),
            Err(error) => Err(error),
        }
    }
}

/// `CloseAfterAnswer` to `close-after-answer`.
fn kebab(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

/// A part of a quirk's text: takes its own text and leaves the rest.
trait Value: Sized {
    fn take(text: &mut &str) -> Result<Self, String>;
}

/// The text before the next separator.
fn word<'a, const N: usize>(text: &mut &'a str, separators: [char; N]) -> &'a str {
    let (word, rest) = text.split_once(separators).unwrap_or((*text, ""));
    *text = rest;
    word
}

impl Value for u64 {
    fn take(text: &mut &str) -> Result<Self, String> {
        match word(text, [',']) {
            "forever" => Ok(Self::MAX),
            word => word.parse().map_err(|_| format!("{word:?} is no number")),
        }
    }
}

impl Value for u16 {
    fn take(text: &mut &str) -> Result<Self, String> {
        let word = word(text, [',']);
        word.parse().map_err(|_| format!("{word:?} is no status"))
    }
}

impl Value for Duration {
    fn take(text: &mut &str) -> Result<Self, String> {
        u64::take(text).map(Self::from_millis)
    }
}

/// Always the last part: URLs and challenges have commas of their own.
impl Value for String {
    fn take(text: &mut &str) -> Result<Self, String> {
        Ok(std::mem::take(text).to_owned())
    }
}

impl Value for Vec<String> {
    fn take(text: &mut &str) -> Result<Self, String> {
        Ok(std::mem::take(text).split('|').map(str::to_owned).collect())
    }
}

/// The value of the first quirk of this kind, if one is in force.
macro_rules! value {
    ($quirks:expr, $variant:ident) => {
        $quirks.0.iter().find_map(|(quirk, _)| match quirk {
            Quirk::$variant(value) => Some(value.clone()),
            _ => None,
        })
    };
}
pub(crate) use value;
