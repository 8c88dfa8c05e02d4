//! Where a received message ends, when nothing in it is escaped.
//!
//! Modules report a message as `"<topic>",<len>,<payload>` and a line end, and neither topic nor
//! payload is escaped: either may hold quotes, commas and digits, and a payload any byte. Both
//! come from strangers, so several beginnings of a payload may be found in one message. Each of
//! them is a *reading*: a topic within the module's limit, `",<len>,`, and CR LF exactly behind
//! the `len` bytes. The message that the module meant is always among the readings; so where all
//! others are refuted, it has been found, and where another one stands, nobody can tell.

mod length;
mod shape;

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;
use core::time::Duration;

use length::{Length, length};
use memchr::{memchr, memchr_iter, memmem, memrchr};
use shape::{DIGITS, PAIRS, QUOTED, Shape, TEXT};

/// The module's silence after which what has not come of a message is not its own: a module writes
/// a message in one go. For [`ResponseReader::settle`](super::ResponseReader::settle). Ours.
pub const MESSAGE_GAP: Duration = Duration::from_millis(100);

/// How a received message is written behind the part of its line that identifies it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageForm {
    /// Where the quote stands that opens the topic, in bytes from the beginning of the line.
    pub start: usize,
    /// What the length counts, as the module was told.
    pub counting: Counting,
    /// Whether quotes stand around the payload, which the length does not count.
    pub quoted: bool,
    /// Longest topic that the module reports, in bytes.
    pub longest_topic: usize,
    /// Longest payload that the module reports, in bytes, before it is written in digits.
    pub longest_payload: usize,
}

/// What the length before a payload counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// The bytes of a payload that stands on the line as it is.
    Bytes,
    /// The bytes of a payload that stands between quotes, which are not counted.
    QuotedBytes,
    /// The bytes of a payload that is written in two hexadecimal digits each.
    Pairs,
    /// Those digits.
    Digits,
}

/// In what a message differs from the form that the module was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Deviation {
    /// Quotes that are not counted stand around the payload.
    Quoted,
    /// No quotes stand around the payload, and were to.
    Unquoted,
    /// The payload is written in hexadecimal digits, and was to be text.
    Hexadecimal,
    /// The payload is text, and was to be hexadecimal digits.
    Text,
    /// No length stands before the payload.
    NoLength,
}

/// A way to read a line as a message. The ranges count from the beginning of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) topic: Range<usize>,
    pub(crate) payload: Range<usize>,
    /// Whether the payload is written in hexadecimal digits.
    pub(crate) hexadecimal: bool,
    pub(crate) deviation: Option<Deviation>,
    /// Where the line end stands.
    pub(crate) end: usize,
}

/// What can be said of a message from the bytes at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing, before the line has so many bytes. `held`: what is missing may not be the
    /// message's, so silence settles it.
    Wait { until: usize, held: bool },
    /// It has one reading.
    Message(Reading),
    /// It has more than one, which end here.
    Ambiguous { ends: Vec<usize> },
    /// It has none; what was announced would have ended here.
    Torn { until: usize },
}

/// The most digits of a length: no module reports a megabyte.
const LENGTH_DIGITS: usize = 6;

/// The line end of a message.
pub(super) const LINE_END: &[u8] = b"\r\n";

/// The end of a topic and the length behind it.
#[derive(Debug, Clone, Copy)]
struct Header {
    /// Where the quote stands that would end the topic.
    quote: usize,
    /// Where the payload would begin.
    payload: usize,
    length: usize,
}

impl Counting {
    /// How many bytes stand on the line behind a length.
    pub(crate) fn on_the_line(self, length: usize) -> usize {
        match self {
            Self::Bytes | Self::QuotedBytes | Self::Digits => length,
            Self::Pairs => length.saturating_mul(2),
        }
    }

    /// What is counted of one byte of payload.
    fn of_one_byte(self) -> usize {
        match self {
            Self::Bytes | Self::QuotedBytes | Self::Pairs => 1,
            Self::Digits => 2,
        }
    }

    fn is_hexadecimal(self) -> bool {
        matches!(self, Self::Pairs | Self::Digits)
    }
}

impl MessageForm {
    /// What the beginning of a line comes to that identifies a message.
    ///
    /// `longest`: a line of more bytes is none. `settled`: the module has been silent, so what
    /// has not come is not the message's. `without_length`: the message before had no length.
    pub(super) fn judge(
        &self,
        line: &[u8],
        longest: usize,
        settled: bool,
        without_length: bool,
    ) -> Verdict {
        let scan = Scan::new(self, line, longest);
        let shapes = self.shapes();
        let (told, otherwise) = shapes.split_at(1);
        let clean = || scan.headers().take_while(|header| scan.is_clean(header));
        let verdict = scan.count(clean(), told, settled);
        if let Some(verdict) = verdict {
            return verdict.held_if(without_length);
        }
        if scan.may_go_on() && !scan.has_control() {
            return scan.wait();
        }
        if let Some(verdict) = scan.count(clean(), otherwise, settled) {
            return verdict;
        }
        let bare = match clean().next() {
            Some(_) => None,
            None => self.without_length(&line[..scan.first_line()]),
        };
        let bare = bare.filter(|reading| reading.end <= longest);
        if bare.is_some() && !scan.has_line_feed() {
            return scan.wait();
        }
        if without_length && let Some(reading) = bare {
            return Verdict::Message(reading);
        }
        // A topic with control characters, where there is none without.
        let others = scan.headers().skip_while(|header| scan.is_clean(header));
        match scan.count(others, told, settled) {
            // A line lost its end, or a topic holds what looks like another message.
            Some(Verdict::Message(reading)) if scan.holds_message(&reading.topic) => {
                let ends = vec![reading.end];
                return Verdict::Ambiguous { ends };
            }
            Some(verdict) => return verdict.held_if(true),
            None if scan.may_go_on() && !settled => return scan.wait().held_if(true),
            None => {}
        }
        match bare {
            Some(reading) => Verdict::Message(reading),
            None => Verdict::Torn {
                until: scan.longest_end(),
            },
        }
    }

    /// The way to read a complete line, without its line end, as a message: the one that
    /// [`ResponseReader`](super::ResponseReader) has found.
    pub(crate) fn read(&self, line: &[u8]) -> Option<Reading> {
        let scan = Scan::new(self, line, line.len());
        let shapes = self.shapes();
        let (told, otherwise) = shapes.split_at(1);
        let find = |clean: bool, shapes: &[Shape]| {
            let headers = scan
                .headers()
                .filter(|header| scan.is_clean(header) == clean);
            let readings = headers.flat_map(|header| {
                let readings = shapes.iter().map(move |shape| (header, *shape));
                readings.filter_map(|(header, shape)| scan.reading(header, shape))
            });
            let mut readings = readings.filter(|reading| reading.end == line.len());
            readings.next().map(|reading| (reading, readings.next()))
        };
        let found = find(true, told)
            .or_else(|| find(true, otherwise))
            .or_else(|| find(false, told));
        match found {
            Some((reading, None)) => Some(reading),
            Some((_, Some(_))) => None,
            None if scan.headers().any(|header| scan.is_clean(&header)) => None,
            None => self.without_length(line),
        }
    }

    /// What the payload may look like: first as the module was told, then otherwise.
    fn shapes(&self) -> &'static [Shape] {
        let quoted = usize::from(self.quoted);
        match self.counting {
            Counting::Bytes => &TEXT[quoted],
            Counting::QuotedBytes => &QUOTED,
            Counting::Pairs => &PAIRS[quoted],
            Counting::Digits => &DIGITS[quoted],
        }
    }

    /// `"<topic>",<payload>`, the payload perhaps between quotes. `line`: without its line end.
    fn without_length(&self, line: &[u8]) -> Option<Reading> {
        let topic = self.start + 1;
        let quote = topic + memmem::find(line.get(topic..)?, b"\",")?;
        // What looks like a length may be one, and wrong.
        let number = line[quote + 2..]
            .iter()
            .position(|byte| !b"+-0123456789".contains(byte));
        let counted = number.is_some_and(|end| line[quote + 2 + end] == b',');
        if counted || quote - topic > self.longest_topic || has_control(&line[topic..quote]) {
            return None;
        }
        let quotes = usize::from(self.quoted && line[quote + 2..].starts_with(b"\""));
        let end = line.len() - quotes;
        if quotes == 1 && (end <= quote + 2 || line[end] != b'"') {
            return None;
        }
        Some(Reading {
            topic: topic..quote,
            payload: quote + 2 + quotes..end,
            hexadecimal: self.counting.is_hexadecimal(),
            deviation: Some(Deviation::NoLength),
            end: line.len(),
        })
    }
}

impl Verdict {
    /// The same, but silence settles it if `held`.
    fn held_if(self, held: bool) -> Self {
        match self {
            Self::Wait { until, held: known } => Self::Wait {
                until,
                held: known || held,
            },
            decided => decided,
        }
    }
}

/// A line that is searched for readings.
struct Scan<'a> {
    form: &'a MessageForm,
    line: &'a [u8],
    /// A line of more bytes is no message.
    longest: usize,
    /// Where the topic begins.
    topic: usize,
    /// The bytes among which the quote must be that ends the topic.
    window: &'a [u8],
}

impl<'a> Scan<'a> {
    fn new(form: &'a MessageForm, line: &'a [u8], longest: usize) -> Self {
        let topic = form.start + 1;
        let window = line.get(topic..).unwrap_or_default();
        let window = &window[..window.len().min(form.longest_topic.saturating_add(1))];
        Self {
            form,
            line,
            longest,
            topic,
            window,
        }
    }

    fn is_clean(&self, header: &Header) -> bool {
        !has_control(&self.line[self.topic..header.quote])
    }

    fn has_control(&self) -> bool {
        has_control(self.window)
    }

    /// Whether the end of the topic may still come.
    fn may_go_on(&self) -> bool {
        let quote = memrchr(b'"', self.window);
        let unfinished = quote.is_some_and(|at| {
            let behind = &self.line[self.topic + at + 1..];
            length(behind) == Length::Incomplete
        });
        self.window.len() <= self.form.longest_topic || unfinished
    }

    fn wait(&self) -> Verdict {
        Verdict::Wait {
            until: self.line.len() + 1,
            held: false,
        }
    }

    /// Where the first line ends, or the bytes at hand; the carriage return behind them may be its
    /// line end's.
    fn first_line(&self) -> usize {
        let end = memchr(b'\n', self.line).unwrap_or(self.line.len());
        end - usize::from(self.line[..end].ends_with(b"\r"))
    }

    fn has_line_feed(&self) -> bool {
        memchr(b'\n', self.line).is_some()
    }

    /// Whether a line of the topic begins as this one does.
    fn holds_message(&self, topic: &Range<usize>) -> bool {
        let head = &self.line[..self.form.start];
        let name = memchr(b':', head).unwrap_or(head.len());
        let mut lines = self.line[topic.clone()]
            .split(|byte| *byte == b'\n')
            .skip(1);
        lines.any(|line| line.starts_with(&head[..name]))
    }

    fn headers(&self) -> impl Iterator<Item = Header> + use<'_, 'a> {
        let longest = self.form.longest_payload * self.form.counting.of_one_byte();
        memchr_iter(b'"', self.window).filter_map(move |at| {
            let quote = self.topic + at;
            match length(&self.line[quote + 1..]) {
                Length::Known { length, bytes } if length <= longest => Some(Header {
                    quote,
                    payload: quote + 1 + bytes,
                    length,
                }),
                _ => None,
            }
        })
    }

    /// The reading of a header, whatever stands behind it; `None` if the bytes at hand refute it.
    fn reading(&self, header: Header, shape: Shape) -> Option<Reading> {
        let quotes = usize::from(shape.quoted);
        let payload = header.payload + quotes;
        let payload = payload..payload + shape.counting.on_the_line(header.length);
        let end = payload.end + quotes;
        let is_quote = |at: usize| self.line.get(at).is_none_or(|byte| *byte == b'"');
        if shape.quoted && !(is_quote(header.payload) && is_quote(payload.end)) {
            return None;
        }
        let seen = payload.start.min(self.line.len())..payload.end.min(self.line.len());
        let hexadecimal = shape.counting.is_hexadecimal();
        let digits = || payload.len() % 2 == 0 && self.line[seen].iter().all(u8::is_ascii_hexdigit);
        (end <= self.longest && (!hexadecimal || digits())).then(|| Reading {
            topic: self.topic..header.quote,
            payload: payload.clone(),
            hexadecimal,
            deviation: shape.deviation,
            end,
        })
    }

    /// What the readings of these headers in these shapes come to; `None` if all are refuted.
    fn count(
        &self,
        headers: impl Iterator<Item = Header>,
        shapes: &[Shape],
        settled: bool,
    ) -> Option<Verdict> {
        let mut shortest: Option<Reading> = None;
        let mut ends = Vec::new();
        let next = self.line.len() + 1;
        let mut pending = None::<usize>;
        for header in headers {
            // What begins behind a reading belongs to what follows it.
            if matches!(&shortest, Some(found) if header.quote >= found.end) {
                break;
            }
            for shape in shapes {
                let Some(reading) = self.reading(header, *shape) else {
                    continue;
                };
                let behind = self.line.get(reading.end..).unwrap_or_default();
                if behind.starts_with(LINE_END) {
                    if let Some(other) = &shortest {
                        ends.push(other.end);
                        ends.push(reading.end);
                    }
                    if !matches!(&shortest, Some(found) if found.end <= reading.end) {
                        shortest = Some(reading);
                    }
                } else if LINE_END.starts_with(behind) && !settled {
                    // Bytes as they are can only be refuted by what stands around them.
                    let opened = !shape.quoted || self.line.len() > header.payload;
                    let until = match shape.counting == Counting::Bytes && opened {
                        true => next.max(reading.end + 1),
                        false => next,
                    };
                    pending = Some(pending.map_or(until, |other| other.min(until)));
                }
            }
        }
        match (shortest, pending) {
            (found, Some(until)) => Some(Verdict::Wait {
                until: if self.may_go_on() { next } else { until },
                held: found.is_some(),
            }),
            (Some(reading), None) if ends.is_empty() => Some(Verdict::Message(reading)),
            (Some(_), None) => Some(Verdict::Ambiguous { ends }),
            (None, None) => None,
        }
    }

    /// Where the longest payload ends that is announced, behind a topic without control characters
    /// if there is one.
    fn longest_end(&self) -> usize {
        let counting = self.form.counting;
        let longest = |clean: bool| {
            let headers = self
                .headers()
                .filter(|header| self.is_clean(header) == clean);
            let ends = headers.map(|header| header.payload + counting.on_the_line(header.length));
            ends.filter(|end| *end <= self.longest).max()
        };
        longest(true).or_else(|| longest(false)).unwrap_or(0)
    }
}

fn has_control(bytes: &[u8]) -> bool {
    bytes.iter().any(u8::is_ascii_control)
}
