use super::*;
use crate::at::framing::Counting;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use proptest::prelude::*;

/// `#"<topic>",<len>,<payload>` is a message, `$` one in hexadecimal digits. Behind `=<len>` comes
/// a block, `%` begins a message that ends at `"` and a line end, and `&"` one where that counts
/// behind the quote. Everything else is a plain line.
fn extent(line: &[u8]) -> Extent {
    let counting = match line {
        [b'='] => return Extent::Incomplete,
        [b'=', digits @ ..] => {
            let digits = digits.strip_suffix(b"\r").unwrap_or(digits);
            let length = core::str::from_utf8(digits)
                .ok()
                .and_then(|n| n.parse().ok());
            return length.map_or(Extent::Line, Extent::Block);
        }
        [b'%', ..] => return Extent::Marked(b"\"\r\n"),
        [b'&'] => return Extent::Incomplete,
        [b'&', b'"', ..] => return Extent::MarkedFrom(2, b"\"\r\n"),
        [b'#', b'"', ..] => Counting::Bytes,
        [b'$', b'"', ..] => Counting::Pairs,
        [b'#' | b'$'] => return Extent::Incomplete,
        _ => return Extent::Line,
    };
    Extent::Message(MessageForm {
        start: 1,
        counting,
        quoted: false,
        longest_topic: 24,
        longest_payload: 40,
    })
}

fn drain(reader: &mut ResponseReader) -> Vec<String> {
    let mut frames = Vec::new();
    while let Some(frame) = reader.next(extent) {
        frames.push(match frame {
            Frame::Line(line) => format!("{}", line.escape_ascii()),
            Frame::Message { line, deviation } => {
                let deviation = deviation.map_or(String::new(), |how| format!(" {how:?}"));
                format!("MESSAGE{deviation} {}", line.escape_ascii())
            }
            Frame::Lost { bytes, ambiguous } => {
                let why = if ambiguous { "AMBIGUOUS" } else { "LOST" };
                format!("{why} {}", bytes.escape_ascii())
            }
            Frame::Torn(line) => format!("TORN {}", line.escape_ascii()),
            Frame::Prompt => "PROMPT".into(),
            Frame::Overlong { length } => format!("OVERLONG {length}"),
        });
    }
    frames
}

fn read(bytes: &[u8]) -> Vec<String> {
    let mut reader = ResponseReader::new(64);
    reader.expect_prompt(b">");
    reader.push(bytes);
    drain(&mut reader)
}

/// What is read of these bytes when silence follows them.
fn read_to_the_end(bytes: &[u8]) -> Vec<String> {
    let mut reader = ResponseReader::new(64);
    reader.push(bytes);
    let mut frames = drain(&mut reader);
    while reader.is_held() {
        reader.settle();
        frames.append(&mut drain(&mut reader));
    }
    frames
}

#[test]
fn lines_end_with_a_line_feed() {
    assert_eq!(read(b"\r\nOK\r\n"), ["OK"]);
    assert_eq!(read(b"AT\r\r\nOK\r\n"), [r"AT\r", "OK"]);
    assert_eq!(read(b"OK\nOK\n"), ["OK", "OK"]);
    assert_eq!(read(b"\r\n\r\r\n\r\nO"), [""; 0]);
}

#[test]
fn a_counted_payload_is_not_scanned() {
    assert_eq!(
        read(b"#\"t\",6,\r\nOK\r\n\r\nOK\r\n"),
        [r#"MESSAGE #\"t\",6,\r\nOK\r\n"#, "OK"]
    );
    assert_eq!(read(b"#\"t\",0,\r\nOK\r\n"), [r#"MESSAGE #\"t\",0,"#, "OK"]);
    assert_eq!(read(b"#\"t\",3,ab\r\r\n"), [r#"MESSAGE #\"t\",3,ab\r"#]);
    assert_eq!(
        read(b"#\"t\",5,> \r\n>\r\n> "),
        [r#"MESSAGE #\"t\",5,> \r\n>"#, "PROMPT"]
    );
    assert_eq!(read(b"#\"t\",4,\"ab\"\r\n"), [r#"MESSAGE #\"t\",4,\"ab\""#]);
}

#[test]
fn a_block_stands_behind_the_line_end() {
    for (bytes, frames) in [
        (
            &b"=6\r\n\r\nOK\r\n\r\nOK\r\n"[..],
            &[r"MESSAGE =6\r\n\r\nOK\r\n", "OK"][..],
        ),
        (b"=0\r\n\r\nOK\r\n", &[r"MESSAGE =0\r\n", "OK"]),
        (
            b"=12\r\n=1\r\n> \r\nOK\r\n\r\n",
            &[r"MESSAGE =12\r\n=1\r\n> \r\nOK\r\n"],
        ),
        // The length is wrong: what may be of the block is no line.
        (b"=4\r\nabc\r\nOK\r\n", &[r"LOST =4", "TORN abc", "OK"]),
        (b"=2\r\nabc\r\nOK\r\n", &[r"LOST =2", "TORN abc", "OK"]),
        // No module announces so much: nothing is read before it is silent.
        (b"=100\r\nabc\r\nOK\r\n", &[r"LOST =100"]),
        (
            b"=99999999999999999999\r\nOK\r\n",
            &["=99999999999999999999", "OK"],
        ),
        // Silence behind the block ends it as well.
        (b"=2\r\nab", &[r"MESSAGE =2\r\nab"]),
    ] {
        assert_eq!(read_to_the_end(bytes), frames, "{}", bytes.escape_ascii());
        for size in 1..bytes.len() {
            let mut reader = ResponseReader::new(64);
            let mut read = Vec::new();
            for piece in bytes.chunks(size) {
                reader.push(piece);
                read.append(&mut drain(&mut reader));
            }
            if reader.is_held() {
                reader.settle();
                read.append(&mut drain(&mut reader));
            }
            assert_eq!(read, frames, "{} in pieces of {size}", bytes.escape_ascii());
        }
    }
}

#[test]
fn a_mark_ends_a_message() {
    for (marked, frame) in [
        (
            &b"%\"t\",\"a\r\nOK\r\n\"\r\nOK\r\n"[..],
            r#"MESSAGE %\"t\",\"a\r\nOK\r\n\""#,
        ),
        // What opens the payload is no end of it.
        (
            b"&\"\r\nERROR\r\n\"\r\nOK\r\n",
            r#"MESSAGE &\"\r\nERROR\r\n\""#,
        ),
        (b"&\"\"\r\nOK\r\n", r#"MESSAGE &\"\""#),
    ] {
        for size in 1..marked.len() {
            let mut reader = ResponseReader::new(64);
            let mut read = Vec::new();
            for piece in marked.chunks(size) {
                reader.push(piece);
                read.append(&mut drain(&mut reader));
            }
            assert_eq!(read, [frame, "OK"], "in pieces of {size}");
        }
    }
    // Nothing of what follows a message without an end is a line before the module is silent.
    let endless = [b"%", &[b'x'; 70][..], b"\r\nOK\r\n"].concat();
    let lost = format!("LOST {}", endless[..65].escape_ascii());
    assert_eq!(read_to_the_end(&endless), [lost]);
}

#[test]
fn a_prompt_looks_as_the_module_has_it() {
    for size in [1, 64] {
        let mut reader = ResponseReader::new(64);
        reader.expect_prompt(b">>>");
        let mut read = Vec::new();
        for piece in b"> \r\n>>>\r\nOK\r\n>>>".chunks(size) {
            reader.push(piece);
            read.append(&mut drain(&mut reader));
        }
        assert_eq!(read, ["> ", "PROMPT", "OK"]);
        assert_eq!(
            reader.incomplete(),
            b">>>",
            "the expectation ends with the prompt"
        );
    }
}

#[test]
fn behind_a_wrong_length_nothing_that_may_be_payload_is_a_line() {
    assert_eq!(
        read_to_the_end(b"#\"t\",9,ab\r\nOK\r\nOK\r\nOK\r\n"),
        [r#"LOST #\"t\",9,ab"#, "TORN OK", "TORN OK", "OK"]
    );
    assert_eq!(
        read_to_the_end(b"#\"t\",2,abc\r\nOK\r\n"),
        [r#"LOST #\"t\",2,abc"#, "OK"]
    );
    // One byte was lost: the line end is no part of the payload.
    assert_eq!(
        read_to_the_end(b"#\"t\",3,ab\r\nOK\r\n"),
        [r#"LOST #\"t\",3,ab"#, "OK"]
    );
    // No module announces so much.
    assert_eq!(
        read_to_the_end(b"#\"t\",41,ab\r\nOK\r\n"),
        [r#"LOST #\"t\",41,ab"#, "OK"]
    );
    assert_eq!(
        read_to_the_end(b"#\"t\"\r\nOK\r\n"),
        [r#"LOST #\"t\""#, "OK"]
    );
    // Up to where the longest of what is announced would have ended.
    assert_eq!(
        read_to_the_end(b"#\"t\",1,x\",20,y\r\nOK\r\n+X: 12345678\r\nOK\r\n"),
        [
            r#"LOST #\"t\",1,x\",20,y"#,
            "TORN OK",
            "TORN +X: 12345678",
            "OK"
        ]
    );
}

#[test]
fn quotes_commas_and_numbers_in_a_topic_end_no_message() {
    assert_eq!(
        read(b"#\"a\",3,xyz\",2,p2\r\nOK\r\n"),
        [r#"MESSAGE #\"a\",3,xyz\",2,p2"#, "OK"]
    );
    assert_eq!(
        read(b"#\"a\",7,\",2,\r\n\r\nOK\r\n"),
        [r#"MESSAGE #\"a\",7,\",2,\r\n"#, "OK"]
    );
}

#[test]
fn a_message_is_held_while_a_longer_one_may_begin_with_it() {
    // The array of the payload looks like the end of a topic and a length.
    let array = b"#\"t\",8,[\"x\",9,]\r\n";
    assert_eq!(read(array), [""; 0]);
    assert_eq!(read_to_the_end(array), [r#"MESSAGE #\"t\",8,[\"x\",9,]"#]);
    let more = [&array[..], b"+X: 1234567\r\nOK\r\n"].concat();
    assert_eq!(
        read(&more),
        [r#"MESSAGE #\"t\",8,[\"x\",9,]"#, "+X: 1234567", "OK"]
    );
    // A longer topic begins with a whole message, and the payload ends what it announces.
    let both = b"#\"t\",3,abc\r\n+\",7,x\r\n";
    assert_eq!(read(both), [r#"MESSAGE #\"t\",3,abc"#, r#"+\",7,x"#]);
    let longer = b"#\"t\",20,x\",5,OK\r\nA\r\n\r\n";
    assert_eq!(read(longer), [""; 0]);
    assert_eq!(
        read_to_the_end(longer),
        [r#"MESSAGE #\"t\",20,x\",5,OK\r\nA"#]
    );
}

#[test]
fn a_message_with_two_readings_is_dropped_to_the_end_of_the_longer() {
    assert_eq!(
        read(b"#\"a\",7,b\",2,hi\r\nOK\r\n"),
        [r#"AMBIGUOUS #\"a\",7,b\",2,hi"#, "OK"]
    );
    assert_eq!(
        read(b"#\"a\",5,\",14,\r\nOK\r\n12345678\r\nOK\r\n"),
        [r#"AMBIGUOUS #\"a\",5,\",14,\r\nOK\r\n12345678"#, "OK"]
    );
}

/// Two readings that are kept apart for longer than a line is kept: nothing is read then, rather
/// than a line of a payload.
#[test]
fn readings_that_do_not_meet_are_left_at_the_next_silence() {
    for cut in [1, 7, usize::MAX] {
        let mut reader = ResponseReader::new(64);
        let mut frames = Vec::new();
        // One reading leads from message to message, the other from one that stands in the payload
        // of each to the next.
        let mut stream = b"#\"a\",5,\",14,\r\n".to_vec();
        stream.extend(b"#\"d\",14,AAAA\r\n#\"f\",14,\r\n".repeat(1000));
        for piece in stream.chunks(cut.min(stream.len())) {
            reader.push(piece);
            frames.append(&mut drain(&mut reader));
            let kept = reader.incomplete().len();
            assert!(cut == usize::MAX || kept <= 2 * 64, "{kept} bytes are kept");
        }
        assert_eq!(frames.len(), 1);
        assert!(frames[0].starts_with("AMBIGUOUS"), "{}", frames[0]);
        assert!(reader.is_held());
        reader.settle();
        assert_eq!(drain(&mut reader), [""; 0]);
        reader.push(b"\r\nOK\r\n");
        assert_eq!(drain(&mut reader), ["OK"]);
    }
}

#[test]
fn control_characters_in_a_topic_count_where_there_is_no_other_reading() {
    assert_eq!(
        read(b"#\"a\nb\",2,p2\r\nOK\r\n"),
        [r#"MESSAGE #\"a\nb\",2,p2"#, "OK"]
    );
    assert_eq!(
        read(b"#\"a\r\nRDY\r\n\",2,p2\r\nOK\r\n"),
        [r#"MESSAGE #\"a\r\nRDY\r\n\",2,p2"#, "OK"]
    );
    assert_eq!(
        read(b"#\"t\",3,abc\r\n\",2,xy\r\n"),
        [r#"MESSAGE #\"t\",3,abc"#, r#"\",2,xy"#]
    );
    // A message that has lost bytes does not swallow the next one unnoticed.
    assert_eq!(
        read(b"#\"t\",9,abc\r\n#\"u\",2,hi\r\nOK\r\n"),
        [r#"AMBIGUOUS #\"t\",9,abc\r\n#\"u\",2,hi"#, "OK"]
    );
}

#[test]
fn a_topic_without_end_keeps_nothing_from_being_read() {
    assert_eq!(read(b"#\"abc\r\nOK\r\n"), [""; 0]);
    assert_eq!(
        read_to_the_end(b"#\"abc\r\nOK\r\n"),
        [r#"LOST #\"abc"#, "OK"]
    );
    assert_eq!(
        read(b"#\"abc\r\nOK\r\n+X: 12345678901234\r\n"),
        [r#"LOST #\"abc"#, "OK", "+X: 12345678901234"]
    );
}

#[test]
fn hexadecimal_digits_leave_one_reading() {
    assert_eq!(
        read(b"$\"a\",3,\",2,6869\r\nOK\r\n"),
        [r#"MESSAGE $\"a\",3,\",2,6869"#, "OK"]
    );
}

#[test]
fn a_module_that_writes_otherwise_than_it_was_told_is_understood() {
    assert_eq!(
        read(b"#\"t\",2,\"ab\"\r\n"),
        [r#"MESSAGE Quoted #\"t\",2,\"ab\""#]
    );
    assert_eq!(
        read(b"#\"t\",2,6869\r\n"),
        [r#"MESSAGE Hexadecimal #\"t\",2,6869"#]
    );
    assert_eq!(
        read(b"#\"t\",2,\"6869\"\r\n"),
        [r#"MESSAGE Hexadecimal #\"t\",2,\"6869\""#]
    );
    assert_eq!(read(b"$\"t\",2,hi\r\n"), [r#"MESSAGE Text $\"t\",2,hi"#]);
    assert_eq!(read(b"$\"t\",2,21\r\n"), [r#"AMBIGUOUS $\"t\",2,21"#]);
    // The first one is held, because a topic may have a line end; then it is known.
    let plain = b"#\"t\",{\"a\":1}\r\n";
    assert_eq!(read(plain), [""; 0]);
    assert_eq!(
        read_to_the_end(plain),
        [r#"MESSAGE NoLength #\"t\",{\"a\":1}"#]
    );
    let mut reader = ResponseReader::new(64);
    reader.push(plain);
    assert_eq!(drain(&mut reader), [""; 0]);
    reader.settle();
    assert_eq!(drain(&mut reader), [r#"MESSAGE NoLength #\"t\",{\"a\":1}"#]);
    reader.push(b"#\"t\",x\r\nOK\r\n");
    assert_eq!(drain(&mut reader), [r#"MESSAGE NoLength #\"t\",x"#, "OK"]);
    // It may be one that lost its end.
    reader.push(b"#\"t\",21,5\r\nOK\r\n");
    assert_eq!(drain(&mut reader), [""; 0]);
    reader.settle();
    assert_eq!(drain(&mut reader), [r#"LOST #\"t\",21,5"#, "TORN OK"]);
}

#[test]
fn a_prompt_counts_only_while_expected_and_at_the_beginning_of_a_line() {
    assert_eq!(read(b"\r\n> OK\r\n> \r\n"), ["PROMPT", "OK", "> "]);
    assert_eq!(read(b"\r\n>"), ["PROMPT"]);
    assert_eq!(read(b"+X: \"a>\"\r\n>"), [r#"+X: \"a>\""#, "PROMPT"]);
    let mut reader = ResponseReader::new(32);
    reader.push(b"\r\n>");
    assert_eq!(drain(&mut reader), [""; 0]);
    reader.expect_prompt(b">");
    reader.push(b" \r\n> ");
    assert_eq!(drain(&mut reader), ["> ", "PROMPT"]);
}

#[test]
fn a_prompt_that_is_still_expected_may_have_come() {
    let mut reader = ResponseReader::new(32);
    reader.expect_prompt(b">");
    reader.push(b"\r\n>\r\nOK\r\n> \r\n> \r\n");
    assert_eq!(reader.next(extent), Some(Frame::Prompt));
    reader.still_expect_prompt();
    assert_eq!(drain(&mut reader), ["OK", "PROMPT", "> "]);
}

#[test]
fn an_overlong_line_is_discarded_and_reported() {
    let mut bytes = vec![b'x'; 100];
    bytes.extend_from_slice(b"\r\nOK\r\n");
    assert_eq!(read(&bytes), ["OVERLONG 101", "OK"]);
}

#[test]
fn a_payload_whose_rest_does_not_come_can_be_abandoned() {
    let mut reader = ResponseReader::new(32);
    reader.expect_prompt(b">");
    reader.push(b"\r\n#\"t\",20,ab\r\nOK\r\n");
    assert_eq!(drain(&mut reader), [""; 0]);
    assert!(reader.is_counting());
    assert_eq!(reader.incomplete(), b"#\"t\",20,ab\r\nOK\r\n");
    assert_eq!(reader.abandon(), 16);
    assert!(!reader.is_counting());
    assert_eq!(reader.abandon(), 0);
    reader.push(b"OK\r\n> ");
    assert_eq!(drain(&mut reader), ["OK", "PROMPT"]);
    reader.push(&[b'x'; 40]);
    assert_eq!(drain(&mut reader), [""; 0]);
    assert_eq!(reader.abandon(), 40);
}

#[test]
fn noise_without_end_does_not_grow() {
    let mut reader = ResponseReader::new(32);
    for _ in 0..10_000 {
        reader.push(&[b'x'; 64]);
        assert_eq!(drain(&mut reader), [""; 0]);
    }
    assert!(reader.buffer.capacity() <= 4 * (32 + 64));
    reader.push(b"\n");
    assert_eq!(drain(&mut reader), ["OVERLONG 640000"]);
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"\r\nOK\r\n".to_vec()),
        Just(b"\r\n> ".to_vec()),
        Just(b">".to_vec()),
        Just(b"#\"t\",3,a\n>\r\n".to_vec()),
        Just(b"#\"t\",3,\"a\n>\"\r\n".to_vec()),
        Just(b"$\"t\",2,6869\r\n".to_vec()),
        Just(b"#\"t\",x\r\n".to_vec()),
        Just(b"#\"t\",12,".to_vec()),
        Just(b"\",7,".to_vec()),
        Just(b"=4\r\n\r\nab\r\n".to_vec()),
        Just(b"=30\r\nab".to_vec()),
        Just(b"%\"t\",\"a\r\n\"\r\n".to_vec()),
        Just(b"&\"\r\na\"\r\n".to_vec()),
        Just(vec![b'y'; 80]),
        prop::collection::vec(prop::sample::select(b"#$=%12,\"\"\r\n> x".to_vec()), 0..8),
        prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_split_gives_the_same_frames(
        bytes in stream(),
        cuts in prop::collection::vec(1usize..9, 1..64),
    ) {
        let mut reader = ResponseReader::new(64);
        reader.expect_prompt(b">");
        let mut frames = Vec::new();
        let mut rest = &bytes[..];
        for cut in cuts.iter().cycle() {
            let (piece, left) = rest.split_at((*cut).min(rest.len()));
            reader.push(piece);
            frames.append(&mut drain(&mut reader));
            rest = left;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(frames, read(&bytes));
    }
}
