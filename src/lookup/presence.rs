//! Whether an image exists, and its digest. The request is a HEAD; a GET follows only if the HEAD
//! does not decide.

use crate::algorithm::Algorithm;
use crate::client::{Call, Client, Complete, Fetched, is_page};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::http::Headers;
use crate::manifest::{MediaType, identify, manifest_digest};
use crate::presence::Presence;
use crate::reference::Reference;
use crate::resolved::{DigestSource, Resolved};

impl Client {
    /// Whether the image exists.
    ///
    /// This takes one request, a HEAD, which does not count towards Docker Hub's rate limit. A GET
    /// follows only if the answer to the HEAD does not decide: 405, 501, 400, a proxy's 403, no
    /// usable digest, or a 404 that does not show a registry. If a GET works where HEAD can't, the
    /// client remembers it.
    ///
    /// # Errors
    ///
    /// There is no answer: the connection, TLS or a timeout failed, the registry answered 429 or
    /// 5xx, the server is no registry ([`ErrorKind::Protocol`]), or the content does not have the
    /// requested digest ([`ErrorKind::DigestMismatch`]).
    ///
    /// ```no_run
    /// use ocireg::Presence;
    ///
    /// # fn main() -> Result<(), ocireg::Error> {
    /// let client = ocireg::Client::new()?;
    /// let presence = client.exists(&"localhost:5000/app:1".parse()?)?;
    /// let exists = matches!(presence, Presence::Exists(_));
    /// # let _ = exists;
    /// # Ok(())
    /// # }
    /// ```
    pub fn exists(&self, reference: &Reference) -> Result<Presence> {
        look_up(&self.call(reference.registry(), reference), reference)
    }

    /// The image's digest: that of its index if it has one, else that of its manifest.
    ///
    /// # Errors
    ///
    /// Those of [`exists`](Client::exists), and [`ErrorKind::NotFound`] and [`ErrorKind::Denied`]
    /// if that answers absent and denied.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), ocireg::Error> {
    /// println!("{}", ocireg::Client::new()?.digest(&"localhost:5000/app:1".parse()?)?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn digest(&self, reference: &Reference) -> Result<Digest> {
        self.head(reference).map(|resolved| resolved.digest)
    }

    /// Digest, media type and size of the image's manifest, without its content.
    ///
    /// # Errors
    ///
    /// Those of [`digest`](Client::digest).
    pub fn head(&self, reference: &Reference) -> Result<Resolved> {
        resolve(&self.call(reference.registry(), reference), reference)
    }
}

/// Whether the registry has the manifest that `reference` names.
pub(super) fn look_up(call: &Call<'_>, reference: &Reference) -> Result<Presence> {
    match resolve(call, reference) {
        Ok(resolved) => Ok(Presence::Exists(resolved)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Presence::Absent),
        Err(error) if error.kind() == ErrorKind::Denied => Ok(Presence::Denied),
        Err(error) => Err(error),
    }
}

/// Digest, media type and size of the manifest that `reference` names.
pub(super) fn resolve(call: &Call<'_>, reference: &Reference) -> Result<Resolved> {
    let lookup = Lookup {
        call,
        reference,
        accept: call.accepted(),
    };
    let result = lookup.run();
    call.note_in_group(&result);
    result
}

/// One lookup.
struct Lookup<'a> {
    call: &'a Call<'a>,
    reference: &'a Reference,
    accept: &'a [MediaType],
}

/// What the answer to a HEAD says.
enum Head {
    Found(Resolved),
    Refused(Complete),
    /// It does not say enough: only a GET can decide.
    AskWithGet(Lesson),
}

/// What the client learns about HEAD if the GET works.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lesson {
    /// This registry's HEAD is unreliable.
    HeadIsUnreliable,
    /// Nothing: HEAD was not tried, or a proxy's refusal may have been temporary.
    None,
}

impl Lookup<'_> {
    fn run(&self) -> Result<Resolved> {
        if self.call.state().head_is_unreliable() {
            return self.get(Lesson::None);
        }
        let answer = self.call.head_manifest(self.reference)?;
        self.note_identification(answer.cross_origin, answer.status, &answer.headers);
        match self.judge(answer) {
            Head::Found(resolved) => {
                let state = self.call.state();
                state.head_worked();
                // Only a registry serves manifest types. A type that the caller added may be
                // anything.
                if resolved.media_type.is_manifest() {
                    state.saw_registry();
                }
                Ok(resolved)
            }
            Head::Refused(answer) => Err(self.call.subject().refusal(answer)),
            Head::AskWithGet(lesson) => self.get(lesson),
        }
    }

    /// Learns whether the registry identifies itself in its answers about manifests.
    fn note_identification(&self, cross_origin: bool, status: u16, headers: &Headers) {
        if !cross_origin
            && matches!(status, 200 | 404)
            && headers.get("docker-distribution-api-version").is_some()
        {
            self.call.state().saw_identification();
        }
    }

    /// Decides which answers need a GET. Proxies and old registries refuse HEAD with these
    /// statuses, or answer it without a digest. A GET does not help after a 401, a 403 of the
    /// registry itself, 429 or 5xx.
    fn judge(&self, answer: Complete) -> Head {
        match answer.status {
            200..=299 => match self.resolved_from(&answer.headers) {
                Some(resolved) => Head::Found(resolved),
                None => Head::AskWithGet(Lesson::HeadIsUnreliable),
            },
            404 if self.counts_as_absent(&answer) => Head::Refused(answer),
            404 | 405 | 501 => Head::AskWithGet(Lesson::HeadIsUnreliable),
            400 => Head::AskWithGet(Lesson::None),
            403 if !answer.shows_registry() && !is_json(&answer.headers) => {
                Head::AskWithGet(Lesson::None)
            }
            _ => Head::Refused(answer),
        }
    }

    /// Whether a 404 to a HEAD means that the image is absent. A wrong "absent" can stop a
    /// deployment, so the 404 has to come from a registry, and a HEAD has no body that shows it.
    ///
    /// It counts if its header fields show a registry. It also counts if an earlier answer showed
    /// one and this one is no web page: an old Nexus answers HEAD with an HTML 404 for images that
    /// it has. An earlier answer says nothing about a server that the registry redirects to.
    ///
    /// If the registry usually identifies itself, a 404 that does not is not from the registry: a
    /// proxy answers so for everything while its registry restarts.
    fn counts_as_absent(&self, answer: &Complete) -> bool {
        let state = self.call.state();
        answer.shows_registry()
            || !answer.cross_origin
                && state.is_registry()
                && !state.identifies_itself()
                && !is_page(&answer.headers)
    }

    /// The result of the lookup, if the header fields of the answer have all of it.
    fn resolved_from(&self, headers: &Headers) -> Option<Resolved> {
        let media_type = MediaType::from_content_type(headers.get("content-type")?)?;
        if !media_type.is_manifest() && !self.accept.contains(&media_type) {
            return None;
        }
        // Between lines that differ, only the content can decide.
        let stated = match headers.get("docker-content-digest") {
            Some(_) => Some(headers.get_agreed("docker-content-digest")?),
            None => None,
        };
        let stated: Option<Digest> = stated.and_then(|text| text.parse().ok());
        let (digest, digest_source) = match (self.reference.digest(), stated) {
            (None, stated) => (stated?, DigestSource::Header),
            (Some(asked), Some(stated)) if stated == *asked => (stated, DigestSource::Header),
            // The header contradicts the caller, so only the content can decide.
            (Some(asked), Some(stated)) if stated.algorithm() == asked.algorithm() => return None,
            // distribution sends a sha256 header also if it was asked for a sha512 digest (F6).
            // Such a header says nothing about the requested digest.
            (Some(asked), _) => (asked.clone(), DigestSource::Requested),
        };
        let size = headers
            .get("content-length")
            .and_then(|text| text.trim().parse().ok())
            // Some servers send this to every HEAD, and no manifest is empty.
            .filter(|size| *size > 0);
        Some(Resolved {
            media_type,
            digest,
            size,
            digest_source,
        })
    }

    fn get(&self, lesson: Lesson) -> Result<Resolved> {
        match self.call.get_manifest(self.reference)? {
            Ok(fetched) => {
                let resolved = self.computed_from(&fetched)?;
                let state = self.call.state();
                state.saw_registry();
                if lesson == Lesson::HeadIsUnreliable {
                    state.head_failed_where_get_worked();
                }
                Ok(resolved)
            }
            Err(answer) if answer.status == 404 => Err(self.absence(answer)),
            Err(answer) => Err(self.call.subject().refusal(answer)),
        }
    }

    /// The error for a GET that was answered with 404: the image is absent, or the answer is not
    /// that of a registry.
    fn absence(&self, answer: Complete) -> Error {
        let shown = answer.shows_registry();
        let cross_origin = answer.cross_origin.then(|| answer.url.origin());
        let error = self.call.subject().refusal(answer);
        let about_accept = |error: &Error| {
            error
                .registry_errors()
                .iter()
                .any(|e| e.message.contains("accept header"))
        };
        if about_accept(&error) {
            // distribution has it, but in a type that is not in our Accept (E5).
            return Error::new(
                ErrorKind::Unsupported,
                "the registry has it in a media type that was not asked for",
            )
            .with_http_status(404)
            .with_registry_errors(error.registry_errors().to_vec())
            .with_hint("add the media type to those accepted")
            .about(self.reference);
        }
        if shown {
            self.call.state().saw_registry();
            return error;
        }
        if let Some(origin) = cross_origin {
            // This is the 404 of a storage server or a login page. It says nothing about what the
            // registry has (F2).
            return self
                .call
                .subject()
                .no_registry(&origin, 404)
                .with_hint("the registry redirects there");
        }
        // If the credentials were withheld, the error says that, and not that the image is absent.
        if error.kind() != ErrorKind::NotFound {
            return error;
        }
        if self.call.state().identifies_itself() {
            return self.call.confirm_absence_now(error);
        }
        self.call.confirm_absence(error)
    }

    /// The result of the lookup, from the content itself. The hash of the content decides, because
    /// headers may be wrong.
    fn computed_from(&self, fetched: &Fetched) -> Result<Resolved> {
        let about = |error: Error| error.about(self.reference);
        let media_type = identify(
            fetched.headers.get("content-type"),
            &fetched.bytes,
            self.accept,
        )
        .map_err(about)?;
        let stated: Option<Digest> = fetched
            .headers
            .get_agreed("docker-content-digest")
            .and_then(|text| text.parse().ok());
        let algorithm = match (self.reference.digest(), &stated) {
            (Some(asked), _) => asked.algorithm(),
            (None, Some(stated)) => stated.algorithm(),
            (None, None) => Algorithm::Sha256,
        };
        let digest = manifest_digest(&media_type, algorithm, &fetched.bytes).map_err(about)?;
        if self
            .reference
            .digest()
            .is_some_and(|asked| *asked != digest)
        {
            let message = format!("the registry sent content with the digest {digest}");
            return Err(about(
                Error::new(ErrorKind::DigestMismatch, message).with_hint(
                    "the registry or a proxy is broken or hostile; do not use its content",
                ),
            ));
        }
        if let Some(stated) =
            stated.filter(|stated| stated.algorithm() == algorithm && *stated != digest)
        {
            let warning = format!(
                "{}: the registry states {stated}, but its content has {digest}",
                self.reference
            );
            log::warn!("{warning}");
            self.call.state().warn(warning);
        }
        let size = Some(fetched.bytes.len() as u64);
        Ok(Resolved {
            media_type,
            digest,
            size,
            digest_source: DigestSource::Computed,
        })
    }
}

fn is_json(headers: &Headers) -> bool {
    headers
        .get("content-type")
        .is_some_and(|value| value.to_ascii_lowercase().contains("json"))
}
