//! The options that all subcommands have.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{ArgAction, Args};
use ocireg::{Error, Registry};

use crate::duration;
use crate::private::Hidden;

/// Options of all subcommands. They may stand before the subcommand and after it.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Options {
    /// Print JSON: one object per line
    #[arg(long)]
    pub(crate) json: bool,
    /// Show the requests on standard error, with secrets redacted
    #[arg(short, long, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Use unencrypted http for all named registries, or only for
    /// REGISTRY. Repeatable
    #[arg(
        long,
        verbatim_doc_comment,
        value_name = "REGISTRY",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = EVERY,
        value_parser = Scope::parse,
        help_heading = CONNECTION
    )]
    pub(crate) plain_http: Vec<Scope>,
    /// Use https for registries on this machine too (localhost,
    /// 127.0.0.0/8, [::1]), or only for that REGISTRY among them.
    /// For all other registries https is the default. Repeatable
    #[arg(
        long,
        verbatim_doc_comment,
        value_name = "REGISTRY",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = EVERY,
        value_parser = Scope::parse,
        help_heading = CONNECTION
    )]
    pub(crate) https: Vec<Scope>,
    /// Also trust the certificates in this PEM file, for all named
    /// registries, or only for HOST: a registry, or a server that one
    /// redirects to. Implies --https. Repeatable
    #[arg(
        long,
        verbatim_doc_comment,
        value_name = "[HOST=]FILE",
        value_parser = PathBufValueParser::new().map(CaFile::of),
        help_heading = CONNECTION
    )]
    pub(crate) ca_file: Vec<CaFile>,
    /// Time limit for each question, each page of a list, or all of
    /// `find`: 500ms, 2s, 1m. Default: 5m
    #[arg(
        long,
        verbatim_doc_comment,
        value_name = "DURATION",
        value_parser = duration::parse,
        help_heading = CONNECTION
    )]
    pub(crate) timeout: Option<Duration>,
    /// Time limit for making a connection. Default: 10s
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, help_heading = CONNECTION)]
    pub(crate) connect_timeout: Option<Duration>,
    /// How often to repeat a request that may succeed later (no
    /// connection, HTTP 408, 429, 5xx). Default: 3
    #[arg(long, value_name = "N", help_heading = CONNECTION, verbatim_doc_comment)]
    pub(crate) retries: Option<u32>,
    /// Log in as USER; needs --password-stdin. The login is for REGISTRY,
    /// or without it for the one registry that is named
    #[arg(
        long,
        verbatim_doc_comment,
        value_name = "[REGISTRY=]USER",
        value_parser = Hidden::parse,
        help_heading = LOGIN
    )]
    pub(crate) username: Vec<Hidden>,
    /// Read the password from standard input, without its final line end
    #[arg(long, help_heading = LOGIN)]
    pub(crate) password_stdin: bool,
    /// Read a token for the registry itself from standard input.
    /// REGISTRY as for --username
    #[arg(
        long,
        verbatim_doc_comment,
        value_name = "REGISTRY",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = EVERY,
        value_parser = Hidden::parse,
        help_heading = LOGIN
    )]
    pub(crate) token_stdin: Vec<Hidden>,
    /// Read a token for the registry's token service from standard input
    /// (docker calls it identitytoken). REGISTRY as for --username
    #[arg(
        long,
        verbatim_doc_comment,
        value_name = "REGISTRY",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = EVERY,
        value_parser = Hidden::parse,
        help_heading = LOGIN
    )]
    pub(crate) identity_token_stdin: Vec<Hidden>,
    /// Let the token service at HOST receive the login of REGISTRY.
    /// Repeatable
    #[arg(
        long,
        verbatim_doc_comment,
        value_name = "REGISTRY=HOST",
        value_parser = TrustedRealm::parse,
        help_heading = LOGIN
    )]
    pub(crate) trust_realm: Vec<TrustedRealm>,
    /// Send this header field with every request to REGISTRY, which is as
    /// for --username. Other users can see it in `ps`. Repeatable
    #[arg(
        long,
        verbatim_doc_comment,
        value_name = "[REGISTRY=]NAME: VALUE",
        value_parser = Hidden::parse,
        help_heading = LOGIN
    )]
    pub(crate) header: Vec<Hidden>,
}

const CONNECTION: &str = "Connection";
const LOGIN: &str = "Login";

/// The value of an option that was given without one. No registry can have this name.
pub(crate) const EVERY: &str = "*";

impl Options {
    /// Whether a login was given.
    pub(crate) fn have_login(&self) -> bool {
        self.password_stdin
            || !self.username.is_empty()
            || !self.token_stdin.is_empty()
            || !self.identity_token_stdin.is_empty()
    }

    /// Adds the options that came after the subcommand. A later single value replaces an earlier
    /// one; lists add up.
    ///
    /// clap's own `global` options would silently lose the earlier part of a list.
    pub(crate) fn then(mut self, later: &Options) -> Options {
        self.plain_http.extend_from_slice(&later.plain_http);
        self.https.extend_from_slice(&later.https);
        self.ca_file.extend_from_slice(&later.ca_file);
        self.username.extend_from_slice(&later.username);
        self.token_stdin.extend_from_slice(&later.token_stdin);
        let identity_tokens = &later.identity_token_stdin;
        self.identity_token_stdin.extend_from_slice(identity_tokens);
        self.trust_realm.extend_from_slice(&later.trust_realm);
        self.header.extend_from_slice(&later.header);
        Options {
            json: self.json || later.json,
            verbose: self.verbose.saturating_add(later.verbose),
            timeout: later.timeout.or(self.timeout),
            connect_timeout: later.connect_timeout.or(self.connect_timeout),
            retries: later.retries.or(self.retries),
            password_stdin: self.password_stdin || later.password_stdin,
            ..self
        }
    }
}

/// The registries that an option is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Every registry that a reference of this run names.
    Every,
    One(Registry),
}

impl Scope {
    fn parse(text: &str) -> Result<Scope, Error> {
        match text {
            EVERY => Ok(Scope::Every),
            text => text.parse().map(Scope::One),
        }
    }

    pub(crate) fn registry(&self) -> Option<&Registry> {
        match self {
            Scope::Every => None,
            Scope::One(registry) => Some(registry),
        }
    }
}

/// A CA file, and the host that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CaFile {
    /// `None` stands for all registries that are named.
    pub(crate) host: Option<Registry>,
    pub(crate) file: PathBuf,
}

impl CaFile {
    /// A file whose own name has a `=` can be written with `./` in front: that is no host.
    fn of(argument: PathBuf) -> CaFile {
        let parts = argument.to_str().and_then(|text| text.split_once('='));
        let named = parts.and_then(|(host, file)| Some((host.parse().ok()?, file.into())));
        match named {
            Some((host, file)) => CaFile {
                host: Some(host),
                file,
            },
            None => CaFile {
                host: None,
                file: argument,
            },
        }
    }
}

/// The host of a token service that may receive a registry's login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrustedRealm {
    pub(crate) registry: Registry,
    pub(crate) host: String,
}

impl TrustedRealm {
    fn parse(text: &str) -> Result<TrustedRealm, String> {
        let (registry, host) = text
            .split_once('=')
            .ok_or("name the registry too: REGISTRY=HOST")?;
        Ok(TrustedRealm {
            registry: registry.parse().map_err(|error: Error| error.to_string())?,
            host: host.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_file_may_be_for_one_host() {
        for (argument, host, file) in [
            ("ca.pem", None, "ca.pem"),
            (
                "storage.example.com:9000=ca.pem",
                Some("storage.example.com:9000"),
                "ca.pem",
            ),
            ("localhost=a=b.pem", Some("localhost"), "a=b.pem"),
            ("./a=b.pem", None, "./a=b.pem"),
            ("/etc/a=b.pem", None, "/etc/a=b.pem"),
        ] {
            let ca = CaFile::of(PathBuf::from(argument));
            assert_eq!(ca.host.as_ref().map(Registry::as_str), host, "{argument}");
            assert_eq!(ca.file, PathBuf::from(file), "{argument}");
        }
    }
}
