//! The command line: the subcommands and their arguments.

use std::num::NonZeroU32;
use std::time::Duration;

use clap::builder::{RangedU64ValueParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, Parser, Subcommand};
use ocireg::{CallOptions, MediaType};

use crate::duration;
use crate::help;
use crate::options::Options;
use crate::text::{lines, shortened};

/// Reads the command line.
pub(crate) fn read() -> Result<(Command, Options), Instead> {
    let line = CommandLine::try_parse()?;
    let options = line.options.then(line.command.options());
    Ok((line.command, options))
}

/// What is printed where nothing can be asked.
#[derive(Debug)]
pub(crate) enum Instead {
    /// Help or the version, which the user wants.
    Help(String),
    /// What is wrong with the command line.
    Usage(String),
}

impl From<clap::Error> for Instead {
    fn from(error: clap::Error) -> Instead {
        let (kind, for_stderr) = (error.kind(), error.use_stderr());
        let text = without_secrets(error).render().to_string();
        match kind {
            _ if !for_stderr => Instead::Help(text),
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Instead::Usage(text),
            // It quotes what the user typed, or what a script made of a server's answer.
            _ => Instead::Usage(format!("{}\n", shortened(&lines(&text)))),
        }
    }
}

#[derive(Debug, Parser)]
#[command(
    name = "ocireg",
    version,
    about = help::ABOUT,
    long_about = help::LONG_ABOUT,
    after_help = help::AFTER_HELP,
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
    /// Tell whether images exist
    #[command(after_help = help::EXISTS, next_line_help = true)]
    Exists(ExistsArgs),
    /// Print the digests of images
    #[command(after_help = help::DIGEST, next_line_help = true)]
    Digest(LookupArgs),
    /// Print the digests, media types and sizes of images
    #[command(after_help = help::HEAD, next_line_help = true)]
    Head(LookupArgs),
    /// List the tags that are the same image
    #[command(after_help = help::FIND, next_line_help = true)]
    Find(FindArgs),
    /// List the tags of a repository
    #[command(after_help = help::TAGS, next_line_help = true)]
    Tags(TagsArgs),
    /// List the repositories of a registry
    #[command(after_help = help::CATALOG, next_line_help = true)]
    Catalog(CatalogArgs),
    /// Tell whether a registry answers, and how it wants a login
    #[command(after_help = help::PING, next_line_help = true)]
    Ping(PingArgs),
    /// Tell whether a registry accepts a login
    #[command(after_help = help::CHECK_LOGIN, next_line_help = true)]
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
    /// Ask again until all images exist, for at most this long: 30s, 10m.
    /// Stops early if a registry denies an image, or if waiting can't help
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
    #[command(flatten)]
    pub(crate) manifests: ManifestArgs,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Args)]
pub(crate) struct FindArgs {
    /// An image, such as localhost:5000/team/app:latest, or a digest in a
    /// repository: localhost:5000/team/app@sha256:...
    #[arg(value_name = "REF", verbatim_doc_comment)]
    pub(crate) reference: String,
    #[command(flatten)]
    pub(crate) manifests: ManifestArgs,
    #[command(flatten)]
    options: Options,
}

/// Options of the subcommands that look manifests up.
#[derive(Debug, Args)]
pub(crate) struct ManifestArgs {
    /// Also accept manifests of this media type. Images and image indexes
    /// are always accepted. Repeatable
    #[arg(long, value_name = "TYPE", verbatim_doc_comment)]
    accept: Vec<MediaType>,
    /// Requests to one registry at the same time, from 1 to 64
    #[arg(
        long,
        value_name = "N",
        default_value_t = 8,
        value_parser = clap::value_parser!(u8).range(1..=64)
    )]
    concurrency: u8,
}

impl ManifestArgs {
    /// The settings of the calls that look manifests up.
    pub(crate) fn call_options(self) -> CallOptions {
        self.accept
            .into_iter()
            .fold(CallOptions::new(), CallOptions::accept)
            .concurrency(self.concurrency.into())
    }
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
    /// A host with an optional port, such as localhost:5000
    #[arg(value_name = "REGISTRY")]
    pub(crate) registry: String,
    #[command(flatten)]
    pub(crate) list: ListArgs,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Args)]
pub(crate) struct PingArgs {
    /// Hosts with an optional port, such as localhost:5000.
    /// `-` reads them from standard input
    #[arg(value_name = "REGISTRY", required = true, verbatim_doc_comment)]
    pub(crate) registries: Vec<String>,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Args)]
pub(crate) struct CheckLoginArgs {
    /// A host with an optional port, such as localhost:5000
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
    /// Ask for pages of this many entries; the registry may choose another
    /// size. If it cuts the list off at this size, the rest is asked for, or
    /// the list fails. Default: the registry's choice
    #[arg(long, value_name = "N", value_parser = page_size(), verbatim_doc_comment)]
    pub(crate) page_size: Option<NonZeroU32>,
}

/// Reads a page size. clap's own parser of [`NonZeroU32`] does not say which numbers it accepts.
fn page_size() -> impl TypedValueParser<Value = NonZeroU32> {
    RangedU64ValueParser::<u32>::new()
        .range(1..)
        .try_map(NonZeroU32::try_from)
}

/// Removes a secret that was given in the wrong place (`--password-stdin=SECRET`), since clap
/// repeats what it can't use and the error may end up in a log.
fn without_secrets(mut error: clap::Error) -> clap::Error {
    let about = error.get(ContextKind::InvalidArg).map(ToString::to_string);
    if about.is_some_and(|option| option.contains("-stdin")) {
        let hidden = ContextValue::String("…".to_owned());
        error.insert(ContextKind::InvalidValue, hidden);
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Scope;
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
