//! Packets to bytes and back: the only file that knows `mqtt-protocol-core`.

use mqtt_protocol_core::mqtt::common::Cursor;
use mqtt_protocol_core::mqtt::connection::{
    PacketBuildResult, PacketBuilder, PacketData, RawPacket,
};
use mqtt_protocol_core::mqtt::packet::v3_1_1::{
    Connect, Disconnect, Pingreq, Puback, Pubcomp, Publish, Pubrec, Pubrel, Subscribe, Unsubscribe,
};
use mqtt_protocol_core::mqtt::packet::{Qos, SubEntry, SubOpts};
use mqtt_protocol_core::mqtt::result_code::MqttError;

use super::event::{Message, ProtocolError};
use super::options::{ConnectOptions, Publication, QoS, Version};

/// A packet identifier as it is on the wire, never 0.
pub(super) type PacketId = u16;

/// Why MQTT cannot carry what it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A topic name must not be empty, hold `#`, `+` or NUL, or exceed 65,535 bytes.
    #[error("the topic name is empty, holds a wildcard or NUL, or is longer than 65535 bytes")]
    TopicName,
    /// A topic filter must not be empty, hold NUL or exceed 65,535 bytes, and there must be one.
    #[error("a topic filter is missing, empty, holds NUL or is longer than 65535 bytes")]
    TopicFilter,
    /// The message does not fit a packet.
    #[error("the message is longer than an MQTT packet")]
    TooLong,
    /// A field of CONNECT is longer than 65,535 bytes.
    #[error("the {0} is longer than 65535 bytes")]
    ConnectField(&'static str),
    /// MQTT has a password only together with a user name.
    #[error("a password needs a user name")]
    PasswordWithoutUsername,
}

/// A packet from the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Incoming {
    ConnectAck { session_present: bool, code: u8 },
    Publish(Message),
    PublishAck(PacketId),
    PublishReceived(PacketId),
    PublishRelease(PacketId),
    PublishComplete(PacketId),
    SubscribeAck(PacketId, Vec<u8>),
    UnsubscribeAck(PacketId),
    PingResponse,
}

/// Cuts the bytes of one link into packets. Made anew for each link, so that half a packet of a
/// lost link is lost with it.
pub(super) struct Decoder {
    builder: PacketBuilder,
    limit: u32,
}

impl Decoder {
    pub(super) fn new(limit: u32) -> Self {
        Self {
            builder: PacketBuilder::with_maximum_packet_size(limit),
            limit,
        }
    }

    /// The next packet of `bytes`, which shrink by what was used; `None` when all of them are used.
    pub(super) fn decode(&mut self, bytes: &mut &[u8]) -> Result<Option<Incoming>, ProtocolError> {
        let mut cursor = Cursor::new(*bytes);
        let result = self.builder.feed(&mut cursor);
        let used = usize::try_from(cursor.position()).expect("a position within a slice");
        *bytes = &bytes[used..];
        match result {
            PacketBuildResult::Complete(packet) => parse(packet).map(Some),
            PacketBuildResult::Incomplete => Ok(None),
            PacketBuildResult::Error(MqttError::PacketTooLarge) => {
                Err(ProtocolError::TooLarge { limit: self.limit })
            }
            PacketBuildResult::Error(_) => Err(ProtocolError::Length),
        }
    }
}

/// CONNECT.
pub(super) fn connect(options: &ConnectOptions) -> Result<Vec<u8>, EncodeError> {
    if options.password.is_some() && options.username.is_none() {
        return Err(EncodeError::PasswordWithoutUsername);
    }
    let mut connect = Connect::builder()
        .clean_session(options.clean_session)
        .keep_alive(options.keep_alive)
        .client_id(options.client_id.as_str())
        .map_err(|_| EncodeError::ConnectField("client id"))?;
    if let Some(will) = &options.will {
        connect = connect
            .will_message(&*will.topic, &will.payload, wire_qos(will.qos), will.retain)
            .map_err(|_| EncodeError::ConnectField("will"))?;
    }
    if let Some(username) = &options.username {
        connect = connect
            .user_name(username.as_str())
            .map_err(|_| EncodeError::ConnectField("user name"))?;
    }
    if let Some(password) = &options.password {
        connect = connect
            .password(password)
            .map_err(|_| EncodeError::ConnectField("password"))?;
    }
    let connect = connect
        .build()
        .expect("flags that agree with the fields set")
        .to_continuous_buffer();
    Ok(match options.version {
        Version::V3_1_1 => connect,
        Version::V3_1 => as_v3_1(&connect),
    })
}

/// PUBLISH; `packet_id` is `None` with QoS 0.
pub(super) fn publish(
    publication: &Publication<'_>,
    packet_id: Option<PacketId>,
) -> Result<Vec<u8>, EncodeError> {
    let &Publication {
        qos, retain, topic, ..
    } = publication;
    // The largest remaining length, less the length of the topic name and the packet identifier.
    const LIMIT: usize = 268_435_455 - 4;
    if topic.contains('\0') {
        return Err(EncodeError::TopicName);
    }
    if topic.len() + publication.payload.len() > LIMIT {
        return Err(EncodeError::TooLong);
    }
    let publish = Publish::builder()
        .topic_name(topic)
        .map_err(|_| EncodeError::TopicName)?
        .qos(wire_qos(qos))
        .retain(retain)
        .packet_id(packet_id)
        .payload(publication.payload)
        .build()
        .map_err(|_| EncodeError::TopicName)?;
    Ok(publish.to_continuous_buffer())
}

/// SUBSCRIBE.
pub(super) fn subscribe(
    packet_id: PacketId,
    filters: &[(&str, QoS)],
) -> Result<Vec<u8>, EncodeError> {
    let entries = filters
        .iter()
        .map(|&(filter, qos)| {
            check_filter(filter)?;
            SubEntry::new(filter, SubOpts::new().set_qos(wire_qos(qos)))
                .map_err(|_| EncodeError::TopicFilter)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let subscribe = Subscribe::builder()
        .packet_id(packet_id)
        .entries(entries)
        .build()
        .map_err(|_| EncodeError::TopicFilter)?;
    Ok(subscribe.to_continuous_buffer())
}

/// UNSUBSCRIBE.
pub(super) fn unsubscribe(packet_id: PacketId, filters: &[&str]) -> Result<Vec<u8>, EncodeError> {
    filters.iter().try_for_each(|filter| check_filter(filter))?;
    let unsubscribe = Unsubscribe::builder()
        .packet_id(packet_id)
        .entries(filters.iter().copied())
        .map_err(|_| EncodeError::TopicFilter)?
        .build()
        .map_err(|_| EncodeError::TopicFilter)?;
    Ok(unsubscribe.to_continuous_buffer())
}

/// Marks a packet as sent before, where its version has a mark for it.
pub(super) fn set_dup(packet: &mut [u8], version: Version) {
    const DUP: u8 = 0b1000;
    // MQTT 3.1.1 knows the flag for PUBLISH alone and reserves the bit elsewhere; MQTT 3.1 has it
    // for every packet that waits for an answer.
    if version == Version::V3_1 || packet[0] >> 4 == 3 {
        packet[0] |= DUP;
    }
}

macro_rules! acknowledgements {
    ($($(#[$doc:meta])* $name:ident = $packet:ident;)*) => {$(
        $(#[$doc])*
        pub(super) fn $name(packet_id: PacketId) -> Vec<u8> {
            $packet::builder()
                .packet_id(packet_id)
                .build()
                .expect("a packet identifier that is not 0")
                .to_continuous_buffer()
        }
    )*};
}

acknowledgements! {
    /// PUBACK.
    publish_ack = Puback;
    /// PUBREC.
    publish_received = Pubrec;
    /// PUBREL.
    publish_release = Pubrel;
    /// PUBCOMP.
    publish_complete = Pubcomp;
}

/// PINGREQ.
pub(super) fn ping_request() -> Vec<u8> {
    Pingreq::new().to_continuous_buffer()
}

/// DISCONNECT.
pub(super) fn disconnect() -> Vec<u8> {
    Disconnect::new().to_continuous_buffer()
}

/// The crate builds 3.1.1 alone. Another protocol name and level is all that 3.1 differs by here.
fn as_v3_1(connect: &[u8]) -> Vec<u8> {
    const HEADER_3_1_1: &[u8] = b"\x00\x04MQTT\x04";
    const HEADER_3_1: &[u8] = b"\x00\x06MQIsdp\x03";
    let at = connect
        .windows(HEADER_3_1_1.len())
        .position(|window| window == HEADER_3_1_1)
        .expect("CONNECT begins with protocol name and level");
    let rest = &connect[at + HEADER_3_1_1.len()..];
    let mut packet = vec![connect[0]];
    let mut length = HEADER_3_1.len() + rest.len();
    loop {
        let low = (length % 128) as u8;
        length /= 128;
        packet.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
    packet.extend_from_slice(HEADER_3_1);
    packet.extend_from_slice(rest);
    packet
}

fn check_filter(filter: &str) -> Result<(), EncodeError> {
    if filter.is_empty() || filter.contains('\0') {
        return Err(EncodeError::TopicFilter);
    }
    Ok(())
}

fn wire_qos(qos: QoS) -> Qos {
    match qos {
        QoS::AtMostOnce => Qos::AtMostOnce,
        QoS::AtLeastOnce => Qos::AtLeastOnce,
        QoS::ExactlyOnce => Qos::ExactlyOnce,
    }
}

fn parse(packet: RawPacket) -> Result<Incoming, ProtocolError> {
    let (kind, flags) = (packet.packet_type(), packet.flags());
    let body = match packet.data {
        PacketData::Publish(body) => {
            return Publish::parse(flags, body)
                .ok()
                .and_then(|(publish, _)| message(&publish))
                .map(Incoming::Publish)
                .ok_or(ProtocolError::Malformed { packet: "PUBLISH" });
        }
        PacketData::Normal(body) => body,
    };
    // The acknowledgements are taken apart here and not by the crate, which has reason codes in
    // them (MQTT 5) and refuses return codes it does not know.
    let (name, parsed) = match (kind, &body[..]) {
        (2, &[flags, code]) => {
            let session_present = flags & 1 == 1;
            (
                "CONNACK",
                Some(Incoming::ConnectAck {
                    session_present,
                    code,
                }),
            )
        }
        (2, _) => ("CONNACK", None),
        (4, body) => ("PUBACK", only_id(body).map(Incoming::PublishAck)),
        (5, body) => ("PUBREC", only_id(body).map(Incoming::PublishReceived)),
        (6, body) => ("PUBREL", only_id(body).map(Incoming::PublishRelease)),
        (7, body) => ("PUBCOMP", only_id(body).map(Incoming::PublishComplete)),
        (9, body) => {
            let parsed = body
                .split_first_chunk::<2>()
                .filter(|(_, codes)| !codes.is_empty())
                .and_then(|(id, codes)| Some((only_id(id)?, codes.to_vec())));
            (
                "SUBACK",
                parsed.map(|(id, codes)| Incoming::SubscribeAck(id, codes)),
            )
        }
        (11, body) => ("UNSUBACK", only_id(body).map(Incoming::UnsubscribeAck)),
        (13, []) => ("PINGRESP", Some(Incoming::PingResponse)),
        (13, _) => ("PINGRESP", None),
        _ => return Err(ProtocolError::UnexpectedType { kind }),
    };
    parsed.ok_or(ProtocolError::Malformed { packet: name })
}

/// A body that is one packet identifier.
fn only_id(body: &[u8]) -> Option<PacketId> {
    let id = u16::from_be_bytes(body.try_into().ok()?);
    (id != 0).then_some(id)
}

/// What the crate's parser lets through is checked here: packet identifier 0 and topic names that
/// a broker must not send.
fn message(publish: &Publish) -> Option<Message> {
    let topic = publish.topic_name();
    if topic.is_empty() || topic.contains(['#', '+', '\0']) || publish.packet_id() == Some(0) {
        return None;
    }
    Some(Message {
        message_id: publish.packet_id().unwrap_or(0),
        qos: match publish.qos() {
            Qos::AtMostOnce => QoS::AtMostOnce,
            Qos::AtLeastOnce => QoS::AtLeastOnce,
            Qos::ExactlyOnce => QoS::ExactlyOnce,
        },
        retain: publish.retain(),
        dup: publish.dup(),
        topic: topic.to_owned(),
        payload: publish.payload().as_slice().to_vec(),
    })
}

#[cfg(test)]
mod tests;
