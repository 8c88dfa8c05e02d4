//! The commands, both ways.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::table::COMMANDS;
use super::{Context, HexLength, Request, config, publish, tls};
use crate::at::command::{Command, Form, encode_line};
use crate::at::parameter::{Parameter, ParameterError, ParameterWriter};
use crate::dialect::DecodeError;
use crate::dialect::EncodeError;
use crate::dialect::shared::{carriable, decode_qos, in_range, not_empty};
use crate::mqtt::{ConnectionId, TopicFilter};
use crate::spec::Values;

pub(super) const CFG: &str = "+LMQTTCFG";
pub(super) const OPEN: &str = "+LMQTTOPEN";
pub(super) const CLOSE: &str = "+LMQTTCLOSE";
pub(super) const CONN: &str = "+LMQTTCONN";
pub(super) const DISC: &str = "+LMQTTDISC";
pub(super) const SUBUNSUB: &str = "+LMQTTSUBUNSUB";
pub(super) const PUB: &str = "+LMQTTPUB";
pub(super) const PUBEX: &str = "+LMQTTPUBEX";
pub(super) const READ: &str = "+LMQTTREAD";

/// `<subflag>`
const SUBSCRIBE: u8 = 0;
const UNSUBSCRIBE: u8 = 1;

/// The command of a request, and whether it is its read form.
pub(super) fn called(request: &Request<'_>) -> (&'static str, bool) {
    let name = match request {
        Request::QueryOpen => return (OPEN, true),
        Request::QueryState => return (CONN, true),
        Request::QueryUnread => return (READ, true),
        Request::Configure { .. } | Request::QuerySetting { .. } => CFG,
        Request::Open { .. } => OPEN,
        Request::Close { .. } => CLOSE,
        Request::Connect { .. } => CONN,
        Request::Disconnect { .. } => DISC,
        Request::Subscribe { .. } | Request::Unsubscribe { .. } => SUBUNSUB,
        Request::Publish { extended: true, .. } => PUBEX,
        Request::Publish { .. } => PUB,
        Request::Read { .. } => READ,
        Request::ConfigureTls { .. } | Request::QueryTls { .. } => tls::SSLCFG,
        Request::Upload { .. } => tls::FUPL,
    };
    (name, false)
}

pub(super) fn encode(
    request: &Request<'_>,
    hex_length: HexLength,
    context: Context<'_>,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let limits = context.limits;
    let (name, is_read) = called(request);
    if is_read {
        encode_line(name, Form::Read, out);
        return Ok(());
    }
    if let Some(ConnectionId(id)) = request.connection()
        && id >= limits.connections
    {
        return Err(EncodeError::OutOfRange {
            field: "the connection id",
            value: id.into(),
            min: 0,
            max: i64::from(limits.connections) - 1,
        });
    }
    out.extend_from_slice(b"AT");
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
    let mut writer = ParameterWriter::new(out);
    match request {
        Request::QueryOpen | Request::QueryState | Request::QueryUnread => {}
        Request::Configure {
            connection,
            setting,
        } => config::encode(*connection, setting, limits, &mut writer)?,
        Request::QuerySetting { connection, key } => {
            writer.quoted(config::name(*key)).integer(connection.0);
        }
        Request::Open {
            connection,
            host,
            port,
        } => {
            let host = not_empty("the host", host)?;
            writer
                .integer(connection.0)
                .quoted(carriable("the host", host, limits.host)?)
                .integer(in_range("the port", *port, 1, u16::MAX)?);
        }
        Request::Close { connection } | Request::Disconnect { connection } => {
            writer.integer(connection.0);
        }
        Request::Connect {
            connection,
            client_id,
            username,
            password,
        } => {
            writer.integer(connection.0);
            writer.quoted(carriable("the client id", client_id, limits.client_id)?);
            if let Some(username) = username {
                writer.quoted(carriable("the user name", username, limits.username)?);
            }
            if let Some(password) = password {
                if username.is_none() {
                    return Err(EncodeError::Contradiction(
                        "there is a password without a user name",
                    ));
                }
                let password = password.expose();
                writer.quoted(carriable("the password", password, limits.password)?);
            }
        }
        Request::Subscribe {
            connection,
            message_id,
            filters,
        } => {
            writer
                .integer(connection.0)
                .integer(SUBSCRIBE)
                .integer(*message_id);
            for TopicFilter { filter, qos } in filters {
                let filter = not_empty("the topic filter", filter)?;
                writer
                    .quoted(carriable("the topic filter", filter, limits.topic)?)
                    .integer(qos.level());
            }
        }
        Request::Unsubscribe {
            connection,
            message_id,
            filters,
        } => {
            writer
                .integer(connection.0)
                .integer(UNSUBSCRIBE)
                .integer(*message_id);
            for filter in filters {
                let filter = not_empty("the topic filter", filter)?;
                // The quality of service is still written, and ignored.
                writer
                    .quoted(carriable("the topic filter", filter, limits.topic)?)
                    .integer(0);
            }
        }
        Request::Publish { .. } => {
            publish::encode(request, hex_length, context, &mut writer)?;
        }
        Request::Read {
            connection,
            message_id,
        } => {
            writer.integer(connection.0).integer(*message_id);
        }
        Request::ConfigureTls { .. } | Request::QueryTls { .. } | Request::Upload { .. } => {
            tls::encode(request, &mut writer)?;
        }
    }
    out.push(b'\r');
    Ok(())
}

pub(super) fn decode<'a>(
    command: &Command<'a>,
    hex_length: HexLength,
    context: Context<'_>,
) -> Result<Request<'a>, DecodeError> {
    let bytes = match command.form {
        Form::Set(bytes) => bytes,
        Form::Read if command.is(OPEN) => return Ok(Request::QueryOpen),
        Form::Read if command.is(CONN) => return Ok(Request::QueryState),
        Form::Read if command.is(READ) => return Ok(Request::QueryUnread),
        _ => return Err(DecodeError::Form),
    };
    let spec = COMMANDS.iter().find(|spec| spec.is(command.name));
    let values = &mut spec.ok_or(DecodeError::Form)?.values(bytes, context.limits);
    let request = decode_values(command, values, hex_length, context)?;
    values.end()?;
    Ok(request)
}

fn decode_values<'a>(
    command: &Command<'a>,
    values: &mut Values<'a, '_>,
    hex_length: HexLength,
    context: Context<'_>,
) -> Result<Request<'a>, ParameterError> {
    if command.is(CFG) {
        return config::decode(values);
    } else if command.is(tls::SSLCFG) {
        return tls::decode(values);
    } else if command.is(tls::FUPL) {
        return tls::decode_upload(values);
    }
    let connection = values.integer().map(ConnectionId)?;
    Ok(if command.is(OPEN) {
        Request::Open {
            connection,
            host: values.filled_text()?.into(),
            port: values.integer()?,
        }
    } else if command.is(CLOSE) {
        Request::Close { connection }
    } else if command.is(DISC) {
        Request::Disconnect { connection }
    } else if command.is(CONN) {
        Request::Connect {
            connection,
            client_id: values.optional_text()?.unwrap_or_default().into(),
            username: values.optional_text()?.map(Cow::Borrowed),
            password: values.optional_text()?.map(Into::into),
        }
    } else if command.is(SUBUNSUB) {
        decode_subscription(connection, values)?
    } else if command.is(READ) {
        Request::Read {
            connection,
            message_id: message_id(values)?,
        }
    } else {
        publish::decode(connection, command.is(PUBEX), values, hex_length, context)?
    })
}

fn decode_subscription<'a>(
    connection: ConnectionId,
    values: &mut Values<'a, '_>,
) -> Result<Request<'a>, ParameterError> {
    let flag: u8 = values.integer()?;
    let message_id = message_id(values)?;
    if flag == SUBSCRIBE {
        let mut filters = Vec::new();
        while filters.is_empty() || !values.is_empty() {
            filters.push(TopicFilter {
                filter: values.filled_text()?.into(),
                qos: decode_qos(values)?,
            });
        }
        return Ok(Request::Subscribe {
            connection,
            message_id,
            filters,
        });
    }
    let mut filters = Vec::new();
    while filters.is_empty() || !values.is_empty() {
        filters.push(values.filled_text()?.into());
        // The quality of service may be there, and means nothing.
        match values.ahead().next() {
            Some(Parameter::Quoted(_)) => values.pass(),
            _ => drop(values.optional_integer::<u8>()?),
        }
    }
    Ok(Request::Unsubscribe {
        connection,
        message_id,
        filters,
    })
}

/// By the manual from 1 on; 0 is taken too.
pub(super) fn message_id(values: &mut Values<'_, '_>) -> Result<u16, ParameterError> {
    values.integer_up_to(u16::MAX.into())
}
