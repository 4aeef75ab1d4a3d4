//! Whether an image exists, and its digest. The request is a HEAD; a GET follows only if the HEAD
//! does not decide.

use crate::algorithm::Algorithm;
use crate::client::{About, Call, Client, Complete, Fetched, ListSays, Meaning, is_nexus};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Headers, Method};
use crate::manifest::{MediaType, identify, manifest_digest};
use crate::presence::Presence;
use crate::reference::Reference;
use crate::resolved::{DigestSource, Resolved};

impl Client {
    /// Whether the image exists.
    ///
    /// This takes one request, a HEAD, which does not count towards Docker Hub's rate limit. A GET
    /// follows only if the answer to the HEAD does not decide: 405, 501, 400, no usable digest, or
    /// a 401, 403 or 404 that does not show that a registry said so. If a GET works where HEAD
    /// can't, the client remembers it.
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

/// The digests in other algorithms of the manifest that `reference` names by its digest. They are
/// computed from the content, after it was compared with that digest.
pub(super) fn digests_in(
    call: &Call<'_>,
    reference: &Reference,
    algorithms: &[Algorithm],
) -> Result<Vec<Digest>> {
    let lookup = Lookup {
        call,
        reference,
        accept: call.accepted(),
    };
    let fetched = match call.get_manifest(reference)? {
        Ok(fetched) => fetched,
        Err(answer) => return Err(lookup.refusal(answer)?),
    };
    let media_type = lookup.computed_from(&fetched)?.media_type;
    let redactor = call.subject().redactor();
    let digest = |&algorithm| manifest_digest(&media_type, algorithm, &fetched.bytes, &redactor);
    let digests: Result<Vec<Digest>> = algorithms.iter().map(digest).collect();
    digests.map_err(|error| error.about(reference))
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
    Refused(Complete, Meaning),
    /// It does not say enough: only a GET can decide.
    AskWithGet(Lesson),
}

/// What the client learns about HEAD if the GET works.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lesson {
    /// This registry's HEAD is unreliable.
    HeadIsUnreliable,
    /// Nothing: HEAD was not tried, a proxy's refusal may have been temporary, or the registry's
    /// HEAD is wrong about some images only.
    None,
}

impl Lookup<'_> {
    fn run(&self) -> Result<Resolved> {
        if self.call.state().head_is_unreliable() {
            return self.get(Lesson::None);
        }
        let answer = self.call.head_manifest(self.reference)?;
        match self.judge(answer) {
            Head::Found(resolved) => {
                self.call.state().head_worked();
                Ok(resolved)
            }
            Head::Refused(answer, meaning) => {
                self.note_404(&answer, meaning);
                Err(self.call.subject().refusal_as(answer, meaning))
            }
            Head::AskWithGet(lesson) => self.get(lesson),
        }
    }

    /// Decides which answers need a GET. Proxies and old registries refuse HEAD with these
    /// statuses, or answer it without a digest. A GET does not help after what the registry itself
    /// says, after 429 and 5xx.
    fn judge(&self, answer: Complete) -> Head {
        match answer.status {
            200..=299 => match self.resolved_from(&answer.headers) {
                Some(resolved) => Head::Found(resolved),
                None => Head::AskWithGet(Lesson::HeadIsUnreliable),
            },
            405 | 501 => Head::AskWithGet(Lesson::HeadIsUnreliable),
            400 => Head::AskWithGet(Lesson::None),
            _ => match self.meaning(&answer, Method::Head) {
                Meaning::Open => Head::AskWithGet(lesson_of(&answer)),
                meaning => Head::Refused(answer, meaning),
            },
        }
    }

    fn meaning(&self, answer: &Complete, method: Method) -> Meaning {
        let about = About::Manifest(self.reference.repository().name().as_str());
        Meaning::of(answer, &self.call.asked(method, about))
    }

    /// Learns whether the registry marks its 404s.
    fn note_404(&self, answer: &Complete, meaning: Meaning) {
        if meaning == Meaning::Absent && !answer.cross_origin && answer.is_marked() {
            self.call.state().saw_marked_404();
        }
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
                if lesson == Lesson::HeadIsUnreliable {
                    self.call.state().head_failed_where_get_worked();
                }
                Ok(resolved)
            }
            Err(answer) => Err(self.refusal(answer)?),
        }
    }

    /// The error for a GET that was refused.
    ///
    /// # Errors
    ///
    /// The tag list, which is the last resort, got no answer.
    fn refusal(&self, answer: Complete) -> Result<Error> {
        let meaning = match self.meaning(&answer, Method::Get) {
            Meaning::Open if self.may_ask_list(&answer) => {
                match self.call.ask_list(self.reference)? {
                    ListSays::Absent => Meaning::Absent,
                    ListSays::Nothing => Meaning::Nothing,
                }
            }
            meaning => {
                self.note_404(&answer, meaning);
                meaning
            }
        };
        Ok(self.call.subject().refusal_as(answer, meaning))
    }

    /// Whether the registry's tag list may tell what this 404 does not. It can't where the registry
    /// marks its 404s: then this one is another server's, such as that of a proxy while its
    /// registry restarts. Nor can it tell anything about the server that a redirect led to.
    fn may_ask_list(&self, answer: &Complete) -> bool {
        !answer.cross_origin
            && !self.call.state().marks_its_404s()
            && answer.withheld_from().is_none()
    }

    /// The result of the lookup, from the content itself. The hash of the content decides, because
    /// headers may be wrong.
    fn computed_from(&self, fetched: &Fetched) -> Result<Resolved> {
        let about = |error: Error| error.about(self.reference);
        let redactor = self.call.subject().redactor();
        let media_type = identify(
            fetched.headers.get("content-type"),
            &fetched.bytes,
            self.accept,
            &redactor,
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
        let digest = manifest_digest(&media_type, algorithm, &fetched.bytes, &redactor);
        let digest = digest.map_err(about)?;
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
                "{}: the registry states {}, but its content has {digest}",
                self.reference,
                redactor.hide(stated.as_str())
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

/// What a HEAD that leaves the question open teaches about HEAD, if the GET works. A refusal or a
/// marked 404 comes from something in between or is about one image, and so is the 404 of a Nexus.
fn lesson_of(answer: &Complete) -> Lesson {
    match answer.status {
        404 if !answer.is_marked() && !is_nexus(&answer.headers) => Lesson::HeadIsUnreliable,
        _ => Lesson::None,
    }
}
