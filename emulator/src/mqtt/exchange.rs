//! What waits for an answer: on one link, and from one link of a session to the next.

use std::collections::BTreeSet;
use std::time::Instant;

use super::codec::{self, PacketId};
use super::options::{QoS, Version};

/// What a persistent session keeps between two links: publishes without a final acknowledgement,
/// in the order they were sent, and the QoS 2 messages received and not yet released.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    pub(super) exchanges: Vec<Exchange>,
    pub(super) unreleased: BTreeSet<PacketId>,
}

impl Session {
    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        self.exchanges.is_empty() && self.unreleased.is_empty()
    }

    /// The host's msgIDs of the publishes that will be sent again on the next link.
    pub fn unacknowledged(&self) -> impl Iterator<Item = u16> + '_ {
        self.exchanges.iter().map(|exchange| exchange.message_id)
    }
}

/// The answer an exchange waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaiting {
    /// PUBACK of a QoS 1 PUBLISH.
    PublishAck,
    /// PUBREC of a QoS 2 PUBLISH.
    PublishReceived,
    /// PUBCOMP of a PUBREL.
    PublishComplete,
    /// SUBACK.
    SubscribeAck,
    /// UNSUBACK.
    UnsubscribeAck,
}

impl Awaiting {
    /// What a PUBLISH waits for; `None` with QoS 0.
    pub(super) fn of_publish(qos: QoS) -> Option<Self> {
        match qos {
            QoS::AtMostOnce => None,
            QoS::AtLeastOnce => Some(Self::PublishAck),
            QoS::ExactlyOnce => Some(Self::PublishReceived),
        }
    }

    /// Whether a session keeps the exchange when its link is lost: publishes it does.
    pub(super) fn survives_link(self) -> bool {
        !matches!(self, Self::SubscribeAck | Self::UnsubscribeAck)
    }
}

/// A packet sent, as bytes, and the answer it waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exchange {
    pub(super) packet_id: PacketId,
    /// The host's name for it: the packet identifier, or 0.
    pub(super) message_id: u16,
    pub(super) awaiting: Awaiting,
    pub(super) packet: Vec<u8>,
    /// How many topic filters the packet has: as many return codes a SUBACK must have.
    pub(super) filters: usize,
    /// How often it was sent again on this link.
    pub(super) attempts: u32,
    /// When it is sent again.
    pub(super) due: Instant,
}

/// The exchanges of one link, oldest first.
///
/// A list and not a map: there are few, MQTT wants them sent again in their order, and a packet
/// identifier is found sooner in a short list than in a tree.
#[derive(Default)]
pub(super) struct InFlight {
    exchanges: Vec<Exchange>,
}

impl InFlight {
    /// More than hosts keep in flight (20 is much), few enough that the largest publishes of all
    /// of them (8,000 bytes each) stay near half a megabyte.
    pub(super) const LIMIT: usize = 64;

    pub(super) fn new(exchanges: Vec<Exchange>) -> Self {
        Self { exchanges }
    }

    pub(super) fn is_full(&self) -> bool {
        self.exchanges.len() >= Self::LIMIT
    }

    pub(super) fn contains(&self, packet_id: PacketId) -> bool {
        self.exchanges
            .iter()
            .any(|exchange| exchange.packet_id == packet_id)
    }

    /// An identifier for a request that came with msgID 0. The highest free one, because hosts
    /// count their own up from 1.
    pub(super) fn free_id(&self) -> PacketId {
        (1..=PacketId::MAX)
            .rev()
            .find(|&id| !self.contains(id))
            .expect("fewer exchanges than identifiers")
    }

    pub(super) fn push(&mut self, exchange: Exchange) {
        self.exchanges.push(exchange);
    }

    pub(super) fn find(
        &mut self,
        packet_id: PacketId,
        awaiting: Awaiting,
    ) -> Option<&mut Exchange> {
        self.exchanges
            .iter_mut()
            .find(|exchange| exchange.packet_id == packet_id && exchange.awaiting == awaiting)
    }

    pub(super) fn remove(&mut self, packet_id: PacketId, awaiting: Awaiting) -> Option<Exchange> {
        let at = self.exchanges.iter().position(|exchange| {
            exchange.packet_id == packet_id && exchange.awaiting == awaiting
        })?;
        Some(self.exchanges.remove(at))
    }

    /// When the first of them is sent again.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.exchanges.iter().map(|exchange| exchange.due).min()
    }

    /// Takes out those that are late and were sent again `retries` times already.
    pub(super) fn take_exhausted(&mut self, now: Instant, retries: u32) -> Vec<Exchange> {
        self.exchanges
            .extract_if(.., |exchange| {
                exchange.due <= now && exchange.attempts >= retries
            })
            .collect()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Exchange> {
        self.exchanges.iter_mut()
    }

    pub(super) fn into_surviving(self) -> Vec<Exchange> {
        let mut exchanges = self.exchanges;
        exchanges.retain(|exchange| exchange.awaiting.survives_link());
        exchanges
    }
}

impl Exchange {
    /// PUBREC came: from here on it is PUBREL that waits and is sent again.
    pub(super) fn release(&mut self, due: Instant) {
        self.awaiting = Awaiting::PublishComplete;
        self.packet = codec::publish_release(self.packet_id);
        self.attempts = 0;
        self.due = due;
    }

    /// The packet to send once more.
    pub(super) fn repeated(&mut self, version: Version) -> &[u8] {
        codec::set_dup(&mut self.packet, version);
        &self.packet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(packet_id: PacketId, awaiting: Awaiting) -> Exchange {
        Exchange {
            packet_id,
            message_id: packet_id,
            awaiting,
            packet: vec![],
            filters: 0,
            attempts: 0,
            due: Instant::now(),
        }
    }

    #[test]
    fn an_identifier_of_our_own_is_the_highest_free_one() {
        let mut in_flight = InFlight::default();
        assert_eq!(in_flight.free_id(), 65535);
        in_flight.push(exchange(65535, Awaiting::PublishAck));
        in_flight.push(exchange(65534, Awaiting::SubscribeAck));
        assert_eq!(in_flight.free_id(), 65533);
    }

    #[test]
    fn an_answer_of_another_kind_does_not_end_an_exchange() {
        let mut in_flight = InFlight::default();
        in_flight.push(exchange(7, Awaiting::PublishReceived));
        assert!(in_flight.remove(7, Awaiting::PublishAck).is_none());
        assert!(in_flight.remove(7, Awaiting::PublishComplete).is_none());
        assert!(in_flight.remove(7, Awaiting::PublishReceived).is_some());
    }

    #[test]
    fn only_publishes_outlive_the_link() {
        let in_flight = InFlight::new(vec![
            exchange(3, Awaiting::PublishComplete),
            exchange(2, Awaiting::SubscribeAck),
            exchange(1, Awaiting::PublishAck),
            exchange(4, Awaiting::UnsubscribeAck),
        ]);
        let ids: Vec<_> = in_flight
            .into_surviving()
            .iter()
            .map(|exchange| exchange.packet_id)
            .collect();
        assert_eq!(ids, [3, 1]);
    }
}
