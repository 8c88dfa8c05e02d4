//! Received messages on the line, reported or read from the cache: `"<topic>",[<len>,]<payload>`
//! (measured; that the answer of `AT+LMQTTREAD` has the same shape is inferred from QMT).

use alloc::borrow::Cow;

use nom::bytes::streaming::{tag, take_while_m_n};
use nom::character::streaming::{char, digit1};
use nom::combinator::map_opt;
use nom::sequence::terminated;
use nom::{IResult, Needed, Parser};

use super::HexLength;
use super::command::READ;
use super::urc::URC;
use crate::framing::Extent;
use crate::mqtt::{ConnectionId, FormatTable, Formats};
use crate::parameter::{ParameterWriter, integer};

/// What the lines that carry messages begin with.
const MESSAGE: &str = "+LMQTT";

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

/// Connection and msgID of a reported message, and what stands behind them.
pub(super) fn header(line: &[u8]) -> Option<(ConnectionId, u16, &[u8])> {
    let (rest, (connection, message_id)) = reported(line).ok()?;
    Some((connection, message_id, rest))
}

/// Connection and msgID of a message read from the cache, and what stands behind them.
pub(super) fn read_header(line: &[u8]) -> Option<(ConnectionId, u16, &[u8])> {
    let (rest, (connection, message_id)) = read(line).ok()?;
    Some((connection, message_id, rest))
}

/// Reads what [`encode`] has written.
pub(super) fn decode(
    body: &[u8],
    hex_length: HexLength,
    formats: Formats,
) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
    let (rest, topic, length) = if formats.show_length {
        let (rest, (topic, length)) = topic_and_length(body).ok()?;
        (rest, topic, Some(length))
    } else {
        let (rest, topic) = topic(body, |_| true).ok()?;
        (rest, topic, None)
    };
    let wire = match (
        length.map(|length| hex_length.wire(formats.receive, length)),
        rest,
    ) {
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
    // All others would be compared in vain.
    let seen = line.len().min(MESSAGE.len());
    if line[..seen] != MESSAGE.as_bytes()[..seen] {
        return Extent::Line;
    }
    let reported = reported(line).map(|(rest, (connection, _))| {
        let formats = formats[connection];
        (rest, formats, formats.show_length)
    });
    let header = match reported {
        // A message read from the cache has its length, whatever `recv/mode` says.
        Err(nom::Err::Error(_)) => {
            read(line).map(|(rest, (connection, _))| (rest, formats[connection], true))
        }
        reported => reported,
    };
    let extent = header.and_then(|(rest, formats, counted)| {
        if !counted {
            return Ok(Extent::Line);
        }
        let (rest, (_, length)) = topic_and_length(rest)?;
        Ok(Extent::Counted {
            start: line.len() - rest.len(),
            length: hex_length.wire(formats.receive, length),
        })
    });
    match extent {
        Ok(extent) => extent,
        Err(nom::Err::Incomplete(_)) => Extent::Incomplete,
        Err(_) => Extent::Line,
    }
}

/// `+LMQTTURC: RECV,<id>,<msgID>,`
fn reported(line: &[u8]) -> IResult<&[u8], (ConnectionId, u16)> {
    let blank = take_while_m_n(0, 1, |byte| byte == b' ');
    let (rest, _) = (tag(URC), char(':'), blank, tag("RECV,")).parse(line)?;
    numbers(rest)
}

/// `+LMQTTREAD: <id>,<msgID>,`
fn read(line: &[u8]) -> IResult<&[u8], (ConnectionId, u16)> {
    let blank = take_while_m_n(0, 1, |byte| byte == b' ');
    let (rest, _) = (tag(READ), char(':'), blank).parse(line)?;
    numbers(rest)
}

fn numbers(input: &[u8]) -> IResult<&[u8], (ConnectionId, u16)> {
    let connection = map_opt(terminated(digit1, char(',')), number);
    let message_id = map_opt(terminated(digit1, char(',')), number);
    let (rest, (connection, message_id)) = (connection, message_id).parse(input)?;
    Ok((rest, (ConnectionId(connection), message_id)))
}

/// `"<topic>",<len>,`: the topic ends at the first quote that such a length follows.
fn topic_and_length(input: &[u8]) -> IResult<&[u8], (&[u8], usize)> {
    let (rest, topic) = topic(input, |behind| {
        let digits = behind.iter().take_while(|byte| byte.is_ascii_digit());
        match (digits.count(), behind.len()) {
            (digits, seen) if digits == seen => true,
            (0, _) => false,
            (digits, _) => behind[digits] == b',',
        }
    })?;
    let (rest, length) = map_opt(terminated(digit1, char(',')), number).parse(rest)?;
    Ok((rest, (topic, length)))
}

/// `"<topic>",` where `follows` agrees with what stands behind it.
fn topic(input: &[u8], follows: impl Fn(&[u8]) -> bool) -> IResult<&[u8], &[u8]> {
    let (body, _) = char('"').parse(input)?;
    let mut ends = memchr::memmem::find_iter(body, b"\",");
    match ends.find(|at| follows(&body[at + 2..])) {
        Some(at) => Ok((&body[at + 2..], &body[..at])),
        None => Err(nom::Err::Incomplete(Needed::Unknown)),
    }
}

fn number<T: TryFrom<i64>>(digits: &[u8]) -> Option<T> {
    integer(digits).and_then(|value| T::try_from(value).ok())
}
