//! Messages in, messages out, subscriptions, and the acknowledgements of all of them.

use std::sync::Arc;

use super::{ConnectionId, Core};
use crate::broker::CloseReason;
use crate::broker::Violation;
use crate::broker::packet::{PacketId, Publish, Qos, Reply};
use crate::broker::session::{Delivery, SessionKey};
use crate::broker::subscriptions::MAX_LEVELS;
use crate::broker::topic::Filter;

impl Core {
    /// PUBLISH from a client. QoS 2 messages are passed on at once and their repetitions dropped
    /// (method B of section 4.3.3).
    pub(super) fn publish(&mut self, id: ConnectionId, key: SessionKey, publish: Publish) {
        let (qos, packet_id) = (publish.qos, publish.packet_id);
        match (qos, packet_id) {
            (Qos::ExactlyOnce, Some(packet_id)) => {
                let session = self.sessions.get_mut(&key);
                if session.is_some_and(|session| session.receive(packet_id)) {
                    self.route(publish);
                }
                self.reply(id, &Reply::Pubrec(packet_id));
            }
            (Qos::AtLeastOnce, Some(packet_id)) => {
                self.route(publish);
                self.reply(id, &Reply::Puback(packet_id));
            }
            _ => self.route(publish),
        }
    }

    pub(super) fn puback(&mut self, key: SessionKey, packet_id: PacketId) {
        let session = self.sessions.get_mut(&key);
        let known = session.is_some_and(|session| session.puback(packet_id));
        self.finish(key, known);
    }

    /// Answered even if it belongs to no exchange, so that the client can end its own.
    pub(super) fn pubrec(&mut self, id: ConnectionId, key: SessionKey, packet_id: PacketId) {
        let session = self.sessions.get_mut(&key);
        if !session.is_some_and(|session| session.pubrec(packet_id)) {
            self.counters.stale_acknowledgements += 1;
        }
        self.reply(id, &Reply::Pubrel(packet_id));
        // The message is the client's now: its bytes no longer fill the window.
        self.pump(key);
    }

    /// Answered even if it belongs to no exchange: the PUBCOMP may have been lost.
    pub(super) fn pubrel(&mut self, id: ConnectionId, key: SessionKey, packet_id: PacketId) {
        if let Some(session) = self.sessions.get_mut(&key) {
            session.release(packet_id);
        }
        self.reply(id, &Reply::Pubcomp(packet_id));
    }

    pub(super) fn pubcomp(&mut self, key: SessionKey, packet_id: PacketId) {
        let session = self.sessions.get_mut(&key);
        let known = session.is_some_and(|session| session.pubcomp(packet_id));
        self.finish(key, known);
    }

    pub(super) fn subscribe(
        &mut self,
        id: ConnectionId,
        key: SessionKey,
        packet_id: PacketId,
        requests: &[(String, Qos)],
    ) -> Result<(), CloseReason> {
        let mut codes = Vec::with_capacity(requests.len());
        let mut granted = Vec::with_capacity(requests.len());
        for (text, qos) in requests {
            let filter = Filter::parse(text).ok_or(Violation::Malformed {
                packet: "SUBSCRIBE",
                what: "a wildcard out of place, or an empty filter",
            })?;
            let accepted = self.admit(key, &filter);
            codes.push(accepted.then_some(*qos));
            if accepted {
                self.subscriptions.insert(&filter, key, *qos);
                granted.push((filter, *qos));
            }
        }
        self.reply(id, &Reply::Suback(packet_id, codes));
        for (filter, qos) in granted {
            // A shared subscription gets no retained messages: each would reach some member only.
            if filter.group.is_none() {
                self.deliver_retained(key, &filter, qos);
            }
        }
        Ok(())
    }

    pub(super) fn unsubscribe(
        &mut self,
        id: ConnectionId,
        key: SessionKey,
        packet_id: PacketId,
        filters: &[String],
    ) {
        for filter in filters.iter().filter_map(|text| Filter::parse(text)) {
            if let Some(session) = self.sessions.get_mut(&key) {
                session.filters.remove(&filter);
            }
            self.subscriptions.remove(&filter, key);
        }
        self.reply(id, &Reply::Unsuback(packet_id));
    }

    /// Passes a message on to everyone who wants it.
    pub(super) fn route(&mut self, publish: Publish) {
        self.counters.received += 1;
        let Publish {
            message,
            qos,
            retain,
            ..
        } = publish;
        let message = Arc::new(message);
        if retain && !self.retained.store(&message, qos, &self.limits) {
            self.counters.dropped_retained_full += 1;
        }
        let sessions = &self.sessions;
        let is_connected = |key| sessions.get(&key).is_some_and(|s| s.connection.is_some());
        for (key, granted) in self.subscriptions.find(&message.topic, is_connected) {
            let message = Arc::clone(&message);
            // These subscriptions are older than the message, so the flag is not set.
            self.deliver(
                key,
                Delivery {
                    message,
                    qos: qos.min(granted),
                    retain: false,
                },
            );
        }
    }

    /// Sends what is queued, as far as the window of unacknowledged messages allows.
    pub(super) fn pump(&mut self, key: SessionKey) {
        while let Some(session) = self.sessions.get_mut(&key) {
            let Some(id) = session.connection else {
                return;
            };
            let Some((packet_id, delivery)) = session.next(&self.limits) else {
                return;
            };
            let delivery = delivery.clone();
            self.send(id, &delivery, Some(packet_id), false);
        }
    }

    fn deliver(&mut self, key: SessionKey, delivery: Delivery) {
        let Some(session) = self.sessions.get_mut(&key) else {
            return;
        };
        if delivery.qos == Qos::AtMostOnce {
            // Not kept for who is away: QoS 0 promises nothing.
            if let Some(id) = session.connection {
                self.send(id, &delivery, None, false);
            }
        } else if session.enqueue(delivery, &self.limits) {
            self.pump(key);
        } else {
            self.counters.dropped_queue_full += 1;
        }
    }

    fn deliver_retained(&mut self, key: SessionKey, filter: &Filter, granted: Qos) {
        for (message, qos) in self.retained.find(&filter.path) {
            self.deliver(
                key,
                Delivery {
                    message,
                    qos: qos.min(granted),
                    retain: true,
                },
            );
        }
    }

    /// Whether a session may have this subscription; if so it is noted.
    fn admit(&mut self, key: SessionKey, filter: &Filter) -> bool {
        let limit = self.limits.subscriptions;
        let Some(session) = self.sessions.get_mut(&key) else {
            return false;
        };
        let known = session.filters.contains(filter);
        if filter.levels() > MAX_LEVELS || (!known && session.filters.len() >= limit) {
            return false;
        }
        if !known {
            session.filters.insert(filter.clone());
        }
        true
    }

    /// Goes on after the end of an exchange, or counts that there was none to end.
    fn finish(&mut self, key: SessionKey, known: bool) {
        if known {
            self.pump(key);
        } else {
            self.counters.stale_acknowledgements += 1;
        }
    }
}
