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
    /// What it is about: "how long the message is kept, in seconds".
    pub meaning: &'static str,
    /// What single values mean.
    pub values: &'static [(&'static str, &'static str)],
    /// What a number means where no table can tell.
    pub reads: Option<fn(i64) -> Option<String>>,
}

/// What may stand at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number within one of these ranges.
    Number(&'static [(i64, i64)]),
    /// A number, whose range the dialect describes.
    Described,
    /// Text between quotes, of so many bytes at most.
    Text(usize),
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
            meaning,
            values: &[],
            reads: None,
        }
    }

    pub const fn number(
        name: &'static str,
        ranges: &'static [(i64, i64)],
        meaning: &'static str,
    ) -> Self {
        Self::new(name, Kind::Number(ranges), meaning)
    }

    /// A number whose range the dialect describes.
    pub const fn described(name: &'static str, meaning: &'static str) -> Self {
        Self::new(name, Kind::Described, meaning)
    }

    pub const fn switch(name: &'static str, meaning: &'static str) -> Self {
        Self::number(name, SWITCH, meaning).values(OFF_ON)
    }

    pub const fn text(name: &'static str, limit: usize, meaning: &'static str) -> Self {
        Self::new(name, Kind::Text(limit), meaning)
    }

    pub const fn words(
        name: &'static str,
        words: &'static [&'static str],
        meaning: &'static str,
    ) -> Self {
        Self::new(name, Kind::Words(words), meaning)
    }

    pub const fn key(name: &'static str, meaning: &'static str) -> Self {
        Self::new(name, Kind::Key, meaning)
    }

    pub const fn secret(name: &'static str, meaning: &'static str) -> Self {
        Self::new(name, Kind::Secret, meaning)
    }

    pub const fn bare(name: &'static str, meaning: &'static str) -> Self {
        Self::new(name, Kind::Bare, meaning)
    }

    pub const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Optional, and this if left out or never set.
    pub const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    pub const fn values(mut self, values: &'static [(&'static str, &'static str)]) -> Self {
        self.values = values;
        self
    }

    pub const fn reads(mut self, reads: fn(i64) -> Option<String>) -> Self {
        self.reads = Some(reads);
        self
    }

    /// What this value means, where more is known than that it is one.
    pub fn read(&self, value: &[u8]) -> Option<String> {
        let text = std::str::from_utf8(value).ok()?;
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

/// The ranges within the brackets of a test form's item, such as `(0,5-7)`; `None` if it is
/// something else.
pub fn ranges_in(item: &str) -> Option<Vec<(i64, i64)>> {
    let inside = item.trim().strip_prefix('(')?.strip_suffix(')')?;
    inside
        .split(',')
        .map(|range| match range.split_once('-') {
            Some((low, high)) => Some((low.parse().ok()?, high.parse().ok()?)),
            None => range.parse().ok().map(|only| (only, only)),
        })
        .collect()
}

/// The items of a test form's line, cut at the commas outside of brackets and quotes.
pub fn items(line: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut from) = (0_i32, false, 0);
    let mut items = Vec::new();
    for (at, character) in line.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '(' | '[' if !quoted => depth += 1,
            ')' | ']' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                items.push(&line[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    items.push(&line[from..]);
    items
}
