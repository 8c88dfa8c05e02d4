//! What hosts ask.

use super::*;

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
            Request::Publish {
                connection: ID,
                message_id: 6,
                qos: QoS::AtLeastOnce,
                retain: true,
                topic: "t".into(),
                payload: PublishPayload::Prompted(4),
                extended: true,
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
            "seconds is 3601, outside 0 to 3600",
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
        (
            "AT+LMQTTOPEN=0,\"\u{1}h",
            "host_name begins with a quote and does not end with one",
        ),
        (
            "AT+LMQTTOPEN=0,\"h,1883",
            "host_name begins with a quote and does not end with one",
        ),
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
            "AT+LMQTTPUB=0,1,1,0,\"t\",6,\"21.5\"",
            "the payload has 4 bytes, 6 were announced",
        ),
        (
            "AT+LMQTTPUB=0,1,1,0,\"t\",5,\"21.5",
            "msg begins with a quote and does not end with one",
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
        ("AT+LSSLCFG=\"seclevel\",0,3", "level is 3, outside 0 to 2"),
        ("AT+LSSLCFG=\"sni\",6", "ctx is 6, outside 0 to 5"),
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
