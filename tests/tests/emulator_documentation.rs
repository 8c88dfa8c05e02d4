//! What users are told of the emulator is all there is.

use std::collections::{BTreeMap, BTreeSet};

use atmq_emulator::Profile;
use atmq_emulator::lint::Rule;
use atmq_emulator::modem::command_forms;
use atmq_protocol::at::command::{Command, Form};
use atmq_protocol::dialect::{Context, Dialect, Lmqtt};
use atmq_protocol::mqtt::FormatTable;
use atmq_tests::transcript::Transcript;

const FIDELITY: &str = include_str!("../../docs/fidelity.md");
/// The folders of transcripts.
const FOLDERS: [&str; 2] = ["lmqtt", "standard"];
/// How sure something is, as `docs/sources.md` marks it.
const MARKS: [&str; 5] = ["[D]", "[M]", "[C]", "[I]", "[C→I]"];

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The transcripts that a text names, each with its folder.
fn transcripts(text: &str) -> impl Iterator<Item = &str> {
    quoted(text).filter(|name| {
        let folder = name.split_once('/').map(|(folder, _)| folder);
        folder.is_some_and(|folder| FOLDERS.contains(&folder))
    })
}

/// A row of `docs/fidelity.md` about commands:
/// `| form | what is answered | source | sure | transcript |`.
struct Row {
    text: &'static str,
    forms: Vec<&'static str>,
    confidence: &'static str,
    transcripts: Vec<&'static str>,
}

fn rows() -> impl Iterator<Item = Row> {
    FIDELITY.lines().filter_map(|text| {
        let row = text.strip_prefix("| ")?.strip_suffix(" |")?;
        let cells: Vec<_> = row.split(" | ").collect();
        let forms = quoted(cells[0]).filter(|form| form.starts_with("AT"));
        let forms: Vec<_> = forms.collect();
        if forms.is_empty() {
            return None;
        }
        let [_, _, _, confidence, last] = cells[..] else {
            panic!("a row about commands has five cells: {text}");
        };
        Some(Row {
            text,
            forms,
            confidence,
            transcripts: transcripts(last).collect(),
        })
    })
}

/// The forms of the MQTT commands, written as [`command_forms`] writes those of the others.
fn mqtt_forms() -> impl Iterator<Item = String> {
    let context = Context {
        limits: &atmq_protocol::dialect::lmqtt::NT35E.limits,
        formats: &FormatTable::default(),
    };
    let mut forms = Vec::new();
    for name in Lmqtt::DEFAULT.commands() {
        forms.push(format!("AT{name}="));
        forms.push(format!("AT{name}=?"));
        for (form, sign) in [(Form::Read, "?"), (Form::Execute, "")] {
            let name = name.as_bytes();
            let command = Command { name, form };
            if Lmqtt::DEFAULT.decode_request(&command, context).is_ok() {
                let name = String::from_utf8_lossy(name);
                forms.push(format!("AT{name}{sign}"));
            }
        }
    }
    forms.into_iter()
}

#[test]
fn the_table_of_fidelity_has_every_form_and_no_other() {
    let answered: BTreeSet<String> = command_forms().chain(mqtt_forms()).collect();
    let told: BTreeSet<String> = rows()
        .flat_map(|row| row.forms)
        .map(str::to_owned)
        .collect();
    let missing: Vec<_> = answered.difference(&told).collect();
    assert_eq!(
        missing,
        Vec::<&String>::new(),
        "docs/fidelity.md lacks them"
    );
    let stale: Vec<_> = told.difference(&answered).collect();
    assert_eq!(stale, Vec::<&String>::new(), "no command has these forms");
}

#[test]
fn every_row_of_fidelity_tells_how_sure_it_is() {
    for row in rows() {
        let marked = MARKS.iter().any(|mark| row.confidence.contains(mark));
        assert!(marked, "none of {MARKS:?}: {}", row.text);
    }
}

#[test]
fn the_transcripts_that_fidelity_names_have_what_they_prove() {
    let mut typed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for folder in FOLDERS {
        for transcript in Transcript::all(folder) {
            let name = format!("{folder}/{}", transcript.name);
            typed.insert(name, transcript.forms());
        }
    }
    for name in transcripts(FIDELITY) {
        assert!(typed.contains_key(name), "no such transcript: {name}");
    }
    for row in rows() {
        for form in row.forms {
            let proved = row
                .transcripts
                .iter()
                .any(|name| typed[*name].contains(form));
            assert!(proved, "{form} is typed in none of: {}", row.text);
        }
    }
}

#[test]
fn every_rule_of_the_linter_is_documented() {
    let text = include_str!("../../docs/lint.md");
    for rule in Rule::all() {
        let row = format!("| `{}` | {} | ", rule.id(), rule.severity());
        assert!(text.contains(&row), "docs/lint.md lacks {row}");
    }
    let rows = text
        .lines()
        .filter(|line| line.starts_with("| `") && line.ends_with(". |"));
    assert_eq!(
        rows.count(),
        Rule::all().count(),
        "docs/lint.md has a rule too many"
    );
}

#[test]
fn every_key_of_a_profile_is_documented() {
    let text = include_str!("../../docs/profiles.md");
    let profile = Profile::text("nt35e").expect("it is in the crate");
    // Keys of the evidence are in quotes.
    let keys = profile
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(key, _)| key)
        .filter(|key| !key.starts_with(['"', '#']));
    let mut count = 0;
    for key in keys {
        assert!(
            text.contains(&format!("`{key}`")),
            "docs/profiles.md lacks {key}"
        );
        count += 1;
    }
    assert_ne!(count, 0);
}
