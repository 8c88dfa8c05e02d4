use std::io::{Write as _, stdout};

use crate::failure::{Failure, FailureKind};

/// Prints a line, at once. `println!` would panic when nobody reads it any more.
pub(crate) fn print_line(line: impl AsRef<[u8]>) -> Result<(), Failure> {
    let mut output = stdout().lock();
    let written = output
        .write_all(line.as_ref())
        .and_then(|()| output.write_all(b"\n"))
        .and_then(|()| output.flush());
    written.map_err(|error| {
        Failure::new(
            FailureKind::Unavailable,
            format!("cannot write to standard output: {error}"),
        )
    })
}
