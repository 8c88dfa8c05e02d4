use alloc::vec;
use alloc::vec::Vec;

use memchr::memchr;

use super::message::{Deviation, LINE_END, MessageForm, Verdict};

/// Something a module has sent, complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A line without its line end: information response, result code, URC, echo or noise. Empty
    /// lines are not reported.
    Line(&'a [u8]),
    /// The line of a received message, without its line end. Topic and payload may hold line ends.
    Message {
        /// The line.
        line: &'a [u8],
        /// In what it differs from what the module was told.
        deviation: Option<Deviation>,
    },
    /// A received message that cannot be read.
    Lost {
        /// All of it if it can be read in more than one way; else its payload is not as long as
        /// announced, and this is its first line.
        bytes: &'a [u8],
        /// Which of the two.
        ambiguous: bool,
    },
    /// A line that began inside of what a lost message announced. It may be part of the payload,
    /// so it is no answer and no report; a module that starts anew in the middle of a payload is
    /// heard of here.
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
    /// It may be a message, when more of it has come.
    Incomplete,
    /// To the end of a message, whatever topic and payload hold.
    Message(MessageForm),
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
    /// A message is looked at again when its line has so many bytes.
    awaited: usize,
    /// What is missing of a message may not be its own.
    held: bool,
    /// The module was silent meanwhile, so it is not.
    settled: bool,
    /// Where the readings of an ambiguous message lead to, see [`merge`](Self::merge).
    paths: Vec<usize>,
    /// The last message had no length.
    without_length: bool,
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
    Message(MessageForm),
    /// The first line of a message that has no reading.
    Lost,
    /// A message that has more than one reading.
    Ambiguous,
    Discarded {
        length: usize,
    },
}

enum Step {
    Wait,
    Again,
    Prompt,
    Line {
        start: usize,
        end: usize,
    },
    Message {
        start: usize,
        end: usize,
        deviation: Option<Deviation>,
    },
    Lost {
        start: usize,
        end: usize,
        ambiguous: bool,
    },
    Torn {
        start: usize,
        end: usize,
    },
    Overlong {
        length: usize,
    },
}

impl ResponseReader {
    /// A reader that discards lines of more than `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            scanned: 0,
            line: Line::Undecided,
            awaited: 0,
            held: false,
            settled: false,
            paths: Vec::new(),
            without_length: false,
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
            self.paths.iter_mut().for_each(|path| *path -= self.start);
            self.start = 0;
        }
        self.settled &= bytes.is_empty();
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether a message has been found whose bytes may be the beginning of a longer one. It and
    /// what follows is kept until more bytes tell, or until [`settle`](Self::settle).
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// The module has been silent for [`MESSAGE_GAP`](super::MESSAGE_GAP), so what
    /// [is held](Self::is_held) is complete.
    pub fn settle(&mut self) {
        self.settled = self.held;
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

    /// Whether the end of a message is still to come.
    pub fn is_counting(&self) -> bool {
        matches!(self.line, Line::Message(_)) && !self.held
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
        self.paths.clear();
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
                Step::Message {
                    start,
                    end,
                    deviation,
                } => {
                    return Some(Frame::Message {
                        line: &self.buffer[start..end],
                        deviation,
                    });
                }
                Step::Lost {
                    start,
                    end,
                    ambiguous,
                } => {
                    let bytes = &self.buffer[start..end];
                    return Some(Frame::Lost { bytes, ambiguous });
                }
                Step::Torn { start, end } => return Some(Frame::Torn(&self.buffer[start..end])),
                Step::Overlong { length } => return Some(Frame::Overlong { length }),
            }
        }
    }

    fn step(&mut self, extent: &impl Fn(&[u8]) -> Extent) -> Step {
        if let Some(step) = self.prompt() {
            return step;
        }
        match self.line {
            Line::Message(form) => return self.message(&form),
            Line::Ambiguous => return self.merge(extent),
            _ => {}
        }
        let unscanned = &self.buffer[self.scanned..];
        let line_feed = memchr(b'\n', unscanned).map(|at| self.scanned + at);
        self.scanned = line_feed.unwrap_or(self.buffer.len());
        let seen = &self.buffer[self.start..self.scanned];
        if self.start < self.torn_until && self.line == Line::Undecided {
            self.line = Line::Plain;
        } else if self.line == Line::Undecided && !seen.is_empty() {
            match extent(seen) {
                Extent::Message(form) => {
                    self.line = Line::Message(form);
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
            && !matches!(self.line, Line::Discarded { .. } | Line::Lost)
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
        let lost = self.line == Line::Lost;
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
        if lost {
            Step::Lost {
                start,
                end,
                ambiguous: false,
            }
        } else if torn {
            Step::Torn { start, end }
        } else {
            Step::Line { start, end }
        }
    }

    /// The line is a message.
    fn message(&mut self, form: &MessageForm) -> Step {
        let start = self.start;
        let line = &self.buffer[start..];
        if line.len() < self.awaited && !self.settled {
            return Step::Wait;
        }
        match form.judge(line, self.limit, self.settled, self.without_length) {
            Verdict::Wait { until, held } => {
                self.awaited = until;
                self.held = held;
                Step::Wait
            }
            Verdict::Message(reading) => {
                let end = start + reading.end;
                let deviation = reading.deviation;
                self.without_length = deviation == Some(Deviation::NoLength);
                self.begin_line(end);
                self.skip_line_end();
                Step::Message {
                    start,
                    end,
                    deviation,
                }
            }
            Verdict::Ambiguous { ends } => {
                let behind = |end| start + end + LINE_END.len();
                self.paths.extend(ends.into_iter().map(behind));
                self.line = Line::Ambiguous;
                Step::Again
            }
            // Bytes were lost, or are not the module's. Reading goes on by lines, but up to where
            // the message should have ended they may be its own.
            Verdict::Torn { until } => {
                self.line = Line::Lost;
                self.held = false;
                self.torn_until = self.torn_until.max(start + until);
                Step::Again
            }
        }
    }

    /// Finds the end of what is lost with an ambiguous message.
    ///
    /// Whichever reading is the right one, the module's next line begins at its end. Behind a
    /// shorter one there may be a message that reaches beyond the end of a longer one, so that a
    /// line of its payload would be read as the module's. So each reading is followed, line by
    /// line and message by message, until all have come to the same place. Where that cannot be
    /// told, it is where the module is silent.
    fn merge(&mut self, extent: &impl Fn(&[u8]) -> Extent) -> Step {
        let start = self.start;
        let next = loop {
            self.paths.sort_unstable();
            self.paths.dedup();
            let (first, last) = (self.paths[0], self.paths[self.paths.len() - 1]);
            if first == last || first - start > self.limit {
                break last;
            }
            match self.follow(first, extent) {
                Some(mut places) => {
                    self.paths.swap_remove(0);
                    self.paths.append(&mut places);
                }
                None if self.settled => break self.buffer.len(),
                None => {
                    self.held = true;
                    return Step::Wait;
                }
            }
        };
        self.paths.clear();
        let bytes = &self.buffer[start..next];
        let end = start + bytes.strip_suffix(LINE_END).unwrap_or(bytes).len();
        self.begin_line(next);
        Step::Lost {
            start,
            end,
            ambiguous: true,
        }
    }

    /// Where the lines may begin that follow the one that begins here. `None`: more bytes are
    /// needed.
    fn follow(&self, place: usize, extent: &impl Fn(&[u8]) -> Extent) -> Option<Vec<usize>> {
        let line = &self.buffer[place..];
        let line_feed = memchr(b'\n', line);
        let behind = |end| place + end + LINE_END.len();
        if let Extent::Message(form) = extent(&line[..line_feed.unwrap_or(line.len())]) {
            match form.judge(line, self.limit, false, self.without_length) {
                Verdict::Wait { .. } => return None,
                Verdict::Message(reading) => return Some(vec![behind(reading.end)]),
                Verdict::Ambiguous { ends } => return Some(ends.into_iter().map(behind).collect()),
                Verdict::Torn { .. } => {}
            }
        }
        Some(vec![place + line_feed? + 1])
    }

    /// The line end that stands here has been seen.
    fn skip_line_end(&mut self) {
        let rest = &self.buffer[self.start..];
        let end = memchr(b'\n', rest).map_or(0, |at| at + 1);
        self.begin_line(self.start + end);
    }

    fn begin_line(&mut self, at: usize) {
        self.start = at;
        self.scanned = at;
        self.line = Line::Undecided;
        self.awaited = 0;
        self.held = false;
        self.settled = false;
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
    use crate::framing::Counting;
    use alloc::format;
    use alloc::string::String;
    use proptest::prelude::*;

    /// `#"<topic>",<len>,<payload>` is a message, `$` one in hexadecimal digits, everything else a
    /// plain line.
    fn extent(line: &[u8]) -> Extent {
        let counting = match line {
            [b'#', b'"', ..] => Counting::Bytes,
            [b'$', b'"', ..] => Counting::Pairs,
            [b'#' | b'$'] => return Extent::Incomplete,
            _ => return Extent::Line,
        };
        Extent::Message(MessageForm {
            start: 1,
            counting,
            longest_topic: 24,
            longest_payload: 40,
        })
    }

    fn drain(reader: &mut ResponseReader) -> Vec<String> {
        let mut frames = Vec::new();
        while let Some(frame) = reader.next(extent) {
            frames.push(match frame {
                Frame::Line(line) => format!("{}", line.escape_ascii()),
                Frame::Message { line, deviation } => {
                    let deviation = deviation.map_or(String::new(), |how| format!(" {how:?}"));
                    format!("MESSAGE{deviation} {}", line.escape_ascii())
                }
                Frame::Lost { bytes, ambiguous } => {
                    let why = if ambiguous { "AMBIGUOUS" } else { "LOST" };
                    format!("{why} {}", bytes.escape_ascii())
                }
                Frame::Torn(line) => format!("TORN {}", line.escape_ascii()),
                Frame::Prompt => "PROMPT".into(),
                Frame::Overlong { length } => format!("OVERLONG {length}"),
            });
        }
        frames
    }

    fn read(bytes: &[u8]) -> Vec<String> {
        let mut reader = ResponseReader::new(64);
        reader.expect_prompt();
        reader.push(bytes);
        drain(&mut reader)
    }

    /// What is read of these bytes when silence follows them.
    fn read_to_the_end(bytes: &[u8]) -> Vec<String> {
        let mut reader = ResponseReader::new(64);
        reader.push(bytes);
        let mut frames = drain(&mut reader);
        while reader.is_held() {
            reader.settle();
            frames.append(&mut drain(&mut reader));
        }
        frames
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
        assert_eq!(
            read(b"#\"t\",6,\r\nOK\r\n\r\nOK\r\n"),
            [r#"MESSAGE #\"t\",6,\r\nOK\r\n"#, "OK"]
        );
        assert_eq!(read(b"#\"t\",0,\r\nOK\r\n"), [r#"MESSAGE #\"t\",0,"#, "OK"]);
        assert_eq!(read(b"#\"t\",3,ab\r\r\n"), [r#"MESSAGE #\"t\",3,ab\r"#]);
        assert_eq!(
            read(b"#\"t\",5,> \r\n>\r\n> "),
            [r#"MESSAGE #\"t\",5,> \r\n>"#, "PROMPT"]
        );
        assert_eq!(read(b"#\"t\",4,\"ab\"\r\n"), [r#"MESSAGE #\"t\",4,\"ab\""#]);
    }

    #[test]
    fn behind_a_wrong_length_nothing_that_may_be_payload_is_a_line() {
        assert_eq!(
            read_to_the_end(b"#\"t\",9,ab\r\nOK\r\nOK\r\nOK\r\n"),
            [r#"LOST #\"t\",9,ab"#, "TORN OK", "TORN OK", "OK"]
        );
        assert_eq!(
            read_to_the_end(b"#\"t\",2,abc\r\nOK\r\n"),
            [r#"LOST #\"t\",2,abc"#, "OK"]
        );
        // One byte was lost: the line end is no part of the payload.
        assert_eq!(
            read_to_the_end(b"#\"t\",3,ab\r\nOK\r\n"),
            [r#"LOST #\"t\",3,ab"#, "OK"]
        );
        // No module announces so much.
        assert_eq!(
            read_to_the_end(b"#\"t\",41,ab\r\nOK\r\n"),
            [r#"LOST #\"t\",41,ab"#, "OK"]
        );
        assert_eq!(
            read_to_the_end(b"#\"t\"\r\nOK\r\n"),
            [r#"LOST #\"t\""#, "OK"]
        );
        // Up to where the longest of what is announced would have ended.
        assert_eq!(
            read_to_the_end(b"#\"t\",1,x\",20,y\r\nOK\r\n+X: 12345678\r\nOK\r\n"),
            [
                r#"LOST #\"t\",1,x\",20,y"#,
                "TORN OK",
                "TORN +X: 12345678",
                "OK"
            ]
        );
    }

    #[test]
    fn quotes_commas_and_numbers_in_a_topic_end_no_message() {
        assert_eq!(
            read(b"#\"a\",3,xyz\",2,p2\r\nOK\r\n"),
            [r#"MESSAGE #\"a\",3,xyz\",2,p2"#, "OK"]
        );
        assert_eq!(
            read(b"#\"a\",7,\",2,\r\n\r\nOK\r\n"),
            [r#"MESSAGE #\"a\",7,\",2,\r\n"#, "OK"]
        );
    }

    #[test]
    fn a_message_is_held_while_a_longer_one_may_begin_with_it() {
        // The array of the payload looks like the end of a topic and a length.
        let array = b"#\"t\",8,[\"x\",9,]\r\n";
        assert_eq!(read(array), [""; 0]);
        assert_eq!(read_to_the_end(array), [r#"MESSAGE #\"t\",8,[\"x\",9,]"#]);
        let more = [&array[..], b"+X: 1234567\r\nOK\r\n"].concat();
        assert_eq!(
            read(&more),
            [r#"MESSAGE #\"t\",8,[\"x\",9,]"#, "+X: 1234567", "OK"]
        );
        // A longer topic begins with a whole message, and the payload ends what it announces.
        let both = b"#\"t\",3,abc\r\n+\",7,x\r\n";
        assert_eq!(read(both), [r#"MESSAGE #\"t\",3,abc"#, r#"+\",7,x"#]);
        let longer = b"#\"t\",20,x\",5,OK\r\nA\r\n\r\n";
        assert_eq!(read(longer), [""; 0]);
        assert_eq!(
            read_to_the_end(longer),
            [r#"MESSAGE #\"t\",20,x\",5,OK\r\nA"#]
        );
    }

    #[test]
    fn a_message_with_two_readings_is_dropped_to_the_end_of_the_longer() {
        assert_eq!(
            read(b"#\"a\",7,b\",2,hi\r\nOK\r\n"),
            [r#"AMBIGUOUS #\"a\",7,b\",2,hi"#, "OK"]
        );
        assert_eq!(
            read(b"#\"a\",5,\",14,\r\nOK\r\n12345678\r\nOK\r\n"),
            [r#"AMBIGUOUS #\"a\",5,\",14,\r\nOK\r\n12345678"#, "OK"]
        );
    }

    #[test]
    fn control_characters_in_a_topic_count_where_there_is_no_other_reading() {
        assert_eq!(
            read(b"#\"a\nb\",2,p2\r\nOK\r\n"),
            [r#"MESSAGE #\"a\nb\",2,p2"#, "OK"]
        );
        assert_eq!(
            read(b"#\"a\r\nRDY\r\n\",2,p2\r\nOK\r\n"),
            [r#"MESSAGE #\"a\r\nRDY\r\n\",2,p2"#, "OK"]
        );
        assert_eq!(
            read(b"#\"t\",3,abc\r\n\",2,xy\r\n"),
            [r#"MESSAGE #\"t\",3,abc"#, r#"\",2,xy"#]
        );
        // A message that has lost bytes does not swallow the next one unnoticed.
        assert_eq!(
            read(b"#\"t\",9,abc\r\n#\"u\",2,hi\r\nOK\r\n"),
            [r#"AMBIGUOUS #\"t\",9,abc\r\n#\"u\",2,hi"#, "OK"]
        );
    }

    #[test]
    fn a_topic_without_end_keeps_nothing_from_being_read() {
        assert_eq!(read(b"#\"abc\r\nOK\r\n"), [""; 0]);
        assert_eq!(
            read_to_the_end(b"#\"abc\r\nOK\r\n"),
            [r#"LOST #\"abc"#, "OK"]
        );
        assert_eq!(
            read(b"#\"abc\r\nOK\r\n+X: 12345678901234\r\n"),
            [r#"LOST #\"abc"#, "OK", "+X: 12345678901234"]
        );
    }

    #[test]
    fn hexadecimal_digits_leave_one_reading() {
        assert_eq!(
            read(b"$\"a\",3,\",2,6869\r\nOK\r\n"),
            [r#"MESSAGE $\"a\",3,\",2,6869"#, "OK"]
        );
    }

    #[test]
    fn a_module_that_writes_otherwise_than_it_was_told_is_understood() {
        assert_eq!(
            read(b"#\"t\",2,\"ab\"\r\n"),
            [r#"MESSAGE Quoted #\"t\",2,\"ab\""#]
        );
        assert_eq!(
            read(b"#\"t\",2,6869\r\n"),
            [r#"MESSAGE Hexadecimal #\"t\",2,6869"#]
        );
        assert_eq!(
            read(b"#\"t\",2,\"6869\"\r\n"),
            [r#"MESSAGE Hexadecimal #\"t\",2,\"6869\""#]
        );
        assert_eq!(read(b"$\"t\",2,hi\r\n"), [r#"MESSAGE Text $\"t\",2,hi"#]);
        assert_eq!(read(b"$\"t\",2,21\r\n"), [r#"AMBIGUOUS $\"t\",2,21"#]);
        // The first one is held, because a topic may have a line end; then it is known.
        let plain = b"#\"t\",{\"a\":1}\r\n";
        assert_eq!(read(plain), [""; 0]);
        assert_eq!(
            read_to_the_end(plain),
            [r#"MESSAGE NoLength #\"t\",{\"a\":1}"#]
        );
        let mut reader = ResponseReader::new(64);
        reader.push(plain);
        assert_eq!(drain(&mut reader), [""; 0]);
        reader.settle();
        assert_eq!(drain(&mut reader), [r#"MESSAGE NoLength #\"t\",{\"a\":1}"#]);
        reader.push(b"#\"t\",x\r\nOK\r\n");
        assert_eq!(drain(&mut reader), [r#"MESSAGE NoLength #\"t\",x"#, "OK"]);
        // It may be one that lost its end.
        reader.push(b"#\"t\",21,5\r\nOK\r\n");
        assert_eq!(drain(&mut reader), [""; 0]);
        reader.settle();
        assert_eq!(drain(&mut reader), [r#"LOST #\"t\",21,5"#, "TORN OK"]);
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
        reader.push(b"\r\n#\"t\",20,ab\r\nOK\r\n");
        assert_eq!(drain(&mut reader), [""; 0]);
        assert!(reader.is_counting());
        assert_eq!(reader.incomplete(), b"#\"t\",20,ab\r\nOK\r\n");
        assert_eq!(reader.abandon(), 16);
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
            Just(b"#\"t\",3,a\n>\r\n".to_vec()),
            Just(b"#\"t\",3,\"a\n>\"\r\n".to_vec()),
            Just(b"$\"t\",2,6869\r\n".to_vec()),
            Just(b"#\"t\",x\r\n".to_vec()),
            Just(b"#\"t\",12,".to_vec()),
            Just(b"\",7,".to_vec()),
            Just(vec![b'y'; 80]),
            prop::collection::vec(prop::sample::select(b"#$12,\"\"\r\n> x".to_vec()), 0..8),
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
            let mut reader = ResponseReader::new(64);
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
