//! Rules of the linter of hosts, by their names and in what `atmq emulate --lint` prints.

use atmq_emulator::lint::{Rule, Severity};

use super::{Explanation, sentence};

pub(super) fn explain(line: &[u8]) -> Option<Explanation> {
    let line = str::from_utf8(line).ok()?;
    let finding = line.strip_prefix("lint: ");
    let words = finding.unwrap_or(line);
    let words = words.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let mut words = words.filter(|word| !word.is_empty());
    let rule = match finding {
        Some(_) => words.find_map(named)?,
        // As `error[name]` too.
        None => match (words.next()?, words.next(), words.next()) {
            (name, None, _) => named(name)?,
            (severity, Some(name), None) => {
                named(name).filter(|rule| rule.severity().to_string() == severity)?
            }
            _ => return None,
        },
    };
    let severity = match rule.severity() {
        Severity::Error => "an error",
        Severity::Warning => "a warning",
        Severity::Note => "a note",
    };
    let what = format!(
        "the linter of hosts reports {severity}: {}",
        rule.sentence()
    );
    let explanation = Explanation::new(sentence(&what)).and(rule.advice());
    Some(explanation.and(format!("See {} of the reference.", rule.reference())))
}

fn named(name: &str) -> Option<Rule> {
    Rule::all().find(|rule| rule.id() == name)
}
