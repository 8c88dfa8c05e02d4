use std::collections::BTreeMap;

use atmq_protocol::at::command::Form;
use atmq_protocol::at::parameter::{ParameterError, Parameters};
use atmq_protocol::commands;
use atmq_protocol::spec::{Kind, Param, Spec};

use crate::modem::Modem;

/// The next parameter; `None` if it is left out.
fn read(param: &Param, parameters: &mut Parameters<'_>) -> Result<Option<Value>, ParameterError> {
    let unknown = ParameterError::Unknown { name: "value" };
    match param.kind {
        Kind::Number(ranges) => {
            let number = parameters.optional_integer("value", 0, i64::from(u32::MAX))?;
            let within = |number: u32| {
                ranges
                    .iter()
                    .any(|(low, high)| (low..=high).contains(&&number.into()))
            };
            match number {
                Some(number) if !within(number) => Err(unknown),
                number => Ok(number.map(Value::Number)),
            }
        }
        Kind::Words(words) => match parameters.optional_text("value", usize::MAX)? {
            None => Ok(None),
            Some(given) => {
                let known = words.iter().find(|word| word.eq_ignore_ascii_case(given));
                let known = known.ok_or(unknown)?;
                Ok(Some(Value::Text((*known).to_owned())))
            }
        },
        Kind::Text(limit) => {
            let text = parameters.optional_text("value", limit)?;
            Ok(text.map(|text| Value::Text(text.to_owned())))
        }
        _ => Err(unknown),
    }
}

/// What a parameter is in the factory: as the table says, else the first that it may be.
fn initial(param: &Param) -> Value {
    let text = param.default.unwrap_or_default();
    match param.kind {
        Kind::Number(ranges) => {
            let default = param.initial.or_else(|| text.parse().ok());
            let lowest = || ranges.first().and_then(|(low, _)| u32::try_from(*low).ok());
            Value::Number(default.or_else(lowest).unwrap_or_default())
        }
        Kind::Words(words) => Value::Text(words.first().copied().unwrap_or_default().to_owned()),
        _ => Value::Text(text.to_owned()),
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
    fn values(&self, spec: &Spec) -> Vec<Value> {
        let initial = || spec.parameters.iter().map(initial);
        let changed = self.changed.get(spec.name);
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
        let spec = defined(name);
        let values = self.values(spec);
        match (
            values.first(),
            spec.parameters.first().map(|param| param.kind),
        ) {
            (Some(Value::Text(text)), Some(Kind::Words(words))) => words
                .iter()
                .find(|word| *word == text)
                .expect("only what is in the table is remembered"),
            _ => panic!("{name} remembers a word"),
        }
    }

    /// Changes the number that a command has set first.
    pub(in crate::modem) fn set_number(&mut self, name: &str, number: u32) {
        let spec = defined(name);
        let mut values = self.values(spec);
        values[0] = Value::Number(number);
        self.changed.insert(spec.name, values);
    }

    /// Takes over parameters; those left out stay as they are.
    fn set(
        &mut self,
        spec: &'static Spec,
        parameters: &mut Parameters<'_>,
    ) -> Result<(), ParameterError> {
        let mut values = self.values(spec);
        if parameters.is_empty() {
            return Err(ParameterError::Missing { name: "value" });
        }
        for (value, param) in values.iter_mut().zip(spec.parameters) {
            if let Some(given) = read(param, parameters)? {
                *value = given;
            }
        }
        parameters.end()?;
        self.changed.insert(spec.name, values);
        Ok(())
    }

    /// The values as a read form shows them.
    pub(super) fn show(&self, spec: &'static Spec) -> String {
        let shown: Vec<_> = self.values(spec).iter().map(Value::show).collect();
        shown.join(",")
    }
}

fn defined(name: &str) -> &'static Spec {
    commands::find(name.as_bytes()).expect("a setting stands in the table")
}

impl Modem {
    /// Answers a form that only sets or shows what the module remembers.
    pub(in crate::modem) fn execute_stored(
        &mut self,
        spec: &'static Spec,
        form: Form<'_>,
    ) -> Result<(), ParameterError> {
        match form {
            Form::Set(parameters) => {
                self.settings.set(spec, &mut Parameters::new(parameters))?;
                self.apply_settings();
            }
            Form::Execute => {
                self.settings.set(spec, &mut Parameters::new(b"0"))?;
                self.apply_settings();
            }
            // Registers are shown without their name, with three digits (V.250 section 5.3.2).
            Form::Read if spec.name.starts_with('S') => {
                let value = self.settings.number(spec.name);
                self.say_line(format!("{value:03}"));
            }
            Form::Read => {
                let shown = self.settings.show(spec);
                self.say(spec.name, shown);
            }
            Form::Test => {
                for line in spec.test_lines(&self.profile.limits, |_| true) {
                    self.say_line(line);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_stays_and_what_is_wrong_changes_nothing() {
        let mut settings = Settings::default();
        let spec = defined("+CGEREP");
        let mut set = |text: &[u8]| settings.set(spec, &mut Parameters::new(text));
        assert_eq!(set(b"2,1"), Ok(()));
        assert_eq!(set(b",0"), Ok(()));
        assert!(set(b"3").is_err());
        assert!(set(b"1,0,0").is_err());
        assert!(set(b"").is_err());
        assert_eq!(settings.show(spec), "2,0");
    }
}
