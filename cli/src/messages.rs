//! Standard error, on which the program tells what happens: messages and log, line by line.

use std::fmt::{self, Debug};
use std::io::{self, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::format;

use crate::output::{LAST, Writer, count, with_end};
use crate::visible::printable;

static STDERR: Writer = Writer::new(rustix::stdio::stderr);

/// How long a standard error that flowed before is waited for. Nearly always a line is there at
/// once, and so comes before what is printed behind it.
const PATIENCE: Duration = Duration::from_millis(100);

/// Lines for which there was no room.
static LOST: AtomicU64 = AtomicU64::new(0);

/// Where lines go.
static TARGET: Mutex<Target> = Mutex::new(Target::Stderr);

enum Target {
    Stderr,
    /// To somebody who knows what else is on the terminal.
    Redirected(SyncSender<String>),
    Nowhere,
}

/// Lines that may wait for who prints them.
const WAITING: usize = 1024;

/// Tells nothing from now on: standard error leads to where only bytes of a module may go.
pub(crate) fn mute() {
    set(Target::Nowhere);
}

/// Has lines printed by this, on a thread of its own, until the guard is dropped.
pub(crate) fn redirect(print: impl FnMut(String) + Send + 'static) -> Redirected {
    let (sender, lines): (_, Receiver<String>) = sync_channel(WAITING);
    thread::spawn(move || lines.into_iter().for_each(print));
    set(Target::Redirected(sender));
    Redirected
}

/// Lines go elsewhere until this is dropped.
pub(crate) struct Redirected;

impl Drop for Redirected {
    fn drop(&mut self) {
        set(Target::Stderr);
    }
}

/// Writes a line to standard error, without anything that a terminal would execute. That nobody
/// reads it is no reason to end.
pub(crate) fn tell(line: &str) {
    tell_styled(&printable(line));
}

/// Writes a line with styles in it. All in it that comes from outside is
/// [visible](crate::visible) already.
pub(crate) fn tell_styled(line: &str) {
    let redirected = match &*TARGET.lock().expect("nothing panics with it held") {
        Target::Nowhere => return,
        Target::Stderr => None,
        Target::Redirected(lines) => Some(lines.clone()),
    };
    let left = match redirected {
        None => None,
        Some(lines) => match lines.try_send(line.to_owned()) {
            Ok(()) => return,
            // Better in a mess than not at all.
            Err(TrySendError::Full(line) | TrySendError::Disconnected(line)) => Some(line),
        },
    };
    print(left.as_deref().unwrap_or(line));
}

/// Draws on the terminal at standard error, unless that takes nothing.
pub(crate) fn paint(text: &str) {
    // The next one draws all anew.
    let _ = STDERR.offer(text.as_bytes().to_vec());
}

/// Waits a moment for what is still to be written.
pub(crate) fn finish() {
    STDERR.drain(LAST);
}

/// A line that cannot be written is lost: standard error is the last place to tell of anything.
fn print(line: &str) {
    let lost = LOST.swap(0, Ordering::Relaxed);
    let mut text = with_end(line);
    if lost > 0 {
        let lost = count(lost, "line");
        text.splice(0..0, with_end(format!("atmq: {lost} lost here")));
    }
    let flows = STDERR.drain(Duration::ZERO);
    if !matches!(STDERR.offer(text), Ok(true)) {
        LOST.fetch_add(lost + 1, Ordering::Relaxed);
    }
    if flows {
        STDERR.drain(PATIENCE);
    }
}

fn set(target: Target) {
    *TARGET.lock().expect("nothing panics with it held") = target;
}

/// Writes the log's lines, each with one call. They may have styles: [`field`] has seen to all that
/// comes from outside.
pub(crate) struct Log;

/// Writes a field of the log, without anything that a terminal would execute.
pub(crate) fn field(writer: &mut format::Writer<'_>, name: &str, value: &dyn Debug) -> fmt::Result {
    let value = printable(format!("{value:?}"));
    match name {
        // How many of its kind were not told before: mostly none.
        "held_back" if value == "0" => Ok(()),
        "message" => writer.write_str(&value),
        name => write!(writer, "{name}={value}"),
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        // A field of which nothing is told has left its blank.
        tell_styled(text.trim_end());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_cannot_control_the_terminal() {
        let hostile = "a\x1b[2J\u{9b}2J\u{202e}b";
        for (name, expected) in [
            ("message", r"a\x1b[2J\u{9b}2J\u{202e}b"),
            ("error", r"error=a\x1b[2J\u{9b}2J\u{202e}b"),
        ] {
            let mut out = String::new();
            // As a value is logged that is shown by its Display.
            field(
                &mut format::Writer::new(&mut out),
                name,
                &format_args!("{hostile}"),
            )
            .unwrap();
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn that_nothing_was_held_back_is_not_told() {
        for (count, expected) in [(0, ""), (3, "held_back=3")] {
            let mut out = String::new();
            field(&mut format::Writer::new(&mut out), "held_back", &count).unwrap();
            assert_eq!(out, expected);
        }
    }
}
