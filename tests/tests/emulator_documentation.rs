//! What users are told of the emulator is all there is.

use std::collections::{BTreeMap, BTreeSet};

use atmq_emulator::Profile;
use atmq_emulator::lint::Rule;
use atmq_emulator::modem::command_forms;
use atmq_protocol::commands;
use atmq_protocol::dialect::lmqtt::NT35E;
use atmq_protocol::dialect::{self, Dialect};
use atmq_protocol::spec::{Kept, Kind, Lasting, Param, Source, Spec, Sure};
use atmq_tests::transcript::Transcript;

const FIDELITY: &str = include_str!("../../docs/fidelity.md");
/// What of its rows about commands no table can tell.
const ROWS: &str = include_str!("../fidelity.txt");
/// The head of their tables.
const HEAD: &str = "| form | answered | source | sure | transcript |\n|---|---|---|---|---|\n";
/// The folders of transcripts.
const FOLDERS: [&str; 5] = ["lmqtt", "cmqtt", "qmt", "sm", "standard"];
/// How sure something is, as `docs/sources.md` marks it.
const MARKS: [&str; 5] = ["[D]", "[M]", "[C]", "[I]", "[C→I]"];
/// In place of a cell: what the table of commands has.
const DERIVED: &str = ".";

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

/// A row of `docs/fidelity.md` about commands, each with its forms, or with all it has if none is
/// given: `form, … / when | what is answered | source | sure | transcript, …`.
struct Row {
    forms: Vec<(&'static Spec, String)>,
    when: &'static str,
    answered: String,
    source: &'static str,
    sure: &'static str,
    transcripts: Vec<&'static str>,
}

/// Every command of a dialect.
fn own() -> impl Iterator<Item = &'static Spec> {
    dialect::ALL.into_iter().flat_map(Dialect::specs)
}

/// Every command that a module has.
fn specs() -> impl Iterator<Item = &'static Spec> {
    own().chain(commands::all())
}

/// The form as [`Spec::forms`] writes it, or for `AT+CSQ*` all of them, those that set first.
fn forms(text: &str) -> Vec<(&'static Spec, String)> {
    let spec = |form: &str| {
        let owner = specs().find(|spec| spec.forms().any(|known| known == form));
        owner.unwrap_or_else(|| panic!("no command has the form {form}"))
    };
    match text.strip_suffix('*') {
        None => vec![(spec(text), text.to_owned())],
        Some(name) => {
            let known = specs().find(|spec| spec.name == &name[2..]);
            let known = known.unwrap_or_else(|| panic!("there is no command {name}"));
            let mut forms: Vec<_> = known.forms().collect();
            let execute = usize::from(known.execute);
            forms[execute..].reverse();
            forms.into_iter().map(|form| (known, form)).collect()
        }
    }
}

/// What answers the test form of a command, for all numbers of connections.
fn tested(spec: &Spec) -> String {
    let lines = spec.test_lines(&NT35E.limits, |_| true);
    match (&lines[..], spec.parameters.first()) {
        ([], _) => "nothing".to_owned(),
        (
            [line],
            Some(Param {
                kind: Kind::UpTo(_),
                ..
            }),
        ) => {
            format!("`{}`", line.replacen("(0-4)", "(<ids>)", 1))
        }
        ([line], _) => format!("`{line}`"),
        _ => panic!("{} lists too much for a cell", spec.name),
    }
}

/// The document and its section, as the columns of fidelity name it.
fn place(source: &Source) -> &'static str {
    let place = source.place;
    let place = place.strip_prefix("reference ").unwrap_or(place);
    let mut known = ["lmqtt.md ", "README.md, "].into_iter();
    let section = known.find_map(|prefix| place.strip_prefix(prefix));
    section.unwrap_or(place)
}

/// How sure something is, as the columns of fidelity mark it.
fn mark(source: &Source) -> &'static str {
    match source.sure {
        Sure::Documented => "[D]",
        Sure::Measured => "[M]",
        Sure::Seen => "[C]",
        Sure::Inferred | Sure::Standard => "[I]",
    }
}

impl Row {
    fn read(line: &'static str) -> Self {
        let cells: Vec<_> = line.split(" | ").collect();
        let [of, answered, source, sure, transcripts] = cells[..] else {
            panic!("a row has five cells: {line}");
        };
        let (of, when) = of.split_once(" / ").unwrap_or((of, ""));
        let forms: Vec<_> = of.split(' ').flat_map(forms).collect();
        let spec = forms[0].0;
        let tests = forms.iter().all(|(_, form)| form.ends_with("=?"));
        let known = if tests { "[I]" } else { mark(&spec.source) };
        Self {
            answered: match answered {
                DERIVED if tests => tested(spec),
                given => given.to_owned(),
            },
            source: if source == DERIVED {
                place(&spec.source)
            } else {
                source
            },
            sure: if sure == DERIVED { known } else { sure },
            transcripts: transcripts.split(' ').collect(),
            forms,
            when,
        }
    }

    fn write(&self) -> String {
        let code = |text: &str| format!("`{text}`");
        let forms: Vec<_> = self.forms.iter().map(|(_, form)| code(form)).collect();
        let mut of = forms.join(", ");
        if !self.when.is_empty() {
            of.push_str(&format!(" {}", self.when));
        }
        let transcripts: Vec<_> = self.transcripts.iter().map(|name| code(name)).collect();
        let transcripts = transcripts.join(", ");
        let Self {
            answered,
            source,
            sure,
            ..
        } = self;
        format!("| {of} | {answered} | {source} | {sure} | {transcripts} |\n")
    }
}

/// The rows of each table, in their order.
fn tables() -> impl Iterator<Item = impl Iterator<Item = Row>> {
    let tables = ROWS.split("\n# ").skip(1);
    tables.map(|table| table.trim_end().lines().skip(1).map(Row::read))
}

fn rows() -> impl Iterator<Item = Row> {
    tables().flatten()
}

/// The head of the table of settings.
const SETTINGS: &str = "| setting | after a new start | after `ATZ` | after `AT&F` | source | sure |\n|---|---|---|---|---|---|\n";

/// The rows of the settings: those that last as long for the same reason are in one.
fn settings() -> String {
    let mut rows: Vec<(Kept, Vec<String>)> = Vec::new();
    let dialects = dialect::ALL.into_iter().flat_map(Dialect::specs);
    for spec in commands::all().chain(dialects) {
        let Some(kept) = spec.kept else { continue };
        let name = format!("`AT{}`", spec.name);
        match rows.iter_mut().find(|(known, _)| *known == kept) {
            Some((_, names)) => names.push(name),
            None => rows.push((kept, vec![name])),
        }
    }
    let row = |(kept, names): &(Kept, Vec<String>)| {
        let (start, z, f) = match kept.how {
            Lasting::Profile => (
                "as `AT&W` has stored it, else as in the factory",
                "the same",
                "as in the factory",
            ),
            Lasting::Start => ("as in the factory", "as it was", "as it was"),
            Lasting::Always => ("as it was", "as it was", "as it was"),
        };
        let (names, source, sure) = (names.join(", "), place(&kept.source), mark(&kept.source));
        format!("| {names} | {start} | {z} | {f} | {source} | {sure} |\n")
    };
    rows.iter().map(row).collect()
}

/// With `ATMQ_BLESS=1` in the environment the rows are written instead.
#[test]
fn the_rows_of_fidelity_are_those_of_the_tables() {
    let mut tables = tables();
    let mut parts = FIDELITY.split(HEAD);
    let mut expected = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rows = tables.next().expect("tests/fidelity.txt has each table");
        expected.push_str(HEAD);
        expected.extend(rows.map(|row| row.write()));
        let rest = part.lines().skip_while(|line| line.starts_with('|'));
        expected.extend(rest.map(|line| format!("{line}\n")));
    }
    assert!(tables.next().is_none(), "docs/fidelity.md lacks a table");
    let (before, behind) = expected
        .split_once(SETTINGS)
        .expect("docs/fidelity.md has the table of settings");
    let behind = behind.lines().skip_while(|line| line.starts_with('|'));
    let behind: String = behind.map(|line| format!("{line}\n")).collect();
    let expected = format!("{before}{SETTINGS}{}{behind}", settings());
    if std::env::var_os("ATMQ_BLESS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/fidelity.md");
        std::fs::write(path, expected).expect("docs/fidelity.md can be written");
        return;
    }
    for (line, expected) in FIDELITY.lines().zip(expected.lines()) {
        assert_eq!(line, expected, "ATMQ_BLESS=1 writes docs/fidelity.md");
    }
    assert_eq!(FIDELITY.len(), expected.len());
}

#[test]
fn the_rows_of_fidelity_have_every_form() {
    let told: BTreeSet<String> = rows()
        .flat_map(|row| row.forms)
        .map(|(_, form)| form)
        .collect();
    let answered = command_forms().chain(own().flat_map(Spec::forms));
    let missing: Vec<_> = answered.filter(|form| !told.contains(form)).collect();
    assert_eq!(
        missing,
        Vec::<String>::new(),
        "tests/fidelity.txt lacks them"
    );
}

#[test]
fn every_row_of_fidelity_tells_how_sure_it_is() {
    for row in rows() {
        let marked = MARKS.iter().any(|mark| row.sure.contains(mark));
        assert!(marked, "none of {MARKS:?}: {}", row.write());
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
        for (_, form) in &row.forms {
            let mut names = row.transcripts.iter();
            let proved = names.any(|name| typed[*name].contains(form));
            assert!(proved, "{form} is typed in none of: {}", row.write());
        }
    }
}

#[test]
fn every_rule_of_the_linter_is_documented() {
    let text = include_str!("../../docs/lint.md");
    for rule in Rule::all() {
        let row = format!("| `{}` | {} | ", rule.id(), rule.severity());
        let row = text.lines().find(|line| line.starts_with(&row));
        let row = row.unwrap_or_else(|| panic!("docs/lint.md lacks {}", rule.id()));
        // Also in the program, which shows no Markdown.
        let advice = format!("| {} |", rule.advice());
        assert!(row.replace('`', "").ends_with(&advice), "{row}");
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
    let profiles = Profile::names().filter_map(Profile::text);
    // Keys of the evidence are in quotes.
    let keys = profiles
        .flat_map(str::lines)
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
