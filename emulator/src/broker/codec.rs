//! Control packets from and to bytes: the only file that knows `mqtt-protocol-core`.
//!
//! Only its packet types are used, not its `Connection` in the server role. That one keeps the
//! exchanges of one client correct, and a bench has to take incorrect ones: it asks for a close at
//! a second acknowledgement, panics when a stored packet identifier is sent again, knows no level
//! 3, and hides its session store behind per-connection state, while ours outlives connections
//! and has to be bounded. What is left for it to do is small beside what would have to be worked
//! around.
//!
//! Its parsers are lenient where a server must not be (flags, trailing bytes, wildcards, NUL), so
//! those checks are here.

use atmq_protocol::mqtt::check_topic;
use mqtt_protocol_core::mqtt::packet::{self as wire, v3_1_1};
use mqtt_protocol_core::mqtt::result_code as wire_code;

use super::packet::{Connect, Message, Packet, PacketId, Publish, Qos, Reply};
use super::session::Delivery;
use super::splitter::Frame;
use super::{ConnectReturnCode, Credentials, Violation};

/// Reads a packet that a client sent.
pub(super) fn decode(frame: &Frame<'_>) -> Result<Packet, Violation> {
    let (kind, flags) = (frame.header >> 4, frame.header & 0x0f);
    let (name, expected_flags) = match kind {
        1 => ("CONNECT", 0),
        // Its flags are DUP, QoS and RETAIN.
        3 => return publish(flags, frame.body).map(Packet::Publish),
        4 => ("PUBACK", 0),
        5 => ("PUBREC", 0),
        6 => ("PUBREL", 2),
        7 => ("PUBCOMP", 0),
        8 => ("SUBSCRIBE", 2),
        10 => ("UNSUBSCRIBE", 2),
        12 => ("PINGREQ", 0),
        14 => ("DISCONNECT", 0),
        _ => return Err(Violation::PacketType(kind)),
    };
    if flags != expected_flags {
        return Err(Violation::Flags {
            packet: name,
            flags,
        });
    }
    match kind {
        1 => connect(frame.body).map(|connect| Packet::Connect(Box::new(connect))),
        8 => subscribe(frame.body),
        10 => unsubscribe(frame.body),
        12 | 14 if !frame.body.is_empty() => Err(malformed(name, "a body where none belongs")),
        12 => Ok(Packet::Pingreq),
        14 => Ok(Packet::Disconnect),
        _ => {
            let packet_id = acknowledgement(name, frame.body)?;
            Ok(match kind {
                4 => Packet::Puback(packet_id),
                5 => Packet::Pubrec(packet_id),
                6 => Packet::Pubrel(packet_id),
                _ => Packet::Pubcomp(packet_id),
            })
        }
    }
}

const COMPLETE: &str = "every field that the packet needs is set";

/// A packet that is an identifier and nothing else.
macro_rules! acknowledgement {
    ($packet:ident, $id:expr) => {
        v3_1_1::$packet::builder()
            .packet_id($id.get())
            .build()
            .expect(COMPLETE)
            .to_continuous_buffer()
    };
}

/// The bytes of a reply.
pub(super) fn encode(reply: &Reply) -> Vec<u8> {
    match reply {
        Reply::Connack(session_present, code) => v3_1_1::Connack::builder()
            .session_present(*session_present)
            .return_code(wire_return_code(*code))
            .build()
            .expect(COMPLETE)
            .to_continuous_buffer(),
        Reply::Puback(id) => acknowledgement!(Puback, id),
        Reply::Pubrec(id) => acknowledgement!(Pubrec, id),
        Reply::Pubrel(id) => acknowledgement!(Pubrel, id),
        Reply::Pubcomp(id) => acknowledgement!(Pubcomp, id),
        Reply::Suback(id, codes) => v3_1_1::Suback::builder()
            .packet_id(id.get())
            .return_codes(codes.iter().map(|code| wire_suback_code(*code)).collect())
            .build()
            .expect(COMPLETE)
            .to_continuous_buffer(),
        Reply::Unsuback(id) => acknowledgement!(Unsuback, id),
        Reply::Pingresp => v3_1_1::Pingresp::new().to_continuous_buffer(),
    }
}

/// The bytes of PUBLISH to a subscriber; the packet identifier is `None` exactly at QoS 0.
pub(super) fn encode_publish(
    delivery: &Delivery,
    packet_id: Option<PacketId>,
    dup: bool,
) -> Vec<u8> {
    v3_1_1::Publish::builder()
        .topic_name(delivery.message.topic.as_str())
        .expect("only topic names without wildcards are accepted")
        .qos(wire_qos(delivery.qos))
        .dup(dup)
        .retain(delivery.retain)
        .packet_id(packet_id.map(PacketId::get))
        .payload(delivery.message.payload.clone())
        .build()
        .expect("QoS and packet identifier belong together")
        .to_continuous_buffer()
}

fn connect(body: &[u8]) -> Result<Connect, Violation> {
    const CONNECT: &str = "CONNECT";
    let level_3 = body.starts_with(b"\0\x06MQIsdp");
    if !level_3 && !body.starts_with(b"\0\x04MQTT") {
        return Err(Violation::ProtocolName);
    }
    let name = if level_3 { 8 } else { 6 };
    let &[level, flags, ..] = &body[name..] else {
        return Err(malformed(CONNECT, "it ends too early"));
    };
    if level != if level_3 { 3 } else { 4 } {
        return Err(Violation::ProtocolLevel(level));
    }
    let will = flags & 0b0000_0100 != 0;
    let will_qos = flags >> 3 & 0b11;
    if !level_3 && flags & 1 != 0 {
        return Err(malformed(CONNECT, "the reserved flag is set"));
    }
    if will_qos == 3 {
        return Err(malformed(CONNECT, "QoS 3 for the will"));
    }
    if !will && flags & 0b0011_1000 != 0 {
        return Err(malformed(
            CONNECT,
            "QoS or retain of a will that is not there",
        ));
    }
    let parsed = parse_connect(&body[name + 1..], level_3)?;
    let will = match (parsed.will_topic(), parsed.will_payload()) {
        (Some(topic), Some(payload)) => {
            let message = Message {
                topic: text(CONNECT, topic)?,
                payload: payload.into(),
            };
            if check_topic(topic).is_err() {
                return Err(malformed(
                    CONNECT,
                    "the will topic is empty or has wildcards",
                ));
            }
            let (qos, retain) = (qos(parsed.will_qos()), parsed.will_retain());
            Some(Publish {
                message,
                qos,
                retain,
                packet_id: None,
            })
        }
        _ => None,
    };
    Ok(Connect {
        credentials: Credentials {
            client_id: text(CONNECT, parsed.client_id())?,
            username: parsed
                .user_name()
                .map(|name| text(CONNECT, name))
                .transpose()?,
            password: parsed.password().map(<[u8]>::to_vec),
        },
        clean_session: parsed.clean_session(),
        keep_alive_secs: parsed.keep_alive(),
        will,
        level_3,
    })
}

/// Parses CONNECT from its flags on, as MQTT 3.1.1 whatever it is, since the crate knows no other.
fn parse_connect(from_flags: &[u8], level_3: bool) -> Result<v3_1_1::Connect, Violation> {
    // In MQTT 3.1 (section 3.1) the announced user name and password may be missing: then the
    // remaining length takes precedence over the flags.
    let ignorable: &[u8] = if level_3 {
        &[0, 0b0100_0000, 0b1100_0000]
    } else {
        &[0]
    };
    for ignored in ignorable {
        let mut bytes = b"\0\x04MQTT\x04".to_vec();
        bytes.extend_from_slice(from_flags);
        bytes[7] &= !ignored;
        match v3_1_1::Connect::parse(&bytes) {
            Ok((connect, length)) if length == bytes.len() => return Ok(connect),
            _ => {}
        }
    }
    Err(malformed("CONNECT", "flags and contents do not fit"))
}

fn publish(flags: u8, body: &[u8]) -> Result<Publish, Violation> {
    const PUBLISH: &str = "PUBLISH";
    let (publish, _) = v3_1_1::Publish::parse(flags, body.into())
        .map_err(|_| malformed(PUBLISH, "QoS 3, or contents cut short or not UTF-8"))?;
    let qos = qos(publish.qos());
    if qos == Qos::AtMostOnce && publish.dup() {
        return Err(malformed(PUBLISH, "DUP at QoS 0"));
    }
    let topic = text(PUBLISH, publish.topic_name())?;
    if check_topic(&topic).is_err() {
        return Err(malformed(PUBLISH, "the topic is empty or has wildcards"));
    }
    let packet_id = publish
        .packet_id()
        .map(|id| packet_id(PUBLISH, id))
        .transpose()?;
    let message = Message {
        topic,
        payload: publish.payload().as_slice().into(),
    };
    Ok(Publish {
        message,
        qos,
        retain: publish.retain(),
        packet_id,
    })
}

fn subscribe(body: &[u8]) -> Result<Packet, Violation> {
    const SUBSCRIBE: &str = "SUBSCRIBE";
    let (subscribe, _) = v3_1_1::Subscribe::parse(body)
        .map_err(|_| malformed(SUBSCRIBE, "no filters, or contents cut short or not UTF-8"))?;
    let packet_id = packet_id(SUBSCRIBE, subscribe.packet_id())?;
    let mut filters = Vec::with_capacity(subscribe.entries().len());
    for entry in subscribe.entries() {
        // The parser shares this byte with MQTT 5, where the higher bits mean something.
        if entry.sub_opts().to_buffer()[0] > 2 {
            return Err(malformed(SUBSCRIBE, "reserved bits beside the QoS"));
        }
        filters.push((
            text(SUBSCRIBE, entry.topic_filter())?,
            qos(entry.sub_opts().qos()),
        ));
    }
    Ok(Packet::Subscribe(packet_id, filters))
}

fn unsubscribe(body: &[u8]) -> Result<Packet, Violation> {
    const UNSUBSCRIBE: &str = "UNSUBSCRIBE";
    let (unsubscribe, _) = v3_1_1::Unsubscribe::parse(body).map_err(|_| {
        malformed(
            UNSUBSCRIBE,
            "no filters, or contents cut short or not UTF-8",
        )
    })?;
    let packet_id = packet_id(UNSUBSCRIBE, unsubscribe.packet_id())?;
    let filters = unsubscribe.entries().iter();
    let filters = filters.map(|filter| text(UNSUBSCRIBE, filter.as_str()));
    Ok(Packet::Unsubscribe(
        packet_id,
        filters.collect::<Result<_, _>>()?,
    ))
}

fn acknowledgement(name: &'static str, body: &[u8]) -> Result<PacketId, Violation> {
    match *body {
        [high, low] => packet_id(name, u16::from_be_bytes([high, low])),
        _ => Err(malformed(name, "its length is not 2")),
    }
}

fn packet_id(packet: &'static str, id: u16) -> Result<PacketId, Violation> {
    PacketId::new(id).ok_or(malformed(packet, "packet identifier 0"))
}

fn text(packet: &'static str, text: &str) -> Result<String, Violation> {
    // Section 1.5.3: U+0000 must not appear, control characters and non-characters should not. A
    // broker may close the connection for either, and mosquitto does.
    let refused = |c: char| {
        let non_character = matches!(c, '\u{fdd0}'..='\u{fdef}') || u32::from(c) & 0xfffe == 0xfffe;
        c.is_control() || non_character
    };
    if text.contains(refused) {
        return Err(malformed(
            packet,
            "a control character or a non-character in a string",
        ));
    }
    Ok(text.to_owned())
}

fn malformed(packet: &'static str, what: &'static str) -> Violation {
    Violation::Malformed { packet, what }
}

fn qos(qos: wire::Qos) -> Qos {
    match qos {
        wire::Qos::AtMostOnce => Qos::AtMostOnce,
        wire::Qos::AtLeastOnce => Qos::AtLeastOnce,
        wire::Qos::ExactlyOnce => Qos::ExactlyOnce,
    }
}

fn wire_qos(qos: Qos) -> wire::Qos {
    match qos {
        Qos::AtMostOnce => wire::Qos::AtMostOnce,
        Qos::AtLeastOnce => wire::Qos::AtLeastOnce,
        Qos::ExactlyOnce => wire::Qos::ExactlyOnce,
    }
}

fn wire_suback_code(granted: Option<Qos>) -> wire_code::SubackReturnCode {
    match granted {
        Some(Qos::AtMostOnce) => wire_code::SubackReturnCode::SuccessMaximumQos0,
        Some(Qos::AtLeastOnce) => wire_code::SubackReturnCode::SuccessMaximumQos1,
        Some(Qos::ExactlyOnce) => wire_code::SubackReturnCode::SuccessMaximumQos2,
        None => wire_code::SubackReturnCode::Failure,
    }
}

fn wire_return_code(code: ConnectReturnCode) -> wire_code::ConnectReturnCode {
    use ConnectReturnCode as Ours;
    use wire_code::ConnectReturnCode as Wire;
    match code {
        Ours::Accepted => Wire::Accepted,
        Ours::UnacceptableProtocolVersion => Wire::UnacceptableProtocolVersion,
        Ours::IdentifierRejected => Wire::IdentifierRejected,
        Ours::ServerUnavailable => Wire::ServerUnavailable,
        Ours::BadUserNameOrPassword => Wire::BadUserNameOrPassword,
        Ours::NotAuthorized => Wire::NotAuthorized,
    }
}

#[cfg(test)]
mod tests;
