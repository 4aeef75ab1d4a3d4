//! Hides the secrets of a registry in text that servers sent.
//!
//! A server knows the passwords, tokens and header values that it was sent, and may repeat them in
//! an error, a warning or the name of a host. So text from a server is shown only through a
//! [`Redactor`]. It is not for text of our own, nor for what is compared, followed or answered.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::error::Error as StdError;
use std::fmt;
use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::error::printable;
use crate::secret::Secret;

/// What stands for a secret.
const HIDDEN: &str = "[redacted]";
/// The shortest secret that is hidden, in characters. A shorter one would be found in ordinary
/// words: hiding it there would show what it is.
const SHORTEST: usize = 6;
/// The shortest part of a secret that is hidden. It fits into a `u64`.
const PART: usize = 8;
/// How many layers of percent-encoding and of backslashes are looked through.
const LAYERS: usize = 2;

/// Who knows secrets that its servers may repeat.
pub(crate) trait Secrets {
    fn secrets(&self) -> Vec<Secret>;
}

/// Nobody has no secrets.
#[cfg(any(test, feature = "_fuzz"))]
impl Secrets for () {
    fn secrets(&self) -> Vec<Secret> {
        Vec::new()
    }
}

/// Hides the secrets of one registry. It collects them when the first text is shown.
pub(crate) struct Redactor<'a> {
    secrets: &'a dyn Secrets,
    known: OnceCell<Vec<Secret>>,
}

/// A secret, or a secret in Base64, as [`fold`] leaves it.
type Needle = Zeroizing<Vec<u8>>;

impl<'a> Redactor<'a> {
    pub(crate) fn new(secrets: &'a dyn Secrets) -> Redactor<'a> {
        Redactor {
            secrets,
            known: OnceCell::new(),
        }
    }

    /// For text that no secret can be in.
    #[cfg(any(test, feature = "_fuzz"))]
    pub(crate) fn without_secrets() -> Redactor<'static> {
        Redactor::new(&())
    }

    /// A server's text as it may be shown: without secrets, printable, at most `limit` characters.
    pub(crate) fn shown(&self, text: &str, limit: usize) -> String {
        printable(&self.hide(text), limit)
    }

    /// The text without secrets.
    pub(crate) fn hide<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if text.len() < SHORTEST {
            return Cow::Borrowed(text);
        }
        let known = self.known.get_or_init(|| self.secrets.secrets());
        if known.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut secret = vec![false; text.len()];
        let mut views: Vec<Search> = views(text).into_iter().map(Search::of).collect();
        // One secret after the other: a client may have tokens of some MiB, and calls side by side.
        for one in known {
            for needle in needles(one) {
                views
                    .iter_mut()
                    .for_each(|view| view.mark(&needle, &mut secret));
            }
        }
        views.iter().for_each(|view| view.mark_parts(&mut secret));
        if !secret.contains(&true) {
            return Cow::Borrowed(text);
        }
        Cow::Owned(without(text, &secret))
    }

    /// The cause of an error, which may quote a server. Where no secret is in it, it stays as it
    /// is.
    pub(crate) fn cause(
        &self,
        cause: Box<dyn StdError + Send + Sync>,
    ) -> Box<dyn StdError + Send + Sync> {
        let of_system = cause.downcast_ref::<io::Error>();
        if of_system.is_some_and(|error| error.raw_os_error().is_some()) {
            return cause;
        }
        let (mut text, mut all) = (String::new(), String::new());
        let mut next: Option<&dyn StdError> = Some(&*cause);
        while let Some(error) = next {
            let separator = if text.is_empty() { "" } else { ": " };
            text.push_str(&format!("{separator}{error}"));
            all.push_str(&format!("{error}\n{error:?}\n"));
            next = error.source();
        }
        match self.hide(&all) {
            Cow::Borrowed(_) => cause,
            Cow::Owned(_) => Box::new(Redacted(self.hide(&text).into_owned())),
        }
    }
}

impl fmt::Debug for Redactor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}

/// A cause of which the text is left.
#[derive(Debug)]
struct Redacted(String);

impl fmt::Display for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Redacted {}

/// What is looked for of a secret.
fn needles(secret: &Secret) -> impl Iterator<Item = Needle> {
    let text = secret.expose();
    let is_long = text.chars().count() >= SHORTEST;
    let raw = move || Zeroizing::new(text.bytes().map(fold).collect());
    let encoded = (0..3).map(move |offset| in_base64(text, offset));
    let needles = std::iter::once_with(raw).chain(encoded);
    needles.take(if is_long { 4 } else { 0 })
}

/// The characters of Base64 that `text` alone decides if `offset` bytes precede it.
fn in_base64(text: &str, offset: usize) -> Needle {
    let mut bytes = Zeroizing::new(vec![0; offset]);
    bytes.extend_from_slice(text.as_bytes());
    let encoded = Zeroizing::new(STANDARD.encode(&*bytes));
    // Each character has 6 bits.
    let (first, end) = ((offset * 8).div_ceil(6), bytes.len() * 8 / 6);
    let whole = encoded.get(first..end).unwrap_or_default();
    Zeroizing::new(whole.bytes().map(fold).collect())
}

/// Makes bytes equal that stand for each other: hosts lose their case, forms write a space as `+`,
/// Base64 for URLs has `-` and `_` instead of `+` and `/`.
fn fold(byte: u8) -> u8 {
    match byte {
        b' ' | b'-' | b'\t' | b'\r' | b'\n' => b'+',
        b'_' => b'/',
        byte => byte.to_ascii_lowercase(),
    }
}

/// A text with one way of escaping undone.
struct View {
    bytes: Vec<u8>,
    /// Where each byte begins in the text, and at last where the text ends.
    starts: Vec<usize>,
}

/// The text as it is, and without the escapes in which a secret may be hidden.
fn views(text: &str) -> Vec<View> {
    let mut views = vec![View {
        bytes: text.bytes().collect(),
        starts: (0..=text.len()).collect(),
    }];
    let mut from = 0;
    for _ in 0..LAYERS {
        let until = views.len();
        for number in from..until {
            let undone = [(b'%', percent as Undo), (b'\\', backslash as Undo)];
            let undone = undone.map(|(mark, undo)| views[number].without_escapes(mark, undo));
            views.extend(undone.into_iter().flatten());
        }
        from = until;
    }
    for view in &mut views {
        view.bytes.iter_mut().for_each(|byte| *byte = fold(*byte));
    }
    views
}

/// Reads an escape at the start of bytes, without its mark: what it stands for, and its length.
type Undo = fn(&[u8]) -> Option<(Vec<u8>, usize)>;

fn percent(after: &[u8]) -> Option<(Vec<u8>, usize)> {
    let byte = u8::try_from(hex(after.get(..2)?)?).ok()?;
    Some((vec![byte], 2))
}

/// JSON's escapes.
fn backslash(after: &[u8]) -> Option<(Vec<u8>, usize)> {
    match *after.first()? {
        b'u' => {
            let c = char::from_u32(hex(after.get(1..5)?)?)?;
            Some((c.to_string().into_bytes(), 5))
        }
        b'n' | b'r' | b't' => Some((vec![b' '], 1)),
        byte => Some((vec![byte], 1)),
    }
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, digit| {
        Some(value * 16 + char::from(*digit).to_digit(16)?)
    })
}

impl View {
    /// The view without the escapes that `mark` begins; `None` if there are none.
    fn without_escapes(&self, mark: u8, undo: Undo) -> Option<View> {
        let (mut bytes, mut starts) = (Vec::new(), Vec::new());
        let mut at = 0;
        while let Some(&byte) = self.bytes.get(at) {
            let escape = match byte == mark {
                true => undo(&self.bytes[at + 1..]),
                false => None,
            };
            let (meant, length) = escape.unwrap_or_else(|| (vec![byte], 0));
            starts.extend(meant.iter().map(|_| self.starts[at]));
            bytes.extend(meant);
            at += 1 + length;
        }
        starts.extend(self.starts.last());
        (bytes.len() < self.bytes.len()).then_some(View { bytes, starts })
    }

    fn mark_at(&self, at: usize, length: usize, secret: &mut [bool]) {
        let (start, end) = (self.starts[at], self.starts[at + length]);
        secret[start..end].fill(true);
    }
}

/// A view that is searched.
struct Search {
    view: View,
    parts: Parts,
}

impl Search {
    fn of(view: View) -> Search {
        let parts = Parts::of(&view.bytes);
        Search { view, parts }
    }

    /// Notes where a needle is: a short one at once in `secret`, the parts of a long one for
    /// [`mark_parts`](Search::mark_parts).
    fn mark(&mut self, needle: &Needle, secret: &mut [bool]) {
        if needle.len() >= PART {
            windows(needle).for_each(|window| self.parts.find(window));
            return;
        }
        for (at, found) in self.view.bytes.windows(needle.len()).enumerate() {
            if found == needle.as_slice() {
                self.view.mark_at(at, needle.len(), secret);
            }
        }
    }

    /// Notes in `secret` where parts of long needles are.
    fn mark_parts(&self, secret: &mut [bool]) {
        for at in self.parts.found() {
            self.view.mark_at(at, PART, secret);
        }
    }
}

/// All runs of [`PART`] bytes, the first one first.
fn windows(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.windows(PART).map(|window| {
        window
            .iter()
            .fold(0, |all, byte| all << 8 | u64::from(*byte))
    })
}

/// Where in a text each run of [`PART`] bytes is.
struct Parts {
    /// Sorted.
    places: Vec<(u64, usize)>,
    /// Which of `places` are parts of a secret.
    found: Vec<bool>,
    /// A bit for each value that [`bit`](Parts::bit) gives, since nearly all that is looked for is
    /// not there.
    bits: Vec<u64>,
}

impl Parts {
    fn of(bytes: &[u8]) -> Parts {
        let mut places: Vec<(u64, usize)> = windows(bytes)
            .enumerate()
            .map(|(at, part)| (part, at))
            .collect();
        places.sort_unstable();
        let mut bits = vec![0; 1024];
        for (part, _) in &places {
            let (word, bit) = Parts::bit(*part);
            bits[word] |= bit;
        }
        Parts {
            found: vec![false; places.len()],
            places,
            bits,
        }
    }

    fn bit(part: u64) -> (usize, u64) {
        // Fibonacci hashing: the upper 16 bits depend on all others.
        let hash = part.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
        ((hash >> 6) as usize, 1 << (hash & 63))
    }

    fn find(&mut self, part: u64) {
        let (word, bit) = Parts::bit(part);
        if self.bits[word] & bit == 0 {
            return;
        }
        let first = self.places.partition_point(|(other, _)| *other < part);
        let same = self.places[first..]
            .iter()
            .take_while(|(other, _)| *other == part);
        // Each part is noted once: a text and a secret of one letter would take long.
        if self.found.get(first) == Some(&false) {
            let count = same.count();
            self.found[first..first + count].fill(true);
        }
    }

    fn found(&self) -> impl Iterator<Item = usize> {
        let places = self.places.iter().zip(&self.found);
        places.filter(|(_, found)| **found).map(|((_, at), _)| *at)
    }
}

/// The text with one sign for each run of characters that are secret.
fn without(text: &str, secret: &[bool]) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut hiding = false;
    for (at, c) in text.char_indices() {
        let hide = secret[at..at + c.len_utf8()].contains(&true);
        match hide {
            true if !hiding => shown.push_str(HIDDEN),
            true => {}
            false => shown.push(c),
        }
        hiding = hide;
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Known(Vec<&'static str>);

    impl Secrets for Known {
        fn secrets(&self) -> Vec<Secret> {
            self.0.iter().map(|text| Secret::new(*text)).collect()
        }
    }

    const PASSWORD: &str = "Tr0ub4dor&3/+wörd";

    fn hide(secret: &'static str, text: &str) -> String {
        let known = Known(vec![secret]);
        Redactor::new(&known).hide(text).into_owned()
    }

    #[test]
    fn s15_a_secret_is_hidden_in_every_usual_spelling() {
        let json = serde_json::to_string("a\"secret\"").unwrap();
        let cases = [
            (PASSWORD, "no Tr0ub4dor&3/+wörd!", "no [redacted]!"),
            (PASSWORD, "NO TR0UB4DOR&3/+Wörd!", "NO [redacted]!"),
            (
                PASSWORD,
                "x=Tr0ub4dor%263%2F%2bw%C3%B6rd&y",
                "x=[redacted]&y",
            ),
            (PASSWORD, "x=Tr0ub4dor%25263%252F%252Bw", "x=[redacted]"),
            (
                PASSWORD,
                "its first half Tr0ub4do",
                "its first half [redacted]",
            ),
            (
                PASSWORD,
                "its last half 3/+wörd",
                "its last half [redacted]",
            ),
            (PASSWORD, "seven: Tr0ub4d", "seven: Tr0ub4d"),
            ("a secret value", "v=a+secret+value", "v=[redacted]"),
            ("a\"secret\"", &json, "\"[redacted]\""),
            ("sixsix", "it is sixsix", "it is [redacted]"),
            ("sixsix", "it is sixsi", "it is sixsi"),
            ("short", "it is short", "it is short"),
            ("", "nothing", "nothing"),
            ("日本語日本語", "日本語日本語です", "[redacted]です"),
            ("日本語", "日本語です", "日本語です"),
        ];
        for (secret, text, expected) in cases {
            assert_eq!(hide(secret, text), expected, "{secret}");
        }
    }

    #[test]
    fn s15_a_secret_is_hidden_in_base64_wherever_it_begins() {
        for secret in ["sixsix", PASSWORD] {
            for before in ["", "u", "us", "use", "user:"] {
                for engine in [STANDARD, base64::engine::general_purpose::URL_SAFE_NO_PAD] {
                    let encoded = engine.encode(format!("{before}{secret}"));
                    let shown = hide(secret, &encoded);
                    let kept: usize = shown.replace(HIDDEN, "").len();
                    let fair = (before.len() * 4).div_ceil(3) + 5;
                    assert!(shown.contains(HIDDEN) && kept <= fair, "{encoded} {shown}");
                }
            }
        }
    }

    #[test]
    fn s15_a_cause_is_replaced_only_if_it_holds_a_secret() {
        let known = Known(vec![PASSWORD]);
        let redactor = Redactor::new(&known);
        let innocent = redactor.cause(Box::new(io::Error::from_raw_os_error(111)));
        assert!(innocent.downcast_ref::<io::Error>().is_some());
        let telling = io::Error::other(format!("no host {PASSWORD}.net"));
        let cause = redactor.cause(Box::new(telling));
        assert_eq!(cause.to_string(), "no host [redacted].net");
        assert!(!format!("{cause:?}").contains("Tr0ub4dor"));
    }

    #[test]
    fn a_text_and_a_secret_of_one_letter_take_no_time() {
        let secret: &'static str = "a".repeat(60_000).leak();
        assert_eq!(hide(secret, &"a".repeat(60_000)), HIDDEN);
    }

    proptest! {
        #[test]
        fn nothing_but_the_secret_changes(before in "[ -,.:;]{0,20}", after in "[ -,.:;]{0,20}") {
            let text = format!("{before}sixsix{after}");
            prop_assert_eq!(hide("sixsix", &text), format!("{before}{HIDDEN}{after}"));
        }

        #[test]
        fn any_text_is_shown(text in any::<String>()) {
            let _ = hide("%41\\u0041ä", &text);
        }
    }
}
