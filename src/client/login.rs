//! Are the credentials good: `GET /v2/`, with all that authentication takes.

use super::Client;
use super::send::{Access, Ask};
use crate::error::{Error, ErrorKind, Result};
use crate::reference::Registry;

impl Client {
    /// Checks that the registry accepts the credentials given for it. One to three requests.
    ///
    /// A registry that asks for no login accepts any. That a login is accepted says nothing about any repository.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unauthorized`] where the credentials are refused, or none were given and the registry asks for some;
    /// [`ErrorKind::Protocol`] where it is no registry, and the failures of any request.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), ocireg::Error> {
    /// let client = ocireg::Client::builder().basic("registry.example.com", "user", "password").build()?;
    /// client.check_login(&"registry.example.com".parse()?)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn check_login(&self, registry: &Registry) -> Result<()> {
        let call = self.call(registry, registry);
        let ask = Ask::ping(Access::Scopes(Vec::new()));
        let answer = call.send(&ask, |answer| Ok(answer.complete()?))?;
        if answer.status == 200 {
            return call.expect_registry(&answer);
        }
        let nothing_given = call.state().session.credentials().is_empty();
        let error = answer.into_error(&call);
        match error.kind() {
            ErrorKind::Denied if nothing_given => {
                Err(Error::new(ErrorKind::Unauthorized, error.message())
                    .with_hint("give a user name and password or a token for this registry")
                    .with_http_status(error.http_status().unwrap_or_default())
                    .caused_by(error)
                    .about(registry))
            }
            ErrorKind::NotFound => Err(call.confirm_absence(error)),
            _ => Err(error),
        }
    }
}
