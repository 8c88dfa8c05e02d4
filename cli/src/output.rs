use std::fmt::Display;
use std::io::{Write, stdout};

use anstream::{AutoStream, ColorChoice};
use anstyle::Style;

use crate::failure::{Failure, FailureKind};

/// Prints a line, at once. `println!` would panic when nobody reads it any more.
pub(crate) fn print_line(line: impl AsRef<[u8]>) -> Result<(), Failure> {
    print(&[line.as_ref(), b"\n"])
}

/// The style, where standard output shows styles.
pub(crate) fn on_stdout(style: Style) -> Style {
    match AutoStream::choice(&stdout()) {
        ColorChoice::Never => Style::new(),
        _ => style,
    }
}

/// Prints bytes as they are, at once.
pub(crate) fn print_bytes(bytes: impl AsRef<[u8]>) -> Result<(), Failure> {
    print(&[bytes.as_ref()])
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
