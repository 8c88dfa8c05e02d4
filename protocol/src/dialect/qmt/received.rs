//! Received messages on the line, reported or read from their slot (reference `qmt.md` 4.7 and 5).
//!
//! | line behind `+QMTRECV: <id>,` | when |
//! |---|---|
//! | `<msgID>,"<topic>",<len>,"<payload>"` | the length is shown |
//! | `<msgID>,"<topic>","<payload>"` | it is not |
//! | `<msgID>,"<topic>",<len>` and the payload behind a line end | seen on EC200U (`view/mode`) |
//! | `<recv_id>` | the message waits |
//!
//! Nothing is escaped. With a length a message is read as [`MessageForm`] has it. Without, it ends at
//! the first quote before a line end, and a payload that holds that cannot be told from lines.

use alloc::string::String;
use alloc::vec::Vec;

use memchr::{memchr, memmem};

use super::table::RECV;
use crate::at::framing::{Counting, Extent, MessageForm};
use crate::at::parameter::{ParameterWriter, decode_hex, encode_hex};
use crate::limits::Limits;
use crate::mqtt::ConnectionId;

/// How the payloads of one connection are written, in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Formats {
    /// Payloads to publish are hexadecimal digits.
    pub(super) send_hex: bool,
    /// Received payloads are.
    pub(super) receive_hex: bool,
    /// The length stands before a received payload.
    pub(super) show_length: bool,
    /// A received payload stands on the next line.
    pub(super) next_line: bool,
}

impl Formats {
    /// What the length counts: inferred from F5, which counts bytes.
    fn counting(self) -> Counting {
        match self.receive_hex {
            true => Counting::Pairs,
            false => Counting::Bytes,
        }
    }
}

/// What ends a message without a length.
const END: &[u8] = b"\"\r\n";

/// What stands between a topic and a payload without a length.
const BETWEEN: &[u8] = b"\",\"";

/// Appends topic and payload.
pub(super) fn encode(topic: &str, payload: &[u8], formats: Formats, out: &mut Vec<u8>) {
    let mut digits = Vec::new();
    let wire = match formats.receive_hex {
        true => {
            encode_hex(payload, &mut digits);
            &digits
        }
        false => payload,
    };
    let mut writer = ParameterWriter::new(out);
    writer.quoted(topic.as_bytes());
    if formats.show_length || formats.next_line {
        // No payload is longer than what an i64 holds.
        writer.integer(payload.len() as i64);
    }
    if formats.next_line {
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(wire);
    } else {
        out.extend_from_slice(b",\"");
        out.extend_from_slice(wire);
        out.push(b'"');
    }
}

/// Reads topic and payload, by what the module was told or else as it has written them.
pub(super) fn decode(body: &[u8], formats: Formats, limits: &Limits) -> Option<(String, Vec<u8>)> {
    let next_line = || split_next_line(body);
    let (topic, wire, hexadecimal) =
        if let (true, Some((topic, payload))) = (formats.next_line, next_line()) {
            (topic, payload, formats.receive_hex)
        } else if formats.show_length {
            let form = form(0, formats, limits);
            // What the reader has found within the limits of this module may look like something else
            // beyond them.
            let wide = MessageForm {
                longest_topic: body.len(),
                longest_payload: body.len(),
                ..form
            };
            let reading = form.read(body).or_else(|| wide.read(body))?;
            (
                &body[reading.topic],
                &body[reading.payload],
                reading.hexadecimal,
            )
        } else {
            let (topic, payload) = split_without_length(body)?;
            (topic, payload, formats.receive_hex)
        };
    let topic = core::str::from_utf8(topic).ok()?;
    let payload = match hexadecimal {
        true => decode_hex(wire)?,
        false => wire.to_vec(),
    };
    Some((topic.into(), payload))
}

/// `"<topic>","<payload>"`, or the payload without quotes.
fn split_without_length(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let inner = body.strip_prefix(b"\"")?;
    if let Some(at) = memmem::find(inner, BETWEEN)
        && let Some(payload) = inner[at + BETWEEN.len()..].strip_suffix(b"\"")
    {
        return Some((&inner[..at], payload));
    }
    let at = memmem::find(inner, b"\",")?;
    Some((&inner[..at], &inner[at + 2..]))
}

/// `"<topic>",<len>`, a line end, and the payload.
fn split_next_line(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr(b'\n', body)?;
    let (topic, _) = announced(&body[..end])?;
    Some((topic, &body[end + 1..]))
}

/// `"<topic>",<len>` on a line of its own.
fn announced(line: &[u8]) -> Option<(&[u8], usize)> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let digits = line
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (head, digits) = line.split_at(line.len() - digits);
    let topic = head.strip_prefix(b"\"")?.strip_suffix(b"\",")?;
    let length = core::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((topic, length))
}

fn form(start: usize, formats: Formats, limits: &Limits) -> MessageForm {
    MessageForm {
        start,
        counting: formats.counting(),
        quoted: true,
        longest_topic: limits.topic,
        longest_payload: limits.received_payload,
    }
}

/// How far the line that begins with these bytes reaches.
pub(super) fn extent(
    line: &[u8],
    formats: impl Fn(ConnectionId) -> Formats,
    limits: &Limits,
) -> Extent {
    let (connection, body) = match head(line) {
        Ok(Head {
            connection, body, ..
        }) => (connection, body),
        Err(Miss::Incomplete) => return Extent::Incomplete,
        Err(Miss::Other) => return Extent::Line,
    };
    match body.first() {
        Some(b'"') => {}
        Some(_) => return Extent::Line,
        None => return Extent::Incomplete,
    }
    let formats = formats(connection);
    if formats.next_line {
        return match announced(body) {
            Some((_, length)) if length <= limits.received_payload => {
                Extent::Block(formats.counting().on_the_line(length))
            }
            _ => Extent::Incomplete,
        };
    }
    if formats.show_length {
        return Extent::Message(form(line.len() - body.len(), formats, limits));
    }
    let payload = memmem::find(body, b"\",").map(|at| at + 2);
    match payload.map(|at| (at, body.get(at))) {
        Some((at, Some(b'"'))) => Extent::MarkedFrom(line.len() - body.len() + at + 1, END),
        Some((_, Some(_))) => Extent::Line,
        Some((_, None)) | None => Extent::Incomplete,
    }
}

/// The beginning of a line about a received message.
pub(super) struct Head<'l> {
    pub(super) connection: ConnectionId,
    /// msgID of the message.
    pub(super) message_id: u16,
    /// What stands behind it and its comma.
    pub(super) body: &'l [u8],
}

/// Why bytes are not the beginning of a message.
pub(super) enum Miss {
    /// They may be, when more have come.
    Incomplete,
    /// They are that of something else.
    Other,
}

/// `+QMTRECV: <id>,<msgID>,`
pub(super) fn head(line: &[u8]) -> Result<Head<'_>, Miss> {
    let rest = line.strip_prefix(RECV.as_bytes());
    let rest = rest.ok_or_else(|| match RECV.as_bytes().starts_with(line) {
        true => Miss::Incomplete,
        false => Miss::Other,
    })?;
    let rest = match rest {
        [] | [b':'] => return Err(Miss::Incomplete),
        [b':', rest @ ..] => rest,
        _ => return Err(Miss::Other),
    };
    let (connection, rest) = number(rest)?;
    let (message_id, body) = number(rest)?;
    Ok(Head {
        connection: ConnectionId(u8::try_from(connection).map_err(|_| Miss::Other)?),
        message_id,
        body: body.trim_ascii_start(),
    })
}

/// Digits, and the comma behind them; blanks before them, as some firmware has.
fn number(bytes: &[u8]) -> Result<(u16, &[u8]), Miss> {
    let blanks = bytes.iter().take_while(|byte| **byte == b' ').count();
    let bytes = &bytes[blanks..];
    let digits = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    match bytes.get(digits) {
        Some(b',') if digits > 0 => {}
        None => return Err(Miss::Incomplete),
        Some(_) => return Err(Miss::Other),
    }
    let value = core::str::from_utf8(&bytes[..digits]).ok();
    let value = value.and_then(|digits| digits.parse().ok());
    Ok((value.ok_or(Miss::Other)?, &bytes[digits + 1..]))
}
