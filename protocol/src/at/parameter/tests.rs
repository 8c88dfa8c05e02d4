use super::*;
use alloc::string::ToString as _;
use alloc::vec;
use proptest::prelude::*;

fn all(bytes: &[u8]) -> Vec<Parameter<'_>> {
    Parameters::new(bytes).collect()
}

#[test]
fn a_list_is_taken_apart() {
    use Parameter::{Bare, Omitted, Quoted};
    for (bytes, expected) in [
        (&b""[..], vec![]),
        (b"0", vec![Bare(b"0")]),
        (b"0,", vec![Bare(b"0"), Omitted]),
        (b",1", vec![Omitted, Bare(b"1")]),
        (b"\"\"", vec![Quoted(b"")]),
        (b"\"a,b\",-1", vec![Quoted(b"a,b"), Bare(b"-1")]),
        (b"\"a\"b\",2", vec![Quoted(b"a\"b"), Bare(b"2")]),
        (b" \"a\" , 2 ", vec![Quoted(b"a"), Bare(b"2")]),
        (b"\"open,2", vec![Bare(b"\"open"), Bare(b"2")]),
    ] {
        assert_eq!(all(bytes), expected, "{}", bytes.escape_ascii());
    }
}

#[test]
fn a_string_that_is_not_closed_is_no_text() {
    let unterminated = Err(ParameterError::Unterminated { name: "host" });
    for bytes in [&b"\"h,1883"[..], b"\"h", b"\"", b" \"h ,1"] {
        assert_eq!(Parameters::new(bytes).text("host", 9), unterminated);
        let optional = Parameters::new(bytes).optional_text("host", 9);
        assert_eq!(optional, unterminated.clone().map(Some));
    }
    assert_eq!(Parameters::new(b"h\",1883").text("host", 9), Ok("h\""));
}

#[test]
fn a_counted_value_has_the_length_that_was_announced_without_its_quotes() {
    let mismatch = |announced, found| Err(ParameterError::LengthMismatch { announced, found });
    let unterminated = Err(ParameterError::Unterminated { name: "msg" });
    for (rest, announced, expected) in [
        (&b"\"21.5\""[..], 4, Ok(&b"21.5"[..])),
        (b"\"21.5\"", 6, mismatch(6, 4)),
        (b"\"21.5\"", 5, mismatch(5, 4)),
        (b" \"21.5\" ", 4, Ok(b"21.5")),
        (b" \"21.5\" ", 8, mismatch(8, 4)),
        (b"\"21.5", 5, unterminated.clone()),
        (b"\"21.5", 4, unterminated.clone()),
        (b"\"21.5\",1", 4, unterminated.clone()),
        (b"\"", 1, unterminated),
        (b"\"\"", 0, Ok(b"")),
        (b"\"\"\"\"", 2, Ok(b"\"\"")),
        (
            b"\"{\"a\":\"b\",\"c\":1}\"",
            15,
            Ok(b"{\"a\":\"b\",\"c\":1}"),
        ),
        (b"\" a\" \"", 4, Ok(b" a\" ")),
        // Bytes, not characters.
        (b"\"\xc2\xb0C\"", 3, Ok(b"\xc2\xb0C")),
        (b"\"\xc2\xb0C\"", 2, mismatch(2, 3)),
        (b"21.5", 4, Ok(b"21.5")),
        (b" 2", 2, Ok(b" 2")),
        (b"21.5", 6, mismatch(6, 4)),
    ] {
        let value = counted("msg", rest, announced);
        assert_eq!(value, expected, "{announced},{}", rest.escape_ascii());
    }
}

#[test]
fn integers_are_checked() {
    let read = |bytes| Parameters::new(bytes).integer::<u16>("msgID", 0, 65535);
    assert_eq!(read(b"65535"), Ok(65535));
    assert_eq!(read(b"\"7\""), Ok(7));
    assert_eq!(read(b""), Err(ParameterError::Missing { name: "msgID" }));
    assert_eq!(
        read(b"1x"),
        Err(ParameterError::NotANumber { name: "msgID" })
    );
    assert_eq!(
        read(b"65536"),
        Err(ParameterError::OutOfRange {
            name: "msgID",
            value: 65536,
            min: 0,
            max: 65535
        })
    );
    assert_eq!(
        read(b"99999999999999999999"),
        Err(ParameterError::NotANumber { name: "msgID" })
    );
}

#[test]
fn an_omitted_value_is_none_and_is_passed_over() {
    let mut parameters = Parameters::new(b"\"id\",,\"pass\"");
    assert_eq!(parameters.optional_text("clientID", 9), Ok(Some("id")));
    assert_eq!(parameters.optional_text("username", 9), Ok(None));
    assert_eq!(parameters.optional_text("password", 9), Ok(Some("pass")));
    assert_eq!(parameters.optional_text("more", 9), Ok(None));
    assert_eq!(parameters.end(), Ok(()));
}

proptest! {
    #[test]
    fn what_is_written_is_read(numbers: Vec<i64>, text in "[^\"\u{0}-\u{1f}]*") {
        let mut out = Vec::new();
        let mut writer = ParameterWriter::new(&mut out);
        writer.quoted(&text);
        for number in &numbers {
            writer.integer(*number);
        }
        let mut parameters = Parameters::new(&out);
        prop_assert_eq!(parameters.text("text", usize::MAX), Ok(&text[..]));
        for number in numbers {
            prop_assert_eq!(parameters.integer("number", i64::MIN, i64::MAX), Ok(number));
        }
        prop_assert_eq!(parameters.end(), Ok(()));
    }

    #[test]
    fn an_integer_is_what_the_standard_library_takes_it_for(text in "[-+]?[0-9]{0,20}[ -~]?", number: i64) {
        prop_assert_eq!(integer(text.as_bytes()), text.parse().ok());
        prop_assert_eq!(integer(number.to_string().as_bytes()), Some(number));
    }

    #[test]
    fn any_bytes_are_read_to_their_end(bytes: Vec<u8>) {
        prop_assert!(Parameters::new(&bytes).count() <= bytes.len() + 1);
    }

    #[test]
    fn hex_round_trips(bytes: Vec<u8>) {
        let mut digits = Vec::new();
        encode_hex(&bytes, &mut digits);
        prop_assert_eq!(decode_hex(&digits), Some(bytes));
    }
}
