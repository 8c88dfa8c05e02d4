//! The result codes that come by themselves, both ways.
//!
//! | URC | source |
//! |---|---|
//! | `+LMQTTOPEN: <id>,<result>[,<extend>]` | documented |
//! | `+LMQTTCLOSE: <id>,<result>[,<extend>]` | documented |
//! | `+LMQTTCONN: <id>,<result>[,<ret_code>]` | documented |
//! | `+LMQTTDISC: <id>,<result>[,<extend>]` | seen in code, fields inferred |
//! | `+LMQTTSUBUNSUB: <id>,<msgID>,<result>[,<extend>]` | documented |
//! | `+LMQTTUNSUNSUB: <id>,<msgID>,<result>` | documented, perhaps misprinted |
//! | `+LMQTTPUB: <id>,<msgID>,<result>[,<extend>]` | documented |
//! | `+LMQTTURC: RECV,<id>,<msgID>,"<topic>",[<len>,]<payload>` | measured |
//! | `+LMQTTURC: RECV,<id>,<msgID>` | documented (buffered) |
//! | `+LMQTTURC: STATS,<id>,<stats>[,<extend>]` | documented |

use alloc::borrow::Cow;
use alloc::vec::Vec;

use nom::bytes::streaming::{tag, take_while_m_n};
use nom::character::streaming::{char, digit1};
use nom::combinator::map_opt;
use nom::sequence::terminated;
use nom::{IResult, Needed, Parser};

use super::UnsubscribeUrc;
use super::command::{CLOSE, CONN, DISC, OPEN, PUB, SUBUNSUB};
use super::{meaning, number_of};
use crate::framing::Extent;
use crate::mqtt::{
    Connected, ConnectionId, FormatTable, LinkStatus, OpenFailure, PublishResult, Refusal,
    SubscriptionChange, Urc,
};
use crate::parameter::{ParameterError, ParameterWriter, Parameters, integer};

const UNSUNSUB: &str = "+LMQTTUNSUNSUB";
const URC: &str = "+LMQTTURC";

/// `<extend>` of `+LMQTTOPEN` behind the result -1.
const OPEN_FAILURES: [(i32, OpenFailure); 5] = [
    (1, OpenFailure::Parameter),
    (2, OpenFailure::InUse),
    (3, OpenFailure::PdpActivation),
    (4, OpenFailure::Dns),
    (5, OpenFailure::Network),
];

/// `<stats>` of `+LMQTTURC: STATS`.
const STATUSES: [(i32, LinkStatus); 14] = [
    (0, LinkStatus::Fine),
    (1, LinkStatus::ClosedByServer),
    (2, LinkStatus::Address),
    (3, LinkStatus::Dns),
    (4, LinkStatus::Protocol),
    (7, LinkStatus::Http),
    (8, LinkStatus::ConnectTimeout),
    (9, LinkStatus::ConnectFailed),
    (10, LinkStatus::Fatal),
    (11, LinkStatus::Closed),
    (12, LinkStatus::NeedMoreData),
    (13, LinkStatus::CacheOverflow),
    (14, LinkStatus::Tls),
    (15, LinkStatus::Refused),
];

/// The parameters of a line that begins with `name` and a colon. A blank follows the colon on
/// every module seen; one host does not rely on it, so neither do we.
pub(super) fn strip_name<'a>(line: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let rest = line.strip_prefix(name.as_bytes())?.strip_prefix(b":")?;
    Some(rest.strip_prefix(b" ").unwrap_or(rest))
}

pub(super) fn decode<'a>(line: &'a [u8], formats: &FormatTable) -> Option<Urc<'a>> {
    // All others would be compared in vain.
    line.strip_prefix(b"+LMQTT")?;
    if let Some(rest) = strip_name(line, URC) {
        return decode_unsolicited(rest, line, formats);
    }
    for (name, decode) in [
        (PUB, decode_published as fn(&mut _) -> _),
        (SUBUNSUB, decode_subscription),
        (UNSUNSUB, decode_unsubscribed),
        (OPEN, decode_opened),
        (CONN, decode_connected),
        (DISC, decode_disconnected),
        (CLOSE, decode_closed),
    ] {
        if let Some(rest) = strip_name(line, name) {
            let mut parameters = Parameters::new(rest);
            let urc = decode(&mut parameters).ok()??;
            parameters.end().ok()?;
            return Some(urc);
        }
    }
    None
}

type Decoded = Result<Option<Urc<'static>>, ParameterError>;

fn decode_id(parameters: &mut Parameters<'_>) -> Result<ConnectionId, ParameterError> {
    parameters.integer("tcpconnectID", 0, 255).map(ConnectionId)
}

fn decode_message_id(parameters: &mut Parameters<'_>) -> Result<u16, ParameterError> {
    parameters.integer("msgID", 0, 65535)
}

fn decode_result(parameters: &mut Parameters<'_>) -> Result<(i32, Option<i32>), ParameterError> {
    let (min, max) = (i32::MIN.into(), i32::MAX.into());
    Ok((
        parameters.integer("result", min, max)?,
        parameters.optional_integer("extend", min, max)?,
    ))
}

fn decode_opened(parameters: &mut Parameters<'_>) -> Decoded {
    let connection = decode_id(parameters)?;
    let result = match decode_result(parameters)? {
        (0, _) => Ok(()),
        (_, extend) => Err(extend
            .and_then(|extend| meaning(&OPEN_FAILURES, extend))
            .unwrap_or(OpenFailure::Other(extend))),
    };
    Ok(Some(Urc::Opened { connection, result }))
}

fn decode_closed(parameters: &mut Parameters<'_>) -> Decoded {
    let connection = decode_id(parameters)?;
    let result = done_or_reason(decode_result(parameters)?);
    Ok(Some(Urc::Closed { connection, result }))
}

fn decode_disconnected(parameters: &mut Parameters<'_>) -> Decoded {
    let connection = decode_id(parameters)?;
    let result = done_or_reason(decode_result(parameters)?);
    Ok(Some(Urc::Disconnected { connection, result }))
}

fn done_or_reason((result, extend): (i32, Option<i32>)) -> Result<(), Option<i32>> {
    if result == 0 { Ok(()) } else { Err(extend) }
}

/// A refused CONNECT has result 0 as well: only the return code tells.
fn decode_connected(parameters: &mut Parameters<'_>) -> Decoded {
    let connection = decode_id(parameters)?;
    let result = match decode_result(parameters)? {
        (0, None | Some(0)) => Connected::Accepted,
        (0, Some(code)) => match u8::try_from(code) {
            Ok(code) => Connected::Refused(Refusal::from_code(code)),
            Err(_) => return Ok(None),
        },
        (1, code) => Connected::Retransmitted(code),
        (2, code) => Connected::Failed(code),
        // `+LMQTTCONN: 0,3` answers a query of the state.
        _ => return Ok(None),
    };
    Ok(Some(Urc::Connected { connection, result }))
}

fn decode_subscription(parameters: &mut Parameters<'_>) -> Decoded {
    subscription(parameters, None)
}

fn decode_unsubscribed(parameters: &mut Parameters<'_>) -> Decoded {
    subscription(parameters, Some(SubscriptionChange::Unsubscribed))
}

fn subscription(parameters: &mut Parameters<'_>, change: Option<SubscriptionChange>) -> Decoded {
    let connection = decode_id(parameters)?;
    let message_id = decode_message_id(parameters)?;
    let (result, extend) = decode_result(parameters)?;
    Ok(Some(Urc::SubscriptionChanged {
        connection,
        message_id,
        change,
        result: if result == 0 { Ok(extend) } else { Err(extend) },
    }))
}

fn decode_published(parameters: &mut Parameters<'_>) -> Decoded {
    let connection = decode_id(parameters)?;
    let message_id = decode_message_id(parameters)?;
    let (result, extend) = decode_result(parameters)?;
    let result = match result {
        0 => PublishResult::Done,
        1 => PublishResult::WrongAcknowledgement,
        _ => PublishResult::NotSent,
    };
    Ok(Some(Urc::Published {
        connection,
        message_id,
        result,
        extend,
    }))
}

/// `rest` is what stands behind `+LMQTTURC: ` in `line`.
fn decode_unsolicited<'a>(
    rest: &'a [u8],
    line: &'a [u8],
    formats: &FormatTable,
) -> Option<Urc<'a>> {
    if let Some(rest) = rest.strip_prefix(b"STATS,") {
        let mut parameters = Parameters::new(rest);
        let connection = decode_id(&mut parameters).ok()?;
        let (status, extend) = decode_result(&mut parameters).ok()?;
        parameters.end().ok()?;
        return Some(Urc::Status {
            connection,
            status: match meaning(&STATUSES, status) {
                Some(status) => status,
                None => LinkStatus::Other(u8::try_from(status).ok()?),
            },
            extend,
        });
    }
    let Ok((rest, (connection, message_id))) = received(line) else {
        return decode_buffered(rest);
    };
    let formats = formats[connection];
    let (rest, topic, length) = if formats.show_length {
        let (rest, (topic, length)) = topic_and_length(rest).ok()?;
        (rest, topic, Some(length))
    } else {
        let (rest, topic) = topic(rest, |_| true).ok()?;
        (rest, topic, None)
    };
    let wire = match (
        length.map(|length| formats.receive.wire_length(length)),
        rest,
    ) {
        (None, rest) => rest,
        (Some(length), rest) if rest.len() == length => rest,
        (Some(length), [b'"', inner @ .., b'"']) if inner.len() == length => inner,
        (Some(_), _) => return None,
    };
    Some(Urc::Received {
        connection,
        message_id,
        topic: core::str::from_utf8(topic).ok()?.into(),
        payload: formats.receive.decode(wire)?,
    })
}

fn decode_buffered(rest: &[u8]) -> Option<Urc<'static>> {
    let mut parameters = Parameters::new(rest.strip_prefix(b"RECV,")?);
    let connection = decode_id(&mut parameters).ok()?;
    let message_id = decode_message_id(&mut parameters).ok()?;
    parameters.end().ok()?;
    Some(Urc::Buffered {
        connection,
        message_id,
    })
}

pub(super) fn extent(line: &[u8], formats: &FormatTable) -> Extent {
    let header = received(line).and_then(|(rest, (connection, _))| {
        let formats = formats[connection];
        if !formats.show_length {
            return Ok(Extent::Line);
        }
        let (rest, (_, length)) = topic_and_length(rest)?;
        Ok(Extent::Counted {
            start: line.len() - rest.len(),
            length: formats.receive.wire_length(length),
        })
    });
    match header {
        Ok(extent) => extent,
        Err(nom::Err::Incomplete(_)) => Extent::Incomplete,
        Err(_) => Extent::Line,
    }
}

/// `+LMQTTURC: RECV,<id>,<msgID>,`
fn received(line: &[u8]) -> IResult<&[u8], (ConnectionId, u16)> {
    let blank = take_while_m_n(0, 1, |byte| byte == b' ');
    let (rest, _) = (tag(URC), char(':'), blank, tag("RECV,")).parse(line)?;
    let connection = map_opt(terminated(digit1, char(',')), number);
    let message_id = map_opt(terminated(digit1, char(',')), number);
    let (rest, (connection, message_id)) = (connection, message_id).parse(rest)?;
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

pub(super) fn encode(
    urc: &Urc<'_>,
    unsubscribe_urc: UnsubscribeUrc,
    formats: &FormatTable,
    out: &mut Vec<u8>,
) {
    let name = match urc {
        Urc::Opened { .. } => OPEN,
        Urc::Closed { .. } => CLOSE,
        Urc::Connected { .. } => CONN,
        Urc::Disconnected { .. } => DISC,
        Urc::SubscriptionChanged { change, .. } => match (change, unsubscribe_urc) {
            (Some(SubscriptionChange::Unsubscribed), UnsubscribeUrc::UnsUnsub) => UNSUNSUB,
            _ => SUBUNSUB,
        },
        Urc::Published { .. } => PUB,
        Urc::Received { .. } | Urc::Buffered { .. } | Urc::Status { .. } => URC,
    };
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    let mut writer = ParameterWriter::new(out);
    match urc {
        Urc::Opened { connection, result } => {
            writer.integer(connection.0);
            match result {
                Ok(()) => writer.integer(0),
                Err(failure) => writer.integer(-1).optional_integer(match failure {
                    OpenFailure::Other(extend) => *extend,
                    known => number_of(&OPEN_FAILURES, known),
                }),
            }
        }
        Urc::Closed { connection, result } | Urc::Disconnected { connection, result } => {
            writer.integer(connection.0);
            match result {
                Ok(()) => writer.integer(0),
                Err(extend) => writer.integer(1).optional_integer(*extend),
            }
        }
        Urc::Connected { connection, result } => {
            writer.integer(connection.0);
            match result {
                Connected::Accepted => writer.integer(0).integer(0),
                Connected::Refused(refusal) => writer.integer(0).integer(refusal.code()),
                Connected::Retransmitted(code) => writer.integer(1).optional_integer(*code),
                Connected::Failed(code) => writer.integer(2).optional_integer(*code),
            }
        }
        Urc::SubscriptionChanged {
            connection,
            message_id,
            result,
            ..
        } => {
            writer.integer(connection.0).integer(*message_id);
            match result {
                Ok(extend) => writer.integer(0).optional_integer(*extend),
                Err(extend) => writer.integer(1).optional_integer(*extend),
            }
        }
        Urc::Published {
            connection,
            message_id,
            result,
            extend,
        } => writer
            .integer(connection.0)
            .integer(*message_id)
            .integer(match result {
                PublishResult::Done => 0,
                PublishResult::WrongAcknowledgement => 1,
                PublishResult::NotSent => 2,
            })
            .optional_integer(*extend),
        Urc::Received {
            connection,
            message_id,
            topic,
            payload,
        } => {
            let formats = formats[*connection];
            writer
                .bare("RECV")
                .integer(connection.0)
                .integer(*message_id)
                .quoted(topic.as_bytes());
            if formats.show_length {
                // No payload is longer than what an i64 holds.
                writer.integer(payload.len() as i64);
            }
            writer.bare(formats.receive.encode(Cow::Borrowed(payload)))
        }
        Urc::Buffered {
            connection,
            message_id,
        } => writer
            .bare("RECV")
            .integer(connection.0)
            .integer(*message_id),
        Urc::Status {
            connection,
            status,
            extend,
        } => writer
            .bare("STATS")
            .integer(connection.0)
            .optional_integer(match status {
                LinkStatus::Other(number) => Some(i32::from(*number)),
                known => number_of(&STATUSES, known),
            })
            .optional_integer(*extend),
    };
}
