//! The host's face: how operations become commands, and lines become answers and reports.

use alloc::borrow::Cow;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::time::Duration;

use super::command::{CFG, READ, SUBUNSUB};
use super::connecting;
use super::{
    Context, FormatTable, Formats, Information, Lmqtt, PublishEnd, PublishPayload, Request,
    Setting, intent, tls,
};
use crate::at::command::{Command, Form};
use crate::at::framing::{DataEnd, Extent};
use crate::dialect::shared::{Files, StateOf};
use crate::dialect::{
    Answer, Ask, Caching, Commanded, Course, Data, Dialect, EncodeError, Expected, Host, Plan,
    Power, Prompt, Reported, Said, Step, StepEnd, done_or_failed,
};
use crate::limits::Limits;
use crate::mqtt::{Connect, ConnectionId, LinkStatus, Operation, Outcome, Proof, Publish, Urc};
use crate::redact::secrets;

/// `> `
const PROMPT: Prompt = Prompt::Sign(b">");

/// A host of an LMQTT module.
#[derive(Debug)]
pub(super) struct LmqttHost {
    pub(super) dialect: Lmqtt,
    pub(super) limits: Limits,
    pub(super) formats: FormatTable,
    /// Connections whose publishes are not reported.
    unreported: Vec<ConnectionId>,
    pub(super) files: Files,
}

impl LmqttHost {
    pub(super) fn new(dialect: Lmqtt, limits: Limits) -> Self {
        Self {
            dialect,
            limits,
            formats: FormatTable::default(),
            unreported: Vec::new(),
            files: Files::default(),
        }
    }

    fn context(&self) -> Context<'_> {
        Context {
            limits: &self.limits,
            formats: &self.formats,
        }
    }

    /// The command for a request, without data.
    pub(super) fn step(&self, request: &Request<'_>) -> Result<Step, EncodeError> {
        let mut line = Vec::with_capacity(length_about(request));
        self.dialect
            .encode_request(request, self.context(), &mut line)?;
        let (length, max) = (line.len() - b"AT\r".len(), self.limits.command_line);
        if length > max {
            let field = "the command line";
            return Err(EncodeError::TooLong { field, length, max });
        }
        let exchange = self.dialect.exchange(request);
        let mut step = Step::new(line, exchange.limit);
        match request {
            // Neither topic nor payload is a secret.
            Request::Publish { .. } => {}
            // One command serves all settings: its key tells which was meant.
            Request::Configure { .. } | Request::QuerySetting { .. } => {
                let mut quotes = step
                    .line
                    .iter()
                    .enumerate()
                    .filter(|(_, byte)| **byte == b'"');
                step.name = quotes.nth(1).map_or(step.name, |(at, _)| at + 1);
                step.secrets = secrets(&step.line);
            }
            _ => step.secrets = secrets(&step.line),
        }
        step.report = expected(request).filter(|_| exchange.reported);
        step.link = match request {
            // A link that is lost is what they are for.
            Request::Close { .. } | Request::Disconnect { .. } => None,
            request => request.connection(),
        };
        Ok(step)
    }

    fn plan(
        &self,
        request: &Request<'_>,
        judge: fn(&StepEnd<'_>) -> Outcome,
    ) -> Result<Plan, EncodeError> {
        Ok(Plan::new(self.step(request)?, Course::Judge(judge)))
    }

    fn publish(&self, publish: Publish) -> Result<Plan, EncodeError> {
        let formats = self.formats[publish.connection];
        let mut step = self.publish_step(formats, publish)?;
        step.report = step.report.filter(|of| !self.is_switched_off(of));
        Ok(Plan::new(step, Course::Judge(judge_publish)))
    }

    /// Whether the host has chosen not to hear of this.
    fn is_switched_off(&self, report: &Expected) -> bool {
        report.what == Reported::Published && self.unreported.contains(&report.connection)
    }

    fn publish_step(&self, formats: Formats, publish: Publish) -> Result<Step, EncodeError> {
        let Publish {
            connection,
            message_id,
            qos,
            retain,
            topic,
            payload,
        } = publish;
        let way = self
            .dialect
            .publish_payload(formats, &self.limits, Cow::Borrowed(&payload))?;
        let announced = match way {
            PublishPayload::Inline(_) => None,
            PublishPayload::Prompted(length) => Some(length),
        };
        let (payload, data) = match announced {
            None => (PublishPayload::Inline(Cow::Owned(payload)), None),
            Some(length) => {
                let bytes = formats.send.encode(Cow::Owned(payload)).into_owned();
                self.limits.check_prompt_data(&bytes)?;
                let data = Data {
                    ask: ask_payload(&self.limits, length),
                    bytes,
                    secret: false,
                };
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
            extended: false,
        };
        let mut step = self.step(&request)?;
        step.data = data;
        Ok(step)
    }

    fn request_in<'l>(&self, line: &'l [u8]) -> Option<Request<'l>> {
        let command = command_in(line, &self.dialect)?;
        self.dialect.decode_request(&command, self.context()).ok()
    }

    fn answer(&self, line: &[u8], pending: &[u8]) -> Option<Answer> {
        let command = command_in(pending, &self.dialect)?;
        // Of the others nothing is answered.
        let asks = command.form == Form::Read
            || [CFG, READ, tls::SSLCFG].iter().any(|name| command.is(name));
        if !asks {
            return None;
        }
        let request = self.dialect.decode_request(&command, self.context()).ok()?;
        let information = self
            .dialect
            .decode_information(&request, line, &self.formats)?;
        Some(match information {
            Information::Setting(_) | Information::TlsSetting { .. } => Answer::Other,
            Information::Opened {
                connection,
                host,
                port,
            } => Answer::Link {
                connection,
                host: host.into_owned(),
                port,
            },
            Information::State { connection, state } => Answer::State { connection, state },
            Information::Message {
                connection,
                message_id,
                topic,
                payload,
            } => Answer::Message {
                connection,
                message_id,
                topic: topic.into_owned(),
                payload: payload.into_owned(),
            },
            Information::Unread {
                connection,
                message_ids,
            } => Answer::Unread {
                connection,
                message_ids,
            },
        })
    }
}

impl Host for LmqttHost {
    fn perform(&mut self, operation: Operation) -> Result<Plan, EncodeError> {
        match operation {
            Operation::Publish(publish) => self.publish(publish),
            Operation::Connect(connect) => connecting::connect(self, &connect),
            Operation::Disconnect {
                connection,
                connected,
            } => connecting::disconnect(self, connection, connected),
            Operation::Subscribe {
                connection,
                message_id,
                filters,
            } => {
                let request = Request::Subscribe {
                    connection,
                    message_id,
                    filters,
                };
                self.plan(&request, judge_subscription)
            }
            Operation::Unsubscribe {
                connection,
                message_id,
                filters,
            } => {
                let request = Request::Unsubscribe {
                    connection,
                    message_id,
                    filters: filters.into_iter().map(Cow::Owned).collect(),
                };
                self.plan(&request, judge_subscription)
            }
            Operation::Read {
                connection,
                message_id,
            } => {
                let request = Request::Read {
                    connection,
                    message_id,
                };
                self.plan(&request, done_or_failed)
            }
            Operation::ListUnread => self.plan(&Request::QueryUnread, done_or_failed),
            Operation::State { connection } => {
                let step = self.step(&Request::QueryState)?;
                let course = StateOf(connection);
                Ok(Plan::new(
                    step,
                    Course::Follow(alloc::boxed::Box::new(course)),
                ))
            }
        }
    }

    fn command(&self, line: &[u8]) -> Option<Commanded> {
        let request = self.request_in(line)?;
        let exchange = self.dialect.exchange(&request);
        let ask = match &request {
            Request::Publish {
                payload: PublishPayload::Prompted(length),
                ..
            } => Some(ask_payload(&self.limits, *length)),
            Request::Upload {
                length,
                timeout_seconds,
                ..
            } => {
                let patience = timeout_seconds.map(|seconds| Duration::from_secs(seconds.into()));
                Some(ask_file(&self.limits, *length, patience))
            }
            _ => None,
        };
        Some(Commanded {
            intent: intent::of_request(&request, &self.formats),
            ask,
            report: expected(&request)
                .filter(|report| exchange.reported && !self.is_switched_off(report)),
            limit: exchange.limit,
        })
    }

    fn carried_out(&mut self, line: &[u8]) -> Option<Caching> {
        let command = command_in(line, &self.dialect)?;
        if !command.is(CFG) && !command.is(tls::FUPL) {
            return None;
        }
        let (connection, setting) = match self.dialect.decode_request(&command, self.context()) {
            Ok(Request::Configure {
                connection,
                setting,
            }) => (connection, setting),
            Ok(Request::Upload { name, .. }) => {
                let name = name.to_string();
                self.files.stored(&name);
                return None;
            }
            _ => return None,
        };
        match setting {
            Setting::Cache(on) => return Some(Caching { connection, on }),
            Setting::ResultUrcs(on) => {
                self.unreported.retain(|other| *other != connection);
                if !on {
                    self.unreported.push(connection);
                }
            }
            setting => {
                let mut formats = self.formats[connection];
                formats.apply(&setting);
                self.formats[connection] = formats;
            }
        }
        None
    }

    fn started(&mut self) {
        self.formats = FormatTable::default();
        self.unreported.clear();
        self.files.forget();
    }

    fn estranged(&mut self) {
        self.files.forget();
    }

    fn set_limits(&mut self, limits: &Limits) {
        self.limits = limits.clone();
    }

    fn check_publish(&self, connect: &Connect, publish: Publish) -> Result<(), EncodeError> {
        let formats = Formats {
            send: connecting::send_format(connect, &self.limits),
            ..Formats::default()
        };
        self.publish_step(formats, publish).map(drop)
    }

    fn extent(&self, line: &[u8]) -> Extent {
        self.dialect.extent(line, self.context())
    }

    fn read(&mut self, line: &[u8], pending: Option<&[u8]>) -> Option<Said> {
        if !line.starts_with(b"+L") {
            return None;
        }
        if let Some(answer) = pending.and_then(|pending| self.answer(line, pending)) {
            return Some(Said::Answer(answer));
        }
        let urc = self.dialect.decode_urc(line, &self.formats)?;
        match urc {
            // The configuration of a connection is lost when it is closed.
            Urc::Closed {
                connection,
                result: Ok(()),
            } => {
                self.formats[connection] = Formats::default();
                self.unreported.retain(|other| *other != connection);
            }
            // Perhaps the module has not what it is thought to have.
            Urc::Status {
                connection,
                status: LinkStatus::Tls,
                ..
            } => self.files.forget_those_of(connection),
            _ => {}
        }
        Some(Said::Urc(urc))
    }

    fn addressee(&self, line: &[u8]) -> Option<ConnectionId> {
        self.dialect.addressee(line)
    }

    fn power(&self, line: &[u8]) -> Option<Power> {
        self.dialect.power(line)
    }
}

/// The first command of a line, if it is the dialect's.
fn command_in<'l>(line: &'l [u8], dialect: &Lmqtt) -> Option<Command<'l>> {
    let body = line.get(2..)?;
    let body = body.strip_suffix(b"\r").unwrap_or(body);
    if !body.trim_ascii_start().starts_with(b"+") {
        return None;
    }
    let (command, _) = Command::split_first(body, |name| dialect.owns(name));
    dialect.owns(command.name).then_some(command)
}

/// The prompt behind which so many bytes of a payload are awaited.
pub(super) fn ask_payload(limits: &Limits, length: usize) -> Ask {
    let Limits {
        prompt_end,
        prompt_timeout,
        ..
    } = *limits;
    Ask {
        prompt: PROMPT,
        length: Some(length),
        end: prompt_end,
        patience: Some(prompt_timeout),
        escapable: prompt_end == DataEnd::ControlCharacters,
    }
}

/// What asks for the bytes of a file (reference `README.md`, "Decisions").
pub(super) fn ask_file(limits: &Limits, length: usize, patience: Option<Duration>) -> Ask {
    Ask {
        prompt: Prompt::Line(b"CONNECT"),
        length: Some(length),
        end: DataEnd::Length,
        patience: Some(patience.unwrap_or(limits.prompt_timeout)),
        escapable: false,
    }
}

/// The report that tells what came of a request.
fn expected(request: &Request<'_>) -> Option<Expected> {
    let (what, message_id) = match request {
        Request::Open { .. } => (Reported::Opened, None),
        Request::Close { .. } => (Reported::Closed, None),
        Request::Connect { .. } => (Reported::Connected, None),
        Request::Disconnect { .. } => (Reported::Disconnected, None),
        Request::Subscribe { message_id, .. } => (Reported::Subscribed, Some(*message_id)),
        Request::Unsubscribe { message_id, .. } => (Reported::Unsubscribed, Some(*message_id)),
        Request::Publish { message_id, .. } => (Reported::Published, Some(*message_id)),
        _ => return None,
    };
    Some(Expected {
        what,
        connection: request.connection()?,
        message_id,
    })
}

/// What the end of a publish means.
fn judge_publish(end: &StepEnd<'_>) -> Outcome {
    match end {
        StepEnd::Done {
            report: Some(Urc::Published { result, reason, .. }),
            ..
        } => Outcome::Published {
            result: *result,
            reason: *reason,
            proof: Lmqtt::DEFAULT.proof(PublishEnd::Reported(*result, *reason)),
        },
        StepEnd::Done { .. } => Outcome::Accepted,
        StepEnd::Refused(_) => Outcome::Failed(Lmqtt::DEFAULT.proof(PublishEnd::Refused)),
        _ => Outcome::Failed(Proof::MayHaveArrived),
    }
}

fn judge_subscription(end: &StepEnd<'_>) -> Outcome {
    match end {
        StepEnd::Done {
            report:
                Some(Urc::SubscriptionChanged {
                    result: Err(reason),
                    ..
                }),
            ..
        } => Outcome::SubscriptionFailed(*reason),
        end => done_or_failed(end),
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
    SUBUNSUB.len() + 50 + variable
}
