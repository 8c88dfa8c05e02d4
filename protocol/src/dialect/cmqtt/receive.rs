//! Received messages, both ways.
//!
//! ```text
//! +CMQTTRXSTART: <i>,<topic_total>,<payload_total>
//! +CMQTTRXTOPIC: <i>,<n>      and n bytes on the next line, once or more often
//! +CMQTTRXPAYLOAD: <i>,<n>    the same; not at all for an empty payload
//! +CMQTTRXEND: <i>
//! +CMQTTRECV: <i>,"<topic>",[<len>,]"<payload>"   in the one-line form
//! ```
//!
//! The blocks are counted, so that nothing in them can be taken for a line. Blank lines between them,
//! which SIM7672 was seen to write, are passed over by the reader of lines.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::report::{numbers, strip_name};
use crate::at::framing::{Counting, Extent, MessageForm};
use crate::at::parameter::integer;
use crate::limits::Limits;
use crate::mqtt::{ConnectionId, Urc};

pub(super) const START: &str = "+CMQTTRXSTART";
const TOPIC: &str = "+CMQTTRXTOPIC";
const PAYLOAD: &str = "+CMQTTRXPAYLOAD";
const END: &str = "+CMQTTRXEND";
const ONE_LINE: &str = "+CMQTTRECV";

/// Messages of which the end is still to come.
#[derive(Debug, Default)]
pub(super) struct Incoming(Vec<Message>);

#[derive(Debug)]
struct Message {
    connection: ConnectionId,
    /// How many bytes were announced.
    totals: (usize, usize),
    topic: Vec<u8>,
    payload: Vec<u8>,
}

/// What a line has brought.
pub(super) enum Brought {
    /// A part of a message.
    Part,
    Message(Urc),
}

impl Incoming {
    /// Whatever has begun will not end.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// Takes a line in; `None` if it is none of a message, or the end of one that cannot be read.
    pub(super) fn take(&mut self, line: &[u8], limits: &Limits) -> Option<Brought> {
        if let Some(rest) = strip_name(line, START) {
            let [id, topic, payload] = numbers(rest)?;
            let connection = ConnectionId(id.try_into().ok()?);
            let totals = (topic.try_into().ok()?, payload.try_into().ok()?);
            self.0.retain(|message| message.connection != connection);
            if connection.0 < limits.connections
                && totals.0 <= limits.topic
                && totals.1 <= limits.received_payload
            {
                let (topic, payload) = (Vec::new(), Vec::new());
                self.0.push(Message {
                    connection,
                    totals,
                    topic,
                    payload,
                });
            }
            return Some(Brought::Part);
        }
        if let Some(rest) = strip_name(line, END) {
            let connection = id(rest)?;
            let of = |message: &Message| message.connection == connection;
            let at = self.0.iter().position(of)?;
            return self.0.swap_remove(at).finish().map(Brought::Message);
        }
        let (connection, block, is_topic) = block(line)?;
        let mut known = self.0.iter_mut();
        if let Some(message) = known.find(|message| message.connection == connection) {
            let (part, total) = match is_topic {
                true => (&mut message.topic, message.totals.0),
                false => (&mut message.payload, message.totals.1),
            };
            // What is too much is seen at the end, and not kept until then.
            let room = (total + 1).saturating_sub(part.len());
            part.extend_from_slice(&block[..block.len().min(room)]);
        }
        Some(Brought::Part)
    }
}

impl Message {
    /// The message, if it is as long as was announced.
    fn finish(self) -> Option<Urc> {
        let complete = (self.topic.len(), self.payload.len()) == self.totals;
        Some(Urc::Received {
            connection: self.connection,
            message_id: 0,
            topic: String::from_utf8(self.topic).ok().filter(|_| complete)?,
            payload: self.payload,
        })
    }
}

/// A line that has a block behind it: the client, the block, and whether it is that of a topic.
fn block(line: &[u8]) -> Option<(ConnectionId, &[u8], bool)> {
    let end = memchr::memchr(b'\n', line)?;
    let (head, block) = (&line[..end], &line[end + 1..]);
    let (rest, is_topic) = blocks(head)?;
    let [id, _] = numbers(rest)?;
    Some((ConnectionId(id.try_into().ok()?), block, is_topic))
}

/// What stands behind the name of a line that has a block behind it, and whether it is that of a
/// topic.
fn blocks(head: &[u8]) -> Option<(&[u8], bool)> {
    let topic = strip_name(head, TOPIC).map(|rest| (rest, true));
    topic.or_else(|| Some((strip_name(head, PAYLOAD)?, false)))
}

fn id(text: &[u8]) -> Option<ConnectionId> {
    let digits = text.split(|byte| *byte == b',').next()?;
    let id = integer(digits.trim_ascii())?;
    Some(ConnectionId(id.try_into().ok()?))
}

/// How far the line that begins with these bytes reaches.
pub(super) fn extent(line: &[u8], limits: &Limits) -> Extent {
    let names = [TOPIC, PAYLOAD, ONE_LINE];
    let may_be = |name: &&str| {
        let seen = line.len().min(name.len());
        name.as_bytes().starts_with(&line[..seen])
    };
    if !line.starts_with(b"+CM") {
        return match names.iter().any(may_be) {
            true => Extent::Incomplete,
            false => Extent::Line,
        };
    }
    if let Some((rest, _)) = blocks(line) {
        return match numbers(rest) {
            Some([_, length]) if (0..=limits.received_payload as i64).contains(&length) => {
                Extent::Block(length as usize)
            }
            Some(_) => Extent::Line,
            None => Extent::Incomplete,
        };
    }
    if let Some(rest) = line.strip_prefix(ONE_LINE.as_bytes()) {
        return one_line(line.len() - rest.len(), rest, limits);
    }
    match names.iter().any(may_be) {
        true => Extent::Incomplete,
        false => Extent::Line,
    }
}

/// `: <i>,"…`, with or without the blank.
fn one_line(name: usize, rest: &[u8], limits: &Limits) -> Extent {
    let Some(comma) = memchr::memchr(b',', rest) else {
        return Extent::Incomplete;
    };
    let number = rest[..comma]
        .strip_prefix(b":")
        .map(<[u8]>::trim_ascii_start);
    match (number.and_then(integer), rest.get(comma + 1)) {
        (Some(_), None) => Extent::Incomplete,
        (Some(_), Some(b'"')) => Extent::Message(form(name + comma + 1, limits)),
        _ => Extent::Line,
    }
}

/// How a message on one line is written behind its client.
fn form(start: usize, limits: &Limits) -> MessageForm {
    MessageForm {
        start,
        counting: Counting::QuotedBytes,
        quoted: true,
        longest_topic: limits.topic,
        longest_payload: limits.received_payload,
    }
}

/// Reads a message on one line; `None` if it is none, or can be read in more than one way.
pub(super) fn read_one_line(line: &[u8], limits: &Limits) -> Option<Urc> {
    let rest = line.strip_prefix(ONE_LINE.as_bytes())?;
    let Extent::Message(form) = one_line(line.len() - rest.len(), rest, limits) else {
        return None;
    };
    let connection = id(strip_name(line, ONE_LINE)?)?;
    let reading = form.read(line)?;
    let payload = &line[reading.payload.clone()];
    // Without its length the quotes are taken for the payload's.
    let bare = match payload {
        [b'"', inner @ .., b'"'] if !line[..reading.payload.start].ends_with(b"\"") => inner,
        payload => payload,
    };
    Some(Urc::Received {
        connection,
        message_id: 0,
        topic: core::str::from_utf8(&line[reading.topic]).ok()?.into(),
        payload: bare.to_vec(),
    })
}

/// The client that a message is for, by a line that may hold what a stranger has published, or that
/// ends a message.
pub(super) fn addressee(line: &[u8]) -> Option<ConnectionId> {
    let head = line.split(|byte| *byte == b'\n').next()?;
    let rest = blocks(head).map(|(rest, _)| rest);
    id(rest
        .or_else(|| strip_name(head, END))
        .or_else(|| strip_name(head, ONE_LINE))?)
}

/// A message as it is reported, without the line ends around it. `blank`: a blank line stands before
/// each of its parts.
pub(super) fn encode(
    ConnectionId(id): ConnectionId,
    topic: &str,
    payload: &[u8],
    piece: usize,
    blank: bool,
) -> Vec<u8> {
    let between: &[u8] = if blank { b"\r\n\r\n" } else { b"\r\n" };
    let mut out = format!("{START}: {id},{},{}", topic.len(), payload.len()).into_bytes();
    for (name, bytes) in [(TOPIC, topic.as_bytes()), (PAYLOAD, payload)] {
        for piece in bytes.chunks(piece) {
            out.extend_from_slice(between);
            out.extend_from_slice(format!("{name}: {id},{}\r\n", piece.len()).as_bytes());
            out.extend_from_slice(piece);
        }
    }
    out.extend_from_slice(between);
    out.extend_from_slice(format!("{END}: {id}").as_bytes());
    out
}

/// The same on one line, with the length before the payload or not.
pub(super) fn encode_one_line(
    ConnectionId(id): ConnectionId,
    topic: &str,
    payload: &[u8],
    length: bool,
) -> Vec<u8> {
    let mut out = format!("{ONE_LINE}: {id},\"{topic}\",").into_bytes();
    if length {
        out.extend_from_slice(format!("{},", payload.len()).as_bytes());
    }
    out.push(b'"');
    out.extend_from_slice(payload);
    out.push(b'"');
    out
}
