//! What was typed, kept between runs without secrets.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;

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

    /// Keeps a line, with `***` from its first secret on; not one that begins with a blank.
    pub(super) fn keep(&mut self, line: &str) -> io::Result<()> {
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

/// `atmq/history` in the user's directory for state.
fn path() -> Option<PathBuf> {
    let strategy = choose_base_strategy().ok()?;
    let directory = strategy.state_dir().unwrap_or_else(|| strategy.data_dir());
    Some(directory.join("atmq").join("history"))
}
