//! The host's face: how operations become commands, and lines become answers and reports.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use super::connecting::{self, Files};
use super::publishing::{ask, judge_publish};
use super::received::{self, Formats};
use super::request::{self, Payload, Request};
use super::setting::Setting;
use super::table::{CFG, CONN, PUB, PUBEX, RECV, SUB, UNS};
use super::urc::{self, Line};
use super::{Qmt, information, intent, tls};
use crate::at::command::{Form, encode_line};
use crate::at::framing::Extent;
use crate::at::parameter::ParameterWriter;
use crate::dialect::shared::in_range;
use crate::dialect::{
    Answer, Caching, Commanded, Course, Dialect, EncodeError, Expected, Host, Plan, Power,
    Reported, Said, Step, done_or_failed,
};
use crate::limits::Limits;
use crate::mqtt::{Connect, ConnectionId, Operation, Publish, TopicFilter, Urc};
use crate::redact::secrets;

/// A query's time limit, and that of a setting (the notes have 300 ms).
const QUERY: Duration = Duration::from_secs(5);

/// A host of a QMT module.
#[derive(Debug)]
pub(super) struct QmtHost {
    pub(super) dialect: Qmt,
    pub(super) limits: Limits,
    connections: Vec<Known>,
    pub(super) files: Files,
}

/// What is known of a connection.
#[derive(Debug, Clone, Default)]
struct Known {
    formats: Formats,
    /// How long a packet may take to be acknowledged, if the host has set that.
    patience: Option<Duration>,
}

impl QmtHost {
    pub(super) fn new(dialect: Qmt, limits: Limits) -> Self {
        let mut host = Self {
            dialect,
            limits,
            connections: Vec::new(),
            files: Files::default(),
        };
        host.forget_settings();
        host
    }

    fn forget_settings(&mut self) {
        let formats = Formats {
            next_line: self.dialect.payload_on_next_line,
            ..Formats::default()
        };
        let known = Known {
            formats,
            patience: None,
        };
        // One more for whatever number a module writes.
        self.connections = alloc::vec![known; usize::from(self.limits.connections) + 1];
    }

    fn place(&self, connection: ConnectionId) -> usize {
        usize::from(connection.0).min(self.connections.len() - 1)
    }

    pub(super) fn formats(&self, connection: ConnectionId) -> Formats {
        self.connections[self.place(connection)].formats
    }

    /// How long the outcome of a command may take.
    fn limit(&self, name: &str, connection: ConnectionId) -> Duration {
        let usual = self
            .dialect
            .spec(name.as_bytes())
            .and_then(|spec| spec.limit);
        let usual = usual.map_or(QUERY, |seconds| Duration::from_secs(seconds.into()));
        match [SUB, UNS, PUB, PUBEX, CONN].contains(&name) {
            true => {
                let patience = self.connections[self.place(connection)].patience;
                patience.map_or(usual, |patience| patience.max(usual))
            }
            false => usual,
        }
    }

    /// A command about a connection.
    pub(super) fn step(
        &self,
        name: &'static str,
        connection: ConnectionId,
        what: Option<Reported>,
        write: impl FnOnce(&mut ParameterWriter<'_>) -> Result<(), EncodeError>,
    ) -> Result<Step, EncodeError> {
        let last = i64::from(self.limits.connections) - 1;
        let id = in_range("the connection id", connection.0, 0, last)?;
        let mut line = [b"AT", name.as_bytes(), b"="].concat();
        let mut writer = ParameterWriter::new(&mut line);
        writer.integer(id);
        write(&mut writer)?;
        line.push(b'\r');
        let mut step = self.checked(line, self.limit(name, connection))?;
        step.report = what.map(|what| Expected {
            what,
            connection,
            message_id: None,
        });
        step.link = Some(connection);
        Ok(step)
    }

    /// A command line that is not longer than the module takes.
    pub(super) fn checked(&self, line: Vec<u8>, limit: Duration) -> Result<Step, EncodeError> {
        let (length, max) = (line.len() - b"AT\r".len(), self.limits.command_line);
        if length > max {
            let field = "the command line";
            return Err(EncodeError::TooLong { field, length, max });
        }
        let mut step = Step::new(line, limit);
        step.secrets = secrets(&step.line);
        Ok(step)
    }

    fn read_step(&self, name: &'static str) -> Step {
        let mut line = Vec::new();
        encode_line(name, Form::Read, &mut line);
        Step::new(line, QUERY)
    }

    /// The question how far the connections are.
    pub(super) fn state_step(&self) -> Step {
        self.read_step(CONN)
    }

    fn request_in(&self, line: &[u8]) -> Option<Request> {
        let command = request::command_in(line, &self.dialect)?;
        request::decode(&command, &self.dialect, &self.limits).ok()
    }
}

impl Host for QmtHost {
    fn perform(&mut self, operation: Operation) -> Result<Plan, EncodeError> {
        match operation {
            Operation::Publish(publish) => {
                let step = self.publish(&publish, self.formats(publish.connection))?;
                Ok(Plan::new(step, Course::Judge(judge_publish)))
            }
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
                let filters: Vec<_> = filters
                    .iter()
                    .map(|TopicFilter { filter, qos }| (&**filter, Some(*qos)))
                    .collect();
                self.subscription(connection, message_id, SUB, &filters)
            }
            Operation::Unsubscribe {
                connection,
                message_id,
                filters,
            } => {
                let filters: Vec<_> = filters.iter().map(|filter| (&**filter, None)).collect();
                self.subscription(connection, message_id, UNS, &filters)
            }
            Operation::Read {
                connection,
                message_id,
            } => {
                let step = self.step(RECV, connection, None, |writer| {
                    writer.integer(message_id);
                    Ok(())
                })?;
                Ok(Plan::new(step, Course::Judge(done_or_failed)))
            }
            Operation::ListUnread => Ok(Plan::new(
                self.read_step(RECV),
                Course::Judge(done_or_failed),
            )),
            Operation::State { connection } => Ok(Plan::new(
                self.state_step(),
                Course::Follow(Box::new(connecting::StateOf(connection))),
            )),
        }
    }

    fn command(&self, line: &[u8]) -> Option<Commanded> {
        if let Some(commanded) = tls::command(line) {
            return Some(commanded);
        }
        let request = self.request_in(line)?;
        let command = request::command_in(line, &self.dialect)?;
        let ask = match &request {
            Request::Publish(_, Payload::Ended) => Some(ask(None)),
            Request::Publish(_, Payload::Counted(length))
            | Request::Configure {
                setting: Setting::WillLater(_, length),
                ..
            } => Some(ask(Some(*length))),
            _ => None,
        };
        let connection = request.connection().unwrap_or_default();
        let name = self.dialect.spec(command.name)?.name;
        let limit = match command.form {
            Form::Set(_) => self.limit(name, connection),
            _ => QUERY,
        };
        Some(Commanded {
            intent: intent::of_request(&request),
            ask,
            report: request.expected(),
            limit,
        })
    }

    fn carried_out(&mut self, line: &[u8]) -> Option<Caching> {
        if self.files.carried_out(line) {
            return None;
        }
        let command = request::command_in(line, &self.dialect)?;
        if !command.is(CFG) {
            return None;
        }
        let Ok(Request::Configure {
            connection,
            setting,
        }) = request::decode(&command, &self.dialect, &self.limits)
        else {
            return None;
        };
        let place = self.place(connection);
        let known = &mut self.connections[place];
        match setting {
            Setting::ReceiveMode {
                buffered,
                show_length,
            } => {
                known.formats.show_length = show_length;
                let on = buffered;
                return Some(Caching { connection, on });
            }
            Setting::SendMode(hex) => known.formats.send_hex = hex,
            Setting::DataFormats(send, receive) => {
                known.formats.send_hex = send;
                known.formats.receive_hex = receive;
            }
            Setting::ViewMode(one_line) => known.formats.next_line = !one_line,
            Setting::Timeouts(timeouts) => {
                let tries = u32::from(timeouts.retries) + 1;
                let packet = Duration::from_secs(timeouts.packet_seconds.into());
                known.patience = Some(packet * tries + QUERY);
            }
            _ => {}
        }
        None
    }

    fn started(&mut self) {
        self.forget_settings();
        self.files.forget();
    }

    fn estranged(&mut self) {
        self.files.forget();
    }

    fn set_limits(&mut self, limits: &Limits) {
        self.limits = limits.clone();
        let known = usize::from(limits.connections) + 1;
        if known > self.connections.len() {
            self.forget_settings();
        }
    }

    fn check_publish(&self, connect: &Connect, publish: Publish) -> Result<(), EncodeError> {
        let formats = Formats {
            send_hex: connecting::sends_hex(&self.dialect, connect)?,
            ..Formats::default()
        };
        self.publish(&publish, formats).map(drop)
    }

    fn extent(&self, line: &[u8]) -> Extent {
        received::extent(line, |connection| self.formats(connection), &self.limits)
    }

    fn read(&mut self, line: &[u8], pending: Option<&[u8]>) -> Option<Said> {
        if !line.starts_with(b"+Q") {
            return None;
        }
        if let Some(pending) = pending {
            if tls::answers(line, pending) {
                return Some(Said::Answer(Answer::Other));
            }
            let formats = |connection| self.formats(connection);
            let request = self.request_in(pending);
            let answer = request
                .and_then(|request| information::decode(&request, line, formats, &self.limits));
            if let Some(answer) = answer {
                return Some(Said::Answer(answer));
            }
        }
        let formats = |connection| self.formats(connection);
        let urc = match urc::decode(line, formats, &self.limits)? {
            // What comes of it is told later; how often it was sent proves nothing.
            Line::SentAgain(_) => return Some(Said::Part),
            Line::Urc(urc) => urc,
        };
        if let Urc::Opened {
            connection,
            result: Err(_),
        } = urc
        {
            // Perhaps the module has not what it is thought to have.
            self.files.forget_those_of(connection);
        }
        Some(Said::Urc(urc))
    }

    fn addressee(&self, line: &[u8]) -> Option<ConnectionId> {
        let head = received::head(line).ok()?;
        head.body.starts_with(b"\"").then_some(head.connection)
    }

    fn power(&self, line: &[u8]) -> Option<Power> {
        self.dialect.power(line)
    }
}
