use std::time::Duration;

use atmq_driver::Direction;
use atmq_protocol::at::result_code::FinalResult;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::capture::{Entry, Hop, Kind, Session};
use crate::duration::span;
use crate::output::count;
use crate::replay::utc;
use crate::visible::{printable, visible};

/// What is drawn: everything is decided but the places.
#[derive(Debug)]
pub(super) struct Diagram<'s> {
    pub(super) title: String,
    /// Where and when, and how much of it.
    pub(super) about: String,
    pub(super) rows: Vec<Row<'s>>,
    /// Whether anything is known of the broker.
    pub(super) broker: bool,
    /// Things that went wrong.
    pub(super) failures: usize,
}

/// A line of the diagram.
#[derive(Debug)]
pub(super) struct Row<'s> {
    pub(super) at: Duration,
    /// The time since the row before.
    pub(super) pause: Duration,
    pub(super) from: Lane,
    pub(super) to: Lane,
    pub(super) class: Class,
    pub(super) text: String,
    pub(super) meaning: Option<String>,
    pub(super) exchange: Option<u64>,
    /// What stands together has the same: an exchange, or a URC with the packet that it is from.
    pub(super) group: u64,
    /// What was said; `None` for what is inferred.
    pub(super) entry: Option<&'s Entry>,
}

/// Who takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    Host,
    Module,
    Broker,
}

impl Lane {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Module => "module",
            Self::Broker => "broker",
        }
    }
}

/// How a row looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Command,
    Data,
    Answer,
    Fine,
    Bad,
    Urc,
    Unknown,
    Hop,
    /// Something that did not come.
    Missing,
    /// What nobody said on the line, such as a change of the world.
    Aside,
}

impl Class {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Data => "data",
            Self::Answer => "answer",
            Self::Fine => "fine",
            Self::Bad => "bad",
            Self::Urc => "urc",
            Self::Unknown => "unknown",
            Self::Hop => "hop",
            Self::Missing => "bad aside",
            Self::Aside => "aside",
        }
    }

    /// Whether it is a remark on what passes, and no arrow.
    pub(super) fn is_remark(self) -> bool {
        matches!(self, Self::Missing | Self::Aside)
    }
}

impl<'s> Diagram<'s> {
    pub(super) fn new(session: &'s Session, title: String) -> Self {
        let mut entries: Vec<(&Entry, Option<&Hop>)> = Vec::new();
        for exchange in &session.exchanges {
            // What a command has the module send is sent once the module has accepted it.
            let mut sends = None;
            for entry in &exchange.entries {
                let mut hop = entry.hop.as_ref();
                if let Some(outward) = hop.take_if(|hop| hop.outward) {
                    sends = Some(outward);
                }
                if entry.kind == Kind::Result {
                    hop = sends.take().filter(|_| is_accepted(entry));
                }
                entries.push((entry, hop));
            }
        }
        entries.retain(|(entry, _)| entry.kind != Kind::Echo);
        // An exchange may have begun before another one's end.
        entries.sort_by_key(|(entry, _)| entry.order);
        let mut diagram = Self {
            title,
            about: String::new(),
            rows: Vec::new(),
            broker: entries.iter().any(|(_, hop)| hop.is_some()),
            failures: entries.iter().filter(|(entry, _)| entry.failed).count(),
        };
        for (entry, hop) in entries {
            let inward = hop.filter(|hop| !hop.outward);
            let outward = hop.filter(|hop| hop.outward);
            if let Some(hop) = inward {
                diagram.hop(entry, hop);
            }
            diagram.said(entry);
            if let Some(hop) = outward {
                diagram.hop(entry, hop);
            }
        }
        diagram.about = about(session, diagram.failures);
        diagram
    }

    fn said(&mut self, entry: &'s Entry) {
        let (from, to) = match entry.from {
            Direction::HostToModule => (Lane::Host, Lane::Module),
            Direction::ModuleToHost => (Lane::Module, Lane::Host),
        };
        let class = match entry.kind {
            Kind::Missing => Class::Missing,
            Kind::World | Kind::Comment | Kind::Note => Class::Aside,
            _ if entry.failed => Class::Bad,
            Kind::Command => Class::Command,
            Kind::Data => Class::Data,
            Kind::Prompt | Kind::Response | Kind::Echo => Class::Answer,
            Kind::Result | Kind::Report => Class::Fine,
            Kind::Urc => Class::Urc,
            Kind::Unknown => Class::Unknown,
        };
        let meaning = entry.meaning.as_deref().map(printable);
        let (text, meaning) = match class {
            Class::Missing => (meaning.unwrap_or_default(), None),
            Class::Aside => (printable(&entry.bytes), None),
            _ => (visible(&entry.bytes), meaning),
        };
        self.push(Row {
            at: entry.at,
            pause: Duration::ZERO,
            from,
            to,
            class,
            text,
            meaning,
            exchange: entry.exchange,
            group: group(entry),
            entry: Some(entry),
        });
    }

    fn hop(&mut self, entry: &'s Entry, hop: &Hop) {
        let (from, to) = if hop.outward {
            (Lane::Module, Lane::Broker)
        } else {
            (Lane::Broker, Lane::Module)
        };
        self.push(Row {
            at: entry.at,
            pause: Duration::ZERO,
            from,
            to,
            class: Class::Hop,
            text: printable(&hop.label),
            meaning: None,
            exchange: entry.exchange,
            group: group(entry),
            entry: None,
        });
    }

    fn push(&mut self, mut row: Row<'s>) {
        let before = self.rows.last().map_or(row.at, |last| last.at);
        row.pause = row.at.saturating_sub(before);
        self.rows.push(row);
    }
}

/// Whether the module does what it was told to.
fn is_accepted(result: &Entry) -> bool {
    let result = FinalResult::decode(&result.bytes);
    matches!(result, Some(FinalResult::Ok | FinalResult::Connect(_)))
}

fn group(entry: &Entry) -> u64 {
    entry.exchange.unwrap_or(u64::MAX - entry.order)
}

fn about(session: &Session, failures: usize) -> String {
    let commands = session
        .exchanges
        .iter()
        .filter(|exchange| exchange.number.is_some())
        .count();
    let last = session
        .exchanges
        .iter()
        .flat_map(|exchange| &exchange.entries);
    let length = last.map(|entry| entry.at).max().unwrap_or_default();
    let port = session.about.port.as_deref().unwrap_or("a serial line");
    let failed = match failures {
        0 => String::new(),
        failures => format!(", {}", count(failures, "failure")),
    };
    format!(
        "{port} · {} · {} in {}{failed}",
        utc(session.start),
        count(commands, "command"),
        span(length)
    )
}

/// A text cut to so many columns, with how many characters are missing.
pub(super) fn elided(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let length = text.chars().count();
    // As long as it can get.
    let note = format!("… +{length}").width();
    let mut left = room.saturating_sub(note);
    let fits = |character: &char| {
        let width = character.width().unwrap_or(0);
        let fits = width <= left;
        left = left.saturating_sub(width);
        fits
    };
    let kept: String = text.chars().take_while(fits).collect();
    let missing = length - kept.chars().count();
    format!("{kept}… +{missing}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_to_its_room() {
        assert_eq!(elided("0123456789", 10), "0123456789");
        assert_eq!(elided("0123456789a", 10), "01234… +6");
        assert_eq!(elided("温度温度温度", 10), "温度温… +3");
        assert_eq!(elided("abc", 0), "… +3");
    }
}
