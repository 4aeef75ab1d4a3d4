//! What is given for one registry and must reach no other: a login, header fields (decision 14).
//!
//! It is given for a registry by name, or, where the arguments name only one, for that one. Which
//! it is, is settled before the secret is read and before anything is asked.

use std::fmt;
use std::io::{self, Read};

use ocireg::{ClientBuilder, Registry};

use crate::args::{EVERY, Options, Scope};
use crate::output::{Stop, tell};

/// An option's value that may be a secret, or be mistaken for one: kept out of clap's errors and of
/// `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Hidden(String);

impl Hidden {
    /// Any text will do; what it means is read later, and complained about without showing it.
    pub(crate) fn parse(text: &str) -> Result<Hidden, std::convert::Infallible> {
        Ok(Hidden(text.to_owned()))
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// The registries that a run may ask, as far as its arguments tell.
#[derive(Debug)]
pub(crate) struct Named {
    registries: Vec<Registry>,
    /// Standard input names others.
    pub(crate) from_input: bool,
}

impl Named {
    pub(crate) fn new(registries: impl IntoIterator<Item = Registry>, from_input: bool) -> Named {
        let mut named = Named {
            registries: Vec::new(),
            from_input,
        };
        for registry in registries {
            if !named.registries.contains(&registry) {
                named.registries.push(registry);
            }
        }
        named
    }

    /// Whose `option` is: of the registry it names, or else of the only one there is. `None` where
    /// there is none to ask.
    fn owner(&self, option: &str, given: Option<Registry>) -> Result<Option<Registry>, Stop> {
        let list = || {
            let names: Vec<&str> = self.registries.iter().map(Registry::as_str).collect();
            names.join(", ")
        };
        match (given, &self.registries[..]) {
            (Some(registry), asked) => {
                // What was given is not shown: it may be a secret in the wrong place.
                if !self.from_input && !asked.is_empty() && !asked.contains(&registry) {
                    let asked = list();
                    tell(&format!(
                        "warning: {option} is for another registry than {asked}, and is not used"
                    ));
                }
                Ok(Some(registry))
            }
            // The first line must not decide who gets a secret.
            (None, _) if self.from_input => Err(usage(format!(
                "{option} does not say for which registry, and standard input may name any: say it with REGISTRY="
            ))),
            (None, []) => Ok(None),
            (None, [only]) => Ok(Some(only.clone())),
            (None, _) => Err(usage(format!(
                "{option} does not say for which of these registries it is (say it with REGISTRY=): {}",
                list()
            ))),
        }
    }
}

/// What the command line gives for single registries.
#[derive(Debug, Default)]
pub(crate) struct Private {
    login: Option<(Registry, Login)>,
    headers: Vec<(Registry, String, Hidden)>,
}

#[derive(Debug)]
enum Login {
    Password { user: Hidden, password: Hidden },
    Token(Hidden),
    IdentityToken(Hidden),
}

impl Private {
    /// Settles what is for whom, and then reads the secret from standard input.
    pub(crate) fn read(options: &Options, named: &Named) -> Result<Private, Stop> {
        let mut private = Private::default();
        // Nothing secret, but a slip in a name would leave a registry without the encryption that
        // was asked for.
        for (option, scopes) in [
            ("--https", &options.https),
            ("--plain-http", &options.plain_http),
        ] {
            for registry in scopes.iter().filter_map(Scope::registry) {
                named.owner(option, Some(registry.clone()))?;
            }
        }
        for header in &options.header {
            let (registry, name, value) = split_header(header)?;
            if let Some(registry) = named.owner(HEADER, registry)? {
                private.headers.push((registry, name, value));
            }
        }
        let tokens = options.token_stdin.len() + options.identity_token_stdin.len();
        let secrets = tokens + usize::from(options.password_stdin);
        if secrets > 1 {
            return Err(usage(
                "standard input gives one password or token, not several".to_owned(),
            ));
        }
        if secrets == 1 && named.from_input {
            let why = "standard input can't give both a secret and what to ask about: give the latter as arguments";
            return Err(usage(why.to_owned()));
        }
        private.login = match (&options.username[..], options.password_stdin) {
            ([], false) => read_token(options, named)?,
            ([], true) => return Err(usage("--password-stdin needs --username".to_owned())),
            (_, false) => return Err(usage("--username needs --password-stdin".to_owned())),
            ([user], true) => read_password(user, named)?,
            _ => {
                let why =
                    "--username is given several times, and standard input gives one password";
                return Err(usage(why.to_owned()));
            }
        };
        Ok(private)
    }

    /// Gives the registries what is theirs.
    pub(crate) fn add_to(&self, mut builder: ClientBuilder) -> ClientBuilder {
        if let Some((registry, login)) = &self.login {
            let registry = registry.as_str();
            builder = match login {
                Login::Password { user, password } => builder.basic(registry, &user.0, &password.0),
                Login::Token(token) => builder.bearer(registry, &token.0),
                Login::IdentityToken(token) => builder.identity_token(registry, &token.0),
            };
        }
        for (registry, name, value) in &self.headers {
            builder = builder.add_header(registry.as_str(), name, &value.0);
        }
        builder
    }
}

const HEADER: &str = "--header";
const USERNAME: &str = "--username";
/// Several times the longest token (a cloud's identity tokens have some KiB).
const MAX_SECRET: u64 = 64 * 1024;

fn read_password(typed: &Hidden, named: &Named) -> Result<Option<(Registry, Login)>, Stop> {
    let (registry, user) = match typed.0.split_once('=') {
        Some((registry, user)) => (Some(parse_registry(USERNAME, registry)?), user),
        None => (None, &*typed.0),
    };
    let Some(registry) = named.owner(USERNAME, registry)? else {
        return Ok(None);
    };
    let login = Login::Password {
        user: Hidden(user.to_owned()),
        password: from_input("password")?,
    };
    Ok(Some((registry, login)))
}

fn read_token(options: &Options, named: &Named) -> Result<Option<(Registry, Login)>, Stop> {
    let (option, typed, login): (_, _, fn(Hidden) -> Login) =
        match (&options.token_stdin[..], &options.identity_token_stdin[..]) {
            ([typed, ..], _) => ("--token-stdin", typed, Login::Token),
            (_, [typed, ..]) => ("--identity-token-stdin", typed, Login::IdentityToken),
            _ => return Ok(None),
        };
    let registry = match &*typed.0 {
        EVERY => None,
        registry => Some(registry.parse().map_err(|_| {
            usage(format!(
                "{option}=REGISTRY: that is no registry; the token itself comes on standard input"
            ))
        })?),
    };
    let Some(registry) = named.owner(option, registry)? else {
        return Ok(None);
    };
    Ok(Some((registry, login(from_input("token")?))))
}

/// `[REGISTRY=]NAME: VALUE`. Neither a registry nor a header's name has a colon before a blank or
/// an equals sign, so this has one meaning.
fn split_header(typed: &Hidden) -> Result<(Option<Registry>, String, Hidden), Stop> {
    let Some((before, value)) = typed.0.split_once(": ") else {
        let why = "--header is not of the form 'NAME: VALUE' or REGISTRY='NAME: VALUE'";
        return Err(usage(why.to_owned()));
    };
    let (registry, name) = match before.split_once('=') {
        Some((registry, name)) => (Some(parse_registry(HEADER, registry)?), name),
        None => (None, before),
    };
    Ok((registry, name.to_owned(), Hidden(value.to_owned())))
}

/// Of an option whose value begins with `REGISTRY=`.
fn parse_registry(option: &str, typed: &str) -> Result<Registry, Stop> {
    typed.parse().map_err(|_| {
        usage(format!(
            "{option}: what stands before the first '=' is no registry, such as localhost:5000"
        ))
    })
}

/// All of standard input, without the end of its line.
fn from_input(what: &str) -> Result<Hidden, Stop> {
    let mut bytes = Vec::new();
    let read = io::stdin()
        .lock()
        .take(MAX_SECRET + 1)
        .read_to_end(&mut bytes);
    read.map_err(|error| Stop::Failed(format!("can't read standard input: {error}")))?;
    secret(what, bytes).map_err(usage)
}

fn secret(what: &str, bytes: Vec<u8>) -> Result<Hidden, String> {
    if bytes.len() as u64 > MAX_SECRET {
        return Err(format!(
            "the {what} on standard input is longer than 64 KiB"
        ));
    }
    let mut text = String::from_utf8(bytes)
        .map_err(|_| format!("the {what} on standard input is not UTF-8"))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    // What an unset variable or a missing file gives.
    if text.is_empty() {
        return Err(format!("there is no {what} on standard input"));
    }
    Ok(Hidden(text))
}

fn usage(why: String) -> Stop {
    Stop::Failed(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_is_no_part_of_a_secret() {
        let cases: [(&[u8], Result<&str, &str>); 11] = [
            (b"pass", Ok("pass")),
            (b"pass\n", Ok("pass")),
            (b"pass\r\n", Ok("pass")),
            (b" pass \n", Ok(" pass ")),
            // A client refuses these: what follows a line end was not meant, or is.
            (b"pass\n\n", Ok("pass\n")),
            (b"pass\r", Ok("pass\r")),
            (b"a\nb\n", Ok("a\nb")),
            ("geheim€\n".as_bytes(), Ok("geheim€")),
            (b"", Err("there is no password on standard input")),
            (b"\r\n", Err("there is no password on standard input")),
            (
                b"\xff\n",
                Err("the password on standard input is not UTF-8"),
            ),
        ];
        for (bytes, expected) in cases {
            let found = secret("password", bytes.to_vec());
            let expected = expected.map(|text| Hidden(text.to_owned()));
            assert!(found == expected.map_err(str::to_owned), "{bytes:?}");
        }
        let longest = vec![b'x'; 64 * 1024];
        assert!(secret("token", longest.clone()).is_ok());
        assert!(secret("token", [longest, b"x".to_vec()].concat()).is_err());
    }

    #[test]
    fn a_header_has_one_meaning() {
        let cases = [
            ("X-Key: v", Some((None, "X-Key", "v"))),
            ("X-Key: a=b: c", Some((None, "X-Key", "a=b: c"))),
            ("X-Key: ", Some((None, "X-Key", ""))),
            ("a.b=X-Key: v", Some((Some("a.b"), "X-Key", "v"))),
            (
                "localhost:5000=X: v",
                Some((Some("localhost:5000"), "X", "v")),
            ),
            ("[::1]:5000=X: v=w", Some((Some("[::1]:5000"), "X", "v=w"))),
            ("X-Key:v", None),
            ("X-Key", None),
            ("", None),
            ("a/b=X: v", None),
            ("=X: v", None),
        ];
        for (typed, expected) in cases {
            let found = split_header(&Hidden(typed.to_owned())).ok();
            let found = found.as_ref().map(|(registry, name, value)| {
                (registry.as_ref().map(Registry::as_str), &**name, &*value.0)
            });
            assert_eq!(found, expected, "{typed}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let hidden = Hidden::parse("CANARY");
        assert_eq!(format!("{hidden:?}"), "Ok(…)");
    }
}
