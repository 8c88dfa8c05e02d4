//! The commands, read. One that has its topic on the line is told from the others by the quote.

use super::table::{
    ACCQ, CFG, CONNECT, DISC, ONE_LINE_TOPIC, PAYLOAD, PUB, REL, SSLCFG, START, STOP, SUB,
    SUBTOPIC, TOPIC, UNSUB, UNSUBTOPIC, WILLMSG, WILLTOPIC,
};
use super::{Cmqtt, Family};
use crate::at::command::{Command, Form};
use crate::at::parameter::{Parameter, ParameterError, Parameters};
use crate::dialect::{DecodeError, Dialect};
use crate::limits::Limits;
use crate::mqtt::{ConnectionId, QoS, Version};
use crate::spec::Values;

/// What a command asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request<'a> {
    Start {
        cid: Option<u8>,
    },
    Stop,
    Acquire {
        client_id: &'a str,
        secured: bool,
        version: Option<Version>,
    },
    Release,
    UseContext(u8),
    /// So many bytes follow behind the prompt.
    Take(Taken, usize),
    Connect {
        url: &'a str,
        keep_alive: u16,
        clean_session: bool,
        username: Option<&'a str>,
        password: Option<&'a str>,
    },
    Disconnect,
    Publish {
        qos: QoS,
        retain: bool,
    },
    /// The message has its topic on the line, and so many bytes of payload behind the prompt.
    PublishTo {
        topic: &'a str,
        qos: QoS,
        retain: bool,
        length: usize,
    },
    /// To what was collected.
    Subscribe,
    SubscribeTo {
        topic: &'a str,
        qos: QoS,
    },
    Unsubscribe,
    UnsubscribeFrom {
        topic: &'a str,
    },
    Configure(Setting<'a>),
    /// The read form of the command of this name.
    Query(&'static str),
}

/// What bytes behind a prompt are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    WillTopic,
    WillMessage(QoS),
    Topic,
    Payload,
    /// To be collected.
    Filter(QoS),
    UnwantedFilter,
    /// To be subscribed to at once.
    OneFilter(QoS),
    OneUnwantedFilter,
}

/// A value of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setting<'a> {
    CheckUtf8(bool),
    OperationTimeout(u8),
    Device {
        product_key: &'a str,
        name: &'a str,
        secret: &'a str,
    },
    Version(Version),
    /// Commands have their topic on the line, and perhaps messages their length.
    OneLine {
        on: bool,
        length: bool,
    },
    /// The packet data context of both clients; none is asked for it.
    Context(Option<u8>),
    ContextOfOne(Option<u8>),
}

impl Request<'_> {
    /// Whether it is about a client that must have been acquired.
    pub(super) const fn needs_client(&self) -> bool {
        !matches!(
            self,
            Self::Start { .. }
                | Self::Stop
                | Self::Acquire { .. }
                | Self::Release
                | Self::UseContext(_)
                | Self::Query(_)
                | Self::Configure(Setting::Context(_))
        )
    }
}

/// Reads a command of the dialect: which client it is about, and what it asks for.
pub(super) fn decode<'a>(
    dialect: &Cmqtt,
    command: &Command<'a>,
    limits: &Limits,
) -> Result<(ConnectionId, Request<'a>), DecodeError> {
    let first = ConnectionId(0);
    let spec = dialect.spec(command.name).ok_or(DecodeError::Form)?;
    let bytes = match command.form {
        Form::Set(bytes) => bytes,
        Form::Execute if spec.name == START => return Ok((first, Request::Start { cid: None })),
        Form::Execute if spec.name == STOP => return Ok((first, Request::Stop)),
        Form::Read if dialect.reads(spec) => return Ok((first, Request::Query(spec.name))),
        _ => return Err(DecodeError::Form),
    };
    let values = &mut spec.values(bytes, limits);
    match spec.name {
        START if dialect.family == Family::Sim767x => {
            let cid = Some(values.integer()?);
            values.end()?;
            return Ok((first, Request::Start { cid }));
        }
        START => return Err(DecodeError::Form),
        CFG => {
            let configured = configure(dialect, values)?;
            values.end()?;
            return Ok(configured);
        }
        _ => {}
    }
    let id = values.integer().map(ConnectionId)?;
    let request = match spec.name {
        SUB | UNSUB | PUB => {
            let rest = values.rest();
            let mut values = Parameters::new(rest.unwrap_or_default());
            let request = match spec.name {
                _ if rest.is_none() && !dialect.collects() => {
                    Err(ParameterError::Missing { name: "req_length" })
                }
                SUB if rest.is_none() => Ok(Request::Subscribe),
                UNSUB if rest.is_none() => Ok(Request::Unsubscribe),
                SUB => subscribe(dialect, &mut values, limits),
                UNSUB => unsubscribe(dialect, &mut values, limits),
                _ => publish(dialect, &mut values, limits),
            }?;
            values.end()?;
            request
        }
        name => {
            let request = of_client(dialect, name, values)?;
            values.end()?;
            request
        }
    };
    Ok((id, request))
}

fn of_client<'a>(
    dialect: &Cmqtt,
    name: &str,
    values: &mut Values<'a, '_>,
) -> Result<Request<'a>, ParameterError> {
    Ok(match name {
        ACCQ => Request::Acquire {
            client_id: values.filled_text()?,
            secured: values.optional_integer::<u8>()? == Some(1),
            version: match values.optional_integer()? {
                None => None,
                Some(level) if dialect.family == Family::Sim76xx => Some(version(level)),
                Some(_) => return Err(ParameterError::TooMany),
            },
        },
        REL => Request::Release,
        SSLCFG => Request::UseContext(values.integer()?),
        WILLTOPIC => Request::Take(Taken::WillTopic, values.integer()?),
        WILLMSG => {
            let length = values.integer()?;
            Request::Take(Taken::WillMessage(listed_qos(values)?), length)
        }
        CONNECT => Request::Connect {
            url: values.filled_text()?,
            keep_alive: values.integer()?,
            clean_session: values.flag()?,
            username: values.optional_text()?,
            password: values.optional_text()?,
        },
        DISC => {
            let seconds: u16 = values.integer_up_to(u16::MAX.into())?;
            if seconds != 0 {
                dialect.check_timeout(seconds, dialect.shortest_timeout())?;
            }
            Request::Disconnect
        }
        TOPIC => Request::Take(Taken::Topic, values.integer()?),
        PAYLOAD => {
            let length: usize = values.integer()?;
            let length = (length > 0).then_some(length);
            Request::Take(Taken::Payload, values.known(length)?)
        }
        SUBTOPIC => {
            let length = values.integer()?;
            Request::Take(Taken::Filter(listed_qos(values)?), length)
        }
        UNSUBTOPIC => Request::Take(Taken::UnwantedFilter, values.integer()?),
        _ => return Err(ParameterError::Unknown { name: "command" }),
    })
}

/// `AT+CMQTTSUB=i[,dup]`, `AT+CMQTTSUB=i,len,qos[,dup]`, `AT+CMQTTSUB=i,"topic",qos`
fn subscribe<'a>(
    dialect: &Cmqtt,
    values: &mut Parameters<'a>,
    limits: &Limits,
) -> Result<Request<'a>, ParameterError> {
    if is_one_line(dialect, values) {
        return Ok(Request::SubscribeTo {
            topic: topic(values)?,
            qos: qos(values)?,
        });
    }
    if dialect.collects() && values.clone().count() == 1 {
        values.flag("dup")?;
        return Ok(Request::Subscribe);
    }
    let length = values.integer("req_length", 1, limits.topic as i64)?;
    let taken = Taken::OneFilter(qos(values)?);
    optional_flag(values, "dup")?;
    Ok(Request::Take(taken, length))
}

/// `AT+CMQTTUNSUB=i,dup`, `AT+CMQTTUNSUB=i,len,dup`, `AT+CMQTTUNSUB=i,"topic"[,dup]`
fn unsubscribe<'a>(
    dialect: &Cmqtt,
    values: &mut Parameters<'a>,
    limits: &Limits,
) -> Result<Request<'a>, ParameterError> {
    if is_one_line(dialect, values) {
        let topic = topic(values)?;
        optional_flag(values, "dup")?;
        return Ok(Request::UnsubscribeFrom { topic });
    }
    if dialect.collects() && values.clone().count() == 1 {
        values.flag("dup")?;
        return Ok(Request::Unsubscribe);
    }
    let length = values.integer("req_length", 1, limits.topic as i64)?;
    optional_flag(values, "dup")?;
    Ok(Request::Take(Taken::OneUnwantedFilter, length))
}

/// `AT+CMQTTPUB=i,qos,timeout[,retain[,dup]]`, `AT+CMQTTPUB=i,"topic",qos,len[,retain]`
fn publish<'a>(
    dialect: &Cmqtt,
    values: &mut Parameters<'a>,
    limits: &Limits,
) -> Result<Request<'a>, ParameterError> {
    if is_one_line(dialect, values) {
        return Ok(Request::PublishTo {
            topic: topic(values)?,
            qos: qos(values)?,
            length: values.integer("msg_length", 1, limits.prompt_payload as i64)?,
            retain: optional_flag(values, "retained")?,
        });
    }
    let qos = qos(values)?;
    let seconds = values.integer("pub_timeout", 0, u16::MAX.into())?;
    dialect.check_timeout(seconds, dialect.shortest_timeout())?;
    let retain = optional_flag(values, "retained")?;
    optional_flag(values, "dup")?;
    Ok(Request::Publish { qos, retain })
}

fn is_one_line(dialect: &Cmqtt, values: &Parameters<'_>) -> bool {
    dialect.has_one_line() && matches!(values.clone().next(), Some(Parameter::Quoted(_)))
}

fn configure<'a>(
    dialect: &Cmqtt,
    values: &mut Values<'a, '_>,
) -> Result<(ConnectionId, Request<'a>), ParameterError> {
    let key = values.key()?;
    values.known(dialect.has_key(key).then_some(()))?;
    if key.name == "cid" {
        let setting = Setting::Context(values.optional_integer()?);
        return Ok((ConnectionId(0), Request::Configure(setting)));
    }
    // `"scid"` alone asks for the contexts of both.
    if key.name == "scid" && values.is_empty() {
        return Ok((ConnectionId(0), Request::Query("scid")));
    }
    let id = values.integer().map(ConnectionId)?;
    let setting = match key.name {
        "checkUTF8" => Setting::CheckUtf8(values.flag()?),
        "optimeout" => Setting::OperationTimeout(values.integer()?),
        "aliauth" => Setting::Device {
            product_key: values.filled_text()?,
            name: values.filled_text()?,
            secret: values.filled_text()?,
        },
        "version" => Setting::Version(version(values.integer()?)),
        "argtopic" => Setting::OneLine {
            on: values.flag()?,
            length: values.optional_integer::<u8>()? == Some(1),
        },
        _ => Setting::ContextOfOne(values.optional_integer()?),
    };
    Ok((id, Request::Configure(setting)))
}

fn topic<'a>(values: &mut Parameters<'a>) -> Result<&'a str, ParameterError> {
    match values.text("topic", ONE_LINE_TOPIC)? {
        "" => Err(ParameterError::Empty { name: "topic" }),
        text => Ok(text),
    }
}

fn qos(values: &mut Parameters<'_>) -> Result<QoS, ParameterError> {
    let level = values.integer("qos", 0, 2)?;
    QoS::from_level(level).ok_or(ParameterError::Unknown { name: "qos" })
}

fn optional_flag(values: &mut Parameters<'_>, name: &'static str) -> Result<bool, ParameterError> {
    Ok(values.optional_integer::<u8>(name, 0, 1)? == Some(1))
}

/// The quality of service that the table has next.
fn listed_qos(values: &mut Values<'_, '_>) -> Result<QoS, ParameterError> {
    let level = values.integer()?;
    values.known(QoS::from_level(level))
}

fn version(level: u8) -> Version {
    match level {
        3 => Version::V3_1,
        _ => Version::V3_1_1,
    }
}
