//! The commands as data: what each does, its parameters and what it answers, each with its source.
//!
//! Which forms a command has is not repeated here: the dialect and the emulated module tell it,
//! and so do the ranges of MQTT commands. The ranges of all others are held against the emulated
//! module's test forms by tests.

mod code;
mod http;
mod line;
mod module;
mod mqtt;
mod network;
mod parameter;
mod redact;
mod settings;
mod short_messages;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use atmq_emulator::modem::command_forms;
use atmq_protocol::at::command::{Command as Typed, Form};
use atmq_protocol::dialect::{Context, Dialect, Lmqtt};
use atmq_protocol::mqtt::FormatTable;

pub(crate) use code::{Code, Codes};
pub(crate) use parameter::{Kind, Parameter, show_ranges};
pub(crate) use redact::{is_redacted, redacted};

/// The command set whose MQTT commands stand here.
pub(crate) const DIALECT: Lmqtt = Lmqtt::DEFAULT;

/// A command.
#[derive(Debug)]
pub(crate) struct Command {
    /// Without `AT`, with its sign: `+CSQ`, `E`, `&W`, `S3`.
    pub(crate) name: &'static str,
    /// What it does, as a sentence without subject and full stop: "shows the signal".
    pub(crate) does: &'static str,
    /// What stands behind `=`, or behind the key if there are [`keys`](Self::keys).
    pub(crate) parameters: &'static [Parameter],
    /// Of the parameters the last so many may stand there again and again.
    pub(crate) repeated: usize,
    /// The values of the first parameter that decide which others follow.
    pub(crate) keys: &'static [Key],
    /// Which parameter says how many bytes of data follow behind `CONNECT`.
    pub(crate) announces: Option<usize>,
    /// What stands behind `+NAME: ` in its answer, or in the line that it makes the module report.
    pub(crate) answer: &'static [Parameter],
    /// Where this is known from.
    pub(crate) source: Source,
}

/// A setting that a command is about.
#[derive(Debug)]
pub(crate) struct Key {
    /// As it stands on the line, between quotes.
    pub(crate) name: &'static str,
    /// What it sets: "the keepalive of MQTT".
    pub(crate) sets: &'static str,
    /// Its values, behind those parameters that all keys have.
    pub(crate) values: &'static [Parameter],
    /// Where this is known from.
    pub(crate) source: Source,
}

/// Where something is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Source {
    /// A document and its section.
    pub(crate) place: &'static str,
    /// How sure it is.
    pub(crate) sure: Sure,
}

/// How sure a fact is, as `docs/sources.md` marks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sure {
    Documented,
    Measured,
    Seen,
    Inferred,
    /// In a public standard; the module has not been seen doing it.
    Standard,
}

impl Sure {
    fn words(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Measured => "measured",
            Self::Seen => "seen in code",
            Self::Inferred => "inferred",
            Self::Standard => "the standard has it",
        }
    }
}

impl Source {
    /// How sure it is, in words.
    pub(crate) fn words(self) -> &'static str {
        self.sure.words()
    }

    pub(crate) const fn documented(place: &'static str) -> Self {
        let sure = Sure::Documented;
        Self { place, sure }
    }

    pub(crate) const fn measured(place: &'static str) -> Self {
        let sure = Sure::Measured;
        Self { place, sure }
    }

    pub(crate) const fn seen(place: &'static str) -> Self {
        let sure = Sure::Seen;
        Self { place, sure }
    }

    pub(crate) const fn inferred(place: &'static str) -> Self {
        let sure = Sure::Inferred;
        Self { place, sure }
    }

    pub(crate) const fn standard(place: &'static str) -> Self {
        let sure = Sure::Standard;
        Self { place, sure }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {}", self.place, self.sure.words())
    }
}

impl Command {
    /// A command without parameters and answer.
    const fn new(name: &'static str, does: &'static str, source: Source) -> Self {
        Self {
            name,
            does,
            parameters: &[],
            repeated: 0,
            keys: &[],
            announces: None,
            answer: &[],
            source,
        }
    }

    const fn takes(mut self, parameters: &'static [Parameter]) -> Self {
        self.parameters = parameters;
        self
    }

    /// Of the parameters the last so many may be repeated.
    const fn repeating(mut self, last: usize) -> Self {
        self.repeated = last;
        self
    }

    /// The parameter at this place says how many bytes of data follow.
    const fn announcing(mut self, place: usize) -> Self {
        self.announces = Some(place);
        self
    }

    const fn keyed(mut self, keys: &'static [Key]) -> Self {
        self.keys = keys;
        self
    }

    const fn answers(mut self, fields: &'static [Parameter]) -> Self {
        self.answer = fields;
        self
    }

    /// A command that keeps its parameters and shows them as they were given.
    const fn keeps(self, parameters: &'static [Parameter]) -> Self {
        self.takes(parameters).answers(parameters)
    }

    /// The setting of this name, in whatever letter case.
    pub(crate) fn key(&self, name: &[u8]) -> Option<&'static Key> {
        self.keys
            .iter()
            .find(|key| name.eq_ignore_ascii_case(key.name.as_bytes()))
    }

    /// The parameter at this place of the set form, counted from 0. `first` is the first value,
    /// which decides where there are keys.
    pub(crate) fn parameter(&self, first: &[u8], place: usize) -> Option<&'static Parameter> {
        let place = self.once(place);
        if let Some(parameter) = self.parameters.get(place) {
            return Some(parameter);
        }
        self.key(first)?.values.get(place - self.parameters.len())
    }

    /// The place where what is repeated at this place stands first.
    fn once(&self, place: usize) -> usize {
        if self.repeated == 0 || place < self.parameters.len() {
            return place;
        }
        let fixed = self.parameters.len() - self.repeated;
        fixed + (place - fixed) % self.repeated
    }

    /// The ranges of a number at this place of the set form, as this module's test form has them;
    /// none if it is no number or anything may be given.
    pub(crate) fn ranges(&self, first: &[u8], place: usize) -> Vec<(i64, i64)> {
        match self
            .parameter(first, place)
            .map(|parameter| &parameter.kind)
        {
            Some(Kind::Number(ranges)) => ranges.to_vec(),
            Some(Kind::Described) => mqtt::described(self, first, self.once(place)),
            _ => Vec::new(),
        }
    }

    /// The forms it has, as the dialect or the emulated module tells.
    pub(crate) fn forms(&self) -> &'static [String] {
        static FORMS: LazyLock<BTreeMap<String, Vec<String>>> = LazyLock::new(forms_by_name);
        FORMS.get(self.name).map_or(&[], Vec::as_slice)
    }
}

/// Every command that stands here, MQTT's first.
pub(crate) fn commands() -> impl Iterator<Item = &'static Command> {
    [
        mqtt::COMMANDS,
        line::COMMANDS,
        module::COMMANDS,
        network::COMMANDS,
        http::COMMANDS,
        short_messages::COMMANDS,
    ]
    .into_iter()
    .flatten()
}

/// The command of this name, in whatever letter case.
pub(crate) fn command(name: &[u8]) -> Option<&'static Command> {
    commands().find(|command| name.eq_ignore_ascii_case(command.name.as_bytes()))
}

/// Takes the first command off what stands behind `AT`, and what is left of the line.
pub(crate) fn split_first(body: &[u8]) -> (Typed<'_>, &[u8]) {
    Typed::split_first(body, |name| DIALECT.owns(name))
}

/// What stands behind `AT` in a command line, if it is one.
pub(crate) fn body(line: &[u8]) -> Option<&[u8]> {
    let (at, body) = line.split_at_checked(2)?;
    at.eq_ignore_ascii_case(b"AT").then_some(body)
}

/// Each form as a host would write it, such as `AT+CSQ=?`, by the command's name. What a set form
/// takes is left out: `AT+CSCS=`.
fn forms_by_name() -> BTreeMap<String, Vec<String>> {
    let mut forms: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for form in command_forms() {
        let name = form.trim_start_matches("AT");
        let name = name.trim_end_matches("<n>").trim_end_matches(['=', '?']);
        forms.entry(name.to_owned()).or_default().push(form);
    }
    let context = Context {
        limits: &atmq_protocol::dialect::lmqtt::NT35E.limits,
        formats: &FormatTable::default(),
    };
    for name in DIALECT.commands() {
        let read = Typed {
            name: name.as_bytes(),
            form: Form::Read,
        };
        let mut of_name = vec![format!("AT{name}=?"), format!("AT{name}=")];
        if DIALECT.decode_request(&read, context).is_ok() {
            of_name.insert(1, format!("AT{name}?"));
        }
        forms.insert(name.to_owned(), of_name);
    }
    forms
}
