//! `atmq diff`

use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use atmq_driver::Direction;
use serde_json::{Value, json};
use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::capture::{Entry, Exchange, Kind, Mask, Session};
use crate::failure::{Failure, FailureKind};
use crate::output::{on_stdout, print_line, print_styled};
use crate::visible::{json as to_line, visible};

/// Compare two captures, exchange by exchange
///
/// An exchange is a command and everything that answers it. Timing is ignored. Exits with 0 if the
/// captures are alike, and with 1 if they differ.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// First capture
    #[arg(value_name = "A")]
    old: PathBuf,
    /// Second capture
    #[arg(value_name = "B")]
    new: PathBuf,
    /// Ignore differences in what matches, such as a client id (repeatable)
    #[arg(long = "mask", value_name = "REGEX")]
    masks: Vec<Mask>,
    /// Compare the echo of commands as well
    #[arg(long)]
    echo: bool,
    /// Print one line of JSON for each exchange that differs, and a summary
    #[arg(long)]
    json: bool,
}

/// Exchanges that are shown around a difference.
const CONTEXT: usize = 1;

/// What stands for something that did not come: after what time that was clear does not count.
const MISSING: &str = "!";

const REMOVED: Style = AnsiColor::Red.on_default();
const ADDED: Style = AnsiColor::Green.on_default();
const DIMMED: Style = Style::new().dimmed();

/// An exchange.
struct Lines {
    /// What is compared, a line each.
    compared: Vec<String>,
    /// What is shown of the same lines: how long was waited for what did not come, too.
    shown: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (old, new) = (
        Session::load(&arguments.old)?,
        Session::load(&arguments.new)?,
    );
    let [before, after] = [&old, &new].map(|session| arguments.lines(session));
    let [a, b] = [&before, &after].map(|lines| compared(lines));
    let operations = capture_diff_slices(Algorithm::Myers, &a, &b);
    let alike = operations
        .iter()
        .all(|operation| matches!(operation, DiffOp::Equal { .. }));
    let mut different = 0;
    if arguments.json {
        for operation in &operations {
            different += print_json(operation, &before, &after)?;
        }
        let [a, b] = [before.len(), after.len()];
        let sum = json!({ "event": "summary", "different": different, "a": a, "b": b });
        print_line(to_line(&sum))?;
    } else if !alike {
        print(REMOVED, "---", &arguments.old.display().to_string())?;
        print(ADDED, "+++", &arguments.new.display().to_string())?;
        let last = operations.len() - 1;
        for (place, operation) in operations.iter().enumerate() {
            different += show(operation, &before, &after, (place == 0, place == last))?;
        }
    }
    // What was compared ends where one could not be read.
    if let Some(damage) = old.damage.or(new.damage) {
        return Err(damage);
    }
    if alike {
        return Ok(());
    }
    let total = before.len().max(after.len());
    let what = format!("{different} of {total} exchanges differ");
    Err(Failure::new(FailureKind::Refused, what))
}

impl Arguments {
    fn lines(&self, session: &Session) -> Vec<Lines> {
        let exchanges = session.exchanges.iter();
        let said = exchanges.filter(|exchange| {
            let mut entries = exchange.entries.iter();
            entries.any(|entry| !entry.kind.is_aside())
        });
        said.map(|exchange| self.exchange(exchange)).collect()
    }

    fn exchange(&self, exchange: &Exchange) -> Lines {
        let entries = exchange.entries.iter();
        let entries = entries.filter(|entry| self.echo || entry.kind != Kind::Echo);
        let (compared, shown) = entries.map(|entry| self.line(entry)).unzip();
        Lines { compared, shown }
    }

    /// An entry as it is compared, and as it is shown.
    fn line(&self, entry: &Entry) -> (String, String) {
        if entry.kind == Kind::Missing {
            let meaning = entry.meaning.as_deref().unwrap_or_default();
            return (MISSING.to_owned(), format!("! {meaning}"));
        }
        let arrow = match entry.from {
            Direction::HostToModule => ">",
            Direction::ModuleToHost => "<",
        };
        let said = Mask::all(&self.masks, &entry.bytes);
        let line = format!("{arrow} {}", visible(&said));
        (line.clone(), line)
    }
}

fn compared(exchanges: &[Lines]) -> Vec<&[String]> {
    let exchanges = exchanges.iter();
    exchanges.map(|exchange| &exchange.compared[..]).collect()
}

/// Prints what an operation changes: exchanges of A, and those of B in their place. Returns how many
/// exchanges differ.
fn print_json(operation: &DiffOp, before: &[Lines], after: &[Lines]) -> Result<usize, Failure> {
    if matches!(operation, DiffOp::Equal { .. }) {
        return Ok(0);
    }
    let (old, new) = (operation.old_range(), operation.new_range());
    let count = old.len().max(new.len());
    for place in 0..count {
        let [a, b] = [(&old, before), (&new, after)].map(|(range, exchanges)| {
            let at = (range.start + place < range.end).then_some(range.start + place);
            at.map(|at| json!({ "exchange": at, "said": said(&exchanges[at]) }))
        });
        print_line(to_line(&json!({ "event": "difference", "a": a, "b": b })))?;
    }
    Ok(count)
}

/// The lines of an exchange, and whose each is.
fn said(exchange: &Lines) -> Vec<Value> {
    let lines = exchange.shown.iter().map(|line| match line.split_at(2) {
        ("> ", text) => json!({ "from": "host", "text": text }),
        ("! ", meaning) => json!({ "missing": meaning }),
        (_, text) => json!({ "from": "module", "text": text }),
    });
    lines.collect()
}

/// Shows what an operation changes. Returns how many exchanges differ.
fn show(
    operation: &DiffOp,
    before: &[Lines],
    after: &[Lines],
    (first, last): (bool, bool),
) -> Result<usize, Failure> {
    let (removed, added) = (
        &before[operation.old_range()],
        &after[operation.new_range()],
    );
    if matches!(operation, DiffOp::Equal { .. }) {
        show_alike(removed, first, last)?;
        return Ok(0);
    }
    // Exchanges of the same command, in the same order, are one that has changed.
    let pairs = removed.len().min(added.len());
    for (old, new) in removed.iter().zip(added) {
        for change in capture_diff_slices(Algorithm::Myers, &old.compared, &new.compared) {
            let alike = matches!(change, DiffOp::Equal { .. });
            let style = if alike { Style::new() } else { REMOVED };
            let mark = if alike { " " } else { "-" };
            for line in &old.shown[change.old_range()] {
                print(style, mark, line)?;
            }
            for line in new.shown[change.new_range()].iter().filter(|_| !alike) {
                print(ADDED, "+", line)?;
            }
        }
        print_line("")?;
    }
    for (style, mark, exchanges) in [
        (REMOVED, "-", &removed[pairs..]),
        (ADDED, "+", &added[pairs..]),
    ] {
        for exchange in exchanges {
            for line in &exchange.shown {
                print(style, mark, line)?;
            }
            print_line("")?;
        }
    }
    Ok(removed.len().max(added.len()))
}

/// Shows the exchanges next to a difference, and how many there are between.
fn show_alike(exchanges: &[Lines], first: bool, last: bool) -> Result<(), Failure> {
    let head = if first {
        0
    } else {
        CONTEXT.min(exchanges.len())
    };
    let tail = if last {
        0
    } else {
        CONTEXT.min(exchanges.len() - head)
    };
    let (head, rest) = exchanges.split_at(head);
    let (middle, tail) = rest.split_at(rest.len() - tail);
    for exchange in head {
        show_one(exchange)?;
    }
    match middle.len() {
        0 => {}
        1 => show_one(&middle[0])?,
        count => {
            print(DIMMED, "", &format!("({count} exchanges alike)"))?;
            print_line("")?;
        }
    }
    tail.iter().try_for_each(show_one)
}

fn show_one(exchange: &Lines) -> Result<(), Failure> {
    for line in &exchange.shown {
        print(Style::new(), " ", line)?;
    }
    print_line("")
}

fn print(style: Style, mark: &str, line: &str) -> Result<(), Failure> {
    let style = on_stdout(style);
    let blank = if mark.is_empty() { "" } else { " " };
    print_styled(format!("{style}{mark}{blank}{line}{style:#}"))
}
