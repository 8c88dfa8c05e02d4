use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{
    Connect, ConnectionId, ConnectionState, OpenFailure, Proof, PublishResult, QoS, Reason, Refusal,
};

/// What a host wants of the module's MQTT client, however many commands that takes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// Set up what the connection needs, open the link and connect. Ends with [`Outcome::Done`],
    /// [`Outcome::NotOpened`], [`Outcome::Refused`], [`Outcome::NotAccepted`],
    /// [`Outcome::TlsNotTaken`] or [`Outcome::Unheard`].
    Connect(Box<Connect>),
    /// Disconnect and give up what the module holds for the connection. Undoes a connect too, as
    /// far as it came. Ends with [`Outcome::Done`].
    Disconnect {
        /// The connection.
        connection: ConnectionId,
        /// Whether the broker is to be told: the CONNECT was accepted.
        connected: bool,
    },
    /// Subscribe to topic filters, in one packet where the module can. Ends with
    /// [`Outcome::Done`] or [`Outcome::SubscriptionFailed`].
    Subscribe {
        /// The connection.
        connection: ConnectionId,
        /// The packet identifier, where the host chooses it; not 0.
        message_id: u16,
        /// The filters and the quality of service asked for each.
        filters: Vec<TopicFilter>,
    },
    /// Take back subscriptions. Ends as [`Operation::Subscribe`] does.
    Unsubscribe {
        /// The connection.
        connection: ConnectionId,
        /// The packet identifier, where the host chooses it; not 0.
        message_id: u16,
        /// The filters.
        filters: Vec<String>,
    },
    /// Publish a message. Ends with [`Outcome::Published`] or [`Outcome::Accepted`].
    Publish(Publish),
    /// Take the oldest message of this identifier out of the module's cache. Ends with
    /// [`Outcome::Done`]; the message is an [`Answer`](crate::dialect::Answer) of its step.
    Read {
        /// The connection.
        connection: ConnectionId,
        /// The packet identifier that [`Urc::Buffered`](super::Urc::Buffered) gave.
        message_id: u16,
    },
    /// Ask which messages wait in the module's cache. Ends as [`Operation::Read`] does.
    ListUnread,
    /// Ask how far a connection is. Ends with [`Outcome::State`].
    State {
        /// The connection.
        connection: ConnectionId,
    },
}

/// A topic filter, with the quality of service asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicFilter {
    /// The filter, which may hold wildcards.
    pub filter: String,
    /// The highest quality of service that messages are to come with.
    pub qos: QoS,
}

/// A message to publish.
#[derive(Clone, PartialEq, Eq)]
pub struct Publish {
    /// The connection.
    pub connection: ConnectionId,
    /// The packet identifier, where the host chooses it; 0 with [`QoS::AtMostOnce`], and only
    /// there.
    pub message_id: u16,
    /// The quality of service.
    pub qos: QoS,
    /// Whether the broker retains the message.
    pub retain: bool,
    /// The topic.
    pub topic: String,
    /// The payload, any bytes.
    pub payload: Vec<u8>,
}

impl fmt::Debug for Publish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publish")
            .field("connection", &self.connection)
            .field("message_id", &self.message_id)
            .field("qos", &self.qos)
            .field("retain", &self.retain)
            .field("topic", &self.topic)
            .field("payload_length", &self.payload.len())
            .finish()
    }
}

/// What an [`Operation`] has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// As it was asked for.
    Done,
    /// The last step failed: refused, not answered, not reported, or the link was lost. What that
    /// proves of a message to publish.
    Failed(Proof),
    /// The link could not be opened.
    NotOpened(OpenFailure),
    /// The broker refused the client.
    Refused(Refusal),
    /// The CONNECT was not accepted, for a reason of the module's.
    NotAccepted(Reason),
    /// The module did not take the TLS context; the last step's error tells with what.
    TlsNotTaken,
    /// The module has taken the last step and reports nothing of it here, as modules do that report
    /// on another port; the sentence tells what to do about that.
    Unheard(&'static str),
    /// The subscription was not changed.
    SubscriptionFailed(Reason),
    /// What the module reports of a message.
    Published {
        /// What came of it.
        result: PublishResult,
        /// Why, where it is not success.
        reason: Reason,
        /// What that proves.
        proof: Proof,
    },
    /// The module has taken the message, and reports nothing more of it.
    Accepted,
    /// How far the connection is; `None` if the module knows nothing of it.
    State(Option<ConnectionState>),
}
