//! Where a received message ends whose payload stands between quotes and has no length before it.
//!
//! Modules report it as `"<topic>","<payload>"` and a line end, and escape nothing. A payload in
//! hexadecimal digits holds no quote, so the message ends at `","<digits>"` and CR LF: behind a
//! topic without control characters there is one such place. Behind other topics the first one
//! counts. A payload of text ends at the first quote before a line end, whatever it holds.

use alloc::vec;

use memchr::{memchr_iter, memmem};

use super::message::{Deviation, Reading, Verdict};

/// How a received message is written that has no length, behind the part of its line that
/// identifies it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotedForm {
    /// Where the quote stands that opens the topic, in bytes from the beginning of the line.
    pub start: usize,
    /// Whether the payload is written in two hexadecimal digits a byte, as the module was told.
    pub hexadecimal: bool,
    /// Longest topic that the module reports, in bytes.
    pub longest_topic: usize,
    /// Longest payload that the module reports, in bytes, before it is written in digits.
    pub longest_payload: usize,
}

/// What stands between topic and payload.
const BETWEEN: &[u8] = b"\",\"";
/// What ends the payload and the line.
const END: &[u8] = b"\"\r\n";

/// What comes of one place at which the topic may end.
enum Place {
    Complete(Reading),
    /// More bytes tell.
    Open,
    Refuted,
}

impl QuotedForm {
    /// What the beginning of a line comes to that identifies a message.
    ///
    /// `longest`: a line of more bytes is none. `settled`: the module has been silent, so what has
    /// not come is not the message's.
    pub(super) fn judge(&self, line: &[u8], longest: usize, settled: bool) -> Verdict {
        let wait = |held| Verdict::Wait {
            until: line.len() + 1,
            held,
        };
        let topic = self.start + 1;
        let bytes = line.get(topic..).unwrap_or_default();
        let reach = self.longest_topic + BETWEEN.len();
        let window = &bytes[..bytes.len().min(reach)];
        let control = window.iter().position(u8::is_ascii_control);
        let clean = |at: usize| control.is_none_or(|control| at < control);
        let mut open = window.len() < reach && control.is_none();
        let mut open_elsewhere = window.len() < reach;
        // One may begin with the quote that ends another.
        let quotes = memchr_iter(b'"', window);
        for at in quotes.filter(|at| window[*at..].starts_with(BETWEEN)) {
            // A topic of text has no line end: nothing would tell it from what the module says.
            if !self.hexadecimal && !clean(at) {
                break;
            }
            let place = self.place(line, topic + at, settled);
            match place {
                Place::Complete(reading) if reading.end > longest => {}
                // Another message has begun before this one was complete, or its topic looks so.
                Place::Complete(reading) if self.holds_message(line, &reading) => {
                    let ends = vec![reading.end];
                    return Verdict::Ambiguous { ends };
                }
                Place::Complete(reading) => return Verdict::Message(reading),
                Place::Open if clean(at) => {
                    open = true;
                    // What is text up to its end is not looked at for another topic.
                    if !self.hexadecimal {
                        break;
                    }
                }
                Place::Open => open_elsewhere = true,
                Place::Refuted => {}
            }
        }
        match (open, open_elsewhere) {
            _ if settled || line.len() > longest => Verdict::Torn { until: 0 },
            (true, _) => wait(false),
            (false, true) if self.hexadecimal => wait(true),
            _ => Verdict::Torn { until: 0 },
        }
    }

    /// The topic would end at this quote.
    fn place(&self, line: &[u8], quote: usize, settled: bool) -> Place {
        let payload = quote + BETWEEN.len();
        let behind = &line[payload..];
        let (longest, end) = match self.hexadecimal {
            true => {
                let digits = behind.iter().take_while(|byte| byte.is_ascii_hexdigit());
                let digits = digits.count();
                let rest = &behind[digits..];
                let end = match rest.starts_with(END) {
                    true if digits.is_multiple_of(2) => Some(digits),
                    true => return Place::Refuted,
                    false if !END.starts_with(rest) => return Place::Refuted,
                    false => None,
                };
                (self.longest_payload.saturating_mul(2), end)
            }
            false => (self.longest_payload, memmem::find(behind, END)),
        };
        match end {
            Some(length) if length <= longest => Place::Complete(Reading {
                topic: self.start + 1..quote,
                payload: payload..payload + length,
                hexadecimal: self.hexadecimal,
                deviation: (!self.hexadecimal).then_some(Deviation::NoLength),
                end: payload + length + 1,
            }),
            None if !settled && behind.len() < longest + END.len() => Place::Open,
            _ => Place::Refuted,
        }
    }

    /// Whether a line of the topic begins as this one does.
    fn holds_message(&self, line: &[u8], reading: &Reading) -> bool {
        let mut lines = line[reading.topic.clone()].split(|byte| *byte == b'\n');
        lines.any(|other| other.starts_with(&line[..self.start]))
    }

    /// Topic and payload of a complete line, without its line end: the reading that
    /// [`ResponseReader`](super::ResponseReader) has found.
    pub(crate) fn read<'l>(&self, line: &'l [u8]) -> Option<(&'l [u8], &'l [u8])> {
        let body = line.get(self.start..)?.strip_prefix(b"\"")?;
        let body = body.strip_suffix(b"\"")?;
        let quote = match self.hexadecimal {
            true => memmem::rfind(body, BETWEEN),
            false => memmem::find(body, BETWEEN),
        }?;
        Some((&body[..quote], &body[quote + BETWEEN.len()..]))
    }
}
