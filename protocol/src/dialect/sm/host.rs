//! The host's face: how operations become commands, and lines become answers and reports.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::request::{Request, Setting};
use super::table::{LOCAL, PROMPT, STATE};
use super::{ID, Sm, command, configuration, connecting, received, tls};
use crate::at::command::{Command, Form};
use crate::at::framing::Extent;
use crate::at::parameter::encode_hex;
use crate::dialect::shared::Files;
use crate::dialect::{
    Answer, Ask, Caching, Commanded, Course, Data, Dialect as _, EncodeError, Host, Plan, Power,
    Said, Step, StepEnd, done_or_failed,
};
use crate::limits::Limits;
use crate::mqtt::{
    Change, Connect, ConnectionId, ConnectionState, Intent, LinkStatus, Operation, Outcome,
    PayloadFormat, Proof, Publish, PublishResult, Queried, Reason, TopicFilter,
};
use crate::redact::secrets;

/// A host of a module that speaks SM.
#[derive(Debug)]
pub(super) struct SmHost {
    pub(super) dialect: Sm,
    pub(super) limits: Limits,
    pub(super) files: Files,
    /// Whether payloads come in hexadecimal digits.
    receives_hex: bool,
    /// Whether they are given so.
    sends_hex: bool,
}

impl SmHost {
    pub(super) fn new(dialect: Sm, limits: Limits) -> Self {
        Self {
            dialect,
            limits,
            files: Files::default(),
            receives_hex: false,
            sends_hex: false,
        }
    }

    /// The command for a request, without data.
    pub(super) fn step(&self, request: &Request<'_>) -> Result<Step, EncodeError> {
        let mut line = Vec::new();
        command::encode(request, &self.limits, &mut line)?;
        let (length, max) = (line.len() - b"AT\r".len(), self.limits.command_line);
        if length > max {
            let field = "the command line";
            return Err(EncodeError::TooLong { field, length, max });
        }
        let mut step = Step::new(line, limit(request, &self.dialect));
        match request {
            Request::Publish { .. } | Request::Subscribe { .. } | Request::Unsubscribe { .. } => {
                step.link = Some(ID);
            }
            // One command serves all settings: its key tells which was meant.
            Request::Configure(setting) => {
                step.name += "=\"\"".len() + configuration::key(setting).len();
                step.secrets = secrets(&step.line);
            }
            _ => step.secrets = secrets(&step.line),
        }
        Ok(step)
    }

    fn publish_step(&self, hexadecimal: bool, publish: Publish) -> Result<Step, EncodeError> {
        let Publish {
            connection,
            qos,
            retain,
            topic,
            payload,
            ..
        } = publish;
        only(connection)?;
        let (length, most) = (payload.len(), self.limits.prompt_payload);
        let max = if hexadecimal { most / 2 } else { most };
        if length > max {
            let field = "the payload";
            return Err(EncodeError::TooLong { field, length, max });
        }
        let bytes = match hexadecimal {
            true => {
                let mut digits = Vec::with_capacity(2 * length);
                encode_hex(&payload, &mut digits);
                digits
            }
            false => payload,
        };
        self.limits.check_prompt_data(&bytes)?;
        let mut step = self.step(&Request::Publish {
            topic: topic.into(),
            length: bytes.len(),
            qos,
            retain,
        })?;
        step.data = Some(Data {
            ask: ask(&self.limits, bytes.len()),
            bytes,
            secret: false,
        });
        Ok(step)
    }

    fn request_in<'l>(&self, line: &'l [u8]) -> Option<Request<'l>> {
        let command = command_in(line, &self.dialect)?;
        let spec = self.dialect.spec(command.name)?;
        command::decode(&command, spec, &self.limits).ok()
    }

    /// A line that begins as the command does that is pending.
    fn answer(&self, line: &[u8], pending: &[u8]) -> Option<Answer> {
        let command = command_in(pending, &self.dialect)?;
        let rest = line.strip_prefix(self.dialect.spec(command.name)?.name.as_bytes())?;
        let value = rest.strip_prefix(b":")?.trim_ascii();
        if received::is_message(line) {
            return None;
        }
        match (command.form, value) {
            (Form::Read, b"1" | b"2") if command.is(STATE) => Some(Answer::State {
                connection: ID,
                state: ConnectionState::Connected,
            }),
            // The link is lost, if there was one: whoever has it must hear of that.
            (Form::Read, b"0") if command.is(STATE) => None,
            _ => Some(Answer::Other),
        }
    }
}

/// There is one connection.
pub(super) fn only(connection: ConnectionId) -> Result<(), EncodeError> {
    match connection {
        ID => Ok(()),
        ConnectionId(other) => Err(EncodeError::OutOfRange {
            field: "the connection",
            value: other.into(),
            min: 0,
            max: 0,
        }),
    }
}

/// How long the command may take.
fn limit(request: &Request<'_>, dialect: &Sm) -> Duration {
    let spec = dialect.spec(command::name(request).as_bytes());
    let seconds = spec.and_then(|spec| spec.limit).unwrap_or(LOCAL);
    Duration::from_secs(seconds.into())
}

/// The prompt behind which so many bytes of a payload are awaited.
pub(super) fn ask(limits: &Limits, length: usize) -> Ask {
    Ask {
        prompt: PROMPT,
        length: Some(length),
        end: limits.prompt_end,
        patience: Some(limits.prompt_timeout),
        escapable: false,
    }
}

/// The first command of a line, if it is the dialect's.
fn command_in<'l>(line: &'l [u8], dialect: &Sm) -> Option<Command<'l>> {
    let body = line.get(2..)?;
    let body = body.strip_suffix(b"\r").unwrap_or(body);
    let (command, _) = Command::split_first(body, |name| dialect.owns(name));
    dialect.owns(command.name).then_some(command)
}

impl Host for SmHost {
    fn perform(&mut self, operation: Operation) -> Result<Plan, EncodeError> {
        let (step, judge): (_, fn(&StepEnd<'_>) -> Outcome) = match operation {
            Operation::Connect(connect) => return connecting::connect(self, &connect),
            Operation::Subscribe {
                connection,
                filters,
                ..
            } => {
                let filters = filters.into_iter();
                let requests = filters.map(|TopicFilter { filter, qos }| Request::Subscribe {
                    filter: filter.into(),
                    qos,
                });
                return connecting::one_by_one(self, connection, requests);
            }
            Operation::Unsubscribe {
                connection,
                filters,
                ..
            } => {
                let filters = filters.into_iter();
                let requests = filters.map(|filter| Request::Unsubscribe {
                    filter: filter.into(),
                });
                return connecting::one_by_one(self, connection, requests);
            }
            Operation::Publish(publish) => (self.publish_step(self.sends_hex, publish)?, published),
            Operation::Disconnect { connection, .. } => {
                only(connection)?;
                (connecting::leave(self)?, done_or_failed)
            }
            Operation::State { connection } => {
                only(connection)?;
                (self.step(&Request::QueryState)?, state)
            }
            Operation::Read { .. } | Operation::ListUnread => {
                return Err(EncodeError::Contradiction(connecting::NO_CACHE));
            }
        };
        Ok(Plan::new(step, Course::Judge(judge)))
    }

    fn command(&self, line: &[u8]) -> Option<Commanded> {
        let request = self.request_in(line)?;
        let length = match &request {
            Request::Publish { length, .. } => Some(*length),
            _ => None,
        };
        Some(Commanded {
            intent: intent(&request),
            ask: length.map(|length| ask(&self.limits, length)),
            report: None,
            limit: limit(&request, &self.dialect),
        })
    }

    fn carried_out(&mut self, line: &[u8]) -> Option<Caching> {
        match self.request_in(line) {
            Some(Request::Configure(Setting::SubHex(on))) => self.receives_hex = on,
            Some(Request::PublishHex(on)) => self.sends_hex = on,
            Some(_) => {}
            None => tls::converted(line).for_each(|name| self.files.stored(&name)),
        }
        None
    }

    fn started(&mut self) {
        (self.receives_hex, self.sends_hex) = (false, false);
        self.files.forget();
    }

    fn estranged(&mut self) {
        self.files.forget();
    }

    fn set_limits(&mut self, limits: &Limits) {
        self.limits = limits.clone();
    }

    fn check_publish(&self, connect: &Connect, publish: Publish) -> Result<(), EncodeError> {
        let hexadecimal = connect.payloads == PayloadFormat::Hex;
        self.publish_step(hexadecimal, publish).map(drop)
    }

    fn extent(&self, line: &[u8]) -> Extent {
        received::extent(line, self.receives_hex, &self.limits)
    }

    fn read(&mut self, line: &[u8], pending: Option<&[u8]>) -> Option<Said> {
        if !line.starts_with(b"+") {
            return None;
        }
        if let Some(answer) = pending.and_then(|pending| self.answer(line, pending)) {
            return Some(Said::Answer(answer));
        }
        received::decode(line, self.receives_hex, &self.limits).map(Said::Urc)
    }

    fn addressee(&self, line: &[u8]) -> Option<ConnectionId> {
        received::is_message(line).then_some(ID)
    }

    fn power(&self, line: &[u8]) -> Option<Power> {
        self.dialect.power(line)
    }
}

/// What the end of a publish means. `OK` comes when the broker has acknowledged it; behind an
/// error it may have arrived all the same, for nothing tells when the module gave up.
fn published(end: &StepEnd<'_>) -> Outcome {
    match end {
        StepEnd::Done { .. } => Outcome::Published {
            result: PublishResult::Done,
            reason: Reason::NONE,
            proof: Proof::Acknowledged,
        },
        _ => Outcome::Failed(Proof::MayHaveArrived),
    }
}

/// Without an answer, the module has told that there is no link.
fn state(end: &StepEnd<'_>) -> Outcome {
    match end {
        StepEnd::Done { answers, .. } => {
            Outcome::State(answers.iter().find_map(|answer| match answer {
                Answer::State { state, .. } => Some(*state),
                _ => None,
            }))
        }
        // It was not lost before it was asked for.
        StepEnd::LinkLost(LinkStatus::Closed) => Outcome::State(None),
        _ => Outcome::Failed(Proof::MayHaveArrived),
    }
}

/// What a command asks for, in the words of those who watch.
pub(super) fn intent(request: &Request<'_>) -> Intent {
    let connection = ID;
    let text = |text: &Cow<'_, str>| String::from(&**text);
    let query = |what| Intent::Query {
        connection: Some(connection),
        what,
    };
    let configure = |key, change| Intent::Configure {
        connection,
        key,
        change,
        before_open: true,
    };
    match request {
        Request::Configure(setting) => configure(
            configuration::key(setting),
            match setting {
                Setting::KeepAlive(seconds) => Change::KeepAlive(*seconds),
                _ => Change::Other,
            },
        ),
        Request::AliAuth(_) | Request::AliDyna(_) => {
            configure(command::name(request), Change::Platform { alibaba: true })
        }
        Request::Tls(_) | Request::PublishHex(_) | Request::Sleep(_) => {
            configure(command::name(request), Change::Other)
        }
        Request::QueryState => query(Queried::States),
        Request::QueryConfiguration
        | Request::QueryPublishHex
        | Request::QueryTls
        | Request::QueryAliAuth
        | Request::QueryAliDyna
        | Request::QuerySleep => query(Queried::Setting(command::name(request))),
        Request::Connect => Intent::Connect {
            connection,
            client_id: String::new(),
            username: None,
        },
        Request::Disconnect => Intent::Disconnect { connection },
        Request::Publish {
            topic,
            length,
            qos,
            retain,
        } => Intent::Publish {
            connection,
            message_id: None,
            qos: *qos,
            retain: *retain,
            topic: text(topic),
            length: *length,
            quote_inside: false,
        },
        Request::Subscribe { filter, qos } => Intent::Subscribe {
            connection,
            message_id: None,
            filters: Vec::from([TopicFilter {
                filter: text(filter),
                qos: *qos,
            }]),
        },
        Request::Unsubscribe { filter } => Intent::Unsubscribe {
            connection,
            message_id: None,
            filters: Vec::from([text(filter)]),
        },
    }
}
