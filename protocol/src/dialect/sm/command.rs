//! Command lines, both ways.
//!
//! | command | source |
//! |---|---|
//! | `AT+SMPUB="<topic>",<len>,<qos>,<retain>`, then `>` and exactly `len` bytes | documented |
//! | `AT+SMSUB="<topic>",<qos>`, `AT+SMUNSUB="<topic>"` | documented |
//! | `AT+SMSSL=<index>,"<ca>","<cert>"` | documented |

use alloc::vec::Vec;

use super::configuration;
use super::request::{Device, Request, Tls};
use super::table::{
    ALIAUTH, ALIDYNA, CONF, CONN, DISC, PUB, PUBHEX, SLEEP, SSL, STATE, SUB, UNSUB,
};
use crate::at::command::{Command, Form, encode_line};
use crate::at::parameter::{ParameterError, ParameterWriter};
use crate::dialect::shared::{carriable, decode_qos, length_in_range, not_empty};
use crate::dialect::{DecodeError, EncodeError};
use crate::limits::Limits;
use crate::spec::{Spec, Values};

/// Where two values stand of which each depends on the other.
const SLEEPS: u8 = 1;
/// The longest secrets, in bytes.
const DEVICE_SECRET: usize = 40;
const PRODUCT_SECRET: usize = 24;

/// Appends the line from `AT` to its carriage return.
///
/// # Errors
/// The module does not take the request, or the command syntax cannot carry it.
pub(super) fn encode(
    request: &Request<'_>,
    limits: &Limits,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let name = name(request);
    let mut values = Vec::new();
    let writer = &mut ParameterWriter::new(&mut values);
    let topic = |field, text| carriable(field, not_empty(field, text)?, limits.topic);
    let form = match request {
        Request::Connect | Request::Disconnect => Form::Execute,
        Request::QueryConfiguration
        | Request::QueryState
        | Request::QueryPublishHex
        | Request::QueryTls
        | Request::QueryAliAuth
        | Request::QueryAliDyna
        | Request::QuerySleep => Form::Read,
        request => {
            match request {
                Request::Configure(setting) => configuration::encode(setting, limits, writer)?,
                Request::Publish {
                    topic: name,
                    length,
                    qos,
                    retain,
                } => {
                    let max = limits.prompt_payload;
                    writer
                        .quoted(topic("the topic", name)?)
                        .integer(length_in_range("the payload", *length, max)?)
                        .integer(qos.level())
                        .flag(*retain);
                }
                Request::Subscribe { filter, qos } => {
                    writer
                        .quoted(topic("the topic filter", filter)?)
                        .integer(qos.level());
                }
                Request::Unsubscribe { filter } => {
                    writer.quoted(topic("the topic filter", filter)?);
                }
                Request::PublishHex(on) => drop(writer.flag(*on)),
                Request::Tls(tls) => {
                    let file = |name| carriable("the file name", name, 20);
                    writer
                        .integer(tls.index)
                        .quoted(file(&tls.ca)?)
                        .quoted(file(&tls.certificate)?);
                }
                Request::AliAuth(device) => encode_device(device, DEVICE_SECRET, writer)?,
                Request::AliDyna(device) => encode_device(device, PRODUCT_SECRET, writer)?,
                Request::Sleep(time) => {
                    writer.flag(time.is_some()).optional_integer(*time);
                }
                _ => {}
            }
            Form::Set(&values)
        }
    };
    encode_line(name, form, out);
    Ok(())
}

fn encode_device(
    device: &Device<'_>,
    longest_secret: usize,
    writer: &mut ParameterWriter<'_>,
) -> Result<(), EncodeError> {
    writer
        .quoted(carriable("the product key", &device.product_key, 20)?)
        .quoted(carriable("the device name", &device.device_name, 32)?)
        .quoted(carriable(
            "the secret",
            device.secret.expose(),
            longest_secret,
        )?);
    Ok(())
}

/// The name of a request's command.
pub(super) fn name(request: &Request<'_>) -> &'static str {
    match request {
        Request::Configure(_) | Request::QueryConfiguration => CONF,
        Request::Connect => CONN,
        Request::Disconnect => DISC,
        Request::QueryState => STATE,
        Request::Publish { .. } => PUB,
        Request::Subscribe { .. } => SUB,
        Request::Unsubscribe { .. } => UNSUB,
        Request::PublishHex(_) | Request::QueryPublishHex => PUBHEX,
        Request::Tls(_) | Request::QueryTls => SSL,
        Request::AliAuth(_) | Request::QueryAliAuth => ALIAUTH,
        Request::AliDyna(_) | Request::QueryAliDyna => ALIDYNA,
        Request::Sleep(_) | Request::QuerySleep => SLEEP,
    }
}

/// Reads a command of the dialect, but for its test form.
pub(super) fn decode<'a>(
    command: &Command<'a>,
    spec: &'static Spec,
    limits: &Limits,
) -> Result<Request<'a>, DecodeError> {
    if !spec.has(command.form) {
        return Err(DecodeError::Form);
    }
    Ok(match (command.form, spec.name) {
        (Form::Set(bytes), name) => {
            let mut values = spec.values(bytes, limits);
            let request = decode_values(name, &mut values)?;
            values.end()?;
            request
        }
        (Form::Execute, CONN) => Request::Connect,
        (Form::Execute, _) => Request::Disconnect,
        (_, CONF) => Request::QueryConfiguration,
        (_, STATE) => Request::QueryState,
        (_, PUBHEX) => Request::QueryPublishHex,
        (_, SSL) => Request::QueryTls,
        (_, ALIAUTH) => Request::QueryAliAuth,
        (_, ALIDYNA) => Request::QueryAliDyna,
        (_, _) => Request::QuerySleep,
    })
}

fn decode_values<'a>(
    name: &str,
    values: &mut Values<'a, '_>,
) -> Result<Request<'a>, ParameterError> {
    Ok(match name {
        CONF => Request::Configure(configuration::decode(values)?),
        PUB => Request::Publish {
            topic: values.filled_text()?.into(),
            length: values.integer()?,
            qos: decode_qos(values)?,
            retain: values.flag()?,
        },
        SUB => Request::Subscribe {
            filter: values.filled_text()?.into(),
            qos: decode_qos(values)?,
        },
        UNSUB => Request::Unsubscribe {
            filter: values.filled_text()?.into(),
        },
        PUBHEX => Request::PublishHex(values.flag()?),
        SSL => Request::Tls(Tls {
            index: values.integer()?,
            ca: values.optional_text()?.unwrap_or_default().into(),
            certificate: values.optional_text()?.unwrap_or_default().into(),
        }),
        ALIAUTH => Request::AliAuth(decode_device(values, DEVICE_SECRET)?),
        ALIDYNA => Request::AliDyna(decode_device(values, PRODUCT_SECRET)?),
        _ => Request::Sleep(match values.integer::<u8>()? {
            SLEEPS => Some(values.integer()?),
            _ => None,
        }),
    })
}

fn decode_device<'a>(
    values: &mut Values<'a, '_>,
    longest_secret: usize,
) -> Result<Device<'a>, ParameterError> {
    let (product_key, device_name) = (values.text()?.into(), values.text()?.into());
    let secret = values.text()?;
    let length = secret.len();
    if length > longest_secret {
        return Err(ParameterError::TooLong {
            name: "secret",
            length,
            max: longest_secret,
        });
    }
    Ok(Device {
        product_key,
        device_name,
        secret: secret.into(),
    })
}
