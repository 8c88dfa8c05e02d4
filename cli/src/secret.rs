//! Passwords and device secrets, kept out of the command line, where every user of the machine
//! could read them.

use std::env::VarError;
use std::io::{IsTerminal as _, stdin};
use std::path::Path;

use crate::failure::{Failure, FailureKind};
use crate::input::{DATA_LIMIT, read_text, unreadable};

/// The first line of a file.
pub(crate) fn from_file(path: &Path) -> Result<String, Failure> {
    let shown = path.display();
    let text = read_text(path, DATA_LIMIT)
        .map_err(|error| unreadable(&format!("the secret in {shown}"), &error))?;
    // Editors of Windows put a byte order mark there.
    match text.trim_start_matches('\u{feff}').lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(Failure::new(
            FailureKind::Usage,
            format!("the first line of {shown} is empty, and should be a secret"),
        )),
    }
}

/// The value of a variable; `None` if it is not set.
pub(crate) fn from_environment(variable: &str) -> Result<Option<String>, Failure> {
    match std::env::var(variable) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => {
            let what = format!("the environment variable {variable} is no text");
            Err(Failure::new(FailureKind::Usage, what))
        }
    }
}

/// What is typed at the terminal, unseen. `what` is asked for, `instead` is the hint where nobody
/// can type.
pub(crate) fn from_terminal(what: &str, instead: &str) -> Result<String, Failure> {
    if !stdin().is_terminal() {
        let what = format!("there is no terminal to ask for the {what}");
        return Err(Failure::new(FailureKind::Usage, what).hint(instead));
    }
    rpassword::prompt_password(format!("{what}: ")).map_err(|error| {
        Failure::new(
            FailureKind::Unavailable,
            format!("cannot read the {what} from the terminal: {error}"),
        )
    })
}
