//! Standard output. Everything that is printed there goes through here, as everything on standard
//! error goes through [`messages`](crate::messages): a print that fails is an error and no panic,
//! one that blocks keeps no signal from being noticed, and what a terminal would execute is shown.
//! Pipes and files get the bytes as they are. Clippy holds the program to it (`clippy.toml`).

mod writer;

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, IsTerminal as _, stdout};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use anstyle::Style;

pub(crate) use self::writer::Writer;

use crate::failure::{Failure, FailureKind};
use crate::visible::on_terminal;

static STDOUT: Writer = Writer::new(rustix::stdio::stdout);

/// Prints a line, and waits until it is printed.
pub(crate) fn print_line(line: impl AsRef<[u8]>) -> Result<(), Failure> {
    print_styled(harmless(line.as_ref()))
}

/// Prints a line with [styles](on_stdout) in it. All in it that comes from outside is
/// [visible](crate::visible) already.
pub(crate) fn print_styled(line: impl AsRef<[u8]>) -> Result<(), Failure> {
    written(STDOUT.write(with_end(line)))
}

/// Prints bytes, and waits until they are printed.
pub(crate) fn print_bytes(bytes: impl AsRef<[u8]>) -> Result<(), Failure> {
    written(STDOUT.write(harmless(bytes.as_ref()).into_owned()))
}

/// Controls the terminal, in words of our own.
pub(crate) fn control(sequence: &str) -> Result<(), Failure> {
    written(STDOUT.write(sequence.into()))
}

/// Prints bytes; other tasks go on while nobody reads them. Dropping the future leaves open whether
/// they are printed.
pub(crate) async fn print_meanwhile(bytes: Vec<u8>) -> Result<(), Failure> {
    written(STDOUT.written(harmless(&bytes).into_owned()).await)
}

/// Prints a line some time, and does not wait. Returns whether there was room for it.
///
/// # Errors
/// One of the lines before could not be printed. Told once.
pub(crate) fn print_later(line: impl AsRef<[u8]>) -> Result<bool, Failure> {
    let line = with_end(harmless(line.as_ref()));
    STDOUT.offer(line).map_err(|error| failed(&error))
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

/// The bytes as standard output may be given them.
fn harmless(bytes: &[u8]) -> Cow<'_, [u8]> {
    match stdout().is_terminal() {
        true => Cow::Owned(on_terminal(bytes).into_bytes()),
        false => Cow::Borrowed(bytes),
    }
}

/// A signal has stopped the program: from now on, do not wait for a standard output that takes
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
