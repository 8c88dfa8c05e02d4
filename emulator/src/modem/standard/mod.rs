//! The commands that are not MQTT's, as a table: V.250, 3GPP TS 27.005 and 27.007, the makers'
//! own (reference `lmqtt.md` 1.10), and what Linux modem stacks, tools for short messages and dialers
//! send besides.
//!
//! What there is to know of them stands in [`atmq_protocol::commands`]. Here stands which of them this
//! module has, in which order it lists them, and what answers their forms. A form with a definition
//! that the host shares is read by [`StandardRequest`]; a bad parameter, state or form is refused as
//! the MQTT commands refuse it.
//!
//! [`StandardRequest`]: atmq_protocol::standard::StandardRequest

mod clock;
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
use atmq_protocol::commands;
use atmq_protocol::spec::Spec;

use super::command::Done;
use super::{Modem, Refused};

pub(super) use packet::{DEFAULT_BEARER, PacketContext, address_of, can_be_used};
pub(super) use registration::LTE;
pub(super) use settings::Settings;

/// What answers one form of a command.
#[derive(Clone, Copy)]
pub(super) enum Action {
    /// What answers the request that is defined together with the host's side.
    Shared,
    /// The table: sets or shows what the module keeps, or lists what the command takes.
    Table,
    /// Always the same line, behind the command's name.
    Line(&'static str),
    /// `OK` alone.
    Nothing,
    /// A function; the parameters are empty but in the set form.
    Run(Run),
}

/// Executes a command.
pub(super) type Run = fn(&mut Modem, &mut Parameters<'_>, Instant) -> Result<Done, Refused>;

/// A command of this module: what answers those of its forms that the table alone does not answer.
#[derive(Clone, Copy)]
pub(super) struct Definition {
    pub(super) name: &'static str,
    test: Option<Action>,
    read: Option<Action>,
    set: Option<Action>,
    execute: Option<Action>,
}

impl Definition {
    /// A command that the table answers.
    const fn new(name: &'static str) -> Self {
        Self {
            name,
            test: None,
            read: None,
            set: None,
            execute: None,
        }
    }

    const fn test(mut self, run: Run) -> Self {
        self.test = Some(Action::Run(run));
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

    /// What there is to know of it.
    pub(super) fn spec(&self) -> &'static Spec {
        commands::find(self.name.as_bytes()).expect("the module's commands are known")
    }

    /// What answers this form; none if the command does not have it.
    pub(super) fn action(&self, form: Form<'_>) -> Option<Action> {
        let action = match form {
            Form::Test => self.test,
            Form::Read => self.read,
            Form::Set(_) => self.set,
            Form::Execute => self.execute,
        };
        self.spec()
            .has(form)
            .then_some(action.unwrap_or(Action::Table))
    }
}

/// Every command, by subject.
const TABLE: [&[Definition]; 8] = [
    line::COMMANDS,
    identity::COMMANDS,
    sim::COMMANDS,
    registration::COMMANDS,
    packet::COMMANDS,
    power::COMMANDS,
    clock::COMMANDS,
    messages::COMMANDS,
];

fn definitions() -> impl Iterator<Item = &'static Definition> {
    TABLE.into_iter().flatten()
}

/// The command of this name.
pub(super) fn find(command: &Command<'_>) -> Option<&'static Definition> {
    definitions().find(|definition| command.is(definition.name))
}

/// Every command that the module knows beside MQTT's, each in every form it has, as a host would
/// write it: `AT+CSQ`, `AT+CSQ=?`, `AT+CREG?`, `AT+CREG=`, and `ATE<n>` for a basic command with a
/// number.
pub fn command_forms() -> impl Iterator<Item = String> {
    commands::all().flat_map(Spec::forms)
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
    use atmq_protocol::commands::VENDOR_SETS;
    use atmq_protocol::spec::Test;

    #[test]
    fn every_command_of_the_table_is_here_once() {
        let faces = VENDOR_SETS.iter().filter(|set| set.face.is_some());
        let names = faces.flat_map(|set| set.specs).map(|spec| spec.name);
        let mut names: Vec<_> = definitions().map(|known| known.name).chain(names).collect();
        let mut known: Vec<_> = commands::all().map(|spec| spec.name).collect();
        names.sort_unstable();
        known.sort_unstable();
        assert_eq!(names, known);
    }

    #[test]
    fn every_form_is_answered_and_nothing_answers_another() {
        for definition in definitions() {
            let spec = definition.spec();
            let given = [
                (Form::Test, definition.test),
                (Form::Read, definition.read),
                (Form::Set(b""), definition.set),
                (Form::Execute, definition.execute),
            ];
            for (form, action) in given {
                let by_table = match form {
                    Form::Test => !matches!(spec.test, Test::None | Test::State),
                    _ => spec.keeps && spec.has(form),
                };
                assert_eq!(
                    spec.has(form),
                    by_table || action.is_some(),
                    "{} {form:?}",
                    spec.name
                );
            }
        }
    }
}
