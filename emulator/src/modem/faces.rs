//! The commands of the dialect and of vendor sets: how they are carried out, and how their outcomes
//! are reported.

use std::collections::BTreeMap;
use std::time::Instant;

use atmq_protocol::at::command::{Command, Form};
use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::dialect::{Act, Event, Face, Finish, Ground, NoData, Refused};
use atmq_protocol::mqtt::{
    ConnectionId, ConnectionState, PublishResult, ReasonKind, SubscriptionChange, TlsKey,
    TlsSetting, TopicFilter,
};
use atmq_protocol::spec::Spec;

use super::Modem;
use super::command::Done;
use super::connection::{Connection, Link};
use super::data::Asked;
use super::standard::{PacketContext, address_in, can_be_used};
use super::store::Store;
use crate::mqtt::{Publication, RequestError};
use crate::quirks::ResultOrder;

/// Whose a command is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// The dialect's.
    Dialect,
    /// That of a vendor set, by its place in the profile.
    Set(usize),
}

/// What a face may ask of the module around it.
pub(super) struct Surroundings<'m> {
    connections: &'m [Connection],
    store: &'m Store,
    contexts: &'m BTreeMap<u8, PacketContext>,
    attached: bool,
    /// In the default bearer.
    address: &'m str,
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

    fn resumed(&self, connection: ConnectionId) -> bool {
        let connection = self.connection(connection);
        connection.is_some_and(|connection| connection.resumed)
    }

    fn peer(&self, connection: ConnectionId) -> Option<(&str, u16)> {
        let (host, port) = &self.connection(connection)?.peer;
        Some((host, *port))
    }

    fn is_active(&self, cid: u8) -> bool {
        can_be_used(self.contexts, self.attached, cid)
    }

    fn address(&self, cid: u8) -> Option<String> {
        let active = self.is_active(cid);
        active.then(|| address_in(self.address, cid))
    }

    fn tls(&self, context: u8, key: TlsKey) -> TlsSetting<'_> {
        self.store.setting(context, key)
    }

    fn has_room(&self, name: &str) -> bool {
        self.store.has_room(name)
    }

    fn file(&self, name: &str) -> Option<&[u8]> {
        self.store.file(name)
    }

    fn files(&self) -> Vec<&str> {
        self.store.files()
    }
}

impl Modem {
    /// Asks a face what to do, with what is around it. That of a vendor set is made when it is used
    /// first.
    fn consult(
        &mut self,
        whose: Whose,
        acts: &mut Vec<Act>,
        what: impl FnOnce(&mut dyn Face, &dyn Ground, &mut Vec<Act>) -> Result<Finish, Refused>,
    ) -> Result<Finish, Refused> {
        let ground = Surroundings {
            contexts: &self.contexts,
            attached: self.is_attached(),
            address: &self.profile.identity.address,
            connections: &self.connections,
            store: &self.store,
        };
        let face: &mut dyn Face = match whose {
            Whose::Dialect => &mut *self.face,
            Whose::Set(place) => {
                let make = self.profile.vendor_sets[place].face;
                let make = make.ok_or(Refused::Unknown)?;
                &mut **self.sets[place].get_or_insert_with(|| make(&self.profile.limits))
            }
        };
        what(face, &ground, acts)
    }

    /// The vendor set with a face that a command belongs to, and what is known of it there.
    pub(super) fn vendor_set(&self, name: &[u8]) -> Option<(Whose, &'static Spec)> {
        let mut sets = self.profile.vendor_sets.iter().enumerate();
        sets.find_map(|(place, set)| {
            set.face?;
            Some((Whose::Set(place), set.find(name)?))
        })
    }

    /// Carries out a command of a vendor set, whose table answers the test form.
    pub(super) fn execute_vendors(
        &mut self,
        (whose, spec): (Whose, &'static Spec),
        command: &Command<'_>,
        now: Instant,
    ) -> Result<Done, Refused> {
        if !spec.has(command.form) {
            return Err(Refused::NOT_ALLOWED);
        }
        match command.form {
            Form::Test => {
                self.execute_stored(spec, command.form)?;
                Ok(Done::Answered)
            }
            _ => self.execute_owned(whose, command, now),
        }
    }

    /// Carries out a command that a face owns.
    pub(super) fn execute_owned(
        &mut self,
        whose: Whose,
        command: &Command<'_>,
        now: Instant,
    ) -> Result<Done, Refused> {
        let mut acts = Vec::new();
        let finish = self.consult(whose, &mut acts, |face, ground, acts| {
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
        self.go_on(whose, finish?, acts, now)
    }

    /// Hands over the data that a face has asked for.
    pub(super) fn hand_over(
        &mut self,
        whose: Whose,
        data: &[u8],
        now: Instant,
    ) -> Result<Done, Refused> {
        let mut acts = Vec::new();
        let finish = self.consult(whose, &mut acts, |face, ground, acts| {
            face.data(data, ground, acts)
        });
        self.go_on(whose, finish?, acts, now)
    }

    /// Tells a face that the data does not come.
    pub(super) fn hand_over_none(
        &mut self,
        whose: Whose,
        why: NoData,
        now: Instant,
    ) -> Result<Done, Refused> {
        let mut acts = Vec::new();
        let finish = self.consult(whose, &mut acts, |face, _, acts| face.no_data(why, acts));
        self.go_on(whose, finish?, acts, now)
    }

    /// Tells a face what has happened.
    pub(super) fn notice(&mut self, whose: Whose, event: Event, now: Instant) {
        let mut acts = Vec::new();
        match whose {
            Whose::Dialect => self.face.noticed(event, &mut acts),
            Whose::Set(place) => {
                if let Some(face) = &mut self.sets[place] {
                    face.noticed(event, &mut acts);
                }
            }
        }
        self.perform_all(whose, acts, now);
    }

    /// Tells every face that a packet data context has changed.
    pub(super) fn notice_context(&mut self, cid: u8, active: bool, now: Instant) {
        let sets = (0..self.sets.len()).map(Whose::Set);
        for whose in [Whose::Dialect].into_iter().chain(sets) {
            self.notice(whose, Event::Context { cid, active }, now);
        }
    }

    /// Does what a command does that is not refused.
    fn go_on(
        &mut self,
        whose: Whose,
        finish: Finish,
        acts: Vec<Act>,
        now: Instant,
    ) -> Result<Done, Refused> {
        self.outcome = None;
        if let Finish::Reported(id) = finish {
            self.begin_outcome(id, now);
        }
        if finish == Finish::Announced {
            self.announce_from = now + self.spread(self.profile.latency.result);
        }
        for act in acts {
            self.perform(whose, act, now)?;
        }
        self.settle(now);
        Ok(match finish {
            Finish::Reported(_) if self.profile.quirks.result_order != ResultOrder::OkFirst => {
                Done::Reported
            }
            Finish::Outcome(limit) => Done::Outcome(limit),
            Finish::Data(ask) => Done::Data(Asked { whose, ask }),
            Finish::Silently => Done::Silent,
            // `OK`.
            _ => Done::Answered,
        })
    }

    pub(super) fn perform_all(&mut self, whose: Whose, acts: Vec<Act>, now: Instant) {
        for act in acts {
            if let Err(refused) = self.perform(whose, act, now) {
                tracing::debug!(?refused, "what follows an event cannot be done");
            }
        }
    }

    fn perform(&mut self, whose: Whose, act: Act, now: Instant) -> Result<(), Refused> {
        match act {
            Act::Say(line) => self.output.line(|out| out.extend_from_slice(&line)),
            Act::Stream(bytes) => {
                self.output.result(&FinalResult::Connect(None));
                self.output.raw(&bytes);
            }
            Act::Announce(line) => self.urc(self.announce_from.max(now), &line),
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
            Act::Remove { name } => self.store.remove(&name),
            Act::DefineContext {
                cid,
                kind,
                access_point,
            } => self.define(cid, kind, access_point),
            Act::Activate { cid, active } => self.activate_for_face(cid, active, now),
            Act::Request(request) => self.request(whose, *request, now),
            Act::DropRequest => drop(self.drop_request()),
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
