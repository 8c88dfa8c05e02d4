mod ambiguous;

use alloc::vec::Vec;

use memchr::{memchr, memmem};

use super::frame::{Extent, Frame};
use super::message::{Deviation, LINE_END, MessageForm, Verdict};
use super::quoted::QuotedForm;

/// Cuts the byte stream of a module into [`Frame`]s.
///
/// Lines end with a line feed; one carriage return before it belongs to the line end. Feed it
/// with [`push`](Self::push), then call [`next`](Self::next) until it returns `None`: memory then
/// stays below the limit plus one pushed piece.
///
/// ```
/// use atmq_protocol::at::framing::{Extent, Frame, ResponseReader};
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
    /// What a prompt looks like.
    sign: &'static [u8],
    /// Such a sign is a prompt only if it stands at or behind this place.
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
    Quoted(QuotedForm),
    /// It goes on behind its line end, up to so many bytes from its beginning.
    Block(usize),
    /// These bytes end it, behind so many.
    Marked(usize, &'static [u8]),
    /// The first line of a message that has no reading.
    Lost,
    /// A message that has more than one reading.
    Ambiguous,
    /// Nobody knows where a line begins before the module has been silent.
    Deaf,
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
            sign: b">",
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

    /// From now on this sign, such as `>`, is a prompt at the beginning of a line; the expectation
    /// ends with it. A sign that has already been pushed answers something older and stays part of
    /// its line.
    pub fn expect_prompt(&mut self, sign: &'static [u8]) {
        self.sign = sign;
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
        matches!(
            self.line,
            Line::Message(_) | Line::Quoted(_) | Line::Block(_) | Line::Marked(..)
        ) && !self.held
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
            Line::Message(_) | Line::Quoted(_) => return self.message(),
            Line::Block(length) => return self.block(length),
            Line::Marked(from, mark) => return self.marked(from, mark),
            Line::Ambiguous => return self.merge(extent),
            Line::Deaf => return self.hear_nothing(),
            _ => {}
        }
        let unscanned = &self.buffer[self.scanned..];
        let line_feed = memchr(b'\n', unscanned).map(|at| self.scanned + at);
        self.scanned = line_feed.unwrap_or(self.buffer.len());
        let seen = &self.buffer[self.start..self.scanned];
        if self.start < self.torn_until && self.line == Line::Undecided {
            self.line = Line::Plain;
        } else if self.line == Line::Undecided && !seen.is_empty() {
            self.line = match (extent(seen), line_feed) {
                (Extent::Message(form), _) => Line::Message(form),
                (Extent::Quoted(form), _) => Line::Quoted(form),
                (Extent::Marked(mark), _) => Line::Marked(0, mark),
                (Extent::MarkedFrom(from, mark), _) => Line::Marked(from, mark),
                (Extent::Block(length), Some(end)) => {
                    Line::Block((end + 1 - self.start).saturating_add(length))
                }
                (Extent::Incomplete | Extent::Block(_), None) => Line::Undecided,
                (Extent::Line | Extent::Incomplete, _) => Line::Plain,
            };
            if let Line::Message(_) | Line::Quoted(_) | Line::Marked(..) | Line::Block(_) =
                self.line
            {
                return Step::Again;
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
            && self.buffer[self.start..].starts_with(self.sign)
            && !matches!(
                self.line,
                Line::Discarded { .. } | Line::Lost | Line::Ambiguous | Line::Deaf
            )
        {
            self.prompt_from = None;
            self.skip_blank = true;
            self.begin_line(self.start + self.sign.len());
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
    fn message(&mut self) -> Step {
        let start = self.start;
        let line = &self.buffer[start..];
        if line.len() < self.awaited && !self.settled {
            return Step::Wait;
        }
        let verdict = match self.line {
            Line::Quoted(form) => form.judge(line, self.limit, self.settled),
            Line::Message(form) => form.judge(line, self.limit, self.settled, self.without_length),
            _ => return Step::Again,
        };
        match verdict {
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

    /// The line goes on behind its line end, for so many bytes in all.
    fn block(&mut self, length: usize) -> Step {
        let start = self.start;
        if length > self.limit {
            // No line of it is the module's, and nobody waits for its end.
            let head = memchr(b'\n', &self.buffer[start..]).map_or(0, |at| at + 1);
            return self.lose_track(start + head);
        }
        let end = start + length;
        let behind = match self.buffer.get(end..) {
            None => return Step::Wait,
            Some(b"" | b"\r") if !self.settled => {
                self.held = true;
                return Step::Wait;
            }
            Some(behind) => behind,
        };
        if !behind.starts_with(LINE_END) && !LINE_END.starts_with(behind) {
            // As with a message: up to where it should have ended, lines may be its own.
            self.torn_until = self.torn_until.max(end);
            self.line = Line::Lost;
            self.held = false;
            return Step::Again;
        }
        self.begin_line(end);
        self.skip_line_end();
        Step::Message {
            start,
            end,
            deviation: None,
        }
    }

    /// What stands before `end` is lost, and what follows up to the module's next silence.
    fn lose_track(&mut self, end: usize) -> Step {
        let start = self.start;
        let lost = &self.buffer[start..end];
        let lost = start + lost.strip_suffix(LINE_END).unwrap_or(lost).len();
        self.begin_line(end);
        self.line = Line::Deaf;
        Step::Lost {
            start,
            end: lost,
            ambiguous: false,
        }
    }

    /// The line ends with these bytes, behind so many of its own.
    fn marked(&mut self, behind: usize, mark: &[u8]) -> Step {
        let start = self.start;
        // The mark may have begun in what was searched before.
        let from = (start + behind).max((self.scanned + 1).saturating_sub(mark.len()));
        let rest = self.buffer.get(from..).unwrap_or_default();
        let found = memmem::find(rest, mark).map(|at| from + at + mark.len());
        self.scanned = self.buffer.len();
        if let Some(end) = found
            && end - start <= self.limit
        {
            self.begin_line(end);
            let line = &self.buffer[start..end];
            return Step::Message {
                start,
                end: start + line.strip_suffix(LINE_END).unwrap_or(line).len(),
                deviation: None,
            };
        }
        if self.scanned - start <= self.limit {
            return Step::Wait;
        }
        self.lose_track(start + self.limit + 1)
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
mod tests;
