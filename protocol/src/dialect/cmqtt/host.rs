//! The host's face: how operations become commands, and lines become answers and reports.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use super::receive::{self, Brought, Incoming};
use super::report;
use super::request::{self, Request, Setting, Taken};
use super::table::{CFG, CONNECT, DISC, PROMPT, PUB, REL, START, STOP, SUB, UNSUB};
use super::{Cmqtt, SERVICE, connecting, publishing, table};
use crate::at::command::{Command, Form, encode_line};
use crate::at::framing::{DataEnd, Extent};
use crate::at::parameter::ParameterWriter;
use crate::commands::vendor::simcom;
use crate::dialect::shared::Files;
use crate::dialect::{
    Answer, Ask, Caching, Commanded, Course, Data, Dialect, EncodeError, Expected, Follow, Host,
    Next, Plan, Power, Reported, Said, Step, StepEnd,
};
use crate::limits::Limits;
use crate::mqtt::{
    Change, Connect, Connected, ConnectionId, ConnectionState, Intent, Operation, Outcome, Proof,
    Publish, Queried, TopicFilter, Urc,
};
use crate::redact::secrets;

/// How long a command may take that only changes something in the module, and that no source limits.
/// Ours: what the manual of the SIM7600 has for others.
pub(super) const LOCAL: Duration = Duration::from_secs(9);

/// How long a report may follow its `ERROR`: the manual has both orders. Ours.
const AFTER_ERROR: Duration = Duration::from_millis(500);

/// A host of a CMQTT module.
#[derive(Debug)]
pub(super) struct CmqttHost {
    pub(super) dialect: Cmqtt,
    pub(super) limits: Limits,
    pub(super) files: Files,
    incoming: Incoming,
    /// Connections that stand.
    connected: Vec<ConnectionId>,
}

impl CmqttHost {
    pub(super) fn new(dialect: Cmqtt, limits: Limits) -> Self {
        Self {
            dialect,
            limits,
            files: Files::default(),
            incoming: Incoming::default(),
            connected: Vec::new(),
        }
    }

    /// A command about a client, without data.
    pub(super) fn step(
        &self,
        name: &'static str,
        connection: ConnectionId,
        write: impl FnOnce(&mut ParameterWriter<'_>),
    ) -> Result<Step, EncodeError> {
        let ConnectionId(id) = connection;
        if id >= self.limits.connections {
            return Err(EncodeError::OutOfRange {
                field: "the connection id",
                value: id.into(),
                min: 0,
                max: i64::from(self.limits.connections) - 1,
            });
        }
        let mut step = self.written(name, |writer| write(writer.integer(id)))?;
        step.report = expected(name, connection);
        if step.report.is_some() {
            step.limit = limit(name);
            step.report_after_error = AFTER_ERROR;
        }
        // A link that is lost is what they are for.
        step.link = (name != DISC && name != REL).then_some(connection);
        Ok(step)
    }

    /// A command with these values.
    pub(super) fn written(
        &self,
        name: &'static str,
        write: impl FnOnce(&mut ParameterWriter<'_>),
    ) -> Result<Step, EncodeError> {
        let mut line = ["AT", name, "="].concat().into_bytes();
        write(&mut ParameterWriter::new(&mut line));
        line.push(b'\r');
        let (length, max) = (line.len() - b"AT\r".len(), self.limits.command_line);
        if length > max {
            let field = "the command line";
            return Err(EncodeError::TooLong { field, length, max });
        }
        let mut step = Step::new(line, LOCAL);
        step.secrets = secrets(&step.line);
        if name == CFG || name == simcom::SSLCFG {
            // One command serves all settings: its key tells which was meant.
            let mut quotes = memchr::memchr_iter(b'"', &step.line);
            step.name = quotes.nth(1).map_or(step.name, |at| at + 1);
        }
        Ok(step)
    }

    /// A command that announces as many bytes as follow behind the prompt, and then more values.
    pub(super) fn staged(
        &self,
        name: &'static str,
        connection: ConnectionId,
        bytes: Vec<u8>,
        write: impl FnOnce(&mut ParameterWriter<'_>),
    ) -> Result<Step, EncodeError> {
        let length = bytes.len();
        let mut step = self.step(name, connection, |writer| {
            // No payload is longer than what an i64 holds.
            write(writer.integer(length as i64));
        })?;
        step.data = Some(Data {
            ask: self.ask(length),
            bytes,
            secret: false,
        });
        Ok(step)
    }

    pub(super) fn ask(&self, length: usize) -> Ask {
        Ask {
            prompt: PROMPT,
            length: Some(length),
            end: DataEnd::Length,
            patience: Some(self.limits.prompt_timeout),
            escapable: false,
        }
    }

    /// The command of a line, if it is one of the dialect's.
    fn request_in<'l>(&self, line: &'l [u8]) -> Option<(&'static str, ConnectionId, Request<'l>)> {
        let command = first_command(line, &self.dialect)?;
        let name = self.dialect.spec(command.name)?.name;
        let (id, request) = request::decode(&self.dialect, &command, &self.limits).ok()?;
        Some((name, id, request))
    }

    /// What answers a command of the dialect, and is no report.
    fn answer(&self, line: &[u8], pending: &[u8]) -> Option<Answer> {
        let command = first_command(pending, &self.dialect)?;
        let name = self.dialect.spec(command.name)?.name;
        let rest = report::strip_name(line, name)?;
        match command.form {
            Form::Read if name == DISC => {
                let [id, state] = report::numbers(rest)?;
                Some(Answer::State {
                    connection: ConnectionId(id.try_into().ok()?),
                    state: match state {
                        0 => ConnectionState::Connected,
                        _ => ConnectionState::Initial,
                    },
                })
            }
            Form::Read | Form::Test => Some(Answer::Other),
            // The others have a report of this name.
            _ => expected(name, SERVICE).is_none().then_some(Answer::Other),
        }
    }

    /// What a report changes in what is known.
    fn follow(&mut self, urc: Urc) -> Urc {
        match &urc {
            Urc::Connected {
                connection,
                result: Connected::Accepted,
            } => self.connected.push(*connection),
            Urc::Connected { connection, .. } => {
                // Perhaps the module has not what it is thought to have.
                self.files.forget_those_of(*connection);
            }
            // All that still stand are lost with the network. Who is connected has been told of each
            // before, as far as is known; if not, of one at least.
            Urc::Status {
                connection: SERVICE,
                status,
                code,
            } => {
                if let Some(connection) = self.connected.pop() {
                    return Urc::Status {
                        connection,
                        status: *status,
                        code: *code,
                    };
                }
            }
            Urc::Status { connection, .. } | Urc::Closed { connection, .. } => {
                self.connected.retain(|other| other != connection);
            }
            _ => {}
        }
        urc
    }
}

impl Host for CmqttHost {
    fn perform(&mut self, operation: Operation) -> Result<Plan, EncodeError> {
        match operation {
            Operation::Connect(connect) => connecting::connect(self, &connect),
            Operation::Disconnect {
                connection,
                connected,
            } => connecting::disconnect(self, connection, connected),
            Operation::Publish(publish) => publishing::publish(self, publish),
            Operation::Subscribe {
                connection,
                filters,
                ..
            } => publishing::subscribe(self, connection, filters),
            Operation::Unsubscribe {
                connection,
                filters,
                ..
            } => publishing::unsubscribe(self, connection, filters),
            Operation::State { connection } => {
                let mut line = Vec::new();
                encode_line(DISC, Form::Read, &mut line);
                let course = Course::Follow(Box::new(StateOf(connection)));
                Ok(Plan::new(Step::new(line, LOCAL), course))
            }
            Operation::Read { .. } | Operation::ListUnread => Err(EncodeError::Contradiction(
                "this module reports messages when they come, and keeps none",
            )),
        }
    }

    fn command(&self, line: &[u8]) -> Option<Commanded> {
        if let Some((intent, length)) = simcom_command(line) {
            return Some(Commanded {
                intent,
                ask: length.map(|length| self.ask(length)),
                report: None,
                limit: simcom::FILE_LIMIT,
            });
        }
        let (name, connection, request) = self.request_in(line)?;
        let ask = match request {
            Request::Take(_, length) | Request::PublishTo { length, .. } => Some(self.ask(length)),
            _ => None,
        };
        let reads = matches!(request, Request::Query(_));
        let report = expected(name, connection).filter(|_| !reads);
        Some(Commanded {
            intent: intent(name, connection, request),
            ask,
            limit: report.map_or(LOCAL, |_| limit(name)),
            report,
        })
    }

    fn carried_out(&mut self, line: &[u8]) -> Option<Caching> {
        if let Some((Intent::Upload { name, .. }, _)) = simcom_command(line) {
            self.files.stored(&name);
        }
        None
    }

    fn started(&mut self) {
        self.connected.clear();
        self.incoming.forget();
        self.files.forget();
    }

    fn estranged(&mut self) {
        self.incoming.forget();
        self.files.forget();
    }

    fn set_limits(&mut self, limits: &Limits) {
        self.limits = limits.clone();
    }

    fn check_publish(&self, _: &Connect, publish: Publish) -> Result<(), EncodeError> {
        publishing::publish(self, publish).map(drop)
    }

    fn extent(&self, line: &[u8]) -> Extent {
        receive::extent(line, &self.limits)
    }

    fn read(&mut self, line: &[u8], pending: Option<&[u8]>) -> Option<Said> {
        if !line.starts_with(b"+C") {
            return None;
        }
        match self.incoming.take(line, &self.limits) {
            Some(Brought::Part) => return Some(Said::Part),
            Some(Brought::Message(urc)) => return Some(Said::Urc(urc)),
            None => {}
        }
        if let Some(answer) = pending.and_then(|pending| self.answer(line, pending)) {
            return Some(Said::Answer(answer));
        }
        let message = || receive::read_one_line(line, &self.limits);
        let urc = report::decode(line).or_else(message)?;
        Some(Said::Urc(self.follow(urc)))
    }

    fn addressee(&self, line: &[u8]) -> Option<ConnectionId> {
        receive::addressee(line)
    }

    fn power(&self, line: &[u8]) -> Option<Power> {
        self.dialect.power(line)
    }
}

/// The first command of a line, if it is the dialect's.
fn first_command<'l>(line: &'l [u8], dialect: &Cmqtt) -> Option<Command<'l>> {
    let body = line.get(2..)?;
    let body = body.strip_suffix(b"\r").unwrap_or(body);
    let (command, _) = Command::split_first(body, |name| dialect.owns(name));
    dialect.owns(command.name).then_some(command)
}

/// What a command of the maker's does that belongs to TLS, and how many bytes follow it.
fn simcom_command(line: &[u8]) -> Option<(Intent, Option<usize>)> {
    let body = line.get(2..)?;
    let body = body.strip_suffix(b"\r").unwrap_or(body);
    let (command, _) = Command::split_first(body, |_| false);
    simcom::intent(&command)
}

/// The longest time of a command that reports.
fn limit(name: &str) -> Duration {
    let mut known = table::COMMANDS.iter();
    let spec = known.find(|spec| spec.name == name);
    let seconds = spec.and_then(|spec| spec.limit);
    seconds.map_or(LOCAL, |seconds| Duration::from_secs(seconds.into()))
}

/// The report that tells what came of a command.
fn expected(name: &str, connection: ConnectionId) -> Option<Expected> {
    let what = match name {
        START => Reported::Opened,
        STOP | DISC => Reported::Closed,
        CONNECT => Reported::Connected,
        PUB => Reported::Published,
        SUB => Reported::Subscribed,
        UNSUB => Reported::Unsubscribed,
        _ => return None,
    };
    Some(Expected {
        what,
        connection: match name {
            START | STOP => SERVICE,
            _ => connection,
        },
        message_id: None,
    })
}

/// The step that starts the service.
pub(super) fn start() -> Step {
    let mut line = Vec::new();
    encode_line(START, Form::Execute, &mut line);
    let mut step = Step::new(line, limit(START));
    step.report = expected(START, SERVICE);
    step
}

/// What a command asks for, in the words of those who watch.
pub(super) fn intent(name: &'static str, connection: ConnectionId, request: Request<'_>) -> Intent {
    let filter = |filter: &str, qos| {
        let filter = String::from(filter);
        [TopicFilter { filter, qos }].to_vec()
    };
    let publish = |topic: &str, qos, retain, length| Intent::Publish {
        connection,
        message_id: None,
        qos,
        retain,
        topic: topic.to_string(),
        length,
        quote_inside: false,
    };
    match request {
        Request::Connect { url, .. } => {
            let (host, port) = address(url).unwrap_or((url, 0));
            Intent::Open {
                connection,
                host: host.into(),
                port,
            }
        }
        Request::Disconnect => Intent::Close { connection },
        Request::Publish { qos, retain } => publish("", qos, retain, 0),
        Request::PublishTo {
            topic,
            qos,
            retain,
            length,
        } => publish(topic, qos, retain, length),
        Request::Subscribe | Request::Take(Taken::OneFilter(_), _) => Intent::Subscribe {
            connection,
            message_id: None,
            filters: Vec::new(),
        },
        Request::SubscribeTo { topic, qos } => Intent::Subscribe {
            connection,
            message_id: None,
            filters: filter(topic, qos),
        },
        Request::Unsubscribe | Request::Take(Taken::OneUnwantedFilter, _) => Intent::Unsubscribe {
            connection,
            message_id: None,
            filters: Vec::new(),
        },
        Request::UnsubscribeFrom { topic } => Intent::Unsubscribe {
            connection,
            message_id: None,
            filters: [String::from(topic)].to_vec(),
        },
        Request::Configure(setting) => Intent::Configure {
            connection,
            key: match setting {
                Setting::CheckUtf8(_) => "checkUTF8",
                Setting::OperationTimeout(_) => "optimeout",
                Setting::Device { .. } => "aliauth",
                Setting::Version(_) => "version",
                Setting::OneLine { .. } => "argtopic",
                Setting::Context(_) => "cid",
                Setting::ContextOfOne(_) => "scid",
            },
            change: match setting {
                Setting::Device { .. } => Change::Platform { alibaba: true },
                _ => Change::Other,
            },
            before_open: true,
        },
        Request::Query(_) => Intent::Query {
            connection: None,
            what: match name {
                DISC => Queried::States,
                CONNECT => Queried::Links,
                name => Queried::Setting(name),
            },
        },
        Request::Start { .. } | Request::Stop => Intent::Prepare { connection: None },
        Request::Acquire { .. } | Request::Release | Request::UseContext(_) | Request::Take(..) => {
            Intent::Prepare {
                connection: Some(connection),
            }
        }
    }
}

/// Host and port of `tcp://<host>[:<port>]`; `None` if it is no such address.
pub(super) fn address(url: &str) -> Option<(&str, u16)> {
    let rest = url.strip_prefix("tcp://")?;
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (rest, 1883),
    };
    (!host.is_empty() && port > 0).then_some((host, port))
}

/// Picks a connection out of the answer to `AT+CMQTTDISC?`.
#[derive(Debug)]
struct StateOf(ConnectionId);

impl Follow for StateOf {
    fn next(&mut self, end: &StepEnd<'_>) -> Next {
        let StepEnd::Done { answers, .. } = end else {
            return Next::Done(Outcome::Failed(Proof::MayHaveArrived));
        };
        let state = answers.iter().find_map(|answer| match answer {
            Answer::State { connection, state } if *connection == self.0 => Some(*state),
            _ => None,
        });
        Next::Done(Outcome::State(state))
    }
}
