use alloc::string::String;
use alloc::vec::Vec;

use super::ConnectionId;

/// What the module reports without being asked in the same breath.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Urc {
    /// The outcome of an open.
    Opened {
        /// The connection.
        connection: ConnectionId,
        /// Whether the link stands.
        result: Result<(), OpenFailure>,
    },
    /// The outcome of a close.
    Closed {
        /// The connection.
        connection: ConnectionId,
        /// Whether the module closed it; else its reason, if it gave one.
        result: Result<(), Reason>,
    },
    /// The outcome of a CONNECT.
    Connected {
        /// The connection.
        connection: ConnectionId,
        /// What came of it.
        result: Connected,
    },
    /// The outcome of a disconnect.
    Disconnected {
        /// The connection.
        connection: ConnectionId,
        /// Whether the module disconnected; else its reason, if it gave one.
        result: Result<(), Reason>,
    },
    /// The outcome of a subscribe or an unsubscribe.
    SubscriptionChanged {
        /// The connection.
        connection: ConnectionId,
        /// The packet identifier.
        message_id: u16,
        /// Which of the two; `None` where the dialect writes both alike.
        change: Option<SubscriptionChange>,
        /// Done, with the value that the module shows, such as how many filters were acknowledged,
        /// or failed.
        result: Result<Option<i32>, Reason>,
    },
    /// The outcome of a publish.
    Published {
        /// The connection.
        connection: ConnectionId,
        /// The packet identifier.
        message_id: u16,
        /// What came of it.
        result: PublishResult,
        /// Why, where it is not success.
        reason: Reason,
    },
    /// A message has come.
    Received {
        /// The connection.
        connection: ConnectionId,
        /// The packet identifier; 0 with QoS 0.
        message_id: u16,
        /// The topic.
        topic: String,
        /// The payload, decoded if it was written in hexadecimal digits.
        payload: Vec<u8>,
    },
    /// A message has come and waits in the module.
    Buffered {
        /// The connection.
        connection: ConnectionId,
        /// Which one to read.
        message_id: u16,
    },
    /// The state of the link has changed; anything but [`LinkStatus::Fine`] means that it is lost.
    Status {
        /// The connection.
        connection: ConnectionId,
        /// What has happened.
        status: LinkStatus,
        /// The number behind the status, such as the broker's return code.
        code: Option<i32>,
    },
}

impl Urc {
    /// The connection that it tells of.
    pub fn connection(&self) -> ConnectionId {
        match self {
            Self::Opened { connection, .. }
            | Self::Closed { connection, .. }
            | Self::Connected { connection, .. }
            | Self::Disconnected { connection, .. }
            | Self::SubscriptionChanged { connection, .. }
            | Self::Published { connection, .. }
            | Self::Received { connection, .. }
            | Self::Buffered { connection, .. }
            | Self::Status { connection, .. } => *connection,
        }
    }
}

/// Why something was not done: what it means, and the number that the module shows.
///
/// A dialect that reads it fills in both. One that writes it shows the number if there is one, and
/// else its own for the meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct Reason {
    /// What it means.
    pub kind: ReasonKind,
    /// The module's number, if it shows one.
    pub code: Option<i32>,
}

/// What a [`Reason`] means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ReasonKind {
    /// Nobody knows, or no reason is given.
    #[default]
    Unknown,
    /// The packet could not be sent.
    NotSent,
    /// A parameter is wrong.
    BadParameter,
    /// The broker refuses, by the return code of its answer.
    Refused,
}

impl Reason {
    /// No reason is given.
    pub const NONE: Self = Self::new(ReasonKind::Unknown, None);

    /// With the module's number, if it shows one.
    pub const fn new(kind: ReasonKind, code: Option<i32>) -> Self {
        Self { kind, code }
    }

    /// A number of which nothing is known.
    pub const fn number(code: i32) -> Self {
        Self::new(ReasonKind::Unknown, Some(code))
    }
}

impl From<ReasonKind> for Reason {
    fn from(kind: ReasonKind) -> Self {
        Self::new(kind, None)
    }
}

/// Why a link could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenFailure {
    /// A parameter is wrong.
    Parameter,
    /// The connection id is in use.
    InUse,
    /// The packet data context could not be activated.
    PdpActivation,
    /// The host name could not be resolved.
    Dns,
    /// The network is down, or the host does not take the connection.
    Network,
    /// The TLS handshake failed.
    Tls,
    /// A reason this crate does not know, or none.
    Other(Option<i32>),
}

/// The outcome of a CONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connected {
    /// The broker has accepted the client.
    Accepted,
    /// The broker has refused the client.
    Refused(Refusal),
    /// The module has sent the packet again, with the return code that it shows. What comes of it is
    /// reported later.
    Retransmitted(Option<i32>),
    /// The packet could not be sent or was not answered.
    Failed(Reason),
}

/// The return code of a CONNACK that refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// 1: the broker does not speak this version of the protocol.
    ProtocolVersion,
    /// 2: the client id is not allowed.
    Identifier,
    /// 3: the broker is not available.
    ServerUnavailable,
    /// 4: wrong user name or password.
    BadCredentials,
    /// 5: not authorised.
    NotAuthorized,
    /// Another code: MQTT reserves them, and modules use some for their own troubles.
    Other(u8),
}

impl Refusal {
    /// From the return code on the wire, which must not be 0.
    pub fn from_code(code: u8) -> Self {
        match code {
            1 => Self::ProtocolVersion,
            2 => Self::Identifier,
            3 => Self::ServerUnavailable,
            4 => Self::BadCredentials,
            5 => Self::NotAuthorized,
            other => Self::Other(other),
        }
    }

    /// The return code on the wire.
    pub fn code(self) -> u8 {
        match self {
            Self::ProtocolVersion => 1,
            Self::Identifier => 2,
            Self::ServerUnavailable => 3,
            Self::BadCredentials => 4,
            Self::NotAuthorized => 5,
            Self::Other(code) => code,
        }
    }
}

/// Subscribed or unsubscribed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionChange {
    /// A subscribe.
    Subscribed,
    /// An unsubscribe.
    Unsubscribed,
}

/// What came of a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishResult {
    /// Sent, and acknowledged as its quality of service demands.
    Done,
    /// Sent, but not acknowledged as it should be: it may have arrived.
    WrongAcknowledgement,
    /// Not sent.
    NotSent,
}

/// What the end of a publish proves of its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// It has not left the module.
    NeverLeft,
    /// It may have reached the broker.
    MayHaveArrived,
    /// It was sent, and acknowledged as its quality of service demands.
    Acknowledged,
}

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionState {
    /// 1: configured or open, MQTT not yet spoken.
    Initial,
    /// 2: CONNECT sent.
    Connecting,
    /// 3: CONNACK received.
    Connected,
    /// 4: being closed.
    Disconnecting,
}

/// What a status URC says of the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkStatus {
    /// 0: nothing is wrong.
    Fine,
    /// 1: closed or reset by the broker.
    ClosedByServer,
    /// 2: the address cannot be parsed.
    Address,
    /// 3: the host name cannot be resolved.
    Dns,
    /// 4: the broker broke the protocol.
    Protocol,
    /// 7: HTTP error, its code in `extend`.
    Http,
    /// 8: no connection within the time limit.
    ConnectTimeout,
    /// 9: no connection.
    ConnectFailed,
    /// 10: fatal error.
    Fatal,
    /// 11: closed.
    Closed,
    /// 12: more data needed.
    NeedMoreData,
    /// 13: a received message was dropped, because the cache is full.
    CacheOverflow,
    /// 14: TLS failed.
    Tls,
    /// 15: the broker refused the client, the CONNACK return code in `extend`.
    Refused,
    /// The broker did not answer a ping.
    PingTimeout,
    /// A status this crate does not know.
    Other(u8),
}
