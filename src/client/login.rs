//! Are the credentials good: `GET /v2/`, with all that authentication takes.

use super::handle::Client;
use super::request::{Access, Request};
use crate::auth::TokenLogin;
use crate::error::{Error, ErrorKind, Result};
use crate::reference::Registry;

impl Client {
    /// Checks that the registry accepts the credentials given for it. One to three requests.
    ///
    /// A registry that asks for no login accepts any. That a login is accepted says nothing about
    /// any repository.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unauthorized`] where the credentials are refused, or none were given and the
    /// registry asks for some; [`ErrorKind::Protocol`] where it is no registry, and the failures of
    /// any request.
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
        let call = self.call(registry, registry);
        let state = call.state();
        state.session.forget_logins();
        let nothing_given = state.session.credentials().is_empty();
        let wanted = |cause: Error| {
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
                .about(registry)
        };
        let request = Request::ping(Access::Scopes(Vec::new()));
        let answer = match call.send(&request, |answer| Ok(answer.complete()?)) {
            Err(error) if nothing_given && error.kind() == ErrorKind::Denied => {
                return Err(wanted(error));
            }
            result => result?,
        };
        let login = answer.shown.token().map(|token| token.login());
        match (answer.status, login) {
            // The registry's own page for everybody: it knows nobody by that.
            (200, Some(TokenLogin::Anonymous)) => Err(wanted(Error::new(
                ErrorKind::Denied,
                "what it gives to anybody is no login",
            ))),
            (200, Some(TokenLogin::Withheld)) => Err(match answer.shown.token() {
                Some(token) => call.subject().withheld(token.service()),
                None => call.subject().refusal(answer),
            }),
            (200, _) => call.expect_registry(&answer),
            _ => match call.refusal(answer) {
                error if nothing_given && error.kind() == ErrorKind::Denied => Err(wanted(error)),
                error if error.kind() == ErrorKind::NotFound => Err(call.confirm_registry(error)),
                error => Err(error),
            },
        }
    }
}
