//! What a 401, 403 or 404 says about what was asked for. Gateways, default backends and login pages
//! send these statuses too, so the answer itself has to show that a registry says so.

use super::answer::{Complete, challenges, has_api_version};
use crate::auth::{Authorization, Product};
use crate::http::error_codes::{ErrorBody, Stated};
use crate::http::{Headers, Method};

/// What was asked, as far as the meaning of a refusal depends on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) method: Method,
    pub(crate) about: About<'a>,
    /// Whether the registry has asked for a login.
    pub(crate) has_challenged: bool,
    /// The software whose challenge is in force at the registry.
    pub(crate) product: Option<Product>,
}

/// What was asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About<'a> {
    /// A manifest of this repository.
    Manifest(&'a str),
    /// The tags of this repository.
    Tags(&'a str),
    /// The registry itself.
    Registry,
}

/// What a refusal says about what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The registry says that it does not have it.
    Absent,
    /// The registry refuses it.
    Denied,
    /// The registry has it in a media type that the request does not accept.
    OtherType,
    /// The answer does not say. Another request may tell.
    Open,
    /// The answer says nothing about it: another error of the registry, or another server.
    Nothing,
}

impl<'a> Asked<'a> {
    /// A question about the registry itself.
    pub(crate) fn registry() -> Asked<'a> {
        Asked {
            method: Method::Get,
            about: About::Registry,
            has_challenged: false,
            product: None,
        }
    }

    fn repository(&self) -> Option<&'a str> {
        match self.about {
            About::Manifest(repository) | About::Tags(repository) => Some(repository),
            About::Registry => None,
        }
    }
}

impl Meaning {
    /// The meaning of an answer. Of statuses other than 401, 403 and 404 it is nothing: there the
    /// status decides.
    pub(crate) fn of(answer: &Complete, asked: &Asked<'_>) -> Meaning {
        match (answer.status, asked.method) {
            (404, Method::Head) => of_head_404(&answer.headers),
            (404, _) => of_404(answer, asked),
            (401 | 403, _) if is_refusal(answer) || is_bare_401(answer, asked) => Meaning::Denied,
            // Only a body can tell (Spegel, GHCR).
            (401 | 403, Method::Head) => Meaning::Open,
            _ => Meaning::Nothing,
        }
    }
}

/// A HEAD has no body, so its header fields have to say that a registry answered.
///
/// Nexus answers HEAD with a marked 404 for images that it has. A marked page comes from a proxy
/// that adds the mark to all answers, as in distribution's own recipe for nginx.
fn of_head_404(headers: &Headers) -> Meaning {
    if has_api_version(headers) && !is_nexus(headers) && is_json_or_nothing(headers) {
        Meaning::Absent
    } else {
        Meaning::Open
    }
}

fn of_404(answer: &Complete, asked: &Asked<'_>) -> Meaning {
    if answer.body_is_lost {
        return Meaning::Nothing;
    }
    let body = ErrorBody::of(&answer.body);
    let denied = body.denies() || is_artifactory(&answer.headers) && body.denies_by_status();
    let errors = body.errors();
    match &body {
        _ if denied => Meaning::Denied,
        _ if errors.iter().any(Stated::is_about_accept) => Meaning::OtherType,
        _ if asked.about == About::Registry => Meaning::Absent,
        ErrorBody::Errors(_) if errors.iter().all(|error| is_missing(error, answer, asked)) => {
            Meaning::Absent
        }
        ErrorBody::Errors(errors) if is_red_hat_error(errors, &answer.headers) => Meaning::Absent,
        ErrorBody::Errors(_) => Meaning::Nothing,
        ErrorBody::Empty if has_api_version(&answer.headers) => Meaning::Absent,
        ErrorBody::Empty | ErrorBody::OtherJson(_) => Meaning::Open,
        ErrorBody::Other if is_red_hat_text(answer) => Meaning::Absent,
        ErrorBody::Other if is_gitea_text(answer, asked) => Meaning::Absent,
        ErrorBody::Other => Meaning::Nothing,
    }
}

/// Whether an error of a 404 says that what was asked for is not there.
///
/// `NOT_FOUND` is Harbor's code, and others send it for paths that they do not know: public ECR did
/// so for the tags of a repository that exists, with the version header.
fn is_missing(error: &Stated, answer: &Complete, asked: &Asked<'_>) -> bool {
    if !error.says_not_found() {
        return error.says_missing();
    }
    let is_marked = matches!(asked.about, About::Manifest(_)) && has_api_version(&answer.headers);
    let is_harbor = asked.product == Some(Product::Harbor) && !answer.cross_origin;
    let is_named = asked.repository().is_some_and(|name| error.names(name));
    is_marked || is_harbor || is_named
}

/// Whether a registry says with a 401 or 403 that it refuses.
fn is_refusal(answer: &Complete) -> bool {
    let headers = &answer.headers;
    has_api_version(headers)
        || is_artifactory(headers)
        || answer.status == 401 && !challenges(headers).is_empty()
        || ErrorBody::of(&answer.body).denies()
}

/// Whether a registry refuses with nothing but the status, as some do whose `/v2/` says how to log
/// in. A HEAD never has a body; it is believed if it refuses a password, which a GET would only
/// show once more.
fn is_bare_401(answer: &Complete, asked: &Asked<'_>) -> bool {
    let is_bare = answer.body.is_empty() && !answer.body_is_lost;
    let is_believed =
        asked.method != Method::Head || matches!(answer.shown, Authorization::Basic(_));
    answer.status == 401 && asked.has_challenged && is_bare && is_believed
}

/// JFrog Artifactory sends one of these with all its answers, and errors without a code.
pub(super) fn is_artifactory(headers: &Headers) -> bool {
    ["x-jfrog-version", "x-artifactory-id"]
        .iter()
        .any(|name| headers.get(name).is_some())
}

/// Whether Sonatype Nexus answers, whose HEAD is wrong about some images. A proxy in front may
/// replace `Server`, and leaves the policy.
pub(crate) fn is_nexus(headers: &Headers) -> bool {
    let server = headers.get("server").unwrap_or_default();
    let policy = headers.get("content-security-policy").unwrap_or_default();
    server.starts_with("Nexus/") || policy.contains("sandbox allow-forms allow-modals")
}

/// Red Hat's registry of 2022 for a tag that is not there: only its storage sends this field.
fn is_red_hat_text(answer: &Complete) -> bool {
    answer.headers.get("x-docker-size") == Some("-1")
        && answer.body.trim_ascii().eq_ignore_ascii_case(b"not found")
}

/// Red Hat's registry of 2022 for a repository that is not there.
fn is_red_hat_error(errors: &[Stated], headers: &Headers) -> bool {
    let host = headers.get("x-hostname").unwrap_or_default();
    host.ends_with(".redhat.com") && errors.iter().all(|error| error.is("404", "Not Found"))
}

/// Gitea and Forgejo for an owner that is not there.
fn is_gitea_text(answer: &Complete, asked: &Asked<'_>) -> bool {
    let media_type = media_type(&answer.headers);
    asked.product == Some(Product::Gitea)
        && !answer.cross_origin
        && media_type.is_some_and(|kind| kind.eq_ignore_ascii_case("text/plain"))
        && answer.body == b"Not found.\n"
}

fn is_json_or_nothing(headers: &Headers) -> bool {
    media_type(headers).is_none_or(|kind| kind.to_ascii_lowercase().contains("json"))
}

/// The media type of the body, without parameters.
fn media_type(headers: &Headers) -> Option<&str> {
    let kind = headers.get("content-type")?;
    kind.split(';').next().map(str::trim)
}
