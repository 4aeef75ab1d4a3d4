//! Does an image exist, and what is its digest: HEAD, and GET where only that can tell.

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
    /// Whether the image is there.
    ///
    /// One request: a HEAD, which Docker Hub does not bill. A GET follows only where the registry's
    /// HEAD is known to fail for what GET answers (405, 501, 400, a 403 of a proxy, no usable
    /// digest, a 404 that no registry signed), and that is remembered.
    ///
    /// # Errors
    ///
    /// Whatever keeps the question from being answered: no connection, TLS, a timeout, 429, 5xx,
    /// something that is no registry ([`ErrorKind::Protocol`]), content that does not have the
    /// digest asked for ([`ErrorKind::DigestMismatch`]).
    ///
    /// ```no_run
    /// # fn main() -> Result<(), ocireg::Error> {
    /// let client = ocireg::Client::new()?;
    /// let there = matches!(client.exists(&"localhost:5000/app:1".parse()?)?, ocireg::Presence::Exists(_));
    /// # let _ = there;
    /// # Ok(())
    /// # }
    /// ```
    pub fn exists(&self, reference: &Reference) -> Result<Presence> {
        look_up(&self.call(reference.registry(), reference), reference)
    }

    /// The image's digest: of its index where it has one, else of its manifest.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] and [`ErrorKind::Denied`] where [`exists`](Client::exists) answers
    /// absent and denied; else as there.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), ocireg::Error> {
    /// println!("{}", ocireg::Client::new()?.digest(&"localhost:5000/app:1".parse()?)?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn digest(&self, reference: &Reference) -> Result<Digest> {
        self.head(reference).map(|descriptor| descriptor.digest)
    }

    /// Digest, media type and size of the image's manifest, without the manifest.
    ///
    /// # Errors
    ///
    /// As [`digest`](Client::digest).
    pub fn head(&self, reference: &Reference) -> Result<Resolved> {
        describe(&self.call(reference.registry(), reference), reference)
    }
}

/// The answer to "is it there?".
pub(super) fn look_up(call: &Call<'_>, reference: &Reference) -> Result<Presence> {
    match describe(call, reference) {
        Ok(descriptor) => Ok(Presence::Exists(descriptor)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Presence::Absent),
        Err(error) if error.kind() == ErrorKind::Denied => Ok(Presence::Denied),
        Err(error) => Err(error),
    }
}

/// The descriptor of the manifest that `reference` names.
pub(super) fn describe(call: &Call<'_>, reference: &Reference) -> Result<Resolved> {
    let lookup = Lookup {
        call,
        reference,
        accept: call.accepted(),
    };
    let result = lookup.run();
    call.note_in_group(&result);
    result
}

/// One lookup on its way.
struct Lookup<'a> {
    call: &'a Call<'a>,
    reference: &'a Reference,
    accept: &'a [MediaType],
}

/// What a HEAD was good for.
enum Head {
    Found(Resolved),
    Refused(Complete),
    /// Only GET can tell.
    AskWithGet(Lesson),
}

/// What it means if a GET works where HEAD did not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lesson {
    /// This registry's HEAD is of no use.
    HeadIsNoUse,
    /// Nothing: a proxy may have been in a mood, or HEAD was not attempts.
    None,
}

impl Lookup<'_> {
    fn run(&self) -> Result<Resolved> {
        if self.call.state().head_is_unreliable() {
            return self.get(Lesson::None);
        }
        let answer = self.call.head_manifest(self.reference)?;
        self.note_identification(answer.cross_origin, answer.status, &answer.headers);
        match self.judge(answer)? {
            Head::Found(descriptor) => {
                let state = self.call.state();
                state.head_worked();
                // A type that the caller added may be anything; these only a registry serves
                // (decision 2).
                if descriptor.media_type.is_manifest() {
                    state.saw_registry();
                }
                Ok(descriptor)
            }
            Head::Refused(answer) => Err(self.call.subject().refusal(answer)),
            Head::AskWithGet(lesson) => self.get(lesson),
        }
    }

    /// Learns whether the registry's answers about manifests show that they are a registry's.
    fn note_identification(&self, cross_origin: bool, status: u16, headers: &Headers) {
        if !cross_origin
            && matches!(status, 200 | 404)
            && headers.get("docker-distribution-api-version").is_some()
        {
            self.call.state().saw_identification();
        }
    }

    /// Decision 3: which answers a GET can cure.
    fn judge(&self, answer: Complete) -> Result<Head> {
        Ok(match answer.status {
            200..=299 => match self.described_by(&answer.headers) {
                Some(descriptor) => Head::Found(descriptor),
                None => Head::AskWithGet(Lesson::HeadIsNoUse),
            },
            404 if self.counts_as_absent(&answer) => Head::Refused(answer),
            404 | 405 | 501 => Head::AskWithGet(Lesson::HeadIsNoUse),
            400 => Head::AskWithGet(Lesson::None),
            403 if !answer.shows_registry() && !is_json(&answer.headers) => {
                Head::AskWithGet(Lesson::None)
            }
            _ => Head::Refused(answer),
        })
    }

    /// Decision 2. A HEAD has no body to judge by: it counts if the answer itself shows a registry,
    /// or an earlier one did and this one does not look like the page of something in between (E2:
    /// an old Nexus answers HEAD with an HTML 404 for what it has). What was learned is about the
    /// registry itself, not about a server that it redirects to.
    ///
    /// A registry that signs its answers is not believed to have sent one without: a proxy whose
    /// registry is just restarting answers 404 for everything.
    fn counts_as_absent(&self, answer: &Complete) -> bool {
        let state = self.call.state();
        answer.shows_registry()
            || !answer.cross_origin
                && state.is_registry()
                && !state.identifies_itself()
                && !is_page(&answer.headers)
    }

    /// The descriptor in a HEAD's headers, if they say all that it needs.
    fn described_by(&self, headers: &Headers) -> Option<Resolved> {
        let media_type = MediaType::from_content_type(headers.get("content-type")?)?;
        if !media_type.is_manifest() && !self.accept.contains(&media_type) {
            return None;
        }
        let stated: Option<Digest> = headers
            .get("docker-content-digest")
            .and_then(|text| text.parse().ok());
        let (digest, digest_source) = match (self.reference.digest(), stated) {
            (None, stated) => (stated?, DigestSource::Header),
            (Some(asked), Some(stated)) if stated == *asked => (stated, DigestSource::Header),
            // Only the bytes can settle it.
            (Some(asked), Some(stated)) if stated.algorithm() == asked.algorithm() => return None,
            // Some answer content of another algorithm with a sha256 header (F6), which says
            // nothing about it.
            (Some(asked), _) => (asked.clone(), DigestSource::Requested),
        };
        let size = headers
            .get("content-length")
            .and_then(|text| text.trim().parse().ok());
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
                let descriptor = self.computed_from(&fetched)?;
                let state = self.call.state();
                state.saw_registry();
                if lesson == Lesson::HeadIsNoUse {
                    state.head_failed_where_get_worked();
                }
                Ok(descriptor)
            }
            Err(answer) if answer.status == 404 => Err(self.absence(answer)),
            Err(answer) => Err(self.call.subject().refusal(answer)),
        }
    }

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
            // It is there, of a type that we do not ask for (E5).
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
            // A storage or a portal, whose 404 says nothing about what the registry has (F2).
            return self
                .call
                .subject()
                .no_registry(&origin, 404)
                .with_hint("the registry redirects there");
        }
        // Where the credentials were held back, the error is not about absence.
        if error.kind() != ErrorKind::NotFound {
            return error;
        }
        if self.call.state().identifies_itself() {
            return self.call.confirm_absence_now(error);
        }
        self.call.confirm_absence(error)
    }

    /// Decision 5: the truth is the hash of the bytes.
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
            .get("docker-content-digest")
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
                    "it, or something in between, is broken or lies; do not use what it sends",
                ),
            ));
        }
        if let Some(stated) =
            stated.filter(|stated| stated.algorithm() == algorithm && *stated != digest)
        {
            let warning = format!(
                "{}: the registry states {stated}, but its bytes have {digest}",
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
