use alloc::string::String;
use alloc::vec::Vec;

use super::{ConnectionId, QoS, TopicFilter};

/// What a command line asks of the MQTT client, as far as somebody who listens must know: the
/// linter, captures, a terminal. The neutral reading of a command, where an
/// [`Operation`](super::Operation) is what a host wants before it is put into commands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Intent {
    /// Change a setting.
    Configure {
        /// The connection.
        connection: ConnectionId,
        /// The setting, by its key on the line.
        key: &'static str,
        /// What matters of the new value.
        change: Change,
        /// Whether it shapes the session, and so must come before the link is opened.
        before_open: bool,
    },
    /// Ask for something, which changes nothing.
    Query {
        /// The connection that it is about, if it is one.
        connection: Option<ConnectionId>,
        /// What is asked for.
        what: Queried,
    },
    /// Get something ready: a service, a client, the topic of a message.
    Prepare {
        /// The connection that it is for, if it is one.
        connection: Option<ConnectionId>,
    },
    /// Open the link.
    Open {
        /// The connection.
        connection: ConnectionId,
        /// Name or address of the broker.
        host: String,
        /// Its TCP port.
        port: u16,
    },
    /// Send CONNECT.
    Connect {
        /// The connection.
        connection: ConnectionId,
        /// The client id.
        client_id: String,
        /// The user name.
        username: Option<String>,
    },
    /// Send DISCONNECT.
    Disconnect {
        /// The connection.
        connection: ConnectionId,
    },
    /// Close the link.
    Close {
        /// The connection.
        connection: ConnectionId,
    },
    /// Subscribe.
    Subscribe {
        /// The connection.
        connection: ConnectionId,
        /// The packet identifier, where the host chooses it.
        message_id: Option<u16>,
        /// The filters and the quality of service asked for each.
        filters: Vec<TopicFilter>,
    },
    /// Take back subscriptions.
    Unsubscribe {
        /// The connection.
        connection: ConnectionId,
        /// The packet identifier, where the host chooses it.
        message_id: Option<u16>,
        /// The filters.
        filters: Vec<String>,
    },
    /// Publish.
    Publish {
        /// The connection.
        connection: ConnectionId,
        /// The packet identifier, where the host chooses it.
        message_id: Option<u16>,
        /// The quality of service.
        qos: QoS,
        /// Whether the broker retains the message.
        retain: bool,
        /// The topic.
        topic: String,
        /// Bytes of the payload.
        length: usize,
        /// Whether the payload stands in the command as text that holds a quote.
        quote_inside: bool,
    },
    /// Take a message out of the cache.
    Read {
        /// The connection.
        connection: ConnectionId,
        /// Its identifier.
        message_id: u16,
    },
    /// Change a TLS context.
    ConfigureTls {
        /// The context.
        context: u8,
    },
    /// Store a file.
    Upload {
        /// Its name.
        name: String,
        /// How long it is, in bytes.
        length: usize,
    },
}

/// What matters of a setting that is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Nothing but that it is.
    Other,
    /// The keepalive, in seconds.
    KeepAlive(u16),
    /// The platform behind the broker: whether it is Alibaba Cloud.
    Platform {
        /// Alibaba Cloud.
        alibaba: bool,
    },
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Queried {
    /// The value of a setting, by its key on the line.
    Setting(&'static str),
    /// Which links are open.
    Links,
    /// How far the connections are.
    States,
    /// Which messages wait in the cache.
    Unread,
    /// A TLS context.
    Tls(u8),
}

impl Intent {
    /// The connection that it is about.
    pub fn connection(&self) -> Option<ConnectionId> {
        match self {
            Self::Query { connection, .. } | Self::Prepare { connection } => *connection,
            Self::ConfigureTls { .. } | Self::Upload { .. } => None,
            Self::Configure { connection, .. }
            | Self::Open { connection, .. }
            | Self::Connect { connection, .. }
            | Self::Disconnect { connection }
            | Self::Close { connection }
            | Self::Subscribe { connection, .. }
            | Self::Unsubscribe { connection, .. }
            | Self::Publish { connection, .. }
            | Self::Read { connection, .. } => Some(*connection),
        }
    }
}
