use std::sync::Arc;

use super::*;

fn read(header: u8, body: &[u8]) -> Result<Packet, Violation> {
    decode(&Frame { header, body })
}

fn id(value: u16) -> PacketId {
    PacketId::new(value).unwrap()
}

#[test]
fn packets_of_a_client_are_read() {
    let message = |topic: &str, payload: &[u8]| Message {
        topic: topic.into(),
        payload: payload.into(),
    };
    for (header, body, expected) in [
        (0x40, &b"\x01\x02"[..], Packet::Puback(id(0x102))),
        (0x50, b"\0\x02", Packet::Pubrec(id(2))),
        (0x62, b"\0\x03", Packet::Pubrel(id(3))),
        (0x70, b"\0\x04", Packet::Pubcomp(id(4))),
        (0xC0, b"", Packet::Pingreq),
        (0xE0, b"", Packet::Disconnect),
        (
            0x82,
            b"\0\x05\0\x01a\x01\0\x02b#\x02",
            Packet::Subscribe(
                id(5),
                vec![
                    ("a".into(), Qos::AtLeastOnce),
                    ("b#".into(), Qos::ExactlyOnce),
                ],
            ),
        ),
        (
            0xA2,
            b"\0\x06\0\x01a",
            Packet::Unsubscribe(id(6), vec!["a".into()]),
        ),
        (
            0x31,
            b"\0\x01txyz",
            Packet::Publish(Publish {
                message: message("t", b"xyz"),
                qos: Qos::AtMostOnce,
                retain: true,
                packet_id: None,
            }),
        ),
        (
            0x3C,
            b"\0\x01t\0\x07",
            Packet::Publish(Publish {
                message: message("t", b""),
                qos: Qos::ExactlyOnce,
                retain: false,
                packet_id: Some(id(7)),
            }),
        ),
    ] {
        assert_eq!(read(header, body), Ok(expected));
    }
}

#[test]
fn connect_is_read_with_all_its_fields() {
    let body = b"\0\x04MQTT\x04\xEE\0\x3C\0\x02id\0\x01w\0\x02\xFF\0\0\x01u\0\x01p";
    let Ok(Packet::Connect(connect)) = read(0x10, body) else {
        panic!("not read");
    };
    assert_eq!(connect.credentials.client_id, "id");
    assert_eq!(connect.credentials.username.as_deref(), Some("u"));
    assert_eq!(connect.credentials.password.as_deref(), Some(&b"p"[..]));
    assert!(connect.clean_session && !connect.level_3);
    assert_eq!(connect.keep_alive_secs, 60);
    let will = connect.will.unwrap();
    assert_eq!(
        (will.message.topic.as_str(), will.qos, will.retain),
        ("w", Qos::AtLeastOnce, true)
    );
    assert_eq!(&*will.message.payload, b"\xFF\0");
}

#[test]
fn connect_of_mqtt_3_1_is_read_even_without_the_announced_login() {
    for (body, username) in [
        (&b"\0\x06MQIsdp\x03\x02\0\0\0\x02id"[..], None),
        (b"\0\x06MQIsdp\x03\xC2\0\0\0\x02id", None),
        (b"\0\x06MQIsdp\x03\xC2\0\0\0\x02id\0\x01u", Some("u")),
    ] {
        let Ok(Packet::Connect(connect)) = read(0x10, body) else {
            panic!("not read: {body:?}");
        };
        assert!(connect.level_3);
        assert_eq!(connect.credentials.client_id, "id");
        assert_eq!(connect.credentials.username.as_deref(), username);
    }
}

#[test]
fn what_a_client_must_not_send_is_refused() {
    for (header, body) in [
        (0x00, &b""[..]),
        (0x20, b"\0\0"),
        (0xF0, b""),
        (0x11, b"\0\x04MQTT\x04\x02\0\0\0\0"),
        (0x10, b"\0\x04HTTP\x04\x02\0\0\0\0"),
        (0x10, b"\0\x04MQTT"),
        (0x10, b"\0\x04MQTT\x04\x03\0\0\0\0"),
        (0x10, b"\0\x04MQTT\x04\x1E\0\0\0\0\0\x01w\0\0"),
        (0x10, b"\0\x04MQTT\x04\x22\0\0\0\0"),
        (0x10, b"\0\x04MQTT\x04\x42\0\0\0\0\0\x01p"),
        (0x10, b"\0\x04MQTT\x04\x02\0\0\0\0extra"),
        (0x10, b"\0\x04MQTT\x04\x02\0\0\0\x01\xFF"),
        (0x10, b"\0\x04MQTT\x04\x06\0\0\0\0\0\x01#\0\0"),
        (0x36, b"\0\x01t\0\x01"),
        (0x38, b"\0\x01t"),
        (0x30, b"\0\0"),
        (0x30, b"\0\x01+"),
        (0x30, b"\0\x01\0"),
        (0x30, b"\0\x05t"),
        (0x32, b"\0\x01t\0\0"),
        (0x32, b"\0\x01t\0"),
        (0x40, b"\0\0"),
        (0x40, b"\0\x01\0"),
        (0x41, b"\0\x01"),
        (0x60, b"\0\x01"),
        (0x80, b"\0\x01\0\x01a\0"),
        (0x82, b"\0\x01"),
        (0x82, b"\0\0\0\x01a\0"),
        (0x82, b"\0\x01\0\x01a\x03"),
        (0x82, b"\0\x01\0\x01a\x04"),
        (0x82, b"\0\x01\0\x01a"),
        (0xA2, b"\0\x01"),
        (0xC0, b"x"),
        (0xE1, b""),
    ] {
        assert!(read(header, body).is_err(), "{header:#x} {body:?}");
    }
}

#[test]
fn replies_are_written() {
    for (reply, expected) in [
        (
            Reply::Connack(true, ConnectReturnCode::Accepted),
            &b"\x20\x02\x01\0"[..],
        ),
        (
            Reply::Connack(false, ConnectReturnCode::NotAuthorized),
            b"\x20\x02\0\x05",
        ),
        (Reply::Puback(id(1)), b"\x40\x02\0\x01"),
        (Reply::Pubrec(id(2)), b"\x50\x02\0\x02"),
        (Reply::Pubrel(id(3)), b"\x62\x02\0\x03"),
        (Reply::Pubcomp(id(4)), b"\x70\x02\0\x04"),
        (
            Reply::Suback(id(5), vec![Some(Qos::ExactlyOnce), None]),
            b"\x90\x04\0\x05\x02\x80",
        ),
        (Reply::Unsuback(id(6)), b"\xB0\x02\0\x06"),
        (Reply::Pingresp, b"\xD0\0"),
    ] {
        assert_eq!(encode(&reply), expected, "{reply:?}");
    }
}

#[test]
fn publish_is_written() {
    let message = Arc::new(Message {
        topic: "t".into(),
        payload: b"xy"[..].into(),
    });
    let mut delivery = Delivery {
        message,
        qos: Qos::AtMostOnce,
        retain: true,
    };
    assert_eq!(encode_publish(&delivery, None, false), b"\x31\x05\0\x01txy");
    delivery.qos = Qos::ExactlyOnce;
    delivery.retain = false;
    assert_eq!(
        encode_publish(&delivery, Some(id(9)), true),
        b"\x3C\x07\0\x01t\0\x09xy"
    );
}
