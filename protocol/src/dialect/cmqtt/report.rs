//! The result codes that come by themselves, both ways.
//!
//! | report | source |
//! |---|---|
//! | `+CMQTTSTART: <err>`, `+CMQTTSTOP: <err>` | documented |
//! | `+CMQTTCONNECT: <i>,<err>`, `+CMQTTDISC: <i>,<err>` | documented |
//! | `+CMQTTSUB: <i>,<err>`, `+CMQTTUNSUB: <i>,<err>`, `+CMQTTPUB: <i>,<err>` | documented |
//! | `+CMQTTCONNLOST: <i>,<cause>`, `+CMQTTNONET`, `+CMQTTPING: <i>,<err>` | documented |
//!
//! Messages are in [`receive`](super::receive).

use alloc::format;
use alloc::string::String;

use super::table::{CONNECT, DISC, PUB, START, STOP, SUB, UNSUB};
use super::{SERVICE, codes};
use crate::at::parameter::integer;
use crate::mqtt::{
    ConnectionId, LinkStatus, OpenFailure, PublishResult, Reason, ReasonKind, SubscriptionChange,
    Urc,
};

const LOST: &str = "+CMQTTCONNLOST";
const PING: &str = "+CMQTTPING";
/// The network is gone, and the service with it.
pub(super) const NO_NETWORK: &str = "+CMQTTNONET";

/// What is often waited for.
pub(super) const BEGINNINGS: [&str; 9] = [
    START,
    CONNECT,
    SUB,
    UNSUB,
    PUB,
    DISC,
    LOST,
    NO_NETWORK,
    super::receive::START,
];

/// What stands behind the name and the colon of a line. A blank follows the colon, but for one
/// example of the manual.
pub(super) fn strip_name<'l>(line: &'l [u8], name: &str) -> Option<&'l [u8]> {
    let rest = line.strip_prefix(name.as_bytes())?.strip_prefix(b":")?;
    Some(rest.trim_ascii())
}

/// So many numbers with commas between them, and nothing else.
pub(super) fn numbers<const N: usize>(text: &[u8]) -> Option<[i64; N]> {
    let mut numbers = [0; N];
    let mut parts = text.split(|byte| *byte == b',');
    for number in &mut numbers {
        *number = integer(parts.next()?.trim_ascii())?;
    }
    parts.next().is_none().then_some(numbers)
}

/// Reads a line as a report that goes over one line; `None` if it is none.
pub(super) fn decode(line: &[u8]) -> Option<Urc> {
    // All others would be compared in vain.
    line.strip_prefix(b"+CMQTT")?;
    if line == NO_NETWORK.as_bytes() {
        return Some(Urc::Status {
            connection: SERVICE,
            status: LinkStatus::Closed,
            code: None,
        });
    }
    if let Some(rest) = strip_name(line, START) {
        let code = code(rest)?;
        let failure = codes::open_failure(code).unwrap_or(match code {
            codes::STARTED => OpenFailure::InUse,
            code => OpenFailure::Other(Some(code)),
        });
        return Some(Urc::Opened {
            connection: SERVICE,
            result: codes::result(code).map_err(|_| failure),
        });
    }
    if let Some(rest) = strip_name(line, STOP) {
        return Some(Urc::Closed {
            connection: SERVICE,
            result: codes::result(code(rest)?),
        });
    }
    let name = [CONNECT, DISC, SUB, UNSUB, PUB, LOST, PING];
    let (name, rest) = name
        .iter()
        .find_map(|name| Some((*name, strip_name(line, name)?)))?;
    let [id, code] = numbers(rest)?;
    let connection = ConnectionId(id.try_into().ok()?);
    let code: i32 = code.try_into().ok()?;
    Some(match name {
        CONNECT => Urc::Connected {
            connection,
            result: codes::connected(code),
        },
        DISC => Urc::Closed {
            connection,
            result: codes::result(code),
        },
        SUB | UNSUB => Urc::SubscriptionChanged {
            connection,
            message_id: 0,
            change: Some(match name {
                SUB => SubscriptionChange::Subscribed,
                _ => SubscriptionChange::Unsubscribed,
            }),
            result: codes::result(code).map(|()| None),
        },
        PUB => {
            let (result, reason) = codes::published(code);
            Urc::Published {
                connection,
                message_id: 0,
                result,
                reason,
            }
        }
        LOST => Urc::Status {
            connection,
            status: codes::status(code),
            code: Some(code),
        },
        // The manual wants the host to disconnect and connect again.
        _ => Urc::Status {
            connection,
            status: LinkStatus::PingTimeout,
            code: Some(code),
        },
    })
}

/// A result, behind which SIM767x names the packet data context.
fn code(text: &[u8]) -> Option<i32> {
    let code = text.split(|byte| *byte == b',').next()?;
    integer(code)?.try_into().ok()
}

/// A report on one line; of a message it is no more than its beginning.
pub(super) fn encode(urc: &Urc) -> String {
    let ConnectionId(id) = urc.connection();
    let line = |name: &str, code: i32| format!("{name}: {id},{code}");
    let code = |result: &Result<(), Reason>| match result {
        Ok(()) => codes::DONE,
        Err(reason) => codes::of_reason(*reason, codes::FAILED),
    };
    match urc {
        Urc::Opened { result: Ok(()), .. } => line(CONNECT, codes::DONE),
        Urc::Opened {
            result: Err(failure),
            ..
        } => line(CONNECT, codes::of_open_failure(*failure)),
        Urc::Connected { result, .. } => line(CONNECT, codes::of_connected(*result)),
        Urc::Closed { result, .. } | Urc::Disconnected { result, .. } => line(DISC, code(result)),
        Urc::SubscriptionChanged { change, result, .. } => line(
            match change {
                Some(SubscriptionChange::Unsubscribed) => UNSUB,
                _ => SUB,
            },
            match result {
                // The broker has not answered.
                Err(Reason {
                    kind: ReasonKind::NotSent,
                    code: None,
                }) => codes::TIMEOUT,
                result => code(&result.map(drop)),
            },
        ),
        Urc::Published { result, reason, .. } => line(PUB, codes::of_published(*result, *reason)),
        Urc::Received { .. } | Urc::Buffered { .. } => line(super::receive::START, codes::DONE),
        Urc::Status { status, code, .. } => {
            line(LOST, code.unwrap_or_else(|| codes::cause(*status)))
        }
    }
}

/// How SIM7600 reports that the broker answers no ping.
pub(super) fn unanswered(connection: ConnectionId) -> String {
    format!("{PING}: {connection},{}", codes::TIMEOUT)
}

/// A publish that was refused or lost for this reason.
pub(super) fn unpublished(connection: ConnectionId, reason: Reason) -> Urc {
    Urc::Published {
        connection,
        message_id: 0,
        result: PublishResult::NotSent,
        reason,
    }
}
