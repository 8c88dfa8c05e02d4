use std::ops::Range;
use std::time::Duration;

use atmq_protocol::at::command;
use atmq_protocol::at::framing::{CTRL_Z, DataEnd};
use atmq_protocol::dialect::{Data, EncodeError, Expected, Host, Model, Plan, Step};
use atmq_protocol::limits::Limits;
use atmq_protocol::mqtt::{ConnectionId, Intent, Operation, QoS};
use atmq_protocol::redact::secrets;
use atmq_protocol::standard::StandardRequest;

use super::command::{Command, ExchangeId, RawCommand, name};
use crate::error::RequestError;

/// How long a raw command may take that neither the dialect nor [`StandardRequest`] knows. Ours:
/// longer than all that the references name but searches of the network, which a caller gives
/// their own limit.
const RAW_LIMIT: Duration = Duration::from_secs(60);

/// A command that has been written down and can be sent.
pub(super) struct Prepared {
    pub(super) id: ExchangeId,
    pub(super) kind: Kind,
    /// The line with its carriage return.
    pub(super) line: Vec<u8>,
    /// Where passwords stand in the line.
    pub(super) secrets: Vec<Range<usize>>,
    /// What follows when the module asks for it.
    pub(super) data: Option<Data>,
    /// The report that tells what came of it.
    pub(super) report: Option<Expected>,
    /// Whether the report belongs to the exchange.
    pub(super) reported: bool,
    /// How long it may still follow an error.
    pub(super) report_after_error: Duration,
    /// The connection without whose link it cannot be carried out.
    pub(super) link: Option<ConnectionId>,
    /// Whether the session asks by itself, for the sake of the module's cache.
    pub(super) own: bool,
    pub(super) limit: Duration,
}

impl Prepared {
    fn new(kind: Kind, line: Vec<u8>, limit: Duration) -> Self {
        Self {
            id: ExchangeId::default(),
            kind,
            secrets: secrets(&line),
            line,
            data: None,
            report: None,
            reported: false,
            report_after_error: Duration::ZERO,
            link: None,
            own: false,
            limit,
        }
    }

    /// What the command is called in errors and logs: the line without its parameters, where
    /// passwords stand.
    pub(super) fn name(&self) -> String {
        match &self.kind {
            Kind::Standard(_) if secrets(&self.line).is_empty() => {
                String::from_utf8_lossy(self.line.trim_ascii_end()).into_owned()
            }
            Kind::Step { name } => {
                String::from_utf8_lossy(self.line[..*name].trim_ascii_end()).into_owned()
            }
            Kind::Standard(_) | Kind::Raw { .. } => name(&self.line),
        }
    }
}

impl From<Step> for Prepared {
    fn from(step: Step) -> Self {
        let Step {
            line,
            name,
            secrets,
            data,
            report,
            link,
            limit,
            report_after_error,
            ..
        } = step;
        Self {
            id: ExchangeId::default(),
            kind: Kind::Step { name },
            line,
            secrets,
            data,
            reported: report.is_some(),
            report,
            report_after_error,
            link,
            own: false,
            limit,
        }
    }
}

/// By what an exchange recognises its answers.
pub(super) enum Kind {
    Standard(StandardRequest),
    /// So many bytes of the line name it.
    Step {
        name: usize,
    },
    /// `known`: whether it is one of the dialect's.
    Raw {
        known: bool,
    },
}

/// What the wire form of a command depends on.
pub(super) struct Wire {
    pub(super) host: Box<dyn Host>,
    pub(super) limits: Limits,
    /// The name of the host's dialect.
    dialect: &'static str,
}

impl Wire {
    pub(super) fn new(model: &Model) -> Self {
        Self {
            host: model.dialect.host(&model.limits),
            limits: model.limits.clone(),
            dialect: model.dialect.name(),
        }
    }

    /// The module turns out to be of this model. What it was told stays known, unless that was in
    /// another language.
    pub(super) fn set_model(&mut self, model: &Model) {
        if self.dialect == model.dialect.name() {
            self.host.set_limits(&model.limits);
            self.limits = model.limits.clone();
        } else {
            *self = Self::new(model);
        }
    }

    pub(super) fn plan(&mut self, operation: Operation) -> Result<Plan, RequestError> {
        if let Operation::Publish(publish) = &operation
            && (publish.qos == QoS::AtMostOnce) != (publish.message_id == 0)
        {
            let (qos, message_id) = (publish.qos, publish.message_id);
            return Err(RequestError::MessageId { qos, message_id });
        }
        Ok(self.host.perform(operation)?)
    }

    pub(super) fn prepare(&self, command: Command) -> Result<Prepared, RequestError> {
        match command {
            Command::Standard(request) => {
                let mut line = Vec::new();
                request.encode(&mut line);
                let kind = Kind::Standard(request);
                Ok(Prepared::new(kind, line, request.limit()))
            }
            Command::Step(step) => Ok((*step).into()),
            Command::Raw(raw) => self.raw(raw),
        }
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
        // Without `AT`.
        let (length, max) = (line.len() - 2, self.limits.command_line);
        if length > max {
            let field = "the command line";
            return Err(EncodeError::TooLong { field, length, max }.into());
        }
        let commanded = self.host.command(&line);
        let limit = match &commanded {
            Some(commanded) => commanded.limit,
            None => {
                let (first, _) = command::Command::split_first(&line[2..], |_| false);
                let known = StandardRequest::decode(&first).and_then(Result::ok);
                known.map_or(RAW_LIMIT, StandardRequest::limit)
            }
        };
        line.push(b'\r');
        let known = commanded.is_some();
        let mut prepared = Prepared::new(Kind::Raw { known }, line, limit);
        let Some(commanded) = commanded else {
            return match data {
                None => Ok(prepared),
                Some(data) => Err(RequestError::DataLength {
                    announced: None,
                    given: Some(data.len()),
                }),
            };
        };
        // What stands behind the prompt must have the announced length: one byte more would be
        // read as a command, one less would leave the module waiting. Nor may it end the input
        // early.
        let given = data.as_ref().map(Vec::len);
        let announced = match commanded.ask {
            Some(ask) => ask.length.or(given),
            None => None,
        };
        if announced != given {
            return Err(RequestError::DataLength { announced, given });
        }
        prepared.data = match (commanded.ask, data) {
            (Some(ask), Some(mut bytes)) => {
                if ask.end == DataEnd::ControlCharacters {
                    self.limits.check_prompt_data(&bytes)?;
                }
                if ask.length.is_none() {
                    bytes.push(CTRL_Z);
                }
                // It may be a key.
                let secret = matches!(commanded.intent, Intent::Upload { .. });
                Some(Data { ask, bytes, secret })
            }
            _ => None,
        };
        prepared.reported = reported && commanded.report.is_some();
        prepared.report = commanded.report;
        prepared.link = match commanded.intent {
            // A link that is lost is what they are for.
            Intent::Close { .. } | Intent::Disconnect { .. } => None,
            intent => intent.connection(),
        };
        Ok(prepared)
    }
}
