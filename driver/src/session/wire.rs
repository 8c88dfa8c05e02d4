use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

use atmq_protocol::at::command;
use atmq_protocol::dialect::{Context, Dialect, EncodeError};
use atmq_protocol::limits::Limits;
use atmq_protocol::mqtt::{FormatTable, PublishPayload, QoS, Request};
use atmq_protocol::redact::secrets;
use atmq_protocol::standard::StandardRequest;

use super::command::{Command, Publish, RawCommand, Upload, name};
use crate::error::RequestError;

/// How long a raw command may take that neither the dialect nor [`StandardRequest`] knows. Ours:
/// longer than all that the references name but searches of the network, which a caller gives
/// their own limit.
const RAW_LIMIT: Duration = Duration::from_secs(60);

/// A command that has been written down and can be sent.
pub(super) struct Prepared {
    pub(super) kind: Kind,
    /// The line with its carriage return.
    pub(super) line: Vec<u8>,
    /// Where passwords stand in the line.
    pub(super) secrets: Vec<Range<usize>>,
    /// What follows the prompt.
    pub(super) data: Option<Vec<u8>>,
    /// Whether a result URC belongs to the exchange.
    pub(super) reported: bool,
    /// Whether the session asks by itself, for the sake of the module's cache.
    pub(super) own: bool,
    pub(super) limit: Duration,
}

impl Prepared {
    /// What the command is called in errors and logs: the line without its parameters, where
    /// passwords stand.
    pub(super) fn name(&self) -> String {
        match &self.kind {
            Kind::Standard(request) if request.secret().is_some() => name(&self.line),
            Kind::Standard(_) => String::from_utf8_lossy(self.line.trim_ascii_end()).into_owned(),
            Kind::Mqtt(request) => name_of_request(request, &self.line),
            Kind::Raw => name(&self.line),
        }
    }
}

/// By what an exchange recognises its answers.
pub(super) enum Kind {
    Standard(StandardRequest),
    Mqtt(Request<'static>),
    Raw,
}

/// What the wire form of a command depends on.
pub(super) struct Wire {
    pub(super) dialect: &'static dyn Dialect,
    pub(super) limits: Limits,
    pub(super) formats: FormatTable,
}

impl Wire {
    pub(super) fn context(&self) -> Context<'_> {
        Context {
            limits: &self.limits,
            formats: &self.formats,
        }
    }

    pub(super) fn prepare(&self, command: Command) -> Result<Prepared, RequestError> {
        match command {
            Command::Standard(request) => {
                let mut line = Vec::new();
                request.encode(&mut line);
                Ok(Prepared {
                    kind: Kind::Standard(request),
                    secrets: secrets(&line),
                    line,
                    data: None,
                    reported: false,
                    own: false,
                    limit: request.limit(),
                })
            }
            Command::Mqtt(request) => self.mqtt(request, None),
            Command::Publish(publish) => self.publish(publish),
            Command::Upload(Upload { name, bytes }) => {
                let request = Request::Upload {
                    name: name.into(),
                    length: bytes.len(),
                    timeout_seconds: None,
                };
                self.mqtt(request, Some(bytes))
            }
            Command::Raw(raw) => self.raw(raw),
        }
    }

    fn publish(&self, publish: Publish) -> Result<Prepared, RequestError> {
        let Publish {
            connection,
            message_id,
            qos,
            retain,
            topic,
            payload,
        } = publish;
        if (qos == QoS::AtMostOnce) != (message_id == 0) {
            return Err(RequestError::MessageId { qos, message_id });
        }
        let formats = self.formats[connection];
        let borrowed = Cow::Borrowed(&payload[..]);
        let way = self
            .dialect
            .publish_payload(formats, &self.limits, borrowed)?;
        let prompted = match way {
            PublishPayload::Inline(_) => None,
            PublishPayload::Prompted(length) => Some(length),
        };
        let (payload, data) = match prompted {
            None => (PublishPayload::Inline(Cow::Owned(payload)), None),
            Some(length) => {
                let data = formats.send.encode(Cow::Owned(payload)).into_owned();
                (PublishPayload::Prompted(length), Some(data))
            }
        };
        let request = Request::Publish {
            connection,
            message_id,
            qos,
            retain,
            topic: topic.into(),
            payload,
        };
        self.mqtt(request, data)
    }

    fn mqtt(
        &self,
        mut request: Request<'static>,
        data: Option<Vec<u8>>,
    ) -> Result<Prepared, RequestError> {
        self.check_prompt(&request, data.as_deref())?;
        let mut line = Vec::with_capacity(length_about(&request));
        self.dialect
            .encode_request(&request, self.context(), &mut line)?;
        self.check_length(line.len() - 1)?;
        let exchange = self.dialect.exchange(&request);
        let secrets = if let Request::Publish { payload, .. } = &mut request {
            // It stands in the line; what answers the request does not depend on it.
            *payload = PublishPayload::Prompted(0);
            Vec::new()
        } else {
            secrets(&line)
        };
        Ok(Prepared {
            kind: Kind::Mqtt(request),
            line,
            secrets,
            data,
            reported: exchange.reported,
            own: false,
            limit: exchange.limit,
        })
    }

    fn raw(&self, raw: RawCommand) -> Result<Prepared, RequestError> {
        let RawCommand {
            mut line,
            data,
            reported,
        } = raw;
        if let Some(at) = line.iter().position(u8::is_ascii_control) {
            return Err(RequestError::ControlCharacter { byte: line[at], at });
        }
        if !line
            .get(..2)
            .is_some_and(|at| at.eq_ignore_ascii_case(b"AT"))
        {
            return Err(RequestError::NotACommand);
        }
        self.check_length(line.len())?;
        let (answered, limit) = match self.request_in(&line) {
            Some(request) => {
                self.check_prompt(&request, data.as_deref())?;
                let exchange = self.dialect.exchange(&request);
                (reported && exchange.reported, exchange.limit)
            }
            None => {
                let (first, _) = command::Command::split_first(&line[2..], |_| false);
                let known = StandardRequest::decode(&first).and_then(Result::ok);
                (false, known.map_or(RAW_LIMIT, StandardRequest::limit))
            }
        };
        line.push(b'\r');
        Ok(Prepared {
            kind: Kind::Raw,
            secrets: secrets(&line),
            line,
            data,
            reported: answered,
            own: false,
            limit,
        })
    }

    /// The request that a raw line makes, if the dialect knows it.
    pub(super) fn request_in<'l>(&self, line: &'l [u8]) -> Option<Request<'l>> {
        let body = line.get(2..)?;
        let body = body.strip_suffix(b"\r").unwrap_or(body);
        let (command, _) = command::Command::split_first(body, |name| self.dialect.owns(name));
        if !self.dialect.owns(command.name) {
            return None;
        }
        self.dialect.decode_request(&command, self.context()).ok()
    }

    /// What stands behind the prompt must have the announced length: one byte more would be read
    /// as a command, one less would leave the module waiting. Nor may it end the input early.
    fn check_prompt(&self, request: &Request<'_>, data: Option<&[u8]>) -> Result<(), RequestError> {
        let (announced, prompted) = match request {
            Request::Publish {
                payload: PublishPayload::Prompted(length),
                ..
            }
            | Request::PublishExtended { length, .. } => (Some(*length), true),
            Request::Upload { length, .. } => (Some(*length), false),
            _ => (None, false),
        };
        let given = data.map(<[u8]>::len);
        if announced != given {
            return Err(RequestError::DataLength { announced, given });
        }
        match data {
            Some(data) if prompted => Ok(self.limits.check_prompt_data(data)?),
            _ => Ok(()),
        }
    }

    /// `length`: the line's bytes with `AT`, without the carriage return.
    fn check_length(&self, length: usize) -> Result<(), RequestError> {
        let (length, max) = (length - 2, self.limits.command_line);
        if length > max {
            let field = "the command line";
            return Err(EncodeError::TooLong { field, length, max }.into());
        }
        Ok(())
    }
}

/// How long the line will be, near enough for it not to be copied while it is written.
fn length_about(request: &Request<'_>) -> usize {
    let variable = match request {
        Request::Publish { topic, payload, .. } => match payload {
            // Two digits a byte, if it must be.
            PublishPayload::Inline(payload) => topic.len() + 2 * payload.len(),
            PublishPayload::Prompted(_) => topic.len(),
        },
        _ => 32,
    };
    64 + variable
}

/// One command serves all settings: its first parameter tells which was meant.
fn name_of_request(request: &Request<'_>, line: &[u8]) -> String {
    let name = name(line);
    let key = match request {
        Request::Configure { .. } | Request::QuerySetting { .. } => {
            line.split(|byte| *byte == b'"').nth(1)
        }
        _ => None,
    };
    match key {
        Some(key) => format!("{name}=\"{}\"", key.escape_ascii()),
        None => name,
    }
}
