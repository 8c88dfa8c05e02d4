//! Standard error, on which the program tells what happens: messages and log, line by line.

use std::io::{self, Write, stderr};
use std::sync::atomic::{AtomicBool, Ordering};

/// Nothing is told.
static MUTED: AtomicBool = AtomicBool::new(false);

/// Tells nothing from now on: standard error leads to where only bytes of a module may go.
pub(crate) fn mute() {
    MUTED.store(true, Ordering::Relaxed);
}

/// Writes a line to standard error. That nobody reads it is no reason to end.
pub(crate) fn tell(line: &str) {
    if !MUTED.load(Ordering::Relaxed) {
        let _ = writeln!(stderr(), "{line}");
    }
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
