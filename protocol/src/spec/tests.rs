use super::*;
use crate::{commands, dialect};
use alloc::vec;

/// Every command of every table.
fn all() -> impl Iterator<Item = &'static Spec> {
    let tables = dialect::SPECS
        .iter()
        .chain(&commands::ALL)
        .chain(&commands::ELSEWHERE);
    tables.copied().flatten()
}

#[test]
fn no_command_and_no_key_stands_twice() {
    let mut names: Vec<_> = all().map(|spec| spec.name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    for spec in all() {
        for key in spec.keys {
            let same = spec
                .keys
                .iter()
                .filter(|other| other.is(key.name.as_bytes()));
            assert_eq!(same.count(), 1, "{} {}", spec.name, key.name);
        }
    }
}

#[test]
fn a_command_has_parameters_where_it_has_a_set_form_and_tells_what_they_take() {
    for spec in all() {
        assert_eq!(spec.set, !spec.parameters.is_empty(), "{}", spec.name);
        let told = !matches!(spec.test, Test::None | Test::Nothing);
        // 27.007 sections 8.3 and 8.18 have no ranges for these two.
        let known = ["+CPIN", "+CRSM"].contains(&spec.name);
        let extended = spec.name.starts_with('+');
        assert!(!extended || !spec.set || told || known, "{}", spec.name);
        assert!(spec.repeated <= spec.parameters.len(), "{}", spec.name);
    }
}

#[test]
fn what_a_command_names_is_there() {
    for spec in all() {
        for urc in spec.urcs {
            assert!(urc.starts_with('+'), "{urc}");
            assert_ne!(spec.report, Some(*urc), "it stands there already");
        }
        for name in [spec.needs, spec.loses, spec.report].into_iter().flatten() {
            assert!(all().any(|other| other.name == name), "{name}");
        }
        let data = spec.data.into_iter();
        for place in data
            .flat_map(|data| [Some(data.length), data.inline])
            .flatten()
        {
            assert!(place < spec.parameters.len(), "{}", spec.name);
        }
    }
}

#[test]
fn ranges_are_listed_as_27_007_writes_them() {
    let limits = &dialect::UNKNOWN.limits;
    for (param, text) in [
        (Param::switch("n", ""), "(0,1)"),
        (Param::number("n", &[(0, 2)], ""), "(0-2)"),
        (
            Param::number("n", &[(0, 0), (5, 7), (9, 10)], ""),
            "(0,5-7,9,10)",
        ),
        (Param::up_to("n", |_| 0, ""), "(0)"),
        (Param::up_to("n", |_| 1, ""), "(0-1)"),
        (
            Param::words("n", &["GSM", "UCS2"], ""),
            "(\"GSM\",\"UCS2\")",
        ),
        (Param::text("n", 9, ""), "\"<n>\""),
        (Param::bare("n", "").shown("[,<n>]"), "[,<n>]"),
    ] {
        assert_eq!(param.listed(limits), text);
    }
}

#[test]
fn what_is_repeated_stands_at_its_first_place() {
    let spec = all()
        .find(|spec| spec.name == "+QMTSUB")
        .expect("it is known");
    let names = (0..6).map(|place| spec.parameter(b"", place).expect("it repeats").name);
    let names: Vec<_> = names.collect();
    let expected = vec!["client_idx", "msgID", "topic", "qos", "topic", "qos"];
    assert_eq!(names, expected);
}

#[test]
fn the_commands_of_every_dialect_are_known_to_the_redaction() {
    for spec in dialect::ALL.into_iter().flat_map(dialect::Dialect::specs) {
        assert!(all().any(|known| known.name == spec.name), "{}", spec.name);
    }
}
