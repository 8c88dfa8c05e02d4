//! What a publisher anywhere in the network may put into topic and payload.

use super::*;

/// What passes the line, written as a module writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    Message(String, Vec<u8>),
    Line(&'static str),
}

/// Lines that the module says.
const SAID: [&str; 4] = ["OK", "+QMTPUB: 0,9,0", "+CSQ: 29,0", "ERROR"];

/// Pieces of which readings are made.
const PIECES: [&str; 12] = [
    "\"",
    ",",
    "\",2,",
    "\",7,\"",
    "\",31,\"",
    "3",
    "a/b",
    "é",
    "[\"t\",5]",
    "{\"x\":1}",
    "x",
    "",
];

/// Pieces of lines that nobody said.
const LINES: [&str; 9] = [
    "\r\n",
    "\r",
    "\n",
    "\"\r\n",
    "\r\nOK\r\n",
    "\r\n+QMTPUB: 0,5,0\r\n",
    "\r\nPOWERED DOWN\r\n",
    "\r\n+QMTSTAT: 0,1\r\n",
    "\r\n+QMTRECV: 0,1,\"u\",2,\"hi\"\r\n",
];

fn topic() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(PIECES.to_vec());
    prop::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat())
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    let all = [&PIECES[..], &LINES[..]].concat();
    prop_oneof![
        prop::collection::vec(prop::sample::select(all), 0..8)
            .prop_map(|pieces| pieces.concat().into_bytes()),
        prop::collection::vec(any::<u8>(), 0..40),
    ]
}

fn said(topic: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<Said>> {
    let said = prop_oneof![
        3 => (topic, payload()).prop_map(|(topic, payload)| Said::Message(topic, payload)),
        1 => prop::sample::select(SAID.to_vec()).prop_map(Said::Line),
    ];
    prop::collection::vec(said, 1..6)
}

fn write(said: &[Said], formats: Formats) -> Vec<u8> {
    let mut stream = Vec::new();
    for said in said {
        stream.extend_from_slice(b"\r\n");
        match said {
            Said::Message(topic, payload) => {
                stream.extend_from_slice(&encode_urc(&received(1, topic, payload), formats));
            }
            Said::Line(line) => stream.extend_from_slice(line.as_bytes()),
        }
        stream.extend_from_slice(b"\r\n");
    }
    stream
}

/// What a host reads, and how many messages it has lost.
fn read(stream: &[u8], cuts: &[usize], formats: Formats) -> (Vec<Said>, usize) {
    let mut reader = ResponseReader::new(1024);
    let (mut heard, mut lost) = (Vec::new(), 0);
    let mut cuts = cuts.iter().cycle();
    let mut rest = stream;
    loop {
        while let Some(frame) = reader.next(|line| extent(line, formats)) {
            match frame {
                Frame::Message { line, .. } => {
                    if let Some(urc::Line::Urc(Urc::Received { topic, payload, .. })) =
                        decode_urc(line, formats)
                    {
                        heard.push(Said::Message(topic, payload));
                    }
                }
                Frame::Line(line) => {
                    let known = SAID.iter().find(|known| known.as_bytes() == line);
                    heard.push(Said::Line(known.copied().unwrap_or("something never said")));
                }
                Frame::Lost { .. } => lost += 1,
                Frame::Torn(_) | Frame::Prompt | Frame::Overlong { .. } => {}
            }
        }
        if !rest.is_empty() {
            let (piece, left) = rest.split_at(rest.len().min(*cuts.next().expect("it cycles")));
            reader.push(piece);
            rest = left;
        } else if reader.is_held() {
            reader.settle();
        } else {
            return (heard, lost);
        }
    }
}

/// Whether one is a part of the other, in the same order.
fn is_part(part: &[Said], whole: &[Said]) -> bool {
    let mut whole = whole.iter();
    part.iter().all(|said| whole.any(|other| other == said))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn with_a_length_nothing_is_forged(
        said in said(topic()),
        cuts in prop::collection::vec(1usize..40, 1..8),
    ) {
        let stream = write(&said, SHOWN);
        let (heard, lost) = read(&stream, &cuts, SHOWN);
        prop_assert!(is_part(&heard, &said), "{heard:?}");
        prop_assert_eq!(&read(&stream, &[usize::MAX], SHOWN).0, &heard);
        if lost == 0 {
            prop_assert_eq!(heard, said);
        }
    }

    #[test]
    fn what_holds_no_quote_arrives(
        said in said("[a-z/é]{1,9}"),
        cuts in prop::collection::vec(1usize..40, 1..8),
    ) {
        for formats in [SHOWN, HEX, NEXT_LINE] {
            let stream = write(&said, formats);
            let (heard, lost) = read(&stream, &cuts, formats);
            prop_assert!(is_part(&heard, &said), "{formats:?} {heard:?}");
            // In digits and behind a line end nothing is left to guess.
            if formats != SHOWN {
                prop_assert_eq!((heard, lost), (said.clone(), 0));
            }
        }
    }

    /// The hole that there is: a quote before a line end ends it.
    #[test]
    fn without_a_length_only_a_quote_before_a_line_end_is_taken_for_the_end(
        said in said("[a-z/é]{1,9}"),
        cuts in prop::collection::vec(1usize..40, 1..8),
    ) {
        let holds_end = |said: &Said| match said {
            Said::Message(_, payload) => memchr::memmem::find(payload, b"\"\r\n").is_some(),
            Said::Line(_) => false,
        };
        prop_assume!(!said.iter().any(holds_end));
        let stream = write(&said, PLAIN);
        prop_assert_eq!(read(&stream, &cuts, PLAIN), (said, 0));
    }
}
