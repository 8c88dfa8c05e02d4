//! Standard error, on which the program tells what happens: messages and log, line by line.

use std::io::{self, Write, stderr};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

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

/// Writes a line to standard error. That nobody reads it is no reason to end.
pub(crate) fn tell(line: &str) {
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

/// Writes the log's lines, each with one call.
pub(crate) struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        tell(text.strip_suffix('\n').unwrap_or(&text));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
