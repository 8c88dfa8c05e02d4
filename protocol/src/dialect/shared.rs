//! What the dialects share: checks of what a command carries, tables of numbers, the files that a
//! module was given, and plans of which nothing is a family's own.

mod files;
mod plans;

use crate::at::parameter::ParameterError;
use crate::dialect::EncodeError;
use crate::mqtt::QoS;
use crate::spec::Values;

pub(super) use files::Files;
pub(super) use plans::{Leaving, StateOf, connected, state};

pub(super) fn decode_qos(values: &mut Values<'_, '_>) -> Result<QoS, ParameterError> {
    let level = values.integer()?;
    values.known(QoS::from_level(level))
}

pub(super) fn not_empty<'a>(field: &'static str, text: &'a str) -> Result<&'a str, EncodeError> {
    if text.is_empty() {
        return Err(EncodeError::Empty { field });
    }
    Ok(text)
}

/// A quoted string ends at a quote and a line at a control character, and nothing escapes them.
pub(super) fn carriable<'a>(
    field: &'static str,
    text: &'a str,
    max: usize,
) -> Result<&'a str, EncodeError> {
    let length = text.len();
    if length > max {
        return Err(EncodeError::TooLong { field, length, max });
    }
    match text
        .char_indices()
        .find(|(_, c)| *c == '"' || c.is_ascii_control())
    {
        Some((at, character)) => Err(EncodeError::NotCarriable {
            field,
            character,
            at,
        }),
        None => Ok(text),
    }
}

pub(super) fn in_range(
    field: &'static str,
    value: impl Into<i64>,
    min: i64,
    max: impl Into<i64>,
) -> Result<i64, EncodeError> {
    let (value, max) = (value.into(), max.into());
    if (min..=max).contains(&value) {
        return Ok(value);
    }
    Err(EncodeError::OutOfRange {
        field,
        value,
        min,
        max,
    })
}

pub(super) fn length_in_range(
    field: &'static str,
    length: usize,
    max: usize,
) -> Result<i64, EncodeError> {
    if length > max {
        return Err(EncodeError::TooLong { field, length, max });
    }
    // No limit is above what an i64 holds.
    Ok(length as i64)
}

/// What a number on the wire means, by a table that serves both directions.
pub(super) fn meaning<T: Copy>(table: &[(i32, T)], number: i32) -> Option<T> {
    let found = table.iter().find(|(known, _)| *known == number);
    found.map(|(_, meaning)| *meaning)
}

/// The number on the wire for a meaning.
pub(super) fn number_of<T: PartialEq>(table: &[(i32, T)], meaning: &T) -> Option<i32> {
    let found = table.iter().find(|(_, known)| known == meaning);
    found.map(|(number, _)| *number)
}
