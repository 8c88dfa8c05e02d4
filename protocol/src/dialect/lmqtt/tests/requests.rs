//! What hosts ask.

use super::*;
use crate::framing::DataEnd;

#[test]
fn each_request_both_ways() {
    let filter = |filter: &'static str, qos| TopicFilter {
        filter: filter.into(),
        qos,
    };
    for (line, request) in [
        (
            "AT+LMQTTCFG=\"version\",0,4",
            configure(Setting::Version(Version::V3_1_1)),
        ),
        (
            "AT+LMQTTCFG=\"session\",0,1",
            configure(Setting::CleanSession(true)),
        ),
        (
            "AT+LMQTTCFG=\"keepalive\",0,120",
            configure(Setting::KeepAlive(120)),
        ),
        (
            "AT+LMQTTCFG=\"timeout\",0,60,3,0",
            configure(Setting::Timeouts(Timeouts {
                packet_seconds: 60,
                retries: 3,
                notice: false,
            })),
        ),
        (
            "AT+LMQTTCFG=\"recv/mode\",0,0,1",
            configure(Setting::ReceiveMode {
                format: DataFormat::Text,
                show_length: true,
            }),
        ),
        (
            "AT+LMQTTCFG=\"send/mode\",0,0",
            configure(Setting::SendMode(DataFormat::Text)),
        ),
        (
            "AT+LMQTTCFG=\"dataformat\",0,1,2",
            configure(Setting::DataFormats {
                send: DataFormat::HexString,
                receive: DataFormat::Hex,
            }),
        ),
        (
            "AT+LMQTTCFG=\"cache\",0,0",
            configure(Setting::Cache(false)),
        ),
        (
            "AT+LMQTTCFG=\"urc\",0,1",
            configure(Setting::ResultUrcs(true)),
        ),
        (
            "AT+LMQTTCFG=\"cloud\",0,2,1",
            configure(Setting::Cloud {
                platform: 2,
                data_type: 1,
            }),
        ),
        (
            "AT+LMQTTCFG=\"aliauth\",0,\"a1B2c3D4e5F\",\"dev001\",\"0123456789abcdef\"",
            configure(Setting::AliAuth {
                product_key: "a1B2c3D4e5F".into(),
                device_name: "dev001".into(),
                device_secret: "0123456789abcdef".into(),
            }),
        ),
        (
            "AT+LMQTTCFG=\"sslenable\",0,1,2",
            configure(Setting::Tls {
                enabled: true,
                context: 2,
            }),
        ),
        (
            "AT+LMQTTCFG=\"will\",0,1,1,0,\"t/x\",\"off\"",
            configure(Setting::Will(Some(Will {
                topic: "t/x".into(),
                payload: b"off"[..].into(),
                qos: QoS::AtLeastOnce,
                retain: false,
            }))),
        ),
        ("AT+LMQTTCFG=\"will\",0,0", configure(Setting::Will(None))),
        (
            "AT+LMQTTCFG=\"keepalive\",0",
            Request::QuerySetting {
                connection: ID,
                key: SettingKey::KeepAlive,
            },
        ),
        (
            "AT+LMQTTOPEN=0,\"h\",1883",
            Request::Open {
                connection: ID,
                host: "h".into(),
                port: 1883,
            },
        ),
        (
            "AT+LMQTTCFG=\"aliauth\",0,\"pk\",\"dn\",\"\",\"pn\",\"ps\",\"regnwl\",\"hmacsha256\",\"tls-ca\",-2,\"i-1\"",
            configure(Setting::AliDevice(AliDevice {
                product_key: "pk".into(),
                device_name: "dn".into(),
                device_secret: "".into(),
                product_name: "pn".into(),
                product_secret: "ps".into(),
                registration: Some(Registration::Unlisted),
                sign_method: Some(SignMethod::HmacSha256),
                instance_id: "i-1".into(),
            })),
        ),
        (
            "AT+LMQTTCFG=\"aliauth\",0,\"pk\",\"dn\",\"ds\",\"\",\"\",\"\",\"hmacmd5\"",
            configure(Setting::AliDevice(AliDevice {
                product_key: "pk".into(),
                device_name: "dn".into(),
                device_secret: "ds".into(),
                product_name: "".into(),
                product_secret: "".into(),
                registration: None,
                sign_method: Some(SignMethod::HmacMd5),
                instance_id: "".into(),
            })),
        ),
        (
            "AT+LMQTTCFG=\"raimode\",0,1",
            configure(Setting::QuickRelease(true)),
        ),
        ("AT+LMQTTOPEN?", Request::QueryOpen),
        ("AT+LMQTTREAD?", Request::QueryUnread),
        (
            "AT+LMQTTREAD=0,3",
            Request::Read {
                connection: ID,
                message_id: 3,
            },
        ),
        (
            "AT+LMQTTPUBEX=0,6,1,1,\"t\",4",
            Request::PublishExtended {
                connection: ID,
                message_id: 6,
                qos: QoS::AtLeastOnce,
                retain: true,
                topic: "t".into(),
                length: 4,
            },
        ),
        (
            "AT+LSSLCFG=\"cacert\",0,\"ca.pem\"",
            Request::ConfigureTls {
                context: 0,
                setting: TlsSetting::CaCertificate("ca.pem".into()),
            },
        ),
        (
            "AT+LSSLCFG=\"seclevel\",5,2",
            Request::ConfigureTls {
                context: 5,
                setting: TlsSetting::SecurityLevel(SecurityLevel::Mutual),
            },
        ),
        (
            "AT+LSSLCFG=\"sni\",1",
            Request::QueryTls {
                context: 1,
                key: TlsKey::ServerName,
            },
        ),
        (
            "AT+LFUPL=\"ca.pem\",1200",
            Request::Upload {
                name: "ca.pem".into(),
                length: 1200,
                timeout_seconds: None,
            },
        ),
        (
            "AT+LFUPL=\"ca.pem\",1200,30",
            Request::Upload {
                name: "ca.pem".into(),
                length: 1200,
                timeout_seconds: Some(30),
            },
        ),
        ("AT+LMQTTCLOSE=0", Request::Close { connection: ID }),
        (
            "AT+LMQTTCONN=0,\"NT35E\"",
            Request::Connect {
                connection: ID,
                client_id: "NT35E".into(),
                username: None,
                password: None,
            },
        ),
        (
            "AT+LMQTTCONN=0,\"id\",\"u\",\"p\"",
            Request::Connect {
                connection: ID,
                client_id: "id".into(),
                username: Some("u".into()),
                password: Some(Secret::from("p")),
            },
        ),
        ("AT+LMQTTCONN?", Request::QueryState),
        ("AT+LMQTTDISC=0", Request::Disconnect { connection: ID }),
        (
            "AT+LMQTTSUBUNSUB=0,0,1,\"t\",1",
            Request::Subscribe {
                connection: ID,
                message_id: 1,
                filters: vec![filter("t", QoS::AtLeastOnce)],
            },
        ),
        (
            "AT+LMQTTSUBUNSUB=0,0,7,\"a/+\",0,\"b,c/#\",2",
            Request::Subscribe {
                connection: ID,
                message_id: 7,
                filters: vec![
                    filter("a/+", QoS::AtMostOnce),
                    filter("b,c/#", QoS::ExactlyOnce),
                ],
            },
        ),
        (
            "AT+LMQTTSUBUNSUB=0,1,2,\"t\",0",
            Request::Unsubscribe {
                connection: ID,
                message_id: 2,
                filters: vec!["t".into()],
            },
        ),
        (
            "AT+LMQTTPUB=0,5,1,0,\"t\",4,\"abcd\"",
            publish(5, QoS::AtLeastOnce, inline(b"abcd")),
        ),
        (
            "AT+LMQTTPUB=0,6,1,0,\"t\",4",
            publish(6, QoS::AtLeastOnce, PublishPayload::Prompted(4)),
        ),
        (
            "AT+LMQTTPUB=0,0,0,0,\"t\",0,\"\"",
            publish(0, QoS::AtMostOnce, inline(b"")),
        ),
        (
            "AT+LMQTTPUB=0,8,2,0,\"t\",15,\"{\"a\":\"b\",\"c\":1}\"",
            publish(8, QoS::ExactlyOnce, inline(b"{\"a\":\"b\",\"c\":1}")),
        ),
    ] {
        let formats = FormatTable::default();
        assert_eq!(decode(line.as_bytes(), &formats), Ok(request.clone()));
        let escaped = line.replace('"', "\\\"");
        assert_eq!(encode(&request, &formats), Ok(format!("{escaped}\\r")));
    }
}

#[test]
fn hosts_write_commands_in_other_ways_too() {
    let formats = FormatTable::default();
    for (line, same) in [
        ("AT+lmqttopen= 0, \"h\" ,1883", "AT+LMQTTOPEN=0,\"h\",1883"),
        // The manual's syntax line has no quotes around the key, its examples have.
        ("AT+LMQTTCFG=cloud,0,2,1", "AT+LMQTTCFG=\"cloud\",0,2,1"),
        (
            "AT+LMQTTCFG=\"sslenable\",0,1",
            "AT+LMQTTCFG=\"sslenable\",0,1,0",
        ),
        (
            "AT+LMQTTCFG=\"will\",0,0,0,0,\"\",\"\"",
            "AT+LMQTTCFG=\"will\",0,0",
        ),
        ("AT+LMQTTCONN=0", "AT+LMQTTCONN=0,\"\""),
        (
            "AT+LMQTTSUBUNSUB=0,1,2,\"a\",\"b\"",
            "AT+LMQTTSUBUNSUB=0,1,2,\"a\",0,\"b\",1",
        ),
        (
            "AT+LMQTTPUB=0,5,1,0,\"t\",4,abcd",
            "AT+LMQTTPUB=0,5,1,0,\"t\",4,\"abcd\"",
        ),
    ] {
        let expected = decode(same.as_bytes(), &formats);
        assert!(expected.is_ok(), "{same}");
        assert_eq!(decode(line.as_bytes(), &formats), expected, "{line}");
    }
}

#[test]
fn wrong_commands_are_refused() {
    let formats = FormatTable::default();
    for (line, why) in [
        ("AT+LMQTTCFG", "the command has no such form"),
        ("AT+LMQTTPUB?", "the command has no such form"),
        (
            "AT+LMQTTCFG=\"nosuch\",0,1",
            "key is not a value this command knows",
        ),
        (
            "AT+LMQTTCFG=\"keepalive\",0,3601",
            "keepalive is 3601, outside 0 to 3600",
        ),
        (
            "AT+LMQTTCFG=\"session\",0,1,1",
            "there are more parameters than the command takes",
        ),
        (
            "AT+LMQTTOPEN=5,\"h\",1883",
            "tcpconnectID is 5, outside 0 to 4",
        ),
        ("AT+LMQTTOPEN=0,\"h\",0", "port is 0, outside 1 to 65535"),
        (
            "AT+LMQTTOPEN=0,\"h\",65536",
            "port is 65536, outside 1 to 65535",
        ),
        ("AT+LMQTTOPEN=0,\"\",1883", "host_name is empty"),
        ("AT+LMQTTOPEN=0,,1883", "host_name is missing"),
        ("AT+LMQTTOPEN=0,\"h\"", "port is missing"),
        ("AT+LMQTTOPEN=0,\"\u{1}h", "port is missing"),
        (
            "AT+LMQTTSUBUNSUB=0,0,65536,\"t\",1",
            "msgID is 65536, outside 0 to 65535",
        ),
        ("AT+LMQTTSUBUNSUB=0,0,1,\"t\"", "qos is missing"),
        ("AT+LMQTTSUBUNSUB=0,0,1,\"t\",3", "qos is 3, outside 0 to 2"),
        (
            "AT+LMQTTSUBUNSUB=0,2,1,\"t\",1",
            "subflag is 2, outside 0 to 1",
        ),
        (
            "AT+LMQTTPUB=0,1,1,2,\"t\",1,\"x\"",
            "retain is 2, outside 0 to 1",
        ),
        (
            "AT+LMQTTPUB=0,1,1,0,\"t\",5,\"abcd\"",
            "the payload has 4 bytes, 5 were announced",
        ),
        (
            "AT+LMQTTPUB=0,1,1,0,\"t\",1461,\"x\"",
            "msglen is 1461, outside 0 to 1460",
        ),
        (
            "AT+LMQTTPUB=0,1,1,0,\"t\",8001",
            "msglen is 8001, outside 0 to 8000",
        ),
        ("AT+LMQTTPUB=0,1,1,0,\"t\"", "msglen is missing"),
        (
            "AT+LMQTTPUBEX=0,1,1,0,\"t\",1,\"x\"",
            "there are more parameters than the command takes",
        ),
        ("AT+LMQTTREAD=0", "msgID is missing"),
        (
            "AT+LMQTTCFG=\"pdpcid\",0,1",
            "key is not a value this command knows",
        ),
        (
            "AT+LMQTTCFG=\"aliauth\",0,\"pk\",\"dn\",\"\"",
            "device_secret is empty",
        ),
        (
            "AT+LMQTTCFG=\"aliauth\",0,\"pk\",\"dn\",\"\",\"pn\",\"ps\",\"register\",\"\",\"tls-ca\",-2",
            "secure_mode is not a value this command knows",
        ),
        (
            "AT+LSSLCFG=\"seclevel\",0,3",
            "seclevel is 3, outside 0 to 2",
        ),
        ("AT+LSSLCFG=\"sni\",6", "sslctx is 6, outside 0 to 5"),
        (
            "AT+LFUPL=\"f\",16385",
            "filesize is 16385, outside 1 to 16384",
        ),
    ] {
        let refused = decode(line.as_bytes(), &formats).expect_err(line);
        assert_eq!(refused.to_string(), why, "{line}");
    }
    let long = format!("AT+LMQTTOPEN=0,\"{}\",1883", "h".repeat(101));
    assert_eq!(
        decode(long.as_bytes(), &formats),
        Err(DecodeError::Parameter(ParameterError::TooLong {
            name: "host_name",
            length: 101,
            max: 100
        }))
    );
    assert_eq!(
        decode(b"AT+LMQTTOPEN=0,\"\xff\",1883", &formats),
        Err(DecodeError::Parameter(ParameterError::NotUtf8 {
            name: "host_name"
        }))
    );
}

#[test]
fn what_no_command_can_carry_is_refused() {
    let open = |host: &'static str| Request::Open {
        connection: ID,
        host: host.into(),
        port: 1883,
    };
    let formats = FormatTable::default();
    for (request, why) in [
        (open(""), "the host is empty"),
        (
            open("h\",1\rAT+CFUN=0\r"),
            "the host holds '\"' at byte 1, which no AT command can carry there",
        ),
        (
            Request::Close {
                connection: ConnectionId(5),
            },
            "the connection id is 5, the module takes 0 to 4",
        ),
        (
            Request::Connect {
                connection: ID,
                client_id: "a\nb".into(),
                username: None,
                password: None,
            },
            "the client id holds '\\n' at byte 1, which no AT command can carry there",
        ),
        (
            publish(1, QoS::AtLeastOnce, inline(b"a\rAT+CFUN=0\r")),
            "the payload holds '\\r' at byte 1, which no AT command can carry there",
        ),
        (
            publish(1, QoS::AtLeastOnce, PublishPayload::Prompted(8001)),
            "the payload has 8001 bytes, the module takes at most 8000",
        ),
        (
            configure(Setting::KeepAlive(3601)),
            "the keepalive is 3601, the module takes 0 to 3600",
        ),
    ] {
        let refused = encode(&request, &formats).expect_err(why);
        assert_eq!(refused.to_string(), why);
    }
}

#[test]
fn a_payload_takes_the_way_on_which_it_survives() {
    let way = |payload: &'static [u8], formats: Formats| {
        Lmqtt::DEFAULT.publish_payload(formats, &Limits::NT26, payload.into())
    };
    let plain = Formats::default();
    assert_eq!(way(b"22.5 \xc2\xb0C", plain), Ok(inline(b"22.5 \xc2\xb0C")));
    for payload in [
        &b"a\"b"[..],
        b"a\r\nb",
        b"\x00",
        b"\x1a",
        b"\xff",
        &[b'x'; 1025],
    ] {
        let prompted = PublishPayload::Prompted(payload.len());
        assert_eq!(way(payload, plain), Ok(prompted));
    }
    assert!(way(&[b'x'; 8001], plain).is_err());
    let hex = Formats {
        send: DataFormat::Hex,
        ..plain
    };
    assert_eq!(way(b"\x00\r\n", hex), Ok(inline(b"\x00\r\n")));
    assert_eq!(way(&[0; 600], hex), Ok(PublishPayload::Prompted(1200)));
    // Two digits a byte, and the limit counts digits; who has too much is told of bytes.
    assert_eq!(way(&[0; 4000], hex), Ok(PublishPayload::Prompted(8000)));
    assert_eq!(
        way(&[0; 4001], hex).unwrap_err().to_string(),
        "the payload has 4001 bytes, the module takes at most 4000"
    );
}

/// Reference `ecmt.md` 2.2: Ctrl-Z and ESC end the input.
#[test]
fn what_would_end_the_input_at_the_prompt_goes_in_hexadecimal_digits_or_not_at_all() {
    let limits = Limits {
        prompt_end: DataEnd::ControlCharacters,
        ..Limits::NT26
    };
    let way = |payload: &'static [u8], send| {
        let formats = Formats {
            send,
            ..Formats::default()
        };
        Lmqtt::DEFAULT.publish_payload(formats, &limits, payload.into())
    };
    let (text, hex) = (DataFormat::Text, DataFormat::HexString);
    assert_eq!(way(b"a\r\0", text), Ok(PublishPayload::Prompted(3)));
    for (payload, character) in [(b"ab\x1ac", '\u{1a}'), (b"ab\x1bc", '\u{1b}')] {
        let error = EncodeError::EndsPrompt { character, at: 2 };
        assert_eq!(way(payload, text), Err(error));
        assert_eq!(way(payload, hex), Ok(inline(payload)));
    }
    assert_eq!(
        way(b"\x1a", text).unwrap_err().to_string(),
        "the payload holds '\\u{1a}' at byte 0, which ends the input at the prompt of this module; \
         hexadecimal digits would carry it"
    );
}

#[test]
fn hexadecimal_payloads_are_decoded() {
    for (format, line) in [
        (
            DataFormat::HexString,
            "AT+LMQTTPUB=0,5,1,0,\"t\",6,\"000D1A\"",
        ),
        (DataFormat::Hex, "AT+LMQTTPUB=0,5,1,0,\"t\",6,000D1A"),
    ] {
        let formats = hex(format, false);
        let request = publish(5, QoS::AtLeastOnce, inline(b"\x00\r\x1a"));
        assert_eq!(decode(line.as_bytes(), &formats), Ok(request.clone()));
        let escaped = line.replace('"', "\\\"");
        assert_eq!(encode(&request, &formats), Ok(format!("{escaped}\\r")));
    }
    let odd = decode(
        b"AT+LMQTTPUB=0,5,1,0,\"t\",3,\"000\"",
        &hex(DataFormat::Hex, false),
    );
    assert!(odd.is_err());
}

#[test]
fn the_length_of_hexadecimal_digits_may_count_the_payload() {
    let dialect = Lmqtt {
        publish_hex_length: HexLength::Payload,
        ..Lmqtt::DEFAULT
    };
    let limits = &Limits::NT26;
    let decode = |line: &'static str, formats: &FormatTable| {
        let (command, _) = Command::split_first(&line.as_bytes()[2..], |_| true);
        dialect.decode_request(&command, Context { limits, formats })
    };
    let extended = |length| Request::PublishExtended {
        connection: ID,
        message_id: 5,
        qos: QoS::AtLeastOnce,
        retain: false,
        topic: "t".into(),
        length,
    };
    let plain = |payload| publish(5, QoS::AtLeastOnce, payload);
    let prompted = PublishPayload::Prompted;
    let (text, hex) = (FormatTable::default(), hex(DataFormat::Hex, false));
    for (line, formats, request) in [
        (
            "AT+LMQTTPUB=0,5,1,0,\"t\",3,000D1A",
            &hex,
            plain(inline(b"\x00\r\x1a")),
        ),
        ("AT+LMQTTPUB=0,5,1,0,\"t\",3", &hex, plain(prompted(6))),
        ("AT+LMQTTPUBEX=0,5,1,0,\"t\",3", &hex, extended(6)),
        (
            "AT+LMQTTPUB=0,5,1,0,\"t\",3,\"abc\"",
            &text,
            plain(inline(b"abc")),
        ),
        ("AT+LMQTTPUB=0,5,1,0,\"t\",3", &text, plain(prompted(3))),
    ] {
        assert_eq!(decode(line, formats), Ok(request.clone()), "{line}");
        let mut out = Vec::new();
        let encoded = dialect.encode_request(&request, Context { limits, formats }, &mut out);
        assert_eq!(encoded, Ok(()), "{line}");
        assert_eq!(out, format!("{line}\r").as_bytes());
    }
    assert!(decode("AT+LMQTTPUB=0,5,1,0,\"t\",6,000D1A", &hex).is_err());

    let formats = &hex;
    let half = dialect.encode_request(&extended(5), Context { limits, formats }, &mut Vec::new());
    assert_eq!(
        half.unwrap_err().to_string(),
        "the payload is announced with an odd number of hexadecimal digits"
    );

    // The limits are in the same measure.
    let way = |length| dialect.publish_payload(hex[ID], limits, vec![0; length].into());
    assert_eq!(way(1024), Ok(inline(&[0; 1024])));
    assert_eq!(way(1025), Ok(prompted(2050)));
    assert_eq!(way(8000), Ok(prompted(16000)));
    assert!(way(8001).is_err());
}
