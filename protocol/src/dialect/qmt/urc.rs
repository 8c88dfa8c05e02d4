//! The result codes that come by themselves, both ways (reference `qmt.md` 4 and 5).
//!
//! | URC | source |
//! |---|---|
//! | `+QMTOPEN: <id>,<result>` | documented |
//! | `+QMTCLOSE: <id>,<result>`, `+QMTDISC: <id>,<result>` | documented |
//! | `+QMTCONN: <id>,<result>[,<ret_code>]` | documented |
//! | `+QMTSUB: <id>,<msgID>,<result>[,<value>…]`, `+QMTUNS: …` | documented |
//! | `+QMTPUB: <id>,<msgID>,<result>[,<value>]`, `+QMTPUBEX: …` | documented |
//! | `+QMTRECV: …` | measured, see `received` |
//! | `+QMTSTAT: <id>,<err_code>` | documented |
//! | `+QMTPING: <id>,<result>` | documented |

use alloc::vec::Vec;

use super::models::EC25;
use super::received::{self, Formats};
use super::table::{CLOSE, CONN, DISC, OPEN, PUB, PUBEX, RECV, SUB, UNS};
use crate::at::parameter::{ParameterError, ParameterWriter, Parameters};
use crate::dialect::Recognised;
use crate::dialect::shared::{meaning, number_of};
use crate::limits::Limits;
use crate::mqtt::{
    Connected, ConnectionId, LinkStatus, OpenFailure, PublishResult, Reason, ReasonKind, Refusal,
    SubscriptionChange, Urc,
};

pub(super) const STAT: &str = "+QMTSTAT";
pub(super) const PING: &str = "+QMTPING";

/// What is often waited for.
pub(super) const BEGINNINGS: [&str; 11] = [
    OPEN, CONN, SUB, UNS, PUB, PUBEX, DISC, CLOSE, RECV, STAT, PING,
];

/// `<result>` of `+QMTOPEN`.
pub(super) const OPEN_FAILURES: [(i32, OpenFailure); 5] = [
    (1, OpenFailure::Parameter),
    (2, OpenFailure::InUse),
    (3, OpenFailure::PdpActivation),
    (4, OpenFailure::Dns),
    (5, OpenFailure::Network),
];

/// `<err_code>` of `+QMTSTAT`. The first of a number is what a host reads; what stands behind it is
/// how a module tells what has no number of its own. 5 and 8 follow a DISC: the link is gone because
/// the host wanted it so.
pub(super) const STATUSES: [(i32, LinkStatus); 12] = [
    (1, LinkStatus::ClosedByServer),
    (2, LinkStatus::PingTimeout),
    (3, LinkStatus::ConnectFailed),
    (4, LinkStatus::Refused),
    (5, LinkStatus::Fine),
    (6, LinkStatus::Fatal),
    (7, LinkStatus::Closed),
    (8, LinkStatus::Fine),
    (1, LinkStatus::Protocol),
    (3, LinkStatus::ConnectTimeout),
    (7, LinkStatus::Dns),
    (7, LinkStatus::Address),
];

/// The return code of a SUBACK that refuses (MQTT 3.1.1 section 3.9.3).
pub(super) const REFUSED: i32 = 0x80;

/// A line of the module's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// It tells what has happened.
    Urc(Urc),
    /// A packet was sent again; what comes of it is told later.
    SentAgain(Urc),
}

/// The parameters of a line that begins with `name` and a colon.
pub(super) fn strip_name<'a>(line: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let rest = line.strip_prefix(name.as_bytes())?.strip_prefix(b":")?;
    Some(rest.strip_prefix(b" ").unwrap_or(rest))
}

type Decoded = Result<Option<Line>, ParameterError>;

pub(super) fn decode(
    line: &[u8],
    formats: impl Fn(ConnectionId) -> Formats,
    limits: &Limits,
) -> Option<Line> {
    line.strip_prefix(b"+QMT")?;
    if strip_name(line, RECV).is_some() {
        return decode_received(line, formats, limits).map(Line::Urc);
    }
    for (name, decode) in [
        (PUBEX, decode_published as fn(&mut _) -> _),
        (PUB, decode_published),
        (SUB, decode_subscribed),
        (UNS, decode_unsubscribed),
        (OPEN, decode_opened),
        (CONN, decode_connected),
        (DISC, decode_disconnected),
        (CLOSE, decode_closed),
        (STAT, decode_status),
        (PING, decode_ping),
    ] {
        if let Some(rest) = strip_name(line, name) {
            let mut parameters = Parameters::new(rest);
            let line: Line = decode(&mut parameters).ok()??;
            parameters.end().ok()?;
            return Some(line);
        }
    }
    None
}

/// Reads a line as a report of a module of which nobody knows what it was told.
pub(super) fn report(line: &[u8]) -> Option<Recognised<'_>> {
    let shown = Formats {
        show_length: true,
        ..Formats::default()
    };
    let next_line = Formats {
        next_line: true,
        ..Formats::default()
    };
    let limits = &EC25.limits;
    let known = [shown, next_line, Formats::default()]
        .iter()
        .find_map(|formats| decode(line, |_| *formats, limits));
    known.map(|line| match line {
        Line::Urc(urc) | Line::SentAgain(urc) => Recognised::Known(urc),
    })
}

fn decode_received(
    line: &[u8],
    formats: impl Fn(ConnectionId) -> Formats,
    limits: &Limits,
) -> Option<Urc> {
    if let Ok(head) = received::head(line) {
        let formats = formats(head.connection);
        let (topic, payload) = received::decode(head.body, formats, limits)?;
        return Some(Urc::Received {
            connection: head.connection,
            message_id: head.message_id,
            topic,
            payload,
        });
    }
    let mut parameters = Parameters::new(strip_name(line, RECV)?);
    let connection = id(&mut parameters).ok()?;
    let message_id = parameters.integer("recv_id", 0, 65535).ok()?;
    parameters.end().ok()?;
    Some(Urc::Buffered {
        connection,
        message_id,
    })
}

fn id(parameters: &mut Parameters<'_>) -> Result<ConnectionId, ParameterError> {
    parameters.integer("client_idx", 0, 255).map(ConnectionId)
}

fn result(parameters: &mut Parameters<'_>) -> Result<i32, ParameterError> {
    parameters.integer("result", -1, 255)
}

fn value(parameters: &mut Parameters<'_>) -> Result<Option<i32>, ParameterError> {
    parameters.optional_integer("value", 0, i32::MAX.into())
}

fn decode_opened(parameters: &mut Parameters<'_>) -> Decoded {
    let connection = id(parameters)?;
    let result = match result(parameters)? {
        0 => Ok(()),
        code => Err(meaning(&OPEN_FAILURES, code).unwrap_or(OpenFailure::Other(Some(code)))),
    };
    Ok(Some(Line::Urc(Urc::Opened { connection, result })))
}

fn done(parameters: &mut Parameters<'_>) -> Result<Result<(), Reason>, ParameterError> {
    Ok(match result(parameters)? {
        0 => Ok(()),
        code => Err(Reason::number(code)),
    })
}

fn decode_closed(parameters: &mut Parameters<'_>) -> Decoded {
    let connection = id(parameters)?;
    let result = done(parameters)?;
    Ok(Some(Line::Urc(Urc::Closed { connection, result })))
}

fn decode_disconnected(parameters: &mut Parameters<'_>) -> Decoded {
    let connection = id(parameters)?;
    let result = done(parameters)?;
    Ok(Some(Line::Urc(Urc::Disconnected { connection, result })))
}

/// A refused CONNECT has result 0 as well: only the return code tells.
fn decode_connected(parameters: &mut Parameters<'_>) -> Decoded {
    let connection = id(parameters)?;
    let (result, code) = (result(parameters)?, value(parameters)?);
    let result = match (result, code) {
        (0, None | Some(0)) => Connected::Accepted,
        (0, Some(code)) => match u8::try_from(code) {
            Ok(code) => Connected::Refused(Refusal::from_code(code)),
            Err(_) => return Ok(None),
        },
        (1, code) => Connected::Retransmitted(code),
        (2, code) => Connected::Failed(Reason::new(ReasonKind::NotSent, code)),
        // `+QMTCONN: 0,3` answers a query of the state.
        _ => return Ok(None),
    };
    Ok(Some(Line::Urc(Urc::Connected { connection, result })))
}

fn decode_subscribed(parameters: &mut Parameters<'_>) -> Decoded {
    decode_subscription(parameters, SubscriptionChange::Subscribed)
}

fn decode_unsubscribed(parameters: &mut Parameters<'_>) -> Decoded {
    decode_subscription(parameters, SubscriptionChange::Unsubscribed)
}

fn decode_subscription(parameters: &mut Parameters<'_>, change: SubscriptionChange) -> Decoded {
    let connection = id(parameters)?;
    let message_id = parameters.integer("msgID", 0, 65535)?;
    let (result, first) = (result(parameters)?, value(parameters)?);
    let mut worst = first;
    while !parameters.is_empty() {
        worst = worst.max(value(parameters)?);
    }
    let refused = |code| Reason::new(ReasonKind::Refused, Some(code));
    let urc = |result| Urc::SubscriptionChanged {
        connection,
        message_id,
        change: Some(change),
        result,
    };
    Ok(Some(match (result, worst) {
        (0, Some(code @ REFUSED..)) => Line::Urc(urc(Err(refused(code)))),
        (0, _) => Line::Urc(urc(Ok(first))),
        (1, times) => Line::SentAgain(urc(Err(Reason::new(ReasonKind::Unknown, times)))),
        (_, code) => Line::Urc(urc(Err(Reason::new(ReasonKind::NotSent, code)))),
    }))
}

fn decode_published(parameters: &mut Parameters<'_>) -> Decoded {
    let connection = id(parameters)?;
    let message_id = parameters.integer("msgID", 0, 65535)?;
    let (result, value) = (result(parameters)?, value(parameters)?);
    let reason = Reason::new(ReasonKind::Unknown, value);
    let urc = |result| Urc::Published {
        connection,
        message_id,
        result,
        reason,
    };
    Ok(Some(match result {
        0 => Line::Urc(urc(PublishResult::Done)),
        1 => Line::SentAgain(urc(PublishResult::WrongAcknowledgement)),
        _ => Line::Urc(urc(PublishResult::NotSent)),
    }))
}

fn decode_status(parameters: &mut Parameters<'_>) -> Decoded {
    let connection = id(parameters)?;
    let code: u8 = parameters.integer("err_code", 0, 255)?;
    Ok(Some(Line::Urc(Urc::Status {
        connection,
        status: meaning(&STATUSES, code.into()).unwrap_or(LinkStatus::Other(code)),
        code: None,
    })))
}

fn decode_ping(parameters: &mut Parameters<'_>) -> Decoded {
    let connection = id(parameters)?;
    let status = match result(parameters)? {
        0 => LinkStatus::Fine,
        _ => LinkStatus::PingTimeout,
    };
    Ok(Some(Line::Urc(Urc::Status {
        connection,
        status,
        code: None,
    })))
}

/// The number by which `+QMTSTAT` tells of a status; `None` if it tells nothing of it.
pub(super) fn status_number(status: LinkStatus) -> Option<u8> {
    match status {
        LinkStatus::Other(code) => Some(code),
        // 5 and 8 tell of a DISC, and whoever writes them knows which.
        LinkStatus::Fine => None,
        known => number_of(&STATUSES, &known).and_then(|code| u8::try_from(code).ok()),
    }
}

/// How a module writes what has happened. `extended`: it came of `AT+QMTPUBEX`; `granted`: what a
/// SUBACK has granted, as far as the module shows it.
pub(super) fn encode(
    urc: &Urc,
    extended: bool,
    granted: &[u8],
    formats: Formats,
    out: &mut Vec<u8>,
) {
    let mut start = |name: &str| {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
    };
    start(match urc {
        Urc::Opened { .. } => OPEN,
        Urc::Closed { .. } => CLOSE,
        Urc::Connected { .. } => CONN,
        Urc::Disconnected { .. } => DISC,
        Urc::SubscriptionChanged { change, .. } => match change {
            Some(SubscriptionChange::Unsubscribed) => UNS,
            _ => SUB,
        },
        Urc::Published { .. } if extended => PUBEX,
        Urc::Published { .. } => PUB,
        Urc::Received { .. } | Urc::Buffered { .. } => RECV,
        Urc::Status { .. } => STAT,
    });
    let mut writer = ParameterWriter::new(out);
    writer.integer(urc.connection().0);
    match urc {
        Urc::Opened { result, .. } => {
            writer.integer(match result {
                Ok(()) => 0,
                Err(OpenFailure::Other(code)) => code.unwrap_or(-1),
                Err(known) => number_of(&OPEN_FAILURES, known).unwrap_or(-1),
            });
        }
        Urc::Closed { result, .. } | Urc::Disconnected { result, .. } => {
            writer.integer(if result.is_ok() { 0 } else { -1 });
        }
        Urc::Connected { result, .. } => {
            match result {
                Connected::Accepted => writer.integer(0).integer(0),
                Connected::Refused(refusal) => writer.integer(0).integer(refusal.code()),
                Connected::Retransmitted(times) => writer.integer(1).optional_integer(*times),
                Connected::Failed(_) => writer.integer(2),
            };
        }
        Urc::SubscriptionChanged {
            message_id, result, ..
        } => {
            writer.integer(*message_id);
            // A refusal is an answer, too: the code that is granted tells.
            let answered = result.is_ok() || !granted.is_empty();
            writer.integer(if answered { 0 } else { 2 });
            for code in granted {
                writer.integer(*code);
            }
        }
        Urc::Published {
            message_id, result, ..
        } => {
            writer.integer(*message_id);
            writer.integer(match result {
                PublishResult::Done => 0,
                _ => 2,
            });
        }
        Urc::Received {
            message_id,
            topic,
            payload,
            ..
        } => {
            writer.integer(*message_id);
            out.push(b',');
            received::encode(topic, payload, formats, out);
        }
        Urc::Buffered { message_id, .. } => {
            writer.integer(*message_id);
        }
        Urc::Status { status, .. } => {
            writer.integer(status_number(*status).unwrap_or(0));
        }
    }
}

/// A publish was sent again, for the nth time.
pub(super) fn encode_sent_again(
    connection: ConnectionId,
    message_id: u16,
    attempt: u32,
    extended: bool,
) -> Vec<u8> {
    let name = if extended { PUBEX } else { PUB };
    let mut line = [name.as_bytes(), b": "].concat();
    ParameterWriter::new(&mut line)
        .integer(connection.0)
        .integer(message_id)
        .integer(1)
        .integer(attempt);
    line
}

/// What a number of `+QMTSTAT` says.
pub(super) fn meaning_of(number: u8) -> Option<LinkStatus> {
    meaning(&STATUSES, number.into())
}
