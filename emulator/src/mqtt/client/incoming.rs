//! What the broker sends.

use std::time::Instant;

use super::{Client, State};
use crate::mqtt::codec::{self, Incoming, PacketId};
use crate::mqtt::event::{Event, Message, ProtocolError};
use crate::mqtt::exchange::Awaiting;
use crate::mqtt::options::{QoS, Version};

/// QoS 2 messages remembered until their PUBREL. Brokers keep some tens open; one that leaves
/// more than this is broken, and a module's memory must not be at its mercy.
const UNRELEASED_LIMIT: usize = 1024;

impl Client {
    pub(super) fn handle_packet(
        &mut self,
        packet: Incoming,
        now: Instant,
    ) -> Result<(), ProtocolError> {
        let published = |message_id| Event::Published { message_id };
        match (packet, self.state) {
            (
                Incoming::ConnectAck {
                    session_present,
                    code,
                },
                State::Connecting(_),
            ) => {
                self.handle_connect_ack(session_present, code, now);
            }
            (Incoming::ConnectAck { .. }, _) => return Err(ProtocolError::SecondConnack),
            (_, State::Connecting(_)) => return Err(ProtocolError::BeforeConnack),
            (Incoming::Publish(message), _) => self.handle_publish(message, now)?,
            (Incoming::PublishRelease(id), _) => {
                // Answered even if it is unknown: the PUBCOMP of the first may be lost.
                self.unreleased.remove(&id);
                self.send(&codec::publish_complete(id), now);
            }
            (Incoming::PublishReceived(id), _) => self.handle_publish_received(id, now),
            (Incoming::PublishAck(id), _) => self.complete(id, Awaiting::PublishAck, published),
            (Incoming::PublishComplete(id), _) => {
                self.complete(id, Awaiting::PublishComplete, published);
            }
            (Incoming::SubscribeAck(id, codes), _) => {
                // One return code for each filter (MQTT-3.8.4-5): with another number nobody knows
                // which filter was refused.
                let exchange = self.in_flight.find(id, Awaiting::SubscribeAck);
                if let Some(filters) = exchange.map(|exchange| exchange.filters)
                    && filters != codes.len()
                {
                    let codes = codes.len();
                    return Err(ProtocolError::ReturnCodes { filters, codes });
                }
                self.complete(id, Awaiting::SubscribeAck, |message_id| Event::Subscribed {
                    message_id,
                    codes,
                });
            }
            (Incoming::UnsubscribeAck(id), _) => {
                self.complete(id, Awaiting::UnsubscribeAck, |message_id| {
                    Event::Unsubscribed { message_id }
                });
            }
            (Incoming::PingResponse, _) => {
                if let Some(keep_alive) = &mut self.keep_alive {
                    keep_alive.handle_response(now);
                }
            }
        }
        Ok(())
    }

    fn handle_connect_ack(&mut self, session_present: bool, code: u8, now: Instant) {
        if code != 0 {
            return self.finish(Event::Refused { code });
        }
        self.state = State::Connected;
        // A broker that forgot the session gives its packet identifiers out afresh: a remembered
        // one would swallow a new message. MQTT 3.1 cannot say so, and is trusted to remember.
        let session_present = session_present && self.version == Version::V3_1_1;
        if !session_present && self.version == Version::V3_1_1 {
            self.unreleased.clear();
        }
        self.events.push_back(Event::Connected { session_present });
        for exchange in self.in_flight.iter_mut() {
            exchange.attempts = 0;
            exchange.due = now + self.packet_timeout;
            self.transmit
                .extend_from_slice(exchange.repeated(self.version));
        }
        self.postpone_ping(now);
    }

    fn handle_publish(&mut self, message: Message, now: Instant) -> Result<(), ProtocolError> {
        let id = message.message_id;
        match message.qos {
            QoS::AtMostOnce => {}
            QoS::AtLeastOnce => self.send(&codec::publish_ack(id), now),
            QoS::ExactlyOnce => {
                if self.unreleased.contains(&id) {
                    self.send(&codec::publish_received(id), now);
                    return Ok(());
                }
                if self.unreleased.len() >= UNRELEASED_LIMIT {
                    return Err(ProtocolError::TooManyUnreleased {
                        limit: UNRELEASED_LIMIT,
                    });
                }
                self.unreleased.insert(id);
                self.send(&codec::publish_received(id), now);
            }
        }
        self.events.push_back(Event::Received(message));
        Ok(())
    }

    fn handle_publish_received(&mut self, id: PacketId, now: Instant) {
        let due = now + self.packet_timeout;
        if let Some(exchange) = self.in_flight.find(id, Awaiting::PublishReceived) {
            exchange.release(due);
            let release = exchange.packet.clone();
            self.send(&release, now);
        } else {
            self.stale_acknowledgements += 1;
            // Of an exchange given up, most likely. Left without PUBREL, the broker would take the
            // next message under this identifier for a repetition and drop it.
            if !self.in_flight.contains(id) {
                self.send(&codec::publish_release(id), now);
            }
        }
    }

    fn complete(&mut self, id: PacketId, awaiting: Awaiting, event: impl FnOnce(u16) -> Event) {
        match self.in_flight.remove(id, awaiting) {
            Some(exchange) => self.events.push_back(event(exchange.message_id)),
            None => self.stale_acknowledgements += 1,
        }
    }
}
