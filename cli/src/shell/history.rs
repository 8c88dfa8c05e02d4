//! What was typed, kept between runs without secrets.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;

use atmq_protocol::at::parameter::decode_hex;
use atmq_protocol::redact::secrets;
use etcetera::{BaseStrategy as _, choose_base_strategy};

use crate::grammar::redacted;
use crate::input::read_file;

/// So many lines are kept.
const LINES: usize = 1000;

/// The longest file that is read, in bytes: more than twice what is kept.
const FILE: usize = 16 * 1024 * 1024;

/// Longer lines are not worth keeping.
const LENGTH: usize = 4096;

/// The file of the history.
#[derive(Debug)]
pub(super) struct History {
    file: Option<File>,
    /// What was kept last: the same is not kept again.
    last: String,
}

impl History {
    /// Keeps nothing.
    pub(super) fn none() -> Self {
        Self {
            file: None,
            last: String::new(),
        }
    }

    /// Opens the history and returns what is in it, oldest first. Without `keep`, and where there
    /// is no place for it, nothing is kept.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub(super) fn open(keep: bool) -> io::Result<(Self, Vec<String>)> {
        let Some(path) = path().filter(|_| keep) else {
            return Ok((Self::none(), Vec::new()));
        };
        if let Some(directory) = path.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(directory)?;
        }
        let bytes = match read_file(&path, FILE) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            read => read.unwrap_or_default(),
        };
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        let surplus = lines.len().saturating_sub(LINES);
        let lines = lines[surplus..].to_vec();
        // Half of what is kept may be too much before the file is written anew: not at each start.
        if surplus > LINES / 2 {
            let new = path.with_extension("new");
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&new)?;
            lines.iter().try_for_each(|line| writeln!(file, "{line}"))?;
            fs::rename(new, &path)?;
        }
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)?;
        let last = lines.last().cloned().unwrap_or_default();
        let file = Some(file);
        Ok((Self { file, last }, lines))
    }

    /// Keeps a line, with `***` from its first secret on; not one that begins with a blank, nor the
    /// digits of a secret.
    pub(super) fn keep(&mut self, line: &str) -> io::Result<()> {
        if is_secret_in_digits(line) {
            return Ok(());
        }
        let kept = redacted(line);
        if kept.starts_with(' ') || *kept == self.last {
            return Ok(());
        }
        self.last = kept.to_string();
        match &mut self.file {
            Some(file) if kept.len() <= LENGTH && !kept.contains(char::is_control) => {
                // In one piece: another shell may write as well.
                file.write_all(format!("{kept}\n").as_bytes())
            }
            _ => Ok(()),
        }
    }
}

/// Whether `/hex` sends a secret, as far as what it is given can be read.
fn is_secret_in_digits(line: &str) -> bool {
    let Some(given) = line.trim_start().strip_prefix("/hex") else {
        return false;
    };
    let mut digits: Vec<u8> = given.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.truncate(digits.len() & !1);
    decode_hex(&digits).is_some_and(|bytes| !secrets(&bytes).is_empty())
}

/// `atmq/history` in the user's directory for state.
fn path() -> Option<PathBuf> {
    let strategy = choose_base_strategy().ok()?;
    let directory = strategy.state_dir().unwrap_or_else(|| strategy.data_dir());
    Some(directory.join("atmq").join("history"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digits_of_a_secret_are_not_kept() {
        for (line, secret) in [
            ("/hex 41542B4350494E3D22313233342200D", true),
            ("/hex 41 54 2b 43 50 49 4e 3d 31 32 33 34 0d", true),
            ("/hex 41 54 2b 43 53 51 0d", false),
            ("/hex", false),
            ("AT+CSQ", false),
        ] {
            assert_eq!(is_secret_in_digits(line), secret, "{line}");
        }
    }
}
