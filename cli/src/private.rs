//! Logins and header fields. Each is for one registry and must reach no other.
//!
//! The user names the registry, or the arguments name only one. The registry is known before the
//! secret is read, and before anything is asked.

use std::fmt;
use std::io::{self, Read};

use ocireg::{ClientBuilder, Registry};

use crate::options::{EVERY, Options, Scope};
use crate::output::{Stop, tell};

/// An option's value that may be a secret. It appears neither in clap's errors nor in `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Hidden(String);

impl Hidden {
    /// Accepts any text. It is parsed later, by code whose errors do not show it.
    pub(crate) fn parse(text: &str) -> Result<Hidden, std::convert::Infallible> {
        Ok(Hidden(text.to_owned()))
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// The registries that the arguments name.
#[derive(Debug)]
pub(crate) struct Named {
    registries: Vec<Registry>,
    /// Whether standard input may name more.
    more_from_input: bool,
}

impl Named {
    pub(crate) fn new(registries: impl IntoIterator<Item = Registry>) -> Named {
        let mut named = Named {
            registries: Vec::new(),
            more_from_input: false,
        };
        for registry in registries {
            if !named.registries.contains(&registry) {
                named.registries.push(registry);
            }
        }
        named
    }

    pub(crate) fn and_more_from_input(mut self) -> Named {
        self.more_from_input = true;
        self
    }

    /// The registry that `option` is for: the one that was given with it, or the only one that is
    /// named. `None` if no registry is named.
    fn owner(&self, option: &str, given: Option<Registry>) -> Result<Option<Registry>, Stop> {
        let list = || {
            let names: Vec<&str> = self.registries.iter().map(Registry::as_str).collect();
            names.join(", ")
        };
        match (given, &self.registries[..]) {
            (Some(registry), asked) => {
                // The value is not printed: it may be a secret in the wrong place.
                if !self.more_from_input && !asked.is_empty() && !asked.contains(&registry) {
                    let asked = list();
                    tell(&format!(
                        "warning: {option} is for another registry than {asked}, and is not used"
                    ));
                }
                Ok(Some(registry))
            }
            // The first line of standard input must not decide who gets a secret.
            (None, _) if self.more_from_input => Err(usage(format!(
                "{option} needs REGISTRY=, because standard input may name any registry"
            ))),
            (None, []) => Ok(None),
            (None, [only]) => Ok(Some(only.clone())),
            (None, _) => Err(usage(format!(
                "{option} needs REGISTRY=, because several registries are named: {}",
                list()
            ))),
        }
    }
}

/// The login and the header fields of the command line.
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
    /// Finds the registry of each option, and then reads the secret from standard input.
    pub(crate) fn read(options: &Options, named: &Named) -> Result<Private, Stop> {
        let mut private = Private::default();
        // These are no secrets. But with a typing mistake in the name, the registry would be asked
        // without the encryption that the user wants.
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
                "standard input can give only one password or token".to_owned(),
            ));
        }
        if secrets == 1 && named.more_from_input {
            let why = "standard input can't give both a secret and references; \
                give the references as arguments";
            return Err(usage(why.to_owned()));
        }
        private.login = match (&options.username[..], options.password_stdin) {
            ([], false) => read_token(options, named)?,
            ([], true) => return Err(usage("--password-stdin needs --username".to_owned())),
            (_, false) => return Err(usage("--username needs --password-stdin".to_owned())),
            ([user], true) => read_password(user, named)?,
            _ => {
                let why = "--username is given several times, but there is only one password";
                return Err(usage(why.to_owned()));
            }
        };
        Ok(private)
    }

    /// Adds the login and the header fields to a client's settings.
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
/// The longest secret. It is several times the longest token: those of clouds have some KiB.
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
                "{option}=REGISTRY: this is not a registry; the token itself goes to standard input"
            ))
        })?),
    };
    let Some(registry) = named.owner(option, registry)? else {
        return Ok(None);
    };
    Ok(Some((registry, login(from_input("token")?))))
}

/// Splits `[REGISTRY=]NAME: VALUE`. A header's name has no colon and no equals sign, and a registry
/// has no space, so there is only one way to split it.
fn split_header(typed: &Hidden) -> Result<(Option<Registry>, String, Hidden), Stop> {
    let Some((before, value)) = typed.0.split_once(": ") else {
        let why = "--header must have the form 'NAME: VALUE' or 'REGISTRY=NAME: VALUE'";
        return Err(usage(why.to_owned()));
    };
    let (registry, name) = match before.split_once('=') {
        Some((registry, name)) => (Some(parse_registry(HEADER, registry)?), name),
        None => (None, before),
    };
    Ok((registry, name.to_owned(), Hidden(value.to_owned())))
}

/// Parses the registry of an option whose value begins with `REGISTRY=`.
fn parse_registry(option: &str, typed: &str) -> Result<Registry, Stop> {
    typed.parse().map_err(|_| {
        usage(format!(
            "{option}: the text before the first '=' must be a registry, such as localhost:5000"
        ))
    })
}

/// Reads all of standard input, and removes the final line end.
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
    // An unset variable or a missing file gives an empty input.
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
    fn the_final_line_end_is_not_part_of_a_secret() {
        let cases: [(&[u8], Result<&str, &str>); 11] = [
            (b"pass", Ok("pass")),
            (b"pass\n", Ok("pass")),
            (b"pass\r\n", Ok("pass")),
            (b" pass \n", Ok(" pass ")),
            // The client refuses these, since a line end may be a mistake.
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
