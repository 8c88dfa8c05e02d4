use std::time::Duration;

use anstyle::{AnsiColor, Style};
use atmq_driver::Direction::{self, HostToModule, ModuleToHost};
use data_encoding::HEXLOWER;
use serde_json::json;
use time::OffsetDateTime;

use crate::capture::dialogue::Dialogue;
use crate::capture::{Capture, Entry, Event, Kind};
use crate::duration::milliseconds;
use crate::failure::Failure;
use crate::messages::tell;
use crate::output::{on_stdout, print_line, print_styled};
use crate::visible::json as to_line;
use crate::visible::{printable, visible};

/// How a capture is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// What was said, with its meaning.
    Text,
    /// The same as JSON.
    Json,
    /// The bytes of each record.
    Raw,
}

pub(super) fn show(mut capture: Capture, how: How) -> Result<(), Failure> {
    let mut dialogue = Dialogue::new();
    let mut start = None;
    let mut damage = Ok(());
    while let Some(next) = capture.next() {
        let record = match next {
            Ok(record) => record,
            Err(failure) => {
                damage = Err(failure);
                break;
            }
        };
        if start.is_none() && how != How::Json {
            head(&capture, record.at)?;
        }
        let start = *start.get_or_insert(record.at);
        // A clock that was set back must not hide what follows.
        let at = record.at.saturating_sub(start);
        match record.event {
            Event::Bytes(direction, bytes) if how == How::Raw => {
                print_line(columns(at, direction, &visible(&bytes)))?;
            }
            event => dialogue.take(at, event),
        }
        while let Some(entry) = dialogue.next() {
            print(&entry, how)?;
        }
    }
    dialogue.end();
    while let Some(entry) = dialogue.next() {
        print(&entry, how)?;
    }
    incomplete(
        dialogue.incomplete(),
        "at the end make no complete line; see --raw",
    );
    capture.about().remark();
    damage?;
    if start.is_none() && how != How::Json {
        print_line("(nothing was recorded)")?;
    }
    if capture.about().complete == Some(false) {
        tell("atmq: the recording was cut here: it has no end mark");
    }
    Ok(())
}

/// Tells of bytes of host and module that make no line.
pub(crate) fn incomplete(lengths: [usize; 2], words: &str) {
    for (direction, length) in [HostToModule, ModuleToHost].into_iter().zip(lengths) {
        if length > 0 {
            tell(&format!(
                "atmq: {length} bytes of the {} {words}",
                who(direction)
            ));
        }
    }
}

/// Where the capture is from, and when it was made.
fn head(capture: &Capture, at: Duration) -> Result<(), Failure> {
    let about = capture.about();
    let port = about.port.as_deref().unwrap_or("a serial line");
    let by = about
        .program
        .as_ref()
        .map(|program| format!(", recorded by {program}"));
    let when = utc(at);
    print_line(format!("{port}{}, from {when}\n", by.unwrap_or_default()))
}

/// A time since 1970 as a date and a time of day.
pub(crate) fn utc(at: Duration) -> String {
    let seconds = i64::try_from(at.as_secs()).ok();
    let moment = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    let Some(moment) = moment else {
        return format!("{} s after 1970", at.as_secs());
    };
    let (date, (hour, minute, second)) = (moment.date(), moment.to_hms());
    let milliseconds = at.subsec_millis();
    format!("{date} {hour:02}:{minute:02}:{second:02}.{milliseconds:03} UTC")
}

fn print(entry: &Entry, how: How) -> Result<(), Failure> {
    match how {
        How::Json => print_line(to_line(&as_json(entry))),
        _ => print_styled(as_text(entry)),
    }
}

/// A line for people: time, who, what, and its meaning in a column of its own as far as it fits.
pub(crate) fn as_text(entry: &Entry) -> String {
    /// Where the meanings begin; behind longer lines two blanks later.
    const MEANING: usize = 68;
    let said = match entry.kind {
        Kind::Echo => format!("{}  (echo)", visible(&entry.bytes)),
        _ => visible(&entry.bytes),
    };
    let line = match entry.kind {
        kind if kind.is_aside() => aside(entry.at, "--", &printable(&entry.bytes)),
        Kind::Missing => {
            let words = entry.meaning.as_deref().unwrap_or_default();
            let style = style(entry);
            return format!("{style}{}{style:#}", aside(entry.at, "!!", words));
        }
        _ => columns(entry.at, entry.from, &said),
    };
    let style = style(entry);
    match &entry.meaning {
        Some(meaning) => {
            let blanks = MEANING.saturating_sub(line.chars().count()).max(2);
            let dimmed = on_stdout(Style::new().dimmed());
            let meaning = printable(meaning);
            format!(
                "{style}{line}{style:#}{:blanks$}{dimmed}# {meaning}{dimmed:#}",
                ""
            )
        }
        None => format!("{style}{line}{style:#}"),
    }
}

/// How an entry looks on a terminal.
fn style(entry: &Entry) -> Style {
    on_stdout(match entry.kind {
        _ if entry.failed => AnsiColor::Red.on_default(),
        Kind::Command => AnsiColor::Cyan.on_default(),
        Kind::Data => AnsiColor::Yellow.on_default(),
        Kind::Result | Kind::Report => AnsiColor::Green.on_default(),
        Kind::Urc => AnsiColor::Magenta.on_default(),
        Kind::Echo | Kind::Prompt | Kind::Unknown => Style::new().dimmed(),
        Kind::World | Kind::Comment | Kind::Note => AnsiColor::Blue.on_default(),
        Kind::Response | Kind::Missing => Style::new(),
    })
}

fn columns(at: Duration, from: Direction, said: &str) -> String {
    let arrow = match from {
        HostToModule => ">",
        ModuleToHost => "<",
    };
    format!("{:10.3}  {:6} {arrow} {said}", at.as_secs_f64(), who(from))
}

/// What nobody said, in words.
fn aside(at: Duration, mark: &str, words: &str) -> String {
    format!("{:10.3}  {mark} {words}", at.as_secs_f64())
}

/// The entry with every byte.
pub(crate) fn as_json(entry: &Entry) -> serde_json::Value {
    let text = String::from_utf8_lossy(&entry.bytes);
    let (event, ms) = (entry.kind.name(), milliseconds(entry.at));
    match entry.kind {
        Kind::World => {
            let (kind, words) = text.split_once(": ").unwrap_or(("other", &text));
            return json!({ "event": event, "ms": ms, "kind": kind, "text": words });
        }
        Kind::Comment | Kind::Note => return json!({ "event": event, "ms": ms, "text": text }),
        Kind::Missing => {
            return json!({
                "event": event,
                "ms": ms,
                "from": who(entry.from),
                "exchange": entry.exchange,
                "waited_ms": entry.waited.map(milliseconds),
                "meaning": entry.meaning,
            });
        }
        _ => {}
    }
    json!({
        "event": event,
        "ms": ms,
        "from": who(entry.from),
        "text": visible(&entry.bytes),
        "hex": HEXLOWER.encode(&entry.bytes),
        "exchange": entry.exchange,
        "meaning": entry.meaning,
        "failed": entry.failed,
    })
}

pub(crate) fn who(from: Direction) -> &'static str {
    match from {
        HostToModule => "host",
        ModuleToHost => "module",
    }
}
