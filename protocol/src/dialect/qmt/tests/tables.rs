//! The table against the decoder.

use super::*;
use crate::dialect::qmt::{captured, information, keys, switches::TestForms, table};
use crate::limits::Limits;
use crate::spec::{Kind, Spec};

/// A firmware with every key and every command.
const ALL: Qmt = Qmt {
    keys: crate::dialect::qmt::KeySet::Eg800k,
    publish_length: true,
    contexts: 16,
    urc_port: true,
    ..Qmt::DEFAULT
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
            // A will has its parts, and a counted payload a byte.
            ("will_flag" | "msgID" | "msglen", _) => "1".into(),
            (_, Kind::Words(words)) => format!("\"{}\"", words[0]),
            (_, Kind::Number(_) | Kind::UpTo(_)) => param.ranges(limits)[0].0.to_string(),
            _ => "\"abc\"".into(),
        })
    });
    format!("{}={}", spec.name, values.collect::<Vec<_>>().join(","))
}

fn is_taken(line: &str, limits: &Limits) -> bool {
    let (command, _) = Command::split_first(line.as_bytes(), |name| ALL.owns(name));
    request::decode(&command, &ALL, limits).is_ok()
}

#[test]
fn the_decoder_takes_what_the_table_says_and_no_other_number() {
    let limits = &EC25.limits;
    for spec in table::COMMANDS {
        let names = spec.keys.iter().map(|key| key.name);
        let names = names.filter(|name| *name != keys::CLOSE_TIME);
        for key in names.chain(spec.keys.is_empty().then_some("")) {
            let numbers = (0..places(spec)).filter_map(|at| {
                let param = spec.parameter(key.as_bytes(), at)?;
                let ranges = param.ranges(limits);
                Some((at, param.name, (ranges.first()?.0, ranges.last()?.1)))
            });
            for (at, name, (low, high)) in numbers {
                let line = |number| line(spec, key, at, number, limits);
                for number in [low, high] {
                    // With 0 nothing follows, and a length is 1 at least.
                    let other = number == 0 && ["will_flag", "msglen"].contains(&name);
                    assert!(
                        other || is_taken(&line(number), limits),
                        "AT{}",
                        line(number)
                    );
                }
                for number in [low - 1, high + 1] {
                    assert!(!is_taken(&line(number), limits), "AT{}", line(number));
                }
            }
        }
    }
}

/// Words stand in the table of numbers, their meaning to a program where they are decoded.
#[test]
fn every_number_that_is_decoded_has_words() {
    let codes = |name| {
        let mut all = ALL.codes().iter();
        all.find(|codes| codes.name == name).expect("it is there")
    };
    for (number, _) in urc::OPEN_FAILURES {
        assert!(codes("QMTOPEN").find(number.into()).is_some(), "{number}");
    }
    for (number, _) in urc::STATUSES {
        assert!(codes("QMTSTAT").find(number.into()).is_some(), "{number}");
    }
    for (number, _) in information::STATES {
        assert!(codes("QMTSTATE").find(number.into()).is_some(), "{number}");
    }
}

#[test]
fn what_was_captured_belongs_to_a_command_and_names_its_keys() {
    for forms in [
        TestForms::Lte,
        TestForms::Eg800k,
        TestForms::Bg96,
        TestForms::Bg770a,
    ] {
        for spec in table::COMMANDS {
            for line in captured::lines(forms, spec.name) {
                assert!(line.starts_with(&format!("{}: ", spec.name)), "{line}");
                let key = line.split('"').nth(1).filter(|_| spec.name == table::CFG);
                assert!(
                    key.is_none_or(|key| spec.key(key.as_bytes()).is_some()),
                    "{line}"
                );
            }
        }
    }
}

#[test]
fn a_model_is_found_by_what_the_module_calls_itself() {
    for (name, expected) in [
        ("EC25", "EC25"),
        ("EC200U", "EC200"),
        ("EC800M", "EC800M"),
        ("EC800K", "EC800"),
        ("EC600SCN", "EC600"),
        ("EG800AKCN", "EG800AK"),
        ("EG915U", "EG915"),
        ("BG95-M3", "BG95"),
        ("BG96", "BG96"),
        ("BG77-", "BG77-"),
        ("BG770A-GL", "BG770A"),
    ] {
        let model = crate::dialect::of_model(name).expect(name);
        assert_eq!((model.name, model.dialect.name()), (expected, "QMT"));
    }
}

#[test]
fn what_a_model_lacks_is_not_its_command() {
    for (model, names) in [
        (EC25, [true, true, true]),
        (EC800M, [true, true, true]),
        (EG800K, [true, true, true]),
        (BG95, [false, true, true]),
        (BG96, [false, false, false]),
        (BG770A, [false, false, true]),
    ] {
        for (name, owned) in ["+QURCCFG", "+QMTPUBEX", "+QMTRECV"].iter().zip(names) {
            assert_eq!(
                model.dialect.owns(name.as_bytes()),
                owned,
                "{} {name}",
                model.name
            );
        }
        assert!(model.dialect.owns(b"+qmtpub"));
    }
}

/// Each switch is named once, and set to what it can be.
#[test]
fn every_switch_is_set() {
    use crate::dialect::{Choice, Value};
    for switch in Qmt::DEFAULT.switches() {
        let values: Vec<Value<'_>> = match switch.choice {
            Choice::Flag => vec![Value::Flag(false), Value::Flag(true)],
            Choice::Number(low, high) => vec![Value::Number(low), Value::Number(high)],
            Choice::Word(words) => words.iter().map(|word| Value::Word(word)).collect(),
        };
        let mut all: Vec<_> = values
            .iter()
            .map(|value| format!("{:?}", Qmt::DEFAULT.with(&[(switch.name, *value)])))
            .collect();
        all.dedup();
        assert_eq!(all.len(), values.len(), "{}", switch.name);
    }
}
