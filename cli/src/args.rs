//! The command line: its grammar and its help.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue};
use clap::{ArgAction, Args, Parser, Subcommand};
use ocireg::{CallOptions, Error, MediaType, Registry};

use crate::duration;
use crate::private::Hidden;

/// Reads the command line; ends the program where it is no use (exit code 2), and after help.
pub(crate) fn read() -> (Command, Options) {
    let line = CommandLine::try_parse().unwrap_or_else(|error| without_secrets(error).exit());
    let options = line.options.then(line.command.options());
    (line.command, options)
}

#[derive(Debug, Parser)]
#[command(
    name = "ocireg",
    version,
    about = "Asks container registries: does this image exist, what is its digest, which tags are there?",
    long_about = "Asks container registries: does this image exist, what is its digest, which tags are there?\n\n\
        It needs no Docker daemon and pulls nothing: a question costs one request. A REF is written as for\n\
        `docker pull`: alpine:3.20, localhost:5000/team/app:1.2, registry.example.com/app@sha256:...\n\
        Without a registry it is on Docker Hub, without a tag it is `latest`.",
    after_help = AFTER_HELP,
    arg_required_else_help = true,
    subcommand_required = true
)]
struct CommandLine {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

/// What is asked.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Are these images there? A line each: exists|absent|denied|error REF DIGEST
    #[command(after_help = EXISTS_HELP)]
    Exists(ExistsArgs),
    /// What is the digest of this image?
    #[command(after_help = DIGEST_HELP)]
    Digest(LookupArgs),
    /// Digest, media type and size of images. A line each: DIGEST MEDIA-TYPE SIZE REF
    #[command(after_help = HEAD_HELP)]
    Head(LookupArgs),
    /// Which tags are the same image as this one? A line each: TAG DIGEST
    #[command(after_help = FIND_HELP)]
    Find(FindArgs),
    /// Which tags has a repository? A line each
    #[command(after_help = TAGS_HELP)]
    Tags(TagsArgs),
    /// Which repositories has a registry? A line each
    #[command(after_help = CATALOG_HELP)]
    Catalog(CatalogArgs),
    /// Is there a registry, and how does it want to be asked? A line each: REGISTRY SCHEME
    #[command(after_help = PING_HELP)]
    Ping(PingArgs),
    /// Does a registry accept this login? One line: REGISTRY ok|refused
    #[command(after_help = CHECK_LOGIN_HELP)]
    CheckLogin(CheckLoginArgs),
}

impl Command {
    fn options(&self) -> &Options {
        match self {
            Command::Exists(args) => &args.lookup.options,
            Command::Digest(args) | Command::Head(args) => &args.options,
            Command::Find(args) => &args.options,
            Command::Tags(args) => &args.options,
            Command::Catalog(args) => &args.options,
            Command::Ping(args) => &args.options,
            Command::CheckLogin(args) => &args.options,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ExistsArgs {
    /// Until all are there, ask again, for this long: 30s, 10m.
    /// Ends at once where a registry denies, or where asking
    /// again is no use
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, verbatim_doc_comment)]
    pub(crate) wait: Option<Duration>,
    #[command(flatten)]
    pub(crate) lookup: LookupArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LookupArgs {
    /// Images, such as alpine:3.20 or localhost:5000/team/app@sha256:...
    /// `-` reads them from standard input
    #[arg(value_name = "REF", required = true, verbatim_doc_comment)]
    pub(crate) references: Vec<String>,
    /// Also accept manifests of this media type; images and their indexes
    /// always are. Repeatable
    #[arg(long, value_name = "TYPE", verbatim_doc_comment)]
    pub(crate) accept: Vec<MediaType>,
    #[command(flatten)]
    pub(crate) width: Width,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Args)]
pub(crate) struct FindArgs {
    /// An image, such as localhost:5000/team/app:latest, or a
    /// digest in a repository: localhost:5000/team/app@sha256:...
    #[arg(value_name = "REF", verbatim_doc_comment)]
    pub(crate) reference: String,
    /// Also accept manifests of this media type; images and their indexes
    /// always are. Repeatable
    #[arg(long, value_name = "TYPE", verbatim_doc_comment)]
    pub(crate) accept: Vec<MediaType>,
    #[command(flatten)]
    pub(crate) width: Width,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Width {
    /// The most requests under way at once for each registry, from 1
    /// to 64
    #[arg(
        long,
        value_name = "N",
        default_value_t = 8,
        value_parser = clap::value_parser!(u8).range(1..=64),
        verbatim_doc_comment
    )]
    pub(crate) concurrency: u8,
}

/// The settings of a call that looks manifests up.
pub(crate) fn call_options(accept: Vec<MediaType>, width: Width) -> CallOptions {
    accept
        .into_iter()
        .fold(CallOptions::new(), CallOptions::accept)
        .concurrency(width.concurrency.into())
}

#[derive(Debug, Args)]
pub(crate) struct TagsArgs {
    /// A reference without tag and digest, such as localhost:5000/team/app
    #[arg(value_name = "REPOSITORY")]
    pub(crate) repository: String,
    #[command(flatten)]
    pub(crate) list: ListArgs,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Args)]
pub(crate) struct CatalogArgs {
    /// A host and perhaps a port, such as localhost:5000
    #[arg(value_name = "REGISTRY")]
    pub(crate) registry: String,
    #[command(flatten)]
    pub(crate) list: ListArgs,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Args)]
pub(crate) struct PingArgs {
    /// Hosts and perhaps ports, such as localhost:5000; `-` reads them from standard input
    #[arg(value_name = "REGISTRY", required = true)]
    pub(crate) registries: Vec<String>,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Args)]
pub(crate) struct CheckLoginArgs {
    /// A host and perhaps a port, such as localhost:5000
    #[arg(value_name = "REGISTRY")]
    pub(crate) registry: String,
    #[command(flatten)]
    options: Options,
}

/// Options of lists.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct ListArgs {
    /// Stop after this many entries
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
    /// Ask for pages of this many entries; default: as many as the registry likes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(NonZeroU32))]
    pub(crate) page_size: Option<NonZeroU32>,
}

/// Options of all subcommands. They may stand before the subcommand and after it.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Options {
    /// Print JSON, an object a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Show the requests on standard error, secrets redacted
    #[arg(short, long, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Speak http, unencrypted: with every registry that is
    /// named, or with REGISTRY alone. Repeatable
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
    /// Speak https also with registries on this machine
    /// (localhost, 127.0.0.0/8, [::1]), or with REGISTRY alone
    /// of them. All others are asked over https anyway
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
    /// Trust the certificates in this PEM file too, for every
    /// registry that is named; implies --https. Repeatable
    #[arg(long, value_name = "FILE", help_heading = CONNECTION, verbatim_doc_comment)]
    pub(crate) ca_file: Vec<PathBuf>,
    /// The most time for each question, each page of a list, or
    /// a whole `find`: 500ms, 2s, 1m. Default: 5m
    #[arg(
        long,
        verbatim_doc_comment,
        value_name = "DURATION",
        value_parser = duration::parse,
        help_heading = CONNECTION
    )]
    pub(crate) timeout: Option<Duration>,
    /// The most time to get a connection. Default: 10s
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, help_heading = CONNECTION)]
    pub(crate) connect_timeout: Option<Duration>,
    /// How often to ask again where that may help: no
    /// connection, HTTP 408, 429, 5xx. Default: 3
    #[arg(long, value_name = "N", help_heading = CONNECTION, verbatim_doc_comment)]
    pub(crate) retries: Option<u32>,
    /// Log in as USER, with --password-stdin. REGISTRY says
    /// where; without it all REFs must be on one registry
    #[arg(
        long,
        verbatim_doc_comment,
        value_name = "[REGISTRY=]USER",
        value_parser = Hidden::parse,
        help_heading = LOGIN
    )]
    pub(crate) username: Vec<Hidden>,
    /// Read the password from standard input; the end of its
    /// line is no part of it
    #[arg(long, verbatim_doc_comment, help_heading = LOGIN)]
    pub(crate) password_stdin: bool,
    /// Read a token from standard input that the registry itself
    /// takes. REGISTRY as for --username
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
    /// Read a token from standard input that the registry's token
    /// service takes (what docker calls identitytoken)
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
    /// Let the token service at HOST have the login of REGISTRY.
    /// Repeatable
    #[arg(
        long,
        verbatim_doc_comment,
        value_name = "REGISTRY=HOST",
        value_parser = TrustedRealm::parse,
        help_heading = LOGIN
    )]
    pub(crate) trust_realm: Vec<TrustedRealm>,
    /// Send this header field too; REGISTRY as for --username.
    /// Other users of this machine can see it in `ps`. Repeatable
    #[arg(
        long,
        verbatim_doc_comment,
        value_name = "[REGISTRY=]NAME: VALUE",
        value_parser = Hidden::parse,
        help_heading = LOGIN
    )]
    pub(crate) header: Vec<Hidden>,
}

impl Options {
    /// Whether they say anything about who asks.
    pub(crate) fn have_login(&self) -> bool {
        self.password_stdin
            || !self.username.is_empty()
            || !self.token_stdin.is_empty()
            || !self.identity_token_stdin.is_empty()
    }

    /// Adds the options that came after the subcommand. Of a single value the later counts; lists
    /// add up.
    ///
    /// clap's own `global` options would lose the earlier part of a list without a word.
    fn then(mut self, later: &Options) -> Options {
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

/// Which registries an option counts for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Every one that is named by a reference of this run.
    Every,
    One(Registry),
}

impl Scope {
    fn parse(text: &str) -> Result<Scope, ocireg::Error> {
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

/// A token service's host that a registry's login may go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrustedRealm {
    pub(crate) registry: Registry,
    pub(crate) host: String,
}

impl TrustedRealm {
    fn parse(text: &str) -> Result<TrustedRealm, String> {
        let (registry, host) = text
            .split_once('=')
            .ok_or("say for which registry: REGISTRY=HOST")?;
        Ok(TrustedRealm {
            registry: registry.parse().map_err(|error: Error| error.to_string())?,
            host: host.to_owned(),
        })
    }
}

/// clap shows what it can't use; a secret in the wrong place (`--password-stdin=SECRET`) must not
/// get into a log.
fn without_secrets(mut error: clap::Error) -> clap::Error {
    let about = error.get(ContextKind::InvalidArg).map(ToString::to_string);
    if about.is_some_and(|option| option.contains("-stdin")) {
        let hidden = ContextValue::String("…".to_owned());
        error.insert(ContextKind::InvalidValue, hidden);
    }
    error
}

/// What an option without a value means; no registry can have this name.
pub(crate) const EVERY: &str = "*";
const CONNECTION: &str = "Connection";
const LOGIN: &str = "Login";

const AFTER_HELP: &str = "\
Examples:
  ocireg exists localhost:5000/team/app:1.2 alpine:3.20
  ocireg digest alpine:3.20
  ocireg tags localhost:5000/team/app
  ocireg find localhost:5000/team/app:latest
  ocireg exists - < images.txt && ./deploy.sh
  ocireg exists --username me --password-stdin registry.example.com/app:1 < password.txt

Exit codes:
  0    yes
  1    absent: a registry says that it is not there
  3    denied: private, hidden or missing, the registry does not say which
  2    anything else: no answer, a bad reference, wrong usage
  141  the reader of the output went away
  Of several answers, 2 counts before 3 before 1. Reasons are on standard error.

Without a login, registries are asked as anybody. A login goes to its own registry and that one's token
service alone; a password or token is never an argument, since other users could see it in `ps`.
Registries are asked over https, those on this machine (localhost, 127.0.0.0/8, [::1]) over http.
`ocireg help COMMAND` tells more about a command.";

macro_rules! exit_codes {
    () => {
        "\n\nExit codes:\n  \
        0  yes\n  \
        1  absent\n  \
        3  denied: private, hidden or missing, the registry does not say which\n  \
        2  anything else: no answer, a bad reference, wrong usage\n  \
        Of several answers, 2 counts before 3 before 1. Reasons are on standard error."
    };
}

macro_rules! lookup_json {
    () => {
        "\n\n--json prints for each REF, all fields always there, null where unknown:\n  \
        {\"reference\", \"presence\": \"exists\"|\"absent\"|\"denied\"|null, \"digest\", \"media_type\", \"size\",\n   \
        \"digest_source\": \"header\"|\"computed\"|\"requested\",\n   \
        \"error\": {\"kind\", \"http_status\", \"code\", \"message\", \"retry_after_ms\"}}\n  \
        `error` says why where the image was not found; only where `presence` is null there is no answer.\n  \
        `digest_source` says whether the digest is the registry's word or was computed from the bytes."
    };
}

macro_rules! standard_input {
    () => {
        "\n\nStandard input (`-`) has one REF a line; blank lines and lines that start with # are skipped. A line\n\
        that is no reference is an error of its own and does not end the list; no line at all is one too.\n\
        \n\
        Several are asked at once and answered in their order; one that is there twice is asked once, and one\n\
        token serves many repositories. Once a token service refuses the login, or a registry wants no more\n\
        requests (HTTP 429), it is not asked about the rest of up to 512."
    };
}

const EXISTS_HELP: &str = concat!(
    "\
Examples:
  ocireg exists localhost:5000/team/app:1.2
  ocireg exists - < images.txt && ./deploy.sh
  ocireg exists --wait 10m localhost:5000/team/app:1.3 && ./deploy.sh

  $ ocireg exists localhost:5000/team/app:1.2 localhost:5000/team/app:9
  exists localhost:5000/team/app:1.2 sha256:6c3c...
  absent localhost:5000/team/app:9 -

Of NAME:TAG@DIGEST only the digest is asked about, as docker does.

With --wait, what is absent or failed for a passing reason (no connection, a timeout, HTTP 429, 5xx) is
asked again after 1 s, 2 s, and so on up to every 10 s. Then the answers are printed as usual; standard
input is read to its end first.",
    standard_input!(),
    lookup_json!(),
    exit_codes!()
);

const DIGEST_HELP: &str = concat!(
    "\
Prints the digest alone for one REF. For several, or from standard input, it prints `DIGEST REF` in the
order given, and `- REF` where there is none. Of an image for several platforms it is the digest of the
index, the same that `docker pull` prints.

Examples:
  docker run app@$(ocireg digest localhost:5000/team/app:1.2)
  ocireg digest alpine:3.19 alpine:3.20",
    standard_input!(),
    lookup_json!(),
    exit_codes!()
);

const HEAD_HELP: &str = concat!(
    "\
`-` stands for what is not known: `- - - REF` where the image was not found.

Examples:
  $ ocireg head localhost:5000/team/app:1.2
  sha256:6c3c... application/vnd.oci.image.index.v1+json 856 localhost:5000/team/app:1.2",
    standard_input!(),
    lookup_json!(),
    exit_codes!()
);

const FIND_HELP: &str = concat!(
    "\
Asks for the digest, the tags, and the digest of each tag; of an image for several platforms its index is
compared, not the platforms in it. Tags are in the registry's order. If one of them can't be asked about,
there is no answer at all, since a list with gaps would look complete.

Examples:
  $ ocireg find localhost:5000/team/app:latest
  1.2.0 sha256:6c3c...
  latest sha256:6c3c...
  ocireg find localhost:5000/team/app@sha256:6c3c...

A digest that no tag has is absent.

--json prints {\"reference\", \"tag\", \"digest\", \"error\"} for each tag, or one with `tag` null and an `error`
(as in `ocireg help exists`) where there is none.",
    exit_codes!()
);

const TAGS_HELP: &str = concat!(
    "\
Tags are printed as the registry sends them, page by page and in its order. A list that breaks off is
printed as far as it came, and the exit code is 2.

Examples:
  ocireg tags localhost:5000/team/app
  ocireg tags --limit 10 alpine

--json prints {\"repository\", \"tag\", \"error\"} for each tag, and one with `tag` null and an `error` (as in
`ocireg help exists`) where the list breaks off.",
    exit_codes!()
);

const CATALOG_HELP: &str = concat!(
    "\
Many registries have no catalog, or show only a part of it. Names are printed as the registry sends them,
page by page. A list that breaks off is printed as far as it came, and the exit code is 2.

Examples:
  ocireg catalog localhost:5000

--json prints {\"registry\", \"repository\", \"error\"} for each repository, and one with `repository` null and
an `error` (as in `ocireg help exists`) where the list breaks off.",
    exit_codes!()
);

const PING_HELP: &str = concat!(
    "\
SCHEME is anonymous, bearer or basic, or the name of another; `-` where there is no answer of a registry.
It is asked without a login: see `ocireg help check-login`.

Examples:
  $ ocireg ping localhost:5000
  localhost:5000 anonymous

--json prints {\"registry\", \"auth\", \"error\"} for each registry; `error` as in `ocireg help exists`.",
    exit_codes!()
);

const CHECK_LOGIN_HELP: &str = "\
Says whether the registry accepts the login given with --username and --password-stdin, --token-stdin or
--identity-token-stdin. A registry that asks for no login accepts any; and that a login is accepted says
nothing about any repository. `-` where there is no answer.

Examples:
  $ ocireg check-login --username me --password-stdin localhost:5000 < password.txt
  localhost:5000 ok

--json prints {\"registry\", \"login\": \"ok\"|\"refused\"|null, \"error\"}; `error` as in `ocireg help exists`.

Exit codes:
  0  accepted
  3  refused, or none was given and the registry asks for one
  2  anything else: no answer, not a registry, wrong usage
  The reason is on standard error.";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_grammar_is_sound() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn options_before_and_after_the_subcommand_add_up() {
        let line = CommandLine::try_parse_from([
            "ocireg",
            "-v",
            "--plain-http=a:1",
            "--timeout=1s",
            "--retries=1",
            "exists",
            "x",
            "--plain-http",
            "y",
            "-v",
            "--timeout=2s",
            "--json",
        ])
        .unwrap();
        let options = line.options.then(line.command.options());
        let one = Scope::One("a:1".parse().unwrap());
        assert_eq!(options.plain_http, [one, Scope::Every]);
        assert_eq!(options.timeout, Some(Duration::from_secs(2)));
        assert_eq!((options.retries, options.verbose), (Some(1), 2));
        assert!(options.json);
        // An option's value never swallows a reference.
        let Command::Exists(args) = line.command else {
            panic!("another command");
        };
        assert_eq!(args.lookup.references, ["x", "y"]);
    }
}
