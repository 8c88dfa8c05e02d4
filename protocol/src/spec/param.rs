use alloc::borrow::{Cow, ToOwned as _};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::limits::Limits;

/// A parameter of a command, or a field of its answer.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// As the manual or the standard names it.
    pub name: &'static str,
    /// What may stand there.
    pub kind: Kind,
    /// Whether it may be left out.
    pub optional: bool,
    /// What it is if it is left out or was never set.
    pub default: Option<&'static str>,
    /// What it is at first, if that is another number.
    pub initial: Option<u32>,
    /// What it is about: "how long the message is kept, in seconds".
    pub meaning: &'static str,
    /// What single values mean.
    pub values: &'static [(&'static str, &'static str)],
    /// What a number means where no table can tell.
    pub reads: Option<fn(i64) -> Option<String>>,
    /// How a test form shows it, if not by its range; empty if it does not show it at all.
    pub shown: Option<&'static str>,
}

/// What may stand at a place.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A number within one of these ranges.
    Number(&'static [(i64, i64)]),
    /// A number from 0 to what the model takes.
    UpTo(fn(&Limits) -> i64),
    /// Text between quotes, of so many bytes at most.
    Text(usize),
    /// Text between quotes, of as many bytes at most as the model takes.
    TextUpTo(fn(&Limits) -> usize),
    /// One of these words, between quotes.
    Words(&'static [&'static str]),
    /// The name of a setting, between quotes.
    Key,
    /// Text between quotes that must not be shown.
    Secret,
    /// Anything, without quotes.
    Bare,
}

/// 0 and 1.
pub const SWITCH: &[(i64, i64)] = &[(0, 1)];

/// What 0 and 1 of a switch are.
pub const OFF_ON: &[(&str, &str)] = &[("0", "off"), ("1", "on")];

impl Param {
    const fn new(name: &'static str, kind: Kind, meaning: &'static str) -> Self {
        Self {
            name,
            kind,
            optional: false,
            default: None,
            initial: None,
            meaning,
            values: &[],
            reads: None,
            shown: None,
        }
    }

    /// A number within these ranges.
    pub const fn number(
        name: &'static str,
        ranges: &'static [(i64, i64)],
        meaning: &'static str,
    ) -> Self {
        Self::new(name, Kind::Number(ranges), meaning)
    }

    /// A number from 0 to what the model takes.
    pub const fn up_to(
        name: &'static str,
        most: fn(&Limits) -> i64,
        meaning: &'static str,
    ) -> Self {
        Self::new(name, Kind::UpTo(most), meaning)
    }

    /// 0 for off, 1 for on.
    pub const fn switch(name: &'static str, meaning: &'static str) -> Self {
        Self::number(name, SWITCH, meaning).values(OFF_ON)
    }

    /// Text of so many bytes at most.
    pub const fn text(name: &'static str, limit: usize, meaning: &'static str) -> Self {
        Self::new(name, Kind::Text(limit), meaning)
    }

    /// Text of as many bytes at most as the model takes.
    pub const fn text_up_to(
        name: &'static str,
        longest: fn(&Limits) -> usize,
        meaning: &'static str,
    ) -> Self {
        Self::new(name, Kind::TextUpTo(longest), meaning)
    }

    /// One of these words.
    pub const fn words(
        name: &'static str,
        words: &'static [&'static str],
        meaning: &'static str,
    ) -> Self {
        Self::new(name, Kind::Words(words), meaning)
    }

    /// The name of a setting.
    pub const fn key(name: &'static str, meaning: &'static str) -> Self {
        Self::new(name, Kind::Key, meaning)
    }

    /// Text that must not be shown.
    pub const fn secret(name: &'static str, meaning: &'static str) -> Self {
        Self::new(name, Kind::Secret, meaning)
    }

    /// Anything, without quotes.
    pub const fn bare(name: &'static str, meaning: &'static str) -> Self {
        Self::new(name, Kind::Bare, meaning)
    }

    /// It may be left out.
    pub const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// What it is if left out or never set.
    pub const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    /// What it is at first.
    pub const fn at_first(mut self, initial: u32) -> Self {
        self.initial = Some(initial);
        self
    }

    /// What single values mean.
    pub const fn values(mut self, values: &'static [(&'static str, &'static str)]) -> Self {
        self.values = values;
        self
    }

    /// What a number means.
    pub const fn reads(mut self, reads: fn(i64) -> Option<String>) -> Self {
        self.reads = Some(reads);
        self
    }

    /// How a test form shows it.
    pub const fn shown(mut self, shown: &'static str) -> Self {
        self.shown = Some(shown);
        self
    }

    /// Whether it must not be seen by others.
    pub const fn is_secret(&self) -> bool {
        matches!(self.kind, Kind::Secret)
    }

    /// The ranges of a number; none if it is no number or anything may be given.
    pub fn ranges(&self, limits: &Limits) -> Cow<'static, [(i64, i64)]> {
        match self.kind {
            Kind::Number(ranges) => ranges.into(),
            Kind::UpTo(most) => [(0, most(limits))].to_vec().into(),
            _ => Cow::default(),
        }
    }

    /// How many bytes a text may have.
    pub fn longest(&self, limits: &Limits) -> Option<usize> {
        match self.kind {
            Kind::Text(limit) => Some(limit),
            Kind::TextUpTo(longest) => Some(longest(limits)),
            Kind::Secret => Some(limits.password),
            _ => None,
        }
    }

    /// How a test form shows it: ranges where they are known, else its name.
    pub(super) fn listed(&self, limits: &Limits) -> Cow<'static, str> {
        if let Some(shown) = self.shown {
            return shown.into();
        }
        Cow::Owned(match self.kind {
            Kind::Number(ranges) => format!("({})", show_ranges(ranges)),
            Kind::UpTo(most) => match most(limits) {
                0 => "(0)".to_owned(),
                most => format!("(0-{most})"),
            },
            Kind::Words(words) => {
                let words = words.iter().map(|word| format!("\"{word}\""));
                format!("({})", words.collect::<Vec<_>>().join(","))
            }
            Kind::Text(_) | Kind::TextUpTo(_) | Kind::Secret => format!("\"<{}>\"", self.name),
            Kind::Key | Kind::Bare => format!("<{}>", self.name),
        })
    }

    /// What this value means, where more is known than that it is one.
    pub fn read(&self, value: &[u8]) -> Option<String> {
        let text = core::str::from_utf8(value).ok()?;
        let known = self.values.iter().find(|(known, _)| *known == text);
        if let Some((_, meaning)) = known {
            return Some((*meaning).to_owned());
        }
        self.reads?(text.parse().ok()?)
    }

    /// What it is about, and what its single values mean, on one line.
    pub fn described_values(&self) -> String {
        let values = self
            .values
            .iter()
            .map(|(value, does)| format!("{value} {does}"));
        let values: Vec<_> = values.collect();
        let mut line = self.meaning.to_owned();
        if !values.is_empty() {
            line.push_str(": ");
            line.push_str(&values.join(", "));
        }
        if let Some(default) = self.default {
            line.push_str("; default ");
            line.push_str(default);
        }
        line
    }
}

/// Ranges as a test form writes them: `0-2`, `0,1`, `0-31,99`.
pub fn show_ranges(ranges: &[(i64, i64)]) -> String {
    let shown: Vec<_> = ranges
        .iter()
        .map(|(low, high)| match high - low {
            0 => low.to_string(),
            1 => format!("{low},{high}"),
            _ => format!("{low}-{high}"),
        })
        .collect();
    shown.join(",")
}
