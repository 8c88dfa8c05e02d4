//! What a publisher anywhere in the network may put into topic and payload.

use super::*;

/// What passes the line, written as a module writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    Message(String, Vec<u8>),
    Line(&'static str),
}

/// Pieces of which readings are made.
const PIECES: [&str; 12] = [
    "\"",
    ",",
    "\",2,",
    "\",7,",
    "\",31,",
    "3",
    "a/b",
    "é",
    "[\"t\",5]",
    "{\"x\":1}",
    "x",
    "",
];

/// Pieces of lines that nobody said.
const LINES: [&str; 8] = [
    "\r\n",
    "\r",
    "\n",
    "\r\nOK\r\n",
    "\r\n+LMQTTPUB: 0,5,0\r\n",
    "\r\nNORMAL POWER DOWN\r\n",
    "\r\n+LMQTTURC: STATS,0,1\r\n",
    "\r\n+LMQTTURC: RECV,0,1,\"u\",2,hi\r\n",
];

fn topic() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(PIECES.to_vec());
    prop::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat())
}

fn topic_with_controls() -> impl Strategy<Value = String> {
    let all = [&PIECES[..], &LINES[..]].concat();
    prop::collection::vec(prop::sample::select(all), 1..6).prop_map(|pieces| pieces.concat())
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
    let line = prop::sample::select(vec!["OK", "+LMQTTPUB: 0,9,0", "+CSQ: 29,0", "ERROR"]);
    let said = prop_oneof![
        3 => (topic, payload()).prop_map(|(topic, payload)| Said::Message(topic, payload)),
        1 => line.prop_map(Said::Line),
    ];
    prop::collection::vec(said, 1..6)
}

/// The bytes on the line, and where each message begins behind its identification.
fn write(said: &[Said], formats: &FormatTable) -> (Vec<u8>, Vec<usize>) {
    let (mut stream, mut starts) = (Vec::new(), Vec::new());
    for said in said {
        stream.extend_from_slice(b"\r\n");
        match said {
            Said::Message(topic, payload) => {
                starts.push(stream.len() + "+LMQTTURC: RECV,0,1,".len());
                Lmqtt::DEFAULT.encode_urc(&received(1, topic, payload), formats, &mut stream);
            }
            Said::Line(line) => stream.extend_from_slice(line.as_bytes()),
        }
        stream.extend_from_slice(b"\r\n");
    }
    (stream, starts)
}

/// What a host reads, and how many messages it has lost.
fn read(stream: &[u8], cuts: &[usize], formats: &FormatTable) -> (Vec<Said>, usize) {
    let mut reader = ResponseReader::new(1024);
    let (mut heard, mut lost) = (Vec::new(), 0);
    let mut cuts = cuts.iter().cycle();
    let mut rest = stream;
    loop {
        while let Some(frame) = reader.next(|line| Lmqtt::DEFAULT.extent(line, context(formats))) {
            match frame {
                Frame::Message { line, .. } => {
                    if let Some(Urc::Received { topic, payload, .. }) =
                        Lmqtt::DEFAULT.decode_urc(line, formats)
                    {
                        heard.push(Said::Message(topic, payload));
                    }
                }
                Frame::Line(line) => {
                    let known = ["OK", "ERROR", "+LMQTTPUB: 0,9,0", "+CSQ: 29,0"];
                    let known = known.iter().find(|known| known.as_bytes() == line);
                    heard.push(Said::Line(known.copied().unwrap_or("something never said")));
                }
                Frame::Lost { .. } => lost += 1,
                Frame::Torn(_) | Frame::Prompt | Frame::Overlong { .. } => {}
            }
        }
        if !rest.is_empty() {
            let (piece, left) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
            reader.push(piece);
            rest = left;
        } else if reader.is_held() {
            reader.settle();
        } else {
            return (heard, lost);
        }
    }
}

/// What would be another topic or length for a module with other limits.
#[test]
fn what_no_module_reports_is_no_reading() {
    let formats = text(true);
    let long = format!("{}\",5,hello", "a".repeat(300));
    let large = vec![b'x'; 32_000];
    for (topic, payload) in [("t", long.as_bytes()), ("x\",32009,y", &large)] {
        let said = [Said::Message(topic.into(), payload.to_vec())];
        let (stream, _) = write(&said, &formats);
        let mut reader = ResponseReader::new(64 * 1024);
        reader.push(&stream);
        let frame = reader.next(|line| Lmqtt::DEFAULT.extent(line, context(&formats)));
        let Some(Frame::Message { line, .. }) = frame else {
            panic!("{frame:?}");
        };
        let heard = Lmqtt::DEFAULT.decode_urc(line, &formats);
        assert_eq!(heard, Some(received(1, topic, payload)));
    }
}

/// How many readings a message has that begins with this quote, by the rule alone: a quote
/// behind at most 256 bytes without control characters, `,<len>,`, and CR LF behind `len` bytes.
fn readings(body: &[u8]) -> usize {
    let topic = |quote: usize| quote <= 256 && !body[1..quote + 1].iter().any(u8::is_ascii_control);
    let quotes = (0..body.len() - 1).filter(|at| body[at + 1] == b'"' && topic(*at));
    let read = |quote: usize| {
        let behind = body[quote + 2..].strip_prefix(b",")?;
        let comma = behind.iter().position(|byte| *byte == b',')?;
        let length: usize = core::str::from_utf8(&behind[..comma]).ok()?.parse().ok()?;
        let end = quote + 3 + comma + 1 + length;
        Some(body.get(end..)?.starts_with(b"\r\n"))
    };
    quotes.filter(|quote| read(*quote) == Some(true)).count()
}

/// Whether one is a part of the other, in the same order.
fn is_part(part: &[Said], whole: &[Said]) -> bool {
    let mut whole = whole.iter();
    part.iter().all(|said| whole.any(|other| other == said))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nothing_is_forged_and_what_has_one_reading_arrives(
        said in said(topic()),
        cuts in prop::collection::vec(1usize..40, 1..8),
    ) {
        let formats = text(true);
        let (stream, starts) = write(&said, &formats);
        let (heard, lost) = read(&stream, &cuts, &formats);
        prop_assert!(is_part(&heard, &said), "{heard:?}");
        prop_assert_eq!(&read(&stream, &[usize::MAX], &formats).0, &heard);
        let messages = said.iter().filter(|said| matches!(said, Said::Message(..)));
        let counts = starts.iter().map(|start| readings(&stream[*start..]));
        let clear = messages.zip(counts).take_while(|(_, count)| *count == 1);
        let clear: Vec<_> = clear.map(|(message, _)| message.clone()).collect();
        prop_assert!(is_part(&clear, &heard), "{clear:?} of {heard:?}");
        prop_assert_eq!(lost == 0, clear.len() == starts.len());
    }

    #[test]
    fn hexadecimal_payloads_leave_nothing_to_guess(
        said in said(topic()),
        cuts in prop::collection::vec(1usize..40, 1..8),
    ) {
        let formats = hex(DataFormat::Hex, true);
        let (stream, _) = write(&said, &formats);
        prop_assert_eq!(read(&stream, &cuts, &formats), (said, 0));
    }

    #[test]
    fn control_characters_in_topics_are_survived(
        said in said(topic_with_controls()),
        cuts in prop::collection::vec(1usize..40, 1..8),
    ) {
        let formats = text(true);
        let (mut stream, _) = write(&said, &formats);
        let whole = read(&stream, &[usize::MAX], &formats);
        prop_assert_eq!(read(&stream, &cuts, &formats), whole);
        // Far behind, what is said is read again.
        stream.extend_from_slice(&b"\r\n".repeat(600));
        stream.extend_from_slice(b"+CSQ: 29,0\r\n");
        let (heard, _) = read(&stream, &cuts, &formats);
        prop_assert_eq!(heard.last(), Some(&Said::Line("+CSQ: 29,0")));
    }
}
