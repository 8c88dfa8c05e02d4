//! A command as data: what it does, its forms and parameters, what it answers and how sure that is.
//!
//! A [`Spec`] stands once, in [`commands`](crate::commands) or in its dialect's table. From it come
//! test forms, ranges, ownership, completion, hints, explanations, and where a secret stands. The
//! mapping between values and what they mean to the driver stays typed by hand, next to it.

mod codes;
mod kept;
mod param;
mod source;
mod values;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

pub use codes::{Code, Codes};
pub use kept::{Kept, Lasting};
pub use param::{Kind, OFF_ON, Param, SWITCH, show_ranges};
pub use source::{Source, Sure};
pub use values::Values;

use crate::at::command::Form;
use crate::dialect::Prompt;
use crate::limits::Limits;

/// A command.
#[derive(Debug)]
pub struct Spec {
    /// Without `AT`, with its sign: `+CSQ`, `E`, `&W`, `S3`.
    pub name: &'static str,
    /// What it does, as a sentence without subject and full stop: "shows the signal".
    pub does: &'static str,
    /// What stands behind `=`, or before the values of a key if there are [`keys`](Self::keys).
    pub parameters: &'static [Param],
    /// Of the parameters the last so many may stand there again and again.
    pub repeated: usize,
    /// The values of the first parameter that decide which others follow.
    pub keys: &'static [Key],
    /// What stands behind `+NAME: ` in its answer, or in the line that it makes the module report;
    /// where there are keys, between the key and its values.
    pub answer: &'static [Param],
    /// The test form, and what answers it.
    pub test: Test,
    /// Whether there is a read form.
    pub read: bool,
    /// Whether there is a set form.
    pub set: bool,
    /// Whether it can stand alone.
    pub execute: bool,
    /// Whether the module keeps the parameters and shows them in the read form as they were given.
    pub keeps: bool,
    /// How long lasts what it sets; none if it sets nothing.
    pub kept: Option<Kept>,
    /// What data follows the set form.
    pub data: Option<Data>,
    /// What the line is called that reports the outcome of the set form, if `OK` is not the outcome.
    pub report: Option<&'static str>,
    /// What the lines are called that the module sends by itself because of this command: of what
    /// it switches on, or of what it shows. A [`report`](Self::report) does not stand here again.
    pub urcs: &'static [&'static str],
    /// How long the set form may take until its outcome is known, in seconds, where a source has it.
    pub limit: Option<u16>,
    /// How long the set form takes, by what it does.
    pub latency: Latency,
    /// The command that must have succeeded before.
    pub needs: Option<&'static str>,
    /// The command whose settings are lost by this one.
    pub loses: Option<&'static str>,
    /// Where this is known from.
    pub source: Source,
}

/// A setting that a command is about.
#[derive(Debug)]
pub struct Key {
    /// As it stands on the line, between quotes.
    pub name: &'static str,
    /// What it sets: "the keepalive of MQTT".
    pub sets: &'static str,
    /// Its values, behind those parameters that all keys have.
    pub values: &'static [Param],
    /// Whether it may be set at any time; others hold from the next link on.
    pub any_time: bool,
    /// Where this is known from.
    pub source: Source,
}

/// What answers a test form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// There is none.
    None,
    /// `OK` alone.
    Nothing,
    /// What the parameters take, a line for each key; what is shown, if there are no parameters.
    Derived,
    /// These lines, behind the command's name: captured, or decided otherwise than derived.
    Lines(&'static [&'static str]),
    /// What the module knows at the time.
    State,
}

/// The data behind a set form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Data {
    /// Which parameter says how many bytes it has.
    pub length: usize,
    /// The parameter that takes the place of the data, if there is one.
    pub inline: Option<usize>,
    /// What asks for it.
    pub prompt: Prompt,
}

/// How long a form takes, by what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Latency {
    /// Something is asked or kept.
    Query,
    /// Something is done.
    Command,
    /// The radio is switched.
    Radio,
    /// The module attaches, or detaches.
    Attach,
    /// The same with an operator to choose, which can be aborted; the test form is a [`Scan`](Self::Scan).
    Selection,
    /// Every band is searched, which can be aborted.
    Scan,
}

impl Key {
    /// A setting that holds from the next link on.
    pub const fn new(
        name: &'static str,
        sets: &'static str,
        values: &'static [Param],
        source: Source,
    ) -> Self {
        Self {
            name,
            sets,
            values,
            any_time: false,
            source,
        }
    }

    /// It may be set at any time.
    pub const fn at_any_time(mut self) -> Self {
        self.any_time = true;
        self
    }

    /// Whether this is its name, in whatever letter case.
    pub fn is(&self, name: &[u8]) -> bool {
        name.eq_ignore_ascii_case(self.name.as_bytes())
    }
}

impl Spec {
    /// A command without parameters, answer and forms; the test form of an extended command is
    /// derived from what will be added.
    pub const fn new(name: &'static str, does: &'static str, source: Source) -> Self {
        Self {
            name,
            does,
            parameters: &[],
            repeated: 0,
            keys: &[],
            answer: &[],
            test: match name.as_bytes() {
                [b'+', ..] => Test::Derived,
                _ => Test::None,
            },
            read: false,
            set: false,
            execute: false,
            keeps: false,
            kept: None,
            data: None,
            report: None,
            urcs: &[],
            limit: None,
            latency: Latency::Query,
            needs: None,
            loses: None,
            source,
        }
    }

    /// A command that stands alone. Its test form is answered with `OK` alone, as 27.007 has it.
    pub const fn plain(name: &'static str, does: &'static str, source: Source) -> Self {
        Self::new(name, does, source)
            .executes()
            .tested(Test::Nothing)
    }

    /// The set form.
    pub const fn takes(mut self, parameters: &'static [Param]) -> Self {
        self.parameters = parameters;
        self.set = true;
        self
    }

    /// Of the parameters the last so many may be repeated.
    pub const fn repeating(mut self, last: usize) -> Self {
        self.repeated = last;
        self
    }

    /// The first parameter is one of these.
    pub const fn keyed(mut self, keys: &'static [Key]) -> Self {
        self.keys = keys;
        self
    }

    /// The fields of the answer.
    pub const fn answers(mut self, fields: &'static [Param]) -> Self {
        self.answer = fields;
        self
    }

    /// Set and read form of a command that keeps its parameters and shows them as they were given.
    pub const fn keeps(self, parameters: &'static [Param]) -> Self {
        self.remembers()
            .takes(parameters)
            .answers(parameters)
            .reads()
    }

    /// The module keeps what is set as a part of the profile that `AT&W` stores.
    pub(crate) const fn remembers(mut self) -> Self {
        self.keeps = true;
        self.kept = Some(Kept::PROFILE);
        self
    }

    /// How long lasts what it sets, and where that is known from.
    pub const fn lasting(mut self, how: Lasting, source: Source) -> Self {
        self.kept = Some(Kept::new(how, source));
        self
    }

    /// The read form.
    pub const fn reads(mut self) -> Self {
        self.read = true;
        self
    }

    /// It can stand alone.
    pub const fn executes(mut self) -> Self {
        self.execute = true;
        self
    }

    /// What answers the test form.
    pub const fn tested(mut self, test: Test) -> Self {
        self.test = test;
        self
    }

    /// The parameter at this place says how many bytes of data follow, and this asks for them.
    pub const fn announces(mut self, length: usize, prompt: Prompt) -> Self {
        self.data = Some(Data {
            length,
            inline: None,
            prompt,
        });
        self
    }

    /// The parameter at this place takes the place of the data.
    pub const fn or_inline(mut self, place: usize) -> Self {
        if let Some(data) = &mut self.data {
            data.inline = Some(place);
        }
        self
    }

    /// The outcome is reported by a line of this name, within so many seconds.
    pub const fn reported(mut self, name: &'static str, seconds: u16) -> Self {
        self.report = Some(name);
        self.within(seconds)
    }

    /// The module sends lines of these names by itself.
    pub const fn urcs(mut self, names: &'static [&'static str]) -> Self {
        self.urcs = names;
        self
    }

    /// The outcome is known within so many seconds.
    pub const fn within(mut self, seconds: u16) -> Self {
        self.limit = Some(seconds);
        self
    }

    /// The set form does something that takes its time.
    pub const fn acts(self) -> Self {
        self.lasts(Latency::Command)
    }

    /// How long the set form takes.
    pub const fn lasts(mut self, latency: Latency) -> Self {
        self.latency = latency;
        self
    }

    /// This command comes first.
    pub const fn after(mut self, name: &'static str) -> Self {
        self.needs = Some(name);
        self
    }

    /// The settings of this command are lost.
    pub const fn losing(mut self, name: &'static str) -> Self {
        self.loses = Some(name);
        self
    }

    /// Whether this is its name, in whatever letter case.
    pub fn is(&self, name: &[u8]) -> bool {
        name.eq_ignore_ascii_case(self.name.as_bytes())
    }

    /// Whether there is this form.
    pub fn has(&self, form: Form<'_>) -> bool {
        match form {
            Form::Test => self.test != Test::None,
            Form::Read => self.read,
            Form::Set(_) => self.set,
            Form::Execute => self.execute,
        }
    }

    /// How long a form takes.
    pub fn latency(&self, form: Form<'_>) -> Latency {
        match (form, self.latency) {
            (Form::Set(_), latency) => latency,
            (Form::Test, Latency::Selection) => Latency::Scan,
            _ => Latency::Query,
        }
    }

    /// What the lines are called that the module sends by itself because of this command, with the
    /// one that reports its outcome.
    pub fn unsolicited(&self) -> impl Iterator<Item = &'static str> {
        self.report.into_iter().chain(self.urcs.iter().copied())
    }

    /// Each form as a host writes it, without what a set form takes: `AT+CSQ`, `AT+CSQ=?`,
    /// `AT+CREG?`, `AT+CREG=`, and `ATE<n>` for a basic command with a number.
    pub fn forms(&self) -> impl Iterator<Item = String> {
        let name = self.name;
        let set = if name.starts_with('+') { "=" } else { "<n>" };
        [
            (Form::Execute, ""),
            (Form::Test, "=?"),
            (Form::Read, "?"),
            (Form::Set(b""), set),
        ]
        .into_iter()
        .filter(|(form, _)| self.has(*form))
        .map(move |(_, sign)| format!("AT{name}{sign}"))
    }

    /// The setting of this name, in whatever letter case.
    pub fn key(&self, name: &[u8]) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.is(name))
    }

    /// The parameter at this place of the set form, counted from 0. `first` is the first value,
    /// which decides where there are keys.
    pub fn parameter(&self, first: &[u8], place: usize) -> Option<&'static Param> {
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

    /// The parameter that takes all the rest of the line: a payload may hold commas and quotes.
    pub fn rest(&self) -> Option<usize> {
        self.data?.inline
    }

    /// The lines that answer the test form, as far as the table can tell; `has`: whether this
    /// firmware has a key.
    pub fn test_lines(&self, limits: &Limits, has: impl Fn(&Key) -> bool) -> Vec<String> {
        let name = self.name;
        let keys = self.keys.iter().filter(|key| has(key));
        match self.test {
            Test::None | Test::Nothing | Test::State => Vec::new(),
            Test::Lines(lines) => lines.iter().map(|line| format!("{name}: {line}")).collect(),
            Test::Derived if self.keys.is_empty() => {
                let fields = if self.set {
                    self.parameters
                } else {
                    self.answer
                };
                let mut line = format!("{name}: ");
                list(fields, limits, &mut line);
                [line].into()
            }
            Test::Derived => keys
                .map(|key| {
                    let mut line = format!("{name}: \"{}\"", key.name);
                    let behind = self.parameters.iter().skip(1).chain(key.values);
                    list(behind, limits, &mut line);
                    line
                })
                .collect(),
        }
    }
}

/// Appends what each field takes.
fn list<'p>(fields: impl IntoIterator<Item = &'p Param>, limits: &Limits, line: &mut String) {
    for field in fields {
        let listed = field.listed(limits);
        let first = line.ends_with(": ");
        if !first && !listed.is_empty() && !listed.starts_with('[') {
            line.push(',');
        }
        line.push_str(&listed);
    }
}

#[cfg(test)]
mod tests;
