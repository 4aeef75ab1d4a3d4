//! The credentials that the caller gave for one registry.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Secret;
use crate::error::{Error, ErrorKind, Result};

/// The credentials of one registry. No other registry gets them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Credentials {
    /// `Basic …`, ready to send.
    basic: Option<Secret>,
    /// `Bearer …`, ready to send.
    bearer: Option<Secret>,
    identity: Option<Secret>,
}

impl Credentials {
    /// Sets user name and password (RFC 7617). They are sent as UTF-8, because registries read them
    /// so.
    pub(crate) fn set_basic(&mut self, user: &str, password: &str) -> Result<()> {
        // RFC 7617: the first colon ends the user name, and control characters are not allowed.
        if user.is_empty() || user.contains(':') || user.chars().any(char::is_control) {
            let message = "the user name is empty, or has a colon or a control character in it";
            return Err(Error::new(ErrorKind::Config, message));
        }
        if password.chars().any(char::is_control) {
            let message = "the password has a control character in it";
            return Err(Error::new(ErrorKind::Config, message)
                .with_hint("a line end often comes with a password from a file; leave it out"));
        }
        let pair = Secret::new(format!("{user}:{password}"));
        let encoded = Secret::new(STANDARD.encode(pair.expose()));
        self.basic = Some(Secret::new(format!("Basic {}", encoded.expose())));
        Ok(())
    }

    /// Sets a token that the registry itself accepts.
    pub(crate) fn set_bearer(&mut self, token: &str) -> Result<()> {
        check_token(token)?;
        self.bearer = Some(Secret::new(format!("Bearer {token}")));
        Ok(())
    }

    /// Sets a token that the registry's token service exchanges for others: a refresh token of
    /// OAuth2, which docker calls `identitytoken`.
    pub(crate) fn set_identity(&mut self, token: &str) -> Result<()> {
        check_token(token)?;
        self.identity = Some(Secret::new(token));
        Ok(())
    }

    pub(crate) fn basic(&self) -> Option<&Secret> {
        self.basic.as_ref()
    }

    pub(crate) fn bearer(&self) -> Option<&Secret> {
        self.bearer.as_ref()
    }

    pub(crate) fn identity(&self) -> Option<&Secret> {
        self.identity.as_ref()
    }

    /// All that is secret in them: the password, what is sent in its place, and the tokens.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let bare = |header: &Secret| {
            header
                .expose()
                .split_once(' ')
                .map(|(_, it)| Secret::new(it))
        };
        let encoded = self.basic.as_ref().and_then(bare);
        let password = encoded.as_ref().and_then(password_in);
        let bearer = self.bearer.as_ref().and_then(bare);
        let all = [encoded, password, bearer, self.identity.clone()];
        all.into_iter().flatten().collect()
    }

    /// Whether there are credentials that a token service accepts.
    pub(crate) fn are_for_token_service(&self) -> bool {
        self.basic.is_some() || self.identity.is_some()
    }

    /// Whether an identity token is all there is.
    pub(crate) fn are_identity_alone(&self) -> bool {
        self.identity.is_some() && self.basic.is_none() && self.bearer.is_none()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.basic.is_none() && self.bearer.is_none() && self.identity.is_none()
    }
}

/// The password in the Base64 of user name and password.
fn password_in(encoded: &Secret) -> Option<Secret> {
    let pair = String::from_utf8(STANDARD.decode(encoded.expose()).ok()?).ok()?;
    let pair = Secret::new(pair);
    let (_, password) = pair.expose().split_once(':')?;
    Some(Secret::new(password))
}

/// Whether the text is not empty and all visible ASCII. Anything else in a header could add lines
/// to the request.
pub(crate) fn is_visible_ascii(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| (b'!'..=b'~').contains(&byte))
}

fn check_token(token: &str) -> Result<()> {
    if is_visible_ascii(token) {
        return Ok(());
    }
    let message =
        "the token is empty, or has a space or another character in it that tokens do not have";
    Err(Error::new(ErrorKind::Config, message)
        .with_hint("a line end often comes with a token from a file; leave it out"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b8_user_and_password_are_utf8_and_only_the_password_may_have_a_colon() {
        let cases = [
            ("user", "pass", "Basic dXNlcjpwYXNz"),
            ("user", "pa:ss", "Basic dXNlcjpwYTpzcw=="),
            ("AWS", "", "Basic QVdTOg=="),
            ("jürgen", "geheim€", "Basic asO8cmdlbjpnZWhlaW3igqw="),
        ];
        for (user, password, expected) in cases {
            let mut credentials = Credentials::default();
            credentials.set_basic(user, password).unwrap();
            assert_eq!(credentials.basic().map(Secret::expose), Some(expected));
        }
        for (user, password) in [
            ("", "x"),
            ("a:b", "x"),
            ("a\n", "x"),
            ("a", "x\r\n"),
            ("a", "\0"),
        ] {
            let error = Credentials::default()
                .set_basic(user, password)
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{user:?} {password:?}");
        }
    }

    #[test]
    fn s12_a_token_is_visible_ascii() {
        for token in ["", "a b", "a\n", "a\r\nHost: evil", "ü"] {
            let mut credentials = Credentials::default();
            assert!(credentials.set_bearer(token).is_err(), "{token:?}");
            assert!(credentials.set_identity(token).is_err(), "{token:?}");
            assert!(credentials.is_empty());
        }
    }

    #[test]
    fn s15_debug_shows_no_secret() {
        let mut credentials = Credentials::default();
        credentials.set_basic("CANARYUSER", "CANARYPASS").unwrap();
        credentials.set_bearer("CANARYTOKEN").unwrap();
        credentials.set_identity("CANARYIDENTITY").unwrap();
        let shown = format!("{credentials:?}");
        assert!(
            !shown.contains("CANARY") && !shown.contains("Q0FOQVJZ"),
            "{shown}"
        );
    }
}
