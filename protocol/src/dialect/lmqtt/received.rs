//! Received messages on the line, reported or read from the cache: `"<topic>",[<len>,]<payload>`
//! (measured; that the answer of `AT+LMQTTREAD` has the same shape is inferred from QMT).
//!
//! How far such a line reaches, and which of its commas ends the topic, is decided by
//! [`MessageForm`]. Every message is read here twice, once for that and once for what it says. So
//! this is plain scanning: with combinators it cost most of the time of a small message.

use alloc::borrow::Cow;

use memchr::memmem;

use super::Context;
use super::command::READ;
use super::urc::URC;
use super::{DataFormat, Formats, HexLength};
use crate::at::framing::{Counting, Extent, MessageForm};
use crate::at::parameter::{ParameterWriter, decode_hex};
use crate::mqtt::ConnectionId;

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

/// Reads what [`encode`] has written, or a module that writes it otherwise than it was told.
pub(super) fn decode(
    body: &[u8],
    hex_length: HexLength,
    formats: Formats,
) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
    if !formats.show_length {
        let end = memmem::find(body.strip_prefix(b"\"")?, b"\",")?;
        let topic = core::str::from_utf8(&body[1..=end]).ok()?;
        let payload = formats.receive.decode(&body[end + 3..])?;
        return Some((topic.into(), payload));
    }
    let form = MessageForm {
        start: 0,
        counting: counting(hex_length, formats),
        quoted: false,
        longest_topic: crate::dialect::lmqtt::NT35E.limits.topic,
        longest_payload: crate::dialect::lmqtt::NT35E.limits.received_payload,
    };
    // What the reader has found within the limits of the modules that are known may look like
    // something else beyond them; it goes beyond only where it was told of others.
    let wide = MessageForm {
        longest_topic: body.len(),
        longest_payload: body.len(),
        ..form
    };
    let reading = form.read(body).or_else(|| wide.read(body))?;
    let topic = core::str::from_utf8(&body[reading.topic]).ok()?;
    let wire = &body[reading.payload];
    let payload = match reading.hexadecimal {
        true => decode_hex(wire)?.into(),
        false => wire.into(),
    };
    Some((topic.into(), payload))
}

/// The connection of a message, whatever stands behind its numbers.
pub(super) fn addressee(line: &[u8]) -> Option<ConnectionId> {
    let mut head = Head { rest: line };
    if let Ok((connection, _)) = head.reported() {
        return Some(connection);
    }
    // A list of what waits in the cache begins in the same way.
    let (connection, _, rest) = read_header(line)?;
    rest.starts_with(b"\"").then_some(connection)
}

/// How far the line that begins with these bytes reaches.
pub(super) fn extent(line: &[u8], hex_length: HexLength, context: Context<'_>) -> Extent {
    let Context { limits, formats } = context;
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
    match counted {
        Ok((formats, true)) if head.rest.starts_with(b"\"") => Extent::Message(MessageForm {
            start: line.len() - head.rest.len(),
            counting: counting(hex_length, formats),
            quoted: false,
            longest_topic: limits.topic,
            longest_payload: limits.received_payload,
        }),
        Ok((_, true)) if head.rest.is_empty() => Extent::Incomplete,
        Err(Miss::Incomplete) => Extent::Incomplete,
        Ok(_) | Err(Miss::Other) => Extent::Line,
    }
}

fn counting(hex_length: HexLength, formats: Formats) -> Counting {
    match (formats.receive, hex_length) {
        (DataFormat::Text, _) => Counting::Bytes,
        (DataFormat::HexString | DataFormat::Hex, HexLength::Payload) => Counting::Pairs,
        (DataFormat::HexString | DataFormat::Hex, HexLength::Digits) => Counting::Digits,
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
