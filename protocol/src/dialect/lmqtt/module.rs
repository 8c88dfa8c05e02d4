//! The module's face: what the commands do, and how the module reports what has happened.

mod cache;
mod configuration;
mod execute;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::{
    Context, DataFormat, FormatTable, Formats, Information, Lmqtt, information, intent, urc,
};
use crate::at::command::{Command, Form};
use crate::dialect::DecodeError;
use crate::dialect::{Act, Dialect, Face, Finish, Ground, Module, NoData, Refused, Report};
use crate::limits::Limits;
use crate::mqtt::{
    ConnectionId, ConnectionState, LinkStatus, PublishResult, QoS, Reason, ReasonKind, Urc,
};
use cache::{Cache, Message, Stored};
use configuration::Configuration;

/// A module that speaks LMQTT.
#[derive(Debug)]
pub(super) struct LmqttModule {
    dialect: Lmqtt,
    limits: Limits,
    formats: FormatTable,
    connections: Vec<Connection>,
    /// What the data is for that was asked for.
    asked: Option<Asked>,
}

/// What is remembered of a connection.
#[derive(Debug)]
struct Connection {
    configuration: Configuration,
    /// Messages that wait to be read.
    cache: Cache,
    /// msgIDs of extended publishes whose outcome is not yet known.
    extended: Vec<u16>,
}

/// What data is for.
#[derive(Debug)]
enum Asked {
    /// The payload of a message.
    Payload(Box<Publish>),
    /// The file of this name.
    File(String),
}

/// A publish without its payload.
#[derive(Debug)]
struct Publish {
    connection: ConnectionId,
    message_id: u16,
    qos: QoS,
    retain: bool,
    topic: String,
    /// By the command that knows no other way than the prompt.
    extended: bool,
}

impl LmqttModule {
    pub(super) fn new(dialect: Lmqtt, limits: Limits) -> Self {
        let mut module = Self {
            dialect,
            limits,
            formats: FormatTable::default(),
            connections: Vec::new(),
            asked: None,
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

    /// An information response.
    fn inform(&self, information: &Information<'_>, acts: &mut Vec<Act>) {
        let mut line = Vec::new();
        information::encode(
            information,
            self.dialect.hex_length,
            &self.formats,
            &mut line,
        );
        acts.push(Act::Say(line));
    }

    fn report_as(&self, urc: Urc, extended: bool) -> Report {
        let mut line = Vec::new();
        urc::encode(&urc, extended, &self.dialect, &self.formats, &mut line);
        let unframed = match &urc {
            Urc::Received {
                connection,
                payload,
                ..
            } => {
                let formats = self.formats[*connection];
                formats.receive == DataFormat::Text
                    && !formats.show_length
                    && memchr::memchr3(b'\r', b'\n', 0, payload).is_some()
            }
            _ => false,
        };
        Report {
            line,
            outcome: !matches!(
                urc,
                Urc::Received { .. } | Urc::Buffered { .. } | Urc::Status { .. }
            ),
            unframed,
            urc,
        }
    }

    /// A message waits from now on, if there is room for it.
    fn keep(&mut self, connection: ConnectionId, message: Message, acts: &mut Vec<Act>) {
        let message_id = message.message_id;
        let Lmqtt {
            cache_slots,
            cache_overflow,
            ..
        } = self.dialect;
        let cache = &mut self.connection(connection).cache;
        let stored = cache.store(message, cache_slots, cache_overflow);
        if let Stored::Replaced { report: true } | Stored::Dropped { report: true } = stored {
            let urc = Urc::Status {
                connection,
                status: LinkStatus::CacheOverflow,
                code: None,
            };
            acts.push(Act::Report(self.report(urc)));
        }
        if !matches!(stored, Stored::Dropped { .. }) {
            let urc = Urc::Buffered {
                connection,
                message_id,
            };
            acts.push(Act::Report(self.report(urc)));
        }
    }
}

impl Face for LmqttModule {
    fn command(
        &mut self,
        command: &Command<'_>,
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        if command.form == Form::Test {
            let lines = self.dialect.describe(command, &self.limits);
            acts.extend(lines.into_iter().map(|line| Act::Say(line.into_bytes())));
            return Ok(Finish::Ok);
        }
        let context = Context {
            limits: &self.limits,
            formats: &self.formats,
        };
        let request = match self.dialect.decode_request(command, context) {
            Ok(request) => request,
            Err(error) => {
                if let DecodeError::Parameter(error) = error {
                    acts.push(Act::Unreadable(error));
                }
                return Err(Refused::NOT_ALLOWED);
            }
        };
        acts.push(Act::Note(intent::of_request(&request, &self.formats)));
        self.execute(request, ground, acts)
    }

    fn data(
        &mut self,
        data: &[u8],
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        match self.asked.take() {
            // Frames are the host's matter here (an ECMT host was seen to send its own).
            Some(Asked::Payload(publish)) => {
                connected(publish.connection, ground)?;
                let payload = self.formats[publish.connection].send.decode(data);
                let payload = payload.ok_or(Refused::NOT_ALLOWED)?.into_owned();
                Ok(self.publish(*publish, payload, acts))
            }
            Some(Asked::File(name)) => {
                let bytes = data.to_vec();
                acts.push(Act::Store { name, bytes });
                Ok(Finish::Ok)
            }
            None => Ok(Finish::Ok),
        }
    }

    fn no_data(&mut self, why: NoData, _: &mut Vec<Act>) -> Result<Finish, Refused> {
        self.asked = None;
        match why {
            NoData::Left => Ok(Finish::Ok),
            NoData::Late => Err(Refused::NOT_ALLOWED),
        }
    }

    fn restarted(&mut self) {
        self.formats = FormatTable::default();
        self.asked = None;
        let connection = |_| Connection {
            configuration: Configuration::new(self.dialect.result_urcs),
            cache: Cache::default(),
            extended: Vec::new(),
        };
        self.connections = self.ids().map(connection).collect();
    }
}

impl Module for LmqttModule {
    fn happened(&mut self, urc: Urc, acts: &mut Vec<Act>) {
        match urc {
            Urc::Received {
                connection,
                message_id,
                topic,
                payload,
            } if self.configuration(connection).cache => {
                let message = Message {
                    message_id,
                    topic,
                    payload,
                };
                self.keep(connection, message, acts);
            }
            Urc::Published {
                connection,
                message_id,
                ..
            } => {
                let extended = &mut self.connection(connection).extended;
                let at = extended.iter().position(|id| *id == message_id);
                let extended = at.map(|at| extended.remove(at)).is_some();
                if self.configuration(connection).result_urcs {
                    acts.push(Act::Report(self.report_as(urc, extended)));
                }
            }
            urc => acts.push(Act::Report(self.report(urc))),
        }
    }

    /// The manual has no other place for the notice than result 1, which it once calls
    /// "retransmission"; that the number of repetitions stands behind it is QMT's (inferred).
    /// Repeated subscribes are not reported: there, result 1 is failure.
    fn sent_again(
        &mut self,
        connection: ConnectionId,
        message_id: u16,
        attempt: u32,
        acts: &mut Vec<Act>,
    ) {
        let configuration = self.configuration(connection);
        if !configuration.notices() || !configuration.result_urcs {
            return;
        }
        let urc = Urc::Published {
            connection,
            message_id,
            result: PublishResult::WrongAcknowledgement,
            reason: Reason::new(ReasonKind::Unknown, i32::try_from(attempt).ok()),
        };
        acts.push(Act::Report(Report {
            outcome: false,
            ..self.report(urc)
        }));
    }

    fn report(&self, urc: Urc) -> Report {
        let extended = match &urc {
            Urc::Published {
                connection,
                message_id,
                ..
            } => self.connections[usize::from(connection.0)]
                .extended
                .contains(message_id),
            _ => false,
        };
        self.report_as(urc, extended)
    }

    fn freed(&mut self, id: ConnectionId) {
        let configuration = Configuration::new(self.dialect.result_urcs);
        let keeps_configuration = self.dialect.keeps_configuration;
        let connection = self.connection(id);
        connection.cache = Cache::default();
        connection.extended.clear();
        if !keeps_configuration {
            connection.configuration = configuration;
            self.formats[id] = Formats::default();
        }
    }

    fn releases_quickly(&self, connection: ConnectionId) -> bool {
        self.configuration(connection).quick_release
    }
}

/// A command that needs MQTT to be connected.
fn connected(connection: ConnectionId, ground: &dyn Ground) -> Result<(), Refused> {
    match ground.state(connection) {
        Some(ConnectionState::Connected) => Ok(()),
        _ => Err(Refused::NOT_ALLOWED),
    }
}
