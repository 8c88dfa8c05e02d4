//! The module's face: what the commands do, and how the module reports what has happened.

mod client;
mod execute;
mod query;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::codes;
use super::request::{self, Taken};
use super::table::{
    CONNECT, DISC, PAYLOAD, START, SUB, SUBTOPIC, TOPIC, UNSUB, UNSUBTOPIC, WILLMSG, WILLTOPIC,
};
use super::{Cmqtt, Family, host, receive, report};
use crate::at::command::{Command, Form};
use crate::dialect::{
    Act, DecodeError, Dialect, Event, Face, Finish, Ground, Module, NoData, Refused, Report,
};
use crate::limits::Limits;
use crate::mqtt::{Connected, ConnectionId, LinkStatus, OpenFailure, SubscriptionChange, Urc};
use client::Client;

/// After so long a command that waits for its outcome is given up (documented for SIM7600).
const PATIENCE: Duration = Duration::from_secs(120);

/// A module that speaks CMQTT.
#[derive(Debug)]
pub(super) struct CmqttModule {
    dialect: Cmqtt,
    limits: Limits,
    service: Service,
    /// The packet data context of the service.
    cid: u8,
    clients: Vec<Client>,
    /// What the data is for that was asked for.
    asked: Option<(ConnectionId, Asked)>,
    /// The command whose final result code waits for what comes of it.
    held: Option<(ConnectionId, &'static str)>,
}

/// How far the service is that the clients need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    Stopped,
    /// What comes of the context decides; whether it was named by the command.
    Starting {
        named: bool,
    },
    Runs,
}

/// What data is for.
#[derive(Debug)]
enum Asked {
    Part(Taken),
    /// The payload of a message whose topic stood on the line.
    Message(client::Draft),
}

impl CmqttModule {
    pub(super) fn new(dialect: Cmqtt, limits: Limits) -> Self {
        let clients = (0..limits.connections).map(|_| Client::default()).collect();
        Self {
            dialect,
            limits,
            service: Service::Stopped,
            cid: 1,
            clients,
            asked: None,
            held: None,
        }
    }

    fn client(&mut self, ConnectionId(id): ConnectionId) -> &mut Client {
        &mut self.clients[usize::from(id)]
    }

    fn ids(&self) -> impl Iterator<Item = ConnectionId> + use<> {
        (0..self.limits.connections).map(ConnectionId)
    }

    /// `OK` at once, or held back until the outcome has been reported.
    fn reported(&mut self, name: &'static str, id: ConnectionId) -> Finish {
        let held = match (name, self.dialect.family) {
            // Measured: a link that cannot be made is told before `ERROR`.
            (CONNECT, Family::A76xx) => true,
            // Measured of SIM7600, documented for A76xx.
            (DISC, Family::A76xx | Family::Sim76xx) => true,
            _ => false,
        };
        if !held {
            return Finish::Reported(id);
        }
        self.held = Some((id, name));
        Finish::Outcome(PATIENCE)
    }

    /// Whether `OK` of this command is held back; it is no longer.
    fn release(&mut self, name: &'static str, id: ConnectionId) -> bool {
        let held = self.held == Some((id, name));
        if held {
            self.held = None;
        }
        held
    }

    /// A link was not made, or the broker has not taken the client.
    fn not_connected(&mut self, urc: Urc, acts: &mut Vec<Act>) {
        let id = urc.connection();
        self.client(id).disconnected();
        let held = self.release(CONNECT, id);
        // What a handshake comes to was seen behind `OK`.
        let tried = matches!(
            urc,
            Urc::Connected { .. }
                | Urc::Opened {
                    result: Err(OpenFailure::Tls),
                    ..
                }
        );
        if held && tried {
            acts.push(Act::Finish(Ok(())));
        }
        acts.push(Act::Report(self.report(urc)));
        if held && !tried {
            acts.push(Act::Finish(Err(Refused::Plain)));
        }
    }

    /// The link is lost, and what was under way on it.
    fn lost(&mut self, id: ConnectionId, status: LinkStatus, acts: &mut Vec<Act>) {
        if self.client(id).connecting {
            let result = Connected::Failed(codes::NOT_ANSWERED);
            let connection = id;
            return self.not_connected(Urc::Connected { connection, result }, acts);
        }
        if !self.client(id).connected {
            return;
        }
        let was = self.client(id).disconnected();
        let subscription = |change| Urc::SubscriptionChanged {
            connection: id,
            message_id: 0,
            change: Some(change),
            result: Err(codes::LOST),
        };
        let unfinished = [
            was.publishing.then(|| report::unpublished(id, codes::LOST)),
            was.subscribing
                .then(|| subscription(SubscriptionChange::Subscribed)),
            was.unsubscribing
                .then(|| subscription(SubscriptionChange::Unsubscribed)),
            Some(Urc::Status {
                connection: id,
                status,
                code: None,
            }),
        ];
        for urc in unfinished.into_iter().flatten() {
            acts.push(Act::Report(self.report(urc)));
        }
    }

    /// A failure that is told at once: a line, and `ERROR` behind it.
    fn fail(name: &str, ConnectionId(id): ConnectionId, code: i32, acts: &mut Vec<Act>) -> Finish {
        Self::refuse(format!("{name}: {id},{code}"), acts)
    }

    fn refuse(line: String, acts: &mut Vec<Act>) -> Finish {
        acts.push(Act::Say(line.into_bytes()));
        acts.push(Act::Finish(Err(Refused::Plain)));
        Finish::Outcome(PATIENCE)
    }

    /// What came of starting the service.
    fn started(&mut self, active: bool, named: bool, acts: &mut Vec<Act>) {
        let (service, code) = match active {
            true => (Service::Runs, codes::DONE),
            false => (Service::Stopped, codes::NO_NETWORK),
        };
        self.service = service;
        let mut line = format!("{START}: {code}");
        if named {
            line.push_str(&format!(",{}", self.cid));
        }
        match self.dialect.family {
            Family::Sim76xx => {
                acts.push(Act::Say(line.into_bytes()));
                let result = if active { Ok(()) } else { Err(Refused::Plain) };
                acts.push(Act::Finish(result));
            }
            Family::A76xx | Family::Sim767x => acts.push(Act::Announce(line.into_bytes())),
        }
    }
}

impl Face for CmqttModule {
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
        self.held = None;
        let (id, request) = match request::decode(&self.dialect, command, &self.limits) {
            Ok(decoded) => decoded,
            Err(error) => {
                if let DecodeError::Parameter(error) = error {
                    acts.push(Act::Unreadable(error));
                }
                return Err(Refused::Plain);
            }
        };
        let name = self.dialect.spec(command.name).map_or("", |spec| spec.name);
        let intent = host::intent(name, id, request);
        acts.push(Act::Note(self.known(intent)));
        self.execute(name, id, request, ground, acts)
    }

    fn data(
        &mut self,
        data: &[u8],
        _: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        match self.asked.take() {
            Some((id, Asked::Part(taken))) => Ok(self.take(id, taken, data, acts)),
            Some((id, Asked::Message(draft))) => {
                let payload = data.to_vec();
                Ok(self.publish(id, client::Draft { payload, ..draft }, acts))
            }
            None => Ok(Finish::Ok),
        }
    }

    fn no_data(&mut self, _: NoData, _: &mut Vec<Act>) -> Result<Finish, Refused> {
        self.asked = None;
        Err(Refused::Plain)
    }

    fn noticed(&mut self, event: Event, acts: &mut Vec<Act>) {
        let Event::Context { cid, active } = event else {
            return;
        };
        if cid != self.cid {
            return;
        }
        match self.service {
            Service::Starting { named } => self.started(active, named, acts),
            Service::Runs if !active => {
                for id in self.ids() {
                    self.lost(id, LinkStatus::Closed, acts);
                    *self.client(id) = Client::default();
                }
                self.service = Service::Stopped;
                acts.push(Act::Announce(report::NO_NETWORK.into()));
            }
            _ => {}
        }
    }

    fn restarted(&mut self) {
        *self = Self::new(self.dialect.clone(), self.limits.clone());
    }
}

impl Module for CmqttModule {
    fn happened(&mut self, urc: Urc, acts: &mut Vec<Act>) {
        let id = urc.connection();
        match &urc {
            Urc::Opened { result: Ok(()), .. } => {
                if self.release(CONNECT, id) {
                    acts.push(Act::Finish(Ok(())));
                }
            }
            Urc::Opened { .. } => self.not_connected(urc, acts),
            Urc::Connected {
                result: Connected::Accepted,
                ..
            } => {
                let client = self.client(id);
                client.connecting = false;
                client.connected = true;
                acts.push(Act::Report(self.report(urc)));
            }
            Urc::Connected { .. } => {
                self.not_connected(urc, acts);
                acts.push(Act::Close { connection: id });
            }
            Urc::SubscriptionChanged { change, result, .. } => {
                let unsubscribed = *change == Some(SubscriptionChange::Unsubscribed);
                if self.client(id).changed(unsubscribed, result.is_ok()) {
                    acts.push(Act::Report(self.report(urc)));
                }
            }
            Urc::Published { .. } => {
                if core::mem::take(&mut self.client(id).publishing) {
                    acts.push(Act::Report(self.report(urc)));
                }
            }
            Urc::Closed { .. } | Urc::Disconnected { .. } => {
                if core::mem::take(&mut self.client(id).disconnecting) {
                    self.client(id).disconnected();
                    acts.push(Act::Report(self.report(urc)));
                    if self.release(DISC, id) {
                        acts.push(Act::Finish(Ok(())));
                    }
                }
            }
            Urc::Received { .. } => acts.push(Act::Report(self.report(urc))),
            Urc::Status { status, .. } => {
                if *status != LinkStatus::Fine {
                    self.lost(id, *status, acts);
                }
            }
            Urc::Buffered { .. } => {}
        }
    }

    /// Nothing is said of it.
    fn sent_again(&mut self, _: ConnectionId, _: u16, _: u32, _: &mut Vec<Act>) {}

    fn report(&self, urc: Urc) -> Report {
        let Urc::Received {
            connection,
            topic,
            payload,
            ..
        } = &urc
        else {
            return Report {
                line: match &urc {
                    Urc::Status {
                        connection,
                        status: LinkStatus::PingTimeout,
                        ..
                    } if self.dialect.family == Family::Sim76xx => report::unanswered(*connection),
                    urc => report::encode(urc),
                }
                .into_bytes(),
                outcome: !matches!(urc, Urc::Status { .. } | Urc::Buffered { .. }),
                unframed: false,
                urc,
            };
        };
        let one_line = self.clients.get(usize::from(connection.0));
        let one_line = one_line.and_then(|client| client.one_line);
        Report {
            line: match one_line {
                Some(length) => receive::encode_one_line(*connection, topic, payload, length),
                None => {
                    let blank = self.dialect.family == Family::Sim767x;
                    receive::encode(*connection, topic, payload, self.dialect.piece, blank)
                }
            },
            outcome: false,
            unframed: one_line == Some(false)
                && memchr::memchr3(b'\r', b'\n', 0, payload).is_some(),
            urc,
        }
    }

    fn freed(&mut self, _: ConnectionId) {}

    fn releases_quickly(&self, _: ConnectionId) -> bool {
        false
    }
}

/// The command that takes it.
const fn reports(taken: Taken) -> &'static str {
    match taken {
        Taken::WillTopic => WILLTOPIC,
        Taken::WillMessage(_) => WILLMSG,
        Taken::Topic => TOPIC,
        Taken::Payload => PAYLOAD,
        Taken::Filter(_) => SUBTOPIC,
        Taken::UnwantedFilter => UNSUBTOPIC,
        Taken::OneFilter(_) => SUB,
        Taken::OneUnwantedFilter => UNSUB,
    }
}
