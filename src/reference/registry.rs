//! Registries: a host, and a port if one is given.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::address::{MAX_HOST_BYTES, ends_in_a_number, ipv6_text};
use crate::text::{Fault, check_plain, cut_at, parsed_from_text, shown_as_str};

/// A registry: `host[:port]`.
///
/// The grammar is that of `domain` in [distribution/reference]:
///
/// ```text
/// registry = host [ ":" port ]
/// host     = label *( "." label ) / IPv4 / "[" IPv6 "]"
/// label    = letters, digits and "-"; "-" is neither first nor last
/// port     = 1 to 65535
/// ```
///
/// Two hosts of that grammar are refused. One that ends in a number and is not an IPv4 address
/// (`2130706433`) could be read as another address by a resolver. One of more than 253 bytes can't
/// be resolved.
///
/// The host becomes lower case, and an IPv6 address gets its shortest form. `docker.io`,
/// `index.docker.io` and `registry-1.docker.io`, with or without `:443`, are one registry, shown as
/// `docker.io`. Any other port stays as given: `host` and `host:443` are not equal, because the
/// default port depends on the scheme, and a name has none.
///
/// Here a single word is a host (`myregistry`). In a [`Reference`](crate::Reference) it is a name
/// on Docker Hub.
///
/// ```
/// use ocireg::Registry;
///
/// let registry: Registry = "Localhost:5000".parse()?;
/// assert_eq!(registry.as_str(), "localhost:5000");
/// assert_eq!((registry.host(), registry.port()), ("localhost", Some(5000)));
/// assert!(registry.is_loopback());
///
/// assert_eq!("index.docker.io".parse::<Registry>()?, "docker.io".parse()?);
/// # Ok::<(), ocireg::Error>(())
/// ```
///
/// [distribution/reference]: https://github.com/distribution/reference/blob/v0.6.0/reference.go
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Registry {
    text: String,
    host: String,
    port: Option<u16>,
}

impl Registry {
    /// The whole text, `host[:port]`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host in lower case; an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, if one was given.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether this is Docker Hub.
    pub fn is_docker_hub(&self) -> bool {
        self.text == DOCKER_HUB
    }

    /// Whether the host is this machine: `localhost`, 127.0.0.0/8 or `[::1]`. The client uses plain
    /// HTTP for such a registry unless a setting says otherwise.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host == "::1"
            || self
                .host
                .parse()
                .is_ok_and(|address: Ipv4Addr| address.is_loopback())
    }

    /// The host of this registry's API. Docker Hub's is not docker.io.
    pub(crate) fn api_host(&self) -> &str {
        match self.is_docker_hub() {
            true => DOCKER_HUB_API,
            false => &self.host,
        }
    }

    pub(super) fn docker_hub() -> Registry {
        Registry::from_parts(DOCKER_HUB.to_owned(), None)
    }

    fn parse(text: &str) -> Result<Registry, Fault> {
        check_plain(text)?;
        Registry::parse_at(text, 0)
    }

    /// Parses a registry that begins at byte `at` of the text that an error is about.
    pub(super) fn parse_at(text: &str, at: usize) -> Result<Registry, Fault> {
        // This check comes first, so that no other error shows a character of a password.
        if let Some(i) = text.bytes().position(|byte| byte == b'@') {
            let what = format!("'@' in the registry at byte {}", at + i);
            return Err(Fault::new(what).hint("user name and password do not belong here"));
        }
        if text.starts_with('[') {
            return parse_bracketed(text, at);
        }
        // An IPv6 address has at least two colons.
        let colons = text.bytes().filter(|byte| *byte == b':').count();
        if colons > 1 && text.parse::<Ipv6Addr>().is_ok() {
            let what = format!("an IPv6 address without brackets at byte {at}");
            return Err(Fault::new(what).hint(format!("write [{text}]")));
        }
        let (host, port) = match cut_at(text, b':') {
            Some((host, port)) => (host, Some(parse_port(port, at + host.len() + 1)?)),
            None => (text, None),
        };
        check_host(host, at)?;
        let host = host.to_ascii_lowercase();
        if DOCKER_HUB_NAMES.contains(&host.as_str()) && matches!(port, None | Some(443)) {
            return Ok(Registry::docker_hub());
        }
        Ok(Registry::from_parts(host, port))
    }

    fn from_parts(host: String, port: Option<u16>) -> Registry {
        // Brackets, a colon and a port of five digits take 8 bytes.
        let mut text = String::with_capacity(host.len() + 8);
        match host.contains(':') {
            true => text.extend(["[", &host, "]"]),
            false => text.push_str(&host),
        }
        if let Some(port) = port {
            text.extend([":", &port.to_string()]);
        }
        Registry { text, host, port }
    }
}

parsed_from_text!(Registry, "registry");
shown_as_str!(Registry);

/// Parses `[address]` or `[address]:port`.
fn parse_bracketed(text: &str, at: usize) -> Result<Registry, Fault> {
    let Some((address, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) else {
        return Err(Fault::new(format!("no ']' after the '[' at byte {at}")));
    };
    let allowed = |c: char| c.is_ascii_hexdigit() || c == ':';
    if let Some((i, c)) = address.char_indices().find(|(_, c)| !allowed(*c)) {
        return Err(Fault::character(c, "the IPv6 address", at + 1 + i));
    }
    let Ok(address) = address.parse::<Ipv6Addr>() else {
        return Err(Fault::new(format!(
            "no IPv6 address in the brackets at byte {at}"
        )));
    };
    let rest_at = at + text.len() - rest.len();
    let port = match rest.strip_prefix(':') {
        Some(port) => Some(parse_port(port, rest_at + 1)?),
        None if rest.is_empty() => None,
        None => {
            let what = format!("no ':' between ']' and the port at byte {rest_at}");
            return Err(Fault::new(what));
        }
    };
    Ok(Registry::from_parts(ipv6_text(address), port))
}

fn check_host(host: &str, at: usize) -> Result<(), Fault> {
    if host.is_empty() {
        return Err(Fault::new(format!("empty host name at byte {at}")));
    }
    let mut label_at = at;
    for label in host.split('.') {
        check_label(label, label_at)?;
        label_at += label.len() + 1;
    }
    if host.len() > MAX_HOST_BYTES {
        let what = format!(
            "host name of {} bytes, at most {MAX_HOST_BYTES}",
            host.len()
        );
        return Err(Fault::new(what));
    }
    if ends_in_a_number(host) {
        let what = format!("host name ending in a number at byte {at}");
        return Err(Fault::new(what).hint("an IPv4 address has four decimal numbers up to 255"));
    }
    Ok(())
}

fn check_label(label: &str, at: usize) -> Result<(), Fault> {
    if label.is_empty() {
        return Err(Fault::new(format!(
            "empty label in the host name at byte {at}"
        )));
    }
    // This holds for nearly all labels, and is the fastest check.
    if label.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(());
    }
    for (i, c) in label.char_indices() {
        if c == '-' && (i == 0 || i + 1 == label.len()) {
            let what = format!(
                "'-' at the edge of a label in the host name at byte {}",
                at + i
            );
            return Err(Fault::new(what));
        }
        if !c.is_ascii_alphanumeric() && c != '-' {
            let fault = Fault::character(c, "the host name", at + i);
            return Err(match c {
                '/' => fault.hint("a registry is only host[:port]"),
                _ => fault,
            });
        }
    }
    Ok(())
}

fn parse_port(text: &str, at: usize) -> Result<u16, Fault> {
    if text.is_empty() {
        return Err(Fault::new(format!("empty port at byte {at}")));
    }
    if let Some((i, c)) = text.char_indices().find(|(_, c)| !c.is_ascii_digit()) {
        return Err(Fault::character(c, "the port", at + i));
    }
    match text.parse() {
        Ok(0) | Err(_) => {
            Err(Fault::new(format!("port out of range at byte {at}")).hint("1 to 65535"))
        }
        Ok(port) => Ok(port),
    }
}

const DOCKER_HUB: &str = "docker.io";
const DOCKER_HUB_API: &str = "registry-1.docker.io";
const DOCKER_HUB_NAMES: [&str; 3] = [DOCKER_HUB, "index.docker.io", DOCKER_HUB_API];
