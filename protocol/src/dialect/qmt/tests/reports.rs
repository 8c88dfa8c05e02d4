//! What the module reports, both ways.

use super::*;
use crate::at::framing::Deviation;
use crate::dialect::Recognised;
use urc::Line;

fn status(code: LinkStatus) -> Urc {
    Urc::Status {
        connection: ID,
        status: code,
        code: None,
    }
}

fn published(result: PublishResult, value: Option<i32>) -> Urc {
    Urc::Published {
        connection: ID,
        message_id: 7,
        result,
        reason: Reason::new(ReasonKind::Unknown, value),
    }
}

fn subscribed(result: Result<Option<i32>, Reason>) -> Urc {
    Urc::SubscriptionChanged {
        connection: ID,
        message_id: 7,
        change: Some(SubscriptionChange::Subscribed),
        result,
    }
}

fn connected(result: Connected) -> Urc {
    Urc::Connected {
        connection: ID,
        result,
    }
}

#[test]
fn reports_are_read() {
    let refused = Reason::new(ReasonKind::Refused, Some(128));
    let not_sent = Reason::new(ReasonKind::NotSent, None);
    let opened = |result| Urc::Opened {
        connection: ID,
        result,
    };
    for (line, urc) in [
        ("+QMTOPEN: 0,0", opened(Ok(()))),
        ("+QMTOPEN: 0,-1", opened(Err(OpenFailure::Other(Some(-1))))),
        ("+QMTOPEN: 0,1", opened(Err(OpenFailure::Parameter))),
        ("+QMTOPEN: 0,2", opened(Err(OpenFailure::InUse))),
        ("+QMTOPEN: 0,3", opened(Err(OpenFailure::PdpActivation))),
        ("+QMTOPEN: 0,4", opened(Err(OpenFailure::Dns))),
        ("+QMTOPEN: 0,5", opened(Err(OpenFailure::Network))),
        ("+QMTCONN: 0,0,0", connected(Connected::Accepted)),
        // A refusal is reported as success.
        (
            "+QMTCONN: 0,0,5",
            connected(Connected::Refused(Refusal::NotAuthorized)),
        ),
        (
            "+QMTCONN: 0,1,2",
            connected(Connected::Retransmitted(Some(2))),
        ),
        ("+QMTCONN: 0,2", connected(Connected::Failed(not_sent))),
        ("+QMTSUB: 0,7,0,1", subscribed(Ok(Some(1)))),
        ("+QMTSUB: 0,7,0,2,0,1", subscribed(Ok(Some(2)))),
        ("+QMTSUB: 0,7,0,128", subscribed(Err(refused))),
        ("+QMTSUB: 0,7,0,1,128", subscribed(Err(refused))),
        ("+QMTSUB: 0,7,2", subscribed(Err(not_sent))),
        ("+QMTPUB: 0,7,0", published(PublishResult::Done, None)),
        ("+QMTPUBEX: 0,7,0", published(PublishResult::Done, None)),
        ("+QMTPUB: 0,7,2", published(PublishResult::NotSent, None)),
        ("+QMTSTAT: 0,1", status(LinkStatus::ClosedByServer)),
        ("+QMTSTAT: 0,2", status(LinkStatus::PingTimeout)),
        ("+QMTSTAT: 0,3", status(LinkStatus::ConnectFailed)),
        ("+QMTSTAT: 0,4", status(LinkStatus::Refused)),
        // The host has wanted it so.
        ("+QMTSTAT: 0,5", status(LinkStatus::Fine)),
        ("+QMTSTAT: 0,6", status(LinkStatus::Fatal)),
        ("+QMTSTAT: 0,7", status(LinkStatus::Closed)),
        ("+QMTSTAT: 0,8", status(LinkStatus::Fine)),
        ("+QMTSTAT: 0,9", status(LinkStatus::Other(9))),
        ("+QMTPING: 0,1", status(LinkStatus::PingTimeout)),
        (
            "+QMTRECV: 0,3",
            Urc::Buffered {
                connection: ID,
                message_id: 3,
            },
        ),
    ] {
        let read = decode_urc(line.as_bytes(), SHOWN);
        assert_eq!(read, Some(Line::Urc(urc.clone())), "{line}");
        assert_eq!(
            Qmt::DEFAULT.report(line.as_bytes()),
            Some(Recognised::Known(urc))
        );
    }
    for line in ["+QMTPUB: 0,7,1,2", "+QMTPUBEX: 0,7,1,2"] {
        let again = published(PublishResult::WrongAcknowledgement, Some(2));
        assert_eq!(
            decode_urc(line.as_bytes(), SHOWN),
            Some(Line::SentAgain(again))
        );
    }
    for line in [
        "",
        "+QMT",
        "+QMTOPEN",
        "+QMTOPEN:",
        "+QMTOPEN: 0",
        "+QMTOPEN: 0,0,1",
        "+QMTOPEN: 0,\"host\",1883",
        "+QMTOPEN: (0-5),\"hostname\",(1-65535)",
        "+QMTCONN: 0,3",
        "+QMTCONN: 0,0,256",
        "+QMTRECV: 0,0,0,0,0,0",
        "+QMTSUB: 0,7",
        "+QMTSTAT: 0,256",
        "+CSQ: 29,0",
    ] {
        assert_eq!(decode_urc(line.as_bytes(), SHOWN), None, "{line}");
    }
}

#[test]
fn messages_are_read_as_they_may_be_written() {
    let json = b"{\"k\":\"v, \\\"w\\\"\"}";
    let told = |formats, line: &[u8], payload: &[u8]| {
        let read = decode_urc(line, formats);
        let expected = Some(Line::Urc(received(4, "a/b", payload)));
        assert_eq!(read, expected, "{}", line.escape_ascii());
    };
    let line = |text: &[u8], payload: &[u8], end: &[u8]| {
        [b"+QMTRECV: 0,4,\"a/b\",", text, payload, end].concat()
    };
    told(PLAIN, &line(b"\"", json, b"\""), json);
    told(PLAIN, &line(b"\"", b"", b"\""), b"");
    told(PLAIN, &line(b"\"", b"x\r\ny", b"\""), b"x\r\ny");
    // Without quotes.
    told(PLAIN, &line(b"", json, b""), json);
    told(
        SHOWN,
        &line(b"18,\"", &[json, &b"\r\n"[..]].concat(), b"\""),
        &[json, &b"\r\n"[..]].concat(),
    );
    told(SHOWN, &line(b"0,\"", b"", b"\""), b"");
    // Otherwise than the module was told.
    told(SHOWN, &line(b"2,", b"xy", b""), b"xy");
    told(SHOWN, &line(b"\"", b"xy", b"\""), b"xy");
    told(SHOWN, &line(b"2,\"", b"1AFF", b"\""), b"\x1a\xff");
    told(HEX, &line(b"2,\"", b"1AFF", b"\""), b"\x1a\xff");
    told(NEXT_LINE, &line(b"2\r\n", b"xy", b""), b"xy");
    // Blanks behind commas, as one firmware's notes print them.
    told(PLAIN, b"+QMTRECV: 0, 4, \"a/b\",\"xy\"", b"xy");
    for (formats, wire) in [
        (PLAIN, &b"\"x\"y\""[..]),
        (SHOWN, b"3,\"x\"y\""),
        (HEX, b"3,\"782279\""),
        (NEXT_LINE, b"3\r\nx\"y"),
    ] {
        let expected = [b"+QMTRECV: 0,4,\"a/b\",", wire].concat();
        assert_eq!(encode_urc(&received(4, "a/b", b"x\"y"), formats), expected);
    }
}

/// The frames that a reader makes of a stream.
fn frames(stream: &[u8], formats: Formats) -> Vec<(String, Option<Deviation>)> {
    let mut reader = ResponseReader::new(8192);
    let mut frames = Vec::new();
    for byte in stream.chunks(1) {
        reader.push(byte);
        while let Some(frame) = reader.next(|line| extent(line, formats)) {
            frames.push(match frame {
                Frame::Message { line, deviation } => (line.escape_ascii().to_string(), deviation),
                Frame::Line(line) => (line.escape_ascii().to_string(), None),
                frame => panic!("{frame:?}"),
            });
        }
    }
    frames
}

#[test]
fn a_message_reaches_to_its_end_and_no_further() {
    for (formats, message) in [
        (SHOWN, "+QMTRECV: 0,4,\"t\",7,\"\"\r\nOK\r\n\""),
        (HEX, "+QMTRECV: 0,4,\"t\",2,\"1AFF\""),
        (PLAIN, "+QMTRECV: 0,4,\"t\",\"a\r\nOK\r\n\"b\""),
        (PLAIN, "+QMTRECV: 0,4,\"t\",{\"a\":1}"),
        (NEXT_LINE, "+QMTRECV: 0,4,\"t\",6\r\n\r\nOK\r\n"),
        (SHOWN, "+QMTRECV: 0,3"),
        (SHOWN, "+QMTRECV: 0,0,0,0,0,0"),
    ] {
        let stream = format!("\r\n{message}\r\n\r\n+QMTPUB: 0,1,0\r\n");
        let escaped = message.as_bytes().escape_ascii().to_string();
        let read = frames(stream.as_bytes(), formats);
        let expected = [(escaped, None), ("+QMTPUB: 0,1,0".into(), None)];
        assert_eq!(read, expected);
    }
    let unquoted = frames(b"\r\n+QMTRECV: 0,4,\"t\",4,OK\r\n\r\n\r\nOK\r\n", SHOWN);
    assert_eq!(unquoted[0].1, Some(Deviation::Unquoted));
    assert_eq!(unquoted[1].0, "OK");
}

#[test]
fn what_a_module_says_of_its_power() {
    use crate::dialect::Power;
    for (line, expected) in [
        (&b"RDY"[..], Some(Power::Started)),
        (b"\0\xffRDY", Some(Power::Started)),
        (b"APP RDY", Some(Power::Started)),
        (b"POWERED DOWN", Some(Power::Down)),
        (b"NORMAL POWER DOWN", Some(Power::Down)),
        (b"+CPIN: READY", None),
        (b"RDYX", None),
        (b"", None),
    ] {
        assert_eq!(
            Qmt::DEFAULT.power(line),
            expected,
            "{}",
            line.escape_ascii()
        );
    }
}
