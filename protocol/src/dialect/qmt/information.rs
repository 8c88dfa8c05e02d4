//! What stands between a command and its final result code, both ways.
//!
//! | line | source |
//! |---|---|
//! | `+QMTCFG: "<key>"[,<value>…]` | measured |
//! | `+QMTOPEN: <id>,"<host>",<port>` | measured |
//! | `+QMTCONN: <id>,<state>` | documented |
//! | `+QMTRECV: <id>,<msgID>,"<topic>"[,<len>],"<payload>"` | documented |
//! | `+QMTRECV: <id>,<s0>,<s1>,<s2>,<s3>,<s4>` | documented |

use alloc::vec::Vec;

use super::received::{self, Formats};
use super::request::Request;
use super::setting::{self, Setting};
use super::table::{CFG, CONN, OPEN, RECV, URCCFG};
use super::urc::strip_name;
use crate::at::parameter::{ParameterWriter, Parameters};
use crate::dialect::Answer;
use crate::dialect::shared::{meaning, number_of};
use crate::limits::Limits;
use crate::mqtt::{ConnectionId, ConnectionState};

/// Messages that a connection keeps at most.
pub(super) const SLOTS: usize = 5;

/// `<state>` of the answer to `AT+QMTCONN?`.
pub(super) const STATES: [(i32, ConnectionState); 4] = [
    (1, ConnectionState::Initial),
    (2, ConnectionState::Connecting),
    (3, ConnectionState::Connected),
    (4, ConnectionState::Disconnecting),
];

fn start(name: &str) -> Vec<u8> {
    [name.as_bytes(), b": "].concat()
}

/// The value of a setting.
pub(super) fn setting(setting: &Setting) -> Vec<u8> {
    let mut line = start(CFG);
    let mut writer = ParameterWriter::new(&mut line);
    writer.quoted(setting.key().as_bytes());
    setting::encode(setting, &mut writer);
    line
}

/// An open link.
pub(super) fn opened(connection: ConnectionId, host: &str, port: u16) -> Vec<u8> {
    let mut line = start(OPEN);
    ParameterWriter::new(&mut line)
        .integer(connection.0)
        .quoted(host.as_bytes())
        .integer(port);
    line
}

/// How far a connection is.
pub(super) fn state(connection: ConnectionId, state: ConnectionState) -> Vec<u8> {
    let mut line = start(CONN);
    ParameterWriter::new(&mut line)
        .integer(connection.0)
        .optional_integer(number_of(&STATES, &state));
    line
}

/// Which slots are full.
pub(super) fn unread(connection: ConnectionId, full: impl Fn(usize) -> bool) -> Vec<u8> {
    let mut line = start(RECV);
    let mut writer = ParameterWriter::new(&mut line);
    writer.integer(connection.0);
    for slot in 0..SLOTS {
        writer.flag(full(slot));
    }
    line
}

/// Where the module reports.
pub(super) fn port(name: &str) -> Vec<u8> {
    let mut line = start(URCCFG);
    ParameterWriter::new(&mut line)
        .quoted(b"urcport")
        .quoted(name.as_bytes());
    line
}

/// Host: reads a line as an answer to `request`; `None` if it is none.
pub(super) fn decode(
    request: &Request,
    line: &[u8],
    formats: impl Fn(ConnectionId) -> Formats,
    limits: &Limits,
) -> Option<Answer> {
    let id = |parameters: &mut Parameters<'_>| {
        parameters
            .integer("client_idx", 0, 255)
            .ok()
            .map(ConnectionId)
    };
    match request {
        Request::QuerySetting { key, .. } => {
            let mut parameters = Parameters::new(strip_name(line, CFG)?);
            let shown = parameters.required("key").ok()?;
            key.is(shown).then_some(Answer::Other)
        }
        Request::Port(_) => strip_name(line, URCCFG).map(|_| Answer::Other),
        Request::QueryOpen => {
            let mut parameters = Parameters::new(strip_name(line, OPEN)?);
            Some(Answer::Link {
                connection: id(&mut parameters)?,
                host: parameters.text("host_name", usize::MAX).ok()?.into(),
                port: parameters.integer("port", 0, 65535).ok()?,
            })
        }
        Request::QueryState => {
            let mut parameters = Parameters::new(strip_name(line, CONN)?);
            let connection = id(&mut parameters)?;
            let state = meaning(&STATES, parameters.integer("state", 0, 255).ok()?)?;
            parameters.end().ok()?;
            Some(Answer::State { connection, state })
        }
        Request::QueryUnread => {
            let mut parameters = Parameters::new(strip_name(line, RECV)?);
            let connection = id(&mut parameters)?;
            let mut message_ids = Vec::new();
            for slot in 0..SLOTS as u16 {
                if parameters.flag("slot").ok()? {
                    message_ids.push(slot);
                }
            }
            parameters.end().ok()?;
            Some(Answer::Unread {
                connection,
                message_ids,
            })
        }
        Request::Read { connection, .. } => {
            let head = received::head(line).ok()?;
            if head.connection != *connection {
                return None;
            }
            let (topic, payload) = received::decode(head.body, formats(*connection), limits)?;
            Some(Answer::Message {
                connection: *connection,
                message_id: head.message_id,
                topic,
                payload,
            })
        }
        _ => None,
    }
}
