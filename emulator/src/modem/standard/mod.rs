//! The commands that are not MQTT's, as a table: V.250, 3GPP TS 27.005 and 27.007, Lierda's and
//! EigenComm's own (reference `lmqtt.md` 1.10), and what Linux modem stacks, tools for short
//! messages and dialers send besides.
//!
//! A line of the table says which forms a command has and what answers each. A form with a
//! definition that the host shares is read by [`StandardRequest`]; a bad parameter, state or form
//! is refused as the MQTT commands refuse it.
//!
//! [`StandardRequest`]: atmq_protocol::standard::StandardRequest

mod clock;
mod http;
mod identity;
mod line;
mod messages;
mod packet;
mod power;
mod registration;
mod settings;
mod sim;

use std::time::Instant;

use atmq_protocol::at::command::{Command, Form};
use atmq_protocol::at::parameter::Parameters;

use super::command::Done;
use super::{Modem, Refused};

pub(super) use packet::{DEFAULT_BEARER, PacketContext};
pub(super) use registration::LTE;
pub(super) use settings::{Field, Settings};

/// What answers one form of a command.
#[derive(Clone, Copy)]
pub(super) enum Action {
    /// What answers the request that is defined together with the host's side.
    Shared,
    /// The [`Settings`]: sets, shows, or lists the ranges of the command's fields.
    Stored,
    /// Always the same line, behind the command's name.
    Line(&'static str),
    /// `OK` alone.
    Nothing,
    /// A function; the parameters are empty but in the set form.
    Run(Run),
}

/// How long a form of a command takes, by what it does.
#[derive(Clone, Copy)]
pub(super) enum Takes {
    Query,
    Command,
    /// The radio is switched.
    Radio,
    /// The module attaches, or detaches.
    Attach,
    /// The same with an operator to choose, which can be aborted.
    Selection,
    /// Every band is searched, which can be aborted.
    Scan,
}

/// Executes a command.
pub(super) type Run = fn(&mut Modem, &mut Parameters<'_>, Instant) -> Result<Done, Refused>;

/// A command: its name, its forms, and what it remembers.
#[derive(Clone, Copy)]
pub(super) struct Definition {
    pub(super) name: &'static str,
    pub(super) fields: &'static [Field],
    /// How long the set form takes, and the test form.
    set_takes: Takes,
    test_takes: Takes,
    test: Option<Action>,
    read: Option<Action>,
    set: Option<Action>,
    execute: Option<Action>,
}

impl Definition {
    /// A command without any form yet.
    const fn new(name: &'static str) -> Self {
        Self {
            name,
            fields: &[],
            set_takes: Takes::Query,
            test_takes: Takes::Query,
            test: None,
            read: None,
            set: None,
            execute: None,
        }
    }

    /// A command that remembers parameters, shows them and lists their ranges.
    const fn stored(name: &'static str, fields: &'static [Field]) -> Self {
        Self::new(name)
            .fields(fields)
            .test(Action::Stored)
            .read(Action::Stored)
            .set(Action::Stored)
    }

    /// A basic command that remembers its number; without one it is 0 (V.250 section 5.3.1).
    const fn basic(name: &'static str, fields: &'static [Field]) -> Self {
        Self::new(name)
            .fields(fields)
            .set(Action::Stored)
            .execute(Action::Stored)
    }

    /// A command without parameters. Its test form is answered with `OK` alone, as 27.007 has it.
    const fn plain(name: &'static str, execute: Action) -> Self {
        Self::new(name).test(Action::Nothing).execute(execute)
    }

    const fn fields(mut self, fields: &'static [Field]) -> Self {
        self.fields = fields;
        self
    }

    const fn test(mut self, action: Action) -> Self {
        self.test = Some(action);
        self
    }

    const fn read(mut self, action: Action) -> Self {
        self.read = Some(action);
        self
    }

    const fn set(mut self, action: Action) -> Self {
        self.set = Some(action);
        self
    }

    const fn execute(mut self, action: Action) -> Self {
        self.execute = Some(action);
        self
    }

    /// The set form does something that takes its time.
    const fn acts(self) -> Self {
        self.set_takes(Takes::Command)
    }

    const fn set_takes(mut self, takes: Takes) -> Self {
        self.set_takes = takes;
        self
    }

    const fn test_takes(mut self, takes: Takes) -> Self {
        self.test_takes = takes;
        self
    }

    /// How long a form takes.
    pub(super) fn takes(&self, form: Form<'_>) -> Takes {
        match form {
            Form::Set(_) => self.set_takes,
            Form::Test => self.test_takes,
            Form::Read | Form::Execute => Takes::Query,
        }
    }

    /// What answers this form; none if the command does not have it.
    pub(super) fn action(&self, form: Form<'_>) -> Option<Action> {
        match form {
            Form::Test => self.test,
            Form::Read => self.read,
            Form::Set(_) => self.set,
            Form::Execute => self.execute,
        }
    }
}

/// Every command, by subject.
const TABLE: [&[Definition]; 9] = [
    line::COMMANDS,
    identity::COMMANDS,
    sim::COMMANDS,
    registration::COMMANDS,
    packet::COMMANDS,
    power::COMMANDS,
    clock::COMMANDS,
    messages::COMMANDS,
    http::COMMANDS,
];

fn definitions() -> impl Iterator<Item = &'static Definition> {
    TABLE.into_iter().flatten()
}

/// The command of this name.
pub(super) fn find(command: &Command<'_>) -> Option<&'static Definition> {
    definitions().find(|definition| command.is(definition.name))
}

/// Whether there is a command of this name.
pub(crate) fn is_standard(name: &str) -> bool {
    definitions().any(|definition| definition.name.eq_ignore_ascii_case(name))
}

/// Every command that the module knows beside MQTT's, each in every form it has, as a host would
/// write it: `AT+CSQ`, `AT+CSQ=?`, `AT+CREG?`, `AT+CREG=`, and `ATE<n>` for a basic command with a
/// number.
pub fn command_forms() -> impl Iterator<Item = String> {
    definitions().flat_map(|definition| {
        let name = definition.name;
        let set = if name.starts_with('+') { "=" } else { "<n>" };
        [
            (definition.execute, ""),
            (definition.test, "=?"),
            (definition.read, "?"),
            (definition.set, set),
        ]
        .into_iter()
        .filter(|(action, _)| action.is_some())
        .map(move |(_, form)| format!("AT{name}{form}"))
    })
}

impl Modem {
    /// An information response of a command: its name and what stands behind.
    pub(super) fn say(&mut self, name: &str, text: impl AsRef<str>) {
        self.say_line(format!("{name}: {}", text.as_ref()));
    }

    /// An information response as it stands.
    pub(super) fn say_line(&mut self, line: impl AsRef<str>) {
        let line = line.as_ref().as_bytes();
        self.output.line(|out| out.extend_from_slice(line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_command_is_defined_twice() {
        let mut names: Vec<_> = definitions().map(|definition| definition.name).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn a_command_that_sets_something_lists_its_ranges() {
        for definition in definitions().filter(|definition| definition.name.starts_with('+')) {
            let sets = definition.set.is_some();
            let bare = matches!(definition.test, None | Some(Action::Nothing));
            // 27.007 sections 8.3 and 8.18 have no ranges for these two.
            let known = ["+CPIN", "+CRSM"].contains(&definition.name);
            assert!(!sets || !bare || known, "{}", definition.name);
        }
    }
}
