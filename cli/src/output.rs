//! Standard output. Everything that is printed there goes through here, as everything on standard
//! error goes through [`messages`](crate::messages): a print that fails is an error and no panic,
//! and one that blocks keeps no signal from being noticed. Clippy holds the program to it
//! (`clippy.toml`).

mod writer;

use std::fmt::Display;
use std::io::{self, stdout};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use anstyle::Style;

pub(crate) use self::writer::Writer;

use crate::failure::{Failure, FailureKind};

static STDOUT: Writer = Writer::new(rustix::stdio::stdout);

/// Prints a line, and waits until it is printed.
pub(crate) fn print_line(line: impl AsRef<[u8]>) -> Result<(), Failure> {
    written(STDOUT.write(with_end(line)))
}

/// Prints bytes as they are, and waits until they are printed.
pub(crate) fn print_bytes(bytes: impl AsRef<[u8]>) -> Result<(), Failure> {
    written(STDOUT.write(bytes.as_ref().to_vec()))
}

/// Prints bytes as they are; other tasks go on while nobody reads them. Dropping the future leaves
/// open whether they are printed.
pub(crate) async fn print_meanwhile(bytes: Vec<u8>) -> Result<(), Failure> {
    written(STDOUT.written(bytes).await)
}

/// Prints a line some time, and does not wait. Returns whether there was room for it.
///
/// # Errors
/// One of the lines before could not be printed. Told once.
pub(crate) fn print_later(line: impl AsRef<[u8]>) -> Result<bool, Failure> {
    STDOUT.offer(with_end(line)).map_err(|error| failed(&error))
}

/// The line with its line feed.
pub(crate) fn with_end(line: impl AsRef<[u8]>) -> Vec<u8> {
    [line.as_ref(), b"\n"].concat()
}

/// The style, where standard output shows styles.
pub(crate) fn on_stdout(style: Style) -> Style {
    match AutoStream::choice(&stdout()) {
        ColorChoice::Never => Style::new(),
        _ => style,
    }
}

/// The program has been told to end: nobody waits any longer for a standard output that takes
/// nothing.
pub(crate) fn hurry() {
    STDOUT.hurry();
}

/// Waits a moment for what is still to be printed.
pub(crate) fn finish() {
    STDOUT.drain(LAST);
}

/// How long is waited at the end for what nobody has waited for.
pub(crate) const LAST: Duration = Duration::from_millis(500);

/// So many of something.
pub(crate) fn count<N: Copy + Display + PartialEq + From<u8>>(
    number: N,
    what: impl Display,
) -> String {
    let plural = if number == N::from(1) { "" } else { "s" };
    format!("{number} {what}{plural}")
}

fn written(written: io::Result<()>) -> Result<(), Failure> {
    written.map_err(|error| failed(&error))
}

fn failed(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::new(
            FailureKind::NobodyReads,
            "the reader of standard output has left",
        ),
        io::ErrorKind::TimedOut => Failure::new(
            FailureKind::Stopped,
            "stopped while standard output took nothing",
        ),
        _ => Failure::new(
            FailureKind::Unavailable,
            format!("cannot write to standard output: {error}"),
        ),
    }
}
