use std::collections::BTreeMap;

use atmq_protocol::at::command::{Command, Form};
use atmq_protocol::at::parameter::{ParameterError, Parameters};

use super::{Definition, find};
use crate::modem::Modem;

/// One parameter that the module remembers.
#[derive(Debug, Clone, Copy)]
pub(in crate::modem) enum Field {
    /// A number within one of the ranges; the second is what it is at first.
    Number(&'static [(u32, u32)], u32),
    /// One of these words, between quotes; the first at first.
    Word(&'static [&'static str]),
    /// Text of so many bytes, between quotes; empty at first.
    Text(usize),
}

impl Field {
    /// A switch that is off at first.
    pub(super) const OFF: Self = Self::Number(&[(0, 1)], 0);

    /// The next parameter; `None` if it is left out.
    fn read(self, parameters: &mut Parameters<'_>) -> Result<Option<Value>, ParameterError> {
        let unknown = ParameterError::Unknown { name: "value" };
        match self {
            Self::Number(ranges, _) => {
                let number = parameters.optional_integer("value", 0, i64::from(u32::MAX))?;
                let within = |number| {
                    ranges
                        .iter()
                        .any(|(low, high)| (low..=high).contains(&&number))
                };
                match number {
                    Some(number) if !within(number) => Err(unknown),
                    number => Ok(number.map(Value::Number)),
                }
            }
            Self::Word(words) => match parameters.optional_text("value", usize::MAX)? {
                None => Ok(None),
                Some(given) => {
                    let known = words.iter().find(|word| word.eq_ignore_ascii_case(given));
                    let known = known.ok_or(unknown)?;
                    Ok(Some(Value::Text((*known).to_owned())))
                }
            },
            Self::Text(limit) => {
                let text = parameters.optional_text("value", limit)?;
                Ok(text.map(|text| Value::Text(text.to_owned())))
            }
        }
    }

    fn initial(self) -> Value {
        match self {
            Self::Number(_, initial) => Value::Number(initial),
            Self::Word(words) => Value::Text(words.first().copied().unwrap_or_default().to_owned()),
            Self::Text(_) => Value::Text(String::new()),
        }
    }

    /// What may be given, as a test form shows it.
    fn describe(self) -> String {
        let all = match self {
            Self::Number(ranges, _) => ranges
                .iter()
                .map(|&(low, high)| match high - low {
                    0 => format!("{low}"),
                    1 => format!("{low},{high}"),
                    _ => format!("{low}-{high}"),
                })
                .collect(),
            Self::Word(words) => words.iter().map(|word| format!("\"{word}\"")).collect(),
            Self::Text(_) => return "<text>".to_owned(),
        };
        let all: Vec<String> = all;
        format!("({})", all.join(","))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Number(u32),
    Text(String),
}

impl Value {
    fn show(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => format!("\"{text}\""),
        }
    }
}

/// What commands have set, by their names. `AT&W` stores it, `ATZ` and a reboot come back to what
/// is stored, `AT&F` to what it was in the factory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::modem) struct Settings {
    /// Only what differs from the factory's.
    changed: BTreeMap<&'static str, Vec<Value>>,
}

impl Settings {
    fn values(&self, definition: &Definition) -> Vec<Value> {
        let initial = || definition.fields.iter().map(|field| field.initial());
        let changed = self.changed.get(definition.name);
        changed.cloned().unwrap_or_else(|| initial().collect())
    }

    /// The number that a command has set first.
    ///
    /// # Panics
    /// No command of this name remembers a number.
    pub(in crate::modem) fn number(&self, name: &str) -> u32 {
        self.number_at(name, 0)
    }

    /// The number that a command has set in this place, counted from 0.
    ///
    /// # Panics
    /// No command of this name remembers a number there.
    pub(in crate::modem) fn number_at(&self, name: &str, at: usize) -> u32 {
        match self.values(defined(name)).get(at) {
            Some(Value::Number(number)) => *number,
            _ => panic!("{name} remembers a number in place {at}"),
        }
    }

    /// The word that a command has set first.
    ///
    /// # Panics
    /// No command of this name remembers a word.
    pub(in crate::modem) fn word(&self, name: &str) -> &'static str {
        let definition = defined(name);
        let values = self.values(definition);
        match (values.first(), definition.fields.first()) {
            (Some(Value::Text(text)), Some(Field::Word(words))) => words
                .iter()
                .find(|word| *word == text)
                .expect("only what is in the table is remembered"),
            _ => panic!("{name} remembers a word"),
        }
    }

    /// Changes the number that a command has set first.
    pub(in crate::modem) fn set_number(&mut self, name: &str, number: u32) {
        let definition = defined(name);
        let mut values = self.values(definition);
        values[0] = Value::Number(number);
        self.changed.insert(definition.name, values);
    }

    /// Takes over parameters; those left out stay as they are.
    fn set(
        &mut self,
        definition: &Definition,
        parameters: &mut Parameters<'_>,
    ) -> Result<(), ParameterError> {
        let mut values = self.values(definition);
        if parameters.is_empty() {
            return Err(ParameterError::Missing { name: "value" });
        }
        for (value, field) in values.iter_mut().zip(definition.fields) {
            if let Some(given) = field.read(parameters)? {
                *value = given;
            }
        }
        parameters.end()?;
        self.changed.insert(definition.name, values);
        Ok(())
    }

    /// The values as a read form shows them.
    pub(super) fn show(&self, definition: &Definition) -> String {
        let shown: Vec<_> = self.values(definition).iter().map(Value::show).collect();
        shown.join(",")
    }
}

fn defined(name: &str) -> &'static Definition {
    let command = Command {
        name: name.as_bytes(),
        form: Form::Execute,
    };
    find(&command).expect("a setting stands in the table")
}

impl Modem {
    /// Answers a form that only sets or shows what the module remembers.
    pub(in crate::modem) fn execute_stored(
        &mut self,
        definition: &Definition,
        form: Form<'_>,
    ) -> Result<(), ParameterError> {
        match form {
            Form::Set(parameters) => {
                self.settings
                    .set(definition, &mut Parameters::new(parameters))?;
                self.apply_settings();
            }
            Form::Execute => {
                self.settings.set(definition, &mut Parameters::new(b"0"))?;
                self.apply_settings();
            }
            // Registers are shown without their name, with three digits (V.250 section 5.3.2).
            Form::Read if definition.name.starts_with('S') => {
                let value = self.settings.number(definition.name);
                self.say_line(format!("{value:03}"));
            }
            Form::Read => {
                let shown = self.settings.show(definition);
                self.say(definition.name, shown);
            }
            Form::Test => {
                let ranges = definition.fields.iter().map(|field| field.describe());
                let ranges: Vec<_> = ranges.collect();
                self.say(definition.name, ranges.join(","));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_listed_as_27_007_writes_them() {
        for (field, text) in [
            (Field::OFF, "(0,1)"),
            (Field::Number(&[(0, 2)], 0), "(0-2)"),
            (Field::Number(&[(0, 0), (5, 7), (9, 10)], 0), "(0,5-7,9,10)"),
            (Field::Word(&["GSM", "UCS2"]), "(\"GSM\",\"UCS2\")"),
            (Field::Text(9), "<text>"),
        ] {
            assert_eq!(field.describe(), text);
        }
    }

    #[test]
    fn what_is_left_out_stays_and_what_is_wrong_changes_nothing() {
        let mut settings = Settings::default();
        let definition = defined("+CGEREP");
        let mut set = |text: &[u8]| settings.set(definition, &mut Parameters::new(text));
        assert_eq!(set(b"2,1"), Ok(()));
        assert_eq!(set(b",0"), Ok(()));
        assert!(set(b"3").is_err());
        assert!(set(b"1,0,0").is_err());
        assert!(set(b"").is_err());
        assert_eq!(settings.show(definition), "2,0");
    }
}
