//! The buffers between a connection and ureq.

use std::fmt;

use ureq::unversioned::transport::Buffers;

use super::MAX_HEAD;
use super::error::{Failure, Phase, WireError};
use super::framing::Framing;
use super::head;

/// The first size of each buffer: a lookup's request and answer fit, and 64 idle connections stay
/// small.
const INITIAL: usize = 16 * 1024;
/// The largest size of the input buffer, which grows while a body keeps filling it: larger reads
/// need fewer system calls. It is larger than [`MAX_HEAD`], since ureq parses a head only when all
/// of it is in the buffer.
const MAX_INPUT: usize = 128 * 1024;
/// The size of the output buffer while a body is sent, which is also the size of a write. In
/// measurements 16 KiB took nearly twice as much CPU time, and larger sizes took more too.
const BODY_OUTPUT: usize = 64 * 1024;

/// Input and output of one connection. They grow with the bytes that come and go, never because a
/// server announced a size.
#[derive(Default)]
pub(super) struct WireBuffers {
    input: Vec<u8>,
    /// The first byte of the input that ureq has not consumed.
    start: usize,
    /// The end of the bytes that were read.
    end: usize,
    /// Whether ureq could consume something when it last parsed the input; see
    /// [`Buffers::can_use_input`].
    progress: bool,
    output: Vec<u8>,
    /// Where ureq reads body bytes to before it makes chunks of them. ureq's own buffers use the
    /// free part of the input for this, but interim answers may leave too little of it.
    unchunked: Vec<u8>,
    /// Where to look for the end of the answer's head; `None` once the head is complete.
    head: Option<HeadScan>,
    /// The number of bytes of the interim heads before it.
    interim: usize,
}

/// Passwords and tokens pass through, so no bytes are shown.
impl fmt::Debug for WireBuffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (input, output) = (self.end - self.start, self.output.len());
        f.debug_struct("WireBuffers")
            .field("input", &input)
            .field("output", &output)
            .finish_non_exhaustive()
    }
}

/// Offsets from the first unconsumed byte.
#[derive(Debug, Clone, Copy, Default)]
struct HeadScan {
    begin: usize,
    scanned: usize,
}

impl WireBuffers {
    /// A request is being sent: the next bytes that arrive are the head of its answer.
    pub(super) fn expect_head(&mut self) {
        self.head = Some(HeadScan::default());
        self.interim = 0;
    }

    /// Whether the head of the current answer is still incomplete.
    pub(super) fn in_head(&self) -> bool {
        self.head.is_some()
    }

    /// Whether the final answer has begun to arrive. Interim answers (1xx) do not count.
    pub(super) fn answer_began(&self) -> bool {
        match self.head {
            None => true,
            Some(scan) => head::begins_final(self.input().get(scan.begin..).unwrap_or_default()),
        }
    }

    /// Makes room for a request head of this many bytes.
    pub(super) fn reserve_output(&mut self, head_bytes: usize) {
        let wanted = INITIAL.max(head_bytes);
        if self.output.len() < wanted {
            self.output.resize(wanted, 0);
        }
    }

    /// Makes room for a body that is about to be sent, but no more than the body needs.
    pub(super) fn reserve_body(&mut self, framing: Framing) {
        let wanted = match framing {
            Framing::None => return,
            Framing::Length(length) => usize::try_from(length).unwrap_or(BODY_OUTPUT),
            Framing::Chunked => {
                self.unchunked.resize(BODY_OUTPUT, 0);
                BODY_OUTPUT
            }
        };
        self.reserve_output(wanted.min(BODY_OUTPUT));
        // The source gets this buffer: it must not find a login in it, nor send one as content.
        self.output.fill(0);
    }

    /// Frees the memory that only a body needs.
    pub(super) fn release_body(&mut self) {
        self.unchunked = Vec::new();
        if self.output.len() > INITIAL {
            self.output = Vec::new();
        }
    }

    /// Overwrites the output with zeros. From now on nothing of it is sent.
    pub(super) fn clear_output(&mut self) {
        self.output.fill(0);
        self.unchunked.fill(0);
    }

    /// The first bytes of the output.
    pub(super) fn to_send(&self, amount: usize) -> &[u8] {
        &self.output[..amount]
    }

    /// Room for more input. Fails when the input has reached its largest size.
    pub(super) fn room_for_input(&mut self, phase: Phase) -> Result<&mut [u8], WireError> {
        let free = self.input_append_buf();
        if free.is_empty() {
            let message = match phase {
                Phase::Body => "a line between the chunks of the answer is too large",
                _ => "the answer's header is too large",
            };
            return Err(WireError::new(Failure::TooLarge, phase, message));
        }
        Ok(free)
    }

    /// Adds input that arrived while the request was being sent. ureq then parses it before it
    /// waits for more.
    pub(super) fn received_early(&mut self, amount: usize) {
        self.input_appended(amount);
        self.progress = true;
    }

    /// Checks newly arrived bytes before ureq parses them.
    pub(super) fn inspect(&mut self) -> Result<(), WireError> {
        while let Some(scan) = self.head {
            let bytes = &mut self.input[self.start..self.end];
            if head::is_tls_record(bytes) {
                let hint = Some("the server speaks TLS here: use https for this registry");
                return Err(WireError::new(
                    Failure::Tls { hint },
                    Phase::Wait,
                    "asked over http, answered with TLS",
                ));
            }
            // Skip interim heads: their empty lines do not end the head that follows.
            let (begin, looked) = (scan.begin.min(bytes.len()), scan.scanned - scan.begin);
            let bytes = &mut bytes[begin..];
            // ureq skips empty lines, but `end_of_head` takes them for the end of a head. The real
            // head would then not pass through `neutralise`.
            if matches!(bytes, [b'\r' | b'\n', ..]) {
                let message = "the answer begins with an empty line";
                return Err(WireError::new(Failure::Protocol, Phase::Wait, message));
            }
            let Some(length) = head::end_of_head(bytes, looked) else {
                let scanned = begin + bytes.len();
                self.head = Some(HeadScan { begin, scanned });
                return Ok(());
            };
            let head = &mut bytes[..length];
            head::neutralise(head);
            let end = begin + length;
            // Another head follows an interim one, often in the same read.
            self.head = head::is_interim(head).then_some(HeadScan {
                begin: end,
                scanned: end,
            });
            self.interim += length;
            // A server that sends interim answers for ever never answers (R18).
            if self.head.is_some() && self.interim > MAX_HEAD {
                return Err(WireError::new(
                    Failure::TooLarge,
                    Phase::Wait,
                    "the server sends too many interim answers",
                ));
            }
        }
        Ok(())
    }

    pub(super) fn has_input(&self) -> bool {
        self.start < self.end
    }
}

impl Buffers for WireBuffers {
    fn output(&mut self) -> &mut [u8] {
        self.reserve_output(0);
        &mut self.output
    }

    fn input(&self) -> &[u8] {
        &self.input[self.start..self.end]
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        if self.start > 0 {
            self.input.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.input.len() {
            let size = (self.input.len() * 2).clamp(INITIAL, MAX_INPUT);
            self.input.resize(size, 0);
        }
        &mut self.input[self.end..]
    }

    fn input_appended(&mut self, amount: usize) {
        self.end = (self.end + amount).min(self.input.len());
    }

    fn input_consume(&mut self, amount: usize) {
        self.progress = amount > 0;
        if let Some(scan) = &mut self.head {
            scan.begin = scan.begin.saturating_sub(amount);
            scan.scanned = scan.scanned.saturating_sub(amount);
        }
        self.start = (self.start + amount).min(self.end);
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.reserve_output(0);
        (&mut self.unchunked, &mut self.output)
    }

    fn can_use_input(&self) -> bool {
        self.has_input() && self.progress
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receive(buffers: &mut WireBuffers, bytes: &[u8]) {
        let free = buffers.input_append_buf();
        free[..bytes.len()].copy_from_slice(bytes);
        buffers.input_appended(bytes.len());
        buffers.inspect().unwrap();
    }

    #[test]
    fn the_final_head_is_neutralised_wherever_the_reads_are_cut() {
        let answer = b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n\
            HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n";
        for cut in 0..answer.len() {
            for consume_interim in [false, true] {
                let mut buffers = WireBuffers::default();
                buffers.expect_head();
                receive(&mut buffers, &answer[..cut]);
                let interim = 39;
                if consume_interim && cut >= interim {
                    buffers.input_consume(interim);
                }
                receive(&mut buffers, &answer[cut..]);
                let seen = String::from_utf8_lossy(buffers.input()).into_owned();
                assert!(
                    seen.contains("ocireg-encodings: gzip"),
                    "cut at {cut}: {seen}"
                );
                assert!(!buffers.in_head());
            }
        }
    }

    #[test]
    fn an_empty_line_before_the_status_hides_no_head() {
        for start in ["\r\n", "\n", "\r\n\r\n", "\n\n"] {
            let mut buffers = WireBuffers::default();
            buffers.expect_head();
            let answer = format!("{start}HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n");
            buffers.input_append_buf()[..answer.len()].copy_from_slice(answer.as_bytes());
            buffers.input_appended(answer.len());
            assert_eq!(
                buffers.inspect().unwrap_err().failure,
                Failure::Protocol,
                "{start:?}"
            );
        }
    }

    #[test]
    fn s15_debug_shows_no_bytes() {
        let mut buffers = WireBuffers::default();
        buffers.output()[..6].copy_from_slice(b"CANARY");
        assert!(!format!("{buffers:?}").contains("67"));
    }

    #[test]
    fn a_body_is_never_touched() {
        let mut buffers = WireBuffers::default();
        buffers.expect_head();
        receive(&mut buffers, b"HTTP/1.1 200 OK\r\n\r\nset-cookie: a\n");
        receive(&mut buffers, b"set-cookie: b\n\n");
        assert!(
            buffers
                .input()
                .ends_with(b"set-cookie: a\nset-cookie: b\n\n")
        );
    }

    #[test]
    fn r12_a_tls_record_on_a_plain_connection_is_named() {
        let mut buffers = WireBuffers::default();
        buffers.expect_head();
        buffers.input_append_buf()[..3].copy_from_slice(&[0x15, 0x03, 0x01]);
        buffers.input_appended(3);
        assert!(matches!(
            buffers.inspect().unwrap_err().failure,
            Failure::Tls { .. }
        ));
    }

    #[test]
    fn the_output_grows_for_bodies_only_and_no_further_than_they_need() {
        for (framing, size) in [
            (Framing::None, INITIAL),
            (Framing::Length(0), INITIAL),
            (Framing::Length(300), INITIAL),
            (Framing::Length(20_000), 20_000),
            (Framing::Length(u64::MAX), BODY_OUTPUT),
            (Framing::Chunked, BODY_OUTPUT),
        ] {
            let mut buffers = WireBuffers::default();
            buffers.reserve_output(0);
            buffers.reserve_body(framing);
            assert_eq!(buffers.output().len(), size, "{framing:?}");
            buffers.release_body();
            assert!(buffers.output.capacity() <= INITIAL && buffers.unchunked.capacity() == 0);
        }
    }

    #[test]
    fn only_a_final_answer_has_begun() {
        let mut buffers = WireBuffers::default();
        buffers.expect_head();
        assert!(!buffers.answer_began());
        for (bytes, began) in [
            ("HTTP/1.1 100 Continue\r\n\r\nHT", false),
            ("TP/1.1 103 Early Hints\r\nLink: </>\r\n", false),
            ("\r\nHTTP/1.1 ", false),
            ("4", true),
            ("13 Content Too Large\r\n\r\n", true),
        ] {
            receive(&mut buffers, bytes.as_bytes());
            assert_eq!(buffers.answer_began(), began, "{bytes:?}");
        }
    }

    #[test]
    fn the_input_grows_to_its_limit_and_no_further() {
        let mut buffers = WireBuffers::default();
        while !buffers.input_append_buf().is_empty() {
            let free = buffers.input_append_buf().len();
            buffers.input_appended(free);
        }
        assert_eq!(buffers.input().len(), MAX_INPUT);
    }
}
