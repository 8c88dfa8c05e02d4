//! Received messages on the line, reported or read from the cache: `"<topic>",[<len>,]<payload>`
//! (measured; that the answer of `AT+LMQTTREAD` has the same shape is inferred from QMT).
//!
//! Every message is read here twice, once to know how far it reaches and once for what it says.
//! So this is plain scanning: with combinators it cost most of the time of a small message.

use alloc::borrow::Cow;

use memchr::{memchr_iter, memmem};

use super::HexLength;
use super::command::READ;
use super::urc::URC;
use crate::framing::Extent;
use crate::mqtt::{ConnectionId, FormatTable, Formats};
use crate::parameter::ParameterWriter;

/// Appends topic, length if it is shown, and payload.
pub(super) fn encode(
    topic: &str,
    payload: &[u8],
    hex_length: HexLength,
    formats: Formats,
    writer: &mut ParameterWriter<'_>,
) {
    writer.quoted(topic.as_bytes());
    if formats.show_length {
        // No payload is longer than what an i64 holds.
        writer.integer(hex_length.shown(formats.receive, payload.len()) as i64);
    }
    writer.bare(formats.receive.encode(Cow::Borrowed(payload)));
}

/// Connection and msgID of a reported message, and what stands behind them. `rest`: what stands
/// behind the name.
pub(super) fn header(rest: &[u8]) -> Option<(ConnectionId, u16, &[u8])> {
    let mut head = Head { rest };
    let (connection, message_id) = head.message().ok()?;
    Some((connection, message_id, head.rest))
}

/// Connection and msgID of a message read from the cache, and what stands behind them.
pub(super) fn read_header(line: &[u8]) -> Option<(ConnectionId, u16, &[u8])> {
    let mut head = Head { rest: line };
    let (connection, message_id) = head.read().ok()?;
    Some((connection, message_id, head.rest))
}

/// Reads what [`encode`] has written.
pub(super) fn decode(
    body: &[u8],
    hex_length: HexLength,
    formats: Formats,
) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
    let mut head = Head { rest: body };
    let (topic, length) = if formats.show_length {
        let (topic, length) = head.topic_and_length().ok()?;
        (topic, Some(hex_length.wire(formats.receive, length)))
    } else {
        (head.topic().ok()?, None)
    };
    let wire = match (length, head.rest) {
        (None, rest) => rest,
        (Some(length), rest) if rest.len() == length => rest,
        (Some(length), [b'"', inner @ .., b'"']) if inner.len() == length => inner,
        (Some(_), _) => return None,
    };
    let topic = core::str::from_utf8(topic).ok()?;
    Some((topic.into(), formats.receive.decode(wire)?))
}

/// How far the line that begins with these bytes reaches.
pub(super) fn extent(line: &[u8], hex_length: HexLength, formats: &FormatTable) -> Extent {
    let mut head = Head { rest: line };
    let counted = match head.reported() {
        Ok((connection, _)) => {
            let formats = formats[connection];
            Ok((formats, formats.show_length))
        }
        Err(Miss::Other) => {
            head.rest = line;
            // A message read from the cache has its length, whatever `recv/mode` says.
            head.read()
                .map(|(connection, _)| (formats[connection], true))
        }
        Err(Miss::Incomplete) => Err(Miss::Incomplete),
    };
    let extent = counted.and_then(|(formats, counted)| {
        if !counted {
            return Ok(Extent::Line);
        }
        let (_, length) = head.topic_and_length()?;
        Ok(Extent::Counted {
            start: line.len() - head.rest.len(),
            length: hex_length.wire(formats.receive, length),
        })
    });
    match extent {
        Ok(extent) => extent,
        Err(Miss::Incomplete) => Extent::Incomplete,
        Err(Miss::Other) => Extent::Line,
    }
}

/// Why bytes are not the beginning of a message.
enum Miss {
    /// They may be, when more have come.
    Incomplete,
    /// They are that of something else.
    Other,
}

/// The beginning of a line, of which more may come.
struct Head<'a> {
    /// What has not been read yet.
    rest: &'a [u8],
}

impl<'a> Head<'a> {
    /// `+LMQTTURC: RECV,<id>,<msgID>,`
    fn reported(&mut self) -> Result<(ConnectionId, u16), Miss> {
        self.name(URC)?;
        self.message()
    }

    /// The same, behind the name.
    fn message(&mut self) -> Result<(ConnectionId, u16), Miss> {
        self.word(b"RECV,")?;
        self.numbers()
    }

    /// `+LMQTTREAD: <id>,<msgID>,`
    fn read(&mut self) -> Result<(ConnectionId, u16), Miss> {
        self.name(READ)?;
        self.numbers()
    }

    /// A name, its colon, and the blank behind it, if there is one.
    fn name(&mut self, name: &str) -> Result<(), Miss> {
        self.word(name.as_bytes())?;
        self.word(b":")?;
        let (first, rest) = self.rest.split_first().ok_or(Miss::Incomplete)?;
        if *first == b' ' {
            self.rest = rest;
        }
        Ok(())
    }

    fn numbers(&mut self) -> Result<(ConnectionId, u16), Miss> {
        Ok((ConnectionId(self.number()?), self.number()?))
    }

    /// `"<topic>",<len>,`: the topic ends at the first quote that such a length follows.
    fn topic_and_length(&mut self) -> Result<(&'a [u8], usize), Miss> {
        self.word(b"\"")?;
        let body = self.rest;
        for quote in memchr_iter(b'"', body) {
            self.rest = &body[quote + 1..];
            match self.word(b",").and_then(|()| self.number()) {
                Ok(length) => return Ok((&body[..quote], length)),
                Err(Miss::Incomplete) => return Err(Miss::Incomplete),
                // The topic goes on.
                Err(Miss::Other) => {}
            }
        }
        Err(Miss::Incomplete)
    }

    /// `"<topic>",`
    fn topic(&mut self) -> Result<&'a [u8], Miss> {
        self.word(b"\"")?;
        let body = self.rest;
        let end = memmem::find(body, b"\",").ok_or(Miss::Incomplete)?;
        self.rest = &body[end + 2..];
        Ok(&body[..end])
    }

    /// Digits, and the comma behind them.
    #[inline]
    fn number<T: TryFrom<usize>>(&mut self) -> Result<T, Miss> {
        let mut value: usize = 0;
        for (at, byte) in self.rest.iter().enumerate() {
            match byte {
                b'0'..=b'9' => {
                    let digit = usize::from(byte - b'0');
                    // What is too large for this is longer than any line.
                    value = value.saturating_mul(10).saturating_add(digit);
                }
                b',' if at > 0 => {
                    self.rest = &self.rest[at + 1..];
                    return T::try_from(value).map_err(|_| Miss::Other);
                }
                _ => return Err(Miss::Other),
            }
        }
        Err(Miss::Incomplete)
    }

    #[inline]
    fn word(&mut self, word: &[u8]) -> Result<(), Miss> {
        match self.rest.strip_prefix(word) {
            Some(rest) => self.rest = rest,
            None if word.starts_with(self.rest) => return Err(Miss::Incomplete),
            None => return Err(Miss::Other),
        }
        Ok(())
    }
}
