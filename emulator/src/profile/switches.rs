//! What a profile's dialect reads of the quirks: its switches. They stand among those of the emulator,
//! and are told from them by their names.

use std::fmt;
use std::sync::Arc;

use atmq_protocol::dialect::{Choice, Dialect, Switch, Value};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, VariantAccess as _, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::error::Wrong;
use super::value;

/// The values of the switches, each as it stands in the file.
pub(super) struct Switches<'a> {
    /// Where the table begins.
    at: usize,
    values: Vec<(Switch, Option<Spanned<DeValue<'a>>>)>,
}

impl<'a> Switches<'a> {
    /// Takes them out of the table, which holds the keys of `Others` beside them.
    pub(super) fn take<Others: for<'de> Deserialize<'de>>(
        quirks: &mut Spanned<DeValue<'a>>,
        dialect: &dyn Dialect,
    ) -> Result<Self, Wrong> {
        let at = quirks.span().start;
        let DeValue::Table(table) = quirks.get_mut() else {
            // Whoever reads the others says what it should have been.
            let values = Vec::new();
            return Ok(Self { at, values });
        };
        let switches = dialect.switches();
        check_keys(table, switches, keys_of::<Others>())?;
        let values = switches
            .iter()
            .map(|switch| (*switch, table.remove(switch.name)));
        Ok(Self {
            at,
            values: values.collect(),
        })
    }

    /// The dialect with the switches set as they are.
    pub(super) fn set(self, dialect: &dyn Dialect) -> Result<Arc<dyn Dialect>, Wrong> {
        let mut chosen = Vec::new();
        for (switch, value) in self.values {
            let Some(value) = value else {
                let missing = format!("missing field `{}`", switch.name);
                return Err(Wrong::at(self.at, &missing));
            };
            let at = value.span().start;
            let value = read(switch.choice, value.into());
            let value = value.map_err(|error| Wrong::at(at, &error.message()))?;
            chosen.push((switch.name, value));
        }
        Ok(dialect.with(&chosen))
    }
}

fn read(choice: Choice, value: ValueDeserializer<'_>) -> Result<Value<'static>, toml::de::Error> {
    Ok(match choice {
        Choice::Flag => Value::Flag(bool::deserialize(value)?),
        Choice::Number(from, to) => Value::Number(value::within(value, from, to)?),
        Choice::Word(words) => Value::Word(value.deserialize_enum("", words, Word(words))?),
    })
}

/// No key is there that neither the dialect nor the emulator knows.
fn check_keys(
    table: &DeTable<'_>,
    switches: &[Switch],
    others: &'static [&'static str],
) -> Result<(), Wrong> {
    let names = || switches.iter().map(|switch| switch.name);
    let mut keys = table.keys();
    let is_known = |key: &str| {
        names()
            .chain(others.iter().copied())
            .any(|name| name == key)
    };
    let Some(unknown) = keys.find(|key| !is_known(key.get_ref())) else {
        return Ok(());
    };
    let expected = names().chain(others.iter().copied());
    let expected: Vec<_> = expected.map(|name| format!("`{name}`")).collect();
    let message = format!(
        "unknown field `{}`, expected one of {}",
        unknown.get_ref(),
        expected.join(", ")
    );
    Err(Wrong::at(unknown.span().start, &message))
}

/// One of these words.
struct Word(&'static [&'static str]);

impl<'de> Visitor<'de> for Word {
    type Value = &'static str;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<&'static str, A::Error> {
        let (word, rest) = access.variant_seed(self)?;
        rest.unit_variant()?;
        Ok(word)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<&'static str, E> {
        let known = self.0.iter().find(|word| **word == text);
        known
            .copied()
            .ok_or_else(|| E::unknown_variant(text, self.0))
    }
}

impl<'de> DeserializeSeed<'de> for Word {
    type Value = &'static str;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<&'static str, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

/// The keys that a table is read with.
fn keys_of<T: for<'de> Deserialize<'de>>() -> &'static [&'static str] {
    let mut keys: &[_] = &[];
    // It has no values to give, so it always fails.
    let _ = T::deserialize(Keys(&mut keys));
    keys
}

/// Looks which keys it is asked for.
struct Keys<'k>(&'k mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Keys<'_> {
    type Error = serde::de::value::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(Self::Error::custom("there are no values"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
