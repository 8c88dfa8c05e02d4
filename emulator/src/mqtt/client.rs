mod incoming;

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use super::codec::{self, Decoder, EncodeError, PacketId};
use super::event::{Event, Loss, RequestError, Unanswered};
use super::exchange::{Awaiting, Exchange, InFlight, Session};
use super::keep_alive::{Due, KeepAlive};
use super::options::{ConnectOptions, Publication, QoS, Version};

/// The MQTT client of one session over one link.
///
/// Acknowledgements that belong to nothing are dropped and counted: after a repetition, a broker
/// rightly answers twice.
pub struct Client {
    state: State,
    version: Version,
    clean_session: bool,
    packet_timeout: Duration,
    retries: u32,
    keep_alive: Option<KeepAlive>,
    decoder: Decoder,
    in_flight: InFlight,
    unreleased: BTreeSet<PacketId>,
    transmit: Vec<u8>,
    events: VecDeque<Event>,
    stale_acknowledgements: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// CONNECT is sent; its answer is due by then.
    Connecting(Instant),
    Connected,
    /// Nothing comes in or goes out any more, apart from what is already queued.
    Finished,
}

impl Client {
    /// Begins on a fresh link: queues CONNECT.
    ///
    /// `session` is what [`Client::into_session`] kept of this client's earlier link, or an empty
    /// one; with [`ConnectOptions::clean_session`] it is forgotten.
    ///
    /// # Errors
    /// When a CONNECT cannot carry the options.
    pub fn connect(
        options: &ConnectOptions,
        session: Session,
        now: Instant,
    ) -> Result<Self, EncodeError> {
        let connect = codec::connect(options)?;
        let session = if options.clean_session {
            Session::default()
        } else {
            session
        };
        Ok(Self {
            state: State::Connecting(now + options.packet_timeout),
            version: options.version,
            clean_session: options.clean_session,
            packet_timeout: options.packet_timeout,
            retries: options.retries,
            keep_alive: KeepAlive::new(options, now),
            decoder: Decoder::new(options.maximum_packet_size),
            in_flight: InFlight::new(session.exchanges),
            unreleased: session.unreleased,
            transmit: connect,
            events: VecDeque::new(),
            stale_acknowledgements: 0,
        })
    }

    /// Whether the broker has accepted the connection and it still stands.
    pub fn is_connected(&self) -> bool {
        self.state == State::Connected
    }

    /// Acknowledgements dropped because nothing waited for them.
    pub fn stale_acknowledgements(&self) -> u64 {
        self.stale_acknowledgements
    }

    /// Takes bytes from the link, cut anywhere.
    pub fn receive(&mut self, mut bytes: &[u8], now: Instant) {
        while self.state != State::Finished {
            match self.decoder.decode(&mut bytes) {
                Ok(Some(packet)) => {
                    if let Err(error) = self.handle_packet(packet, now) {
                        self.finish(Event::Lost(error.into()));
                    }
                }
                Ok(None) => return,
                Err(error) => self.finish(Event::Lost(error.into())),
            }
        }
    }

    /// Does what is due by now: repetitions, keepalive, giving up.
    pub fn handle_timeout(&mut self, now: Instant) {
        match self.state {
            State::Connecting(due) if due <= now => self.finish(Event::ConnectTimedOut),
            State::Connecting(_) | State::Finished => {}
            State::Connected => {
                self.fail_exhausted(now);
                self.repeat_late(now);
                self.keep_alive(now);
            }
        }
    }

    /// All bytes to transmit, in order.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        (!self.transmit.is_empty()).then(|| std::mem::take(&mut self.transmit))
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Client::handle_timeout`] must be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Connecting(due) => Some(due),
            State::Connected => {
                let keep_alive = self.keep_alive.as_ref().map(KeepAlive::due);
                self.in_flight
                    .next_due()
                    .into_iter()
                    .chain(keep_alive)
                    .min()
            }
            State::Finished => None,
        }
    }

    /// Publishes a message. [`Event::Published`] or [`Event::PublishFailed`] follows.
    ///
    /// # Errors
    /// When nothing was sent and no event will follow.
    pub fn publish(
        &mut self,
        publication: &Publication<'_>,
        now: Instant,
    ) -> Result<(), RequestError> {
        let message_id = publication.message_id;
        let Some(awaiting) = Awaiting::of_publish(publication.qos) else {
            self.check_connected()?;
            let packet = codec::publish(publication, None)?;
            self.send(&packet, now);
            self.events.push_back(Event::Published { message_id });
            return Ok(());
        };
        let packet_id = self.packet_id(message_id)?;
        let packet = codec::publish(publication, Some(packet_id))?;
        self.begin(packet_id, message_id, awaiting, packet, 0, now);
        Ok(())
    }

    /// Subscribes to all filters with one packet. [`Event::Subscribed`] or
    /// [`Event::SubscribeTimedOut`] follows.
    ///
    /// # Errors
    /// When nothing was sent and no event will follow.
    pub fn subscribe(
        &mut self,
        message_id: u16,
        filters: &[(&str, QoS)],
        now: Instant,
    ) -> Result<(), RequestError> {
        let packet_id = self.packet_id(message_id)?;
        let packet = codec::subscribe(packet_id, filters)?;
        let awaiting = Awaiting::SubscribeAck;
        self.begin(packet_id, message_id, awaiting, packet, filters.len(), now);
        Ok(())
    }

    /// Unsubscribes from all filters with one packet. [`Event::Unsubscribed`] or
    /// [`Event::UnsubscribeTimedOut`] follows.
    ///
    /// # Errors
    /// When nothing was sent and no event will follow.
    pub fn unsubscribe(
        &mut self,
        message_id: u16,
        filters: &[&str],
        now: Instant,
    ) -> Result<(), RequestError> {
        let packet_id = self.packet_id(message_id)?;
        let packet = codec::unsubscribe(packet_id, filters)?;
        let awaiting = Awaiting::UnsubscribeAck;
        self.begin(packet_id, message_id, awaiting, packet, filters.len(), now);
        Ok(())
    }

    /// Queues DISCONNECT if connected, and finishes. The link is to be closed once the bytes are
    /// transmitted; requests still unanswered get no event.
    pub fn disconnect(&mut self) {
        if self.is_connected() {
            self.transmit.extend(codec::disconnect());
        }
        self.state = State::Finished;
    }

    /// Ends the client, at whatever point, and keeps what the next link of its session needs;
    /// nothing after a clean session.
    pub fn into_session(self) -> Session {
        if self.clean_session {
            return Session::default();
        }
        Session {
            exchanges: self.in_flight.into_surviving(),
            unreleased: self.unreleased,
        }
    }

    fn fail_exhausted(&mut self, now: Instant) {
        for exchange in self.in_flight.take_exhausted(now, self.retries) {
            let message_id = exchange.message_id;
            let failed = |unanswered| Event::PublishFailed {
                message_id,
                unanswered,
            };
            self.events.push_back(match exchange.awaiting {
                Awaiting::PublishAck | Awaiting::PublishReceived => failed(Unanswered::Publish),
                Awaiting::PublishComplete => failed(Unanswered::Release),
                Awaiting::SubscribeAck => Event::SubscribeTimedOut { message_id },
                Awaiting::UnsubscribeAck => Event::UnsubscribeTimedOut { message_id },
            });
        }
    }

    fn repeat_late(&mut self, now: Instant) {
        let mut repeated = false;
        for exchange in self.in_flight.iter_mut() {
            if exchange.due > now {
                continue;
            }
            exchange.attempts += 1;
            exchange.due = now + self.packet_timeout;
            self.transmit
                .extend_from_slice(exchange.repeated(self.version));
            self.events.push_back(Event::Retransmitted {
                message_id: exchange.message_id,
                attempt: exchange.attempts,
                publish: exchange.awaiting.survives_link(),
            });
            repeated = true;
        }
        if repeated {
            self.postpone_ping(now);
        }
    }

    fn keep_alive(&mut self, now: Instant) {
        let keep_alive = self.keep_alive.as_mut();
        match keep_alive.and_then(|keep_alive| keep_alive.handle_timeout(now)) {
            Some(Due::Request) => self.transmit.extend(codec::ping_request()),
            Some(Due::GiveUp { requests }) => {
                self.finish(Event::Lost(Loss::KeepaliveTimeout { requests }));
            }
            None => {}
        }
    }

    fn postpone_ping(&mut self, now: Instant) {
        if let Some(keep_alive) = &mut self.keep_alive {
            keep_alive.handle_sent(now);
        }
    }

    fn send(&mut self, packet: &[u8], now: Instant) {
        self.transmit.extend_from_slice(packet);
        self.postpone_ping(now);
    }

    fn begin(
        &mut self,
        packet_id: PacketId,
        message_id: u16,
        awaiting: Awaiting,
        packet: Vec<u8>,
        filters: usize,
        now: Instant,
    ) {
        self.send(&packet, now);
        self.in_flight.push(Exchange {
            packet_id,
            message_id,
            awaiting,
            packet,
            filters,
            attempts: 0,
            due: now + self.packet_timeout,
        });
    }

    fn check_connected(&self) -> Result<(), RequestError> {
        if self.is_connected() {
            Ok(())
        } else {
            Err(RequestError::NotConnected)
        }
    }

    /// The packet identifier for a request that waits for an answer. Modules take msgID 0 from the
    /// host, MQTT does not: such a request travels under an identifier of our own.
    fn packet_id(&self, message_id: u16) -> Result<PacketId, RequestError> {
        self.check_connected()?;
        if self.in_flight.is_full() {
            return Err(RequestError::TooManyInFlight {
                limit: InFlight::LIMIT,
            });
        }
        if message_id == 0 {
            return Ok(self.in_flight.free_id());
        }
        if self.in_flight.contains(message_id) {
            return Err(RequestError::IdInFlight { message_id });
        }
        Ok(message_id)
    }

    fn finish(&mut self, event: Event) {
        self.state = State::Finished;
        self.events.push_back(event);
    }
}

#[cfg(test)]
mod tests;
