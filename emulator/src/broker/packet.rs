//! The vocabulary of MQTT 3.1 and 3.1.1 that the broker speaks, free of any codec.

use std::num::NonZeroU16;
use std::sync::Arc;

use super::Credentials;

/// A packet identifier; 0 is not one.
pub(super) type PacketId = NonZeroU16;

/// What a client asks for.
#[derive(Debug, PartialEq)]
pub(super) enum Packet {
    /// CONNECT, boxed because it is by far the largest and the rarest.
    Connect(Box<Connect>),
    /// PUBLISH from a client.
    Publish(Publish),
    /// PUBACK of a QoS 1 message we sent.
    Puback(PacketId),
    /// PUBREC of a QoS 2 message we sent.
    Pubrec(PacketId),
    /// PUBREL of a QoS 2 message we received.
    Pubrel(PacketId),
    /// PUBCOMP of a QoS 2 message we sent.
    Pubcomp(PacketId),
    /// SUBSCRIBE: each topic filter with the QoS asked for.
    Subscribe(PacketId, Vec<(String, Qos)>),
    /// UNSUBSCRIBE.
    Unsubscribe(PacketId, Vec<String>),
    /// PINGREQ.
    Pingreq,
    /// DISCONNECT.
    Disconnect,
}

/// What the broker answers, apart from PUBLISH.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reply {
    /// CONNACK: session present and return code.
    Connack(bool, super::ConnectReturnCode),
    /// PUBACK of a QoS 1 message we received.
    Puback(PacketId),
    /// PUBREC of a QoS 2 message we received.
    Pubrec(PacketId),
    /// PUBREL of a QoS 2 message we sent.
    Pubrel(PacketId),
    /// PUBCOMP of a QoS 2 message we received.
    Pubcomp(PacketId),
    /// SUBACK: for each filter the QoS granted, or `None` for a refusal.
    Suback(PacketId, Vec<Option<Qos>>),
    /// UNSUBACK.
    Unsuback(PacketId),
    /// PINGRESP.
    Pingresp,
}

/// The delivery guarantee of a message or a subscription.
#[expect(
    clippy::enum_variant_names,
    reason = "these are the names of the standard"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Qos {
    /// QoS 0.
    AtMostOnce,
    /// QoS 1.
    AtLeastOnce,
    /// QoS 2.
    ExactlyOnce,
}

/// The contents of CONNECT.
#[derive(Debug, PartialEq)]
pub(super) struct Connect {
    /// Client id, user name, password.
    pub(super) credentials: Credentials,
    /// Clean Session flag.
    pub(super) clean_session: bool,
    /// Keep Alive in seconds; 0 turns it off.
    pub(super) keep_alive_secs: u16,
    /// The will, if one is left with us.
    pub(super) will: Option<Publish>,
    /// Whether the client speaks MQTT 3.1, which knows no session-present flag.
    pub(super) level_3: bool,
}

/// The contents of PUBLISH, and of a will.
#[derive(Debug, PartialEq)]
pub(super) struct Publish {
    /// Topic and payload.
    pub(super) message: Message,
    /// The QoS the sender chose.
    pub(super) qos: Qos,
    /// Whether to keep it for later subscribers.
    pub(super) retain: bool,
    /// The sender's packet identifier; `None` exactly when the QoS is 0 or this is a will.
    pub(super) packet_id: Option<PacketId>,
}

/// What travels from publisher to subscribers, shared between all of them.
#[derive(Debug, PartialEq)]
pub(super) struct Message {
    /// Topic name: no wildcards, not empty.
    pub(super) topic: String,
    /// Any bytes, possibly none.
    pub(super) payload: Arc<[u8]>,
}

impl Message {
    /// Bytes this message keeps alive, for the limits.
    pub(super) fn size(&self) -> usize {
        self.topic.len() + self.payload.len()
    }
}
