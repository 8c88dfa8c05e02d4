use super::codec::EncodeError;
use super::options::QoS;

/// What happened on the MQTT side, in the order it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The broker accepted the connection.
    Connected {
        /// Whether the broker kept a session of this client; always `false` in MQTT 3.1.
        session_present: bool,
    },
    /// The broker refused the connection. The client is finished.
    Refused {
        /// CONNACK return code as received: 1 to 5 have a meaning, others are reserved.
        code: u8,
    },
    /// No CONNACK came in time. The client is finished.
    ConnectTimedOut,
    /// A publish is complete: handed over (QoS 0), PUBACK (QoS 1) or PUBCOMP (QoS 2) received.
    Published {
        /// The host's msgID.
        message_id: u16,
    },
    /// A publish was never acknowledged, retries included. It may have arrived all the same.
    PublishFailed {
        /// The host's msgID.
        message_id: u16,
        /// What the broker left unanswered.
        unanswered: Unanswered,
    },
    /// SUBACK came.
    Subscribed {
        /// The host's msgID.
        message_id: u16,
        /// The broker's code for each topic filter, as received: the QoS granted, or 0x80 for a
        /// refusal.
        codes: Vec<u8>,
    },
    /// No SUBACK came, retries included.
    SubscribeTimedOut {
        /// The host's msgID.
        message_id: u16,
    },
    /// UNSUBACK came.
    Unsubscribed {
        /// The host's msgID.
        message_id: u16,
    },
    /// No UNSUBACK came, retries included.
    UnsubscribeTimedOut {
        /// The host's msgID.
        message_id: u16,
    },
    /// A packet was sent again because its answer is late.
    Retransmitted {
        /// The host's msgID.
        message_id: u16,
        /// 1 for the first repetition.
        attempt: u32,
        /// Whether it belongs to a publish, and not to a subscribe or an unsubscribe.
        publish: bool,
    },
    /// A message arrived.
    Received(Message),
    /// The client gave the link up; it must be closed. The client is finished.
    Lost(Loss),
}

/// A message from the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Packet identifier the broker gave it; 0 for QoS 0.
    pub message_id: u16,
    /// Quality of service it was delivered with.
    pub qos: QoS,
    /// Whether it was retained before this client subscribed.
    pub retain: bool,
    /// Whether the broker marks it as possibly sent before.
    pub dup: bool,
    /// Topic name.
    pub topic: String,
    /// Payload.
    pub payload: Vec<u8>,
}

/// The packet of a publish that the broker left unanswered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswered {
    /// PUBLISH: the broker may not have the message.
    Publish,
    /// PUBREL: the broker has the message, and may still hold its packet identifier.
    Release,
}

/// Why the client gave a link up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Loss {
    /// The broker broke the protocol.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// PINGREQ stayed unanswered, repetitions included.
    #[error("the broker answered none of {requests} keepalive requests")]
    KeepaliveTimeout {
        /// PINGREQ packets sent without an answer.
        requests: u32,
    },
}

/// How a broker broke the protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// The remaining length has more than four bytes.
    #[error("the broker sent a packet without a valid length")]
    Length,
    /// A packet is longer than the client takes.
    #[error("the broker sent a packet longer than {limit} bytes")]
    TooLarge {
        /// [`ConnectOptions::maximum_packet_size`](super::ConnectOptions::maximum_packet_size).
        limit: u32,
    },
    /// A packet does not parse.
    #[error("the broker sent a malformed {packet}")]
    Malformed {
        /// Name of the packet, as in the standard.
        packet: &'static str,
    },
    /// A packet that only clients send, or of a reserved type.
    #[error("the broker sent a packet of type {kind}, which a client never receives")]
    UnexpectedType {
        /// Type number from the fixed header.
        kind: u8,
    },
    /// Something else came before CONNACK.
    #[error("the broker sent another packet before CONNACK")]
    BeforeConnack,
    /// A connection is accepted once.
    #[error("the broker sent CONNACK a second time")]
    SecondConnack,
    /// A SUBACK has one return code for each topic filter of its SUBSCRIBE.
    #[error("the broker sent {codes} return codes for {filters} topic filters")]
    ReturnCodes {
        /// Topic filters of the SUBSCRIBE.
        filters: usize,
        /// Return codes of the SUBACK.
        codes: usize,
    },
    /// More QoS 2 messages are open than the client remembers.
    #[error("the broker left more than {limit} QoS 2 messages without PUBREL")]
    TooManyUnreleased {
        /// Messages remembered at once.
        limit: usize,
    },
}

/// Why a request was refused before a byte of it was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// CONNACK has not come, or the client is finished.
    #[error("not connected to a broker")]
    NotConnected,
    /// An earlier request under this identifier has no answer yet.
    #[error("message id {message_id} is still in use by an unanswered request")]
    IdInFlight {
        /// The host's msgID.
        message_id: u16,
    },
    /// Too many requests have no answer yet.
    #[error("{limit} requests are already waiting for an answer")]
    TooManyInFlight {
        /// Requests unanswered at once.
        limit: usize,
    },
    /// MQTT cannot carry the request.
    #[error(transparent)]
    Unencodable(#[from] EncodeError),
}
