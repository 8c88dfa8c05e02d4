use std::time::Instant;

use atmq_protocol::mqtt::{Connect, ConnectionId, ConnectionState};

use super::{Modem, NOT_ALLOWED, Refused};
use crate::mqtt::{Client, ConnectOptions};

/// How many persistent sessions the module remembers.
const SESSIONS: usize = 16;

/// One of the module's connections.
pub(super) struct Connection {
    pub(super) link: Link,
    /// Host and port of the OPEN, as they were given.
    pub(super) peer: (String, u16),
    /// The packet data context that the link goes over.
    pub(super) cid: u8,
    /// The TLS context that secures it.
    pub(super) tls: Option<u8>,
    /// Whether the broker had a session of the client.
    pub(super) resumed: bool,
    /// Before this moment the outcome of the last command is not reported.
    pub(super) outcome_from: Instant,
    /// When the last URC is sent: what happens later is reported later.
    pub(super) reported_until: Instant,
}

/// How far a connection is.
pub(super) enum Link {
    /// Not open.
    Closed,
    /// The host name is being resolved, the TCP or TLS link made.
    Opening {
        /// What is sent as soon as it stands.
        then: Option<Box<Connect>>,
    },
    /// The link stands.
    Open,
    /// CONNECT is sent or accepted; whose session it is.
    Mqtt {
        client: Box<Client>,
        client_id: String,
        /// The host's commands are taken.
        connected: bool,
        purpose: Purpose,
        options: Box<ConnectOptions>,
    },
    /// The link is made anew, and this CONNECT is sent on it.
    Reopening {
        options: Box<ConnectOptions>,
        purpose: Purpose,
    },
    /// The link was lost, and is made anew when it is time.
    Waiting {
        options: Box<ConnectOptions>,
        /// How often that has failed.
        attempt: u32,
        due: Instant,
    },
    /// DISCONNECT is sent. The broker closes the link, but the connection is the host's until it
    /// says CLOSE (decided, reference `README.md`).
    Disconnected,
}

/// Why CONNECT is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The host has asked for it, and is told what comes of it.
    Asked,
    /// The device registers, so that it can do what the host has asked for.
    Registration {
        connect: Box<Connect>,
        /// The platform's answer is awaited until then.
        give_up: Instant,
    },
    /// The link was lost.
    Reconnect {
        /// How often the module has tried in vain.
        attempt: u32,
    },
}

impl Connection {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            link: Link::Closed,
            peer: (String::new(), 0),
            cid: 0,
            tls: None,
            resumed: false,
            outcome_from: now,
            reported_until: now,
        }
    }

    /// How far it is; `None` for a connection that is not open.
    pub(super) fn state(&self) -> Option<ConnectionState> {
        Some(match self.link {
            Link::Closed => return None,
            Link::Opening { .. } | Link::Open => ConnectionState::Initial,
            Link::Mqtt {
                connected: false, ..
            }
            | Link::Reopening { .. }
            | Link::Waiting { .. } => ConnectionState::Connecting,
            Link::Mqtt { .. } => ConnectionState::Connected,
            Link::Disconnected => ConnectionState::Disconnecting,
        })
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.link, Link::Closed)
    }

    /// The MQTT client, if the broker has accepted it.
    pub(super) fn connected(&mut self) -> Option<&mut Client> {
        match &mut self.link {
            Link::Mqtt {
                client,
                connected: true,
                ..
            } => Some(client),
            _ => None,
        }
    }
}

impl Modem {
    pub(super) fn ids(&self) -> impl Iterator<Item = ConnectionId> + use<> {
        (0..self.profile.limits.connections).map(ConnectionId)
    }

    pub(super) fn connection(&mut self, id: ConnectionId) -> &mut Connection {
        &mut self.connections[usize::from(id.0)]
    }

    /// The MQTT client of a connection; without one the command is not allowed.
    pub(super) fn client(&mut self, id: ConnectionId) -> Result<&mut Client, Refused> {
        self.connection(id).connected().ok_or(NOT_ALLOWED)
    }

    /// The connection is closed, and what is lost with it.
    pub(super) fn free(&mut self, id: ConnectionId) {
        self.keep_session(id);
        self.connection(id).link = Link::Closed;
        self.face.freed(id);
    }

    /// Remembers what a persistent session needs on its next link.
    pub(super) fn keep_session(&mut self, id: ConnectionId) {
        let connection = &mut self.connections[usize::from(id.0)];
        let link = std::mem::replace(&mut connection.link, Link::Closed);
        let Link::Mqtt {
            client, client_id, ..
        } = link
        else {
            return;
        };
        let session = client.into_session();
        if session.is_empty() {
            self.sessions.remove(&client_id);
        } else if self.sessions.len() < SESSIONS || self.sessions.contains_key(&client_id) {
            self.sessions.insert(client_id, session);
        } else if let Some(held_back) = self.sessions_lost.pass(self.driven) {
            tracing::warn!(
                client_id,
                held_back,
                "{SESSIONS} sessions are kept, this one is lost"
            );
        }
    }
}
