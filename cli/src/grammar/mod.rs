//! Looking up commands and the numbers of errors, as the tables of the protocol have them.

mod redact;
#[cfg(test)]
mod tests;

use atmq_protocol::at::command::Command as Typed;
use atmq_protocol::dialect::Dialect;
use atmq_protocol::limits::Limits;
use atmq_protocol::spec::{Codes, Spec};
use atmq_protocol::{commands, dialect};

pub(crate) use redact::{is_redacted, redacted};

/// The limits used when ranges of a command are shown: those of the model with the most connections
/// that speaks the dialect of the command.
pub(crate) fn limits(known: &Spec) -> &'static Limits {
    let mut dialects = dialect::ALL.into_iter();
    let owner = dialects.find(|dialect| dialect.owns(known.name.as_bytes()));
    let models = owner.unwrap_or(dialect::UNKNOWN.dialect).models().iter();
    let widest = models.max_by_key(|model| model.limits.connections);
    &widest.expect("a dialect has a model").limits
}

/// Every command that is known, MQTT's first.
pub(crate) fn commands() -> impl Iterator<Item = &'static Spec> {
    let dialects = dialect::ALL.into_iter();
    dialects.flat_map(Dialect::specs).chain(commands::all())
}

/// The command of this name, in whatever letter case.
pub(crate) fn command(name: &[u8]) -> Option<&'static Spec> {
    commands().find(|spec| spec.is(name))
}

/// Every place where numbers have a meaning of their own.
pub(crate) fn all_codes() -> impl Iterator<Item = &'static Codes> {
    let dialects = dialect::ALL.into_iter();
    let own = dialects.flat_map(Dialect::codes);
    commands::CODES.iter().chain(own).copied()
}

/// The numbers of a place that is known, by what it is called.
pub(crate) fn codes(name: &str) -> &'static Codes {
    let found = all_codes().find(|codes| codes.name == name);
    found.expect("the tables have this place")
}

/// Whether a command belongs to a dialect.
pub(crate) fn is_dialects(name: &[u8]) -> bool {
    dialect::ALL.iter().any(|dialect| dialect.owns(name))
}

/// Takes the first command off what stands behind `AT`, and what is left of the line.
pub(crate) fn split_first(body: &[u8]) -> (Typed<'_>, &[u8]) {
    Typed::split_first(body, is_dialects)
}

/// What stands behind `AT` in a command line, if it is one.
pub(crate) fn body(line: &[u8]) -> Option<&[u8]> {
    let (at, body) = line.split_at_checked(2)?;
    at.eq_ignore_ascii_case(b"AT").then_some(body)
}
