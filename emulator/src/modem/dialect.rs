//! The dialect's commands: how they are carried out, and how their outcomes are reported.

use std::collections::BTreeMap;
use std::time::Instant;

use atmq_protocol::at::command::Command;
use atmq_protocol::dialect::{Act, Finish, Ground, Module, NoData, Refused};
use atmq_protocol::mqtt::{
    ConnectionId, ConnectionState, PublishResult, ReasonKind, SubscriptionChange, TlsKey,
    TlsSetting, TopicFilter,
};

use super::Modem;
use super::command::Done;
use super::connection::{Connection, Link};
use super::data::Asked;
use super::standard::{PacketContext, can_be_used};
use super::store::Store;
use crate::mqtt::{Publication, RequestError};
use crate::quirks::ResultOrder;

/// What the dialect may ask of the module around it.
pub(super) struct Surroundings<'m> {
    connections: &'m [Connection],
    store: &'m Store,
    contexts: &'m BTreeMap<u8, PacketContext>,
    attached: bool,
}

impl Surroundings<'_> {
    fn connection(&self, id: ConnectionId) -> Option<&Connection> {
        let connection = self.connections.get(usize::from(id.0))?;
        (!connection.is_closed()).then_some(connection)
    }
}

impl Ground for Surroundings<'_> {
    fn state(&self, connection: ConnectionId) -> Option<ConnectionState> {
        self.connection(connection)?.state()
    }

    fn is_open(&self, connection: ConnectionId) -> bool {
        let connection = self.connection(connection);
        connection.is_some_and(|connection| matches!(connection.link, Link::Open))
    }

    fn peer(&self, connection: ConnectionId) -> Option<(&str, u16)> {
        let (host, port) = &self.connection(connection)?.peer;
        Some((host, *port))
    }

    fn is_active(&self, cid: u8) -> bool {
        can_be_used(self.contexts, self.attached, cid)
    }

    fn tls(&self, context: u8, key: TlsKey) -> TlsSetting<'_> {
        self.store.setting(context, key)
    }

    fn has_room(&self, name: &str) -> bool {
        self.store.has_room(name)
    }
}

impl Modem {
    /// Asks the dialect's face what to do, with what is around it.
    fn consult(
        &mut self,
        acts: &mut Vec<Act>,
        what: impl FnOnce(&mut dyn Module, &dyn Ground, &mut Vec<Act>) -> Result<Finish, Refused>,
    ) -> Result<Finish, Refused> {
        let ground = Surroundings {
            contexts: &self.contexts,
            attached: self.is_attached(),
            connections: &self.connections,
            store: &self.store,
        };
        what(&mut *self.face, &ground, acts)
    }

    /// Carries out a command that the dialect owns.
    pub(super) fn execute_owned(
        &mut self,
        command: &Command<'_>,
        now: Instant,
    ) -> Result<Done, Refused> {
        let mut acts = Vec::new();
        let finish = self.consult(&mut acts, |face, ground, acts| {
            face.command(command, ground, acts)
        });
        acts.retain(|act| match act {
            Act::Note(intent) => {
                self.lint.note(intent, command, &*self.profile.dialect);
                false
            }
            Act::Unreadable(error) => {
                tracing::debug!(%error, "bad parameter");
                self.lint.unreadable(command, error);
                false
            }
            _ => true,
        });
        self.go_on(finish?, acts, now)
    }

    /// Hands over the data that the dialect has asked for.
    pub(super) fn hand_over(&mut self, data: &[u8], now: Instant) -> Result<Done, Refused> {
        let mut acts = Vec::new();
        let finish = self.consult(&mut acts, |face, ground, acts| {
            face.data(data, ground, acts)
        });
        self.go_on(finish?, acts, now)
    }

    /// Tells the dialect that the data does not come.
    pub(super) fn hand_over_none(&mut self, why: NoData, now: Instant) -> Result<Done, Refused> {
        let mut acts = Vec::new();
        let finish = self.face.no_data(why, &mut acts)?;
        self.go_on(finish, acts, now)
    }

    /// Does what a command does that is not refused.
    pub(super) fn go_on(
        &mut self,
        finish: Finish,
        acts: Vec<Act>,
        now: Instant,
    ) -> Result<Done, Refused> {
        self.outcome = None;
        if let Finish::Reported(id) = finish {
            self.begin_outcome(id, now);
        }
        for act in acts {
            self.perform(act, now)?;
        }
        self.settle(now);
        Ok(match finish {
            Finish::Reported(_) if self.profile.quirks.result_order != ResultOrder::OkFirst => {
                Done::Reported
            }
            Finish::Outcome(limit) => Done::Outcome(limit),
            Finish::Data(ask) => Done::Data(Asked::by_dialect(ask)),
            Finish::Silently => Done::Silent,
            // `OK`.
            _ => Done::Answered,
        })
    }

    pub(super) fn perform_all(&mut self, acts: Vec<Act>, now: Instant) {
        for act in acts {
            if let Err(refused) = self.perform(act, now) {
                tracing::debug!(?refused, "what follows an event cannot be done");
            }
        }
    }

    fn perform(&mut self, act: Act, now: Instant) -> Result<(), Refused> {
        match act {
            Act::Say(line) => self.output.line(|out| out.extend_from_slice(&line)),
            Act::Report(report) => self.report(&report, now),
            Act::Open {
                connection,
                host,
                port,
                cid,
                tls,
            } => self.open(connection, (host, port), cid, tls),
            Act::Connect(connect) => self.connect(connect, now)?,
            Act::Subscribe {
                connection,
                message_id,
                filters,
            } => {
                let message_id = message_id.unwrap_or(CLIENTS_CHOICE);
                let filters: Vec<_> = filters
                    .iter()
                    .map(|TopicFilter { filter, qos }| (&**filter, *qos))
                    .collect();
                let client = self.client(connection)?;
                let result = client.subscribe(message_id, &filters, now);
                let change = SubscriptionChange::Subscribed;
                self.check_subscription(connection, message_id, change, result, now);
            }
            Act::Unsubscribe {
                connection,
                message_id,
                filters,
            } => {
                let message_id = message_id.unwrap_or(CLIENTS_CHOICE);
                let filters: Vec<_> = filters.iter().map(|filter| &**filter).collect();
                let client = self.client(connection)?;
                let result = client.unsubscribe(message_id, &filters, now);
                let change = SubscriptionChange::Unsubscribed;
                self.check_subscription(connection, message_id, change, result, now);
            }
            Act::Publish {
                connection,
                message_id,
                qos,
                retain,
                topic,
                payload,
            } => {
                let message_id = message_id.unwrap_or(CLIENTS_CHOICE);
                let publication = Publication {
                    message_id,
                    qos,
                    retain,
                    topic: &topic,
                    payload: &payload,
                };
                match self.client(connection)?.publish(&publication, now) {
                    Ok(()) => self.messages.published += 1,
                    Err(error) => {
                        let reason = reason_of(&error).into();
                        let result = PublishResult::NotSent;
                        self.tell_published(connection, message_id, result, reason, now);
                    }
                }
            }
            Act::Disconnect { connection, freed } => self.disconnect(connection, freed, now)?,
            Act::Close { connection } => self.close(connection, now)?,
            Act::ConfigureTls { context, setting } => self.store.configure(context, setting),
            Act::Store { name, bytes } => self.store.write(name, bytes),
            Act::Finish(result) => {
                // What was reported before it is heard before it.
                self.output.release(now);
                self.outcome = Some(result);
            }
            // Notes are taken where the command is known.
            _ => {}
        }
        Ok(())
    }

    fn check_subscription(
        &mut self,
        id: ConnectionId,
        message_id: u16,
        change: SubscriptionChange,
        result: Result<(), RequestError>,
        now: Instant,
    ) {
        if let Err(error) = result {
            let reason = reason_of(&error).into();
            self.tell_subscription(id, message_id, change, Err(reason), now);
        }
    }
}

/// Not a packet identifier: the client chooses one.
const CLIENTS_CHOICE: u16 = 0;

/// Why a packet was not sent.
fn reason_of(error: &RequestError) -> ReasonKind {
    match error {
        RequestError::NotConnected | RequestError::TooManyInFlight { .. } => ReasonKind::NotSent,
        RequestError::IdInFlight { .. } | RequestError::Unencodable(_) => ReasonKind::BadParameter,
    }
}

#[cfg(test)]
mod tests;
