//! The broker itself, without clock, socket or task.

mod connect;
mod connection;
mod exchange;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::codec;
use super::packet::{Packet, PacketId, Reply};
use super::retained::Retained;
use super::session::{Delivery, Session, SessionKey};
use super::subscriptions::Subscriptions;
use super::{AcceptAll, Authenticator, CloseReason, Limits, Violation};
use connection::Connection;

/// Identifies a connection for as long as the broker runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(u64);

/// What the caller has to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Write these bytes to the connection, and report with [`Core::transmitted`] when they are.
    Transmit {
        /// Where to.
        connection: ConnectionId,
        /// Whole packets.
        bytes: Vec<u8>,
    },
    /// Close the connection once all its bytes are written. The core has forgotten it.
    Close {
        /// Which one.
        connection: ConnectionId,
        /// Why.
        reason: CloseReason,
    },
    /// Nothing, until there is another input, or until [`Core::handle_timeout`] at this time.
    Wait(Option<Instant>),
}

/// What the broker counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages accepted from clients, wills included.
    pub received: u64,
    /// PUBLISH packets handed to connections, repetitions included.
    pub sent: u64,
    /// QoS 1 and 2 messages dropped because the queue of a session was full.
    pub dropped_queue_full: u64,
    /// Messages not retained because of the limits.
    pub dropped_retained_full: u64,
    /// Acknowledgements that belong to no exchange, and were ignored.
    pub stale_acknowledgements: u64,
}

/// An MQTT broker as a plain struct: bytes and the time go in, bytes come out.
///
/// After each input call [`Core::poll`] until it says [`Output::Wait`]. The same inputs at the
/// same times give the same outputs, however the bytes of a connection were split.
pub struct Core {
    limits: Limits,
    authenticator: Box<dyn Authenticator>,
    connections: HashMap<ConnectionId, Connection>,
    sessions: HashMap<SessionKey, Session>,
    clients: HashMap<Arc<str>, SessionKey>,
    subscriptions: Subscriptions,
    retained: Retained,
    /// When to look at a connection again: never later than its deadline, often earlier, because
    /// moving the deadline at every packet does not move the timer.
    timers: BTreeSet<(Instant, ConnectionId)>,
    /// Connections with something for [`Core::poll`], in the order it came up.
    ready: VecDeque<ConnectionId>,
    /// Connections whose end has been decided but not yet acted on.
    ending: VecDeque<ConnectionId>,
    next_connection: u64,
    next_session: u64,
    next_assigned_client_id: u64,
    counters: Counters,
}

impl Core {
    /// A broker without clients that lets everyone in.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            authenticator: Box::new(AcceptAll),
            connections: HashMap::new(),
            sessions: HashMap::new(),
            clients: HashMap::new(),
            subscriptions: Subscriptions::default(),
            retained: Retained::default(),
            timers: BTreeSet::new(),
            ready: VecDeque::new(),
            ending: VecDeque::new(),
            next_connection: 0,
            next_session: 0,
            next_assigned_client_id: 0,
            counters: Counters::default(),
        }
    }

    /// Lets `authenticator` decide who may connect.
    #[must_use]
    pub fn authenticated_by(mut self, authenticator: impl Authenticator + 'static) -> Self {
        self.authenticator = Box::new(authenticator);
        self
    }

    /// The limits it was made with.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What it counted so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// A client opened a connection.
    pub fn open(&mut self, now: Instant) -> ConnectionId {
        let id = ConnectionId(self.next_connection);
        self.next_connection += 1;
        self.connections.insert(id, Connection::new());
        self.set_deadline(id, Some(now + self.limits.connect_timeout));
        id
    }

    /// Bytes came from a client. Ignored if the connection has ended.
    pub fn receive(&mut self, id: ConnectionId, bytes: &[u8], now: Instant) {
        let Some(connection) = self.live(id) else {
            return;
        };
        // Taken out, so that the packets can borrow from it while they change everything else.
        let mut splitter = std::mem::take(&mut connection.splitter);
        splitter.push(bytes);
        while self.live(id).is_some() {
            let packet = match splitter.next(self.limits.packet_bytes) {
                Ok(Some(frame)) => codec::decode(&frame),
                Ok(None) => break,
                Err(violation) => Err(violation),
            };
            let handled = match packet {
                Ok(packet) => self.handle(id, packet, now),
                Err(Violation::ProtocolLevel(_)) => self.refuse_level(id),
                Err(violation) => Err(violation.into()),
            };
            if let Err(reason) = handled {
                self.end(id, reason);
            }
        }
        if let Some(connection) = self.live(id) {
            splitter.shrink();
            connection.splitter = splitter;
        }
        self.act_on_ends();
    }

    /// The caller has written this many bytes of a connection. May be reported late and for
    /// several writes at once; until then they count against [`Limits::outgoing_bytes`].
    pub fn transmitted(&mut self, id: ConnectionId, bytes: usize) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.in_transit = connection.in_transit.saturating_sub(bytes);
        }
    }

    /// A connection was lost, or the client closed it. Ignored if it has ended before.
    pub fn closed(&mut self, id: ConnectionId) {
        if self.live(id).is_some() {
            self.leave(id);
            self.act_on_ends();
        }
        self.forget(id);
    }

    /// The time that [`Output::Wait`] named has come. Harmless at any other time.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(&(at, id)) = self.timers.first() {
            if at > now {
                break;
            }
            self.timers.pop_first();
            let Some(connection) = self.connections.get_mut(&id) else {
                continue;
            };
            connection.timer = None;
            let connected = connection.session.is_some();
            match connection.deadline {
                Some(deadline) if deadline > now => self.set_deadline(id, Some(deadline)),
                Some(_) if connected => self.end(id, CloseReason::KeepAliveTimeout),
                Some(_) => self.end(id, CloseReason::ConnectTimeout),
                None => {}
            }
        }
        self.act_on_ends();
    }

    /// What to do next.
    pub fn poll(&mut self) -> Output {
        while let Some(&id) = self.ready.front() {
            if let Some(connection) = self.connections.get_mut(&id) {
                if !connection.outgoing.is_empty() {
                    let bytes = std::mem::take(&mut connection.outgoing);
                    connection.in_transit += bytes.len();
                    return Output::Transmit {
                        connection: id,
                        bytes,
                    };
                }
                connection.is_ready = false;
            }
            self.ready.pop_front();
            if let Some(reason) = self.connections.get(&id).and_then(|c| c.end.clone()) {
                self.forget(id);
                return Output::Close {
                    connection: id,
                    reason,
                };
            }
        }
        Output::Wait(self.timers.first().map(|(at, _)| *at))
    }

    fn handle(
        &mut self,
        id: ConnectionId,
        packet: Packet,
        now: Instant,
    ) -> Result<(), CloseReason> {
        let Some(connection) = self.live(id) else {
            return Ok(());
        };
        let Some(key) = connection.session else {
            return match packet {
                Packet::Connect(connect) => self.connect(id, *connect, now),
                _ => Err(Violation::BeforeConnect.into()),
            };
        };
        // The timer stays where it is and finds the new deadline when it fires.
        connection.deadline = connection.patience.map(|patience| now + patience);
        match packet {
            Packet::Connect(_) => return Err(Violation::SecondConnect.into()),
            Packet::Publish(publish) => self.publish(id, key, publish),
            Packet::Puback(packet_id) => self.puback(key, packet_id),
            Packet::Pubrec(packet_id) => self.pubrec(id, key, packet_id),
            Packet::Pubrel(packet_id) => self.pubrel(id, key, packet_id),
            Packet::Pubcomp(packet_id) => self.pubcomp(key, packet_id),
            Packet::Subscribe(packet_id, filters) => {
                return self.subscribe(id, key, packet_id, &filters);
            }
            Packet::Unsubscribe(packet_id, filters) => {
                self.unsubscribe(id, key, packet_id, &filters);
            }
            Packet::Pingreq => self.reply(id, &Reply::Pingresp),
            Packet::Disconnect => {
                connection.will = None;
                return Err(CloseReason::Disconnected);
            }
        }
        Ok(())
    }

    /// Sends a packet of ours. Every answer to a client leaves through here, one call per packet:
    /// withholding, delaying or repeating an acknowledgement is a matter of this one place.
    fn reply(&mut self, id: ConnectionId, reply: &Reply) {
        self.transmit(id, &codec::encode(reply));
    }

    fn send(
        &mut self,
        id: ConnectionId,
        delivery: &Delivery,
        packet_id: Option<PacketId>,
        dup: bool,
    ) {
        self.counters.sent += 1;
        self.transmit(id, &codec::encode_publish(delivery, packet_id, dup));
    }

    fn transmit(&mut self, id: ConnectionId, bytes: &[u8]) {
        let limit = self.limits.outgoing_bytes;
        let Some(connection) = self.live(id) else {
            return;
        };
        if connection.in_transit + connection.outgoing.len() + bytes.len() > limit {
            // Who has not read all this will not read the rest either.
            connection.outgoing = Vec::new();
            self.end(id, CloseReason::Overflow { limit });
            return;
        }
        connection.outgoing.extend_from_slice(bytes);
        self.make_ready(id);
    }
}

impl Default for Core {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("limits", &self.limits)
            .field("connections", &self.connections.len())
            .field("sessions", &self.sessions.len())
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests;
