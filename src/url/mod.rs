//! The URL of a request, and the URLs that servers send.
//!
//! This is not a general URL library. Registries send URLs whose signature covers their bytes, so
//! path and query stay as they came. Servers may also send URLs that attack the client, so anything
//! that no honest server needs is refused.

mod origin;
mod resolve;

use std::fmt;
use std::net::Ipv6Addr;
use std::sync::Arc;

use crate::address::{MAX_HOST_BYTES, ends_in_a_number, ipv6_text};

pub(crate) use self::origin::Origin;

/// The scheme of a URL: plain HTTP, or HTTP over TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    pub(crate) fn default_port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An absolute http or https URL, without user name, password and fragment.
///
/// `Display` and `Debug` are for people. They hide the values of the query, which may be a
/// signature or a token. Requests use [`to_request_string`](Url::to_request_string).
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Url {
    origin: Origin,
    /// Path and query as given. It starts with '/'.
    target: Arc<str>,
}

impl Url {
    /// Parses an absolute URL. A fragment is dropped, because requests have none.
    pub(crate) fn parse(text: &str) -> Result<Url, BadUrl> {
        check_characters(text)?;
        let (scheme, rest) = text.split_once("://").ok_or(BadUrl::NotAbsolute)?;
        let scheme = parse_scheme(scheme)?;
        let rest = without_fragment(rest);
        let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(authority_end);
        let (host, port) = parse_authority(authority)?;
        let host = host.into();
        let target = match target.starts_with('/') {
            true => target.into(),
            false => format!("/{target}").into(),
        };
        let port = port.unwrap_or(scheme.default_port());
        Ok(Url {
            origin: Origin { scheme, host, port },
            target,
        })
    }

    /// The URL of `target` (path and query, starting with '/') on `origin`.
    pub(crate) fn on(origin: &Origin, target: &str) -> Result<Url, BadUrl> {
        check_characters(target)?;
        if !target.starts_with('/') || target.contains('#') {
            return Err(BadUrl::Target);
        }
        Ok(Url {
            origin: origin.clone(),
            target: target.into(),
        })
    }

    pub(crate) fn scheme(&self) -> Scheme {
        self.origin.scheme
    }

    /// The host in lower case; an IPv6 address has no brackets.
    pub(crate) fn host(&self) -> &str {
        &self.origin.host
    }

    /// The port of the URL, or the default port of its scheme.
    pub(crate) fn port(&self) -> u16 {
        self.origin.port
    }

    /// Path and query as given.
    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    /// The path, which starts with '/'.
    pub(crate) fn path(&self) -> &str {
        self.target
            .split_once('?')
            .map_or(&self.target, |(path, _)| path)
    }

    /// The text after the '?', if there is one.
    pub(crate) fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }

    pub(crate) fn origin(&self) -> Origin {
        self.origin.clone()
    }

    /// `host[:port]` without the scheme's default port: the value of a Host header.
    pub(crate) fn authority(&self) -> Authority<'_> {
        self.origin.authority()
    }

    /// The whole URL with its query. It may hold a secret, so it must not be shown.
    pub(crate) fn to_request_string(&self) -> String {
        let authority = self.authority().to_string();
        [self.scheme().as_str(), "://", &authority, &self.target].concat()
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.path())?;
        let Some(query) = self.query() else {
            return Ok(());
        };
        for (i, parameter) in query.split('&').enumerate() {
            f.write_str(if i == 0 { "?" } else { "&" })?;
            match parameter.split_once('=') {
                Some((name, _)) if SHOWN_PARAMETERS.contains(&name) => f.write_str(parameter)?,
                Some((name, _)) => write!(f, "{name}=REDACTED")?,
                // Without a '=' it may be a name or a token.
                None if parameter.is_empty() => {}
                None => f.write_str("REDACTED")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `host[:port]` as text: an IPv6 address in brackets, the scheme's default port left out.
pub(crate) struct Authority<'a> {
    pub(super) scheme: Scheme,
    pub(super) host: &'a str,
    pub(super) port: u16,
}

impl fmt::Display for Authority<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]", self.host)?,
            false => f.write_str(self.host)?,
        }
        if self.port != self.scheme.default_port() {
            write!(f, ":{}", self.port)?;
        }
        Ok(())
    }
}

/// Why a text is not a usable URL. It has no part of the text, which may hold a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadUrl {
    NotAbsolute,
    Scheme,
    UserInfo,
    Host,
    Port,
    Target,
    Character { at: usize, class: &'static str },
}

impl fmt::Display for BadUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadUrl::NotAbsolute => f.write_str("not an absolute URL"),
            BadUrl::Scheme => f.write_str("a scheme other than http and https"),
            BadUrl::UserInfo => f.write_str("a user name or password in the URL"),
            BadUrl::Host => f.write_str("no usable host in the URL"),
            BadUrl::Port => f.write_str("no usable port in the URL"),
            BadUrl::Target => f.write_str("a path that does not start with '/' or has a fragment"),
            BadUrl::Character { at, class } => write!(f, "{class} in the URL at byte {at}"),
        }
    }
}

impl std::error::Error for BadUrl {}

/// `value` with all characters percent-encoded, except the unreserved ones of RFC 3986. It can be
/// the value of a query parameter.
pub(crate) fn encode_query_value(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte))
            }
            _ => {
                let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or('0');
                out.push('%');
                out.push(digit(byte >> 4).to_ascii_uppercase());
                out.push(digit(byte & 0xf).to_ascii_uppercase());
            }
        }
    }
    out
}

/// Refuses characters that could add something to a request line, and those that programs read in
/// different ways. Some take a backslash for a slash; an angle bracket comes from a broken Link
/// header.
fn check_characters(text: &str) -> Result<(), BadUrl> {
    for (at, byte) in text.bytes().enumerate() {
        let class = match byte {
            b' ' => "a space",
            0..=0x1f | 0x7f => "a control character",
            0x80.. => "a character outside ASCII",
            b'\\' => "a backslash",
            b'<' | b'>' => "an angle bracket",
            _ => continue,
        };
        return Err(BadUrl::Character { at, class });
    }
    Ok(())
}

fn without_fragment(text: &str) -> &str {
    text.split_once('#').map_or(text, |(text, _)| text)
}

fn parse_scheme(text: &str) -> Result<Scheme, BadUrl> {
    [Scheme::Http, Scheme::Https]
        .into_iter()
        .find(|scheme| scheme.as_str().eq_ignore_ascii_case(text))
        .ok_or(BadUrl::Scheme)
}

fn parse_authority(text: &str) -> Result<(String, Option<u16>), BadUrl> {
    if text.contains('@') {
        return Err(BadUrl::UserInfo);
    }
    let Some(bracketed) = text.strip_prefix('[') else {
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, Some(parse_port(port)?)),
            None => (text, None),
        };
        return Ok((parse_host(host)?, port));
    };
    let (address, rest) = bracketed.split_once(']').ok_or(BadUrl::Host)?;
    let address: Ipv6Addr = address.parse().map_err(|_| BadUrl::Host)?;
    let port = match rest {
        "" => None,
        rest => Some(parse_port(rest.strip_prefix(':').ok_or(BadUrl::Host)?)?),
    };
    Ok((ipv6_text(address), port))
}

/// Parses a host name. It may have underscores, which references do not allow, because some storage
/// hosts have them.
fn parse_host(host: &str) -> Result<String, BadUrl> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let fits = (1..=MAX_HOST_BYTES).contains(&host.len());
    if !fits || !host.bytes().all(plain) || ends_in_a_number(host) {
        return Err(BadUrl::Host);
    }
    Ok(host.to_ascii_lowercase())
}

fn parse_port(text: &str) -> Result<u16, BadUrl> {
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(BadUrl::Port);
    }
    match text.parse() {
        Ok(0) | Err(_) => Err(BadUrl::Port),
        Ok(port) => Ok(port),
    }
}

/// Query parameters of the distribution spec, whose values are no secrets.
const SHOWN_PARAMETERS: [&str; 6] = ["ns", "n", "last", "digest", "mount", "from"];

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn g1_path_and_query_stay_byte_for_byte() {
        let cases = [
            ("https://host", "https://host/"),
            (
                "HTTPS://Host.Example:443/A/b?C=D",
                "https://host.example/A/b?C=D",
            ),
            ("http://host:443/", "http://host:443/"),
            ("http://host:0080", "http://host/"),
            (
                "https://host?_state=a%3D%3d&b",
                "https://host/?_state=a%3D%3d&b",
            ),
            (
                "https://host/a/../b//c/%2e?x=/../#part",
                "https://host/a/../b//c/%2e?x=/../",
            ),
            ("https://host#?a", "https://host/"),
            (
                "https://my_bucket.host/a:b@c?u=http://x@y",
                "https://my_bucket.host/a:b@c?u=http://x@y",
            ),
            (
                "https://[2001:DB8:0:0::1]:5000/x",
                "https://[2001:db8::1]:5000/x",
            ),
            ("https://[::ffff:1.2.3.4]/", "https://[::ffff:102:304]/"),
            ("https://127.0.0.1/", "https://127.0.0.1/"),
            ("https://host./", "https://host./"),
            ("https://host/?", "https://host/?"),
            ("https://host/{\"a\"}|^`'", "https://host/{\"a\"}|^`'"),
        ];
        for (text, expected) in cases {
            assert_eq!(url(text).to_request_string(), expected);
            assert_eq!(url(expected), url(text), "{text}");
        }
    }

    #[test]
    fn the_parts_of_a_url() {
        let url = url("http://[::1]:5000/v2/a/tags/list?n=1&last=b");
        assert_eq!(
            (url.scheme(), url.host(), url.port()),
            (Scheme::Http, "::1", 5000)
        );
        assert_eq!(url.authority().to_string(), "[::1]:5000");
        assert_eq!(url.target(), "/v2/a/tags/list?n=1&last=b");
        assert_eq!(
            (url.path(), url.query()),
            ("/v2/a/tags/list", Some("n=1&last=b"))
        );
        assert_eq!(url.join("/x").unwrap().query(), None);
    }

    #[test]
    fn s12_what_no_honest_server_sends_is_refused() {
        let character = |at, class| BadUrl::Character { at, class };
        let cases = [
            ("", BadUrl::NotAbsolute),
            ("/v2/", BadUrl::NotAbsolute),
            ("//host/", BadUrl::NotAbsolute),
            ("host/path", BadUrl::NotAbsolute),
            ("https:/host", BadUrl::NotAbsolute),
            ("https:host", BadUrl::NotAbsolute),
            ("file:///etc/passwd", BadUrl::Scheme),
            ("gopher://host/", BadUrl::Scheme),
            ("://host/", BadUrl::Scheme),
            ("https://user:pass@host/", BadUrl::UserInfo),
            ("https://user@host/", BadUrl::UserInfo),
            ("https://@host/", BadUrl::UserInfo),
            ("https://", BadUrl::Host),
            (&format!("https://{}/", "a".repeat(254)), BadUrl::Host),
            ("https:///path", BadUrl::Host),
            ("https://?a", BadUrl::Host),
            ("https://:443/", BadUrl::Host),
            ("https://ho%73t/", BadUrl::Host),
            ("https://a,b/", BadUrl::Host),
            ("https://2130706433/", BadUrl::Host),
            ("https://0x7f.0.0.1/", BadUrl::Host),
            ("https://0177.0.0.1/", BadUrl::Host),
            ("https://127.1/", BadUrl::Host),
            ("https://[::1/", BadUrl::Host),
            ("https://[::1]x/", BadUrl::Host),
            ("https://[fe80::1%25eth0]/", BadUrl::Host),
            ("https://[1.2.3.4]/", BadUrl::Host),
            ("https://::1/", BadUrl::Port),
            ("https://host:/", BadUrl::Port),
            ("https://host:0/", BadUrl::Port),
            ("https://host:65536/", BadUrl::Port),
            ("https://host:+80/", BadUrl::Port),
            ("https://host:80:80/", BadUrl::Port),
            (" https://host/", character(0, "a space")),
            ("https://host/a b", character(14, "a space")),
            (
                "https://host/\r\nX: y",
                character(13, "a control character"),
            ),
            ("https://host/\u{7f}", character(13, "a control character")),
            ("https://host\\@evil/", character(12, "a backslash")),
            ("https://höst/", character(9, "a character outside ASCII")),
            ("<https://host/>", character(0, "an angle bracket")),
        ];
        for (text, expected) in cases {
            assert_eq!(Url::parse(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn a_target_on_an_origin_is_checked_like_a_parsed_one() {
        let origin = url("https://[::1]/").origin();
        let built = Url::on(&origin, "/v2/?n=1").unwrap();
        assert_eq!(built, url("https://[::1]/v2/?n=1"));
        let space = BadUrl::Character {
            at: 1,
            class: "a space",
        };
        for (target, expected) in [
            ("v2", BadUrl::Target),
            ("", BadUrl::Target),
            ("/#a", BadUrl::Target),
            ("/ HTTP/1.1", space),
        ] {
            assert_eq!(Url::on(&origin, target), Err(expected));
        }
    }

    #[test]
    fn s15_people_see_no_query_values_but_harmless_ones() {
        let cases = [
            ("https://host/a?sig=SECRET", "https://host/a?sig=REDACTED"),
            (
                "https://host/v2/a/?n=10&last=b&ns=x&digest=sha256:0&mount=m&from=f",
                "https://host/v2/a/?n=10&last=b&ns=x&digest=sha256:0&mount=m&from=f",
            ),
            ("https://host/?SECRET", "https://host/?REDACTED"),
            (
                "https://host/?N=SECRET&&a=SECRET=SECRET",
                "https://host/?N=REDACTED&&a=REDACTED",
            ),
            ("https://host/?", "https://host/?"),
            ("https://host/a#SECRET", "https://host/a"),
        ];
        for (text, expected) in cases {
            assert_eq!(url(text).to_string(), expected);
            assert_eq!(format!("{:?}", url(text)), expected);
        }
        for text in [
            "https://u:SECRET@host/",
            "https://host:SECRET/?SECRET",
            "SECRET",
        ] {
            let error = Url::parse(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("SECRET"));
        }
    }

    #[test]
    fn s12_an_encoded_query_value_has_unreserved_characters_only() {
        for (value, expected) in [
            ("", ""),
            ("aZ09-._~", "aZ09-._~"),
            ("sha256:0/a b", "sha256%3A0%2Fa%20b"),
            ("&=+%?#\r\n", "%26%3D%2B%25%3F%23%0D%0A"),
            ("é", "%C3%A9"),
        ] {
            assert_eq!(encode_query_value(value), expected);
        }
    }
}
