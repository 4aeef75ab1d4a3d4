//! The items to ask about: arguments, and the lines of standard input for the argument `-`.

use std::io::{self, BufRead, BufReader, Read, StdinLock};
use std::str::FromStr;
use std::vec;

use ocireg::Registry;

use crate::output::Stop;
use crate::private::Named;
use crate::reason::Reason;

/// One reference or registry to ask about, not parsed yet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// The text that the user typed. Bytes that are not UTF-8 are replaced.
    pub(crate) typed: String,
    /// Its place in standard input, if it comes from there.
    pub(crate) place: Option<String>,
    /// Why it can't be parsed as anything.
    pub(crate) problem: Option<&'static str>,
}

impl Item {
    /// Parses it as a reference or a registry.
    pub(crate) fn parse<T: FromStr<Err = ocireg::Error>>(&self) -> Result<T, Reason> {
        let read = match self.problem {
            Some(problem) => Err(Reason::unusable_input(problem.to_owned())),
            None => self.typed.parse().map_err(Reason::from),
        };
        read.map_err(|reason| reason.found_in(self.place.as_deref()))
    }
}

/// All items in their order. Standard input is read line by line and never held as a whole.
#[derive(Debug)]
pub(crate) struct Items {
    arguments: vec::IntoIter<String>,
    from_input: bool,
    /// Set while the lines for the argument `-` are read.
    lines: Option<Lines<StdinLock<'static>>>,
    many: bool,
    none_yet: bool,
    done: bool,
}

impl Items {
    pub(crate) fn new(arguments: Vec<String>) -> Result<Items, Stop> {
        let from_input = arguments.iter().filter(|argument| *argument == "-").count();
        if from_input > 1 {
            let why = "standard input can be read only once: give '-' only once";
            return Err(Stop::Failed(why.to_owned()));
        }
        Ok(Items {
            from_input: from_input > 0,
            many: from_input > 0 || arguments.len() > 1,
            arguments: arguments.into_iter(),
            lines: None,
            none_yet: true,
            done: false,
        })
    }

    /// Whether there may be more than one item.
    pub(crate) fn are_many(&self) -> bool {
        self.many
    }

    /// The registries of the arguments that can be parsed.
    pub(crate) fn named<T: FromStr>(&self, registry: fn(&T) -> &Registry) -> Named {
        let arguments = self.arguments.as_slice().iter();
        let read = arguments.filter_map(|argument| argument.parse().ok());
        let named = Named::new(read.map(|subject| registry(&subject).clone()));
        match self.from_input {
            true => named.and_more_from_input(),
            false => named,
        }
    }

    /// The number of items left. `None` if standard input decides it.
    pub(crate) fn left(&self) -> Option<usize> {
        (!self.from_input).then(|| self.arguments.len())
    }

    /// The next items: waits for one, and adds those that are there without waiting, up to a limit.
    /// Arguments are always there. Empty at the end.
    pub(crate) fn next_batch(&mut self) -> Result<Vec<Item>, Stop> {
        let mut batch = Vec::new();
        if let Some(first) = self.next() {
            batch.push(first?);
        }
        while !self.done && batch.len() < MAX_BATCH {
            match self.ready() {
                Some(item) => batch.push(item?),
                None => break,
            }
        }
        Ok(batch)
    }

    /// The next item, if there is one without waiting.
    fn ready(&mut self) -> Option<Result<Item, Stop>> {
        match (&mut self.lines, self.arguments.as_slice().first()) {
            (Some(lines), _) => lines.ready().map(Ok),
            (None, Some(argument)) if argument != "-" => self.next(),
            (None, _) => None,
        }
    }

    fn following(&mut self) -> Result<Option<Item>, Stop> {
        loop {
            if let Some(lines) = &mut self.lines {
                match lines.following(ReadMode::Wait) {
                    Ok(Some(item)) => return Ok(Some(item)),
                    Ok(None) => self.lines = None,
                    Err(error) => {
                        return Err(Stop::Failed(format!("can't read standard input: {error}")));
                    }
                }
            }
            match self.arguments.next() {
                Some(argument) if argument == "-" => {
                    self.lines = Some(Lines::new(io::stdin().lock()));
                }
                Some(typed) => {
                    return Ok(Some(Item {
                        typed,
                        place: None,
                        problem: None,
                    }));
                }
                // A deployment gate that has nothing to check must not open.
                None if self.none_yet => {
                    return Err(Stop::Failed(
                        "nothing was asked: standard input has no line to ask about".to_owned(),
                    ));
                }
                None => return Ok(None),
            }
        }
    }
}

impl Iterator for Items {
    type Item = Result<Item, Stop>;

    /// Ends after the first error.
    fn next(&mut self) -> Option<Result<Item, Stop>> {
        if self.done {
            return None;
        }
        let following = self.following();
        self.none_yet = false;
        self.done = !matches!(following, Ok(Some(_)));
        following.transpose()
    }
}

/// The most items in a batch: enough to save token requests, and few enough to answer while lines
/// are still being read.
const MAX_BATCH: usize = 512;

/// Reads one item per line. Skips blank lines and lines that start with `#`. Ignores white space,
/// CR included, around an item.
#[derive(Debug)]
struct Lines<R> {
    input: BufReader<R>,
    number: u64,
}

/// The longest line. It is several times the longest reference (771 bytes).
const MAX_LINE: usize = 4096;
/// Editors on Windows write this at the start of a file.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The size of the buffer: as much as a pipe holds.
const BUFFER: usize = 64 * 1024;

/// Whether a read may wait for input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReadMode {
    Wait,
    Buffered,
}

impl<R: Read> Lines<R> {
    fn new(input: R) -> Lines<R> {
        Lines::with_buffer(BUFFER, input)
    }

    fn with_buffer(size: usize, input: R) -> Lines<R> {
        Lines {
            input: BufReader::with_capacity(size, input),
            number: 0,
        }
    }

    /// The next item, if its line is in the buffer already.
    fn ready(&mut self) -> Option<Item> {
        // Nothing is read, so nothing can fail.
        self.following(ReadMode::Buffered).unwrap_or_default()
    }

    /// The next item. `None` at the end, or if there is none in the buffer and `read` is
    /// [`ReadMode::Buffered`].
    fn following(&mut self, read: ReadMode) -> io::Result<Option<Item>> {
        while read == ReadMode::Wait || self.input.buffer().contains(&b'\n') {
            let Some((bytes, whole)) = self.line()? else {
                return Ok(None);
            };
            self.number += 1;
            let bytes = match bytes.strip_prefix(BYTE_ORDER_MARK) {
                Some(rest) if self.number == 1 => rest,
                _ => &bytes[..],
            };
            if bytes.trim_ascii_start().starts_with(b"#") {
                continue;
            }
            let (text, is_text) = match std::str::from_utf8(bytes) {
                Ok(text) => (text.to_owned(), true),
                Err(_) => (String::from_utf8_lossy(bytes).into_owned(), false),
            };
            let problem = match (whole, is_text) {
                (false, _) => Some("the line is longer than 4096 bytes"),
                (true, false) => Some("the line is not UTF-8"),
                (true, true) if text.trim().is_empty() => continue,
                (true, true) => None,
            };
            return Ok(Some(Item {
                typed: text.trim().to_owned(),
                place: Some(format!("standard input, line {}", self.number)),
                problem,
            }));
        }
        Ok(None)
    }

    /// The next line without its line end, cut at a limit, and whether it is complete.
    fn line(&mut self) -> io::Result<Option<(Vec<u8>, bool)>> {
        let (mut line, mut whole, mut any) = (Vec::new(), true, false);
        loop {
            let chunk = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            };
            if chunk.is_empty() {
                return Ok(any.then_some((line, whole)));
            }
            any = true;
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let part = &chunk[..end.unwrap_or(chunk.len())];
            let kept = part.len().min(MAX_LINE - line.len());
            whole &= kept == part.len();
            line.extend_from_slice(&part[..kept]);
            let used = end.map_or(chunk.len(), |end| end + 1);
            self.input.consume(used);
            if end.is_some() {
                return Ok(Some((line, whole)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(input: &[u8]) -> Vec<(String, Option<&'static str>)> {
        // A small buffer, so that lines are longer than it.
        let mut lines = Lines::with_buffer(7, input);
        let mut found = Vec::new();
        while let Some(item) = lines.following(ReadMode::Wait).unwrap() {
            let number = item.place.unwrap();
            let number = number.trim_start_matches("standard input, line ");
            found.push((format!("{number} {}", item.typed), item.problem));
        }
        found
    }

    #[test]
    fn a_line_is_an_item() {
        let cases: [(&[u8], &[&str]); 8] = [
            (b"", &[]),
            (b"\n\n", &[]),
            (b"a", &["1 a"]),
            (b"a\nb\n", &["1 a", "2 b"]),
            (b"a:1\r\n\r\n b \t\n", &["1 a:1", "3 b"]),
            (b"# a\n  # b\nc\n#", &["3 c"]),
            (b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n", &["1 a", "2 \u{feff}b"]),
            (b"a b # c\n", &["1 a b # c"]),
        ];
        for (input, expected) in cases {
            let found: Vec<String> = items(input).into_iter().map(|(item, _)| item).collect();
            assert_eq!(found, expected, "{}", String::from_utf8_lossy(input));
        }
    }

    #[test]
    fn what_is_no_text_or_too_long_is_an_item_of_its_own() {
        let fits = "x".repeat(MAX_LINE);
        let input = format!("{fits}\n{fits}y\nlast\n");
        let found = items(input.as_bytes());
        assert_eq!(found[0], (format!("1 {fits}"), None));
        let too_long = Some("the line is longer than 4096 bytes");
        assert_eq!(found[1], (format!("2 {fits}"), too_long));
        assert_eq!(found[2], ("3 last".to_owned(), None));
        assert_eq!(
            items(b"a\xff\nb\n"),
            [
                ("1 a\u{fffd}".to_owned(), Some("the line is not UTF-8")),
                ("2 b".to_owned(), None),
            ]
        );
        // The limit cuts a character in two.
        let found = items(format!("{}ä\n", "x".repeat(MAX_LINE - 1)).as_bytes());
        assert_eq!(found[0].1, too_long);
    }

    #[test]
    fn only_whole_lines_are_there_without_waiting() {
        let mut lines = Lines::new(&b"a\n# b\n\nc\n# d\ne"[..]);
        assert_eq!(lines.ready(), None, "nothing is read yet");
        let typed = |item: Option<Item>| item.map(|item| item.typed);
        assert_eq!(
            typed(lines.following(ReadMode::Wait).unwrap()).as_deref(),
            Some("a")
        );
        assert_eq!(typed(lines.ready()).as_deref(), Some("c"));
        assert_eq!(lines.ready(), None);
        assert_eq!(
            typed(lines.following(ReadMode::Wait).unwrap()).as_deref(),
            Some("e")
        );
        assert_eq!(lines.following(ReadMode::Wait).unwrap(), None);
    }

    #[test]
    fn a_line_without_an_end_takes_no_more_memory_than_another() {
        let endless = io::repeat(b'x').take(50 << 20);
        let mut lines = Lines::new(endless);
        let item = lines.following(ReadMode::Wait).unwrap().unwrap();
        assert_eq!(item.typed.len(), MAX_LINE);
        assert_eq!(lines.following(ReadMode::Wait).unwrap(), None);
    }
}
