use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use alloc::{format, vec};

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn bytes(digits: &str) -> Vec<u8> {
    crate::at::parameter::decode_hex(digits.as_bytes()).expect("digits")
}

fn time(text: &str) -> Time {
    Time::parse(text).expect("a time")
}

fn noon() -> Time {
    time("2015-03-22 22:31:12")
}

fn both_ways(points: &DataPoints, frame: &[u8]) {
    assert_eq!(points.encode().as_deref(), Ok(frame), "{points:?}");
    assert_eq!(DataPoints::decode(frame).as_ref(), Ok(points));
}

fn counted(first: u8, text: &str) -> Vec<u8> {
    let mut frame = vec![first];
    frame.extend((text.len() as u16).to_be_bytes());
    frame.extend_from_slice(text.as_bytes());
    frame
}

/// The vectors of the reference.
#[test]
fn vectors_of_the_reference_both_ways() {
    both_ways(
        &DataPoints::simple([("t", 22.5)]),
        &bytes("03000a7b2274223a32322e357d"),
    );
    both_ways(
        &DataPoints::timed("t", noon(), 22.5),
        &bytes("0400227b2274223a7b22323031352d30332d32322032323a33313a3132223a32322e357d7d"),
    );
    both_ways(
        &DataPoints::Binary {
            stream: "image".into(),
            at: None,
            description: None,
            data: vec![0xde, 0xad, 0xbe, 0xef],
        },
        &bytes("0200117b2264735f6964223a22696d616765227d00000004deadbeef"),
    );
    both_ways(
        &DataPoints::TextWithTime {
            at: Some(noon()),
            points: [TextPoint::new("t", "22.5")].into_iter().collect(),
        },
        &bytes("860f0316161f0c00082c3b742c32322e35"),
    );
    both_ways(
        &DataPoints::Floats {
            at: None,
            stream: 0,
            values: vec![34.0, -20.3],
        },
        &bytes("0700000002000008426666a2c1"),
    );
}

/// The layouts that the reference shows as text.
#[test]
fn samples_of_the_reference_both_ways() {
    let at = Some(time("2016-12-22 22:22:22"));
    both_ways(
        &DataPoints::Json(vec![Stream {
            id: "t".into(),
            points: vec![Point {
                at,
                value: json!(36.5),
            }],
        }]),
        &counted(
            1,
            r#"{"datastreams":[{"id":"t","datapoints":[{"at":"2016-12-22 22:22:22","value":36.5}]}]}"#,
        ),
    );
    let mut described = counted(
        2,
        r#"{"ds_id":"image","at":"2016-12-22 22:22:22","desc":{"camera":1}}"#,
    );
    described.extend([0, 0, 0, 0]);
    both_ways(
        &DataPoints::Binary {
            stream: "image".into(),
            at,
            description: Some(json!({"camera": 1})),
            data: Vec::new(),
        },
        &described,
    );
    both_ways(
        &DataPoints::simple([("temperature", 22.5)]),
        &counted(3, r#"{"temperature":22.5}"#),
    );
    let points: TextPoints = [
        TextPoint::at("temperature", noon(), "22.5"),
        TextPoint::value("102"),
        TextPoint::new("pm2.5", "89"),
        TextPoint::value("10"),
    ]
    .into_iter()
    .collect();
    let text = ",;temperature,2015-03-22 22:31:12,22.5;102;pm2.5,89;10";
    both_ways(&DataPoints::Text(points.clone()), &counted(5, text));
    both_ways(
        &DataPoints::TextWithTime { at: None, points },
        &counted(6, text),
    );
    both_ways(
        &DataPoints::Floats {
            at: Some(noon()),
            stream: 258,
            values: Vec::new(),
        },
        &bytes("870f0316161f0c01020000"),
    );
}

#[test]
fn bytes_that_are_no_frame_are_refused() {
    let refused = |bytes: &[u8]| DataPoints::decode(bytes).unwrap_err();
    assert_eq!(refused(b""), FrameError::Truncated { missing: 1 });
    for first in [0, 8, 0x7f, 0x80, 0x81, 0x85, 0x88, 0xff] {
        assert_eq!(
            refused(&[first, 0, 2, b'{', b'}']),
            FrameError::DataType(first)
        );
    }
    assert_eq!(refused(b"\x03\0"), FrameError::Truncated { missing: 1 });
    assert_eq!(
        refused(b"\x03\0\x05{}"),
        FrameError::Truncated { missing: 3 }
    );
    assert_eq!(
        refused(b"\x03\0\x02{}x"),
        FrameError::Trailing { length: 1 }
    );
    assert_eq!(
        refused(b"\x02\0\x0d{\"ds_id\":\"i\"}\xff\xff\xff\xff"),
        FrameError::Truncated {
            missing: u32::MAX as usize
        }
    );
    assert_eq!(
        refused(b"\x07\0\0\0\x02\0\0\0\0"),
        FrameError::Truncated { missing: 4 }
    );
    assert_eq!(refused(b"\x05\0\x01,"), FrameError::Separators);
    assert_eq!(refused(b"\x05\0\x04,,ab"), FrameError::Separators);
    assert_eq!(refused(b"\x05\0\x02\xff\xff"), FrameError::NotUtf8);
    assert_eq!(
        refused("\x05\0\x05\u{4e2d};1".as_bytes()),
        FrameError::Separators
    );
    assert_eq!(refused(b"\x05\0\x02,;"), FrameError::Empty("the value"));
    assert_eq!(
        refused(b"\x05\0\x05,;,22"),
        FrameError::Empty("the name of a stream")
    );
    assert_eq!(
        refused(b"\x05\0\x09,;a,b,c,d"),
        FrameError::Fields {
            index: 0,
            fields: 4
        }
    );
    assert_eq!(refused(b"\x05\0\x07,;a,b,c"), FrameError::Time("b".into()));
    // The thirteenth month.
    let error = refused(&bytes("860f0d16161f0c00042c3b3132"));
    assert_eq!(error, FrameError::Time("2015-13-22 22:31:12".into()));
    assert_eq!(
        refused(&bytes("8764010101010100000000")),
        FrameError::Year(2100)
    );
}

#[test]
fn json_of_another_shape_is_refused() {
    for (first, text) in [
        (1, "[]"),
        (1, r#"{"datastreams":[{"id":"t"}]}"#),
        (
            1,
            r#"{"datastreams":[{"id":"t","datapoints":[{"at":"2016-12-22 22:22:22"}]}]}"#,
        ),
        (1, r#"{"datastreams":[],"more":1}"#),
        (
            1,
            r#"{"datastreams":[{"id":"t","datapoints":[{"at":"yesterday","value":1}]}]}"#,
        ),
        (3, "22.5"),
        (3, r#"{"t":"#),
        (4, r#"{"t":22.5}"#),
        (4, r#"{"t":{"2015-02-29 22:31:12":22.5}}"#),
    ] {
        let refused = DataPoints::decode(&counted(first, text));
        assert!(
            matches!(refused, Err(FrameError::Json(_))),
            "{text}: {refused:?}"
        );
    }
    let mut frame = counted(2, r#"{"id":"image"}"#);
    frame.extend([0; 4]);
    assert!(matches!(
        DataPoints::decode(&frame),
        Err(FrameError::Json(_))
    ));
}

#[test]
fn what_no_frame_can_carry_is_refused() {
    let long = DataPoints::simple([("t", "x".repeat(65_536))]);
    assert!(matches!(
        long.encode(),
        Err(FrameError::TooLong { max: 65_535, .. })
    ));
    let many = DataPoints::Floats {
        at: None,
        stream: 0,
        values: vec![0.0; 65_536],
    };
    assert!(matches!(
        many.encode(),
        Err(FrameError::TooLong { length: 65_536, .. })
    ));
    let text = |point: TextPoint| DataPoints::Text([point].into_iter().collect()).encode();
    assert_eq!(
        text(TextPoint::new("t", "1,5")),
        Err(FrameError::Separator {
            text: "1,5".into(),
            separator: ','
        })
    );
    assert_eq!(
        text(TextPoint::new("t", "")),
        Err(FrameError::Empty("the value"))
    );
    assert_eq!(
        text(TextPoint {
            at: Some(noon()),
            ..TextPoint::value("1")
        }),
        Err(FrameError::TimeWithoutName("1".into()))
    );
    let never = Time {
        month: 2,
        day: 30,
        ..noon()
    };
    assert_eq!(
        text(TextPoint::at("t", never, "1")),
        Err(FrameError::Time("2015-02-30 22:31:12".into()))
    );
    assert!(matches!(
        DataPoints::timed("t", never, 1).encode(),
        Err(FrameError::Json(_))
    ));
    let none = DataPoints::Text(TextPoints {
        points: Vec::new(),
        ..[].into_iter().collect()
    });
    assert_eq!(none.encode(), Err(FrameError::Empty("the list of points")));
    let early = DataPoints::TextWithTime {
        at: Some(Time {
            year: 1999,
            ..noon()
        }),
        points: [TextPoint::value("1")].into_iter().collect(),
    };
    assert_eq!(
        early.encode().unwrap_err().to_string(),
        "the year 1999 cannot stand before a frame, 2000 to 2099 can"
    );
}

#[test]
fn a_written_payload_is_framed_as_the_module_does() {
    let frame = |data_type, payload: &[u8]| frame(data_type, payload);
    assert_eq!(
        frame(DataType::Simple, br#"{"t":22.5}"#),
        Ok(bytes("03000a7b2274223a32322e357d"))
    );
    // Blanks are the host's affair.
    assert_eq!(frame(DataType::Json, b"{ }").unwrap(), b"\x01\0\x03{ }");
    assert_eq!(
        frame(DataType::Binary, b"{\"ds_id\":\"image\"}\xde\xad\xbe\xef"),
        Ok(bytes(
            "0200117b2264735f6964223a22696d616765227d00000004deadbeef"
        ))
    );
    assert_eq!(
        frame(DataType::Text, b",;t,22.5"),
        Ok(bytes("0500082c3b742c32322e35"))
    );
    assert_eq!(frame(DataType::Floats, b"\x07\0"), Ok(b"\x07\0".to_vec()));
    assert!(frame(DataType::Simple, b"{\"t\":").is_err());
    assert!(frame(DataType::Binary, br#"{"id":"image"}x"#).is_err());
    assert_eq!(
        frame(DataType::Binary, b""),
        Err(FrameError::Empty("the payload"))
    );
}

#[test]
fn commands_are_recognised_by_their_topic() {
    let id = |topic| Command::from_topic(topic).map(|command| command.id);
    assert_eq!(id("$creq/2c1f-77"), Some("2c1f-77"));
    assert_eq!(id("$creq/mydev/2c1f-77"), Some("2c1f-77"));
    for other in [
        "$creq",
        "$creq/",
        "$creq//x",
        "$creq/a/",
        "$creq/a/b/c",
        "$crsp/x",
        "creq/x",
    ] {
        assert_eq!(id(other), None, "{other}");
    }
    let command = Command::from_topic("$creq/mydev/2c1f-77").unwrap();
    assert_eq!(command.response_topic(), "$crsp/2c1f-77");
}

#[test]
fn the_old_service_takes_numbers_and_authentication() {
    let given = credentials("100200", "5550001", &"auth".into()).unwrap();
    assert_eq!((&*given.client_id, &*given.username), ("5550001", "100200"));
    assert_eq!(given.password.expose(), "auth");
    assert!(!format!("{given:?}").contains("auth\""));
    assert!(credentials("100200", "5550001", &"".into()).is_err());
    assert!(credentials("", "5550001", &"auth".into()).is_err());
}

fn any_time(years: core::ops::RangeInclusive<u16>) -> impl Strategy<Value = Time> {
    (years, 1..=12u8, 1..=31u8, 0..24u8, 0..60u8, 0..60u8).prop_filter_map(
        "a day of that month",
        |(year, month, day, hour, minute, second)| {
            let time = Time {
                year,
                month,
                day,
                hour,
                minute,
                second,
            };
            time.is_real().then_some(time)
        },
    )
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_text_points() -> impl Strategy<Value = TextPoints> {
    let name = "[^,;|]{1,8}";
    let point = prop_oneof![
        name.prop_map(TextPoint::value),
        (name, name).prop_map(|(stream, value)| TextPoint::new(stream, value)),
        (name, any_time(0..=9999), name)
            .prop_map(|(stream, time, value)| TextPoint::at(stream, time, value)),
    ];
    let separators = prop_oneof![Just((',', ';')), Just(('|', ',')), Just((';', '|'))];
    (separators, prop::collection::vec(point, 1..5)).prop_map(
        |((field_separator, point_separator), points)| TextPoints {
            field_separator,
            point_separator,
            points,
        },
    )
}

fn any_points() -> impl Strategy<Value = DataPoints> {
    let at = || prop::option::of(any_time(2000..=2099));
    let point = (prop::option::of(any_time(0..=9999)), any_value())
        .prop_map(|(at, value)| Point { at, value });
    let stream = (any::<String>(), prop::collection::vec(point, 0..3))
        .prop_map(|(id, points)| Stream { id, points });
    let not_null = any_value().prop_filter("null is as none", |value| !value.is_null());
    let values = || prop::collection::btree_map(any_time(0..=9999), any_value(), 0..3);
    prop_oneof![
        prop::collection::vec(stream, 0..3).prop_map(DataPoints::Json),
        (
            any::<String>(),
            prop::option::of(any_time(0..=9999)),
            prop::option::of(not_null),
            any::<Vec<u8>>()
        )
            .prop_map(|(stream, at, description, data)| DataPoints::Binary {
                stream,
                at,
                description,
                data,
            }),
        prop::collection::vec((any::<String>(), any_value()), 0..4).prop_map(DataPoints::simple),
        prop::collection::btree_map(any::<String>(), values(), 0..3)
            .prop_map(DataPoints::SimpleWithTime),
        any_text_points().prop_map(DataPoints::Text),
        (at(), any_text_points()).prop_map(|(at, points)| DataPoints::TextWithTime { at, points }),
        (
            at(),
            any::<u16>(),
            prop::collection::vec(any::<f32>(), 0..9)
        )
            .prop_map(|(at, stream, values)| DataPoints::Floats { at, stream, values }),
    ]
}

proptest! {
    #[test]
    fn any_data_points_come_back(points in any_points()) {
        let frame = points.encode().expect("a frame carries them");
        prop_assert_eq!(DataPoints::decode(&frame), Ok(points));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(frame: Vec<u8>) {
        let _ = DataPoints::decode(&frame);
    }

    /// Bytes that begin like a frame get farther.
    #[test]
    fn no_damaged_frame_makes_the_reader_panic(
        points in any_points(),
        damage: Vec<(prop::sample::Index, u8)>,
        length: prop::sample::Index,
    ) {
        let mut frame = points.encode().expect("a frame carries them");
        for (at, byte) in damage {
            let at = at.index(frame.len());
            frame[at] = byte;
        }
        frame.truncate(length.index(frame.len() + 1));
        // What is read all the same is written as it was read.
        if let Ok(read) = DataPoints::decode(&frame)
            && let Ok(again) = read.encode()
        {
            let again = DataPoints::decode(&again);
            prop_assert_eq!(format!("{again:?}"), format!("{:?}", Ok::<_, FrameError>(read)));
        }
    }
}
