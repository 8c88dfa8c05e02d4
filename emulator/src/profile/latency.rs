//! Latencies of a module that runs, changed one by one.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use toml::de::ValueDeserializer;

use super::error::Wrong;
use super::value::{CommandName, Milliseconds};
use super::{Latency, ProfileChange, ProfileChangeError};

type Range = (Duration, Duration);

type Field = fn(&mut Latency) -> &mut Range;

/// Each range, by its key in the file.
const RANGES: [(&str, Field); 9] = [
    ("latency.query_ms", |latency| &mut latency.query),
    ("latency.command_ms", |latency| &mut latency.command),
    ("latency.result_ms", |latency| &mut latency.result),
    ("latency.boot_ms", |latency| &mut latency.boot),
    ("latency.registration_ms", |latency| {
        &mut latency.registration
    }),
    ("latency.radio_ms", |latency| &mut latency.radio),
    ("latency.attach_ms", |latency| &mut latency.attach),
    ("latency.scan_ms", |latency| &mut latency.scan),
    ("latency.wake_ms", |latency| &mut latency.wake),
];
const COMMANDS: &str = "latency.commands_ms";
const PACED: &str = "latency.paced";

impl ProfileChange {
    /// The same change, of a module that runs: only its latencies can be changed, with
    /// [`Modem::set_latency`](crate::modem::Modem::set_latency).
    ///
    /// # Errors
    /// The key is none of a latency, or the value is of the wrong type or out of range.
    pub fn apply_to(&self, latency: &mut Latency) -> Result<(), ProfileChangeError> {
        let range = RANGES.iter().find(|(key, _)| *key == self.key);
        if let Some((_, range)) = range {
            *range(latency) = self.read::<Milliseconds>()?.into();
            return Ok(());
        }
        match &*self.key {
            COMMANDS => latency.commands = of_commands(self.read()?),
            PACED => latency.paced = self.read()?,
            _ => {
                let ranges = RANGES.iter().map(|(key, _)| *key);
                let known: Vec<_> = ranges.chain([COMMANDS]).collect();
                return Err(ProfileChangeError::Fixed {
                    key: self.key.clone(),
                    known: format!("{} and {PACED}", known.join(", ")),
                });
            }
        }
        Ok(())
    }

    fn read<T: for<'v> Deserialize<'v>>(&self) -> Result<T, ProfileChangeError> {
        let value = ValueDeserializer::parse(&self.value).and_then(T::deserialize);
        value.map_err(|error| ProfileChangeError::WrongValue {
            key: self.key.clone(),
            message: Wrong::from(error).message,
        })
    }
}

impl Latency {
    /// What differs in the other one, as it is written in a profile; empty if nothing does.
    pub(crate) fn changes(&self, to: &Self) -> String {
        let (mut from, mut to) = (self.clone(), to.clone());
        let mut changes: Vec<_> = RANGES
            .iter()
            .filter_map(|(key, range)| {
                let now = *range(&mut to);
                (*range(&mut from) != now).then(|| format!("{key}={}", written(now)))
            })
            .collect();
        if from.commands != to.commands {
            let commands = to.commands.iter();
            let commands: Vec<_> = commands
                .map(|(name, range)| format!("\"{name}\" = {}", written(*range)))
                .collect();
            changes.push(format!("{COMMANDS}={{ {} }}", commands.join(", ")));
        }
        if from.paced != to.paced {
            changes.push(format!("{PACED}={}", to.paced));
        }
        changes.join(", ")
    }
}

/// In milliseconds.
fn written((from, to): Range) -> String {
    format!("[{}, {}]", from.as_millis(), to.as_millis())
}

/// The latencies of single commands, as they stand in a file.
pub(super) fn of_commands(
    commands: BTreeMap<CommandName, Milliseconds>,
) -> BTreeMap<String, Range> {
    let named = commands.into_iter();
    named
        .map(|(CommandName(name), range)| (name, range.into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;

    fn changed(change: &str) -> Result<Latency, String> {
        let change: ProfileChange = change.parse().expect("it is a change");
        let mut latency = Profile::nt35e().latency;
        let applied = change.apply_to(&mut latency);
        applied.map_err(|error| error.to_string())?;
        Ok(latency)
    }

    #[test]
    fn a_latency_is_changed_as_in_a_file() {
        for change in [
            "latency.query_ms=[1, 2]",
            "latency.command_ms=[1, 2]",
            "latency.result_ms=[1, 2]",
            "latency.commands_ms={ \"+csq\" = [20, 40] }",
            "latency.boot_ms=[1, 2]",
            "latency.registration_ms=[1, 2]",
            "latency.radio_ms=[1, 2]",
            "latency.attach_ms=[1, 2]",
            "latency.scan_ms=[1, 2]",
            "latency.wake_ms=[1, 2]",
            "latency.paced=false",
        ] {
            let asked = change.parse().expect("it is a change");
            let base = "base = \"nt35e\"\n";
            let profile = Profile::parse_with(base, &[asked]).expect("it is a profile");
            assert_ne!(profile.latency, Profile::nt35e().latency, "{change}");
            assert_eq!(changed(change), Ok(profile.latency), "{change}");
        }
    }

    #[test]
    fn what_cannot_be_changed_is_refused_in_words() {
        for (change, words) in [
            ("latency.query_ms=[2, 1]", "it ends before it begins"),
            ("latency.query_ms=fast", "latency.query_ms: "),
            ("latency.query_ms=5", "invalid type: integer `5`"),
            ("latency.scan_ms=[0, 600001]", "from 0 to 600000"),
            ("latency.paced=[1, 2]", "expected a boolean"),
            ("latency.commands_ms={ \"+X\" = [1, 2] }", "no command `+X`"),
            (
                "start.sim=absent",
                "start.sim cannot be changed while the module runs; latency.query_ms, ",
            ),
            (
                "latency.qery_ms=[1, 2]",
                "latency.commands_ms and latency.paced can",
            ),
        ] {
            let refused = changed(change).expect_err(change);
            assert!(refused.contains(words), "{change}: {refused}");
            assert!(!refused.contains('\n'), "{refused}");
        }
    }
}
