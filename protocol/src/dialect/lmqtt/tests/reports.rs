//! What modules answer and report.

use super::super::{information, urc};
use super::*;
use crate::dialect::{Expected, Reported};
use crate::mqtt::{Reason, ReasonKind};

#[test]
fn each_information_response_both_ways() {
    let formats = FormatTable::default();
    for (request, line, information) in [
        (
            Request::QueryState,
            "+LMQTTCONN: 0,3",
            Information::State {
                connection: ID,
                state: ConnectionState::Connected,
            },
        ),
        (
            Request::QueryOpen,
            "+LMQTTOPEN: 0,\"host\",1883",
            Information::Opened {
                connection: ID,
                host: "host".into(),
                port: 1883,
            },
        ),
        (
            Request::QuerySetting {
                connection: ID,
                key: SettingKey::KeepAlive,
            },
            "+LMQTTCFG: \"keepalive\",120",
            Information::Setting(Setting::KeepAlive(120)),
        ),
        (
            Request::Read {
                connection: ID,
                message_id: 3,
            },
            "+LMQTTREAD: 0,3,\"t\",6,a\r\nOK\r",
            Information::Message {
                connection: ID,
                message_id: 3,
                topic: "t".into(),
                payload: b"a\r\nOK\r"[..].into(),
            },
        ),
        (
            Request::QueryUnread,
            "+LMQTTREAD: 0,3,0,0",
            Information::Unread {
                connection: ID,
                message_ids: vec![3, 0, 0],
            },
        ),
        (
            Request::QueryTls {
                context: 2,
                key: TlsKey::CaCertificate,
            },
            "+LSSLCFG: \"cacert\",2,\"ca.pem\"",
            Information::TlsSetting {
                context: 2,
                setting: TlsSetting::CaCertificate("ca.pem".into()),
            },
        ),
    ] {
        let dialect = Lmqtt::DEFAULT;
        let decoded = dialect.decode_information(&request, line.as_bytes(), &formats);
        assert_eq!(decoded, Some(information.clone()));
        let mut out = Vec::new();
        information::encode(&information, dialect.hex_length, &formats, &mut out);
        assert_eq!(out, line.as_bytes());
    }
    // The outcome of a CONNECT shares the prefix, and has a field more.
    let state =
        Lmqtt::DEFAULT.decode_information(&Request::QueryState, b"+LMQTTCONN: 0,0,0", &formats);
    assert_eq!(state, None);
}

const NOT_SENT: Reason = Reason::new(ReasonKind::NotSent, Some(6));

#[test]
fn each_urc_both_ways() {
    let changed = |message_id, result| Urc::SubscriptionChanged {
        connection: ID,
        message_id,
        change: None,
        result,
    };
    let published = |message_id, result, reason| Urc::Published {
        connection: ID,
        message_id,
        result,
        reason,
    };
    let connected = |result| Urc::Connected {
        connection: ID,
        result,
    };
    let formats = FormatTable::default();
    for (line, urc) in [
        (
            "+LMQTTOPEN: 0,0",
            Urc::Opened {
                connection: ID,
                result: Ok(()),
            },
        ),
        (
            "+LMQTTOPEN: 0,-1,4",
            Urc::Opened {
                connection: ID,
                result: Err(OpenFailure::Dns),
            },
        ),
        (
            "+LMQTTOPEN: 0,-1",
            Urc::Opened {
                connection: ID,
                result: Err(OpenFailure::Other(None)),
            },
        ),
        (
            "+LMQTTCLOSE: 0,1,6",
            Urc::Closed {
                connection: ID,
                result: Err(NOT_SENT),
            },
        ),
        (
            "+LMQTTDISC: 0,0",
            Urc::Disconnected {
                connection: ID,
                result: Ok(()),
            },
        ),
        ("+LMQTTCONN: 0,0,0", connected(Connected::Accepted)),
        (
            "+LMQTTCONN: 0,0,4",
            connected(Connected::Refused(Refusal::BadCredentials)),
        ),
        ("+LMQTTCONN: 0,1", connected(Connected::Retransmitted(None))),
        ("+LMQTTCONN: 0,2,6", connected(Connected::Failed(NOT_SENT))),
        ("+LMQTTSUBUNSUB: 0,1,0,1", changed(1, Ok(Some(1)))),
        ("+LMQTTSUBUNSUB: 0,9,1,6", changed(9, Err(NOT_SENT))),
        (
            "+LMQTTPUB: 0,5,0",
            published(5, PublishResult::Done, Reason::NONE),
        ),
        (
            "+LMQTTPUB: 0,9,1,6",
            published(9, PublishResult::WrongAcknowledgement, NOT_SENT),
        ),
        (
            "+LMQTTPUB: 0,9,2",
            published(9, PublishResult::NotSent, Reason::NONE),
        ),
        (
            "+LMQTTURC: STATS,0,1",
            Urc::Status {
                connection: ID,
                status: LinkStatus::ClosedByServer,
                code: None,
            },
        ),
        (
            "+LMQTTURC: STATS,0,15,5",
            Urc::Status {
                connection: ID,
                status: LinkStatus::Refused,
                code: Some(5),
            },
        ),
        (
            "+LMQTTURC: RECV,0,3",
            Urc::Buffered {
                connection: ID,
                message_id: 3,
            },
        ),
    ] {
        let dialect = Lmqtt::DEFAULT;
        let decoded = dialect.decode_urc(line.as_bytes(), &formats);
        assert_eq!(decoded, Some(urc.clone()), "{line}");
        assert_eq!(encode_urc(&dialect, &urc, &formats), line.as_bytes());
    }
    let without_blank = Lmqtt::DEFAULT.decode_urc(b"+LMQTTOPEN:0,0", &formats);
    assert!(matches!(without_blank, Some(Urc::Opened { .. })));
}

#[test]
fn an_unsubscribe_is_reported_under_either_name() {
    let dialect = Lmqtt {
        unsubscribe_urc: UnsubscribeUrc::UnsUnsub,
        ..Lmqtt::DEFAULT
    };
    let urc = Urc::SubscriptionChanged {
        connection: ID,
        message_id: 2,
        change: Some(SubscriptionChange::Unsubscribed),
        result: Ok(None),
    };
    let formats = FormatTable::default();
    assert_eq!(
        encode_urc(&dialect, &urc, &formats),
        b"+LMQTTUNSUNSUB: 0,2,0"
    );
    assert_eq!(
        encode_urc(&Lmqtt::DEFAULT, &urc, &formats),
        b"+LMQTTSUBUNSUB: 0,2,0"
    );
    let decoded = dialect.decode_urc(b"+LMQTTUNSUNSUB: 0,2,0", &formats);
    assert_eq!(decoded, Some(urc));
}

#[test]
fn an_extended_publish_is_reported_under_either_name() {
    let formats = FormatTable::default();
    let expected = Expected {
        what: Reported::Published,
        connection: ID,
        message_id: Some(2),
    };
    for (publish_extended_urc, line) in [
        (PublishExtendedUrc::PubEx, &b"+LMQTTPUBEX: 0,2,0"[..]),
        (PublishExtendedUrc::Pub, b"+LMQTTPUB: 0,2,0"),
    ] {
        let dialect = Lmqtt {
            publish_extended_urc,
            ..Lmqtt::DEFAULT
        };
        let urc = dialect.decode_urc(line, &formats).unwrap();
        assert!(expected.is_met_by(&urc));
        let mut written = Vec::new();
        urc::encode(&urc, true, &dialect, &formats, &mut written);
        assert_eq!(written, line);
    }
}

#[test]
fn a_return_code_that_refuses_is_no_count_of_filters() {
    for (line, result) in [
        (&b"+LMQTTSUBUNSUB: 0,9,0"[..], Ok(None)),
        (b"+LMQTTSUBUNSUB: 0,9,0,3", Ok(Some(3))),
        (
            b"+LMQTTSUBUNSUB: 0,9,0,128",
            Err(Reason::new(ReasonKind::Refused, Some(128))),
        ),
        (b"+LMQTTSUBUNSUB: 0,9,2", Err(Reason::NONE)),
    ] {
        let urc = Lmqtt::DEFAULT.decode_urc(line, &text(false));
        let Some(Urc::SubscriptionChanged { result: found, .. }) = urc else {
            panic!("{}: {urc:?}", line.escape_ascii());
        };
        assert_eq!(found, result, "{}", line.escape_ascii());
    }
}

#[test]
fn a_connect_that_was_sent_again_is_not_answered_yet() {
    let expected = Expected {
        what: Reported::Connected,
        connection: ID,
        message_id: None,
    };
    for (line, answered, repeated) in [
        (&b"+LMQTTCONN: 0,1"[..], false, true),
        (b"+LMQTTCONN: 0,1,0", false, true),
        (b"+LMQTTCONN: 1,1", false, false),
        (b"+LMQTTCONN: 0,0,0", true, false),
        (b"+LMQTTCONN: 0,0,4", true, false),
        (b"+LMQTTCONN: 0,2", true, false),
    ] {
        let urc = Lmqtt::DEFAULT
            .decode_urc(line, &text(false))
            .expect("a URC");
        assert_eq!(expected.is_met_by(&urc), answered, "{urc:?}");
        assert_eq!(expected.is_repeated_by(&urc), repeated, "{urc:?}");
    }
}

#[test]
fn a_message_read_from_the_cache_is_counted_whatever_it_holds() {
    let formats = text(false);
    let stream = b"\r\n+LMQTTREAD: 0,0,\"t\",8,\r\nOK\r\n> \r\n\r\n+LMQTTREAD: 0,7,8\r\n\r\nOK\r\n";
    for size in [1, 3, usize::MAX] {
        let mut reader = ResponseReader::new(1024);
        let mut lines = Vec::new();
        for piece in stream.chunks(size) {
            reader.push(piece);
            while let Some(frame) =
                reader.next(|line| Lmqtt::DEFAULT.extent(line, context(&formats)))
            {
                let (Frame::Line(line) | Frame::Message { line, .. }) = frame else {
                    panic!("no line: {frame:?}");
                };
                lines.push(line.escape_ascii().to_string());
            }
        }
        let expected = [
            "+LMQTTREAD: 0,0,\\\"t\\\",8,\\r\\nOK\\r\\n> ",
            "+LMQTTREAD: 0,7,8",
            "OK",
        ];
        assert_eq!(lines, expected);
    }
}

#[test]
fn a_received_message_both_ways() {
    for (formats, line, topic, payload) in [
        (
            text(false),
            &b"+LMQTTURC: RECV,0,0,\"a/b\",{\"control\":1,\"x\":\"y\"}"[..],
            "a/b",
            &b"{\"control\":1,\"x\":\"y\"}"[..],
        ),
        // Quotes around the whole payload are the payload's: hardware writes none of its own.
        (
            text(false),
            b"+LMQTTURC: RECV,0,0,\"t\",\"s\"",
            "t",
            b"\"s\"",
        ),
        (text(false), b"+LMQTTURC: RECV,0,0,\"t\",", "t", b""),
        (
            text(true),
            b"+LMQTTURC: RECV,0,1,\"t\",4,abcd",
            "t",
            b"abcd",
        ),
        (text(true), b"+LMQTTURC: RECV,0,1,\"t\",0,", "t", b""),
        (
            text(true),
            b"+LMQTTURC: RECV,0,1,\"a\",x\",12,\r\nOK\r\n> \x00\x1a,\"",
            "a\",x",
            b"\r\nOK\r\n> \x00\x1a,\"",
        ),
        (
            hex(DataFormat::Hex, false),
            b"+LMQTTURC: RECV,0,1,\"t\",000D1A",
            "t",
            b"\x00\r\x1a",
        ),
        (
            hex(DataFormat::Hex, true),
            b"+LMQTTURC: RECV,0,1,\"t\",3,000D1A",
            "t",
            b"\x00\r\x1a",
        ),
    ] {
        let id = u16::from(line[18] - b'0');
        let urc = received(id, topic, payload);
        let decoded = Lmqtt::DEFAULT.decode_urc(line, &formats);
        assert_eq!(decoded, Some(urc.clone()), "{}", line.escape_ascii());
        assert_eq!(encode_urc(&Lmqtt::DEFAULT, &urc, &formats), line);
    }
}

#[test]
fn a_payload_between_quotes_that_are_not_counted_is_understood() {
    let line = b"+LMQTTURC: RECV,0,1,\"t\",4,\"abcd\"";
    let decoded = Lmqtt::DEFAULT.decode_urc(line, &text(true));
    assert_eq!(decoded, Some(received(1, "t", b"abcd")));
}

#[test]
fn a_damaged_line_is_no_urc() {
    for line in [
        &b"+LMQTTURC: RECV,0,1,\"t\",5,abcd"[..],
        b"+LMQTTURC: RECV,0,1,\"t\"",
        b"+LMQTTURC: RECV,0,1,t,4,abcd",
        b"+LMQTTURC: RECV,0,1,\"\xff\",4,abcd",
        b"+LMQTTURC: STATS,0",
        b"+LMQTTURC: STATS,0,300",
        b"+LMQTTPUB: 0,5",
        b"+LMQTTPUB: 0,5,0,1,2",
        b"+LMQTTCONN: 0,3",
        b"+LMQTTNEW: 0,3",
        b"+CEREG: 1",
    ] {
        let decoded = Lmqtt::DEFAULT.decode_urc(line, &text(true));
        assert_eq!(decoded, None, "{}", line.escape_ascii());
    }
}

#[test]
fn the_length_of_hexadecimal_digits_may_count_the_digits() {
    let dialect = Lmqtt {
        hex_length: HexLength::Digits,
        ..Lmqtt::DEFAULT
    };
    let formats = hex(DataFormat::Hex, true);
    let line = b"+LMQTTURC: RECV,0,1,\"t\",6,000D1A";
    let urc = received(1, "t", b"\x00\r\x1a");
    assert_eq!(dialect.decode_urc(line, &formats), Some(urc.clone()));
    assert_eq!(encode_urc(&dialect, &urc, &formats), line);
    assert_eq!(Lmqtt::DEFAULT.decode_urc(line, &formats), None);
    // Text is counted as it is either way.
    let line = b"+LMQTTURC: RECV,0,1,\"t\",4,abcd";
    let decoded = dialect.decode_urc(line, &text(true));
    assert_eq!(decoded, Some(received(1, "t", b"abcd")));
}
