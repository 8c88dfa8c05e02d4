//! What a publisher anywhere in the network may put into topic and payload.

use super::*;
use crate::dialect::sm::received as lines;

/// What passes the line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Heard {
    Message(String, Vec<u8>),
    Line(&'static str),
}

const KNOWN: [&str; 4] = ["OK", "ERROR", "+SMSTATE: 1", "+CSQ: 29,0"];

const PIECES: [&str; 12] = [
    "\"",
    ",",
    "\",\"",
    "\",\"41\"",
    "41",
    "a/b",
    "é",
    "[\"t\",5]",
    "{\"x\":1}",
    "\"\"",
    "x",
    "",
];

/// Pieces of lines that nobody said.
const LINES: [&str; 9] = [
    "\r\n",
    "\r",
    "\n",
    "\r\nOK\r\n",
    "\"\r\nERROR\r\n",
    "\r\nNORMAL POWER DOWN\r\n",
    "\r\nRDY\r\n",
    "\r\n+SMSTATE: 0\r\n",
    "\r\n+SMSUB: \"u\",\"6869\"\r\n",
];

fn pieces(all: Vec<&'static str>) -> impl Strategy<Value = String> {
    let piece = prop::sample::select(all);
    prop::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat())
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        pieces([&PIECES[..], &LINES[..]].concat()).prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..40),
    ]
}

fn said(topic: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<Heard>> {
    let line = prop::sample::select(KNOWN.to_vec());
    let said = prop_oneof![
        3 => (topic, payload()).prop_map(|(topic, payload)| Heard::Message(topic, payload)),
        1 => line.prop_map(Heard::Line),
    ];
    prop::collection::vec(said, 1..6)
}

fn write(said: &[Heard], hexadecimal: bool) -> Vec<u8> {
    let lines = said.iter().map(|said| match said {
        Heard::Message(topic, payload) => lines::encode(&received(topic, payload), hexadecimal),
        Heard::Line(line) => line.as_bytes().to_vec(),
    });
    lines
        .flat_map(|line| [b"\r\n", &line[..], b"\r\n"].concat())
        .collect()
}

/// What a host reads that is handed the stream in these pieces.
fn read(stream: &[u8], cuts: &[usize], host: &mut dyn Host) -> Vec<Heard> {
    let mut reader = ResponseReader::new(4096);
    let mut heard = Vec::new();
    let mut cuts = cuts.iter().cycle();
    let mut rest = stream;
    loop {
        while let Some(frame) = reader.next(|line| host.extent(line)) {
            match frame {
                Frame::Message { line, .. } => {
                    if let Some(Said::Urc(Urc::Received { topic, payload, .. })) =
                        host.read(line, None)
                    {
                        heard.push(Heard::Message(topic, payload));
                    }
                }
                Frame::Line(line) => {
                    let known = KNOWN.iter().find(|known| known.as_bytes() == line);
                    heard.push(Heard::Line(known.copied().unwrap_or("never said")));
                }
                _ => {}
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn digits_leave_nothing_to_guess(
        said in said(pieces(PIECES.to_vec())),
        cuts in prop::collection::vec(1usize..40, 1..8),
    ) {
        let stream = write(&said, true);
        prop_assert_eq!(read(&stream, &cuts, &mut *host_in_digits()), said);
    }

    #[test]
    fn control_characters_in_topics_are_survived(
        said in said(pieces([&PIECES[..], &LINES[..]].concat())),
        cuts in prop::collection::vec(1usize..40, 1..8),
        hexadecimal: bool,
    ) {
        let mut stream = write(&said, hexadecimal);
        let make = || if hexadecimal { host_in_digits() } else { host() };
        let whole = read(&stream, &[usize::MAX], &mut *make());
        prop_assert_eq!(read(&stream, &cuts, &mut *make()), whole);
        // Far behind, what is said is read again.
        stream.extend_from_slice(&b"\r\n".repeat(2200));
        stream.extend_from_slice(b"\"\r\n\r\n+CSQ: 29,0\r\n");
        let heard = read(&stream, &cuts, &mut *make());
        prop_assert_eq!(heard.last(), Some(&Heard::Line("+CSQ: 29,0")));
    }

    #[test]
    fn text_without_line_ends_arrives_as_it_is(
        topic in "[a-z/]{1,20}",
        payload in "[ -~é]{0,60}",
        cuts in prop::collection::vec(1usize..40, 1..8),
    ) {
        let said = [Heard::Message(topic, payload.into_bytes()), Heard::Line("OK")];
        let stream = write(&said, false);
        prop_assert_eq!(&read(&stream, &cuts, &mut *host())[..], &said);
    }
}

/// A topic with control characters has one reading, too, if it holds no message.
#[test]
fn a_line_end_in_a_topic_begins_no_line() {
    let said = [
        Heard::Message("a\r\nOK\r\n+SMSTATE: 0\r\nb".into(), b"x".to_vec()),
        Heard::Line("OK"),
    ];
    let stream = write(&said, true);
    assert_eq!(read(&stream, &[usize::MAX], &mut *host_in_digits()), said);
    assert_eq!(read(&stream, &[1], &mut *host_in_digits()), said);
}

/// The payload of a module that speaks text may hold line ends, as long as no quote stands before.
#[test]
fn text_may_hold_line_ends() {
    let said = [
        Heard::Message("t".into(), b"one\r\nOK\r\n{\"a\": 1}\r\n\0two".to_vec()),
        Heard::Line("OK"),
    ];
    let stream = write(&said, false);
    assert_eq!(read(&stream, &[3], &mut *host()), said);
}

#[test]
fn a_torn_message_swallows_no_more_than_itself() {
    let stream = b"\r\n+SMSUB: \"t\",\"414\r\n\r\nOK\r\n";
    assert_eq!(
        read(stream, &[usize::MAX], &mut *host_in_digits()),
        [Heard::Line("OK")]
    );
    let mut host = host();
    assert!(matches!(host.extent(b"+SMSUB: "), Extent::Incomplete));
    assert!(matches!(host.extent(b"+SMSUB: 128"), Extent::Line));
    assert_eq!(host.read(b"+SMSUB: \"t\",5", None), None);
}
