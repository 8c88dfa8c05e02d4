use super::*;
use alloc::string::String;
use alloc::{format, vec};
use proptest::prelude::*;

/// After `AT>n` come `n` raw bytes, after `AT<n` as many unless Ctrl-Z or ESC ends them, after
/// `AT<-` as many as come before these, after `AT/-` as many as come before `+++`.
fn drain(reader: &mut CommandReader, echo: &mut Vec<u8>) -> Vec<String> {
    let mut inputs = Vec::new();
    loop {
        let mut data = None;
        inputs.push(match reader.next(echo) {
            None => return inputs,
            Some(Input::Command(line)) => {
                data = match line.get(..2) {
                    Some([b'>', n]) => Some((Some(usize::from(n & 7)), DataEnd::Length)),
                    Some([b'<', b'-']) => Some((None, DataEnd::ControlCharacters)),
                    Some([b'<', n]) => Some((Some(usize::from(n & 7)), DataEnd::ControlCharacters)),
                    Some([b'/', b'-']) => Some((None, DataEnd::Mark(b"+++"))),
                    _ => None,
                };
                format!("AT{}", line.escape_ascii())
            }
            Some(Input::Repeat) => "REPEAT".into(),
            Some(Input::Data(bytes)) => format!("DATA {}", bytes.escape_ascii()),
            Some(Input::Cancelled) => "CANCELLED".into(),
            Some(Input::Noise(line)) => format!("NOISE {}", line.escape_ascii()),
            Some(Input::Overlong { length }) => format!("OVERLONG {length}"),
        });
        if let Some((length, end)) = data {
            reader.expect_data(length, end);
        }
    }
}

fn read(bytes: &[u8]) -> (Vec<String>, Vec<u8>) {
    let mut reader = CommandReader::new(32);
    let mut echo = Vec::new();
    reader.push(bytes);
    (drain(&mut reader, &mut echo), echo)
}

#[test]
fn lines_end_with_a_carriage_return() {
    assert_eq!(read(b"AT\rat+csq\r\nAT").0, ["AT", "AT+csq"]);
    assert_eq!(read(b"\r\n\x1b\x1aAT\r").0, ["AT"]);
    assert_eq!(read(b"\xff\x00garbageAT+CSQ\r").0, ["AT+CSQ"]);
    assert_eq!(read(b"hello\rAT\r").0, ["NOISE hello", "AT"]);
    assert_eq!(read(b"ATI\rA/a/").0, ["ATI", "REPEAT", "REPEAT"]);
}

#[test]
fn a_backspace_takes_back_one_character() {
    assert_eq!(read(b"\x08ATX\x7fI\r").0, ["ATI"]);
    assert_eq!(read(b"ATX\x08I\r").1, b"ATX\x08 \x08I");
}

/// V.250 5.2.2: before anything of the line is looked at, so between quotes as well, and across
/// the end of what fits.
#[test]
fn a_backspace_edits_a_value_too() {
    let (mut long, mut fits) = (b"AT\"".to_vec(), b"AT\"".to_vec());
    long.resize(33, b'x');
    fits.resize(31, b'x');
    long.extend(b"\x7f\x08\"\r");
    fits.extend(b"\"\r");
    for (typed, read_as) in [
        (&b"AT4,\"21.55\x08\"\r"[..], &b"AT4,\"21.5\"\r"[..]),
        (b"AT4,\"21.5\"\x7f\x7f6\"\r", b"AT4,\"21.6\"\r"),
        (&long, &fits),
    ] {
        let expected = read(read_as).0;
        for size in 1..=typed.len() {
            let mut reader = CommandReader::new(32);
            let mut inputs = Vec::new();
            for piece in typed.chunks(size) {
                reader.push(piece);
                inputs.append(&mut drain(&mut reader, &mut Vec::new()));
            }
            assert_eq!(inputs, expected, "{}", typed.escape_ascii());
        }
    }
}

#[test]
fn line_end_and_backspace_can_be_chosen() {
    let mut reader = CommandReader::new(32);
    reader.set_line_end(b'!');
    reader.set_backspace(b'<');
    reader.push(b"ATX<I\r!AT!");
    let mut echo = Vec::new();
    assert_eq!(drain(&mut reader, &mut echo), [r"ATI\r", "AT"]);
    assert_eq!(echo, b"ATX< <IAT");
}

#[test]
fn announced_data_is_raw() {
    assert_eq!(
        read(b"AT>4\r\x00\r\n\x1aAT\r").0,
        ["AT>4", r"DATA \x00\r\n\x1a", "AT"]
    );
    assert_eq!(read(b"AT>2\rab\x1a\r\nAT\r").0, ["AT>2", "DATA ab", "AT"]);
    assert_eq!(read(b"AT>0\rAT\r").0, ["AT>0", "DATA ", "AT"]);
}

#[test]
fn control_characters_end_data_where_they_may() {
    for (stream, expected) in [
        (&b"AT<4\rab\x1aAT\r"[..], &["AT<4", "DATA ab", "AT"][..]),
        (b"AT<4\r\x1aAT\r", &["AT<4", "DATA ", "AT"]),
        (b"AT<4\rab\x1bAT\r", &["AT<4", "CANCELLED", "AT"]),
        (b"AT<4\ra\x1b\x1aAT\r", &["AT<4", "CANCELLED", "AT"]),
        // The length ends it as well; what is left over is passed over.
        (b"AT<2\rab\x1aAT\r", &["AT<2", "DATA ab", "AT"]),
        (b"AT<2\rab\x1bAT\r", &["AT<2", "DATA ab", "AT"]),
        (b"AT>4\ra\x1b\x1abAT\r", &["AT>4", r"DATA a\x1b\x1ab", "AT"]),
    ] {
        assert_eq!(read(stream).0, expected, "{}", stream.escape_ascii());
    }
}

#[test]
fn data_of_no_length_comes_to_its_end_or_is_too_long() {
    for (stream, expected) in [
        (
            &b"AT<-\rab\r\n\x1aAT\r"[..],
            &["AT<-", r"DATA ab\r\n", "AT"][..],
        ),
        (b"AT<-\rab\x1bAT\r", &["AT<-", "CANCELLED", "AT"]),
        (b"AT/-\ra++b\x1a+++AT\r", &["AT/-", r"DATA a++b\x1a", "AT"]),
    ] {
        for size in [1, stream.len()] {
            let mut reader = CommandReader::new(32);
            let mut inputs = Vec::new();
            for piece in stream.chunks(size) {
                reader.push(piece);
                inputs.append(&mut drain(&mut reader, &mut Vec::new()));
            }
            assert_eq!(inputs, expected, "{}", stream.escape_ascii());
        }
    }
    for (head, end) in [("AT<-\r", "\x1a"), ("AT/-\r", "+++")] {
        for length in [31, 32, 33, 100] {
            let stream = [head, &"x".repeat(length), end, "AT\r"].concat();
            for size in 1..stream.len() {
                let mut reader = CommandReader::new(32);
                let mut inputs = Vec::new();
                for piece in stream.as_bytes().chunks(size) {
                    reader.push(piece);
                    inputs.append(&mut drain(&mut reader, &mut Vec::new()));
                    assert!(reader.unread() <= 34, "{} bytes are kept", reader.unread());
                }
                let data = match length {
                    0..=32 => format!("DATA {}", "x".repeat(length)),
                    _ => format!("OVERLONG {length}"),
                };
                assert_eq!(inputs[1..], [data, "AT".into()], "in pieces of {size}");
            }
        }
    }
}

#[test]
fn data_can_be_given_up() {
    let mut reader = CommandReader::new(32);
    reader.expect_data(Some(9), DataEnd::Length);
    reader.push(b"abc");
    assert_eq!(reader.next(&mut Vec::new()), None);
    assert_eq!(reader.abort_data(), 3);
    reader.push(b"AT\r");
    assert_eq!(reader.next(&mut Vec::new()), Some(Input::Command(b"")));
}

#[test]
fn an_overlong_line_is_discarded_and_reported() {
    let mut bytes = vec![b'x'; 100];
    bytes.extend_from_slice(b"\rAT\r");
    assert_eq!(read(&bytes).0, ["OVERLONG 100", "AT"]);
}

#[test]
fn the_line_feed_of_a_command_line_is_no_data() {
    for (stream, data) in [
        (&b"AT\r\nAT>2\r\n\x00\x01"[..], &b"\x00\x01"[..]),
        (b"AT\r\nAT>2\r\n\n\x01", b"\n\x01"),
        (b"AT\rAT>2\r\x00\n", b"\x00\n"),
    ] {
        for size in [1, stream.len()] {
            let mut reader = CommandReader::new(64);
            let mut inputs = Vec::new();
            for piece in stream.chunks(size) {
                reader.push(piece);
                inputs.append(&mut drain(&mut reader, &mut Vec::new()));
            }
            let data = format!("DATA {}", data.escape_ascii());
            assert_eq!(inputs.last(), Some(&data), "{}", stream.escape_ascii());
        }
    }
    // A host that sends none may well begin its data with one, once it has seen the prompt.
    let mut reader = CommandReader::new(64);
    reader.push(b"AT\rAT>2\r");
    drain(&mut reader, &mut Vec::new());
    reader.push(b"\n\x01");
    let inputs = drain(&mut reader, &mut Vec::new());
    assert_eq!(inputs, ["DATA \\n\\x01"]);
}

proptest! {
    #[test]
    fn any_split_gives_the_same_inputs(
        bytes in prop::collection::vec(
            prop_oneof![
                prop::sample::select(b"ATat/>1234\r\n\x08 +\x1a\x1b".to_vec())
                    .prop_map(|byte| vec![byte]),
                any::<u8>().prop_map(|byte| vec![byte]),
                // No line feed behind it: whether that is data depends on whether the host
                // has seen the prompt before it sends on.
                ("[<>][0-7]", prop::sample::select(b"ab\x1a\x1b".to_vec()))
                    .prop_map(|(command, first)| {
                        let first = char::from(first);
                        format!("\rAT{command}\r{first}").into_bytes()
                    }),
            ],
            0..160,
        )
        .prop_map(|pieces| pieces.concat()),
        cuts in prop::collection::vec(1usize..9, 1..32),
    ) {
        let mut reader = CommandReader::new(32);
        let (mut inputs, mut echo) = (Vec::new(), Vec::new());
        let mut rest = &bytes[..];
        for cut in cuts.iter().cycle() {
            let (piece, left) = rest.split_at((*cut).min(rest.len()));
            reader.push(piece);
            inputs.append(&mut drain(&mut reader, &mut echo));
            rest = left;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!((inputs, echo), read(&bytes));
    }
}
