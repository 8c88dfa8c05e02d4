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
//! | `+LMQTTPUBEX: <id>,<msgID>,<result>[,<extend>]` | inferred |
//! | `+LMQTTURC: RECV,<id>,<msgID>,"<topic>",[<len>,]<payload>` | measured |
//! | `+LMQTTURC: RECV,<id>,<msgID>` | documented (buffered) |
//! | `+LMQTTURC: STATS,<id>,<stats>[,<extend>]` | documented |

use alloc::vec::Vec;

use super::command::{CLOSE, CONN, DISC, OPEN, PUB, PUBEX, SUBUNSUB};
use super::{FormatTable, Formats, HexLength, Lmqtt, PublishExtendedUrc, UnsubscribeUrc, received};
use crate::at::parameter::{ParameterError, ParameterWriter, Parameters};
use crate::dialect::Recognised;
use crate::dialect::shared::{meaning, number_of};
use crate::mqtt::{
    Connected, ConnectionId, LinkStatus, OpenFailure, PublishResult, Reason, ReasonKind, Refusal,
    SubscriptionChange, Urc,
};

pub(super) const UNSUNSUB: &str = "+LMQTTUNSUNSUB";
pub(super) const URC: &str = "+LMQTTURC";

/// What is often waited for.
pub(super) const BEGINNINGS: [&str; 8] = [
    OPEN,
    CONN,
    SUBUNSUB,
    PUB,
    DISC,
    CLOSE,
    "+LMQTTURC: RECV",
    "+LMQTTURC: STATS",
];

/// `<extend>` of `+LMQTTOPEN` behind the result -1.
pub(super) const OPEN_FAILURES: [(i32, OpenFailure); 5] = [
    (1, OpenFailure::Parameter),
    (2, OpenFailure::InUse),
    (3, OpenFailure::PdpActivation),
    (4, OpenFailure::Dns),
    (5, OpenFailure::Network),
];

/// `<stats>` of `+LMQTTURC: STATS`.
pub(super) const STATUSES: [(i32, LinkStatus); 15] = [
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
    // It has no number of its own (inferred).
    (1, LinkStatus::PingTimeout),
];

/// `<extend>` of a publish or a subscription that failed.
const REASONS: [(i32, ReasonKind); 2] = [(6, ReasonKind::NotSent), (7, ReasonKind::BadParameter)];

/// The return code of a SUBACK that refuses (MQTT 3.1.1 section 3.9.3).
const REFUSED: i32 = 0x80;

pub(super) fn reason(extend: Option<i32>) -> Reason {
    let kind = extend.map_or(ReasonKind::Unknown, |extend| {
        match meaning(&REASONS, extend) {
            Some(kind) => kind,
            None if extend == REFUSED => ReasonKind::Refused,
            None => ReasonKind::Unknown,
        }
    });
    Reason::new(kind, extend)
}

/// The number that stands for a reason.
fn extend(reason: Reason) -> Option<i32> {
    reason.code.or_else(|| number_of(&REASONS, &reason.kind))
}

/// The parameters of a line that begins with `name` and a colon. A blank follows the colon on
/// every module seen; one host does not rely on it, so neither do we.
pub(super) fn strip_name<'a>(line: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let rest = line.strip_prefix(name.as_bytes())?.strip_prefix(b":")?;
    Some(rest.strip_prefix(b" ").unwrap_or(rest))
}

pub(super) fn decode(line: &[u8], hex_length: HexLength, formats: &FormatTable) -> Option<Urc> {
    // All others would be compared in vain.
    line.strip_prefix(b"+LMQTT")?;
    if let Some(rest) = strip_name(line, URC) {
        return decode_unsolicited(rest, hex_length, formats);
    }
    for (name, decode) in [
        (PUB, decode_published as fn(&mut _) -> _),
        (PUBEX, decode_published),
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

/// Reads a line as a report of a module of which nobody knows what it was told.
pub(super) fn report(line: &[u8], hex_length: HexLength) -> Option<Recognised<'_>> {
    // With a length before the payload a message can be read in one way only.
    let shown = FormatTable::all(Formats {
        show_length: true,
        ..Formats::default()
    });
    let known = [shown, FormatTable::default()]
        .iter()
        .find_map(|formats| decode(line, hex_length, formats));
    known.map(Recognised::Known).or_else(|| {
        let kind = strip_name(line, URC)?.split(|byte| *byte == b',').next()?;
        Some(Recognised::Unknown(kind))
    })
}

type Decoded = Result<Option<Urc>, ParameterError>;

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

fn done_or_reason((result, extend): (i32, Option<i32>)) -> Result<(), Reason> {
    if result == 0 {
        Ok(())
    } else {
        Err(reason(extend))
    }
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
        (2, code) => Connected::Failed(reason(code)),
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
        result: match (result, extend) {
            // The value counts filters, of which no command holds as many. From here on it is a return
            // code that refuses, as QMT shows it (inferred).
            (0, Some(REFUSED..)) => Err(reason(extend)),
            (0, _) => Ok(extend),
            _ => Err(reason(extend)),
        },
    }))
}

fn decode_published(parameters: &mut Parameters<'_>) -> Decoded {
    let connection = decode_id(parameters)?;
    let message_id = decode_message_id(parameters)?;
    let (result, reason) = decode_publish_result(parameters)?;
    Ok(Some(Urc::Published {
        connection,
        message_id,
        result,
        reason,
    }))
}

fn decode_publish_result(
    parameters: &mut Parameters<'_>,
) -> Result<(PublishResult, Reason), ParameterError> {
    let (result, extend) = decode_result(parameters)?;
    let result = match result {
        0 => PublishResult::Done,
        1 => PublishResult::WrongAcknowledgement,
        _ => PublishResult::NotSent,
    };
    Ok((result, reason(extend)))
}

/// `rest` is what stands behind `+LMQTTURC: `.
fn decode_unsolicited(rest: &[u8], hex_length: HexLength, formats: &FormatTable) -> Option<Urc> {
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
            code: extend,
        });
    }
    let Some((connection, message_id, body)) = received::header(rest) else {
        return decode_buffered(rest);
    };
    let (topic, payload) = received::decode(body, hex_length, formats[connection])?;
    Some(Urc::Received {
        connection,
        message_id,
        topic: topic.into_owned(),
        payload: payload.into_owned(),
    })
}

fn decode_buffered(rest: &[u8]) -> Option<Urc> {
    let mut parameters = Parameters::new(rest.strip_prefix(b"RECV,")?);
    let connection = decode_id(&mut parameters).ok()?;
    let message_id = decode_message_id(&mut parameters).ok()?;
    parameters.end().ok()?;
    Some(Urc::Buffered {
        connection,
        message_id,
    })
}

/// `extended`: whether it is the outcome of an extended publish.
pub(super) fn encode(
    urc: &Urc,
    extended: bool,
    dialect: &Lmqtt,
    formats: &FormatTable,
    out: &mut Vec<u8>,
) {
    let name = match urc {
        Urc::Opened { .. } => OPEN,
        Urc::Closed { .. } => CLOSE,
        Urc::Connected { .. } => CONN,
        Urc::Disconnected { .. } => DISC,
        Urc::SubscriptionChanged { change, .. } => match (change, dialect.unsubscribe_urc) {
            (Some(SubscriptionChange::Unsubscribed), UnsubscribeUrc::UnsUnsub) => UNSUNSUB,
            _ => SUBUNSUB,
        },
        Urc::Published { .. } => match dialect.publish_extended_urc {
            PublishExtendedUrc::PubEx if extended => PUBEX,
            _ => PUB,
        },
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
                    // It has no number of its own; a status tells it.
                    OpenFailure::Tls => number_of(&OPEN_FAILURES, &OpenFailure::Network),
                    known => number_of(&OPEN_FAILURES, known),
                }),
            }
        }
        Urc::Closed { connection, result } | Urc::Disconnected { connection, result } => {
            writer.integer(connection.0);
            match result {
                Ok(()) => writer.integer(0),
                Err(reason) => writer.integer(1).optional_integer(extend(*reason)),
            }
        }
        Urc::Connected { connection, result } => {
            writer.integer(connection.0);
            match result {
                Connected::Accepted => writer.integer(0).integer(0),
                Connected::Refused(refusal) => writer.integer(0).integer(refusal.code()),
                Connected::Retransmitted(code) => writer.integer(1).optional_integer(*code),
                Connected::Failed(reason) => writer.integer(2).optional_integer(extend(*reason)),
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
                Ok(shown) => writer.integer(0).optional_integer(*shown),
                Err(reason) => writer.integer(1).optional_integer(extend(*reason)),
            }
        }
        Urc::Published {
            connection,
            message_id,
            result,
            reason,
        } => writer
            .integer(connection.0)
            .integer(*message_id)
            .integer(match result {
                PublishResult::Done => 0,
                PublishResult::WrongAcknowledgement => 1,
                PublishResult::NotSent => 2,
            })
            .optional_integer(extend(*reason)),
        Urc::Received {
            connection,
            message_id,
            topic,
            payload,
        } => {
            writer
                .bare("RECV")
                .integer(connection.0)
                .integer(*message_id);
            received::encode(
                topic,
                payload,
                dialect.hex_length,
                formats[*connection],
                &mut writer,
            );
            &mut writer
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
            code,
        } => writer
            .bare("STATS")
            .integer(connection.0)
            .optional_integer(match status {
                LinkStatus::Other(number) => Some(i32::from(*number)),
                known => number_of(&STATUSES, known),
            })
            .optional_integer(*code),
    };
}
