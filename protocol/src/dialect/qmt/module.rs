//! The module's face: what the commands do, and how the module reports what has happened.

mod configuration;
mod execute;

use alloc::string::String;
use alloc::vec::Vec;

use super::received::Formats;
use super::request::{self, Publish};
use super::switches::TestForms;
use super::table::PORTS;
use super::{Qmt, intent, urc};
use crate::at::command::{Command, Form};
use crate::at::parameter::decode_hex;
use crate::dialect::Report;
use crate::dialect::{
    Act, DecodeError, Dialect as _, Face, Finish, Ground, Module, NoData, Refused,
};
use crate::limits::Limits;
use crate::mqtt::{
    Connected, ConnectionId, ConnectionState, LinkStatus, PublishResult, Reason, ReasonKind, Urc,
    Will,
};
use configuration::Configuration;

/// A module that speaks QMT.
#[derive(Debug)]
pub(super) struct QmtModule {
    dialect: Qmt,
    limits: Limits,
    connections: Vec<Connection>,
    /// What the data is for that was asked for.
    asked: Option<Asked>,
    /// The port of reports, by its place in [`PORTS`].
    port: usize,
}

/// What is remembered of a connection.
#[derive(Debug)]
struct Connection {
    configuration: Configuration,
    /// Messages that wait to be read, each in its slot.
    slots: Vec<Option<Message>>,
    /// msgIDs of publishes whose outcome is told by the extended name.
    extended: Vec<u16>,
    /// What SUBACKs have granted whose outcome is still to be told.
    granted: Vec<(u16, Vec<u8>)>,
    /// The broker has refused the client, and will close the link.
    refused: bool,
}

/// A message that waits.
#[derive(Debug)]
struct Message {
    message_id: u16,
    topic: String,
    payload: Vec<u8>,
}

/// What data is for.
#[derive(Debug)]
enum Asked {
    /// The payload of a message.
    Payload(Publish),
    /// That of a will.
    Will(ConnectionId, Will),
}

/// The return code of a SUBACK that refuses.
const REFUSED: u8 = 0x80;

impl QmtModule {
    pub(super) fn new(dialect: Qmt, limits: Limits) -> Self {
        let mut module = Self {
            dialect,
            limits,
            connections: Vec::new(),
            asked: None,
            port: 0,
        };
        module.restarted();
        module
    }

    fn connection(&mut self, id: ConnectionId) -> &mut Connection {
        &mut self.connections[usize::from(id.0)]
    }

    fn configuration(&self, id: ConnectionId) -> &Configuration {
        &self.connections[usize::from(id.0)].configuration
    }

    fn ids(&self) -> impl Iterator<Item = ConnectionId> + use<> {
        (0..self.limits.connections).map(ConnectionId)
    }

    /// Reports something, unless reports go to another port.
    fn tell(&self, report: Report, acts: &mut Vec<Act>) {
        if !self.dialect.reports_elsewhere || PORTS[self.port] != PORTS[0] {
            acts.push(Act::Report(report));
        }
    }

    fn report_as(&self, urc: Urc, extended: bool, granted: &[u8]) -> Report {
        let formats = self.configuration(urc.connection()).formats;
        let mut line = Vec::new();
        urc::encode(&urc, extended, granted, formats, &mut line);
        Report {
            line,
            outcome: !matches!(
                urc,
                Urc::Received { .. } | Urc::Buffered { .. } | Urc::Status { .. }
            ),
            unframed: matches!(&urc, Urc::Received { payload, .. } if is_unframed(payload, formats)),
            urc,
        }
    }

    /// `+QMTSTAT: <id>,<number>`
    fn tell_status(&self, connection: ConnectionId, number: u8, acts: &mut Vec<Act>) {
        let status = LinkStatus::Other(number);
        let urc = Urc::Status {
            connection,
            status,
            code: None,
        };
        let mut report = self.report_as(urc, false, &[]);
        if let Some(known) = urc::meaning_of(number)
            && let Urc::Status { status, .. } = &mut report.urc
        {
            *status = known;
        }
        self.tell(report, acts);
    }

    /// A message waits from now on, if there is room for it; else it is lost, and nobody is told
    /// (inferred).
    fn keep(&mut self, connection: ConnectionId, message: Message, acts: &mut Vec<Act>) {
        let slots = &mut self.connection(connection).slots;
        let Some(free) = slots.iter().position(Option::is_none) else {
            return;
        };
        slots[free] = Some(message);
        let urc = Urc::Buffered {
            connection,
            // There are five of them.
            message_id: free as u16,
        };
        self.tell(self.report(urc), acts);
    }
}

/// Whether nothing tells such a payload from the lines behind it.
fn is_unframed(payload: &[u8], formats: Formats) -> bool {
    let framed = formats.receive_hex || formats.show_length || formats.next_line;
    !framed && memchr::memchr3(b'\r', b'\n', 0, payload).is_some()
}

impl Face for QmtModule {
    fn command(
        &mut self,
        command: &Command<'_>,
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        if command.form == Form::Test {
            let mut lines = self.dialect.describe(command, &self.limits);
            let silently = self.dialect.test_forms == TestForms::Bg770a;
            if silently && let Some(last) = lines.last_mut() {
                // No blank line stands before the result code (measured).
                last.push_str("\r\nOK");
            }
            acts.extend(lines.into_iter().map(|line| Act::Say(line.into_bytes())));
            return Ok(match silently {
                true => Finish::Silently,
                false => Finish::Ok,
            });
        }
        let request = match request::decode(command, &self.dialect, &self.limits) {
            Ok(request) => request,
            Err(error) => {
                if let DecodeError::Parameter(error) = error {
                    acts.push(Act::Unreadable(error));
                }
                return Err(Refused::NOT_ALLOWED);
            }
        };
        acts.push(Act::Note(intent::of_request(&request)));
        self.execute(request, ground, acts)
    }

    fn data(
        &mut self,
        data: &[u8],
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        match self.asked.take() {
            Some(Asked::Payload(publish)) => {
                connected(publish.connection, ground)?;
                // What is too much is dropped.
                let data = &data[..data.len().min(self.limits.prompt_payload)];
                let formats = self.configuration(publish.connection).formats;
                let payload = match formats.send_hex {
                    true => decode_hex(data).ok_or(Refused::NOT_ALLOWED)?,
                    false => data.to_vec(),
                };
                Ok(self.publish(publish, payload, acts))
            }
            Some(Asked::Will(connection, mut will)) => {
                will.payload = data.to_vec();
                self.connection(connection).configuration.will = Some(will);
                Ok(Finish::Ok)
            }
            None => Ok(Finish::Ok),
        }
    }

    /// ESC cancels the publish: `OK`, and nothing is reported (inferred).
    fn no_data(&mut self, why: NoData, _: &mut Vec<Act>) -> Result<Finish, Refused> {
        self.asked = None;
        match why {
            NoData::Left => Ok(Finish::Ok),
            NoData::Late => Err(Refused::NOT_ALLOWED),
        }
    }

    fn restarted(&mut self) {
        self.asked = None;
        self.port = 0;
        let connection = |_| Connection {
            configuration: Configuration::new(&self.dialect),
            slots: (0..self.dialect.cache_slots).map(|_| None).collect(),
            extended: Vec::new(),
            granted: Vec::new(),
            refused: false,
        };
        self.connections = self.ids().map(connection).collect();
    }
}

impl Module for QmtModule {
    fn happened(&mut self, urc: Urc, acts: &mut Vec<Act>) {
        let id = urc.connection();
        match urc {
            Urc::Received {
                message_id,
                topic,
                payload,
                ..
            } if self.configuration(id).buffered => {
                let message = Message {
                    message_id,
                    topic,
                    payload,
                };
                self.keep(id, message, acts);
            }
            Urc::Published { message_id, .. } => {
                let extended = &mut self.connection(id).extended;
                let at = extended.iter().position(|known| *known == message_id);
                let extended = at.map(|at| extended.remove(at)).is_some();
                self.tell(self.report_as(urc, extended, &[]), acts);
            }
            Urc::SubscriptionChanged { message_id, .. } => {
                let granted = &mut self.connection(id).granted;
                let at = granted.iter().position(|(known, _)| *known == message_id);
                let mut codes = at.map_or_else(Vec::new, |at| granted.swap_remove(at).1);
                if !self.dialect.granted_vector {
                    codes.truncate(1);
                }
                self.tell(self.report_as(urc, false, &codes), acts);
            }
            Urc::Connected { result, .. } => {
                self.connection(id).refused = matches!(result, Connected::Refused(_));
                self.tell(self.report(urc), acts);
            }
            Urc::Disconnected { result, .. } => {
                self.tell(self.report(urc), acts);
                if result.is_ok() && self.dialect.disconnect_status != 0 {
                    self.tell_status(id, self.dialect.disconnect_status, acts);
                }
            }
            Urc::Status { status, .. } => {
                let refused = core::mem::take(&mut self.connection(id).refused);
                if status == LinkStatus::PingTimeout && self.dialect.ping_urc {
                    let mut report = self.report(urc);
                    report.line = alloc::format!("{}: {id},1", urc::PING).into_bytes();
                    self.tell(report, acts);
                }
                let number = match status {
                    LinkStatus::ClosedByServer if refused => Some(self.dialect.refused_status),
                    // A link that could not be opened was none.
                    status => urc::status_number(status),
                };
                if let Some(number) = number {
                    self.tell_status(id, number, acts);
                }
            }
            urc => self.tell(self.report(urc), acts),
        }
    }

    fn acknowledged(&mut self, connection: ConnectionId, message_id: u16, codes: &[u8]) {
        let granted = codes.iter().map(|code| (*code).min(REFUSED)).collect();
        self.connection(connection)
            .granted
            .push((message_id, granted));
    }

    fn sent_again(
        &mut self,
        connection: ConnectionId,
        message_id: u16,
        attempt: u32,
        acts: &mut Vec<Act>,
    ) {
        let known = &self.connections[usize::from(connection.0)];
        if !known.configuration.timeouts.notice {
            return;
        }
        let extended = known.extended.contains(&message_id);
        let urc = Urc::Published {
            connection,
            message_id,
            result: PublishResult::WrongAcknowledgement,
            reason: Reason::new(ReasonKind::Unknown, i32::try_from(attempt).ok()),
        };
        let report = Report {
            line: urc::encode_sent_again(connection, message_id, attempt, extended),
            outcome: false,
            ..self.report(urc)
        };
        self.tell(report, acts);
    }

    fn report(&self, urc: Urc) -> Report {
        let known = &self.connections[usize::from(urc.connection().0)];
        let extended = match &urc {
            Urc::Published { message_id, .. } => known.extended.contains(message_id),
            _ => false,
        };
        self.report_as(urc, extended, &[])
    }

    /// Settings are kept; messages that wait are gone (inferred).
    fn freed(&mut self, id: ConnectionId) {
        let connection = self.connection(id);
        connection.slots.iter_mut().for_each(|slot| *slot = None);
        connection.extended.clear();
        connection.granted.clear();
    }

    fn releases_quickly(&self, _: ConnectionId) -> bool {
        false
    }
}

/// A command that needs MQTT to be connected.
fn connected(connection: ConnectionId, ground: &dyn Ground) -> Result<(), Refused> {
    match ground.state(connection) {
        Some(ConnectionState::Connected) => Ok(()),
        _ => Err(Refused::NOT_ALLOWED),
    }
}
