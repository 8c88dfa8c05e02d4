//! The grammar against the dialect and the emulated module.

use std::time::Duration;

use atmq_emulator::Profile;
use atmq_protocol::at::result_code::CmeError;
use atmq_tests::bench::Bench;

use super::parameter::{items, ranges_in};
use super::*;

/// What an emulated module answers, line by line without the echo.
fn answers(module: &mut Bench, line: &str) -> Vec<String> {
    module.send(format!("{line}\r").as_bytes());
    let until = module.now() + Duration::from_secs(10);
    while module.pass_until(until) {}
    let heard = String::from_utf8(module.take_heard()).expect("test forms are text");
    let lines = heard.split(['\r', '\n']).filter(|line| !line.is_empty());
    lines.map(str::to_owned).collect()
}

fn module() -> Bench {
    let mut module = Bench::new(Profile::nt35e().instant(), 1);
    assert_eq!(answers(&mut module, "ATE0"), ["ATE0", "OK"]);
    module
}

#[test]
fn every_command_that_the_module_answers_is_here_and_no_other() {
    for name in forms_by_name().keys() {
        assert!(command(name.as_bytes()).is_some(), "AT{name}");
    }
    for known in commands() {
        assert!(!known.forms().is_empty(), "AT{}", known.name);
        let named = commands().filter(|other| other.name == known.name).count();
        assert_eq!(named, 1, "AT{}", known.name);
    }
}

#[test]
fn a_command_has_parameters_where_it_has_a_set_form() {
    for known in commands() {
        let mut forms = known.forms().iter();
        let sets = forms.any(|form| form.ends_with('=') || form.ends_with("<n>"));
        assert_eq!(sets, !known.parameters.is_empty(), "AT{}", known.name);
    }
}

#[test]
fn the_ranges_are_those_of_the_module_s_test_forms() {
    let mut module = module();
    let mut compared = 0;
    for known in commands().filter(|known| !DIALECT.owns(known.name.as_bytes())) {
        let form = format!("AT{}=?", known.name);
        // This one lists the contexts that are active now.
        if !known.forms().contains(&form) || known.name == "+CGPADDR" {
            continue;
        }
        let answered = answers(&mut module, &form);
        for line in &answered {
            let Some((_, listed)) = line.split_once(": ") else {
                continue;
            };
            // The list of operators stands before the ranges.
            let listed = listed
                .rsplit_once(",,(0-4)")
                .map_or(listed, |_| "(0-4),(0-2)");
            let mut items = items(listed);
            let fields = match known.key(items[0].trim_matches('"').as_bytes()) {
                Some(key) => {
                    items.remove(0);
                    key.values
                }
                // A command that only shows something lists what it may show.
                None if known.parameters.is_empty() => known.answer,
                None => known.parameters,
            };
            for (item, field) in items.into_iter().zip(fields) {
                compared += usize::from(agree(&form, item, field));
            }
        }
    }
    assert!(compared > 40, "{compared}");
}

/// Whether an item of a test form tells what the field takes; it must be the same.
fn agree(form: &str, item: &str, field: &Parameter) -> bool {
    match (ranges_in(item), field.kind) {
        (Some(ranges), Kind::Number(known)) => {
            assert_eq!(
                show_ranges(&ranges),
                show_ranges(known),
                "{form} {}",
                field.name
            );
            true
        }
        (None, Kind::Words(words)) => {
            let bare = item.trim_matches(['(', ')']).replace('"', "");
            let first = bare.split(',').next().unwrap_or_default();
            assert!(words.contains(&first), "{form} {}: {item}", field.name);
            true
        }
        (Some(_), kind) => panic!("{form} {}: {item} is {kind:?}", field.name),
        (None, _) => false,
    }
}

#[test]
fn what_the_dialect_describes_has_a_range_and_is_taken() {
    let context = Context {
        limits: &atmq_protocol::dialect::lmqtt::NT35E.limits,
        formats: &FormatTable::default(),
    };
    for known in commands().filter(|known| DIALECT.owns(known.name.as_bytes())) {
        let keys: Vec<_> = match known.keys {
            [] => vec![""],
            keys => keys
                .iter()
                .map(|key| key.name)
                .filter(|key| *key != "pdpcid")
                .collect(),
        };
        for key in keys {
            for highest in [false, true] {
                let mut values = Vec::new();
                while let Some(parameter) = known.parameter(key.as_bytes(), values.len()) {
                    if known.repeated > 0 && values.len() == known.parameters.len() {
                        break;
                    }
                    let place = values.len();
                    let ranges = known.ranges(key.as_bytes(), place);
                    let described = parameter.kind == Kind::Described;
                    assert!(!described || !ranges.is_empty(), "{key} {}", parameter.name);
                    values.push(match (parameter.name, parameter.kind) {
                        ("key", _) => format!("\"{key}\""),
                        // The payload has the length that stands before it.
                        ("msglen", _) => "3".to_owned(),
                        ("auth_type", _) => "\"register\"".to_owned(),
                        ("sign_method", _) => "\"hmacsha256\"".to_owned(),
                        (_, Kind::Number(_) | Kind::Described) => {
                            let (low, high) = ranges[0];
                            if highest { high } else { low }.to_string()
                        }
                        _ => "\"abc\"".to_owned(),
                    });
                }
                let line = format!("{}={}", known.name, values.join(","));
                let (typed, _) = split_first(line.as_bytes());
                let request = DIALECT.decode_request(&typed, context);
                assert!(request.is_ok(), "AT{line}: {request:?}");
            }
        }
    }
}

#[test]
fn the_keys_are_the_dialect_s() {
    for name in ["+LMQTTCFG", "+LSSLCFG"] {
        let known = command(name.as_bytes()).expect("it has keys");
        let test = Typed {
            name: name.as_bytes(),
            form: Form::Test,
        };
        let lines = DIALECT.describe(&test, &atmq_protocol::dialect::lmqtt::NT35E.limits);
        for line in &lines {
            let key = line.split('"').nth(1).expect("a key in quotes");
            assert!(known.key(key.as_bytes()).is_some(), "{key}");
        }
        // One more that the dialect describes on request alone.
        let more = usize::from(name == "+LMQTTCFG");
        assert_eq!(known.keys.len(), lines.len() + more);
    }
}

#[test]
fn the_words_of_errors_are_those_of_the_wire() {
    for code in 0..=u16::MAX {
        if let Some(words) = CmeError::words(code) {
            let known = Codes::CME.find(code.into()).expect("it has a meaning");
            assert_eq!(known.meaning, words);
        }
    }
}

#[test]
fn every_section_that_is_a_source_exists() {
    let reference = include_str!("../../../docs/reference/lmqtt.md");
    let keys = commands()
        .flat_map(|known| known.keys)
        .map(|key| key.source);
    let codes = Codes::ALL.iter().map(|codes| codes.source);
    for source in commands()
        .map(|known| known.source)
        .chain(keys)
        .chain(codes)
    {
        if let Some((_, section)) = source.place.split_once("lmqtt.md ") {
            let heading = format!("\n## {section} ");
            assert!(reference.contains(&heading), "{}", source.place);
        }
    }
}
