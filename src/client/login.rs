//! Are the credentials good: `GET /v2/`, with all that authentication takes.

use super::answer::Complete;
use super::call::Call;
use super::handle::Client;
use super::known_failures::KnownFailures;
use super::request::{Access, Request};
use crate::auth::{Authorization, TokenLogin};
use crate::error::{Error, ErrorKind, Result};
use crate::reference::Registry;

impl Client {
    /// Checks that the registry accepts the credentials given for it. One to four requests.
    ///
    /// That credentials are accepted says nothing about any repository. They are sent even if the
    /// registry has just refused them. If none were given, a registry that asks for none is `Ok`.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Unauthorized`]: the registry refuses the credentials, or it asks for some and
    ///   none were given.
    /// - [`ErrorKind::Config`]: the credentials were not sent, and another setting lets them be
    ///   sent. The token service is not trusted, or the registry takes no identity tokens.
    /// - [`ErrorKind::Unsupported`]: nothing tells. The registry answers everybody and asks for no
    ///   login, so the credentials were not sent; or its token service does not look at the
    ///   identity token.
    /// - [`ErrorKind::Protocol`]: it is no registry.
    /// - The failures of any request.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), ocireg::Error> {
    /// let builder = ocireg::Client::builder();
    /// let client = builder.basic("registry.example.com", "user", "password").build()?;
    /// client.check_login(&"registry.example.com".parse()?)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn check_login(&self, registry: &Registry) -> Result<()> {
        let named = KnownFailures::default();
        let call = Call {
            known_failures: Some(&named),
            ..self.call(registry, registry)
        };
        call.state().forget_login();
        let nothing_given = call.state().session.credentials().is_empty();
        let request = Request::ping(Access::Offered(Vec::new()));
        let result = call
            .send(&request, |answer| Ok(answer.complete()?))
            .and_then(|answer| call.expect_login(answer));
        match result {
            Err(error) if nothing_given && error.kind() == ErrorKind::Denied => {
                Err(call.login_wanted(error))
            }
            Err(error) if error.kind() == ErrorKind::Unauthorized => {
                Err(call.login_not_sent().unwrap_or(error))
            }
            result => result,
        }
    }
}

impl Call<'_> {
    /// What an answer to the ping says of the credentials.
    fn expect_login(&self, answer: Complete) -> Result<()> {
        if answer.status != 200 {
            return match self.refusal(answer) {
                error if error.kind() == ErrorKind::NotFound => Err(self.confirm_registry(error)),
                error => Err(error),
            };
        }
        self.expect_registry(&answer)?;
        let credentials = self.state.session.credentials();
        match &answer.shown {
            Authorization::None if !credentials.is_empty() => Err(self.subject().login_unasked()),
            Authorization::Token(token) => match token.login() {
                // What it gives to everybody: it knows nobody by that.
                TokenLogin::Anonymous => Err(Error::new(
                    ErrorKind::Denied,
                    "what it gives to anybody is no login",
                )),
                TokenLogin::Withheld => Err(self.subject().withheld_login(token.service())),
                TokenLogin::Known if credentials.are_identity_alone() => {
                    self.expect_identity_was_read(token.service())
                }
                TokenLogin::Known => Ok(()),
            },
            Authorization::None | Authorization::Basic(_) | Authorization::Bearer(_) => Ok(()),
        }
    }

    /// The error of credentials that were not sent to the token service that the registry has
    /// named.
    fn login_not_sent(&self) -> Option<Error> {
        let service = self.service_named_in_group()?;
        match self.token_login(&service) {
            Ok(TokenLogin::Withheld) => Some(self.subject().withheld_login(&service)),
            _ => None,
        }
    }

    fn login_wanted(&self, cause: Error) -> Error {
        let error = Error::new(
            ErrorKind::Unauthorized,
            "the registry asks for a login, and none was given for it",
        );
        let error = match cause.http_status() {
            Some(status) => error.with_http_status(status),
            None => error,
        };
        error
            .with_registry_errors(cause.registry_errors().to_vec())
            .with_hint("give a user name and password or a token for this registry")
            .caused_by(cause)
            .about(self.about)
    }
}
