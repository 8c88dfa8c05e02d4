//! The commands as values: what a module reads, and a host that looks over somebody's shoulder.

use alloc::string::String;
use alloc::vec::Vec;

use super::Qmt;
use super::setting::{self, Setting};
use super::switches::Extended;
use super::table::{CFG, CLOSE, CONN, DISC, OPEN, PORTS, PUBEX, RECV, SUB, UNS, URCCFG};
use crate::Secret;
use crate::at::command::{Command, Form};
use crate::at::parameter::ParameterError;
use crate::dialect::{DecodeError, Dialect as _, Expected, Reported};
use crate::limits::Limits;
use crate::mqtt::{ConnectionId, QoS, TopicFilter};
use crate::spec::{Key, Values};

/// What a host asks of the module.
#[derive(Debug, Clone)]
pub(super) enum Request {
    /// Change a setting.
    Configure {
        connection: ConnectionId,
        setting: Setting,
    },
    /// Ask for one.
    QuerySetting {
        connection: ConnectionId,
        key: &'static Key,
    },
    Open {
        connection: ConnectionId,
        host: String,
        port: u16,
    },
    QueryOpen,
    Close(ConnectionId),
    Connect {
        connection: ConnectionId,
        client_id: String,
        username: Option<String>,
        password: Option<Secret<'static>>,
    },
    QueryState,
    Disconnect(ConnectionId),
    Subscribe {
        connection: ConnectionId,
        message_id: u16,
        filters: Vec<TopicFilter>,
    },
    Unsubscribe {
        connection: ConnectionId,
        message_id: u16,
        filters: Vec<String>,
    },
    Publish(Publish, Payload),
    /// Take a message out of its slot, or all of them.
    Read {
        connection: ConnectionId,
        slot: Option<u8>,
    },
    QueryUnread,
    /// Choose the port of reports, by its place in [`PORTS`]; without one it is asked for.
    Port(Option<usize>),
}

/// A message to publish, without its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Publish {
    pub(super) connection: ConnectionId,
    pub(super) message_id: u16,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    pub(super) topic: String,
    /// By `AT+QMTPUBEX`.
    pub(super) extended: bool,
}

/// How the payload comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Payload {
    /// Behind a prompt, up to Ctrl-Z.
    Ended,
    /// Behind a prompt, so many bytes.
    Counted(usize),
    /// In the command.
    Inline(Vec<u8>),
}

impl Request {
    /// The connection that it is about.
    pub(super) fn connection(&self) -> Option<ConnectionId> {
        match self {
            Self::QueryOpen | Self::QueryState | Self::QueryUnread | Self::Port(_) => None,
            Self::Configure { connection, .. }
            | Self::QuerySetting { connection, .. }
            | Self::Open { connection, .. }
            | Self::Close(connection)
            | Self::Connect { connection, .. }
            | Self::Disconnect(connection)
            | Self::Subscribe { connection, .. }
            | Self::Unsubscribe { connection, .. }
            | Self::Publish(Publish { connection, .. }, _)
            | Self::Read { connection, .. } => Some(*connection),
        }
    }

    /// The report that tells what came of it.
    pub(super) fn expected(&self) -> Option<Expected> {
        let (what, message_id) = match self {
            Self::Open { .. } => (Reported::Opened, None),
            Self::Close(_) => (Reported::Closed, None),
            Self::Connect { .. } => (Reported::Connected, None),
            Self::Disconnect(_) => (Reported::Disconnected, None),
            Self::Subscribe { message_id, .. } => (Reported::Subscribed, Some(*message_id)),
            Self::Unsubscribe { message_id, .. } => (Reported::Unsubscribed, Some(*message_id)),
            Self::Publish(publish, _) => (Reported::Published, Some(publish.message_id)),
            _ => return None,
        };
        Some(Expected {
            what,
            connection: self.connection()?,
            message_id,
        })
    }
}

/// Reads a command of the dialect.
///
/// # Errors
/// What is wrong with it.
pub(super) fn decode(
    command: &Command<'_>,
    dialect: &Qmt,
    limits: &Limits,
) -> Result<Request, DecodeError> {
    let spec = dialect.spec(command.name).ok_or(DecodeError::Form)?;
    let bytes = match command.form {
        Form::Set(bytes) => bytes,
        Form::Read if command.is(OPEN) => return Ok(Request::QueryOpen),
        Form::Read if command.is(CONN) => return Ok(Request::QueryState),
        Form::Read if command.is(RECV) => return Ok(Request::QueryUnread),
        _ => return Err(DecodeError::Form),
    };
    let values = &mut spec.values(bytes, limits);
    let request = decode_values(command, values, dialect, limits)?;
    values.end()?;
    Ok(request)
}

fn decode_values(
    command: &Command<'_>,
    values: &mut Values<'_, '_>,
    dialect: &Qmt,
    limits: &Limits,
) -> Result<Request, ParameterError> {
    if command.is(CFG) {
        return decode_configuration(values, dialect);
    } else if command.is(URCCFG) {
        let name = values.text()?;
        values.known(name.eq_ignore_ascii_case("urcport").then_some(()))?;
        let port = values.optional_text()?;
        let place = |port: &str| {
            PORTS
                .iter()
                .position(|known| known.eq_ignore_ascii_case(port))
        };
        return Ok(Request::Port(match port {
            Some(port) => Some(values.known(place(port))?),
            None => None,
        }));
    }
    let connection = values.integer().map(ConnectionId)?;
    Ok(if command.is(OPEN) {
        Request::Open {
            connection,
            host: values.filled_text()?.into(),
            port: values.integer()?,
        }
    } else if command.is(CLOSE) {
        Request::Close(connection)
    } else if command.is(DISC) {
        Request::Disconnect(connection)
    } else if command.is(CONN) {
        Request::Connect {
            connection,
            client_id: values.text()?.into(),
            username: values.optional_text()?.map(Into::into),
            password: values
                .optional_text()?
                .map(|text| String::from(text).into()),
        }
    } else if command.is(SUB) {
        let (message_id, mut filters) = (values.integer()?, Vec::new());
        while filters.is_empty() || !values.is_empty() {
            let filter = values.filled_text()?.into();
            let qos = decode_qos(values)?;
            filters.push(TopicFilter { filter, qos });
        }
        Request::Subscribe {
            connection,
            message_id,
            filters,
        }
    } else if command.is(UNS) {
        let (message_id, mut filters) = (values.integer()?, Vec::new());
        while filters.is_empty() || !values.is_empty() {
            filters.push(values.filled_text()?.into());
        }
        Request::Unsubscribe {
            connection,
            message_id,
            filters,
        }
    } else if command.is(RECV) {
        let slot = values.optional_integer()?;
        Request::Read { connection, slot }
    } else {
        decode_publish(connection, command.is(PUBEX), values, dialect, limits)?
    })
}

fn decode_configuration(
    values: &mut Values<'_, '_>,
    dialect: &Qmt,
) -> Result<Request, ParameterError> {
    let key = values.key()?;
    values.known(dialect.has_key(key).then_some(()))?;
    let common = setting::is_common(key);
    let connection = match common {
        true => ConnectionId(0),
        false => values.integer().map(ConnectionId)?,
    };
    if values.is_empty() {
        return Ok(Request::QuerySetting { connection, key });
    }
    let setting = match common {
        true => setting::decode_close_time(key, values)?,
        false => setting::decode(key, values)?,
    };
    if let Setting::PdpContext(cid) = setting {
        values.known((cid <= dialect.contexts).then_some(()))?;
    }
    Ok(Request::Configure {
        connection,
        setting,
    })
}

fn decode_publish(
    connection: ConnectionId,
    extended: bool,
    values: &mut Values<'_, '_>,
    dialect: &Qmt,
    limits: &Limits,
) -> Result<Request, ParameterError> {
    let publish = Publish {
        connection,
        message_id: values.integer()?,
        qos: decode_qos(values)?,
        retain: values.flag()?,
        topic: values.filled_text()?.into(),
        extended,
    };
    let payload = match (extended, dialect.publish_extended, values.is_empty()) {
        (false, _, true) if dialect.publish_prompt => Payload::Ended,
        (false, _, false) if dialect.publish_length => match values.integer()? {
            // As the test form has it.
            0usize => return Err(ParameterError::Unknown { name: "msglen" }),
            length => Payload::Counted(length),
        },
        (true, Extended::Length, false) => Payload::Counted(values.integer()?),
        (true, Extended::Inline, false) => {
            Payload::Inline(decode_inline(values, limits.inline_payload)?)
        }
        (.., true) => return Err(ParameterError::Missing { name: "msglen" }),
        _ => return Err(ParameterError::TooMany),
    };
    Ok(Request::Publish(publish, payload))
}

/// It reaches to the end of the line, and must not hold a quote.
fn decode_inline(values: &mut Values<'_, '_>, max: usize) -> Result<Vec<u8>, ParameterError> {
    let name = "msg";
    let given = values.rest().unwrap_or_default().trim_ascii();
    let [b'"', message @ .., b'"'] = given else {
        return Err(ParameterError::Unknown { name });
    };
    let length = message.len();
    if length > max {
        return Err(ParameterError::TooLong { name, length, max });
    }
    match message.contains(&b'"') {
        true => Err(ParameterError::Unknown { name }),
        false => Ok(message.to_vec()),
    }
}

fn decode_qos(values: &mut Values<'_, '_>) -> Result<QoS, ParameterError> {
    let level = values.integer()?;
    values.known(QoS::from_level(level))
}

/// The first command of a line, with or without its carriage return, if it is the dialect's.
pub(super) fn command_in<'l>(line: &'l [u8], dialect: &Qmt) -> Option<Command<'l>> {
    let body = line.get(2..)?;
    let body = body.strip_suffix(b"\r").unwrap_or(body);
    if !body.trim_ascii_start().starts_with(b"+") {
        return None;
    }
    let (command, _) = Command::split_first(body, |name| dialect.owns(name));
    dialect.owns(command.name).then_some(command)
}
