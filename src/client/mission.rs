//! A request on its way: what it carries to whom, and how far it may be redirected.

use std::borrow::Cow;

use super::call::Call;
use super::origins::RegistryState;
use super::send::{Ask, Trouble};
use crate::auth::{Authorization, Secret, Service};
use crate::error::{Error, ErrorKind};
use crate::http::{Content, Method, Request};
use crate::policy::redirect;
use crate::url::Url;

/// A request on its way, through the redirects it is sent on.
pub(super) struct Mission<'a> {
    method: Method,
    pub(super) url: Url,
    accept: &'a str,
    /// Fields that only the first origin may see.
    private: Vec<(&'a str, &'a str)>,
    body: Option<&'a Secret>,
    roaming: Roaming,
}

/// How far redirects may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Roaming {
    /// To other servers, which see nothing private.
    Anywhere,
    /// Within the origin: a token must come from whom it was asked of (S18).
    SameOrigin,
    /// Nowhere: a form with a secret in it is given once.
    Nowhere,
}

impl<'a> Mission<'a> {
    pub(super) fn to_registry(
        call: &Call<'_>,
        state: &'a RegistryState,
        ask: &'a Ask<'_>,
        sent: &'a Authorization,
    ) -> Result<Mission<'a>, Box<Trouble>> {
        let url = Url::on(&state.origin, &ask.target).map_err(|bad| {
            let error = Error::new(ErrorKind::Protocol, "the request can't be put into a URL")
                .caused_by(bad);
            Trouble::fatal(error.about(call.subject))
        })?;
        let mut private: Vec<(&str, &str)> = state
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose()))
            .collect();
        private.extend(sent.header().map(|value| ("authorization", value.expose())));
        Ok(Mission {
            method: ask.method,
            url,
            accept: &ask.accept,
            private,
            body: None,
            roaming: Roaming::Anywhere,
        })
    }

    /// A token request: with `basic` for a GET, or a POST of `form`.
    pub(super) fn to_service(
        service: &Service,
        basic: Option<&'a Secret>,
        form: Option<&'a Secret>,
    ) -> Mission<'a> {
        let mut private = Vec::new();
        private.extend(basic.map(|value| ("authorization", value.expose())));
        let (method, roaming) = match form {
            Some(_) => (Method::Post, Roaming::Nowhere),
            None => (Method::Get, Roaming::SameOrigin),
        };
        Mission {
            method,
            url: service.realm.clone(),
            accept: "application/json",
            private,
            body: form,
            roaming,
        }
    }

    /// Whether it gives something away that should be given once.
    pub(super) fn is_form(&self) -> bool {
        self.body.is_some()
    }

    /// The request for one hop. Headers are made anew for each: what one origin may see, another
    /// may not, and what has been elsewhere does not get it back (S2).
    pub(super) fn request<'r>(
        &'r self,
        call: &'r Call<'_>,
        url: Url,
        strayed: bool,
    ) -> Request<'r> {
        let mut headers: Vec<(&str, Cow<'_, str>)> = vec![
            (
                "user-agent",
                Cow::Borrowed(&call.client.settings.user_agent),
            ),
            ("accept", Cow::Borrowed(self.accept)),
            // A digest is over the bytes as they are stored (E11).
            ("accept-encoding", Cow::Borrowed("identity")),
        ];
        if !strayed {
            headers.extend(
                self.private
                    .iter()
                    .map(|(name, value)| (*name, Cow::Borrowed(*value))),
            );
        }
        if self.body.is_some() {
            headers.push((
                "content-type",
                Cow::Borrowed("application/x-www-form-urlencoded"),
            ));
        }
        Request {
            method: self.method,
            url,
            headers,
            content: match self.body {
                Some(body) => Content::Bytes(body.expose().as_bytes()),
                None => Content::Nothing,
            },
        }
    }

    /// Where a redirect leads from the last of `visited`.
    pub(super) fn next(
        &self,
        visited: &[Url],
        location: Option<&str>,
    ) -> Result<Url, redirect::Refused> {
        let next = redirect::follow(visited, location)?;
        let allowed = match self.roaming {
            Roaming::Anywhere => true,
            Roaming::SameOrigin => next.origin() == self.url.origin(),
            Roaming::Nowhere => false,
        };
        if allowed {
            Ok(next)
        } else {
            Err(redirect::Refused::elsewhere(&next))
        }
    }
}
