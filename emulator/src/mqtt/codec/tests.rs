//! Packets against bytes taken from the standard by hand.

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
    options.will = Some(crate::mqtt::Will {
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
    let rows: [(&[u8], ProtocolError); 26] = [
        (b"\x20\x01\x00", malformed("CONNACK")),
        (b"\x20\x03\x00\x00\x00", malformed("CONNACK")),
        (b"\x36\x06\x00\x01t\x00\x09x", malformed("PUBLISH")),
        (b"\x30\x04\x00\x05tt", malformed("PUBLISH")),
        (b"\x30\x03\x00\x01#", malformed("PUBLISH")),
        (b"\x30\x02\x00\x00", malformed("PUBLISH")),
        (b"\x30\x03\x00\x01\xff", malformed("PUBLISH")),
        (b"\x32\x05\x00\x01t\x00\x00", malformed("PUBLISH")),
        (b"\x40\x02\x00\x00", malformed("PUBACK")),
        (b"\x40\x00", malformed("PUBACK")),
        (b"\x40\x01\x01", malformed("PUBACK")),
        (b"\x40\x03\x00\x01\x00", malformed("PUBACK")),
        (b"\x90\x00", malformed("SUBACK")),
        (b"\x90\x01\x01", malformed("SUBACK")),
        (b"\x90\x03\x00\x00\x01", malformed("SUBACK")),
        (b"\xb0\x00", malformed("UNSUBACK")),
        (b"\xb0\x02\x00\x00", malformed("UNSUBACK")),
        (b"\xb0\x03\x00\x01\x00", malformed("UNSUBACK")),
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
