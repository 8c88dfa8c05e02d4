//! Received messages, and what a publisher anywhere in the network may put into them.

use proptest::prelude::*;

use super::super::receive;
use super::*;
use crate::at::framing::{Frame, ResponseReader};
use crate::dialect::Said;

fn received(topic: &str, payload: &[u8]) -> Urc {
    Urc::Received {
        connection: ID,
        message_id: 0,
        topic: topic.to_string(),
        payload: payload.to_vec(),
    }
}

/// What a host hears on the line, cut into pieces of these sizes.
#[derive(Debug, Clone, PartialEq)]
enum Heard {
    Urc(Urc),
    /// No report and no part of one.
    Line(String),
    Lost,
}

fn hear(stream: &[u8], cuts: &[usize]) -> Vec<Heard> {
    let mut host = Cmqtt::DEFAULT.host(&A7670.limits);
    let mut reader = ResponseReader::new(64 * 1024);
    let mut heard = Vec::new();
    let mut cuts = cuts.iter().cycle();
    let mut rest = stream;
    loop {
        while let Some(frame) = reader.next(|line| host.extent(line)) {
            let line = match frame {
                Frame::Line(line) | Frame::Message { line, .. } => line,
                Frame::Lost { .. } => {
                    heard.push(Heard::Lost);
                    continue;
                }
                Frame::Torn(_) | Frame::Prompt | Frame::Overlong { .. } => continue,
            };
            match host.read(line, None) {
                Some(Said::Urc(urc)) => heard.push(Heard::Urc(urc)),
                Some(_) => {}
                None => heard.push(Heard::Line(String::from_utf8_lossy(line).into_owned())),
            }
        }
        if !rest.is_empty() {
            let (piece, left) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
            reader.push(piece);
            rest = left;
        } else if reader.is_held() {
            reader.settle();
        } else {
            return heard;
        }
    }
}

/// As captured, and as documented.
#[test]
fn the_forms_of_the_families_are_read() {
    let payload = b"0123456789abcdefgh";
    for stream in [
        // A76xx: one line end behind each block.
        &b"\r\n+CMQTTRXSTART: 0,6,18\r\n+CMQTTRXTOPIC: 0,6\r\ntest1z\r\n+CMQTTRXPAYLOAD: 0,18\r\n0123456789abcdefgh\r\n+CMQTTRXEND: 0\r\n"[..],
        // SIM7672: a blank line before each part.
        b"\r\n+CMQTTRXSTART: 0,6,18\r\n\r\n+CMQTTRXTOPIC: 0,6\r\ntest1z\r\n\r\n+CMQTTRXPAYLOAD: 0,18\r\n0123456789abcdefgh\r\n\r\n+CMQTTRXEND: 0\r\n",
        // In pieces.
        b"\r\n+CMQTTRXSTART: 0,6,18\r\n+CMQTTRXTOPIC: 0,4\r\ntest\r\n+CMQTTRXTOPIC: 0,2\r\n1z\r\n+CMQTTRXPAYLOAD: 0,10\r\n0123456789\r\n+CMQTTRXPAYLOAD: 0,8\r\nabcdefgh\r\n+CMQTTRXEND: 0\r\n",
        // On one line, with the length or without; the manual prints it without the blank once.
        b"\r\n+CMQTTRECV: 0,\"test1z\",18,\"0123456789abcdefgh\"\r\n",
        b"\r\n+CMQTTRECV:0,\"test1z\",\"0123456789abcdefgh\"\r\n",
    ] {
        for cuts in [usize::MAX, 3, 1] {
            let expected = vec![Heard::Urc(received("test1z", payload))];
            assert_eq!(hear(stream, &[cuts]), expected, "{}", stream.escape_ascii());
        }
    }
    let empty =
        b"\r\n+CMQTTRXSTART: 0,9,0\r\n+CMQTTRXTOPIC: 0,9\r\ntest/0001\r\n+CMQTTRXEND: 0\r\n";
    assert_eq!(
        hear(empty, &[1]),
        vec![Heard::Urc(received("test/0001", b""))]
    );
}

/// A piece is missing, or more came than was announced.
#[test]
fn a_message_that_is_not_as_long_as_announced_is_none() {
    for stream in [
        &b"+CMQTTRXSTART: 0,1,4\r\n+CMQTTRXTOPIC: 0,1\r\nt\r\n+CMQTTRXPAYLOAD: 0,2\r\nab\r\n+CMQTTRXEND: 0\r\n"[..],
        b"+CMQTTRXSTART: 0,1,1\r\n+CMQTTRXTOPIC: 0,1\r\nt\r\n+CMQTTRXPAYLOAD: 0,2\r\nab\r\n+CMQTTRXEND: 0\r\n",
        b"+CMQTTRXTOPIC: 0,1\r\nt\r\n+CMQTTRXEND: 0\r\n",
        // No module reports so much.
        b"+CMQTTRXSTART: 0,1,99999999\r\n+CMQTTRXTOPIC: 0,1\r\nt\r\n+CMQTTRXEND: 0\r\n",
    ] {
        let heard = hear(stream, &[usize::MAX]);
        assert_eq!(heard, [Heard::Line("+CMQTTRXEND: 0".into())]);
    }
    // What belongs to nobody's message is passed over all the same: it may hold anything.
    let host = Cmqtt::DEFAULT.host(&A7670.limits);
    assert_eq!(host.addressee(b"+CMQTTRXEND: 1"), Some(OTHER));
    assert_eq!(host.addressee(b"+CMQTTRXPAYLOAD: 0,2\r\nab"), Some(ID));
    assert_eq!(host.addressee(b"+CMQTTPUB: 0,0"), None);
}

#[test]
fn messages_of_two_clients_may_interleave() {
    let stream = b"+CMQTTRXSTART: 0,1,1\r\n+CMQTTRXSTART: 1,1,0\r\n+CMQTTRXTOPIC: 0,1\r\na\r\n\
        +CMQTTRXTOPIC: 1,1\r\nb\r\n+CMQTTRXEND: 1\r\n+CMQTTRXPAYLOAD: 0,1\r\nx\r\n+CMQTTRXEND: 0\r\n";
    let other = Urc::Received {
        connection: OTHER,
        message_id: 0,
        topic: "b".into(),
        payload: Vec::new(),
    };
    let expected = vec![Heard::Urc(other), Heard::Urc(received("a", b"x"))];
    assert_eq!(hear(stream, &[2]), expected);
}

/// Pieces of lines that nobody said.
const LINES: [&str; 12] = [
    "\r\n",
    "\r",
    "\n",
    "\r\nOK\r\n",
    "\r\n>",
    "\r\n+CMQTTPUB: 0,0\r\n",
    "\r\nNORMAL POWER DOWN\r\n",
    "\r\n*ATREADY: 1\r\n",
    "\r\n+CMQTTCONNLOST: 0,1\r\n",
    "\r\n+CMQTTRXEND: 0\r\n",
    "\r\n+CMQTTRXSTART: 0,1,1\r\n+CMQTTRXTOPIC: 0,1\r\nx\r\n",
    "\",5,\"",
];

fn text(most: usize) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(LINES.to_vec()).prop_map(String::from),
        "[a-z/é]{1,4}",
    ];
    prop::collection::vec(piece, 1..most).prop_map(|pieces| pieces.concat())
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        text(8).prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..40),
        prop::collection::vec(any::<u8>(), 1495..3010),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever a publisher puts into topic and payload, it arrives as it is, and nothing else does.
    #[test]
    fn nothing_is_forged_and_everything_arrives(
        messages in prop::collection::vec((text(6), payload()), 1..5),
        cuts in prop::collection::vec(1usize..700, 1..8),
        piece in prop::sample::select(vec![1500, 7]),
        blank: bool,
    ) {
        let (mut stream, mut expected) = (Vec::new(), Vec::new());
        for (at, (topic, payload)) in messages.iter().enumerate() {
            stream.extend_from_slice(b"\r\n");
            stream.extend(receive::encode(ID, topic, payload, piece, blank));
            stream.extend_from_slice(b"\r\n\r\n+CMQTTPUB: 0,0\r\n");
            expected.push(Heard::Urc(received(topic, payload)));
            expected.push(Heard::Urc(super::super::report::decode(b"+CMQTTPUB: 0,0").unwrap()));
            stream.extend_from_slice(format!("\r\nline {at}\r\n").as_bytes());
            expected.push(Heard::Line(format!("line {at}")));
        }
        prop_assert_eq!(hear(&stream, &cuts), expected);
    }

    /// With its length before it, so does a payload on one line, whatever it holds.
    #[test]
    fn a_payload_on_one_line_arrives_as_it_is(
        topic in "[a-z/]{1,9}",
        payload in payload(),
        cuts in prop::collection::vec(1usize..40, 1..8),
    ) {
        let mut stream = receive::encode_one_line(ID, &topic, &payload, true);
        stream.extend_from_slice(b"\r\n\r\n+CMQTTPUB: 0,0\r\n");
        let heard = hear(&stream, &cuts);
        let forged = heard.iter().filter(|heard| match heard {
            Heard::Urc(urc @ Urc::Received { .. }) => *urc != received(&topic, &payload),
            Heard::Urc(urc) => report_of(urc) != "+CMQTTPUB: 0,0",
            _ => false,
        });
        prop_assert_eq!(forged.count(), 0, "{:?}", heard);
        let lost = heard.contains(&Heard::Lost);
        prop_assert!(lost || heard.contains(&Heard::Urc(received(&topic, &payload))), "{:?}", heard);
    }

    #[test]
    fn no_bytes_make_it_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..60),
        begin in prop::sample::select(vec![
            "", "+CMQTTRXTOPIC: ", "+CMQTTRXPAYLOAD: 0,", "+CMQTTRECV: 0,\"", "+CMQTTRXSTART: 0,",
        ]),
        cuts in prop::collection::vec(1usize..40, 1..8),
    ) {
        let stream = [begin.as_bytes(), &bytes, b"\r\nOK\r\n"].concat();
        hear(&stream, &cuts);
    }
}

fn report_of(urc: &Urc) -> String {
    super::super::report::encode(urc)
}
