use alloc::vec::Vec;

use memchr::memchr;

/// Something a module has sent, complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A line without its line end: information response, result code, URC, echo or noise. If it
    /// carries a counted payload, that payload may hold line ends. Empty lines are not reported.
    Line(&'a [u8]),
    /// A line that began inside of a counted payload which was not as long as announced. It may
    /// be part of the payload, so it is no answer and no report; a module that starts anew in the
    /// middle of a payload is heard of here.
    Torn(&'a [u8]),
    /// The `> ` that asks for raw data, seen at the beginning of a line while it was expected.
    Prompt,
    /// A line was longer than the reader's limit and has been discarded up to its end.
    Overlong {
        /// Bytes discarded.
        length: usize,
    },
}

/// How far a line reaches, as its dialect tells from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// To the next line feed.
    Line,
    /// A length is about to come, but has not been read yet.
    Incomplete,
    /// A payload of `length` bytes begins `start` bytes into the line, whatever it holds.
    Counted {
        /// Bytes of the line before the payload.
        start: usize,
        /// Bytes of the payload as they stand on the line.
        length: usize,
    },
}

/// Cuts the byte stream of a module into [`Frame`]s.
///
/// Lines end with a line feed; one carriage return before it belongs to the line end. Feed it
/// with [`push`](Self::push), then call [`next`](Self::next) until it returns `None`: memory then
/// stays below the limit plus one pushed piece.
///
/// ```
/// use atmq_protocol::framing::{Extent, Frame, ResponseReader};
///
/// let mut reader = ResponseReader::new(1024);
/// reader.push(b"\r\n+CSQ: 29,0\r\n\r\nO");
/// assert_eq!(reader.next(|_| Extent::Line), Some(Frame::Line(b"+CSQ: 29,0")));
/// assert_eq!(reader.next(|_| Extent::Line), None);
/// reader.push(b"K\r\n");
/// assert_eq!(reader.next(|_| Extent::Line), Some(Frame::Line(b"OK")));
/// ```
#[derive(Debug)]
pub struct ResponseReader {
    buffer: Vec<u8>,
    /// Where the current line begins in `buffer`.
    start: usize,
    /// Before this place the current line has no line feed.
    scanned: usize,
    line: Line,
    /// Before this place bytes may belong to a payload whose end was not where it should be.
    torn_until: usize,
    /// A `>` is a prompt only if it stands at or behind this place.
    prompt_from: Option<usize>,
    /// A prompt has come, the blank of `> ` may still follow.
    skip_blank: bool,
    limit: usize,
}

/// What is known of the current line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Undecided,
    Plain,
    Counted { start: usize, length: usize },
    Discarded { length: usize },
}

enum Step {
    Wait,
    Again,
    Prompt,
    Line { start: usize, end: usize },
    Torn { start: usize, end: usize },
    Overlong { length: usize },
}

impl ResponseReader {
    /// A reader that discards lines of more than `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            scanned: 0,
            line: Line::Undecided,
            torn_until: 0,
            prompt_from: None,
            skip_blank: false,
            limit,
        }
    }

    /// Takes in bytes as they come from the module.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.scanned -= self.start;
            self.torn_until = self.torn_until.saturating_sub(self.start);
            self.prompt_from = self.prompt_from.map(|from| from.saturating_sub(self.start));
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// From now on a `>` at the beginning of a line is a prompt; the expectation ends with it.
    /// A `>` that has already been pushed answers something older and stays part of its line.
    pub fn expect_prompt(&mut self) {
        self.prompt_from = Some(self.buffer.len());
    }

    /// A prompt is expected as before, or, where one has come, from the line on that is read next:
    /// what came may have been noise. The next may have been pushed already.
    pub fn still_expect_prompt(&mut self) {
        self.prompt_from.get_or_insert(self.start);
    }

    /// A prompt is no longer expected.
    pub fn forget_prompt(&mut self) {
        self.prompt_from = None;
    }

    /// Whether the end of a counted payload is still to come.
    pub fn is_counting(&self) -> bool {
        matches!(self.line, Line::Counted { .. })
    }

    /// What has come of the line that is not complete yet, unless it is already discarded.
    pub fn incomplete(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Drops the line that is not complete yet, and tells how many bytes of it have come.
    ///
    /// For whoever knows that its end will not come: a payload that was cut short on the way
    /// would take all that follows for its rest, up to the announced length.
    pub fn abandon(&mut self) -> usize {
        let length = self.discarded() + self.buffer.len() - self.start;
        self.buffer.clear();
        self.begin_line(0);
        self.torn_until = 0;
        self.skip_blank = false;
        self.prompt_from = self.prompt_from.map(|_| 0);
        length
    }

    /// The next complete frame, or `None` if more bytes are needed.
    ///
    /// `extent` is shown the beginning of the current line, at most up to its first line feed,
    /// and tells how far the line reaches.
    pub fn next(&mut self, extent: impl Fn(&[u8]) -> Extent) -> Option<Frame<'_>> {
        loop {
            match self.step(&extent) {
                Step::Wait => return None,
                Step::Again => {}
                Step::Prompt => return Some(Frame::Prompt),
                Step::Line { start, end } => return Some(Frame::Line(&self.buffer[start..end])),
                Step::Torn { start, end } => return Some(Frame::Torn(&self.buffer[start..end])),
                Step::Overlong { length } => return Some(Frame::Overlong { length }),
            }
        }
    }

    fn step(&mut self, extent: &impl Fn(&[u8]) -> Extent) -> Step {
        if let Some(step) = self.prompt() {
            return step;
        }
        if let Line::Counted { start, length } = self.line {
            return self.counted(start, length);
        }
        let unscanned = &self.buffer[self.scanned..];
        let line_feed = memchr(b'\n', unscanned).map(|at| self.scanned + at);
        self.scanned = line_feed.unwrap_or(self.buffer.len());
        let seen = &self.buffer[self.start..self.scanned];
        if self.start < self.torn_until {
            self.line = match self.line {
                Line::Undecided => Line::Plain,
                known => known,
            };
        } else if self.line == Line::Undecided && !seen.is_empty() {
            match extent(seen) {
                Extent::Counted { start, length } if start.saturating_add(length) <= self.limit => {
                    self.line = Line::Counted { start, length };
                    return Step::Again;
                }
                Extent::Incomplete if line_feed.is_none() => {}
                _ => self.line = Line::Plain,
            }
        }
        let seen = seen.len();
        match line_feed {
            Some(end) => self.end_line(end),
            None if seen <= self.limit => Step::Wait,
            None => {
                // Nothing of an overlong line is kept, so that noise without end costs nothing.
                let before = self.discarded();
                self.line = Line::Discarded {
                    length: before + seen,
                };
                self.start = self.buffer.len();
                Step::Wait
            }
        }
    }

    fn prompt(&mut self) -> Option<Step> {
        if self.skip_blank {
            match self.buffer.get(self.start) {
                None => return Some(Step::Wait),
                Some(b' ') => self.begin_line(self.start + 1),
                Some(_) => {}
            }
            self.skip_blank = false;
        }
        let from = self.prompt_from.map(|from| from.max(self.torn_until));
        let expected = from.is_some_and(|from| from <= self.start);
        if expected
            && self.buffer.get(self.start) == Some(&b'>')
            && !matches!(self.line, Line::Discarded { .. })
        {
            self.prompt_from = None;
            self.skip_blank = true;
            self.begin_line(self.start + 1);
            return Some(Step::Prompt);
        }
        None
    }

    /// The line ends at the line feed at `end`.
    fn end_line(&mut self, end: usize) -> Step {
        let start = self.start;
        let length = self.discarded() + end - start;
        let torn = start < self.torn_until;
        self.begin_line(end + 1);
        if length > self.limit {
            return Step::Overlong { length };
        }
        let line = &self.buffer[start..end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.iter().all(|byte| *byte == b'\r') {
            return Step::Again;
        }
        let end = start + line.len();
        match torn {
            true => Step::Torn { start, end },
            false => Step::Line { start, end },
        }
    }

    /// The line holds a counted payload, which must be followed by a line end. Quotes around it
    /// that are not counted are tolerated, as one host does (reference `lmqtt.md` 1.8).
    fn counted(&mut self, start: usize, length: usize) -> Step {
        let from = self.start + start;
        let quoted = self.buffer.get(from) == Some(&b'"');
        for end in [Some(from + length), quoted.then_some(from + length + 2)] {
            let Some(end) = end else { continue };
            let next = match self.buffer.get(end..) {
                None | Some([] | [b'\r']) => return Step::Wait,
                // Half a line end: the payload would end with the other half, so it is shorter.
                Some([b'\n', ..]) if end > from && self.buffer[end - 1] == b'\r' => continue,
                Some([b'\n', ..]) => end + 1,
                Some([b'\r', b'\n', ..]) => end + 2,
                Some(_) => continue,
            };
            let start = self.start;
            self.begin_line(next);
            return Step::Line { start, end };
        }
        // The payload is not as long as announced, so bytes were lost or are not the module's.
        // Reading goes on by lines, but up to where it should have ended they may be its own.
        self.line = Line::Plain;
        self.torn_until = from + length;
        Step::Again
    }

    fn begin_line(&mut self, at: usize) {
        self.start = at;
        self.scanned = at;
        self.line = Line::Undecided;
    }

    fn discarded(&self) -> usize {
        match self.line {
            Line::Discarded { length } => length,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use alloc::{format, vec};
    use proptest::prelude::*;

    /// `#<digits>:<payload>` is counted, everything else is a plain line.
    fn extent(line: &[u8]) -> Extent {
        let Some(rest) = line.strip_prefix(b"#") else {
            return Extent::Line;
        };
        let Some(colon) = memchr(b':', rest) else {
            return Extent::Incomplete;
        };
        match crate::parameter::integer(&rest[..colon]).and_then(|n| usize::try_from(n).ok()) {
            Some(length) => Extent::Counted {
                start: colon + 2,
                length,
            },
            None => Extent::Line,
        }
    }

    fn drain(reader: &mut ResponseReader) -> Vec<String> {
        let mut frames = Vec::new();
        while let Some(frame) = reader.next(extent) {
            frames.push(match frame {
                Frame::Line(line) => format!("{}", line.escape_ascii()),
                Frame::Torn(line) => format!("TORN {}", line.escape_ascii()),
                Frame::Prompt => "PROMPT".into(),
                Frame::Overlong { length } => format!("OVERLONG {length}"),
            });
        }
        frames
    }

    fn read(bytes: &[u8]) -> Vec<String> {
        let mut reader = ResponseReader::new(32);
        reader.expect_prompt();
        reader.push(bytes);
        drain(&mut reader)
    }

    #[test]
    fn lines_end_with_a_line_feed() {
        assert_eq!(read(b"\r\nOK\r\n"), ["OK"]);
        assert_eq!(read(b"AT\r\r\nOK\r\n"), [r"AT\r", "OK"]);
        assert_eq!(read(b"OK\nOK\n"), ["OK", "OK"]);
        assert_eq!(read(b"\r\n\r\r\n\r\nO"), [""; 0]);
    }

    #[test]
    fn a_counted_payload_is_not_scanned() {
        assert_eq!(read(b"#6:\r\nOK\r\n\r\nOK\r\n"), [r"#6:\r\nOK\r\n", "OK"]);
        assert_eq!(read(b"#0:\r\nOK\r\n"), ["#0:", "OK"]);
        assert_eq!(read(b"#4:\"ab\"\r\n"), [r#"#4:\"ab\""#]);
        assert_eq!(read(b"#2:\"ab\"\r\n"), [r#"#2:\"ab\""#]);
    }

    #[test]
    fn behind_a_wrong_length_nothing_that_may_be_payload_is_a_line() {
        assert_eq!(
            read(b"#9:ab\r\nOK\r\nOK\r\nOK\r\n"),
            ["TORN #9:ab", "TORN OK", "TORN OK", "OK"]
        );
        assert_eq!(
            read(b"#9:ab\r\n> c\r\n> "),
            ["TORN #9:ab", "TORN > c", "PROMPT"]
        );
        assert_eq!(read(b"#2:abc\r\nOK\r\n"), ["TORN #2:abc", "OK"]);
        // One byte was lost: the line end is no part of the payload.
        assert_eq!(read(b"#3:ab\r\nOK\r\n"), ["TORN #3:ab", "OK"]);
        assert_eq!(read(b"#3:ab\r\r\nOK\r\n"), [r"#3:ab\r", "OK"]);
        assert_eq!(read(b"#999:ab\r\nOK\r\n"), ["#999:ab", "OK"]);
        assert_eq!(read(b"#9\r\nOK\r\n"), ["#9", "OK"]);
    }

    #[test]
    fn a_prompt_counts_only_while_expected_and_at_the_beginning_of_a_line() {
        assert_eq!(read(b"\r\n> OK\r\n> \r\n"), ["PROMPT", "OK", "> "]);
        assert_eq!(read(b"\r\n>"), ["PROMPT"]);
        assert_eq!(read(b"+X: \"a>\"\r\n>"), [r#"+X: \"a>\""#, "PROMPT"]);
        let mut reader = ResponseReader::new(32);
        reader.push(b"\r\n>");
        assert_eq!(drain(&mut reader), [""; 0]);
        reader.expect_prompt();
        reader.push(b" \r\n> ");
        assert_eq!(drain(&mut reader), ["> ", "PROMPT"]);
    }

    #[test]
    fn a_prompt_that_is_still_expected_may_have_come() {
        let mut reader = ResponseReader::new(32);
        reader.expect_prompt();
        reader.push(b"\r\n>\r\nOK\r\n> \r\n> \r\n");
        assert_eq!(reader.next(extent), Some(Frame::Prompt));
        reader.still_expect_prompt();
        assert_eq!(drain(&mut reader), ["OK", "PROMPT", "> "]);
    }

    #[test]
    fn an_overlong_line_is_discarded_and_reported() {
        let mut bytes = vec![b'x'; 100];
        bytes.extend_from_slice(b"\r\nOK\r\n");
        assert_eq!(read(&bytes), ["OVERLONG 101", "OK"]);
    }

    #[test]
    fn a_payload_whose_rest_does_not_come_can_be_abandoned() {
        let mut reader = ResponseReader::new(32);
        reader.expect_prompt();
        reader.push(b"\r\n#20:ab\r\nOK\r\n");
        assert_eq!(drain(&mut reader), [""; 0]);
        assert!(reader.is_counting());
        assert_eq!(reader.incomplete(), b"#20:ab\r\nOK\r\n");
        assert_eq!(reader.abandon(), 12);
        assert!(!reader.is_counting());
        assert_eq!(reader.abandon(), 0);
        reader.push(b"OK\r\n> ");
        assert_eq!(drain(&mut reader), ["OK", "PROMPT"]);
        reader.push(&[b'x'; 40]);
        assert_eq!(drain(&mut reader), [""; 0]);
        assert_eq!(reader.abandon(), 40);
    }

    #[test]
    fn noise_without_end_does_not_grow() {
        let mut reader = ResponseReader::new(32);
        for _ in 0..10_000 {
            reader.push(&[b'x'; 64]);
            assert_eq!(drain(&mut reader), [""; 0]);
        }
        assert!(reader.buffer.capacity() <= 4 * (32 + 64));
        reader.push(b"\n");
        assert_eq!(drain(&mut reader), ["OVERLONG 640000"]);
    }

    fn stream() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            Just(b"\r\nOK\r\n".to_vec()),
            Just(b"\r\n> ".to_vec()),
            Just(b">".to_vec()),
            Just(b"#3:a\n>\r\n".to_vec()),
            Just(b"#3:\"a\n>\"\r\n".to_vec()),
            Just(b"#12:".to_vec()),
            Just(vec![b'y'; 40]),
            prop::collection::vec(prop::sample::select(b"#123:\"\r\n> x".to_vec()), 0..8),
            prop::collection::vec(any::<u8>(), 0..8),
        ];
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_frames(
            bytes in stream(),
            cuts in prop::collection::vec(1usize..9, 1..64),
        ) {
            let mut reader = ResponseReader::new(32);
            reader.expect_prompt();
            let mut frames = Vec::new();
            let mut rest = &bytes[..];
            for cut in cuts.iter().cycle() {
                let (piece, left) = rest.split_at((*cut).min(rest.len()));
                reader.push(piece);
                frames.append(&mut drain(&mut reader));
                rest = left;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(frames, read(&bytes));
        }
    }
}
