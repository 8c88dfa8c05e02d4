//! What can be seen of the module from outside of its serial line.

use atmq_protocol::mqtt::{ConnectionId, ConnectionState};
use atmq_protocol::standard::Registration;

use super::connection::Link;
use super::{Modem, Phase};

/// A connection that is not closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionStatus {
    /// Which one.
    pub id: ConnectionId,
    /// How far it is.
    pub state: ConnectionState,
    /// The host that it was opened to, as the command named it.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The client id, once CONNECT is sent.
    pub client_id: Option<String>,
}

/// How many MQTT messages the module has carried since it was made.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct MessageCounts {
    /// Handed over by the host, and taken.
    pub published: u64,
    /// Come from brokers, for the host.
    pub received: u64,
}

impl Modem {
    /// Whether the module has power.
    pub fn is_on(&self) -> bool {
        !matches!(self.phase, Phase::Off)
    }

    /// Whether the module is in a low-power state.
    pub fn is_asleep(&self) -> bool {
        self.asleep
    }

    /// The registration as the module itself sees it and `AT+CEREG?` shows it: with its radio off
    /// or without a SIM there is none, whatever the network says.
    pub fn own_registration(&self) -> Registration {
        self.registration()
    }

    /// The connections that are not closed.
    pub fn connections(&self) -> Vec<ConnectionStatus> {
        let open = (0..).zip(&self.connections).filter_map(|(id, connection)| {
            let (host, port) = connection.peer.clone();
            let client_id = match &connection.link {
                Link::Mqtt { client_id, .. } => Some(client_id.clone()),
                _ => None,
            };
            Some(ConnectionStatus {
                id: ConnectionId(id),
                state: connection.state()?,
                host,
                port,
                client_id,
            })
        });
        open.collect()
    }

    /// How many MQTT messages there were.
    pub fn messages(&self) -> MessageCounts {
        self.messages
    }
}
