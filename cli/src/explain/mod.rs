//! What a line between host and module means, in a few plain sentences with their source.

mod arguments;
mod code;
mod command;
mod event;
mod lint;
mod log;
mod response;
#[cfg(test)]
mod tests;
mod urc;

use atmq_protocol::spec::Source;
use serde_json::{Value, json};

pub(crate) use arguments::{Arguments, explain_text, run};
pub(crate) use command::{allowed, wrong};

use crate::grammar;

/// What a line means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Explanation {
    /// One sentence or a few, each from its capital letter to its full stop.
    pub(crate) sentences: Vec<String>,
    /// The values of the line, one by one; may be empty.
    pub(crate) values: Vec<Explained>,
    /// What is wrong with the values, and which are missing.
    pub(crate) wrong: Vec<String>,
    /// Where this is known from.
    pub(crate) source: Option<Source>,
    /// Whether all of it is known. If not, a number or a name of it is not in the tables.
    pub(crate) known: bool,
}

/// What a value means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Explained {
    /// As the manual names it.
    pub(crate) name: String,
    /// As it stands on the line; `***` for a secret, empty for one that is not given.
    pub(crate) value: String,
    pub(crate) meaning: String,
}

impl Explanation {
    fn new(sentence: impl Into<String>) -> Self {
        Self {
            sentences: vec![sentence.into()],
            values: Vec::new(),
            wrong: Vec::new(),
            source: None,
            known: true,
        }
    }

    fn unknown(mut self) -> Self {
        self.known = false;
        self
    }

    fn and(mut self, sentence: impl Into<String>) -> Self {
        self.sentences.push(sentence.into());
        self
    }

    fn with(mut self, values: Vec<Explained>) -> Self {
        self.values = values;
        self
    }

    fn from(mut self, source: Source) -> Self {
        self.source = Some(source);
        self
    }

    /// The first sentence, for the end of a line; what is wrong with the line comes first.
    pub(crate) fn brief(&self) -> String {
        match &self.wrong[..] {
            [] => self.sentences.first().cloned().unwrap_or_default(),
            wrong => sentence(&format!("not as it must be: {}", wrong.join("; "))),
        }
    }

    /// All of it as lines of text.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.sentences.join(" ")];
        let width = |of: fn(&Explained) -> &str| {
            let widths = self.values.iter().map(|value| of(value).chars().count());
            // A long value pushes its meaning to the right alone.
            widths.filter(|width| *width <= 24).max().unwrap_or(0)
        };
        let (names, values) = (width(|v| &v.name), width(|v| &v.value));
        for value in &self.values {
            let Explained {
                name,
                value,
                meaning,
            } = value;
            let line = match values {
                0 => format!("  {name:names$}  {meaning}"),
                _ => format!("  {name:names$}  {value:values$}  {meaning}"),
            };
            lines.push(line.trim_end().to_owned());
        }
        if let Some(source) = self.source {
            lines.push(format!("  source: {source}"));
        }
        lines
    }

    /// All of it as a value of JSON.
    pub(crate) fn json(&self) -> Value {
        let values = self.values.iter().map(
            |value| json!({ "name": value.name, "value": value.value, "meaning": value.meaning }),
        );
        json!({
            "meaning": self.sentences.join(" "),
            "values": values.collect::<Vec<_>>(),
            "source": self.source.map(|source| source.place),
            "sure": self.source.map(Source::words),
        })
    }
}

/// What a line means that host or module have sent, without its line end; `None` if nothing is
/// known of it.
///
/// `asked` is the command that was last sent and may be answered by the line. Without it, answers
/// in free text are not recognised, and a line that can be an answer or a URC is told as both.
///
/// Passwords, PINs and device secrets are not repeated.
pub(crate) fn explain_line(line: &[u8], asked: Option<&[u8]>) -> Option<Explanation> {
    let line = line.trim_ascii();
    if grammar::body(line).is_some()
        && let Some(explanation) = command::explain(line)
    {
        return Some(explanation);
    }
    code::explain(line, asked)
        .or_else(|| urc::explain(line, asked))
        .or_else(|| lint::explain(line))
        .or_else(|| response::explain(line, asked))
}

/// Text with its first letter as a capital and a full stop behind it.
fn sentence(text: &str) -> String {
    let text = text.trim_end_matches('.');
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    let mut sentence: String = first.into_iter().chain(characters).collect();
    if !sentence.ends_with('?') {
        sentence.push('.');
    }
    sentence
}
