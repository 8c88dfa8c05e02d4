//! What the broker remembers about one client, across connections if the client wishes.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::Arc;

use super::packet::{Message, PacketId, Qos};
use super::topic::Filter;
use super::{ConnectionId, Limits};

/// Widest window, so that there is always a packet identifier to spare.
const MAX_INFLIGHT: usize = u16::MAX as usize - 1;

/// Identifies a session for as long as the broker runs. A number, because subscriptions refer to
/// sessions far more often than clients present their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SessionKey(pub(super) u64);

/// A message on its way to one subscriber.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    /// Topic and payload.
    pub(super) message: Arc<Message>,
    /// The lower of the publisher's QoS and the one granted.
    pub(super) qos: Qos,
    /// Set only on what was retained before the client subscribed.
    pub(super) retain: bool,
}

/// A packet to send again after a reconnect.
#[derive(Debug)]
pub(super) enum Unfinished {
    /// PUBLISH with DUP: neither PUBACK nor PUBREC came.
    Publish(PacketId, Delivery),
    /// PUBREL: PUBREC came, PUBCOMP did not.
    Pubrel(PacketId),
}

/// The state of one session (MQTT 3.1.1 section 3.1.2.4).
#[derive(Debug)]
pub(super) struct Session {
    /// Client id, given or assigned.
    pub(super) client_id: Arc<str>,
    /// Ends with the connection.
    pub(super) clean: bool,
    /// The connection it is served on, if any.
    pub(super) connection: Option<ConnectionId>,
    /// Its subscriptions, to find them in the tree again.
    pub(super) filters: BTreeSet<Filter>,
    /// QoS 2 messages received whose PUBREL has not come.
    received: HashSet<PacketId>,
    /// Sent and not finished, in the order of sending.
    inflight: VecDeque<(PacketId, Stage)>,
    inflight_bytes: usize,
    queue: VecDeque<Delivery>,
    queue_bytes: usize,
    last_packet_id: u16,
}

/// How far an exchange with a subscriber has come.
#[derive(Debug)]
enum Stage {
    /// PUBLISH sent.
    Published(Delivery),
    /// PUBREC received and PUBREL sent; the message is no longer ours.
    Released,
}

impl Session {
    /// An empty session, not connected.
    pub(super) fn new(client_id: Arc<str>) -> Self {
        Self {
            client_id,
            clean: true,
            connection: None,
            filters: BTreeSet::new(),
            received: HashSet::new(),
            inflight: VecDeque::new(),
            inflight_bytes: 0,
            queue: VecDeque::new(),
            queue_bytes: 0,
            last_packet_id: 0,
        }
    }

    /// Queues a QoS 1 or 2 message. False if there is no room for it.
    pub(super) fn enqueue(&mut self, delivery: Delivery, limits: &Limits) -> bool {
        let bytes = self.queue_bytes + delivery.message.size();
        if self.queue.len() >= limits.queued_messages || bytes > limits.queued_bytes {
            return false;
        }
        self.queue_bytes = bytes;
        self.queue.push_back(delivery);
        true
    }

    /// Moves the next queued message into the window, if it has room, and tells how to send it.
    pub(super) fn next(&mut self, limits: &Limits) -> Option<(PacketId, &Delivery)> {
        let size = self.queue.front()?.message.size();
        // One message always fits, or a large one would never leave.
        let full = self.inflight.len() >= limits.inflight_messages.min(MAX_INFLIGHT)
            || self.inflight_bytes + size > limits.inflight_bytes();
        if full && !self.inflight.is_empty() {
            return None;
        }
        let delivery = self.queue.pop_front()?;
        self.queue_bytes -= size;
        self.inflight_bytes += size;
        let packet_id = self.unused_packet_id();
        self.inflight
            .push_back((packet_id, Stage::Published(delivery)));
        match self.inflight.back() {
            Some((_, Stage::Published(delivery))) => Some((packet_id, delivery)),
            _ => None,
        }
    }

    /// What has to be sent again, in the order of sending (section 4.4).
    pub(super) fn unfinished(&self) -> Vec<Unfinished> {
        let unfinished = self.inflight.iter().map(|(packet_id, stage)| match stage {
            Stage::Published(delivery) => Unfinished::Publish(*packet_id, delivery.clone()),
            Stage::Released => Unfinished::Pubrel(*packet_id),
        });
        unfinished.collect()
    }

    /// PUBACK ends a QoS 1 exchange. False if there is none with this id.
    pub(super) fn puback(&mut self, packet_id: PacketId) -> bool {
        match self.find(packet_id) {
            Some((index, Stage::Published(delivery))) if delivery.qos == Qos::AtLeastOnce => {
                self.inflight_bytes -= delivery.message.size();
                self.inflight.remove(index);
                true
            }
            _ => false,
        }
    }

    /// PUBREC hands a QoS 2 message over. False if there is none with this id; a repeated PUBREC
    /// counts, since the PUBREL after the first may have been lost with its connection.
    pub(super) fn pubrec(&mut self, packet_id: PacketId) -> bool {
        match self.find(packet_id) {
            Some((index, Stage::Published(delivery))) if delivery.qos == Qos::ExactlyOnce => {
                self.inflight_bytes -= delivery.message.size();
                self.inflight[index].1 = Stage::Released;
                true
            }
            Some((_, Stage::Released)) => true,
            _ => false,
        }
    }

    /// PUBCOMP ends a QoS 2 exchange. False if there is none with this id.
    pub(super) fn pubcomp(&mut self, packet_id: PacketId) -> bool {
        match self.find(packet_id) {
            Some((index, Stage::Released)) => {
                self.inflight.remove(index);
                true
            }
            _ => false,
        }
    }

    /// Notes a QoS 2 message from the client. False if it came before and is not yet released:
    /// then this is a repetition.
    pub(super) fn receive(&mut self, packet_id: PacketId) -> bool {
        self.received.insert(packet_id)
    }

    /// PUBREL frees the id of a QoS 2 message from the client.
    pub(super) fn release(&mut self, packet_id: PacketId) {
        self.received.remove(&packet_id);
    }

    fn find(&self, packet_id: PacketId) -> Option<(usize, &Stage)> {
        let index = self.inflight.iter().position(|(id, _)| *id == packet_id)?;
        Some((index, &self.inflight[index].1))
    }

    fn unused_packet_id(&mut self) -> PacketId {
        loop {
            self.last_packet_id = self.last_packet_id.wrapping_add(1);
            match PacketId::new(self.last_packet_id) {
                Some(id) if self.find(id).is_none() => return id,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(qos: Qos, payload: &str) -> Delivery {
        let message = Message {
            topic: "t".into(),
            payload: payload.as_bytes().into(),
        };
        Delivery {
            message: Arc::new(message),
            qos,
            retain: false,
        }
    }

    fn session(limits: &Limits, deliveries: &[(Qos, &str)]) -> Session {
        let mut session = Session::new("id".into());
        for (qos, payload) in deliveries {
            assert!(session.enqueue(delivery(*qos, payload), limits));
        }
        session
    }

    fn id(value: u16) -> PacketId {
        PacketId::new(value).unwrap()
    }

    #[test]
    fn the_window_opens_as_messages_are_acknowledged() {
        let limits = Limits {
            inflight_messages: 2,
            ..Limits::default()
        };
        let one = Qos::AtLeastOnce;
        let mut session = session(&limits, &[(one, "a"), (one, "b"), (one, "c")]);
        assert_eq!(session.next(&limits).unwrap().0, id(1));
        assert_eq!(session.next(&limits).unwrap().0, id(2));
        assert!(session.next(&limits).is_none());
        assert!(!session.puback(id(3)));
        assert!(session.puback(id(2)));
        assert!(!session.puback(id(2)));
        assert_eq!(session.next(&limits).unwrap().0, id(3));
        assert!(session.next(&limits).is_none());
    }

    #[test]
    fn bytes_close_the_window_but_one_message_always_passes() {
        let limits = Limits {
            outgoing_bytes: 20,
            ..Limits::default()
        };
        let one = Qos::AtLeastOnce;
        let mut session = session(&limits, &[(one, "longer than ten"), (one, "b")]);
        assert!(session.next(&limits).is_some());
        assert!(session.next(&limits).is_none());
        assert!(session.puback(id(1)));
        assert!(session.next(&limits).is_some());
    }

    #[test]
    fn the_queue_is_bounded_in_messages_and_bytes() {
        let limits = Limits {
            queued_messages: 2,
            queued_bytes: 6,
            ..Limits::default()
        };
        let one = Qos::AtLeastOnce;
        let mut session = session(&limits, &[(one, "12")]);
        assert!(!session.enqueue(delivery(one, "123"), &limits));
        assert!(session.enqueue(delivery(one, "1"), &limits));
        assert!(!session.enqueue(delivery(one, ""), &limits));
        while session.next(&limits).is_some() {}
        assert_eq!(session.queue_bytes, 0);
    }

    #[test]
    fn an_acknowledgement_of_the_wrong_kind_changes_nothing() {
        let limits = Limits::default();
        let mut session = session(&limits, &[(Qos::AtLeastOnce, "a"), (Qos::ExactlyOnce, "b")]);
        while session.next(&limits).is_some() {}
        assert!(!session.pubrec(id(1)) && !session.pubcomp(id(1)));
        assert!(!session.puback(id(2)) && !session.pubcomp(id(2)));
        assert!(session.pubrec(id(2)) && session.pubrec(id(2)));
        assert!(!session.puback(id(2)));
        assert!(session.pubcomp(id(2)) && !session.pubcomp(id(2)));
        assert!(session.puback(id(1)));
        assert_eq!(session.inflight_bytes, 0);
    }

    #[test]
    fn what_is_unfinished_keeps_its_order_and_stage() {
        let limits = Limits::default();
        let two = Qos::ExactlyOnce;
        let mut session = session(&limits, &[(two, "a"), (Qos::AtLeastOnce, "b"), (two, "c")]);
        while session.next(&limits).is_some() {}
        session.pubrec(id(3));
        let unfinished = session.unfinished();
        assert!(matches!(unfinished[0], Unfinished::Publish(i, _) if i == id(1)));
        assert!(matches!(unfinished[1], Unfinished::Publish(i, _) if i == id(2)));
        assert!(matches!(unfinished[2], Unfinished::Pubrel(i) if i == id(3)));
    }

    #[test]
    fn packet_ids_wrap_around_and_pass_by_those_in_use() {
        let limits = Limits::default();
        let mut session = session(&limits, &[(Qos::AtLeastOnce, "a"); 3]);
        assert_eq!(session.next(&limits).unwrap().0, id(1));
        session.last_packet_id = u16::MAX - 1;
        assert_eq!(session.next(&limits).unwrap().0, id(u16::MAX));
        assert_eq!(session.next(&limits).unwrap().0, id(2));
    }
}
