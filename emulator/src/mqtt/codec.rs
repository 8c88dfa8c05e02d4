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
mod tests {
    use super::*;

    fn options() -> ConnectOptions {
        let mut options = ConnectOptions::new("id");
        options.clean_session = true;
        options.keep_alive = 60;
        options
    }

    fn decode(mut bytes: &[u8]) -> Result<Option<Incoming>, ProtocolError> {
        Decoder::new(1024).decode(&mut bytes)
    }

    #[test]
    fn connect_in_both_versions() {
        assert_eq!(
            connect(&options()).unwrap(),
            b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02id"
        );
        let options = ConnectOptions {
            version: Version::V3_1,
            ..options()
        };
        assert_eq!(
            connect(&options).unwrap(),
            b"\x10\x10\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x02id"
        );
    }

    #[test]
    fn connect_with_everything_it_can_carry() {
        let mut options = options();
        options.clean_session = false;
        options.username = Some("u".into());
        options.password = Some(vec![0, 255]);
        options.will = Some(super::super::Will {
            topic: "w".into(),
            payload: b"off".to_vec(),
            qos: QoS::ExactlyOnce,
            retain: true,
        });
        assert_eq!(
            connect(&options).unwrap(),
            b"\x10\x1d\x00\x04MQTT\x04\xf4\x00\x3c\x00\x02id\x00\x01w\x00\x03off\x00\x01u\x00\x02\x00\xff"
        );
    }

    #[test]
    fn a_connect_that_3_1_makes_one_length_byte_longer() {
        let mut options = options();
        options.client_id = "c".repeat(115);
        assert_eq!(connect(&options).unwrap()[..2], [0x10, 127]);
        options.version = Version::V3_1;
        assert_eq!(connect(&options).unwrap()[..4], [0x10, 0x81, 0x01, 0x00]);
    }

    #[test]
    fn what_connect_cannot_carry_is_named() {
        let mut options = options();
        options.password = Some(vec![]);
        assert_eq!(connect(&options), Err(EncodeError::PasswordWithoutUsername));
        options.username = Some("u".repeat(65536));
        assert_eq!(
            connect(&options),
            Err(EncodeError::ConnectField("user name"))
        );
    }

    #[test]
    fn requests_and_acknowledgements() {
        let publication = Publication {
            message_id: 5,
            qos: QoS::AtLeastOnce,
            retain: true,
            topic: "a/b",
            payload: b"xy",
        };
        assert_eq!(
            publish(&publication, Some(5)).unwrap(),
            b"\x33\x09\x00\x03a/b\x00\x05xy"
        );
        let publication = Publication {
            qos: QoS::AtMostOnce,
            retain: false,
            ..publication
        };
        assert_eq!(
            publish(&publication, None).unwrap(),
            b"\x30\x07\x00\x03a/bxy"
        );
        assert_eq!(
            subscribe(258, &[("a/#", QoS::AtLeastOnce), ("+", QoS::ExactlyOnce)]).unwrap(),
            b"\x82\x0c\x01\x02\x00\x03a/#\x01\x00\x01+\x02"
        );
        assert_eq!(
            unsubscribe(3, &["t"]).unwrap(),
            b"\xa2\x05\x00\x03\x00\x01t"
        );
        assert_eq!(publish_ack(1), b"\x40\x02\x00\x01");
        assert_eq!(publish_received(1), b"\x50\x02\x00\x01");
        assert_eq!(publish_release(1), b"\x62\x02\x00\x01");
        assert_eq!(publish_complete(1), b"\x70\x02\x00\x01");
        assert_eq!(ping_request(), b"\xc0\x00");
        assert_eq!(disconnect(), b"\xe0\x00");
    }

    #[test]
    fn topics_mqtt_cannot_carry_are_refused() {
        for topic in ["", "a/#", "+", "a\0b", &"t".repeat(65536)] {
            let publication = Publication {
                message_id: 0,
                qos: QoS::AtMostOnce,
                retain: false,
                topic,
                payload: b"",
            };
            assert_eq!(
                publish(&publication, None),
                Err(EncodeError::TopicName),
                "{topic:.9}"
            );
        }
        assert_eq!(subscribe(1, &[]), Err(EncodeError::TopicFilter));
        assert_eq!(
            subscribe(1, &[("", QoS::AtMostOnce)]),
            Err(EncodeError::TopicFilter)
        );
        assert_eq!(unsubscribe(1, &["a", ""]), Err(EncodeError::TopicFilter));
    }

    #[test]
    fn the_flag_of_a_repetition_is_only_where_the_version_has_it() {
        let mut packet = b"\x32\x05\x00\x01t\x00\x01".to_vec();
        set_dup(&mut packet, Version::V3_1_1);
        assert_eq!(packet[0], 0x3a);
        for (version, release) in [(Version::V3_1_1, 0x62), (Version::V3_1, 0x6a)] {
            let mut packet = publish_release(1);
            set_dup(&mut packet, version);
            assert_eq!(packet[0], release);
        }
    }

    #[test]
    fn packets_from_the_broker() {
        let rows: [(&[u8], Incoming); 8] = [
            (
                b"\x20\x02\x01\x00",
                Incoming::ConnectAck {
                    session_present: true,
                    code: 0,
                },
            ),
            (
                b"\x20\x02\x00\xff",
                Incoming::ConnectAck {
                    session_present: false,
                    code: 255,
                },
            ),
            (b"\x40\x02\x01\x02", Incoming::PublishAck(258)),
            (b"\x62\x02\x00\x07", Incoming::PublishRelease(7)),
            (
                b"\x90\x04\x00\x07\x02\x80",
                Incoming::SubscribeAck(7, vec![2, 0x80]),
            ),
            (b"\xb0\x02\x00\x07", Incoming::UnsubscribeAck(7)),
            (b"\xd0\x00", Incoming::PingResponse),
            (
                b"\x3d\x08\x00\x01t\x00\x09\0\r\n",
                Incoming::Publish(Message {
                    message_id: 9,
                    qos: QoS::ExactlyOnce,
                    retain: true,
                    dup: true,
                    topic: "t".into(),
                    payload: b"\0\r\n".to_vec(),
                }),
            ),
        ];
        for (bytes, packet) in rows {
            assert_eq!(decode(bytes), Ok(Some(packet)), "{bytes:x?}");
        }
    }

    #[test]
    fn packets_that_break_the_protocol() {
        let malformed = |packet| ProtocolError::Malformed { packet };
        let rows: [(&[u8], ProtocolError); 17] = [
            (b"\x20\x01\x00", malformed("CONNACK")),
            (b"\x20\x03\x00\x00\x00", malformed("CONNACK")),
            (b"\x36\x06\x00\x01t\x00\x09x", malformed("PUBLISH")),
            (b"\x30\x04\x00\x05tt", malformed("PUBLISH")),
            (b"\x30\x03\x00\x01#", malformed("PUBLISH")),
            (b"\x30\x02\x00\x00", malformed("PUBLISH")),
            (b"\x30\x03\x00\x01\xff", malformed("PUBLISH")),
            (b"\x32\x05\x00\x01t\x00\x00", malformed("PUBLISH")),
            (b"\x40\x02\x00\x00", malformed("PUBACK")),
            (b"\x50\x01\x00", malformed("PUBREC")),
            (b"\x62\x00", malformed("PUBREL")),
            (b"\x70\x03\x00\x01\x00", malformed("PUBCOMP")),
            (b"\x90\x02\x00\x01", malformed("SUBACK")),
            (b"\xd0\x01\x00", malformed("PINGRESP")),
            (b"\xc0\x00", ProtocolError::UnexpectedType { kind: 12 }),
            (b"\xf0\x00", ProtocolError::UnexpectedType { kind: 15 }),
            (b"\x30\xff\xff\xff\xff\x01", ProtocolError::Length),
        ];
        for (bytes, error) in rows {
            assert_eq!(decode(bytes), Err(error), "{bytes:x?}");
        }
    }

    #[test]
    fn a_packet_over_the_limit_is_refused_at_its_header() {
        // 1,021 bytes and a header of 3 are the limit.
        assert_eq!(decode(b"\x30\xfd\x07"), Ok(None));
        assert_eq!(
            decode(b"\x30\xfe\x07"),
            Err(ProtocolError::TooLarge { limit: 1024 })
        );
    }
}
