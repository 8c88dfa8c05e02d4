//! What stands between a command and its final result code, both ways.
//!
//! | line | source |
//! |---|---|
//! | `+LMQTTCFG: "<key>",<value>…` | inferred from ECMT and QMT |
//! | `+LMQTTOPEN: <id>,"<host>",<port>` | inferred from ECMT |
//! | `+LMQTTCONN: <id>,<state>` | documented |
//! | `+LMQTTREAD: <id>,<msgID>,"<topic>",<len>,<payload>` | inferred from QMT |
//! | `+LMQTTREAD: <id>,<msgID>[,<msgID>…]` | our own, to list what is unread |
//! | `+LSSLCFG: "<key>",<ctx>,<value>` | our own, after Quectel's `+QSSLCFG` |

use alloc::vec::Vec;

use super::command::{CFG, CONN, OPEN, READ};
use super::table::COMMANDS;
use super::urc::strip_name;
use super::{FormatTable, Formats, HexLength, Information, NT35E, Request, config, received, tls};
use crate::at::parameter::{ParameterWriter, Parameters};
use crate::dialect::shared::{meaning, number_of};
use crate::mqtt::{ConnectionId, ConnectionState};
use crate::spec::Values;

/// `<state>` of the answer to `AT+LMQTTCONN?`.
pub(super) const STATES: [(i32, ConnectionState); 4] = [
    (1, ConnectionState::Initial),
    (2, ConnectionState::Connecting),
    (3, ConnectionState::Connected),
    (4, ConnectionState::Disconnecting),
];

pub(super) fn encode(
    information: &Information<'_>,
    hex_length: HexLength,
    formats: &FormatTable,
    out: &mut Vec<u8>,
) {
    let mut start = |name: &str| {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
    };
    match information {
        Information::Setting(setting) => {
            start(CFG);
            config::encode_answer(setting, &mut ParameterWriter::new(out));
        }
        Information::Opened {
            connection,
            host,
            port,
        } => {
            start(OPEN);
            ParameterWriter::new(out)
                .integer(connection.0)
                .quoted(host.as_bytes())
                .integer(*port);
        }
        Information::State { connection, state } => {
            start(CONN);
            ParameterWriter::new(out)
                .integer(connection.0)
                .optional_integer(number_of(&STATES, state));
        }
        Information::Message {
            connection,
            message_id,
            topic,
            payload,
        } => {
            start(READ);
            let mut writer = ParameterWriter::new(out);
            writer.integer(connection.0).integer(*message_id);
            // The length is always there, whatever `recv/mode` says.
            let formats = Formats {
                show_length: true,
                ..formats[*connection]
            };
            received::encode(topic, payload, hex_length, formats, &mut writer);
        }
        Information::Unread {
            connection,
            message_ids,
        } => {
            start(READ);
            let mut writer = ParameterWriter::new(out);
            writer.integer(connection.0);
            for message_id in message_ids {
                writer.integer(*message_id);
            }
        }
        Information::TlsSetting { context, setting } => {
            start(tls::SSLCFG);
            tls::encode_answer(*context, setting, &mut ParameterWriter::new(out));
        }
    }
}

pub(super) fn decode<'a>(
    request: &Request<'_>,
    line: &'a [u8],
    hex_length: HexLength,
    formats: &FormatTable,
) -> Option<Information<'a>> {
    match request {
        Request::QuerySetting { key, .. } => {
            let mut values = answer(line, CFG)?;
            config::decode_answer(*key, &mut values)
                .ok()
                .map(Information::Setting)
        }
        Request::QueryOpen => {
            let mut parameters = Parameters::new(strip_name(line, OPEN)?);
            Some(Information::Opened {
                connection: ConnectionId(parameters.integer("tcpconnectID", 0, 255).ok()?),
                host: parameters.text("host_name", usize::MAX).ok()?.into(),
                port: parameters.integer("port", 0, 65535).ok()?,
            })
        }
        Request::QueryState => {
            let mut parameters = Parameters::new(strip_name(line, CONN)?);
            let information = Information::State {
                connection: ConnectionId(parameters.integer("tcpconnectID", 0, 255).ok()?),
                state: meaning(&STATES, parameters.integer("state", 0, 255).ok()?)?,
            };
            // A third field makes it the outcome of a CONNECT.
            parameters.end().ok()?;
            Some(information)
        }
        Request::Read { .. } => {
            let (connection, message_id, rest) = received::read_header(line)?;
            let formats = Formats {
                show_length: true,
                ..formats[connection]
            };
            let (topic, payload) = received::decode(rest, hex_length, formats)?;
            Some(Information::Message {
                connection,
                message_id,
                topic,
                payload,
            })
        }
        Request::QueryUnread => {
            let mut parameters = Parameters::new(strip_name(line, READ)?);
            let connection = ConnectionId(parameters.integer("tcpconnectID", 0, 255).ok()?);
            let mut message_ids = Vec::new();
            while !parameters.is_empty() {
                message_ids.push(parameters.integer("msgID", 0, 65535).ok()?);
            }
            Some(Information::Unread {
                connection,
                message_ids,
            })
        }
        Request::QueryTls { key, .. } => {
            let mut values = answer(line, tls::SSLCFG)?;
            let (context, setting) = tls::decode_answer(*key, &mut values).ok()?;
            Some(Information::TlsSetting { context, setting })
        }
        _ => None,
    }
}

/// What an answer to a command holds.
fn answer<'a>(line: &'a [u8], name: &str) -> Option<Values<'a, 'static>> {
    let spec = COMMANDS.iter().find(|spec| spec.name == name)?;
    Some(spec.values(strip_name(line, name)?, &NT35E.limits))
}
