//! Reads the TOML file of a profile: its base, what it lays over it, and changes of single values.

use atmq_protocol::dialect::{self, Dialect};
use serde::Deserialize as _;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::Wrong;
use super::merge::{EVIDENCE, lay_over};
use super::switches::Switches;
use super::table::{File, QuirksTable};
use super::{Profile, ProfileChange, ProfileChangeError, ProfileError};

pub(super) fn parse(text: &str) -> Result<Profile, ProfileError> {
    profile_of(read(text)?).map_err(|wrong| ProfileError::found(text, wrong))
}

/// The profile that a complete table is.
fn profile_of(mut table: Spanned<DeTable<'_>>) -> Result<Profile, Wrong> {
    let dialect = take_dialect(table.get_mut())?;
    let quirks = table.get_mut().get_mut("quirks");
    let switches = quirks.map(|quirks| Switches::take::<QuirksTable>(quirks, dialect));
    let switches = switches.transpose()?;
    let file = File::deserialize(toml::Deserializer::from(table))?;
    let dialect = match switches {
        Some(switches) => switches.set(dialect)?,
        None => dialect.with(&[]),
    };
    Ok(file.profile(dialect))
}

/// The dialect that a table names; one that names none has that of modules of which nothing is
/// known.
fn take_dialect(table: &mut DeTable<'_>) -> Result<&'static dyn Dialect, Wrong> {
    let Some(named) = table.remove("dialect") else {
        return Ok(dialect::UNKNOWN.dialect);
    };
    let names = || dialect::ALL.map(Dialect::name).join("` or `");
    let message = match named.get_ref() {
        DeValue::String(name) => match dialect::by_name(name) {
            Some(dialect) => return Ok(dialect),
            None => format!("there is no dialect `{name}`, it must be `{}`", names()),
        },
        _ => format!("dialect must be `{}`", names()),
    };
    Err(Wrong::at(named.span().start, &message))
}

pub(super) fn parse_with(
    text: &str,
    changes: &[ProfileChange],
) -> Result<Profile, ProfileChangeError> {
    let mut profile = parse(text)?;
    let mut table = read(text)?;
    for change in changes {
        change.apply(table.get_mut())?;
        // One at a time, so that what is wrong is known to be this one.
        profile = profile_of(table.clone()).map_err(|wrong| ProfileChangeError::WrongValue {
            key: change.key().to_owned(),
            message: wrong.message,
        })?;
    }
    Ok(profile)
}

/// All that the file says, laid over its base.
fn read(text: &str) -> Result<Spanned<DeTable<'_>>, ProfileError> {
    let found = |error: toml::de::Error| ProfileError::found(text, error.into());
    let mut table = DeTable::parse(text).map_err(found)?;
    if let Some(base) = table.get_mut().remove("base") {
        let below = base_text(&base).map_err(|message| {
            let at = base.span().start;
            ProfileError::at(text, at, message)
        })?;
        let span = table.span();
        let mut below = read_base(below);
        lay(&mut below, table.into_inner());
        table = Spanned::new(span, below);
    }
    Ok(table)
}

/// Lays a table over its base. Where it names another dialect, it takes nothing over of what is the
/// base's dialect's alone.
fn lay<'a>(below: &mut DeTable<'a>, upper: DeTable<'a>) {
    let dialect = |table: &DeTable<'_>| match table.get("dialect")?.get_ref() {
        DeValue::String(name) => dialect::by_name(name),
        _ => None,
    };
    if let (Some(old), Some(new)) = (dialect(below), dialect(&upper))
        && old.name() != new.name()
    {
        for switch in old.switches() {
            for (table, key) in [
                ("quirks", switch.name.to_owned()),
                (EVIDENCE, format!("quirks.{}", switch.name)),
            ] {
                if let Some(DeValue::Table(table)) = below.get_mut(table).map(Spanned::get_mut) {
                    table.remove(key.as_str());
                }
            }
        }
    }
    lay_over(below, upper);
}

fn base_text(base: &Spanned<DeValue<'_>>) -> Result<&'static str, String> {
    let names = Profile::names().collect::<Vec<_>>().join("` or `");
    let DeValue::String(name) = base.get_ref() else {
        return Err(format!("base must be `{names}`"));
    };
    Profile::text(name)
        .ok_or_else(|| format!("there is no profile `{name}`, base must be `{names}`"))
}

/// A base of this crate, which may have a base itself.
fn read_base(text: &'static str) -> DeTable<'static> {
    let table = DeTable::parse(text).expect("the profiles in this crate can be read");
    let mut table = table.into_inner();
    let Some(base) = table.remove("base") else {
        return table;
    };
    let text = base_text(&base).expect("the bases in this crate are in this crate");
    let mut below = read_base(text);
    lay(&mut below, table);
    below
}

#[cfg(test)]
mod tests;
