use crate::failure::Failure;
use crate::messages;
use crate::output::{print_later, print_line};

/// Where lines go that programs read: standard output, unless that is the module's line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Announcer {
    json: bool,
    to_stderr: bool,
}

impl Announcer {
    pub(crate) fn new(json: bool, stdout_is_taken: bool) -> Self {
        Self {
            json,
            to_stderr: stdout_is_taken,
        }
    }

    /// Whether lines are JSON.
    pub(crate) fn json(self) -> bool {
        self.json
    }

    pub(crate) fn announce(self, line: &str) -> Result<(), Failure> {
        if self.to_stderr {
            messages::tell(line);
            return Ok(());
        }
        print_line(line)
    }

    /// Prints the line some time: a module does not wait for who reads of it. Returns whether there
    /// was room for it.
    pub(crate) fn announce_later(self, line: &str) -> Result<bool, Failure> {
        if self.to_stderr {
            messages::tell(line);
            return Ok(true);
        }
        print_later(line)
    }
}
