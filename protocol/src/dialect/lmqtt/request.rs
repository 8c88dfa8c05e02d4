use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::time::Duration;

use super::{FormatTable, Setting, SettingKey};
use crate::Secret;
use crate::limits::Limits;
use crate::mqtt::{
    ConnectionId, ConnectionState, PublishResult, QoS, Reason, TlsKey, TlsSetting, TopicFilter,
};

/// What a host asks of the module's MQTT client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request<'a> {
    /// Change a setting of a connection.
    Configure {
        /// The connection.
        connection: ConnectionId,
        /// The new value.
        setting: Setting<'a>,
    },
    /// Ask for a setting; answered by [`Information::Setting`].
    QuerySetting {
        /// The connection.
        connection: ConnectionId,
        /// Which one.
        key: SettingKey,
    },
    /// Resolve the host and open the TCP or TLS link. MQTT is not spoken yet.
    Open {
        /// The connection.
        connection: ConnectionId,
        /// Name or address of the broker.
        host: Cow<'a, str>,
        /// Its TCP port.
        port: u16,
    },
    /// Ask which connections are open; answered by one [`Information::Opened`] each.
    QueryOpen,
    /// Close the link, after a DISCONNECT if MQTT is connected. The configuration is lost.
    Close {
        /// The connection.
        connection: ConnectionId,
    },
    /// Send CONNECT on the open link.
    Connect {
        /// The connection.
        connection: ConnectionId,
        /// The client id; the broker may refuse an empty one.
        client_id: Cow<'a, str>,
        /// The user name.
        username: Option<Cow<'a, str>>,
        /// The password; only with a user name.
        password: Option<Secret<'a>>,
    },
    /// Ask how far the connections are; answered by one [`Information::State`] each.
    QueryState,
    /// Send DISCONNECT.
    Disconnect {
        /// The connection.
        connection: ConnectionId,
    },
    /// Subscribe to topic filters, in one packet.
    Subscribe {
        /// The connection.
        connection: ConnectionId,
        /// The packet identifier.
        message_id: u16,
        /// The filters and the quality of service asked for each.
        filters: Vec<TopicFilter>,
    },
    /// Take back subscriptions, in one packet.
    Unsubscribe {
        /// The connection.
        connection: ConnectionId,
        /// The packet identifier.
        message_id: u16,
        /// The filters.
        filters: Vec<Cow<'a, str>>,
    },
    /// Publish a message.
    Publish {
        /// The connection.
        connection: ConnectionId,
        /// The packet identifier; 0 with [`QoS::AtMostOnce`].
        message_id: u16,
        /// The quality of service.
        qos: QoS,
        /// Whether the broker retains the message.
        retain: bool,
        /// The topic.
        topic: Cow<'a, str>,
        /// The payload, or how long it is.
        payload: PublishPayload<'a>,
        /// By the command whose payload always comes behind a prompt.
        extended: bool,
    },
    /// Take the oldest message of this identifier out of the module's cache; answered by
    /// [`Information::Message`], or by nothing if there is none.
    Read {
        /// The connection.
        connection: ConnectionId,
        /// The packet identifier that [`Urc::Buffered`](crate::mqtt::Urc::Buffered) gave.
        message_id: u16,
    },
    /// Ask which messages wait in the cache; answered by one [`Information::Unread`] for each
    /// connection that has any.
    QueryUnread,
    /// Change a TLS context.
    ConfigureTls {
        /// The context, 0 to 5.
        context: u8,
        /// The new value.
        setting: TlsSetting<'a>,
    },
    /// Ask for a value of a TLS context; answered by [`Information::TlsSetting`].
    QueryTls {
        /// The context, 0 to 5.
        context: u8,
        /// Which one.
        key: TlsKey,
    },
    /// Store a file in the module. After `CONNECT` come its bytes.
    Upload {
        /// The file's name.
        name: Cow<'a, str>,
        /// How long it is, in bytes.
        length: usize,
        /// How long the module waits for the next byte, in seconds; `None` is the module's choice.
        timeout_seconds: Option<u16>,
    },
}

/// How the payload of a publish reaches the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublishPayload<'a> {
    /// Inside of the command line: text that survives there, or what hexadecimal digits stand for.
    Inline(Cow<'a, [u8]>),
    /// Behind a prompt, as exactly this many raw bytes on the wire.
    Prompted(usize),
}

/// What the module answers between a command and its final result code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Information<'a> {
    /// The value of a setting.
    Setting(Setting<'a>),
    /// An open connection.
    Opened {
        /// The connection.
        connection: ConnectionId,
        /// The host, as it was given.
        host: Cow<'a, str>,
        /// The TCP port.
        port: u16,
    },
    /// How far a connection is.
    State {
        /// The connection.
        connection: ConnectionId,
        /// How far it is.
        state: ConnectionState,
    },
    /// A message out of the cache.
    Message {
        /// The connection.
        connection: ConnectionId,
        /// The packet identifier; 0 with QoS 0.
        message_id: u16,
        /// The topic.
        topic: Cow<'a, str>,
        /// The payload, decoded if it was written in hexadecimal digits.
        payload: Cow<'a, [u8]>,
    },
    /// The messages of a connection that wait in the cache, oldest first.
    Unread {
        /// The connection.
        connection: ConnectionId,
        /// Their packet identifiers.
        message_ids: Vec<u16>,
    },
    /// A value of a TLS context.
    TlsSetting {
        /// The context.
        context: u8,
        /// The value.
        setting: TlsSetting<'a>,
    },
}

/// What a request goes through until it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// Whether a URC reports the outcome; without it the final result code is all there is.
    pub reported: bool,
    /// The longest time the manual allows from the command to the end.
    pub limit: Duration,
}

impl Request<'_> {
    /// The connection that the request is about.
    pub fn connection(&self) -> Option<ConnectionId> {
        match self {
            Self::QueryOpen
            | Self::QueryState
            | Self::QueryUnread
            | Self::ConfigureTls { .. }
            | Self::QueryTls { .. }
            | Self::Upload { .. } => None,
            Self::Configure { connection, .. }
            | Self::QuerySetting { connection, .. }
            | Self::Open { connection, .. }
            | Self::Close { connection }
            | Self::Connect { connection, .. }
            | Self::Disconnect { connection }
            | Self::Subscribe { connection, .. }
            | Self::Unsubscribe { connection, .. }
            | Self::Publish { connection, .. }
            | Self::Read { connection, .. } => Some(*connection),
        }
    }
}

/// How a publish ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishEnd {
    /// The command was answered with an error.
    Refused,
    /// The outcome was reported, perhaps with a reason.
    Reported(PublishResult, Reason),
}

/// What the wire form of a message depends on beside the message.
#[derive(Debug, Clone, Copy)]
pub struct Context<'c> {
    /// What the module accepts.
    pub limits: &'c Limits,
    /// How payloads are written now.
    pub formats: &'c FormatTable,
}
