//! Reads the TOML file of a profile: its base, what it lays over it, and changes of single values.

use serde::Deserialize as _;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::message;
use super::merge::lay_over;
use super::table::File;
use super::{Profile, ProfileChange, ProfileChangeError, ProfileError};

pub(super) fn parse(text: &str) -> Result<Profile, ProfileError> {
    let table = read(text)?;
    let file = File::deserialize(toml::Deserializer::from(table));
    Ok(file
        .map_err(|error| ProfileError::found(text, &error))?
        .into())
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
        let file = File::deserialize(toml::Deserializer::from(table.clone()));
        let file = file.map_err(|error| ProfileChangeError::WrongValue {
            key: change.key().to_owned(),
            message: message(&error),
        })?;
        profile = file.into();
    }
    Ok(profile)
}

/// All that the file says, laid over its base.
fn read(text: &str) -> Result<Spanned<DeTable<'_>>, ProfileError> {
    let found = |error| ProfileError::found(text, &error);
    let mut table = DeTable::parse(text).map_err(found)?;
    if let Some(base) = table.get_mut().remove("base") {
        let below = base_text(&base).map_err(|message| {
            let at = base.span().start;
            ProfileError::at(text, at, message)
        })?;
        let span = table.span();
        let mut below = read_base(below);
        lay_over(&mut below, table.into_inner());
        table = Spanned::new(span, below);
    }
    Ok(table)
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
    lay_over(&mut below, table);
    below
}

#[cfg(test)]
mod tests;
