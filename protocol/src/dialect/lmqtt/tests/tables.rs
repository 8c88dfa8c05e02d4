//! The table against the decoder.

use super::*;
use crate::dialect::lmqtt::{NT26, NT35E, config, information, keys, tls, urc};
use crate::spec::{Kind, Spec};

/// A firmware with everything in which firmwares differ.
const ALL: Lmqtt = Lmqtt {
    pdp_context: true,
    ..Lmqtt::DEFAULT
};

/// More than a command has places; what is repeated stands there once.
fn places(spec: &Spec) -> usize {
    match spec.repeated {
        0 => usize::from(u8::MAX),
        _ => spec.parameters.len(),
    }
}

/// Values that a command takes, with one for the number at `place`.
fn line(spec: &Spec, key: &str, place: usize, number: i64, limits: &Limits) -> String {
    let values = (0..places(spec)).map_while(|at| {
        let param = spec.parameter(key.as_bytes(), at)?;
        Some(match (param.name, param.kind) {
            _ if at == place => number.to_string(),
            ("key", _) => format!("\"{key}\""),
            // The payload has the length that stands before it, and a will its parts.
            ("msglen", _) => "3".into(),
            ("msgID" | "will_flag", _) => "1".into(),
            ("auth_type", _) => "\"register\"".into(),
            ("sign_method", _) => "\"hmacsha256\"".into(),
            ("auth_mode", _) => "\"tls-ca\"".into(),
            ("secure_mode", _) => String::new(),
            (_, Kind::Number(_) | Kind::UpTo(_)) => param.ranges(limits)[0].0.to_string(),
            _ => "\"abc\"".into(),
        })
    });
    format!("{}={}", spec.name, values.collect::<Vec<_>>().join(","))
}

fn is_taken(line: &str, limits: &Limits) -> bool {
    let formats = FormatTable::default();
    let context = Context {
        limits,
        formats: &formats,
    };
    let (command, _) = Command::split_first(line.as_bytes(), |name| ALL.owns(name));
    ALL.decode_request(&command, context).is_ok()
}

#[test]
fn the_decoder_takes_what_the_table_says_and_no_other_number() {
    for limits in [&NT35E.limits, &NT26.limits] {
        for spec in ALL.specs() {
            let names = spec.keys.iter().map(|key| key.name);
            for key in names.chain(spec.keys.is_empty().then_some("")) {
                let numbers = (0..places(spec)).filter_map(|at| {
                    let param = spec.parameter(key.as_bytes(), at)?;
                    let ranges = param.ranges(limits);
                    Some((at, param.name, (ranges.first()?.0, ranges.last()?.1)))
                });
                for (at, name, (low, high)) in numbers {
                    let line = |number| line(spec, key, at, number, limits);
                    // Whatever is given is passed over where there is no will, a prompt or the
                    // payload behind the length needs the right one, and one mode goes with
                    // each way to register.
                    let other = ["will_flag", "msglen", "secure_mode"].contains(&name);
                    for number in [low, high] {
                        let line = line(number);
                        assert!(other || is_taken(&line, limits), "AT{line}");
                    }
                    // By the manual a packet identifier is from 1 on; 0 is taken too.
                    let below = if name == "msgID" { -1 } else { low - 1 };
                    for number in [below, high + 1] {
                        let line = line(number);
                        assert!(!is_taken(&line, limits), "AT{line}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_lines_that_a_firmware_sends_by_itself_come_from_the_table() {
    let usual = Lmqtt::DEFAULT;
    let other = Lmqtt {
        unsubscribe_urc: UnsubscribeUrc::UnsUnsub,
        publish_extended_urc: PublishExtendedUrc::Pub,
        ..usual.clone()
    };
    let common = [
        "+LMQTTCLOSE",
        "+LMQTTCONN",
        "+LMQTTDISC",
        "+LMQTTOPEN",
        "+LMQTTPUB",
        "+LMQTTSUBUNSUB",
        "+LMQTTURC: RECV",
        "+LMQTTURC: STATS",
    ];
    for (dialect, own) in [(&usual, "+LMQTTPUBEX"), (&other, "+LMQTTUNSUNSUB")] {
        let mut expected = [&common[..], &[own]].concat();
        expected.sort_unstable();
        assert_eq!(dialect.urcs(), expected);
    }
}

#[test]
fn every_key_that_is_decoded_stands_in_the_table() {
    for (_, name) in config::KEYS {
        assert!(
            keys::KEYS.iter().any(|key| key.is(name.as_bytes())),
            "{name}"
        );
    }
    for (_, name) in tls::KEYS {
        assert!(
            keys::TLS_KEYS.iter().any(|key| key.is(name.as_bytes())),
            "{name}"
        );
    }
}

/// Words stand in the table of numbers, their meaning to a program where they are decoded.
#[test]
fn every_number_that_is_decoded_has_words() {
    let codes = |name| {
        ALL.codes()
            .iter()
            .find(|codes| codes.name == name)
            .expect("it is there")
    };
    for number in urc::OPEN_FAILURES.iter().map(|(number, _)| *number) {
        assert!(codes("OPEN").find(number.into()).is_some(), "{number}");
    }
    for number in urc::STATUSES.iter().map(|(number, _)| *number) {
        assert!(codes("STATS").find(number.into()).is_some(), "{number}");
    }
    for number in information::STATES.iter().map(|(number, _)| *number) {
        assert!(codes("STATE").find(number.into()).is_some(), "{number}");
    }
}
