//! The list of quirks: what each is called, what it does, how its value is written as text.

use std::str::FromStr;
use std::time::Duration;

/// Makes an enum with its docs, help and parser from one list, so that they cannot drift apart.
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
    /// One way in which the registry differs from a well-behaved one. Its explanation begins with
    /// its row in the project's list. As text it is its name in kebab case, then `=` and its values
    /// with commas between; times are in milliseconds, a number of requests may be `forever`.
    Quirk {
        // Connections, and answers as a whole.
        Delay(Duration): "R9: waits this long before every answer";
        IdleClose(Duration): "R5: closes a connection on which nothing was asked for this long";
        CloseAfterAnswer: "R5: closes the connection after every answer without saying so in it";
        ConnectionClose: "R30: says `Connection: close` and closes";
        Http10: "R30: answers as HTTP/1.0, and closes";
        Header(String): "an extra header field, `Name: value`, on every answer";
        RateLimit(String): "J1: this RateLimit-Remaining, and a RateLimit-Limit of 100;w=21600";
        Warning(String): "J3: a Warning header with this text";
        TooManyRequests(u64, String): "J2: 429 to so many requests, with this Retry-After, if any";
        FailFirst(u16, u64): "R11: this status to so many requests";
        NotARegistry(u16, Page): "R32: this status and page everywhere, /v2/ included";

        // Refusals.
        Challenge(Page, Vec<String>): "B1, B9, J5: 401 everywhere with these WWW-Authenticate lines (| between)";
        Deny(u16, Page): "D2, D3: this status and page, code DENIED, everywhere but on /v2/";
        Hidden(String): "D1: 401 for this repository, there or not, though others are open";
        PingBody(String): "B7: the body of the ping, `true` on Quay";

        // Logins.
        Bearer(String): "B1: wants tokens; the value is the challenge, `realm=\"…\",service=\"…\"`";
        ForbidBadTokens: "GCR: 403 without a challenge to a token that ended or allows too little";
        LongHeader(u64): "nginx: 431 to a longer Authorization, as if it were in front";
        Harbor: "B6: of `bearer`: Basic for the catalog and to whoever sent Authorization; nothing below unknown/";
        Basic(String): "B8: wants this `user:password`; beside `bearer` takes it too";

        // Manifests.
        NoDigestHeader: "E1: no Docker-Content-Digest";
        WrongDigestHeader: "E1: a valid Docker-Content-Digest of something else";
        UpperCaseDigestHeader: "E1: the right Docker-Content-Digest in upper-case hex";
        DigestHeader(String): "E1: this text as Docker-Content-Digest";
        HeadStatus(u16, Page): "E2 (404,html), E3 (405 …): this status and page for every HEAD; GET works";
        UnmarkedNotFound(Page): "E2: no Docker-Distribution-Api-Version anywhere; 404 with this page";
        ManifestContentType(String): "E6, E10: manifests with this Content-Type, or none";
        DecoratedContentType: "E9: Content-Type in upper case and with a parameter";
        ClaimGzip: "E11: says `Content-Encoding: gzip` of a body that is not";
        Gzip: "E11: compresses, asked or not";

        // Redirects.
        RedirectManifests(u16, String): "E16: redirects manifests to the same target under this base URL";
        RedirectBlobs(u16, String): "F1: the same for blobs";
        RedirectUploads(u16, String): "R17: the same for blob uploads";
        RedirectRepository(String): "A3: 301 from any repository to the same path of this one";
        RedirectLoop: "R17: 302 to the same URL, for ever";
        RedirectNowhere(u16): "R17: this status without a Location";
        RedirectHops(u64): "R17: so many 307 before the answer, for GET and HEAD";
        UploadBase(String): "S3, G3: upload Locations are absolute, under this base URL";

        // Lists.
        PageSize(u64): "H9: at most so many names on a page, asked for or not";
        IgnorePageSize: "H1: `n` is ignored";
        LinkOnLastPage: "H2: a Link although the page is the last";
        OpaqueCursor: "H3: an absolute Link whose cursor is opaque";
        NoLink: "H15: `n` is honoured, and no Link tells of the rest";
        LinkOrigin(String): "H13: Links lead to this base URL";
        OddLink(LinkSyntax): "H12: Links are oddly written: unquoted, several, upper-case, no-bracket, empty";
        LoopingLink(LinkLoop): "H7, R16: Links go round: same, pair, endless";
        LinkFails(u16): "H6: every page but the first gets this status";
        NullTags: "H5: an empty list is `null`";
        NullEntries: "H6: a `null` among the names of every page";
        DigestsAmongTags: "H7: a digest among the names of every page";
        GcrLists: "H11: tag lists with `child` and `manifest` as GCR sends them";
    }
}

choices! {
    /// The body of an answer that is not what was asked for. In a quirk's text `json` is meant
    /// where none is named. `html` and `xml` come from something in front of the registry and so
    /// lack Docker-Distribution-Api-Version.
    Page {
        Json: "a registry's `{\"errors\":[…]}`";
        JsonText: "the same as text/plain, like go-containerregistry's registry";
        Object: "J5: one error object without a list around it";
        Html: "nginx's page; with status 200 the log-in page of a captive portal";
        Xml: "S3's error document";
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
    /// R16: how Links go round.
    LinkLoop {
        Same: "H7: every page names `last=10000`, and that is the first page again";
        Pair: "two pages that name each other";
        Endless: "always another URL, with an empty list behind it";
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

/// A part of a quirk's text: takes what belongs to it and leaves the rest.
trait Value: Sized {
    fn take(text: &mut &str) -> Result<Self, String>;
}

/// What stands before the next separator.
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
