//! Payloads of requests: inline, behind the prompt, in hexadecimal digits.

use super::*;
use crate::at::framing::DataEnd;

#[test]
fn a_payload_takes_the_way_on_which_it_survives() {
    let way = |payload: &'static [u8], formats: Formats| {
        Lmqtt::DEFAULT.publish_payload(formats, &crate::dialect::lmqtt::NT26.limits, payload.into())
    };
    let plain = Formats::default();
    assert_eq!(way(b"22.5 \xc2\xb0C", plain), Ok(inline(b"22.5 \xc2\xb0C")));
    for payload in [
        &b"a\"b"[..],
        b"a\r\nb",
        b"\x00",
        b"\x1a",
        b"\xff",
        &[b'x'; 1025],
    ] {
        let prompted = PublishPayload::Prompted(payload.len());
        assert_eq!(way(payload, plain), Ok(prompted));
    }
    assert!(way(&[b'x'; 8001], plain).is_err());
    let hex = Formats {
        send: DataFormat::Hex,
        ..plain
    };
    assert_eq!(way(b"\x00\r\n", hex), Ok(inline(b"\x00\r\n")));
    assert_eq!(way(&[0; 600], hex), Ok(PublishPayload::Prompted(1200)));
    // Two digits a byte, and the limit counts digits; who has too much is told of bytes.
    assert_eq!(way(&[0; 4000], hex), Ok(PublishPayload::Prompted(8000)));
    assert_eq!(
        way(&[0; 4001], hex).unwrap_err().to_string(),
        "the payload has 4001 bytes, the module takes at most 4000"
    );
}

/// Reference `ecmt.md` 2.2: Ctrl-Z and ESC end the input.
#[test]
fn what_would_end_the_input_at_the_prompt_goes_in_hexadecimal_digits_or_not_at_all() {
    let limits = Limits {
        prompt_end: DataEnd::ControlCharacters,
        ..crate::dialect::lmqtt::NT26.limits
    };
    let way = |payload: &'static [u8], send| {
        let formats = Formats {
            send,
            ..Formats::default()
        };
        Lmqtt::DEFAULT.publish_payload(formats, &limits, payload.into())
    };
    let (text, hex) = (DataFormat::Text, DataFormat::HexString);
    assert_eq!(way(b"a\r\0", text), Ok(PublishPayload::Prompted(3)));
    for (payload, character) in [(b"ab\x1ac", '\u{1a}'), (b"ab\x1bc", '\u{1b}')] {
        let error = EncodeError::EndsPrompt { character, at: 2 };
        assert_eq!(way(payload, text), Err(error));
        assert_eq!(way(payload, hex), Ok(inline(payload)));
    }
    assert_eq!(
        way(b"\x1a", text).unwrap_err().to_string(),
        "the payload holds '\\u{1a}' at byte 0, which ends the input at the prompt of this module; \
         hexadecimal digits would carry it"
    );
}

#[test]
fn hexadecimal_payloads_are_decoded() {
    for (format, line) in [
        (
            DataFormat::HexString,
            "AT+LMQTTPUB=0,5,1,0,\"t\",6,\"000D1A\"",
        ),
        (DataFormat::Hex, "AT+LMQTTPUB=0,5,1,0,\"t\",6,000D1A"),
    ] {
        let formats = hex(format, false);
        let request = publish(5, QoS::AtLeastOnce, inline(b"\x00\r\x1a"));
        assert_eq!(decode(line.as_bytes(), &formats), Ok(request.clone()));
        let escaped = line.replace('"', "\\\"");
        assert_eq!(encode(&request, &formats), Ok(format!("{escaped}\\r")));
    }
    let odd = decode(
        b"AT+LMQTTPUB=0,5,1,0,\"t\",3,\"000\"",
        &hex(DataFormat::Hex, false),
    );
    assert!(odd.is_err());
}

#[test]
fn the_length_of_hexadecimal_digits_may_count_the_payload() {
    let dialect = Lmqtt {
        publish_hex_length: HexLength::Payload,
        ..Lmqtt::DEFAULT
    };
    let limits = &crate::dialect::lmqtt::NT26.limits;
    let decode = |line: &'static str, formats: &FormatTable| {
        let (command, _) = Command::split_first(&line.as_bytes()[2..], |_| true);
        dialect.decode_request(&command, Context { limits, formats })
    };
    let extended = |length| Request::Publish {
        connection: ID,
        message_id: 5,
        qos: QoS::AtLeastOnce,
        retain: false,
        topic: "t".into(),
        payload: PublishPayload::Prompted(length),
        extended: true,
    };
    let plain = |payload| publish(5, QoS::AtLeastOnce, payload);
    let prompted = PublishPayload::Prompted;
    let (text, hex) = (FormatTable::default(), hex(DataFormat::Hex, false));
    for (line, formats, request) in [
        (
            "AT+LMQTTPUB=0,5,1,0,\"t\",3,000D1A",
            &hex,
            plain(inline(b"\x00\r\x1a")),
        ),
        ("AT+LMQTTPUB=0,5,1,0,\"t\",3", &hex, plain(prompted(6))),
        ("AT+LMQTTPUBEX=0,5,1,0,\"t\",3", &hex, extended(6)),
        (
            "AT+LMQTTPUB=0,5,1,0,\"t\",3,\"abc\"",
            &text,
            plain(inline(b"abc")),
        ),
        ("AT+LMQTTPUB=0,5,1,0,\"t\",3", &text, plain(prompted(3))),
    ] {
        assert_eq!(decode(line, formats), Ok(request.clone()), "{line}");
        let mut out = Vec::new();
        let encoded = dialect.encode_request(&request, Context { limits, formats }, &mut out);
        assert_eq!(encoded, Ok(()), "{line}");
        assert_eq!(out, format!("{line}\r").as_bytes());
    }
    assert!(decode("AT+LMQTTPUB=0,5,1,0,\"t\",6,000D1A", &hex).is_err());

    let formats = &hex;
    let half = dialect.encode_request(&extended(5), Context { limits, formats }, &mut Vec::new());
    assert_eq!(
        half.unwrap_err().to_string(),
        "the payload is announced with an odd number of hexadecimal digits"
    );

    // The limits are in the same measure.
    let way = |length| dialect.publish_payload(hex[ID], limits, vec![0; length].into());
    assert_eq!(way(1024), Ok(inline(&[0; 1024])));
    assert_eq!(way(1025), Ok(prompted(2050)));
    assert_eq!(way(8000), Ok(prompted(16000)));
    assert!(way(8001).is_err());
}
