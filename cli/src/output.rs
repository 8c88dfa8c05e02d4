use std::borrow::Cow;
use std::fmt::Display;
use std::io::{IsTerminal as _, Write, stdout};

use anstream::{AutoStream, ColorChoice};
use anstyle::Style;

use crate::failure::{Failure, FailureKind};
use crate::visible::on_terminal;

/// Prints a line, at once. `println!` would panic when nobody reads it any more. What a terminal
/// would execute is shown; pipes and files get the bytes as they are.
pub(crate) fn print_line(line: impl AsRef<[u8]>) -> Result<(), Failure> {
    print(&[&harmless(line.as_ref()), b"\n"])
}

/// Prints a line with [styles](on_stdout) in it. All in it that comes from outside is
/// [visible](crate::visible) already.
pub(crate) fn print_styled(line: impl AsRef<[u8]>) -> Result<(), Failure> {
    print(&[line.as_ref(), b"\n"])
}

/// The style, where standard output shows styles.
pub(crate) fn on_stdout(style: Style) -> Style {
    match AutoStream::choice(&stdout()) {
        ColorChoice::Never => Style::new(),
        _ => style,
    }
}

/// Prints bytes as they are, at once; on a terminal as [`print_line`] does.
pub(crate) fn print_bytes(bytes: impl AsRef<[u8]>) -> Result<(), Failure> {
    print(&[&harmless(bytes.as_ref())])
}

/// The bytes as standard output may be given them.
fn harmless(bytes: &[u8]) -> Cow<'_, [u8]> {
    match stdout().is_terminal() {
        true => Cow::Owned(on_terminal(bytes).into_bytes()),
        false => Cow::Borrowed(bytes),
    }
}

/// So many of something.
pub(crate) fn count<N: Copy + Display + PartialEq + From<u8>>(
    number: N,
    what: impl Display,
) -> String {
    let plural = if number == N::from(1) { "" } else { "s" };
    format!("{number} {what}{plural}")
}

fn print(pieces: &[&[u8]]) -> Result<(), Failure> {
    let mut output = stdout().lock();
    let mut pieces = pieces.iter();
    let written = pieces.try_for_each(|piece| output.write_all(piece));
    written.and_then(|()| output.flush()).map_err(|error| {
        Failure::new(
            FailureKind::Unavailable,
            format!("cannot write to standard output: {error}"),
        )
    })
}
