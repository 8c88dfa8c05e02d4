//! Standard error, on which the program tells what happens: messages and log, line by line.

use std::fmt::{self, Debug};
use std::io::{self, Write, stderr};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use tracing_subscriber::fmt::format::Writer;

use crate::visible::printable;

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
    write_line(&printable(line));
}

fn write_line(line: &str) {
    let target = TARGET.lock().expect("nothing panics with it held");
    let line = match &*target {
        Target::Nowhere => return,
        Target::Stderr => line.to_owned(),
        Target::Redirected(lines) => match lines.try_send(line.to_owned()) {
            Ok(()) => return,
            // Better in a mess than not at all.
            Err(TrySendError::Full(line) | TrySendError::Disconnected(line)) => line,
        },
    };
    let _ = writeln!(stderr(), "{line}");
}

fn set(target: Target) {
    *TARGET.lock().expect("nothing panics with it held") = target;
}

/// Writes the log's lines, each with one call. They may have styles: [`field`] has seen to all that
/// comes from outside.
pub(crate) struct Log;

/// Writes a field of the log, without anything that a terminal would execute.
pub(crate) fn field(writer: &mut Writer<'_>, name: &str, value: &dyn Debug) -> fmt::Result {
    let value = printable(format!("{value:?}"));
    match name {
        "message" => writer.write_str(&value),
        name => write!(writer, "{name}={value}"),
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        write_line(text.strip_suffix('\n').unwrap_or(&text));
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
            field(&mut Writer::new(&mut out), name, &format_args!("{hostile}")).unwrap();
            assert_eq!(out, expected);
        }
    }
}
